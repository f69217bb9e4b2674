// Completion: what the catalog has that fits where the cursor is, best first.
import { tokens, statementAt } from "./sql.js";
import { keywords } from "./words.js";
import { ident } from "./http.js";

const maxShown = 50;

export class Completion {
  constructor(box, editor, catalog) {
    this.editor = editor;
    this.catalog = catalog;
    this.list = box.querySelector("[role=listbox]");
    this.items = [];
    this.list.addEventListener("mousedown", e => {
      const li = e.target.closest("li");
      if (li) { e.preventDefault(); this.at = Number(li.dataset.at); this.accept(); }
    });
  }

  get shown() { return !this.list.hidden; }

  typed(e) {
    if (e.inputType && !/^insertText|^deleteContent/.test(e.inputType)) { this.close(); return; }
    this.open(false);
  }

  key(e) {
    if (!this.shown || e.ctrlKey || e.metaKey || e.altKey) return false;
    switch (e.key) {
      case "ArrowDown": this.choose((this.at + 1) % this.items.length); return true;
      case "ArrowUp": this.choose((this.at + this.items.length - 1) % this.items.length); return true;
      case "PageDown": this.choose(Math.min(this.at + 8, this.items.length - 1)); return true;
      case "PageUp": this.choose(Math.max(this.at - 8, 0)); return true;
      case "Enter": case "Tab": if (e.shiftKey) return false; this.accept(); return true;
      case "Escape": this.close(); return true;
      case "ArrowLeft": case "ArrowRight": case "Home": case "End": this.close();
    }
    return false;
  }

  open(asked) {
    const at = this.editor.text.selectionStart, where = context(this.editor.value, at);
    if (!where || (!asked && where.prefix.length < 2 && !where.owner)) { this.close(); return; }
    this.prefix = where.prefix;
    this.items = find(this.catalog, where);
    const only = this.items.length === 1 && this.items[0].insert.toLowerCase() === where.prefix.toLowerCase();
    if (!this.items.length || only) { this.close(); return; }
    this.show(this.editor.place(at - where.prefix.length));
  }

  show(p) {
    this.list.replaceChildren(...this.items.map((it, i) => {
      const li = document.createElement("li"), word = document.createElement("span"), kind = document.createElement("small");
      li.id = "completion-" + i; li.dataset.at = i; li.setAttribute("role", "option");
      word.textContent = it.word; kind.textContent = it.note;
      li.append(word, kind);
      return li;
    }));
    this.list.hidden = false;
    this.list.style.left = `${Math.max(0, Math.min(p.x, this.editor.text.clientWidth - 320))}px`;
    this.list.style.top = `${p.y + p.line + 2}px`;
    this.editor.text.setAttribute("aria-expanded", "true");
    this.choose(0);
  }

  choose(i) {
    this.list.children[this.at]?.removeAttribute("aria-selected");
    this.at = i;
    const li = this.list.children[i];
    li.setAttribute("aria-selected", "true");
    li.scrollIntoView({ block: "nearest" });
    this.editor.text.setAttribute("aria-activedescendant", li.id);
  }

  accept() {
    const it = this.items[this.at], before = this.prefix.length;
    this.close();
    this.editor.insert(it.insert, before);
    if (it.insert.endsWith("()")) this.editor.text.setSelectionRange(this.editor.text.selectionStart - 1, this.editor.text.selectionStart - 1);
  }

  close() {
    this.list.hidden = true;
    this.at = 0;
    this.editor.text.setAttribute("aria-expanded", "false");
    this.editor.text.removeAttribute("aria-activedescendant");
  }
}

// context tells what is being typed: the prefix, what stands before a dot, the keyword before it, and the statement's tables.
export function context(text, at) {
  const before = tokens(text.slice(0, at)), last = before.at(-1);
  if (last && (last.kind === "string" || last.kind === "comment" || last.kind === "number" || last.kind === "quoted") && last.end === at) return null;
  const typing = last && last.kind === "word";
  const prefix = typing ? last.text : "";
  const seen = (typing ? before.slice(0, -1) : before).filter(t => t.kind !== "space" && t.kind !== "comment");
  const dot = seen.at(-1)?.text === "." ? name(seen.at(-2)) : "";
  let after = "";
  for (let i = seen.length - 1; i >= 0 && !after && seen[i].text !== ";"; i--) {
    if (seen[i].kind === "word" && keywords.has(seen[i].text.toLowerCase())) after = seen[i].text.toLowerCase();
  }
  const s = statementAt(text, at);
  return { prefix, owner: dot, after, direct: seen.at(-1)?.text.toLowerCase() || "", tables: s ? named(s.text) : new Map() };
}

const name = t => !t ? "" : t.kind === "quoted" ? t.text.slice(1, -1) : t.kind === "word" ? t.text : "";

// named are the tables that a statement names behind FROM, JOIN and the like: alias or name → {database, table}.
export function named(sql) {
  const out = new Map(), all = tokens(sql).filter(t => t.kind !== "space" && t.kind !== "comment");
  for (let i = 0; i < all.length; i++) {
    if (!/^(from|join|into|table|update)$/i.test(all[i].text)) continue;
    let table = name(all[i + 1]), database = "", k = i + 2;
    if (!table || keywords.has(table.toLowerCase())) continue;
    if (all[k]?.text === "." && name(all[k + 1])) { database = table; table = name(all[k + 1]); k += 2; }
    out.set(table, { database, table });
    if (/^as$/i.test(all[k]?.text || "")) k++;
    const alias = name(all[k]);
    if (alias && !keywords.has(alias.toLowerCase())) out.set(alias, { database, table });
  }
  return out;
}

// find ranks what fits: 0 is best. A word counts if it begins with the prefix, or, a little behind those, contains it.
export function find(catalog, where) {
  const want = where.prefix.toLowerCase(), found = [];
  const take = (word, note, rank, insert = ident(word)) => {
    const at = word.toLowerCase().indexOf(want);
    if (at < 0 || (at > 0 && want.length < 3)) return;
    found.push({ word, note, insert, rank: rank + (at > 0 ? 10 : 0) });
  };
  if (where.owner) {
    const target = where.tables.get(where.owner);
    for (const t of catalog.tables) if (t.database === where.owner) take(t.name, t.engine, 0);
    for (const c of catalog.columns) {
      if (c.table === (target ? target.table : where.owner) && (!target || !target.database || target.database === c.database)) take(c.name, c.type, 0);
    }
  } else {
    everything(catalog, where, take);
  }
  found.sort((a, b) => a.rank - b.rank || a.word.length - b.word.length || (a.word < b.word ? -1 : 1));
  const seen = new Set();
  return found.filter(f => !seen.has(f.insert) && seen.add(f.insert)).slice(0, maxShown);
}

function everything(catalog, where, take) {
  const source = /^(from|join|into|table|describe|desc|truncate|optimize|update)$/.test(where.after) && where.direct !== ")";
  for (const t of catalog.tables) take(t.name, t.database === catalog.database ? t.engine : t.database, source ? (t.database === catalog.database ? 0 : 2) : 6, t.database === catalog.database ? ident(t.name) : ident(t.database) + "." + ident(t.name));
  for (const d of catalog.databases) take(d, "database", source || where.after === "use" ? 1 : 7);
  const here = new Set([...where.tables.values()].map(t => t.table));
  for (const c of catalog.columns) if (here.has(c.table)) take(c.name, c.type, source ? 6 : 0);
  for (const k of keywords) take(k.toUpperCase(), "keyword", source ? 5 : 3, k.toUpperCase());
  for (const w of catalog.words) {
    const rank = ranks(w.kind, where, source);
    if (rank < 0) continue;
    take(w.word, w.kind, rank, w.kind.endsWith("function") ? w.word + "()" : w.word);
  }
}

function ranks(kind, where, source) {
  switch (kind) {
    case "function": case "aggregate function": return source ? -1 : 2;
    case "table function": return source ? 3 : 8;
    case "setting": return where.after === "settings" || where.after === "set" ? 0 : -1;
    case "merge tree setting": return where.after === "settings" ? 1 : -1;
    case "format": return where.after === "format" ? 0 : -1;
    case "table engine": return where.after === "engine" ? 0 : -1;
    case "data type": return /^(create|table|column|modify|add|as|cast)$/.test(where.after) || where.direct === "::" ? 3 : -1;
  }
  return -1;
}
