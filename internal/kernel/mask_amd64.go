package kernel

import "unsafe"

// oneBytes is a mask of true rows.
var oneBytes = [64]uint8{1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
	1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1}

// maskVectors combines the front of two masks; without b the second is all ones.
func maskVectors(op maskOp, dst, a, b []uint8) int {
	size := vectorBytes()
	n, step := len(a)/size, size
	if simd == levelGo || n == 0 {
		return 0
	}
	d, x, y := ptr(dst), ptr(a), ptr(b)
	if b == nil {
		y, step = &oneBytes[0], 0
	}
	switch {
	case simd == levelAVX512 && op == maskAnd:
		maskAndAVX512(d, x, y, n, step)
	case simd == levelAVX512 && op == maskOr:
		maskOrAVX512(d, x, y, n, step)
	case simd == levelAVX512 && op == maskAndNot:
		maskAndNotAVX512(d, x, y, n, step)
	case simd == levelAVX512:
		maskXorAVX512(d, x, y, n, step)
	case op == maskAnd:
		maskAndAVX2(d, x, y, n, step)
	case op == maskOr:
		maskOrAVX2(d, x, y, n, step)
	case op == maskAndNot:
		maskAndNotAVX2(d, x, y, n, step)
	default:
		maskXorAVX2(d, x, y, n, step)
	}
	return n * size
}

// bytePositions has for each set of 8 rows their positions, in order.
var bytePositions = func() (t [256][8]uint8) {
	for set := range t {
		n := 0
		for bit := range uint8(8) {
			if set>>bit&1 == 1 {
				t[set][n] = bit
				n++
			}
		}
	}
	return t
}()

// positionVectors writes the positions of the front of a mask to dst, which is as long: n positions of done rows.
func positionVectors(dst []uint32, mask []uint8, base uint32) (n, done int) {
	if simd == levelGo || len(mask) < 16 {
		return 0, 0
	}
	if simd == levelAVX512 {
		turns := len(mask) / 16
		return positionsAVX512(unsafe.SliceData(dst), ptr(mask), turns, base), turns * 16
	}
	turns := len(mask) / 8
	return positionsAVX2(unsafe.SliceData(dst), ptr(mask), turns, base, &bytePositions), turns * 8
}
