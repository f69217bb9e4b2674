package node

import (
	"context"
	"strings"
	"testing"

	"github.com/olapd/olapd/internal/vfs"
	"github.com/olapd/olapd/query"
)

// TestPolicyOnView: a row policy on a view filters the view's rows, and one on its table filters below it.
func TestPolicyOnView(t *testing.T) {
	n := open(t, vfs.NewMem())
	defer n.Close()
	for _, sql := range []string{
		"CREATE TABLE t (k UInt64, who String) ENGINE = MergeTree ORDER BY k",
		"INSERT INTO t SELECT number, ['ann', 'bob'][number % 2 + 1] FROM numbers(10)",
		"CREATE VIEW v AS SELECT k, who FROM t",
		"CREATE USER ann IDENTIFIED WITH plaintext_password BY 'x'",
		"GRANT SELECT ON default.* TO ann",
		"CREATE ROW POLICY p ON v FOR SELECT USING who = 'ann' TO ann",
	} {
		must(t, n, sql)
	}
	as := func(sql string) string {
		t.Helper()
		s, err := n.Engine().NewSession(query.SessionOptions{User: "ann"})
		if err != nil {
			t.Fatal(err)
		}
		res, err := s.Execute(context.Background(), query.Query{Text: sql})
		if err != nil {
			t.Fatalf("%s: %v", sql, err)
		}
		defer res.Close()
		var b strings.Builder
		if err := res.Render(&b, "TSV"); err != nil {
			t.Fatal(err)
		}
		return b.String()
	}
	if got := as("SELECT count(), uniqExact(who) FROM v"); got != "5\t1\n" {
		t.Errorf("the view shows %q", got)
	}
	if got := as("SELECT max(k) FROM v AS x WHERE k > 0"); got != "8\n" {
		t.Errorf("the view shows %q", got)
	}
	if got := as("SELECT count() FROM t"); got != "10\n" {
		t.Errorf("the table shows %q", got)
	}
}
