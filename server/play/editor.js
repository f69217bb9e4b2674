// The editor: a textarea, and under it the same text in colours. What is typed, undone and read aloud is the browser's own.
import { tokens, statementAt, statements } from "./sql.js";
import { keywords } from "./words.js";
import { Completion } from "./completion.js";

const maxColoured = 40000; // characters; a longer text is shown plain, so that typing stays quick

export class Editor {
  constructor(box, catalog, { onRun, onChange }) {
    this.text = box.querySelector("textarea");
    this.paint = box.querySelector("pre");
    this.catalog = catalog;
    this.mark = null; // {start, end} of an error
    this.onRun = onRun;
    this.onChange = onChange;
    this.completion = new Completion(box, this, catalog);
    this.text.addEventListener("input", e => { this.mark = null; this.draw(); this.onChange(); this.completion.typed(e); });
    this.text.addEventListener("scroll", () => { this.sync(); this.completion.close(); });
    this.text.addEventListener("keydown", e => this.key(e));
    this.text.addEventListener("blur", () => this.completion.close());
    document.addEventListener("selectionchange", () => { if (document.activeElement === this.text) this.current(); });
    new ResizeObserver(() => this.sync()).observe(this.text);
    this.draw();
  }

  get value() { return this.text.value; }

  set value(sql) { this.text.value = sql; this.mark = null; this.draw(); this.onChange(); }

  key(e) {
    if (this.completion.key(e)) { e.preventDefault(); return; }
    if (e.key === "Enter" && (e.ctrlKey || e.metaKey)) { e.preventDefault(); this.completion.close(); this.onRun(); return; }
    if (e.key === " " && e.ctrlKey) { e.preventDefault(); this.completion.open(true); return; }
    if (e.key === "Tab" && !e.shiftKey && !e.ctrlKey && !e.altKey && this.tabs) { e.preventDefault(); this.insert("  "); return; }
    if (e.key === "Escape") this.tabs = false; // then Tab leaves the editor
    else if (e.key !== "Shift" && e.key !== "Tab") this.tabs = true;
    if (e.key === "/" && (e.ctrlKey || e.metaKey)) { e.preventDefault(); this.comment(); }
  }

  // chosen are the statements to run: those of the selection, or the one under the cursor.
  chosen() {
    const { selectionStart: from, selectionEnd: to } = this.text;
    if (from === to) return [statementAt(this.value, from)].filter(Boolean);
    return statements(this.value.slice(from, to)).map(s => ({ start: s.start + from, end: s.end + from, text: s.text }));
  }

  // insert puts text in place of the last `before` characters and the selection, in a way that can be undone.
  insert(text, before = 0) {
    const t = this.text;
    t.focus();
    t.setSelectionRange(t.selectionStart - before, t.selectionEnd);
    if (!document.execCommand("insertText", false, text)) t.setRangeText(text, t.selectionStart, t.selectionEnd, "end");
    this.draw();
    this.onChange();
  }

  comment() {
    const t = this.text, from = this.value.lastIndexOf("\n", t.selectionStart - 1) + 1;
    const lines = this.value.slice(from, t.selectionEnd).split("\n"), all = lines.every(l => l.startsWith("-- "));
    t.setSelectionRange(from, t.selectionEnd);
    this.insert(lines.map(l => all ? l.slice(3) : "-- " + l).join("\n"));
  }

  // markError shows where a statement failed and puts the cursor there.
  markError(start, end) {
    this.mark = { start: Math.min(start, Math.max(0, this.value.length - 1)), end: Math.max(end, start + 1) };
    this.draw();
    this.text.focus();
    this.text.setSelectionRange(start, start);
  }

  draw() {
    const text = this.value, out = document.createDocumentFragment();
    if (text.length > maxColoured) out.append(text);
    else for (const t of tokens(text)) this.piece(out, t);
    out.append("\n");
    this.paint.replaceChildren(out);
    this.current();
    this.sync();
  }

  piece(out, t) {
    const m = this.mark;
    const cuts = m && m.start < t.end && m.end > t.start ? [t.start, Math.max(t.start, m.start), Math.min(t.end, m.end), t.end] : [t.start, t.start, t.start, t.end];
    const kind = this.kind(t);
    for (let i = 0; i < 3; i++) {
      const part = this.value.slice(cuts[i], cuts[i + 1]);
      if (part === "") continue;
      if (kind === "" && i !== 1) { out.append(part); continue; }
      const s = document.createElement("span");
      s.className = kind + (i === 1 ? " wrong" : "");
      s.textContent = part;
      out.append(s);
    }
  }

  kind(t) {
    if (t.kind !== "word") return t.kind === "space" || t.kind === "op" ? "" : t.kind;
    if (keywords.has(t.text.toLowerCase()) && this.value[t.end] !== "." && this.value[t.start - 1] !== ".") return "keyword";
    return this.value[t.end] === "(" ? "function" : "";
  }

  // current marks the lines of the statement that would run, where there are several.
  current() {
    const all = this.value.length > maxColoured ? [] : statements(this.value), bar = this.paint.parentElement.querySelector(".current");
    const s = all.length > 1 && this.text.selectionStart === this.text.selectionEnd ? statementAt(this.value, this.text.selectionStart) : null;
    bar.hidden = !s;
    if (!s) return;
    const first = lines(this.value.slice(0, s.start)), last = lines(this.value.slice(0, s.end));
    this.bar = { top: first, height: last - first + 1 };
    this.sync();
  }

  sync() {
    this.paint.style.transform = `translate(${-this.text.scrollLeft}px, ${-this.text.scrollTop}px)`;
    const bar = this.paint.parentElement.querySelector(".current"), line = this.cell().height;
    if (this.bar) {
      bar.style.top = `${8 + this.bar.top * line - this.text.scrollTop}px`;
      bar.style.height = `${this.bar.height * line}px`;
    }
  }

  // cell is the size of one character: the font is monospaced.
  cell() {
    if (!this.size) {
      const probe = document.createElement("span");
      probe.textContent = "0".repeat(100);
      probe.className = "probe";
      this.paint.parentElement.append(probe);
      const r = probe.getBoundingClientRect();
      probe.remove();
      this.size = { width: r.width / 100, height: parseFloat(getComputedStyle(this.text).lineHeight) };
    }
    return this.size;
  }

  // place is where a character is drawn, in pixels inside the editor.
  place(at) {
    const start = this.value.lastIndexOf("\n", at - 1) + 1, cell = this.cell();
    let column = 0;
    for (const c of this.value.slice(start, at)) column = c === "\t" ? (Math.floor(column / 4) + 1) * 4 : column + 1;
    return { x: 10 + column * cell.width - this.text.scrollLeft, y: 8 + lines(this.value.slice(0, at)) * cell.height - this.text.scrollTop, line: cell.height };
  }
}

const lines = text => text.split("\n").length - 1;
