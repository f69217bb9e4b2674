package exec

import (
	"context"
	"sync"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/types"
)

// Sequence is what a Sort by a prefix of the table's sort key asks of the scan below it: a stream for each run of rows that the storage
// keeps in order, or several for a run, each of which has its rows in the order of the Sort. What is in no order comes in streams behind those.
type Sequence struct {
	// Key names what of the table's sort key the Sort relies on, from its first on.
	Key []string
	// Desc says that the rows are wanted from the last to the first.
	Desc bool
	// Column is the first of the Sort's keys as a column of the scan; -1: it is computed. Order is its order.
	Column int
	Order  column.Order
	// Each is how many rows are wanted of a stream at most; 0: all.
	Each uint64

	streams []*scanStream // those in order
	views   viewPool
}

func (q *Sequence) describe() string {
	if q.Desc {
		return " in reverse order of the sort key"
	}
	return " in order of the sort key"
}

// The rows of a morsel of a sequence: at the start of a run few, since with a limit few may be all that is read of it, and more and more behind that; but
// not under a TopBound, which the first morsel is to set, and leaves out granules of the others. As all runs may have to be in memory at once, many have smaller ones.
const (
	firstSequenceRows = 8192
	leastSequenceRows = 1024
	// sequenceBytes is about what is to be in memory of all runs.
	sequenceBytes = 64 << 20
	// textBytes is how long strings and the like are taken to be.
	textBytes = 64
)

// most is how many rows the morsels of so many runs may have.
func (q *Sequence) most(s *Scan, r *run, runs int) int {
	total, row := int64(sequenceBytes), int64(1)
	if l := r.opts.Limits.SortSpill; l > 0 {
		total = min(total, l/2)
	}
	req := s.Request()
	for i, c := range req.Columns {
		switch t := req.Table.Schema()[c].Type.Inner(); {
		case !s.Output[i]:
		case t.Phys() < types.PBytes:
			row += int64(t.Width())
		default:
			row += textBytes
		}
	}
	return int(min(max(total/(row*int64(max(runs, 1))), leastSequenceRows), maxMorselRows))
}

// sequenced are the streams of a Sequence: of each run as many as there are workers, to which its morsels are dealt out in turn.
func (s *Scan) sequenced(r *run, sc Sequenced) ([]Stream, error) {
	q, first := s.Sequence, firstSequenceRows
	q.views.make = s.newView
	if q.Each == 0 || s.Top != nil {
		first = maxMorselRows
	}
	most := q.most(s, r, int(s.planned.Segments))
	runs := sc.Runs(q.Desc, min(first, most), most)
	s.queue.list, s.queue.refs = []task{}, s.Refs
	for _, run := range runs {
		if err := s.deal(r, run); err != nil {
			return nil, err
		}
	}
	out := make([]Stream, len(q.streams))
	for i, w := range q.streams {
		out[i] = w
	}
	if len(s.queue.list) > 0 {
		out = append(out, s.workers(r, min(r.opts.Threads, len(s.queue.list)))...)
	}
	return out, nil
}

// deal makes the streams of a run; morsels in no order go to the queue.
func (s *Scan) deal(r *run, run Run) error {
	q := s.Sequence
	if run.Next != nil {
		q.streams = append(q.streams, s.sequenceStream(r, &sequenceState{q: q, next: run.Next}))
		return nil
	}
	n := min(r.opts.Threads, len(run.Morsels))
	states := make([]*sequenceState, n)
	for i := range states {
		states[i] = &sequenceState{q: q}
		if run.Sorted {
			q.streams = append(q.streams, s.sequenceStream(r, states[i]))
		}
	}
	for i, m := range run.Morsels {
		t := task{m: m, id: len(s.queue.mu.taken)}
		s.queue.mu.taken = append(s.queue.mu.taken, m)
		if !run.Sorted {
			s.queue.list = append(s.queue.list, t)
			continue
		}
		if err := t.bound(q.Column, q.Order); err != nil {
			return err
		}
		states[i%n].tasks = append(states[i%n].tasks, t)
	}
	return nil
}

func (s *Scan) sequenceStream(r *run, st *sequenceState) *scanStream {
	w := &scanStream{s: s, r: r, seq: st, held: r.reservation()}
	if s.Top != nil {
		w.top = &topState{t: s.Top}
	}
	return w
}

// sequenceState is where a stream of a Sequence is.
type sequenceState struct {
	q     *Sequence
	tasks []task // to be read
	next  func(context.Context) (Morsel, error)
	rows  uint64 // yielded
}

// done reports whether no more rows are wanted.
func (st *sequenceState) done() bool { return st.q.Each > 0 && st.rows >= st.q.Each }

// truncate leaves of a morsel no more rows than are wanted.
func (st *sequenceState) truncate(v *morselView) {
	switch n := int(min(st.q.Each-st.rows, uint64(v.left))); {
	case st.q.Each == 0:
	case st.q.Desc:
		v.truncateFront(n)
	default:
		v.truncate(n)
	}
}

// take returns the next morsel; a nil one at the end.
func (st *sequenceState) take(ctx context.Context) (task, error) {
	switch {
	case st.done():
		return task{}, nil
	case st.next != nil:
		m, err := st.next(ctx)
		return task{m: m}, err
	case len(st.tasks) == 0:
		return task{}, nil
	}
	t := st.tasks[0]
	st.tasks = st.tasks[1:]
	return t, nil
}

// sequence reads the next morsel of a run, in the order of the Sort.
func (w *scanStream) sequence(ctx context.Context) (*column.Block, error) {
	t, err := w.seq.take(ctx)
	if err != nil || t.m == nil {
		return nil, err
	}
	pool := &w.seq.q.views
	w.view = pool.get()
	b, err := w.read(ctx, t)
	pool.put(w.view)
	w.view = nil
	if err != nil {
		return nil, err
	}
	w.seq.rows += uint64(b.N)
	if w.seq.q.Desc && b.N > 1 {
		b = reversed(b)
	}
	return b, nil
}

func reversed(b *column.Block) *column.Block {
	sel := make([]uint32, b.N)
	for i := range sel {
		sel[i] = uint32(b.N - 1 - i)
	}
	return gatherBlock(b, sel)
}

// least is before all that the stream has yet to yield, or equal to the first of it; the zero value if nothing is known.
func (w *scanStream) least() sortItem {
	if w.rest.more() || w.seq.next != nil || len(w.seq.tasks) == 0 {
		return sortItem{}
	}
	return w.seq.tasks[0].first()
}

// viewPool keeps the memory of the views of streams of which few are read at once. Safe for concurrent use.
type viewPool struct {
	make func() *morselView
	mu   struct {
		sync.Mutex
		free []*morselView
	}
}

func (p *viewPool) get() *morselView {
	p.mu.Lock()
	defer p.mu.Unlock()
	n := len(p.mu.free)
	if n == 0 {
		return p.make()
	}
	v := p.mu.free[n-1]
	p.mu.free = p.mu.free[:n-1]
	return v
}

func (p *viewPool) put(v *morselView) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.mu.free = append(p.mu.free, v)
}
