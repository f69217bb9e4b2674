package build

import (
	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/function"
	"github.com/olapd/olapd/internal/types"
)

// constant returns a constant of type from as a value of column type to, if there is one that compares with
// every value of the column as the constant does.
func (c *conditioner) constant(v column.Vector, from, to *types.Type) (column.Vector, bool) {
	if n, ok := v.(*column.Nullable); ok {
		v = n.Inner
	}
	from, to = from.Inner(), to.Inner()
	switch {
	case from.Equal(to):
		return v, true
	case from.IsInteger() && to.IsInteger():
		return c.exact(v, from, to)
	case from.Kind == types.String && textual(to):
		r, ok := c.cast(v, from, to) // the text is read as the column's type in comparisons too
		return r, ok
	case to.IsNumeric() && from.IsNumeric(), to.IsDateOrTime() && from.IsDateOrTime():
		return c.exact(v, from, to)
	}
	return nil, false
}

// textual reports whether a string constant is read as the type when compared with it.
func textual(t *types.Type) bool {
	switch t.Kind {
	case types.Date, types.Date32, types.DateTime, types.DateTime64, types.Time, types.Time64, types.UUID, types.IPv4, types.IPv6, types.Enum8, types.Enum16:
		return true
	}
	return false
}

// exact converts there and back: what is lost on the way would move a bound.
func (c *conditioner) exact(v column.Vector, from, to *types.Type) (column.Vector, bool) {
	r, ok := c.cast(v, from, to)
	if !ok {
		return nil, false
	}
	back, ok := c.cast(r, to, from)
	return r, ok && column.Compare(back, 0, v, 0) == 0
}

// cast converts one value, or says that it does not convert.
func (c *conditioner) cast(v column.Vector, from, to *types.Type) (column.Vector, bool) {
	env := c.b.o.Env
	name := column.NewStrings(to.String())
	f, err := function.Bind(env, "accurateCastOrNull", []function.Arg{{Type: from, Const: v}, {Type: types.TString, Const: name}})
	if err != nil {
		return nil, false
	}
	r, err := f.Call(env, []column.Vector{&column.Const{Value: v, N: 1}, &column.Const{Value: name, N: 1}}, nil, 1)
	if err != nil || column.IsNull(r, 0) {
		return nil, false
	}
	r = column.Flatten(r)
	if n, ok := r.(*column.Nullable); ok {
		r = n.Inner
	}
	return r, r.Type().Equal(to)
}
