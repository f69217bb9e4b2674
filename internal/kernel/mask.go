package kernel

import (
	"encoding/binary"
	"math/bits"
)

// ones has the lowest bit of each byte set: a mask of eight true rows in a word.
const ones = 0x0101010101010101

// A maskOp combines two masks.
type maskOp uint8

const (
	maskAnd maskOp = iota
	maskOr
	maskAndNot
	maskXor
)

// And writes a AND b to dst, which may be a or b.
func And(dst, a, b []uint8) {
	dst, b = dst[:len(a)], b[:len(a)]
	i := maskVectors(maskAnd, dst, a, b)
	for ; i+8 <= len(a); i += 8 {
		binary.NativeEndian.PutUint64(dst[i:], binary.NativeEndian.Uint64(a[i:])&binary.NativeEndian.Uint64(b[i:]))
	}
	for ; i < len(a); i++ {
		dst[i] = a[i] & b[i]
	}
}

// Or writes a OR b to dst, which may be a or b.
func Or(dst, a, b []uint8) {
	dst, b = dst[:len(a)], b[:len(a)]
	i := maskVectors(maskOr, dst, a, b)
	for ; i+8 <= len(a); i += 8 {
		binary.NativeEndian.PutUint64(dst[i:], binary.NativeEndian.Uint64(a[i:])|binary.NativeEndian.Uint64(b[i:]))
	}
	for ; i < len(a); i++ {
		dst[i] = a[i] | b[i]
	}
}

// AndNot writes a AND NOT b to dst, which may be a or b.
func AndNot(dst, a, b []uint8) {
	dst, b = dst[:len(a)], b[:len(a)]
	i := maskVectors(maskAndNot, dst, a, b)
	for ; i+8 <= len(a); i += 8 {
		binary.NativeEndian.PutUint64(dst[i:], binary.NativeEndian.Uint64(a[i:])&^binary.NativeEndian.Uint64(b[i:]))
	}
	for ; i < len(a); i++ {
		dst[i] = a[i] &^ b[i]
	}
}

// Not writes NOT a to dst, which may be a.
func Not(dst, a []uint8) {
	dst = dst[:len(a)]
	i := maskVectors(maskXor, dst, a, nil)
	for ; i+8 <= len(a); i += 8 {
		binary.NativeEndian.PutUint64(dst[i:], binary.NativeEndian.Uint64(a[i:])^ones)
	}
	for ; i < len(a); i++ {
		dst[i] = a[i] ^ 1
	}
}

// Count returns the number of ones in a mask.
func Count(mask []uint8) int {
	sum, i := sumVectors(mask)
	n := int(sum)
	for ; i+8 <= len(mask); i += 8 {
		n += bits.OnesCount64(binary.NativeEndian.Uint64(mask[i:]))
	}
	for ; i < len(mask); i++ {
		n += int(mask[i])
	}
	return n
}

// AppendSelected appends the positions base+i where mask[i] is 1.
func AppendSelected(sel []uint32, mask []uint8, base uint32) []uint32 {
	if cap(sel)-len(sel) < len(mask) {
		sel = append(Dirty[uint32](max(len(sel)+len(mask), 2*cap(sel)))[:0], sel...)
	}
	out := sel[len(sel) : len(sel)+len(mask)]
	n, done := positionVectors(out, mask, base)
	for i := done; i < len(mask); i++ {
		out[n] = base + uint32(i)
		n += int(mask[i] & 1)
	}
	return sel[:len(sel)+n]
}

// SelectedAnd keeps the positions of sel whose mask is 1; the result shares sel's memory.
func SelectedAnd(sel []uint32, mask []uint8) []uint32 {
	n := 0
	for _, p := range sel {
		sel[n] = p
		n += int(mask[p] & 1)
	}
	return sel[:n]
}

// SetSelected writes 1 to mask at the positions sel.
func SetSelected(mask []uint8, sel []uint32) {
	for _, p := range sel {
		mask[p] = 1
	}
}

// PackMask appends a mask as a bitmap, bit i%8 of byte i/8 being row i.
func PackMask(dst []byte, mask []uint8) []byte { return AppendPacked(dst, mask, 0, 1) }

// UnpackMask writes rows [start, start+len(dst)) of a bitmap as a mask.
func UnpackMask(dst []uint8, src []byte, start int) { Unpack(dst, src, start, 1, 0) }
