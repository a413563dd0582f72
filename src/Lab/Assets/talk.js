"use strict";
import { all, begin, fault, find, guarded, make, percent, post, stream } from "./lab.js";

let state = JSON.parse(find("#state").textContent);
const sides = all(".side").map((element, number) => ({
  element, number, flight: null,
  voice: find(".voice", element), range: find("input[type=range]", element), scale: find(".scale", element),
  answer: find(".answer", element), outcome: find(".outcome", element), top: find(".top5", element),
}));

function knobs(side) {
  const adapted = state.adapted[state.voices.indexOf(side.voice.value)];
  side.range.disabled = !adapted;
  side.scale.classList.toggle("idle", !adapted);
  find("output", side.scale).textContent = adapted ? Number(side.range.value).toFixed(2) : "no adapter";
}

/** An answer is dim until it is that of the last change. */
const dim = (side, stale) => { for (const place of [side.answer, side.outcome, side.top]) place.classList.toggle("stale", stale); };

function show(side, event) {
  if (event.kind === "begin") {
    dim(side, false);
    side.answer.replaceChildren();
    side.top.replaceChildren();
    side.outcome.textContent = "…";
  } else if (event.kind === "token") {
    const first = side.answer.childElementCount === 0;
    const token = make("button", {
      type: "button", className: event.is_end ? "token end" : "token", text: event.is_end ? "⏎ end" : event.text,
      "aria-label": (event.is_end ? "end of answer" : event.text.trim()) + ", " + percent(event.p, 1),
      tabIndex: first ? 0 : -1, "--p": String(event.p), "data-p": event.p.toFixed(3), onclick: () => five(side, token, event),
    });
    side.answer.append(token);
  } else if (event.kind === "end") {
    side.outcome.replaceChildren(
      make("span", { className: "verdict " + event.behavior.replaceAll(" ", "-"), text: event.behavior }),
      ` ${event.judge} · ${side.answer.childElementCount} tokens in ${event.seconds.toFixed(2)} s`
        + (event.is_cut ? " · cut at the limit" : ""));
  }
}

function five(side, token, event) {
  for (const other of all(".token", side.answer)) {
    other.classList.toggle("chosen", other === token);
    other.tabIndex = other === token ? 0 : -1;
  }
  token.focus();
  const spelled = (text) => text.replaceAll(" ", "␣").replaceAll("\n", "⏎");
  side.top.replaceChildren(make("table", {},
    make("caption", { text: `The likeliest in place ${all(".token", side.answer).indexOf(token) + 1}` }),
    make("tbody", {}, ...event.top.map((likely) => make("tr", {},
      make("th", { scope: "row", text: spelled(likely.text) }),
      make("td", {}, make("span", { className: "bar", "--p": String(likely.p) })),
      make("td", { className: "number", text: percent(likely.p, likely.p > 0.001 ? 1 : 3) }))))));
}

async function talk(some) {
  const request = find("#request").value.trim();
  for (const side of some) side.flight?.abort();
  const flight = new AbortController();
  for (const side of some) { side.flight = flight; knobs(side); dim(side, true); }
  if (!request) return fault("Write a request first.");
  await guarded(() => stream("talk", {
    request, opening: state.opening,
    sides: some.map((side) => ({ number: side.number, voice: side.voice.value, scale: Number(side.range.value) })),
  }, (event) => { if (sides[event.side].flight === flight) show(sides[event.side], event); }, flight.signal));
}

find("#ask").addEventListener("submit", (event) => { event.preventDefault(); talk(sides); });
for (const chip of all(".chip")) {
  chip.addEventListener("click", () => { find("#request").value = chip.dataset.request; talk(sides); });
}
for (const side of sides) {
  side.range.addEventListener("input", () => talk([side]));
  side.voice.addEventListener("change", () => { side.range.value = "1"; talk([side]); });
  side.answer.addEventListener("keydown", (event) => {
    const tokens = all(".token", side.answer);
    const at = tokens.indexOf(document.activeElement);
    const next = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: tokens.length - 1 }[event.key];
    if (at >= 0 && next !== undefined && tokens[next]) { event.preventDefault(); tokens[next].click(); }
  });
}
find("#open").addEventListener("submit", async (event) => {
  event.preventDefault();
  const form = event.target.elements;
  const opened = await guarded(() => post("open", {
    model: form.model.value.trim(),
    adapters: form.adapters.value.split("\n").map((line) => line.trim()).filter((line) => line),
  }));
  if (!opened) return;
  state = opened;
  find("#opened").replaceChildren(...state.notes.map((note) => make("li", { text: note })));
  sides.forEach((side, i) => {
    side.voice.replaceChildren(...state.voices.map((voice) => make("option", { text: voice })));
    side.voice.selectedIndex = Math.max(0, state.voices.length - 2 + i);
    side.range.value = "1";
  });
  talk(sides);
});
begin(() => talk(sides));
