package segment

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"

	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/zeebo/xxh3"
)

const (
	magic        = "olapseg"
	headSize     = len(magic) + 1 // with the version behind it
	trailerMagic = "olapsegtrailer"
	trailerSize  = 56
	sumSize      = 8
)

// ref is where a chunk's body lies.
type ref struct {
	off int64
	len int
}

// MarshalJSON writes [offset, length].
func (r ref) MarshalJSON() ([]byte, error) { return fmt.Appendf(nil, "[%d,%d]", r.off, r.len), nil }

// UnmarshalJSON reads [offset, length].
func (r *ref) UnmarshalJSON(b []byte) error {
	var v [2]int64
	if err := json.Unmarshal(b, &v); err != nil {
		return err
	}
	r.off, r.len = v[0], int(v[1])
	return nil
}

func corrupt(path, format string, args ...any) error {
	return sqlerr.New(sqlerr.CorruptedData, "Corrupted segment %s: %s", path, fmt.Sprintf(format, args...))
}

func checksum(body []byte, off int64) uint64 { return xxh3.HashSeed(body, uint64(off)) }

// chunkWriter writes a file from front to back, hashing as it goes.
type chunkWriter struct {
	w       io.Writer
	version int // of the file
	buf     []byte
	off     int64 // of the end of buf in the file
	hash    *xxh3.Hasher
	err     error
}

// writeBuffer is how much is gathered before it goes to the file, firstBuffer what the buffer begins with: most segments are small.
const writeBuffer, firstBuffer = 1 << 20, 16 << 10

func newChunkWriter(w io.Writer, version int) *chunkWriter {
	c := &chunkWriter{w: w, version: version, hash: xxh3.New(), buf: make([]byte, 0, firstBuffer)}
	c.bytes(append([]byte(magic), byte(version)))
	return c
}

func (c *chunkWriter) bytes(b []byte) {
	c.buf = append(c.buf, b...)
	c.off += int64(len(b))
	if len(c.buf) >= writeBuffer {
		c.flush()
	}
}

// flush writes the buffer; the first error stays in err.
func (c *chunkWriter) flush() {
	if c.err != nil || len(c.buf) == 0 {
		c.buf = c.buf[:0]
		return
	}
	_, _ = c.hash.Write(c.buf) // never fails
	if _, err := c.w.Write(c.buf); err != nil {
		c.err = fmt.Errorf("segment: writing %d bytes: %w", len(c.buf), err)
	}
	c.buf = c.buf[:0]
}

// chunk writes a body and its checksum.
func (c *chunkWriter) chunk(body []byte) (ref, error) {
	if len(body) > maxChunk {
		return ref{}, sqlerr.New(sqlerr.TooLargeSizeCompressed, "A chunk of %d bytes exceeds the limit of %d", len(body), maxChunk)
	}
	r := ref{off: c.off, len: len(body)}
	sum := checksum(body, c.off)
	c.bytes(body)
	c.bytes(binary.LittleEndian.AppendUint64(nil, sum))
	return r, c.err
}

// trailer ends the file and returns the hash of all bytes before it.
func (c *chunkWriter) trailer(footer ref) (xxh3.Uint128, error) {
	c.flush()
	h := c.hash.Sum128()
	c.bytes(appendTrailer(nil, footer, h, c.version))
	c.flush()
	return h, c.err
}

func appendTrailer(dst []byte, footer ref, h xxh3.Uint128, version int) []byte {
	start := len(dst)
	dst = binary.LittleEndian.AppendUint64(dst, uint64(footer.off))
	dst = binary.LittleEndian.AppendUint32(dst, uint32(footer.len))
	dst = binary.LittleEndian.AppendUint32(dst, 0)
	dst = binary.LittleEndian.AppendUint64(dst, h.Lo)
	dst = binary.LittleEndian.AppendUint64(dst, h.Hi)
	dst = binary.LittleEndian.AppendUint64(dst, xxh3.Hash(dst[start:]))
	dst = append(dst, trailerMagic...)
	return binary.LittleEndian.AppendUint16(dst, uint16(version))
}

// parseTrailer checks the last bytes of a file of the given size that begins with a version.
func parseTrailer(b []byte, path string, size int64, version byte) (footer ref, h xxh3.Uint128, err error) {
	if string(b[40:54]) != trailerMagic {
		return ref{}, h, corrupt(path, "it does not end in a trailer")
	}
	switch v := binary.LittleEndian.Uint16(b[54:]); {
	case v < OldestVersion || v > Version:
		return ref{}, h, sqlerr.New(sqlerr.CorruptedData, "Segment %s has version %d; this release reads versions %d to %d", path, v, OldestVersion, Version)
	case v != uint16(version):
		return ref{}, h, corrupt(path, "it begins as version %d and ends as version %d", version, v)
	}
	if binary.LittleEndian.Uint64(b[32:]) != xxh3.Hash(b[:32]) {
		return ref{}, h, sqlerr.New(sqlerr.ChecksumDoesntMatch, "Checksum of the trailer of segment %s does not match", path)
	}
	footer = ref{off: int64(binary.LittleEndian.Uint64(b)), len: int(binary.LittleEndian.Uint32(b[8:]))}
	h = xxh3.Uint128{Lo: binary.LittleEndian.Uint64(b[16:]), Hi: binary.LittleEndian.Uint64(b[24:])}
	if footer.len > maxFooter || footer.off < int64(headSize) || footer.off+int64(footer.len)+sumSize+trailerSize != size {
		return ref{}, h, corrupt(path, "a footer of %d bytes at %d in a file of %d", footer.len, footer.off, size)
	}
	return footer, h, nil
}

// readChunk reads a body and verifies it. size is the file's.
func readChunk(f io.ReaderAt, path string, size int64, r ref) ([]byte, error) {
	if err := r.check(path, size); err != nil {
		return nil, err
	}
	b := make([]byte, r.len+sumSize)
	if n, err := f.ReadAt(b, r.off); n < len(b) {
		return nil, fmt.Errorf("segment: reading %d bytes at %d of %s: %w", len(b), r.off, path, err)
	}
	return verified(b, path, r)
}

// readChunks reads bodies that lie end to end, at once.
func readChunks(f io.ReaderAt, path string, size int64, refs []ref) ([][]byte, error) {
	first, last := refs[0], refs[len(refs)-1]
	for _, r := range refs {
		if err := r.check(path, size); err != nil {
			return nil, err
		}
	}
	b := make([]byte, last.off+last.stored()-first.off)
	if n, err := f.ReadAt(b, first.off); n < len(b) {
		return nil, fmt.Errorf("segment: reading %d bytes at %d of %s: %w", len(b), first.off, path, err)
	}
	out := make([][]byte, len(refs))
	for i, r := range refs {
		var err error
		if out[i], err = verified(b[:r.stored()], path, r); err != nil {
			return nil, err
		}
		b = b[r.stored():]
	}
	return out, nil
}

// check reports a place that cannot be one in a file of the given size.
func (r ref) check(path string, size int64) error {
	if r.len < 0 || r.len > maxChunk || r.off < int64(headSize) || r.off > size || r.off+r.stored()+trailerSize > size {
		return corrupt(path, "a chunk of %d bytes at %d in a file of %d", r.len, r.off, size)
	}
	return nil
}

// stored is what a chunk takes in the file.
func (r ref) stored() int64 { return int64(r.len) + sumSize }

// verified returns the body of a chunk, given with its checksum.
func verified(b []byte, path string, r ref) ([]byte, error) {
	body := b[:r.len:r.len]
	if got, want := checksum(body, r.off), binary.LittleEndian.Uint64(b[r.len:]); got != want {
		return nil, sqlerr.New(sqlerr.ChecksumDoesntMatch, "Checksum of %d bytes at %d of segment %s does not match: %016x, expected %016x", r.len, r.off, path, got, want)
	}
	return body, nil
}
