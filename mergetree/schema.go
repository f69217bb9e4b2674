package mergetree

import (
	"fmt"
	"slices"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/internal/types"
)

// conformTo returns rows that have the columns of an older schema with the columns of spec at the positions want: found by
// name, missing ones, and those stored with another type, filled in.
func conformTo(spec *Spec, want []int, have column.Schema, b *column.Block) (*column.Block, error) {
	if len(want) == len(have) && len(want) == len(spec.Columns) && sameSchema(spec.Columns, have) {
		return b, nil
	}
	out := &column.Block{Cols: make([]column.Vector, len(want)), N: b.N}
	var missing []int
	for i, c := range want {
		f := spec.Columns[c]
		at := have.Index(f.Name)
		if at < 0 {
			missing = append(missing, i)
			continue
		}
		v := b.Cols[at]
		if !StoredAs(have[at].Type, f.Type) {
			if spec.Missing != nil { // computed from what there is
				missing = append(missing, i)
				continue
			}
			return nil, sqlerr.New(sqlerr.TypeMismatch, "Column %s of table %s is stored as %s and declared as %s", f.Name, spec.Name, v.Type(), f.Type)
		}
		out.Cols[i] = column.WithType(v, f.Type)
	}
	if len(missing) == 0 {
		return out, nil
	}
	return out, fillMissing(spec, want, missing, have, b, out)
}

// StoredAs reports whether values stored under one declared type are those of another as they are. Where they are not, Spec.Missing converts
// them.
func StoredAs(have, want *types.Type) bool {
	have, want = have.WithoutLowCardinality(), want.WithoutLowCardinality()
	switch {
	case have.Equal(want):
		return true
	case have.Kind != want.Kind:
		return false
	case have.IsEnum():
		return !slices.ContainsFunc(have.Enum, func(v types.EnumValue) bool {
			n, ok := want.EnumNumber(v.Name)
			return !ok || n != v.Value
		})
	}
	return have.IsDateTime() && have.Scale == want.Scale // another time zone
}

func fillMissing(spec *Spec, want, missing []int, have column.Schema, b, out *column.Block) error {
	if spec.Missing == nil {
		for _, i := range missing {
			out.Cols[i] = column.NewDefaults(spec.Columns[want[i]].Type, b.N)
		}
		return nil
	}
	positions := make([]int, len(missing))
	for k, i := range missing {
		positions[k] = want[i]
	}
	vs, err := spec.Missing(positions, have, b)
	if err != nil {
		return fmt.Errorf("mergetree: filling columns of %s: %w", spec.Name, err)
	}
	for k, i := range missing {
		out.Cols[i] = vs[k]
	}
	return nil
}

// exprs computes the expressions at the positions want.
func (spec *Spec) exprs(b *column.Block, want []int) ([]column.Vector, error) {
	if len(want) == 0 {
		return nil, nil
	}
	vs, err := spec.Eval(b, want)
	if err != nil {
		return nil, fmt.Errorf("mergetree: expressions of %s: %w", spec.Name, err)
	}
	return vs, nil
}

// withExprs returns the block with all expressions behind its columns: what a segment.Writer takes.
func (spec *Spec) withExprs(b *column.Block) (*column.Block, error) {
	want := make([]int, len(spec.Exprs))
	for i := range want {
		want[i] = i
	}
	vs, err := spec.exprs(b, want)
	if err != nil {
		return nil, err
	}
	return &column.Block{Cols: slices.Concat(b.Cols, vs), N: b.N}, nil
}

// keys computes the sort key of a block with all columns.
func (spec *Spec) keys(b *column.Block) ([]column.Vector, error) {
	keys := make([]column.Vector, len(spec.SortKey))
	var want, at []int
	for i, name := range spec.SortKey {
		if c := spec.Columns.Index(name); c >= 0 {
			keys[i] = column.Flatten(b.Cols[c])
			continue
		}
		e := spec.Exprs.Index(name)
		if e < 0 {
			return nil, sqlerr.New(sqlerr.LogicalError, "Sort key %s of %s is neither a column nor an expression", name, spec.Name)
		}
		want, at = append(want, e), append(at, i)
	}
	vs, err := spec.exprs(b, want)
	if err != nil {
		return nil, err
	}
	for k, i := range at {
		keys[i] = column.Flatten(vs[k])
	}
	return keys, nil
}

// concatBlocks joins blocks of the same columns; flat unless all vectors of a column share a dictionary.
func concatBlocks(blocks []*column.Block) *column.Block {
	if len(blocks) == 1 {
		return blocks[0]
	}
	out := &column.Block{Cols: make([]column.Vector, len(blocks[0].Cols))}
	parts := make([]column.Vector, len(blocks))
	for c := range out.Cols {
		for i, b := range blocks {
			parts[i] = b.Cols[c]
		}
		out.Cols[c] = column.Concat(parts...)
	}
	for _, b := range blocks {
		out.N += b.N
	}
	return out
}
