package segment

import (
	"slices"

	"github.com/olapd/olapd/internal/column"
)

// MadeAs reports whether a Writer with these options writes files of the segment's form: the same columns, expressions, order, granules and skip
// indexes, in a file of no older version. What they say of one file alone does not matter.
func (r *Reader) MadeAs(o Options) bool {
	o.SortKey, o.Indexes = slices.Clone(o.SortKey), slices.Clone(o.Indexes)
	if o.complete() != nil || r.meta.Version > o.version() || r.meta.Granularity != o.Granularity || r.ft.PrimaryLen != o.PrimaryLen {
		return false
	}
	same := func(a, b column.Field) bool { return a.Name == b.Name && a.Type.Equal(b.Type) }
	expr := func(e columnEntry, f column.Field) bool { return e.Name == f.Name && e.typ.Equal(f.Type) }
	index := func(e indexEntry, i Index) bool {
		return e.Name == i.Name && e.Column == i.Column && e.Type == i.Type && e.Granularity == i.Granularity && slices.Equal(e.Params, i.Params)
	}
	return slices.EqualFunc(r.schema, o.Schema, same) && slices.EqualFunc(r.ft.Exprs, o.Exprs, expr) &&
		slices.Equal(r.ft.SortKey, o.SortKey) && slices.EqualFunc(r.ft.Indexes, o.Indexes, index)
}
