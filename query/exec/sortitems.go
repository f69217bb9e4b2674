package exec

import "slices"

// minRadix is the number of rows from which counting passes beat comparisons.
const minRadix = 256

// sortItems sorts the rows: by rank and prefix in counting passes, a byte at a time, which keep the order of
// ties; then, where the prefix is not the whole key, the ties by comparison.
func sortItems(ord *rowOrder, items []sortItem) {
	if len(items) < minRadix {
		slices.SortFunc(items, ord.compare)
		return
	}
	radixSort(items)
	if ord.exact && len(ord.keys) == 1 {
		return
	}
	start := 0
	for i := 1; i <= len(items); i++ {
		if i < len(items) && items[i].prefix == items[start].prefix && items[i].rank == items[start].rank {
			continue
		}
		switch {
		case i-start >= minRadix && ord.exact:
			sortBySecond(ord, items[start:i])
		case i-start > 1:
			slices.SortFunc(items[start:i], ord.compare)
		}
		start = i
	}
}

// sortBySecond sorts many rows that are equal by the first of several keys: by the second as by the first.
func sortBySecond(ord *rowOrder, items []sortItem) {
	first := items[0]
	second, exact := ord.bySecond()
	for i := range items {
		it := &second[items[i].row]
		items[i].prefix, items[i].rank = it.prefix, it.rank
	}
	radixSort(items)
	decided := exact && len(ord.keys) == 2
	start := 0
	for i := 1; i <= len(items); i++ {
		if i < len(items) && items[i].prefix == items[start].prefix && items[i].rank == items[start].rank {
			continue
		}
		ties := items[start:i]
		for k := range ties {
			ties[k].prefix, ties[k].rank = first.prefix, first.rank
		}
		if !decided && len(ties) > 1 {
			slices.SortFunc(ties, ord.compare)
		}
		start = i
	}
}

// radixSort sorts by rank, then prefix, from the least significant byte on; bytes that all items share cost nothing.
func radixSort(items []sortItem) {
	first := items[0]
	varying, ranks := uint64(0), false
	for i := range items {
		varying |= items[i].prefix ^ first.prefix
		ranks = ranks || items[i].rank != first.rank
	}
	from, to := items, make([]sortItem, len(items))
	for shift := 0; shift < 64; shift += 8 {
		if varying>>shift&0xff == 0 {
			continue
		}
		var at [257]int
		for i := range from {
			at[from[i].prefix>>shift&0xff+1]++
		}
		for b := 1; b < len(at); b++ {
			at[b] += at[b-1]
		}
		for i := range from {
			b := from[i].prefix >> shift & 0xff
			to[at[b]] = from[i]
			at[b]++
		}
		from, to = to, from
	}
	if ranks {
		var at [4]int
		for i := range from {
			at[from[i].rank+1]++
		}
		for b := 1; b < len(at); b++ {
			at[b] += at[b-1]
		}
		for i := range from {
			to[at[from[i].rank]] = from[i]
			at[from[i].rank]++
		}
		from = to
	}
	if &from[0] != &items[0] {
		copy(items, from)
	}
}
