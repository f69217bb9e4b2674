package segment

import (
	"fmt"
	"math/bits"
)

// Granules is a set of granules of one segment.
type Granules struct {
	n    int
	bits []uint64
}

// RowRange is the rows [From, To).
type RowRange struct{ From, To int }

// NoGranules returns the empty set of n granules.
func NoGranules(n int) *Granules { return &Granules{n: n, bits: make([]uint64, (n+63)/64)} }

// AllGranules returns the full set of n granules.
func AllGranules(n int) *Granules {
	s := NoGranules(n)
	for g := range n {
		s.Add(g)
	}
	return s
}

// Len returns the number of granules of the segment, in the set or not.
func (s *Granules) Len() int { return s.n }

// Add puts a granule into the set.
func (s *Granules) Add(g int) { s.bits[g/64] |= 1 << (g % 64) }

// Remove takes a granule out of the set.
func (s *Granules) Remove(g int) { s.bits[g/64] &^= 1 << (g % 64) }

// Has reports whether a granule is in the set.
func (s *Granules) Has(g int) bool { return s.bits[g/64]>>(g%64)&1 != 0 }

// Count returns the number of granules in the set.
func (s *Granules) Count() int {
	n := 0
	for _, w := range s.bits {
		n += bits.OnesCount64(w)
	}
	return n
}

// Clone returns a copy.
func (s *Granules) Clone() *Granules {
	return &Granules{n: s.n, bits: append([]uint64(nil), s.bits...)}
}

// keep removes the granules for which f is false and returns their number.
func (s *Granules) keep(f func(g int) bool) int {
	dropped := 0
	for i, w := range s.bits {
		for ; w != 0; w &= w - 1 {
			if g := 64*i + bits.TrailingZeros64(w); !f(g) {
				s.Remove(g)
				dropped++
			}
		}
	}
	return dropped
}

// rowsIn returns the number of rows of the granules in the set.
func (r *Reader) rowsIn(s *Granules) int {
	n, g := s.Count(), r.meta.Granularity
	if last := s.n - 1; last >= 0 && s.Has(last) {
		return n*g - (s.n*g - r.Rows())
	}
	return n * g
}

// Ranges returns the rows of the granules in the set as maximal runs.
func (r *Reader) Ranges(s *Granules) []RowRange {
	var out []RowRange
	for g := range s.n {
		if !s.Has(g) {
			continue
		}
		from, to := r.GranuleRows(g)
		if k := len(out); k > 0 && out[k-1].To == from {
			out[k-1].To = to
		} else {
			out = append(out, RowRange{from, to})
		}
	}
	return out
}

// String prints the set as runs, such as "3 of 10: 0-1 5".
func (s *Granules) String() string {
	out := fmt.Sprintf("%d of %d:", s.Count(), s.n)
	for g := 0; g < s.n; g++ {
		if !s.Has(g) {
			continue
		}
		from := g
		for g+1 < s.n && s.Has(g+1) {
			g++
		}
		if out += fmt.Sprintf(" %d", from); g > from {
			out += fmt.Sprintf("-%d", g)
		}
	}
	return out
}
