package query

import (
	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/query/plan"
)

// bytesOf is about how many bytes all rows of a scan's table take in memory, in the columns that it reads, on all shards: as many more than on those that have
// a replica here as there are shards; false where there are none, or nothing is known.
func (x *statement) bytesOf(n *plan.Scan) (int64, bool) {
	t, sizes := n.Table.Catalog(), x.src.Providers.Sizes
	if t == nil || sizes == nil || x.spread == nil || x.spread.LocalCount() == 0 {
		return 0, false
	}
	all, err := sizes(x.ctx)
	if err != nil {
		return 0, false
	}
	here := all[t.ID]
	bytes := columnBytes(n.Table.Schema(), n.Columns, float64(here.Rows), float64(here.UncompressedBytes))
	return int64(bytes * float64(x.spread.Count()) / float64(x.spread.LocalCount())), true
}

// columnBytes shares the bytes of a table's rows out to some of its columns: those of fixed width take what they do, the others the rest in equal parts.
func columnBytes(all column.Schema, some []int, rows, bytes float64) float64 {
	fixed, others := 0.0, 0.0
	for _, f := range all {
		if w := f.Type.Inner().Width(); w > 0 {
			fixed += rows * float64(w)
		} else {
			others++
		}
	}
	out := 0.0
	for _, c := range some {
		if w := all[c].Type.Inner().Width(); w > 0 {
			out += rows * float64(w)
		} else {
			out += max(bytes-fixed, 0) / others
		}
	}
	return out
}
