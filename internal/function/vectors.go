package function

import (
	"math"

	"fmt"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/kernel"
	"github.com/olapd/olapd/internal/types"
)

// num is a Go number that arithmetic works on directly.
type num interface {
	uint8 | uint16 | uint32 | uint64 | int8 | int16 | int32 | int64 | float32 | float64
}

// integer is a Go integer.
type integer interface {
	uint8 | uint16 | uint32 | uint64 | int8 | int16 | int32 | int64
}

// numsOf returns the values of v, a vector of plain numbers, converted to T as Go
// converts; of a Const one value. The slice may be v's own memory: it is not written to.
func numsOf[T num](v column.Vector) []T {
	switch v := v.(type) {
	case *column.Const:
		return numsOf[T](v.Value)
	case *column.Dict:
		return numsOf[T](column.Flatten(v))
	case *column.Nullable:
		return numsOf[T](v.Inner)
	case *column.Num[T]:
		return v.Data
	case *column.Num[uint8]:
		return convertNums[T](v.Data)
	case *column.Num[uint16]:
		return convertNums[T](v.Data)
	case *column.Num[uint32]:
		return convertNums[T](v.Data)
	case *column.Num[uint64]:
		return convertNums[T](v.Data)
	case *column.Num[int8]:
		return convertNums[T](v.Data)
	case *column.Num[int16]:
		return convertNums[T](v.Data)
	case *column.Num[int32]:
		return convertNums[T](v.Data)
	case *column.Num[int64]:
		return convertNums[T](v.Data)
	case *column.Num[float32]:
		return convertNums[T](v.Data)
	case *column.Num[float64]:
		return convertNums[T](v.Data)
	case *column.Num[types.I128]:
		return lowNums[T](v.Data, func(x types.I128) int64 { return int64(x.Lo) })
	case *column.Num[types.U128]:
		return lowNums[T](v.Data, func(x types.U128) int64 { return int64(x.Lo) })
	case *column.Num[types.I256]:
		return lowNums[T](v.Data, func(x types.I256) int64 { return int64(x[0]) })
	case *column.Num[types.U256]:
		return lowNums[T](v.Data, func(x types.U256) int64 { return int64(x[0]) })
	}
	panic(fmt.Sprintf("function: %T is no vector of numbers", v))
}

func convertNums[T, S num](src []S) []T {
	dst := kernel.Dirty[T](len(src))
	kernel.Convert(dst, src)
	return dst
}

// numsInto is numsOf with dst as the memory to convert to; where nothing is converted it is not written to.
func numsInto[T num](dst []T, v column.Vector) []T {
	switch v := v.(type) {
	case *column.Num[T]:
		return v.Data
	case *column.Nullable:
		return numsInto(dst, v.Inner)
	case *column.Num[uint8]:
		return convertInto(dst, v.Data)
	case *column.Num[uint16]:
		return convertInto(dst, v.Data)
	case *column.Num[uint32]:
		return convertInto(dst, v.Data)
	case *column.Num[int8]:
		return convertInto(dst, v.Data)
	case *column.Num[int16]:
		return convertInto(dst, v.Data)
	case *column.Num[int32]:
		return convertInto(dst, v.Data)
	}
	return numsOf[T](v)
}

func convertInto[T, S num](dst []T, src []S) []T {
	kernel.Convert(dst[:len(src)], src)
	return dst[:len(src)]
}

func lowNums[T num, S any](src []S, low func(S) int64) []T {
	dst := make([]T, len(src))
	for i, x := range src {
		dst[i] = T(low(x))
	}
	return dst
}

// spread returns data as it is, or its only value n times.
func spread[T any](data []T, n int) []T {
	if len(data) == n {
		return data
	}
	out := make([]T, n)
	for i := range out {
		out[i] = data[0]
	}
	return out
}

// fullNums is numsOf with a Const spread over n rows.
func fullNums[T num](v column.Vector, n int) []T { return spread(numsOf[T](v), n) }

// broadcast is a slice that holds one value for all rows or one per row.
type broadcast[T any] struct {
	data []T
	mask int // 0: one value for all rows; -1: one per row
}

func newBroadcast[T any](data []T, n int) broadcast[T] {
	if len(data) == 1 && n != 1 {
		return broadcast[T]{data, 0}
	}
	return broadcast[T]{data, -1}
}

func (b broadcast[T]) at(i int) T { return b.data[i&b.mask] }

// numArg reads integer argument values for loops that need them per row.
func numArg[T num](v column.Vector, n int) broadcast[T] { return newBroadcast(numsOf[T](v), n) }

// countArg is numArg of a number of elements or a position: what no int64 holds is the greatest there is, not a negative number.
func countArg(v column.Vector, n int) broadcast[int64] {
	b := newBroadcast(numsOf[int64](v), n)
	if t := v.Type().Inner(); !t.IsUnsigned() || t.Width() < 8 {
		return b
	}
	clamped := make([]int64, len(b.data))
	for i, x := range b.data {
		if clamped[i] = x; x < 0 {
			clamped[i] = math.MaxInt64
		}
	}
	return broadcast[int64]{clamped, b.mask}
}

// strArg is a string argument: one value for all rows or one per row.
type strArg struct {
	*column.Str
	mask int
}

func (s strArg) row(i int) []byte { return s.At(i & s.mask) }

func (s strArg) isConst() bool { return s.mask == 0 }

// stringsOf returns the byte strings of v: String, FixedString, IPv6.
func stringsOf(v column.Vector) strArg {
	switch v := v.(type) {
	case *column.Const:
		a := stringsOf(v.Value)
		a.mask = 0
		return a
	case *column.Dict:
		return strArg{column.Flatten(v).(*column.Str), -1}
	case *column.Nullable:
		return stringsOf(v.Inner)
	case *column.Str:
		return strArg{v, -1}
	}
	panic(fmt.Sprintf("function: %T is no vector of strings", v))
}

// stringConst returns the string of a constant (a flat vector of one value or a Const).
func stringConst(v column.Vector) (string, bool) {
	switch v := v.(type) {
	case *column.Const:
		return stringConst(v.Value)
	case *column.Nullable:
		if v.Nulls[0] != 0 {
			return "", false
		}
		return stringConst(v.Inner)
	case *column.Str:
		return string(v.At(0)), v.Len() == 1
	}
	return "", false
}

// arrayArg is an array argument: one array for all rows or one per row.
type arrayArg struct {
	*column.Array
	mask int
}

// bounds returns where row i's elements are in Elem.
func (a arrayArg) bounds(i int) (from, to int) {
	i &= a.mask
	return int(a.Off[i]), int(a.Off[i+1])
}

// arraysOf returns the arrays of v; Elem holds their elements and no others.
func arraysOf(v column.Vector) arrayArg {
	switch v := v.(type) {
	case *column.Const:
		return arrayArg{v.Value.(*column.Array), 0}
	case *column.Array:
		if n := v.Len(); int(v.Off[n]-v.Off[0]) != v.Elem.Len() {
			v = &column.Array{Typ: v.Typ, Off: rebase(v.Off), Elem: v.Elem.Slice(int(v.Off[0]), int(v.Off[n]))}
		}
		return arrayArg{v, -1}
	}
	panic(fmt.Sprintf("function: %T is no vector of arrays", v))
}

// fullArray returns v as a flat *Array.
func fullArray(v column.Vector) *column.Array { return column.Flatten(v).(*column.Array) }

// isConstVector reports whether v is one value repeated.
func isConstVector(v column.Vector) bool {
	_, ok := v.(*column.Const)
	return ok
}

// newNum makes a vector of type t, whose representation must be T.
func newNum[T column.Elem](t *types.Type, data []T) column.Vector { return column.NewNum(t, data) }

// stringResult is a Str builder for c's result with room for one value per row.
func stringResult(c *Call) *column.Str { return column.NewStr(c.Result, c.Rows) }

// stringResultLike is stringResult with room for the bytes of s too, where that is not much.
func stringResultLike(c *Call, s ...strArg) *column.Str {
	out, n := stringResult(c), 0
	for _, a := range s {
		n += a.bytes(c.Rows)
	}
	if n <= maxReserved {
		out.Data = kernel.Dirty[byte](n)[:0]
	}
	return out
}

// maxReserved bounds what is reserved for a result that may turn out smaller.
const maxReserved = 64 << 20

// bytes is the length of all strings over so many rows.
func (s strArg) bytes(rows int) int {
	if s.isConst() {
		return rows * len(s.At(0))
	}
	return int(s.Off[s.Len()] - s.Off[0])
}
