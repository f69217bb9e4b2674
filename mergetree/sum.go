package mergetree

import (
	"math/bits"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/internal/types"
)

// sumGroups adds up the values of each group; integers wrap around, as in ClickHouse. Groups begin at starts.
func sumGroups(v column.Vector, starts []int) (column.Vector, error) {
	switch v := column.Flatten(v).(type) {
	case *column.Num[uint8]:
		return addGroups(v, starts), nil
	case *column.Num[uint16]:
		return addGroups(v, starts), nil
	case *column.Num[uint32]:
		return addGroups(v, starts), nil
	case *column.Num[uint64]:
		return addGroups(v, starts), nil
	case *column.Num[int8]:
		return addGroups(v, starts), nil
	case *column.Num[int16]:
		return addGroups(v, starts), nil
	case *column.Num[int32]:
		return addGroups(v, starts), nil
	case *column.Num[int64]:
		return addGroups(v, starts), nil
	case *column.Num[float32]:
		return addGroups(v, starts), nil
	case *column.Num[float64]:
		return addGroups(v, starts), nil
	case *column.Num[types.U128]:
		return addWide(v, starts, addU128), nil
	case *column.Num[types.I128]:
		return addWide(v, starts, types.I128.Add), nil
	case *column.Num[types.U256]:
		return addWide(v, starts, addU256), nil
	case *column.Num[types.I256]:
		return addWide(v, starts, types.I256.Add), nil
	case *column.Nullable:
		return sumNullable(v, starts)
	default:
		return nil, sqlerr.New(sqlerr.LogicalError, "Summing values of %s", v.Type())
	}
}

func addGroups[T uint8 | uint16 | uint32 | uint64 | int8 | int16 | int32 | int64 | float32 | float64](v *column.Num[T], starts []int) column.Vector {
	out := make([]T, len(starts))
	for g, from := range starts {
		var sum T
		for _, x := range v.Data[from:groupEnd(starts, g, len(v.Data))] {
			sum += x
		}
		out[g] = sum
	}
	return column.NewNum(v.Typ, out)
}

func addWide[T types.U128 | types.I128 | types.U256 | types.I256](v *column.Num[T], starts []int, add func(a, b T) T) column.Vector {
	out := make([]T, len(starts))
	for g, from := range starts {
		var sum T
		for _, x := range v.Data[from:groupEnd(starts, g, len(v.Data))] {
			sum = add(sum, x)
		}
		out[g] = sum
	}
	return column.NewNum(v.Typ, out)
}

func addU128(a, b types.U128) types.U128 {
	lo, carry := bits.Add64(a.Lo, b.Lo, 0)
	hi, _ := bits.Add64(a.Hi, b.Hi, carry)
	return types.U128{Lo: lo, Hi: hi}
}

func addU256(a, b types.U256) types.U256 { return types.U256(types.I256(a).Add(types.I256(b))) }

// asBool keeps the sums of a Bool column in its range.
func asBool(v column.Vector) column.Vector {
	if v.Type().WithoutNullable().Kind != types.Bool {
		return v
	}
	if n, ok := v.(*column.Nullable); ok {
		return column.NewNullable(n.Nulls, asBool(n.Inner))
	}
	for i, x := range v.(*column.Num[uint8]).Data {
		v.(*column.Num[uint8]).Data[i] = min(x, 1)
	}
	return v
}

// sumNullable leaves NULLs out; a group of NULLs alone is NULL.
func sumNullable(v *column.Nullable, starts []int) (column.Vector, error) {
	inner := column.New(v.Inner.Type(), v.Len())
	nulls := make([]uint8, len(starts))
	for g, from := range starts {
		nulls[g] = 1
		for i := from; i < groupEnd(starts, g, v.Len()); i++ {
			if v.Nulls[i] != 0 {
				inner.AppendDefault()
				continue
			}
			nulls[g] = 0
			inner.AppendFrom(v.Inner, i)
		}
	}
	sums, err := sumGroups(inner, starts)
	if err != nil {
		return nil, err
	}
	return column.NewNullable(nulls, sums), nil
}

// nonZero returns the rows in which any of the columns is other than zero and NULL.
func nonZero(b *column.Block, cols []int) []uint32 {
	keep := make([]bool, b.N)
	for _, c := range cols {
		v := b.Cols[c]
		zero := column.New(v.Type().WithoutNullable(), 1)
		zero.AppendDefault()
		for i := range keep {
			if keep[i] || column.IsNull(v, i) {
				continue
			}
			inner := v
			if n, ok := v.(*column.Nullable); ok {
				inner = n.Inner
			}
			keep[i] = column.Compare(inner, i, zero, 0) != 0
		}
	}
	sel := make([]uint32, 0, b.N)
	for i, k := range keep {
		if k {
			sel = append(sel, uint32(i))
		}
	}
	return sel
}
