package node

import (
	"context"
	"fmt"
	"slices"

	"github.com/olapd/olapd/cluster"
	"github.com/olapd/olapd/internal/catalog"
	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/function"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/internal/types"
	"github.com/olapd/olapd/mergetree"
	"github.com/olapd/olapd/query"
	"github.com/olapd/olapd/query/analyze"
	"github.com/olapd/olapd/query/ast"
	"github.com/olapd/olapd/query/exec/eval"
	"github.com/olapd/olapd/query/parse"
	"github.com/olapd/olapd/query/plan"
)

// Mutate implements query.Mutator: every shard changes its rows in one commit, at its leader.
func (n *Node) Mutate(ctx context.Context, t *catalog.Table, m query.Mutation) error {
	if _, err := n.mutation(ctx, t, &m); err != nil { // before anything is changed anywhere
		return err
	}
	return n.wide(ctx, t.ID, func(version uint64) error {
		return n.shards.each(func(id uint64) error {
			_, err := n.do(ctx, &shardRequest{Shard: id, Op: opMutate, Table: t.ID, Catalog: n.cluster.Meta().Catalog().Version, Mutation: &m, Topology: version})
			return err
		})
	})
}

// mutateShard changes the rows of a shard that this node leads.
func (n *Node) mutateShard(ctx context.Context, r *cluster.Shard, q *shardRequest) error {
	t := n.cluster.Meta().Catalog().ByID(q.Table)
	if t == nil || q.Mutation == nil {
		return sqlerr.New(sqlerr.UnknownTable, "Table %d does not exist any more", q.Table)
	}
	m, err := n.mutation(ctx, t, q.Mutation)
	if err != nil {
		return err
	}
	_, err = r.Store().Mutate(ctx, r, t.ID, m)
	return err
}

// mutation compiles a mutation of a table.
func (n *Node) mutation(ctx context.Context, t *catalog.Table, q *query.Mutation) (mergetree.Mutation, error) {
	pt, err := plan.NewTable(t)
	if err != nil {
		return mergetree.Mutation{}, err
	}
	env := &function.Env{Ctx: ctx, Zone: n.shards.specs.env.Zone, Now: q.Now, Dictionaries: n.dictionaries(ctx, n.cluster.Meta().Catalog())}
	c := &mutating{env: env, t: t, schema: pt.Schema(), opts: analyze.Options{Catalog: catalog.New(), Database: "default", Env: env}}
	if err := c.compile(q); err != nil {
		return mergetree.Mutation{}, err
	}
	out := mergetree.Mutation{Rows: c.rows}
	if q.PartitionID != "" {
		out.Partition = q.PartitionID
	}
	return out, nil
}

// mutating is a compiled mutation.
type mutating struct {
	env    *function.Env
	opts   analyze.Options
	t      *catalog.Table
	schema column.Schema

	where *eval.Program
	// given computes new values of columns over the old row, made those that follow from them, over the row with the new values.
	given, made     *eval.Program
	givenAt, madeAt []int // columns
}

func (c *mutating) compile(q *query.Mutation) error {
	cond, err := c.expr(q.Where)
	if err != nil {
		return err
	}
	if in := cond.Type().WithoutLowCardinality().Inner(); !in.IsNumeric() && in.Kind != types.Nothing {
		return sqlerr.New(sqlerr.BadArguments, "The condition of a mutation must be a number: %s is of type %s", q.Where, cond.Type())
	}
	if c.where, err = c.program(cond); err != nil || len(q.Set) == 0 {
		return err
	}
	var given, made []plan.Expr
	for _, a := range q.Set {
		at := c.schema.Index(a.Column)
		if at < 0 {
			return sqlerr.New(sqlerr.NoSuchColumnInTable, "There is no column `%s` in table.", a.Column)
		}
		e, err := c.converted(a.Value, c.schema[at].Type)
		if err != nil {
			return err
		}
		given, c.givenAt = append(given, e), append(c.givenAt, at)
	}
	for _, col := range c.t.Columns {
		if col.Default != catalog.Materialized || !mentions(col.Expr, q.Set) {
			continue
		}
		at := c.schema.Index(col.Name)
		e, err := c.converted(col.Expr, c.schema[at].Type)
		if err != nil {
			return err
		}
		made, c.madeAt = append(made, e), append(c.madeAt, at)
	}
	if c.given, err = c.program(given...); err != nil || len(made) == 0 {
		return err
	}
	c.made, err = c.program(made...)
	return err
}

// mentions reports whether an expression reads one of the columns.
func mentions(sql string, set []query.Assigned) bool {
	e, err := parse.Expr(sql, parse.Limits{})
	if err != nil {
		return false
	}
	found := false
	ast.Walk(e, func(n ast.Node) bool {
		if id, ok := n.(*ast.Ident); ok {
			found = found || slices.ContainsFunc(set, func(a query.Assigned) bool { return a.Column == id.Parts[len(id.Parts)-1].Text })
		}
		return !found
	})
	return found
}

func (c *mutating) expr(sql string) (plan.Expr, error) {
	e, err := parse.Expr(sql, parse.Limits{QuerySize: len(sql) + 1, Elements: len(sql) + 1})
	if err != nil {
		return nil, err
	}
	simple, _ := ast.Unalias(e)
	return analyze.Expr(c.env.Ctx, simple, c.schema, c.opts)
}

func (c *mutating) converted(sql string, t *types.Type) (plan.Expr, error) {
	return c.expr("CAST((" + sql + "), " + types.QuoteString(t.String()) + ")")
}

func (c *mutating) program(exprs ...plan.Expr) (*eval.Program, error) {
	return eval.Compile(c.env, exprs, eval.NewSets(c.env, false))
}

// rows implements mergetree.Mutation's Rows.
func (c *mutating) rows(_ context.Context, b *column.Block) (*column.Block, error) {
	out, err := c.where.Run(b)
	if err != nil {
		return nil, err
	}
	var hit, rest []uint32
	for i, v := range eval.Truth(out[0], b.N) {
		if v != 0 {
			hit = append(hit, uint32(i))
		} else {
			rest = append(rest, uint32(i))
		}
	}
	switch {
	case len(hit) == 0:
		return b, nil
	case c.given == nil:
		return b.Gather(rest), nil
	}
	return c.updated(b, hit)
}

// updated returns the block with new values in the rows that are hit.
func (c *mutating) updated(b *column.Block, hit []uint32) (*column.Block, error) {
	rows := b.Gather(hit)
	values, err := c.given.Run(rows)
	if err != nil {
		return nil, err
	}
	next := &column.Block{N: rows.N, Cols: slices.Clone(rows.Cols)}
	for i, at := range c.givenAt {
		next.Cols[at] = values[i]
	}
	changed := slices.Clone(c.givenAt)
	if c.made != nil {
		if values, err = c.made.Run(next); err != nil {
			return nil, err
		}
		for i, at := range c.madeAt {
			next.Cols[at] = values[i]
		}
		changed = append(changed, c.madeAt...)
	}
	result := &column.Block{N: b.N, Cols: slices.Clone(b.Cols)}
	for _, at := range changed {
		if result.Cols[at], err = merged(c.schema[at].Type, b.Cols[at], next.Cols[at], hit); err != nil {
			return nil, fmt.Errorf("column %s: %w", c.schema[at].Name, err)
		}
	}
	return result, nil
}

// merged is a column with other values at some rows, in order.
func merged(t *types.Type, old, values column.Vector, at []uint32) (column.Vector, error) {
	out := column.New(t.WithoutLowCardinality(), old.Len())
	from, to := column.Flatten(old), column.Flatten(values)
	next := 0
	for i, row := range at {
		if int(row) > next {
			out.AppendRange(from, next, int(row))
		}
		out.AppendRange(to, i, i+1)
		next = int(row) + 1
	}
	if next < old.Len() {
		out.AppendRange(from, next, old.Len())
	}
	return column.WithType(out, t), nil
}
