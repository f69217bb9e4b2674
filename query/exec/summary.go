package exec

import (
	"context"
	"fmt"
	"strings"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/types"
)

// SummaryKind is what a column of a Summarize is.
type SummaryKind uint8

// The kinds.
const (
	SummaryCount SummaryKind = iota // the number of rows
	SummaryMin                      // the least value of a column
	SummaryMax                      // the greatest value of a column
)

// SummaryCall is one column of a Summarize.
type SummaryCall struct {
	Kind   SummaryKind
	Column int // of the scan
	Name   string
}

// Summarize yields one row about all rows of a table from what its storage knows without reading them. Where the storage does not know,
// or the table is empty, it yields what its input does, an aggregation over a scan of the table.
type Summarize struct {
	base
	scan  *Scan
	calls []SummaryCall
}

// NewSummarize returns a Summarize; in aggregates the rows of the scan, unfiltered, to the same schema.
func NewSummarize(in Operator, scan *Scan, calls []SummaryCall) *Summarize {
	return &Summarize{base: base{inputs: []Operator{in}}, scan: scan, calls: calls}
}

// Describe implements Operator.
func (s *Summarize) Describe() string {
	parts := make([]string, len(s.calls))
	for i, c := range s.calls {
		parts[i] = c.Name
	}
	return fmt.Sprintf("Metadata %s, or else", strings.Join(parts, ", "))
}

func (s *Summarize) streams(r *run) ([]Stream, error) {
	if err := s.scan.start(r.ctx); err != nil {
		return nil, err
	}
	if sc, ok := s.scan.scanner.(Summarized); ok {
		sum, err := sc.Summary()
		if err != nil {
			return nil, err
		}
		if b := s.row(sum); b != nil {
			s.scan.answered.Store(true)
			return []Stream{&valuesStream{rest: blocksOf{b: b, size: 1}}}, nil
		}
	}
	return open(r, s.inputs[0])
}

// row is the answer, or nil.
func (s *Summarize) row(sum *Summary) *column.Block {
	if sum == nil || sum.Rows == 0 {
		return nil
	}
	b := &column.Block{N: 1}
	for _, c := range s.calls {
		v := column.Vector(column.NewNum(types.TUInt64, []uint64{uint64(sum.Rows)}))
		switch c.Kind {
		case SummaryMin:
			v = sum.Mins[c.Column]
		case SummaryMax:
			v = sum.Maxs[c.Column]
		}
		if v == nil {
			return nil
		}
		b.Cols = append(b.Cols, v)
	}
	return b
}

// valuesStream yields a block.
type valuesStream struct{ rest blocksOf }

func (v *valuesStream) Next(context.Context) (*column.Block, error) { return v.rest.next(), nil }
