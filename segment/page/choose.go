package page

import (
	"math"

	"github.com/olapd/olapd/internal/kernel"
)

// plan is a candidate encoding with its exact size in bytes.
type plan[T kernel.Int] struct {
	how   byte
	size  int
	lo    T     // packed, patched: base; sparse: default
	width int   // packed, delta, patched
	base  int64 // delta
	k     int   // runs, sparse, patched: their count
	order int   // patched
	most  int   // distinct values at which a dictionary is worth trying before; 0: not at all
}

func packedSize[T kernel.Int](n, w int) int { return 1 + width[T]() + 1 + kernel.PackedLen(n, w) }

// spread is the bits that hi-lo needs.
func spread[T kernel.Int](lo, hi T) int {
	return kernel.BitWidth(uint64(hi-lo) & (math.MaxUint64 >> (64 - 8*width[T]())))
}

// choose returns the smallest encoding of src, which is not empty, LZ4 and dictionary aside. nest allows streams within the stream.
func choose[T kernel.Int](src []T, nest bool) plan[T] {
	best, s := unpatched(src, nest)
	if !nest {
		return best
	}
	if p, ok := patched(src, best.size); ok {
		best = p
	}
	if n := len(src); best.size > lz4Min {
		// Codes of as many bits as a value now takes cannot win, which bounds the entries and ends the attempt early.
		most := 1 << min(8, 8*best.size/n)
		if d := s.distinct(src, most); d <= most && kernel.PackedLen(n, kernel.BitWidth(uint64(d-1))) < best.size {
			best.most = most
		}
	}
	return best
}

// unpatched is choose among streams without patches. One pass finds the bounds of all values; what takes another pass is measured only where a sample, which it
// returns, says that it can win.
func unpatched[T kernel.Int](src []T, nest bool) (plan[T], sample[T]) {
	n, w := len(src), width[T]()
	lo, hi := kernel.MinMaxInt(src)
	if lo == hi {
		return plan[T]{how: howConst, size: 1 + w, lo: lo}, sample[T]{}
	}
	best := plan[T]{how: howRaw, size: 1 + n*w}
	consider := func(p plan[T]) {
		if p.size < best.size {
			best = p
		}
	}
	bits := spread(lo, hi)
	consider(plan[T]{how: howPacked, size: packedSize[T](n, bits), lo: lo, width: bits})
	s := survey(src)
	if spread(s.dlo, s.dhi) < bits {
		dlo, dhi := s.dlo, s.dhi
		if !s.whole {
			dlo, dhi = deltaBounds(src)
		}
		if dbits := spread(dlo, dhi); dbits < bits {
			consider(plan[T]{how: howDelta, size: 1 + w + 8 + 1 + kernel.PackedLen(n-1, dbits), base: dlo, width: dbits})
		}
	}
	if !nest {
		return best, s
	}
	if posBits := kernel.BitWidth(uint64(n)); s.runs*4*(bits+posBits) <= s.n*5*bits {
		if runs := kernel.CountRuns(src); runs <= n/2 {
			size := 5 + 4 + packedSize[T](runs, bits) + 4 + packedSize[uint32](runs, posBits)
			consider(plan[T]{how: howRuns, size: size, k: runs})
		}
	}
	if s.others <= s.n*3/8 {
		if others := countOthers(src, s.common); others <= n/4 {
			size := 5 + w + 4 + packedSize[T](others, bits) + 4 + packedSize[uint32](others, kernel.BitWidth(uint64(n)))
			consider(plan[T]{how: howSparse, size: size, lo: s.common, k: others})
		}
	}
	return best, s
}

const (
	// windows of windowLen values each are the sample of a page: 2,048 of its 65,536 values, neighbours among them.
	windows   = 16
	windowLen = 128
)

// sample is what some of the values say about all.
type sample[T kernel.Int] struct {
	n        int   // values looked at
	whole    bool  // which are all
	dlo, dhi int64 // bounds of the differences of neighbours
	runs     int
	common   T // the value of most of them, if there is one
	others   int
}

// eachWindow calls f for each window of the sample of src: for src itself if it is short.
func eachWindow[T kernel.Int](src []T, f func(w []T)) {
	if len(src) <= 2*windows*windowLen {
		f(src)
		return
	}
	for i := range windows {
		at := i * (len(src) - windowLen) / (windows - 1)
		f(src[at : at+windowLen])
	}
}

// survey looks at a sample of src.
func survey[T kernel.Int](src []T) sample[T] {
	s := sample[T]{dlo: math.MaxInt64, dhi: math.MinInt64, whole: len(src) <= 2*windows*windowLen}
	votes := 0
	eachWindow(src, func(w []T) {
		s.n += len(w)
		s.runs += kernel.CountRuns(w)
		dlo, dhi := deltaBounds(w)
		s.dlo, s.dhi = min(s.dlo, dlo), max(s.dhi, dhi)
		s.common, votes = vote(w, s.common, votes)
	})
	eachWindow(src, func(w []T) { s.others += countOthers(w, s.common) })
	return s
}

// distinct counts the distinct values of the sample of src, but no further than most+1.
func (s *sample[T]) distinct(src []T, most int) int {
	var set valueSet[T]
	more := 0
	eachWindow(src, func(w []T) {
		for i := 0; i < len(w) && more == 0; i++ {
			if set.add(w[i], most) < 0 {
				more = 1
			}
		}
	})
	return len(set.entries) + more
}

// deltaBounds returns the least and greatest difference of neighbours, modulo 2^64.
func deltaBounds[T kernel.Int](src []T) (lo, hi int64) {
	lo, hi = math.MaxInt64, math.MinInt64
	prev := src[0]
	for _, x := range src[1:] {
		d := int64(x) - int64(prev)
		lo, hi, prev = min(lo, d), max(hi, d), x
	}
	if lo > hi {
		return 0, 0
	}
	return lo, hi
}

// vote goes on with the election of the value that more than half have, if any has.
func vote[T kernel.Int](src []T, cand T, votes int) (T, int) {
	for _, x := range src {
		switch {
		case votes == 0:
			cand, votes = x, 1
		case x == cand:
			votes++
		default:
			votes--
		}
	}
	return cand, votes
}

// countOthers counts the values that are not x.
func countOthers[T kernel.Int](src []T, x T) int {
	n := 0
	for _, y := range src {
		if y != x {
			n++
		}
	}
	return n
}
