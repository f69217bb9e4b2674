package kernel

import "unsafe"

// turn is how many vectors the reductions take a turn.
const turn = 4

// sumVectors adds the front of src, and returns the sum modulo 2^64 and of how many values it is.
func sumVectors[T Int](src []T) (sum uint64, done int) {
	size, bias := sizeOf[T](), signBias[T]()
	per := turn * vectorBytes() / size
	n := len(src) / per
	if simd == levelGo || n == 0 {
		return 0, 0
	}
	if size == 8 {
		bias = 0
	}
	var out [8]uint64
	sumDispatch(&out, ptr(src), n, bias, size)
	for _, x := range out {
		sum += x
	}
	done = n * per
	if bias != 0 {
		sum -= uint64(done) << (8*size - 1)
	}
	return sum, done
}

func sumDispatch(out *[8]uint64, src *byte, n int, bias uint64, size int) {
	if simd == levelAVX512 {
		switch size {
		case 1:
			sum1AVX512(out, src, n, bias)
		case 2:
			sum2AVX512(out, src, n, bias)
		case 4:
			sum4AVX512(out, src, n, bias)
		default:
			sum8AVX512(out, src, n, bias)
		}
		return
	}
	switch size {
	case 1:
		sum1AVX2(out, src, n, bias)
	case 2:
		sum2AVX2(out, src, n, bias)
	case 4:
		sum4AVX2(out, src, n, bias)
	default:
		sum8AVX2(out, src, n, bias)
	}
}

// sumFloatVectors adds the front of src to the partial sums.
func sumFloatVectors[T Float](out *[floatSums]float64, src []T) int {
	n := len(src) / floatSums
	switch {
	case simd == levelGo || n == 0:
		return 0
	case simd == levelAVX512 && sizeOf[T]() == 8:
		sumFloat8AVX512(out, ptr(src), n)
	case simd == levelAVX512:
		sumFloat4AVX512(out, ptr(src), n)
	case sizeOf[T]() == 8:
		sumFloat8AVX2(out, ptr(src), n)
	default:
		sumFloat4AVX2(out, ptr(src), n)
	}
	return n * floatSums
}

// minMaxVectors returns the bounds of the front of src; with 0 values done they mean nothing.
func minMaxVectors[T Int](src []T) (lo, hi T, done int) {
	size, bias := sizeOf[T](), signBias[T]()
	per := turn * vectorBytes() / size
	n := len(src) / per
	if simd == levelGo || n == 0 || simd == levelAVX2 && size == 8 {
		return 0, 0, 0
	}
	var least, most [64]byte
	minMaxDispatch(&least, &most, ptr(src), n, bias, size)
	lanes := vectorBytes() / size
	los, his := unsafe.Slice((*T)(unsafe.Pointer(&least)), lanes), unsafe.Slice((*T)(unsafe.Pointer(&most)), lanes)
	turned := T(bias)
	lo, hi = los[0]^turned, his[0]^turned
	for i := range los {
		lo, hi = min(lo, los[i]^turned), max(hi, his[i]^turned)
	}
	return lo, hi, n * per
}

func minMaxDispatch(lo, hi *[64]byte, src *byte, n int, bias uint64, size int) {
	if simd == levelAVX512 {
		switch size {
		case 1:
			minMax1AVX512(lo, hi, src, n, bias)
		case 2:
			minMax2AVX512(lo, hi, src, n, bias)
		case 4:
			minMax4AVX512(lo, hi, src, n, bias)
		default:
			minMax8AVX512(lo, hi, src, n, bias)
		}
		return
	}
	switch size {
	case 1:
		minMax1AVX2(lo, hi, src, n, bias)
	case 2:
		minMax2AVX2(lo, hi, src, n, bias)
	default:
		minMax4AVX2(lo, hi, src, n, bias)
	}
}

// hashVectors hashes the front of src.
func hashVectors[T Int](dst []uint64, src []T) int {
	n := len(src) / 16
	if simd != levelAVX512 || n == 0 {
		return 0
	}
	d, s := unsafe.SliceData(dst), ptr(src)
	switch size := sizeOf[T](); {
	case size == 8:
		hashInt8AVX512(d, s, n)
	case size == 4 && signed[T]():
		hashInt4AVX512(d, s, n)
	case size == 4:
		hashUint4AVX512(d, s, n)
	case size == 2 && signed[T]():
		hashInt2AVX512(d, s, n)
	case size == 2:
		hashUint2AVX512(d, s, n)
	case signed[T]():
		hashInt1AVX512(d, s, n)
	default:
		hashUint1AVX512(d, s, n)
	}
	return 16 * n
}

// combineVectors combines the front of dst with that of next.
func combineVectors(dst, next []uint64) int {
	n := len(dst) / 16
	if simd != levelAVX512 || n == 0 {
		return 0
	}
	combineHashesAVX512(unsafe.SliceData(dst), unsafe.SliceData(next), n)
	return 16 * n
}

// prefixVectors does the front of PrefixSum, and returns the sum that it ends with.
func prefixVectors[T Int](dst []T, first T) (done int, last T) {
	size := sizeOf[T]()
	n := len(dst) * size / 64
	if simd != levelAVX512 || n == 0 || size < 4 {
		return 0, first
	}
	if size == 4 {
		last = T(prefixSum4AVX512(ptr(dst), n, uint64(first)))
	} else {
		last = T(prefixSum8AVX512(ptr(dst), n, uint64(first)))
	}
	return n * 64 / size, last
}

// pairVectors hashes the front of rows of two words.
func pairVectors(dst, words []uint64) int {
	n := len(dst) / 8
	if simd != levelAVX512 || n == 0 {
		return 0
	}
	hashPairsAVX512(unsafe.SliceData(dst), unsafe.SliceData(words), n)
	return 8 * n
}
