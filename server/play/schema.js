// The schema browser: databases, their tables, their columns. A name goes into the editor by click or Enter.
import { rows, ident, short, bytes, count } from "./http.js";

export class Schema {
  constructor(box, filter, catalog, { onInsert, onShow }) {
    Object.assign(this, { box, filter, catalog, onInsert, onShow });
    this.openKeys = new Set(["default"]);
    filter.addEventListener("input", () => this.draw());
    box.addEventListener("click", e => this.click(e));
    box.addEventListener("keydown", e => this.key(e));
  }

  draw() {
    const want = this.filter.value.trim().toLowerCase(), out = [];
    for (const d of this.catalog.databases) {
      const tables = this.catalog.tables.filter(t => t.database === d && (!t.name.startsWith(".inner") || want.startsWith(".inner")) && (!want || t.name.toLowerCase().includes(want)
        || d.toLowerCase().includes(want) || this.catalog.columnsOf(d, t.name).some(c => c.name.toLowerCase().includes(want))));
      if (want && !tables.length) continue;
      const open = this.openKeys.has(d) || (want !== "" && !/^system$|schema$/i.test(d));
      out.push(this.item(1, d, open, d, count(tables.length), "database"));
      if (open) for (const t of tables) this.table(out, t);
    }
    const at = this.box.querySelector("[tabindex='0']")?.dataset.key;
    this.box.replaceChildren(...out);
    const back = out.find(li => li.dataset.key === at) || out[0];
    if (back) back.tabIndex = 0;
    if (!out.length) { const p = document.createElement("li"); p.className = "dim"; p.textContent = want ? "Nothing matches" : "Nothing to see"; this.box.append(p); }
  }

  table(out, t) {
    const key = `${t.database}\n${t.name}`, open = this.openKeys.has(key);
    const li = this.item(2, key, open, t.name, t.counted ? short(t.rows) : "", "table");
    li.title = [`${t.engine}`, t.counted && `${count(t.rows)} rows`, t.bytes && bytes(t.bytes), t.comment].filter(Boolean).join(" · ");
    out.push(li);
    if (!open) return;
    const info = document.createElement("li");
    info.className = "info";
    info.setAttribute("role", "none");
    const about = document.createElement("span"), show = document.createElement("button"), peek = document.createElement("button");
    about.textContent = [t.engine, t.counted && t.bytes ? bytes(t.bytes) : ""].filter(Boolean).join(" · ");
    show.textContent = "DDL"; show.dataset.ddl = key; show.title = "SHOW CREATE TABLE"; show.className = "link";
    peek.textContent = "Rows"; peek.dataset.peek = key; peek.title = "SELECT the first hundred rows"; peek.className = "link";
    info.append(about, peek, show);
    out.push(info);
    for (const c of this.catalog.columnsOf(t.database, t.name)) {
      const col = this.item(3, `${key}\n${c.name}`, null, c.name, c.type, "column" + (c.key ? " key" : ""));
      col.title = [c.name, c.type, c.key && "in the sort key", c.comment].filter(Boolean).join(" · ");
      out.push(col);
    }
  }

  item(level, key, open, name, note, kind) {
    const li = document.createElement("li"), label = document.createElement("span"), small = document.createElement("small");
    li.className = kind;
    li.dataset.key = key;
    li.tabIndex = -1;
    li.setAttribute("role", "treeitem");
    li.setAttribute("aria-level", level);
    if (open !== null) li.setAttribute("aria-expanded", open);
    label.textContent = name;
    small.textContent = note;
    li.append(label, small);
    return li;
  }

  click(e) {
    const b = e.target.closest("button");
    if (b?.dataset.ddl) { this.ddl(...b.dataset.ddl.split("\n")); return; }
    if (b?.dataset.peek) { const [d, t] = b.dataset.peek.split("\n"); this.onShow(`SELECT * FROM ${this.named(d, t)} LIMIT 100`, true); return; }
    const li = e.target.closest("[role=treeitem]");
    if (!li) return;
    this.focus(li);
    if (li.classList.contains("column") || (e.target.tagName === "SPAN" && e.detail === 2)) this.insert(li);
    else if (e.detail < 2) this.toggle(li);
  }

  insert(li) {
    const [d, t, c] = li.dataset.key.split("\n");
    this.onInsert(c ? ident(c) : t ? this.named(d, t) : ident(d));
  }

  named(d, t) { return d === this.catalog.database ? ident(t) : `${ident(d)}.${ident(t)}`; }

  toggle(li, open = !this.openKeys.has(li.dataset.key)) {
    if (!li.hasAttribute("aria-expanded")) return;
    if (open) this.openKeys.add(li.dataset.key); else this.openKeys.delete(li.dataset.key);
    const had = document.activeElement === li;
    this.draw();
    if (had) this.box.querySelector("[tabindex='0']")?.focus();
  }

  focus(li) {
    for (const other of this.box.querySelectorAll("[tabindex='0']")) other.tabIndex = -1;
    li.tabIndex = 0;
    li.focus({ preventScroll: true });
  }

  key(e) {
    const li = e.target.closest("[role=treeitem]");
    if (!li || e.ctrlKey || e.metaKey || e.target !== li) return;
    const all = [...this.box.querySelectorAll("[role=treeitem]")], i = all.indexOf(li), open = li.getAttribute("aria-expanded");
    const go = n => { const to = all[Math.max(0, Math.min(all.length - 1, n))]; this.focus(to); to.scrollIntoView({ block: "nearest" }); };
    switch (e.key) {
      case "ArrowDown": go(i + 1); break;
      case "ArrowUp": go(i - 1); break;
      case "Home": go(0); break;
      case "End": go(all.length - 1); break;
      case "ArrowRight": if (open === "false") this.toggle(li, true); else if (open) go(i + 1); break;
      case "ArrowLeft":
        if (open === "true") this.toggle(li, false);
        else go(all.findLastIndex((o, k) => k < i && Number(o.getAttribute("aria-level")) < Number(li.getAttribute("aria-level"))));
        break;
      case "Enter": this.insert(li); break;
      case " ": this.toggle(li); break;
      default: return;
    }
    e.preventDefault();
  }

  async ddl(database, table) {
    try {
      const got = await rows(`SHOW CREATE TABLE ${ident(database)}.${ident(table)}`);
      this.onShow(got[0][0], false);
    } catch (e) {
      this.onShow(`-- ${e.message.replace(/\n/g, "\n-- ")}`, false);
    }
  }
}
