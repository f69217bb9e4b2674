package exec

import (
	"sync/atomic"

	"github.com/olapd/olapd/internal/column"
)

// TopBound is what a Sort with a limit tells the scan below it: rows that sort behind the worst of limit rows
// seen so far need not be read beyond their sort key. All workers share it.
type TopBound struct {
	// Column is the first sort key, as a column of the scan.
	Column int
	Order  column.Order
	Limit  int

	worst  atomic.Pointer[sortItem] // rank and prefix
	passed atomic.Int64             // rows that passed the scan's filter
}

// narrow returns the mask of the rows that may be among the first, and lowers the bound.
func (t *TopBound) narrow(v column.Vector) []uint8 {
	items := make([]sortItem, v.Len())
	for i := range items {
		items[i] = sortItem{row: uint32(i), rank: rankValue}
	}
	setPrefixes(items, v, t.Order)
	t.passed.Add(int64(len(items)))
	kept := items
	if w := t.worst.Load(); w != nil {
		kept = items[:0]
		for _, it := range items {
			if !w.before(it) {
				kept = append(kept, it)
			}
		}
	}
	mask := make([]uint8, v.Len())
	if len(kept) > t.Limit {
		radixSort(kept)
		w := kept[t.Limit-1]
		t.lower(w)
		end := t.Limit
		for end < len(kept) && !w.before(kept[end]) {
			end++
		}
		kept = kept[:end]
	}
	for _, it := range kept {
		mask[it.row] = 1
	}
	return mask
}

// before reports whether other sorts behind it for sure, by the first key.
func (it *sortItem) before(other sortItem) bool {
	return it.rank < other.rank || it.rank == other.rank && it.prefix < other.prefix
}

// lower makes w the bound unless another worker's is lower: limit rows are not behind w.
func (t *TopBound) lower(w sortItem) {
	for {
		old := t.worst.Load()
		if old != nil && !w.before(*old) || t.worst.CompareAndSwap(old, &w) {
			return
		}
	}
}
