// The page: what happens when a statement runs, and how the parts know of each other.
import { connect, login, setLogin, run, own, watch, kill, newID, QueryError, count, short, bytes, post } from "./http.js";
import { Catalog } from "./catalog.js";
import { Editor } from "./editor.js";
import { Table, copy } from "./table.js";
import { Chart } from "./chart.js";
import { isPlan, draw as drawPlan } from "./explain.js";
import { Schema } from "./schema.js";
import { Live } from "./live.js";
import { Settings } from "./settings.js";
import { load, save, remember, secret } from "./store.js";
import { statements, tokens, byteOffset } from "./sql.js";

const $ = id => document.getElementById(id);
const mostText = 2 << 20; // characters of an answer in another format that are shown

const examples = [
  ["Tables by size", "SELECT database, name, engine, total_rows, formatReadableSize(total_bytes) AS size\nFROM system.tables\nWHERE has_own_data\nORDER BY total_rows DESC"],
  ["Segments", "SELECT table, count() AS segments, sum(rows) AS rows, formatReadableSize(sum(bytes_on_disk)) AS size\nFROM system.parts\nWHERE active\nGROUP BY table\nORDER BY rows DESC"],
  ["Kafka consumers", "SELECT database, table, state, assignments.topic, assignments.lag, num_messages_read\nFROM system.kafka_consumers"],
  ["Dead letters", "SELECT *\nFROM system.dead_letter_queue\nORDER BY event_time DESC\nLIMIT 100"],
  ["Slow queries", "SELECT event_time, query_duration_ms, read_rows, memory_usage, query\nFROM system.query_log\nWHERE type != 'QueryStart'\nORDER BY query_duration_ms DESC\nLIMIT 20"],
  ["Changed settings", "SELECT name, value, description\nFROM system.settings\nWHERE changed"],
];

const catalog = new Catalog();
const table = new Table($("result"));
const chart = new Chart($("chart"));
const settings = new Settings($("settings"), () => { catalog.database = settings.database; schema.draw(); });
catalog.database = settings.database;
const editor = new Editor($("editor"), catalog, { onRun: go, onChange: link });
const schema = new Schema($("schema"), $("filter"), catalog, { onInsert: text => editor.insert(text), onShow: showStatement });

let running = null; // {id, abort} of what runs
let last = null; // {sql, meta, rows} of what is shown, for downloads

// ---- running

async function go() { await all(editor.chosen()); }

const explaining = "EXPLAIN ANALYZE ";

// explain runs the statement for what its operators do, not for its rows.
async function explain() {
  await all(editor.chosen().slice(-1).map(s => /^\s*EXPLAIN\b/i.test(s.text) ? s
    : { ...s, typed: s.text, shift: explaining.length, text: explaining + s.text.replace(/\s+FORMAT\s+\w+\s*$/i, "") }));
}

// all runs statements one after the other until one fails.
async function all(chosen) {
  if (running || !chosen.length) return;
  editor.mark = null;
  editor.draw();
  clear();
  const state = { abort: new AbortController(), id: "", cancelled: false };
  running = state;
  $("run").disabled = $("explain").disabled = true;
  $("cancel").disabled = false;
  try {
    for (const s of chosen) await one(s, state);
  } catch (e) {
    fail(e);
  } finally {
    running = null;
    $("run").disabled = $("explain").disabled = false;
    $("cancel").disabled = true;
    $("progress").hidden = true;
  }
}

async function one(s, state) {
  state.id = newID();
  const started = performance.now(), seconds = () => (performance.now() - started) / 1000;
  const progress = { rows: 0, total: 0, bytes: 0, memory: 0 };
  const tick = setInterval(() => running === state && showProgress(progress, seconds()), 100);
  const unwatch = watch(state.id, p => Object.assign(progress, p));
  let shown = 0;
  table.reset([]);
  remember({ sql: s.typed ?? s.text, at: Date.now() });
  try {
    const got = await run(s.text, {
      params: { ...settings.params, query_id: state.id }, signal: state.abort.signal, maxRows: settings.maxRows,
      onRows: (meta, more) => { table.add(meta, more); shown += more.length; progress.shown = shown; },
    });
    await after(s, got, shown, seconds());
  } catch (e) {
    e.statement = s;
    e.seconds = seconds();
    throw e;
  } finally {
    clearInterval(tick);
    unwatch();
    drawHistory();
  }
}

async function after(s, got, shown, took) {
  const w = got.summary, parts = [];
  if (got.blob) showOther(got);
  else if (got.meta) {
    last = { sql: s.text, meta: got.meta, rows: table.rows };
    table.add(got.meta, []);
    $("copy").hidden = $("download").hidden = false;
    const plan = isPlan(s.text, got.meta), drawn = chart.set(got.meta, table.rows);
    $("as-chart").hidden = !drawn;
    $("as-picture").hidden = !plan;
    $("views").hidden = !drawn && !plan;
    show(plan ? "picture" : drawn ? view : "table");
    parts.push(got.truncated ? `first ${count(shown)} rows` : `${count(shown)} row${shown === 1 ? "" : "s"}`);
  } else parts.push("Done");
  parts.push(`${took.toFixed(3)} s`);
  if (Number(w.written_rows) > 0) parts.push(`wrote ${count(Number(w.written_rows))} rows`);
  if (Number(w.read_rows) > 0) parts.push(`read ${count(Number(w.read_rows))} rows, ${bytes(Number(w.read_bytes))}`);
  if (Number(w.memory_usage) >= 1024) parts.push(`${bytes(Number(w.memory_usage))} of memory`);
  $("status").textContent = $("status").title = parts.join(" · ");
  $("empty").hidden = true;
  const use = /^\s*USE\s+(?:DATABASE\s+)?`?(\w+)`?\s*$/i.exec(s.text);
  if (use) { settings.set("database", use[1]); catalog.database = use[1]; }
  if (use || /^\s*(CREATE|DROP|ALTER|RENAME|ATTACH|DETACH|EXCHANGE|UNDROP)\b/i.test(s.text)) await loadCatalog();
}

function showProgress(p, seconds) {
  const parts = [`${seconds.toFixed(1)} s`];
  if (p.rows) parts.push(`${short(p.rows)} rows${p.total > p.rows ? ` of ${short(p.total)}` : ""}`, `${short(p.rows / seconds)} rows/s`, bytes(p.bytes));
  if (p.memory >= 1024) parts.push(`${bytes(p.memory)} of memory`);
  if (p.shown) parts.push(`${count(p.shown)} received`);
  $("status").textContent = parts.join(" · ");
  const bar = $("progress");
  bar.hidden = seconds < 0.3;
  if (p.total > 0) bar.value = Math.min(1, p.rows / p.total); else bar.removeAttribute("value");
}

function cancel() {
  if (!running || running.cancelled) return;
  running.cancelled = true;
  kill(running.id).catch(() => {}); // the connection that ends below tells the server too
  running.abort.abort();
}

function clear() {
  table.reset([]);
  chart.set([], []);
  show("table");
  last = null;
  $("error").hidden = true;
  $("error").replaceChildren();
  $("status").textContent = "";
  $("empty").hidden = true;
  $("copy").hidden = $("download").hidden = $("views").hidden = true;
}

let view = "table"; // or "chart": what the user chose last

function show(as) {
  for (const [id, name] of [["result", "table"], ["chart", "chart"], ["picture", "picture"]]) {
    $(id).hidden = as !== name;
    $("as-" + name).setAttribute("aria-pressed", as === name);
  }
  if (as === "chart") chart.draw();
  else if (as === "picture") drawPlan($("picture"), table.rows.map(r => r[0]));
  else table.later();
}

// fail shows an error: its code, its words, and the place in the statement where the server saw it.
function fail(e) {
  const box = $("error"), s = e.statement;
  $("status").textContent = e.seconds ? `${e.seconds.toFixed(3)} s` : "";
  box.replaceChildren();
  box.hidden = false;
  if (e.name === "AbortError") { box.append(line("Cancelled", "code")); return; }
  if (e instanceof QueryError && e.code) box.append(line(`${e.codeName || "ERROR"} ${e.code}`, "code"));
  else if (!(e instanceof QueryError)) box.append(line("No answer", "code"));
  box.append(line(e.message, "words"));
  const at = s && e instanceof QueryError ? placeOf(e, s.text) : null;
  if (!at) return;
  const pre = document.createElement("pre"), from = s.text.lastIndexOf("\n", at.start - 1) + 1;
  const to = s.text.indexOf("\n", at.start) < 0 ? s.text.length : s.text.indexOf("\n", at.start);
  const bad = document.createElement("mark");
  bad.textContent = s.text.slice(at.start, Math.min(at.end, to)) || " ";
  pre.append(s.text.slice(Math.max(from, at.start - 60), at.start), bad, s.text.slice(Math.min(at.end, to), Math.min(to, at.end + 60)));
  box.append(pre);
  const shift = s.start - (s.shift || 0);
  if (editor.value.slice(s.start, s.end) === (s.typed ?? s.text) && shift + at.start >= s.start) editor.markError(shift + at.start, shift + at.end);
}

// placeOf finds where a statement is wrong: at the position that a syntax error has, else at the name the message quotes.
function placeOf(e, sql) {
  if (e.position >= 0) {
    const start = Math.min(byteOffset(sql, e.position), sql.length);
    const word = /^[\p{L}\p{N}_]+|^[^\s]/u.exec(sql.slice(start));
    return { start, end: start + (word ? word[0].length : 1) };
  }
  const quoted = /[`']([^`']+)[`']/.exec(e.message), wanted = quoted && quoted[1].split(".").at(-1);
  return wanted && tokens(sql).find(t => (t.kind === "word" && t.text === wanted) || (t.kind === "quoted" && t.text.slice(1, -1) === wanted)) || null;
}

function line(text, name) {
  const div = document.createElement("div");
  div.className = name;
  div.textContent = text;
  return div;
}

// showOther shows an answer in the format that the statement names.
function showOther(got) {
  if (got.text === undefined) {
    $("result").replaceChildren(line(`${got.format}, ${bytes(got.blob.size)}: not text`, "note"), button("Save", () => saveBlob(got.blob, got.format)));
    return;
  }
  const pre = document.createElement("pre");
  pre.textContent = got.text.slice(0, mostText);
  $("result").replaceChildren(pre);
  if (got.text.length > mostText) $("result").prepend(line(`The first ${count(mostText)} of ${count(got.text.length)} characters`, "note"));
}

function button(text, act) {
  const b = document.createElement("button");
  b.textContent = text;
  b.onclick = act;
  return b;
}

// ---- what leaves the page

const endings = { CSVWithNames: "csv", JSONEachRow: "jsonl", JSON: "json", Parquet: "parquet" };

async function download(format) {
  if (!last) return;
  $("status").textContent = `Fetching ${endings[format]}`;
  try {
    const answer = await post(last.sql, { ...settings.params, default_format: format });
    if (!answer.ok) throw new QueryError(await answer.text());
    const blob = await answer.blob();
    saveBlob(blob, format);
    $("status").textContent = `Saved ${bytes(blob.size)}`;
  } catch (e) {
    fail(e);
  }
}

function saveBlob(blob, format) {
  const a = document.createElement("a");
  a.href = URL.createObjectURL(blob);
  a.download = `olapd-${new Date().toISOString().slice(0, 19).replace(/[:T]/g, "-")}.${endings[format] || format.toLowerCase()}`;
  a.click();
  setTimeout(() => URL.revokeObjectURL(a.href), 10000);
}

let linking = 0;
function link() {
  clearTimeout(linking);
  linking = setTimeout(() => history.replaceState(null, "", "#" + (secret(editor.value) ? "" : encodeURIComponent(editor.value))), 300);
}

function fromLink() {
  try { return decodeURIComponent(location.hash.slice(1)); } catch { return location.hash.slice(1); }
}

// ---- the side

function showStatement(sql, runIt) {
  const had = statements(editor.value).some(s => s.text === sql);
  if (!had) editor.value = editor.value.trim() ? `${editor.value.trim().replace(/;$/, "")};\n\n${sql}` : sql;
  const at = editor.value.lastIndexOf(sql);
  editor.text.focus();
  editor.text.setSelectionRange(at, at);
  editor.text.scrollTop = editor.value.slice(0, at).split("\n").length * editor.cell().height - 60;
  if (runIt) go();
}

function drawHistory() {
  const list = $("history");
  list.replaceChildren(...load("history", []).map(h => {
    const li = document.createElement("li"), b = document.createElement("button"), when = document.createElement("small");
    b.textContent = h.sql.replace(/\s+/g, " ").slice(0, 300);
    b.title = h.sql;
    b.onclick = () => showStatement(h.sql, false);
    when.textContent = new Date(h.at).toLocaleString();
    li.append(b, when);
    return li;
  }));
  if (!list.children.length) list.append(Object.assign(document.createElement("li"), { className: "dim", textContent: "Nothing has run yet" }));
}

async function loadCatalog() {
  const mine = starts;
  try {
    await catalog.load(() => mine === starts);
  } catch (e) {
    if (mine !== starts) return;
    if (!(e instanceof QueryError)) throw e;
    Object.assign(catalog, { databases: [], tables: [], columns: [] }); // this user may not see them
  }
  schema.draw();
}

function tabs() {
  const all = [...document.querySelectorAll("#side [role=tab]")];
  const choose = tab => {
    for (const t of all) {
      const on = t === tab;
      t.setAttribute("aria-selected", on);
      t.tabIndex = on ? 0 : -1;
      $(t.getAttribute("aria-controls")).hidden = !on;
    }
    save("tab", tab.id);
  };
  for (const [i, t] of all.entries()) {
    t.onclick = () => choose(t);
    t.onkeydown = e => {
      const step = { ArrowRight: 1, ArrowLeft: -1 }[e.key];
      if (step) { const to = all[(i + step + all.length) % all.length]; choose(to); to.focus(); }
    };
  }
  choose($(load("tab", "tab-schema")) || all[0]);
}

// ---- start

const live = new Live($("live-page"));

// turn shows one of the two pages.
function turn(toLive) {
  $("live-page").hidden = !toLive;
  $("query-page").hidden = toLive;
  for (const [id, on] of [["go-live", toLive], ["go-query", !toLive]]) if (on) $(id).setAttribute("aria-current", "page"); else $(id).removeAttribute("aria-current");
  history.replaceState(null, "", (toLive ? "?live" : location.pathname) + location.hash);
  if (toLive) live.start(); else live.stop();
}

let starts = 0;

// start begins anew as the user who is typed in; of several at a time the last one counts.
async function start() {
  const mine = ++starts;
  $("user").value = login.user;
  $("password").value = login.password;
  own.quiet = false;
  try {
    const server = await connect();
    if (mine !== starts) return;
    own.quiet = server.readonly !== "1";
    document.title = server.name === "olapd" ? "olapd play" : `${server.name} · olapd play`;
    $("server").textContent = `${server.name} · compatible with ClickHouse ${server.version}`;
    $("login").classList.remove("refused");
  } catch (e) {
    if (mine !== starts) return;
    $("server").textContent = e instanceof QueryError && (e.code === 516 || e.code === 194) ? "Who are you? User or password is wrong" : e.message;
    $("login").classList.add("refused");
    Object.assign(catalog, { databases: [], tables: [], columns: [], words: [] });
    schema.draw();
    return;
  }
  live.forget();
  await loadCatalog();
  await catalog.loadWords().catch(() => {}); // completion then knows less
}

function theme(next) {
  if (next) save("theme", { auto: "light", light: "dark", dark: "auto" }[load("theme", "auto")]);
  const now = load("theme", "auto");
  document.documentElement.dataset.theme = now;
  $("theme").textContent = { auto: "◐ Auto", light: "○ Light", dark: "● Dark" }[now];
}

for (const [name, sql] of examples) $("examples").append(new Option(name, sql));
$("examples").onchange = e => { if (e.target.value) showStatement(e.target.value, false); e.target.value = ""; };
$("run").onclick = go;
$("explain").onclick = explain;
$("cancel").onclick = cancel;
for (const as of ["table", "chart", "picture"]) $("as-" + as).onclick = () => { if (as !== "picture" && $("as-picture").hidden) view = as; show(as); };
$("copy").onclick = () => copy(table.tsv()).then(() => { $("status").textContent = `Copied ${count(table.rows.length)} rows`; }, e => fail(e));
$("download").onchange = e => { if (e.target.value) download(e.target.value); e.target.value = ""; };
$("theme").onclick = () => theme(true);
$("reload").onclick = loadCatalog;
$("login").onsubmit = e => e.preventDefault();
$("login").onchange = () => { setLogin($("user").value, $("password").value); start(); };
document.addEventListener("keydown", e => { if (e.key === "Escape" && running && !editor.completion.shown) cancel(); });
window.addEventListener("hashchange", () => { if (fromLink() !== editor.value) editor.value = fromLink(); });

for (const id of ["go-live", "go-query"]) {
  $(id).onclick = e => {
    if (e.ctrlKey || e.metaKey || e.shiftKey) return; // a tab of its own
    e.preventDefault();
    turn(id === "go-live");
  };
}

theme(false);
tabs();
drawHistory();
editor.value = fromLink() || "SELECT 'Hello, olapd' AS greeting, version() AS version, now() AS time";
editor.text.focus();
const first = location.search === "?live";
$("live-page").hidden = !first;
$("query-page").hidden = first;
await start();
turn(first);
