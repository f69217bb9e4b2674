package segment

import (
	"bytes"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/kernel"
)

// pruneMinMax keeps the granules whose bounds and null counts, and those of the pages of paths that they are in, allow the plan.
func (r *Reader) pruneMinMax(p *plan, set *Granules) (dropped int, err error) {
	loaded := map[*columnState]*columnIndex{}
	p.each(func(t *boundTerm) {
		if loaded[t.col] == nil && err == nil {
			loaded[t.col], err = r.index(t.col)
		}
	})
	if err != nil {
		return 0, err
	}
	dropped = set.keep(func(g int) bool {
		from, to := r.GranuleRows(g)
		return p.may(func(t *boundTerm) bool {
			if t.Kind != AtPath {
				return t.boundsMay(loaded[t.col], g, to-from)
			}
			may, failed := r.pathMay(t, from, to)
			if err == nil {
				err = failed
			}
			return may
		})
	})
	return dropped, err
}

// boundsMay reports whether a granule of so many rows can have one that satisfies the term.
func (t *boundTerm) boundsMay(ix *columnIndex, g, rows int) bool {
	if ix.nulls == nil {
		return true
	}
	nulls := int(ix.nulls[g])
	switch t.Kind {
	case IsNull:
		return nulls > 0
	case IsNotNull:
		return nulls < rows
	}
	if ix.flags[g]&hasBounds == 0 { // only NULL and NaN
		return ix.flags[g]&hasNaN != 0 && (t.Kind == Compare && t.Op == kernel.Ne || t.Kind == NotIn)
	}
	switch t.Kind {
	case Compare:
		return t.compareMay(ix, g)
	case In:
		k := t.lower(ix.mins, g)
		return k < t.vals.Len() && column.Compare(ix.maxs, g, t.vals, k) >= 0
	case NotIn:
		same := column.Compare(ix.mins, g, ix.maxs, g) == 0
		return !(same && t.contains(ix.mins, g)) || ix.flags[g]&hasNaN != 0
	case Prefix:
		lo, hi := bytesAt(ix.mins, g), bytesAt(ix.maxs, g)
		next := successor(bytes.Clone(t.text()))
		return bytes.Compare(hi, t.text()) >= 0 && (next == nil || bytes.Compare(lo, next) < 0)
	}
	return true
}

func (t *boundTerm) compareMay(ix *columnIndex, g int) bool {
	lo, hi := column.Compare(ix.mins, g, t.vals, 0), column.Compare(ix.maxs, g, t.vals, 0)
	switch t.Op {
	case kernel.Eq:
		return lo <= 0 && hi >= 0
	case kernel.Ne:
		return lo != 0 || hi != 0 || ix.flags[g]&hasNaN != 0
	case kernel.Lt:
		return lo < 0
	case kernel.Le:
		return lo <= 0
	case kernel.Gt:
		return hi > 0
	}
	return hi >= 0
}

// PageBounds returns bounds that enclose the values of a page of a stored column that are neither NULL nor NaN, and
// how many NULLs the granules that touch the page have. The Values are invalid if there are no values or no bounds.
func (r *Reader) PageBounds(col, p int) (lo, hi Value, nulls int, err error) {
	c := &r.cols[col]
	ix, err := r.index(c)
	if err != nil || ix.nulls == nil {
		return lo, hi, 0, err
	}
	from, to := r.PageRows(p)
	min, max := -1, -1
	for g := from / r.meta.Granularity; g <= (to-1)/r.meta.Granularity; g++ {
		nulls += int(ix.nulls[g])
		if ix.flags[g]&hasBounds == 0 {
			continue
		}
		if min < 0 || column.Compare(ix.mins, g, ix.mins, min) < 0 {
			min = g
		}
		if max < 0 || column.Compare(ix.maxs, g, ix.maxs, max) > 0 {
			max = g
		}
	}
	if min >= 0 {
		lo, hi = ValueAt(ix.mins, min), ValueAt(ix.maxs, max)
	}
	return lo, hi, nulls, nil
}
