package exec

import (
	"context"
	"math/bits"
	"slices"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/query/plan"
)

const (
	// minRadix is the number of rows from which counting passes beat comparisons.
	minRadix = 48
	// mostRadix is up to how many rows all counting passes go over all of them: they fit the processor's cache. More are dealt out by their upper bits first.
	mostRadix = 8192
	// fewTies is up to how many rows with equal words are compared rather than given words of what is left of their keys.
	fewTies = 12
	// mostLevels is how often rows are given further words: strings that differ later than that are compared.
	mostLevels = 64
	// minParallelSort is the number of rows from which sorting in two goroutines pays.
	minParallelSort = 4096
	// groupsPerWorker is how many groups there are to sort for each worker at least, so that they end at about the same time.
	groupsPerWorker = 4
)

// sortedItems returns the rows of b in order; those with equal keys stay in theirs.
func sortedItems(b *column.Block, keys []plan.SortKey) []sortItem {
	ord, items := wordOrder(b, keys)
	ord.sort(items)
	return items
}

// sortRows is sortedItems by all workers, of the first limit rows; 0 is all of them.
func sortRows(ctx context.Context, r *run, b *column.Block, keys []plan.SortKey, limit uint64) ([]sortItem, error) {
	ord, items := wordOrder(b, keys)
	if limit == 0 || limit > uint64(len(items)) {
		limit = uint64(len(items))
	}
	buf := make([]sortItem, len(items))
	groups := []sortGroup{{to: len(items)}}
	if len(items) >= minParallelSort && r.opts.Threads > 1 {
		groups = ord.split(items, buf, len(items)/(r.opts.Threads*groupsPerWorker), int(limit))
	}
	err := r.parallel(ctx, len(groups), func(_ context.Context, i int) error {
		ord.sortGroup(items, buf, groups[i])
		return nil
	})
	return items[:limit], err
}

// sort orders rows that are in ascending order.
func (o *rowOrder) sort(items []sortItem) {
	o.sortFrom(items, make([]sortItem, len(items)), keyPlace{}, 0)
}

// sortGroup is items [from, to), which come behind those before and before those behind them. They are equal up to a place; with words they have those, and
// are equal up to it where these are.
type sortGroup struct {
	from, to int
	at       keyPlace
	words    bool
	level    int
}

// split deals the rows out to groups of about size rows, without those that begin behind the limit and those that are in order.
func (o *rowOrder) split(items, buf []sortItem, size, limit int) []sortGroup {
	var done []sortGroup
	for open := []sortGroup{{to: len(items)}}; len(open) > 0; {
		g := open[len(open)-1]
		open = open[:len(open)-1]
		part, spare := items[g.from:g.to], buf[g.from:g.to]
		if g.from >= limit {
			continue
		}
		if len(part) <= size || g.level >= mostLevels {
			done = append(done, g)
			continue
		}
		if !g.words {
			next, ok := o.setWords(part, spare, g.at)
			if !ok {
				done = append(done, g)
				continue
			}
			g.at, g.words = next, true
		}
		if varyingBits(part) == 0 {
			if g.at.key < len(o.keys) {
				open = append(open, sortGroup{from: g.from, to: g.to, at: g.at, level: g.level + 1})
			}
			continue
		}
		for from, ends := 0, dealOut(part, spare); len(ends) > 0; ends = ends[1:] {
			if from < ends[0] {
				open = append(open, sortGroup{from: g.from + from, to: g.from + ends[0], at: g.at, words: true, level: g.level})
			}
			from = ends[0]
		}
	}
	return done
}

// sortGroup sorts a group.
func (o *rowOrder) sortGroup(items, buf []sortItem, g sortGroup) {
	items, buf = items[g.from:g.to], buf[g.from:g.to]
	if g.words {
		sortWords(items, buf)
		o.sortTies(items, buf, g.at, g.level)
		return
	}
	o.sortFrom(items, buf, g.at, g.level)
}

// sortFrom orders rows that are equal up to a place and in ascending order.
func (o *rowOrder) sortFrom(items, buf []sortItem, at keyPlace, level int) {
	if len(items) > fewTies && level < mostLevels {
		if next, ok := o.setWords(items, buf, at); ok {
			sortWords(items, buf)
			o.sortTies(items, buf, next, level)
			return
		}
	}
	slices.SortFunc(items, func(a, b sortItem) int { return o.compareFrom(at.key, a.row, b.row) })
}

// compareFrom compares two rows by the keys from one on; rows decide ties, so that the order is total.
func (o *rowOrder) compareFrom(key int, a, b uint32) int {
	if r := o.compareKeys(key, a, b); r != 0 {
		return r
	}
	return int(a) - int(b)
}

// compareKeys compares two rows by the keys from one on.
func (o *rowOrder) compareKeys(key int, a, b uint32) int {
	for ; key < len(o.keys); key++ {
		if r := column.CompareOrder(o.cols[key], int(a), o.cols[key], int(b), o.keys[key].Order); r != 0 {
			return r
		}
	}
	return 0
}

// sortTies orders rows that are sorted by words, equal ones of which leave what comes from a place on to be compared.
func (o *rowOrder) sortTies(items, buf []sortItem, at keyPlace, level int) {
	if at.key == len(o.keys) {
		return
	}
	for start := 0; start < len(items); {
		end := start + 1
		for end < len(items) && items[end].prefix == items[start].prefix {
			end++
		}
		if end-start > 1 {
			o.sortFrom(items[start:end], buf[start:end], at, level+1)
		}
		start = end
	}
}

// varyingBits are those in which not all prefixes are the same.
func varyingBits(items []sortItem) uint64 {
	varying, first := uint64(0), items[0].prefix
	for i := range items {
		varying |= items[i].prefix ^ first
	}
	return varying
}

// radixDigits are the values of the bits that a pass looks at.
const radixDigits = 256

// dealOut orders the rows by the upper bits in which they vary, and returns where the rows of each of their values end.
func dealOut(items, buf []sortItem) []int {
	shift := max(bits.Len64(varyingBits(items))-bits.Len64(radixDigits-1), 0)
	ends := countingPass(buf, items, shift)
	copy(items, buf)
	return ends[:]
}

// countingPass writes the rows to another slice in the order of their bits from shift on, those with the same in theirs, and returns where the rows of each value
// of these bits end.
func countingPass(to, from []sortItem, shift int) (at [radixDigits]int) {
	for i := range from {
		at[from[i].prefix>>shift%radixDigits]++
	}
	sum := 0
	for d, n := range at {
		at[d] = sum
		sum += n
	}
	for i := range from {
		d := from[i].prefix >> shift % radixDigits
		to[at[d]] = from[i]
		at[d]++
	}
	return at
}

// sortWords sorts by prefix and keeps the order of ties.
func sortWords(items, buf []sortItem) {
	switch n := len(items); {
	case n < minRadix:
		insertWords(items)
	case n <= mostRadix:
		radixSort(items, buf)
	default:
		if varyingBits(items) < radixDigits*radixDigits {
			radixSort(items, buf)
			return
		}
		ends := dealOut(items, buf)
		from := 0
		for _, to := range ends {
			if to-from > 1 {
				sortWords(items[from:to], buf[from:to])
			}
			from = to
		}
	}
}

// insertWords is sortWords for few rows.
func insertWords(items []sortItem) {
	for i := 1; i < len(items); i++ {
		it, k := items[i], i
		for ; k > 0 && it.prefix < items[k-1].prefix; k-- {
			items[k] = items[k-1]
		}
		items[k] = it
	}
}

// radixSort is sortWords from the least significant byte on; bytes that all items share cost nothing.
func radixSort(items, buf []sortItem) {
	varying := varyingBits(items)
	from, to := items, buf
	for shift := 0; shift < wordBits; shift += 8 {
		if varying>>shift%radixDigits == 0 {
			continue
		}
		countingPass(to, from, shift)
		from, to = to, from
	}
	if &from[0] != &items[0] {
		copy(items, from)
	}
}
