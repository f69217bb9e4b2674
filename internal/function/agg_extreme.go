package function

import (
	"encoding/binary"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/internal/types"
)

// atExtreme is the -ArgMin and -ArgMax combinators: the function over the rows whose last argument is the least, or the greatest.
type atExtreme struct {
	inner Aggregate
	key   *types.Type
	sign  int // 1: the greatest
}

func bindAtExtreme(name string, sign int, args []*types.Type, inner func([]*types.Type) (Aggregate, error)) (Aggregate, error) {
	if len(args) == 0 {
		return nil, sqlerr.New(sqlerr.NumberOfArgumentsDoesntMatch, "Aggregate function %s requires at least one argument", name)
	}
	last := len(args) - 1
	if t := args[last]; isArray(t) || isMap(t) || isTuple(t) || t.Kind == types.AggregateFunction {
		return nil, sqlerr.New(sqlerr.IllegalTypeOfArgument, "Illegal type %s for combinator of %s", t, name)
	}
	fn, err := inner(args[:last])
	if err != nil {
		return nil, err
	}
	return &atExtreme{inner: fn, key: args[last], sign: sign}, nil
}

// Result implements Aggregate.
func (f *atExtreme) Result() *types.Type { return f.inner.Result() }

// New implements Aggregate.
func (f *atExtreme) New() States { return &extremeStates{f: f, states: f.inner.New()} }

// extremeStates holds, by group, the best key so far and the inner group of its rows; a better key begins a new one.
type extremeStates struct {
	f      *atExtreme
	keys   []column.Builder // of one value; nil while there is none
	slots  []uint32
	used   uint32
	states States
}

// Len implements States.
func (s *extremeStates) Len() int { return len(s.keys) }

// Grow implements States.
func (s *extremeStates) Grow(n int) {
	for len(s.keys) < n {
		s.keys, s.slots = append(s.keys, nil), append(s.slots, s.used)
		s.used++
	}
	s.states.Grow(int(s.used))
}

// extremeBytes is about what a group's key takes.
const extremeBytes = 96

// Bytes implements States.
func (s *extremeStates) Bytes() int64 { return s.states.Bytes() + extremeBytes*int64(len(s.keys)) }

// offer tells whether rows of a key count for a group; if the key is better than those before, those do not count any more.
func (s *extremeStates) offer(g uint32, v column.Vector, i int) bool {
	if s.keys[g] != nil {
		c := column.Compare(v, i, s.keys[g], 0) * s.f.sign
		if c <= 0 {
			return c == 0
		}
		s.slots[g] = s.used
		s.used++
	}
	s.keys[g] = column.New(s.f.key, 1)
	s.keys[g].AppendFrom(v, i)
	return true
}

// Add implements States.
func (s *extremeStates) Add(groups []uint32, args []column.Vector, n int) error {
	s.Grow(1)
	last := len(args) - 1
	key := column.Flatten(args[last])
	var sel, to []uint32
	for i := range n {
		g := uint32(0)
		if groups != nil {
			g = groups[i]
		}
		if n, ok := key.(*column.Nullable); ok && n.Nulls[i] != 0 {
			continue
		}
		if s.offer(g, key, i) {
			sel, to = append(sel, uint32(i)), append(to, s.slots[g])
		}
	}
	s.states.Grow(int(s.used))
	if len(sel) == 0 {
		return nil
	}
	kept := make([]column.Vector, last)
	for i, a := range args[:last] {
		kept[i] = column.Gather(a, sel)
	}
	return s.states.Add(to, kept, len(sel))
}

// Merge implements States.
func (s *extremeStates) Merge(groups []uint32, other States, sel []uint32) error {
	o := other.(*extremeStates)
	var from, to []uint32
	for i := range mergeLen(sel, len(o.keys)) {
		g, target := mergePair(groups, sel, i)
		if o.keys[g] != nil && s.offer(target, o.keys[g], 0) {
			from, to = append(from, o.slots[g]), append(to, s.slots[target])
		}
	}
	s.states.Grow(int(s.used))
	return s.states.Merge(to, o.states, from)
}

// Save implements States: whether there is a key, the key, the inner state.
func (s *extremeStates) Save(dst *column.Str, from, to int) {
	for g := from; g < to; g++ {
		if s.keys[g] == nil {
			dst.Data = binary.AppendUvarint(dst.Data, 0)
			dst.EndValue()
			continue
		}
		dst.Data = appendValue(binary.AppendUvarint(dst.Data, 1), s.keys[g], 0)
		one := column.NewStr(types.TString, 1)
		s.states.Save(one, int(s.slots[g]), int(s.slots[g])+1)
		dst.Data = appendBytes(dst.Data, one.At(0))
		dst.EndValue()
	}
}

// Load implements States.
func (s *extremeStates) Load(groups []uint32, src *column.Str) error {
	saved := column.NewStr(types.TString, 0)
	var to []uint32
	for i := range src.Len() {
		g := uint32(0)
		if groups != nil {
			g = groups[i]
		}
		r := &reader{b: src.At(i)}
		if r.uvarint() == 1 {
			key := column.New(s.f.key, 1)
			readValue(key, r)
			state := r.bytes()
			if !r.bad && s.offer(g, key, 0) {
				saved.Append(state)
				to = append(to, s.slots[g])
			}
		}
		if err := r.end(); err != nil {
			return err
		}
	}
	s.states.Grow(int(s.used))
	return s.states.Load(to, saved)
}

// Finish implements States.
func (s *extremeStates) Finish(from, to int) (column.Vector, error) {
	s.states.Grow(int(s.used))
	vals, err := s.states.Finish(0, int(s.used))
	if err != nil {
		return nil, err
	}
	return column.Flatten(column.Gather(vals, s.slots[from:to])), nil
}
