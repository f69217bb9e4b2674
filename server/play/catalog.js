// What the server has, as this user sees it: for completion and for the schema browser.
import { rows } from "./http.js";

export class Catalog {
  constructor() {
    this.database = "default";
    this.databases = [];
    this.tables = []; // {database, name, engine, rows, bytes, comment}
    this.columns = []; // {database, table, name, type, key, comment}, of all but the system's databases at first
    this.words = []; // {word, kind}: functions, settings, formats and the like
  }

  // load asks for what changes, loadWords for what does not. The answers count if they are still wanted when they come.
  async load(wanted) {
    const [databases, tables, columns] = await Promise.all([
      rows("SELECT name FROM system.databases ORDER BY name"),
      rows("SELECT database, name, engine, toString(ifNull(total_rows, 0)), toString(ifNull(total_bytes, 0)), total_rows IS NOT NULL, comment FROM system.tables WHERE NOT is_temporary ORDER BY database, name"),
      rows("SELECT database, table, name, type, is_in_sorting_key, comment, default_kind, default_expression FROM system.columns WHERE lower(database) NOT IN ('information_schema') ORDER BY database, table, position"),
    ]);
    if (!wanted()) return;
    const own = d => !/^(system|information_schema)$/i.test(d);
    this.databases = databases.map(r => r[0]).filter(d => d !== "INFORMATION_SCHEMA").sort((a, b) => own(b) - own(a) || (a < b ? -1 : 1)); // it is there in small letters too
    this.tables = tables.map(([database, name, engine, n, size, counted, comment]) => ({ database, name, engine, rows: Number(n), bytes: Number(size), counted: counted === "1", comment }));
    this.columns = columns.map(([database, table, name, type, key, comment, kind, expr]) => ({ database, table, name, type, key: key === "1", comment: [kind && `${kind} ${expr}`, comment].filter(Boolean).join(" · ") }));
  }

  async loadWords() {
    const got = await rows("SELECT word, context FROM system.completions WHERE context NOT IN ('database', 'table', 'column', 'keyword')");
    this.words = got.map(([word, kind]) => ({ word, kind }));
  }

  columnsOf(database, table) { return this.columns.filter(c => c.database === database && c.table === table); }
}
