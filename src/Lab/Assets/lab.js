"use strict";
// What all rooms share: asking the server, making elements, the view. Text is always set as text, never as markup.

export const find = (selector, from = document) => from.querySelector(selector);
export const all = (selector, from = document) => [...from.querySelectorAll(selector)];

/** An element with properties, data-* and aria-* attributes by their names, and children: texts or elements. */
export function make(tag, properties = {}, ...children) {
  const element = tag === "svg" || tag.startsWith("svg:")
    ? document.createElementNS("http://www.w3.org/2000/svg", tag.replace("svg:", ""))
    : document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name.startsWith("--")) element.style.setProperty(name, value);
    else if (name === "text") element.textContent = value;
    else if (element instanceof SVGElement || name.includes("-") || name === "role") element.setAttribute(name, value);
    else element[name] = value;
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

/** What an event says of a computation that waits: one runs at a time. */
export const waits = "Another training runs, or is paused, in another tab; this one begins when that one has ended.";

/** Begins a room once the browser has put back what was set before: on the way back it does so after scripts ran. */
export const begin = (work) => addEventListener("pageshow", () => setTimeout(work), { once: true });

export function fault(message) {
  const place = find("#fault");
  place.textContent = message ?? "";
  place.hidden = !message;
}

async function ask(path, body, signal) {
  const response = await fetch("api/" + path, {
    method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body), signal,
  });
  if (response.ok) return response;
  const told = await response.json().catch(() => null);
  throw new Error(told?.error?.message ?? "The lab answered " + response.status + ".");
}

/** Asks and gives the answer's JSON. */
export const post = async (path, body, signal) => (await ask(path, body, signal)).json();

/** Asks and gives the answer as it stands. */
export const fetchText = async (path, body) => (await ask(path, body)).text();

/** Asks and gives every server-sent event to onEvent, until the stream ends. */
export async function stream(path, body, onEvent, signal) {
  const response = await ask(path, body, signal);
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let open = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    open += value;
    const parts = open.split("\n\n");
    open = parts.pop();
    for (const part of parts) {
      const event = JSON.parse(part.replace(/^data: /, ""));
      if (event.error) throw new Error(event.error.message);
      onEvent(event);
    }
  }
}

/** Runs work and shows its fault; a request that was taken back is none. */
export async function guarded(work) {
  try {
    fault(null);
    return await work();
  } catch (error) {
    if (error.name !== "AbortError") {
      fault(error instanceof TypeError
        ? "The lab does not answer. Is the program still running? Its terminal prints the address to open." : error.message);
    }
    return undefined;
  }
}

export const percent = (share, digits = 0) => (100 * share).toFixed(digits) + "%";

const kept = {
  get(name) { try { return localStorage.getItem("lab-" + name); } catch { return null; } },
  set(name, value) { try { localStorage.setItem("lab-" + name, value); } catch { /* the view is not kept */ } },
};

const sizes = ["1", "1.25", "1.5"];
function view() {
  const size = kept.get("size") ?? sizes[0];
  const scheme = kept.get("scheme") ?? "auto";
  document.documentElement.style.setProperty("--size", size);
  document.documentElement.dataset.scheme = scheme;
  find("#size").textContent = "Aa ×" + size;
  find("#scheme").textContent = { auto: "◐ auto", light: "○ light", dark: "● dark" }[scheme];
}
find("#size").addEventListener("click", () => {
  kept.set("size", sizes[(sizes.indexOf(kept.get("size") ?? sizes[0]) + 1) % sizes.length]);
  view();
});
find("#scheme").addEventListener("click", () => {
  const schemes = ["auto", "light", "dark"];
  kept.set("scheme", schemes[(schemes.indexOf(kept.get("scheme") ?? "auto") + 1) % 3]);
  view();
});
view();
