package optimize_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/datadriven"

	"github.com/olapd/olapd/internal/catalog"
	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/function"
	"github.com/olapd/olapd/internal/types"
	"github.com/olapd/olapd/query/analyze"
	"github.com/olapd/olapd/query/ast"
	"github.com/olapd/olapd/query/optimize"
	"github.com/olapd/olapd/query/parse"
	"github.com/olapd/olapd/query/plan"
)

// TestPlans prints the analyzed ("analyze") or optimized ("optimize") plan of a SELECT over the tables that "table" declared.
func TestPlans(t *testing.T) {
	datadriven.Walk(t, "testdata", func(t *testing.T, path string) {
		opts := analyze.Options{Catalog: catalog.New(), Database: "default",
			Env:           &function.Env{Ctx: context.Background(), Now: time.Unix(1e9, 0), Zone: time.UTC, Database: "default"},
			TableFunction: numbers,
		}
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			if d.Cmd == "table" {
				return declare(t, &opts, d)
			}
			return explain(d, opts)
		})
	})
}

// declare adds a table: its engine and sort key as arguments, its columns as lines "name type".
func declare(t *testing.T, opts *analyze.Options, d *datadriven.TestData) string {
	entry := &catalog.Table{Database: "default", Kind: catalog.KindTable, Engine: "MergeTree"}
	d.ScanArgs(t, "name", &entry.Name)
	d.MaybeScanArgs(t, "engine", &entry.Engine)
	var key string
	d.MaybeScanArgs(t, "key", &key)
	entry.SortKey = strings.Split(key, ",")
	for _, line := range strings.Split(d.Input, "\n") {
		name, typ, _ := strings.Cut(line, " ")
		entry.Columns = append(entry.Columns, catalog.Column{Name: name, Type: typ})
	}
	c, err := opts.Catalog.WithTables(entry)
	if err != nil {
		return err.Error()
	}
	opts.Catalog = c
	return ""
}

func explain(d *datadriven.TestData, opts analyze.Options) string {
	stmt, err := parse.One(d.Input, parse.Limits{})
	if err != nil {
		return err.Error()
	}
	n, err := analyze.Query(context.Background(), stmt.(*ast.SelectUnion), opts)
	if err != nil {
		return err.Error()
	}
	before := n.Schema()
	if d.Cmd == "optimize" {
		n = optimize.Run(n)
	}
	for i, f := range n.Schema() {
		if len(before) != len(n.Schema()) || before[i].Name != f.Name || !before[i].Type.Equal(f.Type) {
			return "the schema changed"
		}
	}
	return plan.String(n)
}

type numbersTable struct{}

func (numbersTable) Name() string { return "numbers" }
func (numbersTable) Schema() column.Schema {
	return column.Schema{{Name: "number", Type: types.TUInt64}}
}
func (numbersTable) Catalog() *catalog.Table { return nil }

func numbers(_ context.Context, call analyze.TableCall) (plan.Table, error) {
	if call.Name == "numbers" {
		return numbersTable{}, nil
	}
	return nil, nil
}
