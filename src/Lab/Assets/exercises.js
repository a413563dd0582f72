"use strict";
import { all, fault, fetchText, find, guarded, make, post } from "./lab.js";

function score() {
  find("#score").textContent = `${all(".judged.solved").length} of ${all(".task").length} solved.`;
}

for (const task of all(".task")) {
  find("form", task).addEventListener("submit", async (event) => {
    event.preventDefault();
    const answer = find("input", task).value.trim();
    if (!answer) return fault("Write an answer first.");
    const told = await guarded(() => post("exercise", { number: Number(task.dataset.number), answer }));
    if (!told) return;
    const judged = find(".judged", task);
    judged.textContent = (told.solved ? "✓ " : "✗ ") + told.message;
    judged.className = "judged " + (told.solved ? "solved" : "open");
    score();
  });
  // A hint opens once the one before it was read.
  const hints = all(".hint", task);
  hints.forEach((hint, i) => {
    if (i > 0 && i < 3) hint.hidden = true;
    hint.addEventListener("toggle", () => { if (hint.open && i < 2) hints[i + 1].hidden = false; });
  });
}
find("#export").addEventListener("submit", (event) => {
  event.preventDefault();
  guarded(async () => {
    const html = await fetchText("export", { name: event.target.elements.name.value.trim() || "a student" });
    const link = make("a", { href: URL.createObjectURL(new Blob([html], { type: "text/html" })), download: "exercises.html" });
    link.click();
    URL.revokeObjectURL(link.href);
  });
});
