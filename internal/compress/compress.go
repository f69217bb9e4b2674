// Package compress owns the compression codecs: blocks in memory, ClickHouse's
// native compressed frames, and the content codings of HTTP. No other package
// imports an LZ4 or Zstandard module.
//
// # Blocks
//
// A block is compressed bytes without any header: whoever stores it also stores the
// codec and both sizes. Decompress fills a buffer of exactly the raw size, so that a
// damaged block can neither allocate nor write beyond it.
//
// # Frames
//
// What the native protocol and compress=1 of HTTP exchange (see FrameWriter, FrameReader):
//
//	+----------------------+--------+-----------------+----------+------------+
//	| CityHash128 v1.0.2   | method | size with these | raw size | compressed |
//	| low u64, high u64 LE | u8     | 9 bytes, u32 LE | u32 LE   | bytes      |
//	+----------------------+--------+-----------------+----------+------------+
//	 \____ 16 bytes ______/ \_________ hashed: method to the last byte ______/
//
// method is 0x02 (stored), 0x82 (LZ4 block) or 0x90 (Zstandard).
//
// All functions are safe for concurrent use; readers and writers are not.
package compress

import (
	"fmt"
	"slices"
	"sync"

	"github.com/klauspost/compress/s2"
	"github.com/klauspost/compress/zstd"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/pierrec/lz4/v4"
)

// Codec is a block codec. The numbers are stored in files: never renumber.
type Codec uint8

// The codecs.
const (
	None Codec = 0 // the raw bytes
	LZ4  Codec = 1 // LZ4 block format
	ZSTD Codec = 2 // one Zstandard frame, level 3
)

// String returns the codec's name.
func (c Codec) String() string {
	switch c {
	case None:
		return "none"
	case LZ4:
		return "lz4"
	case ZSTD:
		return "zstd"
	}
	return fmt.Sprintf("codec(%d)", uint8(c))
}

// Valid reports whether the codec is known.
func (c Codec) Valid() bool { return c <= ZSTD }

// MaxBlock bounds the raw size of one block and one frame: far above any page, and
// small enough that a forged length costs no more than this.
const MaxBlock = 128 << 20

// lz4MaxRatio is the most that LZ4 can expand: one length byte stands for 255 bytes.
const lz4MaxRatio = 255

var lz4Compressors = sync.Pool{New: func() any { return new(lz4.Compressor) }}

// The shared Zstandard coders are used only through EncodeAll and DecodeAll, which are concurrency-safe.
var (
	zstdEncoder = sync.OnceValue(func() *zstd.Encoder {
		e, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedDefault), zstd.WithEncoderCRC(false))
		if err != nil {
			panic(err) // the options are constants
		}
		return e
	})
	zstdDecoder = sync.OnceValue(func() *zstd.Decoder {
		d, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(0), zstd.WithDecodeAllCapLimit(true), zstd.WithDecoderMaxMemory(MaxBlock))
		if err != nil {
			panic(err)
		}
		return d
	})
)

// Bound returns the most bytes that AppendCompress can append for n raw bytes.
func Bound(c Codec, n int) int {
	switch c {
	case LZ4:
		return lz4.CompressBlockBound(n)
	case ZSTD:
		return n + n>>7 + 64
	}
	return n
}

// AppendCompress appends the compressed form of src to dst. An incompressible src may come out longer.
func AppendCompress(dst []byte, c Codec, src []byte) ([]byte, error) {
	if len(src) > MaxBlock {
		return dst, sqlerr.New(sqlerr.TooLargeSizeCompressed, "Cannot compress a block of %d bytes, the limit is %d", len(src), MaxBlock)
	}
	switch c {
	case None:
		return append(dst, src...), nil
	case LZ4:
		return appendLZ4(dst, src)
	case ZSTD:
		return zstdEncoder().EncodeAll(src, dst), nil
	}
	return dst, sqlerr.New(sqlerr.UnknownCodec, "Unknown compression codec %d", uint8(c))
}

func appendLZ4(dst, src []byte) ([]byte, error) {
	n, bound := len(dst), lz4.CompressBlockBound(len(src))
	dst = slices.Grow(dst, bound)[:n+bound] // without zeros where there is room
	comp := lz4Compressors.Get().(*lz4.Compressor)
	defer lz4Compressors.Put(comp)
	m, err := comp.CompressBlock(src, dst[n:])
	if err != nil {
		return dst[:n], fmt.Errorf("compress: lz4 of %d bytes: %w", len(src), err)
	}
	if m == 0 { // an empty or incompressible block: literals only
		return appendLZ4Literals(dst[:n], src), nil
	}
	return dst[:n+m], nil
}

// appendLZ4Literals writes src as one LZ4 sequence of literals.
func appendLZ4Literals(dst, src []byte) []byte {
	if len(src) < 15 {
		dst = append(dst, byte(len(src))<<4)
		return append(dst, src...)
	}
	dst = append(dst, 0xf0)
	rest := len(src) - 15
	for ; rest >= 255; rest -= 255 {
		dst = append(dst, 255)
	}
	dst = append(dst, byte(rest))
	return append(dst, src...)
}

// Decompress fills dst with the raw bytes of src, whose raw size must be exactly len(dst).
// dst's content is undefined on error, whose code is CannotDecompress.
func Decompress(dst []byte, c Codec, src []byte) error {
	switch c {
	case None:
		if len(src) != len(dst) {
			return sqlerr.New(sqlerr.CannotDecompress, "Cannot decompress: %d stored bytes where %d are declared", len(src), len(dst))
		}
		copy(dst, src)
		return nil
	case LZ4:
		return decompressLZ4(dst, src)
	case ZSTD:
		return decompressZSTD(dst, src)
	}
	return sqlerr.New(sqlerr.UnknownCodec, "Unknown compression codec %d", uint8(c))
}

func decompressLZ4(dst, src []byte) error {
	if len(dst) == 0 && len(src) == 1 && src[0] == 0 {
		return nil
	}
	n, err := lz4.UncompressBlock(src, dst)
	if err != nil {
		return sqlerr.Wrap(err, sqlerr.CannotDecompress, "Cannot decompress %d bytes of LZ4 into %d", len(src), len(dst))
	}
	if n != len(dst) {
		return sqlerr.New(sqlerr.CannotDecompress, "Cannot decompress LZ4: got %d bytes where %d are declared", n, len(dst))
	}
	return nil
}

func decompressZSTD(dst, src []byte) error {
	out, err := zstdDecoder().DecodeAll(src, dst[:0:len(dst)])
	if err != nil {
		return sqlerr.Wrap(err, sqlerr.CannotDecompress, "Cannot decompress %d bytes of Zstandard into %d", len(src), len(dst))
	}
	if len(out) != len(dst) {
		return sqlerr.New(sqlerr.CannotDecompress, "Cannot decompress Zstandard: got %d bytes where %d are declared", len(out), len(dst))
	}
	return nil
}

// Snappy returns src as one Snappy block.
func Snappy(src []byte) []byte { return s2.EncodeSnappy(nil, src) }
