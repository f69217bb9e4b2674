package exec

import (
	"sync/atomic"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/kernel"
)

// TopBound is what a Sort with a limit tells the scan below it: rows that sort behind the worst of limit rows
// seen so far need not be read. It is the first of the conditions to be worth its cost, drops whole granules by their
// bounds, and morsels that promise the first rows are read first. All workers share it.
type TopBound struct {
	// Column is the first sort key, as a column of the scan.
	Column int
	Order  column.Order
	Limit  int
	// Single says that there is no other sort key: then a row that equals the worst is no better than it.
	Single bool

	worst  atomic.Pointer[sortItem] // rank and prefix
	exact  atomic.Bool              // equal prefixes mean equal keys; set before worst
	masks  topMasks
	passed atomic.Int64 // rows that passed the scan's filter, without those that the bound dropped before it was asked
}

// behind reports whether rows whose best is it cannot be among the first.
func (t *TopBound) behind(it sortItem, worst *sortItem) bool {
	return worst.before(it) || t.Single && t.exact.Load() && !it.before(*worst)
}

// before reports whether other sorts behind it for sure, by the first key.
func (it *sortItem) before(other sortItem) bool {
	return it.rank < other.rank || it.rank == other.rank && it.prefix < other.prefix
}

// tighten makes w the bound unless another worker's is better: limit rows are not behind w.
func (t *TopBound) tighten(w sortItem) {
	for {
		old := t.worst.Load()
		if old != nil && !w.before(*old) || t.worst.CompareAndSwap(old, &w) {
			return
		}
	}
}

// topState is one worker's part in a TopBound: the best keys that it has let pass.
type topState struct {
	t     *TopBound
	items []sortItem
	best  []sortItem // a heap, the worst first; at most t.Limit
	mask  []uint8

	lookups topLookups
}

// prefixes returns an item for each value.
func (s *topState) prefixes(v column.Vector) []sortItem {
	if cap(s.items) < v.Len() {
		s.items = make([]sortItem, v.Len())
	}
	s.items = s.items[:v.Len()]
	for i := range s.items {
		s.items[i] = sortItem{row: uint32(i), rank: rankValue}
	}
	if exact := codePrefixes(s.items, v, s.t.Order); exact {
		s.t.exact.Store(true)
	}
	return s.items
}

// within returns the mask of the values that may be among the first; valid until the next call.
func (s *topState) within(v column.Vector, worst *sortItem) []uint8 {
	if cap(s.mask) < v.Len() {
		s.mask = make([]uint8, v.Len())
	}
	s.mask = s.mask[:v.Len()]
	if worst.rank == rankValue && compareWorst(s.mask, v, s.t.Order.Desc, s.t.Single, worst.prefix) {
		return s.mask
	}
	if s.withinCodes(s.mask, v, worst) {
		return s.mask
	}
	for i, it := range s.prefixes(v) {
		s.mask[i] = 0
		if !s.t.behind(it, worst) {
			s.mask[i] = 1
		}
	}
	return s.mask
}

// lower takes the values of rows that pass, tightens the bound, and returns the mask of those still within; valid until the next call.
func (s *topState) lower(v column.Vector) []uint8 {
	items := s.prefixes(v)
	s.t.passed.Add(int64(len(items)))
	for _, it := range items {
		switch {
		case len(s.best) < s.t.Limit:
			s.push(it)
		case it.before(s.best[0]):
			s.best[0] = it
			s.sink(0)
		}
	}
	if cap(s.mask) < len(items) {
		s.mask = make([]uint8, len(items))
	}
	s.mask = s.mask[:len(items)]
	full := len(s.best) == s.t.Limit
	if full {
		s.t.tighten(s.best[0])
	}
	for i, it := range items { // what equals the worst stays: it may be the very row
		s.mask[i] = 1
		if full && s.best[0].before(it) {
			s.mask[i] = 0
		}
	}
	return s.mask
}

func (s *topState) push(it sortItem) {
	s.best = append(s.best, it)
	for i := len(s.best) - 1; i > 0; {
		up := (i - 1) / 2
		if !s.best[up].before(s.best[i]) {
			return
		}
		s.best[up], s.best[i] = s.best[i], s.best[up]
		i = up
	}
}

func (s *topState) sink(i int) {
	for {
		c := 2*i + 1
		if c+1 < len(s.best) && s.best[c].before(s.best[c+1]) {
			c++
		}
		if c >= len(s.best) || !s.best[i].before(s.best[c]) {
			return
		}
		s.best[i], s.best[c] = s.best[c], s.best[i]
		i = c
	}
}

// compareWorst fills mask for integers, whose prefix is their value; false for other types.
func compareWorst(mask []uint8, v column.Vector, desc, strict bool, prefix uint64) bool {
	if desc {
		prefix = ^prefix
	}
	op := kernel.Le
	switch {
	case strict && desc:
		op = kernel.Gt
	case strict:
		op = kernel.Lt
	case desc:
		op = kernel.Ge
	}
	switch v := v.(type) {
	case *column.Num[uint8]:
		compareInt(mask, op, v, prefix)
	case *column.Num[uint16]:
		compareInt(mask, op, v, prefix)
	case *column.Num[uint32]:
		compareInt(mask, op, v, prefix)
	case *column.Num[uint64]:
		kernel.CompareConst(mask, op, v.Data, prefix)
	case *column.Num[int8]:
		compareInt(mask, op, v, prefix)
	case *column.Num[int16]:
		compareInt(mask, op, v, prefix)
	case *column.Num[int32]:
		compareInt(mask, op, v, prefix)
	case *column.Num[int64]:
		compareInt(mask, op, v, prefix)
	default:
		return false
	}
	return true
}

func compareInt[T interface {
	kernel.Int
	column.Elem
}](mask []uint8, op kernel.Op, v *column.Num[T], prefix uint64) {
	kernel.CompareConst(mask, op, v.Data, T(int64(prefix^signBit)))
}

// codePrefixes is setPrefixes for a dictionary of strings larger than the rows at hand, which it does not copy.
func codePrefixes(items []sortItem, v column.Vector, ord column.Order) (exact bool) {
	d, ok := v.(*column.Dict)
	if !ok || d.Values.Len() <= len(items) {
		return setPrefixes(items, v, ord)
	}
	text, ok := d.Values.(*column.Str)
	if !ok {
		return setPrefixes(items, v, ord)
	}
	flip := uint64(0)
	if ord.Desc {
		flip = ^flip
	}
	for i, c := range d.Codes {
		items[i].prefix = stringPrefix(text.At(int(c))) ^ flip
	}
	return false
}

// bestItems returns, for each run of bounds, the item of the first of its rows in the order.
func bestItems(b *Bounds, ord column.Order) []sortItem {
	v := b.Mins
	if ord.Desc {
		v = b.Maxs
	}
	items := make([]sortItem, len(b.Ends))
	for i := range items {
		items[i].rank = rankValue
	}
	setPrefixes(items, v, ord)
	for i := range items {
		switch {
		case b.Special[i] && ord.NullsFirst:
			items[i] = sortItem{rank: rankFirst}
		case b.Empty[i] && v.Type().Inner().IsFloat(): // there may be NaN
			items[i] = sortItem{rank: rankNaNLast}
		case b.Empty[i]:
			items[i] = sortItem{rank: rankLast}
		}
	}
	return items
}
