package function

import (
	"cmp"
	"encoding/binary"
	"math"
	"slices"
)

// weightedMiddles keeps values with their weights; each stands in the middle of its weight, and levels between two are interpolated.
type weightedMiddles struct{ values []centroid }

func (s *weightedMiddles) add(x float64) { s.addChosen(x, 1) }

// addChosen adds a value of a weight.
func (s *weightedMiddles) addChosen(x float64, weight uint64) {
	if weight > 0 && !math.IsNaN(x) {
		s.values = append(s.values, centroid{x, float64(weight)})
	}
}

func (s *weightedMiddles) merge(b quantiler) {
	s.values = append(s.values, b.(*weightedMiddles).values...)
}

func (s *weightedMiddles) bytes() int64 { return 16 * int64(cap(s.values)) }

func (s *weightedMiddles) save(dst []byte) []byte {
	dst = binary.AppendUvarint(dst, uint64(len(s.values)))
	for _, c := range s.values {
		dst = appendF64(appendF64(dst, c.mean), c.count)
	}
	return dst
}

func (s *weightedMiddles) load(r *reader) {
	for n := r.count(16); n > 0 && !r.bad; n-- {
		c := centroid{r.f64(), r.f64()}
		if !(c.count > 0) {
			r.fail()
			return
		}
		s.values = append(s.values, c)
	}
}

func (s *weightedMiddles) level(q float64) float64 {
	if len(s.values) == 0 {
		return math.NaN()
	}
	slices.SortFunc(s.values, func(a, b centroid) int { return cmp.Compare(a.mean, b.mean) })
	merged := s.values[:1]
	total := 0.0
	for i, c := range s.values {
		total += c.count
		switch last := &merged[len(merged)-1]; {
		case i == 0:
		case c.mean == last.mean:
			last.count += c.count
		default:
			merged = append(merged, c)
		}
	}
	s.values = merged
	want, seen, before := q*total, 0.0, 0.0
	for i, c := range merged {
		at := seen + c.count/2
		if at >= want {
			if i == 0 {
				return c.mean
			}
			prev := merged[i-1].mean
			return prev + (c.mean-prev)*(want-before)/(at-before)
		}
		seen, before = seen+c.count, at
	}
	return merged[len(merged)-1].mean
}
