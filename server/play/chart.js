// A result as a picture: lines over time, bars over names, or the values themselves, as the types of the columns suggest.
import { linear, time, parseTime } from "./scale.js";
import { count, short } from "./http.js";

const maxSeries = 12, maxBars = 200, barHeight = 17;

// suggest chooses kind, x, the columns of y and the column whose values are series; null if there is nothing to draw.
export function suggest(meta, rows) {
  const pick = f => meta.map((c, i) => f(c) ? i : -1).filter(i => i >= 0);
  const numbers = pick(c => c.numeric), times = pick(c => c.time), names = pick(c => /^(String|FixedString|Enum|Bool|UUID|IPv)/.test(c.bare));
  if (!rows.length || !numbers.length) return null;
  if (rows.length === 1) return { kind: "value", x: -1, ys: numbers, series: -1 };
  if (times.length) {
    const distinct = new Set(rows.map(r => r[times[0]])).size;
    const series = names.find(n => distinct < rows.length && new Set(rows.map(r => r[n])).size > 1);
    return series !== undefined ? { kind: "line", x: times[0], ys: numbers.slice(0, 1), series } : { kind: "line", x: times[0], ys: alike(rows, numbers), series: -1 };
  }
  if (names.length) return { kind: "bar", x: names[0], ys: alike(rows, numbers), series: -1 };
  if (numbers.length === 1) return { kind: "line", x: -1, ys: numbers, series: -1 };
  return { kind: "line", x: numbers[0], ys: alike(rows, numbers.slice(1)), series: -1 };
}

// alike keeps those columns that can be read beside the first: of its order of magnitude.
function alike(rows, columns) {
  const top = columns.map(c => rows.reduce((m, r) => Math.max(m, Math.abs(Number(r[c]) || 0)), 0));
  return columns.filter((_, i) => i === 0 || (top[i] <= top[0] * 30 && top[i] >= top[0] / 30)).slice(0, maxSeries);
}

export class Chart {
  constructor(box) {
    this.box = box;
    this.hidden = new Set();
    new ResizeObserver(() => { if (this.meta && !box.hidden) this.draw(); }).observe(box);
  }

  // set takes a result; it returns whether there is something to draw.
  set(meta, rows) {
    this.meta = meta;
    this.rows = rows;
    this.hidden.clear();
    this.is = suggest(meta, rows);
    this.suggested = this.is?.ys || [];
    return this.is !== null;
  }

  draw() {
    const width = Math.floor(this.box.clientWidth), height = Math.floor(this.box.clientHeight);
    if (!this.is || width < 80) return;
    const controls = this.controls(), area = el("div", "area");
    this.box.replaceChildren(controls, area);
    if (this.is.kind === "value") { this.values(area); return; }
    const all = this.series();
    controls.append(this.legend(all));
    const shown = all.filter(s => !this.hidden.has(s.name));
    const size = { width, height: Math.max(140, height - controls.offsetHeight - 8) };
    if (this.is.kind === "bar" && !this.ordered) this.bars(area, shown, size);
    else this.lines(area, shown, size);
  }

  get ordered() { return this.is.x < 0 || this.meta[this.is.x].time || this.meta[this.is.x].numeric; }

  controls() {
    const bar = el("div", "controls"), columns = this.meta.map((c, i) => [String(i), c.name]);
    const choose = (label, value, options, set) => {
      const s = document.createElement("select");
      s.setAttribute("aria-label", label);
      for (const [v, text] of options) s.append(new Option(text, v, false, v === String(value)));
      s.onchange = () => { set(s.value); this.hidden.clear(); this.draw(); };
      bar.append(s);
    };
    choose("Kind", this.is.kind, [["line", "Lines"], ["bar", "Bars"], ["value", "Values"]], v => { this.is.kind = v; });
    if (this.is.kind === "value") return bar;
    choose("Across", this.is.x, [["-1", "x: row"], ...columns.map(([v, n]) => [v, "x: " + n])], v => { this.is.x = Number(v); });
    const numeric = columns.filter((_, i) => this.meta[i].numeric), several = this.suggested.length > 1 ? [["all", `y: ${this.suggested.length} columns`]] : [];
    choose("Up", this.is.ys.length > 1 ? "all" : this.is.ys[0], [...several, ...numeric.map(([v, n]) => [v, "y: " + n])], v => { this.is.ys = v === "all" ? this.suggested : [Number(v)]; });
    choose("A line for each", this.is.series, [["-1", "no series"], ...columns.filter((_, i) => !this.meta[i].numeric).map(([v, n]) => [v, "by " + n])], v => { this.is.series = Number(v); });
    return bar;
  }

  // series are {name, colour, points: [{x, y, text}]} with x as a number, or as the position of a name.
  series() {
    const { x, ys, series } = this.is, c = x < 0 ? null : this.meta[x];
    const across = r => c.time ? parseTime(r[x]) : Number(r[x]);
    const by = new Map();
    this.rows.forEach((r, i) => {
      if (x >= 0 && r[x] === null && this.ordered) return;
      const at = x < 0 || !this.ordered ? i : across(r);
      if (!Number.isFinite(at)) return;
      for (const y of ys) {
        const name = series >= 0 ? (r[series] ?? "NULL") + (ys.length > 1 ? " " + this.meta[y].name : "") : this.meta[y].name;
        if (!by.has(name)) by.set(name, []);
        by.get(name).push({ x: at, y: r[y] === null ? NaN : Number(r[y]), text: x < 0 ? String(i + 1) : r[x] ?? "NULL" });
      }
    });
    const out = [...by].slice(0, maxSeries).map(([name, points], i) => ({ name, colour: "c" + i % 8, points: this.ordered ? points.sort((a, b) => a.x - b.x) : points }));
    this.left = by.size - out.length;
    return out;
  }

  legend(all) {
    const box = el("span", "legend");
    if (all.length < 2) return box;
    for (const s of all) {
      const b = el("button", "key " + s.colour);
      b.append(el("i", ""), s.name);
      b.setAttribute("aria-pressed", !this.hidden.has(s.name));
      b.onclick = () => { if (!this.hidden.delete(s.name)) this.hidden.add(s.name); this.draw(); };
      box.append(b);
    }
    if (this.left > 0) box.append(el("small", "dim", `and ${this.left} more`));
    return box;
  }

  values(area) {
    area.className = "area tiles";
    const row = this.rows[0];
    for (const i of this.is.ys) {
      const tile = el("div", "tile"), v = row[i];
      tile.append(el("small", "dim", this.meta[i].name), el("b", "", v === null ? "NULL" : figure(v)));
      tile.title = v ?? "NULL";
      area.append(tile);
    }
  }

  lines(area, shown, { width, height }) {
    const points = shown.flatMap(s => s.points.filter(p => Number.isFinite(p.y)));
    if (!points.length) { area.append(el("p", "dim", "Nothing to draw")); return; }
    const asBars = this.is.kind === "bar", isTime = this.is.x >= 0 && this.meta[this.is.x].time;
    let [low, high] = extent(points, "y");
    if (asBars || (low > 0 && low < high * 0.6)) low = Math.min(0, low);
    if (asBars) high = Math.max(0, high);
    const box = { top: 12, bottom: height - 26, right: width - 18 };
    const y = linear(low, high, box.bottom, box.top, Math.max(2, height / 48));
    const labels = y.ticks.map(axis(y.ticks));
    box.left = 16 + Math.max(...labels.map(l => l.length)) * 6.6;
    const [first, last] = extent(points, "x"), pad = asBars ? (last - first) / Math.max(1, shown[0].points.length - 1) / 2 || 1 : 0;
    const x = (isTime ? time : linear)(first - pad, last + pad, box.left, box.right, Math.max(2, width / 95));
    const root = svg("svg", { width, height, role: "img", "aria-label": `${asBars ? "Bars" : "Lines"} of ${shown.map(s => s.name).join(", ")}` });
    y.ticks.forEach((t, i) => root.append(svg("line", { class: "grid", x1: box.left, x2: box.right, y1: y.at(t), y2: y.at(t) }), svg("text", { class: "y", x: box.left - 7, y: y.at(t) + 4 }, labels[i])));
    const label = isTime ? x.label : axis(x.ticks);
    for (const t of x.ticks) root.append(svg("line", { class: "tick", x1: x.at(t), x2: x.at(t), y1: box.bottom, y2: box.bottom + 4 }), svg("text", { class: "x", x: x.at(t), y: box.bottom + 17 }, label(t)));
    for (const [i, s] of shown.entries()) {
      if (asBars) root.append(this.columns(s, i, shown.length, x, y, pad));
      else root.append(svg("path", { class: "line " + s.colour, d: path(thin(s.points, x), x, y) }));
      if (!asBars && s.points.length === 1) root.append(svg("circle", { class: "dot " + s.colour, cx: x.at(s.points[0].x), cy: y.at(s.points[0].y), r: 3 }));
    }
    root.append(svg("line", { class: "axis", x1: box.left, x2: box.right, y1: y.at(Math.max(y.from, Math.min(y.to, 0))), y2: y.at(Math.max(y.from, Math.min(y.to, 0))) }));
    area.append(root);
    this.hover(area, root, shown, x, y, box);
  }

  columns(s, i, n, x, y, pad) {
    const wide = Math.max(1, (x.at(pad * 2) - x.at(0)) * 0.8 / n);
    let d = "";
    for (const p of s.points) {
      if (!Number.isFinite(p.y)) continue;
      d += `M${(x.at(p.x) - wide * n / 2 + wide * i).toFixed(1)} ${y.at(0).toFixed(1)}V${y.at(p.y).toFixed(1)}h${wide.toFixed(1)}V${y.at(0).toFixed(1)}z`;
    }
    return svg("path", { class: "bar " + s.colour, d });
  }

  // hover shows the values at the x that is nearest to the pointer.
  hover(area, root, shown, x, y, box) {
    const rule = svg("line", { class: "rule", y1: box.top, y2: box.bottom, visibility: "hidden" }), tip = el("div", "tip");
    root.append(rule);
    tip.hidden = true;
    area.append(tip);
    const dots = shown.map(s => { const c = svg("circle", { class: "dot " + s.colour, r: 3.5, visibility: "hidden" }); root.append(c); return c; });
    root.addEventListener("pointerleave", () => { tip.hidden = true; for (const e of [rule, ...dots]) e.setAttribute("visibility", "hidden"); });
    root.addEventListener("pointermove", e => {
      const px = e.clientX - root.getBoundingClientRect().left, near = shown.map(s => nearest(s.points, px, x));
      const at = near.reduce((a, b) => !a || (b && Math.abs(x.at(b.x) - px) < Math.abs(x.at(a.x) - px)) ? b : a, null);
      if (!at) return;
      rule.setAttribute("visibility", "visible");
      rule.setAttribute("x1", x.at(at.x));
      rule.setAttribute("x2", x.at(at.x));
      tip.replaceChildren(el("b", "", at.text));
      shown.forEach((s, i) => {
        const p = near[i], here = p && p.x === at.x && Number.isFinite(p.y);
        dots[i].setAttribute("visibility", here ? "visible" : "hidden");
        if (!here) return;
        dots[i].setAttribute("cx", x.at(p.x));
        dots[i].setAttribute("cy", y.at(p.y));
        const line = el("div", "key " + s.colour);
        line.append(el("i", ""), el("span", "", s.name), el("em", "", figure(String(p.y))));
        tip.append(line);
      });
      tip.hidden = false;
      const right = x.at(at.x) + 14 + tip.offsetWidth > box.right;
      tip.style.left = `${right ? x.at(at.x) - 14 - tip.offsetWidth : x.at(at.x) + 14}px`;
      tip.style.top = `${box.top}px`;
    });
  }

  // bars are horizontal: names are read, not tilted.
  bars(area, shown, { width }) {
    area.className = "area scroll";
    const n = Math.min(maxBars, Math.max(0, ...shown.map(s => s.points.length))), group = shown.length * barHeight + (shown.length > 1 ? 8 : 5);
    const names = shown[0]?.points.slice(0, n) || [];
    const values = shown.flatMap(s => s.points.slice(0, n).map(p => p.y).filter(Number.isFinite));
    if (!values.length) { area.append(el("p", "dim", "Nothing to draw")); return; }
    const left = Math.min(width * 0.35, 20 + Math.max(...names.map(p => Math.min(40, p.text.length))) * 6.9);
    const x = linear(Math.min(0, ...values), Math.max(0, ...values), left, width - 90, 5), height = n * group + 14;
    const root = svg("svg", { width: width - 12, height, role: "img", "aria-label": `Bars of ${shown.map(s => s.name).join(", ")}` });
    names.forEach((p, i) => {
      const top = 8 + i * group, name = svg("text", { class: "name", x: left - 8, y: top + (shown.length * barHeight) / 2 + 4 }, p.text.length > 40 ? p.text.slice(0, 39) + "…" : p.text);
      name.append(svg("title", {}, p.text));
      root.append(name);
      shown.forEach((s, k) => {
        const v = s.points[i]?.y;
        if (!Number.isFinite(v)) return;
        const from = Math.min(x.at(0), x.at(v)), bar = svg("rect", { class: "bar " + s.colour, x: from, y: top + k * barHeight, width: Math.max(1, Math.abs(x.at(v) - x.at(0))), height: barHeight - 3 });
        bar.append(svg("title", {}, `${p.text}\n${s.name}: ${figure(String(v))}`));
        root.append(bar, svg("text", { class: "at", x: Math.max(x.at(0), x.at(v)) + 5, y: top + k * barHeight + 11 }, figure(String(v))));
      });
    });
    root.append(svg("line", { class: "axis", x1: x.at(0), x2: x.at(0), y1: 4, y2: height - 6 }));
    area.append(root);
    if (this.rows.length > n) area.append(el("p", "dim", `The first ${n} of ${count(this.rows.length)} rows`));
  }
}

function extent(points, key) {
  let low = Infinity, high = -Infinity;
  for (const p of points) { if (p[key] < low) low = p[key]; if (p[key] > high) high = p[key]; }
  return [low, high];
}

// thin keeps of many points the first, last, lowest and highest of each pixel: the line looks the same.
function thin(points, x) {
  if (points.length < 4000) return points;
  const out = [];
  for (let i = 0; i < points.length;) {
    const pixel = Math.round(x.at(points[i].x));
    let low = points[i], high = points[i], k = i;
    for (; k < points.length && Math.round(x.at(points[k].x)) === pixel; k++) { if (points[k].y < low.y) low = points[k]; if (points[k].y > high.y) high = points[k]; }
    const last = points[k - 1];
    for (const p of new Set([points[i], ...(low.x < high.x ? [low, high] : [high, low]), last])) out.push(p);
    i = k;
  }
  return out;
}

function path(points, x, y) {
  let d = "", pen = false;
  for (const p of points) {
    if (!Number.isFinite(p.y)) { pen = false; continue; }
    d += `${pen ? "L" : "M"}${x.at(p.x).toFixed(1)} ${y.at(p.y).toFixed(1)}`;
    pen = true;
  }
  return d;
}

function nearest(points, px, x) {
  let low = 0, high = points.length - 1;
  if (high < 0) return null;
  while (high - low > 1) { const mid = (low + high) >> 1; if (x.at(points[mid].x) < px) low = mid; else high = mid; }
  return Math.abs(x.at(points[low].x) - px) <= Math.abs(x.at(points[high].x) - px) ? points[low] : points[high];
}

// axis labels ticks in the unit of the largest, with as many decimals as tell them apart.
function axis(ticks) {
  const top = Math.max(...ticks.map(Math.abs), 0), [unit, size] = [["T", 1e12], ["G", 1e9], ["M", 1e6], ["k", 1e4]].find(([, s]) => top >= s) || ["", 1];
  const by = unit === "k" ? 1000 : size;
  return t => t === 0 ? "0" : top < 1e-3 ? t.toExponential(1) : String(Number((t / by).toFixed(6))) + (unit && " " + unit);
}

// figure writes a value in full where there is room for it.
function figure(text) {
  const v = Number(text);
  if (!Number.isFinite(v)) return text;
  if (Math.abs(v) >= 1e15) return short(v);
  return Number.isInteger(v) ? count(v) : v.toLocaleString("en-US", { maximumSignificantDigits: Math.abs(v) >= 1000 ? Math.ceil(Math.log10(Math.abs(v))) + 2 : 5 });
}

function el(tag, name, text) {
  const e = document.createElement(tag);
  if (name) e.className = name;
  if (text !== undefined) e.textContent = text;
  return e;
}

export function svg(tag, attributes, text) {
  const e = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) e.setAttribute(name, value);
  if (text !== undefined) e.textContent = text;
  return e;
}
