package function

import (
	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/types"
)

// selectRows returns the vector whose value i is value i of vals[choice[i]]; all have type t. It is
// the one loop behind if, multiIf, CASE, coalesce and transform. A long constant that is chosen often is much in all: MemoryLimitExceeded.
func selectRows(c *Call, t *types.Type, choice []uint8, vals []column.Vector) (column.Vector, error) {
	switch t.Phys() {
	case types.PUInt8:
		return selectNums[uint8](t, choice, vals), nil
	case types.PUInt16:
		return selectNums[uint16](t, choice, vals), nil
	case types.PUInt32:
		return selectNums[uint32](t, choice, vals), nil
	case types.PUInt64:
		return selectNums[uint64](t, choice, vals), nil
	case types.PInt8:
		return selectNums[int8](t, choice, vals), nil
	case types.PInt16:
		return selectNums[int16](t, choice, vals), nil
	case types.PInt32:
		return selectNums[int32](t, choice, vals), nil
	case types.PInt64:
		return selectNums[int64](t, choice, vals), nil
	case types.PFloat32:
		return selectNums[float32](t, choice, vals), nil
	case types.PFloat64:
		return selectNums[float64](t, choice, vals), nil
	case types.PUInt128:
		return selectNums[types.U128](t, choice, vals), nil
	case types.PInt128:
		return selectNums[types.I128](t, choice, vals), nil
	case types.PUInt256:
		return selectNums[types.U256](t, choice, vals), nil
	case types.PInt256:
		return selectNums[types.I256](t, choice, vals), nil
	case types.PBytes:
		return selectStrings(c, t, choice, vals)
	case types.PNullable:
		return selectNullables(c, t, choice, vals)
	}
	b := column.New(t, len(choice))
	for i, k := range choice {
		b.AppendFrom(vals[k], i)
	}
	return b, nil
}

func selectNums[T column.Elem](t *types.Type, choice []uint8, vals []column.Vector) column.Vector {
	cols := make([]broadcast[T], len(vals))
	for k, v := range vals {
		cols[k] = elemsOf[T](v)
	}
	dst := make([]T, len(choice))
	if len(cols) == 2 {
		a, b := cols[0], cols[1]
		for i, k := range choice {
			x := a.at(i)
			if k != 0 {
				x = b.at(i)
			}
			dst[i] = x
		}
		return newNum(t, dst)
	}
	for i, k := range choice {
		dst[i] = cols[k].at(i)
	}
	return newNum(t, dst)
}

// elemsOf is a flat or constant vector's values without conversion.
func elemsOf[T column.Elem](v column.Vector) broadcast[T] {
	if c, ok := v.(*column.Const); ok {
		return broadcast[T]{c.Value.(*column.Num[T]).Data, 0}
	}
	return broadcast[T]{column.Flatten(v).(*column.Num[T]).Data, -1}
}

func selectStrings(c *Call, t *types.Type, choice []uint8, vals []column.Vector) (column.Vector, error) {
	cols := make([]strArg, len(vals))
	for k, v := range vals {
		cols[k] = stringsOf(v)
	}
	size := 0
	for i, k := range choice {
		size += len(cols[k].row(i))
	}
	out := column.NewStr(t, len(choice))
	if err := c.checkSum(out, int64(size), "if"); err != nil {
		return nil, err
	}
	out.Data = make([]byte, 0, size)
	for i, k := range choice {
		out.Append(cols[k].row(i))
	}
	return out, nil
}

func selectNullables(c *Call, t *types.Type, choice []uint8, vals []column.Vector) (column.Vector, error) {
	inner, masks := make([]column.Vector, len(vals)), make([]broadcast[uint8], len(vals))
	for k, v := range vals {
		inner[k], masks[k] = splitNullable(v)
	}
	nulls := make([]uint8, len(choice))
	for i, k := range choice {
		nulls[i] = masks[k].at(i)
	}
	v, err := selectRows(c, t.Elem(), choice, inner)
	if err != nil {
		return nil, err
	}
	return column.NewNullable(nulls, v), nil
}

// splitNullable takes a Nullable vector, constant or not, apart.
func splitNullable(v column.Vector) (column.Vector, broadcast[uint8]) {
	switch v := v.(type) {
	case *column.Const:
		if n, ok := v.Value.(*column.Nullable); ok {
			return &column.Const{Value: n.Inner, N: v.N}, broadcast[uint8]{n.Nulls, 0}
		}
	case *column.Nullable:
		return v.Inner, broadcast[uint8]{v.Nulls, -1}
	}
	return v, broadcast[uint8]{[]uint8{0}, 0}
}
