package page

import (
	"encoding/binary"
	"math"
	"unsafe"

	"github.com/olapd/olapd/internal/compress"
	"github.com/olapd/olapd/internal/kernel"
)

// How an integer stream is encoded. Stored: never renumber.
const (
	howRaw byte = iota
	howConst
	howPacked
	howDelta
	howRuns
	howSparse
	howDict
	howLZ4
	howDecimal // floats only
)

// maxDict is the most distinct values that are worth a dictionary of a page's own: codes of one byte or less.
const maxDict = 256

const (
	// lz4Min is the size below which LZ4 is not tried: nothing to gain.
	lz4Min = 512
	// lz4Sample is how much is compressed to see whether the whole is worth it.
	lz4Sample = 16 << 10
)

func width[T kernel.Int]() int {
	var x T
	return int(unsafe.Sizeof(x))
}

// AppendInts appends the smallest stream of src.
func AppendInts[T kernel.Int](dst []byte, src []T) []byte {
	start := len(dst)
	dst = appendPlain(dst, src, true)
	size := len(dst) - start
	if size < lz4Min {
		return dst
	}
	return lz4Instead(dst, start, src)
}

// plan is a candidate encoding with its exact size in bytes.
type plan[T kernel.Int] struct {
	how   byte
	size  int
	lo    T     // packed: base; sparse: default
	width int   // packed, delta
	base  int64 // delta
	k     int   // runs, sparse: their count
}

func packedSize[T kernel.Int](n, w int) int { return 1 + width[T]() + 1 + kernel.PackedLen(n, w) }

// spread is the bits that hi-lo needs.
func spread[T kernel.Int](lo, hi T) int {
	return kernel.BitWidth(uint64(hi-lo) & (math.MaxUint64 >> (64 - 8*width[T]())))
}

// choose returns the smallest encoding of src, which is not empty, LZ4 aside. nest allows streams within the stream.
func choose[T kernel.Int](src []T, nest bool) plan[T] {
	n, w := len(src), width[T]()
	lo, hi := kernel.MinMaxInt(src)
	if lo == hi {
		return plan[T]{how: howConst, size: 1 + w, lo: lo}
	}
	best := plan[T]{how: howRaw, size: 1 + n*w}
	consider := func(p plan[T]) {
		if p.size < best.size {
			best = p
		}
	}
	bits := spread(lo, hi)
	consider(plan[T]{how: howPacked, size: packedSize[T](n, bits), lo: lo, width: bits})
	dlo, dhi := deltaBounds(src)
	if dbits := spread(dlo, dhi); dbits < bits {
		consider(plan[T]{how: howDelta, size: 1 + w + 8 + 1 + kernel.PackedLen(n-1, dbits), base: dlo, width: dbits})
	}
	if !nest {
		return best
	}
	runs := kernel.CountRuns(src)
	if runs <= n/2 {
		size := 5 + 4 + packedSize[T](runs, bits) + 4 + packedSize[uint32](runs, kernel.BitWidth(uint64(n)))
		consider(plan[T]{how: howRuns, size: size, k: runs})
	}
	if def, others := majority(src); others <= n/4 {
		size := 5 + w + 4 + packedSize[T](others, bits) + 4 + packedSize[uint32](others, kernel.BitWidth(uint64(n)))
		consider(plan[T]{how: howSparse, size: size, lo: def, k: others})
	}
	return best
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

// majority returns the value that more than half of src have, if any has (else some value), and how many have another.
func majority[T kernel.Int](src []T) (T, int) {
	var cand T
	votes := 0
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
	others := 0
	for _, x := range src {
		if x != cand {
			others++
		}
	}
	return cand, others
}

// appendPlain appends the smallest stream of src without LZ4.
func appendPlain[T kernel.Int](dst []byte, src []T, nest bool) []byte {
	if len(src) == 0 {
		return append(dst, howRaw)
	}
	p := choose(src, nest)
	if nest && p.size > lz4Min {
		// Codes of as many bits as a value now takes cannot win, which bounds the entries and ends the attempt early.
		most := 1 << min(8, 8*p.size/len(src))
		if out, ok := appendDict(dst, src, p.size, most); ok {
			return out
		}
	}
	dst = append(dst, p.how)
	switch p.how {
	case howRaw:
		return appendRaw(dst, src)
	case howConst:
		return appendRaw(dst, []T{p.lo})
	case howPacked:
		dst = append(appendRaw(dst, []T{p.lo}), byte(p.width))
		return kernel.AppendPacked(dst, src, p.lo, p.width)
	case howDelta:
		return appendDelta(dst, src, p)
	case howRuns:
		values, ends := kernel.AppendRuns(make([]T, 0, p.k), make([]uint32, 0, p.k), src)
		dst = binary.LittleEndian.AppendUint32(dst, uint32(p.k))
		return appendNested(appendNested(dst, values), ends)
	default:
		return appendSparse(dst, src, p)
	}
}

// appendNested appends a stream[n].
func appendNested[T kernel.Int](dst []byte, src []T) []byte {
	return appendSized(dst, func(b []byte) []byte { return appendPlain(b, src, false) })
}

func appendDelta[T kernel.Int](dst []byte, src []T, p plan[T]) []byte {
	dst = appendRaw(dst, src[:1])
	dst = append(binary.LittleEndian.AppendUint64(dst, uint64(p.base)), byte(p.width))
	deltas := make([]int64, len(src)-1)
	for i := range deltas {
		deltas[i] = int64(src[i+1]) - int64(src[i])
	}
	return kernel.AppendPacked(dst, deltas, p.base, p.width)
}

func appendSparse[T kernel.Int](dst []byte, src []T, p plan[T]) []byte {
	at, values := make([]uint32, 0, p.k), make([]T, 0, p.k)
	for i, x := range src {
		if x != p.lo {
			at, values = append(at, uint32(i)), append(values, x)
		}
	}
	dst = appendRaw(dst, []T{p.lo})
	dst = binary.LittleEndian.AppendUint32(dst, uint32(p.k))
	return appendNested(appendNested(dst, at), values)
}

// appendDict appends src coded by a dictionary if it has at most `most` distinct values, no more than maxDict, and that
// takes less than limit bytes.
func appendDict[T kernel.Int](dst []byte, src []T, limit, most int) ([]byte, bool) {
	const slots = 4 * maxDict
	var table [slots]uint16 // entry+1
	entries := make([]T, 0, maxDict)
	codes := make([]uint32, len(src))
	for i, x := range src {
		h := kernel.Mix(uint64(x)) % slots
		for table[h] != 0 && entries[table[h]-1] != x {
			h = (h + 1) % slots
		}
		if table[h] == 0 {
			if len(entries) == most {
				return dst, false
			}
			entries = append(entries, x)
			table[h] = uint16(len(entries))
		}
		codes[i] = uint32(table[h] - 1)
	}
	start := len(dst)
	out := append(dst, howDict)
	out = binary.LittleEndian.AppendUint32(out, uint32(len(entries)))
	out = appendNested(appendNested(out, entries), codes)
	if len(out)-start >= limit {
		return out[:start], false
	}
	return out, true
}

// lz4Instead replaces the stream at dst[start:] by an LZ4 one where that saves over a quarter.
func lz4Instead[T kernel.Int](dst []byte, start int, src []T) []byte {
	size := len(dst) - start
	best, ok := smaller(dst[start:], size)
	if dst[start] != howRaw && size*2 > len(src)*width[T]() { // values that only LZ4 sees a pattern in
		raw := appendRaw([]byte{howRaw}, src)
		if b, good := smaller(raw, size); good && (!ok || len(b) < len(best)) {
			best, ok = b, true
		}
	}
	if !ok {
		return dst
	}
	return append(dst[:start], best...)
}

// smaller compresses a stream if a sample of it says so, and reports whether it takes less than 3/4 of limit.
func smaller(stream []byte, limit int) ([]byte, bool) {
	if n := min(len(stream), lz4Sample); n < len(stream) {
		mid := (len(stream) - n) / 2
		sample, err := compress.AppendCompress(nil, compress.LZ4, stream[mid:mid+n])
		if err != nil || len(sample)*len(stream)/n > limit*4/5 {
			return nil, false
		}
	}
	out := append(make([]byte, 0, compress.Bound(compress.LZ4, len(stream))+5), howLZ4)
	out = binary.LittleEndian.AppendUint32(out, uint32(len(stream)))
	out, err := compress.AppendCompress(out, compress.LZ4, stream)
	return out, err == nil && len(out) <= limit*3/4
}

// appendRaw appends the bytes of the values.
func appendRaw[T kernel.Int](dst []byte, src []T) []byte {
	switch w := width[T](); w {
	case 1:
		for _, x := range src {
			dst = append(dst, byte(x))
		}
	case 2:
		for _, x := range src {
			dst = binary.LittleEndian.AppendUint16(dst, uint16(x))
		}
	case 4:
		for _, x := range src {
			dst = binary.LittleEndian.AppendUint32(dst, uint32(x))
		}
	default:
		for _, x := range src {
			dst = binary.LittleEndian.AppendUint64(dst, uint64(x))
		}
	}
	return dst
}
