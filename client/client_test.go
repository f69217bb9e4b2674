package client

import (
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
)

func TestBatch(t *testing.T) {
	for _, c := range []struct {
		name           string
		stdin          string
		args           []string
		code           int
		stdout, stderr string
		sent           []string
	}{
		{name: "query", args: []string{"-q", "SELECT 1"}, stdout: "TabSeparated\n", sent: []string{"SELECT 1"}},
		{name: "format", args: []string{"-q", "SELECT 1", "-f", "CSV"}, stdout: "CSV\n", sent: []string{"SELECT 1"}},
		{name: "vertical", args: []string{"-E", "--query=SELECT 1"}, stdout: "Vertical\n", sent: []string{"SELECT 1"}},
		{name: `\G`, args: []string{`-qSELECT 1\G SELECT 2`}, stdout: "Vertical\nTabSeparated\n", sent: []string{"SELECT 1", "SELECT 2"}},
		{name: "several", args: []string{"-q", "SELECT ';'; ; SELECT 2 -- ;\n", "-q", "SELECT 3"}, stdout: strings.Repeat("TabSeparated\n", 3),
			sent: []string{"SELECT ';'", "SELECT 2 -- ;\n", "SELECT 3"}},
		{name: "script from standard input", stdin: "SELECT 1;\n/* a */ SELECT 2;\n", stdout: "TabSeparated\nTabSeparated\n", sent: []string{"SELECT 1", "/* a */ SELECT 2"}},
		{name: "echo", args: []string{"--echo", "-q", "SELECT 1"}, stdout: "SELECT 1\nTabSeparated\n", sent: []string{"SELECT 1"}},
		{name: "error", args: []string{"-q", "SELECT 1; SELECT * FROM missing; SELECT 2"}, code: 60, stdout: "TabSeparated\n",
			stderr: "Code: 60. DB::Exception: Table default.missing does not exist. (UNKNOWN_TABLE) (version 25.8.1.1 (official build))\n",
			sent:   []string{"SELECT 1", "SELECT * FROM missing"}},
		{name: "a code whose low byte is 0", args: []string{"-q", "SELECT code512"}, code: 255,
			stderr: "Code: 512. DB::Exception: No such role. (SET_NON_GRANTED_ROLE) (version 25.8.1.1 (official build))\n", sent: []string{"SELECT code512"}},
		{name: "what does not parse is the server's to judge", args: []string{"-q", "FROBNICATE 'missing'"}, code: 60,
			stderr: "Code: 60. DB::Exception: Table default.missing does not exist. (UNKNOWN_TABLE) (version 25.8.1.1 (official build))\n",
			sent:   []string{"FROBNICATE 'missing'"}},
		{name: "exception behind rows", args: []string{"-q", "SELECT midway"}, code: 241, stdout: "1\n2\n3\n",
			stderr: "Code: 241. DB::Exception: Memory limit exceeded. (MEMORY_LIMIT_EXCEEDED) (version 25.8.1.1 (official build))\n", sent: []string{"SELECT midway"}},
		{name: "cut connection", args: []string{"-q", "SELECT cut"}, code: 210, stdout: "1\n2\n",
			stderr: "Code: 210. DB::Exception: The connection was cut before the end of the answer, what came of it is incomplete: unexpected EOF. (NETWORK_ERROR)\n",
			sent:   []string{"SELECT cut"}},
		{name: "insert values among others", args: []string{"-q", "INSERT INTO t VALUES (1, ';'), (2, 'x'); SELECT 1"}, stdout: "TabSeparated\n",
			sent: []string{"INSERT INTO t VALUES (1, ';'), (2, 'x')", "SELECT 1"}},
		{name: "insert lines among others", args: []string{"-q", "INSERT INTO t FORMAT JSONEachRow\n{\"a\":\"1;\"}\n{\"a\":\"it's\"}\n\nSELECT 1"}, stdout: "TabSeparated\n",
			sent: []string{"INSERT INTO t FORMAT JSONEachRow\n{\"a\":\"1;\"}\n{\"a\":\"it's\"}\n", "SELECT 1"}},
		{name: "insert a line with a semicolon", args: []string{"-q", "INSERT INTO t FORMAT JSONEachRow {\"a\":1};\nSELECT 1"}, stdout: "TabSeparated\n",
			sent: []string{"INSERT INTO t FORMAT JSONEachRow {\"a\":1}", "SELECT 1"}},
		{name: "insert from standard input", stdin: "1,2\n3,4\n", args: []string{"-q", "INSERT INTO t FORMAT CSV"}, sent: []string{"INSERT INTO t FORMAT CSV\n1,2\n3,4\n"}},
		{name: "insert without data in a script", stdin: "INSERT INTO t FORMAT CSV", code: 108, stderr: "Code: 108. DB::Exception: No data to insert. (NO_DATA_TO_INSERT)\n"},
		{name: "wrong password", args: []string{"--password", "wrong", "-q", "SELECT 1"}, code: 4,
			stderr: "Code: 516. DB::Exception: default: Authentication failed. (AUTHENTICATION_FAILED) (version 25.8.1.1 (official build))\n", sent: []string{"SELECT 1"}},
		{name: "unknown argument", args: []string{"-x"}, code: 36, stderr: "Code: 36. DB::Exception: Unknown argument \"-x\"; see olapd client --help. (BAD_ARGUMENTS)\n"},
		{name: "argument without value", args: []string{"--format"}, code: 36, stderr: "Code: 36. DB::Exception: Option --format needs a value. (BAD_ARGUMENTS)\n"},
		{name: "no file of queries", args: []string{"--queries-file", "/nonexistent"}, code: 76,
			stderr: "Code: 76. DB::Exception: Cannot open the file of queries: open /nonexistent: no such file or directory. (CANNOT_OPEN_FILE)\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := newFake(t)
			code, stdout, stderr := f.client(strings.NewReader(c.stdin), c.args...)
			if code != c.code || stdout != c.stdout || stderr != c.stderr {
				t.Errorf("exit code %d, want %d\nstdout %q\n  want %q\nstderr %q\n  want %q", code, c.code, stdout, c.stdout, stderr, c.stderr)
			}
			if !slices.Equal(f.texts, c.sent) {
				t.Errorf("sent %q\nwant %q", f.texts, c.sent)
			}
		})
	}
}

func TestParameters(t *testing.T) {
	t.Setenv("OLAPD_PASSWORD", "secret")
	f := newFake(t)
	code, _, stderr := f.client(nil, "-u", "ann", "-d", "web", "--max_threads", "4", "--max-block-size=1", "--param_x=a\tb", "-q", "SELECT {x:String}; SET max_threads = 2; USE other; SELECT 1")
	if code != 0 {
		t.Fatal(stderr)
	}
	p := f.params[0]
	for name, want := range map[string]string{"database": "web", "max_threads": "4", "max_block_size": "1", "param_x": "a\tb", "default_format": "TabSeparated"} {
		if p.Get(name) != want {
			t.Errorf("%s is %q, want %q", name, p.Get(name), want)
		}
	}
	if h := f.headers[0]; h.Get("X-ClickHouse-User") != "ann" || h.Get("X-ClickHouse-Key") != "secret" {
		t.Errorf("credentials: %v", h)
	}
	if p.Get("session_id") == "" || p.Get("query_id") == "" || f.params[3].Get("session_id") != p.Get("session_id") || f.params[3].Get("query_id") == p.Get("query_id") {
		t.Error("one session and a query_id for each statement are expected")
	}
	if last := f.params[3]; last.Has("max_threads") || last.Get("database") != "other" {
		t.Errorf("SET and USE are overridden by the command line: %v", last)
	}
}

func TestFiles(t *testing.T) {
	dir := t.TempDir()
	f := newFake(t)
	out := filepath.Join(dir, "out.csv.gz")
	run := func(want int, q string) {
		t.Helper()
		if code, stdout, stderr := f.client(nil, "-q", q); code != want || stdout != "" {
			t.Errorf("%s: exit code %d, want %d: %s%s", q, code, want, stdout, stderr)
		}
	}
	run(0, "SELECT 1 INTO OUTFILE '"+out+"' SETTINGS max_threads = 1")
	run(76, "SELECT 1 INTO OUTFILE '"+out+"'")
	run(0, "SELECT 1 INTO OUTFILE '"+out+"' APPEND")
	run(241, "SELECT midway INTO OUTFILE '"+out+"2' FORMAT CSV")
	if _, err := os.Stat(out + "2"); err == nil {
		t.Error("half a result was left behind")
	}
	b, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	z, err := gzip.NewReader(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	if text, _ := io.ReadAll(z); string(text) != "CSV\nCSV\n" {
		t.Errorf("the file has %q", text)
	}
	run(0, "INSERT INTO t (a) FROM INFILE '"+out+"'")
	run(0, "INSERT INTO t FROM INFILE '"+out+"' COMPRESSION 'none' FORMAT TSV")
	run(0, "INSERT INTO t FROM INFILE '"+dir+"/*.gz'")
	run(76, "INSERT INTO t FROM INFILE '"+dir+"/none.csv'")
	run(73, "INSERT INTO t FROM INFILE '"+dir+"/none.what'")
	run(48, "SELECT 1 INTO OUTFILE '"+dir+"/x' COMPRESSION 'rar'")
	want := []string{"SELECT 1 SETTINGS max_threads = 1", "SELECT 1", "SELECT midway FORMAT CSV", "INSERT INTO t (a) FORMAT CSV\nCSV\nCSV\n",
		"INSERT INTO t FORMAT TSV\n" + string(b), "INSERT INTO t FORMAT CSV\nCSV\nCSV\n"}
	if !slices.Equal(f.texts, want) {
		t.Errorf("sent %q\nwant %q", f.texts, want)
	}
}

func TestNoServer(t *testing.T) {
	f := newFake(t)
	f.Close()
	if code, _, stderr := f.client(nil, "-q", "SELECT 1", "--max_threads=1"); code != 210 || !strings.HasPrefix(stderr, "Code: 210. DB::Exception: Cannot talk to 127.0.0.1:") || strings.Contains(stderr, "max_threads") {
		t.Errorf("exit code %d: %s", code, stderr)
	}
}

func TestInputThatCannotBeRead(t *testing.T) {
	f := newFake(t)
	code, _, stderr := f.client(io.MultiReader(strings.NewReader("1\n"), iotest.ErrReader(errors.New("disk on fire"))), "-q", "INSERT INTO t FORMAT CSV")
	if code == 0 || !strings.Contains(stderr, "disk on fire") || len(f.texts) != 0 {
		t.Errorf("exit code %d: %s; sent %q", code, stderr, f.texts)
	}
}

func TestLockedSession(t *testing.T) {
	f := newFake(t)
	f.locked = 3
	if code, stdout, stderr := f.client(nil, "-q", "SELECT 1"); code != 0 || stdout == "" {
		t.Errorf("exit code %d: %s", code, stderr)
	}
}

// endless is a long input; it knows how much of it was read.
type endless struct{ left, read int64 }

func (e *endless) Read(p []byte) (int, error) {
	if e.left == 0 {
		return 0, io.EOF
	}
	n := min(int64(len(p)), e.left)
	for i := range p[:n] {
		p[i] = 'x'
	}
	e.left, e.read = e.left-n, e.read+n
	return int(n), nil
}

func TestLongInsertIsStreamed(t *testing.T) {
	f := newFake(t)
	head := "SELECT 1; INSERT INTO t FORMAT LineAsString\n"
	rest := &endless{left: 8 << 20}
	code, _, stderr := f.client(io.MultiReader(strings.NewReader(head), rest))
	if code != 0 || len(f.texts) != 2 || len(f.texts[1]) != len("INSERT INTO t FORMAT LineAsString\n")+8<<20 {
		t.Errorf("exit code %d: %s", code, stderr)
	}
	s := newScript(&endless{left: 1 << 40})
	s.text = head
	for range 2 {
		if _, err := s.next(); err != nil {
			t.Fatal(err)
		}
	}
	if len(s.text) > 2*window {
		t.Errorf("%d bytes were held", len(s.text))
	}
}
