package parse

import (
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/query/ast"
)

// spelling leaves out of a comparison what Format does not keep.
var spelling = cmp.Options{
	cmpopts.IgnoreTypes(ast.Range{}),
	cmpopts.IgnoreFields(ast.Name{}, "Quoted"),
	cmpopts.IgnoreFields(ast.FuncCall{}, "Syntax", "Parens"),
	cmpopts.IgnoreFields(ast.Literal{}, "Text"),
	cmpopts.IgnoreFields(ast.Insert{}, "DataStart", "DataEnd"),
	cmpopts.IgnoreFields(ast.Other{}, "Text"),
	cmpopts.EquateNaNs(),
}

// checkRoundTrip parses what Format prints for s and returns the difference.
func checkRoundTrip(s ast.Statement) string {
	text := ast.Format(s)
	again, err := One(text, Limits{QuerySize: 1 << 24, Depth: 100000, Elements: 1 << 24})
	if err != nil {
		return fmt.Sprintf("%s\ndoes not parse: %v", text, err)
	}
	if d := cmp.Diff(s, again, spelling); d != "" {
		return text + "\n" + d
	}
	return ""
}

// checkSpans returns a node whose bytes are not inside of the text, or "".
func checkSpans(s ast.Statement, text string) (bad string) {
	ast.Walk(s, func(n ast.Node) bool {
		if r := n.Span(); r.Start < 0 || r.End < r.Start || r.End > len(text) {
			bad = fmt.Sprintf("%T %v", n, r)
		}
		return true
	})
	return bad
}

func TestFormat(t *testing.T) {
	for _, file := range []string{"testdata/format", "testdata/corners", "testdata/access"} {
		datadriven.RunTest(t, file, formatted)
	}
}

func formatted(t *testing.T, d *datadriven.TestData) string {
	s, err := One(d.Input, Limits{})
	if err != nil {
		return err.Error() + "\n"
	}
	if diff := checkRoundTrip(s); diff != "" {
		t.Errorf("%s\n%s", d.Input, diff)
	}
	if bad := checkSpans(s, d.Input); bad != "" {
		t.Errorf("%s: span of %s", d.Input, bad)
	}
	return ast.Format(s) + "\n"
}

func TestErrors(t *testing.T) {
	datadriven.RunTest(t, "testdata/errors", func(t *testing.T, d *datadriven.TestData) string {
		var l Limits
		d.MaybeScanArgs(t, "size", &l.QuerySize)
		d.MaybeScanArgs(t, "depth", &l.Depth)
		d.MaybeScanArgs(t, "elements", &l.Elements)
		s, err := One(d.Input, l)
		if err == nil {
			return "ok: " + ast.Format(s) + "\n"
		}
		return fmt.Sprintf("%d: %v\n", sqlerr.CodeOf(err), err)
	})
}

// The benchmark's queries and table are the project's only copy of them.
func TestClickBench(t *testing.T) {
	files, err := filepath.Glob("../../bench/queries/hits/*.sql")
	if err != nil {
		t.Fatal(err)
	}
	if len(files) != 43 {
		t.Fatalf("%d query files, want 43", len(files))
	}
	for _, f := range append(files, "../../bench/hits/create_clickhouse.sql") {
		text, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		list, err := Statements(string(text), Limits{})
		if err != nil {
			t.Errorf("%s: %v", f, err)
		}
		for _, s := range list {
			if diff := checkRoundTrip(s); diff != "" {
				t.Errorf("%s: %s", f, diff)
			}
			if c, ok := s.(*ast.CreateTable); ok && (len(c.Columns) != 105 || c.PrimaryKey == nil) {
				t.Errorf("hits has %d columns and primary key %v", len(c.Columns), c.PrimaryKey)
			}
		}
	}
}

func TestStatements(t *testing.T) {
	list, err := Statements("; SELECT 1; ;SELECT 'a;b' -- c;\n; INSERT INTO t VALUES (1);(2)", Limits{})
	if err != nil || len(list) != 3 {
		t.Fatalf("%d statements, %v", len(list), err)
	}
	list, err = Statements(" -- nothing\n", Limits{})
	if err != nil || list != nil {
		t.Fatalf("%v, %v", list, err)
	}
}

func TestInsertData(t *testing.T) {
	for _, tc := range []struct{ text, format, data string }{
		{"INSERT INTO t VALUES (1), ('x')", "Values", "(1), ('x')"},
		{"INSERT INTO t (a) VALUES\n(1)", "Values", "(1)"},
		{"INSERT INTO t FORMAT CSV\n1,2\n", "CSV", "1,2\n"},
		{"INSERT INTO t FORMAT CSV\r\n'1\n", "CSV", "'1\n"},
		{"INSERT INTO t FORMAT JSONEachRow {\"a\": 1}", "JSONEachRow", "{\"a\": 1}"},
		{"INSERT INTO t FORMAT TSV\n\nx", "TSV", "\nx"},
		{"INSERT INTO t FORMAT TSV;\nx", "TSV", "x"},
		{"INSERT INTO t FORMAT CSV SETTINGS a = 1\n7", "CSV", "7"},
		{"INSERT INTO t VALUES", "Values", ""},
		{"INSERT INTO t FORMAT Native ;", "Native", ""},
		{"INSERT INTO t VALUES ('" + strings.Repeat("x", 1<<20) + "'", "Values", "('" + strings.Repeat("x", 1<<20) + "'"},
	} {
		s, err := One(tc.text, Limits{})
		if err != nil {
			t.Errorf("%.80q: %v", tc.text, err)
			continue
		}
		i := s.(*ast.Insert)
		data := ""
		if i.DataStart >= 0 {
			data = tc.text[i.DataStart:i.DataEnd]
		}
		if i.Format != tc.format || data != tc.data {
			t.Errorf("%.80q: format %q, data %.40q", tc.text, i.Format, data)
		}
	}
}

func TestRewriteLeavesTheTreeAlone(t *testing.T) {
	s, err := One("SELECT a + 1 AS x FROM t WHERE a BETWEEN 1 AND 2 AND b IN (SELECT a FROM u)", Limits{})
	if err != nil {
		t.Fatal(err)
	}
	before := ast.Format(s)
	q := ast.RewriteSelect(s.(*ast.SelectUnion), func(e ast.Expr) ast.Expr {
		if id, ok := e.(*ast.Ident); ok && id.Last() == "a" {
			return &ast.Literal{Kind: ast.LiteralUint, Uint: 7}
		}
		return e
	})
	if ast.Format(s) != before {
		t.Errorf("the tree changed to %s", ast.Format(s))
	}
	const want = "SELECT 7 + 1 AS x FROM t WHERE ((7 >= 1) AND (7 <= 2)) AND (b IN (SELECT 7 FROM u))"
	if ast.Format(q) != want {
		t.Errorf("got  %s\nwant %s", ast.Format(q), want)
	}
	same := ast.RewriteSelect(q, func(e ast.Expr) ast.Expr { return e })
	if !reflect.DeepEqual(same, q) || same != q {
		t.Error("a rewrite that changes nothing made a copy")
	}
}

// Inputs that would take quadratic time, or the whole stack, from a careless parser.
func TestHostile(t *testing.T) {
	n := 100000
	for _, text := range []string{
		"SELECT " + strings.Repeat("(", n), "SELECT " + strings.Repeat("[", n), "SELECT " + strings.Repeat("-", n) + "1",
		"SELECT " + strings.Repeat("NOT ", n/2) + "1", "SELECT 1" + strings.Repeat("+1", n), "SELECT 1" + strings.Repeat(" AND 1", n/4),
		"SELECT a" + strings.Repeat("[1]", n/2), "SELECT a" + strings.Repeat(".a", n), "SELECT a IN (" + strings.Repeat("1,", n) + "1)",
		"SELECT * FROM " + strings.Repeat("(", n), "SELECT " + strings.Repeat("((SELECT 1)+", n/16), strings.Repeat("EXPLAIN ", n/8) + "SELECT 1",
		"SELECT 1" + strings.Repeat(" UNION ALL SELECT 1", n/20), "SELECT " + strings.Repeat("f(", n), "SELECT a FROM t" + strings.Repeat(",t", n),
		"SELECT x" + strings.Repeat("->x", n/2), "SELECT 1" + strings.Repeat("?1", n), "SELECT " + strings.Repeat("CASE WHEN ", n/16),
		"CREATE TABLE t (a " + strings.Repeat("Array(", n/8), "SELECT '" + strings.Repeat("\\", n), "SELECT `" + strings.Repeat("a", n),
		"SELECT /*" + strings.Repeat("*", n), strings.Repeat(";", n), "SELECT a::" + strings.Repeat("Array(", n/8), "CREATE TABLE t (" + strings.Repeat("INDEX a (", n/10),
	} {
		if s, err := One(text, Limits{}); err == nil {
			if bad := checkSpans(s, text); bad != "" {
				t.Errorf("%.40q: span of %s", text, bad)
			}
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, name := range []string{"testdata/format", "testdata/corners", "testdata/errors", "testdata/columnname"} {
		text, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		for _, block := range strings.Split(string(text), "\n\n") {
			_, input, _ := strings.Cut(block, "\n")
			input, _, _ = strings.Cut(input, "\n----")
			f.Add(input)
			f.Add("SELECT " + input)
		}
	}
	f.Fuzz(func(t *testing.T, text string) {
		s, err := One(text, Limits{Depth: 200})
		if _, err2 := Statements(text, Limits{Depth: 200}); err == nil && err2 != nil {
			t.Fatalf("One accepts and Statements refuses: %v", err2)
		}
		if err != nil {
			return
		}
		if bad := checkSpans(s, text); bad != "" {
			t.Fatalf("span of %s", bad)
		}
		if diff := checkRoundTrip(s); diff != "" {
			t.Fatal(diff)
		}
	})
}
