package exec

import (
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
)

// TestSlots follows who has how many workers while queries come and go.
func TestSlots(t *testing.T) {
	s := NewSlots(4)
	queries := map[string]*allotment{}
	for _, step := range []struct {
		query string
		want  int // 0: it leaves
		have  map[string]int
	}{
		{"a", 3, map[string]int{"a": 3}},
		{"b", 4, map[string]int{"a": 3, "b": 1}},
		{"c", 2, map[string]int{"a": 3, "b": 1, "c": 1}}, // all have one
		{"d", 1, map[string]int{"a": 3, "b": 1, "c": 1, "d": 1}},
		{"a", 0, map[string]int{"b": 2, "c": 1, "d": 1}}, // b asked first
		{"d", 0, map[string]int{"b": 3, "c": 1}},
		{"b", 0, map[string]int{"c": 2}},
		{"e", 9, map[string]int{"c": 2, "e": 2}},
		{"c", 0, map[string]int{"e": 9}}, // alone it has all
		{"e", 0, map[string]int{}},
		{"f", 8, map[string]int{"f": 8}},
	} {
		if step.want == 0 {
			queries[step.query].leave()
			delete(queries, step.query)
		} else {
			queries[step.query] = s.join(step.want)
		}
		for name, want := range step.have {
			if got := 1 + queries[name].have; got != want {
				t.Errorf("after %s: %s has %d workers, not %d", step.query, name, got, want)
			}
		}
	}
}

// TestSlotsAreReturned has many queries come and go at once.
func TestSlotsAreReturned(t *testing.T) {
	s := NewSlots(3)
	var wg sync.WaitGroup
	for i := range 200 {
		wg.Go(func() { s.join(1 + i%5).leave() })
	}
	wg.Wait()
	if s.mu.workers != 0 || s.mu.queries != 0 || len(s.mu.waiting) != 0 {
		t.Errorf("left behind: %+v", &s.mu)
	}
}

// TestParallel makes all calls with however many workers, and ends them on an error.
func TestParallel(t *testing.T) {
	for _, total := range []int{1, 2, 8} {
		s := NewSlots(total)
		other := s.join(1)
		r := newRun(context.Background(), Options{Threads: 4, Slots: s}.withDefaults())
		var mu sync.Mutex
		var calls []int
		err := r.parallel(r.ctx, 7, func(_ context.Context, i int) error {
			mu.Lock()
			defer mu.Unlock()
			calls = append(calls, i)
			return nil
		})
		if slices.Sort(calls); err != nil || !slices.Equal(calls, []int{0, 1, 2, 3, 4, 5, 6}) {
			t.Errorf("%d slots: calls %v, error %v", total, calls, err)
		}
		bad, after := errors.New("bad"), atomic.Int64{}
		err = r.parallel(r.ctx, 5, func(ctx context.Context, i int) error {
			if i == 0 {
				return bad
			}
			<-ctx.Done()
			after.Add(1)
			return ctx.Err()
		})
		if err != bad || after.Load() != 4 {
			t.Errorf("%d slots: error %v after %d ended calls", total, err, after.Load())
		}
		if err := r.close(); err != nil {
			t.Error(err)
		}
		other.leave()
	}
}
