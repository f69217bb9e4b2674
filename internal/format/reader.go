package format

import (
	"context"
	"errors"
	"io"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/sqlerr"
)

// Limits on input.
const (
	// maxRow bounds one row: what is larger is no row but a mistake in quoting.
	maxRow = 1 << 30
	// firstRead is the buffer of the first read, maxRead what it grows to while there is more: small inserts are
	// many, and large ones gain nothing from larger reads.
	firstRead = 1 << 10
	maxRead   = 256 << 10
	// maxDepth bounds nesting inside one value.
	maxDepth = 256
)

// errShort says that a row does not end within the bytes at hand.
var errShort = errors.New("format: row goes on")

// rowFormat parses rows of one format. It is used by one goroutine.
type rowFormat interface {
	// header reads what stands in front of the rows and returns its length.
	header(data []byte, eof bool, r *Rows) (int, error)
	// row appends one row to r and returns the length it took; 0 and io.EOF at the end. errShort asks for
	// more data and is not returned once eof is true. What it appended before an error is taken back.
	row(data []byte, eof bool, r *Rows) (int, error)
	// skip returns the length of the bytes to leave out after a bad row, or an error where rows have no clear end.
	skip(data []byte, eof bool) (int, error)
}

// blockFormat is a rowFormat of whole blocks: row appends as many rows as a unit of input holds.
type blockFormat interface{ wholeBlocks() }

// Rows is a block being read. Each row appends one value to every column.
type Rows struct {
	Schema column.Schema
	Cols   []column.Builder // nil if whole vectors were read
	// Omitted[c][i] is 1 where row i did not give column c, which then holds the type's default; nil: all were given.
	Omitted [][]uint8
	N       int
	whole   []column.Vector // in place of Cols
}

// NewRows returns an empty block of the schema.
func NewRows(schema column.Schema) *Rows {
	r := &Rows{Schema: schema, Cols: make([]column.Builder, len(schema)), Omitted: make([][]uint8, len(schema))}
	for i, f := range schema {
		r.Cols[i] = column.New(f.Type, 0)
	}
	return r
}

// Block returns the rows read so far.
func (r *Rows) Block() *column.Block {
	if r.whole != nil {
		return &column.Block{N: r.N, Cols: r.whole}
	}
	b := &column.Block{N: r.N, Cols: make([]column.Vector, len(r.Cols))}
	for i, c := range r.Cols {
		b.Cols[i] = c
	}
	return b
}

// omit appends the default to column c and marks it as not given.
func (r *Rows) omit(c int) {
	for len(r.Omitted[c]) < r.N {
		r.Omitted[c] = append(r.Omitted[c], 0)
	}
	r.Omitted[c] = append(r.Omitted[c], 1)
	r.Cols[c].AppendDefault()
}

// cut takes back everything behind n rows, parts of a value that was not completed included: a column of n values may hold such parts.
func (r *Rows) cut(n int) {
	for i, c := range r.Cols {
		c.Truncate(n)
		if len(r.Omitted[i]) > n {
			r.Omitted[i] = r.Omitted[i][:n]
		}
	}
	r.N = n
}

// end gives every mask of omitted values its full length.
func (r *Rows) end() {
	for c, m := range r.Omitted {
		for m != nil && len(m) < r.N {
			m = append(m, 0)
		}
		r.Omitted[c] = m
	}
}

// Reader streams rows from an input. Not safe for concurrent use.
type Reader interface {
	// Read returns up to maxRows rows, fewer at about maxBytes of input, and io.EOF when there are none left. An
	// error names the row, counted from 1; rows in front of it that were not returned yet are lost with it.
	Read(ctx context.Context, maxRows, maxBytes int) (*Rows, error)
	// Close frees what the reader holds. It does not close the input.
	Close() error
}

// rowReader reads an input row by row.
type rowReader struct {
	src    io.Reader
	f      rowFormat
	schema column.Schema
	o      Options
	buf    []byte
	pos    int
	eof    bool
	headed bool
	last   Sizes  // of the block before
	rows   uint64 // rows read, good and bad
	bad    uint64
}

// NewReader reads rows of the schema from src; FormatIsNotSuitableForInput if the format is for output only.
func (f *Format) NewReader(src io.Reader, schema column.Schema, o Options) (Reader, error) {
	if f.file != nil {
		return f.file(src, schema, o), nil
	}
	if f.in == nil {
		return nil, sqlerr.New(sqlerr.FormatIsNotSuitableForInput, "Format %s is not suitable for input", f.Name)
	}
	r := &rowReader{src: src, f: f.in(schema, o), schema: schema, o: o}
	if split, ok := r.f.(splitFormat); ok && o.Threads > 1 && o.AllowErrorsNum == 0 && o.AllowErrorsPart == 0 {
		return newParallelReader(r, split, o.Threads), nil
	}
	return r, nil
}

// Close implements Reader.
func (r *rowReader) Close() error { return nil }

// Read implements Reader.
func (r *rowReader) Read(ctx context.Context, maxRows, maxBytes int) (*Rows, error) {
	rows := NewRows(r.schema)
	if !r.eof {
		r.last.reserve(rows)
	}
	if !r.headed {
		if err := r.step(func(b []byte, eof bool) (int, error) { return r.f.header(b, eof, rows) }); err != nil {
			return nil, err
		}
		r.headed = true
	}
	for size := 0; rows.N == 0 || rows.N < maxRows && size < maxBytes; { // a unit of input may hold no row
		if rows.N%1024 == 0 && ctx.Err() != nil {
			return nil, ctx.Err()
		}
		consumed := 0
		err := r.step(func(b []byte, eof bool) (int, error) {
			n := rows.N
			k, err := r.f.row(b, eof, rows)
			if err != nil {
				rows.cut(n)
			}
			consumed = k
			return k, err
		})
		if err == io.EOF {
			break
		}
		r.rows++
		if err != nil {
			if err := r.forgive(err); err != nil {
				return nil, err
			}
			continue
		}
		size += consumed
		if _, ok := r.f.(blockFormat); !ok {
			rows.N++
		}
	}
	rows.end()
	if rows.N == 0 {
		return nil, io.EOF
	}
	r.last = SizesOf(rows)
	return rows, nil
}

// Sizes is the room that a block took: the next one of a long input takes about as much, and is not copied as it grows.
type Sizes struct{ cols []column.Size }

// SizesOf is the room that r takes, with a little to spare. Small blocks are not worth it.
func SizesOf(r *Rows) Sizes {
	const small, spare = 1024, 16
	var s Sizes
	if r.N < small || r.Cols == nil {
		return s
	}
	s.cols = make([]column.Size, len(r.Cols))
	for i, c := range r.Cols {
		s.cols[i] = column.SizeOf(c)
		s.cols[i].Spare(spare)
	}
	return s
}

// NewRows returns an empty block of the schema with room for as much.
func (s *Sizes) NewRows(schema column.Schema) *Rows {
	r := NewRows(schema)
	s.reserve(r)
	return r
}

// reserve makes room in an empty block.
func (s *Sizes) reserve(r *Rows) {
	for i, size := range s.cols {
		r.Cols[i] = column.NewSized(r.Schema[i].Type, size)
	}
}

// forgive skips a bad row if the settings allow as many, else returns the error with the row's number.
func (r *rowReader) forgive(err error) error {
	r.bad++
	if r.bad > r.o.AllowErrorsNum && float64(r.bad) > r.o.AllowErrorsPart*float64(r.rows) {
		var e *sqlerr.Error
		if errors.As(err, &e) {
			return &sqlerr.Error{Code: e.Code, Msg: e.Msg + rowNote(r.rows, r.buf[r.pos:]), Pos: -1, Cause: e.Cause}
		}
		return err
	}
	return r.step(r.f.skip)
}

func rowNote(row uint64, data []byte) string {
	const show = 100 // bytes of the row that the message shows
	if len(data) > show {
		data = data[:show]
	}
	return sqlerr.New(0, ": (at row %d, input begins %q)", row, data).Msg
}

// step runs parse on the bytes at hand, and again with more while it asks for them.
func (r *rowReader) step(parse func(data []byte, eof bool) (int, error)) error {
	for {
		n, err := parse(r.buf[r.pos:], r.eof)
		if err == nil {
			r.pos += n
			return nil
		}
		if err != errShort {
			return err
		}
		if r.eof {
			return sqlerr.New(sqlerr.CannotReadAllData, "Cannot read all data: the input ends inside a row")
		}
		if err := r.fill(); err != nil {
			return err
		}
	}
}

// fill reads more of the input, at least doubling what is at hand, so that a long row is parsed a bounded number of
// times. The buffer starts small, for the insert of one row, and grows while the input fills it.
func (r *rowReader) fill() error {
	rest := copy(r.buf, r.buf[r.pos:])
	full := len(r.buf) == cap(r.buf)
	r.buf, r.pos = r.buf[:rest], 0
	if rest > maxRow {
		return sqlerr.New(sqlerr.IncorrectData, "Size of a row in the input exceeds %d bytes", maxRow)
	}
	size := max(firstRead, 2*rest)
	if full {
		size = max(size, min(2*cap(r.buf), maxRead))
	}
	if size > cap(r.buf) {
		bigger := make([]byte, rest, size)
		copy(bigger, r.buf)
		r.buf = bigger
	}
	for len(r.buf) < max(2*rest, 1) && !r.eof {
		n, err := r.src.Read(r.buf[len(r.buf):cap(r.buf)])
		r.buf = r.buf[:len(r.buf)+n]
		switch {
		case err == io.EOF:
			r.eof = true
		case err != nil:
			return err
		}
	}
	return nil
}

// Decoder reads messages of a format into a growing block.
type Decoder struct{ f rowFormat }

// NewDecoder reads messages of the schema; FormatIsNotSuitableForInput if the format is for output only or its inputs are files.
func (f *Format) NewDecoder(schema column.Schema, o Options) (*Decoder, error) {
	if f.in == nil {
		return nil, sqlerr.New(sqlerr.FormatIsNotSuitableForInput, "Format %s is not suitable for input", f.Name)
	}
	return &Decoder{f: f.in(schema, o)}, nil
}

// Decode appends all rows of one message to rows, or none and an error.
func (d *Decoder) Decode(msg []byte, rows *Rows) error {
	start := rows.N
	n, err := d.f.header(msg, true, rows)
	for err == nil {
		msg = msg[n:]
		if n, err = d.f.row(msg, true, rows); err == nil {
			if _, ok := d.f.(blockFormat); !ok {
				rows.N++
			}
		}
	}
	if err == io.EOF {
		return nil
	}
	rows.cut(start)
	if err == errShort {
		return sqlerr.New(sqlerr.CannotReadAllData, "Cannot read all data: the message ends inside a row")
	}
	return err
}
