package mergetree

import (
	"bytes"
	"cmp"
	"slices"

	"github.com/olapd/olapd/internal/column"
)

// sortRows returns the positions of a block's rows in the order of keys, rows of equal keys in their present
// order; nil if they are in order already.
func sortRows(keys []column.Vector, n int) []uint32 {
	if len(keys) == 0 || n < 2 {
		return nil
	}
	p := packKeys(keys, n)
	if p.sorted() {
		return nil
	}
	rows := make([]packedRow, n)
	for i, x := range p.keys {
		rows[i] = packedRow{key: x, row: uint32(i)}
	}
	rows = sortPacked(rows, p.bits)
	if len(p.rest) > 0 {
		sortEqual(rows, p.rest)
	}
	sel := make([]uint32, n)
	for i, r := range rows {
		sel[i] = r.row
	}
	return sel
}

// sortEqual sorts the runs of rows of equal numbers by the keys that are left.
func sortEqual(rows []packedRow, rest []column.Vector) {
	for from := 0; from < len(rows); {
		to := from + 1
		for to < len(rows) && rows[to].key == rows[from].key {
			to++
		}
		if to-from > 1 {
			slices.SortFunc(rows[from:to], func(a, b packedRow) int {
				if c := compareRows(rest, int(a.row), rest, int(b.row)); c != 0 {
					return c
				}
				return cmp.Compare(a.row, b.row)
			})
		}
		from = to
	}
}

// packedRow is a row with what packKeys makes of its key.
type packedRow struct {
	key uint64
	row uint32
}

const (
	// radixBits are sorted by at once: 2,048 counters stay in the first-level cache.
	radixBits = 11
	// radixRows is the fewest rows that are worth the counters.
	radixRows = 1 << 10
)

// sortPacked sorts rows, which are in order of row, by the low bits of key, and returns them, there or in other memory.
func sortPacked(rows []packedRow, bits int) []packedRow {
	if len(rows) < radixRows {
		slices.SortFunc(rows, func(a, b packedRow) int {
			return cmp.Or(cmp.Compare(a.key, b.key), cmp.Compare(a.row, b.row))
		})
		return rows
	}
	to := make([]packedRow, len(rows))
	for shift := 0; shift < bits; shift += radixBits {
		if radixPass(to, rows, uint(shift)) {
			rows, to = to, rows
		}
	}
	return rows
}

// radixPass puts the rows of src into dst in the order of some bits of key, stably; false if they are all the same, and dst
// is left alone.
func radixPass(dst, src []packedRow, shift uint) bool {
	const mask = 1<<radixBits - 1
	var at [1 << radixBits]uint32
	for i := range src {
		at[src[i].key>>(shift&63)&mask]++
	}
	if int(at[src[0].key>>(shift&63)&mask]) == len(src) {
		return false
	}
	sum := uint32(0)
	for i, n := range at {
		at[i] = sum
		sum += n
	}
	for i := range src {
		k := src[i].key >> (shift & 63) & mask
		dst[at[k]] = src[i]
		at[k]++
	}
	return true
}

// compareRows compares row i of one set of key vectors with row j of another.
func compareRows(a []column.Vector, i int, b []column.Vector, j int) int {
	for k := range a {
		if c := column.Compare(a[k], i, b[k], j); c != 0 {
			return c
		}
	}
	return 0
}

// groupStarts returns where runs of rows of equal keys begin in sorted rows: the first is 0 unless there are no rows. Without
// keys all rows are one group.
func groupStarts(keys []column.Vector, n int) []int {
	if n == 0 {
		return nil
	}
	starts := []int{0}
	for i := 1; i < n; i++ {
		if !equalRows(keys, i-1, i) {
			starts = append(starts, i)
		}
	}
	return starts
}

// equalRows compares from the last key on, which differs most often.
func equalRows(keys []column.Vector, i, j int) bool {
	for k := len(keys) - 1; k >= 0; k-- {
		if s, ok := keys[k].(*column.Str); ok {
			if !bytes.Equal(s.At(i), s.At(j)) {
				return false
			}
			continue
		}
		if column.Compare(keys[k], i, keys[k], j) != 0 {
			return false
		}
	}
	return true
}
