package exec

import (
	"bytes"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/kernel"
	"github.com/olapd/olapd/internal/types"
	"github.com/olapd/olapd/query/plan"
)

// markChanges sets changed[k] to 1 where the keys of the row at position k differ from those of the row before it.
func markChanges(changed []uint8, b *column.Block, keys []plan.SortKey, order []uint32) {
	for _, key := range keys {
		switch v := b.Cols[key.Index].(type) {
		case *column.Num[uint8]:
			changedNums(changed, v.Data, order)
		case *column.Num[uint16]:
			changedNums(changed, v.Data, order)
		case *column.Num[uint32]:
			changedNums(changed, v.Data, order)
		case *column.Num[uint64]:
			changedNums(changed, v.Data, order)
		case *column.Num[int8]:
			changedNums(changed, v.Data, order)
		case *column.Num[int16]:
			changedNums(changed, v.Data, order)
		case *column.Num[int32]:
			changedNums(changed, v.Data, order)
		case *column.Num[int64]:
			changedNums(changed, v.Data, order)
		case *column.Num[float32]:
			changedFloats(changed, v.Data, order)
		case *column.Num[float64]:
			changedFloats(changed, v.Data, order)
		case *column.Num[types.U128]:
			changedNums(changed, v.Data, order)
		case *column.Str:
			changedStrings(changed, v, order)
		default:
			changedValues(changed, v, key.Order, order)
		}
	}
}

func changedNums[T kernel.Int | types.U128](changed []uint8, data []T, order []uint32) {
	last := data[order[0]]
	for k, row := range order {
		if x := data[row]; x != last {
			changed[k], last = 1, x
		}
	}
}

// changedFloats takes NaN as equal to itself.
func changedFloats[T kernel.Float](changed []uint8, data []T, order []uint32) {
	last := data[order[0]]
	for k, row := range order {
		if x := data[row]; x != last && (x == x || last == last) {
			changed[k], last = 1, x
		}
	}
}

func changedStrings(changed []uint8, v *column.Str, order []uint32) {
	last := v.At(int(order[0]))
	for k, row := range order {
		if changed[k] != 0 {
			last = v.At(int(row))
			continue
		}
		if s := v.At(int(row)); !bytes.Equal(s, last) {
			changed[k], last = 1, s
		}
	}
}

// changedValues is for all other types; a dictionary's rows of one code are equal.
func changedValues(changed []uint8, v column.Vector, ord column.Order, order []uint32) {
	d, _ := v.(*column.Dict)
	for k := 1; k < len(order); k++ {
		i, j := order[k-1], order[k]
		if changed[k] != 0 || d != nil && d.Codes[i] == d.Codes[j] {
			continue
		}
		if column.CompareOrder(v, int(i), v, int(j), ord) != 0 {
			changed[k] = 1
		}
	}
}

// runBounds writes where the run around each position begins and ends; a run begins at the positions that changed.
func runBounds(from, to []uint32, changed []uint8) {
	start := uint32(0)
	for k, c := range changed {
		if c != 0 {
			start = uint32(k)
		}
		from[k] = start
	}
	end := uint32(len(changed))
	for k := len(changed) - 1; k >= 0; k-- {
		to[k] = end
		if changed[k] != 0 {
			end = uint32(k)
		}
	}
}
