package query

import (
	"strings"
	"testing"
)

// TestTemporaryView: a session's view reads stored tables and the session's own, is seen by its bare name before all others, and by no other session.
func TestTemporaryView(t *testing.T) {
	h := newHarness(t)
	for _, c := range []struct{ sql, want string }{
		{"CREATE TABLE src (a Int64) ENGINE = MergeTree ORDER BY a", ""}, {"INSERT INTO src VALUES (1), (2)", ""},
		{"CREATE TEMPORARY TABLE tt (x Int64)", ""}, {"INSERT INTO tt VALUES (5)", ""},
		{"CREATE TEMPORARY VIEW tv AS SELECT a, a * 2 AS b FROM src", ""},
		{"SELECT * FROM tv ORDER BY a", "1\t2\n2\t4\n"},
		{"SHOW CREATE tv", "CREATE TEMPORARY VIEW tv\n(\n    `a` Int64,\n    `b` Int64\n)\nAS SELECT\n    a,\n    a * 2 AS b\nFROM default.src\n"},
		{"CREATE TEMPORARY VIEW tv AS SELECT 1", "Code: 57."},
		{"CREATE TEMPORARY VIEW IF NOT EXISTS tv AS SELECT 1", ""},
		{"CREATE TEMPORARY VIEW tv2 AS SELECT x FROM tt", ""},
		{"CREATE TEMPORARY VIEW tv3 AS SELECT sum(x) AS s, (SELECT max(b) FROM tv) AS m FROM tv2", ""},
		{"SELECT * FROM tv3", "5\t4\n"},
		{"INSERT INTO tt VALUES (6)", ""}, {"SELECT s FROM tv3", "11\n"},
		{"SHOW CREATE TEMPORARY VIEW tv2", "CREATE TEMPORARY VIEW tv2\n(\n    `x` Int64\n)\nAS SELECT x\nFROM tt\n"},
		{"CREATE TEMPORARY VIEW default.tv4 AS SELECT 1", "Code: 442."},
		{"CREATE TEMPORARY MATERIALIZED VIEW tv5 ENGINE = Memory AS SELECT a FROM src", "Code: 62."},
		{"INSERT INTO tv VALUES (1)", "Code: 48."},
		{"TRUNCATE TABLE tv", "Code: 48."},
		{"DESCRIBE tv", "a\tInt64\t\t\t\t\t\nb\tInt64\t\t\t\t\t\n"},
		{"EXISTS TEMPORARY VIEW tv", "1\n"}, {"EXISTS VIEW tv", "0\n"}, {"EXISTS TEMPORARY TABLE tv", "1\n"},
		{"SELECT name, engine, is_temporary, database FROM system.tables WHERE name = 'tv2'", "tv2\tView\t1\t\n"},
		{"CREATE VIEW stays AS SELECT * FROM tt", "Code: 60."},
		{"CREATE TABLE p (a Int64, b Int64, PROJECTION pp (SELECT a, sum(b) GROUP BY a)) ENGINE = MergeTree ORDER BY b", "Code: 48. PROJECTION is not implemented: CREATE MATERIALIZED VIEW"},
		{"ALTER TABLE src ADD PROJECTION pp (SELECT a ORDER BY a)", "Code: 48. PROJECTION is not implemented: CREATE MATERIALIZED VIEW"},
		{"DROP VIEW tt", "Code: 80."},
		{"DROP VIEW tv", ""}, {"DROP TABLE tv2", ""}, {"DROP TEMPORARY VIEW tv3", ""},
		{"SELECT * FROM tv", "Code: 60."},
	} {
		if got := h.run(Query{Text: c.sql}); got != c.want && !(strings.HasPrefix(c.want, "Code") && strings.HasPrefix(got, c.want)) {
			t.Errorf("%s: %q, want %q", c.sql, got, c.want)
		}
	}
	h.run(Query{Text: "CREATE TEMPORARY VIEW mine AS SELECT 1 AS a"})
	other, err := h.e.NewSession(SessionOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if got := (&harness{m: h.m, e: h.e, s: other}).run(Query{Text: "SELECT * FROM mine"}); !strings.HasPrefix(got, "Code: 60.") {
		t.Errorf("another session has %q", got)
	}
}
