// Package blockcodec turns a block into bytes and back: the form in which rows travel in log
// entries and stand in state snapshots. It is self-describing (type names, not column names), compact,
// versioned, and checksummed; any input gives a block or an error, never a panic.
//
// # Layout
//
// All numbers are little-endian, uv is an unsigned varint.
//
//	+---------+-------------------+---------+------------+-----------------------------+
//	| u8      | u64 xxh3-64 of    | uv rows | uv columns | per column: uv length, type |
//	| version | all bytes behind  |         |            | name                        |
//	+---------+-------------------+---------+------------+-----------------------------+
//	| u8 codec (none, lz4) | uv raw length | raw vectors, compressed as one, to the end  |
//	+----------------------+---------------+---------------------------------------------+
//
// The raw form of a vector of n values, by representation:
//
//	fixed width, FixedString, IPv6   n*W bytes
//	String, states                   n u32 lengths, then the bytes
//	Nullable                         n flags of 0 or 1, then the inner vector (zero where NULL)
//	Array                            n u32 lengths, then the vector of all elements
//	Map                              n u32 lengths, then the vectors of keys and of values
//	Tuple                            the vectors of the elements
//	Variant                          n u32 numbers of the values' types (2^32-1: NULL), then the vectors of the types
//	Dynamic                          uv types, per type uv length and name; the rest as of a Variant
//	JSON                             as Map(String, Dynamic): paths and values
//
// Const and Dict vectors are written flat; LZ4 takes the repetition out again.
package blockcodec

import (
	"encoding/binary"
	"slices"
	"sync"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/compress"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/internal/types"
	"github.com/zeebo/xxh3"
)

// Version is the first byte of every encoded block. Decode reads all versions up to it.
const Version = 1

// Limits on what Decode believes and Append writes.
const (
	// MaxRows bounds the rows of a block: a block of columns without bytes (empty tuples) costs nothing to forge.
	MaxRows = 1 << 24
	// MaxColumns bounds the columns of a block, far above any table.
	MaxColumns = 1 << 14
	// MaxTypeName bounds a type name; Enum16 with thousands of names is the longest there is.
	MaxTypeName = 1 << 20
	// MaxRaw bounds the raw size of the vectors: what one compressed block may hold.
	MaxRaw = compress.MaxBlock
	// minCompress is the raw size below which LZ4 is not tried: a few rows, where it saves nothing.
	minCompress = 128
)

const headerSize = 1 + 8

// Append appends the encoded block to dst. A block over the limits is TooLargeSizeCompressed.
func Append(dst []byte, b *column.Block) ([]byte, error) {
	if b.N > MaxRows || len(b.Cols) > MaxColumns || b.Bytes() > MaxRaw {
		return dst, tooLarge(b)
	}
	start := len(dst)
	dst = append(dst, Version, 0, 0, 0, 0, 0, 0, 0, 0)
	dst = binary.AppendUvarint(dst, uint64(b.N))
	dst = binary.AppendUvarint(dst, uint64(len(b.Cols)))
	for _, c := range b.Cols {
		name := c.Type().String()
		dst = binary.AppendUvarint(dst, uint64(len(name)))
		dst = append(dst, name...)
	}
	scratch := scratches.Get().(*[]byte)
	defer keepScratch(scratch)
	raw := slices.Grow((*scratch)[:0], int(b.Bytes())+64)
	for _, c := range b.Cols {
		raw = appendVector(raw, column.Flatten(c))
	}
	*scratch = raw
	if len(raw) > MaxRaw {
		return dst[:start], tooLarge(b)
	}
	dst, err := appendBody(dst, raw)
	if err != nil {
		return dst[:start], err
	}
	binary.LittleEndian.PutUint64(dst[start+1:], xxh3.Hash(dst[start+headerSize:]))
	return dst, nil
}

// scratches are the raw forms that Append compresses: megabytes for each commit, which would be fresh memory each time.
var scratches = sync.Pool{New: func() any { return new([]byte) }}

// maxScratch is the largest that is kept: the raw form of the largest block of a log entry that is filled well.
const maxScratch = 16 << 20

func keepScratch(b *[]byte) {
	if cap(*b) <= maxScratch {
		scratches.Put(b)
	}
}

func tooLarge(b *column.Block) error {
	return sqlerr.New(sqlerr.TooLargeSizeCompressed, "A block of %d rows, %d columns and %d bytes is too large to encode: the limits are %d, %d and %d",
		b.N, len(b.Cols), b.Bytes(), MaxRows, MaxColumns, int64(MaxRaw))
}

// appendBody appends codec, raw length and the raw bytes, compressed where that helps.
func appendBody(dst, raw []byte) ([]byte, error) {
	at := len(dst)
	if len(raw) >= minCompress {
		out := binary.AppendUvarint(append(dst, byte(compress.LZ4)), uint64(len(raw)))
		body := len(out)
		out, err := compress.AppendCompress(out, compress.LZ4, raw)
		if err != nil {
			return dst, err
		}
		if len(out)-body < len(raw) {
			return out, nil
		}
		dst = out[:at]
	}
	dst = binary.AppendUvarint(append(dst, byte(compress.None)), uint64(len(raw)))
	return append(dst, raw...), nil
}

// Decode returns the block that src, all of it, encodes; its vectors are flat and share nothing with
// src. Damage is ChecksumDoesntMatch or CorruptedData.
func Decode(src []byte) (*column.Block, error) {
	if len(src) < headerSize {
		return nil, corrupt("%d bytes", len(src))
	}
	if src[0] != Version {
		return nil, corrupt("version %d, this build reads %d", src[0], Version)
	}
	body := src[headerSize:]
	if sum := xxh3.Hash(body); sum != binary.LittleEndian.Uint64(src[1:]) {
		return nil, sqlerr.New(sqlerr.ChecksumDoesntMatch, "Checksum doesn't match: corrupted block of %d bytes", len(src))
	}
	return decodeBody(&input{b: body})
}

func decodeBody(in *input) (*column.Block, error) {
	rows := int(in.uvarint(MaxRows))
	ts, err := readTypes(in)
	if err != nil {
		return nil, err
	}
	raw, err := readRaw(in)
	if err != nil {
		return nil, err
	}
	b := &column.Block{Cols: make([]column.Vector, len(ts)), N: rows}
	r := &input{b: raw}
	for i, t := range ts {
		b.Cols[i] = readVector(r, t, rows)
		if r.err != nil {
			return nil, r.err
		}
	}
	if len(r.b) > 0 {
		return nil, corrupt("%d bytes behind the last column", len(r.b))
	}
	return b, nil
}

func readTypes(in *input) ([]*types.Type, error) {
	n := int(in.uvarint(MaxColumns))
	if in.err == nil && n > len(in.b) { // each takes a byte at least
		return nil, corrupt("%d columns in %d bytes", n, len(in.b))
	}
	var ts []*types.Type
	var last string
	for range n {
		name := string(in.take(int(in.uvarint(MaxTypeName))))
		if in.err != nil {
			return nil, in.err
		}
		if len(ts) > 0 && name == last { // neighbours often share a type
			ts = append(ts, ts[len(ts)-1])
			continue
		}
		t, err := types.Parse(name)
		if err != nil {
			return nil, sqlerr.Wrap(err, sqlerr.CorruptedData, "Corrupted block: column %d", len(ts))
		}
		if t.WithoutLowCardinality() != t {
			return nil, corrupt("a vector of type %s", name)
		}
		ts, last = append(ts, t), name
	}
	return ts, in.err
}

func readRaw(in *input) ([]byte, error) {
	codec, size := compress.Codec(in.u8()), int(in.uvarint(MaxRaw))
	if in.err != nil {
		return nil, in.err
	}
	if codec == compress.None {
		if size != len(in.b) {
			return nil, corrupt("%d raw bytes where %d are declared", len(in.b), size)
		}
		return in.b, nil
	}
	if codec != compress.LZ4 || size/255 > len(in.b) {
		return nil, corrupt("codec %s, %d bytes for %d", codec, len(in.b), size)
	}
	raw := make([]byte, size)
	return raw, compress.Decompress(raw, codec, in.b)
}

func corrupt(format string, args ...any) error {
	return sqlerr.New(sqlerr.CorruptedData, "Corrupted block: "+format, args...)
}
