package function

import (
	"encoding/binary"
	"slices"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/internal/types"
)

func init() {
	for _, m := range []struct{ name, inner, doc string }{
		{"sumMap", "sum", "Adds the values key by key."},
		{"minMap", "min", "Returns the least value of each key."},
		{"maxMap", "max", "Returns the greatest value of each key."},
	} {
		registerAggregates(&AggregateFamily{Name: m.name, MinArgs: 1, MaxArgs: 2, Doc: m.doc, Example: m.name + "(map) → {…}",
			Resolve: func(env *Env, params []column.Vector, args []*types.Type) (Aggregate, error) {
				return resolveByKey(env, m.name, m.inner, args)
			}})
	}
}

// byKey is the -Map combinator: one state of an inner aggregate per key of a map. The argument is
// a Map or an array of keys and one of values; the result has the same form, sorted by key.
type byKey struct {
	inner    Aggregate
	key      *types.Type
	result   *types.Type
	dropZero bool // sumMap of arrays leaves out keys whose sum is 0
}

func resolveByKey(env *Env, name, inner string, args []*types.Type) (Aggregate, error) {
	var key, value *types.Type
	switch {
	case len(args) == 1 && args[0].Kind == types.Map:
		key, value = args[0].Elems[0], args[0].Elems[1]
	case len(args) == 2 && args[0].Kind == types.Array && args[1].Kind == types.Array:
		key, value = args[0].Elem(), args[1].Elem()
	case len(args) == 1 && args[0].Kind == types.Tuple && len(args[0].Elems) == 2:
		return nil, sqlerr.New(sqlerr.NotImplemented, "%s of a tuple of arrays is not supported; pass the arrays as two arguments", name)
	case len(args) == 0 || len(args) > 2:
		return nil, sqlerr.New(sqlerr.NumberOfArgumentsDoesntMatch, "Aggregate function %s requires a map, or arrays of keys and of values", name)
	default:
		return nil, badArg(name, args[0])
	}
	fn, err := BindAggregate(env, inner, nil, []*types.Type{value}, false)
	if err != nil {
		return nil, err
	}
	b := &byKey{inner: fn, key: key.WithoutLowCardinality()}
	if len(args) == 1 {
		b.result = types.NewMap(key, fn.Result())
	} else {
		b.result = types.NewTuple([]*types.Type{types.NewArray(key), types.NewArray(fn.Result())}, nil)
		b.dropZero = inner == "sum"
	}
	return b, nil
}

// Result implements Aggregate.
func (b *byKey) Result() *types.Type { return b.result }

// New implements Aggregate.
func (b *byKey) New() States {
	return &byKeyStates{fn: b, keys: column.New(b.key, 0), states: b.inner.New()}
}

// byKeyStates maps group and key to a group of the inner states.
type byKeyStates struct {
	fn     *byKey
	groups []map[string]uint32
	keys   column.Builder // by inner group
	states States
	bytes  int64
}

// Len implements States.
func (s *byKeyStates) Len() int { return len(s.groups) }

// Grow implements States.
func (s *byKeyStates) Grow(n int) {
	for len(s.groups) < n {
		s.groups = append(s.groups, nil)
	}
}

// Bytes implements States.
func (s *byKeyStates) Bytes() int64 { return s.bytes + s.states.Bytes() }

// slot returns the inner group of a key of group g.
func (s *byKeyStates) slot(g uint32, keys column.Vector, i int, buf []byte) (uint32, []byte) {
	buf = appendValue(buf[:0], keys, i)
	if s.groups[g] == nil {
		s.groups[g] = map[string]uint32{}
	}
	at, ok := s.groups[g][string(buf)]
	if !ok {
		at = uint32(s.keys.Len())
		s.keys.AppendFrom(keys, i)
		s.groups[g][string(buf)] = at
		s.bytes += int64(2*len(buf)) + 48
	}
	return at, buf
}

// Add implements States.
func (s *byKeyStates) Add(groups []uint32, args []column.Vector, n int) error {
	if groups == nil {
		s.Grow(1)
		groups = make([]uint32, n)
	}
	var off []uint32
	var keys, vals column.Vector
	if m, ok := column.Flatten(args[0]).(*column.Map); ok {
		off, keys, vals = m.Off, m.Keys, m.Vals
	} else {
		k, v := column.Flatten(args[0]).(*column.Array), column.Flatten(args[1]).(*column.Array)
		off, keys = k.Off, k.Elem
		for i := range k.Off {
			if k.Off[i]-k.Off[0] != v.Off[i]-v.Off[0] {
				return sqlerr.New(sqlerr.BadArguments, "Sizes of keys and values arrays do not match")
			}
		}
		vals = v.Elem.Slice(int(v.Off[0]), int(v.Off[n]))
		keys = keys.Slice(int(off[0]), int(off[n]))
	}
	base := off[0]
	if keys.Len() != int(off[n]-base) {
		keys, vals = keys.Slice(int(base), int(off[n])), vals.Slice(int(base), int(off[n]))
	}
	inner := make([]uint32, 0, keys.Len())
	var buf []byte
	var at uint32
	for i := 0; i < n; i++ {
		for j := off[i]; j < off[i+1]; j++ {
			at, buf = s.slot(groups[i], keys, int(j-base), buf)
			inner = append(inner, at)
		}
	}
	s.states.Grow(s.keys.Len())
	return s.states.Add(inner, []column.Vector{vals}, len(inner))
}

// Merge implements States.
func (s *byKeyStates) Merge(groups []uint32, other States, sel []uint32) error {
	o := other.(*byKeyStates)
	var inner, from []uint32
	var buf []byte
	var slot uint32
	for i := range mergeLen(sel, len(o.groups)) {
		g, to := mergePair(groups, sel, i)
		for _, at := range o.groups[g] {
			slot, buf = s.slot(to, o.keys, int(at), buf)
			inner, from = append(inner, slot), append(from, at)
		}
	}
	s.states.Grow(s.keys.Len())
	return s.states.Merge(inner, o.states, from)
}

// sorted returns the inner groups of group g by key.
func (s *byKeyStates) sorted(g int) []uint32 {
	out := make([]uint32, 0, len(s.groups[g]))
	for _, at := range s.groups[g] {
		out = append(out, at)
	}
	slices.SortFunc(out, func(a, b uint32) int { return column.Compare(s.keys, int(a), s.keys, int(b)) })
	return out
}

// Save implements States.
func (s *byKeyStates) Save(dst *column.Str, from, to int) {
	one := column.NewStr(types.TString, 1)
	for g := from; g < to; g++ {
		slots := s.sorted(g)
		dst.Data = binary.AppendUvarint(dst.Data, uint64(len(slots)))
		for _, at := range slots {
			one.Truncate(0)
			s.states.Save(one, int(at), int(at)+1)
			dst.Data = appendBytes(appendValue(dst.Data, s.keys, int(at)), one.At(0))
		}
		dst.EndValue()
	}
}

// Load implements States.
func (s *byKeyStates) Load(groups []uint32, src *column.Str) error {
	keys, saved := column.New(s.fn.key, 0), column.NewStr(types.TString, 0)
	var owner []uint32
	for i := 0; i < src.Len(); i++ {
		r := &reader{b: src.At(i)}
		for n := r.count(2); n > 0 && !r.bad; n-- {
			readValue(keys, r)
			saved.Append(r.bytes())
			g := uint32(0)
			if groups != nil {
				g = groups[i]
			}
			owner = append(owner, g)
		}
		if err := r.end(); err != nil {
			return err
		}
	}
	inner := make([]uint32, len(owner))
	var buf []byte
	for i, g := range owner {
		inner[i], buf = s.slot(g, keys, i, buf)
	}
	s.states.Grow(s.keys.Len())
	return s.states.Load(inner, saved)
}

// Finish implements States.
func (s *byKeyStates) Finish(from, to int) (column.Vector, error) {
	vals, err := s.states.Finish(0, s.states.Len())
	if err != nil {
		return nil, err
	}
	zero := column.New(vals.Type(), 1)
	zero.AppendDefault()
	out := column.New(s.fn.result, to-from)
	for g := from; g < to; g++ {
		slots := s.sorted(g)
		if s.fn.dropZero {
			slots = slices.DeleteFunc(slots, func(at uint32) bool { return column.Compare(vals, int(at), zero, 0) == 0 })
		}
		switch o := out.(type) {
		case *column.Map:
			o.Keys.(column.Builder).AppendSelected(s.keys, slots)
			o.Vals.(column.Builder).AppendSelected(vals, slots)
			o.EndValue()
		case *column.Tuple:
			for i, v := range []column.Vector{s.keys, vals} {
				a := o.Elems[i].(*column.Array)
				a.Elem.(column.Builder).AppendSelected(v, slots)
				a.EndValue()
			}
			o.N++
		}
	}
	return out, nil
}
