package kernel

import (
	"sync/atomic"
	"unsafe"
)

// plan512 says how one vector of values of one width comes out of packed bytes: perm brings to each quadword the 8 bytes
// that hold its values, shift is at which bit of them each result byte begins.
type plan512 struct {
	perm, shift [64]byte
	ok          bool // each quadword's values lie within 8 bytes
	// Else two permutations bring to each value the bytes that it begins in and those behind them, and two shifts align these.
	low, high, down, up [64]byte
}

// plan2 says how 8 values come out: each lane of 16 bytes is loaded from lanes, shuffle brings the bytes of each value
// together and shift is how far they are from the lowest bit.
type plan2 struct {
	lanes          [4]int
	shuffle, shift [64]byte
	reach          int // bytes read from where the 8 values begin
	ok             bool
}

// The plans made so far, by log2 of the result's bytes and by width.
var (
	plans512 [4][65]atomic.Pointer[plan512]
	plans2   [4][65]atomic.Pointer[plan2]
)

func planOf[P any](at *atomic.Pointer[P], build func(size, width int) *P, size, width int) *P {
	p := at.Load()
	if p == nil {
		p = build(size, width)
		at.Store(p)
	}
	return p
}

// logSize is log2 of 1, 2, 4, 8.
func logSize(size int) int { return size>>1 - size>>3 }

func buildPlan512(size, width int) *plan512 {
	p := &plan512{ok: true}
	per := 8 / size // values of a quadword
	p.straddle(size, width)
	for q := range 8 {
		from := q * per * width
		for i := range 8 {
			p.perm[8*q+i] = byte(from/8 + i)
		}
		for v := range per {
			bit := from%8 + v*width
			p.ok = p.ok && bit+width <= 64
			for b := range size {
				p.shift[8*q+v*size+b] = byte(bit+8*b) & 63
			}
		}
	}
	return p
}

// straddle plans values of 4 or 8 bytes that lie in one byte more than that.
func (p *plan512) straddle(size, width int) {
	for v := range 64 / size {
		from := v * width
		p.down[v*size], p.up[v*size] = byte(from%8), byte(8*size-from%8)
		for b := range size {
			p.low[v*size+b], p.high[v*size+b] = byte(from/8+b), byte(from/8+size+b)
		}
	}
}

func buildPlan2(size, width int) *plan2 {
	p := &plan2{ok: true}
	elem := max(size, 4) // bytes in which values are aligned
	per := 16 / elem
	for l := range 8 / per {
		from := l * per * width
		p.lanes[l] = from / 8
		p.reach = from/8 + 16
		for v := range per {
			bit := from%8 + v*width
			p.ok = p.ok && bit%8+width <= 8*elem && bit/8+elem <= 16
			for b := range elem {
				p.shuffle[16*l+v*elem+b] = byte(bit/8 + b)
			}
			p.shift[16*l+v*elem] = byte(bit % 8)
		}
	}
	return p
}

// unpackVectors does the front of Unpack, and returns how many values.
func unpackVectors[T Int](dst []T, src []byte, start, width int, base T) int {
	size := sizeOf[T]()
	if simd == levelGo || len(dst) < minVector+8 || width > 8*size {
		return 0
	}
	head := 0 // values up to the first that begins with a byte
	for ; (start+head)*width%8 != 0; head++ {
		dst[head] = T(loadBits(src, (start+head)*width, width)) + base
	}
	from := (start + head) * width / 8
	if from >= len(src) {
		return head
	}
	dst, src = dst[head:], src[from:]
	mask, bases := repeat(^uint64(0)>>(64-width), size), repeat(uint64(base), size)
	if simd == levelAVX512 {
		return head + unpackAVX512(size, ptr(dst), len(dst), src, width, mask, bases)
	}
	if size < 4 {
		mask = repeat(^uint64(0)>>(64-width), 4)
	}
	return head + unpackAVX2(size, ptr(dst), len(dst), src, width, mask, bases)
}

func unpackAVX512(size int, dst *byte, n int, src []byte, width int, mask, base uint64) int {
	p := planOf(&plans512[logSize(size)][width], buildPlan512, size, width)
	step := 8 * width / size
	turns := min(n*size/64, len(src)/step)
	if turns <= 0 {
		return 0
	}
	bytes := ^uint64(0) >> (64 - step)
	switch {
	case !p.ok && size == 4:
		unpackStraddling4AVX512(dst, ptr(src), turns, step, &p.low, &p.high, &p.down, &p.up, bytes, mask, base)
	case !p.ok:
		unpackStraddling8AVX512(dst, ptr(src), turns, step, &p.low, &p.high, &p.down, &p.up, bytes, mask, base)
	case size == 1:
		unpack1AVX512(dst, ptr(src), turns, step, &p.perm, &p.shift, bytes, mask, base)
	case size == 2:
		unpack2AVX512(dst, ptr(src), turns, step, &p.perm, &p.shift, bytes, mask, base)
	case size == 4:
		unpack4AVX512(dst, ptr(src), turns, step, &p.perm, &p.shift, bytes, mask, base)
	default:
		unpack8AVX512(dst, ptr(src), turns, step, &p.perm, &p.shift, bytes, mask, base)
	}
	return turns * 64 / size
}

func unpackAVX2(size int, dst *byte, n int, src []byte, width int, mask, base uint64) int {
	p := planOf(&plans2[logSize(size)][width], buildPlan2, size, width)
	if !p.ok || len(src) < p.reach {
		return 0
	}
	groups := min(n/8, (len(src)-p.reach)/width+1)
	if size < 4 {
		groups -= groups % (4 / size)
	}
	if groups == 0 {
		return 0
	}
	switch size {
	case 1:
		unpack1AVX2(dst, ptr(src), groups, width, &p.lanes, &p.shuffle, &p.shift, mask, base)
	case 2:
		unpack2AVX2(dst, ptr(src), groups, width, &p.lanes, &p.shuffle, &p.shift, mask, base)
	case 4:
		unpack4AVX2(dst, ptr(src), groups, width, &p.lanes, &p.shuffle, &p.shift, mask, base)
	default:
		unpack8AVX2(dst, ptr(src), groups, width, &p.lanes, &p.shuffle, &p.shift, mask, base)
	}
	return 8 * groups
}

// expandVectors does the runs whose ends lie far enough before that of dst, and returns how many runs and rows.
func expandVectors[T any](dst, values []T, ends []uint32, from int) (runs, rows int) {
	size := sizeOf[T]()
	room := len(dst) - 32/size // rows that a vector may begin at
	if simd == levelGo || room <= 0 || size&(size-1) != 0 || size > 8 {
		return 0, 0
	}
	n := min(searchEnds(ends, uint32(from+room+1)), len(values)) // whose ends are at most from+room
	if n == 0 {
		return 0, 0
	}
	d, v, e := ptr(dst), ptr(values), unsafe.SliceData(ends)
	switch size {
	case 1:
		expandRuns1AVX2(d, v, e, n, from)
	case 2:
		expandRuns2AVX2(d, v, e, n, from)
	case 4:
		expandRuns4AVX2(d, v, e, n, from)
	default:
		expandRuns8AVX2(d, v, e, n, from)
	}
	return n, int(ends[n-1]) - from
}
