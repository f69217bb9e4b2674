package mergetree

import (
	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/mem"
)

// distinct leaves rows out of sorted ones that are equal to one before in some columns. All that the sort key reads is among these:
// so equal rows have equal keys, and only the different rows of one key are remembered.
type distinct struct {
	by     []int // positions in the blocks
	budget *mem.Budget
	held   int64 // reserved of it

	key  []column.Vector     // of the last row, one row; nil before the first
	rows *column.Block       // the different rows of that key so far, of the columns by
	at   map[uint64][]uint32 // where in rows, by hash
}

// distinctEntry is about what a remembered row takes beside its values: in a map of slices.
const distinctEntry = 96

func newDistinct(spec *Spec, names []string, budget *mem.Budget) *distinct {
	d := &distinct{budget: budget}
	for i, f := range spec.Columns {
		for _, n := range names {
			if f.Name == n {
				d.by = append(d.by, i)
			}
		}
	}
	return d
}

// take returns the rows of the next block that are equal to none before; keys are its sort key.
func (d *distinct) take(b *column.Block, keys []column.Vector) (*column.Block, error) {
	if b.N == 0 {
		return b, nil
	}
	hashes := make([]uint64, b.N)
	one := make([]uint64, b.N)
	cols := make([]column.Vector, len(d.by))
	for i, c := range d.by {
		cols[i] = column.Flatten(b.Cols[c])
		column.Hash(cols[i], one)
		for r, h := range one {
			hashes[r] = column.Combine(hashes[r], h)
		}
	}
	var keep []uint32
	for g, starts := 0, groupStarts(keys, b.N); g < len(starts); g++ {
		from, to := starts[g], groupEnd(starts, g, b.N)
		if g > 0 || d.key == nil || compareRows(d.key, 0, keys, 0) != 0 {
			d.forget(cols)
		}
		if to-from == 1 && to < b.N && d.rows.N == 0 { // most keys are of one row
			keep = append(keep, uint32(from))
			continue
		}
		for r := from; r < to; r++ {
			if d.add(cols, r, hashes[r]) {
				keep = append(keep, uint32(r))
			}
		}
	}
	d.key = make([]column.Vector, len(keys))
	for i, k := range keys {
		one := column.New(k.Type(), 1)
		one.AppendRange(column.Flatten(k), b.N-1, b.N)
		d.key[i] = one
	}
	if err := d.account(); err != nil {
		return nil, err
	}
	if len(keep) == b.N {
		return b, nil
	}
	return b.Gather(keep), nil
}

// forget begins a new key.
func (d *distinct) forget(cols []column.Vector) {
	if d.rows != nil && d.rows.N == 0 {
		return
	}
	d.rows, d.at = &column.Block{Cols: make([]column.Vector, len(cols))}, map[uint64][]uint32{}
	for i, c := range cols {
		d.rows.Cols[i] = column.New(c.Type(), 1)
	}
}

// add remembers a row, and reports whether it is unlike all before of its key.
func (d *distinct) add(cols []column.Vector, r int, hash uint64) bool {
	for _, at := range d.at[hash] {
		if compareRows(cols, r, d.rows.Cols, int(at)) == 0 {
			return false
		}
	}
	d.at[hash] = append(d.at[hash], uint32(d.rows.N))
	for i, c := range cols {
		d.rows.Cols[i].(column.Builder).AppendFrom(c, r)
	}
	d.rows.N++
	return true
}

// account holds what is remembered against the budget.
func (d *distinct) account() error {
	need := d.rows.Bytes() + int64(d.rows.N)*distinctEntry
	if need > d.held {
		if err := d.budget.Reserve(need - d.held); err != nil {
			return err
		}
	} else {
		d.budget.Release(d.held - need)
	}
	d.held = need
	return nil
}

// close gives back what is reserved.
func (d *distinct) close() {
	d.budget.Release(d.held)
	d.held = 0
}
