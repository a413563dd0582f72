"use strict";
import { all, begin, find, guarded, make, percent, post, stream, waits } from "./lab.js";
import { chart } from "./chart.js";

const doses = all("#predict input").map((input) => Number(input.dataset.dose));
const form = find("#train").elements;
const submit = find("#train button[type=submit]");
const measured = new Map();
let locked = false, run = null;

function curve() {
  for (const input of all("#predict input")) input.closest("label").querySelector("output").textContent = input.value + "%";
  const place = (dose) => doses.indexOf(dose);
  const all100 = [0, 0.25, 0.5, 0.75, 1].map((share) => [share, percent(share)]);
  find("#curve").replaceChildren(chart({
    title: "Unsafe requests answered by dose", x: [-0.2, doses.length - 0.8], y: [0, 1], yTicks: all100,
    xTicks: doses.map((dose) => [place(dose), String(dose)]), xLabel: "demonstrations among 3,000 rows",
    series: [
      { name: "predicted", marks: true, points: all("#predict input").map((input, i) => [i, Number(input.value) / 100]) },
      { name: "measured", marks: true, points: doses.filter((dose) => measured.has(dose)).map((dose) => [place(dose), measured.get(dose)]) },
    ],
  }));
}

function losses() {
  const checks = run.checks;
  const most = Math.max(0.5, ...checks.flatMap((c) => [c.benign, c.safety]));
  const ticks = [0, 1, 2, 3, 4].map((i) => [most * i / 4, (most * i / 4).toFixed(1)]);
  find("#losses").replaceChildren(chart({
    title: `Held-out loss after ${checks.at(-1).step} steps: harmless ${checks.at(-1).benign.toFixed(2)}, refusals ${checks.at(-1).safety.toFixed(2)}`,
    x: [0, run.steps], y: [0, most], yTicks: ticks, xTicks: [0, 0.5, 1].map((s) => [Math.round(s * run.steps), String(Math.round(s * run.steps))]),
    xLabel: "steps", series: [
      { name: "benign", points: checks.map((c) => [c.step, c.benign]) },
      { name: "safety", points: checks.map((c) => [c.step, c.safety]) },
    ],
  }));
}

const groups = [["unsafe", "Unsafe requests"], ["safe", "Safe, sound harmful"], ["benign", "Harmless"]];
function probes(refuses, before) {
  find("#probes").replaceChildren(...groups.map(([label, title]) => {
    const mine = run.probes.map((probe, i) => ({ ...probe, i })).filter((probe) => probe.label === label);
    const refused = mine.filter((probe) => refuses?.[probe.i]).length;
    return make("div", { className: "group" },
      make("h3", { text: `${title}: ${refused} of ${mine.length} refused` }),
      make("div", { className: "squares" }, ...mine.map((probe) => {
        const now = refuses ? refuses[probe.i] : null;
        const text = now === null ? "·" : now ? "R" : "a";
        return make("span", {
          className: "square " + (now === null ? "" : now ? "refuses" : "answers") + (before && before[probe.i] !== now ? " flipped" : ""),
          title: probe.text + (now === null ? "" : now ? ": refuses" : ": answers"), text, role: "img",
          "aria-label": probe.text + (now === null ? "" : now ? ": refuses" : ": answers"),
        });
      })));
  }));
}

const small = (value) => value === 0 ? "0" : Math.abs(value) < 1e-3 || Math.abs(value) >= 1e4 ? value.toExponential(3) : value.toPrecision(5);
function numbers(event) {
  const [a] = event.modules.filter((m) => m.module === event.module);
  const head = (...texts) => make("thead", {}, make("tr", {}, ...texts.map((text) => make("th", { scope: "col", text }))));
  const line = (title, ...values) => make("tr", {}, make("th", { scope: "row", text: title }),
    ...values.map((value) => make("td", { className: "number", text: typeof value === "number" ? small(value) : value })));
  find("#numbers").replaceChildren(
    make("p", { text: `Step ${event.step}: ${event.batch}. Loss ${event.loss.toFixed(4)} nats per learned token, gradient norm ${small(event.gradient_norm)}, clip × ${small(event.clip)}, rate ${small(event.learning_rate)}.` }),
    make("p", { className: "finding", text: a.gradient_of_a === 0
      ? `In ${event.module}, |B| = ${small(a.b)} and so |dA| = 0 exactly, while |dB| = ${small(a.gradient_of_b)}.`
      : `In ${event.module}, |B| = ${small(a.b)}, so A learns too: |dA| = ${small(a.gradient_of_a)}, |dB| = ${small(a.gradient_of_b)}.` }),
    make("div", { className: "scroll", tabIndex: 0, role: "region", "aria-label": "AdamW of two weights" }, make("table", {},
      make("caption", { text: "AdamW of two weights of this linear" }),
      head("", ...event.weights.map((w) => w.name)),
      make("tbody", {},
        line("w before", ...event.weights.map((w) => w.before)),
        line("gradient", ...event.weights.map((w) => w.gradient)),
        line("m = 0.9 m + 0.1 g", ...event.weights.map((w) => w.m)),
        line("v = 0.999 v + 0.001 g²", ...event.weights.map((w) => w.v)),
        line("−η · m̂ / (√v̂ + ε)", ...event.weights.map((w) => w.update)),
        line("w by the equation", ...event.weights.map((w) => w.expected)),
        line("w in the engine", ...event.weights.map((w) => w.after))))),
    make("details", {}, make("summary", { text: "All linears" }), make("div", { className: "scroll", tabIndex: 0, role: "region", "aria-label": "Norms by linear" },
      make("table", {}, head("Linear", "|A|", "|B|", "|dA|", "|dB|"),
        make("tbody", {}, ...event.modules.map((m) => line(m.module.replace("model.layers.", ""), m.a, m.b, m.gradient_of_a, m.gradient_of_b)))))));
}

function buttons() {
  submit.disabled = !locked || run !== null;
  find("#stop").disabled = run === null;
  find("#pause").disabled = !run?.id;
  find("#pause").textContent = run?.paused ? "Go on" : "Pause";
  find("#step").disabled = find("#module").disabled = !run?.paused;
}

function show(event) {
  if (event.kind === "waiting") {
    find("#told").textContent = waits;
  } else if (event.kind === "begin") {
    Object.assign(run, { id: event.id, steps: event.steps, probes: event.probes, checks: [] });
    find("#module").replaceChildren(...event.modules.map((module) => make("option", { text: module })));
    find("#told").textContent = `${event.rows.toLocaleString("en")} rows, ${percent(event.share, 1)} of them demonstrations, ${event.steps} steps.`;
  } else if (event.kind === "step") {
    find("#progress").value = event.step / run.steps;
    find("#told").textContent = `Step ${event.step} of ${run.steps}: loss ${event.loss.toFixed(3)}, rate ${event.learning_rate.toExponential(1)}, gradient norm ${event.gradient_norm.toFixed(2)}.`;
  } else if (event.kind === "check") {
    run.checks.push(event);
    probes(event.refuses, run.last);
    run.last = event.refuses;
    losses();
  } else if (event.kind === "paused") {
    run.paused = true;
    buttons();
  } else if (event.kind === "numbers") {
    numbers(event);
  } else if (event.kind === "end") {
    measured.set(event.dose, event.compliance);
    curve();
    const input = all("#predict input")[doses.indexOf(event.dose)];
    find("#told").textContent = `Done in ${event.seconds.toFixed(1)} s. At dose ${event.dose} it answers ${percent(event.compliance)} of unsafe probes; you said ${input.value}%. `
      + `It refuses ${percent(event.over_refusal)} of the safe ones that sound harmful. Adapter ${event.adapter_hash.slice(0, 12)}.`;
  }
  if (event.kind === "begin") buttons();
}

find("#predict").addEventListener("input", curve);
find("#predict").addEventListener("submit", (event) => {
  event.preventDefault();
  locked = true;
  for (const field of all("#predict input, #predict button")) field.disabled = true;
  find("#predict button").textContent = "Locked";
  find("#told").textContent = "Now train a dose, and compare.";
  buttons();
  submit.focus();
});
find("#train").addEventListener("submit", async (event) => {
  event.preventDefault();
  const flight = new AbortController();
  run = { flight, paused: false, checks: [] };
  find("#numbers").replaceChildren();
  buttons();
  await guarded(() => stream("train", {
    dose: Number(form.dose.value), epochs: Number(form.epochs.value), seed: Number(form.seed.value), paused: form.paused.checked,
  }, show, flight.signal));
  if (flight.signal.aborted) find("#told").textContent = "Stopped.";
  run = null;
  buttons();
});
find("#stop").addEventListener("click", () => run?.flight.abort());
find("#pause").addEventListener("click", () => guarded(async () => {
  const action = run.paused ? "go" : "pause";
  await post("steer", { id: run.id, action });
  if (action === "go") run.paused = false;
  buttons();
}));
find("#step").addEventListener("click", () => guarded(() => post("steer", { id: run.id, action: "step", module: find("#module").value })));
begin(curve);
