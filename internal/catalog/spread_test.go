package catalog

import (
	"fmt"
	"slices"
	"testing"
)

// TestSpread: rows stay where they are or go to a shard that was added, these get their part, and a table that never grew counts modulo.
func TestSpread(t *testing.T) {
	const rows = 200_000
	for _, s := range []Spread{{1}, {3}, {1, 2}, {2, 3}, {3, 6}, {2, 3, 5}, {4, 5, 6, 12}} {
		n := s.Shards()
		on, moved := make([]int, n), 0
		for i := range uint64(rows) {
			h := mixed(i + 1)
			at := s.Shard(h)
			if at < 1 || at > uint64(n) {
				t.Fatalf("%v: shard %d", s, at)
			}
			on[at-1]++
			if len(s) == 1 {
				if at != h%uint64(n)+1 {
					t.Fatalf("%v: hash %d is on shard %d", s, h, at)
				}
				continue
			}
			before := s[:len(s)-1]
			if was := before.Shard(h); was != at {
				moved++
				if at <= uint64(before.Shards()) {
					t.Fatalf("%v: hash %d went from shard %d to %d, which was there", s, h, was, at)
				}
			}
		}
		for i, k := range on {
			if want := rows / n; k < want*94/100 || k > want*106/100 {
				t.Errorf("%v: shard %d has %d of %d rows", s, i+1, k, rows)
			}
		}
		if len(s) > 1 {
			if want := rows * (n - s[len(s)-2]) / n; moved < want*97/100 || moved > want*103/100 {
				t.Errorf("%v: %d rows moved, about %d had to", s, moved, want)
			}
		}
	}
}

// TestSpreadOfOldHashes pins the places of some hashes: rows that are stored were placed by them.
func TestSpreadOfOldHashes(t *testing.T) {
	got := ""
	for _, h := range []uint64{0, 1, 0xdeadbeef, 1 << 63, 0x9e3779b97f4a7c15} {
		got += fmt.Sprint(" ", Spread{2}.Shard(h), Spread{2, 3}.Shard(h), Spread{2, 8}.Shard(h), Spread{3, 64}.Shard(h))
	}
	const want = " 1 1 1 1 2 2 7 10 2 3 3 44 1 1 7 28 2 3 3 14"
	if got != want {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

// TestWays: rows are parted by all shards they have lain on.
func TestWays(t *testing.T) {
	hashes := make([]uint64, 5000)
	for i := range hashes {
		hashes[i] = mixed(uint64(i) + 7)
	}
	for _, s := range []Spread{{2}, {2, 4}, {2, 3, 5}} {
		ways, rows := s.Ways(hashes)
		seen, to := map[uint32]bool{}, map[uint64]int{}
		for i, w := range ways {
			to[w.Shard()]++
			for _, r := range rows[i] {
				if seen[r] {
					t.Fatalf("%v: row %d goes two ways", s, r)
				}
				seen[r] = true
				var want Way
				for k := range s {
					want = want.to(s[:k+1].Shard(hashes[r]))
				}
				if !slices.Equal(w, want) {
					t.Fatalf("%v: row %d goes %v, not %v", s, r, w, want)
				}
			}
		}
		most := 0
		for _, n := range to {
			most = max(most, n)
		}
		if len(seen) != len(hashes) || most != s.Count() {
			t.Errorf("%v: %d rows, %d ways to a shard, Count says %d", s, len(seen), most, s.Count())
		}
	}
}
