// Package insert prepares rows for a table: from the columns that an INSERT gives to the columns that are stored.
//
// A Target is made once per statement. Its Input is what a format reads or a SELECT yields; Block computes the rest, in the
// order in which expressions need each other: DEFAULT where a value was not given, MATERIALIZED always, and the helper columns
// (EPHEMERAL, ALIAS) that those read. Then it checks the table's constraints.
package insert

import (
	"context"
	"regexp"
	"slices"

	"github.com/olapd/olapd/internal/catalog"
	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/function"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/internal/types"
	"github.com/olapd/olapd/internal/valuetext"
	"github.com/olapd/olapd/query/analyze"
	"github.com/olapd/olapd/query/ast"
	"github.com/olapd/olapd/query/exec/eval"
	"github.com/olapd/olapd/query/parse"
	"github.com/olapd/olapd/query/plan"
)

// Target is a table that rows are being inserted into. It is safe for concurrent use.
type Target struct {
	Table *catalog.Table
	// Input is the columns that are given, in order.
	Input column.Schema
	// Stored is the table's stored columns, in order: those of Block's result.
	Stored column.Schema

	env    *function.Env
	all    column.Schema // every column of the table
	given  []int         // per column of all: its position in Input, or -1
	order  []int         // columns of all in the order they are computed
	exprs  []*eval.Program
	stored []int // positions of Stored in all
	checks []check
	nested [][]int // positions in all of the columns of each Nested
	// NullAsDefault gives NULL in a column that is not Nullable the column's default; else it is an error.
	NullAsDefault bool
}

type check struct {
	c       catalog.Constraint
	program *eval.Program
	reads   []int
}

// New makes a target for the columns named, or for all that can be inserted if names is nil.
func New(ctx context.Context, t *catalog.Table, names []string, o analyze.Options) (*Target, error) {
	g := &Target{Table: t, env: o.Env}
	for _, c := range t.Columns {
		typ, err := types.Parse(c.Type)
		if err != nil {
			return nil, err
		}
		if c.Default != catalog.Alias && c.Default != catalog.Ephemeral {
			g.stored = append(g.stored, len(g.all))
			g.Stored = append(g.Stored, column.Field{Name: c.Name, Type: typ})
		}
		g.all = append(g.all, column.Field{Name: c.Name, Type: typ})
		g.given = append(g.given, -1)
	}
	g.nested = nestedGroups(g.all, g.stored)
	if names == nil {
		names = Insertable(t)
	}
	if err := g.input(names); err != nil {
		return nil, err
	}
	return g, g.compile(ctx, o)
}

// Insertable names the columns that an INSERT without a list of columns fills.
func Insertable(t *catalog.Table) []string {
	var out []string
	for _, c := range t.Columns {
		if c.Default == catalog.DefaultNone || c.Default == catalog.DefaultExpr {
			out = append(out, c.Name)
		}
	}
	return out
}

func (g *Target) input(names []string) error {
	for _, n := range names {
		i := g.all.Index(n)
		switch {
		case i < 0 || g.Table.Columns[i].Default == catalog.Alias:
			return sqlerr.New(sqlerr.NoSuchColumnInTable, "No such column %s in table %s", n, g.Table.FullName())
		case g.Table.Columns[i].Default == catalog.Materialized:
			return sqlerr.New(sqlerr.IllegalColumn, "Cannot insert column %s, because it is MATERIALIZED column", n)
		case g.given[i] >= 0:
			return sqlerr.New(sqlerr.DuplicateColumn, "Column %s is listed twice", n)
		}
		g.given[i] = len(g.Input)
		g.Input = append(g.Input, g.all[i])
	}
	return nil
}

// compile resolves defaults and constraints and finds the order of computation.
func (g *Target) compile(ctx context.Context, o analyze.Options) error {
	g.exprs = make([]*eval.Program, len(g.all))
	needs := make([][]int, len(g.all))
	for i, c := range g.Table.Columns {
		if c.Expr == "" {
			continue
		}
		x, err := resolve(ctx, c.Expr, g.all, o)
		if err != nil {
			return sqlerr.Wrap(err, sqlerr.CodeOf(err), "default of column %s", c.Name)
		}
		if g.exprs[i], err = eval.Compile(g.env, []plan.Expr{x}, eval.NewSets(g.env, false)); err != nil {
			return err
		}
		needs[i] = g.exprs[i].Columns()
	}
	state := make([]bool, len(g.all))
	var visit func(i, depth int) error
	visit = func(i, depth int) error {
		if depth > len(g.all) {
			return sqlerr.New(sqlerr.CyclicAliases, "The default of column %s reads itself", g.all[i].Name)
		}
		if state[i] {
			return nil
		}
		for _, n := range needs[i] {
			if err := visit(n, depth+1); err != nil {
				return err
			}
		}
		if !state[i] {
			state[i] = true
			g.order = append(g.order, i)
		}
		return nil
	}
	for _, c := range g.Table.Constraints {
		if c.Assume {
			continue
		}
		x, err := resolve(ctx, c.Expr, g.all, o)
		if err != nil {
			return sqlerr.Wrap(err, sqlerr.CodeOf(err), "constraint %s", c.Name)
		}
		p, err := eval.Compile(g.env, []plan.Expr{x}, eval.NewSets(g.env, false))
		if err != nil {
			return err
		}
		g.checks = append(g.checks, check{c, p, p.Columns()})
		for _, n := range p.Columns() {
			if err := visit(n, 0); err != nil {
				return err
			}
		}
	}
	for _, i := range g.stored {
		if err := visit(i, 0); err != nil {
			return err
		}
	}
	return nil
}

// resolve types an expression of a table; subqueries have no place in it.
func resolve(ctx context.Context, sql string, schema column.Schema, o analyze.Options) (plan.Expr, error) {
	e, err := parse.Expr(sql, parse.Limits{QuerySize: len(sql) + 1})
	if err != nil {
		return nil, err
	}
	x, err := analyze.Expr(ctx, e, schema, o)
	if err != nil {
		return nil, err
	}
	plan.Walk(x, func(e plan.Expr) bool {
		if in, ok := e.(*plan.In); ok && in.Set.Input != nil {
			err = sqlerr.New(sqlerr.NotImplemented, "Subqueries in an expression of a table are not implemented: %s", sql)
		}
		return true
	})
	return x, err
}

// Convert casts a block of a SELECT to the types of Input and tells which values were NULL and are to be defaults.
func (g *Target) Convert(b *column.Block) (*column.Block, [][]uint8, error) {
	if len(b.Cols) != len(g.Input) {
		return nil, nil, sqlerr.New(sqlerr.NumberOfColumnsDoesntMatch, "Number of columns doesn't match (source: %d and result: %d)", len(b.Cols), len(g.Input))
	}
	out := &column.Block{N: b.N, Cols: make([]column.Vector, len(b.Cols))}
	var omitted [][]uint8
	for i, c := range b.Cols {
		t := g.Input[i].Type
		if c.Type().IsNullable() && !t.WithoutLowCardinality().IsNullable() {
			nulls := make([]uint8, b.N)
			c = eval.StripNulls(column.Flatten(c), nulls, t.WithoutLowCardinality())
			if !g.NullAsDefault && slices.Contains(nulls, 1) {
				return nil, nil, sqlerr.New(sqlerr.CannotInsertNullInOrdinaryColumn, "Cannot insert NULL value into column %s of type %s", g.Input[i].Name, t)
			}
			if omitted == nil {
				omitted = make([][]uint8, len(b.Cols))
			}
			omitted[i] = nulls
		}
		v, err := function.Cast(g.env, c, t)
		if err != nil {
			return nil, nil, sqlerr.Wrap(err, sqlerr.CodeOf(err), "while converting a value for column %s of type %s", g.Input[i].Name, t)
		}
		out.Cols[i] = v
	}
	return out, omitted, nil
}

// Block computes the stored columns from those of Input. omitted[c][i] is 1 where row i did not give column c of Input; nil
// masks mean that all were given.
func (g *Target) Block(in *column.Block, omitted [][]uint8) (*column.Block, error) {
	work := &column.Block{N: in.N, Cols: make([]column.Vector, len(g.all))}
	for _, i := range g.order {
		v, err := g.column(i, in, omitted, work)
		if err != nil {
			return nil, err
		}
		work.Cols[i] = v
	}
	g.fillNested(work)
	if err := g.checkNested(work); err != nil {
		return nil, err
	}
	if err := g.check(work); err != nil {
		return nil, err
	}
	out := &column.Block{N: in.N, Cols: make([]column.Vector, len(g.stored))}
	for k, i := range g.stored {
		v := work.Cols[i]
		if _, ok := v.(*column.Const); ok {
			v = column.Flatten(v)
		}
		out.Cols[k] = v
	}
	return out, nil
}

// Given is Block for one who sends the columns of Input on, to where the rest is computed: it fills in the values that were omitted.
func (g *Target) Given(in *column.Block, omitted [][]uint8) (*column.Block, error) {
	work := &column.Block{N: in.N, Cols: make([]column.Vector, len(g.all))}
	var need func(i int) error
	need = func(i int) error { // compile has seen that no column needs itself
		if work.Cols[i] != nil {
			return nil
		}
		if g.exprs[i] != nil {
			for _, n := range g.exprs[i].Columns() {
				if err := need(n); err != nil {
					return err
				}
			}
		}
		v, err := g.column(i, in, omitted, work)
		work.Cols[i] = v
		return err
	}
	out := &column.Block{N: in.N, Cols: make([]column.Vector, len(in.Cols))}
	for i, at := range g.given {
		if at < 0 {
			continue
		}
		if err := need(i); err != nil {
			return nil, err
		}
		out.Cols[at] = column.Flatten(work.Cols[i])
	}
	return out, nil
}

func (g *Target) column(i int, in *column.Block, omitted [][]uint8, work *column.Block) (column.Vector, error) {
	at := g.given[i]
	if at < 0 {
		return g.computed(i, work)
	}
	v := in.Cols[at]
	if omitted == nil || omitted[at] == nil || g.exprs[i] == nil {
		return v, nil
	}
	var missing []uint32
	for r, m := range omitted[at] {
		if m != 0 {
			missing = append(missing, uint32(r))
		}
	}
	if len(missing) == 0 {
		return v, nil
	}
	some := &column.Block{N: len(missing), Cols: make([]column.Vector, len(g.all))}
	for _, c := range g.exprs[i].Columns() {
		some.Cols[c] = column.Gather(work.Cols[c], missing)
	}
	d, err := g.computed(i, some)
	if err != nil {
		return nil, err
	}
	return merged(g.all[i].Type, v, d, missing), nil
}

// merged replaces the values of v at the positions rows by those of d.
func merged(t *types.Type, v, d column.Vector, rows []uint32) column.Vector {
	v, d = column.Flatten(v), column.Flatten(d)
	out := column.New(t.WithoutLowCardinality(), v.Len())
	from := 0
	for k, r := range rows {
		out.AppendRange(v, from, int(r))
		out.AppendRange(d, k, k+1)
		from = int(r) + 1
	}
	out.AppendRange(v, from, v.Len())
	return out
}

// computed is column i's default over the columns in work.
func (g *Target) computed(i int, work *column.Block) (column.Vector, error) {
	t := g.all[i].Type
	if g.exprs[i] == nil {
		return column.NewDefaults(t.WithoutLowCardinality(), work.N), nil
	}
	v, err := g.exprs[i].Run1(work)
	if err == nil {
		v, err = function.Cast(g.env, v, t)
	}
	if err != nil {
		return nil, sqlerr.Wrap(err, sqlerr.CodeOf(err), "default of column %s", g.all[i].Name)
	}
	return v, nil
}

func (g *Target) check(work *column.Block) error {
	for _, c := range g.checks {
		v, err := c.program.Run1(work)
		if err != nil {
			return err
		}
		mask := eval.Truth(v, work.N)
		for r, ok := range mask {
			if ok == 0 {
				return g.violated(c, work, r)
			}
		}
	}
	return nil
}

func (g *Target) violated(c check, work *column.Block, r int) error {
	values := ""
	for _, i := range c.reads {
		if values != "" {
			values += ", "
		}
		values += g.all[i].Name + " = " + string(valuetext.AppendQuoted(nil, work.Cols[i], r, g.env.Zone))
	}
	return sqlerr.New(sqlerr.ViolatedConstraint, "Constraint `%s` for table %s is violated at row %d. Expression: (%s). Column values: %s",
		c.c.Name, g.Table.FullName(), r+1, c.c.Expr, values)
}

// Names resolves an INSERT's list of columns: identifiers, and * EXCEPT (…).
func Names(t *catalog.Table, list []ast.Expr) ([]string, error) {
	if list == nil {
		return nil, nil
	}
	out := []string{}
	for _, e := range list {
		switch e := e.(type) {
		case *ast.Ident:
			name := e.Parts[0].Text
			for _, p := range e.Parts[1:] {
				name += "." + p.Text
			}
			out = append(out, name)
		case *ast.Asterisk:
			names, err := except(Insertable(t), e.Transformers)
			if err != nil {
				return nil, err
			}
			out = append(out, names...)
		case *ast.ColumnsMatcher:
			names, err := matching(t, e)
			if err != nil {
				return nil, err
			}
			out = append(out, names...)
		default:
			return nil, sqlerr.At(e.Span().Start, sqlerr.NotImplemented, "%s in an INSERT's columns is not implemented", ast.Shown(e))
		}
	}
	return out, nil
}

// matching are the columns that COLUMNS('…') or COLUMNS(a, b) stands for.
func matching(t *catalog.Table, m *ast.ColumnsMatcher) ([]string, error) {
	var names []string
	for _, id := range m.List {
		names = append(names, id.Last())
	}
	if m.List == nil {
		re, err := regexp.Compile(m.Pattern)
		if err != nil {
			return nil, sqlerr.Wrap(err, sqlerr.CannotCompileRegexp, "COLUMNS pattern %s cannot be compiled", m.Pattern)
		}
		for _, n := range Insertable(t) {
			if re.MatchString(n) {
				names = append(names, n)
			}
		}
	}
	names, err := except(names, m.Transformers)
	if err == nil && len(names) == 0 {
		err = sqlerr.At(m.Start, sqlerr.EmptyListOfColumnsPassed, "Empty list of columns to insert")
	}
	return names, err
}

func except(names []string, ts []*ast.Transformer) ([]string, error) {
	for _, t := range ts {
		if t.Kind != ast.TransformExcept || t.Pattern != "" {
			return nil, sqlerr.At(t.Start, sqlerr.NotImplemented, "Only EXCEPT of names is implemented in an INSERT's columns")
		}
		var kept []string
		for _, n := range names {
			drop := false
			for _, c := range t.Columns {
				drop = drop || c == n
			}
			if !drop {
				kept = append(kept, n)
			}
		}
		names = kept
	}
	return names, nil
}
