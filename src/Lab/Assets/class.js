"use strict";
import { find, guarded, make, percent, post, stream } from "./lab.js";

const mostBytes = 1024, mostRows = 60;
let flight = null, saved = null;
const rate = (i) => i.low === null ? (i.value === null ? "–" : percent(i.value, 1)) : `${percent(i.value, 1)} [${percent(i.low, 1)} – ${percent(i.high, 1)}]`;

function show(event) {
  if (event.kind === "progress") {
    find("#progress").value = event.total ? event.done / event.total : 0;
    find("#told").textContent = `${event.arm}: ${event.stage}, ${event.done} of ${event.total}.`;
  } else {
    saved = event;
    find("#told").textContent = `${event.name} is ready: ${new Blob([event.text]).size} bytes. Save it and hand it in.`;
  }
}

function buttons() {
  find("#train button[type=submit]").disabled = flight !== null;
  find("#stop").disabled = flight === null;
  find("#save").disabled = saved === null;
}

find("#train").addEventListener("submit", async (event) => {
  event.preventDefault();
  [flight, saved] = [new AbortController(), null];
  buttons();
  find("#told").textContent = "Preparing rows …";
  await guarded(() => stream("class-run", { seed: Number(event.target.elements.seed.value) }, show, flight.signal));
  if (!saved) find("#told").textContent = "Stopped; nothing was saved.";
  flight = null;
  buttons();
  if (saved) find("#save").focus();
});
find("#stop").addEventListener("click", () => flight?.abort());
find("#save").addEventListener("click", () => {
  const link = make("a", { href: URL.createObjectURL(new Blob([saved.text], { type: "application/json" })), download: saved.name });
  link.click();
  URL.revokeObjectURL(link.href);
});

function figure(metric) {
  const shown = metric.students.slice(0, mostRows);
  const more = metric.students.length - shown.length;
  return make("figure", { className: "class-figure" },
    make("figcaption", { text: `${metric.title}, ${metric.arm}: mean ${rate(metric.mean)} over ${metric.students.length} seeds`
      + (metric.invalid ? `; ${metric.invalid} invalid answers left out` : "") }),
    make("div", { className: "intervals", role: "img", "aria-label": shown.map((s) => `seed ${s.seed}: ${rate(s.rate)}`).join("; ") },
      metric.mean.value === null ? null : make("span", { className: "truth", "--x": String(metric.mean.value) }),
      ...shown.map((s) => make("span", { className: "interval-row", title: `seed ${s.seed}: ${s.yes} of ${s.answers}` },
        ...(s.rate.value === null ? [] : [
          make("span", { className: "whisker", "--x": String(s.rate.low), "--w": String(s.rate.high - s.rate.low) }),
          make("span", { className: "dot", "--x": String(s.rate.value) })])))),
    make("div", { className: "axis" }, ...["0%", "25%", "50%", "75%", "100%"].map((text) => make("span", { text }))),
    more > 0 ? make("p", { className: "note", text: `${more} more students count in the mean and are not drawn.` }) : null);
}

function judged(told) {
  const refused = told.refused.length;
  find("#refused").replaceChildren(make("div", {},
    make("p", { className: "finding", text: `${told.files} files: ${told.students} count, ${refused} left out.` }),
    refused === 0 ? null : make("details", { open: refused <= 10 }, make("summary", { text: "Left out, and why" }),
      make("ul", {}, ...told.refused.map((r) => make("li", { text: `${r.file}: ${r.reason}` }))))));
  find("#judged").replaceChildren(make("ul", { className: "claims" }, ...told.claims.map((c) => make("li", {},
    make("b", { text: `${c.mark} ${c.verdict}: ` }), `${c.statement} ${c.difference} points, ${percent(c.confidence)} limits; ${c.note}.`))));
  find("#figures").replaceChildren(...told.metrics.map(figure));
}

/** What is too large is named and not read. */
async function judge(files) {
  if (files.length === 0) return;
  const read = await guarded(() => Promise.all(files.map(async (file) => ({
    name: file.name, bytes: file.size, text: file.size > mostBytes ? null : await file.text(),
  }))));
  for (const place of ["#refused", "#judged", "#figures"]) find(place).replaceChildren();
  const told = read && await guarded(() => post("class-judge", { files: read }));
  if (told) judged(told);
}

find("#files").addEventListener("change", (event) => judge([...event.target.files]));
find("#drop").addEventListener("dragover", (event) => event.preventDefault());
find("#drop").addEventListener("drop", (event) => {
  event.preventDefault();
  judge([...event.dataTransfer.files]);
});
