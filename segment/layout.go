package segment

import "github.com/olapd/olapd/internal/types"

// ColumnLayout is where the bytes of one column lie in the file, checksums included.
type ColumnLayout struct {
	Name, Type string
	Pages      int64 // of values or codes
	Values     int64 // of the dictionary: blocks of strings
	Lengths    int64 // of the dictionary: its header
	Hashes     int64 // of the dictionary
	Bitmap     int64 // the bitmap index
	Index      int64 // pages' places, NULLs and bounds per granule
}

// Bytes is the sum.
func (l *ColumnLayout) Bytes() int64 {
	return l.Pages + l.Values + l.Lengths + l.Hashes + l.Bitmap + l.Index
}

// Layout tells what the bytes of each column and, behind them, of each computed expression are spent on.
func (r *Reader) Layout() ([]ColumnLayout, error) {
	out := make([]ColumnLayout, len(r.cols))
	for i := range r.cols {
		c, l := &r.cols[i], &out[i]
		l.Name, l.Type, l.Index = c.entry.Name, c.entry.Type, c.entry.Index.stored()
		ix, err := r.index(c)
		if err != nil {
			return nil, err
		}
		for p := range ix.pages {
			n, err := r.pageBytes(c, ix, p)
			if err != nil {
				return nil, err
			}
			l.Pages += n
		}
		if b := c.entry.Bitmap; b != nil {
			l.Bitmap = b.stored()
		}
		d := c.entry.Dict
		if d == nil {
			continue
		}
		l.Lengths, l.Hashes = d.Header.stored(), d.Hashes.stored()
		h, err := r.dictHeader(c)
		if err != nil {
			return nil, err
		}
		for _, b := range h.blocks {
			l.Values += b.stored()
		}
	}
	return out, nil
}

// pageBytes is what page p of a column takes in the file, with the bodies of paths.
func (r *Reader) pageBytes(c *columnState, ix *columnIndex, p int) (int64, error) {
	n := ix.pages[p].stored()
	if c.entry.typ.Kind != types.JSON {
		return n, nil
	}
	d, err := r.pathDir(c, ix, p)
	if err != nil || d == nil {
		return n, err
	}
	for _, b := range d.bodies {
		n += b.stored()
	}
	return n, nil
}
