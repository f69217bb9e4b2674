package kernel

// SumInt returns the sum of signed integers modulo 2^64.
func SumInt[T Signed](src []T) int64 {
	sum, done := sumVectors(src)
	src = src[done:]
	var a, b, c, d int64
	for len(src) >= 4 {
		s := src[:4:4]
		a, b, c, d = a+int64(s[0]), b+int64(s[1]), c+int64(s[2]), d+int64(s[3])
		src = src[4:]
	}
	for _, x := range src {
		a += int64(x)
	}
	return a + b + c + d + int64(sum)
}

// SumUint returns the sum of unsigned integers modulo 2^64.
func SumUint[T Unsigned](src []T) uint64 {
	sum, done := sumVectors(src)
	src = src[done:]
	var a, b, c, d uint64
	for len(src) >= 4 {
		s := src[:4:4]
		a, b, c, d = a+uint64(s[0]), b+uint64(s[1]), c+uint64(s[2]), d+uint64(s[3])
		src = src[4:]
	}
	for _, x := range src {
		a += uint64(x)
	}
	return a + b + c + d + sum
}

// floatSums is how many interleaved partial sums SumFloat has.
const floatSums = 16

// SumFloat returns the sum in 16 interleaved partial sums, which are then added in order, and after them the sum of what is left of a
// length that 16 does not divide: as ClickHouse adds a block. The order, and so the rounding, depends on the length alone.
func SumFloat[T Float](src []T) float64 {
	var parts [floatSums]float64
	done := sumFloatVectors(&parts, src)
	src = src[done:]
	for len(src) >= floatSums {
		s := src[:floatSums:floatSums]
		for i := range parts {
			parts[i] += float64(s[i])
		}
		src = src[floatSums:]
	}
	var sum, rest float64
	for _, p := range parts {
		sum += p
	}
	for _, x := range src {
		rest += float64(x)
	}
	return sum + rest
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
