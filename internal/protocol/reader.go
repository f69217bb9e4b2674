package protocol

import (
	"encoding/binary"
	"errors"
	"io"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/compress"
	"github.com/olapd/olapd/internal/format"
	"github.com/olapd/olapd/internal/sqlerr"
)

// readSize is how much is read at once at least.
const readSize = 64 << 10

// Reader reads one direction of a connection. The first error stays, and everything read behind it is zero: read a packet,
// then look at Err. One goroutine at a time.
type Reader struct {
	src    io.Reader
	base   []byte // the buffer that buf returns to
	buf    []byte // read, not yet used
	frames *compress.FrameReader
	plain  []byte // of frames: decompressed, not yet used
	err    error
}

// NewReader reads from src, which it reads ahead of.
func NewReader(src io.Reader) *Reader {
	r := &Reader{src: src, base: make([]byte, 0, readSize)}
	r.buf = r.base
	r.frames = compress.NewFrameReader(rest{r})
	return r
}

// Err is the first error, or nil. The end of the stream inside of anything is io.ErrUnexpectedEOF.
func (r *Reader) Err() error { return r.err }

// fail keeps the first error.
func (r *Reader) fail(err error) {
	if r.err == nil {
		r.err = err
	}
}

// Wait returns when the next byte is there, which it leaves there. Its errors do not stay, so that a wait may be cut short
// by a deadline; io.EOF is the end.
func (r *Reader) Wait() error {
	if r.err != nil {
		return r.err
	}
	if len(r.buf) > 0 {
		return nil
	}
	r.buf = r.base
	for {
		n, err := r.src.Read(r.buf[:cap(r.buf)])
		if r.buf = r.buf[:n]; n > 0 {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// TakeCancel takes the packet Cancel if that is what Wait has found.
func (r *Reader) TakeCancel() bool {
	if len(r.buf) == 0 || r.buf[0] != byte(ClientCancel) {
		return false
	}
	r.buf = r.buf[1:]
	return true
}

// compact moves what was read to the front of the buffer that is kept.
func (r *Reader) compact() {
	if len(r.buf) <= cap(r.base) {
		r.buf = append(r.base[:0], r.buf...)
	}
}

// more implements what format.DecodeNativeBlock asks for: data with at least n bytes more.
func more(src io.Reader, data []byte, n int) ([]byte, error) {
	want := len(data) + n
	if n > maxBlock || want > maxBlock {
		return nil, sqlerr.New(sqlerr.TooLargeArraySize, "A block of more than %d bytes", maxBlock)
	}
	for len(data) < want {
		if len(data) == cap(data) {
			data = append(make([]byte, 0, max(2*cap(data), readSize)), data...)
		}
		k, err := src.Read(data[len(data):cap(data)])
		data = data[:len(data)+k]
		if err != nil && len(data) < want {
			return nil, unexpected(err)
		}
	}
	return data, nil
}

func unexpected(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

// need makes at least n bytes ready; false after an error.
func (r *Reader) need(n int) bool {
	if r.err != nil {
		return false
	}
	if len(r.buf) >= n {
		return true
	}
	r.compact()
	b, err := more(r.src, r.buf, n-len(r.buf))
	if err != nil {
		r.fail(err)
		return false
	}
	r.buf = b
	return true
}

// take returns the next n bytes, which hold until the next call.
func (r *Reader) take(n int) []byte {
	if !r.need(n) {
		return nil
	}
	b := r.buf[:n]
	r.buf = r.buf[n:]
	return b
}

// Byte reads one byte.
func (r *Reader) Byte() byte {
	if b := r.take(1); b != nil {
		return b[0]
	}
	return 0
}

// Bool reads a byte that is 0 or not.
func (r *Reader) Bool() bool { return r.Byte() != 0 }

// Int32 and Int64 read fixed numbers.
func (r *Reader) Int32() int32 {
	if b := r.take(4); b != nil {
		return int32(binary.LittleEndian.Uint32(b))
	}
	return 0
}

// Int64 reads a fixed number.
func (r *Reader) Int64() int64 {
	if b := r.take(8); b != nil {
		return int64(binary.LittleEndian.Uint64(b))
	}
	return 0
}

// Uvarint reads a number.
func (r *Reader) Uvarint() uint64 {
	for r.need(1) {
		x, n := binary.Uvarint(r.buf)
		switch {
		case n > 0:
			r.buf = r.buf[n:]
			return x
		case n < 0 || len(r.buf) >= binary.MaxVarintLen64:
			r.fail(sqlerr.New(sqlerr.CannotReadAllData, "A number is longer than 64 bits"))
		default:
			r.need(len(r.buf) + 1)
		}
	}
	return 0
}

// Count reads a number that may not exceed a limit.
func (r *Reader) Count(limit uint64, what string) int {
	n := r.Uvarint()
	if n > limit {
		r.fail(sqlerr.New(sqlerr.TooLargeArraySize, "Too many or too large: %d for %s; the limit is %d", n, what, limit))
		return 0
	}
	return int(n)
}

// Int reads a number such as a version.
func (r *Reader) Int() int { return r.Count(1<<31-1, "a number") }

// Name reads a short string, Text one that may be long.
func (r *Reader) Name() string { return r.text(maxShort) }

// Text reads a string that may be long.
func (r *Reader) Text() string { return r.text(maxText) }

func (r *Reader) text(limit int) string {
	n := r.Uvarint()
	if n > uint64(limit) {
		r.fail(sqlerr.New(sqlerr.TooLargeStringSize, "A string of %d bytes in a packet; the limit is %d", n, limit))
		return ""
	}
	return string(r.take(int(n)))
}

// Block reads a block in Native form; compressed says that it is in frames. Its vectors are the caller's.
func (r *Reader) Block(revision int, compressed bool) (column.Schema, *column.Block) {
	if r.err != nil {
		return nil, nil
	}
	r.compact()
	src, data := r.src, r.buf
	if compressed {
		src, data = r.frames, r.plain
	}
	schema, b, left, err := format.DecodeNativeBlock(data, revision, func(data []byte, n int) ([]byte, error) { return more(src, data, n) })
	if err != nil {
		r.fail(err)
		return nil, nil
	}
	switch {
	case !compressed:
		r.buf = left
	case len(left) > 0:
		r.plain = left
	default:
		r.plain = nil
	}
	return schema, b
}

// rest reads what the Reader has read ahead, then its source: exactly as much as is asked for.
type rest struct{ r *Reader }

// Read implements io.Reader.
func (x rest) Read(p []byte) (int, error) {
	r := x.r
	if len(r.buf) == 0 {
		if err := r.Wait(); err != nil {
			return 0, err
		}
	}
	n := copy(p, r.buf)
	r.buf = r.buf[n:]
	return n, nil
}
