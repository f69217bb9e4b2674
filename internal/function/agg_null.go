package function

import (
	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/kernel"
	"github.com/olapd/olapd/internal/types"
)

// nullSkip leaves out rows with a NULL in any argument. With null, a group without rows yields NULL.
type nullSkip struct {
	inner  Aggregate
	result *types.Type
	null   bool
}

// Result implements Aggregate.
func (f *nullSkip) Result() *types.Type { return f.result }

// New implements Aggregate.
func (f *nullSkip) New() States {
	return &seenStates{States: f.inner.New(), result: f.result, null: f.null, skip: true}
}

// seenStates wraps the states of another aggregate and knows which groups had rows.
type seenStates struct {
	States
	seen   []uint8
	result *types.Type
	null   bool // groups without rows yield NULL, or the default of result
	skip   bool // rows with NULL arguments are left out; a group without others is the inner one's empty group
}

// Grow implements States.
func (s *seenStates) Grow(n int) {
	s.States.Grow(n)
	if n > len(s.seen) {
		s.seen = append(s.seen, make([]uint8, n-len(s.seen))...)
	}
}

// Bytes implements States.
func (s *seenStates) Bytes() int64 { return s.States.Bytes() + int64(cap(s.seen)) }

// Add implements States.
func (s *seenStates) Add(groups []uint32, args []column.Vector, n int) error {
	if s.skip {
		groups, args, n = dropNulls(groups, args, n)
	}
	if n == 0 {
		return nil
	}
	if groups == nil {
		s.Grow(1)
		s.seen[0] = 1
	}
	for _, g := range groups {
		s.seen[g] = 1
	}
	return s.States.Add(groups, args, n)
}

// dropNulls returns the rows without a NULL, and the arguments without Nullable.
func dropNulls(groups []uint32, args []column.Vector, n int) ([]uint32, []column.Vector, int) {
	plain := make([]column.Vector, len(args))
	var nulls []uint8
	for i, a := range args {
		inner, mask, allNull := splitNulls(a, n)
		if allNull {
			return nil, nil, 0
		}
		plain[i], nulls = inner, orMask(nulls, mask)
	}
	sel, kept := kernel.Dirty[uint32](len(nulls)), 0
	for i, b := range nulls {
		sel[kept] = uint32(i)
		kept += int(b ^ 1)
	}
	sel = sel[:kept]
	if nulls == nil || len(sel) == n {
		return groups, plain, n
	}
	for i, a := range plain {
		plain[i] = column.Gather(a, sel)
	}
	if groups == nil {
		return nil, plain, len(sel)
	}
	of := make([]uint32, len(sel))
	for i, p := range sel {
		of[i] = groups[p]
	}
	return of, plain, len(sel)
}

// Merge implements States.
func (s *seenStates) Merge(groups []uint32, other States, sel []uint32) error {
	o := other.(*seenStates)
	for i := range mergeLen(sel, len(o.seen)) {
		g, to := mergePair(groups, sel, i)
		s.seen[to] |= o.seen[g]
	}
	return s.States.Merge(groups, o.States, sel)
}

// Save implements States: a byte that says whether there were rows, then the inner state.
func (s *seenStates) Save(dst *column.Str, from, to int) {
	one := column.NewStr(types.TString, to-from)
	s.States.Save(one, from, to)
	for i := from; i < to; i++ {
		dst.Data = append(append(dst.Data, s.seen[i]), one.At(i-from)...)
		dst.EndValue()
	}
}

// Load implements States.
func (s *seenStates) Load(groups []uint32, src *column.Str) error {
	inner := column.NewStr(types.TString, src.Len())
	for i := 0; i < src.Len(); i++ {
		r := &reader{b: src.At(i)}
		b := r.u8()
		if r.bad || b > 1 {
			r.fail()
			return r.end()
		}
		g := uint32(0)
		if groups != nil {
			g = groups[i]
		}
		s.seen[g] |= b
		inner.Append(r.b)
	}
	return s.States.Load(groups, inner)
}

// Finish implements States.
func (s *seenStates) Finish(from, to int) (column.Vector, error) {
	v, err := s.States.Finish(from, to)
	if err != nil {
		return nil, err
	}
	empty := make([]uint8, to-from)
	for i := range empty {
		empty[i] = 1 - s.seen[from+i]
	}
	switch {
	case s.result.Kind == types.Nullable && s.result.Elem().Kind == types.Nothing:
		return column.NewNulls(to - from), nil
	case s.null:
		return withNulls(v, empty), nil
	case s.skip:
		return v, nil
	}
	return withDefaults(v, s.result, empty), nil
}

// withDefaults puts the default of t in place of the rows marked in empty.
func withDefaults(v column.Vector, t *types.Type, empty []uint8) column.Vector {
	out := column.New(t, v.Len())
	for i, e := range empty {
		if e != 0 {
			out.AppendDefault()
		} else {
			out.AppendFrom(v, i)
		}
	}
	return out
}
