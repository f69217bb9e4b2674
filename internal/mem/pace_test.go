package mem

import (
	"runtime"
	"testing"
	"time"
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
