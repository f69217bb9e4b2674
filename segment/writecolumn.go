package segment

import (
	"slices"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/types"
	"github.com/olapd/olapd/segment/page"
)

// The kinds of page body.
const (
	pageVector = iota
	pageCodes
	pageNullsCodes
	pagePaths
)

// columnWriter writes the pages of one column, or gathers the bounds of one expression.
type columnWriter struct {
	field    column.Field
	stored   bool
	offs     []uint64
	lens     []uint32
	bounds   *boundsBuilder // nil if values are not scalars
	strings  bool           // scalars, which may come coded
	dict     *dictBuilder   // nil without a dictionary
	dictOpen bool
	bitmap   *bitmapBuilder // nil without
	objects  *objectWriter  // of JSON that is stored path by path
	byPath   bool           // the page is in objects, not in enc
	distinct hll
	defaults int64 // rows of zero or the empty string; -1: not counted
	bytes    int64
	rawBytes int64
	// What the pages reuse: codes, flat values, their hashes, the page's bytes.
	codes  []uint32
	flat   column.Builder
	hashes []uint64
	enc    []byte
}

func newColumnWriter(f column.Field, stored, bitmaps, whole, paths bool) *columnWriter {
	c := &columnWriter{field: f, stored: stored}
	if stored && paths && f.Type.Kind == types.JSON {
		c.objects = newObjectWriter(f.Type)
	}
	if isScalar(f.Type) {
		c.bounds = newBoundsBuilder(f.Type)
	}
	if stored && c.bounds != nil && f.Type.Inner().IsString() {
		c.strings = true
		c.dict, c.dictOpen = newDictBuilder(f.Type, whole), true
		if bitmaps {
			c.bitmap = newBitmapBuilder()
		}
	}
	return c
}

// page encodes the rows of one page into c.enc and returns them as one vector, which is good until the next page. base is their first row.
func (c *columnWriter) page(runs []Run, col, n int, base int64) (column.Vector, error) {
	if c.dictOpen {
		if v, ok, err := c.dictPage(runs, col, n, base); ok || err != nil {
			return v, err
		}
	}
	var err error
	if c.strings {
		if runs, err = withValues(runs, col); err != nil {
			return nil, err
		}
	}
	v := gather(&c.flat, runs, col, n)
	c.rawBytes += v.Bytes()
	if !c.stored {
		return v, nil
	}
	if c.bounds != nil {
		c.addDistinct(scalars(v))
		c.addDefaults(countDefaults(v))
	}
	if c.objects != nil {
		if c.byPath, err = c.objects.encode(v.(*column.Map)); c.byPath || err != nil {
			return v, err
		}
	}
	c.enc, err = page.AppendVector(append(c.enc[:0], pageVector), v)
	return v, err
}

// put writes c.enc as a page; of an expression there is none.
func (c *columnWriter) put(w *chunkWriter) error {
	if !c.stored {
		return nil
	}
	start := w.off
	if c.byPath {
		var err error
		if c.enc, err = c.objects.put(w, c.enc[:0]); err != nil {
			return err
		}
	}
	r, err := w.chunk(c.enc)
	c.offs, c.lens = append(c.offs, uint64(r.off)), append(c.lens, uint32(r.len))
	c.bytes += w.off - start
	return err
}

// addDefaults counts the defaults of a page; -1 makes them uncounted for good.
func (c *columnWriter) addDefaults(n int64) {
	if n < 0 || c.defaults < 0 {
		c.defaults = -1
		return
	}
	c.defaults += n
}

func (c *columnWriter) addDistinct(v column.Vector) {
	v = withoutRepeats(v)
	c.hashes = slices.Grow(c.hashes[:0], v.Len())[:v.Len()]
	column.Hash(v, c.hashes)
	c.distinct.add(c.hashes)
}

// dictPage encodes a page of codes, or reports that the dictionary is not worth its while any more and closes it.
func (c *columnWriter) dictPage(runs []Run, col, n int, base int64) (v column.Vector, ok bool, err error) {
	before := c.dict.len()
	c.codes = c.codes[:0]
	for i := range runs {
		c.codes = c.dict.appendRun(c.codes, runs[i].Block.Cols[col], &runs[i])
		if c.dict.err != nil {
			return nil, false, c.dict.err
		}
		if c.dict.full() {
			c.closeDict(before)
			return nil, false, nil
		}
	}
	nulls := gatherNulls(runs, col, n)
	if c.dict.len() == 0 { // nothing but NULL: code 0 has to be something
		c.dict.code(make([]byte, c.field.Type.Inner().Width()), emptyHash(c.field.Type))
	}
	if rows := base + int64(n); int64(c.dict.len()) > max(rows*dictShare/4, 1) {
		c.closeDict(before)
		return nil, false, nil
	}
	text, empty := c.dict.textOf(c.codes, nulls)
	c.rawBytes += 4*int64(n+1) + text
	if c.field.Type.Inner().Width() > 0 {
		empty = -1
	}
	c.addDefaults(empty)
	if c.bitmap != nil {
		if c.dict.len() > maxBitmapValues {
			c.bitmap = nil
		} else {
			c.bitmap.add(c.codes, nulls, c.dict.len(), uint32(base))
		}
	}
	c.enc = append(c.enc[:0], pageCodes)
	if nulls != nil {
		c.enc[0] = pageNullsCodes
		c.enc = page.AppendSizedInts(c.enc, nulls)
	}
	c.enc = page.AppendSizedInts(c.enc, c.codes)
	var inner column.Vector = &column.Dict{Codes: c.codes, Values: c.dict.vals, Unique: true}
	if c.field.Type.IsNullable() {
		if nulls == nil {
			nulls = make([]uint8, n)
		}
		c.rawBytes += int64(n)
		inner = column.NewNullable(nulls, inner)
	}
	return inner, true, nil
}

// dictShare is the quarters of the rows that distinct values may be. Rows in the order of a sort key meet most of their new values early: a
// column of addresses that ends at 46 % stood at 61 % of the first half a million rows. A plain page of it takes about as many bytes, and every
// group, comparison or function over it has to look at each row's bytes instead of once at each value's.
const dictShare = 3

// closeDict ends the dictionary with its first n entries: this and later pages are plain.
func (c *columnWriter) closeDict(n int) {
	c.dictOpen, c.bitmap = false, nil
	if n == 0 {
		c.dict.free()
		c.dict = nil
		return
	}
	c.dict.close(n)
}

func emptyHash(t *types.Type) uint64 {
	return hashScalars(&column.Str{Typ: t.Inner(), Off: []uint32{0, uint32(t.Inner().Width())}, Data: make([]byte, t.Inner().Width())})[0]
}

// prepare does of finish what takes time and needs no file.
func (c *columnWriter) prepare() error {
	if c.dict == nil || c.dict.len() == 0 { // no rows
		c.dict, c.bitmap = nil, nil
		return nil
	}
	c.distinct.add(c.dict.hashes)
	return c.dict.compress()
}

// finish writes what follows the pages and returns the footer's entry.
func (c *columnWriter) finish(w *chunkWriter) (columnEntry, ColumnMeta, error) {
	start := w.off
	e := columnEntry{Name: c.field.Name, Type: c.field.Type.String(), typ: c.field.Type}
	m := ColumnMeta{Name: e.Name, Type: e.Type, RawBytes: c.rawBytes}
	if c.dict != nil {
		d, err := c.dict.write(w)
		if err != nil {
			return e, m, err
		}
		e.Dict, m.Dict = d, d.Entries
		if c.dictOpen {
			m.Distinct = uint64(d.Entries)
		}
	}
	if c.bitmap != nil {
		if err := c.writeBitmap(w, &e); err != nil {
			return e, m, err
		}
	}
	if c.bounds != nil {
		m.Nulls = c.bounds.counts
		if m.Distinct == 0 && c.stored {
			m.Distinct = c.distinct.estimate()
		}
		if c.stored {
			m.Noted = &Noted{NaN: c.bounds.all.nan, Coded: c.dict != nil && c.dictOpen, Defaults: c.defaults}
		}
		if lo, hi := c.bounds.all.lo, c.bounds.all.hi; lo != nil {
			m.Min, m.Max = Value{shorten(lo, false)}, Value{shorten(hi, true)}
			if c.stored {
				m.Noted.Cut = m.Min.vec != lo || m.Max.vec != hi
			}
		}
	}
	body, err := c.columnIndex()
	if err != nil {
		return e, m, err
	}
	if e.Index, err = w.chunk(body); err != nil {
		return e, m, err
	}
	m.Bytes = c.bytes + w.off - start
	return e, m, nil
}

// writeBitmap writes the bitmap index unless it is larger than the column itself: then scanning codes reads less.
func (c *columnWriter) writeBitmap(w *chunkWriter, e *columnEntry) error {
	body, err := c.bitmap.body(c.dict.len())
	if err != nil || int64(len(body)) > max(c.bytes, minBitmapLimit) {
		return err
	}
	r, err := w.chunk(body)
	e.Bitmap = &r
	return err
}

// minBitmapLimit is the size below which a bitmap index is always kept.
const minBitmapLimit = 64 << 10

func (c *columnWriter) columnIndex() ([]byte, error) {
	dst := page.AppendSizedInts(page.AppendSizedInts(nil, c.offs), c.lens)
	if c.bounds == nil {
		return append(dst, 0), nil
	}
	return c.bounds.append(append(dst, 1))
}
