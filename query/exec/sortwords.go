package exec

import (
	"bytes"
	"encoding/binary"
	"math/bits"
	"sync"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/types"
	"github.com/olapd/olapd/query/plan"
)

// The rows of one block are sorted by words: the sort keys, one behind the other, each in as many bits as the values at hand need, until 64
// bits are full. Of whole numbers that is their distance from the least, of strings what follows the bytes they all begin with, and of
// dictionaries with few entries an entry's place among them. Rows whose words are equal are sorted by words of what is left of their keys,
// and so on.

// keyPlace is how far rows are known to be equal: by the keys before key and, where that is of strings or wide integers, by depth bytes or limbs of it.
type keyPlace struct{ key, depth int }

// wordBits is the size of a word.
const wordBits = 64

// minRoom is for how many bits more of a key that is not told apart yet are put into a word: for fewer it does not pay to look at all of its values again.
const minRoom = 16

// setWords makes the prefix of each item the word of its keys from at on, and returns the place from which rows with equal words may differ. False:
// words do not tell the rows apart. scratch is as long as items.
func (o *rowOrder) setWords(items, scratch []sortItem, at keyPlace) (keyPlace, bool) {
	for i := range items {
		items[i].prefix, items[i].rank = 0, rankValue
	}
	next, room, told := at, wordBits, false
	for room > 0 && next.key < len(o.keys) {
		for i := range items {
			scratch[i] = sortItem{row: items[i].row, rank: rankValue}
		}
		exact, depth, ok := o.keyWords(scratch, next)
		if !ok {
			return next, told
		}
		need := appendWords(items, scratch, room)
		told = told || need > 0
		if need > room { // of which only the upper bits fit: what they are equal in is not a number of bytes
			return next, true
		}
		room -= need
		switch {
		case exact:
			next = keyPlace{key: next.key + 1}
		case depth == 0:
			return next, told
		default:
			if next.depth += depth; room < minRoom && told {
				return next, told
			}
		}
	}
	return next, told || next.key > at.key
}

// keyWords fills rank and prefix from the key at a place, an entry's place of a dictionary with few. exact: they are all of the key; else rows
// with equal ones are equal by depth more bytes or limbs, 0 if nothing is known. False for strings of which some ended before the place: padding does not tell these apart.
func (o *rowOrder) keyWords(items []sortItem, at keyPlace) (exact bool, depth int, ok bool) {
	v, ord := o.cols[at.key], o.keys[at.key].Order
	if d, is := v.(*column.Dict); is {
		places := o.entryRanks(at.key)
		for i := range items {
			items[i].prefix = places[d.Codes[items[i].row]]
		}
		return true, 0, true
	}
	inner := v
	if n, is := v.(*column.Nullable); is {
		inner = n.Inner
		for i := range items {
			if n.Nulls[items[i].row] != 0 {
				items[i].rank = nullRank(ord)
			}
		}
	}
	ok = true
	switch x := inner.(type) {
	case *column.Str:
		exact, depth, ok = stringWords(items, x, at.depth)
	case *column.Num[types.U128]:
		exact, depth = limbWords(items, x.Data, at.depth, 2, limbU128)
	case *column.Num[types.I128]:
		exact, depth = limbWords(items, x.Data, at.depth, 2, limbI128)
	case *column.Num[types.U256]:
		exact, depth = limbWords(items, x.Data, at.depth, 4, limbU256)
	case *column.Num[types.I256]:
		exact, depth = limbWords(items, x.Data, at.depth, 4, limbI256)
	default:
		if len(items) < v.Len() { // all rows are in their order
			v = column.Gather(v, rowsOf(items))
		}
		return setPrefixes(items, v, ord), 0, true
	}
	if ord.Desc {
		for i := range items {
			items[i].prefix = ^items[i].prefix
		}
	}
	return exact, depth, ok
}

// limbWords fills the prefixes with the limb at a depth of wide integers of n, of which the first is the most significant.
func limbWords[T any](items []sortItem, data []T, at, n int, limb func(x *T, at int) uint64) (exact bool, depth int) {
	for i := range items {
		items[i].prefix = limb(&data[items[i].row], at)
	}
	return at == n-1, 1
}

func limbU128(x *types.U128, at int) uint64 {
	if at == 0 {
		return x.Hi
	}
	return x.Lo
}

func limbI128(x *types.I128, at int) uint64 {
	if at == 0 {
		return uint64(x.Hi) ^ signBit
	}
	return x.Lo
}

func limbU256(x *types.U256, at int) uint64 { return x[3-at] }

func limbI256(x *types.I256, at int) uint64 {
	if at == 0 {
		return x[3] ^ signBit
	}
	return x[3-at]
}

// rowsOf returns the rows of items.
func rowsOf(items []sortItem) []uint32 {
	rows := make([]uint32, len(items))
	for i := range items {
		rows[i] = items[i].row
	}
	return rows
}

// appendWords moves the words in items up and puts behind them those of one key, in the fewest bits that hold their order; of more than room bits
// only the upper ones. It returns how many bits the key needs.
func appendWords(items, key []sortItem, room int) int {
	var has [ranks]bool
	low, high := uint64(1<<64-1), uint64(0)
	for i := range key {
		has[key[i].rank] = true
		if key[i].rank == rankValue {
			low, high = min(low, key[i].prefix), max(high, key[i].prefix)
		}
	}
	span := uint64(0) // of the values
	if has[rankValue] {
		span = high - low
	}
	drop := 0
	if span >= 1<<63 && (has[rankFirst] || has[rankNaNFirst] || has[rankNaNLast] || has[rankLast]) { // a bit of the values gives way to the others
		drop = 1
		span >>= drop
	}
	var base [ranks]uint64 // of each rank the first word
	next := uint64(0)
	for rank, is := range has {
		base[rank] = next
		switch {
		case is && rank == int(rankValue):
			next += span + 1
		case is:
			next++
		}
	}
	last := next - 1 // overflows for all words together, which is right
	need := bits.Len64(last)
	shift := max(need-room, 0)
	for i := range items {
		w := base[key[i].rank]
		if key[i].rank == rankValue {
			w += (key[i].prefix - low) >> drop
		}
		items[i].prefix = items[i].prefix<<(need-shift) | w>>shift
	}
	if drop > 0 {
		return wordBits + drop
	}
	return need
}

// lengthBits are those of the length of at most 7 bytes.
const lengthBits = 3

// stringWords fills the prefixes of the values with what follows depth bytes and those that they all have there: exactly if it is at most seven bytes, which their
// number then follows; else with eight bytes, up to which equal words are equal from depth on by common bytes. False: some string is shorter than depth.
func stringWords(items []sortItem, v *column.Str, depth int) (exact bool, common int, ok bool) {
	var first []byte
	common, longest := -1, 0
	for i := range items {
		if items[i].rank != rankValue {
			continue
		}
		s := v.At(int(items[i].row))
		if len(s) < depth {
			return false, 0, false
		}
		s = s[depth:]
		longest = max(longest, len(s))
		switch {
		case common < 0:
			first, common = s, len(s)
		case len(s) < common || !bytes.Equal(s[:common], first[:common]):
			common = commonPrefix(s, first[:common])
		}
	}
	common = max(common, 0)
	from, width := depth+common, longest-common
	for i := range items {
		if items[i].rank != rankValue {
			continue
		}
		s := v.At(int(items[i].row))[from:]
		w := leadingWord(s)
		if width < 8 {
			w = w>>(wordBits-8*width)<<lengthBits | uint64(len(s))
		}
		items[i].prefix = w
	}
	if width < 8 {
		return true, 0, true
	}
	return false, common + 8, true
}

// commonPrefix is how many bytes a and b begin with are the same.
func commonPrefix(a, b []byte) int {
	n := min(len(a), len(b))
	for i := range n {
		if a[i] != b[i] {
			return i
		}
	}
	return n
}

// leadingWord is the first eight bytes as a number, a shorter string padded with zeros.
func leadingWord(s []byte) uint64 {
	if len(s) >= 8 {
		return binary.BigEndian.Uint64(s)
	}
	var buf [8]byte
	copy(buf[:], s)
	return binary.BigEndian.Uint64(buf[:])
}

// nullRank is the rank of NULL.
func nullRank(ord column.Order) uint8 {
	if ord.NullsFirst {
		return rankFirst
	}
	return rankLast
}

// nanRank is the rank of NaN.
func nanRank(ord column.Order) uint8 {
	if ord.NullsFirst {
		return rankNaNFirst
	}
	return rankNaNLast
}

// wordOrder prepares the rows of b, which are compared with no other block's, for sorting by words: dictionaries with many entries become flat.
func wordOrder(b *column.Block, keys []plan.SortKey) (*rowOrder, []sortItem) {
	o := &rowOrder{}
	for _, k := range keys {
		if d, ok := b.Cols[k.Index].(*column.Dict); !ok || d.Values.Len() > b.N/minPerEntry {
			b.Cols[k.Index] = column.Flatten(b.Cols[k.Index])
		}
		o.addKey(b.Cols[k.Index], k.Order)
	}
	o.ranks = make([]entryRanks, len(o.keys))
	items := make([]sortItem, b.N)
	for i := range items {
		items[i].row = uint32(i)
	}
	return o, items
}

// addKey adds a sort key, of tuples one for each element.
func (o *rowOrder) addKey(v column.Vector, ord column.Order) {
	t, ok := v.(*column.Tuple)
	if !ok {
		o.cols, o.keys = append(o.cols, v), append(o.keys, plan.SortKey{Order: ord})
		return
	}
	for _, e := range t.Elems {
		o.addKey(e, ord)
	}
}

// minPerEntry is how many rows there must be for each entry of a dictionary for its entries to be sorted.
const minPerEntry = 4

// entryRanks is for each entry of a dictionary its place among them, in order; equal ones share one.
type entryRanks struct {
	once   sync.Once
	places []uint64
}

// entryRanks returns those of a key's dictionary. Safe for concurrent use.
func (o *rowOrder) entryRanks(key int) []uint64 {
	r := &o.ranks[key]
	r.once.Do(func() { r.places = rankEntries(o.cols[key].(*column.Dict).Values, o.keys[key].Order) })
	return r.places
}

func rankEntries(values column.Vector, ord column.Order) []uint64 {
	b := &column.Block{N: values.Len(), Cols: []column.Vector{column.Flatten(values)}}
	o, sorted := wordOrder(b, []plan.SortKey{{Order: ord}})
	o.sort(sorted)
	places, place := make([]uint64, len(sorted)), uint64(0)
	for i, e := range sorted {
		if i > 0 && o.compareKeys(0, sorted[i-1].row, e.row) != 0 {
			place++
		}
		places[e.row] = place
	}
	return places
}
