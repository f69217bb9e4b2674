package exec

import (
	"encoding/binary"
	"math"
	"sync"

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

// The ranks: NULL first, values, NULL last.
const (
	rankFirst uint8 = iota
	rankValue
	rankLast
)

// rowOrder compares rows of one block by its sort keys.
type rowOrder struct {
	cols  []column.Vector
	keys  []plan.SortKey
	exact bool // equal prefixes mean equal first keys
	// second is the rank and prefix of each row by the second key, made when many rows are found to be equal by the first.
	second struct {
		once  sync.Once
		items []sortItem
		exact bool
	}
}

// bySecond returns second. Safe for concurrent use.
func (o *rowOrder) bySecond() (items []sortItem, exact bool) {
	o.second.once.Do(func() {
		items := make([]sortItem, o.cols[1].Len())
		for i := range items {
			items[i].rank = rankValue
		}
		o.second.exact = setPrefixes(items, o.cols[1], o.keys[1].Order)
		o.second.items = items
	})
	return o.second.items, o.second.exact
}

// compare compares items; the later keys and rows decide ties, so that the order is total.
func (o *rowOrder) compare(a, b sortItem) int {
	if r := o.compareTo(a, o, b); r != 0 {
		return r
	}
	return int(a.row) - int(b.row)
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

// setPrefixes fills rank and prefix from the first key; true if the prefix is the whole key.
func setPrefixes(items []sortItem, v column.Vector, ord column.Order) bool {
	nullRank := rankLast
	if ord.NullsFirst {
		nullRank = rankFirst
	}
	if d, ok := v.(*column.Dict); ok && d.Values.Len() <= len(items) {
		return dictPrefixes(items, d, ord)
	}
	v = column.Flatten(v)
	if n, ok := v.(*column.Nullable); ok {
		exact := setPrefixes(items, n.Inner, ord)
		for i, isNull := range n.Nulls {
			if isNull != 0 {
				items[i].prefix, items[i].rank = 0, nullRank
			}
		}
		return exact
	}
	exact := valuePrefixes(items, v, nullRank)
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

// minPerEntry is how many rows there must be for each entry of a dictionary for its entries to be sorted.
const minPerEntry = 4

// rankPrefixes makes the prefix of each row the place of its entry among the dictionary's, in order; equal entries share one.
func rankPrefixes(items []sortItem, d *column.Dict, ord column.Order) {
	entries := make([]sortItem, d.Values.Len())
	for i := range entries {
		entries[i] = sortItem{row: uint32(i), rank: rankValue}
	}
	o := &rowOrder{cols: []column.Vector{column.Flatten(d.Values)}, keys: []plan.SortKey{{Order: ord}}}
	o.exact = setPrefixes(entries, o.cols[0], ord)
	sortItems(o, entries)
	ranks := make([]sortItem, len(entries))
	place := uint64(0)
	for i, e := range entries {
		if i > 0 && o.compareTo(entries[i-1], o, e) != 0 {
			place++
		}
		ranks[e.row] = sortItem{prefix: place, rank: e.rank}
	}
	for i, c := range d.Codes {
		items[i].prefix, items[i].rank = ranks[c].prefix, ranks[c].rank
	}
}

func valuePrefixes(items []sortItem, v column.Vector, nullRank uint8) bool {
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
		floatPrefixes(items, v.Data, nullRank)
	case *column.Num[float64]:
		floatPrefixes(items, v.Data, nullRank)
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
func floatPrefixes[T kernel.Float](items []sortItem, data []T, nanRank uint8) {
	for i, x := range data {
		if x != x {
			items[i].rank = nanRank
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
	var buf [8]byte
	for i := range items {
		s := v.At(i)
		if len(s) >= 8 {
			items[i].prefix = binary.BigEndian.Uint64(s)
			continue
		}
		buf = [8]byte{}
		copy(buf[:], s)
		items[i].prefix = binary.BigEndian.Uint64(buf[:])
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
