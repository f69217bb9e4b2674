package segment

import (
	"context"
	"fmt"
	"sort"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/kernel"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/internal/types"
	"github.com/olapd/olapd/segment/page"
)

// ReadColumn decodes rows [from, to) of stored column col. Dictionary-coded rows come as *column.Dict (in *column.Nullable
// where NULLs can be) over the one dictionary of the column, others flat. It reads only the pages it needs,
// checks ctx before each, and decodes only the rows asked for. The vector belongs to the caller. Who scans a coded column page by
// page should hold its Dictionary meanwhile: one that is too large for the cache is else loaded anew once nobody uses it.
func (r *Reader) ReadColumn(ctx context.Context, col, from, to int) (column.Vector, error) {
	return r.readColumn(ctx, col, from, to, false)
}

// readColumn is ReadColumn or, if part, ReadPart.
func (r *Reader) readColumn(ctx context.Context, col, from, to int, part bool) (column.Vector, error) {
	if col < 0 || col >= len(r.schema) || from < 0 || from > to || to > r.Rows() {
		return nil, sqlerr.New(sqlerr.LogicalError, "Rows %d to %d of column %d of segment %s with %d rows", from, to, col, r.path, r.Rows())
	}
	if from == to {
		return column.New(r.schema[col].Type, 0), nil
	}
	var parts []column.Vector
	for p := r.pageOf(from); from < to; p++ {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		start, end := r.PageRows(p)
		v, err := r.readPage(ctx, col, p, from-start, min(to, end)-start, part)
		if err != nil {
			return nil, fmt.Errorf("segment: page %d of column %s of %s: %w", p, r.schema[col].Name, r.path, err)
		}
		parts = append(parts, v)
		from = end
	}
	return concat(parts), nil
}

// ReadPage decodes page p of stored column col whole.
func (r *Reader) ReadPage(ctx context.Context, col, p int) (column.Vector, error) {
	from, to := r.PageRows(p)
	return r.ReadColumn(ctx, col, from, to)
}

// concat joins the parts of one column, which are let go of. Coded and plain parts together become plain.
func concat(parts []column.Vector) column.Vector {
	if len(parts) == 1 {
		return parts[0]
	}
	defer func() {
		for _, p := range parts {
			column.Recycle(p)
		}
	}()
	var nulls []uint8
	inner := make([]column.Vector, len(parts))
	for i, p := range parts {
		n, ok := p.(*column.Nullable)
		if !ok {
			return column.Concat(parts...)
		}
		if _, ok := n.Inner.(*column.Dict); !ok {
			return column.Concat(parts...)
		}
		inner[i] = n.Inner
		nulls = append(nulls, n.Nulls...)
	}
	return column.NewNullable(nulls, column.Concat(inner...))
}

// readPage decodes rows [from, to) of a page.
func (r *Reader) readPage(ctx context.Context, col, p, from, to int, part bool) (column.Vector, error) {
	c := &r.cols[col]
	in, n, err := r.page(col, p)
	if err != nil {
		return nil, err
	}
	switch kind := in.U8(); kind {
	case pageVector:
		return page.Vector(c.entry.typ, in.Take(in.Len()), n, from, to)
	case pageCodes, pageNullsCodes:
		return r.readCodes(ctx, c, in, kind == pageNullsCodes, n, from, to, part)
	case pagePaths:
		return r.readObjects(c, in, n, from, to, "")
	default:
		return nil, corrupt(r.path, "page kind %d", kind)
	}
}

// page reads page p of a column; n are its rows.
func (r *Reader) page(col, p int) (in *page.Input, n int, err error) {
	ix, err := r.index(&r.cols[col])
	if err != nil {
		return nil, 0, err
	}
	b, err := r.pageBody(&r.cols[col], ix, p)
	if err != nil {
		return nil, 0, err
	}
	start, end := r.PageRows(p)
	return page.NewInput(b), end - start, nil
}

func (r *Reader) readCodes(ctx context.Context, c *columnState, in *page.Input, hasNulls bool, n, from, to int, part bool) (column.Vector, error) {
	codes, nulls, err := r.decodeCodes(c, in, hasNulls, n, from, to)
	if err != nil {
		return nil, err
	}
	v, err := r.coded(ctx, c, codes, part)
	if err != nil {
		return nil, err
	}
	return c.orNull(v, nulls), nil
}

// orNull puts the null flags, nil if nothing is NULL, beside the values of a column, where its type has any.
func (c *columnState) orNull(v column.Vector, nulls []uint8) column.Vector {
	if !c.entry.typ.WithoutLowCardinality().IsNullable() {
		return v
	}
	if nulls == nil {
		nulls = make([]uint8, v.Len())
	}
	return column.NewNullable(nulls, v)
}

// decodeCodes decodes rows [from, to) of the n of a page of codes behind its kind; nulls is nil if none is stored.
func (r *Reader) decodeCodes(c *columnState, in *page.Input, hasNulls bool, n, from, to int) (codes []uint32, nulls []uint8, err error) {
	if t := c.entry.typ.WithoutLowCardinality(); c.entry.Dict == nil || hasNulls && !t.IsNullable() {
		return nil, nil, corrupt(r.path, "a page of codes in column %s %s", c.entry.Name, t)
	}
	if hasNulls {
		flags := in.Sized()
		if err := in.Err(); err != nil {
			return nil, nil, err
		}
		if nulls, err = page.Nulls(flags, n, from, to); err != nil {
			return nil, nil, err
		}
	}
	stream := in.Sized()
	if err := in.Err(); err != nil {
		return nil, nil, err
	}
	codes = kernel.Dirty[uint32](to - from)
	if err := page.Ints(codes, stream, n, from); err != nil {
		return nil, nil, err
	}
	return codes, nulls, page.CheckCodes(codes, c.entry.Dict.Entries)
}

// ReadCodes decodes the dictionary codes of rows [from, to) of stored column col without loading the dictionary. NULLs, flagged in nulls (nil: there are
// none), have any code. coded is false, and nothing decoded, if one of the pages is not of codes.
func (r *Reader) ReadCodes(ctx context.Context, col, from, to int) (codes []uint32, nulls []uint8, coded bool, err error) {
	if col < 0 || col >= len(r.schema) || from < 0 || from > to || to > r.Rows() {
		return nil, nil, false, sqlerr.New(sqlerr.LogicalError, "Rows %d to %d of column %d of segment %s with %d rows", from, to, col, r.path, r.Rows())
	}
	if r.Entries(col) == 0 {
		return nil, nil, false, nil
	}
	for at := from; at < to; {
		if err := ctx.Err(); err != nil {
			return nil, nil, false, err
		}
		p := r.pageOf(at)
		start, end := r.PageRows(p)
		more, flags, ok, err := r.pageCodes(col, p, at-start, min(to, end)-start)
		if err != nil {
			return nil, nil, false, fmt.Errorf("segment: page %d of column %s of %s: %w", p, r.schema[col].Name, r.path, err)
		}
		if !ok {
			return nil, nil, false, nil
		}
		if flags != nil && nulls == nil {
			nulls = make([]uint8, len(codes), to-from)
		}
		if nulls != nil {
			nulls = append(nulls, make([]uint8, len(more))...)
			copy(nulls[len(codes):], flags)
		}
		if codes == nil {
			codes = more
		} else {
			codes = append(codes, more...)
		}
		at = end
	}
	return codes, nulls, true, nil
}

// pageCodes decodes codes of one page, if it is of codes.
func (r *Reader) pageCodes(col, p, from, to int) (codes []uint32, nulls []uint8, ok bool, err error) {
	c := &r.cols[col]
	ix, err := r.index(c)
	if err != nil {
		return nil, nil, false, err
	}
	b, err := r.pageBody(&r.cols[col], ix, p)
	if err != nil {
		return nil, nil, false, err
	}
	in := page.NewInput(b)
	kind := in.U8()
	if in.Err() == nil && kind != pageCodes && kind != pageNullsCodes {
		return nil, nil, false, nil
	}
	start, end := r.PageRows(p)
	codes, nulls, err = r.decodeCodes(c, in, kind == pageNullsCodes, end-start, from, to)
	return codes, nulls, true, err
}

// ReadRows decodes the rows at the ascending positions sel of stored column col: what is left of a scan after its filters. Of each page it
// decodes from the first to the last row wanted, of plain text the blocks that a few rows are in. Forms and ownership are as in ReadColumn, but a few rows of a column whose large dictionary is not
// in memory come flat, and it stays out.
func (r *Reader) ReadRows(ctx context.Context, col int, sel []uint32) (column.Vector, error) {
	return r.readRows(ctx, col, sel, false)
}

// readRows is ReadRows or, if part, ReadPart.
func (r *Reader) readRows(ctx context.Context, col int, sel []uint32, part bool) (column.Vector, error) {
	if len(sel) == 0 {
		return r.ReadColumn(ctx, col, 0, 0)
	}
	if last := int(sel[len(sel)-1]); last >= r.Rows() {
		return nil, sqlerr.New(sqlerr.LogicalError, "Row %d of segment %s with %d rows", last, r.path, r.Rows())
	}
	if v, err := r.readFew(ctx, col, sel); v != nil || err != nil {
		return v, err
	}
	var parts []column.Vector
	for len(sel) > 0 {
		_, end := r.PageRows(r.pageOf(int(sel[0])))
		n := sort.Search(len(sel), func(i int) bool { return int(sel[i]) >= end })
		if v, err := r.readTextRows(col, sel[:n]); v != nil || err != nil {
			if err != nil {
				return nil, err
			}
			parts, sel = append(parts, v), sel[n:]
			continue
		}
		if v, err := r.pickRows(ctx, col, sel[:n], part); v != nil || err != nil {
			if err != nil {
				return nil, err
			}
			parts, sel = append(parts, v), sel[n:]
			continue
		}
		from, to := int(sel[0]), int(sel[n-1])+1
		v, err := r.readColumn(ctx, col, from, to, part)
		if err != nil {
			return nil, err
		}
		if to-from > n {
			at := kernel.Dirty[uint32](n)
			for i, s := range sel[:n] {
				at[i] = s - uint32(from)
			}
			all := v
			v = column.Gather(all, at)
			column.Recycle(all)
			kernel.Recycle(at)
		}
		parts, sel = append(parts, v), sel[n:]
	}
	return concat(parts), nil
}

// fewTextRows is the rows of a page of plain text up to which only the blocks of the text that they are in are decoded: of more, all would be.
const fewTextRows = 64

// readTextRows decodes a few rows of one page, if it is of plain text; else it returns nil.
func (r *Reader) readTextRows(col int, sel []uint32) (column.Vector, error) {
	t := r.schema[col].Type.WithoutLowCardinality()
	if len(sel) > fewTextRows || t.Phys() != types.PBytes {
		return nil, nil
	}
	c, p := &r.cols[col], r.pageOf(int(sel[0]))
	ix, err := r.index(c)
	if err != nil {
		return nil, err
	}
	b, err := r.pageBody(&r.cols[col], ix, p)
	if err != nil {
		return nil, err
	}
	in := page.NewInput(b)
	if in.U8() != pageVector {
		return nil, nil
	}
	start, end := r.PageRows(p)
	at := make([]uint32, len(sel))
	for i, row := range sel {
		at[i] = row - uint32(start)
	}
	v, err := page.TextRows(t, in.Take(in.Len()), end-start, at)
	if err != nil {
		return nil, fmt.Errorf("segment: page %d of column %s of %s: %w", p, r.schema[col].Name, r.path, err)
	}
	return v, nil
}

// readFew is ReadRows where decoding the blocks that hold the values of the rows is less work than loading the dictionary; else nil.
func (r *Reader) readFew(ctx context.Context, col int, sel []uint32) (column.Vector, error) {
	if r.Entries(col) < minLazyEntries || len(sel) > r.Entries(col)/rowsPerBlock {
		return nil, nil
	}
	c := &r.cols[col]
	if d, _, err := r.dictOrHead(c); d != nil || err != nil {
		return nil, err
	}
	codes := make([]uint32, 0, len(sel))
	var nulls []uint8
	for len(sel) > 0 {
		_, end := r.PageRows(r.pageOf(int(sel[0])))
		n := sort.Search(len(sel), func(i int) bool { return int(sel[i]) >= end })
		from := sel[0]
		some, flags, coded, err := r.ReadCodes(ctx, col, int(from), int(sel[n-1])+1)
		if err != nil || !coded {
			return nil, err
		}
		if flags != nil && nulls == nil {
			nulls = make([]uint8, len(codes))
		}
		for _, row := range sel[:n] {
			codes = append(codes, some[row-from])
			switch {
			case flags != nil:
				nulls = append(nulls, flags[row-from])
			case nulls != nil:
				nulls = append(nulls, 0)
			}
		}
		sel = sel[n:]
	}
	vals, err := r.ReadEntries(ctx, col, codes)
	if err != nil {
		return nil, err
	}
	return c.orNull(vals, nulls), nil
}

const (
	// minLazyEntries is the size from which on a dictionary is not loaded for a few rows.
	minLazyEntries = 4096
	// rowsPerBlock is how many entries there are in the dictionary for each row that is read without it: a block, of a thousand
	// entries or so, is decoded for each such row; twice that is allowed for.
	rowsPerBlock = 2000
)
