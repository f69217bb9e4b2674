package node

import (
	"log/slog"
	"strings"
	"testing"

	"github.com/olapd/olapd/internal/vfs"
)

// listeningNode starts a node that clients of the native protocol can reach.
func listeningNode(t *testing.T, tune func(*Config)) *Node {
	t.Helper()
	cfg := DefaultConfig()
	cfg.Data, cfg.HTTP, cfg.Native, cfg.FS, cfg.Memory = "/data", "", "127.0.0.1:0", vfs.NewMem(), 1<<30
	cfg.Logger = slog.New(slog.DiscardHandler)
	if tune != nil {
		tune(&cfg)
	}
	n, err := Open(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := n.Close(); err != nil {
			t.Error(err)
		}
	})
	return n
}

// TestRemote reads tables of one server on another, over the native protocol.
func TestRemote(t *testing.T) {
	there := listeningNode(t, func(c *Config) {
		c.Users = map[string]UserConfig{"default": {}, "ann": {Password: "secret word", Grants: []string{"SELECT ON default.t"}}}
	})
	here := listeningNode(t, func(c *Config) { c.RemoteHosts = []string{"127.0.0.0/8", "*.example.invalid"} })
	must(t, there, "CREATE TABLE t (k UInt32, s LowCardinality(String), n Nullable(Int64), a Array(String), m UInt8 MATERIALIZED 7, al UInt32 ALIAS k + 1) ENGINE = MergeTree ORDER BY k")
	must(t, there, "INSERT INTO t SELECT number, toString(number % 10), if(number % 2 = 0, NULL, number), [toString(number)] FROM numbers(200000)")
	at, own := there.NativeAddr(), here.NativeAddr()
	_, port, _ := strings.Cut(at, ":")
	for _, c := range []struct{ sql, want string }{
		{"SELECT count(), sum(k), uniqExact(s), count(n) FROM remote('AT', default.t)", "200000\t19999900000\t10\t100000\n"},
		{"SELECT * FROM remote('AT', default, t) WHERE k = 7", "7\t7\t7\t['7']\n"},
		{"SELECT k, m, al FROM remote('AT', 'default.t') WHERE s = '3' AND k < 20 ORDER BY k", "3\t7\t4\n13\t7\t14\n"},
		{"SELECT count() FROM remote('AT,AT', default.t)", "400000\n"},
		{"SELECT count() FROM remote('127.0.0.1:1|AT', default.t)", "200000\n"},
		{"SELECT count() FROM remote('127.0.0.{1,2}:PORT', default.t, 'default') SETTINGS skip_unavailable_shards = 1", "200000\n"},
		{"SELECT count() FROM remote('AT', default.t, 'ann', 'secret word') WHERE k IN (1, 2, 300000) OR s = 'x'", "2\n"},
		{"SELECT k FROM remote('AT', default.t) ORDER BY k DESC LIMIT 1", "199999\n"},
		{"SELECT count() FROM (SELECT number FROM remote('AT', system.numbers) LIMIT 100000)", "100000\n"},
		{"SELECT * FROM remote('AT')", "0\n"},
		{"SELECT dummy FROM remote('OWN', system.one)", "0\n"},
		{"SELECT count() FROM remote('AT', default.t) AS a JOIN numbers(10) AS b ON a.k = b.number", "10\n"},
	} {
		sql := strings.NewReplacer("AT", at, "OWN", own, "PORT", port).Replace(c.sql)
		got, err := run(t, here, sql)
		if err != nil {
			t.Errorf("%s: %v", sql, err)
		} else if got != c.want {
			t.Errorf("%s: got %q, want %q", sql, got, c.want)
		}
	}
	for _, c := range []struct{ sql, want string }{
		{"SELECT * FROM remote('AT', default.nosuch)", "nosuch"},
		{"SELECT * FROM remote('AT', default.t, 'ann', 'wrong')", "Authentication failed"},
		{"SELECT * FROM remote('AT', system.query_log, 'ann', 'secret word')", "privileges"},
		{"SELECT * FROM remote('127.0.0.1:1', default.t)", "All connection tries failed"},
		{"SELECT * FROM remote('10.0.0.1', default.t)", "not allowed"},
		{"SELECT * FROM remote('AT,example.invalid', default.t)", "not allowed"},
		{"SELECT * FROM remote('127.0.0.1:x', system.one)", "Illegal port"},
		{"SELECT throwIf(k > 1000) FROM remote('AT', default.t)", "throwIf"},
	} {
		sql := strings.ReplaceAll(c.sql, "AT", at)
		if _, err := run(t, here, sql); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want an error with %q", sql, err, c.want)
		}
	}
	must(t, there, "CREATE TABLE into (k UInt32, s LowCardinality(String), m UInt32 MATERIALIZED k + 1) ENGINE = MergeTree ORDER BY k")
	must(t, here, "INSERT INTO FUNCTION remote('"+at+"', default.into) SELECT number, toString(number) FROM numbers(100000)")
	must(t, here, "INSERT INTO FUNCTION remote('"+at+"', default.into) (k) VALUES (200000)")
	if got := must(t, there, "SELECT count(), sum(m), uniqExact(s) FROM into"); got != "100001\t5000250001\t100001\n" {
		t.Errorf("rows that were sent: %q", got)
	}
	for _, c := range []struct{ sql, want string }{
		{"INSERT INTO FUNCTION remote('AT', default.nosuch) VALUES (1)", "nosuch"},
		{"INSERT INTO FUNCTION remote('AT', default.into, 'ann', 'secret word') VALUES (1, 'x')", "privileges"},
		{"INSERT INTO FUNCTION remote('AT,AT', default.into) VALUES (1, 'x')", "2 servers"},
		{"INSERT INTO FUNCTION remote('AT', default.into) SELECT throwIf(number = 90000), 'x' FROM numbers(100000)", "throwIf"},
	} {
		sql := strings.ReplaceAll(c.sql, "AT", at)
		if _, err := run(t, here, sql); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want an error with %q", sql, err, c.want)
		}
	}
	if got := must(t, there, "SELECT count() FROM into"); got != "100001\n" {
		t.Errorf("rows of inserts that failed were written: %q", got)
	}
	if got := must(t, here, "SELECT count() FROM system.query_log WHERE query LIKE concat('%secret ', 'word%')"); got != "0\n" {
		t.Errorf("the password stands in the query log %s times", got)
	}
	if _, err := run(t, there, "SELECT * FROM remote('"+own+"', system.one)"); err == nil || !strings.Contains(err.Error(), "not allowed") {
		t.Errorf("a server that allows no hosts: %v", err)
	}
	must(t, there, "SELECT dummy FROM remote('"+at+"', system.one)")
}
