package exec

import (
	"context"

	"github.com/olapd/olapd/internal/column"
)

// splitting cuts blocks to a size, behind operators that multiply rows.
type splitting struct {
	in   Stream
	size int
	rest blocksOf
}

func (s *splitting) Next(ctx context.Context) (*column.Block, error) {
	for {
		if b := s.rest.next(); b != nil {
			return b, nil
		}
		b, err := s.in.Next(ctx)
		if err != nil || b == nil {
			return nil, err
		}
		s.rest = blocksOf{b: b, size: s.size}
	}
}

func (s *splitting) stop() { stop(s.in) }
