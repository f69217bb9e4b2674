package node

import (
	"bytes"
	"context"
	"strings"
	"testing"

	"github.com/olapd/olapd/internal/access"
	"github.com/olapd/olapd/internal/vfs"
	"github.com/olapd/olapd/query"
)

// as runs one statement as a user of the node.
func as(t *testing.T, n *Node, user, sql string) string {
	t.Helper()
	s, err := n.Engine().NewSession(query.SessionOptions{User: user})
	if err != nil {
		return err.Error()
	}
	r, err := s.Execute(context.Background(), query.Query{Text: sql})
	if err != nil {
		return err.Error()
	}
	defer r.Close()
	var out bytes.Buffer
	if err := r.Render(&out, "TabSeparated"); err != nil {
		return out.String() + err.Error()
	}
	return out.String()
}

// TestAccess makes users and policies over stored segments, restarts the node twice, once from a Raft snapshot, and asks again.
func TestAccess(t *testing.T) {
	cfg := DefaultConfig()
	cfg.FS, cfg.Data, cfg.HTTP, cfg.Memory = vfs.NewMem(), "/data", "", 1<<30
	cfg.Users = map[string]UserConfig{"default": {}, "viewer": {Password: "x", Grants: []string{"SELECT(a) ON default.t"}, Settings: map[string]string{"max_threads": "1"}},
		"member": {Password: "x", Grants: []string{"reader"}, ReadOnly: true}}
	open := func() *Node {
		n, err := Open(context.Background(), cfg)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	n := open()
	for _, q := range []string{
		"CREATE TABLE t (a UInt32, secret String, INDEX i a TYPE minmax) ENGINE = MergeTree ORDER BY a SETTINGS index_granularity = 64",
		"INSERT INTO t SELECT number, if(number % 10 = 3, 'shown', concat('veiled', toString(number))) FROM numbers(20000)", "OPTIMIZE TABLE t FINAL",
		"INSERT INTO t SELECT number, 'veiled' FROM numbers(20000, 10)",
		"CREATE ROLE reader", "GRANT SELECT ON t TO reader", "CREATE USER u IDENTIFIED WITH sha256_password BY 'pass' DEFAULT ROLE reader",
		"CREATE ROW POLICY p ON t USING secret = 'shown' TO reader", "CREATE ROW POLICY q ON t USING 1 TO ALL EXCEPT reader",
	} {
		if out := as(t, n, "default", q); out != "" {
			t.Fatalf("%s: %s", q, out)
		}
	}
	check := func() {
		for _, c := range []struct{ user, sql, want string }{
			{"default", "SELECT count() FROM t", "20010\n"},
			{"u", "SELECT count() FROM t", "2000\n"},
			{"u", "SELECT count(), max(a), min(a) FROM t", "2000\t19993\t3\n"},
			{"u", "SELECT max(a) FROM t", "19993\n"},
			{"u", "SELECT count() FROM t WHERE a < 100", "10\n"},
			{"u", "SELECT count() FROM t WHERE a < 100", "10\n"}, // by the condition cache, if there is one
			{"default", "SELECT count() FROM t WHERE a < 100", "100\n"},
			{"u", "SELECT DISTINCT secret FROM t", "shown\n"},
			{"u", "SELECT count() FROM t WHERE secret LIKE 'veiled%'", "0\n"},
			{"u", "SELECT uniq(secret), any(secret), topK(3)(secret) FROM t", "1\tshown\t['shown']\n"},
			{"u", "SELECT secret FROM t ORDER BY a DESC LIMIT 1", "shown\n"},
			{"u", "SELECT secret, count() FROM t GROUP BY secret", "shown\t2000\n"},
			{"u", "SELECT count() FROM t WHERE throwIf(secret != 'shown') = 0", "2000\n"},
			{"u", "SELECT count() FROM t WHERE NOT throwIf(startsWith(secret, 'veiled'))", "2000\n"},
			{"u", "SELECT count() FROM t PREWHERE throwIf(secret != 'shown') = 0", "2000\n"},
			{"u", "SELECT count() FROM t WHERE throwIf(a = 5) = 0", "2000\n"},
			{"u", "SELECT count() FROM t PREWHERE throwIf(a = 5) = 0 WHERE a < 30000", "2000\n"},
			{"u", "SELECT count() FROM t WHERE intDiv(1, a - 5) < 5", "2000\n"},
			{"u", "SELECT count() FROM t WHERE a < 1000 AND throwIf(a = 5) = 0", "100\n"},
			{"u", "SELECT count() FROM (SELECT a FROM t WHERE throwIf(a = 5) = 0)", "2000\n"},
			{"u", "SELECT max(a) FROM t WHERE throwIf(a = 5) = 0", "19993\n"},
			{"u", "SELECT count() FROM t AS x JOIN numbers(10) AS n ON x.a = n.number WHERE throwIf(x.a = 5) = 0", "1\n"},
			{"u", "SELECT sum(throwIf(secret != 'shown')) FROM t", "0\n"},
			{"u", "SELECT count() FROM t WHERE intDiv(1, secret = 'shown') = 1", "2000\n"},
			{"u", "SELECT count() FROM t AS x JOIN t AS y ON x.a = y.a", "2000\n"},
			{"u", "SELECT count() FROM numbers(20000) WHERE number IN (SELECT a FROM t)", "2000\n"},
			{"member", "SELECT count() FROM t", "2000\n"},
			{"viewer", "SELECT sum(a) > 0 FROM t", "1\n"},
			{"default", "SELECT column, sum(column_data_compressed_bytes) > 0 FROM system.parts_columns WHERE table = 't' GROUP BY column ORDER BY column", "a\t1\nsecret\t1\n"},
			{"viewer", "SELECT DISTINCT column FROM system.parts_columns", "a\n"},
			{"viewer", "SELECT name, data_compressed_bytes > 0, data_uncompressed_bytes > 0 FROM system.columns WHERE table = 't'", "a\t1\t1\n"},
			{"viewer", "SELECT word FROM system.completions WHERE context = 'column' AND belongs = 't'", "a\n"},
			{"viewer", "SELECT getSetting('max_threads')", "1\n"},
		} {
			if got := as(t, n, c.user, c.sql); got != c.want {
				t.Errorf("%s as %s: %s, want %s", c.sql, c.user, got, c.want)
			}
		}
		for user, sql := range map[string]string{"viewer": "SELECT secret FROM t", "u": "INSERT INTO t VALUES (1, 'x')", "member": "INSERT INTO t VALUES (1, 'x')"} {
			if got := as(t, n, user, sql); !strings.Contains(got, "Not enough privileges") && !strings.Contains(got, "readonly") {
				t.Errorf("%s as %s: %s", sql, user, got)
			}
		}
		for password, ok := range map[string]bool{"pass": true, "wrong": false} {
			_, err := n.Engine().Authenticate(context.Background(), access.Login{User: "u", Password: password, Given: true, Address: "127.0.0.1:1"})
			if (err == nil) != ok {
				t.Errorf("password %s: %v", password, err)
			}
		}
	}
	check()
	if err := n.Close(); err != nil {
		t.Fatal(err)
	}
	n = open()
	check()
	if err := n.cluster.Meta().Compact(); err != nil {
		t.Fatal(err)
	}
	if err := n.Close(); err != nil {
		t.Fatal(err)
	}
	n = open()
	check()
	if err := n.Close(); err != nil {
		t.Fatal(err)
	}
}
