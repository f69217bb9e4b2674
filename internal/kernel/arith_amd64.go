package kernel

import "unsafe"

// arithVectors does the front of dst. An operand of one value stands for all.
func arithVectors[T Number](op arithOp, dst, a, b []T) int {
	size := sizeOf[T]()
	turn := 2 * vectorBytes()
	n := len(dst) * size / turn
	if simd == levelGo || n == 0 || size == 1 || isFloat[T]() && size == 4 {
		return 0
	}
	var consts [2][128]byte
	x, stepA := operand(a, len(dst), &consts[0])
	y, stepB := operand(b, len(dst), &consts[1])
	d, done := ptr(dst), n*turn/size
	if isFloat[T]() {
		floatArith(op, d, x, y, n, stepA, stepB)
		return done
	}
	if op == opMul && size == 8 && simd == levelAVX2 || op == opDiv {
		return 0
	}
	intArith(op, size, d, x, y, n, stepA, stepB)
	return done
}

// operand is where to read an operand, and how far a turn advances. One value is repeated in room.
func operand[T Number](v []T, rows int, room *[128]byte) (*byte, int) {
	if len(v) == rows {
		return ptr(v), 2 * vectorBytes()
	}
	words := (*[16]uint64)(unsafe.Pointer(room))
	for i := range words {
		words[i] = repeat(bitsOf(v[0]), sizeOf[T]())
	}
	return &room[0], 0
}

func floatArith(op arithOp, d, a, b *byte, n, stepA, stepB int) {
	switch {
	case simd == levelAVX512 && op == opAdd:
		addFloatAVX512(d, a, b, n, stepA, stepB)
	case simd == levelAVX512 && op == opSub:
		subFloatAVX512(d, a, b, n, stepA, stepB)
	case simd == levelAVX512 && op == opMul:
		mulFloatAVX512(d, a, b, n, stepA, stepB)
	case simd == levelAVX512:
		divFloatAVX512(d, a, b, n, stepA, stepB)
	case op == opAdd:
		addFloatAVX2(d, a, b, n, stepA, stepB)
	case op == opSub:
		subFloatAVX2(d, a, b, n, stepA, stepB)
	case op == opMul:
		mulFloatAVX2(d, a, b, n, stepA, stepB)
	default:
		divFloatAVX2(d, a, b, n, stepA, stepB)
	}
}

func intArith(op arithOp, size int, d, a, b *byte, n, stepA, stepB int) {
	if simd == levelAVX2 {
		intArithAVX2(op, size, d, a, b, n, stepA, stepB)
		return
	}
	switch {
	case op == opAdd && size == 2:
		add2AVX512(d, a, b, n, stepA, stepB)
	case op == opAdd && size == 4:
		add4AVX512(d, a, b, n, stepA, stepB)
	case op == opAdd:
		add8AVX512(d, a, b, n, stepA, stepB)
	case op == opSub && size == 2:
		sub2AVX512(d, a, b, n, stepA, stepB)
	case op == opSub && size == 4:
		sub4AVX512(d, a, b, n, stepA, stepB)
	case op == opSub:
		sub8AVX512(d, a, b, n, stepA, stepB)
	case size == 2:
		mul2AVX512(d, a, b, n, stepA, stepB)
	case size == 4:
		mul4AVX512(d, a, b, n, stepA, stepB)
	default:
		mul8AVX512(d, a, b, n, stepA, stepB)
	}
}

func intArithAVX2(op arithOp, size int, d, a, b *byte, n, stepA, stepB int) {
	switch {
	case op == opAdd && size == 2:
		add2AVX2(d, a, b, n, stepA, stepB)
	case op == opAdd && size == 4:
		add4AVX2(d, a, b, n, stepA, stepB)
	case op == opAdd:
		add8AVX2(d, a, b, n, stepA, stepB)
	case op == opSub && size == 2:
		sub2AVX2(d, a, b, n, stepA, stepB)
	case op == opSub && size == 4:
		sub4AVX2(d, a, b, n, stepA, stepB)
	case op == opSub:
		sub8AVX2(d, a, b, n, stepA, stepB)
	case size == 2:
		mul2AVX2(d, a, b, n, stepA, stepB)
	default:
		mul4AVX2(d, a, b, n, stepA, stepB)
	}
}

// widenVectors converts the front of src to a wider type.
func widenVectors[T, S Number](dst []T, src []S) int {
	from, to := sizeOf[S](), sizeOf[T]()
	per := 2 * vectorBytes() / to
	n := len(src) / per
	if simd == levelGo || n == 0 || from >= to || isFloat[T]() || isFloat[S]() {
		return 0
	}
	d, s := ptr(dst), ptr(src)
	if simd == levelAVX512 {
		widenAVX512(from, to, S(0)-1 < 0, d, s, n)
	} else {
		widenAVX2(from, to, S(0)-1 < 0, d, s, n)
	}
	return n * per
}

func widenAVX512(from, to int, signed bool, d, s *byte, n int) {
	switch {
	case from == 1 && to == 2 && signed:
		widenInt1to2AVX512(d, s, n)
	case from == 1 && to == 2:
		widenUint1to2AVX512(d, s, n)
	case from == 1 && to == 4 && signed:
		widenInt1to4AVX512(d, s, n)
	case from == 1 && to == 4:
		widenUint1to4AVX512(d, s, n)
	case from == 1 && to == 8 && signed:
		widenInt1to8AVX512(d, s, n)
	case from == 1 && to == 8:
		widenUint1to8AVX512(d, s, n)
	case from == 2 && to == 4 && signed:
		widenInt2to4AVX512(d, s, n)
	case from == 2 && to == 4:
		widenUint2to4AVX512(d, s, n)
	case from == 2 && to == 8 && signed:
		widenInt2to8AVX512(d, s, n)
	case from == 2 && to == 8:
		widenUint2to8AVX512(d, s, n)
	case from == 4 && to == 8 && signed:
		widenInt4to8AVX512(d, s, n)
	default:
		widenUint4to8AVX512(d, s, n)
	}
}

func widenAVX2(from, to int, signed bool, d, s *byte, n int) {
	switch {
	case from == 1 && to == 2 && signed:
		widenInt1to2AVX2(d, s, n)
	case from == 1 && to == 2:
		widenUint1to2AVX2(d, s, n)
	case from == 1 && to == 4 && signed:
		widenInt1to4AVX2(d, s, n)
	case from == 1 && to == 4:
		widenUint1to4AVX2(d, s, n)
	case from == 1 && to == 8 && signed:
		widenInt1to8AVX2(d, s, n)
	case from == 1 && to == 8:
		widenUint1to8AVX2(d, s, n)
	case from == 2 && to == 4 && signed:
		widenInt2to4AVX2(d, s, n)
	case from == 2 && to == 4:
		widenUint2to4AVX2(d, s, n)
	case from == 2 && to == 8 && signed:
		widenInt2to8AVX2(d, s, n)
	case from == 2 && to == 8:
		widenUint2to8AVX2(d, s, n)
	case from == 4 && to == 8 && signed:
		widenInt4to8AVX2(d, s, n)
	default:
		widenUint4to8AVX2(d, s, n)
	}
}
