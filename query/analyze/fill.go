package analyze

import (
	"slices"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/internal/types"
	"github.com/olapd/olapd/query/ast"
	"github.com/olapd/olapd/query/plan"
)

func badFill(format string, args ...any) error {
	return sqlerr.New(sqlerr.InvalidWithFillExpression, format, args...)
}

// fill resolves WITH FILL of a key of type t.
func (s *scope) fill(f *ast.WithFill, t *types.Type, desc bool) (*plan.FillKey, error) {
	if f == nil {
		return nil, nil
	}
	t = t.Inner()
	switch {
	case t.IsInteger() && t.Width() > 8:
		return nil, sqlerr.New(sqlerr.NotImplemented, "WITH FILL of %s is not supported", t)
	case !t.IsInteger() && !t.IsFloat() && !t.IsDateOrTime():
		return nil, incompatibleFill(t)
	}
	out := &plan.FillKey{Desc: desc}
	var err error
	if out.From, err = s.fillBound(f.From, "FROM", t); err != nil {
		return nil, err
	}
	if out.To, err = s.fillBound(f.To, "TO", t); err != nil {
		return nil, err
	}
	if out.Step, out.StepUnit, err = s.fillDistance(f.Step, "STEP", t); err != nil {
		return nil, err
	}
	if out.Staleness, out.StalenessUnit, err = s.fillDistance(f.Staleness, "STALENESS", t); err != nil {
		return nil, err
	}
	return out, checkFill(out)
}

func incompatibleFill(t *types.Type) error {
	return badFill("Incompatible types of WITH FILL expression values with column type %s", t)
}

// checkFill holds the constants of a key against its direction.
func checkFill(k *plan.FillKey) error {
	if k.From != nil && k.Staleness != nil {
		return badFill("WITH FILL STALENESS cannot be used together with WITH FILL FROM")
	}
	direction, wrong := "ascending", "less"
	if k.Desc {
		direction, wrong = "descending", "greater"
	}
	if k.From != nil && k.To != nil {
		if c := column.Compare(k.To, 0, k.From, 0); c != 0 && (c < 0) != k.Desc {
			return badFill("WITH FILL TO value cannot be %s than FROM value for sorting in %s direction", wrong, direction)
		}
	}
	for _, d := range []struct {
		what string
		v    column.Vector
	}{{"STEP", k.Step}, {"STALENESS", k.Staleness}} {
		if d.v == nil {
			continue
		}
		switch sign := signOf(d.v); {
		case sign == 0:
			return badFill("%s value cannot be zero", d.what)
		case sign < 0 && !k.Desc:
			return badFill("WITH FILL %s value cannot be negative for sorting in ascending direction", d.what)
		case sign > 0 && k.Desc:
			return badFill("WITH FILL %s value cannot be positive for sorting in descending direction", d.what)
		}
	}
	return nil
}

// signOf is the sign of a number of Int64 or Float64.
func signOf(v column.Vector) float64 {
	switch x := column.Value(v, 0).(type) {
	case int64:
		return float64(x)
	case float64:
		return x
	}
	return 0
}

// fillConstant resolves a number, a date or an interval.
func (s *scope) fillConstant(e ast.Expr, what string) (*plan.Const, error) {
	x, err := s.resolve(e)
	if err != nil {
		return nil, err
	}
	c, ok := x.(*plan.Const)
	if t := x.Type(); !ok || !t.IsInteger() && !t.IsFloat() && !t.IsDateOrTime() && t.Kind != types.Interval {
		return nil, badFill("Sort FILL %s expression must be constant with numeric type. Actual: %s", what, ast.Shown(e))
	}
	return c, nil
}

// fillBound evaluates FROM or TO in the key's type.
func (s *scope) fillBound(e ast.Expr, what string, t *types.Type) (column.Vector, error) {
	if e == nil {
		return nil, nil
	}
	c, err := s.fillConstant(e, what)
	if err != nil {
		return nil, err
	}
	switch {
	case c.T.IsDateOrTime() && c.T.Kind != t.Kind && !(c.T.Kind == types.DateTime && t.Kind == types.DateTime64),
		c.T.IsFloat() && !t.IsFloat(), c.T.Kind == types.Interval:
		return nil, incompatibleFill(t)
	case t.IsUnsigned() && c.T.IsSigned() && column.Compare(c.Value, 0, column.Flatten(column.NewDefaults(c.T, 1)), 0) < 0:
		return nil, badFill("WITH FILL bound values cannot be negative for unsigned type %s", t)
	}
	x, err := s.cast(c, t)
	if err != nil {
		return nil, err
	}
	return x.(*plan.Const).Value, nil
}

// fillDistance evaluates STEP or STALENESS, as Int64 or Float64, and the unit of an interval.
func (s *scope) fillDistance(e ast.Expr, what string, t *types.Type) (column.Vector, *types.Unit, error) {
	if e == nil {
		return nil, nil, nil
	}
	c, err := s.fillConstant(e, what)
	if err != nil {
		return nil, nil, err
	}
	var unit *types.Unit
	as := types.TInt64
	switch {
	case c.T.Kind == types.Interval && !t.IsDateOrTime():
		return nil, nil, badFill("%s of Interval type can be used only with Date/DateTime types, but got %s", what, t)
	case c.T.Kind == types.Interval:
		unit = &c.T.Unit
		if t.IsDate() && *unit < types.Day {
			return nil, nil, badFill("Value of step is too low. Must be >= 1 day")
		}
		if t.Kind == types.DateTime && *unit < types.Second {
			return nil, nil, badFill("Value of step is too low. Must be >= 1 second")
		}
	case t.IsFloat():
		as = types.TFloat64
	case !c.T.IsInteger():
		return nil, nil, incompatibleFill(t)
	}
	x, err := s.cast(c, as)
	if err != nil {
		return nil, nil, err
	}
	return x.(*plan.Const).Value, unit, nil
}

// planFill adds the rows WITH FILL asks for to n, sorted by keys.
func (b *builder) planFill(n plan.Node, keys []plan.SortKey) (plan.Node, error) {
	f := &plan.Fill{Input: n}
	for i, k := range b.order {
		at := keys[i].Index
		if k.fill == nil {
			if len(f.Keys) == 0 {
				f.Prefix = append(f.Prefix, at)
			}
			continue
		}
		key := *k.fill
		key.Index = at
		if slices.ContainsFunc(f.Keys, func(o plan.FillKey) bool { return o.Index == at }) {
			return nil, badFill("Multiple WITH FILL for identical expressions is not supported in ORDER BY")
		}
		f.Keys = append(f.Keys, key)
	}
	if len(f.Keys) == 0 {
		return n, nil
	}
	var err error
	f.Interpolate, err = b.interpolate(n.Schema(), keys)
	return f, err
}

// interpolate resolves INTERPOLATE over the result's columns; without a list it is each column that is not sorted by.
func (b *builder) interpolate(schema column.Schema, keys []plan.SortKey) ([]plan.Interpolation, error) {
	sorted := func(i int) bool {
		return slices.ContainsFunc(keys, func(k plan.SortKey) bool { return k.Index == i })
	}
	var out []plan.Interpolation
	if b.sel.HasInterpolate && len(b.sel.Interpolate) == 0 {
		for i, c := range columnsOf(schema)[:len(b.items)] {
			if !sorted(i) {
				out = append(out, plan.Interpolation{Column: i, Expr: c})
			}
		}
	}
	own := b.a.scope(nil)
	own.from = frameOf(&plan.Values{Fields: schema, Block: &column.Block{}}, "", schema)
	for _, x := range b.sel.Interpolate {
		i := schema[:len(b.items)].Index(x.Name)
		switch {
		case i < 0:
			return nil, sqlerr.At(x.Start, sqlerr.UnknownIdentifier, "Unknown expression identifier `%s`", x.Name)
		case sorted(i):
			return nil, badFill("Column '%s' is participating in ORDER BY expression and can't be INTERPOLATE output", x.Name)
		}
		e, err := own.resolve(x.Expr)
		if err == nil {
			err = scalarOnly(e, "INTERPOLATE")
		}
		if err == nil {
			e, err = own.cast(e, schema[i].Type)
		}
		if err != nil {
			return nil, at(err, x)
		}
		out = append(out, plan.Interpolation{Column: i, Expr: e})
	}
	return out, nil
}
