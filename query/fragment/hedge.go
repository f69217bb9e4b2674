package fragment

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/olapd/olapd/internal/sqlerr"
)

// hedges is how many requests there were, and how many of them second ones beside a first that was not answered in time.
type hedges struct{ all, second atomic.Int64 }

// allow reports whether there may be one more second request.
func (h *hedges) allow() bool {
	if h.second.Load()*hedgeShare >= h.all.Load()+hedgeShare {
		return false
	}
	h.second.Add(1)
	return true
}

// hedged links to a group's node, or to another that has all its shards and is asked when the first has not answered for a while: the first answer
// is taken, the other request ended.
func (q *Query) hedged(ctx context.Context, g group, failed map[string]error, s *sending) (*link, error) {
	q.cl.hedges.all.Add(1)
	answers := make(chan answer, 2)
	var ends []context.CancelFunc
	ask := func(g group) {
		k := len(ends)
		ctx, end := context.WithCancel(ctx) // of the link's first fragment, too: see link.close
		ends = append(ends, end)
		q.asking.Go(func() {
			l, err := q.link(ctx, g, s)
			answers <- answer{l, err, k}
		})
	}
	ask(g)
	late, stop := q.lateAfter()
	defer stop()
	var first error
	for open := 1; open > 0; {
		select {
		case a := <-answers:
			if open--; a.err == nil {
				q.drop(answers, open, ends, a.k)
				return a.l, nil
			}
			ends[a.k]()
			if first == nil {
				first = a.err
			}
		case <-late:
			late = nil
			if other, ok := second(g, failed); ok && q.cl.hedges.allow() {
				open++
				ask(other)
			}
		}
	}
	return nil, first
}

// answer is what came of asking node k.
type answer struct {
	l   *link
	err error
	k   int
}

// drop ends the requests that were not answered first.
func (q *Query) drop(answers <-chan answer, open int, ends []context.CancelFunc, won int) {
	for k, end := range ends {
		if k != won {
			end()
		}
	}
	if open == 0 {
		return
	}
	q.asking.Go(func() {
		if a := <-answers; a.err == nil {
			a.l.close()
		}
	})
}

// lateAfter is a channel that tells when a second node may be asked; nil if never.
func (q *Query) lateAfter() (<-chan time.Time, func()) {
	if q.t.Hedge <= 0 {
		return nil, func() {}
	}
	t := q.cl.clock.NewTimer(max(q.t.Hedge, minHedge))
	return t.C(), func() { t.Stop() }
}

// second returns another node that has all shards of a group.
func second(g group, failed map[string]error) (group, bool) {
	groups, none := assign(g.shards, with(failed, g.node, errLate))
	if len(none) > 0 || len(groups) != 1 {
		return group{}, false
	}
	return groups[0], true
}

var errLate = sqlerr.New(sqlerr.NetworkError, "The node did not answer in time")
