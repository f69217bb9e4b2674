package mergetree

import (
	"fmt"
	"slices"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/function"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/internal/types"
)

// collapser reduces groups of rows of equal sort key to one row each, by a table's mode. Reducing is associative: a
// reduced row and later rows of its group may be reduced again.
type collapser struct {
	spec    *Spec
	version int   // position in the block, or -1
	deleted int   // likewise
	sums    []int // columns that are added up
	states  []stateColumn
}

// stateColumn is a column whose values merge as states of an aggregate function.
type stateColumn struct {
	pos    int
	agg    function.Aggregate
	simple bool // SimpleAggregateFunction: the values are the function's results
}

// newCollapser returns what collapses blocks of the columns cols of the spec; nil for modes that keep all rows.
func newCollapser(spec *Spec, cols []int) *collapser {
	if !spec.Mode.KeepsOrder() || spec.Mode != Replacing && len(spec.SortKey) == 0 {
		return nil // ClickHouse sums nothing either where there is no key
	}
	c := &collapser{spec: spec, version: -1, deleted: -1}
	for pos, i := range cols {
		f := spec.Columns[i]
		switch {
		case spec.Mode == Replacing:
			if f.Name == spec.Version {
				c.version = pos
			}
			if f.Name == spec.IsDeleted {
				c.deleted = pos
			}
		case slices.Contains(spec.KeyColumns, f.Name):
		case f.Type.Kind == types.AggregateFunction || f.Type.Kind == types.SimpleAggregateFunction:
			if agg := spec.state(f.Name); agg != nil {
				c.states = append(c.states, stateColumn{pos, agg, f.Type.Kind == types.SimpleAggregateFunction})
			}
		case spec.Mode == Summing && summable(f.Type) && (len(spec.Sum) == 0 || slices.Contains(spec.Sum, f.Name)):
			c.sums = append(c.sums, pos)
		}
	}
	return c
}

// state is States, which tables without such columns need not have.
func (spec *Spec) state(column string) function.Aggregate {
	if spec.States == nil {
		return nil
	}
	return spec.States(column)
}

// collapseInputs are the columns that collapsing needs besides the key and those asked for: versions, and all sums,
// which decide together whether a row goes.
func (spec *Spec) collapseInputs() []int {
	var out []int
	for i, f := range spec.Columns {
		switch spec.Mode {
		case Replacing:
			if f.Name == spec.Version || f.Name == spec.IsDeleted {
				out = append(out, i)
			}
		case Summing:
			if !slices.Contains(spec.KeyColumns, f.Name) {
				out = append(out, i)
			}
		}
	}
	return out
}

// summable reports whether a type's values can be added up: numbers, also Nullable ones.
func summable(t *types.Type) bool {
	t = t.Inner()
	return t.IsNumeric()
}

// collapse returns one row per group of the sorted block; starts are the groups' first rows.
func (c *collapser) collapse(b *column.Block, starts []int) (*column.Block, error) {
	if len(starts) == b.N {
		return b, nil
	}
	if c.spec.Mode == Replacing {
		return b.Gather(c.winners(b, starts)), nil
	}
	first := make([]uint32, len(starts))
	for g, s := range starts {
		first[g] = uint32(s)
	}
	out := b.Gather(first)
	for _, pos := range c.sums {
		v, err := sumGroups(b.Cols[pos], starts)
		if err != nil {
			return nil, err
		}
		out.Cols[pos] = asBool(v)
	}
	groups := groupOf(starts, b.N)
	for _, sc := range c.states {
		v, err := sc.merge(b.Cols[sc.pos], groups, len(starts))
		if err != nil {
			return nil, fmt.Errorf("mergetree: merging states of column %s of %s: %w", c.spec.Columns[sc.pos].Name, c.spec.Name, err)
		}
		out.Cols[sc.pos] = v
	}
	return out, nil
}

// winners returns the row of each group that a Replacing table keeps: of the greatest version, the last of equals.
func (c *collapser) winners(b *column.Block, starts []int) []uint32 {
	out := make([]uint32, len(starts))
	for g, from := range starts {
		to := groupEnd(starts, g, b.N)
		win := to - 1
		if c.version >= 0 {
			v := b.Cols[c.version]
			win = from
			for i := from + 1; i < to; i++ {
				if column.Compare(v, i, v, win) >= 0 {
					win = i
				}
			}
		}
		out[g] = uint32(win)
	}
	return out
}

func groupEnd(starts []int, g, n int) int {
	if g+1 < len(starts) {
		return starts[g+1]
	}
	return n
}

// groupOf returns the group of each row.
func groupOf(starts []int, n int) []uint32 {
	out := make([]uint32, n)
	for g, from := range starts {
		for i := from; i < groupEnd(starts, g, n); i++ {
			out[i] = uint32(g)
		}
	}
	return out
}

func (sc *stateColumn) merge(v column.Vector, groups []uint32, n int) (column.Vector, error) {
	st := sc.agg.New()
	st.Grow(n)
	v = column.Flatten(v)
	if sc.simple {
		if err := st.Add(groups, []column.Vector{v}, v.Len()); err != nil {
			return nil, err
		}
		res, err := st.Finish(0, n)
		if err != nil {
			return nil, err
		}
		if res.Type().Phys() != v.Type().Phys() {
			return nil, sqlerr.New(sqlerr.LogicalError, "A result of %s for a column of %s", res.Type(), v.Type())
		}
		return column.WithType(res, v.Type()), nil
	}
	s, ok := v.(*column.Str)
	if !ok {
		return nil, sqlerr.New(sqlerr.LogicalError, "States in a vector of %s", v.Type())
	}
	if err := st.Load(groups, s); err != nil {
		return nil, err
	}
	out := column.NewStr(s.Typ, n)
	st.Save(out, 0, n)
	return out, nil
}

// finalize drops from finished groups the rows that the mode does not keep: those of Summing whose sums are all
// zero, and for readers (final) those that Replacing marks as deleted.
func (c *collapser) finalize(b *column.Block, final bool) *column.Block {
	switch {
	case c.spec.Mode == Summing && len(c.sums) > 0 && len(c.states) == 0:
		return b.Gather(nonZero(b, c.sums))
	case c.spec.Mode == Replacing && final && c.deleted >= 0:
		var sel []uint32
		flags := b.Cols[c.deleted]
		for i := range b.N {
			if column.Value(flags, i) != uint8(1) {
				sel = append(sel, uint32(i))
			}
		}
		if len(sel) == b.N {
			return b
		}
		return b.Gather(sel)
	}
	return b
}

// collapseSorted collapses a whole sorted block of all columns, as an insert does.
func collapseSorted(spec *Spec, b *column.Block) (*column.Block, error) {
	c := newCollapser(spec, spec.allColumns())
	if c == nil || b.N == 0 {
		return b, nil
	}
	keys, err := spec.keys(b)
	if err != nil {
		return nil, err
	}
	out, err := c.collapse(b, groupStarts(keys, b.N))
	if err != nil {
		return nil, err
	}
	return c.finalize(out, false), nil
}

func (spec *Spec) allColumns() []int {
	out := make([]int, len(spec.Columns))
	for i := range out {
		out[i] = i
	}
	return out
}
