package kernel

// MinMaxInt returns the least and greatest value of src, which is not empty.
func MinMaxInt[T Int](src []T) (lo, hi T) {
	lo, hi, done := minMaxVectors(src)
	if done == 0 {
		lo, hi = src[0], src[0]
	}
	src = src[done:]
	for _, x := range src {
		lo, hi = min(lo, x), max(hi, x)
	}
	return lo, hi
}

// MinMaxFloat returns the least and greatest value of src that is not NaN, and ok false if there is none.
func MinMaxFloat[T Float](src []T) (lo, hi T, ok bool) {
	for i, x := range src {
		if x == x {
			lo, hi, ok = x, x, true
			src = src[i:]
			break
		}
	}
	if !ok {
		return 0, 0, false
	}
	for _, x := range src {
		if x < lo { // false for NaN
			lo = x
		}
		if x > hi {
			hi = x
		}
	}
	return lo, hi, true
}
