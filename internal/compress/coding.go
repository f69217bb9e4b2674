package compress

import (
	"compress/gzip"
	"compress/zlib"
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/klauspost/compress/zstd"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/pierrec/lz4/v4"
)

// Coding is a content coding of HTTP, named as in Content-Encoding.
type Coding string

// The codings; Deflate is zlib, as HTTP means it.
const (
	Identity Coding = ""
	Gzip     Coding = "gzip"
	Deflate  Coding = "deflate"
	Zstd     Coding = "zstd"
	Lz4Frame Coding = "lz4"
)

// Codings lists what a server offers, preferred first: by bytes saved per CPU second.
var Codings = []Coding{Zstd, Lz4Frame, Gzip, Deflate}

// maxWindow bounds the memory that a Zstandard stream may ask for: what `zstd --ultra -22` without --long needs.
const maxWindow = 128 << 20

// ParseCoding knows a coding by its name; "" and "identity" are Identity.
func ParseCoding(name string) (Coding, bool) {
	switch c := Coding(name); c {
	case "identity":
		return Identity, true
	case "x-gzip":
		return Gzip, true
	case Identity, Gzip, Deflate, Zstd, Lz4Frame:
		return c, true
	}
	return "", false
}

// NewReader returns a reader of the raw bytes of r, which is coded as c. Close frees the
// decoder and leaves r alone. Errors in the data have the code CannotDecompress; errors
// of r itself pass unchanged. The amount of raw data is not limited.
func NewReader(r io.Reader, c Coding) (io.ReadCloser, error) {
	src := &source{r: r}
	d := &decoder{src: src, coding: c}
	switch c {
	case Identity:
		return io.NopCloser(r), nil
	case Gzip:
		d.open = func() (io.Reader, func() error, error) {
			z, err := gzip.NewReader(src)
			if err != nil {
				return nil, nil, err
			}
			return z, z.Close, nil
		}
	case Deflate:
		d.open = func() (io.Reader, func() error, error) {
			z, err := zlib.NewReader(src)
			if err != nil {
				return nil, nil, err
			}
			return z, z.Close, nil
		}
	case Zstd:
		d.open = func() (io.Reader, func() error, error) {
			z, err := zstd.NewReader(src, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(maxWindow), zstd.WithDecoderLowmem(true))
			if err != nil {
				return nil, nil, err
			}
			return z, func() error { z.Close(); return nil }, nil
		}
	case Lz4Frame:
		d.open = func() (io.Reader, func() error, error) { return lz4.NewReader(src), nil, nil }
	default:
		return nil, unknownCoding(c)
	}
	return d, nil
}

// NewWriter returns a writer that codes what it is given to w. Flush makes what was
// written readable at the other end; Close ends the stream, leaves w open and ends the use of the writer.
func NewWriter(w io.Writer, c Coding) (WriteFlushCloser, error) {
	if c == Identity {
		return nopWriter{w}, nil
	}
	pool := coders[c]
	if pool == nil {
		return nil, unknownCoding(c)
	}
	z, ok := pool.Get().(resettable)
	if !ok {
		var err error
		if z, err = newCoder(c); err != nil {
			return nil, err
		}
	}
	z.Reset(w)
	return &pooledCoder{z: z, pool: pool}, nil
}

// coders keep coders between answers: one of gzip takes 800 KB, most of the cost of a small answer.
var coders = map[Coding]*sync.Pool{Gzip: {}, Deflate: {}, Zstd: {}, Lz4Frame: {}}

// resettable is a coder that can be used again.
type resettable interface {
	WriteFlushCloser
	Reset(w io.Writer)
}

func newCoder(c Coding) (resettable, error) {
	switch c {
	case Gzip:
		return gzip.NewWriterLevel(io.Discard, gzip.BestSpeed)
	case Deflate:
		return zlib.NewWriterLevel(io.Discard, zlib.BestSpeed)
	case Zstd:
		return zstd.NewWriter(io.Discard, zstd.WithEncoderConcurrency(1), zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithWindowSize(1<<20))
	}
	z := lz4.NewWriter(io.Discard)
	if err := z.Apply(lz4.BlockSizeOption(lz4.Block256Kb), lz4.ConcurrencyOption(1)); err != nil {
		return nil, fmt.Errorf("compress: lz4 frame options: %w", err)
	}
	return z, nil
}

// pooledCoder gives its coder back when it is closed.
type pooledCoder struct {
	z    resettable // nil once closed
	pool *sync.Pool
}

// Write implements io.Writer.
func (p *pooledCoder) Write(b []byte) (int, error) {
	if p.z == nil {
		return 0, io.ErrClosedPipe
	}
	return p.z.Write(b)
}

// Flush implements WriteFlushCloser.
func (p *pooledCoder) Flush() error {
	if p.z == nil {
		return io.ErrClosedPipe
	}
	return p.z.Flush()
}

// Close implements io.Closer; again it does nothing.
func (p *pooledCoder) Close() error {
	z := p.z
	if z == nil {
		return nil
	}
	p.z = nil
	err := z.Close()
	z.Reset(io.Discard) // lets go of the answer
	if err == nil {
		p.pool.Put(z)
	}
	return err
}

// WriteFlushCloser is a coding writer.
type WriteFlushCloser interface {
	io.WriteCloser
	Flush() error
}

func unknownCoding(c Coding) error {
	return sqlerr.New(sqlerr.NotImplemented, "Unknown or unsupported content encoding %q", string(c))
}

type nopWriter struct{ io.Writer }

func (nopWriter) Flush() error { return nil }
func (nopWriter) Close() error { return nil }

// source remembers the first error of the wrapped reader, to tell it from errors in the data.
type source struct {
	r    io.Reader
	seen bool // at least one byte was read
	err  error
}

func (s *source) Read(p []byte) (int, error) {
	n, err := s.r.Read(p)
	s.seen = s.seen || n > 0
	if err != nil && !errors.Is(err, io.EOF) {
		s.err = err
	}
	return n, err
}

// decoder opens the codec at the first Read, so that a missing body is an empty one, and gives errors their codes.
type decoder struct {
	src    *source
	coding Coding
	open   func() (io.Reader, func() error, error)
	r      io.Reader
	close  func() error
	err    error
}

// Read implements io.Reader.
func (d *decoder) Read(p []byte) (int, error) {
	if d.err != nil {
		return 0, d.err
	}
	if d.r == nil {
		r, closer, err := d.open()
		if err != nil {
			d.err = d.coded(err)
			return 0, d.err
		}
		d.r, d.close = r, closer
	}
	n, err := d.r.Read(p)
	if err != nil {
		d.err = d.coded(err)
	}
	return n, d.err
}

func (d *decoder) coded(err error) error {
	switch {
	case d.src.err != nil:
		return d.src.err
	case errors.Is(err, io.EOF) && d.r != nil, !d.src.seen: // the end, or no body at all
		return io.EOF
	}
	return sqlerr.Wrap(err, sqlerr.CannotDecompress, "Cannot decompress the %s body", d.coding)
}

// Close implements io.Closer.
func (d *decoder) Close() error {
	d.err = io.ErrClosedPipe
	if d.close != nil {
		return d.close()
	}
	return nil
}
