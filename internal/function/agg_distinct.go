package function

import (
	"encoding/binary"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/types"
	"github.com/zeebo/xxh3"
)

// distinct is the -Distinct combinator: each distinct row of arguments counts once per group. It keeps
// the rows, since states of two workers may hold the same ones.
type distinct struct {
	Aggregate
	args []*types.Type
}

func bindDistinct(args []*types.Type, inner func([]*types.Type) (Aggregate, error)) (Aggregate, error) {
	fn, err := inner(args)
	if err != nil {
		return nil, err
	}
	return &distinct{Aggregate: fn, args: args}, nil
}

// New implements Aggregate.
func (f *distinct) New() States {
	s := &distinctStates{f: f}
	for _, t := range f.args {
		s.rows = append(s.rows, column.New(t, 0))
	}
	return s
}

type distinctStates struct {
	f     *distinct
	n     int
	seen  set[types.U128]
	rows  []column.Builder // the distinct rows of all groups
	owner []uint32         // the group of each row
	bytes int64
}

// Len implements States.
func (s *distinctStates) Len() int { return s.n }

// Grow implements States.
func (s *distinctStates) Grow(n int) { s.n = max(s.n, n) }

// Bytes implements States.
func (s *distinctStates) Bytes() int64 { return s.bytes }

// Add implements States.
func (s *distinctStates) Add(groups []uint32, args []column.Vector, n int) error {
	flat := make([]column.Vector, len(args))
	for i, a := range args {
		flat[i] = column.Flatten(a)
	}
	s.Grow(1)
	var buf []byte
	for i := 0; i < n; i++ {
		g := uint32(0)
		if groups != nil {
			g = groups[i]
		}
		buf = binary.LittleEndian.AppendUint32(buf[:0], g)
		for _, a := range flat {
			buf = appendValue(buf, a, i)
		}
		h := xxh3.Hash128(buf)
		before := s.seen.len()
		s.bytes += 2 * s.seen.insert(types.U128{Lo: h.Lo, Hi: h.Hi}, mixU128)
		if s.seen.len() == before {
			continue
		}
		s.owner = append(s.owner, g)
		s.bytes += int64(len(buf))
		for j, a := range flat {
			s.rows[j].AppendFrom(a, i)
		}
	}
	return nil
}

func (s *distinctStates) vectors() []column.Vector {
	out := make([]column.Vector, len(s.rows))
	for i, r := range s.rows {
		out[i] = r
	}
	return out
}

// Merge implements States.
func (s *distinctStates) Merge(groups []uint32, other States, sel []uint32) error {
	o := other.(*distinctStates)
	target := make([]uint32, o.n) // by group of o, plus one
	for i := range mergeLen(sel, o.n) {
		g, to := mergePair(groups, sel, i)
		target[g] = to + 1
	}
	var rows, to []uint32
	for i, g := range o.owner {
		if t := target[g]; t != 0 {
			rows, to = append(rows, uint32(i)), append(to, t-1)
		}
	}
	vs := o.vectors()
	if len(rows) < len(o.owner) {
		for i, v := range vs {
			vs[i] = column.Gather(v, rows)
		}
	}
	return s.Add(to, vs, len(to))
}

// Save implements States: the rows of each group.
func (s *distinctStates) Save(dst *column.Str, from, to int) {
	byGroup := make([][]int, to-from)
	for i, g := range s.owner {
		if int(g) >= from && int(g) < to {
			byGroup[int(g)-from] = append(byGroup[int(g)-from], i)
		}
	}
	for _, rows := range byGroup {
		dst.Data = binary.AppendUvarint(dst.Data, uint64(len(rows)))
		for _, i := range rows {
			for _, r := range s.rows {
				dst.Data = appendValue(dst.Data, r, i)
			}
		}
		dst.EndValue()
	}
}

// Load implements States.
func (s *distinctStates) Load(groups []uint32, src *column.Str) error {
	loaded := s.f.New().(*distinctStates)
	for i := 0; i < src.Len(); i++ {
		r := &reader{b: src.At(i)}
		for n := r.count(1); n > 0 && !r.bad; n-- {
			for _, b := range loaded.rows {
				readValue(b, r)
			}
			g := uint32(0)
			if groups != nil {
				g = groups[i]
			}
			loaded.owner = append(loaded.owner, g)
		}
		if err := r.end(); err != nil {
			return err
		}
	}
	return s.Add(loaded.owner, loaded.vectors(), len(loaded.owner))
}

// Finish implements States.
func (s *distinctStates) Finish(from, to int) (column.Vector, error) {
	inner := s.f.Aggregate.New()
	inner.Grow(max(s.n, to))
	if len(s.owner) > 0 {
		if err := inner.Add(s.owner, s.vectors(), len(s.owner)); err != nil {
			return nil, err
		}
	}
	return inner.Finish(from, to)
}
