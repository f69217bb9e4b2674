package exec

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/olapd/olapd/internal/column"
)

// queue hands out a scan's morsels: as the storage does, or, under the bound of a Sort, those first that promise its first rows.
type queue struct {
	sc   Scanner
	list []task // nil: the scanner is asked
	next atomic.Int64
	refs bool
	mu   struct {
		sync.Mutex
		taken []Morsel // by the number in references
	}
}

// task is a morsel, its number, and under the bound of a Sort what is known of runs of its rows: run i is the rows up to ends[i], the
// first of them in the order being best[i] at best.
type task struct {
	m    Morsel
	id   int
	ends []uint32
	best []sortItem
}

// fill lists the morsels if that is of use and the storage can.
func (q *queue) fill(s *Scan) error {
	q.sc, q.refs = s.scanner, s.Refs
	p, ok := s.scanner.(Planned)
	if !ok || s.Top == nil {
		return nil
	}
	morsels := p.Morsels()
	q.list = make([]task, len(morsels))
	q.mu.taken = morsels
	for i, m := range morsels {
		q.list[i] = task{m: m, id: i}
		if err := q.list[i].bound(s.Top.Column, s.Top.Order); err != nil {
			return err
		}
	}
	slices.SortStableFunc(q.list, compareTasks)
	return nil
}

// bound fills in what is known of the runs of a morsel's rows by a column; -1 is none.
func (t *task) bound(col int, ord column.Order) error {
	b, ok := t.m.(Bounded)
	if !ok || col < 0 {
		return nil
	}
	bounds, err := b.Bounds(col)
	if err != nil || bounds == nil {
		return err
	}
	t.ends, t.best = bounds.Ends, bestItems(bounds, ord)
	return nil
}

// compareTasks puts the best first, and those of which nothing is known before all: they cost the same sooner or later.
func compareTasks(a, b task) int {
	x, y := a.first(), b.first()
	switch {
	case x.before(y):
		return -1
	case y.before(x):
		return 1
	}
	return 0
}

// first is the best of the runs.
func (t *task) first() sortItem {
	var least sortItem
	for i, it := range t.best {
		if i == 0 || it.before(least) {
			least = it
		}
	}
	return least
}

// take returns the next morsel, with a nil one at the end. Safe for concurrent use.
func (q *queue) take(ctx context.Context) (task, error) {
	if q.list != nil {
		i := int(q.next.Add(1)) - 1
		if i >= len(q.list) {
			return task{}, nil
		}
		return q.list[i], nil
	}
	m, err := q.sc.Next(ctx)
	if err != nil || m == nil || !q.refs {
		return task{m: m}, err
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	q.mu.taken = append(q.mu.taken, m)
	return task{m: m, id: len(q.mu.taken) - 1}, nil
}
