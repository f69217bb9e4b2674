package segment

import (
	"testing"

	"github.com/olapd/olapd/internal/mem"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/internal/vfs"
)

// TestCacheGivesWay fills a budget with a cache: others' reservations push out what was longest unused, and no more than is there; the cache itself takes
// nothing that is needed, and what is read stays right.
func TestCacheGivesWay(t *testing.T) {
	const limit = 16_000
	budget := mem.NewBudget("total", limit)
	c := NewCache(limit, budget)
	budget.Yields(c.GiveWay)
	for i := range int64(20) {
		c.put(cacheKey{1, i}, i, 1000)
	}
	if _, _, bytes := c.Stats(); bytes != limit || budget.Used() != limit {
		t.Fatalf("the cache has %d bytes, the budget %d", bytes, budget.Used())
	}
	if c.get(cacheKey{1, 4}) == nil { // the oldest but for this
		t.Fatal("what was put in last but 15 is gone")
	}
	if err := budget.Reserve(2000); err != nil {
		t.Fatal(err)
	}
	for i, want := range map[int64]bool{4: true, 5: false, 6: false, 7: true, 19: true} {
		if got := c.get(cacheKey{1, i}) != nil; got != want {
			t.Errorf("item %d is there: %v", i, got)
		}
	}
	_, _, before := c.Stats()
	if err := budget.Reserve(limit - 1999); !sqlerr.Is(err, sqlerr.MemoryLimitExceeded) {
		t.Fatalf("a reservation beyond all: %v", err)
	}
	if _, _, bytes := c.Stats(); bytes != before {
		t.Errorf("%d bytes gave way in vain", before-bytes)
	}
	if err := budget.Reserve(limit - 2000); err != nil {
		t.Fatal(err)
	}
	c.put(cacheKey{1, 99}, 0, 1)
	if _, _, bytes := c.Stats(); bytes != 0 || budget.Used() != limit {
		t.Errorf("%d bytes are cached where all are needed, %d are used", bytes, budget.Used())
	}
	budget.Release(limit - 3000)

	fs, path := vfs.NewMem(), "/s"
	tab := small(t, fs, path)
	rd := open(t, fs, path, c)
	for range 4 {
		for col := range tab.schema {
			v, err := rd.ReadColumn(ctx, col, 0, tab.block.N)
			if err != nil {
				t.Fatal(err)
			}
			_, _, held := c.Stats()
			if held == 0 {
				t.Fatal("nothing is cached though there is room")
			}
			all := limit - budget.Used() + held
			if err := budget.Reserve(all); err != nil {
				t.Fatalf("%d bytes beside a cache of %d: %v", all, held, err)
			}
			checkColumn(t, tab.block.Cols[col], 0, tab.block.N, v)
			budget.Release(all)
		}
	}
}
