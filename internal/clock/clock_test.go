package clock

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

var start = time.Date(2024, 5, 1, 0, 0, 0, 0, time.UTC)

func received(c <-chan time.Time) (time.Time, bool) {
	select {
	case t := <-c:
		return t, true
	default:
		return time.Time{}, false
	}
}

func TestManualTimer(t *testing.T) {
	m := NewManual(start)
	timer := m.NewTimer(time.Second)
	m.Advance(999 * time.Millisecond)
	if _, ok := received(timer.C()); ok {
		t.Fatal("fired early")
	}
	m.Advance(time.Minute)
	if at, ok := received(timer.C()); !ok || !at.Equal(start.Add(time.Second)) {
		t.Fatalf("fired %v at %v", ok, at)
	}
	if timer.Reset(time.Second) {
		t.Error("Reset of a fired timer says it was pending")
	}
	if !timer.Stop() || timer.Stop() {
		t.Error("Stop must report pending once")
	}
	m.Advance(time.Hour)
	if _, ok := received(timer.C()); ok {
		t.Error("a stopped timer fired")
	}
	if _, ok := received(m.After(0)); !ok {
		t.Error("After(0) must fire at once")
	}
	if m.Pending() != 0 {
		t.Errorf("%d pending", m.Pending())
	}
}

func TestManualTickerDropsTicksForSlowReceiver(t *testing.T) {
	m := NewManual(start)
	ticker := m.NewTicker(time.Second)
	m.Advance(3500 * time.Millisecond)
	if at, ok := received(ticker.C()); !ok || !at.Equal(start.Add(time.Second)) {
		t.Fatalf("first tick %v at %v", ok, at)
	}
	m.Advance(500 * time.Millisecond)
	if at, ok := received(ticker.C()); !ok || !at.Equal(start.Add(4*time.Second)) {
		t.Fatalf("second tick %v at %v", ok, at)
	}
	ticker.Reset(time.Minute)
	m.Advance(59 * time.Second)
	if _, ok := received(ticker.C()); ok {
		t.Error("ticked before the new period")
	}
	m.Advance(time.Second)
	if _, ok := received(ticker.C()); !ok {
		t.Error("no tick after the new period")
	}
	ticker.Stop()
}

func TestManualSleep(t *testing.T) {
	m := NewManual(start)
	done := make(chan error, 1)
	go func() { done <- m.Sleep(t.Context(), time.Hour) }()
	if err := m.WaitPending(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	m.Advance(time.Hour)
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if m.Since(start) != time.Hour {
		t.Errorf("since %v", m.Since(start))
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	cause := errors.New("enough")
	cancel(cause)
	if err := m.Sleep(ctx, time.Hour); err != cause {
		t.Errorf("cancelled sleep: %v", err)
	}
}

func TestRealInSynctest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := Real()
		begin := c.Now()
		ticker := c.NewTicker(time.Hour)
		<-ticker.C()
		ticker.Stop()
		if err := c.Sleep(t.Context(), time.Hour); err != nil {
			t.Fatal(err)
		}
		if got := c.Since(begin); got != 2*time.Hour {
			t.Errorf("took %v", got)
		}
	})
}
