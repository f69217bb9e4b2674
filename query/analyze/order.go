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
	byN, byOff plan.Portion
	n, offset  plan.Portion
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
		if b.sel.OrderBy[0].Collate != "" {
			return sqlerr.New(sqlerr.NotImplemented, "ORDER BY ALL COLLATE is not supported")
		}
		o := orderOf(b.sel.OrderBy[0])
		for i := range b.items {
			b.order = append(b.order, orderKey{e: b.exprs[i], Order: o})
			b.orderAt = append(b.orderAt, i)
		}
		return nil
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
	if err := b.a.ownTypesInKey(k.e.Type(), "ORDER BY", "allow_suspicious_types_in_order_by"); err != nil {
		return k, 0, err
	}
	if !k.e.Type().IsOrdered() {
		return k, 0, sqlerr.New(sqlerr.IllegalTypeOfArgument, "Values of type %s cannot be sorted", k.e.Type())
	}
	if o.Collate != "" {
		i = -1
		if k.e, err = b.collated(k.e, o.Collate); err != nil {
			return k, 0, err
		}
	}
	if k.fill, err = b.fill(o.Fill, k.e.Type(), o.Desc); err != nil {
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

// ownTypesInKey refuses keys whose values have types of their own, unless the setting allows them.
func (a *analyzer) ownTypesInKey(t *types.Type, clause, setting string) error {
	if !t.HasUnion() || a.flag(setting, false) {
		return nil
	}
	return sqlerr.New(sqlerr.IllegalColumn, "Data types Variant/Dynamic are not allowed in %s keys, because it can lead to unexpected results. "+
		"Consider using a subcolumn with a specific data type instead (for example 'column.Int64' or 'json.some.path.:Int64' if its a JSON path subcolumn) "+
		"or casting this column to a specific data type. Set setting %s = 1 in order to allow it", clause, setting)
}

// collated is what ORDER BY e COLLATE 'locale' sorts by.
func (s *scope) collated(e plan.Expr, locale string) (plan.Expr, error) {
	return s.call("collationKey", e, &plan.Const{Value: column.NewStrings(locale), T: types.TString})
}

func orderOf(o *ast.OrderItem) column.Order {
	return column.Order{Desc: o.Desc, NullsFirst: o.Nulls == ast.NullsFirst}
}

// orderKeys resolves the ORDER BY of a window.
func (s *scope) orderKeys(items []*ast.OrderItem) ([]orderKey, error) {
	var out []orderKey
	for _, o := range items {
		if o.Fill != nil {
			return nil, sqlerr.At(o.Start, sqlerr.NotImplemented, "WITH FILL in a window is not supported")
		}
		e, err := s.resolve(o.Expr)
		if err == nil && o.Collate != "" {
			e, err = s.collated(e, o.Collate)
		}
		if err != nil {
			return nil, err
		}
		out = append(out, orderKey{e: e, Order: orderOf(o)})
	}
	return out, nil
}

func (b *builder) limitClauses() error {
	sel := b.sel
	b.limit.n.Rows = plan.NoLimit
	for _, c := range []struct {
		e    ast.Expr
		to   *plan.Portion
		what string
	}{{sel.Limit, &b.limit.n, "LIMIT"}, {sel.Offset, &b.limit.offset, "OFFSET"}} {
		if c.e == nil {
			continue
		}
		n, err := b.portion(c.e, c.what)
		if err != nil {
			return err
		}
		*c.to = n
	}
	switch n, off := b.limit.n, b.limit.offset; {
	case n.FromEnd && off.Part > 0:
		return sqlerr.New(sqlerr.NotImplemented, "Negative LIMIT is not supported with fractional OFFSET yet")
	case n.Part > 0 && off.FromEnd:
		return sqlerr.New(sqlerr.NotImplemented, "Fractional LIMIT is not supported with negative OFFSET yet")
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
			return sqlerr.New(sqlerr.SyntaxError, "Can not use DISTINCT ON alongside LIMIT BY")
		}
		by = &ast.LimitBy{By: b.sel.DistinctOn}
	}
	if by == nil {
		return nil
	}
	b.limit.by, b.limit.byN = true, plan.Portion{Rows: 1}
	var err error
	if by.Limit != nil {
		if b.limit.byN, err = b.portion(by.Limit, "LIMIT BY"); err != nil {
			return err
		}
	}
	if by.Offset != nil {
		if b.limit.byOff, err = b.portion(by.Offset, "LIMIT BY OFFSET"); err != nil {
			return err
		}
	}
	if b.limit.byN.Part > 0 || b.limit.byOff.Part > 0 {
		return sqlerr.New(sqlerr.NotImplemented, "Fractional LIMIT/OFFSET with LIMIT BY is not supported yet")
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

// portion evaluates a constant number of rows: from 0, from the end below 0, or a part of all between 0 and 1.
func (s *scope) portion(e ast.Expr, what string) (plan.Portion, error) {
	x, err := s.resolve(e)
	if err != nil {
		return plan.Portion{}, err
	}
	c, ok := x.(*plan.Const)
	if !ok || !c.T.IsInteger() && !c.T.IsFloat() || c.T.Width() > 8 {
		return plan.Portion{}, sqlerr.At(e.Span().Start, sqlerr.InvalidLimitExpression, "%s expression must be constant with numeric type. Actual: %s", what, ast.Shown(e))
	}
	if n, ok := wholeNumber(c); ok {
		return n, nil
	}
	v, _ := column.Value(c.Value, 0).(float64)
	switch {
	case v > 0 && v < 1:
		return plan.Portion{Part: v}, nil
	case v == math.Trunc(v) && v >= 0 && v < 1<<63:
		return plan.Portion{Rows: uint64(v)}, nil
	}
	return plan.Portion{}, sqlerr.At(e.Span().Start, sqlerr.InvalidLimitExpression, "The value %s of %s expression is not representable as UInt64 or Int64 or Float64 in the range (0, 1)", ast.Shown(e), what)
}

// wholeNumber is the number of an integer constant of at most 64 bits, those below 0 counted from the end.
func wholeNumber(c *plan.Const) (plan.Portion, bool) {
	var i int64
	switch v := column.Value(c.Value, 0).(type) {
	case uint8:
		i = int64(v)
	case uint16:
		i = int64(v)
	case uint32:
		i = int64(v)
	case uint64:
		return plan.Portion{Rows: v}, true
	case int8:
		i = int64(v)
	case int16:
		i = int64(v)
	case int32:
		i = int64(v)
	case int64:
		i = v
	default:
		return plan.Portion{}, false
	}
	if i < 0 {
		return plan.Portion{Rows: -uint64(i), FromEnd: true}, true
	}
	return plan.Portion{Rows: uint64(i)}, true
}

// planOrder sorts; at maps exprs to columns of n. The keys are those of ORDER BY one by one.
func (b *builder) planOrder(n plan.Node, at []int) (plan.Node, []plan.SortKey) {
	var all, keys []plan.SortKey
	for i, k := range b.order {
		key := plan.SortKey{Index: at[b.orderAt[i]], Order: k.Order}
		all = append(all, key)
		if !slices.ContainsFunc(keys, func(o plan.SortKey) bool { return o.Index == key.Index }) {
			keys = append(keys, key)
		}
	}
	if len(keys) == 0 {
		return n, nil
	}
	return &plan.Sort{Input: n, Keys: keys}, all
}

func (b *builder) planLimitBy(n plan.Node, at []int) plan.Node {
	if !b.limit.by {
		return n
	}
	by := make([]int, len(b.limitBy))
	for i, p := range b.limitBy {
		by[i] = at[p]
	}
	if b.limit.byN.FromEnd || b.limit.byOff.FromEnd {
		return &plan.Slice{Input: n, Limit: b.limit.byN, Offset: b.limit.byOff, By: by}
	}
	return &plan.LimitBy{Input: n, Keys: by, N: b.limit.byN.Rows, Offset: b.limit.byOff.Rows}
}

func (b *builder) planLimit(n plan.Node, keys []plan.SortKey) plan.Node {
	limit, offset := b.limit.n, b.limit.offset
	if !b.limit.ties {
		keys = nil
	}
	switch {
	case !limit.Plain() || !offset.Plain():
		return &plan.Slice{Input: n, Limit: limit, Offset: offset, WithTies: keys}
	case limit.Rows == plan.NoLimit && offset.Rows == 0:
		return n
	}
	return &plan.Limit{Input: n, N: limit.Rows, Offset: offset.Rows, WithTies: keys}
}
