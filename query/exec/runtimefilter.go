package exec

import (
	"slices"
	"sync/atomic"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/kernel"
	"github.com/olapd/olapd/internal/types"
	"github.com/olapd/olapd/query/exec/eval"
	"github.com/olapd/olapd/query/plan"
)

// RuntimeFilter is what a join that has one side in memory tells the scan of the other: rows whose key is none of those in memory
// have no partner and need not be read. The scan drops granules by their bounds, then rows; until the keys are set it drops none.
// Some rows without a partner pass. All workers share it.
type RuntimeFilter struct {
	column int // of the scan
	keys   atomic.Pointer[runtimeKeys]
}

const (
	// maxBoundKeys is how many keys are kept in order, for bounds to be compared with; of more only the least and the greatest are.
	maxBoundKeys = 1 << 16
	// maxBitmapSpan is how far apart integers may be for a bitmap of them, of at most 1 MiB; maxBitsPerKey is how many of its bits a key may take.
	maxBitmapSpan = 1 << 23
	maxBitsPerKey = 64
	// bloomBits is the size of a Bloom filter per key: with three bits a key in one word about one in 50 passes wrongly.
	bloomBits = 16
	// maxBloomKeys bounds the filter to 8 MiB: one that is far from any cache costs what it spares.
	maxBloomKeys = 4 << 20
	// filterCost and filterPass are the estimates of the cost of a row, in nanoseconds, and of the part of the rows that passes.
	filterCost, filterPass = 2, 0.3
	// filterUseless is the part of the rows passing from which on a filter is not asked any more.
	filterUseless = 0.9
)

// NewRuntimeFilter returns a filter of the scan that the rows of op come from, by result i of keys, which is over the columns of op; nil if that
// is no column of a scan, or the operators between the two would notice that rows are missing. Call it before op is opened, and Set once the
// keys are known. It is for joins that drop rows of op without a partner.
func NewRuntimeFilter(op Operator, keys *eval.Program, i int) *RuntimeFilter {
	c, ok := keys.Column(i)
	for ok {
		switch x := op.(type) {
		case *Scan:
			return x.filterBy(c)
		case *Filter:
			if x.cond.Volatile() {
				return nil
			}
			op = x.inputs[0]
		case *Project:
			if x.exprs.Volatile() {
				return nil
			}
			c, ok = x.exprs.Column(c)
			op = x.inputs[0]
		case *Join:
			op, c = x.origin(c)
		default:
			return nil
		}
	}
	return nil
}

// origin returns the side, and its column, that column c of the result comes from, if dropping rows there drops those rows of the result
// and changes no other; else nil.
func (j *Join) origin(c int) (Operator, int) {
	left := false
	switch j.Kind {
	case plan.Left, plan.Semi, plan.Anti:
		left = true
	case plan.Inner:
		if left = j.Strictness != plan.Any; c >= j.LeftWidth && j.Strictness == plan.All {
			return j.inputs[1], c - j.LeftWidth
		}
	}
	if !left || c >= j.LeftWidth {
		return nil, 0
	}
	return j.inputs[0], c
}

// filterBy adds a filter by column c.
func (s *Scan) filterBy(c int) *RuntimeFilter {
	if s.Limit > 0 || s.Lengths != nil && s.Lengths[c] {
		return nil
	}
	f := &RuntimeFilter{column: c}
	s.runtime = append(s.runtime, f)
	return f
}

// Set tells the keys: of the column's physical type, without NULLs, repeated or not. They are not kept. Called once.
func (f *RuntimeFilter) Set(keys column.Vector) {
	k := &runtimeKeys{}
	if n := keys.Len(); n > 0 {
		k.bound(keys)
		if !k.bitmapOf(keys) && n <= maxBloomKeys {
			k.bloomOf(keys)
		}
	}
	f.keys.Store(k)
}

// runtimeKeys is a superset of some keys. Immutable.
type runtimeKeys struct {
	bounded bool     // first and last hold
	first   uint64   // the least and the greatest prefix, as in a sort
	last    uint64   // of all keys
	sorted  []uint64 // the distinct prefixes; nil: too many
	bits    []uint64 // bit prefix-first of the keys, if integers; nil: the Bloom filter says
	bloom   []uint64 // a power of two of words; nil with bits nil: only bounds are known, if any keys are
	any     bool     // there are keys
}

// bound takes the bounds of the keys, where they are integers or strings.
func (k *runtimeKeys) bound(keys column.Vector) {
	k.any = true
	if p := keys.Type().Inner().Phys(); !isInteger(p) && p != types.PBytes {
		return
	}
	n := keys.Len()
	items := make([]sortItem, min(n, maxBoundKeys))
	k.bounded, k.first, k.last = true, ^uint64(0), 0
	for from := 0; from < n; from += len(items) {
		items = items[:min(len(items), n-from)]
		setPrefixes(items, keys.Slice(from, from+len(items)), column.Order{})
		for i := range items {
			k.first, k.last = min(k.first, items[i].prefix), max(k.last, items[i].prefix)
		}
	}
	if n > maxBoundKeys {
		return
	}
	k.sorted = make([]uint64, n)
	for i := range items {
		k.sorted[i] = items[i].prefix
	}
	slices.Sort(k.sorted)
	k.sorted = slices.Compact(k.sorted)
}

// isInteger reports whether the prefix of a value is the value.
func isInteger(p types.Phys) bool {
	switch p {
	case types.PUInt8, types.PUInt16, types.PUInt32, types.PUInt64, types.PInt8, types.PInt16, types.PInt32, types.PInt64:
		return true
	}
	return false
}

// bitmapOf makes a bitmap of integers that are not far apart.
func (k *runtimeKeys) bitmapOf(keys column.Vector) bool {
	span := k.last - k.first
	if !isInteger(keys.Type().Inner().Phys()) || span >= maxBitmapSpan || span > max(uint64(keys.Len())*maxBitsPerKey, 1<<16) {
		return false
	}
	k.bits = make([]uint64, span/64+1)
	items := make([]sortItem, min(keys.Len(), maxBoundKeys))
	for from := 0; from < keys.Len(); from += len(items) {
		items = items[:min(len(items), keys.Len()-from)]
		setPrefixes(items, keys.Slice(from, from+len(items)), column.Order{})
		for i := range items {
			d := items[i].prefix - k.first
			k.bits[d/64] |= 1 << (d % 64)
		}
	}
	return true
}

// bloomOf makes a Bloom filter of keys of any type.
func (k *runtimeKeys) bloomOf(keys column.Vector) {
	words := 1
	for words*64 < keys.Len()*bloomBits {
		words *= 2
	}
	k.bloom = make([]uint64, words)
	hashes := make([]uint64, keys.Len())
	column.Hash(keys, hashes)
	for _, h := range hashes {
		at, bits := bloomPlace(h, words)
		k.bloom[at] |= bits
	}
}

// bloomPlace is the word of a hash and its bits there.
func bloomPlace(h uint64, words int) (at int, bits uint64) {
	return int(h>>20) & (words - 1), 1<<(h&63) | 1<<(h>>6&63) | 1<<(h>>12&63)
}

// keeps reports whether a run of rows may have a key, given its bounds' prefixes.
func (k *runtimeKeys) keeps(first, last uint64) bool {
	switch {
	case !k.any:
		return false
	case !k.bounded:
		return true
	case last < k.first || first > k.last:
		return false
	case k.sorted == nil:
		return true
	}
	at, found := slices.BinarySearch(k.sorted, first)
	return found || at < len(k.sorted) && k.sorted[at] <= last
}

// filterState is one worker's memory for the filters of a scan.
type filterState struct {
	hashes []uint64
	mask   []uint8
}

// within returns the mask of the values that may be keys; nil if nothing is known. Valid until the next call.
func (s *filterState) within(k *runtimeKeys, v column.Vector) []uint8 {
	n := v.Len()
	s.mask = sized(s.mask, n)
	switch {
	case !k.any:
		clear(s.mask)
		return s.mask
	case k.bits != nil && k.bitmap(s.mask, v):
		return s.mask
	case k.bloom == nil:
		return nil
	}
	s.hashes = sized(s.hashes, n)
	column.Hash(v, s.hashes)
	bloom := k.bloom
	for i, h := range s.hashes {
		at, bits := bloomPlace(h, len(bloom))
		s.mask[i] = 0
		if bloom[at]&bits == bits {
			s.mask[i] = 1
		}
	}
	return s.mask
}

// bitmap looks integers up; false for vectors of another form.
func (k *runtimeKeys) bitmap(mask []uint8, v column.Vector) bool {
	switch v := v.(type) {
	case *column.Nullable:
		if !k.bitmap(mask, v.Inner) {
			return false
		}
		kernel.AndNot(mask, mask, v.Nulls)
	case *column.Num[uint8]:
		lookupBits(mask, v.Data, k.bits, k.first^signBit)
	case *column.Num[uint16]:
		lookupBits(mask, v.Data, k.bits, k.first^signBit)
	case *column.Num[uint32]:
		lookupBits(mask, v.Data, k.bits, k.first^signBit)
	case *column.Num[uint64]:
		lookupBits(mask, v.Data, k.bits, k.first)
	case *column.Num[int8]:
		lookupBits(mask, v.Data, k.bits, k.first^signBit)
	case *column.Num[int16]:
		lookupBits(mask, v.Data, k.bits, k.first^signBit)
	case *column.Num[int32]:
		lookupBits(mask, v.Data, k.bits, k.first^signBit)
	case *column.Num[int64]:
		lookupBits(mask, v.Data, k.bits, k.first^signBit)
	default:
		return k.bitmapFlat(mask, v)
	}
	return true
}

// bitmapFlat is bitmap for constants and codes, which of integers are rare.
func (k *runtimeKeys) bitmapFlat(mask []uint8, v column.Vector) bool {
	switch v.(type) {
	case *column.Const, *column.Dict:
		return k.bitmap(mask, column.Flatten(v))
	}
	return false
}

// lookupBits fills mask with bit x-base of each value; there is none beyond the end.
func lookupBits[T kernel.Int](mask []uint8, data []T, bits []uint64, base uint64) {
	n := uint64(len(bits)) * 64
	for i, x := range data {
		mask[i] = 0
		if d := uint64(int64(x)) - base; d < n {
			mask[i] = uint8(bits[d/64] >> (d % 64) & 1)
		}
	}
}

// skipRuntime narrows the view to the runs of rows whose bounds say that they may have keys of the filters.
func (w *scanStream) skipRuntime() error {
	b, ok := w.view.m.(Bounded)
	if !ok {
		return nil
	}
	for _, f := range w.s.runtime {
		k := f.keys.Load()
		if k == nil || k.any && !k.bounded {
			continue
		}
		bounds, err := b.Bounds(f.column)
		if err != nil {
			return err
		}
		if bounds != nil {
			w.skipWithout(k, bounds)
		}
	}
	return nil
}

// skipWithout drops the runs of rows that have none of the keys.
func (w *scanStream) skipWithout(k *runtimeKeys, b *Bounds) {
	first, last := make([]sortItem, len(b.Ends)), make([]sortItem, len(b.Ends))
	if k.any {
		setPrefixes(first, b.Mins, column.Order{})
		setPrefixes(last, b.Maxs, column.Order{})
	}
	kept := make([]bool, len(b.Ends))
	dropped := 0
	for i := range kept {
		if kept[i] = !b.Empty[i] && k.keeps(first[i].prefix, last[i].prefix); !kept[i] {
			dropped++
		}
	}
	if dropped == 0 {
		return
	}
	before := w.view.left
	w.view.keepRuns(b.Ends, func(i int) bool { return kept[i] })
	w.s.actual.joinGranules.Add(int64(dropped))
	w.s.actual.joinRows.Add(int64(before - w.view.left))
}

// filtered reports whether filters drop rows that the scan's own do not.
func (s *Scan) filtered() bool {
	return slices.ContainsFunc(s.runtime, func(f *RuntimeFilter) bool { return f.keys.Load() != nil })
}
