package query

import (
	"context"
	"slices"
	"time"

	"github.com/olapd/olapd/internal/catalog"
	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/internal/types"
	"github.com/olapd/olapd/query/ast"
	"github.com/olapd/olapd/query/define"
	"github.com/olapd/olapd/query/parse"
)

// Mutation changes stored rows. Its SQL has no subqueries: it means the same wherever it is evaluated.
type Mutation struct {
	// Where selects the rows, of one partition if PartitionID is given; they are deleted, or with Set changed.
	Where       string
	PartitionID string
	Set         []Assigned
	// Now is what now() gives.
	Now time.Time
}

// Assigned is a column's new value, by SQL over the old ones.
type Assigned struct{ Column, Value string }

// Mutator changes stored rows. Safe for concurrent use.
type Mutator interface {
	// Mutate changes the rows of a table that are committed when it begins, on each shard in one commit, and returns when it has.
	Mutate(ctx context.Context, t *catalog.Table, m Mutation) error
}

// maxMutationSet bounds what a subquery of a mutation may give, as text: it travels to every shard.
const maxMutationSet = 8 << 20

// mutations returns what an ALTER does to stored rows; nil if it does something else.
func mutations(s *ast.Alter) ([]*ast.AlterCommand, error) {
	var out []*ast.AlterCommand
	for _, c := range s.Commands {
		if c.Kind == ast.AlterDelete || c.Kind == ast.AlterUpdate {
			out = append(out, c)
		}
	}
	if out != nil && len(out) < len(s.Commands) {
		return nil, sqlerr.At(s.Start, sqlerr.NotImplemented, "ALTER TABLE that changes columns and rows at once is not implemented")
	}
	return out, nil
}

// mutate changes the rows of a table: DELETE without set, else UPDATE.
func (x *statement) mutate(n ast.TableName, where ast.Expr, p *ast.Partition, set []*ast.Assignment) error {
	if x.e.deps.Mutator == nil {
		return sqlerr.At(n.Start, sqlerr.NotImplemented, "Mutations are not implemented here")
	}
	t, err := x.insertTable(n)
	if err == nil {
		err = notTemporary(t, "ALTER")
	}
	if err != nil {
		return err
	}
	m := Mutation{Now: x.env.Now}
	if m.PartitionID, err = x.partitionID(t, p); err != nil {
		return err
	}
	if err := x.assignable(t, set); err != nil {
		return err
	}
	if m.Where, err = x.plain(where); err != nil {
		return err
	}
	for _, a := range set {
		value, err := x.plain(a.Value)
		if err != nil {
			return err
		}
		m.Set = append(m.Set, Assigned{a.Column, value})
	}
	return x.e.deps.Mutator.Mutate(x.ctx, t, m)
}

// assignable refuses what cannot be updated, and conditions that mean nothing.
func (x *statement) assignable(t *catalog.Table, set []*ast.Assignment) error {
	keys, err := x.keyColumns(t)
	if err != nil {
		return err
	}
	for i, a := range set {
		c := t.Column(a.Column)
		switch {
		case c == nil:
			return sqlerr.At(a.Start, sqlerr.NoSuchColumnInTable, "There is no column `%s` in table.", a.Column)
		case slices.Contains(keys, a.Column):
			return sqlerr.At(a.Start, sqlerr.CannotUpdateColumn, "Cannot UPDATE key column `%s`.", a.Column)
		case c.Default == catalog.Materialized:
			return sqlerr.At(a.Start, sqlerr.CannotUpdateColumn, "Cannot UPDATE materialized column `%s`.", a.Column)
		case c.Default == catalog.Alias || c.Default == catalog.Ephemeral:
			return sqlerr.At(a.Start, sqlerr.NoSuchColumnInTable, "There is no column `%s` in table.", a.Column)
		}
		for _, other := range set[:i] {
			if other.Column == a.Column {
				return sqlerr.At(a.Start, sqlerr.BadArguments, "Multiple assignments in the single statement to column `%s`", a.Column)
			}
		}
	}
	return nil
}

// keyColumns are the columns that a row's place depends on.
func (x *statement) keyColumns(t *catalog.Table) ([]string, error) {
	texts := slices.Concat([]string{t.PartitionBy, t.SampleBy, t.ShardingKey()}, t.SortKey, t.EngineArgs)
	var out []string
	for _, text := range texts {
		if text == "" {
			continue
		}
		e, err := parse.Expr(text, parse.Limits{})
		if err != nil {
			return nil, err
		}
		ast.Walk(e, func(n ast.Node) bool {
			if id, ok := n.(*ast.Ident); ok {
				out = append(out, id.Parts[len(id.Parts)-1].Text)
			}
			return true
		})
	}
	return out, nil
}

// plain is an expression as SQL whose subqueries have been run: their rows stand in it.
func (x *statement) plain(e ast.Expr) (string, error) {
	if e == nil {
		return "1", nil
	}
	e = define.NamedDictionaries(e, x.db, x.cat)
	if err := x.mayReadDictionaries(e); err != nil { // the shards do not ask
		return "", err
	}
	var failed error
	replaced := ast.Rewrite(e, func(e ast.Expr) ast.Expr {
		call, ok := e.(*ast.FuncCall)
		if !ok || failed != nil || len(call.Args) != 2 || !slices.Contains([]string{"in", "notIn", "globalIn", "globalNotIn"}, call.Name) {
			return e
		}
		sub, ok := call.Args[1].(*ast.Subquery)
		if !ok {
			return e
		}
		set, err := x.setText(sub)
		if err != nil {
			failed = err
			return e
		}
		c := *call
		c.Args = []ast.Expr{call.Args[0], set}
		return &c
	})
	replaced = ast.Rewrite(replaced, func(e ast.Expr) ast.Expr {
		sub, ok := e.(*ast.Subquery)
		if !ok || failed != nil {
			return e
		}
		value, err := x.scalarText(sub)
		if err != nil {
			failed = err
			return e
		}
		return value
	})
	if failed != nil {
		return "", failed
	}
	return ast.Format(replaced), nil
}

// setText runs the subquery of an IN and returns its rows as an array.
func (x *statement) setText(sub *ast.Subquery) (ast.Expr, error) {
	n, err := x.analyzed(sub.Query)
	if err != nil {
		return nil, err
	}
	row := "t"
	if len(n.Schema()) == 1 {
		row = "t.1"
	}
	b, err := x.internal("SELECT toString(groupArray(" + row + ")) FROM (SELECT tuple(*) AS t FROM (" + ast.Format(sub.Query) + "))")
	if err != nil {
		return nil, err
	}
	text := column.Value(b.Cols[0], 0).(string)
	if len(text) > maxMutationSet {
		return nil, sqlerr.At(sub.Start, sqlerr.TooLargeArraySize, "The subquery gives %d bytes: a mutation takes at most %d", len(text), maxMutationSet)
	}
	return parse.Expr(text, parse.Limits{QuerySize: len(text) + 1, Elements: maxMutationSet})
}

// scalarText runs a subquery that stands for a value, and returns it.
func (x *statement) scalarText(sub *ast.Subquery) (ast.Expr, error) {
	b, err := x.internal("SELECT isNull(t.1), ifNull(toString(t.1), ''), toTypeName(t.1) FROM (SELECT tuple(*) AS t FROM (" + ast.Format(sub.Query) + ") LIMIT 2)")
	if err != nil {
		return nil, err
	}
	if b.N != 1 {
		return nil, sqlerr.At(sub.Start, sqlerr.IncorrectResultOfScalarSubquery, "Scalar subquery returned %d rows, a mutation needs one", b.N)
	}
	if column.Value(b.Cols[0], 0) != uint8(0) {
		return parse.Expr("NULL", parse.Limits{})
	}
	text := "CAST(" + types.QuoteString(column.Value(b.Cols[1], 0).(string)) + ", " + types.QuoteString(column.Value(b.Cols[2], 0).(string)) + ")"
	return parse.Expr(text, parse.Limits{QuerySize: len(text) + 1})
}
