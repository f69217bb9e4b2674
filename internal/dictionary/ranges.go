package dictionary

import (
	"cmp"
	"math"
	"slices"
	"sort"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/sqlerr"
)

// ranges finds the interval of a key that holds a point. Rows are grouped by key, in order of the interval's beginning and then its end.
type ranges struct {
	keys   *table   // finds the number of a key's group
	starts []uint32 // of groups in what follows, one more than there are groups
	rows   []uint32
	from   []uint64 // ends as ordinals, both inclusive
	to     []uint64
	most   []uint64 // the greatest end of the group up to here: searches stop where it lies before the point
	latest bool
}

func newRanges(s *Shape, keys, bounds []column.Vector) (*ranges, error) {
	n := keys[0].Len()
	from, err := ordinals(bounds[0], 0)
	if err != nil {
		return nil, err
	}
	to, err := ordinals(bounds[1], math.MaxUint64)
	if err != nil {
		return nil, err
	}
	t, first := newTable(keys)
	groups := n
	if first != nil {
		groups = len(first)
		for i, k := range t.keys {
			t.keys[i] = column.Gather(k, first)
		}
	}
	at := make([]uint32, n)
	if err := t.find(keys, nil, at, 0); err != nil {
		return nil, err
	}
	r := &ranges{keys: t, starts: make([]uint32, groups+1), rows: make([]uint32, n), from: make([]uint64, n), to: make([]uint64, n), most: make([]uint64, n), latest: s.Latest}
	for i := range r.rows {
		r.rows[i] = uint32(i)
	}
	slices.SortStableFunc(r.rows, func(a, b uint32) int {
		return cmp.Or(cmp.Compare(at[a], at[b]), cmp.Compare(from[a], from[b]), cmp.Compare(to[a], to[b]))
	})
	for i, row := range r.rows {
		r.from[i], r.to[i], r.most[i] = from[row], to[row], to[row]
		if i > 0 && at[r.rows[i-1]] == at[row] {
			r.most[i] = max(r.most[i], r.most[i-1])
		}
		r.starts[at[row]+1] = uint32(i + 1)
	}
	return r, nil
}

func (r *ranges) find(keys []column.Vector, point column.Vector, rows []uint32, none uint32) error {
	points, err := ordinals(point, 0)
	if err != nil {
		return err
	}
	if err := r.keys.find(keys, nil, rows, noRow); err != nil {
		return err
	}
	for i, g := range rows {
		rows[i] = none
		if g == noRow {
			continue
		}
		if k := r.search(int(r.starts[g]), int(r.starts[g+1]), points[i]); k >= 0 {
			rows[i] = r.rows[k]
		}
	}
	return nil
}

// search returns the first interval among [start, end) that holds a point, or the last; -1 if none does.
func (r *ranges) search(start, end int, p uint64) int {
	if !r.latest {
		k := start + sort.Search(end-start, func(i int) bool { return r.most[start+i] >= p })
		if k < end && r.from[k] <= p {
			return k
		}
		return -1
	}
	k := start + sort.Search(end-start, func(i int) bool { return r.from[start+i] > p }) - 1
	for ; k >= start && r.most[k] >= p; k-- {
		if r.to[k] >= p {
			return k
		}
	}
	return -1
}

func (r *ranges) bytes() int64 {
	n := r.keys.bytes()
	for _, k := range r.keys.keys {
		n += k.Bytes() // a copy, unless no key has two intervals
	}
	return n + int64(len(r.starts)+len(r.rows))*4 + int64(len(r.from)+len(r.to)+len(r.most))*8
}

// ordinals maps values to unsigned numbers in the same order; NULL to open.
func ordinals(v column.Vector, open uint64) ([]uint64, error) {
	const sign = 1 << 63
	out := make([]uint64, v.Len())
	switch v := v.(type) {
	case *column.Nullable:
		inner, err := ordinals(v.Inner, open)
		for i, null := range v.Nulls {
			if null != 0 && err == nil {
				inner[i] = open
			}
		}
		return inner, err
	case *column.Num[uint8]:
		widen(v.Data, out, 0)
	case *column.Num[uint16]:
		widen(v.Data, out, 0)
	case *column.Num[uint32]:
		widen(v.Data, out, 0)
	case *column.Num[uint64]:
		copy(out, v.Data)
	case *column.Num[int8]:
		widen(v.Data, out, sign)
	case *column.Num[int16]:
		widen(v.Data, out, sign)
	case *column.Num[int32]:
		widen(v.Data, out, sign)
	case *column.Num[int64]:
		widen(v.Data, out, sign)
	case *column.Num[float32]:
		for i, x := range v.Data {
			out[i] = floatOrdinal(float64(x))
		}
	case *column.Num[float64]:
		for i, x := range v.Data {
			out[i] = floatOrdinal(x)
		}
	default:
		return nil, sqlerr.New(sqlerr.NotImplemented, "Dictionary ranges of type %s are not implemented", v.Type())
	}
	return out, nil
}

func widen[T uint8 | uint16 | uint32 | int8 | int16 | int32 | int64](in []T, out []uint64, flip uint64) {
	for i, x := range in {
		out[i] = uint64(int64(x)) ^ flip
	}
}

// floatOrdinal orders numbers as they compare; -0 is 0, and NaN comes last.
func floatOrdinal(x float64) uint64 {
	b := math.Float64bits(x + 0)
	switch {
	case x != x:
		return math.MaxUint64
	case x == 0:
		return 1 << 63
	case b>>63 != 0:
		return ^b
	}
	return b | 1<<63
}
