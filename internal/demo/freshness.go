package demo

import (
	"context"
	"slices"
	"sync"
	"time"
)

// probeInterval is how often the newest rows are looked for; it is part of the freshness that is shown.
const probeInterval = 20 * time.Millisecond

// freshness measures the time from handing an event to the Kafka client to a query seeing its row.
type freshness struct {
	ask     *asker
	samples <-chan sample
	waiting map[int32][]sample // by partition, in order of offsets
	mu      struct {
		sync.Mutex
		seen []time.Duration // since the last take
	}
}

// run looks for samples until ctx ends. Rows older than 10 seconds are not looked at: a node that far behind shows no
// freshness but the age of its rows.
func (f *freshness) run(ctx context.Context) {
	const newest = `SELECT _partition, max(_offset) FROM events WHERE time >= now64(3) - INTERVAL 10 SECOND GROUP BY _partition`
	f.waiting = map[int32][]sample{}
	t := time.NewTicker(probeInterval)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
		}
		f.gather()
		rows, err := f.ask.numbers(ctx, newest)
		if err != nil {
			continue // the report says so
		}
		now := time.Now()
		for _, r := range rows {
			f.visible(int32(r[0]), r[1], now)
		}
	}
}

func (f *freshness) gather() {
	for {
		select {
		case s := <-f.samples:
			if len(f.waiting[s.partition]) < samplesKept {
				f.waiting[s.partition] = append(f.waiting[s.partition], s)
			}
		default:
			return
		}
	}
}

// visible settles the samples up to an offset.
func (f *freshness) visible(partition int32, offset int64, now time.Time) {
	w := f.waiting[partition]
	n := 0
	for n < len(w) && w[n].offset <= offset {
		n++
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, s := range w[:n] {
		f.mu.seen = append(f.mu.seen, now.Sub(s.at))
	}
	f.waiting[partition] = slices.Delete(w, 0, n)
}

// take returns two quantiles of what was seen since the last call; ok is false if nothing was.
func (f *freshness) take() (p50, p99 time.Duration, ok bool) {
	f.mu.Lock()
	seen := f.mu.seen
	f.mu.seen = nil
	f.mu.Unlock()
	if len(seen) == 0 {
		return 0, 0, false
	}
	slices.Sort(seen)
	return seen[len(seen)/2], seen[len(seen)*99/100], true
}
