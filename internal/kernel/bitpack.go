package kernel

import (
	"encoding/binary"
	"math/bits"
)

// BitWidth returns the bits that v needs: 0 for 0, 64 for the largest.
func BitWidth(v uint64) int { return bits.Len64(v) }

// PackedLen returns the bytes that n values of width bits take.
func PackedLen(n, width int) int { return (n*width + 7) / 8 }

// AppendPacked appends (src[i]-base) as values of width bits each; every difference, taken
// modulo 2^bits of T, must fit.
func AppendPacked[T Int](dst []byte, src []T, base T, width int) []byte {
	if width == 0 || len(src) == 0 {
		return dst
	}
	mask := typeMask[T]()
	start := len(dst)
	need := PackedLen(len(src), width)
	dst = append(dst, make([]byte, need+8)...) // room for whole words
	out := dst[start:]
	var acc uint64
	fill, at := 0, 0
	for _, x := range src {
		v := uint64(x-base) & mask
		acc |= v << fill
		if fill += width; fill >= 64 {
			binary.LittleEndian.PutUint64(out[at:], acc)
			at += 8
			fill -= 64
			acc = v >> (width - fill) // a shift by 64 gives 0
		}
	}
	if fill > 0 {
		binary.LittleEndian.PutUint64(out[at:], acc)
	}
	return dst[:start+need]
}

// typeMask has as many low bits set as T has bits.
func typeMask[T Int]() uint64 {
	var one T = 1
	n := 0
	for x := one; x != 0; x <<= 1 {
		n++
	}
	return ^uint64(0) >> (64 - n)
}

// Unpack writes base plus the len(dst) packed values from value number start on; src holds at least
// PackedLen(start+len(dst), width) bytes, width is 0..64. Sums wrap as T does.
func Unpack[T Int](dst []T, src []byte, start, width int, base T) {
	switch {
	case width == 0:
		Fill(dst, base)
		return
	}
	if done := unpackVectors(dst, src, start, width, base); done > 0 {
		if dst, start = dst[done:], start+done; len(dst) == 0 {
			return
		}
	}
	switch {
	case width == 8:
		unpack8(dst, src[start:], base)
		return
	case width == 16:
		unpack16(dst, src[start*2:], base)
		return
	case width == 32:
		unpack32(dst, src[start*4:], base)
		return
	case width == 64:
		unpack64(dst, src[start*8:], base)
		return
	}
	// Whole words are read from where a value begins, so the last values are read byte by byte.
	n := len(dst)
	safe := 0
	if len(src) >= 16 {
		safe = min(n, max(0, ((len(src)-16)*8)/width-start))
	}
	if width <= 57 {
		unpackNarrow(dst[:safe], src, start*width, width, base)
	} else {
		unpackWide(dst[:safe], src, start*width, width, base)
	}
	for i := safe; i < n; i++ {
		dst[i] = T(loadBits(src, (start+i)*width, width)) + base
	}
}

// unpackNarrow reads each value with one load: a value of up to 57 bits at any bit offset lies within 8 bytes.
func unpackNarrow[T Int](dst []T, src []byte, bit, width int, base T) {
	mask := ^uint64(0) >> (64 - uint(width))
	for len(dst) >= 8 {
		d := dst[:8:8]
		b0, b1, b2, b3 := bit, bit+width, bit+2*width, bit+3*width
		d[0] = T(binary.LittleEndian.Uint64(src[b0>>3:])>>(uint(b0)&7)&mask) + base
		d[1] = T(binary.LittleEndian.Uint64(src[b1>>3:])>>(uint(b1)&7)&mask) + base
		d[2] = T(binary.LittleEndian.Uint64(src[b2>>3:])>>(uint(b2)&7)&mask) + base
		d[3] = T(binary.LittleEndian.Uint64(src[b3>>3:])>>(uint(b3)&7)&mask) + base
		bit = b3 + width
		b0, b1, b2, b3 = bit, bit+width, bit+2*width, bit+3*width
		d[4] = T(binary.LittleEndian.Uint64(src[b0>>3:])>>(uint(b0)&7)&mask) + base
		d[5] = T(binary.LittleEndian.Uint64(src[b1>>3:])>>(uint(b1)&7)&mask) + base
		d[6] = T(binary.LittleEndian.Uint64(src[b2>>3:])>>(uint(b2)&7)&mask) + base
		d[7] = T(binary.LittleEndian.Uint64(src[b3>>3:])>>(uint(b3)&7)&mask) + base
		bit = b3 + width
		dst = dst[8:]
	}
	for i := range dst {
		dst[i] = T(binary.LittleEndian.Uint64(src[bit>>3:])>>(uint(bit)&7)&mask) + base
		bit += width
	}
}

// unpackWide reads values of 58 to 63 bits, which may straddle nine bytes.
func unpackWide[T Int](dst []T, src []byte, bit, width int, base T) {
	mask := ^uint64(0) >> (64 - uint(width))
	for i := range dst {
		// One check of bounds, and shifts that the compiler knows to be below 64: a third less time.
		b, shift := (*[9]byte)(src[bit>>3:]), uint(bit)&7
		v := binary.LittleEndian.Uint64(b[:])>>shift | uint64(b[8])<<1<<((63-shift)&63)
		dst[i] = T(v&mask) + base
		bit += width
	}
}

// loadBits reads one value without touching a byte beyond its own.
func loadBits(src []byte, bit, width int) uint64 {
	at, shift := bit>>3, bit&7
	v, have := uint64(src[at])>>shift, 8-shift
	for have < width {
		at++
		v |= uint64(src[at]) << have
		have += 8
	}
	return v & (^uint64(0) >> (64 - uint(width)))
}

func unpack8[T Int](dst []T, src []byte, base T) {
	src = src[:len(dst)]
	for i, b := range src {
		dst[i] = T(b) + base
	}
}

func unpack16[T Int](dst []T, src []byte, base T) {
	src = src[:2*len(dst)]
	for i := range dst {
		dst[i] = T(binary.LittleEndian.Uint16(src[2*i:])) + base
	}
}

func unpack32[T Int](dst []T, src []byte, base T) {
	src = src[:4*len(dst)]
	for i := range dst {
		dst[i] = T(binary.LittleEndian.Uint32(src[4*i:])) + base
	}
}

func unpack64[T Int](dst []T, src []byte, base T) {
	src = src[:8*len(dst)]
	for i := range dst {
		dst[i] = T(binary.LittleEndian.Uint64(src[8*i:])) + base
	}
}
