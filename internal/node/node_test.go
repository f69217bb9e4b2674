package node

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"testing"

	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/internal/vfs"
	"github.com/olapd/olapd/query"
)

// open starts a node over fs without listeners.
func open(t *testing.T, fs vfs.FS) *Node {
	t.Helper()
	cfg := DefaultConfig()
	cfg.Data, cfg.HTTP, cfg.FS, cfg.Memory = "/data", "", fs, 1<<30
	cfg.Logger = slog.New(slog.DiscardHandler)
	n, err := Open(context.Background(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// run executes a statement and returns its rows as TSV.
func run(t *testing.T, n *Node, sql string, settings ...string) (string, error) {
	t.Helper()
	s, err := n.Engine().NewSession(query.SessionOptions{})
	if err != nil {
		t.Fatal(err)
	}
	q := query.Query{Text: sql, Settings: map[string]string{}}
	if head, data, ok := strings.Cut(sql, "\x00"); ok {
		q.Text, q.Body = head, strings.NewReader(data)
	}
	for i := 0; i < len(settings); i += 2 {
		q.Settings[settings[i]] = settings[i+1]
	}
	res, err := s.Execute(context.Background(), q)
	if err != nil {
		return "", err
	}
	defer res.Close()
	var b strings.Builder
	err = res.Render(&b, "TSV")
	return b.String(), err
}

func must(t *testing.T, n *Node, sql string, settings ...string) string {
	t.Helper()
	out, err := run(t, n, sql, settings...)
	if err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	return out
}

func expect(t *testing.T, n *Node, sql, want string) {
	t.Helper()
	if got := must(t, n, sql); got != want {
		t.Errorf("%s: got %q, want %q", sql, got, want)
	}
}

// The statements of the people who asked for this system.
func TestEventsAndRollup(t *testing.T) {
	fs := vfs.NewMem()
	n := open(t, fs)
	must(t, n, `CREATE TABLE events (event_id UUID, user_id UInt64, event_type String, timestamp DateTime, properties String,
		response_time Float64, date Date MATERIALIZED toDate(timestamp)) ENGINE = MergeTree() PARTITION BY toYYYYMM(date) ORDER BY (user_id, timestamp)
		SETTINGS index_granularity = 8192`)
	must(t, n, `CREATE MATERIALIZED VIEW events_hourly ENGINE = SummingMergeTree() PARTITION BY toYYYYMM(hour) ORDER BY (hour, event_type)
		AS SELECT toStartOfHour(timestamp) AS hour, event_type, count() AS event_count, uniq(user_id) AS unique_users
		FROM events GROUP BY hour, event_type`)
	must(t, n, `INSERT INTO events (event_id, user_id, event_type, timestamp, properties, response_time)
		SELECT toUUID('61f0c404-5cb3-11e7-907b-a6006ad3dba0'), number % 10, ['click', 'view'][number % 2 + 1], toDateTime('2026-01-02 03:00:00') + number, '{}', number FROM numbers(7200)`)
	const rollup = "SELECT hour, event_type, sum(event_count), max(unique_users) FROM events_hourly GROUP BY hour, event_type ORDER BY hour, event_type"
	const base = "SELECT toStartOfHour(timestamp) AS hour, event_type, count(), uniq(user_id) FROM events GROUP BY hour, event_type ORDER BY hour, event_type"
	want := "2026-01-02 03:00:00\tclick\t1800\t5\n2026-01-02 03:00:00\tview\t1800\t5\n2026-01-02 04:00:00\tclick\t1800\t5\n2026-01-02 04:00:00\tview\t1800\t5\n"
	expect(t, n, rollup, want)
	expect(t, n, base, want)
	expect(t, n, "SELECT event_type, quantile(0.95)(response_time) FROM events WHERE date = '2026-01-02' GROUP BY event_type ORDER BY event_type", "click\t6838.099999999999\nview\t6839.0999999999985\n")
	if err := n.Close(); err != nil {
		t.Fatal(err)
	}
	n = open(t, fs)
	defer n.Close()
	expect(t, n, rollup, want)
	must(t, n, "OPTIMIZE TABLE events FINAL")
	expect(t, n, base, want)
	must(t, n, "DROP TABLE events_hourly")
	must(t, n, "DROP TABLE events")
	expect(t, n, "SHOW TABLES", "")
}

// An insert too large for the log becomes segments, of the table and of its rollups, in one commit; an error leaves nothing.
func TestLargeInsert(t *testing.T) {
	n := open(t, vfs.NewMem())
	defer n.Close()
	must(t, n, "CREATE TABLE t (k UInt64, v String) ENGINE = MergeTree ORDER BY k PARTITION BY k % 2")
	must(t, n, "CREATE TABLE sums (k UInt64, n UInt64) ENGINE = SummingMergeTree ORDER BY k")
	must(t, n, "CREATE MATERIALIZED VIEW mv TO sums AS SELECT k % 10 AS k, count() AS n FROM t GROUP BY k")
	const rows = "INSERT INTO t SELECT number, repeat('x', 20) FROM numbers(300000)"
	if _, err := run(t, n, "INSERT INTO t SELECT number, if(throwIf(number = 299999) = 0, 'x', '') FROM numbers(300000)"); !sqlerr.Is(err, sqlerr.FunctionThrowIfValueIsNonZero) {
		t.Fatalf("%v", err)
	}
	expect(t, n, "SELECT (SELECT count() FROM t), (SELECT count() FROM sums)", "0\t0\n")
	for range 2 {
		must(t, n, rows, "insert_deduplication_token", "once")
	}
	expect(t, n, "SELECT count(), uniqExact(k), sum(length(v)) FROM t", "300000\t300000\t6000000\n")
	expect(t, n, "SELECT count(), sum(n) FROM (SELECT k, sum(n) AS n FROM sums GROUP BY k)", "10\t300000\n")
	expect(t, n, "SELECT count() > 1 FROM system.parts WHERE table = 't' AND active", "1\n")
}

// Repeats of an insert take effect once, for the table and its rollups, by token or by the rows themselves.
func TestDeduplication(t *testing.T) {
	fs := vfs.NewMem()
	n := open(t, fs)
	must(t, n, "CREATE TABLE t (k UInt64) ENGINE = MergeTree ORDER BY k SETTINGS non_replicated_deduplication_window = 100")
	must(t, n, "CREATE MATERIALIZED VIEW c ENGINE = SummingMergeTree ORDER BY tuple() AS SELECT count() AS n FROM t")
	insert := func(values string, settings ...string) { must(t, n, "INSERT INTO t VALUES "+values, settings...) }
	insert("(1)", "insert_deduplication_token", "a")
	insert("(1)", "insert_deduplication_token", "a")
	insert("(1)", "insert_deduplication_token", "b")
	expect(t, n, "SELECT count() FROM t", "2\n")
	if err := n.Close(); err != nil {
		t.Fatal(err)
	}
	n = open(t, fs)
	defer n.Close()
	insert("(1)", "insert_deduplication_token", "a")
	expect(t, n, "SELECT (SELECT count() FROM t), (SELECT sum(n) FROM c)", "2\t2\n")
}

func TestModesAndTTL(t *testing.T) {
	n := open(t, vfs.NewMem())
	defer n.Close()
	must(t, n, "CREATE TABLE r (k UInt8, v UInt8, s String) ENGINE = ReplacingMergeTree(v) ORDER BY k")
	must(t, n, "INSERT INTO r VALUES (1, 2, 'b')")
	must(t, n, "INSERT INTO r VALUES (1, 1, 'a')")
	expect(t, n, "SELECT count() FROM r", "2\n")
	expect(t, n, "SELECT * FROM r FINAL", "1\t2\tb\n")
	must(t, n, "OPTIMIZE TABLE r FINAL")
	expect(t, n, "SELECT * FROM r", "1\t2\tb\n")

	must(t, n, "CREATE TABLE a (k UInt8, u AggregateFunction(uniq, UInt64), m SimpleAggregateFunction(max, UInt64)) ENGINE = AggregatingMergeTree ORDER BY k")
	for i := range 3 {
		must(t, n, fmt.Sprintf("INSERT INTO a SELECT 1, uniqState(number + %d), max(number) FROM numbers(10)", 5*i))
	}
	must(t, n, "OPTIMIZE TABLE a FINAL")
	expect(t, n, "SELECT count(), uniqMerge(u), max(m) FROM a", "1\t20\t9\n")

	must(t, n, "CREATE TABLE e (k UInt8, at DateTime) ENGINE = MergeTree ORDER BY k TTL at + INTERVAL 1 DAY")
	must(t, n, "INSERT INTO e VALUES (1, now()), (2, '2020-01-01 00:00:00')")
	must(t, n, "OPTIMIZE TABLE e FINAL")
	expect(t, n, "SELECT k FROM e", "1\n")

	must(t, n, "CREATE TABLE m (k UInt8) ENGINE = Memory")
	must(t, n, "INSERT INTO m VALUES (1), (2)")
	must(t, n, "CREATE TABLE nothing (k UInt8) ENGINE = Null")
	must(t, n, "CREATE MATERIALIZED VIEW through TO m AS SELECT k FROM nothing")
	must(t, n, "INSERT INTO nothing VALUES (3)")
	expect(t, n, "SELECT count(), max(k) FROM m", "3\t3\n")
	expect(t, n, "SELECT count() FROM nothing", "0\n")
	must(t, n, "TRUNCATE TABLE m")
	expect(t, n, "SELECT count() FROM m", "0\n")
}

// Columns that came with an ALTER have their default in older rows.
func TestAlter(t *testing.T) {
	n := open(t, vfs.NewMem())
	defer n.Close()
	must(t, n, "CREATE TABLE t (k UInt8) ENGINE = MergeTree ORDER BY k")
	must(t, n, "INSERT INTO t VALUES (1)")
	must(t, n, "OPTIMIZE TABLE t FINAL")
	must(t, n, "INSERT INTO t VALUES (2)")
	must(t, n, "ALTER TABLE t ADD COLUMN d UInt16 DEFAULT k * 10, ADD COLUMN s String")
	must(t, n, "INSERT INTO t VALUES (3, 5, 'x')")
	const want = "1\t10\t\n2\t20\t\n3\t5\tx\n"
	expect(t, n, "SELECT k, d, s FROM t ORDER BY k", want)
	must(t, n, "OPTIMIZE TABLE t FINAL")
	expect(t, n, "SELECT k, d, s FROM t ORDER BY k", want)
	expect(t, n, "SELECT k FROM t WHERE d = 20", "2\n")
}

// The data keeps the time zone it was written with.
func TestZoneIsKept(t *testing.T) {
	fs := vfs.NewMem()
	if err := open(t, fs).Close(); err != nil {
		t.Fatal(err)
	}
	cfg := DefaultConfig()
	cfg.Data, cfg.HTTP, cfg.FS, cfg.TimeZone, cfg.Logger = "/data", "", fs, "Europe/Berlin", slog.New(slog.DiscardHandler)
	if _, err := Open(context.Background(), cfg); err == nil || !strings.Contains(err.Error(), "time zone UTC") {
		t.Errorf("%v", err)
	}
	n := open(t, fs)
	if _, err := Open(context.Background(), Config{Data: "/data", FS: fs, LogLevel: "info", Logger: cfg.Logger}); err == nil || !strings.Contains(err.Error(), "in use") {
		t.Errorf("a second node on the same data: %v", err)
	}
	if err := n.Close(); err != nil {
		t.Error(err)
	}
}

func TestLoadConfig(t *testing.T) {
	dir := t.TempDir()
	file := dir + "/olapd.yaml"
	if err := vfs.WriteFileAtomic(vfs.Disk(), file, []byte("data: /from/file\nmemory: 5\nusers:\n  eve: {password: x, readonly: true}\n")); err != nil {
		t.Fatal(err)
	}
	c, err := LoadConfig([]string{"--config", file, "--http", "127.0.0.1:1"}, []string{"OLAPD_DATA=/from/env", "OLAPD_HTTP=127.0.0.1:2", "OLAPD_MEMORY=2GiB"}, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	if c.Data != "/from/env" || c.HTTP != "127.0.0.1:1" || c.Memory != 2<<30 || !c.Users["eve"].ReadOnly {
		t.Errorf("%+v", c)
	}
	for _, bad := range [][]string{
		{"--http", "0.0.0.0:8123"}, {"--timezone", "Mars/Base"}, {"--log-level", "loud"}, {"--memory", "much"}, {"--nonsense"}, {"extra"},
		{"--config", dir + "/none.yaml"}, {"--data", ""}, {"--https", "127.0.0.1:1"}, {"--native-tls", "127.0.0.1:1", "--tls-cert", "x"},
		{"--https", "0.0.0.0:1", "--tls-cert", "x", "--tls-key", "y"},
	} {
		if _, err := LoadConfig(bad, nil, io.Discard); err == nil {
			t.Errorf("%v was accepted", bad)
		}
	}
	if err := vfs.WriteFileAtomic(vfs.Disk(), file, []byte("dta: typo\n")); err != nil {
		t.Fatal(err)
	}
	if _, err := LoadConfig([]string{"--config", file}, nil, io.Discard); err == nil || !strings.Contains(err.Error(), "dta") {
		t.Errorf("%v", err)
	}
}

// Grafana's ad-hoc filters come as this setting, a map literal.
func TestAdditionalTableFilters(t *testing.T) {
	n := open(t, vfs.NewMem())
	defer n.Close()
	must(t, n, "CREATE TABLE t (k UInt8, s String) ENGINE = MergeTree ORDER BY k")
	must(t, n, "INSERT INTO t VALUES (1, 'a:b'), (2, 'c')")
	for _, filters := range []string{`{'default.t':'s = \'a:b\''}`, `{'t' : 'k < 2'}`, `map('t', 'k = 1')`} {
		if got := must(t, n, "SELECT k FROM t", "additional_table_filters", filters); got != "1\n" {
			t.Errorf("%s: %q", filters, got)
		}
	}
}
