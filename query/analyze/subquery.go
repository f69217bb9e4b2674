package analyze

import (
	"strconv"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/internal/types"
	"github.com/olapd/olapd/query/ast"
	"github.com/olapd/olapd/query/plan"
)

// nextSubquery numbers subqueries for names; n numbers are used up.
func (a *analyzer) nextSubquery(n int) string {
	a.subqueries += n
	return strconv.Itoa(a.subqueries)
}

// scalar runs a subquery and returns its value: of one column the value, else a tuple; NULL of no rows.
func (s *scope) scalar(q *ast.Subquery) (plan.Expr, error) {
	if x := s.scalars[q]; x != nil {
		return x, nil
	}
	s.names[q] = "_subquery_" + s.a.nextSubquery(1)
	n, c, err := s.inner(q)
	if err != nil {
		return nil, err
	}
	if len(c.params) > 0 {
		x, err := s.correlated(n, c, false)
		if err == nil {
			s.scalars[q] = x
		}
		return x, err
	}
	b, err := s.run(&plan.Limit{Input: n, N: 2})
	if err != nil {
		return nil, err
	}
	if b.N > 1 {
		return nil, sqlerr.New(sqlerr.IncorrectResultOfScalarSubquery, "Scalar subquery returned more than one row")
	}
	x, err := scalarValue(b, n.Schema())
	if err != nil {
		return nil, err
	}
	s.scalars[q] = x
	return x, nil
}

func (s *scope) run(n plan.Node) (*column.Block, error) {
	if s.a.opts.Scalar == nil {
		return nil, sqlerr.New(sqlerr.NotImplemented, "Scalar subqueries are not supported in this place")
	}
	if err := s.a.checkReads(); err != nil {
		return nil, err
	}
	return s.a.opts.Scalar(s.a.ctx, n)
}

func scalarValue(b *column.Block, schema column.Schema) (*plan.Const, error) {
	t := schema[0].Type
	if len(schema) > 1 {
		var elems []*types.Type
		var names []string
		for _, f := range schema {
			elems, names = append(elems, f.Type), append(names, f.Name)
		}
		t = types.NewTuple(elems, names)
	}
	if b.N == 0 {
		if !nullableScalar(t).IsNullable() {
			return nil, sqlerr.New(sqlerr.IncorrectResultOfScalarSubquery, "Scalar subquery returned empty result of type %s which cannot be Nullable", t)
		}
		return constant(nullableScalar(t), nil), nil
	}
	var v column.Vector
	if len(schema) > 1 {
		tuple := column.New(t, 1).(*column.Tuple)
		for i, c := range b.Cols {
			tuple.Elems[i].(column.Builder).AppendFrom(c, 0)
		}
		tuple.N = 1
		v = tuple
	} else {
		out := column.New(nullableScalar(t), 1)
		out.AppendFrom(b.Cols[0], 0)
		v, t = out, nullableScalar(t)
	}
	return &plan.Const{Value: v, T: t}, nil
}

// nullableScalar is the type of a scalar subquery of one column: Nullable where it can be.
func nullableScalar(t *types.Type) *types.Type {
	if t.Kind == types.LowCardinality && !t.IsNullable() {
		return types.NewLowCardinality(types.NewNullable(t.Elem()))
	}
	if t.CanBeNullable() {
		return types.NewNullable(t)
	}
	return t
}

// exists runs a subquery to see whether it has rows.
func (s *scope) exists(e *ast.FuncCall) (plan.Expr, error) {
	if len(e.Args) != 1 {
		return nil, sqlerr.New(sqlerr.NumberOfArgumentsDoesntMatch, "EXISTS takes one subquery")
	}
	q, ok := e.Args[0].(*ast.Subquery)
	if !ok {
		return nil, sqlerr.New(sqlerr.BadArguments, "EXISTS takes a subquery, not %s", ast.Shown(e.Args[0]))
	}
	if x := s.scalars[q]; x != nil {
		return x, nil
	}
	s.names[q] = "_subquery_" + s.a.nextSubquery(2)
	n, c, err := s.inner(q)
	if err != nil {
		return nil, err
	}
	if len(c.params) > 0 {
		x, err := s.correlated(n, c, true)
		if err == nil {
			s.scalars[q] = x
		}
		return x, err
	}
	b, err := s.run(&plan.Limit{Input: &plan.Project{Input: n}, N: 1})
	if err != nil {
		return nil, err
	}
	x := constant(types.TUInt8, uint8(min(b.N, 1)))
	s.exist[e] = uint64(min(b.N, 1))
	s.scalars[q] = x
	return x, nil
}
