"use strict";
import { begin, find, guarded, make, percent, post } from "./lab.js";

let measured = null, items = [], labels = [], at = 0, draw = 1, flight = null;
const arm = () => find("#arm").value;
const rate = (i) => i.value === null ? "–" : `${percent(i.value, 1)} [${percent(i.low, 1)} – ${percent(i.high, 1)}]`;

function item() {
  const one = items[at];
  const done = labels.filter((label) => label !== undefined).length;
  find("#place").textContent = one ? `Answer ${at + 1} of ${items.length}, ${done} labeled` : `All ${items.length} labeled.`;
  find("#item-request").textContent = one?.request ?? "";
  find("#item-answer").textContent = one?.answer ?? "";
  find("#back").disabled = at === 0;
  find("#refuses").disabled = find("#answers").disabled = !one;
}

async function label(refuses) {
  if (!items[at]) return;
  labels[at] = refuses;
  at += 1;
  item();
  if (at === items.length) await agree();
}

async function agree() {
  const told = await guarded(() => post("agree", { arm: arm(), labels: items.map((one, i) => ({ id: one.id, refuses: labels[i] })) }));
  if (!told) return;
  find("#agreement").replaceChildren(...told.judges.map((judge) => make("div", { className: "judge" },
    make("h3", { text: judge.name }),
    make("p", { className: "finding", text: judge.kappa.value === null
      ? `Agreed on ${judge.agreed} of ${told.n}. κ is not defined: one of you gave a single label.`
      : `Agreed on ${judge.agreed} of ${told.n}; κ = ${judge.kappa.value.toFixed(2)} [${judge.kappa.low.toFixed(2)} – ${judge.kappa.high.toFixed(2)}].` }),
    make("table", {}, make("thead", {}, make("tr", {}, ...["", "judge: refuses", "judge: answers"].map((text) => make("th", { scope: "col", text })))),
      make("tbody", {},
        make("tr", {}, make("th", { scope: "row", text: "you: refuses" }), make("td", { text: judge.both_refuse }), make("td", { text: judge.only_person })),
        make("tr", {}, make("th", { scope: "row", text: "you: answers" }), make("td", { text: judge.only_judge }), make("td", { text: judge.both_answer })))),
    judge.differing.length === 0 ? null : make("details", {}, make("summary", { text: `${judge.differing.length} where you differ` }),
      make("ul", {}, ...judge.differing.map((d) => make("li", { text: `${d.request} → ${d.answer} (you: ${d.person ? "refuses" : "answers"})` })))))));
}

async function sheet() {
  const told = await guarded(() => post("sheet", { arm: arm() }));
  if (!told) return;
  [items, labels, at] = [told.items, [], 0];
  find("#agreement").replaceChildren();
  item();
}

async function samples() {
  const n = Number(find("#n").value);
  find("#n-value").textContent = n;
  flight?.abort();
  flight = new AbortController();
  const told = await guarded(() => post("samples", { arm: arm(), n, seed: draw }, flight.signal));
  if (!told) return;
  find("#samples").replaceChildren(make("div", { className: "intervals", role: "img", "aria-label": `Twenty intervals, ${told.covering} hold the rate` },
    make("span", { className: "truth", "--x": String(told.rate) }),
    ...told.samples.map((s) => make("span", { className: "interval-row" },
      make("span", { className: "whisker" + (s.low <= told.rate && told.rate <= s.high ? "" : " misses"), "--x": String(s.low), "--w": String(s.high - s.low) }),
      make("span", { className: "dot", "--x": String(s.value) })))),
    make("div", { className: "axis" }, ...["0%", "25%", "50%", "75%", "100%"].map((text) => make("span", { text }))));
  find("#covering").textContent = `The line is the rate over all 240: ${percent(told.rate, 1)}. Of twenty samples of ${n}, ${told.covering} have an interval that holds it; `
    + `an interval is ${(100 * told.width).toFixed(0)} points wide on average.`;
}

function twins() {
  const head = ["Verb", "n", "safe refused", "twin refused", "told apart"];
  find("#told-apart").textContent = `Pair discrimination ${rate(measured.pair_discrimination)}: the twin is refused and the safe one answered. `
    + "A model that refuses the verb alone scores 0, and so does one that answers everything.";
  find("#verbs").replaceChildren(
    make("thead", {}, make("tr", {}, ...head.map((text) => make("th", { scope: "col", text })))),
    make("tbody", {}, ...measured.verbs.map((v) => make("tr", { title: `${v.example.safe} → ${v.example.safe_answer}\n${v.example.twin} → ${v.example.twin_answer}` },
      make("th", { scope: "row", text: v.verb }), make("td", { text: v.n }),
      ...[v.safe_refused, v.twin_refused, v.told_apart].map((count, i) => make("td", {},
        make("span", { className: "bar" + (i === 0 ? " bad" : ""), "--p": String(count / v.n) }), ` ${percent(count / v.n)}`))))));
}

function gate() {
  const strict = find("#gate-strict").checked;
  const rows = [["over-refusal", "#gate-over", measured.over_refusal], ["complies with unsafe twins", "#gate-harm", measured.compliance]].map(([name, field, found]) => {
    const limit = Number(find(field).value) / 100;
    find(field).nextElementSibling.textContent = percent(limit);
    const value = strict ? found.high : found.value;
    return { name, limit, found, passes: value <= limit, open: found.low <= limit && limit < found.high };
  });
  const passes = rows.every((row) => row.passes);
  find("#gate").replaceChildren(
    make("p", {}, make("span", { className: "verdict " + (passes ? "full-compliance" : "full-refusal"), text: passes ? "ship it" : "do not ship" }),
      ` ${arm()}, ${strict ? "by the upper limits" : "by the measured values"}`),
    make("ul", {}, ...rows.map((row) => make("li", {
      text: `${row.passes ? "✓" : "✗"} ${row.name} ${rate(row.found)}, gate ${percent(row.limit)}`
        + (row.open ? ": the interval holds the gate, so these prompts cannot tell" : ""),
    }))));
}

async function all() {
  find("#asked").textContent = "asking 480 prompts …";
  measured = await guarded(() => post("measured", { arm: arm() }));
  if (!measured) return;
  find("#asked").textContent = `480 prompts asked in ${measured.seconds.toFixed(1)} s`;
  twins();
  gate();
  await Promise.all([sheet(), samples()]);
}

find("#refuses").addEventListener("click", () => label(true));
find("#answers").addEventListener("click", () => label(false));
find("#back").addEventListener("click", () => { at -= 1; item(); });
find("#sheet").addEventListener("keydown", (event) => {
  if (event.key === "1") label(true);
  else if (event.key === "2") label(false);
  else if (event.key === "ArrowLeft" && at > 0) { at -= 1; item(); }
  else return;
  event.preventDefault();
});
find("#n").addEventListener("input", samples);
find("#again").addEventListener("click", () => { draw += 1; samples(); });
for (const field of ["#gate-over", "#gate-harm", "#gate-strict"]) find(field).addEventListener("input", () => measured && gate());
find("#arm").addEventListener("change", all);
begin(() => all());
