package mergetree

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"math"
	"slices"

	"github.com/olapd/olapd/internal/column"
)

// sortRows returns the positions of a block's rows in the order of keys, rows of equal keys in their present
// order; nil if they are in order already.
func sortRows(keys []column.Vector, n int) []uint32 {
	if len(keys) == 0 || isSorted(keys, n) {
		return nil
	}
	rest := keys
	prefix, whole := prefixes(keys[0], n)
	if whole {
		rest = keys[1:]
	}
	rows := make([]prefixRow, n)
	for i := range rows {
		rows[i] = prefixRow{row: uint32(i)}
		if prefix != nil {
			rows[i].prefix = prefix[i]
		}
	}
	slices.SortFunc(rows, func(a, b prefixRow) int {
		if a.prefix != b.prefix {
			return cmp.Compare(a.prefix, b.prefix)
		}
		if c := compareRows(rest, int(a.row), rest, int(b.row)); c != 0 {
			return c
		}
		return cmp.Compare(a.row, b.row)
	})
	sel := make([]uint32, n)
	for i, r := range rows {
		sel[i] = r.row
	}
	return sel
}

// prefixRow is a row with the order-preserving beginning of its key: most comparisons need no more.
type prefixRow struct {
	prefix uint64
	row    uint32
}

func isSorted(keys []column.Vector, n int) bool {
	for i := 1; i < n; i++ {
		if compareRows(keys, i-1, keys, i) > 0 {
			return false
		}
	}
	return true
}

// compareRows compares row i of one set of key vectors with row j of another.
func compareRows(a []column.Vector, i int, b []column.Vector, j int) int {
	for k := range a {
		if c := column.Compare(a[k], i, b[k], j); c != 0 {
			return c
		}
	}
	return 0
}

// prefixes returns numbers that order as the values of v do, except that different values may share one;
// whole says that they do not. Nil if the type has no such numbers.
func prefixes(v column.Vector, n int) (prefix []uint64, whole bool) {
	out := make([]uint64, n)
	switch v := column.Flatten(v).(type) {
	case *column.Num[uint8]:
		return widen(out, v.Data, 0), true
	case *column.Num[uint16]:
		return widen(out, v.Data, 0), true
	case *column.Num[uint32]:
		return widen(out, v.Data, 0), true
	case *column.Num[uint64]:
		return v.Data, true
	case *column.Num[int8]:
		return widen(out, v.Data, 1<<63), true
	case *column.Num[int16]:
		return widen(out, v.Data, 1<<63), true
	case *column.Num[int32]:
		return widen(out, v.Data, 1<<63), true
	case *column.Num[int64]:
		return widen(out, v.Data, 1<<63), true
	case *column.Num[float64]:
		for i, x := range v.Data {
			out[i] = floatPrefix(x)
		}
		return out, true
	case *column.Str:
		for i := range out {
			out[i] = bytesPrefix(v.At(i))
		}
		return out, false
	}
	return nil, false
}

// widen adds bias, which moves negative numbers below positive ones.
func widen[T uint8 | uint16 | uint32 | int8 | int16 | int32 | int64](dst []uint64, src []T, bias uint64) []uint64 {
	for i, x := range src {
		dst[i] = uint64(int64(x)) + bias
	}
	return dst
}

// floatPrefix orders as column.Compare: -0 equals 0, NaN is greatest.
func floatPrefix(x float64) uint64 {
	if x != x {
		return math.MaxUint64
	}
	b := math.Float64bits(x + 0) // -0 + 0 = 0
	if b>>63 != 0 {
		return ^b
	}
	return b | 1<<63
}

func bytesPrefix(b []byte) uint64 {
	if len(b) >= 8 {
		return binary.BigEndian.Uint64(b)
	}
	var pad [8]byte
	copy(pad[:], b)
	return binary.BigEndian.Uint64(pad[:])
}

// groupStarts returns where runs of rows of equal keys begin in sorted rows: the first is 0 unless there are no rows. Without
// keys all rows are one group.
func groupStarts(keys []column.Vector, n int) []int {
	if n == 0 {
		return nil
	}
	starts := []int{0}
	for i := 1; i < n; i++ {
		if !equalRows(keys, i-1, i) {
			starts = append(starts, i)
		}
	}
	return starts
}

// equalRows compares from the last key on, which differs most often.
func equalRows(keys []column.Vector, i, j int) bool {
	for k := len(keys) - 1; k >= 0; k-- {
		if s, ok := keys[k].(*column.Str); ok {
			if !bytes.Equal(s.At(i), s.At(j)) {
				return false
			}
			continue
		}
		if column.Compare(keys[k], i, keys[k], j) != 0 {
			return false
		}
	}
	return true
}
