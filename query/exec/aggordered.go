package exec

import (
	"context"
	"sort"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/query/plan"
)

// Aggregation in the order of the sort key. Rows come in the order of some of the keys: the groups of one combination of these are complete when the next
// one begins, and are yielded then. What is held is the groups of a block and those of the combination that may go on, and a LIMIT that has
// enough leaves the rest unread. Groups that are complete at once are sorted.

// AggOrder is the order in which the rows come to an Aggregate, and its groups from it.
type AggOrder struct {
	// By are the columns of the input, ascending, and Keys the keys that these are, by position.
	By   []plan.SortKey
	Keys []int
}

// orderedAgg yields the groups of rows that come in order.
type orderedAgg struct {
	a    *Aggregate
	r    *run
	in   Stream
	same tieCheck
	last *column.Block // the last row so far

	part   *run // of the aggregation at hand; nil before the first row of it
	g      *aggregation
	worker *aggWorker
	out    Stream        // groups that are complete; nil: none
	rest   *column.Block // rows to be aggregated when these are out
	ended  bool
}

func newOrderedAgg(a *Aggregate, r *run, in Stream) *orderedAgg {
	s := &orderedAgg{a: a, r: r, in: in, same: tieCheck{keys: a.Order.By}}
	r.atEnd(s.end)
	return s
}

func (s *orderedAgg) stop() { stop(s.in) }

// end frees what the aggregation at hand holds.
func (s *orderedAgg) end() error {
	if s.part == nil {
		return nil
	}
	p := s.part
	s.part, s.g, s.worker = nil, nil, nil
	return p.free()
}

func (s *orderedAgg) Next(ctx context.Context) (*column.Block, error) {
	for {
		if s.out != nil {
			b, err := s.out.Next(ctx)
			if b != nil || err != nil {
				return b, err
			}
			s.out = nil
			if err := s.end(); err != nil {
				return nil, err
			}
		}
		switch b := s.rest; {
		case b != nil:
			s.rest = nil
			if err := s.add(b); err != nil {
				return nil, err
			}
		case s.ended:
			return nil, nil
		default:
			if err := s.take(ctx); err != nil {
				return nil, err
			}
		}
	}
}

// take aggregates the next block of rows, or as much of it as groups end in.
func (s *orderedAgg) take(ctx context.Context) error {
	b, err := s.in.Next(ctx)
	if err != nil {
		return err
	}
	if b == nil {
		s.ended = true
		return s.complete(ctx)
	}
	begin := s.last == nil || s.same.run(s.last, sliceBlock(b, 0, 1), 0) == 0
	// Rows equal to the last one are at the end.
	start := sort.Search(b.N, func(i int) bool { return s.same.equal(b, i, b.N-1) })
	s.last = sliceBlock(b, b.N-1, b.N)
	switch {
	case start > 0:
		s.rest = sliceBlock(b, start, b.N)
		if err := s.add(sliceBlock(b, 0, start)); err != nil {
			return err
		}
		return s.complete(ctx)
	case begin:
		s.rest = b
		return s.complete(ctx)
	}
	return s.add(b)
}

// add aggregates rows.
func (s *orderedAgg) add(b *column.Block) error {
	if s.part == nil {
		s.part = s.r.part(plannedRows(s.a))
		s.g = newAggregation(s.a, s.part, nil)
		s.worker = newAggWorker(s.g, 0)
	}
	return s.worker.add(b)
}

// complete has the groups at hand yielded.
func (s *orderedAgg) complete(ctx context.Context) error {
	if s.part == nil {
		return nil
	}
	if err := s.g.collect(ctx, 0, s.worker.sets); err != nil {
		return err
	}
	s.g.once.do(func() {})
	keys := make([]plan.SortKey, len(s.a.Order.Keys))
	for i, k := range s.a.Order.Keys {
		keys[i] = plan.SortKey{Index: k, Order: s.a.Order.By[i].Order}
	}
	s.out = &sortStream{s: &Sort{keys: keys}, r: s.part, in: []Stream{newAggStream(s.g)}}
	return nil
}
