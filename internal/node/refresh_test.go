package node

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/olapd/olapd/internal/vfs"
)

// TestRefreshableView: a view is computed anew by its schedule and when it is asked for; readers see the old or the new rows.
func TestRefreshableView(t *testing.T) {
	fs := vfs.NewMem()
	n := open(t, fs)
	for _, c := range []struct{ sql, want string }{
		{"CREATE TABLE src (a Int64) ENGINE = MergeTree ORDER BY a", ""},
		{"INSERT INTO src VALUES (1), (2)", ""},
		{"CREATE MATERIALIZED VIEW v REFRESH EVERY 1 YEAR OFFSET 2 MONTH 3 DAY ENGINE = MergeTree ORDER BY n AS SELECT count() AS n, max(a) AS m FROM src", ""},
		{"SYSTEM WAIT VIEW v", ""},
		{"SELECT * FROM v", "2\t2\n"},
		{"INSERT INTO src SELECT number FROM numbers(10)", ""},
		{"SELECT * FROM v", "2\t2\n"},
		{"SYSTEM REFRESH VIEW v", ""},
		{"SYSTEM WAIT VIEW v", ""},
		{"SELECT * FROM v", "12\t9\n"},
		{"SELECT status, exception, retry, written_rows, last_refresh_replica != '', next_refresh_time > now() FROM system.view_refreshes", "Scheduled\t\t0\t1\t1\t1\n"},
		{"SHOW CREATE v", "CREATE MATERIALIZED VIEW default.v\\nREFRESH EVERY 1 YEAR OFFSET 2 MONTH 3 DAY\\n(\\n    `n` UInt64,\\n    `m` Int64\\n)\\nENGINE = MergeTree\\nORDER BY n\\nSETTINGS index_granularity = 8192\\n" +
			"DEFINER = default SQL SECURITY DEFINER\\nAS SELECT\\n    count() AS n,\\n    max(a) AS m\\nFROM default.src\n"},
		{"INSERT INTO v VALUES (100, 100)", ""},
		{"SELECT sum(n) FROM v", "112\n"},
		// into a table that is there, which other views read and write
		{"CREATE TABLE t (a Int64, twice Int64 DEFAULT a * 2, s String) ENGINE = MergeTree ORDER BY a", ""},
		{"INSERT INTO t (a, s) VALUES (-1, 'old')", ""},
		{"CREATE VIEW plain AS SELECT sum(a) AS x, sum(twice) AS y, any(s) AS z FROM t", ""},
		{"CREATE MATERIALIZED VIEW follows ENGINE = MergeTree ORDER BY a AS SELECT a FROM t", ""},
		{"CREATE MATERIALIZED VIEW w REFRESH AFTER 1 DAY TO t AS SELECT a FROM src WHERE a < 3", ""},
		{"SYSTEM WAIT VIEW w", ""},
		{"SELECT * FROM plain", "6\t12\t\n"},
		{"SELECT count() FROM w", "5\n"},
		{"INSERT INTO t (a) VALUES (50)", ""}, // the table that has taken t's place feeds what t has fed
		{"SELECT * FROM follows", "50\n"},
		{"SELECT status, next_refresh_time - last_success_time FROM system.view_refreshes WHERE view = 'w'", "Scheduled\t86400\n"},
		// rows are added
		{"CREATE MATERIALIZED VIEW log REFRESH EVERY 1 MONTH APPEND ENGINE = MergeTree ORDER BY n EMPTY AS SELECT count() AS n FROM src", ""},
		{"SYSTEM WAIT VIEW log", ""},
		{"SELECT count() FROM log", "0\n"},
		{"SYSTEM REFRESH VIEW log", ""}, {"SYSTEM WAIT VIEW log", ""},
		{"SYSTEM REFRESH VIEW log", ""}, {"SYSTEM WAIT VIEW log", ""},
		{"SELECT n FROM log", "12\n12\n"},
		// errors
		{"CREATE MATERIALIZED VIEW bad REFRESH EVERY 1 YEAR SETTINGS refresh_retries = 1, refresh_retry_initial_backoff_ms = 1 ENGINE = MergeTree ORDER BY x AS SELECT throwIf(a > 5, 'too many') AS x FROM src", ""},
		{"SYSTEM WAIT VIEW bad", "Refresh failed: Code: 395. DB::Exception: too many"},
		{"SELECT status, exception LIKE 'Code: 395%', retry, isNull(last_success_time) FROM system.view_refreshes WHERE view = 'bad'", "Scheduled\t1\t0\t1\n"},
		{"SELECT count() FROM bad", "0\n"},
		{"ALTER TABLE bad MODIFY QUERY SELECT toUInt8(7) AS x", ""},
		{"SYSTEM REFRESH VIEW bad", ""}, {"SYSTEM WAIT VIEW bad", ""}, {"SELECT x FROM bad", "7\n"},
		{"ALTER TABLE bad MODIFY QUERY SELECT 7 AS y", "not found in the target table"},
		{"ALTER TABLE log MODIFY REFRESH EVERY 1 DAY", "Adding or removing APPEND"},
		{"ALTER TABLE log MODIFY REFRESH AFTER 2 HOUR RANDOMIZE FOR 1 HOUR DEPENDS ON v SETTINGS refresh_retries = 3 APPEND", ""},
		{"SELECT extract(create_table_query, 'REFRESH [^(]*') FROM system.tables WHERE name = 'log'", "REFRESH AFTER 2 HOUR RANDOMIZE FOR 1 HOUR DEPENDS ON default.v SETTINGS refresh_retries = 3 APPEND \n"},
		{"ALTER TABLE src MODIFY REFRESH EVERY 1 DAY", "no refreshable materialized view"},
		{"SYSTEM REFRESH VIEW src", "Refreshable view default.src doesn't exist"},
		{"SYSTEM REFRESH VIEW nosuch", "Refreshable view default.nosuch doesn't exist"},
		{"CREATE MATERIALIZED VIEW e REFRESH EVERY 0 HOUR ENGINE = Memory AS SELECT 1 AS a", "Interval must be positive"},
		{"CREATE MATERIALIZED VIEW e REFRESH EVERY 1 HOUR OFFSET 2 HOUR ENGINE = Memory AS SELECT 1 AS a", "OFFSET must be less"},
		{"CREATE MATERIALIZED VIEW e REFRESH EVERY 1 MONTH 1 HOUR ENGINE = Memory AS SELECT 1 AS a", "both calendar units and clock units"},
		{"CREATE MATERIALIZED VIEW e REFRESH EVERY 1 HOUR SETTINGS max_threads = 1 ENGINE = Memory AS SELECT 1 AS a", "Unknown setting"},
		{"CREATE MATERIALIZED VIEW e REFRESH EVERY 1 HOUR TO t AS SELECT 1 AS nocolumn", "not found in the target table"},
		// stopped, depending on each other, cancelled
		{"SYSTEM STOP VIEW v", ""},
		{"SELECT status, isNull(next_refresh_time) FROM system.view_refreshes WHERE view = 'v'", "Disabled\t1\n"},
		{"SYSTEM REFRESH VIEW v", ""}, {"SYSTEM WAIT VIEW v", ""}, {"SELECT n FROM v", "12\n"},
		{"SYSTEM START VIEWS", ""},
		{"SELECT status FROM system.view_refreshes WHERE view = 'v'", "Scheduled\n"},
		{"CREATE MATERIALIZED VIEW dep REFRESH EVERY 1 HOUR DEPENDS ON nosuch ENGINE = MergeTree ORDER BY a AS SELECT 1 AS a", ""},
		{"SYSTEM WAIT VIEW dep", ""},
		{"SELECT status FROM system.view_refreshes WHERE view = 'dep'", "MissingDependencies\n"},
		{"SYSTEM REFRESH VIEW dep", ""}, {"SYSTEM WAIT VIEW dep", ""}, {"SELECT a FROM dep", "1\n"},
		{"CREATE MATERIALIZED VIEW long REFRESH EVERY 1 YEAR ENGINE = MergeTree ORDER BY x AS SELECT count() AS x FROM system.numbers WHERE number != 1", ""},
		{"SELECT sleepEachRow(0.2) FROM numbers(2) FORMAT Null", ""},
		{"SELECT status, read_rows > 0 FROM system.view_refreshes WHERE view = 'long'", "Running\t1\n"},
		{"SELECT count() FROM system.processes WHERE query_id LIKE 'refresh-%'", "1\n"},
		{"SYSTEM CANCEL VIEW long", ""},
		{"SYSTEM WAIT VIEW long", "cancelled"},
		{"SELECT status FROM system.view_refreshes WHERE view = 'long'", "Scheduled\n"},
		// other names
		{"RENAME TABLE v TO v2", ""}, {"INSERT INTO src VALUES (1000)", ""}, {"SYSTEM REFRESH VIEW v2", ""}, {"SYSTEM WAIT VIEW v2", ""}, {"SELECT m FROM v2", "1000\n"},
		{"EXCHANGE TABLES v2 AND w", ""}, {"SYSTEM REFRESH VIEW w", ""}, {"SYSTEM WAIT VIEW w", ""}, {"SELECT m FROM w", "1000\n"}, {"EXCHANGE TABLES v2 AND w", ""},
		{"DETACH TABLE v2", ""}, {"SELECT count() FROM system.view_refreshes WHERE view = 'v2'", "0\n"}, {"ATTACH TABLE v2", ""}, {"SELECT m FROM v2", "1000\n"},
		{"DROP TABLE long", ""},
	} {
		got, err := run(t, n, c.sql)
		if err != nil {
			got = err.Error()
		}
		if got != c.want && (err == nil || c.want == "" || !strings.Contains(got, c.want)) {
			t.Errorf("%s: %q, want %q", c.sql, got, c.want)
		}
	}
	if err := n.Close(); err != nil {
		t.Fatal(err)
	}
	n = open(t, fs) // what was scheduled is, and nothing else has happened
	defer n.Close()
	if got := must(t, n, "SELECT view, status FROM system.view_refreshes ORDER BY view"); got != "bad\tScheduled\ndep\tMissingDependencies\nlog\tMissingDependencies\nv2\tScheduled\nw\tScheduled\n" {
		t.Errorf("after a restart: %s", got)
	}
	must(t, n, "SYSTEM REFRESH VIEW v2")
	must(t, n, "SYSTEM WAIT VIEW v2")
	if got := must(t, n, "SELECT n FROM v2"); got != "13\n" {
		t.Errorf("after a restart the view has %q", got)
	}
	for _, view := range []string{"w", "v2", "log", "bad", "dep"} {
		must(t, n, "DROP TABLE "+view)
	}
	if got := must(t, n, "SELECT groupArray(name) FROM system.tables WHERE database = 'default' AND name LIKE '.%' AND name NOT IN (SELECT concat('.inner_id.', toString(uuid)) FROM system.tables)"); got != "[]\n" {
		t.Errorf("tables of refreshes stay behind: %s", got)
	}
}

// TestRefreshInCluster: any node asks for refreshes and sees their results, at each instant all rows of one; the one that refreshes may end, and what it was
// about to add is added once.
func TestRefreshInCluster(t *testing.T) {
	s := newSeveral(t, 3, 2, 3)
	one, two := s.nodes["node-1"], s.nodes["node-2"]
	retry := func(n *Node, sql string) { // a leader that hands over may not know the outcome
		s.eventually(sql, func() bool {
			_, err := run(t, n, sql)
			return err == nil
		})
	}
	must(t, one, "CREATE TABLE src (a Int64) ENGINE = MergeTree ORDER BY a SETTINGS sharding_key = 'a'")
	must(t, one, "CREATE TABLE gen (g Int64) ENGINE = ReplacingMergeTree ORDER BY g")
	must(t, one, "CREATE TABLE t (a Int64, g Int64) ENGINE = MergeTree ORDER BY a SETTINGS sharding_key = 'a'")
	retry(one, "INSERT INTO src SELECT number FROM numbers(1000) SETTINGS insert_deduplication_token = 'src'")
	must(t, one, "CREATE MATERIALIZED VIEW v REFRESH EVERY 1 YEAR TO t AS SELECT a, (SELECT max(g) FROM gen) AS g FROM src")
	retry(two, "SYSTEM WAIT VIEW v")
	stop, read := make(chan struct{}), make(chan error, 1)
	go func() {
		for last := ""; ; {
			select {
			case <-stop:
				read <- nil
				return
			default:
			}
			got, err := run(t, two, "SELECT count(), uniqExact(g), max(g) FROM v")
			if err != nil || !strings.HasPrefix(got, "1000\t1\t") || got < last {
				read <- fmt.Errorf("a reader has %q, after %q: %v", got, last, err)
				return
			}
			last = got
		}
	}()
	for g := 1; g <= 5; g++ {
		n := s.nodes[fmt.Sprint("node-", g%3+1)]
		retry(one, fmt.Sprint("INSERT INTO gen VALUES (", g, ")"))
		retry(n, "SYSTEM REFRESH VIEW v")
		retry(n, "SYSTEM WAIT VIEW v")
		if got := must(t, n, "SELECT DISTINCT g FROM v"); got != fmt.Sprint(g, "\n") {
			t.Errorf("refresh %d: %q", g, got)
		}
	}
	close(stop)
	if err := <-read; err != nil {
		t.Error(err)
	}
	must(t, one, "CREATE MATERIALIZED VIEW slow REFRESH EVERY 1 YEAR ENGINE = MergeTree ORDER BY n EMPTY AS SELECT sum(sleepEachRow(0.1)) + count() AS n FROM numbers(20)")
	must(t, one, "CREATE MATERIALIZED VIEW added REFRESH EVERY 1 YEAR APPEND ENGINE = MergeTree ORDER BY n EMPTY AS SELECT sum(sleepEachRow(0.1)) + count() AS n FROM numbers(20)")
	must(t, one, "SYSTEM REFRESH VIEW slow")
	must(t, one, "SYSTEM REFRESH VIEW added")
	s.everywhere("SELECT groupUniqArray(status) FROM system.view_refreshes WHERE view != 'v'", "['Running']\n")
	at := strings.TrimSpace(must(t, one, "SELECT any(last_refresh_replica) FROM system.view_refreshes WHERE status = 'Running'"))
	s.stop(at)
	var left *Node
	for _, left = range s.nodes {
	}
	retry(left, "SYSTEM WAIT VIEW slow")
	retry(left, "SYSTEM WAIT VIEW added")
	if got := must(t, left, "SELECT (SELECT groupArray(n) FROM slow), (SELECT groupArray(n) FROM added), (SELECT countIf(last_refresh_replica != '"+at+"') FROM system.view_refreshes WHERE view != 'v')"); got != "[20]\t[20]\t2\n" {
		t.Errorf("after %s has gone: %s", at, got)
	}
}

// TestRefreshableViewBackup: a backup has the view, its rows and what it writes to, whatever table holds them by then; databases may be renamed.
func TestRefreshableViewBackup(t *testing.T) {
	n := open(t, vfs.NewMem())
	defer n.Close()
	for _, c := range []struct{ sql, want string }{
		{"CREATE DATABASE shop", ""},
		{"CREATE TABLE shop.src (a Int64) ENGINE = MergeTree ORDER BY a", ""},
		{"INSERT INTO shop.src VALUES (1), (2)", ""},
		{"CREATE TABLE shop.t (a Int64) ENGINE = MergeTree ORDER BY a", ""},
		{"CREATE MATERIALIZED VIEW shop.v REFRESH EVERY 1 YEAR ENGINE = MergeTree ORDER BY n AS SELECT count() AS n FROM shop.src", ""},
		{"CREATE MATERIALIZED VIEW shop.w REFRESH EVERY 1 YEAR DEPENDS ON shop.v TO shop.t EMPTY AS SELECT a FROM shop.src", ""},
		{"SYSTEM WAIT VIEW shop.v", ""}, {"SYSTEM REFRESH VIEW shop.w", ""}, {"SYSTEM WAIT VIEW shop.w", ""},
		{"CREATE MATERIALIZED VIEW shop.added REFRESH EVERY 1 YEAR APPEND ENGINE = MergeTree ORDER BY n AS SELECT count() AS n FROM shop.src", ""},
		{"SYSTEM WAIT VIEW shop.added", ""},
		{"BACKUP DATABASE shop TO File('b') FORMAT Null", ""},
		{"RESTORE DATABASE shop AS again FROM File('b') FORMAT Null", ""},
		{"SYSTEM WAIT VIEW again.v", ""}, {"SYSTEM WAIT VIEW again.added", ""}, {"SELECT groupArray(n) FROM again.added", "[2]\n"},
		{"SELECT n, (SELECT groupArray(a) FROM again.t) FROM again.v", "2\t[1,2]\n"},
		{"INSERT INTO again.src VALUES (3)", ""},
		{"SYSTEM REFRESH VIEW again.w", ""}, {"SYSTEM WAIT VIEW again.w", ""}, {"SELECT groupArray(a) FROM again.t", "[1,2,3]\n"},
		{"SELECT groupArray(a) FROM shop.t", "[1,2]\n"},
		{"SELECT extract(create_table_query, 'REFRESH.*TO [a-z.]*') FROM system.tables WHERE database = 'again' AND name = 'w'", "REFRESH EVERY 1 YEAR DEPENDS ON again.v TO again.t\n"},
		{"RENAME DATABASE again TO third", ""},
		{"SELECT extract(create_table_query, 'REFRESH.*TO [a-z.]*') FROM system.tables WHERE database = 'third' AND name = 'w'", "REFRESH EVERY 1 YEAR DEPENDS ON third.v TO third.t\n"},
		{"INSERT INTO third.src VALUES (4)", ""},
		{"SYSTEM REFRESH VIEW third.w", ""}, {"SYSTEM WAIT VIEW third.w", ""}, {"SELECT count() FROM third.w", "4\n"},
		{"DROP DATABASE third", ""}, {"DROP TABLE shop.w", ""}, {"SELECT groupArray(a) FROM shop.t", "[1,2]\n"}, {"DROP DATABASE shop", ""},
		{"SELECT count() FROM system.view_refreshes", "0\n"},
	} {
		got, err := run(t, n, c.sql)
		if err != nil {
			got = err.Error()
		}
		if got != c.want {
			t.Errorf("%s: %q, want %q", c.sql, got, c.want)
		}
	}
}

// TestRefreshEverySecond: the schedule refreshes without being asked, one after another; readers see no table go away.
func TestRefreshEverySecond(t *testing.T) {
	n := open(t, vfs.NewMem())
	defer n.Close()
	must(t, n, "CREATE MATERIALIZED VIEW ticks REFRESH EVERY 1 SECOND ENGINE = MergeTree ORDER BY a AS SELECT number AS a, now64(6) AS at FROM numbers(100)")
	must(t, n, "SYSTEM WAIT VIEW ticks")
	seen := map[string]bool{}
	for end := time.Now().Add(20 * time.Second); len(seen) < 4; time.Sleep(time.Millisecond) {
		got := must(t, n, "SELECT count(), uniqExact(at), any(at) FROM ticks")
		if !strings.HasPrefix(got, "100\t1\t") {
			t.Fatalf("a reader has %q", got)
		}
		if seen[got] = true; time.Now().After(end) {
			t.Fatalf("%d refreshes in 20 seconds: %s", len(seen), must(t, n, "SELECT * FROM system.view_refreshes FORMAT Vertical"))
		}
	}
	must(t, n, "SYSTEM STOP VIEW ticks")
	last := must(t, n, "SELECT any(at) FROM ticks")
	time.Sleep(1500 * time.Millisecond)
	expect(t, n, "SELECT any(at) FROM ticks", last)
}
