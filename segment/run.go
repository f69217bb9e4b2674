package segment

import (
	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/kernel"
)

// Run is rows for a Writer: rows [From, To) of Block or, with Sel, its rows Sel[From:To]. What is written is copied once,
// from where it lies into the page.
type Run struct {
	Block    *column.Block
	Sel      []uint32
	From, To int
}

func (r *Run) len() int { return r.To - r.From }

// sel is the positions of the run's rows; nil if they are From, From+1, …
func (r *Run) sel() []uint32 {
	if r.Sel == nil {
		return nil
	}
	return r.Sel[r.From:r.To]
}

// appendTo appends the run's values of a vector of its block.
func (r *Run) appendTo(dst column.Builder, v column.Vector) {
	if r.Sel == nil {
		dst.AppendRange(v, r.From, r.To)
		return
	}
	dst.AppendSelected(v, r.sel())
}

// gather returns column col of runs of n rows in all as one flat vector, built in *buf unless it lies there already.
func gather(buf *column.Builder, runs []Run, col, n int) column.Vector {
	if r := &runs[0]; len(runs) == 1 && r.Sel == nil {
		return column.Flatten(r.Block.Cols[col].Slice(r.From, r.To))
	}
	if *buf == nil {
		*buf = column.New(runs[0].Block.Cols[col].Type(), n)
	}
	(*buf).Truncate(0)
	for i := range runs {
		runs[i].appendTo(*buf, runs[i].Block.Cols[col])
	}
	return *buf
}

// gatherNulls returns the null flags of runs of n rows in all of a column; nil if nothing is NULL.
func gatherNulls(runs []Run, col, n int) []uint8 {
	var out []uint8
	at := 0
	for i := range runs {
		r := &runs[i]
		if nulls, _ := splitNulls(r.Block.Cols[col]); nulls != nil {
			if out == nil {
				out = make([]uint8, n)
			}
			r.copyNulls(out[at:], nulls)
		}
		at += r.len()
	}
	if kernel.Count(out) == 0 {
		return nil
	}
	return out
}

func (r *Run) copyNulls(dst, nulls []uint8) {
	if r.Sel == nil {
		copy(dst, nulls[r.From:r.To])
		return
	}
	for i, p := range r.sel() {
		dst[i] = nulls[p]
	}
}

// rowBytes is the memory of a row of a block, rounded up, with dictionaries counted by the row, not in full.
func rowBytes(b *column.Block) int64 {
	if b.N == 0 {
		return 0
	}
	n := int64(0)
	for _, c := range b.Cols {
		if d, ok := c.(*column.Dict); ok {
			n += int64(4 * len(d.Codes))
			continue
		}
		if v, ok := c.(*column.Nullable); ok {
			if d, ok := v.Inner.(*column.Dict); ok {
				n += int64(5 * len(d.Codes))
				continue
			}
		}
		n += c.Bytes()
	}
	return (n + int64(b.N) - 1) / int64(b.N)
}

// at is the position in the block of the run's row i.
func (r *Run) at(i int) int {
	if r.Sel == nil {
		return r.From + i
	}
	return int(r.Sel[r.From+i])
}
