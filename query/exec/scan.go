package exec

import (
	"context"
	"fmt"
	"sync/atomic"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/kernel"
	"github.com/olapd/olapd/query/exec/eval"
)

// Scan reads a table: filter columns first, then, for the rows that pass, the others.
type Scan struct {
	base
	Storage Storage
	// Request gives what to read; it is called when the run begins, behind the subqueries of IN.
	Request func() ScanRequest
	// Preds are the conjuncts of the filter over the request's columns, cheapest first.
	Preds []*Predicate
	// Output marks the columns that later operators read; the others are nil in the blocks.
	Output []bool
	// Top is set by a Sort with a limit right above: see TopBound.
	Top *TopBound
	// Limit is the number of rows after which reading stops; 0: none.
	Limit uint64

	scanner Scanner
	planned ScanStats
	yielded atomic.Int64
	ended   atomic.Bool
}

// Predicate is one conjunct of a scan's filter.
type Predicate struct {
	Program *eval.Program
	Text    string
	dict    dictMask
}

// Describe implements Operator.
func (s *Scan) Describe() string {
	text := "Scan " + s.Request().Table.Name()
	for i, p := range s.Preds {
		text += []string{" where ", " and "}[min(i, 1)] + p.Text
	}
	if s.Top != nil {
		text += " (late materialisation)"
	}
	if s.Limit > 0 {
		text += fmt.Sprintf(" limit %d", s.Limit)
	}
	return text
}

// ScanStats is what the storage planned; zero before the run.
func (s *Scan) ScanStats() ScanStats { return s.planned }

func (s *Scan) streams(r *run) ([]Stream, error) {
	if err := s.start(r.ctx); err != nil {
		return nil, err
	}
	n := r.opts.Threads
	if o, ok := s.scanner.(Ordered); ok && o.Ordered() {
		n = 1
	}
	out := make([]Stream, n)
	for i := range out {
		out[i] = &scanStream{s: s, r: r}
	}
	return out, nil
}

// start opens the scanner once.
func (s *Scan) start(ctx context.Context) error {
	if s.scanner != nil {
		return nil
	}
	sc, err := s.Storage.Open(ctx, s.Request())
	if err != nil {
		return err
	}
	s.scanner, s.planned = sc, sc.Stats()
	return nil
}

func (s *Scan) close() error {
	if s.scanner == nil {
		return nil
	}
	sc := s.scanner
	s.scanner = nil
	return sc.Close()
}

// scanStream is one worker of a scan.
type scanStream struct {
	s    *Scan
	r    *run
	rest blocksOf
}

func (w *scanStream) Next(ctx context.Context) (*column.Block, error) {
	for {
		if b := w.rest.next(); b != nil {
			return w.limited(b), nil
		}
		if w.s.ended.Load() {
			return nil, nil
		}
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		m, err := w.s.scanner.Next(ctx)
		if err != nil || m == nil {
			return nil, err
		}
		b, err := w.read(ctx, m)
		if err != nil {
			return nil, err
		}
		w.rest = blocksOf{b: b, size: w.r.opts.MaxBlockSize}
	}
}

// limited cuts the block that reaches the limit and ends the scan there.
func (w *scanStream) limited(b *column.Block) *column.Block {
	if w.s.Limit == 0 {
		return b
	}
	over := w.s.yielded.Add(int64(b.N)) - int64(w.s.Limit)
	if over < 0 {
		return b
	}
	w.s.ended.Store(true)
	w.rest = blocksOf{}
	return sliceBlock(b, 0, max(b.N-int(over), 0))
}

// read filters one morsel and reads the columns asked for.
func (w *scanStream) read(ctx context.Context, m Morsel) (*column.Block, error) {
	v := &morselView{m: m, block: &column.Block{Cols: make([]column.Vector, len(w.s.Output)), N: m.Rows()}}
	for i, p := range w.s.Preds {
		if err := v.load(ctx, p.Program.Columns()); err != nil {
			return nil, err
		}
		mask, err := p.mask(v.block)
		if err != nil {
			return nil, err
		}
		v.keep(mask, func(c int) bool { return w.s.Output[c] || usedBy(w.s.Preds[i+1:], c) })
		if v.block.N == 0 {
			break
		}
	}
	if t := w.s.Top; t != nil && v.block.N > 0 {
		if err := v.load(ctx, []int{t.Column}); err != nil {
			return nil, err
		}
		v.keep(t.narrow(v.block.Cols[t.Column]), func(c int) bool { return w.s.Output[c] })
	}
	if v.block.N > 0 {
		if err := v.finish(ctx, w.s.Output); err != nil {
			return nil, err
		}
	}
	end, err := w.r.countRead(int64(m.Rows()), v.bytes)
	if end {
		w.s.ended.Store(true)
	}
	return v.block, err
}

// morselView is a morsel narrowed step by step to the rows that pass.
type morselView struct {
	m     Morsel
	sel   []uint32 // rows left; nil: all
	block *column.Block
	bytes int64
}

// load reads columns not read yet, for the rows left.
func (v *morselView) load(ctx context.Context, cols []int) error {
	for _, c := range cols {
		if v.block.Cols[c] != nil {
			continue
		}
		vec, err := v.m.Column(ctx, c, v.sel)
		if err != nil {
			return err
		}
		v.block.Cols[c] = vec
		v.bytes += vectorBytes(vec)
	}
	return nil
}

// usedBy reports whether a predicate reads column c.
func usedBy(preds []*Predicate, c int) bool {
	for _, p := range preds {
		if p.Program.Uses(c) {
			return true
		}
	}
	return false
}

// keep narrows the view to the rows whose mask is 1, and drops the columns that are not needed any more.
func (v *morselView) keep(mask []uint8, needed func(int) bool) {
	any := false
	for c := range v.block.Cols {
		if any = any || needed(c); !needed(c) {
			v.block.Cols[c] = nil
		}
	}
	n := kernel.Count(mask)
	if !any {
		v.block.N = n // only counted from here on
		return
	}
	if n == v.block.N {
		return
	}
	local := kernel.AppendSelected(make([]uint32, 0, n), mask, 0)
	v.block = gatherBlock(v.block, local)
	if v.sel != nil {
		abs := make([]uint32, n)
		kernel.Gather(abs, v.sel, local)
		local = abs
	}
	v.sel = local
}

// finish loads the output columns and drops the others.
func (v *morselView) finish(ctx context.Context, output []bool) error {
	for c, want := range output {
		if !want {
			v.block.Cols[c] = nil
			continue
		}
		if err := v.load(ctx, []int{c}); err != nil {
			return err
		}
	}
	return nil
}
