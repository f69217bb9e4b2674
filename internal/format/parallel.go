package format

import (
	"bytes"
	"context"
	"io"
)

// splitFormat is a rowFormat whose rows can be told apart without parsing them.
type splitFormat interface {
	rowFormat
	// clone returns a parser for rows elsewhere in the same input; it is called behind the header.
	clone() rowFormat
	// boundary returns the length of the whole rows that data, which begins with a row, seems to hold. Where that is a mistake,
	// parsing those rows as an input of their own must fail.
	boundary(data []byte) int
}

// chunkBytes is how much input one goroutine parses at a time: it becomes a block.
const chunkBytes = 8 << 20

// parallelReader parses chunks of an input side by side and hands them on in order. The input is read by the caller of Read only,
// and Close waits for the goroutines. A chunk that does not parse is left to a rowReader, with all that follows: it finds the
// error and its row, or that the chunk was no whole number of rows.
type parallelReader struct {
	serial  *rowReader // reads the header, and what chunks cannot
	f       splitFormat
	threads int
	chunked bool // else serial reads
	buf     []byte
	eof     bool
	whole   bool // the rest of the input is for serial, once the chunks are through
	chunks  []*chunk
	spare   [][]byte
	last    Sizes
	pending *Rows // of a chunk that had more rows than were asked for
}

// chunk is a part of the input. Its rows may be read once done is closed.
type chunk struct {
	data []byte
	buf  []byte // what data is the beginning of, to be used again
	rows *Rows
	err  error
	done chan struct{}
}

// newParallelReader returns a reader that turns to chunks if the input is more than one.
func newParallelReader(serial *rowReader, f splitFormat, threads int) *parallelReader {
	return &parallelReader{serial: serial, f: f, threads: threads}
}

// Close implements Reader.
func (r *parallelReader) Close() error {
	for _, c := range r.chunks {
		<-c.done
	}
	r.chunks = nil
	return nil
}

// Read implements Reader.
func (r *parallelReader) Read(ctx context.Context, maxRows, maxBytes int) (*Rows, error) {
	if r.buf == nil && !r.chunked && !r.whole {
		if err := r.start(); err != nil {
			return nil, err
		}
	}
	for r.pending == nil {
		if !r.chunked {
			return r.serial.Read(ctx, maxRows, maxBytes)
		}
		if err := r.advance(ctx); err != nil {
			return nil, err
		}
	}
	return r.piece(maxRows), nil
}

// start reads the first chunk and its header. An input that ends there is not worth a goroutine.
func (r *parallelReader) start() error {
	s := r.serial
	if err := r.fill(firstRead); err != nil {
		return err
	}
	if r.eof {
		r.whole = true
		s.buf, s.eof = r.buf, true
		return nil
	}
	rows := NewRows(s.schema)
	n, err := r.f.header(r.buf, false, rows)
	if err == errShort || rows.N > 0 {
		r.whole = true
		s.buf = r.buf
		return nil
	}
	if err != nil {
		return err
	}
	s.headed, r.chunked = true, true
	r.buf = append(make([]byte, 0, chunkBytes), r.buf[n:]...)
	return nil
}

// fill reads until there is a chunk or the input ends, into a buffer that starts at size and grows while it is filled.
func (r *parallelReader) fill(size int) error {
	if cap(r.buf) == 0 {
		r.buf = make([]byte, 0, size)
	}
	for !r.eof && len(r.buf) < chunkBytes {
		if len(r.buf) == cap(r.buf) {
			r.buf = append(make([]byte, 0, min(4*cap(r.buf), chunkBytes)), r.buf...)
		}
		n, err := r.serial.src.Read(r.buf[len(r.buf):cap(r.buf)])
		r.buf = r.buf[:len(r.buf)+n]
		if err == io.EOF {
			r.eof = true
		} else if err != nil {
			return err
		}
	}
	return nil
}

// advance keeps the threads at work and takes the next rows.
func (r *parallelReader) advance(ctx context.Context) error {
	for len(r.chunks) < r.threads && !r.whole && !(r.eof && len(r.buf) == 0) {
		if err := r.cut(); err != nil {
			return err
		}
	}
	if len(r.chunks) == 0 {
		if r.whole {
			r.serialize()
			return nil
		}
		return io.EOF
	}
	c := r.chunks[0]
	select {
	case <-c.done:
	case <-ctx.Done():
		return ctx.Err()
	}
	if c.err != nil {
		r.serialize()
		return nil
	}
	r.chunks = r.chunks[1:]
	r.spare = append(r.spare, c.buf[:0])
	r.serial.rows += uint64(c.rows.N)
	r.last = SizesOf(c.rows)
	if c.rows.N > 0 {
		r.pending = c.rows
	}
	return nil
}

// cut starts on the next chunk of the input.
func (r *parallelReader) cut() error {
	if err := r.fill(chunkBytes); err != nil {
		return err
	}
	n := len(r.buf)
	if !r.eof {
		n = r.f.boundary(r.buf)
	}
	if n == 0 {
		r.whole = len(r.buf) > 0 // a row of more than a chunk
		return nil
	}
	c := &chunk{data: r.buf[:n], buf: r.buf, done: make(chan struct{})}
	next := []byte(nil)
	if k := len(r.spare); k > 0 {
		next, r.spare = r.spare[k-1], r.spare[:k-1]
	}
	if rest := r.buf[n:]; len(rest) > 0 || !r.eof {
		if cap(next) < chunkBytes {
			next = make([]byte, 0, chunkBytes)
		}
		next = append(next[:0], rest...)
	}
	r.buf = next
	r.chunks = append(r.chunks, c)
	go c.parse(r.f.clone(), r.last.NewRows(r.serial.schema))
	return nil
}

// parse reads the chunk's rows.
func (c *chunk) parse(f rowFormat, rows *Rows) {
	defer close(c.done)
	c.rows = rows
	c.err = safely(func() error {
		for pos := 0; ; rows.N++ {
			n, err := f.row(c.data[pos:], true, rows)
			if err == io.EOF {
				rows.end()
				return nil
			}
			if err != nil {
				return err
			}
			pos += n
		}
	})
}

// serialize leaves the chunks at hand and the rest of the input to the rowReader.
func (r *parallelReader) serialize() {
	var parts [][]byte
	for _, c := range r.chunks {
		<-c.done
		parts = append(parts, c.data)
	}
	s := r.serial
	s.buf, s.pos, s.eof = bytes.Join(append(parts, r.buf), nil), 0, r.eof
	r.chunks, r.chunked, r.whole, r.buf, r.spare = nil, false, true, nil, nil
}

// piece is up to n of the rows pending.
func (r *parallelReader) piece(n int) *Rows {
	p := r.pending
	if p.N <= n {
		r.pending = nil
		return p
	}
	b := p.Block()
	head, tail := &Rows{Schema: p.Schema, N: n, whole: b.Slice(0, n).Cols}, &Rows{Schema: p.Schema, N: p.N - n, whole: b.Slice(n, p.N).Cols}
	head.Omitted, tail.Omitted = make([][]uint8, len(p.Omitted)), make([][]uint8, len(p.Omitted))
	for c, m := range p.Omitted {
		if m != nil {
			head.Omitted[c], tail.Omitted[c] = m[:n], m[n:]
		}
	}
	r.pending = tail
	return head
}
