package torture

import (
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/olapd/olapd/test/olapd"
)

// TestPromises tries out what docs/consistency.md says of INSERTs, one sentence after another, on a running server.
func TestPromises(t *testing.T) {
	if *serverFlag == "" {
		t.Skip("not run: -server=PATH names the olapd binary")
	}
	srv, err := olapd.Start(*serverFlag, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer srv.Stop()
	s := &olapd.Session{Server: srv}
	for _, sql := range []string{
		"CREATE TABLE t (k String, v Int64) ENGINE = MergeTree ORDER BY k",
		"CREATE MATERIALIZED VIEW sums ENGINE = SummingMergeTree ORDER BY k AS SELECT k, sum(v) AS total, count() AS n FROM t GROUP BY k",
		"CREATE MATERIALIZED VIEW strict ENGINE = MergeTree ORDER BY n AS SELECT toUInt32(k) AS n FROM t WHERE k LIKE '1%'",
	} {
		if a, err := s.Run(t.Context(), sql, ""); err != nil || a.Code != 0 {
			t.Fatal(a, err)
		}
	}
	large := strings.Repeat("large\t1\n", 200_000) // more bytes than travel in the log
	for _, c := range []struct {
		name, settings, rows string
		fails                bool
		// What is there then: rows of t, its sum, rows of the rollup.
		want string
	}{
		{"first of a token", "insert_deduplication_token = 'a'", "x\t1\ny\t2\n", false, "2 3 2"},
		{"repeat", "insert_deduplication_token = 'a'", "x\t1\ny\t2\n", false, "2 3 2"},
		{"repeat with other rows", "insert_deduplication_token = 'a'", "z\t100\n", false, "2 3 2"},
		{"another token", "insert_deduplication_token = 'b'", "x\t1\ny\t2\n", false, "4 6 4"},
		{"no token", "insert_deduplicate = 0", "x\t1\n", false, "5 7 5"},
		{"no token, equal rows", "insert_deduplicate = 0", "x\t1\n", false, "6 8 6"},
		{"hash of the rows", "insert_deduplicate = 1", "x\t5\n", false, "7 13 7"},
		{"hash of the rows, repeat", "insert_deduplicate = 1", "x\t5\n", false, "7 13 7"},
		{"a row that does not parse", "max_threads = 1", "x\t1\nx\tnone\n", true, "7 13 7"},
		{"a row that a view cannot take", "max_threads = 1", "x\t1\n1z\t1\n", true, "7 13 7"},
		{"large, whose last row does not parse", "max_threads = 1", large + "x\tnone\n", true, "7 13 7"},
		{"large, whose last row a view cannot take", "max_threads = 1", large + "1z\t1\n", true, "7 13 7"},
		{"large", "insert_deduplication_token = 'c'", large, false, "200007 200013 200007"},
		{"large, repeat", "insert_deduplication_token = 'c'", large, false, "200007 200013 200007"},
	} {
		a, err := s.Insert(t.Context(), "INSERT INTO t SETTINGS "+c.settings+" FORMAT TSV", strings.NewReader(c.rows))
		if err != nil || (a.Code != 0) != c.fails {
			t.Errorf("%s: code %d %.300s, %v", c.name, a.Code, a.Message, err)
		}
		if got := contents(t, srv); got != c.want {
			t.Errorf("%s: there is %s instead of %s", c.name, got, c.want)
		}
	}
	for _, n := range []int{10, 150_000} {
		hangUp(t, srv, strings.Repeat("gone\t1\n", n))
		if got := contents(t, srv); got != "200007 200013 200007" {
			t.Errorf("after a client was gone behind %d rows: %s", n, got)
		}
	}
	if a, err := s.Run(t.Context(), "BEGIN TRANSACTION", ""); err != nil || a.Code != 48 {
		t.Errorf("BEGIN: %+v, %v", a, err)
	}
}

// contents is rows and sum of t, and the rows that the rollup has counted.
func contents(t *testing.T, srv *olapd.Server) string {
	t.Helper()
	rows, err := rowsOf(t.Context(), srv, "SELECT (SELECT count() FROM t), (SELECT sum(v) FROM t), (SELECT sum(n) FROM sums)")
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(rows[0], " ")
}

// hangUp begins an INSERT, sends rows, and goes without ending the request.
func hangUp(t *testing.T, srv *olapd.Server, rows string) {
	t.Helper()
	c, err := net.Dial("tcp", strings.TrimPrefix(srv.URL, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	if err := c.SetDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	_, err = fmt.Fprintf(c, "POST /?query=INSERT+INTO+t+FORMAT+TSV HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n", len(rows), rows)
	if err != nil {
		t.Fatal(err)
	}
	time.Sleep(100 * time.Millisecond) // the server reads what was sent
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	for range 100 { // the server gives up a moment later
		rows, err := rowsOf(t.Context(), srv, "SELECT count() FROM system.processes WHERE query LIKE 'INSERT%'")
		if err != nil {
			t.Fatal(err)
		}
		if rows[0][0] == "0" {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	t.Error("the INSERT goes on without its client")
}
