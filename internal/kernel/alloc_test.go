package kernel

import "testing"

// What is recycled comes back whole, for any type, and never to two callers at once.
func TestRecycle(t *testing.T) {
	last := -1
	for bytes := 1<<minRecycled + 1; bytes <= 1<<maxRecycled; bytes += 97 {
		size, class := sizeClass(bytes)
		if size < bytes || size > bytes+bytes>>stepBits || size%8 != 0 || class < last || class >= len(recycled) {
			t.Fatalf("%d bytes: size %d, class %d after %d", bytes, size, class, last)
		}
		if again, same := sizeClass(size); again != size || same != class {
			t.Fatalf("size %d of class %d is of class %d", size, class, same)
		}
		last = class
	}
	for n := 1; n < 200_000; n += n/3 + 1 {
		words, bytes := Dirty[uint64](n), Dirty[uint8](n)
		if len(words) != n || len(bytes) != n {
			t.Fatalf("%d and %d of %d", len(words), len(bytes), n)
		}
		Recycle(words)
		first, second := Dirty[uint32](2*n), Dirty[uint32](2*n)
		Fill(first, 1)
		Fill(second, 2)
		for i := range first {
			if first[i] != 1 || second[i] != 2 {
				t.Fatalf("memory of two callers overlaps")
			}
		}
		Recycle(bytes)
	}
	Recycle[uint64](nil)
	Recycle(make([]int8, 5000)[3:4000])
}

func BenchmarkDirty(b *testing.B) {
	b.Run("fresh", func(b *testing.B) {
		for b.Loop() {
			Fill(Dirty[uint64](65_536), 1)
		}
	})
	b.Run("recycled", func(b *testing.B) {
		for b.Loop() {
			s := Dirty[uint64](65_536)
			Fill(s, 1)
			Recycle(s)
		}
	})
}

// Memory of one class is of one size: a smaller one would be handed out as larger than it is.
func TestSizeClasses(t *testing.T) {
	sizes := map[int]int{}
	for bytes := range 1<<maxRecycled + 9 {
		size, class := sizeClass(bytes)
		if class < 0 {
			continue
		}
		if was, ok := sizes[class]; ok && was != size || class >= len(recycled) || size < bytes || size%16 != 0 {
			t.Fatalf("%d bytes: class %d of %d bytes, before of %d", bytes, class, size, was)
		}
		sizes[class] = size
	}
	if len(sizes) != len(recycled) {
		t.Errorf("%d classes are used of %d", len(sizes), len(recycled))
	}
}
