package hashtable

import (
	"fmt"
	"math/rand"
	"slices"
	"testing"

	"github.com/zeebo/xxh3"

	"github.com/olapd/olapd/internal/kernel"
)

func TestTableNumbersKeysInOrder(t *testing.T) {
	for _, collide := range []bool{false, true} {
		r := rand.New(rand.NewSource(1))
		tab := &Table{}
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

func TestWideNumbersKeysInOrder(t *testing.T) {
	for _, collide := range []bool{false, true} {
		r := rand.New(rand.NewSource(1))
		one, wide := &Table{}, &Wide[[2]uint64]{}
		wide.Reserve(r.Intn(300))
		for range 30 {
			keys, pairs, hashes := make([]uint64, 40), make([][2]uint64, 40), make([]uint64, 40)
			ids, got := make([]uint32, 40), make([]uint32, 40)
			for i := range keys {
				keys[i] = uint64(r.Intn(500))
				pairs[i] = [2]uint64{keys[i] / 7, keys[i] % 7}
				if !collide {
					hashes[i] = kernel.Mix(keys[i])
				}
			}
			for _, step := range []func(){
				func() { one.Find(keys, hashes, ids); wide.Find(pairs, hashes, got) },
				func() { one.Insert(keys, hashes, ids); wide.Insert(pairs, hashes, got) },
			} {
				if step(); !slices.Equal(ids, got) {
					t.Fatalf("collide %v: %v, want %v", collide, got, ids)
				}
			}
		}
		if wide.Len() != one.Len() {
			t.Fatalf("%d keys, want %d", wide.Len(), one.Len())
		}
	}
}

// benchmarkInsert measures inserting keys of one width into a table that has them all, and into a fresh one.
func benchmarkInsert[K comparable](b *testing.B, widen func(uint64) K, fresh func() func([]K, []uint64, []uint32)) {
	const n = 65536
	for _, groups := range []int{100, 10_000, 1_000_000} {
		for _, grow := range []bool{false, true} {
			b.Run(fmt.Sprintf("groups=%d/fresh=%v", groups, grow), func(b *testing.B) {
				r := rand.New(rand.NewSource(1))
				keys, hashes, ids := make([]K, n), make([]uint64, n), make([]uint32, n)
				insert := fresh()
				for b.Loop() {
					b.StopTimer()
					for i := range keys {
						x := uint64(r.Intn(groups))
						keys[i], hashes[i] = widen(x), kernel.Mix(x)
					}
					if grow {
						insert = fresh()
					}
					b.StartTimer()
					insert(keys, hashes, ids)
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/n, "ns/row")
			})
		}
	}
}

func BenchmarkInsert(b *testing.B) {
	b.Run("words=1", func(b *testing.B) {
		benchmarkInsert(b, func(x uint64) uint64 { return x }, func() func([]uint64, []uint64, []uint32) { return (&Table{}).Insert })
	})
	b.Run("words=2", func(b *testing.B) {
		benchmarkInsert(b, func(x uint64) [2]uint64 { return [2]uint64{x, x} },
			func() func([][2]uint64, []uint64, []uint32) { return (&Wide[[2]uint64]{}).Insert })
	})
	b.Run("words=4", func(b *testing.B) {
		benchmarkInsert(b, func(x uint64) [4]uint64 { return [4]uint64{x, x, x, x} },
			func() func([][4]uint64, []uint64, []uint32) { return (&Wide[[4]uint64]{}).Insert })
	})
}

// BenchmarkPartitions goes over many tables, each out of the cache by when it is visited: what partitioned aggregation does.
func BenchmarkPartitions(b *testing.B) {
	const parts, groups, n = 512, 1650, 3000
	r := rand.New(rand.NewSource(1))
	ones, twos := make([]Table, parts), make([]Wide[[2]uint64], parts)
	keys, pairs, hashes, ids := make([]uint64, n), make([][2]uint64, n), make([]uint64, n), make([]uint32, n)
	fill := func() {
		for i := range keys {
			x := uint64(r.Intn(groups))
			keys[i], pairs[i], hashes[i] = x, [2]uint64{x, x}, kernel.Mix(x)
		}
	}
	for width, insert := range []func(k int){
		func(k int) { ones[k].Insert(keys, hashes, ids) },
		func(k int) { twos[k].Insert(pairs, hashes, ids) },
	} {
		b.Run(fmt.Sprintf("words=%d", width+1), func(b *testing.B) {
			fill()
			for k := range parts {
				insert(k)
			}
			for b.Loop() {
				for k := range parts {
					insert(k)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/n/parts, "ns/row")
		})
	}
}

// TestMemory grows tables one after the other: each takes what others have outgrown, and finds nothing in it.
func TestMemory(t *testing.T) {
	const tables, keys = 64, 20_000
	m := NewMemory()
	defer m.Free()
	all := make([]Wide[[2]uint64], tables)
	for k := range all {
		all[k].Use(m)
		for from := 0; from < keys; from += 1000 {
			ks, hs, ids := make([][2]uint64, 1000), make([]uint64, 1000), make([]uint32, 1000)
			for i := range ks {
				x := uint64(from + i)
				ks[i], hs[i] = [2]uint64{x, uint64(k)}, x*0x9e3779b97f4a7c15>>13
			}
			all[k].Insert(ks, hs, ids)
			for i, id := range ids {
				if id != uint32(from+i) {
					t.Fatalf("table %d: key %d is number %d", k, from+i, id)
				}
			}
		}
	}
	final := int64(0)
	for k := range all {
		if all[k].Bytes() != 0 {
			t.Errorf("table %d counts what the memory holds", k)
		}
		final += 8*int64(cap(all[k].slots)) + 16*int64(cap(all[k].keys))
	}
	if held := m.Held(); held < final || held > final*3/2 {
		t.Errorf("%d bytes held for tables of %d", held, final)
	}
}
