//go:build linux && amd64

package kernel

import (
	"bytes"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"syscall"
	"testing"
	"unsafe"
)

const (
	pageSize  = 4096
	roomPages = 12
)

// guarded is memory between two pages that must not be touched. One is handed out after the other; reset frees all.
type guarded struct {
	maps [][]byte
	used int
}

func (g *guarded) next(t testing.TB) []byte {
	if g.used == len(g.maps) {
		m, err := syscall.Mmap(-1, 0, (roomPages+2)*pageSize, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_ANON|syscall.MAP_PRIVATE)
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range [][]byte{m[:pageSize], m[(roomPages+1)*pageSize:]} {
			if err := syscall.Mprotect(p, syscall.PROT_NONE); err != nil {
				t.Fatal(err)
			}
		}
		g.maps = append(g.maps, m)
	}
	g.used++
	return g.maps[g.used-1][pageSize : (roomPages+1)*pageSize]
}

var guards guarded

// place copies src to memory that ends, or begins, at a page that must not be touched.
func place[T any](t testing.TB, src []T, atEnd bool) []T {
	room, size := guards.next(t), len(src)*int(unsafe.Sizeof(*new(T)))
	if len(src) == 0 {
		return nil
	}
	if atEnd {
		room = room[len(room)-size:]
	}
	out := unsafe.Slice((*T)(unsafe.Pointer(&room[0])), len(src))
	copy(out, src)
	return out
}

// levelsHere are the levels of this processor.
func levelsHere() []int { return []int{levelGo, levelAVX2, levelAVX512}[:detect()+1] }

// checker runs kernels at every level and compares with Go.
type checker struct {
	t     testing.TB
	r     *rand.Rand
	n     int
	level int
	atEnd bool
}

// eachLevel runs f at every level but Go's, at both ends of memory.
func eachLevel(t testing.TB, r *rand.Rand, n int, f func(c *checker)) {
	defer func(l int) { simd = l }(simd)
	for _, level := range levelsHere()[1:] {
		for _, atEnd := range []bool{true, false} {
			guards.used = 0
			f(&checker{t: t, r: r, n: n, level: level, atEnd: atEnd})
		}
	}
}

// same runs the kernel by Go and at the level, into slices of m results each.
func same[R comparable](c *checker, what string, m int, run func(dst []R)) {
	c.t.Helper()
	want := make([]R, m)
	simd = levelGo
	run(want)
	got := place(c.t, make([]R, m), c.atEnd)
	simd = c.level
	run(got)
	for i := range want {
		if got[i] != want[i] && (got[i] == got[i] || want[i] == want[i]) {
			c.t.Fatalf("%s, %d values, level %d: result %d of %d is %v, not %v", what, c.n, c.level, i, m, got[i], want[i])
		}
	}
}

func placed[T any](c *checker, src []T) []T { return place(c.t, src, c.atEnd) }

func numbers[T Number](c *checker) []T {
	out := make([]T, c.n)
	few := c.r.IntN(3) == 0
	for i := range out {
		x := c.r.Uint64()
		if few {
			x %= 3
		}
		out[i] = T(x)
		if isFloat[T]() {
			switch c.r.IntN(8) {
			case 0:
				out[i] = T(math.NaN())
			case 1:
				out[i] = T(math.Inf(1 - 2*int(x&1)))
			case 2:
				out[i] = T(math.Copysign(0, -1))
			default:
				out[i] = T(x%17) - 8
			}
		}
	}
	return placed(c, out)
}

func checkInts[T Int](c *checker) {
	a, b := numbers[T](c), numbers[T](c)
	size := sizeOf[T]()
	for range 3 {
		width := c.r.IntN(8*size + 1)
		start := c.r.IntN(20)
		base := T(c.r.Uint64())
		packed := placed(c, AppendPacked(nil, append(make([]T, start), masked(a, width)...), 0, width))
		same(c, fmt.Sprintf("unpack of %d bits to %d bytes from %d", width, size, start), c.n, func(dst []T) { Unpack(dst, packed, start, width, base) })
	}
	same(c, "sum", 1, func(dst []uint64) { sum, done := sumVectors(a); dst[0] = sum + goSum(a[done:]) })
	if c.n > 0 {
		same(c, "bounds", 2, func(dst []T) { dst[0], dst[1] = MinMaxInt(a) })
	}
	same(c, "hash", c.n, func(dst []uint64) { HashInts(dst, a) })
	values, ends := AppendRuns[T](nil, nil, a)
	values, ends = placed(c, values), placed(c, ends)
	from := c.r.IntN(c.n + 1)
	same(c, "runs", c.n-from, func(dst []T) { ExpandRuns(dst, values, ends, from) })
	same(c, "fill", c.n, func(dst []T) { Fill(dst, T(7)) })
	codes, table := placed(c, ints[uint8](c.r, c.n, 8)), [256]T{}
	copy(table[:], ints[T](c.r, 256, 64))
	same(c, "lookup", c.n, func(dst []T) { Lookup(dst, &table, codes) })
	same(c, "prefix sum", c.n, func(dst []T) { copy(dst, a); PrefixSum(dst, 5) })
	same(c, "last prefix sum", 1, func(dst []T) { dst[0] = PrefixSum(slices.Clone(a), 5) })
	checkWiden[int16](c, a)
	checkWiden[uint32](c, a)
	checkWiden[int64](c, a)
	checkNumbers(c, a, b)
}

func goSum[T Int](a []T) (sum uint64) {
	for _, x := range a {
		sum += uint64(x)
	}
	return sum
}

func masked[T Int](a []T, width int) []T {
	out := slices.Clone(a)
	for i := range out {
		out[i] = T(uint64(out[i]) & (1<<width - 1))
	}
	return out
}

func checkWiden[T, S Int](c *checker, a []S) {
	if sizeOf[T]() >= sizeOf[S]() {
		same(c, "widen", c.n, func(dst []T) { Convert(dst, a) })
	}
}

func checkNumbers[T Number](c *checker, a, b []T) {
	k := T(1)
	if c.n > 0 {
		k = a[c.r.IntN(c.n)]
	}
	for op := Eq; op <= Ge; op++ {
		for _, y := range []T{k, 0, k + 1, T(0) - 1} {
			same(c, fmt.Sprintf("%T %s %v", y, op, y), c.n, func(dst []uint8) { CompareConst(dst, op, a, y) })
		}
		same(c, "compare "+op.String(), c.n, func(dst []uint8) { Compare(dst, op, a, b) })
	}
	lo, hi := k, T(5)
	same(c, "range", c.n, func(dst []uint8) { InRange(dst, a, lo, hi) })
	one := placed(c, []T{k})
	for _, y := range [][]T{b, one} {
		if len(y) == 1 && c.n == 0 {
			continue
		}
		same(c, "add", c.n, func(dst []T) { Add(dst, a, y); Add(dst, y, dst) })
		same(c, "sub", c.n, func(dst []T) { Sub(dst, a, y); Sub(dst, y, dst) })
		same(c, "mul", c.n, func(dst []T) { Mul(dst, a, y); Mul(dst, y, dst) })
	}
}

func checkFloats[T Float](c *checker) {
	a, b := numbers[T](c), numbers[T](c)
	checkNumbers(c, a, b)
	same(c, "div", c.n, func(dst []T) { Div(dst, a, b) })
	same(c, "sum", 1, func(dst []float64) { dst[0] = SumFloat(a) })
	finite := placed(c, make([]T, c.n))
	for i := range finite {
		finite[i] = T(c.r.NormFloat64())
	}
	same(c, "sum", 1, func(dst []float64) { dst[0] = SumFloat(finite) })
}

func checkMasks(c *checker) {
	a, b := placed(c, ints[uint8](c.r, c.n, 1)), placed(c, ints[uint8](c.r, c.n, 1))
	same(c, "and", c.n, func(dst []uint8) { And(dst, a, b) })
	same(c, "or", c.n, func(dst []uint8) { Or(dst, a, b) })
	same(c, "and not", c.n, func(dst []uint8) { AndNot(dst, a, b) })
	same(c, "not", c.n, func(dst []uint8) { Not(dst, a) })
	same(c, "count", 1, func(dst []int) { dst[0] = Count(a) })
	same(c, "positions", c.n+1, func(dst []uint32) {
		sel := AppendSelected(dst[:0:c.n], a, 9) // into dst itself
		for i := range dst[len(sel):] {
			dst[len(sel)+i] = 0
		}
		dst[c.n] = uint32(len(sel))
	})
	h, g := placed(c, ints[uint64](c.r, c.n, 64)), placed(c, ints[uint64](c.r, c.n, 64))
	for stride := 1; stride <= 3; stride++ {
		rows := placed(c, ints[uint64](c.r, c.n*stride, 64))
		same(c, "hashes of rows", c.n, func(dst []uint64) { HashRows(dst, rows, stride) })
	}
	same(c, "combined hashes", c.n, func(dst []uint64) { copy(dst, h); CombineHashes(dst, g) })
}

func checkSearch(c *checker) {
	alphabet := []byte("abABz")
	text := make([]byte, c.n)
	for i := range text {
		text[i] = alphabet[c.r.IntN(len(alphabet))]
	}
	text = placed(c, text)
	var off []uint32
	for at := 0; at < c.n; at += c.r.IntN(2 + c.n/2) {
		off = append(off, uint32(at))
	}
	off = append(off, uint32(c.n))
	for k := range 6 {
		needle := make([]byte, k)
		for i := range needle {
			needle[i] = alphabet[c.r.IntN(len(alphabet))]
		}
		for row, got := 0, make([]uint8, len(off)-1); row < 1; row++ {
			same(c, fmt.Sprintf("%q in %q", needle, text), len(got), func(dst []uint8) { Contains(dst, off, text, needle) })
			same(c, fmt.Sprintf("%q in any case in %q", needle, text), len(got), func(dst []uint8) { ContainsFold(dst, off, text, needle) })
			simd = c.level
			ContainsFold(got, off, text, needle)
			for i := range got {
				want := bytes.Contains(bytes.ToUpper(text[off[i]:off[i+1]]), bytes.ToUpper(needle))
				if (got[i] == 1) != want {
					c.t.Fatalf("%q in any case in %q: %d", needle, text[off[i]:off[i+1]], got[i])
				}
			}
		}
	}
}

func checkAll(t testing.TB, r *rand.Rand, n int) {
	for _, f := range []func(*checker){
		checkInts[uint8], checkInts[int8], checkInts[uint16], checkInts[int16], checkInts[uint32], checkInts[int32], checkInts[uint64], checkInts[int64],
		checkFloats[float32], checkFloats[float64], checkMasks, checkSearch,
	} {
		eachLevel(t, r, n, f)
	}
}

// TestLevelsAgree holds every implementation against Go's, at all short lengths and some longer ones, in memory between pages that must not be touched.
func TestLevelsAgree(t *testing.T) {
	r := rng(10)
	for n := range 201 {
		checkAll(t, r, n)
	}
	for range 20 {
		checkAll(t, r, 200+r.IntN(1200))
	}
}

func FuzzLevelsAgree(f *testing.F) {
	f.Add(uint64(1), uint16(65))
	f.Fuzz(func(t *testing.T, seed uint64, n uint16) { checkAll(t, rng(seed), int(n)%1500) })
}

// TestUnpackEveryWidth unpacks each width to each type.
func TestUnpackEveryWidth(t *testing.T) {
	r := rng(11)
	for width := range 65 {
		for range 4 {
			n := 100 + r.IntN(200)
			eachLevel(t, r, n, func(c *checker) {
				unpackWidth[uint8](c, width)
				unpackWidth[uint16](c, width)
				unpackWidth[uint32](c, width)
				unpackWidth[int64](c, width)
			})
		}
	}
}

func unpackWidth[T Int](c *checker, width int) {
	start := c.r.IntN(9)
	packed := placed(c, AppendPacked(nil, ints[uint64](c.r, start+c.n, max(width, 1)), 0, width))
	if width == 0 {
		packed = nil
	}
	same(c, fmt.Sprintf("unpack of %d bits", width), c.n, func(dst []T) { Unpack(dst, packed, start, width, 3) })
}
