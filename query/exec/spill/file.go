package spill

import (
	"errors"
	"io"
	"path"

	"github.com/olapd/olapd/internal/blockcodec"
	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/internal/types"
	"github.com/olapd/olapd/internal/vfs"
)

// The size of a frame: what a Writer encodes and a Reader holds at once. ClickHouse's temporary_files_buffer_size is 1 MiB too.
const (
	frameBytes = 1 << 20 // of flat vectors; only a single row may take more
	frameRows  = 8192    // rows flattened at once: a row's size is known only then
)

// frame is where a run of rows is in the file.
type frame struct {
	offset int64
	bytes  int
	rows   int
}

// File is a finished temporary file.
type File struct {
	a      *Area
	name   string
	frames []frame
	types  []*types.Type // by column; nil for the columns that no block had
	size   int64
	rows   int64
	raw    int64 // bytes of the largest frame, decoded
}

// Rows returns the number of rows.
func (f *File) Rows() int64 { return f.rows }

// Bytes returns the size on disk.
func (f *File) Bytes() int64 { return f.size }

// FrameBytes returns the memory of the largest block that a Reader yields, before compression; it holds as much once more while decoding.
func (f *File) FrameBytes() int64 { return f.raw }

// Remove deletes the file. Its readers must be closed.
func (f *File) Remove() error { return f.a.remove(f.name) }

// Writer writes the blocks of one file. It belongs to one goroutine and ends with Finish or Abort.
type Writer struct {
	out  vfs.File
	file *File
	buf  []byte
}

// Write appends the rows of a block, whose columns have the same types, and are nil in the same places, in every block of
// the file. Nothing of it is kept. Small blocks make small frames: give it thousands of rows at once.
func (w *Writer) Write(b *column.Block) error {
	if w.file.types == nil {
		w.file.types = make([]*types.Type, len(b.Cols))
		for i, c := range b.Cols {
			if c != nil {
				w.file.types[i] = c.Type()
			}
		}
	}
	dense := &column.Block{N: b.N}
	for _, c := range b.Cols {
		if c != nil {
			dense.Cols = append(dense.Cols, c)
		}
	}
	for from := 0; from < b.N; from += frameRows {
		if err := w.flat(dense.Slice(from, min(from+frameRows, b.N)).Flatten()); err != nil {
			return err
		}
	}
	return nil
}

// flat writes flat rows in frames of about frameBytes.
func (w *Writer) flat(b *column.Block) error {
	if b.Bytes() > frameBytes && b.N > 1 {
		if err := w.flat(b.Slice(0, b.N/2)); err != nil {
			return err
		}
		return w.flat(b.Slice(b.N/2, b.N))
	}
	var err error
	if w.buf, err = blockcodec.Append(w.buf[:0], b); err != nil {
		return err
	}
	f, n := w.file, len(w.buf)
	if err := f.a.grow(f.name, int64(n)); err != nil {
		return err
	}
	if _, err := w.out.Write(w.buf); err != nil {
		return f.a.failed(err, f.name)
	}
	f.frames = append(f.frames, frame{offset: f.size, bytes: n, rows: b.N})
	f.size, f.rows, f.raw = f.size+int64(n), f.rows+int64(b.N), max(f.raw, b.Bytes())
	return nil
}

// Finish ends the file, which can be read from now on. On error it is removed.
func (w *Writer) Finish() (*File, error) {
	f := w.file
	w.buf = nil
	if err := w.out.Close(); err != nil {
		return nil, errors.Join(f.a.failed(err, f.name), f.Remove())
	}
	return f, nil
}

// Abort removes the unfinished file.
func (w *Writer) Abort() error { return errors.Join(w.out.Close(), w.file.Remove()) }

// Open returns a reader at the first row. Readers of one file are independent.
func (f *File) Open() (*Reader, error) {
	in, err := f.a.s.fs.Open(f.name)
	if err != nil {
		return nil, f.unreadable(err)
	}
	return &Reader{f: f, in: in}, nil
}

// OpenAt returns a reader at row n, the first of a block that was written.
func (f *File) OpenAt(n int64) (*Reader, error) {
	r, err := f.Open()
	if err != nil {
		return nil, err
	}
	for n > 0 && r.next < len(f.frames) {
		n -= int64(f.frames[r.next].rows)
		r.next++
	}
	return r, nil
}

func (f *File) unreadable(err error) error {
	return sqlerr.Wrap(err, sqlerr.CannotReadFromFile, "Cannot read temporary file %s", path.Base(f.name))
}

// Reader reads a file's blocks. It belongs to one goroutine.
type Reader struct {
	f    *File
	in   vfs.File
	next int
	buf  []byte
}

// Next returns the next rows, which are the caller's, or nil at the end. The columns are flat; nil where the written ones were.
func (r *Reader) Next() (*column.Block, error) {
	if r.next >= len(r.f.frames) {
		return nil, nil
	}
	fr := r.f.frames[r.next]
	r.next++
	if cap(r.buf) < fr.bytes {
		r.buf = make([]byte, fr.bytes)
	}
	buf := r.buf[:fr.bytes]
	if n, err := r.in.ReadAt(buf, fr.offset); n < len(buf) {
		if err == nil || errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		return nil, r.f.unreadable(err)
	}
	dense, err := blockcodec.Decode(buf)
	if err != nil {
		return nil, err
	}
	return r.f.restore(dense, fr.rows)
}

// restore puts the columns back in their places, with the types they had.
func (f *File) restore(dense *column.Block, rows int) (*column.Block, error) {
	out := &column.Block{N: dense.N, Cols: make([]column.Vector, len(f.types))}
	at := 0
	for i, t := range f.types {
		if t == nil {
			continue
		}
		if at >= len(dense.Cols) || dense.Cols[at].Type().Phys() != t.Phys() {
			return nil, sqlerr.New(sqlerr.CorruptedData, "Temporary file %s holds other columns than were written", path.Base(f.name))
		}
		out.Cols[i] = column.WithType(dense.Cols[at], t)
		at++
	}
	if at != len(dense.Cols) || dense.N != rows {
		return nil, sqlerr.New(sqlerr.CorruptedData, "Temporary file %s holds %d rows where %d were written", path.Base(f.name), dense.N, rows)
	}
	return out, nil
}

// Close ends the reader.
func (r *Reader) Close() error {
	r.buf = nil
	if err := r.in.Close(); err != nil {
		return r.f.unreadable(err)
	}
	return nil
}
