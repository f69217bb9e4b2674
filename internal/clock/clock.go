// Package clock is the only source of time, so that tests and whole-cluster simulations run in
// virtual time. Real is the system's clock; Manual moves only when told to.
package clock

import (
	"context"
	"time"
)

// Clock tells and waits for time. All methods may be called from any goroutine.
type Clock interface {
	// Now is the current time, with a monotonic reading where the clock has one.
	Now() time.Time
	// Since is Now minus t.
	Since(t time.Time) time.Duration
	// NewTimer sends the time on C once, after d.
	NewTimer(d time.Duration) Timer
	// NewTicker sends the time on C every d > 0, dropping ticks for a slow receiver.
	NewTicker(d time.Duration) Ticker
	// After is NewTimer(d).C() for callers that never stop the timer.
	After(d time.Duration) <-chan time.Time
	// Sleep returns nil after d, or the cause of ctx's end if that comes first.
	Sleep(ctx context.Context, d time.Duration) error
}

// Timer is a pending single event. Stop and Reset report whether it was still pending; as with
// the standard library's timers, nothing stale is received from C after either returns.
type Timer interface {
	C() <-chan time.Time
	Stop() bool
	Reset(d time.Duration) bool
}

// Ticker is a repeating event. After Stop nothing more is sent; C is not closed.
type Ticker interface {
	C() <-chan time.Time
	Stop()
	Reset(d time.Duration)
}

// Real returns the system's clock. Inside testing/synctest it is the bubble's virtual clock.
func Real() Clock { return realClock{} }

type realClock struct{}

func (realClock) Now() time.Time                         { return time.Now() }
func (realClock) Since(t time.Time) time.Duration        { return time.Since(t) }
func (realClock) NewTimer(d time.Duration) Timer         { return realTimer{time.NewTimer(d)} }
func (realClock) NewTicker(d time.Duration) Ticker       { return realTicker{time.NewTicker(d)} }
func (realClock) After(d time.Duration) <-chan time.Time { return time.After(d) }

func (c realClock) Sleep(ctx context.Context, d time.Duration) error { return sleep(ctx, c, d) }

func sleep(ctx context.Context, c Clock, d time.Duration) error {
	if err := context.Cause(ctx); err != nil || d <= 0 {
		return err
	}
	t := c.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C():
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

type realTimer struct{ t *time.Timer }

func (r realTimer) C() <-chan time.Time        { return r.t.C }
func (r realTimer) Stop() bool                 { return r.t.Stop() }
func (r realTimer) Reset(d time.Duration) bool { return r.t.Reset(d) }

type realTicker struct{ t *time.Ticker }

func (r realTicker) C() <-chan time.Time   { return r.t.C }
func (r realTicker) Stop()                 { r.t.Stop() }
func (r realTicker) Reset(d time.Duration) { r.t.Reset(d) }
