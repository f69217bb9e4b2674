package segment

import (
	"bytes"
	"context"
	"fmt"

	"github.com/RoaringBitmap/roaring/v2"
	"github.com/olapd/olapd/segment/page"
)

// RowSet is a set of rows of one segment. Immutable.
type RowSet struct{ rows *roaring.Bitmap }

// Count returns the number of rows.
func (s *RowSet) Count() int { return int(s.rows.GetCardinality()) }

// Has reports whether a row is in the set.
func (s *RowSet) Has(row int) bool { return s.rows.Contains(uint32(row)) }

// CountRange returns the number of the set's rows in [from, to).
func (s *RowSet) CountRange(from, to int) int {
	return int(s.rows.CardinalityInRange(uint64(from), uint64(to)))
}

// AppendRange appends the set's rows in [from, to), counted from from, to a selection.
func (s *RowSet) AppendRange(sel []uint32, from, to int) []uint32 {
	s.eachBatch(from, to, func(rows []uint32) {
		for _, row := range rows {
			sel = append(sel, row-uint32(from))
		}
	})
	return sel
}

// Mask sets mask[i] to whether row from+i is in the set: 1 or 0.
func (s *RowSet) Mask(mask []uint8, from int) {
	clear(mask)
	s.eachBatch(from, from+len(mask), func(rows []uint32) {
		for _, row := range rows {
			mask[row-uint32(from)] = 1
		}
	})
}

// rowBatch is how many rows are taken out of a set at a time.
const rowBatch = 512

// eachBatch calls f for the rows in [from, to) in order, many at a time.
func (s *RowSet) eachBatch(from, to int, f func(rows []uint32)) {
	part := roaring.New()
	part.AddRange(uint64(from), uint64(to)) // a container or two, and just those are looked at
	part.And(s.rows)
	it := part.ManyIterator()
	var buf [rowBatch]uint32
	for n := it.NextMany(buf[:]); n > 0; n = it.NextMany(buf[:]) {
		f(buf[:n])
	}
}

// any reports whether a row of [from, to) is in the set.
func (s *RowSet) any(from, to int) bool {
	it := s.rows.Iterator()
	it.AdvanceIfNeeded(uint32(from))
	return it.HasNext() && int(it.PeekNext()) < to
}

// MatchRows answers a condition from bitmap indexes alone. The set holds every row that satisfies the condition; exact tells
// that it holds no other. It is nil if no bitmap index applies.
func (r *Reader) MatchRows(ctx context.Context, c Condition) (set *RowSet, exact bool, err error) {
	p := r.bind(c)
	set, exact, err = r.matchRows(ctx, p)
	return set, exact && len(p.terms) == len(c.Terms) && !dropsTerms(c, p), err
}

// dropsTerms reports whether binding left terms out below the first level.
func dropsTerms(c Condition, p *plan) bool {
	if len(c.Terms) != len(p.terms) {
		return true
	}
	for i, t := range p.terms {
		for k, q := range t.any {
			if dropsTerms(c.Terms[i].Any[k], q) {
				return true
			}
		}
	}
	return false
}

func (r *Reader) matchRows(ctx context.Context, p *plan) (set *RowSet, exact bool, err error) {
	exact = true
	for _, t := range p.terms {
		if err := ctx.Err(); err != nil {
			return nil, false, err
		}
		var s *RowSet
		full := false
		if t.Kind == AnyOf {
			s, full, err = r.matchAny(ctx, t)
		} else if t.col != nil && t.col.entry.Bitmap != nil && t.Kind != HasToken && t.Kind != HasElem {
			s, err = r.matchTerm(ctx, t)
			full = true
		}
		if err != nil {
			return nil, false, err
		}
		exact = exact && full
		switch {
		case s == nil:
		case set == nil:
			set = s
		default:
			set = &RowSet{roaring.And(set.rows, s.rows)}
		}
	}
	return set, exact && set != nil, nil
}

// matchAny is the union over the alternatives; nil if one of them is unknown.
func (r *Reader) matchAny(ctx context.Context, t *boundTerm) (set *RowSet, exact bool, err error) {
	rows := roaring.New()
	exact = true
	for _, q := range t.any {
		s, full, err := r.matchRows(ctx, q)
		if err != nil || s == nil {
			return nil, false, err
		}
		exact = exact && full
		rows.Or(s.rows)
	}
	return &RowSet{rows}, exact, nil
}

// matchTerm is the union of the row sets of the dictionary entries that satisfy the term.
func (r *Reader) matchTerm(ctx context.Context, t *boundTerm) (*RowSet, error) {
	d, err := r.dictionary(ctx, t.col)
	if err != nil {
		return nil, err
	}
	ix, err := r.bitmaps(t.col)
	if err != nil {
		return nil, err
	}
	var sets []*roaring.Bitmap
	if t.Kind == IsNull {
		s, err := ix.rows(r, d.Values.Len())
		return &RowSet{s}, err
	}
	for code := range d.Values.Len() {
		if !t.matches(d.Values, code) {
			continue
		}
		s, err := ix.rows(r, code)
		if err != nil {
			return nil, err
		}
		sets = append(sets, s)
	}
	return &RowSet{roaring.FastOr(sets...)}, nil
}

// bitmapIndex is the serialised row set of each code and, last, of NULL.
type bitmapIndex struct {
	off  []uint32
	sets []byte
}

func (r *Reader) bitmaps(c *columnState) (*bitmapIndex, error) {
	b, err := r.chunk(*c.entry.Bitmap)
	if err != nil {
		return nil, err
	}
	in := page.NewInput(b)
	n := in.U32()
	if in.Err() == nil && (c.entry.Dict == nil || int(n) != c.entry.Dict.Entries) {
		return nil, corrupt(r.path, "a bitmap index of %d values", n)
	}
	ix := &bitmapIndex{off: make([]uint32, int(n)+2)}
	total := uint64(0)
	for i, l := range page.SizedInts[uint32](in, int(n)+1) {
		total += uint64(l)
		ix.off[i+1] = uint32(total)
	}
	if err := in.Err(); err != nil {
		return nil, err
	}
	if total != uint64(in.Len()) {
		return nil, corrupt(r.path, "row sets of %d bytes in %d", total, in.Len())
	}
	ix.sets = in.Take(in.Len())
	return ix, nil
}

// rows decodes a row set.
func (ix *bitmapIndex) rows(r *Reader, code int) (*roaring.Bitmap, error) {
	s := roaring.New()
	if _, err := s.ReadFrom(bytes.NewReader(ix.sets[ix.off[code]:ix.off[code+1]])); err != nil {
		return nil, corrupt(r.path, "row set %d: %v", code, err)
	}
	if err := s.Validate(); err != nil && !s.IsEmpty() {
		return nil, corrupt(r.path, "row set %d: %v", code, err)
	}
	if !s.IsEmpty() && int64(s.Maximum()) >= r.meta.Rows {
		return nil, corrupt(r.path, "row set %d holds row %d of %d", code, s.Maximum(), r.meta.Rows)
	}
	return s, nil
}

// pruneBitmaps keeps the granules with a row that the bitmap indexes allow.
func (r *Reader) pruneBitmaps(ctx context.Context, p *plan, set *Granules) (dropped int, used bool, err error) {
	rows, _, err := r.matchRows(ctx, p)
	if err != nil || rows == nil {
		if err != nil {
			err = fmt.Errorf("segment: bitmap index of %s: %w", r.path, err)
		}
		return 0, false, err
	}
	return set.keep(func(g int) bool { return rows.any(r.GranuleRows(g)) }), true, nil
}
