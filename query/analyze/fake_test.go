package analyze

import (
	"context"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/olapd/olapd/internal/catalog"
	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/function"
	"github.com/olapd/olapd/internal/types"
	"github.com/olapd/olapd/query/ast"
	"github.com/olapd/olapd/query/parse"
	"github.com/olapd/olapd/query/plan"
)

// testCatalog makes a catalog of the tables and views of testdata/schema.sql and of ClickBench's hits, without rows.
func testCatalog(t testing.TB) *catalog.Catalog {
	text := ""
	for _, file := range []string{"testdata/schema.sql", "../../bench/hits/create_clickhouse.sql"} {
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		text += string(b)
	}
	list, err := parse.Statements(text, parse.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	c := catalog.New()
	for _, stmt := range list {
		entry := tableOf(t, stmt.(*ast.CreateTable))
		if c, err = c.WithTables(entry); err != nil {
			t.Fatal(err)
		}
	}
	return c
}

var kinds = map[ast.DefaultKind]catalog.DefaultKind{ast.DefaultValue: catalog.DefaultExpr, ast.DefaultMaterialized: catalog.Materialized, ast.DefaultAlias: catalog.Alias}

func tableOf(t testing.TB, s *ast.CreateTable) *catalog.Table {
	entry := &catalog.Table{Database: "default", Name: s.Name.Table.Text, Kind: catalog.KindTable}
	if s.Kind == ast.KindView {
		entry.Kind, entry.Select = catalog.KindView, ast.Format(s.AsSelect)
		return entry
	}
	entry.Engine = s.Engine.Name
	for _, c := range s.Columns {
		typ, err := types.Parse(c.Type.Text)
		if err != nil {
			t.Fatal(err)
		}
		col := catalog.Column{Name: c.Name, Type: typ.String(), Default: kinds[c.DefaultKind]}
		if c.Default != nil {
			col.Expr = ast.Format(c.Default)
		}
		entry.Columns = append(entry.Columns, col)
	}
	return entry
}

// fakeTable is a table function's or system table's schema.
type fakeTable struct {
	name   string
	schema column.Schema
}

func (t *fakeTable) Name() string            { return t.name }
func (t *fakeTable) Schema() column.Schema   { return t.schema }
func (t *fakeTable) Catalog() *catalog.Table { return nil }

func testOptions(c *catalog.Catalog) Options {
	return Options{
		Catalog: c, Database: "default",
		Env: &function.Env{Ctx: context.Background(), Now: time.Unix(1e9, 0), Zone: time.UTC, Database: "default"},
		Virtual: func(db, name string) plan.Table {
			if db == "system" && name == "one" {
				return &fakeTable{"system.one", column.Schema{{Name: "dummy", Type: types.TUInt8}}}
			}
			return nil
		},
		TableFunction: fakeFunction,
		Scalar:        func(_ context.Context, n plan.Node) (*column.Block, error) { return evaluate(n) },
	}
}

func fakeFunction(_ context.Context, call TableCall) (plan.Table, error) {
	switch call.Name {
	case "numbers":
		return &fakeTable{"numbers", column.Schema{{Name: "number", Type: types.TUInt64}}}, nil
	case "values":
		return &fakeTable{"values", column.Schema{{Name: "x", Type: types.TUInt8}, {Name: "y", Type: types.TString}}}, nil
	}
	return nil, nil
}

// evaluate runs the plans that scalar subqueries of the tests make, row by row: tables are empty but for numbers (3 rows).
func evaluate(n plan.Node) (*column.Block, error) {
	switch n := n.(type) {
	case *plan.Values:
		return n.Block, nil
	case *plan.Scan:
		rows := 0
		if n.Table.Name() == "numbers" {
			rows = 3
		}
		b := &column.Block{N: rows}
		for _, f := range n.Schema() {
			b.Cols = append(b.Cols, column.Flatten(column.NewDefaults(f.Type, rows)))
		}
		return b, nil
	case *plan.Limit:
		b, err := evaluate(n.Input)
		if err != nil {
			return nil, err
		}
		return b.Slice(0, min(b.N, int(n.N))), nil
	case *plan.Project:
		b, err := evaluate(n.Input)
		if err != nil {
			return nil, err
		}
		out := &column.Block{N: b.N}
		for _, e := range n.Exprs {
			v, err := value(e, b)
			if err != nil {
				return nil, err
			}
			out.Cols = append(out.Cols, v)
		}
		return out, nil
	case *plan.Aggregate:
		b := &column.Block{}
		for _, f := range n.Fields {
			v := column.Flatten(column.NewDefaults(f.Type, 1))
			if len(n.Keys) > 0 {
				v = v.Slice(0, 0)
			}
			b.Cols, b.N = append(b.Cols, v), v.Len()
		}
		return b, nil
	case *plan.Filter:
		b, err := evaluate(n.Input)
		if err != nil {
			return nil, err
		}
		return b.Slice(0, 0), nil
	}
	return nil, fmt.Errorf("the test cannot run %T", n)
}

func value(e plan.Expr, b *column.Block) (column.Vector, error) {
	switch e := e.(type) {
	case *plan.Const:
		return column.Flatten(&column.Const{Value: e.Value, N: b.N}), nil
	case *plan.Col:
		return b.Cols[e.Index], nil
	case *plan.Call:
		args := make([]column.Vector, len(e.Args))
		for i, a := range e.Args {
			v, err := value(a, b)
			if err != nil {
				return nil, err
			}
			args[i] = v
		}
		v, err := e.Fn.Call(&function.Env{Zone: time.UTC}, args, nil, b.N)
		if err != nil {
			return nil, err
		}
		return column.Flatten(v), nil
	}
	return nil, fmt.Errorf("the test cannot evaluate %T", e)
}

// analyzeText parses and analyzes one SELECT.
func analyzeText(sql string, opts Options) (plan.Node, error) {
	stmt, err := parse.One(sql, parse.Limits{})
	if err != nil {
		return nil, err
	}
	q, ok := stmt.(*ast.SelectUnion)
	if !ok {
		return nil, fmt.Errorf("%s is not a SELECT", strings.SplitN(sql, " ", 2)[0])
	}
	return Query(context.Background(), q, opts)
}
