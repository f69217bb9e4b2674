package materialized

import (
	"context"
	"slices"
	"strings"

	"github.com/olapd/olapd/internal/catalog"
	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/function"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/internal/types"
	"github.com/olapd/olapd/query/analyze"
	"github.com/olapd/olapd/query/ast"
	"github.com/olapd/olapd/query/optimize"
	"github.com/olapd/olapd/query/parse"
	"github.com/olapd/olapd/query/plan"
)

// compiled is a rollup's plan: its rows as blocks of the target's stored columns, made of a block of the source.
type compiled struct {
	version uint64        // of the catalog
	in      column.Schema // of the source's blocks: a Kafka consumer may outlive an ALTER of its table
	node    plan.Node
	fields  column.Schema // the target's stored columns
	// fixed says that the plan holds for every block: it has no now() in it, which analysis replaces by the time.
	fixed bool
}

// momentary are the functions, in lower case, that analysis replaces by a constant of the moment.
var momentary = []string{"now", "now64", "today", "yesterday", "nowinblock", "currentdatabase", "current_timestamp", "curdate", "current_date",
	"curtime", "localtime", "localtimestamp", "utctimestamp", "utc_timestamp", "uptime", "queryid"}

// blockTable is the source of a rollup while one block stands in its place.
type blockTable struct {
	entry  *catalog.Table
	schema column.Schema
}

// Name implements plan.Table.
func (t *blockTable) Name() string { return t.entry.FullName() }

// Schema implements plan.Table.
func (t *blockTable) Schema() column.Schema { return t.schema }

// Catalog implements plan.Table.
func (t *blockTable) Catalog() *catalog.Table { return t.entry }

// compile plans a rollup over blocks of the schema.
func (d *Deriver) compile(ctx context.Context, c *catalog.Catalog, env *function.Env, rollup *catalog.Table, in Rows) (*compiled, error) {
	target := c.ByID(rollup.Target)
	if target == nil {
		return nil, sqlerr.New(sqlerr.UnknownTable, "The target of materialized view %s does not exist", rollup.FullName())
	}
	q, err := selectOf(rollup)
	if err != nil {
		return nil, err
	}
	p := &compiled{version: c.Version, in: in.Schema, fixed: !isMomentary(q)}
	first := true // the block stands for the source where it is named first, in FROM
	o := analyze.Options{Catalog: c, Database: rollup.Database, Env: env, Table: func(t *catalog.Table) (plan.Table, error) {
		if t.ID == in.Table.ID && first {
			first = false
			return &blockTable{entry: t, schema: in.Schema}, nil
		}
		return plan.NewTable(t)
	}, Scalar: func(ctx context.Context, n plan.Node) (*column.Block, error) {
		p.fixed = false // the value is of this moment
		b, err := d.run(ctx, env, &compiled{node: optimize.Run(n)}, in.Block)
		if b == nil {
			b = &column.Block{}
			for _, f := range n.Schema() {
				b.Cols = append(b.Cols, column.New(f.Type.WithoutLowCardinality(), 0))
			}
		}
		return b, err
	}}
	n, err := analyze.Query(ctx, q, o)
	if err != nil {
		return nil, err
	}
	n, fields, err := toTarget(ctx, n, target, o)
	if err != nil {
		return nil, err
	}
	p.node, p.fields = optimize.Run(n), fields
	return p, nil
}

func selectOf(rollup *catalog.Table) (*ast.SelectUnion, error) {
	stmt, err := parse.One(rollup.Select, parse.Limits{})
	if err != nil {
		return nil, err
	}
	q, ok := stmt.(*ast.SelectUnion)
	if !ok {
		return nil, sqlerr.New(sqlerr.LogicalError, "The query of %s is no SELECT", rollup.FullName())
	}
	return q, nil
}

func isMomentary(q *ast.SelectUnion) bool {
	found := false
	ast.Walk(q, func(n ast.Node) bool {
		if f, ok := n.(*ast.FuncCall); ok && slices.Contains(momentary, strings.ToLower(f.Name)) {
			found = true
		}
		return !found
	})
	return found
}

// toTarget puts the target's stored columns on top of the SELECT: those it yields, by name and converted, then those
// that the target computes itself.
func toTarget(ctx context.Context, n plan.Node, target *catalog.Table, o analyze.Options) (plan.Node, column.Schema, error) {
	stored, err := plan.NewTable(target)
	if err != nil {
		return nil, nil, err
	}
	fields := stored.Schema()
	given := &plan.Project{Input: n}
	for _, f := range fields {
		if n.Schema().Index(f.Name) < 0 {
			continue
		}
		e, err := conversion(ctx, ast.QuoteIdent(f.Name), f.Type, n.Schema(), o)
		if err != nil {
			return nil, nil, err
		}
		given.Exprs, given.Fields = append(given.Exprs, e), append(given.Fields, f)
	}
	if len(given.Fields) == 0 {
		return nil, nil, sqlerr.New(sqlerr.ThereIsNoColumn, "The query yields no column of table %s", target.FullName())
	}
	if len(given.Fields) == len(fields) {
		return given, fields, nil
	}
	all := &plan.Project{Input: given, Fields: fields}
	for _, f := range fields {
		e, err := computed(ctx, f, given.Fields, target, o)
		if err != nil {
			return nil, nil, err
		}
		all.Exprs = append(all.Exprs, e)
	}
	return all, fields, nil
}

// conversion is the SQL expression converted to t.
func conversion(ctx context.Context, sql string, t *types.Type, schema column.Schema, o analyze.Options) (plan.Expr, error) {
	e, err := parse.Expr("CAST("+sql+", "+types.QuoteString(t.String())+")", parse.Limits{})
	if err != nil {
		return nil, err
	}
	x, err := analyze.Expr(ctx, e, schema, o)
	if err != nil {
		return nil, err
	}
	if c, ok := x.(*plan.Call); ok && len(c.Args) > 0 && c.Args[0].Type().Equal(t) {
		return c.Args[0], nil // nothing to convert
	}
	return x, nil
}

// computed is a column of the target: one that is given, or its DEFAULT or MATERIALIZED expression, or the type's default.
func computed(ctx context.Context, f column.Field, given column.Schema, target *catalog.Table, o analyze.Options) (plan.Expr, error) {
	if at := given.Index(f.Name); at >= 0 {
		return &plan.Col{Index: at, Name: f.Name, T: f.Type}, nil
	}
	if col := target.Column(f.Name); col != nil && col.Expr != "" {
		return conversion(ctx, col.Expr, f.Type, given, o)
	}
	one := column.New(f.Type, 1)
	one.AppendDefault()
	return &plan.Const{Value: one, T: f.Type}, nil
}
