package segment

import (
	"context"
	"fmt"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/internal/types"
	"github.com/olapd/olapd/segment/page"
)

// ReadPath decodes what rows [from, to) of stored column col, of JSON, have at a path, as Dynamic: NULL where they have nothing. With sel it is the rows at from
// plus its ascending positions. Of pages with a body for the path it reads that and the directory, nothing else. The vector belongs to the caller.
func (r *Reader) ReadPath(ctx context.Context, col int, path string, from, to int, sel []uint32) (*column.Variant, error) {
	v, err := r.readParts(ctx, col, from, to, sel, func(p, from, to int) (column.Vector, error) { return r.pagePath(ctx, col, p, path, from, to) })
	if err != nil {
		return nil, err
	}
	return column.Flatten(v).(*column.Variant), nil
}

// ReadBelow decodes of the objects in those rows what they have at the paths that begin with path and a dot, as a vector of the column's type. Of the other
// paths it may have some or none.
func (r *Reader) ReadBelow(ctx context.Context, col int, path string, from, to int, sel []uint32) (*column.Map, error) {
	v, err := r.readParts(ctx, col, from, to, sel, func(p, from, to int) (column.Vector, error) {
		return r.pageObjects(ctx, col, p, path+".", from, to)
	})
	if err != nil {
		return nil, err
	}
	return column.Flatten(v).(*column.Map), nil
}

// readParts puts together what read gives for the rows of each page; page -1 stands for no rows.
func (r *Reader) readParts(ctx context.Context, col, from, to int, sel []uint32, read func(p, from, to int) (column.Vector, error)) (column.Vector, error) {
	if col < 0 || col >= len(r.schema) || r.schema[col].Type.Kind != types.JSON || from < 0 || from > to || to > r.Rows() ||
		len(sel) > 0 && int(sel[len(sel)-1]) >= to-from {
		return nil, sqlerr.New(sqlerr.LogicalError, "Paths of rows %d to %d of column %d of segment %s with %d rows", from, to, col, r.path, r.Rows())
	}
	first, last := from, to
	if len(sel) > 0 {
		first, last = from+int(sel[0]), from+int(sel[len(sel)-1])+1
	} else if sel != nil {
		last = first
	}
	if first == last {
		return read(-1, 0, 0)
	}
	var parts []column.Vector
	for p := r.pageOf(first); first < last; p++ {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		start, end := r.PageRows(p)
		end = min(end, last)
		v, err := read(p, first-start, end-start)
		if err != nil {
			return nil, fmt.Errorf("segment: page %d of column %s of %s: %w", p, r.schema[col].Name, r.path, err)
		}
		parts, first = append(parts, v), end
	}
	v := column.Concat(parts...)
	if len(sel) == 0 || len(sel) == v.Len() {
		return v, nil
	}
	rows := make([]uint32, len(sel))
	for i, s := range sel {
		rows[i] = s - sel[0]
	}
	return column.Gather(v, rows), nil
}

// pagePath decodes what rows [from, to) of a page have at a path. Page -1 has no rows.
func (r *Reader) pagePath(ctx context.Context, col, p int, path string, from, to int) (column.Vector, error) {
	c := &r.cols[col]
	dynamic := c.entry.typ.Elems[1]
	if p < 0 {
		return column.NewVariant(dynamic, 0), nil
	}
	in, n, err := r.page(col, p)
	if err != nil {
		return nil, err
	}
	if in.U8() != pagePaths {
		v, err := r.readPage(ctx, col, p, from, to, false)
		if err != nil {
			return nil, err
		}
		return column.Flatten(v).(*column.Map).Path(path), nil
	}
	d, err := parseDir(in, r.path)
	if err != nil {
		return nil, err
	}
	if i := d.find(path); i >= 0 {
		b, err := r.chunk(d.bodies[i])
		if err != nil {
			return nil, err
		}
		v, err := decodePath(dynamic, b, n, from, to)
		if err != nil {
			return nil, err
		}
		return v.spread(to - from), nil
	}
	if rest, ok := d.rest(); ok && d.hasOther(path) {
		b, err := r.chunk(rest)
		if err != nil {
			return nil, err
		}
		v, err := page.Vector(c.entry.typ, b, n, from, to)
		if err != nil {
			return nil, err
		}
		return v.(*column.Map).Path(path), nil
	}
	return pathValues{rows: []uint32{}, vals: column.NewVariant(dynamic, 0)}.spread(to - from), nil
}

// pageObjects decodes rows [from, to) of a page: objects, of which those paths are wanted that begin with prefix.
func (r *Reader) pageObjects(ctx context.Context, col, p int, prefix string, from, to int) (column.Vector, error) {
	c := &r.cols[col]
	if p < 0 {
		return column.New(c.entry.typ, 0), nil
	}
	in, n, err := r.page(col, p)
	if err != nil {
		return nil, err
	}
	if in.U8() != pagePaths {
		return r.readPage(ctx, col, p, from, to, false)
	}
	return r.readObjects(c, in, n, from, to, prefix)
}

// readObjects decodes rows [from, to) of the n of a page with a directory, behind its kind: of the objects the paths that begin with prefix.
func (r *Reader) readObjects(c *columnState, in *page.Input, n, from, to int, prefix string) (column.Vector, error) {
	if c.entry.typ.Kind != types.JSON {
		return nil, corrupt(r.path, "a page of paths in column %s %s", c.entry.Name, c.entry.typ)
	}
	d, err := parseDir(in, r.path)
	if err != nil {
		return nil, err
	}
	first, last := d.below(prefix)
	bodies := d.bodies[first:last]
	rest, others := d.rest()
	if others && last == len(d.ends) {
		bodies = d.bodies[first:] // all end to end
	}
	read, err := r.pathBodies(c, bodies)
	if err != nil {
		return nil, err
	}
	a := &assembly{typ: c.entry.typ, rows: to - from}
	for i := first; i < last; i++ {
		v, err := decodePath(c.entry.typ.Elems[1], read[i-first], n, from, to)
		if err == nil {
			err = a.add(d.name(i), v)
		}
		if err != nil {
			return nil, fmt.Errorf("path %q: %w", d.name(i), err)
		}
	}
	if others {
		var b []byte
		if len(read) > last-first {
			b = read[last-first]
		} else if b, err = r.chunk(rest); err != nil {
			return nil, err
		}
		v, err := page.Vector(c.entry.typ, b, n, from, to)
		if err != nil {
			return nil, err
		}
		a.rest = v.(*column.Map)
	}
	return a.objects()
}

// pathBodies reads the bodies at refs, which lie end to end.
func (r *Reader) pathBodies(c *columnState, refs []ref) ([][]byte, error) {
	if len(refs) == 0 {
		return nil, nil
	}
	if r.recent != nil { // a Stream: of the page read last
		p := r.recent[c]
		if p.paths == nil {
			var err error
			if p.paths, err = readChunks(r.f, r.path, r.size, refs); err != nil {
				return nil, err
			}
			r.recent[c] = p
		}
		return p.paths, nil
	}
	out := make([][]byte, len(refs))
	for i, at := range refs {
		if out[i] = r.cached(at); out[i] == nil {
			return r.fetchAll(refs)
		}
	}
	return out, nil
}

// fetchAll reads bodies that lie end to end into the cache.
func (r *Reader) fetchAll(refs []ref) ([][]byte, error) {
	out, err := readChunks(r.f, r.path, r.size, refs)
	for i, b := range out {
		r.cache.put(cacheKey{r.number, refs[i].off}, b, int64(len(b)))
	}
	return out, err
}
