package exec

import (
	"context"
	"sync/atomic"

	"github.com/olapd/olapd/internal/clock"
	"github.com/olapd/olapd/internal/column"
)

// Operator is a node of a pipeline. It is built once and run once.
type Operator interface {
	// Describe is the operator's line in EXPLAIN, without its inputs.
	Describe() string
	// Inputs are the operators it reads.
	Inputs() []Operator
	// Stats is what went through so far.
	Stats() *OpStats
	// Totals returns the row of WITH TOTALS as this operator leaves it, or nil; after the run.
	Totals() (*column.Block, error)

	// streams starts the operator: one stream, or up to r.opts.Threads that may be drained
	// concurrently and together hold the rows. Called once.
	streams(r *run) ([]Stream, error)
}

// Stream yields blocks to one goroutine at a time. Columns nobody reads may be nil.
type Stream interface {
	// Next returns the next block, never empty, or nil at the end and ever after.
	Next(ctx context.Context) (*column.Block, error)
}

// stopper is a stream with work going on behind it that can be ended early.
type stopper interface{ stop() }

// OpStats counts what an operator yielded. Time is that of its streams, inputs included.
type OpStats struct {
	Rows, Blocks, Bytes, Nanos atomic.Int64
}

// base is what all operators share.
type base struct {
	stats  OpStats
	inputs []Operator
}

func (b *base) Stats() *OpStats    { return &b.stats }
func (b *base) Inputs() []Operator { return b.inputs }

// Totals passes the totals of the only input on.
func (b *base) Totals() (*column.Block, error) {
	if len(b.inputs) != 1 {
		return nil, nil
	}
	return b.inputs[0].Totals()
}

// open starts an operator and counts what its streams yield.
func open(r *run, op Operator) ([]Stream, error) {
	ss, err := op.streams(r)
	if err != nil {
		return nil, err
	}
	out := make([]Stream, len(ss))
	for i, s := range ss {
		out[i] = &meter{in: s, stats: op.Stats(), clock: r.opts.Clock}
	}
	return out, nil
}

// meter counts blocks, drops empty ones and looks at the context once a block.
type meter struct {
	in    Stream
	stats *OpStats
	clock clock.Clock
}

func (m *meter) Next(ctx context.Context) (*column.Block, error) {
	start := m.clock.Now()
	defer func() { m.stats.Nanos.Add(int64(m.clock.Since(start))) }()
	for {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		b, err := m.in.Next(ctx)
		if err != nil || b == nil {
			return nil, err
		}
		if b.N == 0 {
			continue
		}
		m.stats.Rows.Add(int64(b.N))
		m.stats.Blocks.Add(1)
		m.stats.Bytes.Add(blockBytes(b))
		return b, nil
	}
}

func (m *meter) stop() { stop(m.in) }

func stop(s Stream) {
	if st, ok := s.(stopper); ok {
		st.stop()
	}
}

// mapped applies f to each block of in.
type mapped struct {
	in Stream
	f  func(*column.Block) (*column.Block, error)
}

func (m *mapped) Next(ctx context.Context) (*column.Block, error) {
	for {
		b, err := m.in.Next(ctx)
		if err != nil || b == nil {
			return nil, err
		}
		if b, err = m.f(b); err != nil || b.N > 0 {
			return b, err
		}
	}
}

func (m *mapped) stop() { stop(m.in) }

// mapStreams opens op and applies f to the blocks of all its streams; f is called concurrently.
func mapStreams(r *run, op Operator, f func(*column.Block) (*column.Block, error)) ([]Stream, error) {
	ss, err := open(r, op)
	if err != nil {
		return nil, err
	}
	for i, s := range ss {
		ss[i] = &mapped{in: s, f: f}
	}
	return ss, nil
}
