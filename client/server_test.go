package client

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/olapd/olapd/internal/node"
	"github.com/olapd/olapd/internal/vfs"
)

// TestServer runs the client against a real node.
func TestServer(t *testing.T) {
	cfg := node.DefaultConfig()
	cfg.Data, cfg.HTTP, cfg.Native, cfg.Admin, cfg.LogLevel, cfg.FS = "data", "", "127.0.0.1:0", "", "error", vfs.NewMem()
	cfg.Users = map[string]node.UserConfig{"default": {}, "ann": {Password: "secret"}}
	n, err := node.Open(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := n.Close(); err != nil {
			t.Error(err)
		}
	}()
	host, port, err := net.SplitHostPort(n.NativeAddr())
	if err != nil {
		t.Fatal(err)
	}
	run := func(stdin string, args ...string) string {
		t.Helper()
		var out, errs bytes.Buffer
		code := Main(append([]string{"--host", host, "--port", port}, args...), strings.NewReader(stdin), &out, &errs)
		head, _, _ := strings.Cut(errs.String(), ". ")
		return fmt.Sprintf("%d|%s|%s", code, out.String(), head)
	}
	csv := filepath.Join(t.TempDir(), "rows.csv.zst")
	var lines strings.Builder
	for i := range 200_000 {
		fmt.Fprintf(&lines, "%d,\"row %d\"\n", i, i)
	}
	for _, c := range []struct {
		want  string
		stdin string
		args  []string
	}{
		{want: "0|1\n|", args: []string{"-q", "SELECT 1"}},
		{want: "0|1\n2\n|", stdin: "SELECT 1; SELECT 2"},
		{want: "0|   ┌─x─┐\n1. │ 1 │\n   └───┘\n|", args: []string{"-f", "PrettyCompact", "-q", "SELECT 1 AS x"}},
		{want: "0|7\n|", args: []string{"--param_x=6", "-q", "SELECT {x:UInt8} + 1"}},
		{want: "0|3\n2\n|", args: []string{"--max_threads=3", "-q", "SELECT getSetting('max_threads'); SET max_threads = 2; SELECT getSetting('max_threads')"}},
		{want: "0|web\n|", args: []string{"-q", "CREATE DATABASE web; USE web; SELECT currentDatabase()"}},
		{want: "0||", args: []string{"-d", "web", "-q", "CREATE TABLE t (a UInt64, s String) ENGINE = MergeTree ORDER BY a; INSERT INTO t VALUES (1, 'x;'), (2, 'y');"}},
		{want: "0|1\tx;\n2\ty\n|", args: []string{"-d", "web", "-q", "SELECT * FROM t ORDER BY a"}},
		{want: "0||", stdin: lines.String(), args: []string{"-d", "web", "-q", "INSERT INTO t FORMAT CSV"}},
		{want: "0|200002\t19999900003\n|", args: []string{"-q", "SELECT count(), sum(a) FROM web.t"}},
		{want: "0||", args: []string{"-q", "SELECT * FROM web.t INTO OUTFILE '" + csv + "'"}},
		{want: "0|400004\n|", args: []string{"-d", "web", "-q", "INSERT INTO t FROM INFILE '" + csv + "'; SELECT count() FROM t"}},
		{want: "0||", args: []string{"-q", "CREATE TABLE d (a UInt8, b String DEFAULT concat('<', toString(a), '>'), e UInt8 EPHEMERAL, m UInt8 MATERIALIZED a + 1, l LowCardinality(Nullable(String)), arr Array(UInt8) DEFAULT [a]) ENGINE = Memory"}},
		{want: "0||", stdin: "{\"a\":1}\n{\"a\":2,\"b\":\"given\",\"l\":\"x\",\"arr\":[]}\n", args: []string{"-q", "INSERT INTO d FORMAT JSONEachRow"}},
		{want: "0||", args: []string{"-q", "INSERT INTO d (arr, a) VALUES ([1, 1 + 1], 3), (range(3), length('four'))"}},
		{want: "0|1\t<1>\t2\t\\N\t[1]\n2\tgiven\t3\tx\t[]\n3\t<3>\t4\t\\N\t[1,2]\n4\t<4>\t5\t\\N\t[0,1,2]\n|", args: []string{"-q", "SELECT a, b, m, l, arr FROM d ORDER BY a"}},
		{want: "0|0\t2\n1\t1\n\n0\t3\n|", args: []string{"-q", "SELECT number % 2 AS k, count() FROM numbers(3) GROUP BY k WITH TOTALS ORDER BY k"}},
		{want: "0|2\n|", stdin: "1\n2\n7\n", args: []string{"--external", "--file=-", "--name=ids", "--structure=id UInt64", "-q", "SELECT count() FROM numbers(5) WHERE number IN ids"}},
		{want: "0|2021-01-01 01:00:00\n|", args: []string{"-q", "SET session_timezone = 'Europe/Berlin'; SELECT toDateTime('2021-01-01 00:00:00', 'UTC')::DateTime"}},
		{want: "0|[\"1\"]\n|", args: []string{"-q", "SELECT 1::UInt64 AS x FORMAT JSONCompactEachRow SETTINGS output_format_json_quote_64bit_integers = 1"}},
		{want: "60||Code: 60", args: []string{"-q", "SELECT * FROM missing"}},
		{want: "62||Code: 62", args: []string{"-q", "SELECT FROM FROM"}},
		{want: "115||Code: 115", args: []string{"--max_threadz=1", "-q", "SELECT 1"}},
		{want: "4||Code: 516", args: []string{"-u", "ann", "--password=wrong", "-q", "SELECT 1"}},
		{want: "0|ann\n|", args: []string{"-u", "ann", "--password=secret", "-q", "SELECT currentUser()"}},
	} {
		if got := run(c.stdin, c.args...); got != c.want {
			t.Errorf("%q: %q, want %q", c.args, got, c.want)
		}
	}
	if got := run("", "-q", "SELECT number, throwIf(number = 400000) FROM numbers(1000000)"); !strings.HasPrefix(got, "139|") || !strings.HasSuffix(got, "|Code: 395") || len(got) < 1<<20 {
		t.Errorf("an error behind the rows: %d bytes, %.20q", len(got), got)
	}
	t.Run("counts of a long answer", func(t *testing.T) {
		o, err := parseOptions([]string{"--host", host, "--port", port})
		if err != nil {
			t.Fatal(err)
		}
		var out bytes.Buffer
		a := newApp(o, nil, &out, &out)
		a.prompting = true
		defer a.close()
		a.typed("SELECT number FROM numbers(1000000);")
		if got := out.String(); !strings.Contains(got, "\n\n1000000 rows in set. Elapsed: ") || !strings.Contains(got, " Processed 1.00 million rows, 8.00 MB (") {
			t.Errorf("it ends in %q", got[max(0, len(got)-200):])
		}
	})
	t.Run("cancel", func(t *testing.T) {
		o, err := parseOptions([]string{"--host", host, "--port", port})
		if err != nil {
			t.Fatal(err)
		}
		var out bytes.Buffer
		a := newApp(o, nil, &out, &out)
		defer a.close()
		signals := make(chan os.Signal, 1)
		a.interrupts = func() (<-chan os.Signal, func()) { return signals, func() {} }
		time.AfterFunc(200*time.Millisecond, func() { signals <- os.Interrupt })
		a.typed("SELECT sum(sipHash64(number)) FROM numbers(1000000000000);")
		a.typed("SELECT 'still here';")
		if got := out.String(); !strings.HasPrefix(got, "Code: 394") || !strings.HasSuffix(got, "still here\n") {
			t.Errorf("%q", got)
		}
	})
}
