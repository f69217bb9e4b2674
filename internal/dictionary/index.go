package dictionary

import (
	"math/bits"
	"slices"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/sqlerr"
)

// newIndex indexes rows by their keys. keep are the rows that remain where keys come more than once, nil if all do.
func newIndex(s *Shape, keys, bounds []column.Vector) (ix finder, keep []uint32, err error) {
	switch s.Layout {
	case Flat:
		return newFlat(s, keys[0].(*column.Num[uint64]).Data)
	case RangeHashed:
		ix, err := newRanges(s, keys, bounds)
		return ix, nil, err
	case IPTrie:
		return newTrie(keys)
	}
	t, keep := newTable(keys)
	return t, keep, nil
}

// flat is rows by key; none where there is no row.
type flat struct{ rows []uint32 }

const noRow = ^uint32(0)

func greatest(keys []uint64) uint64 {
	most := uint64(0)
	for _, k := range keys {
		most = max(most, k)
	}
	return most
}

// flatBytes is what newFlat takes for its keys.
func flatBytes(s *Shape, keys []uint64) int64 { return int64(min(greatest(keys), s.MaxArray)+1) * 4 }

func newFlat(s *Shape, keys []uint64) (finder, []uint32, error) {
	most := greatest(keys)
	if len(keys) > 0 && most >= s.MaxArray {
		return nil, nil, sqlerr.New(sqlerr.ArgumentOutOfBound, "%s: identifier should be less than %d", s.Name, s.MaxArray)
	}
	f := &flat{rows: make([]uint32, most+1)}
	for i := range f.rows {
		f.rows[i] = noRow
	}
	n, doubled := uint32(0), false
	for i, k := range keys {
		if f.rows[k] == noRow {
			n++
		} else {
			doubled = true
		}
		f.rows[k] = uint32(i)
	}
	if !doubled {
		return f, nil, nil
	}
	keep := make([]uint32, 0, n)
	for k, r := range f.rows {
		if r != noRow {
			f.rows[k] = uint32(len(keep))
			keep = append(keep, r)
		}
	}
	return f, keep, nil
}

func (f *flat) find(keys []column.Vector, _ column.Vector, rows []uint32, none uint32) error {
	for i, k := range keys[0].(*column.Num[uint64]).Data {
		rows[i] = none
		if k < uint64(len(f.rows)) && f.rows[k] != noRow {
			rows[i] = f.rows[k]
		}
	}
	return nil
}

func (f *flat) bytes() int64 { return int64(len(f.rows)) * 4 }

// table finds rows by the values of their key columns, with linear probing. A slot holds the hash and the row; hashes are compared
// before keys.
type table struct {
	keys   []column.Vector
	hashes []uint64
	rows   []uint32 // of slots; noRow: empty
	mask   uint64
}

// newTable indexes rows by their keys; of rows with equal keys the first remains. Where keep is not nil, rows are numbered by it and the
// caller sets the table's keys to those of these rows.
func newTable(keys []column.Vector) (*table, []uint32) {
	n := keys[0].Len()
	size := 1 << bits.Len(uint(2*n))
	t := &table{keys: slices.Clone(keys), hashes: make([]uint64, size), rows: make([]uint32, size), mask: uint64(size - 1)}
	for i := range t.rows {
		t.rows[i] = noRow
	}
	hashes := hashOf(keys, n)
	var keep []uint32
	for i, h := range hashes {
		at := t.slot(keys, i, h)
		if t.rows[at] == noRow {
			t.hashes[at], t.rows[at] = h, uint32(i)
			if keep != nil {
				keep = append(keep, uint32(i))
			}
			continue
		}
		if keep == nil {
			keep = make([]uint32, i, n)
			for k := range keep {
				keep[k] = uint32(k)
			}
		}
	}
	if keep != nil {
		t.renumber(keep, n)
	}
	return t, keep
}

// renumber makes row numbers those among the rows that remain. What makes them the only rows sets t.keys then.
func (t *table) renumber(keep []uint32, n int) {
	to := make([]uint32, n)
	for i, r := range keep {
		to[r] = uint32(i)
	}
	for i, r := range t.rows {
		if r != noRow {
			t.rows[i] = to[r]
		}
	}
}

// slot is where the key of row i of keys stands, or the empty slot where it would.
func (t *table) slot(keys []column.Vector, i int, h uint64) uint64 {
	at := h & t.mask
	for ; t.rows[at] != noRow; at = (at + 1) & t.mask {
		if t.hashes[at] == h && equal(t.keys, int(t.rows[at]), keys, i) {
			return at
		}
	}
	return at
}

func (t *table) find(keys []column.Vector, _ column.Vector, rows []uint32, none uint32) error {
	if one, ok := t.keys[0].(*column.Num[uint64]); ok && len(keys) == 1 {
		t.findUint64(one.Data, keys[0].(*column.Num[uint64]).Data, rows, none)
		return nil
	}
	for i, h := range hashOf(keys, len(rows)) {
		if rows[i] = t.rows[t.slot(keys, i, h)]; rows[i] == noRow {
			rows[i] = none
		}
	}
	return nil
}

// findUint64 is find for one column of numbers.
func (t *table) findUint64(have, keys []uint64, rows []uint32, none uint32) {
	for i, h := range hashOf([]column.Vector{&column.Num[uint64]{Data: keys}}, len(keys)) {
		rows[i] = none
		for at := h & t.mask; t.rows[at] != noRow; at = (at + 1) & t.mask {
			if t.hashes[at] == h && have[t.rows[at]] == keys[i] {
				rows[i] = t.rows[at]
				break
			}
		}
	}
}

func (t *table) bytes() int64 { return int64(len(t.rows)) * 12 }

// hashOf hashes the rows of key columns.
func hashOf(keys []column.Vector, n int) []uint64 {
	out := make([]uint64, n)
	column.Hash(keys[0], out)
	if len(keys) == 1 {
		return out
	}
	next := make([]uint64, n)
	for _, k := range keys[1:] {
		column.Hash(k, next)
		for i := range out {
			out[i] = column.Combine(out[i], next[i])
		}
	}
	return out
}

// equal compares row i of a and row j of b.
func equal(a []column.Vector, i int, b []column.Vector, j int) bool {
	for c := range a {
		if column.Compare(a[c], i, b[c], j) != 0 {
			return false
		}
	}
	return true
}
