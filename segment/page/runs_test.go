package page

import (
	"math/rand/v2"
	"slices"
	"testing"
	"unsafe"

	"github.com/olapd/olapd/internal/kernel"
)

// Runs are decoded into memory that is used again: once they are expanded, not before, and given back once.
func TestMemoryOfRuns(t *testing.T) {
	const runs, each = 8192, 8
	src := make([]uint32, 0, runs*each)
	random := rand.New(rand.NewPCG(1, 2))
	for range runs {
		x := random.Uint32() >> 4
		for range each {
			src = append(src, x)
		}
	}
	stream := AppendInts(nil, src)
	if stream[0] != howRuns {
		t.Fatalf("encoding %d, not runs", stream[0])
	}
	var at, picked []uint32
	for i := 0; i < len(src); i += 1001 {
		at, picked = append(at, uint32(i)), append(picked, src[i])
	}
	for range 3 {
		if got, err := PickInts[uint32](stream, len(src), at); err != nil || !slices.Equal(got, picked) {
			t.Fatalf("picked %v, want %v: %v", got, picked, err)
		}
		got := make([]uint32, len(src))
		if err := Ints(got, stream, len(src), 0); err != nil || !slices.Equal(got, src) {
			t.Fatalf("expanded otherwise: %v", err)
		}
		seen := map[*uint32]bool{}
		for range 8 {
			p := unsafe.SliceData(kernel.Dirty[uint32](runs))
			if seen[p] {
				t.Fatal("memory was given back twice")
			}
			seen[p] = true
		}
	}
}
