package function

import (
	"encoding/binary"
	"slices"
	"strings"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/internal/types"
)

func init() {
	registerAggregates(
		&AggregateFamily{Name: "topK", MinArgs: 1, MaxArgs: 1, Parametric: true, Resolve: resolveTopK("topK"),
			Doc: "Returns the most frequent values, approximately.", Example: "topK(2)(x) → [1,2]"},
		&AggregateFamily{Name: "approx_top_k", Aliases: []string{"approx_top_count"}, MinArgs: 1, MaxArgs: 1, Parametric: true, Resolve: resolveTopK("approx_top_k"),
			Doc: "Returns the most frequent values, approximately, with their counts and how much those may be too high.", Example: "approx_top_k(1)(x) → [(1,2,0)]"},
		&AggregateFamily{Name: "approx_top_sum", MinArgs: 2, MaxArgs: 2, Parametric: true, Resolve: resolveTopK("approx_top_sum"),
			Doc: "Returns the values of the greatest total weight, approximately, with their weights and how much those may be too high.", Example: "approx_top_sum(1)(x, w) → [(1,2,0)]"},
		&AggregateFamily{Name: "topKWeighted", MinArgs: 2, MaxArgs: 2, Parametric: true, Resolve: resolveTopK("topKWeighted"),
			Doc: "Returns the values of the greatest total weight, approximately.", Example: "topKWeighted(2)(x, w) → [1,2]"},
	)
}

// Bounds of topK, as in ClickHouse: k, and how many counters are kept for each of the k.
const (
	topKDefault = 10
	topKMax     = 65536
	topKReserve = 3
	// topKSlack is how far the counters may outgrow their number before they are cut back.
	topKSlack = 64
)

// counterBytes is what a counter takes in the map besides its value.
const counterBytes = 48

type counter struct {
	value string // as appendValue writes it
	n     uint64
}

// topCounts is a space-saving sketch: counts by value, cut back to the largest when too many.
type topCounts struct{ counts map[string]uint64 }

func (s *topCounts) add(value []byte, w uint64, capacity int) int64 {
	if s.counts == nil {
		s.counts = map[string]uint64{}
	}
	if n, ok := s.counts[string(value)]; ok {
		s.counts[string(value)] = n + w
		return 0
	}
	s.counts[string(value)] = w
	grown := int64(len(value)) + counterBytes
	if len(s.counts) > capacity*topKSlack {
		grown -= s.cut(capacity * topKSlack / 2)
	}
	return grown
}

// sorted returns the counters by falling count, then value.
func (s *topCounts) sorted() []counter {
	out := s.all()
	slices.SortFunc(out, compareCounters)
	return out
}

func (s *topCounts) all() []counter {
	out := make([]counter, 0, len(s.counts))
	for v, n := range s.counts {
		out = append(out, counter{v, n})
	}
	return out
}

func compareCounters(a, b counter) int {
	switch {
	case a.n > b.n:
		return -1
	case a.n < b.n:
		return 1
	}
	return strings.Compare(a.value, b.value)
}

// cut keeps the n largest counters and returns the memory that became free.
func (s *topCounts) cut(n int) int64 {
	freed := int64(0)
	all := s.all()
	selectRank(all, n, compareCounters)
	for _, c := range all[n:] {
		delete(s.counts, c.value)
		freed += int64(len(c.value)) + counterBytes
	}
	return freed
}

func resolveTopK(name string) func(*Env, []column.Vector, []*types.Type) (Aggregate, error) {
	return func(_ *Env, params []column.Vector, args []*types.Type) (Aggregate, error) {
		k := topKDefault
		if len(params) > 0 {
			n, err := wholeParam(name, params[0])
			if err != nil {
				return nil, err
			}
			k = int(min(n, topKMax+1))
		}
		if k < 1 || k > topKMax {
			return nil, sqlerr.New(sqlerr.ArgumentOutOfBound, "Parameter for aggregate function %s must be between 1 and %d, got %d", name, topKMax, k)
		}
		if len(args) == 2 && !args[1].IsInteger() {
			return nil, badArg(name, args[1])
		}
		if strings.HasPrefix(name, "approx_") {
			return withCounts(foldTopK(args[0], k), args[0], k), nil
		}
		return foldTopK(args[0], k), nil
	}
}

func foldTopK(t *types.Type, k int) *fold[topCounts] {
	capacity := k * topKReserve
	return &fold[topCounts]{
		result: types.NewArray(t),
		add: func(s *foldStates[topCounts], groups []uint32, args []column.Vector, n int) error {
			var buf []byte
			var weights []uint64
			if len(args) == 2 {
				weights = toBits(args[1])
			}
			for i := 0; i < n; i++ {
				w := uint64(1)
				if weights != nil {
					w = weights[i]
				}
				buf = appendValue(buf[:0], args[0], i)
				s.extra += s.s[groups[i]].add(buf, w, capacity)
			}
			return nil
		},
		merge: func(s *foldStates[topCounts], a, b *topCounts) {
			for _, c := range b.sorted() {
				s.extra += a.add([]byte(c.value), c.n, capacity)
			}
		},
		save: func(dst []byte, s *topCounts) []byte {
			dst = binary.AppendUvarint(dst, uint64(len(s.counts)))
			for _, c := range s.sorted() {
				dst = appendU64(appendBytes(dst, []byte(c.value)), c.n)
			}
			return dst
		},
		load: func(s *topCounts, r *reader) error {
			one := column.New(t, 1)
			for n := r.count(9); n > 0 && !r.bad; n-- {
				v := r.bytes()
				check := &reader{b: v} // the value must read as one of the type
				one.Truncate(0)
				if readValue(one, check); check.end() != nil {
					r.fail()
				}
				s.add(v, r.u64(), capacity)
			}
			return nil
		},
		finish: func(out column.Builder, s *topCounts) error {
			a := out.(*column.Array)
			for i, c := range s.sorted() {
				if i == k {
					break
				}
				readValue(a.Elem.(column.Builder), &reader{b: []byte(c.value)})
			}
			a.EndValue()
			return nil
		},
	}
}

// withCounts makes the result tuples of a value, its count and the count's error: none, as counters are cut back only when they are very many.
func withCounts(f *fold[topCounts], t *types.Type, k int) Aggregate {
	f.result = types.NewArray(types.NewTuple([]*types.Type{t, types.TUInt64, types.TUInt64}, []string{"item", "count", "error"}))
	f.finish = func(out column.Builder, s *topCounts) error {
		a := out.(*column.Array)
		rows := a.Elem.(*column.Tuple)
		for i, c := range s.sorted() {
			if i == k {
				break
			}
			readValue(rows.Elems[0].(column.Builder), &reader{b: []byte(c.value)})
			push(rows.Elems[1].(column.Builder), c.n)
			push(rows.Elems[2].(column.Builder), uint64(0))
			rows.N++
		}
		a.EndValue()
		return nil
	}
	return f
}
