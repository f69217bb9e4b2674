package segment

import (
	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/kernel"
)

// ColumnStats is what a segment's footer says of one column: no chunk is read for it.
type ColumnStats struct {
	Rows int64
	// Min and Max enclose the values that are neither NULL nor NaN; invalid if there are none or the type is not a scalar. With Tight both
	// are values of the column.
	Min, Max Value
	Tight    bool
	NaN      bool // some value is
	Nulls    int64
	// Defaults is the rows that hold zero or the empty string, NULL aside; -1 if unknown.
	Defaults int64
	// Distinct is the distinct values, NULL aside: exact or an estimate; 0 if unknown.
	Distinct      uint64
	DistinctExact bool
	Entries       int  // of the dictionary; 0 without one
	Coded         bool // all pages are of codes
	Bitmap        bool // there is a bitmap index
	Bytes         int64
}

// ColumnStats returns the statistics of a stored column. Of segments written before they were noted, bounds of strings count as not tight and
// those of floats as among NaN.
func (r *Reader) ColumnStats(col int) ColumnStats {
	m, e := &r.meta.Columns[col], &r.ft.Columns[col]
	s := ColumnStats{Rows: r.meta.Rows, Min: m.Min, Max: m.Max, Nulls: m.Nulls, Distinct: m.Distinct, Entries: m.Dict, Bitmap: e.Bitmap != nil, Bytes: m.Bytes, Defaults: -1}
	_, isFloat := kindOfFloat(m.Min)
	_, isText := m.Min.vec.(*column.Str)
	switch {
	case m.Noted == nil:
		s.Tight, s.NaN = m.Min.vec != nil && !isFloat && !isText, isFloat
	default:
		s.Tight, s.NaN, s.Defaults, s.Coded = m.Min.vec != nil && !m.Noted.Cut, m.Noted.NaN, m.Noted.Defaults, m.Noted.Coded
		s.DistinctExact = s.Coded && s.Nulls == 0 // a page of nothing but NULL has a code too
	}
	return s
}

func kindOfFloat(v Value) (column.Vector, bool) {
	switch v.vec.(type) {
	case *column.Num[float32], *column.Num[float64]:
		return v.vec, true
	}
	return nil, false
}

// countDefaults counts the zeros or empty strings in a flat vector of scalars, NULL aside; -1 in others.
func countDefaults(v column.Vector) int64 {
	switch v := v.(type) {
	case *column.Nullable:
		if kernel.Count(v.Nulls) == 0 {
			return countDefaults(v.Inner)
		}
		return countDefaults(scalars(v))
	case *column.Num[uint8]:
		return countZeros(v.Data)
	case *column.Num[uint16]:
		return countZeros(v.Data)
	case *column.Num[uint32]:
		return countZeros(v.Data)
	case *column.Num[uint64]:
		return countZeros(v.Data)
	case *column.Num[int8]:
		return countZeros(v.Data)
	case *column.Num[int16]:
		return countZeros(v.Data)
	case *column.Num[int32]:
		return countZeros(v.Data)
	case *column.Num[int64]:
		return countZeros(v.Data)
	case *column.Num[float32]:
		return countZeros(v.Data)
	case *column.Num[float64]:
		return countZeros(v.Data)
	case *column.Str:
		if v.Typ.Width() > 0 {
			return -1
		}
		n := int64(0)
		for i := 1; i < len(v.Off); i++ {
			if v.Off[i] == v.Off[i-1] {
				n++
			}
		}
		return n
	}
	return -1
}

func countZeros[T kernel.Int | kernel.Float](src []T) int64 {
	n := int64(0)
	for _, x := range src {
		if x == 0 {
			n++
		}
	}
	return n
}
