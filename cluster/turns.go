package cluster

import (
	"context"
	"sync"
)

// turns keeps the entries that name segments and the changes of a group's voters apart: a majority that was counted is one of the voters of
// the moment at which its entry is committed. Any number of entries at once, or one change. The zero value is ready.
type turns struct {
	mu struct {
		sync.Mutex
		entries  int           // under way
		changing bool          // a change waits for them, or is under way
		next     chan struct{} // closed when one of these has ended; nil: nobody waits
	}
}

// enter waits while a change is due, and begins an entry. leave must follow, once raft has no more use for the entry.
func (t *turns) enter(ctx context.Context, stop <-chan struct{}) error {
	return t.await(ctx, stop, func() bool {
		if !t.mu.changing {
			t.mu.entries++
			return true
		}
		return false
	})
}

func (t *turns) leave() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.mu.entries--
	t.endedLocked()
}

// change lets no more entries begin, waits for those under way, and begins a change. changed must follow. An error is the end of ctx, and the
// change is off.
func (t *turns) change(ctx context.Context, stop <-chan struct{}) error {
	first := true
	err := t.await(ctx, stop, func() bool {
		if first && t.mu.changing {
			return false // another's turn
		}
		first, t.mu.changing = false, true
		return t.mu.entries == 0
	})
	if err != nil && !first {
		t.changed()
	}
	return err
}

func (t *turns) changed() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.mu.changing = false
	t.endedLocked()
}

func (t *turns) endedLocked() {
	if t.mu.next != nil {
		close(t.mu.next)
		t.mu.next = nil
	}
}

// await waits until ready, which is asked under the lock, says so.
func (t *turns) await(ctx context.Context, stop <-chan struct{}, ready func() bool) error {
	for {
		t.mu.Lock()
		if ready() {
			t.mu.Unlock()
			return nil
		}
		if t.mu.next == nil {
			t.mu.next = make(chan struct{})
		}
		next := t.mu.next
		t.mu.Unlock()
		select {
		case <-next:
		case <-ctx.Done():
			return ctxErr(ctx)
		case <-stop:
			return closed()
		}
	}
}
