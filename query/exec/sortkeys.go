package exec

import (
	"math"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/kernel"
	"github.com/olapd/olapd/internal/types"
	"github.com/olapd/olapd/query/plan"
)

// sortItem is a row with as much of its first sort key as fits a word. rank puts NULL and NaN before or
// behind all values; among values, a smaller prefix sorts first, and equal prefixes decide nothing unless
// they are exact.
type sortItem struct {
	prefix uint64
	row    uint32
	rank   uint8
}

// The ranks in ascending order: NULL is farther from the values than NaN, on whichever side they are.
const (
	rankFirst uint8 = iota // NULL
	rankNaNFirst
	rankValue
	rankNaNLast
	rankLast // NULL
	ranks
)

// rowOrder compares rows of one block by its sort keys.
type rowOrder struct {
	cols  []column.Vector
	keys  []plan.SortKey
	exact bool // equal prefixes mean equal first keys
	// ranks are of the keys that are dictionaries; of a wordOrder only.
	ranks []entryRanks
}

// compareTo compares a with b, a row of p's block, by all keys.
func (o *rowOrder) compareTo(a sortItem, p *rowOrder, b sortItem) int {
	switch {
	case a.rank != b.rank:
		return int(a.rank) - int(b.rank)
	case a.prefix < b.prefix:
		return -1
	case a.prefix > b.prefix:
		return 1
	}
	from := 0
	if o.exact && p.exact {
		from = 1
	}
	for i := from; i < len(o.keys); i++ {
		if r := column.CompareOrder(o.cols[i], int(a.row), p.cols[i], int(b.row), o.keys[i].Order); r != 0 {
			return r
		}
	}
	return 0
}

// newRowOrder prepares the rows of b for sorting by keys.
func newRowOrder(b *column.Block, keys []plan.SortKey) (*rowOrder, []sortItem) {
	o := &rowOrder{keys: keys, cols: make([]column.Vector, len(keys))}
	for i, k := range keys {
		o.cols[i] = b.Cols[k.Index]
	}
	items := make([]sortItem, b.N)
	for i := range items {
		items[i] = sortItem{row: uint32(i), rank: rankValue}
	}
	if len(keys) > 0 {
		o.exact = setPrefixes(items, o.cols[0], keys[0].Order)
	}
	return o, items
}

// setPrefixes fills rank and prefix from the values of v, one an item; true if the prefix is the whole value.
func setPrefixes(items []sortItem, v column.Vector, ord column.Order) bool {
	null := nullRank(ord)
	if d, ok := v.(*column.Dict); ok && d.Values.Len() <= len(items) {
		return dictPrefixes(items, d, ord)
	}
	v = column.Flatten(v)
	if n, ok := v.(*column.Nullable); ok {
		exact := setPrefixes(items, n.Inner, ord)
		for i, isNull := range n.Nulls {
			if isNull != 0 {
				items[i].prefix, items[i].rank = 0, null
			}
		}
		return exact
	}
	exact := valuePrefixes(items, v, nanRank(ord))
	if ord.Desc {
		for i := range items {
			if items[i].rank == rankValue {
				items[i].prefix = ^items[i].prefix
			}
		}
	}
	return exact
}

// dictPrefixes computes the prefix of each entry once.
func dictPrefixes(items []sortItem, d *column.Dict, ord column.Order) bool {
	entries := make([]sortItem, d.Values.Len())
	for i := range entries {
		entries[i].rank = rankValue
	}
	exact := setPrefixes(entries, d.Values, ord)
	for i, c := range d.Codes {
		items[i].prefix, items[i].rank = entries[c].prefix, entries[c].rank
	}
	return exact
}

func valuePrefixes(items []sortItem, v column.Vector, nan uint8) bool {
	switch v := v.(type) {
	case *column.Num[uint8]:
		intPrefixes(items, v.Data)
	case *column.Num[uint16]:
		intPrefixes(items, v.Data)
	case *column.Num[uint32]:
		intPrefixes(items, v.Data)
	case *column.Num[uint64]:
		for i, x := range v.Data {
			items[i].prefix = x
		}
	case *column.Num[int8]:
		intPrefixes(items, v.Data)
	case *column.Num[int16]:
		intPrefixes(items, v.Data)
	case *column.Num[int32]:
		intPrefixes(items, v.Data)
	case *column.Num[int64]:
		intPrefixes(items, v.Data)
	case *column.Num[float32]:
		floatPrefixes(items, v.Data, nan)
	case *column.Num[float64]:
		floatPrefixes(items, v.Data, nan)
	case *column.Num[types.U128]:
		for i, x := range v.Data {
			items[i].prefix = x.Hi
		}
		return false
	case *column.Num[types.I128]:
		for i, x := range v.Data {
			items[i].prefix = uint64(x.Hi) ^ signBit
		}
		return false
	case *column.Num[types.U256]:
		for i, x := range v.Data {
			items[i].prefix = x[3]
		}
		return false
	case *column.Num[types.I256]:
		for i, x := range v.Data {
			items[i].prefix = x[3] ^ signBit
		}
		return false
	case *column.Str:
		stringPrefixes(items, v)
		return false
	default:
		return false
	}
	return true
}

const signBit = 1 << 63

func intPrefixes[T kernel.Int](items []sortItem, data []T) {
	for i, x := range data {
		items[i].prefix = uint64(int64(x)) ^ signBit
	}
}

// floatPrefixes maps floats to integers of the same order: negative ones have their bits turned over.
func floatPrefixes[T kernel.Float](items []sortItem, data []T, nan uint8) {
	for i, x := range data {
		if x != x {
			items[i].rank = nan
			continue
		}
		if x == 0 {
			x = 0 // -0 equals 0
		}
		bits := math.Float64bits(float64(x))
		if bits&signBit != 0 {
			items[i].prefix = ^bits
		} else {
			items[i].prefix = bits | signBit
		}
	}
}

// stringPrefixes takes the first eight bytes; a shorter string is padded with zeros and ties are compared whole.
func stringPrefixes(items []sortItem, v *column.Str) {
	for i := range items {
		items[i].prefix = leadingWord(v.At(i))
	}
}

// tieCheck compares rows by sort keys.
type tieCheck struct{ keys []plan.SortKey }

// run returns how many rows of b from row at on equal the row last, a block of one row.
func (t *tieCheck) run(last, b *column.Block, at int) int {
	n := 0
	for i := at; i < b.N; i++ {
		for _, k := range t.keys {
			if column.CompareOrder(last.Cols[k.Index], 0, b.Cols[k.Index], i, k.Order) != 0 {
				return n
			}
		}
		n++
	}
	return n
}
