package segment

import (
	"context"
	"fmt"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/kernel"
	"github.com/olapd/olapd/segment/page"
)

// pickShare is the part of a page's rows, as one over it, up to which finding them one by one costs less than decoding the rows from the
// first to the last and taking these, estimated from what both cost a value.
const pickShare = 8

// pickRows decodes the rows at the ascending positions sel, all of one page of stored column col, if they are few and can be found where they
// are; else it returns nil.
func (r *Reader) pickRows(ctx context.Context, col int, sel []uint32, part bool) (column.Vector, error) {
	from, to := int(sel[0]), int(sel[len(sel)-1])+1
	if col < 0 || col >= len(r.schema) || len(sel)*pickShare > to-from {
		return nil, nil
	}
	p := r.pageOf(from)
	start, _ := r.PageRows(p)
	at := kernel.Dirty[uint32](len(sel))
	defer kernel.Recycle(at)
	for i, row := range sel {
		at[i] = row - uint32(start)
	}
	v, err := r.pickPage(ctx, col, p, at, part)
	if err != nil {
		return nil, fmt.Errorf("segment: page %d of column %s of %s: %w", p, r.schema[col].Name, r.path, err)
	}
	return v, nil
}

// pickPage is readPage for the rows at the positions at of the page; nil where pickRows is.
func (r *Reader) pickPage(ctx context.Context, col, p int, at []uint32, part bool) (column.Vector, error) {
	c := &r.cols[col]
	in, n, err := r.page(col, p)
	if err != nil {
		return nil, err
	}
	switch in.U8() {
	case pageVector:
		return page.Pick(c.entry.typ, in.Take(in.Len()), n, at)
	case pageCodes:
		return r.pickCodes(ctx, c, in, n, at, part)
	}
	return nil, in.Err()
}

// pickCodes is readCodes for the rows at the positions at of a page without NULLs.
func (r *Reader) pickCodes(ctx context.Context, c *columnState, in *page.Input, n int, at []uint32, part bool) (column.Vector, error) {
	if c.entry.Dict == nil {
		return nil, corrupt(r.path, "a page of codes in column %s", c.entry.Name)
	}
	stream := in.Sized()
	if err := in.Err(); err != nil {
		return nil, err
	}
	codes, err := page.PickInts[uint32](stream, n, at)
	if codes == nil || err != nil {
		return nil, err
	}
	if err := page.CheckCodes(codes, c.entry.Dict.Entries); err != nil {
		return nil, err
	}
	v, err := r.coded(ctx, c, codes, part)
	if err != nil {
		return nil, err
	}
	return c.orNull(v, nil), nil
}
