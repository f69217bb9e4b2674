package clock

import (
	"container/heap"
	"context"
	"sync"
	"time"
)

// Manual is a clock that stands still until Advance or Set moves it. Timers and tickers fire
// during that call, in order of their due time, each receiving its due time.
type Manual struct {
	mu struct {
		sync.Mutex
		now     time.Time
		pending events
		seq     uint64
		changed chan struct{} // closed and replaced when pending grows or shrinks
	}
}

// NewManual returns a manual clock that shows start.
func NewManual(start time.Time) *Manual {
	m := &Manual{}
	m.mu.now = start
	m.mu.changed = make(chan struct{})
	return m
}

// Now returns the time that the clock was last moved to.
func (m *Manual) Now() time.Time {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.mu.now
}

// Since returns Now minus t.
func (m *Manual) Since(t time.Time) time.Duration { return m.Now().Sub(t) }

// Advance moves the clock on by d ≥ 0 and fires what falls due on the way.
func (m *Manual) Advance(d time.Duration) { m.Set(m.Now().Add(d)) }

// Set moves the clock to t and fires what falls due on the way; an earlier t only sets the time
// back, as a system's wall clock may be.
func (m *Manual) Set(t time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for len(m.mu.pending) > 0 && !m.mu.pending[0].due.After(t) {
		e := m.mu.pending[0]
		m.mu.now = e.due
		m.fireLocked(e)
	}
	m.mu.now = t
}

// fireLocked sends the event and, for a ticker, makes it pending again.
func (m *Manual) fireLocked(e *event) {
	select {
	case e.c <- e.due:
	default:
	}
	m.removeLocked(e)
	if e.period > 0 {
		m.addLocked(e, e.due.Add(e.period))
	}
}

// Pending returns how many timers and tickers are waiting.
func (m *Manual) Pending() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.mu.pending)
}

// WaitPending returns once at least n timers and tickers are waiting, so that a test can be sure
// that a goroutine sleeps before it advances the clock.
func (m *Manual) WaitPending(ctx context.Context, n int) error {
	for {
		m.mu.Lock()
		have, changed := len(m.mu.pending), m.mu.changed
		m.mu.Unlock()
		if have >= n {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// NewTimer returns a timer on this clock; one with d ≤ 0 has fired already.
func (m *Manual) NewTimer(d time.Duration) Timer { return m.start(d, 0) }

// NewTicker returns a ticker on this clock; d must be positive.
func (m *Manual) NewTicker(d time.Duration) Ticker {
	if d <= 0 {
		panic("clock: non-positive interval for NewTicker")
	}
	return manualTicker{m.start(d, d)}
}

// After returns the channel of a new timer.
func (m *Manual) After(d time.Duration) <-chan time.Time { return m.NewTimer(d).C() }

// Sleep waits until the clock has been advanced by d, or ctx ends.
func (m *Manual) Sleep(ctx context.Context, d time.Duration) error { return sleep(ctx, m, d) }

func (m *Manual) start(d, period time.Duration) *event {
	e := &event{m: m, c: make(chan time.Time, 1), period: period, at: -1}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.scheduleLocked(e, d)
	return e
}

func (m *Manual) scheduleLocked(e *event, d time.Duration) {
	m.addLocked(e, m.mu.now.Add(d))
	if d <= 0 && e.period == 0 {
		m.fireLocked(e)
	}
}

func (m *Manual) addLocked(e *event, due time.Time) {
	m.mu.seq++
	e.due, e.seq = due, m.mu.seq
	heap.Push(&m.mu.pending, e)
	m.notifyLocked()
}

func (m *Manual) removeLocked(e *event) bool {
	if e.at < 0 {
		return false
	}
	heap.Remove(&m.mu.pending, e.at)
	m.notifyLocked()
	return true
}

func (m *Manual) notifyLocked() {
	close(m.mu.changed)
	m.mu.changed = make(chan struct{})
}

// event is a timer or, with a period, a ticker. Its fields belong to m.mu.
type event struct {
	m      *Manual
	c      chan time.Time
	due    time.Time
	period time.Duration
	seq    uint64 // orders events due at the same time
	at     int    // position in the heap, -1 when not pending
}

func (e *event) C() <-chan time.Time { return e.c }

func (e *event) Stop() bool {
	e.m.mu.Lock()
	defer e.m.mu.Unlock()
	return e.stopLocked()
}

func (e *event) stopLocked() bool {
	was := e.m.removeLocked(e)
	select {
	case <-e.c:
	default:
	}
	return was
}

func (e *event) Reset(d time.Duration) bool {
	e.m.mu.Lock()
	defer e.m.mu.Unlock()
	was := e.stopLocked()
	e.m.scheduleLocked(e, d)
	return was
}

type manualTicker struct{ e *event }

func (t manualTicker) C() <-chan time.Time { return t.e.c }
func (t manualTicker) Stop()               { t.e.Stop() }

func (t manualTicker) Reset(d time.Duration) {
	if d <= 0 {
		panic("clock: non-positive interval for Ticker.Reset")
	}
	t.e.m.mu.Lock()
	defer t.e.m.mu.Unlock()
	t.e.stopLocked()
	t.e.period = d
	t.e.m.scheduleLocked(t.e, d)
}

// events is a heap by due time, then by age.
type events []*event

func (h events) Len() int { return len(h) }

func (h events) Less(i, j int) bool {
	if !h[i].due.Equal(h[j].due) {
		return h[i].due.Before(h[j].due)
	}
	return h[i].seq < h[j].seq
}

func (h events) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].at, h[j].at = i, j
}

func (h *events) Push(x any) {
	e := x.(*event)
	e.at = len(*h)
	*h = append(*h, e)
}

func (h *events) Pop() any {
	old := *h
	e := old[len(old)-1]
	old[len(old)-1] = nil
	*h = old[:len(old)-1]
	e.at = -1
	return e
}
