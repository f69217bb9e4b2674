package mergetree

import (
	"cmp"
	"context"
	"errors"
	"slices"

	"github.com/olapd/olapd/internal/column"
)

// MergedRows yields the rows of a table as if everything had been merged: SELECT … FINAL. For one goroutine.
type MergedRows struct {
	it   *mergeIter
	take []int // positions of the asked columns in the iterator's blocks
}

// MergedBlocks opens the merge of all segments and memtable rows, reading the columns at the given positions of Spec.Columns. Rows
// come in order of the sort key. The snapshot must stay open until Close.
func (v *TableView) MergedBlocks(ctx context.Context, columns []int) (*MergedRows, error) {
	spec := v.Spec()
	cols := v.finalColumns(columns)
	sources, err := v.sources(ctx, cols)
	if err != nil {
		for _, src := range sources {
			err = errors.Join(err, src.close())
		}
		return nil, err
	}
	out := &MergedRows{it: newMergeIter(spec, cols, sources, v.s.opts.tune.mergeRows, true)}
	for _, c := range columns {
		out.take = append(out.take, slices.Index(cols, c))
	}
	return out, nil
}

// Next returns the next rows, nil at the end.
func (m *MergedRows) Next(ctx context.Context) (*column.Block, error) {
	b, err := m.it.next(ctx)
	if err != nil || b == nil {
		return nil, err
	}
	out := &column.Block{Cols: make([]column.Vector, len(m.take)), N: b.N}
	for i, p := range m.take {
		out.Cols[i] = b.Cols[p]
	}
	return out, nil
}

// Close releases the segments.
func (m *MergedRows) Close() error { return m.it.close() }

// finalColumns are the asked columns with what the sort key and the mode need.
func (v *TableView) finalColumns(columns []int) []int {
	spec := v.Spec()
	cols := slices.Concat(columns, spec.collapseInputs())
	for i, f := range spec.Columns {
		if slices.Contains(spec.KeyColumns, f.Name) || slices.Contains(spec.SortKey, f.Name) {
			cols = append(cols, i)
		}
	}
	slices.Sort(cols)
	return slices.Compact(cols)
}

// sources opens all segments and sorts the memtable, in order of commit.
func (v *TableView) sources(ctx context.Context, cols []int) ([]source, error) {
	type input struct {
		first Seq
		src   source
	}
	var inputs []input
	var err error
	for _, f := range v.v.segs {
		r, oerr := v.s.open(f)
		if err = oerr; err != nil {
			break
		}
		inputs = append(inputs, input{f.seg.First, newSegmentSource(v.Spec(), cols, r, v.s.opts.tune.mergeRows)})
	}
	if err == nil && v.v.memRows > 0 {
		for _, g := range v.v.commitGroups(v.v.lastIndex()) {
			var b *column.Block
			if b, err = g.sorted(v.Spec(), cols); err != nil {
				break
			}
			inputs = append(inputs, input{SeqAt(g.first, 0), &blockSource{b}})
		}
	}
	slices.SortStableFunc(inputs, func(a, b input) int { return cmp.Compare(a.first, b.first) })
	out := make([]source, len(inputs))
	for i, in := range inputs {
		out[i] = in.src
	}
	return out, errors.Join(err, ctx.Err())
}

// sorted returns the group's rows of some columns in the order of the sort key.
func (g *commitGroup) sorted(spec *Spec, cols []int) (*column.Block, error) {
	b, err := g.block(spec, cols)
	if err != nil {
		return nil, err
	}
	keys, err := spec.keysOf(cols, b)
	if err != nil {
		return nil, err
	}
	if sel := sortRows(keys, b.N); sel != nil {
		return b.Gather(sel), nil
	}
	return b, nil
}
