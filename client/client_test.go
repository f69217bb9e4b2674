package client

import (
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/types"
)

func TestBatch(t *testing.T) {
	for _, c := range []struct {
		name           string
		stdin          string
		args           []string
		code           int
		stdout, stderr string
		sent           []string
		rows           []string
	}{
		{name: "query", args: []string{"-q", "SELECT 1"}, stdout: "row\n", sent: []string{"SELECT 1"}},
		{name: "format", args: []string{"-q", "SELECT 1", "-f", "CSV"}, stdout: "\"row\"\n", sent: []string{"SELECT 1"}},
		{name: "format of the statement", args: []string{"-q", "SELECT 1 FORMAT CSVWithNames"}, stdout: "\"x\"\n\"row\"\n", sent: []string{"SELECT 1 FORMAT CSVWithNames"}},
		{name: "vertical", args: []string{"-E", "--query=SELECT 1"}, stdout: "Row 1:\n──────\nx: row\n", sent: []string{"SELECT 1"}},
		{name: `\G`, args: []string{`-qSELECT 1\G SELECT 2`}, stdout: "Row 1:\n──────\nx: row\nrow\n", sent: []string{"SELECT 1", "SELECT 2"}},
		{name: "several", args: []string{"-q", "SELECT ';'; ; SELECT 2 -- ;\n", "-q", "SELECT 3"}, stdout: strings.Repeat("row\n", 3),
			sent: []string{"SELECT ';'", "SELECT 2 -- ;\n", "SELECT 3"}},
		{name: "script from standard input", stdin: "SELECT 1;\n/* a */ SELECT 2;\n", stdout: "row\nrow\n", sent: []string{"SELECT 1", "/* a */ SELECT 2"}},
		{name: "echo", args: []string{"--echo", "-q", "SELECT 1"}, stdout: "SELECT 1\nrow\n", sent: []string{"SELECT 1"}},
		{name: "compressed", args: []string{"--compression=1", "-q", "SELECT 1; INSERT INTO t VALUES ('x')"}, stdout: "row\n", sent: []string{"SELECT 1", "INSERT INTO t VALUES "}, rows: []string{"x"}},
		{name: "unknown format", args: []string{"-f", "Nonsense", "-q", "SELECT 1"}, code: 73, stderr: "Code: 73. DB::Exception: Unknown format Nonsense. (UNKNOWN_FORMAT)\n"},
		{name: "error", args: []string{"-q", "SELECT 1; SELECT * FROM missing; SELECT 2"}, code: 60, stdout: "row\n",
			stderr: "Code: 60. DB::Exception: Table default.missing does not exist. (UNKNOWN_TABLE)\n", sent: []string{"SELECT 1", "SELECT * FROM missing"}},
		{name: "a code whose low byte is 0", args: []string{"-q", "SELECT code512"}, code: 255,
			stderr: "Code: 512. DB::Exception: No such role. (SET_NON_GRANTED_ROLE)\n", sent: []string{"SELECT code512"}},
		{name: "what does not parse is the server's to judge", args: []string{"-q", "FROBNICATE 'missing'"}, code: 60,
			stderr: "Code: 60. DB::Exception: Table default.missing does not exist. (UNKNOWN_TABLE)\n", sent: []string{"FROBNICATE 'missing'"}},
		{name: "exception behind rows", args: []string{"-q", "SELECT midway"}, code: 241, stdout: "1\n2\n",
			stderr: "Code: 241. DB::Exception: Memory limit exceeded. (MEMORY_LIMIT_EXCEEDED)\n", sent: []string{"SELECT midway"}},
		{name: "cut connection", args: []string{"-q", "SELECT cut"}, code: 210, stdout: "1\n2\n",
			stderr: "Code: 210. DB::Exception: ADDRESS has closed the connection; what came of an answer is incomplete. (NETWORK_ERROR)\n", sent: []string{"SELECT cut"}},
		{name: "other columns", args: []string{"-q", "SELECT changed"}, code: 117, stdout: "1\n",
			stderr: "Code: 117. DB::Exception: The server has sent a block of 2 columns behind one of 1, or of other types. (INCORRECT_DATA)\n", sent: []string{"SELECT changed"}},
		{name: "a packet of the future", args: []string{"-q", "SELECT packet99"}, code: 100,
			stderr: "Code: 100. DB::Exception: Unexpected packet 99 from the server. (UNKNOWN_PACKET_FROM_SERVER)\n", sent: []string{"SELECT packet99"}},
		{name: "insert values among others", args: []string{"-q", "INSERT INTO t VALUES (';'), (concat('x', 'y')), (NULL); SELECT 1"}, stdout: "row\n",
			sent: []string{"INSERT INTO t VALUES ", "SELECT 1"}, rows: []string{";", "xy", ""}},
		{name: "insert lines among others", args: []string{"-q", "INSERT INTO t FORMAT JSONEachRow\n{\"a\":\"1;\"}\n{\"a\":\"it's\"}\n\nSELECT 1"}, stdout: "row\n",
			sent: []string{"INSERT INTO t FORMAT JSONEachRow\n", "SELECT 1"}, rows: []string{"1;", "it's"}},
		{name: "insert a line with a semicolon", args: []string{"-q", "INSERT INTO t FORMAT JSONEachRow {\"a\":\"1\"};\nSELECT 1"}, stdout: "row\n",
			sent: []string{"INSERT INTO t FORMAT JSONEachRow ", "SELECT 1"}, rows: []string{"1"}},
		{name: "insert from standard input", stdin: "1\n\"3,4\"\n", args: []string{"-q", "INSERT INTO t FORMAT CSV"}, sent: []string{"INSERT INTO t FORMAT CSV"}, rows: []string{"1", "3,4"}},
		{name: "insert values from standard input", stdin: "('a'),('b')", args: []string{"-q", "INSERT INTO t VALUES"}, sent: []string{"INSERT INTO t VALUES"}, rows: []string{"a", "b"}},
		{name: "insert without data in a script", stdin: "INSERT INTO t FORMAT CSV", code: 108, stderr: "Code: 108. DB::Exception: No data to insert. (NO_DATA_TO_INSERT)\n"},
		{name: "rows asked for that there are not", args: []string{"-q", "insert INTO t SELECT a FROM s"}, code: 48,
			stderr: "Code: 48. DB::Exception: The server asks for rows for an INSERT … SELECT without input(). (NOT_IMPLEMENTED)\n", sent: []string{"insert INTO t SELECT a FROM s"}},
		{name: "insert through input", stdin: "1\n2\n", args: []string{"-q", "INSERT INTO t SELECT a FROM input('a String') FORMAT CSV"},
			sent: []string{"INSERT INTO t SELECT a FROM input('a String') FORMAT CSV"}, rows: []string{"1", "2"}},
		{name: "refused rows", args: []string{"-q", "INSERT INTO refused VALUES ('x'), ('y')"}, code: 469 % 256,
			stderr: "Code: 469. DB::Exception: Constraint is violated. (VIOLATED_CONSTRAINT)\n", sent: []string{"INSERT INTO refused VALUES "}},
		{name: "wrong password", args: []string{"--password", "wrong", "-q", "SELECT 1"}, code: 4,
			stderr: "Code: 516. DB::Exception: default: Authentication failed. (AUTHENTICATION_FAILED)\n"},
		{name: "unknown argument", args: []string{"-x"}, code: 36, stderr: "Code: 36. DB::Exception: Unknown argument \"-x\"; see olapd client --help. (BAD_ARGUMENTS)\n"},
		{name: "argument without value", args: []string{"--format"}, code: 36, stderr: "Code: 36. DB::Exception: Option --format needs a value. (BAD_ARGUMENTS)\n"},
		{name: "no file of queries", args: []string{"--queries-file", "/nonexistent"}, code: 76,
			stderr: "Code: 76. DB::Exception: Cannot open the file of queries: open /nonexistent: no such file or directory. (CANNOT_OPEN_FILE)\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := newFake(t)
			code, stdout, stderr := f.client(strings.NewReader(c.stdin), c.args...)
			stderr = strings.ReplaceAll(stderr, f.l.Addr().String(), "ADDRESS")
			if code != c.code || stdout != c.stdout || stderr != c.stderr {
				t.Errorf("exit code %d, want %d\nstdout %q\n  want %q\nstderr %q\n  want %q", code, c.code, stdout, c.stdout, stderr, c.stderr)
			}
			if sent := f.texts(); !slices.Equal(sent, c.sent) {
				t.Errorf("sent %q\nwant %q", sent, c.sent)
			}
			if !slices.Equal(f.rows, c.rows) {
				t.Errorf("sent rows %q\nwant %q", f.rows, c.rows)
			}
		})
	}
}

func TestRevisions(t *testing.T) {
	for _, revision := range []int{51903, 54406, 54429, 54450, 54458, 54460, 54475, 60000} {
		f := newFake(t)
		f.revision = revision
		code, stdout, stderr := f.client(nil, "-q", "SELECT 1; INSERT INTO t VALUES ('x'); SELECT streamed")
		if code != 0 || stdout != "row\n1\n2\n" || !slices.Equal(f.rows, []string{"x"}) {
			t.Errorf("%d: exit code %d, %q, rows %q: %s", revision, code, stdout, f.rows, stderr)
		}
		code, _, stderr = f.client(nil, "--max_threads=1", "-q", "SELECT 1")
		if old := revision < 54429; old != (code == 48) || !old && code != 0 {
			t.Errorf("%d with a setting: exit code %d: %s", revision, code, stderr)
		}
		code, _, stderr = f.client(nil, "--param_x=1", "-q", "SELECT {x:UInt8}")
		if old := revision < 54459; old != (code == 48) || !old && code != 0 {
			t.Errorf("%d with a parameter: exit code %d: %s", revision, code, stderr)
		}
	}
}

// The server says what its columns' defaults are; this side computes those that rows leave out.
func TestColumnDefaults(t *testing.T) {
	f := newFake(t)
	f.header = column.Schema{{Name: "a", Type: types.TString}, {Name: "b", Type: types.TString}, {Name: "q`", Type: types.TString}}
	f.columns = "columns format version: 1\n4 columns:\n`a` String\n`b` String\tDEFAULT\tconcat(a, \\'\\\\t\\', m)\n`q\\`` String\tCOMMENT\tx\n`m` String\tMATERIALIZED\tupper(a)\n"
	code, _, stderr := f.client(strings.NewReader("{\"a\":\"x\"}\n{\"a\":\"y\",\"b\":\"given\",\"q`\":\"z\"}\n"), "-q", "INSERT INTO t FORMAT JSONEachRow")
	if want := []string{"x\tx\tX\t", "y\tgiven\tz"}; code != 0 || !slices.Equal(f.rows, want) {
		t.Errorf("%q, want %q: %s", f.rows, want, stderr)
	}
	f.columns = "nonsense"
	if code, _, _ := f.client(strings.NewReader("{}"), "-q", "INSERT INTO t FORMAT JSONEachRow"); code != 117 {
		t.Errorf("exit code %d", code)
	}
}

func TestParameters(t *testing.T) {
	t.Setenv("OLAPD_PASSWORD", "secret")
	f := newFake(t)
	code, _, stderr := f.client(nil, "-u", "ann", "-d", "web", "--max_threads", "4", "--max-block-size=1", "--param_x=a'\\tb", "-q", "SELECT {x:String}; SET max_threads = 2; USE other; SELECT 1")
	if code != 0 || len(f.hellos) != 1 || len(f.queries) != 4 {
		t.Fatalf("%d connections, %d queries: %s", len(f.hellos), len(f.queries), stderr)
	}
	if h := f.hellos[0]; h.User != "ann" || h.Password != "secret" || h.Database != "web" {
		t.Errorf("hello %+v", h)
	}
	first, last := f.queries[0], f.queries[3]
	if first.ID == "" || first.ID == last.ID {
		t.Error("each query has an id of its own")
	}
	if len(first.Settings) != 2 || first.Settings[1].Name != "max_threads" || first.Settings[1].Value != "4" || !first.Settings[1].Important {
		t.Errorf("settings %+v", first.Settings)
	}
	if len(first.Parameters) != 1 || first.Parameters[0].Value != `'a\'\\tb'` || !first.Parameters[0].Custom {
		t.Errorf("parameters %+v", first.Parameters)
	}
	if len(last.Settings) != 1 || last.Settings[0].Name != "max_block_size" {
		t.Errorf("SET is overridden by the command line: %+v", last.Settings)
	}
}

func TestExternalTables(t *testing.T) {
	f := newFake(t)
	file := filepath.Join(t.TempDir(), "ids.csv")
	if err := os.WriteFile(file, []byte("a\nb\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	code, _, stderr := f.client(strings.NewReader("z\tw\n"), "--external", "--file="+file, "--name=ids", "--format=CSV", "--structure=id String", "--external", "--file=-", "--types=String,String",
		"-q", "SELECT 1", "-f", "Null")
	if want := []string{"ids:", "ids:", "a", "b", "_data:", "_data:", "z\tw"}; code != 0 || !slices.Equal(f.tables, want) {
		t.Errorf("%q, want %q: %s", f.tables, want, stderr)
	}
	for _, bad := range [][]string{{"--external", "--structure=a String"}, {"--external", "--file=" + file}, {"--external", "--file=/nonexistent", "--types=String"}, {"--external", "--file=" + file, "--types=Nonsense"}} {
		if code, _, _ := f.client(nil, append(bad, "-q", "SELECT 1")...); code == 0 {
			t.Errorf("%q were accepted", bad)
		}
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
	if text, _ := io.ReadAll(z); string(text) != "\"row\"\n\"row\"\n" {
		t.Errorf("the file has %q", text)
	}
	plain := filepath.Join(dir, "plain.csv")
	if err := os.WriteFile(plain, []byte("p\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	run(0, "INSERT INTO t (a) FROM INFILE '"+out+"'")
	run(0, "INSERT INTO t FROM INFILE '"+plain+"' COMPRESSION 'none' FORMAT TSV")
	run(0, "INSERT INTO t FROM INFILE '"+dir+"/*.gz'")
	run(76, "INSERT INTO t FROM INFILE '"+dir+"/none.csv'")
	run(73, "INSERT INTO t FROM INFILE '"+dir+"/none.what'")
	run(48, "SELECT 1 INTO OUTFILE '"+dir+"/x' COMPRESSION 'rar'")
	want := []string{"SELECT 1 SETTINGS max_threads = 1", "SELECT 1", "SELECT midway FORMAT CSV", "INSERT INTO t (a) FORMAT CSV", "INSERT INTO t FORMAT TSV", "INSERT INTO t FORMAT CSV"}
	if sent := f.texts(); !slices.Equal(sent, want) {
		t.Errorf("sent %q\nwant %q", sent, want)
	}
	if want := []string{"row", "row", "p", "row", "row"}; !slices.Equal(f.rows, want) {
		t.Errorf("sent rows %q, want %q", f.rows, want)
	}
}

func TestNoServer(t *testing.T) {
	f := newFake(t)
	f.close()
	if code, _, stderr := f.client(nil, "-q", "SELECT 1", "--max_threads=1"); code != 210 || !strings.HasPrefix(stderr, "Code: 210. DB::Exception: Cannot talk to 127.0.0.1:") {
		t.Errorf("exit code %d: %s", code, stderr)
	}
}

func TestServerOfHTTP(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() {
		if c, err := l.Accept(); err == nil {
			_, _ = c.Write([]byte("HTTP/1.1 400 Bad Request\r\n\r\n")) // the client's complaint is what counts
			_, _ = io.Copy(io.Discard, c)
			c.Close()
		}
	}()
	host, port, _ := net.SplitHostPort(l.Addr().String())
	var out, errs strings.Builder
	if code := Main([]string{"--host", host, "--port", port, "-q", "SELECT 1"}, nil, &out, &errs); code != 210 || !strings.Contains(errs.String(), "A server of HTTP is there") {
		t.Errorf("exit code %d: %s", code, errs.String())
	}
}

func TestInputThatCannotBeRead(t *testing.T) {
	f := newFake(t)
	code, _, stderr := f.client(io.MultiReader(strings.NewReader("1\n"), iotest.ErrReader(errors.New("disk on fire"))), "-q", "INSERT INTO t FORMAT CSV")
	if code == 0 || !strings.Contains(stderr, "disk on fire") {
		t.Errorf("exit code %d: %s", code, stderr)
	}
	code, _, stderr = f.client(strings.NewReader("(1, 2"), "-q", "INSERT INTO t VALUES")
	if code == 0 || len(f.rows) != 0 {
		t.Errorf("rows that do not parse: exit code %d: %s, rows %q", code, stderr, f.rows)
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
	line := strings.Repeat("x", 1023) + "\n"
	code, _, stderr := f.client(io.MultiReader(strings.NewReader(head), strings.NewReader(strings.Repeat(line, 8<<10))))
	if code != 0 || len(f.queries) != 2 || len(f.rows) != 8<<10 {
		t.Errorf("exit code %d, %d rows: %s", code, len(f.rows), stderr)
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
