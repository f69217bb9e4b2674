package kernel

import "unsafe"

// bitsOf is the memory of one number, zero-extended.
func bitsOf[T Number](x T) uint64 {
	p := unsafe.Pointer(&x)
	switch sizeOf[T]() {
	case 1:
		return uint64(*(*uint8)(p))
	case 2:
		return uint64(*(*uint16)(p))
	case 4:
		return uint64(*(*uint32)(p))
	}
	return *(*uint64)(p)
}

// compareConstVectors does the front of CompareConst, and returns how many rows.
func compareConstVectors[T Number](dst []uint8, op Op, a []T, c T) int {
	if simd == levelGo || len(a) < minVector {
		return 0
	}
	size := sizeOf[T]()
	bits := bitsOf(c)
	if isFloat[T]() {
		var consts [512]byte // one turn's worth of vectors
		words := unsafe.Slice((*uint64)(unsafe.Pointer(&consts)), size*vectorBytes()/8)
		for i := range words {
			words[i] = repeat(bits, size)
		}
		return compareFloatVectors(dst, op, ptr(a), &consts[0], len(a), size, 0)
	}
	var least uint64 // of T, as bits
	if T(0)-1 < 0 {
		least = 1 << (8*size - 1)
	}
	greatest := least - 1
	lo, span, flip := bits, uint64(0), uint64(0)
	switch op {
	case Ne:
		flip = 1
	case Ge, Lt:
		span = greatest - bits
		flip = uint64(b2u(op == Lt))
	case Le, Gt:
		lo, span = least, bits-least
		flip = uint64(b2u(op == Gt))
	}
	return rangeVectors(dst, ptr(a), len(a), size, lo, span, flip)
}

// inRangeVectors does the front of InRange for integers with lo ≤ hi.
func inRangeVectors[T Number](dst []uint8, a []T, lo, hi T) int {
	if simd == levelGo || len(a) < minVector || isFloat[T]() || !(lo <= hi) {
		return 0
	}
	return rangeVectors(dst, ptr(a), len(a), sizeOf[T](), bitsOf(lo), bitsOf(hi)-bitsOf(lo), 0)
}

func rangeVectors(dst []uint8, a *byte, rows, size int, lo, span, flip uint64) int {
	n := rows / vectorBytes()
	d, lo, span := ptr(dst), repeat(lo, size), repeat(span, size)
	if simd == levelAVX512 {
		switch size {
		case 1:
			inRange1AVX512(d, a, n, lo, span, flip)
		case 2:
			inRange2AVX512(d, a, n, lo, span, flip)
		case 4:
			inRange4AVX512(d, a, n, lo, span, flip)
		default:
			inRange8AVX512(d, a, n, lo, span, flip)
		}
	} else {
		switch size {
		case 1:
			inRange1AVX2(d, a, n, lo, span, flip)
		case 2:
			inRange2AVX2(d, a, n, lo, span, flip)
		case 4:
			inRange4AVX2(d, a, n, lo, span, flip)
		default:
			inRange8AVX2(d, a, n, lo, span, flip)
		}
	}
	return n * vectorBytes()
}

// compareVectors does the front of Compare for operators up to Le, and returns how many rows.
func compareVectors[T Number](dst []uint8, op Op, a, b []T) int {
	if simd == levelGo || len(a) < minVector {
		return 0
	}
	size := sizeOf[T]()
	if isFloat[T]() {
		return compareFloatVectors(dst, op, ptr(a), ptr(b), len(a), size, size*vectorBytes())
	}
	x, y, flip := ptr(a), ptr(b), uint64(0)
	var bias uint64
	switch op {
	case Ne:
		flip = 1
	case Lt:
		x, y = y, x
	case Le:
		flip = 1
	}
	if op == Eq || op == Ne {
		return equalVectors(dst, x, y, len(a), size, flip)
	}
	if (T(0)-1 < 0) == (simd == levelAVX512) { // AVX-512 compares unsigned, AVX2 signed
		bias = repeat(1<<(8*size-1), size)
	}
	return greaterVectors(dst, x, y, len(a), size, bias, flip)
}

func equalVectors(dst []uint8, a, b *byte, rows, size int, flip uint64) int {
	n, d, step := rows/vectorBytes(), ptr(dst), size*vectorBytes()
	if simd == levelAVX512 {
		switch size {
		case 1:
			compareEq1AVX512(d, a, b, n, step, 0, flip)
		case 2:
			compareEq2AVX512(d, a, b, n, step, 0, flip)
		case 4:
			compareEq4AVX512(d, a, b, n, step, 0, flip)
		default:
			compareEq8AVX512(d, a, b, n, step, 0, flip)
		}
	} else {
		switch size {
		case 1:
			compareEq1AVX2(d, a, b, n, step, 0, flip)
		case 2:
			compareEq2AVX2(d, a, b, n, step, 0, flip)
		case 4:
			compareEq4AVX2(d, a, b, n, step, 0, flip)
		default:
			compareEq8AVX2(d, a, b, n, step, 0, flip)
		}
	}
	return n * vectorBytes()
}

func greaterVectors(dst []uint8, a, b *byte, rows, size int, bias, flip uint64) int {
	n, d, step := rows/vectorBytes(), ptr(dst), size*vectorBytes()
	if simd == levelAVX512 {
		switch size {
		case 1:
			compareGt1AVX512(d, a, b, n, step, bias, flip)
		case 2:
			compareGt2AVX512(d, a, b, n, step, bias, flip)
		case 4:
			compareGt4AVX512(d, a, b, n, step, bias, flip)
		default:
			compareGt8AVX512(d, a, b, n, step, bias, flip)
		}
	} else {
		switch size {
		case 1:
			compareGt1AVX2(d, a, b, n, step, bias, flip)
		case 2:
			compareGt2AVX2(d, a, b, n, step, bias, flip)
		case 4:
			compareGt4AVX2(d, a, b, n, step, bias, flip)
		default:
			compareGt8AVX2(d, a, b, n, step, bias, flip)
		}
	}
	return n * vectorBytes()
}

// compareFloatVectors compares floats; b advances by step bytes a turn, 0 for one constant.
func compareFloatVectors(dst []uint8, op Op, a, b *byte, rows, size, step int) int {
	n, d, flip := rows/vectorBytes(), ptr(dst), uint64(0)
	if op == Ne {
		op, flip = Eq, 1
	}
	switch {
	case simd == levelAVX512 && size == 8:
		switch op {
		case Eq:
			compareFloatEq8AVX512(d, a, b, n, step, flip)
		case Lt:
			compareFloatLt8AVX512(d, a, b, n, step, flip)
		case Le:
			compareFloatLe8AVX512(d, a, b, n, step, flip)
		case Gt:
			compareFloatGt8AVX512(d, a, b, n, step, flip)
		case Ge:
			compareFloatGe8AVX512(d, a, b, n, step, flip)
		}
	case simd == levelAVX512:
		switch op {
		case Eq:
			compareFloatEq4AVX512(d, a, b, n, step, flip)
		case Lt:
			compareFloatLt4AVX512(d, a, b, n, step, flip)
		case Le:
			compareFloatLe4AVX512(d, a, b, n, step, flip)
		case Gt:
			compareFloatGt4AVX512(d, a, b, n, step, flip)
		case Ge:
			compareFloatGe4AVX512(d, a, b, n, step, flip)
		}
	case size == 8:
		switch op {
		case Eq:
			compareFloatEq8AVX2(d, a, b, n, step, flip)
		case Lt:
			compareFloatLt8AVX2(d, a, b, n, step, flip)
		case Le:
			compareFloatLe8AVX2(d, a, b, n, step, flip)
		case Gt:
			compareFloatGt8AVX2(d, a, b, n, step, flip)
		case Ge:
			compareFloatGe8AVX2(d, a, b, n, step, flip)
		}
	default:
		switch op {
		case Eq:
			compareFloatEq4AVX2(d, a, b, n, step, flip)
		case Lt:
			compareFloatLt4AVX2(d, a, b, n, step, flip)
		case Le:
			compareFloatLe4AVX2(d, a, b, n, step, flip)
		case Gt:
			compareFloatGt4AVX2(d, a, b, n, step, flip)
		case Ge:
			compareFloatGe4AVX2(d, a, b, n, step, flip)
		}
	}
	return n * vectorBytes()
}
