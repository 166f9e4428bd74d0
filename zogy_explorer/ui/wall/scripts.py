"""The few lines of JavaScript of the wall: what a browser does without asking the server."""

from __future__ import annotations

READOUT = r"""
// Runs on mousemove, mouseleave, tap and doubletap of every panel, and when exact values arrive.
// All changes are {sync: false}: the server hears nothing until the cursor rests.
const quiet = {sync: false};
const state = readout.zogy ?? (readout.zogy = {n: 0, timer: 0, drawn: ""});
const entities = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;"};
const esc = (s) => String(s).replace(/[&<>"]/g, (c) => entities[c]);
const span = (kind, html) => `<span class="${kind}">${html}</span>`;
const about = "<i>≈</i> ";

function number(v) {
  if (v == null || Number.isNaN(v)) return "–";
  const a = Math.abs(v);
  const s = a !== 0 && (a >= 1e5 || a < 1e-3) ? v.toExponential(2) : v.toPrecision(3);
  return s.replace("-", "−");
}

function level(source, x, y) {
  const d = source.data, image = d.image[0], [h, w] = image.shape;
  const i = Math.floor((x - d.x[0]) / d.dw[0] * w), j = Math.floor((y - d.y[0]) / d.dh[0] * h);
  return i < 0 || j < 0 || i >= w || j >= h ? 0 : image[j * w + i];
}

function sixty(value, digits) {
  const unit = 10 ** digits;
  let n = Math.round(value * 3600 * unit);
  const s = n % (60 * unit); n = (n - s) / (60 * unit);
  const m = n % 60, h = (n - m) / 60, pad = (v, k) => v.toString().padStart(k, "0");
  return `${pad(h, 2)}:${pad(m, 2)}:${(s / unit).toFixed(digits).padStart(3 + digits, "0")}`;
}

function sky(x, y) {
  const w = meta.data.wcs[0];
  if (!w || w.length < 8) return "";
  const [x0, y0, ra0, dec0, a, b, c, d] = w, rad = Math.PI / 180;
  const xi = a * (x - x0) + b * (y - y0), eta = c * (x - x0) + d * (y - y0);
  const cd = Math.cos(dec0 * rad), sd = Math.sin(dec0 * rad), below = cd - eta * sd;
  const ra = ((ra0 + Math.atan2(xi, below) / rad) % 360 + 360) % 360;
  const dec = Math.atan2(sd + eta * cd, Math.hypot(xi, below)) / rad;
  return `${sixty(ra / 15, 3)} ${dec < 0 ? "−" : "+"}${sixty(Math.abs(dec), 2)}`;
}

function cellAt(x, y) {
  const d = cells.data;
  for (let i = 0; i < d.name.length; i++)
    if (x >= d.inner_left[i] && x < d.inner_right[i] &&
        y >= d.inner_bottom[i] && y < d.inner_top[i])
      return {name: d.name[i], worst: d.worst[i], flags: d.flags[i]};
  return null;
}

function draw(x, y, exact) {
  const at = exact?.sky || sky(x, y), cell = cellAt(x, y), values = [];
  const place = [
    span("pos", `<i>x</i> ${Math.round(x)} <i>y</i> ${Math.round(y)}`.replaceAll("-", "−")),
    at ? span("sky", (exact ? "" : about) + at) : "",
    span("cell", cell === null ? "" : `<i>cell</i> ${esc(cell.name)} ` +
      `<b class="${esc(cell.worst)}">${esc(cell.flags || cell.worst)}</b>`),
  ];
  let planes = "";
  sources.forEach((source, k) => {
    const v = level(source, x, y), {table, names} = source.data;
    if (kinds[k] === "mask") planes = exact ? exact.values[k] : names[0][v] ?? "";
    else values.push(span("value", `<i>${esc(labels[k])}</i> ` +
      (exact ? esc(exact.values[k]) : v ? about + number(table[0][v]) : "–")));
  });
  values.push(span("planes", esc(planes)));
  const html = `<div class="row">${place.join("")}</div><div class="row">${values.join("")}</div>`;
  const text = esc(html);  // the model takes escaped HTML
  if (text !== state.drawn) readout.setv({text: state.drawn = text}, quiet);
}

function ask(x, y) {
  clearTimeout(state.timer);
  probe.data = {x: [x], y: [y], n: [state.n]};
}

const name = cb_obj.event_name;
if (name === undefined) {
  const d = exact.data;
  if (d.n.length && d.n[0] === state.n && state.at)
    draw(state.at[0], state.at[1], {sky: d.sky[0], values: d.values[0]});
} else if (name === "mouseleave") {
  clearTimeout(state.timer);
  state.n += 1;
  state.at = null;
  for (const span of spans) span.setv({visible: false}, quiet);
  readout.setv({text: state.drawn = ""}, quiet);
} else {
  const {x, y} = cb_obj;
  if (x == null || y == null || !Number.isFinite(x + y)) return;
  state.n += 1;
  state.at = [x, y];
  for (const span of spans)
    span.setv({location: span.dimension === "width" ? y : x, visible: true}, quiet);
  draw(x, y, null);
  if (name === "mousemove") {
    clearTimeout(state.timer);
    state.timer = setTimeout(() => ask(x, y), rest_ms);
  } else ask(x, y);
}
"""

OUTLINE = r"""
// Runs on tap and doubletap of every panel: outlines the cell there. The server hears of the tap
// as well, and writes the same.
const {x, y} = cb_obj, d = cells.data;
const inside = (i) => x >= d.inner_left[i] && x < d.inner_right[i] &&
                      y >= d.inner_bottom[i] && y < d.inner_top[i];
let i = 0;
while (i < d.name.length && !inside(i)) i += 1;
if (i < d.name.length) {
  const edges = (side) => selection.data.kind.map((kind) => d[`${kind}_${side}`][i]);
  const sides = Object.fromEntries(
    ["left", "bottom", "right", "top"].map((side) => [side, edges(side)]));
  selection.setv({data: {...selection.data, ...sides}}, {sync: false});
}
"""
