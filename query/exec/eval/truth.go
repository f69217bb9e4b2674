package eval

import (
	"fmt"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/kernel"
	"github.com/olapd/olapd/internal/types"
)

// Truth returns the mask of the n values of v that are true: not 0 and not NULL. v is numeric; the mask may be v's memory.
func Truth(v column.Vector, n int) []uint8 {
	switch v := v.(type) {
	case *column.Const:
		mask := make([]uint8, n)
		if n > 0 && Truth(v.Value, 1)[0] != 0 {
			for i := range mask {
				mask[i] = 1
			}
		}
		return mask
	case *column.Nullable:
		mask := make([]uint8, n)
		kernel.AndNot(mask, Truth(v.Inner, n), v.Nulls)
		return mask
	case *column.Dict:
		return Truth(column.Flatten(v), n)
	case *column.Num[uint8]:
		return notZero(v.Data)
	case *column.Num[int8]:
		return notZero(v.Data)
	case *column.Num[uint16]:
		return notZero(v.Data)
	case *column.Num[int16]:
		return notZero(v.Data)
	case *column.Num[uint32]:
		return notZero(v.Data)
	case *column.Num[int32]:
		return notZero(v.Data)
	case *column.Num[uint64]:
		return notZero(v.Data)
	case *column.Num[int64]:
		return notZero(v.Data)
	case *column.Num[float32]:
		return notZero(v.Data)
	case *column.Num[float64]:
		return notZero(v.Data)
	case *column.Num[types.U128]:
		return notZeroWide(v.Data)
	case *column.Num[types.I128]:
		return notZeroWide(v.Data)
	case *column.Num[types.U256]:
		return notZeroWide(v.Data)
	case *column.Num[types.I256]:
		return notZeroWide(v.Data)
	}
	panic(fmt.Sprintf("eval: %s is no condition", v.Type()))
}

func notZero[T kernel.Number](data []T) []uint8 {
	mask := kernel.Dirty[uint8](len(data))
	kernel.CompareConst(mask, kernel.Ne, data, 0)
	return mask
}

func notZeroWide[T types.U128 | types.I128 | types.U256 | types.I256](data []T) []uint8 {
	mask := make([]uint8, len(data))
	var zero T
	for i, x := range data {
		if x != zero {
			mask[i] = 1
		}
	}
	return mask
}
