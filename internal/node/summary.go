package node

import (
	"cmp"
	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/types"
	"github.com/olapd/olapd/query/exec"
)

// Summary implements exec.Summarized: segments know their bounds, the rows of the memtable are looked through.
func (sc *scanner) Summary() (*exec.Summary, error) {
	s := &exec.Summary{Rows: sc.stats.TotalRows}
	if len(sc.sources) == 0 {
		return s, nil
	}
	n := len(sc.sources[0].want)
	s.Mins, s.Maxs = make([]column.Vector, n), make([]column.Vector, n)
	for i := range n {
		s.Mins[i], s.Maxs[i] = sc.bounds(i)
	}
	return s, nil
}

// bounds returns the least and the greatest value of a column, or nil if they are not known.
func (sc *scanner) bounds(i int) (lo, hi column.Vector) {
	for _, src := range sc.sources {
		l, h := src.bounds(i)
		if l == nil {
			return nil, nil
		}
		if lo == nil || column.Compare(l, 0, lo, 0) < 0 {
			lo = l
		}
		if hi == nil || column.Compare(h, 0, hi, 0) > 0 {
			hi = h
		}
	}
	return lo, hi
}

// bounds tells only of integers and what is stored as such: bounds of strings may not be tight, and NaN is in none.
func (s *source) bounds(i int) (lo, hi column.Vector) {
	t := s.want[i].Type
	if s.at[i] < 0 || t.IsNullable() || !(t.IsInteger() || t.IsDateOrTime()) {
		return nil, nil
	}
	if s.mem != nil {
		return blockBounds(column.Flatten(s.mem.Cols[s.at[i]]), t)
	}
	m := s.reader.Meta().Column(s.want[i].Name)
	if m == nil || !m.Min.Valid() || !m.Max.Valid() {
		return nil, nil
	}
	return column.WithType(m.Min.Vector(), t), column.WithType(m.Max.Vector(), t)
}

func blockBounds(v column.Vector, t *types.Type) (lo, hi column.Vector) {
	if v.Len() == 0 {
		return nil, nil
	}
	least, most := extremes(v)
	return column.WithType(v.Slice(least, least+1), t), column.WithType(v.Slice(most, most+1), t)
}

// extremes are the places of the least and the greatest value.
func extremes(v column.Vector) (least, most int) {
	switch v := v.(type) {
	case *column.Num[uint8]:
		return extremesOf(v.Data)
	case *column.Num[uint16]:
		return extremesOf(v.Data)
	case *column.Num[uint32]:
		return extremesOf(v.Data)
	case *column.Num[uint64]:
		return extremesOf(v.Data)
	case *column.Num[int8]:
		return extremesOf(v.Data)
	case *column.Num[int16]:
		return extremesOf(v.Data)
	case *column.Num[int32]:
		return extremesOf(v.Data)
	case *column.Num[int64]:
		return extremesOf(v.Data)
	}
	for i := 1; i < v.Len(); i++ {
		if column.Compare(v, i, v, least) < 0 {
			least = i
		} else if column.Compare(v, i, v, most) > 0 {
			most = i
		}
	}
	return least, most
}

func extremesOf[T cmp.Ordered](data []T) (least, most int) {
	for i, x := range data {
		if x < data[least] {
			least = i
		}
		if x > data[most] {
			most = i
		}
	}
	return least, most
}
