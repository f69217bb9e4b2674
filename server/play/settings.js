// The settings panel: what goes along with every statement that the user runs. Empty means the server's own.
import { load, save } from "./store.js";

const offered = [
  ["database", "Database", "default"],
  ["max_rows", "Rows shown", "100000"],
  ["readonly", "Read only", ["", "off"], ["2", "no writes"]],
  ["max_threads", "Threads", "all"],
  ["max_execution_time", "Seconds at most", "no limit"],
  ["max_memory_usage", "Bytes of memory", "no limit"],
  ["max_rows_to_read", "Rows to read", "no limit"],
];

export class Settings {
  constructor(form, onDatabase) {
    this.form = form;
    this.values = load("settings", {});
    for (const [name, label, ...rest] of offered) form.append(this.field(name, label, rest));
    const more = document.createElement("label");
    more.className = "wide";
    more.append("Others, a line each: name = value");
    this.more = document.createElement("textarea");
    this.more.value = this.values.more || "";
    this.more.spellcheck = false;
    more.append(this.more);
    form.append(more);
    form.addEventListener("change", () => {
      this.read();
      onDatabase();
    });
    form.addEventListener("submit", e => e.preventDefault());
  }

  field(name, text, rest) {
    const label = document.createElement("label"), choice = Array.isArray(rest[0]);
    const input = document.createElement(choice ? "select" : "input");
    if (choice) for (const [value, shown] of rest) input.append(new Option(shown, value)); else input.placeholder = rest[0];
    input.name = name;
    input.value = this.values[name] || "";
    input.spellcheck = false;
    label.title = name;
    label.append(text, input);
    return label;
  }

  read() {
    this.values = { more: this.more.value };
    for (const [name] of offered) {
      const v = this.form.elements.namedItem(name).value.trim();
      if (v) this.values[name] = v;
    }
    save("settings", this.values);
  }

  set(name, value) {
    this.form.elements.namedItem(name).value = value;
    this.read();
  }

  get database() { return this.values.database || "default"; }

  get maxRows() { return Math.max(1, Math.min(1e6, Number(this.values.max_rows) || 100000)); }

  // params are the settings as parameters of a request.
  get params() {
    const out = {};
    for (const [name, value] of Object.entries(this.values)) if (name !== "more" && name !== "max_rows") out[name] = value;
    for (const line of (this.values.more || "").split("\n")) {
      const m = /^\s*(\w+)\s*=\s*(.*?)\s*;?\s*$/.exec(line);
      if (m) out[m[1]] = m[2].replace(/^'(.*)'$/, "$1");
    }
    return out;
  }
}
