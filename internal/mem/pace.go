package mem

import (
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"sync"
	"sync/atomic"
)

// The Go collector lets as much garbage gather as there is live memory. Here that is too much and too little: caches are gigabytes without
// pointers, which cost nothing to mark but would have gigabytes of garbage beside them; and a small table is little live memory for queries that make
// hundreds of megabytes of garbage a second. So the garbage that may gather is a number of bytes.

// Bounds of the collector's percentage of live memory: a large heap is not marked all the time, a small one not too rarely.
const (
	minPercent, maxPercent = 25, 10_000
	// firstLive is the live memory taken for granted before the first collection has told.
	firstLive = 4 << 20
)

var headroom atomic.Int64

// PaceCollector has the Go collector run whenever about so many bytes were allocated since its last run, in this process from now on.
func PaceCollector(bytes int64) {
	if headroom.Swap(bytes) == 0 {
		pacing.watch()
	}
	pacing.adjust(true)
}

// pacer sets the collector's percentage after each collection.
type pacer struct {
	mu      sync.Mutex
	percent int           // set last
	limits  map[int64]int // of running queries: how many have each
}

var pacing pacer

// mark is garbage at once: that it is collected tells that a collection has been.
type mark struct{ p *pacer }

func (p *pacer) watch() {
	runtime.SetFinalizer(&mark{p}, func(m *mark) {
		m.p.adjust(true)
		m.p.watch()
	})
}

// adjust sets the percentage for what is live now. To raise it has time until the next collection: setting it stops the world.
func (p *pacer) adjust(raise bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if n := percentOf(p.headroomLocked(), liveBytes()); n < p.percent || raise && n > p.percent {
		p.percent = n
		debug.SetGCPercent(n)
	}
}

// percentOf is the percentage of live memory that bytes are, in steps that keep it from changing all the time.
func percentOf(bytes, live int64) int {
	n := int(100 * bytes / max(live, firstLive))
	switch {
	case n >= 200:
		n -= n % 50
	case n > minPercent:
		n -= n % 5
	}
	return min(max(n, minPercent), maxPercent)
}

// liveBytes is the memory that the last collection has found in use.
func liveBytes() int64 {
	s := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	metrics.Read(s)
	if s[0].Value.Kind() != metrics.KindUint64 {
		return 0
	}
	return int64(s[0].Value.Uint64())
}
