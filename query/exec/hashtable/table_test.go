package hashtable

import (
	"fmt"
	"math/rand"
	"testing"

	"github.com/zeebo/xxh3"

	"github.com/olapd/olapd/internal/kernel"
)

func TestTableNumbersKeysInOrder(t *testing.T) {
	for _, collide := range []bool{false, true} {
		r := rand.New(rand.NewSource(1))
		tab := &Table[uint64]{}
		model := map[uint64]uint32{}
		for round := 0; round < 30; round++ {
			keys, hashes, ids := make([]uint64, 40), make([]uint64, 40), make([]uint32, 40)
			for i := range keys {
				keys[i] = uint64(r.Intn(500))
				if !collide {
					hashes[i] = kernel.Mix(keys[i])
				}
			}
			tab.Find(keys, hashes, ids)
			for i, k := range keys {
				want, ok := model[k]
				if !ok {
					want = Missing
				}
				if ids[i] != want {
					t.Fatalf("collide %v: Find(%d) = %d, want %d", collide, k, ids[i], want)
				}
			}
			tab.Insert(keys, hashes, ids)
			for i, k := range keys {
				if _, ok := model[k]; !ok {
					model[k] = uint32(len(model))
				}
				if ids[i] != model[k] || tab.Keys()[ids[i]] != k {
					t.Fatalf("collide %v: Insert(%d) = %d, want %d", collide, k, ids[i], model[k])
				}
			}
		}
		if tab.Len() != len(model) {
			t.Fatalf("%d keys, want %d", tab.Len(), len(model))
		}
	}
}

func TestBytesNumbersStringsInOrder(t *testing.T) {
	for _, collide := range []bool{false, true} {
		r := rand.New(rand.NewSource(2))
		tab := NewBytes()
		model := map[string]uint32{}
		for n := 0; n < 3000; n++ {
			k := fmt.Sprint(r.Intn(400))
			if r.Intn(50) == 0 {
				k = ""
			}
			h := uint64(7)
			if !collide {
				h = xxh3.HashString(k)
			}
			want, ok := model[k]
			if !ok {
				want = Missing
			}
			if got := tab.Find(h, []byte(k)); got != want {
				t.Fatalf("Find(%q) = %d, want %d", k, got, want)
			}
			if !ok {
				model[k] = uint32(len(model))
			}
			got, err := tab.Insert(h, []byte(k))
			if err != nil || got != model[k] || string(tab.at(got)) != k {
				t.Fatalf("Insert(%q) = %d, %v, want %d", k, got, err, model[k])
			}
		}
	}
}

func BenchmarkTableInsert(b *testing.B) {
	const n = 65536
	for _, groups := range []int{100, 10_000, 1_000_000} {
		b.Run(fmt.Sprint(groups), func(b *testing.B) {
			r := rand.New(rand.NewSource(1))
			keys, hashes, ids := make([]uint64, n), make([]uint64, n), make([]uint32, n)
			tab := &Table[uint64]{}
			b.SetBytes(8 * n)
			for b.Loop() {
				for i := range keys {
					keys[i] = uint64(r.Intn(groups))
				}
				kernel.HashInts(hashes, keys)
				tab.Insert(keys, hashes, ids)
			}
		})
	}
}
