package segment

import "github.com/olapd/olapd/internal/column"

// GranuleBounds is what a segment knows of a column's values in each granule without reading them. Immutable.
type GranuleBounds struct{ ix *columnIndex }

// GranuleBounds returns the bounds of a stored column, or nil if it has none.
func (r *Reader) GranuleBounds(col int) (*GranuleBounds, error) {
	ix, err := r.index(&r.cols[col])
	if err != nil || ix.nulls == nil {
		return nil, err
	}
	return &GranuleBounds{ix}, nil
}

// Mins and Maxs have a value per granule, of the column's type without Nullable. They enclose the granule's values that are neither NULL nor NaN; long
// strings not tightly. Where there are no such values they mean nothing.
func (b *GranuleBounds) Mins() column.Vector { return b.ix.mins }

// Maxs is described at Mins.
func (b *GranuleBounds) Maxs() column.Vector { return b.ix.maxs }

// Nulls returns the number of NULLs in a granule.
func (b *GranuleBounds) Nulls(g int) int { return int(b.ix.nulls[g]) }

// HasNaN reports whether there is a NaN in a granule.
func (b *GranuleBounds) HasNaN(g int) bool { return b.ix.flags[g]&hasNaN != 0 }

// HasValues reports whether there is a value in a granule that is neither NULL nor NaN.
func (b *GranuleBounds) HasValues(g int) bool { return b.ix.flags[g]&hasBounds != 0 }
