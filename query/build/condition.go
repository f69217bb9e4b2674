package build

import (
	"bytes"
	"slices"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/kernel"
	"github.com/olapd/olapd/internal/types"
	"github.com/olapd/olapd/query/plan"
	"github.com/olapd/olapd/segment"
)

// Limits of what goes into a condition: a longer list prunes no better than its bounds would and costs a
// probe per value and granule; deeper trees of and/or are machine-made and seldom prune.
const (
	maxConditionValues = 100_000
	maxConditionDepth  = 32
)

// condition returns what of the conjuncts the storage may prune by, or nil. It is implied by their
// conjunction: what cannot be said in terms is left out.
func (b *builder) condition(n *plan.Scan, conjuncts []plan.Expr) *segment.Condition {
	c := &conditioner{b: b, final: finalColumns(n), scan: n}
	var out segment.Condition
	for _, e := range conjuncts {
		if t, ok := c.terms(e, 0); ok {
			out.Terms = append(out.Terms, t...)
		}
	}
	if out.Terms = c.atPaths(out.Terms); len(out.Terms) == 0 {
		return nil
	}
	return &out
}

// finalColumns returns, for a FINAL scan, the sort key: only by it may rows be pruned before
// versions are merged. It returns nil for other scans.
func finalColumns(n *plan.Scan) []string {
	if !n.Final {
		return nil
	}
	if t := n.Table.Catalog(); t != nil {
		return append([]string{}, t.SortKey...)
	}
	return []string{}
}

type conditioner struct {
	b     *builder
	final []string // columns allowed; nil: all
	scan  *plan.Scan
}

// terms returns the terms that e implies; ok is false if there are none.
func (c *conditioner) terms(e plan.Expr, depth int) ([]segment.Term, bool) {
	if depth > maxConditionDepth {
		return nil, false
	}
	switch e := e.(type) {
	case *plan.Col: // a boolean column
		if e.T.IsNumeric() && c.allowed(e) {
			return c.compare(e, kernel.Ne, &plan.Const{Value: column.NewBools([]uint8{0}), T: types.TUInt8})
		}
	case *plan.In:
		return c.in(e)
	case *plan.Call:
		return c.call(e, depth)
	}
	return nil, false
}

func (c *conditioner) allowed(e *plan.Col) bool {
	return c.final == nil || slices.Contains(c.final, e.Name)
}

// comparisons are the operators by function.
var comparisons = map[string]kernel.Op{
	"equals": kernel.Eq, "notEquals": kernel.Ne, "less": kernel.Lt, "lessOrEquals": kernel.Le, "greater": kernel.Gt, "greaterOrEquals": kernel.Ge,
}

// negated is the operator that holds where another does not, NULL and NaN aside.
var negated = map[kernel.Op]kernel.Op{kernel.Eq: kernel.Ne, kernel.Ne: kernel.Eq}

func (c *conditioner) call(e *plan.Call, depth int) ([]segment.Term, bool) {
	name := e.Fn.Func.Name
	if op, ok := comparisons[name]; ok && len(e.Args) == 2 {
		return c.comparison(e, op)
	}
	switch name {
	case "and":
		var out []segment.Term
		for _, a := range e.Args {
			if t, ok := c.terms(a, depth+1); ok {
				out = append(out, t...)
			}
		}
		return out, len(out) > 0
	case "or":
		return c.or(e, depth)
	case "not":
		return c.not(e.Args[0])
	case "isNull", "isNotNull":
		if col, ok := e.Args[0].(*plan.Col); ok && c.allowed(col) && col.T.IsNullable() {
			kind := segment.IsNull
			if name == "isNotNull" {
				kind = segment.IsNotNull
			}
			return []segment.Term{{Kind: kind, Column: col.Name}}, true
		}
	case "like", "startsWith", "hasToken", "has":
		return c.search(name, e)
	}
	return nil, false
}

// or needs terms from every side.
func (c *conditioner) or(e *plan.Call, depth int) ([]segment.Term, bool) {
	var sides []segment.Condition
	for _, a := range e.Args {
		t, ok := c.terms(a, depth+1)
		if !ok {
			return nil, false
		}
		sides = append(sides, segment.And(t...))
	}
	return []segment.Term{segment.Or(sides...)}, true
}

func (c *conditioner) not(e plan.Expr) ([]segment.Term, bool) {
	switch e := e.(type) {
	case *plan.In:
		flipped := *e
		flipped.Not = !e.Not
		return c.in(&flipped)
	case *plan.Call:
		op, ok := comparisons[e.Fn.Func.Name]
		if op, ok2 := negated[op]; ok && ok2 {
			return c.comparison(e, op)
		}
	}
	return nil, false
}

// comparison handles column op constant either way around, and f(column) op constant for monotonic f.
func (c *conditioner) comparison(e *plan.Call, op kernel.Op) ([]segment.Term, bool) {
	left, right := e.Args[0], e.Args[1]
	if _, ok := left.(*plan.Const); ok {
		left, right, op = right, left, op.Flip()
	}
	k, ok := right.(*plan.Const)
	if !ok || column.IsNull(k.Value, 0) {
		return nil, false
	}
	if col, ok := left.(*plan.Col); ok && c.allowed(col) {
		if col.T.Kind == types.Dynamic {
			return c.compareDynamic(col, op, k)
		}
		return c.compare(col, op, k)
	}
	if call, ok := left.(*plan.Call); ok {
		return c.monotonic(call, op, k)
	}
	return nil, false
}

func (c *conditioner) compare(col *plan.Col, op kernel.Op, k *plan.Const) ([]segment.Term, bool) {
	v, ok := c.constant(k.Value, k.T, col.T)
	if !ok {
		return nil, false
	}
	return []segment.Term{segment.Cmp(col.Name, op, v)}, true
}

func (c *conditioner) in(e *plan.In) ([]segment.Term, bool) {
	set, err := c.b.sets.Get(e.Set)
	if err != nil || !set.Filled() || set.Len() > maxConditionValues || e.Not && len(e.Args) > 1 {
		return nil, false
	}
	if e.T.Kind != types.Nullable && !e.Not {
		for _, a := range e.Args {
			if a.Type().IsNullable() { // transform_null_in: NULL may be in the set
				return nil, false
			}
		}
	}
	var out []segment.Term
	for i, a := range e.Args {
		col, ok := a.(*plan.Col)
		if !ok || !c.allowed(col) {
			continue
		}
		values, ok := c.constants(set.Values(i), col.T)
		if !ok {
			continue
		}
		kind := segment.In
		if e.Not {
			kind = segment.NotIn
		}
		out = append(out, segment.Term{Kind: kind, Column: col.Name, Values: values})
	}
	return out, len(out) > 0
}

// constants converts all values or none.
func (c *conditioner) constants(v column.Vector, to *types.Type) (column.Vector, bool) {
	if v.Type().Equal(to.Inner()) {
		return v, true
	}
	out := column.New(to.Inner(), v.Len())
	for i := range v.Len() {
		x, ok := c.constant(column.Flatten(v.Slice(i, i+1)), v.Type(), to)
		if !ok {
			return nil, false
		}
		out.AppendFrom(x, 0)
	}
	return out, true
}

// search handles the functions that look into strings and arrays.
func (c *conditioner) search(name string, e *plan.Call) ([]segment.Term, bool) {
	col, ok := e.Args[0].(*plan.Col)
	k, ok2 := e.Args[1].(*plan.Const)
	if !ok || !ok2 || !c.allowed(col) || column.IsNull(k.Value, 0) {
		return nil, false
	}
	term := segment.Term{Column: col.Name}
	if name == "has" {
		if col.T.Kind != types.Array {
			return nil, false
		}
		v, ok := c.constant(k.Value, k.T, col.T.Elem())
		term.Kind, term.Values = segment.HasElem, v
		return []segment.Term{term}, ok
	}
	s, ok := constString(k)
	if !ok || col.T.Inner().Kind != types.String {
		return nil, false
	}
	switch name {
	case "startsWith":
		term.Kind = segment.Prefix
	case "hasToken":
		term.Kind = segment.HasToken
	case "like":
		if term.Kind, s, ok = likeTerm(s); !ok {
			return nil, false
		}
	}
	if term.Kind == segment.Compare {
		term.Op = kernel.Eq
	}
	term.Values = column.NewStrings(string(s))
	return []segment.Term{term}, true
}

// likeTerm says what a LIKE pattern implies: equality, a prefix, or else a string contained.
func likeTerm(pattern []byte) (segment.TermKind, []byte, bool) {
	first, rest, exact := literalRun(pattern)
	if exact {
		return segment.Compare, first, true
	}
	if len(first) > 0 {
		return segment.Prefix, first, true
	}
	var longest []byte
	for len(rest) > 0 {
		rest = rest[1:] // a wildcard
		var run []byte
		if run, rest, _ = literalRun(rest); len(run) > len(longest) {
			longest = run
		}
	}
	return segment.Contains, longest, len(longest) > 0
}

// literalRun returns the literal text up to the first wildcard, and the pattern from there; all says that there is none.
func literalRun(p []byte) (text, rest []byte, all bool) {
	for i := 0; i < len(p); i++ {
		switch {
		case p[i] == '%' || p[i] == '_':
			return text, p[i:], false
		case p[i] == '\\' && i+1 < len(p):
			if i++; !bytes.ContainsRune([]byte(`%_\`), rune(p[i])) {
				text = append(text, '\\')
			}
		}
		text = append(text, p[i])
	}
	return text, nil, true
}

func constString(k *plan.Const) ([]byte, bool) {
	v := column.Flatten(k.Value)
	if n, ok := v.(*column.Nullable); ok {
		v = n.Inner
	}
	s, ok := v.(*column.Str)
	if !ok || s.Typ.Kind != types.String {
		return nil, false
	}
	return s.At(0), true
}
