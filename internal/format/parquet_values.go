package format

import (
	"encoding/binary"
	"fmt"
	"math"
	"unsafe"

	"github.com/olapd/olapd/internal/civil"
	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/kernel"
	"github.com/olapd/olapd/internal/types"
)

// parquetBytes are the values of a page, or of a dictionary, as bytes: all of one width, or value i from off[i] to off[i+1], or,
// if behind, strings that stand each behind its length.
type parquetBytes struct {
	data   []byte
	off    []uint32
	behind bool
	left   int // of behind: the strings in data, of which those that were read are cut off
}

// parquetRead appends values [from, to) of a page to a builder of the leaf's type. They are asked for in their order, each once.
type parquetRead func(b column.Builder, v *parquetBytes, from, to int) error

type integer interface {
	int8 | int16 | int32 | int64 | uint8 | uint16 | uint32 | uint64
}

// section is values [from, to) of a page of values of the width, as bytes.
func section(v *parquetBytes, from, to, width int) ([]byte, error) {
	if len(v.data) < to*width {
		return nil, fmt.Errorf("a page has %d bytes where %d values of %d are announced", len(v.data), to, width)
	}
	return v.data[from*width : to*width], nil
}

// builderOf is b as the builder of T that the leaf's type has.
func builderOf[T column.Elem](b column.Builder) *column.Num[T] { return b.(*column.Num[T]) }

// grown returns s with n elements more, of any value, and those.
func grown[T kernel.Number](s []T, n int) (all, more []T) {
	if cap(s)-len(s) < n {
		bigger := kernel.Dirty[T](max(2*len(s), len(s)+n))
		s = bigger[:copy(bigger, s)]
	}
	all = s[:len(s)+n]
	return all, all[len(s):]
}

// readFixed4 reads INT32.
func readFixed4[T integer](b column.Builder, v *parquetBytes, from, to int) error {
	src, err := section(v, from, to, 4)
	if err != nil {
		return err
	}
	dst := builderOf[T](b)
	var out []T
	dst.Data, out = grown(dst.Data, to-from)
	for i := range out {
		out[i] = T(int32(binary.LittleEndian.Uint32(src[4*i:])))
	}
	return nil
}

// readFixed8 reads INT64.
func readFixed8[T integer](b column.Builder, v *parquetBytes, from, to int) error {
	src, err := section(v, from, to, 8)
	if err != nil {
		return err
	}
	dst := builderOf[T](b)
	var out []T
	dst.Data, out = grown(dst.Data, to-from)
	for i := range out {
		out[i] = T(binary.LittleEndian.Uint64(src[8*i:]))
	}
	return nil
}

// readWide reads INT32 or INT64 as 128 bits.
func readWide[T int32 | int64](b column.Builder, v *parquetBytes, from, to int) error {
	width := int(unsafe.Sizeof(T(0)))
	src, err := section(v, from, to, width)
	if err != nil {
		return err
	}
	dst := builderOf[types.I128](b)
	for ; len(src) > 0; src = src[width:] {
		x := int64(int32(binary.LittleEndian.Uint32(src)))
		if width == 8 {
			x = int64(binary.LittleEndian.Uint64(src))
		}
		dst.Data = append(dst.Data, types.I128From(x))
	}
	return nil
}

// readWidest reads INT32 or INT64 as 256 bits.
func readWidest[T int32 | int64](b column.Builder, v *parquetBytes, from, to int) error {
	narrow := column.New(types.NewDecimal(types.MaxPrecision128, 0), to-from)
	if err := readWide[T](narrow, v, from, to); err != nil {
		return err
	}
	dst := builderOf[types.I256](b)
	for _, x := range narrow.(*column.Num[types.I128]).Data {
		dst.Data = append(dst.Data, x.Wide())
	}
	return nil
}

func readFloats(b column.Builder, v *parquetBytes, from, to int) error {
	src, err := section(v, from, to, 4)
	if err != nil {
		return err
	}
	dst := builderOf[float32](b)
	var out []float32
	dst.Data, out = grown(dst.Data, to-from)
	for i := range out {
		out[i] = math.Float32frombits(binary.LittleEndian.Uint32(src[4*i:]))
	}
	return nil
}

func readDoubles(b column.Builder, v *parquetBytes, from, to int) error {
	src, err := section(v, from, to, 8)
	if err != nil {
		return err
	}
	dst := builderOf[float64](b)
	var out []float64
	dst.Data, out = grown(dst.Data, to-from)
	for i := range out {
		out[i] = math.Float64frombits(binary.LittleEndian.Uint64(src[8*i:]))
	}
	return nil
}

// readBools reads BOOLEAN: a bit a value, the lowest first.
func readBools(b column.Builder, v *parquetBytes, from, to int) error {
	if len(v.data) < (to+7)/8 {
		return fmt.Errorf("a page has %d bytes where %d booleans are announced", len(v.data), to)
	}
	dst := builderOf[uint8](b)
	var out []uint8
	dst.Data, out = grown(dst.Data, to-from)
	kernel.UnpackMask(out, v.data, from)
	return nil
}

// readStrings reads BYTE_ARRAY.
func readStrings(b column.Builder, v *parquetBytes, from, to int) error {
	dst := b.(*column.Str)
	if v.behind {
		return readLengthStrings(dst, v, to-from)
	}
	data, off, err := byteArrays(v, to)
	if err != nil || from == to {
		return err
	}
	first, last := off[from], off[to]
	if first > last || uint64(len(dst.Data))+uint64(last-first) > math.MaxUint32 {
		return fmt.Errorf("strings of %d to %d bytes in a page", first, last)
	}
	base := uint32(len(dst.Data)) - first
	before := first
	for _, end := range off[from+1 : to+1] {
		if end < before || end > last {
			return fmt.Errorf("a string ends at byte %d, behind one that ends at %d", end, before)
		}
		before = end
		dst.Off = append(dst.Off, base+end)
	}
	dst.Data = append(dst.Data, data[first:last]...)
	return nil
}

// readLengthStrings reads the next n strings that stand behind their lengths: one copy.
func readLengthStrings(dst *column.Str, v *parquetBytes, n int) error {
	src, data := v.data, dst.Data
	if room := textOf(len(src), v.left, n); cap(data)-len(data) < room {
		bigger := kernel.Dirty[byte](len(data) + room)
		data = bigger[:copy(bigger, data)]
	}
	var ends []uint32
	dst.Off, ends = grown(dst.Off, n)
	for i := range ends {
		if len(src) < 4 {
			return fmt.Errorf("a page ends in front of string %d of %d", i, n)
		}
		size := binary.LittleEndian.Uint32(src)
		if src = src[4:]; uint64(size) > uint64(len(src)) || uint64(len(data))+uint64(size) > math.MaxUint32 {
			return fmt.Errorf("a string of %d bytes in a page that has %d more, behind %d", size, len(src), len(data))
		}
		data = append(data, src[:size]...)
		src = src[size:]
		ends[i] = uint32(len(data))
	}
	dst.Data, v.data, v.left = data, src, v.left-n
	return nil
}

// textOf is about the bytes of n of the strings, left in all, that take size bytes with their lengths.
func textOf(size, left, n int) int {
	text := max(size-4*left, 0)
	if n >= left {
		return text
	}
	return min(text, text/left*n*9/8)
}

// byteArrays are the bytes of a page of BYTE_ARRAY and where each of its first n values starts and ends.
func byteArrays(v *parquetBytes, n int) ([]byte, []uint32, error) {
	if n > 0 && (len(v.off) <= n || int(v.off[n]) > len(v.data)) {
		return nil, nil, fmt.Errorf("a page has fewer than the %d strings that are announced", n)
	}
	return v.data, v.off, nil
}

// readFixedStrings reads FIXED_LEN_BYTE_ARRAY.
func readFixedStrings(width int) parquetRead {
	return func(b column.Builder, v *parquetBytes, from, to int) error {
		src, err := section(v, from, to, width)
		if err != nil {
			return err
		}
		dst := b.(*column.Str)
		for end := uint32(len(dst.Data) + width); from < to; from++ {
			dst.Off = append(dst.Off, end)
			end += uint32(width)
		}
		dst.Data = append(dst.Data, src...)
		return nil
	}
}

// readUUID reads 16 bytes, the highest first.
func readUUID(b column.Builder, v *parquetBytes, from, to int) error {
	src, err := section(v, from, to, 16)
	if err != nil {
		return err
	}
	dst := builderOf[types.U128](b)
	for ; len(src) > 0; src = src[16:] {
		dst.Data = append(dst.Data, types.U128{Hi: binary.BigEndian.Uint64(src), Lo: binary.BigEndian.Uint64(src[8:])})
	}
	return nil
}

// readInt96 reads nanoseconds within a Julian day, then the day.
func readInt96(b column.Builder, v *parquetBytes, from, to int) error {
	const unixJulian = 2440588 // 1970-01-01
	src, err := section(v, from, to, 12)
	if err != nil {
		return err
	}
	dst := builderOf[int64](b)
	for ; len(src) > 0; src = src[12:] {
		days := int64(binary.LittleEndian.Uint32(src[8:])) - unixJulian
		dst.Data = append(dst.Data, days*civil.Day*1e9+int64(binary.LittleEndian.Uint64(src)))
	}
	return nil
}

// bigEndian calls each with the bytes of decimals: width bytes each, or if it is 0 strings.
func bigEndian(v *parquetBytes, from, to, width int, each func([]byte)) error {
	if width > 0 {
		src, err := section(v, from, to, width)
		for ; err == nil && len(src) > 0; src = src[width:] {
			each(src[:width])
		}
		return err
	}
	data, off, err := byteArrays(v, to)
	for i := from; err == nil && i < to; i++ {
		if off[i] > off[i+1] {
			return fmt.Errorf("a decimal of %d to %d bytes in a page", off[i], off[i+1])
		}
		each(data[off[i]:off[i+1]])
	}
	return err
}

// readBigEndian reads decimals in two's complement, the highest byte first.
func readBigEndian[T int32 | int64](width int) parquetRead {
	return func(b column.Builder, v *parquetBytes, from, to int) error {
		dst := builderOf[T](b)
		return bigEndian(v, from, to, width, func(s []byte) { dst.Data = append(dst.Data, T(int64(signed128(s).Lo))) })
	}
}

func readBigEndian128(width int) parquetRead {
	return func(b column.Builder, v *parquetBytes, from, to int) error {
		dst := builderOf[types.I128](b)
		return bigEndian(v, from, to, width, func(s []byte) { dst.Data = append(dst.Data, signed128(s)) })
	}
}

func readBigEndian256(width int) parquetRead {
	return func(b column.Builder, v *parquetBytes, from, to int) error {
		dst := builderOf[types.I256](b)
		return bigEndian(v, from, to, width, func(s []byte) { dst.Data = append(dst.Data, signed256(s)) })
	}
}

// signed256 is a number in two's complement, of which the lowest 256 bits are kept.
func signed256(s []byte) types.I256 {
	x := types.I256{}
	if len(s) > 0 && s[0] >= 0x80 {
		x = types.I256From(-1)
	}
	for _, c := range s {
		x = x.Lsh(8)
		x[0] |= uint64(c)
	}
	return x
}

// signed128 is a number in two's complement, of which the lowest 128 bits are kept.
func signed128(s []byte) types.I128 {
	x := types.I128{}
	if len(s) > 0 && s[0] >= 0x80 {
		x = types.I128From(-1)
	}
	for _, c := range s {
		x = types.I128{Hi: x.Hi<<8 | int64(x.Lo>>56), Lo: x.Lo<<8 | uint64(c)}
	}
	return x
}
