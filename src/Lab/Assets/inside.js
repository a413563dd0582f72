"use strict";
import { all, begin, fault, find, guarded, make, percent, stream } from "./lab.js";

const state = JSON.parse(find("#state").textContent);
let flight = null, looked = null, tokens = [], position = -1, weights = null, longest = 0, prompts = null;
const voice = () => state.voices.find((one) => one.name === find("#voice").value);
const lines = (id) => find(id).value.split("\n").map((line) => line.trim()).filter((line) => line);
const spelled = (text) => text.replaceAll(" ", "␣").replaceAll("\n", "⏎");
const interval = (rate) => rate.share.value === null ? "–"
  : `${percent(rate.share.value)} [${percent(rate.share.low)} – ${percent(rate.share.high)}]`;

/** What each event shows; it is dim until it is that of the last change. */
const places = { direction: ["#direction"], answer: ["#answer", "#outcome"], lens: ["#lens"], attention: ["#tokens", "#attended", "#weights"], refusals: ["#refusals"] };
const dim = (kind, stale) => { for (const place of places[kind]) find(place).classList.toggle("stale", stale); };

/** Choices from 0 to last, of which one stays. */
function choices(select, last, chosen) {
  select.replaceChildren(...Array.from({ length: last + 1 }, (_, i) => make("option", { value: String(i), text: String(i), selected: i === chosen })));
}

function knobs() {
  const { rank } = voice();
  const range = find("#rank");
  if (Number(range.max) !== Math.max(1, rank)) { range.max = String(Math.max(1, rank)); range.value = range.max; }
  for (const part of all("#scale, #rank, #linears input, #layers input")) part.disabled = rank === 0;
  const cut = Number(range.value) < rank;
  range.parentElement.querySelector("output").textContent = rank === 0 ? "no adapter" : cut ? range.value : "all";
  find("#scale").parentElement.querySelector("output").textContent = rank === 0 ? "no adapter" : Number(find("#scale").value).toFixed(2);
  find("#times").parentElement.querySelector("output").textContent = Number(find("#times").value).toFixed(2);
  find("#at").disabled = find("#change").value === "";
  find("#times").disabled = find("#change").value !== "add";
}

function asked() {
  const adapted = voice().rank > 0;
  const off = (id) => adapted ? all(`${id} input`).filter((box) => !box.checked).map((box) => box.value) : [];
  const change = find("#change").value;
  return {
    request: find("#request").value.trim(), voice: voice().name, scale: Number(find("#scale").value),
    without_linears: off("#linears"), without_layers: off("#layers").map(Number),
    rank: adapted && Number(find("#rank").value) < voice().rank ? Number(find("#rank").value) : null,
    direction: change === "" ? null : { layer: Number(find("#at").value), scale: change === "add" ? Number(find("#times").value) : null },
    opening: state.opening, position, layer: Number(find("#layer").value), head: Number(find("#head").value), ...prompts,
  };
}

function table(caption, heads, rows) {
  return make("table", {}, make("caption", { text: caption }),
    make("thead", {}, make("tr", {}, ...heads.map((text) => make("th", { scope: "col", text })))),
    make("tbody", {}, ...rows.map(([first, ...cells]) => make("tr", {}, make("th", { scope: "row", text: first }),
      ...cells.map((text) => make("td", { className: "number", text }))))));
}

const told = {
  direction: ({ layers }) => find("#direction").replaceChildren(table("The direction, by layer",
    ["before layer", "length", "of the stream", "told apart"], layers.map((at) => [
      at.layer === state.layers ? "after the last" : String(at.layer), at.norm.toFixed(2), percent(at.norm / (at.stream_norm || 1)),
      at.separation === null ? "–" : percent(at.separation)]))),
  answer: (event) => {
    find("#answer").textContent = event.text.trim() || "(an empty answer)";
    find("#outcome").replaceChildren(make("span", { className: "verdict " + event.behavior.replaceAll(" ", "-"), text: event.behavior }),
      ` ${event.judge}` + (event.is_cut ? " · cut at the limit" : ""));
    [tokens, weights] = [event.tokens, null];
    ribbon();
  },
  lens: (event) => find("#lens").replaceChildren(table("The likeliest next tokens", ["before layer", "first", "second", "third", "fourth", "fifth"],
    event.layers.map((top, layer) => [layer === state.layers ? "the answer" : String(layer),
      ...top.map((likely) => `${spelled(likely.text)} ${percent(likely.p)}`)]))),
  attention: (event) => { ({ weights, longest } = event); ribbon(); },
  refusals: ({ unsafe, benign, judge }) => find("#refusals").replaceChildren(
    ...[["unsafe prompts refused", unsafe, ""], ["harmless prompts refused", benign, " bad"]].map(([name, rate, kind]) => make("p", {},
      make("b", { text: `${rate.count} of ${rate.n} ` }), `${name}: ${interval(rate)}` + (rate.invalid ? `, ${rate.invalid} without an answer` : "") + (rate.cut ? `, ${rate.cut} cut at the limit` : ""),
      make("br"), make("span", { className: "bar" + kind, "--p": String(rate.share.value ?? 0) }))),
    make("p", { className: "note", text: `Wilson's 95% limits; judged by ${judge}.` })),
};

function ribbon() {
  const at = tokens.length + position;
  const row = weights?.[at] ?? [];
  const held = find("#tokens").contains(document.activeElement);
  find("#tokens").replaceChildren(...tokens.map((text, i) => make("button", {
    type: "button", className: "piece" + (i === at ? " learned" : ""), text: spelled(text) || "∅", tabIndex: i === at ? 0 : -1,
    "--v": String(row[i] ?? 0), "aria-pressed": String(i === at),
    "aria-label": `${text.trim() || "blank"}${row[i] === undefined ? "" : ", " + percent(row[i], 1)}`, onclick: () => choose(i),
  })));
  if (held) find("#tokens").children[at]?.focus();
  if (weights === null) return;
  const most = row.map((weight, i) => [weight, i]).sort((x, y) => y[0] - x[0]).slice(0, 3);
  find("#attended").textContent = weights.length === 0 && tokens.length > 0
    ? `Attention is shown for prompts of up to ${longest} tokens; this one has ${tokens.length}.`
    : most.length === 0 ? "" : `“${spelled(tokens[at])}” attends most to ` + most.map(([weight, i]) => `“${spelled(tokens[i])}” ${percent(weight)}`).join(", ") + ".";
  find("#weights").replaceChildren(weights.length === 0 ? "" : table("Row: the token that looks; column: what it looks at; percent",
    ["", ...tokens.map((text, i) => `${i} ${spelled(text)}`)],
    weights.map((seen, i) => [`${i} ${spelled(tokens[i])}`, ...seen.map((weight) => (100 * weight).toFixed(0))])));
}

function choose(i) {
  position = i - tokens.length;
  ribbon();
  find("#tokens").children[i].focus();
  return look();
}

async function look() {
  knobs();
  flight?.abort();
  const mine = flight = new AbortController();
  for (const kind in places) dim(kind, true);
  const { request, voice: who } = asked();
  if (!request) return fault("Write a request first.");
  // A place in one prompt is none in another.
  if (looked !== who + "\n" + request) position = -1;
  looked = who + "\n" + request;
  await guarded(() => stream("inside", asked(), (event) => {
    if (flight !== mine) return;
    told[event.kind](event);
    dim(event.kind, false);
  }, mine.signal));
}

const takePrompts = () => { prompts = { unsafe: lines("#unsafe"), benign: lines("#benign") }; };
choices(find("#at"), state.layers, Math.min(2, state.layers));
choices(find("#layer"), state.layers - 1, state.layers - 1);
choices(find("#head"), state.heads - 1, 0);
find("#layers").append(...Array.from({ length: state.layers }, (_, i) => make("label", { className: "check" },
  make("input", { type: "checkbox", value: String(i), checked: true }), ` ${i}`)));
find("#ask").addEventListener("submit", (event) => { event.preventDefault(); look(); });
find("#take").addEventListener("click", () => { takePrompts(); look(); });
find("#tokens").addEventListener("keydown", (event) => {
  const at = tokens.length + position;
  const next = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: tokens.length - 1 }[event.key];
  if (next !== undefined && tokens[next] !== undefined) { event.preventDefault(); choose(next); }
});
for (const knob of all("#scale, #rank, #times")) knob.addEventListener("input", look);
for (const knob of all("#voice, #change, #at, #layer, #head, #linears input, #layers input")) knob.addEventListener("change", look);
begin(() => { takePrompts(); look(); });
