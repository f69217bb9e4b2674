// Everything the page says to the server goes through here: statements as the user typed in, rows as they arrive.

export const format = "JSONCompactStringsEachRowWithNamesAndTypes"; // exact text of every value, no setting needed
const nullText = "ᴺᵁᴸᴸ";
const nullable = /^(LowCardinality\()?Nullable\(|^Nothing|^(Dynamic|Variant\()/;

// Credentials live in this tab only; where the browser keeps nothing, until it is left.
const kept = "olapd.login";
export const login = { user: "default", password: "" };
try { Object.assign(login, JSON.parse(sessionStorage.getItem(kept) || "{}")); } catch { /* blocked */ }
export function setLogin(user, password) {
  login.user = user || "default";
  login.password = password;
  try { sessionStorage.setItem(kept, JSON.stringify(login)); } catch { /* blocked */ }
}

// A failure as the server tells it: code, its name, the message, and where in the statement (a byte, from 0), if it says so.
export class QueryError extends Error {
  constructor(text) {
    const m = /^Code: (\d+)\. DB::Exception: ([\s\S]*?)(?: \(([A-Z0-9_]+)\))?(?: \(version [^()]*(?:\([^()]*\))?\))?\s*$/.exec(text);
    super(m ? m[2] : text.trim() || "The server gave no reason");
    this.name = "QueryError";
    this.code = m ? Number(m[1]) : 0;
    this.codeName = m && m[3] || "";
    const at = /failed at position (\d+)/.exec(this.message);
    this.position = at ? Number(at[1]) - 1 : -1;
  }
}

export function post(sql, params = {}, signal) {
  return fetch("/?" + new URLSearchParams(params), {
    method: "POST", body: sql, signal, cache: "no-store", credentials: "omit", // who asks is in the headers: the browser is not to ask by a dialog of its own
    headers: { "X-ClickHouse-User": login.user, "X-ClickHouse-Key": login.password },
  });
}

export const ownPrefix = "play-own-"; // of the identifiers of the page's own queries
export const newID = (prefix = "play-") => prefix + Array.from(crypto.getRandomValues(new Uint8Array(12)), b => b.toString(16).padStart(2, "0")).join("");

// run sends a statement. Rows come to onRows(meta, rows) in pieces; beyond maxRows it stops reading, which ends the query.
// It returns {meta, summary, truncated} of rows, or {text | blob, format, summary} if the statement names another format.
export async function run(sql, { params = {}, signal, maxRows = Infinity, onRows = () => {} } = {}) {
  const stop = new AbortController();
  const both = signal ? AbortSignal.any([signal, stop.signal]) : stop.signal;
  const answer = await post(sql, { default_format: format, ...params }, both);
  if (!answer.ok) throw new QueryError(await answer.text());
  const summary = JSON.parse(answer.headers.get("X-ClickHouse-Summary") || "{}");
  const named = answer.headers.get("X-ClickHouse-Format");
  if (named === null) { await answer.text(); return { meta: null, summary }; }
  if (named !== format) return { ...await other(answer), format: named, summary };
  const got = await readRows(answer, maxRows, onRows);
  if (got.truncated) stop.abort();
  return { ...got, summary };
}

async function other(answer) {
  const blob = await answer.blob();
  const isText = /^(text\/|application\/(json|x-ndjson|xml|sql))/.test(answer.headers.get("Content-Type") || "");
  return isText ? { text: await blob.text(), blob } : { blob };
}

async function readRows(answer, maxRows, onRows) {
  const lines = new Lines(answer.body);
  let meta = null, names = null, n = 0;
  for (let piece; (piece = await lines.next()) !== null;) {
    const rows = [];
    for (const line of piece) {
      if (line === "") continue;
      const values = JSON.parse(line);
      if (!names) { names = values; continue; }
      if (!meta) { meta = names.map((name, i) => column(name, values[i])); continue; }
      for (let i = 0; i < values.length; i++) if (meta[i].nullable && values[i] === nullText) values[i] = null;
      rows.push(values);
    }
    if (!meta) continue;
    if (n + rows.length > maxRows) {
      onRows(meta, rows.slice(0, maxRows - n));
      return { meta, truncated: true };
    }
    n += rows.length;
    onRows(meta, rows);
  }
  return { meta: meta || [], truncated: false };
}

function column(name, type) {
  const bare = type.replace(/^LowCardinality\((.*)\)$/, "$1").replace(/^Nullable\((.*)\)$/, "$1");
  return {
    name, type, bare, nullable: nullable.test(type),
    numeric: /^(U?Int\d+|Float\d+|BFloat16|Decimal)/.test(bare),
    time: /^(Date|DateTime)/.test(bare),
  };
}

// Lines cuts a stream into its complete lines. What an exception puts behind the rows is thrown as that exception.
class Lines {
  constructor(body) {
    this.reader = body.pipeThrough(new TextDecoderStream()).getReader();
    this.rest = "";
  }

  async next() {
    let chunk;
    try {
      chunk = await this.reader.read();
    } catch (e) {
      this.exception(this.rest);
      throw e;
    }
    if (chunk.done) {
      this.exception(this.rest);
      if (this.rest === "") return null;
      const last = [this.rest];
      this.rest = "";
      return last;
    }
    const text = this.rest + chunk.value, mark = text.indexOf("\r\n__exception__");
    const end = text.lastIndexOf("\n", mark < 0 ? text.length : mark);
    if (mark >= 0) {
      this.rest = text.slice(mark);
      return end < 0 ? [] : text.slice(0, end).split("\n");
    }
    this.rest = text.slice(end + 1);
    return end < 0 ? [] : text.slice(0, end).split("\n");
  }

  exception(text) {
    const m = /\r\n__exception__\r\n\w+\r\n([\s\S]*?)\n\d+ \w+\r\n__exception__/.exec(text);
    if (m) throw new QueryError(m[1]);
  }
}

// rows runs a small query of the page itself, which is kept out of the query log where the user may say so.
export async function rows(sql, signal) {
  const out = [];
  const params = { query_id: newID(ownPrefix), ...(own.quiet && { log_queries: "0" }) };
  own.queries++;
  const got = await run(sql, { params, signal, maxRows: 50000, onRows: (_, more) => { for (const r of more) out.push(r); } });
  own.rows += Number(got.summary.read_rows) || 0;
  return out;
}

// own are the page's own queries: whether they may be quiet (a user of readonly = 1 may not change a setting), how many there
// were, and the rows they read.
export const own = { quiet: false, queries: 0, rows: 0 };

// connect asks who answers, and what the user's own settings allow.
export async function connect() {
  const [[name, version, readonly]] = await rows("SELECT displayName(), version(), toString(getSetting('readonly'))");
  return { name, version, readonly };
}

// watch reports the progress of a running query every so often until it is stopped.
export function watch(id, onProgress) {
  const stop = new AbortController();
  const sql = `SELECT read_rows, total_rows_approx, read_bytes, memory_usage FROM system.processes WHERE query_id = '${id}'`;
  (async () => {
    for (let wait = 250; ; wait = 500) {
      await new Promise(done => setTimeout(done, wait));
      if (stop.signal.aborted) return;
      const got = await rows(sql, stop.signal);
      if (got.length && !stop.signal.aborted) onProgress({ rows: Number(got[0][0]), total: Number(got[0][1]), bytes: Number(got[0][2]), memory: Number(got[0][3]) });
    }
  })().catch(() => {}); // without progress the answer still comes
  return () => stop.abort();
}

export const quote = s => "'" + s.replace(/[\\']/g, "\\$&") + "'";
export const ident = s => /^[A-Za-z_][A-Za-z0-9_]*$/.test(s) ? s : "`" + s.replace(/[\\`]/g, "\\$&") + "`";

export const kill = id => rows(`KILL QUERY WHERE query_id = ${quote(id)} ASYNC`);

// Figures for people.
const decimals = new Intl.NumberFormat("en-US");
export const count = n => decimals.format(n);
export function short(n) {
  for (const [unit, size] of [["T", 1e12], ["G", 1e9], ["M", 1e6], ["k", 1e3]]) if (Math.abs(n) >= size) return trim(n / size) + " " + unit;
  return trim(n);
}
export function bytes(n) {
  for (const [unit, size] of [["TiB", 2 ** 40], ["GiB", 2 ** 30], ["MiB", 2 ** 20], ["KiB", 2 ** 10]]) if (Math.abs(n) >= size) return trim(n / size) + " " + unit;
  return trim(n) + " B";
}
export const trim = x => String(Number(x.toPrecision(Math.abs(x) >= 100 ? Math.max(3, Math.ceil(Math.log10(Math.abs(x) + 1))) : 3)));
