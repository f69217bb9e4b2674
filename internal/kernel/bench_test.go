//go:build linux && amd64

package kernel

import (
	"fmt"
	"testing"
)

// rows is a page.
const rows = 65536

// levels runs f at every level of this processor; values is how many a turn handles.
func levels(b *testing.B, name string, values int, f func()) {
	defer func(l int) { simd = l }(simd)
	for _, level := range levelsHere() {
		b.Run(fmt.Sprintf("%s/%s", name, [...]string{"Go", "AVX2", "AVX512"}[level]), func(b *testing.B) {
			simd = level
			for b.Loop() {
				f()
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(values), "ns/row")
		})
	}
}

func benchUnpack[T Int](b *testing.B, width int) {
	dst := make([]T, rows)
	packed := AppendPacked(nil, ints[uint64](rng(1), rows, width), 0, width)
	levels(b, fmt.Sprintf("width=%d/%T", width, dst[0]), rows, func() { Unpack(dst, packed, 0, width, 1) })
}

func BenchmarkUnpack(b *testing.B) {
	for _, width := range []int{1, 4, 7, 8} {
		benchUnpack[uint8](b, width)
	}
	for _, width := range []int{1, 7, 11, 16} {
		benchUnpack[uint16](b, width)
	}
	for _, width := range []int{1, 7, 17, 24, 31} {
		benchUnpack[uint32](b, width)
	}
	for _, width := range []int{1, 13, 33, 57, 58, 61} {
		benchUnpack[int64](b, width)
	}
}

// BenchmarkUnpackAt is per value of one in sixteen.
func BenchmarkUnpackAt(b *testing.B) {
	var at []uint32
	for i := uint32(0); i < 65536; i += 16 {
		at = append(at, i)
	}
	packed, out := AppendPacked(nil, ints[uint32](rng(1), 65536, 21), 0, 21), make([]uint32, len(at))
	for b.Loop() {
		UnpackAt(out, packed, at, 21, 0)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(at)), "ns/value")
}

func benchInts[T Int](b *testing.B, name string) {
	src := ints[T](rng(1), rows, 8*sizeOf[T]())
	other := ints[T](rng(2), rows, 8*sizeOf[T]())
	mask, out, hashes := make([]uint8, rows), make([]T, rows), make([]uint64, rows)
	var sum uint64
	levels(b, "sum/"+name, rows, func() {
		s, done := sumVectors(src)
		sum += s + goSum(src[done:])
	})
	levels(b, "minmax/"+name, rows, func() { MinMaxInt(src) })
	levels(b, "hash/"+name, rows, func() { HashInts(hashes, src) })
	levels(b, "less than constant/"+name, rows, func() { CompareConst(mask, Lt, src, 100) })
	levels(b, "less/"+name, rows, func() { Compare(mask, Lt, src, other) })
	levels(b, "add/"+name, rows, func() { Add(out, src, other) })
	levels(b, "add constant/"+name, rows, func() { Add(out, src, other[:1]) })
	levels(b, "mul/"+name, rows, func() { Mul(out, src, other) })
	levels(b, "prefix sum/"+name, rows, func() { PrefixSum(out, 0) })
	codes, table := ints[uint8](rng(3), rows, 8), (*[256]T)(src)
	levels(b, "lookup/"+name, rows, func() { Lookup(out, table, codes) })
	for _, length := range []int{3, 30} {
		runs := make([]T, rows)
		for i := range runs {
			runs[i] = T(i / length)
		}
		values, ends := AppendRuns[T](nil, nil, runs)
		levels(b, fmt.Sprintf("runs of %d/%s", length, name), rows, func() { ExpandRuns(out, values, ends, 0) })
	}
}

func BenchmarkInts(b *testing.B) {
	benchInts[uint8](b, "uint8")
	benchInts[int16](b, "int16")
	benchInts[uint32](b, "uint32")
	benchInts[int64](b, "int64")
}

func BenchmarkFloats(b *testing.B) {
	src, out, mask := make([]float64, rows), make([]float64, rows), make([]uint8, rows)
	for i := range src {
		src[i] = float64(i % 100)
	}
	levels(b, "sum", rows, func() { SumFloat(src) })
	levels(b, "less than constant", rows, func() { CompareConst(mask, Lt, src, 50) })
	levels(b, "mul constant", rows, func() { Mul(out, src, src[3:4]) })
	levels(b, "div", rows, func() { Div(out, src, src) })
}

func BenchmarkMasks(b *testing.B) {
	x, y, out := ints[uint8](rng(1), rows, 1), ints[uint8](rng(2), rows, 1), make([]uint8, rows)
	sel := make([]uint32, 0, rows)
	hashes, next := ints[uint64](rng(1), rows, 64), ints[uint64](rng(2), rows, 64)
	wide := make([]int32, rows)
	levels(b, "and", rows, func() { And(out, x, y) })
	levels(b, "not", rows, func() { Not(out, x) })
	levels(b, "count", rows, func() { Count(x) })
	levels(b, "positions", rows, func() { sel = AppendSelected(sel[:0], x, 0) })
	pairs := ints[uint64](rng(4), 2*rows, 64)
	levels(b, "hash pairs", rows, func() { HashRows(hashes, pairs, 2) })
	levels(b, "combine hashes", rows, func() { CombineHashes(hashes, next) })
	levels(b, "widen uint8 to int32", rows, func() { Convert(wide, x) })
}

func BenchmarkContains(b *testing.B) {
	off, data := []uint32{0}, []byte(nil)
	for i := range 10000 {
		data = fmt.Appendf(data, "http://example.com/page/%d?utm=goose&go=x", i)
		off = append(off, uint32(len(data)))
	}
	mask := make([]uint8, 10000)
	levels(b, "google, bytes as rows", len(data), func() { Contains(mask, off, data, []byte("google")) })
	levels(b, "in any case, bytes as rows", len(data), func() { ContainsFold(mask, off, data, []byte("google")) })
	levels(b, "example, in all, bytes as rows", len(data), func() { Contains(mask, off, data, []byte("example")) })
}
