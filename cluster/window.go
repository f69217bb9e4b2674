package cluster

import (
	"context"
	"sync"
)

// window bounds what is under way, by number and by bytes; those who wait are let in in their order. One thing larger
// than the whole window is let in alone.
type window struct {
	maxCount int
	maxBytes int64
	mu       struct {
		sync.Mutex
		count   int
		bytes   int64
		waiting []*waiter
		idle    chan struct{} // closed while nothing is under way
	}
}

type waiter struct {
	bytes int64
	in    chan struct{} // closed when let in
}

func newWindow(count int, bytes int64) *window {
	w := &window{maxCount: count, maxBytes: bytes}
	w.mu.idle = make(chan struct{})
	close(w.mu.idle)
	return w
}

// enter waits for room. An error is ctx's cause or closed's, and then there is nothing to leave.
func (w *window) enter(ctx context.Context, stop <-chan struct{}, bytes int64) error {
	w.mu.Lock()
	if len(w.mu.waiting) == 0 && w.fitsLocked(bytes) {
		w.addLocked(bytes)
		w.mu.Unlock()
		return nil
	}
	me := &waiter{bytes: bytes, in: make(chan struct{})}
	w.mu.waiting = append(w.mu.waiting, me)
	w.mu.Unlock()
	select {
	case <-me.in:
		return nil
	case <-ctx.Done():
		w.giveUp(me)
		return ctxErr(ctx)
	case <-stop:
		w.giveUp(me)
		return closed()
	}
}

func (w *window) fitsLocked(bytes int64) bool {
	return w.mu.count == 0 || w.mu.count < w.maxCount && w.mu.bytes+bytes <= w.maxBytes
}

func (w *window) addLocked(bytes int64) {
	if w.mu.count == 0 {
		w.mu.idle = make(chan struct{})
	}
	w.mu.count++
	w.mu.bytes += bytes
}

// giveUp takes a waiter out, or gives back what it was let in with just then.
func (w *window) giveUp(me *waiter) {
	w.mu.Lock()
	for i, x := range w.mu.waiting {
		if x == me {
			w.mu.waiting = append(w.mu.waiting[:i], w.mu.waiting[i+1:]...)
			w.letInLocked()
			w.mu.Unlock()
			return
		}
	}
	w.mu.Unlock()
	w.leave(me.bytes)
}

// leave gives back what enter took.
func (w *window) leave(bytes int64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.mu.count--
	w.mu.bytes -= bytes
	w.letInLocked()
	if w.mu.count == 0 {
		close(w.mu.idle)
	}
}

func (w *window) letInLocked() {
	for len(w.mu.waiting) > 0 && w.fitsLocked(w.mu.waiting[0].bytes) {
		next := w.mu.waiting[0]
		w.mu.waiting = w.mu.waiting[1:]
		if w.mu.count == 0 {
			// leave closes idle only if nobody was let in: it is still open here.
			w.mu.count, w.mu.bytes = 1, next.bytes
		} else {
			w.addLocked(next.bytes)
		}
		close(next.in)
	}
}

// idle returns a channel that is closed once nothing is under way.
func (w *window) idle() <-chan struct{} {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.mu.idle
}

// use returns what is under way.
func (w *window) use() (count int, bytes int64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.mu.count, w.mu.bytes
}
