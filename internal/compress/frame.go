package compress

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"

	"github.com/go-faster/city"
	"github.com/olapd/olapd/internal/sqlerr"
)

// The method bytes of frames.
const (
	methodNone = 0x02
	methodLZ4  = 0x82
	methodZSTD = 0x90
)

const (
	hashSize   = 16
	headerSize = 9
	// frameRaw is the raw size at which a FrameWriter cuts a frame, as ClickHouse's max_compress_block_size.
	frameRaw = 1 << 20
)

var methodOf = map[Codec]byte{None: methodNone, LZ4: methodLZ4, ZSTD: methodZSTD}

// AppendFrame appends one frame holding src, which must not exceed MaxBlock, to dst.
func AppendFrame(dst []byte, c Codec, src []byte) ([]byte, error) {
	method, ok := methodOf[c]
	if !ok {
		return dst, sqlerr.New(sqlerr.UnknownCodec, "Unknown compression codec %d", uint8(c))
	}
	start := len(dst)
	out, err := AppendCompress(append(dst, make([]byte, hashSize+headerSize)...), c, src)
	if err != nil {
		return dst, err
	}
	body := out[start+hashSize:]
	body[0] = method
	binary.LittleEndian.PutUint32(body[1:], uint32(len(body)))
	binary.LittleEndian.PutUint32(body[5:], uint32(len(src)))
	h := city.CH128(body)
	binary.LittleEndian.PutUint64(out[start:], h.Low)
	binary.LittleEndian.PutUint64(out[start+8:], h.High)
	return out, nil
}

// FrameWriter compresses a stream into frames. Flush or Close ends the last frame;
// neither closes the underlying writer.
type FrameWriter struct {
	w     io.Writer
	codec Codec
	raw   []byte
	out   []byte
}

// NewFrameWriter returns a writer of frames of codec c to w.
func NewFrameWriter(w io.Writer, c Codec) *FrameWriter { return &FrameWriter{w: w, codec: c} }

// Write implements io.Writer.
func (f *FrameWriter) Write(p []byte) (int, error) {
	total := len(p)
	for len(p) > 0 {
		n := min(len(p), frameRaw-len(f.raw))
		f.raw = append(f.raw, p[:n]...)
		p = p[n:]
		if len(f.raw) == frameRaw {
			if err := f.Flush(); err != nil {
				return total - len(p), err
			}
		}
	}
	return total, nil
}

// Flush writes what is buffered as a frame of its own; nothing if nothing is buffered.
func (f *FrameWriter) Flush() error {
	if len(f.raw) == 0 {
		return nil
	}
	out, err := AppendFrame(f.out[:0], f.codec, f.raw)
	if err != nil {
		return err
	}
	f.out, f.raw = out, f.raw[:0]
	_, err = f.w.Write(out)
	return err
}

// Close is Flush.
func (f *FrameWriter) Close() error { return f.Flush() }

// FrameReader reads the raw bytes of a stream of frames. A stream that ends between frames
// ends with io.EOF; a checksum that differs is code ChecksumDoesntMatch, anything
// else wrong with a frame is CannotDecompress or TooLargeSizeCompressed. After an error it stays in error.
type FrameReader struct {
	r    io.Reader
	buf  bytes.Buffer // compressed frame from its method byte on
	raw  []byte
	rest []byte // of raw: not yet read
	err  error
}

// NewFrameReader returns a reader of the frames of r. It reads no further than the end of the frame it needs.
func NewFrameReader(r io.Reader) *FrameReader { return &FrameReader{r: r} }

// Read implements io.Reader.
func (f *FrameReader) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	for len(f.rest) == 0 {
		if f.err == nil {
			f.err = f.next()
		}
		if f.err != nil {
			return 0, f.err
		}
	}
	n := copy(p, f.rest)
	f.rest = f.rest[n:]
	return n, nil
}

// next reads and decompresses one frame.
func (f *FrameReader) next() error {
	var head [hashSize + headerSize]byte
	if n, err := io.ReadFull(f.r, head[:]); err != nil {
		if n == 0 && errors.Is(err, io.EOF) {
			return io.EOF
		}
		return truncated(err)
	}
	codec, size, rawSize, err := parseHeader(head[hashSize:])
	if err != nil {
		return err
	}
	f.buf.Reset()
	f.buf.Write(head[hashSize:])
	if _, err := io.CopyN(&f.buf, f.r, int64(size-headerSize)); err != nil {
		return truncated(err)
	}
	body := f.buf.Bytes()
	want := city.U128{Low: binary.LittleEndian.Uint64(head[:]), High: binary.LittleEndian.Uint64(head[8:])}
	if got := city.CH128(body); got != want {
		return sqlerr.New(sqlerr.ChecksumDoesntMatch, "Checksum doesn't match: corrupted data. Reference: %016x%016x. Actual: %016x%016x. Size of compressed block: %d",
			want.High, want.Low, got.High, got.Low, size)
	}
	if cap(f.raw) < rawSize {
		f.raw = make([]byte, rawSize)
	}
	f.raw = f.raw[:rawSize]
	if err := Decompress(f.raw, codec, body[headerSize:]); err != nil {
		return err
	}
	f.rest = f.raw
	return nil
}

// parseHeader checks the 9 bytes in front of the compressed data.
func parseHeader(h []byte) (c Codec, size, raw int, err error) {
	size, raw = int(binary.LittleEndian.Uint32(h[1:])), int(binary.LittleEndian.Uint32(h[5:]))
	switch h[0] {
	case methodNone:
		c = None
	case methodLZ4:
		c = LZ4
	case methodZSTD:
		c = ZSTD
	default:
		return 0, 0, 0, sqlerr.New(sqlerr.CannotDecompress, "Unknown compression method 0x%02x", h[0])
	}
	if size < headerSize {
		return 0, 0, 0, sqlerr.New(sqlerr.CannotDecompress, "Compressed size %d is less than the %d bytes of its header", size, headerSize)
	}
	if size > MaxBlock+MaxBlock/128 || raw > MaxBlock {
		return 0, 0, 0, sqlerr.New(sqlerr.TooLargeSizeCompressed, "Too large block: %d bytes compressed, %d raw; the limit is %d", size, raw, MaxBlock)
	}
	if data := size - headerSize; c == None && raw != data || c == LZ4 && raw > data*lz4MaxRatio {
		return 0, 0, 0, sqlerr.New(sqlerr.CannotDecompress, "Impossible raw size %d for %d bytes of %s", raw, data, c)
	}
	return c, size, raw, nil
}

// truncated marks the end of input inside a frame; other errors of the source pass unchanged.
func truncated(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return sqlerr.Wrap(io.ErrUnexpectedEOF, sqlerr.CannotDecompress, "Compressed data ends inside a block")
	}
	return err
}
