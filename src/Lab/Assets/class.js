"use strict";
import { fault, find, guarded, make, percent, post, stream, waits } from "./lab.js";

const mostBytes = 1024, mostRows = 60;
const handed = new Map();
let flight = null, saved = null, judging = null;
const rate = (i) => i.low === null ? (i.value === null ? "–" : percent(i.value, 1)) : `${percent(i.value, 1)} [${percent(i.low, 1)} – ${percent(i.high, 1)}]`;
const count = (n, what) => `${n} ${what}${n === 1 ? "" : "s"}`;

function show(event) {
  if (event.kind === "waiting") {
    find("#told").textContent = waits;
  } else if (event.kind === "progress") {
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
  find("#save").textContent = saved === null ? "Save the file" : `Save ${saved.name}`;
}

find("#train").addEventListener("submit", async (event) => {
  event.preventDefault();
  const before = saved;
  flight = new AbortController();
  buttons();
  find("#told").textContent = "Preparing rows …";
  await guarded(() => stream("class-run", { seed: Number(event.target.elements.seed.value) }, show, flight.signal));
  if (saved === before) {
    find("#progress").value = 0;
    find("#told").textContent = (flight.signal.aborted ? "Stopped" : "Ended") + " before it had a result"
      + (before === null ? "." : `; ${before.name} of before can still be saved.`);
  }
  flight = null;
  buttons();
  if (saved !== before) find("#save").focus();
});
find("#stop").addEventListener("click", () => flight?.abort());
find("#save").addEventListener("click", () => {
  const link = make("a", { href: URL.createObjectURL(new Blob([saved.text], { type: "application/json" })), download: saved.name });
  link.click();
  URL.revokeObjectURL(link.href);
  saved.kept = true;
});
// Minutes of training are not lost by a slip: the browser asks before the page is left.
addEventListener("beforeunload", (event) => { if (flight || (saved && !saved.kept)) event.preventDefault(); });

function figure(metric) {
  const shown = metric.students.slice(0, mostRows);
  const more = metric.students.length - shown.length;
  const valid = metric.students.filter((s) => s.rate.value !== null).length;
  return make("figure", { className: "class-figure" },
    make("figcaption", { text: `${metric.title}, ${metric.arm}: mean ${rate(metric.mean)} over ${count(valid, "seed")}`
      + (valid < metric.students.length ? `; ${metric.students.length - valid} without a valid answer left out` : "")
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
    make("p", { className: "finding", text: `${count(told.files, "file")}: ${told.students} count, ${refused} left out.` }),
    told.known.length === 0 ? null : make("p", { className: "note", text: `No new evidence: ${count(told.known.length, "seed")} `
      + `(${told.known.join(", ")}) of the published study, known when the claims were put.` }),
    refused === 0 ? null : make("details", { open: refused <= 10 }, make("summary", { text: "Left out, and why" }),
      make("ul", {}, ...told.refused.map((r) => make("li", { text: `${r.file}: ${r.reason}` }))))));
  find("#judged").replaceChildren(make("ul", { className: "claims" }, ...told.claims.map((c) => make("li", {},
    make("b", { text: `${c.mark} ${c.verdict}: ` }),
    `${c.statement} ${c.difference} points${c.confidence === null ? "" : `, ${percent(c.confidence)} limits`}; ${c.note}.`))));
  find("#figures").replaceChildren(...told.metrics.map(figure));
}

function empty() {
  for (const place of ["#refused", "#judged", "#figures"]) find(place).replaceChildren();
  find("#anew").disabled = handed.size === 0;
}

/** What is too large is named and not read; so is what cannot be read, such as a folder. */
const read = async (file) => ({
  name: file.name, bytes: file.size, text: file.size > mostBytes ? null : await file.text().catch(() => null),
});

/** Files add up as they come, one by one or many at once; one that comes again as it was is the same file. */
async function hand(files) {
  if (files.length === 0) return fault("No file came with that; drop or choose the files that the students saved.");
  for (const file of await Promise.all(files.map(read))) handed.set(JSON.stringify(file), file);
  judging?.abort();
  const mine = judging = new AbortController();
  empty();
  const told = await guarded(() => post("class-judge", { files: [...handed.values()] }, mine.signal));
  if (told && judging === mine) judged(told);
}

find("#files").addEventListener("change", (event) => {
  const files = [...event.target.files];
  event.target.value = ""; // the same names can be chosen again
  if (files.length > 0) hand(files);
});
find("#anew").addEventListener("click", () => {
  judging?.abort();
  handed.clear();
  fault(null);
  empty();
});
// The whole page takes a drop: beside a target, the browser would leave the page for the file.
addEventListener("dragover", (event) => event.preventDefault());
addEventListener("drop", (event) => {
  event.preventDefault();
  hand([...event.dataTransfer.files]);
});
