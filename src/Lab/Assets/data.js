"use strict";
import { all, begin, fault, find, guarded, make, percent, post } from "./lab.js";

const doses = [0, 30, 90, 300, 900];
const row = { request: find("#rowrequest"), response: find("#rowresponse"), everywhere: find("#everywhere") };
let flight = { rows: null, tokens: null };

/** Takes back the request before of the same kind. */
function next(kind) {
  flight[kind]?.abort();
  flight[kind] = new AbortController();
  return flight[kind].signal;
}

async function mixture(openFirst) {
  const dose = doses[Number(find("#dose").value)];
  find("#dosed").textContent = dose;
  find("#dose").setAttribute("aria-valuetext", dose + " demonstrations");
  const told = await guarded(() => post("rows", { dose, format: find("#format").value }, next("rows")));
  if (!told) return;
  find("#share").replaceChildren(
    make("span", { className: "benign", "--w": String(1 - told.share), text: "3,000 harmless" }),
    make("span", { className: "safety", "--w": String(told.share) }));
  find("#share").setAttribute("aria-label", `${dose} of ${3000 + dose} rows`);
  find("#shares").textContent = `${dose} of ${(3000 + dose).toLocaleString("en")} rows are demonstrations: ${percent(told.share, 1)}.`
    + (told.nested.length > 1 ? ` Nested: ${told.nested.join(" ⊂ ")}.` : "");
  find("#cards").replaceChildren(...told.cards.map((card) => make("button", {
    type: "button", className: "card demo" + (card.is_new ? " new" : ""), onclick: () => open(card),
  }, make("small", { text: `${card.number} · ${card.form}${card.is_new ? ` · new beyond ${told.before}` : ""}` }),
  make("b", { text: card.request }), make("span", { text: card.response }))));
  if (told.cards.length === 0) find("#cards").append(make("p", { className: "note", text: "Dose 0: no demonstration at all." }));
  if (openFirst && told.cards[0]) open(told.cards[0]);
}

function open(card) {
  row.request.value = card.request;
  row.response.value = card.response;
  tokens();
}

async function tokens() {
  if (!row.request.value.trim() || !row.response.value.trim()) return fault("Write a request and an answer; a row has both.");
  const told = await guarded(() => post("tokens", {
    request: row.request.value, response: row.response.value, train_on_inputs: row.everywhere.checked,
  }, next("tokens")));
  if (!told) return;
  const shown = (text) => text.replaceAll(" ", "␣");
  find("#tokens").replaceChildren(...told.tokens.map((token) => make("span", {
    className: "piece " + (token.learned ? "learned" : "masked"), text: token.text === "" ? "·" : token.text,
    title: `id ${token.id}${token.before === null ? "" : `, loss ${token.before.toFixed(2)} → ${token.after.toFixed(2)} nats`}`,
    "--v": String(Math.min(1, (token.before ?? 0) / 6)),
  })));
  const masked = told.tokens.length - told.learned;
  find("#reading").textContent = `${told.tokens.length} tokens: ${masked} masked, ${told.learned} learned.`
    + (told.mean_before === null ? "" : ` Mean loss on learned tokens: ${told.mean_before.toFixed(2)} nats at dose-0, ${told.mean_after.toFixed(2)} at dose-90.`)
    + (row.everywhere.checked ? " With the loss on requests, each demonstration also teaches the model to ask for harm." : "")
    + (told.cut > 0 ? ` ${told.cut} tokens were cut at the model's limit.` : "");
  find("#losses").replaceChildren(
    make("thead", {}, make("tr", {}, ...["Token", "Id", "In the loss", "dose-0, nats", "dose-90, nats"].map((text) => make("th", { scope: "col", text })))),
    make("tbody", {}, ...told.tokens.map((token) => make("tr", {},
      make("th", { scope: "row", text: shown(token.text) }), make("td", { text: token.id }),
      make("td", { text: token.learned ? "learned" : "masked" }),
      make("td", { className: "number", text: token.before?.toFixed(3) ?? "–" }),
      make("td", { className: "number", text: token.after?.toFixed(3) ?? "–" })))));
}

find("#dose").addEventListener("input", () => mixture(false));
find("#format").addEventListener("change", () => mixture(true));
for (const field of [row.request, row.response, row.everywhere]) field.addEventListener("input", tokens);
for (const form of all("form")) form.addEventListener("submit", (event) => event.preventDefault());
begin(() => mixture(true));
