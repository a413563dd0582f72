"use strict";
// A page is complete without scripts; this adds its filters. A select keeps the cards whose data-NAME holds the chosen
// word, a checkbox those whose data-NAME is yes, a search those that hold the text. The checkbox "unfold" opens what is
// folded.
for (const form of document.querySelectorAll(".filter")) {
  const cards = [...form.parentElement.querySelectorAll(".transcript")];
  const fields = [...form.elements].filter((field) => field.name);
  const fits = (card, field) => field.name === "unfold"
    || (field.type === "checkbox" ? !field.checked || card.dataset[field.name] === "yes"
      : field.type === "search" ? !field.value || card.textContent.toLowerCase().includes(field.value.toLowerCase())
        : !field.value || (card.dataset[field.name] || "").split("\n").includes(field.value));
  const apply = (event) => {
    if (event?.target.name === "unfold") {
      for (const card of cards.filter((folded) => folded.dataset.folded === "yes")) {
        card.open = event.target.checked;
      }
    }
    let shown = 0;
    for (const card of cards) {
      card.hidden = !fields.every((field) => fits(card, field));
      shown += card.hidden ? 0 : 1;
    }
    form.querySelector("output").textContent = shown + " of " + cards.length + " prompts";
  };
  form.addEventListener("input", apply);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.hidden = false;
  apply();
}
