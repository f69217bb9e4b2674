package kernel

// Deltas writes src[i]-src[i-1] (modulo 2^bits) to dst[i-1] for i ≥ 1: one value fewer than src has.
func Deltas[T Int](dst, src []T) {
	for i := 1; i < len(src); i++ {
		dst[i-1] = src[i] - src[i-1]
	}
}

// PrefixSum replaces each delta by the running sum that starts at first: dst[i] = first + dst[0] + … + dst[i].
// It returns the last sum, or first if dst is empty. Sums wrap.
func PrefixSum[T Int](dst []T, first T) T {
	done, first := prefixVectors(dst, first)
	dst = dst[done:]
	for i, d := range dst {
		first += d
		dst[i] = first
	}
	return first
}

// CountRuns returns the number of runs of equal neighbours.
func CountRuns[T comparable](src []T) int {
	if len(src) == 0 {
		return 0
	}
	n := 1
	for i := 1; i < len(src); i++ {
		n += int(b2u(src[i] != src[i-1]))
	}
	return n
}

// AppendRuns appends the value of each run to values and the position behind its last row to ends.
func AppendRuns[T comparable](values []T, ends []uint32, src []T) ([]T, []uint32) {
	for i := 1; i < len(src); i++ {
		if src[i] != src[i-1] {
			values, ends = append(values, src[i-1]), append(ends, uint32(i))
		}
	}
	if n := len(src); n > 0 {
		values, ends = append(values, src[n-1]), append(ends, uint32(n))
	}
	return values, ends
}

// ExpandRuns writes rows [from, from+len(dst)) of the runs; ends ascend and the last is at least from+len(dst).
func ExpandRuns[T any](dst []T, values []T, ends []uint32, from int) {
	r := searchEnds(ends, uint32(from))
	n, at := expandVectors(dst, values[r:], ends[r:], from)
	for r += n; at < len(dst); r++ {
		end := min(int(ends[r])-from, len(dst))
		v := values[r]
		for i := at; i < end; i++ {
			dst[i] = v
		}
		at = end
	}
}

// Fill writes v to all of dst.
func Fill[T any](dst []T, v T) {
	if len(dst) == 0 {
		return
	}
	n := min(len(dst), fillFirst)
	for i := range dst[:n] {
		dst[i] = v
	}
	for n < len(dst) { // copying is vectorised
		n += copy(dst[n:], dst[:n])
	}
}

// fillFirst is how many values are written one by one.
const fillFirst = 64

// searchEnds returns the first run that ends behind row.
func searchEnds(ends []uint32, row uint32) int {
	lo, hi := 0, len(ends)
	for lo < hi {
		if mid := (lo + hi) / 2; ends[mid] <= row {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	return lo
}
