package mem

import (
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/olapd/olapd/internal/sqlerr"
)

func TestPercentOf(t *testing.T) {
	for _, c := range []struct {
		bytes, live int64
		want        int
	}{
		{256 << 20, 0, 6400}, {256 << 20, 64 << 20, 400}, {256 << 20, 256 << 20, 100}, {256 << 20, 2 << 30, 25}, {256 << 20, 700 << 20, 35}, {1 << 40, 1 << 20, maxPercent},
	} {
		if got := percentOf(c.bytes, c.live); got != c.want {
			t.Errorf("%d bytes beside %d: %d %%, want %d", c.bytes, c.live, got, c.want)
		}
	}
}

// TestPaceCollector sees that each collection leads to the percentage of what it has found.
func TestPaceCollector(t *testing.T) {
	PaceCollector(64 << 20)
	held := make([]byte, 128<<20)
	for deadline := time.Now().Add(5 * time.Second); ; time.Sleep(time.Millisecond) {
		runtime.GC()
		pacing.mu.Lock()
		percent := pacing.percent
		pacing.mu.Unlock()
		if percent >= 40 && percent <= 50 {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("%d %%", percent)
		}
	}
	runtime.KeepAlive(held)
}

// TestLimited sees that a query's limit leaves room for garbage, that the collector keeps to it while the query runs, and what the error says.
func TestLimited(t *testing.T) {
	PaceCollector(256 << 20)
	total := NewBudget("total", 0)
	small, endSmall := total.Limited("for query", 128<<20)
	large, endLarge := total.Limited("for query", 512<<20)
	tiny, endTiny := total.Limited("for query", 1<<20)
	defer endTiny()
	now := func() int64 {
		pacing.mu.Lock()
		defer pacing.mu.Unlock()
		return pacing.headroomLocked()
	}
	for b, want := range map[*Budget]int64{small: 112 << 20, large: 448 << 20, tiny: 1 << 20} {
		if err := b.Reserve(want); err != nil {
			t.Errorf("%d bytes: %v", want, err)
		}
		if err := b.Reserve(1); !sqlerr.Is(err, sqlerr.MemoryLimitExceeded) {
			t.Errorf("beyond %d bytes: %v", want, err)
		}
		b.Release(want)
	}
	err := small.Reserve(113 << 20)
	if want := "would use 129.00 MiB (attempt to allocate chunk of 118489088 bytes), current use 16.00 MiB, maximum: 128.00 MiB"; !strings.Contains(fmt.Sprint(err), want) {
		t.Errorf("got %v, want %s", err, want)
	}
	if n := now(); n != 16<<20 {
		t.Errorf("%d bytes of garbage beside the small query", n)
	}
	endSmall()
	if n := now(); n != 64<<20 {
		t.Errorf("%d bytes of garbage beside the large query", n)
	}
	endLarge()
	if n := now(); n != 256<<20 {
		t.Errorf("%d bytes of garbage without queries", n)
	}
}
