package analyze

import (
	"math"
	"slices"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/internal/types"
	"github.com/olapd/olapd/query/ast"
	"github.com/olapd/olapd/query/plan"
)

// limits are LIMIT BY and LIMIT as numbers.
type limits struct {
	by         bool
	byN, byOff uint64
	n, offset  uint64
	ties       bool
}

// positional returns the SELECT item that a number in GROUP BY, ORDER BY or LIMIT BY stands for; -1 for anything else.
func (b *builder) positional(e ast.Expr) (int, error) {
	l, ok := e.(*ast.Literal)
	if !ok || l.Kind != ast.LiteralUint && l.Kind != ast.LiteralInt || !b.a.flag("enable_positional_arguments", true) {
		return -1, nil
	}
	n := int64(min(l.Uint, math.MaxInt32))
	if l.Kind == ast.LiteralInt {
		n = int64(len(b.items)) + 1 + l.Int
	}
	if n < 1 || n > int64(len(b.items)) {
		return -1, sqlerr.At(l.Start, sqlerr.BadArguments, "Positional argument number %s is out of bounds. Expected in range [1, %d]", literalText(l), len(b.items))
	}
	return int(n - 1), nil
}

// orderClause resolves ORDER BY. A constant orders nothing and is dropped.
func (b *builder) orderClause() error {
	if b.sel.OrderByAll {
		o := orderOf(b.sel.OrderBy[0])
		for i := range b.items {
			b.order = append(b.order, orderKey{e: b.exprs[i], Order: o})
			b.orderAt = append(b.orderAt, i)
		}
		return nil
	}
	if b.sel.HasInterpolate {
		return sqlerr.New(sqlerr.NotImplemented, "INTERPOLATE is not supported")
	}
	for _, o := range b.sel.OrderBy {
		k, i, err := b.orderItem(o)
		if err != nil {
			return at(err, o)
		}
		if _, isConst := k.e.(*plan.Const); isConst && k.fill == nil {
			continue
		}
		b.order = append(b.order, k)
		b.orderAt = append(b.orderAt, i)
	}
	return nil
}

func (b *builder) orderItem(o *ast.OrderItem) (orderKey, int, error) {
	if o.Collate != "" {
		return orderKey{}, 0, sqlerr.New(sqlerr.NotImplemented, "COLLATE is not supported")
	}
	k := orderKey{Order: orderOf(o)}
	i, err := b.positional(o.Expr)
	if err != nil {
		return k, 0, err
	}
	if i >= 0 {
		k.e = b.exprs[i]
	} else if k.e, err = b.resolve(o.Expr); err != nil {
		return k, 0, err
	}
	if !k.e.Type().IsOrdered() {
		return k, 0, sqlerr.New(sqlerr.IllegalTypeOfArgument, "Values of type %s cannot be sorted", k.e.Type())
	}
	if k.fill, err = b.fill(o.Fill, k.e.Type()); err != nil {
		return k, 0, err
	}
	if _, isConst := k.e.(*plan.Const); isConst && k.fill == nil {
		return k, -1, nil
	}
	if i < 0 {
		i = b.add(k.e)
	}
	return k, i, nil
}

func orderOf(o *ast.OrderItem) column.Order {
	return column.Order{Desc: o.Desc, NullsFirst: o.Nulls == ast.NullsFirst}
}

// orderKeys resolves the ORDER BY of a window.
func (s *scope) orderKeys(items []*ast.OrderItem) ([]orderKey, error) {
	var out []orderKey
	for _, o := range items {
		if o.Collate != "" || o.Fill != nil {
			return nil, sqlerr.At(o.Start, sqlerr.NotImplemented, "COLLATE and WITH FILL in a window are not supported")
		}
		e, err := s.resolve(o.Expr)
		if err != nil {
			return nil, err
		}
		out = append(out, orderKey{e: e, Order: orderOf(o)})
	}
	return out, nil
}

// fill evaluates WITH FILL: FROM and TO in the key's type, STEP as a number or an interval.
func (s *scope) fill(f *ast.WithFill, t *types.Type) (*plan.Fill, error) {
	if f == nil {
		return nil, nil
	}
	if f.Staleness != nil {
		return nil, sqlerr.New(sqlerr.NotImplemented, "WITH FILL STALENESS is not supported")
	}
	out := &plan.Fill{}
	for _, p := range []struct {
		e  ast.Expr
		to *column.Vector
	}{{f.From, &out.From}, {f.To, &out.To}} {
		if p.e == nil {
			continue
		}
		c, err := s.constantOf(p.e, t.Inner())
		if err != nil {
			return nil, err
		}
		*p.to = c.Value
	}
	if f.Step == nil {
		return out, nil
	}
	x, err := s.resolve(f.Step)
	if err != nil {
		return nil, err
	}
	step := types.TInt64
	if it := x.Type(); it.Kind == types.Interval {
		out.StepUnit = &it.Unit
	} else if t.Inner().IsFloat() {
		step = types.TFloat64
	}
	c, err := s.constantOf(f.Step, step)
	if err != nil {
		return nil, err
	}
	if v := column.Value(c.Value, 0); v == any(int64(0)) || v == any(float64(0)) {
		return nil, sqlerr.New(sqlerr.InvalidWithFillExpression, "STEP value cannot be zero")
	}
	out.Step = c.Value
	return out, nil
}

// constantOf evaluates a constant expression as a value of t.
func (s *scope) constantOf(e ast.Expr, t *types.Type) (*plan.Const, error) {
	x, err := s.resolve(e)
	if err == nil && x.Type().Kind != types.Interval {
		x, err = s.cast(x, t)
	}
	if err != nil {
		return nil, err
	}
	c, ok := x.(*plan.Const)
	if !ok {
		return nil, sqlerr.At(e.Span().Start, sqlerr.BadArguments, "%s is not constant", ast.Format(e))
	}
	return c, nil
}

func (b *builder) limitClauses() error {
	sel := b.sel
	b.limit.n = plan.NoLimit
	for _, c := range []struct {
		e    ast.Expr
		to   *uint64
		what string
	}{{sel.Limit, &b.limit.n, "LIMIT"}, {sel.Offset, &b.limit.offset, "OFFSET"}} {
		if c.e == nil {
			continue
		}
		n, err := b.countOf(c.e, c.what, sqlerr.InvalidLimitExpression)
		if err != nil {
			return err
		}
		*c.to = n
	}
	if sel.LimitTies {
		if len(sel.OrderBy) == 0 {
			return sqlerr.New(sqlerr.WithTiesWithoutOrderBy, "Can not use WITH TIES without ORDER BY")
		}
		b.limit.ties = true
	}
	return b.limitByClause()
}

// limitByClause resolves LIMIT n BY; DISTINCT ON (x) is LIMIT 1 BY x.
func (b *builder) limitByClause() error {
	by := b.sel.LimitBy
	if len(b.sel.DistinctOn) > 0 {
		if by != nil {
			return sqlerr.New(sqlerr.NotImplemented, "DISTINCT ON and LIMIT BY in one query are not supported")
		}
		by = &ast.LimitBy{By: b.sel.DistinctOn}
	}
	if by == nil {
		return nil
	}
	b.limit.by, b.limit.byN = true, 1
	var err error
	if by.Limit != nil {
		if b.limit.byN, err = b.countOf(by.Limit, "LIMIT BY", sqlerr.InvalidLimitExpression); err != nil {
			return err
		}
	}
	if by.Offset != nil {
		if b.limit.byOff, err = b.countOf(by.Offset, "LIMIT BY OFFSET", sqlerr.InvalidLimitExpression); err != nil {
			return err
		}
	}
	if by.All {
		b.limitBy = identity(len(b.items))
	}
	for _, e := range by.By {
		i, err := b.positional(e)
		if err != nil {
			return err
		}
		if i >= 0 {
			b.limitBy = append(b.limitBy, i)
			continue
		}
		xs, err := b.resolveAll([]ast.Expr{e})
		if err != nil {
			return err
		}
		for _, x := range xs {
			b.limitBy = append(b.limitBy, b.add(x))
		}
	}
	return nil
}

// countOf evaluates a constant number of rows; code is what anything but a whole number from 0 is.
func (s *scope) countOf(e ast.Expr, what string, code sqlerr.Code) (uint64, error) {
	x, err := s.resolve(e)
	if err != nil {
		return 0, err
	}
	c, ok := x.(*plan.Const)
	if ok {
		switch v := column.Value(c.Value, 0).(type) {
		case uint8:
			return uint64(v), nil
		case uint16:
			return uint64(v), nil
		case uint32:
			return uint64(v), nil
		case uint64:
			return v, nil
		case int8:
			return nonNegative(int64(v), what)
		case int16:
			return nonNegative(int64(v), what)
		case int32:
			return nonNegative(int64(v), what)
		case int64:
			return nonNegative(v, what)
		case float64:
			if v == math.Trunc(v) && v >= 0 && v < 1<<63 {
				return uint64(v), nil
			}
			if v > 0 && v < 1 {
				return 0, sqlerr.New(sqlerr.NotImplemented, "A fraction as %s is not supported", what)
			}
		}
	}
	return 0, sqlerr.At(e.Span().Start, code, "%s expression must be constant with numeric type. Actual: %s", what, ast.Format(e))
}

func nonNegative(v int64, what string) (uint64, error) {
	if v < 0 {
		return 0, sqlerr.New(sqlerr.NotImplemented, "A negative %s is not supported", what)
	}
	return uint64(v), nil
}

// planOrder sorts; at maps exprs to columns of n.
func (b *builder) planOrder(n plan.Node, at []int) (plan.Node, []plan.SortKey) {
	var keys []plan.SortKey
	for i, k := range b.order {
		key := plan.SortKey{Index: at[b.orderAt[i]], Order: k.Order, Fill: k.fill}
		if !slices.ContainsFunc(keys, func(o plan.SortKey) bool { return o.Index == key.Index }) {
			keys = append(keys, key)
		}
	}
	if len(keys) == 0 {
		return n, nil
	}
	return &plan.Sort{Input: n, Keys: keys}, keys
}

func (b *builder) planLimits(n plan.Node, keys []plan.SortKey, at []int) plan.Node {
	if b.limit.by {
		by := make([]int, len(b.limitBy))
		for i, p := range b.limitBy {
			by[i] = at[p]
		}
		n = &plan.LimitBy{Input: n, Keys: by, N: b.limit.byN, Offset: b.limit.byOff}
	}
	if b.limit.n == plan.NoLimit && b.limit.offset == 0 {
		return n
	}
	l := &plan.Limit{Input: n, N: b.limit.n, Offset: b.limit.offset}
	if b.limit.ties {
		l.WithTies = keys
	}
	return l
}
