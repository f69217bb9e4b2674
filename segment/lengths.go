package segment

import (
	"context"
	"fmt"
	"slices"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/kernel"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/internal/types"
	"github.com/olapd/olapd/segment/page"
)

// Measurable reports whether ReadLengths can be asked about a stored column: it is of strings and not Nullable.
func (r *Reader) Measurable(col int) bool {
	t := r.schema[col].Type.WithoutLowCardinality()
	return t.Phys() == types.PBytes && !t.IsNullable()
}

// ReadLengths decodes the lengths in bytes of the strings in rows [from, to) of stored column col, or, with sel, of the rows at
// from plus its ascending positions. No string is read: of a dictionary only its lengths are.
func (r *Reader) ReadLengths(ctx context.Context, col, from, to int, sel []uint32) (*column.Num[uint64], error) {
	if col < 0 || col >= len(r.schema) || !r.Measurable(col) || from < 0 || from > to || to > r.Rows() ||
		len(sel) > 0 && int(sel[len(sel)-1]) >= to-from {
		return nil, sqlerr.New(sqlerr.LogicalError, "Lengths of rows %d to %d of column %d of segment %s with %d rows", from, to, col, r.path, r.Rows())
	}
	first, last := 0, to-from
	if sel != nil {
		if len(sel) == 0 {
			return column.NewNum[uint64](types.TUInt64, nil), nil
		}
		first, last = int(sel[0]), int(sel[len(sel)-1])+1
	}
	out := kernel.Dirty[uint64](last - first)[:0]
	for at, end := from+first, from+last; at < end; {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		p := r.pageOf(at)
		start, stop := r.PageRows(p)
		stop = min(stop, end)
		var err error
		if out, err = r.pageLengths(out, col, p, at-start, stop-start); err != nil {
			return nil, fmt.Errorf("segment: lengths in page %d of column %s of %s: %w", p, r.schema[col].Name, r.path, err)
		}
		at = stop
	}
	if sel != nil && len(sel) < len(out) {
		for i, p := range sel { // never behind what is still to be read
			out[i] = out[int(p)-first]
		}
		out = out[:len(sel)]
	}
	return column.NewNum(types.TUInt64, out), nil
}

// pageLengths appends the lengths of rows [from, to) of a page.
func (r *Reader) pageLengths(dst []uint64, col, p, from, to int) ([]uint64, error) {
	c := &r.cols[col]
	ix, err := r.index(c)
	if err != nil {
		return nil, err
	}
	b, err := r.pageBody(c, ix, p)
	if err != nil {
		return nil, err
	}
	start, end := r.PageRows(p)
	in := page.NewInput(b)
	switch kind := in.U8(); kind {
	case pageVector:
		lengths, err := page.TextLengths(in.Take(in.Len()), end-start, from, to)
		if err != nil {
			return nil, err
		}
		for _, l := range lengths {
			dst = append(dst, uint64(l))
		}
		kernel.Recycle(lengths)
		return dst, nil
	case pageCodes:
		return r.codeLengths(dst, c, in.Sized(), end-start, from, to)
	default:
		return nil, corrupt(r.path, "page kind %d", kind)
	}
}

func (r *Reader) codeLengths(dst []uint64, c *columnState, stream []byte, n, from, to int) ([]uint64, error) {
	if c.entry.Dict == nil {
		return nil, corrupt(r.path, "a page of codes in column %s", c.entry.Name)
	}
	off, err := r.dictOffsets(c)
	if err != nil {
		return nil, err
	}
	codes := kernel.Dirty[uint32](to - from)
	defer kernel.Recycle(codes)
	if err := page.Ints(codes, stream, n, from); err != nil {
		return nil, err
	}
	if err := page.CheckCodes(codes, c.entry.Dict.Entries); err != nil {
		return nil, err
	}
	at := len(dst)
	dst = slices.Grow(dst, len(codes))[:at+len(codes)]
	for i, code := range codes {
		ends := off[code:][:2]
		dst[at+i] = uint64(ends[1] - ends[0])
	}
	return dst, nil
}

// dictOffsets returns where each entry of a dictionary begins, and ends, in its text, without loading the text.
func (r *Reader) dictOffsets(c *columnState) ([]uint32, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if d := r.loadedLocked(c); d != nil {
		return d.Values.Off, nil
	}
	h, err := r.headLocked(c)
	if err != nil {
		return nil, fmt.Errorf("segment: dictionary of column %s of %s: %w", c.entry.Name, r.path, err)
	}
	return h.off, nil
}
