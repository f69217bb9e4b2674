package segment

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
		for _, p := range ix.pages {
			l.Pages += p.stored()
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
