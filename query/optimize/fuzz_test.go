package optimize_test

import (
	"context"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/olapd/olapd/internal/catalog"
	"github.com/olapd/olapd/internal/function"
	"github.com/olapd/olapd/query/analyze"
	"github.com/olapd/olapd/query/ast"
	"github.com/olapd/olapd/query/optimize"
	"github.com/olapd/olapd/query/parse"
	"github.com/olapd/olapd/query/plan"
)

// FuzzRules looks for plans that make a rule panic, change the result's schema or read columns that are not there.
func FuzzRules(f *testing.F) {
	text, err := os.ReadFile("testdata/rules")
	if err != nil {
		f.Fatal(err)
	}
	for _, part := range strings.Split(string(text), "\noptimize\n")[1:] {
		sql, _, _ := strings.Cut(part, "\n----")
		f.Add(sql)
	}
	c := catalog.New()
	for name, cols := range map[string]string{"t": "a UInt32,b String,c Int64,d Nullable(Int32),arr Array(UInt8)", "u": "a UInt32,z String", "r": "k UInt64,v Int64"} {
		entry := &catalog.Table{Database: "default", Name: name, Kind: catalog.KindTable, Engine: "ReplacingMergeTree", SortKey: []string{"a", "k"}}
		for _, col := range strings.Split(cols, ",") {
			n, typ, _ := strings.Cut(col, " ")
			entry.Columns = append(entry.Columns, catalog.Column{Name: n, Type: typ})
		}
		if c, err = c.WithTables(entry); err != nil {
			f.Fatal(err)
		}
	}
	opts := analyze.Options{Catalog: c, Database: "default", TableFunction: numbers,
		Env: &function.Env{Ctx: context.Background(), Now: time.Unix(1e9, 0), Zone: time.UTC}}
	f.Fuzz(func(t *testing.T, sql string) {
		stmt, err := parse.One(sql, parse.Limits{})
		if err != nil {
			return
		}
		q, ok := stmt.(*ast.SelectUnion)
		if !ok {
			return
		}
		n, err := analyze.Query(context.Background(), q, opts)
		if err != nil {
			return
		}
		check(t, sql, n)
		out := optimize.Run(n)
		check(t, sql, out)
		a, b := n.Schema(), out.Schema()
		for i := range a {
			if len(a) != len(b) || a[i].Name != b[i].Name || !a[i].Type.Equal(b[i].Type) {
				t.Fatalf("%s: the schema %v became %v", sql, a, b)
			}
		}
	})
}

// check follows every column reference of a plan to its input.
func check(t *testing.T, sql string, n plan.Node) {
	width := 0
	for _, in := range n.Inputs() {
		check(t, sql, in)
		width += len(in.Schema())
	}
	if s, ok := n.(*plan.Scan); ok {
		width = len(s.Schema())
	}
	plan.Exprs(n, func(e plan.Expr) {
		used := map[int]bool{}
		plan.Columns(e, used)
		for i := range used {
			if i < 0 || i >= width {
				t.Fatalf("%s: %s reads column %d of %d in\n%s", sql, e, i, width, plan.String(n))
			}
		}
	})
	for _, s := range plan.Subqueries(n) {
		check(t, sql, s.Input)
	}
}
