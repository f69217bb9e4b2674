package kernel

// lookupVectors does the front of Lookup.
func lookupVectors[T Int](dst []T, table *[256]T, codes []uint8) int {
	n, size := len(codes)/64, sizeOf[T]()
	if simd != levelAVX512 || n < 4 || size > 2 {
		return 0
	}
	var planes [512]uint8
	for i, x := range table {
		planes[i], planes[256+i] = uint8(x), uint8(uint64(x)>>8)
	}
	if size == 1 {
		lookup1AVX512(ptr(dst), ptr(codes), n, (*[256]uint8)(planes[:256]))
	} else {
		lookup2AVX512(ptr(dst), ptr(codes), n, &planes)
	}
	return 64 * n
}
