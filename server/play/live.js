// The live page: what the server does now. It asks a few cheap questions of the system tables every two seconds while it is
// looked at; what the user may not read is left out.
import { rows, own, kill, QueryError, ownPrefix, count, short, bytes } from "./http.js";
import { svg } from "./chart.js";

const every = 2000, afterFailure = 5000, kept = 150; // milliseconds; samples of a figure, five minutes

const questions = {
  events: "SELECT event, toString(value) FROM system.events WHERE event IN ('Query', 'FailedQuery', 'SelectedRows', 'InsertedRows', 'InsertedBytes')",
  metrics: "SELECT metric, toString(value) FROM system.metrics",
  queries: `SELECT query_id, user, round(elapsed, 1), toString(read_rows), toString(total_rows_approx), toString(memory_usage), query FROM system.processes
    WHERE query_id NOT LIKE '${ownPrefix}%' ORDER BY elapsed DESC LIMIT 50`,
  merges: `SELECT database, table, merge_type, num_parts, round(progress, 3), round(elapsed, 1), toString(rows_read), toString(total_size_bytes_compressed) FROM system.merges ORDER BY elapsed DESC LIMIT 50`,
  kafka: `SELECT database, table, state, toString(arraySum(\`assignments.lag\`)), toString(num_messages_read), length(\`assignments.topic\`), toString(last_poll_time),
    if(empty(\`exceptions.text\`), '', \`exceptions.text\`[-1]) FROM system.kafka_consumers ORDER BY database, table LIMIT 100`,
  tables: `SELECT t.database, if(v.name = '', t.name, v.name || ' (rollup)'), toString(t.total_rows), toString(t.total_bytes), toString(p.segments), toString(p.partitions), toString(p.level) FROM system.tables AS t
    LEFT JOIN (SELECT database, table, count() AS segments, uniqExact(partition_id) AS partitions, max(level) AS level FROM system.parts WHERE active GROUP BY database, table) AS p
    ON p.database = t.database AND p.table = t.name
    LEFT JOIN (SELECT '.inner_id.' || toString(uuid) AS rows_of, name FROM system.tables WHERE engine = 'MaterializedView') AS v ON v.rows_of = t.name WHERE t.has_own_data AND t.total_rows IS NOT NULL ORDER BY t.total_rows DESC LIMIT 40`,
  nodes: "SELECT name, state, is_local, is_reachable, replicas, shards_led, http FROM system.nodes ORDER BY name",
  shards: "SELECT shard, leader, arrayStringConcat(voters, ', '), arrayStringConcat(learners, ', '), toString(term), toString(commit_index) FROM system.shards ORDER BY shard",
};

export class Live {
  constructor(page) {
    this.page = page;
    this.figures = page.querySelector("#figures");
    this.cards = page.querySelector("#cards");
    this.state = page.querySelector("#live-state");
    this.pause = page.querySelector("#live-pause");
    this.pause.onclick = () => {
      this.paused = !this.paused;
      this.pause.setAttribute("aria-pressed", this.paused);
      this.pause.textContent = this.paused ? "Go on" : "Pause";
      this.next(0);
    };
    document.addEventListener("visibilitychange", () => this.next(0));
    this.forget();
  }

  // forget begins anew, for another user.
  forget() {
    this.denied = new Set();
    this.samples = new Map(); // figure → its last values
    this.before = null; // counters of the last look
    this.turn = (this.turn || 0) + 1;
    this.figures.replaceChildren();
    this.cards.replaceChildren();
  }

  start() { this.on = true; this.before = null; this.next(0); }

  stop() { this.on = false; clearTimeout(this.timer); }

  next(wait) {
    clearTimeout(this.timer);
    if (this.on && !this.paused && !document.hidden) this.timer = setTimeout(() => this.look(), wait);
  }

  // look asks everything once, one after the other, and draws.
  async look() {
    if (this.looking) return;
    this.looking = true;
    let wait = every;
    try {
      const got = { at: performance.now() }, turn = this.turn;
      for (const [name, sql] of Object.entries(questions)) {
        if (name === "events") got.own = { queries: own.queries, rows: own.rows };
        if (!this.denied.has(name)) got[name] = await this.ask(name, sql);
      }
      if (turn === this.turn) this.draw(got);
      this.state.textContent = `as of ${new Date().toLocaleTimeString()}`;
      this.state.classList.remove("bad");
    } catch (e) {
      wait = afterFailure;
      this.state.textContent = `No answer: ${e.message}`;
      this.state.classList.add("bad");
    }
    this.looking = false;
    this.next(wait);
  }

  async ask(name, sql) {
    try {
      return await rows(sql);
    } catch (e) {
      if (!(e instanceof QueryError) || e.code !== 497) throw e;
      this.denied.add(name);
      return undefined;
    }
  }

  draw(got) {
    const now = counters(got), last = this.before, seconds = last ? (now.at - last.at) / 1000 : 0;
    const rate = (key, at) => last && now[key]?.has(at) && last[key]?.has(at) ? Math.max(0, now[key].get(at) - last[key].get(at)) / seconds : null;
    this.before = now;
    const figures = [];
    if (got.events) figures.push(["Queries", rate("events", "Query"), v => short(v) + "/s"], ["Rows read", rate("events", "SelectedRows"), v => short(v) + "/s"]); // without those of this page
    if (got.tables) figures.push(["Rows stored", rateSum(now.rows, last?.rows, seconds), v => short(v) + "/s"]);
    if (got.kafka?.length) figures.push(["Kafka messages", rateSum(now.kafka, last?.kafka, seconds), v => short(v) + "/s"], ["Kafka lag", sum(got.kafka, 3), short]);
    if (got.metrics) figures.push(["Memory of queries", now.metrics.get("MemoryTracking") ?? null, bytes]);
    if (got.queries) figures.push(["Running", got.queries.length, String]);
    if (got.tables) figures.push(["Segments", sum(got.tables, 4), count]);
    if (got.merges) figures.push(["Merges", got.merges.length, String]);
    for (const [name, value, write] of figures) this.figure(name, value, write);
    this.tables(got, rate);
  }

  figure(name, value, write) {
    if (!this.samples.has(name)) this.samples.set(name, []);
    const values = this.samples.get(name);
    if (value !== null) values.push(value);
    if (values.length > kept) values.shift();
    let tile = [...this.figures.children].find(t => t.dataset.name === name);
    if (!tile) {
      tile = document.createElement("div");
      tile.className = "figure";
      tile.dataset.name = name;
      tile.append(Object.assign(document.createElement("small"), { textContent: name }), document.createElement("b"));
      this.figures.append(tile);
    }
    tile.querySelector("b").textContent = value === null ? "–" : write(value);
    tile.querySelector("svg")?.remove();
    tile.append(spark(values));
  }

  tables(got, rate) {
    const card = (name, title, heads, lines, none) => this.card(name, title, heads, lines, none);
    if (got.queries) card("queries", "Running queries", ["User", "#Seconds", "#Rows", "#Memory", "Statement", ""], got.queries.map(q => [
      q[1], q[2], Number(q[4]) > Number(q[3]) ? `${short(Number(q[3]))} of ${short(Number(q[4]))}` : short(Number(q[3])), bytes(Math.max(0, Number(q[5]))), q[6].replace(/\s+/g, " "), this.killer(q[0])]), "None");
    if (got.kafka?.length) card("kafka", "Kafka", ["Table", "State", "#Partitions", "#Messages/s", "#Messages", "#Lag", "Last poll", "Error"], got.kafka.map(k => [
      k[0] + "." + k[1], k[2], k[5], figure(rate("kafka", k[0] + "." + k[1])), count(Number(k[4])), count(Number(k[3])), k[6], k[7]]), "");
    if (got.tables) card("tables", "Tables", ["Table", "#Rows", "#Rows/s", "#Size", "#Segments", "#Partitions", "#Level"], got.tables.map(t => [
      t[0] + "." + t[1], count(Number(t[2])), figure(rate("rows", t[0] + "." + t[1])), bytes(Number(t[3])), t[4], t[5], t[6]]), "No table holds data yet");
    if (got.merges) card("merges", "Merges", ["Table", "Kind", "#Segments", "#Done", "#Seconds", "#Rows", "#Size"], got.merges.map(m => [
      m[0] + "." + m[1], m[2], m[3], Math.round(Number(m[4]) * 100) + " %", m[5], short(Number(m[6])), bytes(Number(m[7]))]), "None");
    if (got.nodes) card("nodes", "Nodes", ["Node", "State", "Reachable", "#Replicas", "#Shards led", "HTTP"], got.nodes.map(n => [
      n[0] + (n[2] === "1" ? " (this)" : ""), n[1], n[3] === "1" ? "yes" : "no", n[4], n[5], n[6]]), "");
    if (got.shards) card("shards", "Shards", ["#Shard", "Leader", "Replicas", "Learners", "#Term", "#Committed"], got.shards.map(s => [s[0], s[1], s[2], s[3], s[4], count(Number(s[5]))]), "");
  }

  // card draws a small table; its rows are drawn anew, but not while one of its buttons has the focus and stays.
  card(name, title, heads, lines, none) {
    let box = this.cards.querySelector(`[data-name=${name}]`);
    if (!box) {
      box = document.createElement("section");
      box.dataset.name = name;
      box.append(Object.assign(document.createElement("h2"), { textContent: title }), document.createElement("div"));
      this.cards.append(box);
    }
    const focused = document.activeElement?.dataset?.kill;
    const body = box.lastChild;
    if (!lines.length) { body.replaceChildren(Object.assign(document.createElement("p"), { className: "dim", textContent: none })); return; }
    const table = document.createElement("table"), head = table.createTHead().insertRow(), rest = table.createTBody();
    const right = heads.map(h => h.startsWith("#"));
    heads.forEach((h, i) => head.append(Object.assign(document.createElement("th"), { textContent: h.replace("#", ""), className: right[i] ? "n" : "", scope: "col" })));
    for (const line of lines) {
      const tr = rest.insertRow();
      line.forEach((v, i) => {
        const td = tr.insertCell();
        if (right[i]) td.className = "n";
        if (v instanceof Node) td.append(v); else { td.textContent = v; td.title = v; }
      });
    }
    body.replaceChildren(table);
    if (focused) body.querySelector(`[data-kill="${CSS.escape(focused)}"]`)?.focus();
  }

  killer(id) {
    const b = document.createElement("button");
    b.textContent = "Kill";
    b.dataset.kill = id;
    b.onclick = async () => {
      b.disabled = true;
      try {
        await kill(id);
        this.next(0);
      } catch (e) {
        this.state.textContent = e.message;
        this.state.classList.add("bad");
      }
    };
    return b;
  }
}

// counters are what only grows, by name, at a moment.
function counters(got) {
  const map = (list, key, value) => new Map((list || []).map(r => [key(r), Number(r[value])]));
  const table = r => r[0] + "." + r[1];
  const events = map(got.events, r => r[0], 1);
  if (events.has("Query")) events.set("Query", events.get("Query") - got.own.queries).set("SelectedRows", (events.get("SelectedRows") || 0) - got.own.rows);
  return { at: got.at, events, metrics: map(got.metrics, r => r[0], 1), rows: map(got.tables, table, 2), kafka: map(got.kafka, table, 4) };
}

// rateSum is the growth of all counters that both looks have, a second.
function rateSum(now, last, seconds) {
  if (!last) return null;
  let grown = 0;
  for (const [name, v] of now) if (last.has(name)) grown += Math.max(0, v - last.get(name));
  return grown / seconds;
}

const sum = (list, at) => list.reduce((a, r) => a + Number(r[at] || 0), 0);
const figure = v => v === null ? "" : short(v);

// spark is a line without axes, from zero to the highest of its values.
function spark(values) {
  const wide = 120, high = 26, top = Math.max(...values, 0) || 1, step = wide / (kept - 1);
  const root = svg("svg", { class: "spark", viewBox: `0 0 ${wide} ${high}`, preserveAspectRatio: "none", "aria-hidden": "true" });
  const from = wide - (values.length - 1) * step;
  const d = values.map((v, i) => `${i ? "L" : "M"}${(from + i * step).toFixed(1)} ${(high - 2 - v / top * (high - 4)).toFixed(1)}`).join("");
  if (values.length > 1) root.append(svg("path", { class: "line c0", d }));
  return root;
}
