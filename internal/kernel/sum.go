package kernel

// SumInt returns the sum of signed integers modulo 2^64.
func SumInt[T Signed](src []T) int64 {
	var a, b, c, d int64
	for len(src) >= 4 {
		s := src[:4:4]
		a, b, c, d = a+int64(s[0]), b+int64(s[1]), c+int64(s[2]), d+int64(s[3])
		src = src[4:]
	}
	for _, x := range src {
		a += int64(x)
	}
	return a + b + c + d
}

// SumUint returns the sum of unsigned integers modulo 2^64.
func SumUint[T Unsigned](src []T) uint64 {
	var a, b, c, d uint64
	for len(src) >= 4 {
		s := src[:4:4]
		a, b, c, d = a+uint64(s[0]), b+uint64(s[1]), c+uint64(s[2]), d+uint64(s[3])
		src = src[4:]
	}
	for _, x := range src {
		a += uint64(x)
	}
	return a + b + c + d
}

// SumFloat returns the sum in four interleaved partial sums, always in the same order for one length.
func SumFloat[T Float](src []T) float64 {
	var a, b, c, d float64
	for len(src) >= 4 {
		s := src[:4:4]
		a, b, c, d = a+float64(s[0]), b+float64(s[1]), c+float64(s[2]), d+float64(s[3])
		src = src[4:]
	}
	for _, x := range src {
		a += float64(x)
	}
	return (a + b) + (c + d)
}

// SumIntMasked is SumInt over the rows whose mask is 1.
func SumIntMasked[T Signed](src []T, mask []uint8) int64 {
	mask = mask[:len(src)]
	var sum int64
	for i, x := range src {
		sum += int64(x) & -int64(mask[i])
	}
	return sum
}

// SumUintMasked is SumUint over the rows whose mask is 1.
func SumUintMasked[T Unsigned](src []T, mask []uint8) uint64 {
	mask = mask[:len(src)]
	var sum uint64
	for i, x := range src {
		sum += uint64(x) & -uint64(mask[i])
	}
	return sum
}

// SumFloatMasked is the sum over the rows whose mask is 1, NaN elsewhere notwithstanding.
func SumFloatMasked[T Float](src []T, mask []uint8) float64 {
	mask = mask[:len(src)]
	var sum float64
	for i, x := range src {
		if mask[i] != 0 {
			sum += float64(x)
		}
	}
	return sum
}
