package segment

import (
	"context"
	"fmt"
	"sort"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/segment/page"
)

// ReadColumn decodes rows [from, to) of stored column col. Dictionary-coded rows come as *column.Dict (in *column.Nullable
// where NULLs can be) over the one dictionary of the column, others flat. It reads only the pages it needs,
// checks ctx before each, and decodes only the rows asked for. The vector belongs to the caller. Who scans a coded column page by
// page should hold its Dictionary meanwhile: one that is too large for the cache is else loaded anew once nobody uses it.
func (r *Reader) ReadColumn(ctx context.Context, col, from, to int) (column.Vector, error) {
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
		v, err := r.readPage(ctx, col, p, from-start, min(to, end)-start)
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

// concat joins the parts of one column. Coded and plain parts together become plain.
func concat(parts []column.Vector) column.Vector {
	if len(parts) == 1 {
		return parts[0]
	}
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
func (r *Reader) readPage(ctx context.Context, col, p, from, to int) (column.Vector, error) {
	c := &r.cols[col]
	ix, err := r.index(c)
	if err != nil {
		return nil, err
	}
	b, err := r.chunk(ix.pages[p])
	if err != nil {
		return nil, err
	}
	start, end := r.PageRows(p)
	n := end - start
	in := page.NewInput(b)
	switch kind := in.U8(); kind {
	case pageVector:
		return page.Vector(c.entry.typ, in.Take(in.Len()), n, from, to)
	case pageCodes, pageNullsCodes:
		return r.readCodes(ctx, c, in, kind == pageNullsCodes, n, from, to)
	default:
		return nil, corrupt(r.path, "page kind %d", kind)
	}
}

func (r *Reader) readCodes(ctx context.Context, c *columnState, in *page.Input, hasNulls bool, n, from, to int) (column.Vector, error) {
	t := c.entry.typ.WithoutLowCardinality()
	if c.entry.Dict == nil || hasNulls && !t.IsNullable() {
		return nil, corrupt(r.path, "a page of codes in column %s %s", c.entry.Name, t)
	}
	var nulls []uint8
	if hasNulls {
		flags := in.Sized()
		if err := in.Err(); err != nil {
			return nil, err
		}
		var err error
		if nulls, err = page.Nulls(flags, n, from, to); err != nil {
			return nil, err
		}
	}
	stream := in.Sized()
	if err := in.Err(); err != nil {
		return nil, err
	}
	codes := make([]uint32, to-from)
	if err := page.Ints(codes, stream, n, from); err != nil {
		return nil, err
	}
	if err := page.CheckCodes(codes, c.entry.Dict.Entries); err != nil {
		return nil, err
	}
	d, err := r.dictionary(ctx, c)
	if err != nil {
		return nil, err
	}
	v := &column.Dict{Codes: codes, Values: d.Values, Unique: true, Hashes: d.Hashes}
	if !t.IsNullable() {
		return v, nil
	}
	if nulls == nil {
		nulls = make([]uint8, to-from)
	}
	return column.NewNullable(nulls, v), nil
}

// ReadRows decodes the rows at the ascending positions sel of stored column col: what is left of a scan after its filters. Of each page it
// decodes from the first to the last row wanted. Forms and ownership are as in ReadColumn.
func (r *Reader) ReadRows(ctx context.Context, col int, sel []uint32) (column.Vector, error) {
	if len(sel) == 0 {
		return r.ReadColumn(ctx, col, 0, 0)
	}
	if last := int(sel[len(sel)-1]); last >= r.Rows() {
		return nil, sqlerr.New(sqlerr.LogicalError, "Row %d of segment %s with %d rows", last, r.path, r.Rows())
	}
	var parts []column.Vector
	for len(sel) > 0 {
		_, end := r.PageRows(r.pageOf(int(sel[0])))
		n := sort.Search(len(sel), func(i int) bool { return int(sel[i]) >= end })
		from, to := int(sel[0]), int(sel[n-1])+1
		v, err := r.ReadColumn(ctx, col, from, to)
		if err != nil {
			return nil, err
		}
		if to-from > n {
			at := make([]uint32, n)
			for i, s := range sel[:n] {
				at[i] = s - uint32(from)
			}
			v = column.Gather(v, at)
		}
		parts, sel = append(parts, v), sel[n:]
	}
	return concat(parts), nil
}
