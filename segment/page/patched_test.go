package page

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/olapd/olapd/internal/kernel"
)

// patchedShapes are values for which a patched stream of each order is the smallest.
func patchedShapes[T kernel.Int](r *rand.Rand, n int) [maxOrder + 1][]T {
	out := [maxOrder + 1][]T{make([]T, n), make([]T, n), make([]T, n)}
	series, step, drift := T(0), T(0), T(0)
	for i := range n {
		out[0][i] = 100 + T(r.IntN(4))
		if r.IntN(50) == 0 {
			out[0][i] = T(r.Uint64())
		}
		if i%400 == 0 {
			series = T(r.Uint64())
		}
		series += 5
		out[1][i] = series
		step += T(r.IntN(3))
		drift += step
		out[2][i] = drift
	}
	return out
}

func testPatched[T kernel.Int](t *testing.T) {
	r := rand.New(rand.NewPCG(8, 8))
	for _, n := range []int{patchedMin, patchedMin + 1, 5000, 65_536} {
		for order, src := range patchedShapes[T](r, n) {
			p := choose(src, true)
			if p.how != howPatched || p.order != order {
				t.Fatalf("%T, order %d: encoding %d of order %d", *new(T), order, p.how, p.order)
			}
			b := appendPlain(nil, src, true)
			if len(b) > p.size {
				t.Errorf("%T, order %d: %d bytes, %d planned", *new(T), order, len(b), p.size)
			}
			for range 20 {
				from := r.IntN(n + 1)
				got := make([]T, r.IntN(n-from+1))
				if err := Ints(got, b, n, from); err != nil || !slices.Equal(got, src[from:from+len(got)]) {
					t.Fatalf("%T, order %d: %d from %d of %d: %v", *new(T), order, len(got), from, n, err)
				}
				testPick(t, r, b, src)
			}
			for range 300 { // damaged bytes are refused or give other values
				bad := bytes.Clone(b)
				bad[r.IntN(len(bad))] ^= 1 << r.IntN(8)
				_ = Ints(make([]T, n), bad, n, 0)
				_, _ = PickInts[T](bad, n, []uint32{0, 7, uint32(n - 1)})
				if err := Ints(make([]T, n), slices.Clip(b[:r.IntN(len(b))]), n, 0); err == nil {
					t.Fatal("a cut stream was decoded")
				}
			}
		}
	}
}

func TestPatched(t *testing.T) {
	testPatched[uint16](t)
	testPatched[int32](t)
	testPatched[uint32](t)
	testPatched[int64](t)
	testPatched[uint64](t)
}

// Positions that do not ascend, or lie behind the values, are refused.
func TestPatchedPositions(t *testing.T) {
	for _, at := range [][]uint32{{3, 3}, {4, 2}, {1, 10}} {
		b := []byte{howPatched, 0, 7, 0, 0, 0, 0, 2, 0, 0, 0}
		b = appendNested(appendNested(b, at), []uint32{1, 2})
		if err := Ints(make([]uint32, 10), b, 10, 0); err == nil {
			t.Errorf("positions %v were taken", at)
		}
	}
}

func BenchmarkPatched(b *testing.B) {
	r := rand.New(rand.NewPCG(9, 9))
	for order, src := range patchedShapes[int64](r, 65_536) {
		enc := AppendInts(nil, src)
		lo, hi := kernel.MinMaxInt(src)
		packed := kernel.AppendPacked(nil, src, lo, spread(lo, hi))
		b.Run(fmt.Sprintf("order %d/encode", order), func(b *testing.B) {
			b.SetBytes(8 * 65_536)
			var to []byte
			for b.Loop() {
				to = AppendInts(to[:0], src)
			}
		})
		b.Run(fmt.Sprintf("order %d/decode", order), func(b *testing.B) {
			b.SetBytes(8 * 65_536)
			for b.Loop() {
				if err := Ints(src, enc, len(src), 0); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(fmt.Sprintf("order %d/decode packed", order), func(b *testing.B) {
			b.SetBytes(8 * 65_536)
			for b.Loop() {
				kernel.Unpack(src, packed, 0, spread(lo, hi), lo)
			}
		})
	}
}
