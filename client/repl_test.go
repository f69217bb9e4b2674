package client

import (
	"bytes"
	"context"
	"io"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// typist is an editor whose lines are known.
type typist struct{ lines []string }

func (t *typist) read() (string, error) {
	if len(t.lines) == 0 {
		return "", io.EOF
	}
	line := t.lines[0]
	t.lines = t.lines[1:]
	if line == "^C" {
		return "", errInterrupted
	}
	return line, nil
}

func prompted(t *testing.T, f *fake) (*app, *bytes.Buffer) {
	t.Helper()
	host, port, _ := strings.Cut(f.l.Addr().String(), ":")
	o, err := parseOptions([]string{"--host", host, "--port", port, "--format=PrettyCompact"})
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	a := newApp(o, nil, &out, &out)
	a.prompting = true
	t.Cleanup(a.close)
	return a, &out
}

var times = regexp.MustCompile(`\d+\.\d{3} sec|\([^()]*rows/s[^()]*\)`)

func TestPrompt(t *testing.T) {
	f := newFake(t)
	a, out := prompted(t, f)
	changes := 0
	a.changed = func() { changes++ }
	if err := a.greet(); err != nil {
		t.Fatal(err)
	}
	lines := []string{"SELECT 1;", `SELECT 2\G`, "^C", "", "SELECT missing;", `\l`, `\d ev;`, `\c a b`, "CREATE TABLE t (a Int8) ENGINE = Memory;", "SELECT streamed;", "help", "quit", "SELECT 3;"}
	if err := a.repl(&typist{lines}); err != nil {
		t.Fatal(err)
	}
	got := times.ReplaceAllString(strings.ReplaceAll(out.String(), a.address(), "ADDRESS"), "T")
	want := `Connected to fake at ADDRESS as user default (speaks ClickHouse 25.8.1.1). Type help for help.

   ┌─x───┐
1. │ row │
   └─────┘

1 row in set. Elapsed: T.

Row 1:
──────
x: row

1 row in set. Elapsed: T.

Code: 60. DB::Exception: Table default.missing does not exist. (UNKNOWN_TABLE)

   ┌─x───┐
1. │ row │
   └─────┘

1 row in set. Elapsed: T.

   ┌─x───┐
1. │ row │
   └─────┘

1 row in set. Elapsed: T.

Ok.

0 rows in set. Elapsed: T.

Ok.

0 rows in set. Elapsed: T.

   ┌─x─┐
1. │ 1 │
2. │ 2 │
   └───┘

2 rows in set. Elapsed: T. Processed 2.00 thousand rows, 16.00 KB T

` + help + "Bye.\n"
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if sent := f.texts()[1:]; !slices.Equal(sent, []string{"SELECT 1", "SELECT 2", "SELECT missing", "SHOW DATABASES", "DESCRIBE TABLE ev", "USE `a b`",
		"CREATE TABLE t (a Int8) ENGINE = Memory", "SELECT streamed"}) {
		t.Errorf("sent %q", sent)
	}
	if a.database != "a b" || changes == 0 {
		t.Errorf("database %q, %d changes", a.database, changes)
	}
}

func TestInterrupt(t *testing.T) {
	f := newFake(t)
	a, out := prompted(t, f)
	signals := make(chan os.Signal, 1)
	a.interrupts = func() (<-chan os.Signal, func()) { return signals, func() {} }
	a.bars = true
	time.AfterFunc(2*firstProgress, func() { signals <- os.Interrupt })
	if a.typed("SELECT sleep(100);") {
		t.Error("the prompt is left")
	}
	for _, want := range []string{"Code: 394", "500.00 thousand rows, 8.00 MB", "50%", "\r\x1b[K"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %q in %q", want, out)
		}
	}
}

func TestInterruptOfADeafServer(t *testing.T) {
	f := newFake(t)
	f.deaf = true
	a, out := prompted(t, f)
	signals := make(chan os.Signal, 2)
	signals <- os.Interrupt
	signals <- os.Interrupt
	a.interrupts = func() (<-chan os.Signal, func()) { return signals, func() {} }
	start := time.Now()
	a.typed("SELECT sleep(100);")
	if !strings.Contains(out.String(), "Code: 394") || time.Since(start) > cancelGrace {
		t.Errorf("after %v: %q", time.Since(start), out)
	}
	a.typed("SELECT 1;")
	if !strings.Contains(out.String(), "row") || len(f.hellos) != 2 {
		t.Errorf("no new connection: %q", out)
	}
	signals <- os.Interrupt
	start = time.Now()
	a.typed("SELECT sleep(100);")
	if took := time.Since(start); took < cancelGrace || took > 5*cancelGrace {
		t.Errorf("a server that does not hear Cancel is left after %v", took)
	}
}

func TestInterruptOfAnInsert(t *testing.T) {
	f := newFake(t)
	a, out := prompted(t, f)
	signals := make(chan os.Signal, 1)
	a.interrupts = func() (<-chan os.Signal, func()) { return signals, func() {} }
	in, w := io.Pipe()
	defer w.Close() // what reads it ends then
	a.stdin = in
	time.AfterFunc(50*time.Millisecond, func() { signals <- os.Interrupt })
	a.typed("INSERT INTO t FORMAT CSV;")
	a.typed("SELECT 1;")
	if !strings.HasPrefix(out.String(), "Code: 394") || !strings.Contains(out.String(), "row") || len(f.hellos) != 1 {
		t.Errorf("%d connections: %q", len(f.hellos), out)
	}
}

func TestComplete(t *testing.T) {
	for text, want := range map[string]bool{
		"": true, "  ": true, "SELECT 1": false, "SELECT 1;": true, "SELECT 1; ": true, "SELECT 1; -- done": true, "SELECT ';": false, "SELECT ';';": true,
		"SELECT 1 /* ; */": false, "SELECT 1; SELECT 2": false, "SELECT 1; SELECT 2;": true, `SELECT 1\G`: true, `SELECT '\G`: false, "quit": true, "EXIT": true,
		"help;": true, `\l`: true, `\d t`: true, `\c`: false, "SELECT\n1\n;": true, ";": true, "INSERT INTO t FORMAT JSONEachRow {\"a\":1};": true,
	} {
		if got := complete(text); got != want {
			t.Errorf("complete(%q) = %v", text, got)
		}
	}
}

func TestHighlight(t *testing.T) {
	escapes := regexp.MustCompile("\x1b\\[[0-9;]*m")
	for text, want := range map[string]string{
		"SELECT count(*), 'a''b' FROM `t` -- end": keywordColor + "SELECT" + plain + " " + callColor + "count" + plain + "(*), " + stringColor + "'a''b'" + plain + " " +
			keywordColor + "FROM" + plain + " " + quotedColor + "`t`" + plain + commentColor + " -- end" + plain,
		"x1 + 1.5":      "x1 + " + numberColor + "1.5" + plain,
		"left('a', 1)":  callColor + "left" + plain + "(" + stringColor + "'a'" + plain + ", " + numberColor + "1" + plain + ")",
		"WHERE x IN(1)": keywordColor + "WHERE" + plain + " x " + keywordColor + "IN" + plain + "(" + numberColor + "1" + plain + ")",
		"SELECT 'op":    keywordColor + "SELECT" + plain + " " + stringColor + "'op" + plain,
		"/* op":         commentColor + "/* op" + plain,
		`\l`:            commandColor + `\l` + plain,
		"é\xff":         wrongColor + "é" + plain + wrongColor + "\xff" + plain,
		"":              "",
	} {
		got := highlight(text)
		if got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
		if bare := escapes.ReplaceAllString(got, ""); bare != text {
			t.Errorf("%q became %q", text, bare)
		}
	}
}

func TestCompletions(t *testing.T) {
	n := names{
		functions: []string{"toStartOfHour", "toString", "uniq"}, aggregates: map[string]bool{"uniq": true},
		settings: []string{"max_threads", "max_block_size"}, formats: []string{"CSV", "CSVWithNames", "JSON"}, engines: []string{"MergeTree", "Memory"},
		types: []string{"String", "UInt64"}, databases: []string{"default", "system"},
		tables:  [][2]string{{"default", "events"}, {"default", "odd name"}, {"system", "one"}},
		columns: []tableColumn{{"default", "events", "user_id", "UInt64"}, {"default", "events", "url", "String"}, {"system", "one", "dummy", "UInt8"}},
	}
	for text, want := range map[string]string{
		"sel":                             "select",
		"SEL":                             "SELECT",
		"SELECT 1; ins":                   "insert",
		"SELECT toS":                      "toStartOfHour( toString(",
		"select un":                       "uniq( unbounded union",
		"SELECT * FROM ":                  "default. system. TABLE `odd name` events",
		"SELECT * FROM ev":                "events",
		"SELECT * FROM system.":           "one",
		"SELECT u| FROM events":           "url user_id uniq( UNBOUNDED UNION UPDATE USE USING",
		"SELECT e.| FROM events AS e":     "url user_id",
		"SELECT dummy| FROM events":       "",
		"SELECT 1 FORMAT CSV":             "CSV CSVWithNames",
		"SET max_":                        "max_block_size max_threads",
		"SELECT 1 SETTINGS a = 1, max_th": "max_threads",
		"CREATE TABLE t (a Str":           "String",
		"CREATE TABLE t ENGINE = M":       "Memory MergeTree",
		"USE sy":                          "system",
		"SELECT 'toS":                     "",
		"SELECT 1 -- toS":                 "",
	} {
		before, after, _ := strings.Cut(text, "|")
		list, p := completions(before, before+after, n, "default")
		var got []string
		for _, c := range list {
			got = append(got, c.value)
		}
		wanted := strings.Fields(strings.ReplaceAll(want, "odd name", "odd_name"))
		for i := range got {
			got[i] = strings.ReplaceAll(got[i], "odd name", "odd_name")
		}
		if strings.HasPrefix(text, "SELECT u|") { // case of keywords follows what is typed
			wanted = strings.Fields(strings.ToLower(want))
		}
		slices.Sort(got)
		slices.Sort(wanted)
		if !slices.Equal(got, wanted) {
			t.Errorf("%q: %q, want %q", text, got, wanted)
		}
		if before[p.start:] != p.word {
			t.Errorf("%q: the word begins at %d, but is %q", text, p.start, p.word)
		}
	}
}

func TestDirectory(t *testing.T) {
	f := newFake(t)
	a, _ := prompted(t, f)
	d := &directory{dial: func(ctx context.Context) (*conn, error) { return connect(ctx, &a.options, a.database) }}
	n := d.get()
	if !slices.Equal(n.databases, []string{"default", "system"}) || !slices.Equal(n.settings, []string{"row"}) {
		t.Errorf("%+v", n)
	}
	d.expire()
	if again := d.get(); len(again.databases) != 2 {
		t.Errorf("%+v", again)
	}
	f.close()
	d.expire()
	if without := d.get(); len(without.databases) != 2 {
		t.Errorf("names that are known are lost with the server: %+v", without)
	}
}

func TestBar(t *testing.T) {
	w := work{readRows: 500_000, readBytes: 8_000_000, totalRows: 1_000_000, memory: 3 << 20}
	for width, want := range map[int]string{
		100: "⠋  50%  500.00 thousand rows, 8.00 MB (1.00 million rows/s., 16.00 MB/s.), 3.00 MiB  ███████▌       ",
		40:  "⠋  50%  500.00 thousand rows, 8.00 MB (1",
		3:   "⠋  ",
		-1:  "",
	} {
		got := bar(w, 0, 500*time.Millisecond, 0, width)
		if runes(got) > max(width, 0) || got != want {
			t.Errorf("width %d: %q (%d), want %q", width, got, runes(got), want)
		}
	}
	if got := bar(work{writtenRows: 5}, 2_000_000, 2*time.Second, 1, 80); got != "⠙ 2.0 s, sent 2.00 MB (1.00 MB/s.), written 5.00 rows" {
		t.Errorf("%q", got)
	}
}
