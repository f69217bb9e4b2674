// EXPLAIN as a picture: operators as boxes, the result on top, rows flowing up; how long each took by itself; and of scans,
// what the indexes left out.
import { svg } from "./chart.js";
import { count, short, bytes } from "./http.js";

const wide = 244, gapX = 22, gapY = 26;
const units = { s: 1000, ms: 1, "µs": 1e-3, ns: 1e-6, m: 60000, h: 3600000 };
const note = /^(Prunes by|Reads \d|Dropped by|Read )/;

// isPlan tells whether an answer is one that can be drawn.
export const isPlan = (sql, meta) => meta.length === 1 && meta[0].name === "explain" && /^\s*EXPLAIN\b(?!\s+(AST|SYNTAX|ESTIMATE|QUERY)\b)/i.test(sql);

// parse reads the lines of EXPLAIN: {roots: [operator], result}. An operator is {title, detail, rows, bytes, time, self, scan, notes, inputs}.
export function parse(lines) {
  const roots = [], path = [];
  let result = "";
  for (const line of lines) {
    const text = line.trim(), depth = (line.length - line.trimStart().length) / 2;
    if (text === "") continue;
    if (depth === 0 && text.startsWith("Result: ")) { result = text.slice(8); continue; }
    path.length = Math.min(path.length, depth);
    const parent = path.at(-1);
    if (parent && note.test(text)) { remark(parent, text); continue; }
    const op = operator(text);
    (parent ? parent.inputs : roots).push(op);
    path.push(op);
  }
  for (const r of roots) own(r);
  return { roots, result };
}

function operator(text) {
  const m = /^(.*?)(?: \((\d+) rows, \d+ blocks, (\d+) bytes, ([^()]*)\))?$/.exec(text);
  const head = /^(?:[A-Z]\w*(?= (?:offset|\S))|\S+)/.exec(m[1])[0];
  return { title: head, detail: m[1].slice(head.length).trim(), rows: m[2] === undefined ? null : Number(m[2]), bytes: Number(m[3] || 0),
    time: m[4] === undefined ? null : duration(m[4]), notes: [], scan: null, inputs: [] };
}

function remark(op, text) {
  const reads = /^Reads (\d+)\/(\d+) segments, (\d+)\/(\d+) granules, (\d+)\/(\d+) rows/.exec(text);
  const dropped = /^Dropped by (\S+): (\d+) segments, (\d+) granules, (\d+) rows/.exec(text);
  op.scan ||= { rows: 0, total: 0, granules: 0, allGranules: 0, dropped: [] };
  if (reads) [op.scan.granules, op.scan.allGranules, op.scan.rows, op.scan.total] = reads.slice(3).map(Number);
  else if (dropped) { if (Number(dropped[4]) > 0) op.scan.dropped.push({ index: dropped[1], granules: Number(dropped[3]), rows: Number(dropped[4]) }); }
  op.notes.push(text);
}

// duration reads what Go prints: 1m2.5s, 961µs; in milliseconds.
function duration(text) {
  let ms = 0;
  for (const m of text.matchAll(/([\d.]+)(h|ms|m|µs|ns|s)/g)) ms += Number(m[1]) * units[m[2]];
  return ms;
}

// own finds what an operator took without its inputs: those that ran beside it may have taken longer.
function own(op) {
  op.inputs.forEach(own);
  if (op.time !== null) op.self = Math.max(0, op.time - op.inputs.reduce((a, i) => a + (i.time || 0), 0));
}

export function draw(box, lines) {
  const plan = parse(lines), all = [];
  const each = (op, depth) => { op.depth = depth; all.push(op); op.inputs.forEach(i => each(i, depth + 1)); };
  plan.roots.sort((a, b) => (a.title === "Set") - (b.title === "Set")).forEach(r => each(r, 0));
  const longest = Math.max(...all.map(o => o.self || 0), 1e-9);
  const canvas = document.createElement("div"), edges = svg("svg", { "aria-hidden": "true" });
  canvas.className = "plan";
  canvas.append(edges);
  for (const op of all) { op.box = node(op, longest); canvas.append(op.box); }
  const head = document.createElement("p");
  head.className = "dim";
  head.textContent = plan.result || "Planned, not run: EXPLAIN ANALYZE shows rows and times";
  box.replaceChildren(head, canvas);
  place(plan.roots, all, canvas, edges);
}

function node(op, longest) {
  const box = el("div", "op"), title = el("b", "", op.title), foot = el("div", "foot");
  box.tabIndex = 0;
  box.setAttribute("role", "group");
  box.title = [`${op.title} ${op.detail}`, ...op.notes].join("\n");
  if (op.self >= longest * 0.3 && longest > 0.01) box.classList.add("slow");
  box.append(title, el("div", "what", op.detail));
  if (op.scan?.total) box.append(spared(op.scan));
  if (op.rows !== null) {
    foot.append(el("span", "", `${short(op.rows)} rows`), el("span", "", bytes(op.bytes)), el("span", "", time(op.self)));
    const bar = el("i", "bar");
    bar.style.width = `${Math.max(0.5, (op.self || 0) / longest * 100)}%`;
    box.append(foot, bar);
  }
  return box;
}

// spared shows which share of a table's rows each index left out, and which was read.
function spared(scan) {
  const box = el("div", "spared"), strip = el("div", "strip");
  const part = (name, rows, text) => {
    if (rows <= 0) return;
    const i = el("i", name);
    i.style.flexGrow = rows;
    i.title = text;
    strip.append(i);
  };
  part("read", scan.rows, `read ${count(scan.rows)} rows, ${count(scan.granules)} granules`);
  for (const d of scan.dropped) part("dropped", d.rows, `dropped by ${d.index}: ${count(d.rows)} rows, ${count(d.granules)} granules`);
  const words = scan.allGranules ? `${count(scan.granules)} of ${count(scan.allGranules)} granules read` : `${short(scan.rows)} of ${short(scan.total)} rows read`;
  box.append(strip, el("small", "", [words, ...scan.dropped.map(d => `${d.index} −${count(d.granules)}`)].join(" · ")));
  return box;
}

const time = ms => ms === null || ms === undefined ? "" : ms >= 1000 ? `${(ms / 1000).toPrecision(3)} s` : ms >= 1 ? `${ms.toPrecision(3)} ms` : `${Math.round(ms * 1000)} µs`;

// place sets boxes of a depth in a row, parents over the middle of their inputs, and draws the edges.
function place(roots, all, canvas, edges) {
  let right = 0;
  const across = op => {
    if (op.inputs.length) { op.inputs.forEach(across); op.x = (op.inputs[0].x + op.inputs.at(-1).x) / 2; } else { op.x = right; right += wide + gapX; }
  };
  roots.forEach(across);
  const heights = [];
  for (const op of all) heights[op.depth] = Math.max(heights[op.depth] || 0, op.box.offsetHeight);
  const tops = [];
  heights.reduce((y, h, i) => { tops[i] = y; return y + h + gapY; }, 4);
  for (const op of all) { op.y = tops[op.depth]; op.box.style.left = `${op.x}px`; op.box.style.top = `${op.y}px`; }
  const width = Math.max(right, wide), height = tops.at(-1) + heights.at(-1) + 12;
  canvas.style.width = `${width}px`;
  canvas.style.height = `${height}px`;
  edges.setAttribute("width", width);
  edges.setAttribute("height", height);
  for (const op of all) for (const i of op.inputs) edge(edges, i, op);
}

function edge(edges, from, to) {
  const x1 = from.x + wide / 2, y1 = from.y, x2 = to.x + wide / 2, y2 = to.y + to.box.offsetHeight, mid = y1 - gapY / 2;
  edges.append(svg("path", { class: "edge", "stroke-width": from.rows ? 1 + Math.log10(from.rows) * 0.7 : 1, d: `M${x1} ${y1}V${mid}H${x2}V${y2}` }));
}

function el(tag, name, text) {
  const e = document.createElement(tag);
  if (name) e.className = name;
  if (text !== undefined) e.textContent = text;
  return e;
}
