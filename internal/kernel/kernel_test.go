package kernel

import (
	"bytes"
	"math"
	"math/big"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/zeebo/xxh3"
)

func rng(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 7)) }

func ints[T Int](r *rand.Rand, n, width int) []T {
	out := make([]T, n)
	for i := range out {
		out[i] = T(r.Uint64() & (^uint64(0) >> (64 - width)))
	}
	return out
}

// bitString is the naive reference of bit packing.
func packNaive(vals []uint64, width int) []byte {
	acc := new(big.Int)
	for i := len(vals) - 1; i >= 0; i-- {
		acc.Lsh(acc, uint(width))
		acc.Or(acc, new(big.Int).SetUint64(vals[i]))
	}
	be := acc.FillBytes(make([]byte, PackedLen(len(vals), width)))
	slices.Reverse(be)
	return be
}

func TestPackAllWidthsAndLengths(t *testing.T) {
	r := rng(1)
	for width := 0; width <= 64; width++ {
		for n := 0; n <= 140; n += 1 + n/20 {
			var vals []uint64
			if width == 0 {
				vals = make([]uint64, n)
			} else {
				vals = ints[uint64](r, n, width)
			}
			got := AppendPacked([]byte("x"), vals, 0, width)[1:]
			if want := packNaive(vals, width); !bytes.Equal(got, want) {
				t.Fatalf("width %d, %d values: %x, want %x", width, n, got, want)
			}
			got = slices.Clip(got) // nothing behind the last byte may be read
			var at []uint32
			for i := range vals {
				if r.IntN(3) > 0 {
					at = append(at, uint32(i))
				}
			}
			some := make([]uint64, len(at))
			UnpackAt(some, got, at, width, 3)
			for i, k := range at {
				if some[i] != vals[k]+3 {
					t.Fatalf("width %d, value %d of %d: %d, want %d", width, k, n, some[i], vals[k]+3)
				}
			}
			for start := 0; start <= n; start += 1 + n/9 {
				back := make([]uint64, n-start)
				Unpack(back, got, start, width, 3)
				for i := range back {
					if back[i] != vals[start+i]+3 {
						t.Fatalf("width %d, value %d from %d: %d, want %d", width, i, start, back[i], vals[start+i]+3)
					}
				}
			}
		}
	}
}

func testPackType[T Int](t *testing.T, bits int) {
	r := rng(2)
	for width := 1; width <= bits; width++ {
		base := T(r.Uint64())
		vals := ints[T](r, 301, width)
		for i := range vals {
			vals[i] = T(uint64(vals[i])&(^uint64(0)>>(64-width))) + base
		}
		packed := AppendPacked(nil, vals, base, width)
		if len(packed) != PackedLen(len(vals), width) {
			t.Fatalf("%T width %d: %d bytes", base, width, len(packed))
		}
		back := make([]T, len(vals))
		Unpack(back, packed, 0, width, base)
		if !slices.Equal(back, vals) {
			t.Fatalf("%T width %d does not come back", base, width)
		}
	}
}

func TestPackTypes(t *testing.T) {
	testPackType[uint8](t, 8)
	testPackType[int8](t, 8)
	testPackType[uint16](t, 16)
	testPackType[int16](t, 16)
	testPackType[uint32](t, 32)
	testPackType[int32](t, 32)
	testPackType[uint64](t, 64)
	testPackType[int64](t, 64)
}

func TestDeltasAndRuns(t *testing.T) {
	r := rng(3)
	for n := range 70 {
		src := ints[int32](r, n, 2)
		if n > 0 {
			d := make([]int32, n-1)
			Deltas(d, src)
			last := PrefixSum(d, src[0])
			if last != src[n-1] || !slices.Equal(d, src[1:]) {
				t.Fatalf("deltas of %v", src)
			}
		}
		values, ends := AppendRuns[int32](nil, nil, src)
		if len(values) != CountRuns(src) || len(ends) != len(values) {
			t.Fatalf("runs of %v: %v %v, counted %d", src, values, ends, CountRuns(src))
		}
		for from := 0; from <= n; from++ {
			for to := from; to <= n; to += 3 {
				got := make([]int32, to-from)
				ExpandRuns(got, values, ends, from)
				if !slices.Equal(got, src[from:to]) {
					t.Fatalf("rows %d to %d of %v: %v", from, to, src, got)
				}
			}
		}
	}
}

func TestMinMax(t *testing.T) {
	r := rng(4)
	for n := 1; n < 70; n++ {
		src := ints[int16](r, n, 16)
		if lo, hi := MinMaxInt(src); lo != slices.Min(src) || hi != slices.Max(src) {
			t.Fatalf("%v: %d %d", src, lo, hi)
		}
	}
	nan := math.NaN()
	for _, tc := range []struct {
		src    []float64
		lo, hi float64
		ok     bool
	}{
		{nil, 0, 0, false}, {[]float64{nan, nan}, 0, 0, false}, {[]float64{nan, 2, nan, -1, 5, nan}, -1, 5, true},
		{[]float64{math.Inf(1), 0}, 0, math.Inf(1), true},
	} {
		if lo, hi, ok := MinMaxFloat(tc.src); lo != tc.lo || hi != tc.hi || ok != tc.ok {
			t.Errorf("%v: %v %v %v", tc.src, lo, hi, ok)
		}
	}
}

func naive[T Number](op Op, a, b T) bool {
	return [...]bool{a == b, a != b, a < b, a <= b, a > b, a >= b}[op]
}

func testCompare[T Number](t *testing.T, pool []T) {
	r := rng(5)
	for n := range 70 {
		a, b := make([]T, n), make([]T, n)
		for i := range a {
			a[i], b[i] = pool[r.IntN(len(pool))], pool[r.IntN(len(pool))]
		}
		c := pool[r.IntN(len(pool))]
		for op := Eq; op <= Ge; op++ {
			m1, m2 := make([]uint8, n), make([]uint8, n)
			CompareConst(m1, op, a, c)
			Compare(m2, op, a, b)
			var sel []uint32
			for i := range a {
				if (m1[i] == 1) != naive(op, a[i], c) || (m2[i] == 1) != naive(op, a[i], b[i]) || m1[i]|m2[i] > 1 {
					t.Fatalf("%T %v %s %v: %d; %v: %d", c, a[i], op, c, m1[i], b[i], m2[i])
				}
				if m1[i] == 1 {
					sel = append(sel, uint32(i)+10)
				}
			}
			if got := SelectConst(nil, op, a, c, 10); !slices.Equal(got, sel) {
				t.Fatalf("selection %v, want %v", got, sel)
			}
		}
		m := make([]uint8, n)
		InRange(m, a, pool[0], pool[1])
		for i := range a {
			if (m[i] == 1) != (a[i] >= pool[0] && a[i] <= pool[1]) {
				t.Fatalf("range at %v", a[i])
			}
		}
	}
}

func TestCompare(t *testing.T) {
	testCompare(t, []uint8{0, 1, 2, 255})
	testCompare(t, []int8{-128, -1, 0, 127})
	testCompare(t, []uint64{0, 1, math.MaxUint64})
	testCompare(t, []int64{math.MinInt64, -1, 0, math.MaxInt64})
	testCompare(t, []float32{-1, 0, float32(math.Inf(1)), float32(math.NaN())})
	testCompare(t, []float64{-1, 0, math.Inf(-1), math.NaN(), math.Copysign(0, -1)})
}

func TestMasks(t *testing.T) {
	r := rng(6)
	for n := range 140 {
		for shift := range 3 { // alignments
			a, b := ints[uint8](r, n+shift, 1)[shift:], ints[uint8](r, n+shift, 1)[shift:]
			and, or, not, andNot := make([]uint8, n), make([]uint8, n), make([]uint8, n), make([]uint8, n)
			And(and, a, b)
			Or(or, a, b)
			Not(not, a)
			AndNot(andNot, a, b)
			count := 0
			var sel []uint32
			for i := range a {
				if and[i] != a[i]&b[i] || or[i] != a[i]|b[i] || not[i] != 1-a[i] || andNot[i] != a[i]&(1-b[i]) {
					t.Fatalf("row %d of %d", i, n)
				}
				if count += int(a[i]); a[i] == 1 {
					sel = append(sel, uint32(i))
				}
			}
			if Count(a) != count {
				t.Fatalf("count %d, want %d", Count(a), count)
			}
			got := AppendSelected(nil, a, 0)
			if !slices.Equal(got, sel) {
				t.Fatalf("selection %v, want %v", got, sel)
			}
			back := make([]uint8, n)
			SetSelected(back, got)
			if !bytes.Equal(back, a) {
				t.Fatal("mask → selection → mask")
			}
			UnpackMask(back, PackMask(nil, a), 0)
			if !bytes.Equal(back, a) {
				t.Fatal("mask → bitmap → mask")
			}
			both := SelectedAnd(slices.Clone(got), b)
			if !slices.Equal(both, AppendSelected(nil, and, 0)) {
				t.Fatal("selection and mask")
			}
		}
	}
}

func TestGatherScatter(t *testing.T) {
	r := rng(7)
	for n := range 40 {
		src := ints[uint64](r, 50, 64)
		sel := make([]uint32, n)
		for i, p := range r.Perm(50)[:n] {
			sel[i] = uint32(p)
		}
		dst, back := make([]uint64, n), make([]uint64, 50)
		Gather(dst, src, sel)
		Scatter(back, dst, sel)
		for i, p := range sel {
			if dst[i] != src[p] || back[p] != src[p] {
				t.Fatalf("row %d", p)
			}
		}
	}
	data, ends := GatherBytes(nil, nil, []byte("abcdef"), []uint32{0, 1, 3, 6}, []uint32{2, 0, 0, 1})
	if string(data) != "defaabc" || !slices.Equal(ends, []uint32{3, 4, 5, 7}) {
		t.Fatalf("%s %v", data, ends)
	}
}

// TestCopiedStrings copies strings of all lengths around a step, from all places of their memory, behind what is there.
func TestCopiedStrings(t *testing.T) {
	data := make([]byte, 300)
	for i := range data {
		data[i] = byte(i * 7)
	}
	r := rng(9)
	for range 200 {
		off := []uint32{0}
		for at := 0; at < len(data); {
			at = min(at+r.IntN(2*copyStep), len(data))
			off = append(off, uint32(at))
		}
		n := len(off) - 1
		var sel, from, to, wantEnds []uint32
		want := []byte("before")
		for range r.IntN(20) {
			p := r.IntN(n)
			sel, from, to = append(sel, uint32(p)), append(from, off[p]), append(to, off[p+1])
			want = append(want, data[off[p]:off[p+1]]...)
			wantEnds = append(wantEnds, uint32(len(want)))
		}
		got, ends := GatherBytes([]byte("before"), nil, data, off, sel)
		if !bytes.Equal(got, want) || !slices.Equal(ends, wantEnds) {
			t.Fatalf("GatherBytes of %v: %v %v, not %v %v", sel, got, ends, want, wantEnds)
		}
		got, ends = AppendRanges([]byte("before"), nil, data, from, to)
		if !bytes.Equal(got, want) || !slices.Equal(ends, wantEnds) {
			t.Fatalf("AppendRanges of %v: %v %v, not %v %v", from, got, ends, want, wantEnds)
		}
	}
}

func TestSums(t *testing.T) {
	r := rng(8)
	for n := range 40 {
		s, u := ints[int16](r, n, 16), ints[uint32](r, n, 32)
		f, mask := make([]float64, n), ints[uint8](r, n, 1)
		var ws, wsm int64
		var wu, wum uint64
		var wf, wfm float64
		for i := range s {
			f[i] = float64(s[i])
			ws, wu, wf = ws+int64(s[i]), wu+uint64(u[i]), wf+f[i]
			if mask[i] == 1 {
				wsm, wum, wfm = wsm+int64(s[i]), wum+uint64(u[i]), wfm+f[i]
			}
		}
		if SumInt(s) != ws || SumUint(u) != wu || SumFloat(f) != wf || SumIntMasked(s, mask) != wsm || SumUintMasked(u, mask) != wum || SumFloatMasked(f, mask) != wfm {
			t.Fatalf("sums of %d values", n)
		}
	}
}

func TestHash(t *testing.T) {
	off, data := []uint32{0, 0, 3, 7}, []byte("abcdefg")
	dst := make([]uint64, 3)
	HashBytes(dst, off, data)
	for i := range dst {
		if dst[i] != xxh3.Hash(data[off[i]:off[i+1]]) {
			t.Fatalf("string %d", i)
		}
	}
	ih := make([]uint64, 3)
	HashInts(ih, []int8{-1, 0, 1})
	if ih[0] != Mix(math.MaxUint64) || ih[1] != 0 || ih[2] != Mix(1) {
		t.Fatalf("%x", ih)
	}
	want := Combine(dst[1], ih[1])
	CombineHashes(dst, ih)
	if dst[1] != want {
		t.Fatal("combine")
	}
}

func TestSearch(t *testing.T) {
	r := rng(9)
	for n := range 60 {
		off, data := []uint32{0}, []byte(nil)
		for range n {
			for range r.IntN(5) {
				data = append(data, 'a'+byte(r.IntN(2)))
			}
			off = append(off, uint32(len(data)))
		}
		from := r.IntN(n + 1)
		for _, needle := range []string{"", "a", "ab", "aba", "bbbb", "abaabb"} {
			part := off[from:]
			m, p, e := make([]uint8, n-from), make([]uint8, n-from), make([]uint8, n-from)
			Contains(m, part, data, []byte(needle))
			HasPrefix(p, part, data, []byte(needle))
			EqualBytes(e, part, data, []byte(needle))
			for i := range m {
				s := data[part[i]:part[i+1]]
				if (m[i] == 1) != bytes.Contains(s, []byte(needle)) || (p[i] == 1) != bytes.HasPrefix(s, []byte(needle)) || (e[i] == 1) != (string(s) == needle) {
					t.Fatalf("%q in %q: %d %d %d", needle, s, m[i], p[i], e[i])
				}
			}
		}
	}
}

func BenchmarkSelectConst(b *testing.B) {
	vals := ints[uint32](rng(1), 65536, 8)
	sel := make([]uint32, 0, 65536)
	b.SetBytes(65536 * 4)
	for b.Loop() {
		sel = SelectConst(sel[:0], Lt, vals, 128, 0)
	}
}
