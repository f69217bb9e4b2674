package exec

import (
	"context"
	"fmt"
	"sync/atomic"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/query/plan"
)

// Limit yields n rows behind the first offset ones, in order.
type Limit struct {
	base
	n, offset uint64
	ties      *tieCheck // WITH TIES, or nil
	seen      atomic.Int64
}

// NewLimit returns a Limit; n may be plan.NoLimit. ties are the sort keys of WITH TIES, or nil.
func NewLimit(in Operator, n, offset uint64, ties []plan.SortKey) *Limit {
	l := &Limit{base: base{inputs: []Operator{in}}, n: n, offset: offset}
	if len(ties) > 0 {
		l.ties = &tieCheck{ties}
	}
	return l
}

// Describe implements Operator.
func (l *Limit) Describe() string {
	text := fmt.Sprintf("Limit %d", l.n)
	if l.n == plan.NoLimit {
		text = "Limit"
	}
	if l.offset > 0 {
		text += fmt.Sprintf(" offset %d", l.offset)
	}
	if l.ties != nil {
		text += " with ties"
	}
	return text
}

// RowsBefore is the number of rows that came in: a lower bound of the rows there would have been.
func (l *Limit) RowsBefore() int64 { return l.seen.Load() }

func (l *Limit) streams(r *run) ([]Stream, error) {
	in, err := single(r, l.inputs[0])
	if err != nil {
		return nil, err
	}
	return []Stream{&limitStream{l: l, in: in, skip: l.offset, left: l.n}}, nil
}

type limitStream struct {
	l          *Limit
	in         Stream
	skip, left uint64
	last       *column.Block // the last row yielded, for ties
	done       bool
}

func (s *limitStream) Next(ctx context.Context) (*column.Block, error) {
	for !s.done {
		if s.left == 0 && (s.l.ties == nil || s.last == nil) {
			s.end()
			break
		}
		b, err := s.in.Next(ctx)
		if err != nil || b == nil {
			return nil, err
		}
		s.l.seen.Add(int64(b.N))
		if out := s.cut(b); out.N > 0 {
			return out, nil
		}
	}
	return nil, nil
}

func (s *limitStream) end() {
	s.done = true
	stop(s.in)
}

// cut returns the rows of b that are within the limit.
func (s *limitStream) cut(b *column.Block) *column.Block {
	n := uint64(b.N)
	from := min(s.skip, n)
	s.skip -= from
	to := from + min(s.left, n-from)
	s.left -= to - from
	if s.l.ties != nil {
		if to > from {
			s.last = sliceBlock(b, int(to)-1, int(to))
		}
		if s.left == 0 && s.last != nil {
			to += uint64(s.l.ties.run(s.last, b, int(to)))
			if to < n {
				s.end()
			}
		}
	}
	return sliceBlock(b, int(from), int(to))
}
