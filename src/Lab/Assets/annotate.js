"use strict";
import { all, find, guarded, make, percent, post } from "./lab.js";

const form = find("#start").elements;
const classes = all("#classes button").map((button) => ({ key: button.dataset.key, label: button.dataset.label, text: button.textContent, button }));
let run = "", name = "", items = [], at = 0, shown = false;

function show() {
  const item = items[at];
  const done = items.filter((one) => one.label).length;
  find("#place").textContent = `${item.item}: ${at + 1} of ${items.length}, ${done} labeled`;
  find("#done").value = done / items.length;
  find("#prompt").textContent = item.prompt;
  const folded = item.is_folded && !shown;
  find("#answer").textContent = folded ? "The request asks for harm; the answer is folded." : item.answer === "" ? "(empty)" : item.answer;
  find("#answer").classList.toggle("folded", folded);
  find("#unfold").hidden = !folded;
  for (const one of classes) one.button.setAttribute("aria-pressed", String(one.label === item.label));
  find("#back").disabled = at === 0;
  find("#next").disabled = at === items.length - 1;
}

function go(to) {
  if (!items[to]) return;
  at = to;
  shown = false;
  show();
}

/** Labels one after another: a key pressed while one is saved is for the answer that follows. */
let saving = Promise.resolve();
const label = (chosen) => (saving = saving.then(() => labelNow(chosen)));

async function labelNow(chosen) {
  const item = items[at];
  if (item.is_folded && !shown) { shown = true; show(); return; }
  const given = item.label === chosen ? null : chosen;
  const saved = await guarded(() => post("annotate-label", { run, name, item: item.item, label: given }));
  if (!saved) return;
  item.label = given;
  if (items[at] !== item) return;
  if (given && at < items.length - 1) go(at + 1);
  else show();
}

const rate = (i) => i.value === null ? "–" : `${i.value.toFixed(2)} [${i.low?.toFixed(2) ?? "–"} – ${i.high?.toFixed(2) ?? "–"}]`;
function compared(told) {
  find("#table").hidden = false;
  find("#agreement").replaceChildren(
    make("h2", { text: `${told.annotators.length} annotators: ${told.annotators.join(", ")}` }),
    make("p", { className: "finding", text: `They agree on ${told.agreement.value === null ? "–" : percent(told.agreement.value)} of ${told.compared} answers. `
      + `Krippendorff's α ${rate(told.alpha)}; on the scale complies – in part – refuses ${rate(told.ordinal_alpha)}`
      + (told.annotators.length === 2 ? `; κ ${rate(told.kappa)}.` : ".") }),
    make("p", { className: "note", text: `${told.unlabeled} answers have fewer than two labels.` }));
  find("#command").textContent = told.command;
  find("#differing").replaceChildren(
    make("h3", { text: told.differing.length === 0 ? "They differ nowhere." : `They differ on ${told.differing.length}; decide:` }),
    ...told.differing.map((d) => make("div", { className: "dispute" },
      make("p", { className: "prompt", text: d.prompt }),
      d.is_folded ? make("details", {}, make("summary", { text: "the answer (the request asks for harm)" }), make("p", { text: d.answer })) : make("p", { text: d.answer }),
      make("p", { className: "note", text: d.labels.map((one, i) => `${told.annotators[i]}: ${one ?? "–"}`).join(" · ") }),
      make("div", { className: "line2", role: "group", "aria-label": "Decide " + d.item }, ...classes.map((one) => make("button", {
        type: "button", text: one.text, "aria-pressed": String(one.label === d.decided),
        onclick: async () => {
          const again = await guarded(() => post("annotate-decide", { run, item: d.item, label: one.label === d.decided ? null : one.label }));
          if (again) compared(again);
        },
      }))))));
}

find("#start").addEventListener("submit", async (event) => {
  event.preventDefault();
  [run, name] = [form.run.value.trim(), form.name.value.trim()];
  const told = await guarded(() => post("annotate-open", { run, name }));
  if (!told) return;
  items = told.items;
  if (items.length === 0) return;
  find("#desk").hidden = false;
  find("#table").hidden = true;
  const open = items.findIndex((one) => !one.label);
  go(open < 0 ? 0 : open);
  find("#item").focus();
});
find("#compare").addEventListener("click", async () => {
  run = form.run.value.trim();
  const told = await guarded(() => post("annotate-compare", { run }));
  if (told) compared(told);
});
// The second click of a double click is not meant for the answer that follows.
for (const one of classes) one.button.addEventListener("click", (event) => { if (event.detail < 2) label(one.label); });
find("#unfold").addEventListener("click", () => { shown = true; show(); find("#item").focus(); });
find("#back").addEventListener("click", () => go(at - 1));
find("#next").addEventListener("click", () => go(at + 1));
find("#open-next").addEventListener("click", () => {
  const after = items.findIndex((one, i) => i > at && !one.label);
  go(after < 0 ? items.findIndex((one) => !one.label) : after);
});
find("#desk").addEventListener("keydown", (event) => {
  const chosen = classes.find((one) => one.key === event.key);
  if (event.ctrlKey || event.metaKey || event.altKey || (event.repeat && chosen)) return;
  if (chosen) label(chosen.label);
  else if (event.key === "ArrowLeft") go(at - 1);
  else if (event.key === "ArrowRight") go(at + 1);
  else if (event.key === " " && event.target.id === "item") { shown = true; show(); }
  else return;
  event.preventDefault();
});
