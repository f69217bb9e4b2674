package page

import (
	"encoding/binary"
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
	howPatched
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

// appendPlain appends the smallest stream of src without LZ4.
func appendPlain[T kernel.Int](dst []byte, src []T, nest bool) []byte {
	if len(src) == 0 {
		return append(dst, howRaw)
	}
	p := choose(src, nest)
	if p.most > 0 {
		if out, ok := appendDict(dst, src, p.size, p.most); ok {
			return out
		}
	}
	return appendAs(dst, src, p)
}

// appendAs appends src as planned.
func appendAs[T kernel.Int](dst []byte, src []T, p plan[T]) []byte {
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
	case howPatched:
		return appendPatched(dst, src, p)
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
	var deltas [deltaBatch]int64
	for at := 1; at < len(src); at += deltaBatch {
		d := deltas[:min(deltaBatch, len(src)-at)]
		for i := range d {
			d[i] = int64(src[at+i]) - int64(src[at+i-1])
		}
		dst = kernel.AppendPacked(dst, d, p.base, p.width)
	}
	return dst
}

// deltaBatch is how many deltas are packed at a time: as many of any width end at a whole byte.
const deltaBatch = 512

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
	var set valueSet[T]
	codes := make([]uint8, len(src))
	for i, x := range src {
		c := set.add(x, most)
		if c < 0 {
			return dst, false
		}
		codes[i] = uint8(c)
	}
	start, k := len(dst), len(set.entries)
	out := append(dst, howDict)
	out = binary.LittleEndian.AppendUint32(out, uint32(k))
	out = appendNested(out, set.entries)
	out = appendSized(out, func(b []byte) []byte { // a stream of u32, packed from 0 on: nothing is smaller
		w := kernel.BitWidth(uint64(k - 1))
		return kernel.AppendPacked(append(b, howPacked, 0, 0, 0, 0, byte(w)), codes, 0, w)
	})
	if len(out)-start >= limit {
		return out[:start], false
	}
	return out, true
}

// valueSet numbers up to maxDict distinct values in order of first occurrence.
type valueSet[T kernel.Int] struct {
	table   [4 * maxDict]uint16 // number+1, open addressing
	entries []T
}

// add returns the number of a value, or -1 if it would be one more than most.
func (s *valueSet[T]) add(x T, most int) int {
	h := kernel.Mix(uint64(x)) % uint64(len(s.table))
	for s.table[h] != 0 && s.entries[s.table[h]-1] != x {
		h = (h + 1) % uint64(len(s.table))
	}
	if s.table[h] == 0 {
		if len(s.entries) >= most {
			return -1
		}
		s.entries = append(s.entries, x)
		s.table[h] = uint16(len(s.entries))
	}
	return int(s.table[h]) - 1
}

// lz4Instead replaces the stream at dst[start:] by an LZ4 one where that saves over a quarter.
func lz4Instead[T kernel.Int](dst []byte, start int, src []T) []byte {
	size := len(dst) - start
	best, ok := smaller(dst[start:], size)
	if dst[start] != howRaw && size*2 > len(src)*width[T]() { // values that only LZ4 sees a pattern in
		n := min(len(src), lz4Sample/width[T]())
		mid := (len(src) - n) / 2
		if promises(appendRaw(nil, src[mid:mid+n]), n*size/len(src)) {
			if b, good := smaller(appendRaw([]byte{howRaw}, src), size); good && (!ok || len(b) < len(best)) {
				best, ok = b, true
			}
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
		if !promises(stream[mid:mid+n], limit*n/len(stream)) {
			return nil, false
		}
	}
	out := append(make([]byte, 0, compress.Bound(compress.LZ4, len(stream))+5), howLZ4)
	out = binary.LittleEndian.AppendUint32(out, uint32(len(stream)))
	out, err := compress.AppendCompress(out, compress.LZ4, stream)
	return out, err == nil && len(out) <= limit*3/4
}

// promises reports whether LZ4 makes a sample about as small, next to its share of the limit, as the whole has to be.
func promises(sample []byte, limit int) bool {
	out, err := compress.AppendCompress(nil, compress.LZ4, sample)
	return err == nil && len(out) <= limit*4/5
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
