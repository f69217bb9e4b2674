package exec

import "sync"

// Slots shares the processors among the queries of a process. Each query has one worker at once, however many run, so that none waits for
// another to end; the further workers that it asks for begin while fewer workers than slots are at work in all, in the
// order in which the queries asked, and go on until their query ends. A query alone has all the workers it asks for. Safe for concurrent use.
type Slots struct {
	total int
	mu    struct {
		sync.Mutex
		workers int          // of all queries
		queries int          // there are
		waiting []*allotment // want more workers than they have, the first asked first
	}
}

// NewSlots returns slots for total workers.
func NewSlots(total int) *Slots { return &Slots{total: total} }

// allotment is the workers of one query. granted[k] is closed once it has worker k+1 beside its first.
type allotment struct {
	slots   *Slots
	granted []chan struct{}
	have    int // further workers; guarded by slots.mu
}

// join enters a query that wants so many workers. A nil Slots grants all.
func (s *Slots) join(want int) *allotment {
	a := &allotment{slots: s, granted: make([]chan struct{}, want-1)}
	for i := range a.granted {
		a.granted[i] = make(chan struct{})
	}
	if s == nil {
		for _, c := range a.granted {
			close(c)
		}
		return a
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.mu.workers++
	s.mu.queries++
	if len(a.granted) > 0 {
		s.mu.waiting = append(s.mu.waiting, a)
		s.grantLocked()
	}
	return a
}

// grantLocked gives free slots to those waiting. REQUIRES: s.mu.
func (s *Slots) grantLocked() {
	for len(s.mu.waiting) > 0 && (s.mu.workers < s.total || s.mu.queries == 1) {
		a := s.mu.waiting[0]
		close(a.granted[a.have])
		a.have++
		s.mu.workers++
		if a.have == len(a.granted) {
			s.mu.waiting = s.mu.waiting[1:]
		}
	}
}

// leave ends a query, none of whose workers is at work.
func (a *allotment) leave() {
	s := a.slots
	if s == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if a.have < len(a.granted) {
		s.forgetLocked(a)
	}
	s.mu.workers -= 1 + a.have
	s.mu.queries--
	s.grantLocked()
}

// forgetLocked takes a query out of those waiting. REQUIRES: s.mu.
func (s *Slots) forgetLocked(a *allotment) {
	for i, w := range s.mu.waiting {
		if w == a {
			s.mu.waiting = append(s.mu.waiting[:i], s.mu.waiting[i+1:]...)
			return
		}
	}
}
