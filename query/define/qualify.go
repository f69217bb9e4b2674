package define

import (
	"slices"
	"strings"

	"github.com/olapd/olapd/internal/catalog"
	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/internal/types"
	"github.com/olapd/olapd/query/ast"
	"github.com/olapd/olapd/query/parse"
	"github.com/olapd/olapd/query/plan"
)

// qualified returns the SELECT with the database in front of every table's and dictionary's name and parameters in names replaced, so
// that it means the same whatever the current database is.
func (o *Options) qualified(q *ast.SelectUnion) (*ast.SelectUnion, error) {
	if q == nil {
		return nil, sqlerr.New(sqlerr.IncorrectQuery, "A view needs a SELECT")
	}
	ctes := map[string]bool{}
	ast.Walk(q, func(n ast.Node) bool {
		if w, ok := n.(*ast.WithItem); ok && w.Query != nil {
			ctes[w.Name] = true
		}
		return true
	})
	type edit struct {
		at   ast.Range
		text string
	}
	var edits []edit
	var err error
	ast.Walk(q, func(n ast.Node) bool {
		if f, ok := n.(*ast.FuncCall); ok {
			if full := fullDictionary(f, o.Analyze.Database, o.catalog()); full != "" {
				edits = append(edits, edit{f.Args[0].Span(), ast.QuoteString(full)})
			}
		}
		t, ok := n.(*ast.TableRef)
		if !ok || err != nil {
			return err == nil
		}
		if t.Name.Database.IsZero() && !t.Name.Table.Param && ctes[t.Name.Table.Text] {
			return true
		}
		if o.session && t.Name.Database.IsZero() && !t.Name.Table.Param && o.catalog().Table("", t.Name.Table.Text) != nil {
			return true
		}
		var db, name string
		if db, name, err = o.table(t.Name); err == nil {
			edits = append(edits, edit{t.Name.Range, quotedName(db, name)})
		}
		return true
	})
	if err != nil {
		return nil, err
	}
	slices.SortFunc(edits, func(a, b edit) int { return a.at.Start - b.at.Start })
	var b strings.Builder
	pos, end := q.Start, q.End
	for _, e := range edits {
		if e.at.Start < pos || e.at.End > end {
			return nil, sqlerr.New(sqlerr.LogicalError, "The table names of a view lie outside of its text")
		}
		b.WriteString(o.Text[pos:e.at.Start])
		b.WriteString(e.text)
		pos = e.at.End
	}
	b.WriteString(o.Text[pos:end])
	stmt, err := parse.One(b.String(), parse.Limits{QuerySize: b.Len() + 1})
	if err != nil {
		return nil, err
	}
	out, ok := stmt.(*ast.SelectUnion)
	if !ok {
		return nil, sqlerr.New(sqlerr.IncorrectQuery, "A view needs a SELECT")
	}
	return out, nil
}

// KafkaColumns are the virtual columns of Kafka tables, behind their own.
var KafkaColumns = column.Schema{
	{Name: "_topic", Type: mustType("LowCardinality(String)")},
	{Name: "_key", Type: types.TString},
	{Name: "_offset", Type: types.TUInt64},
	{Name: "_timestamp", Type: mustType("Nullable(DateTime)")},
	{Name: "_timestamp_ms", Type: mustType("Nullable(DateTime64(3))")},
	{Name: "_partition", Type: types.TUInt64},
	{Name: "_headers.name", Type: mustType("Array(String)")},
	{Name: "_headers.value", Type: mustType("Array(String)")},
}

func mustType(s string) *types.Type {
	t, err := types.Parse(s)
	if err != nil {
		panic(err) // a constant of this package
	}
	return t
}

// KafkaReadable returns what makes a table for reading, with Kafka tables allowed: over them a rollup is analyzed.
func KafkaReadable(other func(*catalog.Table) (plan.Table, error)) func(*catalog.Table) (plan.Table, error) {
	return func(t *catalog.Table) (plan.Table, error) {
		if t.Kind == catalog.KindKafka {
			return plan.NewTable(t, KafkaColumns...)
		}
		if other != nil {
			return other(t)
		}
		return plan.NewTable(t)
	}
}
