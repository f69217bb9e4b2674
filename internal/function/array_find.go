package function

import (
	"bytes"

	"github.com/olapd/olapd/internal/column"
)

// finding is what is asked about the elements of an array that equal a value.
type finding uint8

const (
	findAny   finding = iota // 1 if there is one
	findFirst                // the position of the first from 1, or 0
	findCount                // how many there are
)

// found is the answer behind an element at k, from 0, that equals the value; n is the answer before it. last: no other element changes it.
func (f finding) found(n uint64, k int) (answer uint64, last bool) {
	if f == findFirst {
		return uint64(k) + 1, true
	}
	return n + 1, f == findAny
}

// findAll writes for each row what find asks of the elements of arr, whose values are elems, that equal the row's value of x; elems and x have one type.
func findAll(out []uint64, arr arrayArg, elems, x column.Vector, find finding) {
	switch e := elems.(type) {
	case *column.Num[uint8]:
		findNums(out, arr, e.Data, numArg[uint8](x, len(out)), find)
	case *column.Num[uint16]:
		findNums(out, arr, e.Data, numArg[uint16](x, len(out)), find)
	case *column.Num[uint32]:
		findNums(out, arr, e.Data, numArg[uint32](x, len(out)), find)
	case *column.Num[uint64]:
		findNums(out, arr, e.Data, numArg[uint64](x, len(out)), find)
	case *column.Num[int8]:
		findNums(out, arr, e.Data, numArg[int8](x, len(out)), find)
	case *column.Num[int16]:
		findNums(out, arr, e.Data, numArg[int16](x, len(out)), find)
	case *column.Num[int32]:
		findNums(out, arr, e.Data, numArg[int32](x, len(out)), find)
	case *column.Num[int64]:
		findNums(out, arr, e.Data, numArg[int64](x, len(out)), find)
	case *column.Num[float32]:
		findNums(out, arr, e.Data, numArg[float32](x, len(out)), find)
	case *column.Num[float64]:
		findNums(out, arr, e.Data, numArg[float64](x, len(out)), find)
	case *column.Str:
		findStrings(out, arr, e, stringsOf(x), find)
	default:
		findValues(out, arr, elems, x, find)
	}
}

func findNums[T num](out []uint64, arr arrayArg, elems []T, x broadcast[T], find finding) {
	for i := range out {
		from, to := arr.bounds(i)
		want, n := x.at(i), uint64(0)
		for k, e := range elems[from:to] {
			if e != want {
				continue
			}
			var last bool
			if n, last = find.found(n, k); last {
				break
			}
		}
		out[i] = n
	}
}

func findStrings(out []uint64, arr arrayArg, elems *column.Str, x strArg, find finding) {
	for i := range out {
		from, to := arr.bounds(i)
		want, n := x.row(i), uint64(0)
		for k := from; k < to; k++ {
			if !bytes.Equal(elems.At(k), want) {
				continue
			}
			var last bool
			if n, last = find.found(n, k-from); last {
				break
			}
		}
		out[i] = n
	}
}

// findValues is findNums of any values.
func findValues(out []uint64, arr arrayArg, elems, x column.Vector, find finding) {
	for i := range out {
		from, to := arr.bounds(i)
		n := uint64(0)
		for k := from; k < to; k++ {
			if column.Compare(elems, k, x, i) != 0 {
				continue
			}
			var last bool
			if n, last = find.found(n, k-from); last {
				break
			}
		}
		out[i] = n
	}
}

// repeated is a mask of the values of v, which is flat, that equal the one before.
func repeated(v column.Vector) []uint8 {
	out := make([]uint8, v.Len())
	if keys := plainKeys(v); keys != nil {
		for i := 1; i < len(keys); i++ {
			out[i] = b2u(keys[i] == keys[i-1])
		}
		return out
	}
	for i := 1; i < len(out); i++ {
		out[i] = b2u(equalValues(v, i, v, i-1))
	}
	return out
}
