package column

import (
	"bytes"
	"cmp"
	"fmt"
	"math"

	"github.com/olapd/olapd/internal/types"
)

// Compare compares value i of a with value j of b, which have one type, as -1, 0 or +1.
// NULL and NaN compare greater than every value, equal to themselves (ClickHouse's NULLS LAST).
// UUIDs compare by their first half, then the second; strings by bytes.
func Compare(a Vector, i int, b Vector, j int) int {
	a, i = resolve(a, i)
	b, j = resolve(b, j)
	switch a := a.(type) {
	case *Num[uint8]:
		return cmp.Compare(a.Data[i], b.(*Num[uint8]).Data[j])
	case *Num[uint16]:
		return cmp.Compare(a.Data[i], b.(*Num[uint16]).Data[j])
	case *Num[uint32]:
		return cmp.Compare(a.Data[i], b.(*Num[uint32]).Data[j])
	case *Num[uint64]:
		return cmp.Compare(a.Data[i], b.(*Num[uint64]).Data[j])
	case *Num[int8]:
		return cmp.Compare(a.Data[i], b.(*Num[int8]).Data[j])
	case *Num[int16]:
		return cmp.Compare(a.Data[i], b.(*Num[int16]).Data[j])
	case *Num[int32]:
		return cmp.Compare(a.Data[i], b.(*Num[int32]).Data[j])
	case *Num[int64]:
		return cmp.Compare(a.Data[i], b.(*Num[int64]).Data[j])
	case *Num[types.U128]:
		return a.Data[i].Cmp(b.(*Num[types.U128]).Data[j])
	case *Num[types.I128]:
		return a.Data[i].Cmp(b.(*Num[types.I128]).Data[j])
	case *Num[types.U256]:
		return a.Data[i].Cmp(b.(*Num[types.U256]).Data[j])
	case *Num[types.I256]:
		return a.Data[i].Cmp(b.(*Num[types.I256]).Data[j])
	case *Num[float32]:
		return compareFloat(float64(a.Data[i]), float64(b.(*Num[float32]).Data[j]))
	case *Num[float64]:
		return compareFloat(a.Data[i], b.(*Num[float64]).Data[j])
	case *Str:
		return bytes.Compare(a.At(i), b.(*Str).At(j))
	case *Array:
		bb := b.(*Array)
		return compareRuns(a.Elem, a.Off[i], a.Off[i+1], bb.Elem, bb.Off[j], bb.Off[j+1])
	case *Map:
		bb := b.(*Map)
		if a.Typ.Kind == types.JSON {
			return max(-1, min(1, compareObjects(a, i, bb, j)))
		}
		if c := compareRuns(a.Keys, a.Off[i], a.Off[i+1], bb.Keys, bb.Off[j], bb.Off[j+1]); c != 0 {
			return c
		}
		return compareRuns(a.Vals, a.Off[i], a.Off[i+1], bb.Vals, bb.Off[j], bb.Off[j+1])
	case *Tuple:
		for k, e := range a.Elems {
			if c := Compare(e, i, b.(*Tuple).Elems[k], j); c != 0 {
				return c
			}
		}
		return 0
	case *Nullable:
		return compareNullable(a, i, b, j)
	case *Variant:
		return compareVariant(a, i, b, j)
	}
	panic(fmt.Sprintf("column: comparing %T", a))
}

func compareNullable(a *Nullable, i int, b Vector, j int) int {
	an, bn := a.Nulls[i] != 0, IsNull(b, j)
	switch {
	case an && bn:
		return 0
	case an:
		return 1
	case bn:
		return -1
	}
	if bb, ok := b.(*Nullable); ok {
		b = bb.Inner
	}
	return Compare(a.Inner, i, b, j)
}

// resolve steps through Const and Dict to the vector that holds the value.
func resolve(v Vector, i int) (Vector, int) {
	for {
		switch d := v.(type) {
		case *Const:
			v, i = d.Value, 0
		case *Dict:
			v, i = d.Values, int(d.Codes[i])
		default:
			return v, i
		}
	}
}

func compareFloat(a, b float64) int {
	an, bn := math.IsNaN(a), math.IsNaN(b)
	switch {
	case an && bn:
		return 0
	case an:
		return 1
	case bn:
		return -1
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

func compareRuns(a Vector, af, at uint32, b Vector, bf, bt uint32) int {
	for af < at && bf < bt {
		if c := Compare(a, int(af), b, int(bf)); c != 0 {
			return c
		}
		af++
		bf++
	}
	return cmp.Compare(at-af, bt-bf)
}

// Order is the direction of one sort column.
type Order struct {
	Desc       bool
	NullsFirst bool // NULL, then NaN, before all values, whatever Desc says; else NaN, then NULL, behind them
}

// CompareOrder is Compare in the order o, which is that of a tuple's elements, too.
func CompareOrder(a Vector, i int, b Vector, j int, o Order) int {
	a, i = resolve(a, i)
	b, j = resolve(b, j)
	if t, ok := a.(*Tuple); ok {
		for k, e := range t.Elems {
			if c := CompareOrder(e, i, b.(*Tuple).Elems[k], j, o); c != 0 {
				return c
			}
		}
		return 0
	}
	as, bs := beyondValues(a, i), beyondValues(b, j)
	if as != 0 || bs != 0 {
		if o.NullsFirst {
			return cmp.Compare(bs, as)
		}
		return cmp.Compare(as, bs)
	}
	c := Compare(a, i, b, j)
	if o.Desc {
		return -c
	}
	return c
}

// beyondValues is 0 for a value, 1 for NaN and 2 for NULL, which is farther from the values than that.
func beyondValues(v Vector, i int) int {
	v, i = resolve(v, i)
	switch v := v.(type) {
	case *Nullable:
		if v.Nulls[i] != 0 {
			return 2
		}
		return beyondValues(v.Inner, i)
	case *Variant:
		if v.Which[i] == NoVariant {
			return 2
		}
	case *Num[float64]:
		if math.IsNaN(v.Data[i]) {
			return 1
		}
	case *Num[float32]:
		if v.Data[i] != v.Data[i] {
			return 1
		}
	}
	return 0
}
