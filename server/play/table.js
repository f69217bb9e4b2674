// A result as a table: only the rows in sight are in the document, so that a hundred thousand scroll well.

const rowHeight = 24, spare = 12, sampled = 200, widest = 420;

export class Table {
  constructor(box) {
    this.box = box;
    this.reset([]);
    box.addEventListener("scroll", () => this.later());
    box.addEventListener("keydown", e => this.key(e));
    box.addEventListener("click", e => this.click(e));
    box.addEventListener("dblclick", () => this.detail());
    new ResizeObserver(() => this.later()).observe(box);
  }

  reset(meta) {
    this.meta = meta;
    this.rows = []; // as they came
    this.order = null; // positions in rows, sorted; null: as they came
    this.sorted = { column: -1, down: false };
    this.at = null; // {row, column} that is chosen
    this.box.replaceChildren();
    this.body = null;
  }

  // add takes the next rows of the answer.
  add(meta, rows) {
    if (!this.body) { this.meta = meta; this.build(rows); }
    for (const r of rows) this.rows.push(r);
    this.order = null;
    this.later();
  }

  build(rows) {
    const table = document.createElement("table"), cols = document.createElement("colgroup"), head = table.createTHead().insertRow();
    table.setAttribute("role", "grid");
    const widths = [46, ...this.meta.map((c, i) => width(c, rows, i))];
    for (const w of widths) { const col = document.createElement("col"); col.style.width = w + "px"; cols.append(col); }
    table.style.width = widths.reduce((a, b) => a + b) + "px";
    head.append(headCell("", ""));
    this.meta.forEach((c, i) => {
      const th = headCell(c.name, c.type);
      th.dataset.column = i;
      th.tabIndex = 0;
      th.title = `${c.name} ${c.type}\nClick to sort`;
      if (c.numeric) th.classList.add("n");
      head.append(th);
    });
    table.prepend(cols);
    this.head = head;
    this.body = table.createTBody();
    this.table = table;
    this.box.replaceChildren(table);
    this.box.scrollTo(0, 0);
    this.drawn = "";
  }

  later() {
    if (this.waiting) return;
    this.box.setAttribute("aria-busy", "true"); // until the rows that came are in the document
    this.waiting = requestAnimationFrame(() => { this.waiting = 0; this.draw(); this.box.removeAttribute("aria-busy"); });
  }

  row(i) { return this.rows[this.order ? this.order[i] : i]; }

  draw() {
    if (!this.body) return;
    const first = Math.max(0, Math.floor(this.box.scrollTop / rowHeight) - spare);
    const last = Math.min(this.rows.length, Math.ceil((this.box.scrollTop + this.box.clientHeight) / rowHeight) + spare);
    const state = [first, last, this.rows.length, this.sorted.column, this.sorted.down, this.at?.row, this.at?.column].join();
    if (state === this.drawn) return;
    this.drawn = state;
    this.table.setAttribute("aria-rowcount", this.rows.length + 1);
    const out = [space(first * rowHeight)];
    for (let i = first; i < last; i++) out.push(this.line(i));
    out.push(space((this.rows.length - last) * rowHeight));
    this.body.replaceChildren(...out);
  }

  line(i) {
    const tr = document.createElement("tr"), no = document.createElement("td"), row = this.row(i);
    tr.setAttribute("aria-rowindex", i + 2);
    tr.dataset.row = i;
    no.textContent = i + 1;
    no.className = "no";
    tr.append(no);
    for (let c = 0; c < row.length; c++) {
      const td = document.createElement("td"), v = row[c];
      if (v === null) { td.textContent = "NULL"; td.className = "null"; } else td.textContent = v.length > 300 ? v.slice(0, 300) + "…" : v;
      if (this.meta[c].numeric) td.classList.add("n");
      if (this.at && this.at.row === i && this.at.column === c) td.setAttribute("aria-selected", "true");
      td.dataset.column = c;
      tr.append(td);
    }
    return tr;
  }

  click(e) {
    const th = e.target.closest("th[data-column]");
    if (th) { this.sort(Number(th.dataset.column)); return; }
    const td = e.target.closest("td[data-column]");
    if (td) this.choose(Number(td.parentElement.dataset.row), Number(td.dataset.column));
  }

  // sort goes through up, down, as it came.
  sort(column) {
    const s = this.sorted;
    if (s.column !== column) this.sorted = { column, down: false };
    else if (!s.down) this.sorted = { column, down: true };
    else this.sorted = { column: -1, down: false };
    this.order = this.sorted.column < 0 ? null : order(this.rows, this.meta[column], column, this.sorted.down);
    [...this.head.cells].forEach((th, i) => {
      const on = i > 0 && i - 1 === this.sorted.column;
      if (on) th.setAttribute("aria-sort", this.sorted.down ? "descending" : "ascending"); else th.removeAttribute("aria-sort");
    });
    this.at = null;
    this.later();
  }

  choose(row, column) {
    this.at = { row: clamp(row, this.rows.length), column: clamp(column, this.meta.length) };
    const top = this.at.row * rowHeight, headHeight = this.head.offsetHeight;
    if (top < this.box.scrollTop) this.box.scrollTop = top;
    else if (top + rowHeight + headHeight > this.box.scrollTop + this.box.clientHeight - 12) this.box.scrollTop = top + rowHeight + headHeight - this.box.clientHeight + 12;
    this.draw();
    this.body.querySelector("[aria-selected]")?.scrollIntoView({ block: "nearest", inline: "nearest" });
  }

  key(e) {
    if (e.target.matches("th") && (e.key === "Enter" || e.key === " ")) { e.preventDefault(); this.sort(Number(e.target.dataset.column)); return; }
    if (!this.rows.length) return;
    if ((e.ctrlKey || e.metaKey) && e.key === "c" && this.at && getSelection().isCollapsed) { e.preventDefault(); copy(this.row(this.at.row)[this.at.column] ?? "NULL"); return; }
    const at = this.at || { row: -1, column: 0 }, page = Math.floor(this.box.clientHeight / rowHeight) - 2;
    const to = { ArrowDown: [1, 0], ArrowUp: [-1, 0], ArrowRight: [0, 1], ArrowLeft: [0, -1], PageDown: [page, 0], PageUp: [-page, 0],
      Home: [-this.rows.length, 0], End: [this.rows.length, 0] }[e.key];
    if (to) { e.preventDefault(); this.choose(at.row + to[0], at.column + to[1]); } else if (e.key === "Enter") this.detail();
  }

  // detail shows the chosen value whole.
  detail() {
    if (!this.at) return;
    const c = this.meta[this.at.column], v = this.row(this.at.row)[this.at.column], box = document.getElementById("detail");
    box.querySelector("h2").textContent = c.name;
    box.querySelector("small").textContent = c.type;
    box.querySelector("pre").textContent = v === null ? "NULL" : pretty(v);
    box.showModal();
  }

  // tsv is the whole table for the clipboard, in the order shown.
  tsv() {
    const out = [this.meta.map(c => c.name).join("\t")];
    for (let i = 0; i < this.rows.length; i++) out.push(this.row(i).map(v => v === null ? "NULL" : v.replace(/[\t\n\r]/g, " ")).join("\t"));
    return out.join("\n") + "\n";
  }
}

const clamp = (i, n) => Math.max(0, Math.min(n - 1, i));

function headCell(name, type) {
  const th = document.createElement("th"), small = document.createElement("small");
  th.scope = "col";
  th.textContent = name;
  small.textContent = type;
  th.append(small);
  return th;
}

function space(height) {
  const tr = document.createElement("tr"), td = document.createElement("td");
  tr.className = "space";
  tr.setAttribute("aria-hidden", "true");
  td.style.height = height + "px";
  tr.append(td);
  return tr;
}

function width(c, rows, i) {
  let chars = Math.max(c.name.length + 2, Math.min(c.type.length * 0.85, 22));
  for (const r of rows.slice(0, sampled)) chars = Math.max(chars, r[i] === null ? 4 : r[i].length);
  return Math.round(Math.min(widest, Math.max(56, chars * 7.6 + 22)));
}

// order sorts positions: numbers by value, the rest as text; NULLs are last either way.
export function order(rows, column, at, down) {
  const keys = rows.map(r => r[at] === null ? null : column.numeric ? Number(r[at]) : r[at]), sign = down ? -1 : 1;
  return rows.map((_, i) => i).sort((a, b) => {
    const x = keys[a], y = keys[b];
    if (x === null || y === null) return (x === null) - (y === null) || a - b;
    return x < y ? -sign : x > y ? sign : a - b;
  });
}

function pretty(v) {
  if (!/^[[{]/.test(v)) return v;
  try { return JSON.stringify(JSON.parse(v), null, 2); } catch { return v; }
}

// copy puts text on the clipboard, also where the page has not come over HTTPS.
export async function copy(text) {
  if (navigator.clipboard) { await navigator.clipboard.writeText(text); return; }
  const t = document.createElement("textarea"), back = document.activeElement;
  t.value = text;
  document.body.append(t);
  t.select();
  document.execCommand("copy");
  t.remove();
  back?.focus();
}
