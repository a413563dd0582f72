"use strict";
import { make } from "./lab.js";

const width = 480, height = 240, left = 46, right = 12, top = 10, bottom = 34;

/** A line chart. x and y are [least, most]; a series is { name, points: [[x, y]], marks }. */
export function chart({ title, x, y, xTicks, yTicks, xLabel, series }) {
  const atX = (value) => left + (value - x[0]) / (x[1] - x[0] || 1) * (width - left - right);
  const atY = (value) => height - bottom - (value - y[0]) / (y[1] - y[0] || 1) * (height - top - bottom);
  const svg = make("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", class: "plot", "aria-label": title });
  for (const [value, text] of yTicks) {
    svg.append(make("svg:line", { x1: left, x2: width - right, y1: atY(value), y2: atY(value), class: "grid" }),
      make("svg:text", { x: left - 6, y: atY(value) + 4, class: "tick end" }, text));
  }
  for (const [value, text] of xTicks) svg.append(make("svg:text", { x: atX(value), y: height - bottom + 16, class: "tick mid" }, text));
  svg.append(make("svg:text", { x: (left + width - right) / 2, y: height - 3, class: "tick mid" }, xLabel));
  for (const { name, points, marks } of series) {
    if (points.length === 0) continue;
    svg.append(make("svg:polyline", { points: points.map((p) => `${atX(p[0])},${atY(p[1])}`).join(" "), class: "line " + name }));
    if (marks) for (const p of points) svg.append(make("svg:circle", { cx: atX(p[0]), cy: atY(p[1]), r: 4.5, class: "mark " + name }));
  }
  return svg;
}
