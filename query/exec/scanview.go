package exec

import (
	"context"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/function"
	"github.com/olapd/olapd/internal/kernel"
	"github.com/olapd/olapd/internal/types"
)

// morselView is a morsel narrowed step by step to the rows that pass. The rows left are those of block whose mask
// is 1; while most of a block is left, narrowing only clears flags, and the block's columns are cut down once few are.
// It belongs to one worker, which uses it for one morsel after the other.
type morselView struct {
	m       Morsel
	lengths []bool
	parts   []*function.ObjectPart
	width   int  // the request's columns
	refs    bool // behind them comes one of references to the rows, whose positions are needed therefore
	block   *column.Block
	sel     []uint32 // the block's rows in the morsel; nil: all
	mask    []uint8  // of the block's rows; nil: all are left
	left    int
	counted bool // no column is needed any more
	bytes   int64
	fresh   []bool // columns of the block that are the view's alone: their memory is used again once they are dropped

	// Memory kept from morsel to morsel; mask and sel are in one of two.
	masks [2][]uint8
	sels  [2][]uint32
	local []uint32
}

// compactBelow is the part of a block, as one over it, from which on cutting the columns down is cheaper than
// carrying the rows along.
const compactBelow = 4

func (v *morselView) reset(m Morsel) {
	cols := v.width
	if v.refs {
		cols++
	}
	v.m, v.sel, v.mask, v.left, v.counted, v.bytes = m, nil, nil, m.Rows(), false, 0
	v.block = &column.Block{Cols: make([]column.Vector, cols), N: v.left}
	v.fresh = sized(v.fresh, cols)
	clear(v.fresh)
}

// appendFresh appends the columns that are the view's alone.
func (v *morselView) appendFresh(to []column.Vector) []column.Vector {
	for c, mine := range v.fresh {
		if mine {
			to = append(to, v.block.Cols[c])
		}
	}
	return to
}

// drop forgets a column.
func (v *morselView) drop(c int) {
	if v.fresh[c] {
		column.Recycle(v.block.Cols[c])
	}
	v.block.Cols[c], v.fresh[c] = nil, false
}

// take returns the block and forgets it.
func (v *morselView) take() *column.Block {
	b := v.block
	b.N = v.left
	v.block, v.m = nil, nil
	return b
}

// nextSel returns the buffer that sel is not in, with room for n.
func (v *morselView) nextSel(n int) []uint32 {
	k := 0
	if v.sel != nil && cap(v.sels[0]) > 0 && &v.sel[:1][0] == &v.sels[0][:1][0] {
		k = 1
	}
	if cap(v.sels[k]) < n {
		v.sels[k] = make([]uint32, max(n, 1))
	}
	return v.sels[k][:0]
}

// narrow keeps the rows that indexes have left.
func (v *morselView) narrow() {
	n, ok := v.m.(Narrowed)
	if !ok {
		return
	}
	sel, ok := n.Candidates(v.nextSel(v.left))
	if !ok {
		return
	}
	v.sel, v.left, v.block.N = sel, len(sel), len(sel)
}

// keepRuns keeps the rows of some runs, run k being the rows up to ends[k]. REQUIRES: nothing has been read.
func (v *morselView) keepRuns(ends []uint32, keep func(k int) bool) {
	sel, from, at := v.nextSel(v.left), uint32(0), 0
	for k, to := range ends {
		switch {
		case v.sel != nil:
			start := at
			for at < len(v.sel) && v.sel[at] < to {
				at++
			}
			if keep(k) {
				sel = append(sel, v.sel[start:at]...)
			}
		case keep(k):
			run := sel[len(sel) : len(sel)+int(to-from)]
			for i := range run {
				run[i] = from + uint32(i)
			}
			sel = sel[:len(sel)+len(run)]
		}
		from = to
	}
	v.sel, v.left, v.block.N = sel, len(sel), len(sel)
}

// load reads columns not read yet, for the block's rows.
func (v *morselView) load(ctx context.Context, cols []int) error {
	for _, c := range cols {
		if v.block.Cols[c] != nil {
			continue
		}
		vec, err := v.column(ctx, c)
		if err != nil {
			return err
		}
		v.block.Cols[c] = vec
		v.bytes += vectorBytes(vec)
		m, ok := v.m.(Lending)
		v.fresh[c] = ok && m.Fresh(c)
	}
	return nil
}

func (v *morselView) column(ctx context.Context, c int) (column.Vector, error) {
	if v.parts != nil && v.parts[c] != nil {
		s, err := v.part(ctx, c, v.parts[c])
		if err != nil || !v.measured(c) {
			return s, err
		}
		return Lengths(s), nil
	}
	if !v.measured(c) {
		return v.m.Column(ctx, c, v.sel)
	}
	if m, ok := v.m.(Measured); ok {
		return m.Lengths(ctx, c, v.sel)
	}
	s, err := v.m.Column(ctx, c, v.sel)
	if err != nil {
		return nil, err
	}
	return Lengths(s), nil
}

// part reads a sub-column.
func (v *morselView) part(ctx context.Context, c int, p *function.ObjectPart) (column.Vector, error) {
	if m, ok := v.m.(Parted); ok {
		if s, err := m.Part(ctx, c, p, v.sel); s != nil || err != nil {
			return s, err
		}
	}
	whole, err := v.m.Column(ctx, c, v.sel)
	if err != nil {
		return nil, err
	}
	return p.Of(whole)
}

// spare returns room for a mask of the block's rows, which hold what they may, aside from the view's own mask.
func (v *morselView) spare() []uint8 {
	k := 0
	if v.mask != nil && cap(v.masks[0]) > 0 && &v.mask[0] == &v.masks[0][:1][0] {
		k = 1
	}
	if n := max(v.block.N, 1); cap(v.masks[k]) < n {
		v.masks[k] = make([]uint8, n)
	}
	return v.masks[k][:v.block.N]
}

// measured reports whether a column is read as lengths.
func (v *morselView) measured(c int) bool { return v.lengths != nil && v.lengths[c] }

// and keeps the rows whose mask, over the block's rows, is 1, and drops the columns that are not needed any more.
func (v *morselView) and(mask []uint8, needed func(int) bool) {
	if v.block.N == 0 {
		return
	}
	if v.mask != nil {
		kernel.And(v.mask, v.mask, mask)
	} else if v.mask = v.spare(); &v.mask[0] != &mask[0] {
		copy(v.mask, mask)
	}
	v.left = kernel.Count(v.mask)
	any := false // the mask may have been in the memory of a column until here
	for c := range v.width {
		if needed(c) {
			any = true
		} else {
			v.drop(c)
		}
	}
	switch {
	case v.left == v.block.N:
		v.mask = nil
	case !any && !v.refs:
		v.counted = true
	case v.left*compactBelow < v.block.N:
		v.compact()
	}
}

// clear leaves no row.
func (v *morselView) clear() { v.left = 0 }

// compact cuts the block down to the rows left.
func (v *morselView) compact() {
	if v.mask == nil || v.counted {
		return
	}
	if cap(v.local) < v.left {
		v.local = make([]uint32, 0, max(v.left, v.block.N/compactBelow))
	}
	v.local = kernel.AppendSelected(v.local[:0], v.mask, 0)
	all := v.block.Cols
	v.block = gatherBlock(v.block, v.local)
	for c, vec := range all {
		if v.fresh[c] {
			column.Recycle(vec)
		}
		v.fresh[c] = vec != nil
	}
	sel := v.nextSel(v.left)[:v.left]
	if v.sel == nil {
		copy(sel, v.local)
	} else {
		kernel.Gather(sel, v.sel, v.local)
	}
	v.sel, v.mask = sel, nil
}

// passed returns the positions of the rows left; valid until the view changes.
func (v *morselView) passed() []uint32 {
	switch {
	case v.left == 0:
		return nil
	case v.mask == nil:
		return v.sel
	}
	v.local = kernel.AppendSelected(v.local[:0], v.mask, 0)
	if v.sel != nil {
		for i, p := range v.local {
			v.local[i] = v.sel[p]
		}
	}
	return v.local
}

// truncate keeps the first n of the rows left.
func (v *morselView) truncate(n int) {
	if v.left > n {
		v.keep(0, n)
	}
}

// truncateFront keeps the last n of the rows left.
func (v *morselView) truncateFront(n int) {
	if v.left > n {
		v.keep(v.left-n, v.left)
	}
}

// keep keeps the rows from the one at position from, of those left, to before the one at to.
func (v *morselView) keep(from, to int) {
	if v.counted {
		v.left = to - from
		return
	}
	v.compact()
	sel := v.nextSel(to - from)
	if v.sel == nil {
		for r := from; r < to; r++ {
			sel = append(sel, uint32(r))
		}
	} else {
		sel = append(sel, v.sel[from:to]...)
	}
	v.block, v.sel, v.left = sliceBlock(v.block, from, to), sel, to-from
	clear(v.fresh) // others may hold the rows cut off
}

// finish loads the output columns for the rows left and drops the others.
func (v *morselView) finish(ctx context.Context, output []bool) error {
	v.compact()
	for c, want := range output {
		if !want {
			v.drop(c)
			continue
		}
		if err := v.load(ctx, []int{c}); err != nil {
			return err
		}
	}
	return nil
}

// references returns base plus the position of each row left.
func (v *morselView) references(base uint64) []uint64 {
	out := make([]uint64, v.left)
	for i := range out {
		out[i] = base | uint64(i)
	}
	if v.sel != nil {
		for i, r := range v.sel {
			out[i] = base | uint64(r)
		}
	}
	return out
}

// Lengths returns the lengths in bytes of strings, as UInt64; NULL stays NULL.
func Lengths(v column.Vector) column.Vector {
	switch v := v.(type) {
	case *column.Const:
		return &column.Const{Value: Lengths(v.Value), N: v.N}
	case *column.Nullable:
		return column.NewNullable(v.Nulls, column.Flatten(Lengths(v.Inner)))
	case *column.Dict:
		of, out := Lengths(v.Values).(*column.Num[uint64]).Data, make([]uint64, len(v.Codes))
		for i, c := range v.Codes {
			out[i] = of[c]
		}
		return column.NewNum(types.TUInt64, out)
	}
	s := v.(*column.Str)
	out := make([]uint64, s.Len())
	for i := range out {
		out[i] = uint64(s.Off[i+1] - s.Off[i])
	}
	return column.NewNum(types.TUInt64, out)
}
