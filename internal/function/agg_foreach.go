package function

import (
	"encoding/binary"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/types"
)

// forEach is the -ForEach combinator: the elements at one position of the arrays make one state; the result is an array.
type forEach struct {
	inner Aggregate
}

func bindForEach(name string, args []*types.Type, inner func([]*types.Type) (Aggregate, error)) (Aggregate, error) {
	elems, err := elementTypes(name, args)
	if err != nil {
		return nil, err
	}
	fn, err := inner(elems)
	if err != nil {
		return nil, err
	}
	return &forEach{inner: fn}, nil
}

// Result implements Aggregate.
func (f *forEach) Result() *types.Type { return types.NewArray(f.inner.Result()) }

// New implements Aggregate.
func (f *forEach) New() States { return &forEachStates{f: f, states: f.inner.New()} }

// forEachStates holds, by group, the inner group of each position.
type forEachStates struct {
	f      *forEach
	groups [][]uint32
	states States
	slots  uint32
}

// Len implements States.
func (s *forEachStates) Len() int { return len(s.groups) }

// Grow implements States.
func (s *forEachStates) Grow(n int) {
	for len(s.groups) < n {
		s.groups = append(s.groups, nil)
	}
}

// Bytes implements States.
func (s *forEachStates) Bytes() int64 {
	return s.states.Bytes() + 24*int64(len(s.groups)) + 8*int64(s.slots)
}

func (s *forEachStates) slot(g uint32, pos int) uint32 {
	for len(s.groups[g]) <= pos {
		s.groups[g] = append(s.groups[g], s.slots)
		s.slots++
	}
	return s.groups[g][pos]
}

// Add implements States.
func (s *forEachStates) Add(groups []uint32, args []column.Vector, n int) error {
	off, flat, err := unnest(args, n)
	if err != nil {
		return err
	}
	s.Grow(1)
	inner := make([]uint32, 0, flat[0].Len())
	for i := 0; i < n; i++ {
		g := uint32(0)
		if groups != nil {
			g = groups[i]
		}
		for pos := 0; pos < int(off[i+1]-off[i]); pos++ {
			inner = append(inner, s.slot(g, pos))
		}
	}
	s.states.Grow(int(s.slots))
	return s.states.Add(inner, flat, len(inner))
}

// Merge implements States.
func (s *forEachStates) Merge(groups []uint32, other States, sel []uint32) error {
	o := other.(*forEachStates)
	var inner, from []uint32
	for i := range mergeLen(sel, len(o.groups)) {
		g, to := mergePair(groups, sel, i)
		for pos, at := range o.groups[g] {
			inner, from = append(inner, s.slot(to, pos)), append(from, at)
		}
	}
	s.states.Grow(int(s.slots))
	return s.states.Merge(inner, o.states, from)
}

// Save implements States.
func (s *forEachStates) Save(dst *column.Str, from, to int) {
	one := column.NewStr(types.TString, 1)
	for g := from; g < to; g++ {
		dst.Data = binary.AppendUvarint(dst.Data, uint64(len(s.groups[g])))
		for _, at := range s.groups[g] {
			one.Truncate(0)
			s.states.Save(one, int(at), int(at)+1)
			dst.Data = appendBytes(dst.Data, one.At(0))
		}
		dst.EndValue()
	}
}

// Load implements States.
func (s *forEachStates) Load(groups []uint32, src *column.Str) error {
	saved := column.NewStr(types.TString, 0)
	var inner []uint32
	for i := 0; i < src.Len(); i++ {
		g := uint32(0)
		if groups != nil {
			g = groups[i]
		}
		r := &reader{b: src.At(i)}
		for pos, n := 0, r.count(1); pos < n && !r.bad; pos++ {
			saved.Append(r.bytes())
			inner = append(inner, s.slot(g, pos))
		}
		if err := r.end(); err != nil {
			return err
		}
	}
	s.states.Grow(int(s.slots))
	return s.states.Load(inner, saved)
}

// Finish implements States.
func (s *forEachStates) Finish(from, to int) (column.Vector, error) {
	vals, err := s.states.Finish(0, s.states.Len())
	if err != nil {
		return nil, err
	}
	out := column.New(s.f.Result(), to-from).(*column.Array)
	for g := from; g < to; g++ {
		out.Elem.(column.Builder).AppendSelected(vals, s.groups[g])
		out.EndValue()
	}
	return out, nil
}
