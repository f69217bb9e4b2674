// Package page encodes a vector into bytes and decodes any range of its rows again. Every
// encoding is chosen by its exact size for the values at hand. It knows nothing of files.
//
// All numbers are little-endian. A stream is the encoding of one run of numbers and does
// not know its own length or the count of its values: whoever embeds it stores both.
// "stream[n]" in the boxes stands for a u32 byte length followed by a stream of n values.
//
// # Vector
//
// By the representation (types.Phys) of the declared type, LowCardinality removed, n values:
//
//	integers           integer stream
//	floats             float stream
//	128 bits           stream[n] of the low halves, stream[n] of the high halves
//	byte strings       text
//	Nullable           stream[n] of null flags (u8), vector of the inner type, NULLs holding its zero
//	Array              u32 elements, stream[n] of lengths (u32), vector of the elements
//	Map                u32 elements, stream[n] of lengths (u32), u32 length, vector of keys, vector of values
//	Tuple              per element: u32 length, vector
//	Variant            stream[n] of the numbers of the values' types (u32), the number of types for NULL; per type: u32 length, vector of its values
//	Dynamic            u32 types, per type: u32 length, name; the rest as of a Variant
//	JSON               as Map(String, Dynamic): paths and values
//
// # Integer stream
//
// W is the bytes of a value.
//
//	+-----+---------------------------------------------------------------------+
//	| u8  | 0 raw       n*W bytes                                               |
//	| how | 1 constant  W bytes                                                 |
//	|     | 2 packed    base W bytes, width u8, values-base bit-packed          |
//	|     | 3 delta     first W bytes, base i64, width u8, n-1 deltas-base      |
//	|     |             bit-packed                                              |
//	|     | 4 runs      u32 runs, stream[runs] of values, stream[runs] of the   |
//	|     |             rows where they end (u32)                               |
//	|     | 5 sparse    default W bytes, u32 others, stream[others] of their    |
//	|     |             positions (u32), stream[others] of their values         |
//	|     | 6 dict      u32 entries, stream[entries], stream[n] of codes (u32)  |
//	|     | 7 lz4       u32 raw length, LZ4 block of another integer stream     |
//	|     | 9 patched   order u8, base W bytes, width u8, u32 others,           |
//	|     |             stream[others] of their positions (u32), ascending,     |
//	|     |             stream[others] of their differences, n differences-base |
//	|     |             bit-packed, those of the others zero                    |
//	+-----+---------------------------------------------------------------------+
//
// In a patched stream a difference of order 0 is the value; of order k, up to 2, it is what the difference of order k-1 has more, modulo 2^(8W), than that before it, the
// first than zero. (8 is taken by floats. Version 1 of segments has no patched streams.)
//
// # Float stream
//
// The integer stream of the same bits, or, where every value is a decimal number of at most eight digits behind the point:
//
//	+-----+-----------+------------------------------------------+
//	| u8  | u8 digits | integer stream of value * 10^digits, i64 |
//	| 8   |           |                                          |
//	+-----+-----------+------------------------------------------+
//
// The value is the integer, as float64, divided by the power of ten; it is used only if that gives every bit again.
//
// Streams nest at most two deep. LZ4 is used where it saves over a quarter.
// Bit packing is described in package kernel.
//
// # Text
//
//	+--------------------+---------------------+------------------------+--------+
//	| stream[n] lengths  | u64 bytes in total  | per 64 KiB of bytes:   | blocks |
//	| (u32)              |                     | u32 stored length      |        |
//	+--------------------+---------------------+------------------------+--------+
//
// The bytes of all values are one text cut every 64 KiB; a block is an LZ4 block, or the bytes
// themselves when its stored length equals its raw length. A value may straddle blocks.
package page

import (
	"encoding/binary"

	"github.com/olapd/olapd/internal/sqlerr"
)

// Limits on what a decoder believes.
const (
	// maxElems bounds the values of a nested vector, whose count comes from the bytes: arrays of a page.
	maxElems = 1 << 28
	// TextBlock is the raw size of a block of text: decoding one takes some 15 µs.
	TextBlock = 64 << 10
	// maxText bounds the bytes of all values of one page: offsets in vectors have 32 bits.
	maxText = 1<<32 - 1
	// maxDepth bounds streams within streams.
	maxDepth = 4
)

// corrupt is an error of bytes that no encoder writes.
func corrupt(format string, args ...any) error {
	return sqlerr.New(sqlerr.CorruptedData, "Corrupted page: "+format, args...)
}

// input reads from the front of a byte slice; after the first failure every read gives zero and err stays.
type input struct {
	b   []byte
	err error
}

func (in *input) take(n int) []byte {
	if in.err == nil && (n < 0 || n > len(in.b)) {
		in.err = corrupt("%d bytes wanted, %d left", n, len(in.b))
	}
	if in.err != nil {
		return nil
	}
	out := in.b[:n:n]
	in.b = in.b[n:]
	return out
}

func (in *input) u8() uint8 {
	if b := in.take(1); b != nil {
		return b[0]
	}
	return 0
}

func (in *input) u32() uint32 {
	if b := in.take(4); b != nil {
		return binary.LittleEndian.Uint32(b)
	}
	return 0
}

func (in *input) u64() uint64 {
	if b := in.take(8); b != nil {
		return binary.LittleEndian.Uint64(b)
	}
	return 0
}

// sized takes a u32 length and as many bytes.
func (in *input) sized() []byte { return in.take(int(in.u32())) }

// appendSized appends what f appends behind its u32 length.
func appendSized(dst []byte, f func([]byte) []byte) []byte {
	at := len(dst)
	dst = f(append(dst, 0, 0, 0, 0))
	binary.LittleEndian.PutUint32(dst[at:], uint32(len(dst)-at-4))
	return dst
}
