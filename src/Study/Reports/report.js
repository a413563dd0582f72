for (const slider of document.querySelectorAll(".slider")) {
  const table = slider.parentElement.querySelector("table.scales");
  const range = slider.querySelector("input");
  const scales = [...table.tHead.rows[0].cells].slice(1).map((cell) => cell.textContent.trim());
  const apply = () => {
    const at = Number(range.value);
    range.setAttribute("aria-valuetext", "scale " + scales[at]);
    slider.querySelector("output").textContent = "at scale " + scales[at] + ": "
      + [...table.tBodies[0].rows].map((row) => row.cells[0].textContent.trim() + " " + row.cells[at + 1].textContent.trim()).join(" · ");
    for (const row of table.rows) {
      [...row.cells].forEach((cell, i) => { cell.style.outline = i === at + 1 ? "2px solid var(--series-1)" : ""; });
    }
  };
  range.addEventListener("input", apply);
  slider.hidden = false;
  range.value = String(Math.max(0, scales.indexOf("1")));
  apply();
}
