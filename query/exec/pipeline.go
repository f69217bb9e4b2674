package exec

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/query/exec/eval"
)

// Pipeline is a plan ready to run, once.
type Pipeline struct {
	Root   Operator
	Schema column.Schema
	// Sets are the subqueries of IN, filled in this order before the pipeline runs.
	Sets []SetSource

	opts     Options
	read     readCounter
	extremes *column.Block
}

// SetSource is a subquery and the set it fills.
type SetSource struct {
	Root Operator
	Set  *eval.Set
}

// NewPipeline returns a pipeline of root, whose blocks have the schema.
func NewPipeline(root Operator, schema column.Schema, sets []SetSource, o Options) *Pipeline {
	return &Pipeline{Root: root, Schema: schema, Sets: sets, opts: o.withDefaults()}
}

// Run calls emit with each block of the result, in order, from this goroutine; emit may keep the block. Every
// goroutine has ended when it returns. Errors carry codes; an error of emit is returned as it is.
func (p *Pipeline) Run(ctx context.Context, emit func(*column.Block) error) error {
	r := newRun(ctx, p.opts)
	err := sqlerr.Guard(func() error { return p.execute(r, emit) })
	if err != nil {
		r.cancel(err) // other nodes are told why, which else would only see that this one has ended
	}
	rerr := r.close()
	p.read.rows.Store(r.read.rows.Load())
	p.read.bytes.Store(r.read.bytes.Load())
	if cerr := errors.Join(rerr, p.close()); err == nil {
		err = cerr
	}
	if err != nil && ctx.Err() != nil && (errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)) {
		err = context.Cause(ctx)
	}
	return coded(err)
}

func (p *Pipeline) execute(r *run, emit func(*column.Block) error) error {
	for _, s := range p.Sets {
		if err := fillSet(r, s); err != nil {
			return err
		}
	}
	s, err := single(r, p.Root)
	if err != nil {
		return err
	}
	rows, bytes, l := int64(0), int64(0), &p.opts.Limits
	err = drain(r.ctx, s, func(b *column.Block) error {
		rows, bytes = rows+int64(b.N), bytes+blockBytes(b)
		end, err := check(l.ResultMode, sqlerr.TooManyRowsOrBytes, "result", rows, l.ResultRows, bytes, l.ResultBytes)
		if err != nil {
			return err
		}
		if p.opts.Extremes {
			p.widen(b)
		}
		if err := emit(b); err != nil {
			return err
		}
		if end {
			return errEnd
		}
		return nil
	})
	if err != nil {
		return err
	}
	return r.finish()
}

// fillSet runs the subquery of an IN.
func fillSet(r *run, src SetSource) error {
	s, err := single(r, src.Root)
	if err != nil {
		return err
	}
	held, l := r.reservation(), &r.opts.Limits
	defer src.Set.Fill()
	return drain(r.ctx, s, func(b *column.Block) error {
		if err := held.set(src.Set.Bytes() + src.Set.Growth(b.N)); err != nil {
			return err
		}
		if err := src.Set.Add(b); err != nil {
			return err
		}
		end, err := check(l.SetMode, sqlerr.SetSizeLimitExceeded, "IN-set", int64(src.Set.Len()), l.RowsInSet, src.Set.Bytes(), l.BytesInSet)
		if err != nil {
			return err
		}
		if end {
			return errEnd
		}
		return held.set(src.Set.Bytes())
	})
}

// Totals returns the row of WITH TOTALS after Run, or nil.
func (p *Pipeline) Totals() (*column.Block, error) { return p.Root.Totals() }

// Extremes returns two rows, the least and the greatest value of each column, after Run with Options.Extremes; nil without rows.
func (p *Pipeline) Extremes() *column.Block { return p.extremes }

// Read returns the rows and bytes read from tables; after Run.
func (p *Pipeline) Read() (rows, bytes int64) { return p.read.rows.Load(), p.read.bytes.Load() }

// RowsBeforeLimit returns how many rows the outermost LIMIT saw, if there is one.
func (p *Pipeline) RowsBeforeLimit() (int64, bool) {
	for op := p.Root; ; op = op.Inputs()[0] {
		switch op := op.(type) {
		case *Limit:
			if e := exchangeBelow(op.inputs[0]); e != nil {
				if n, ok := e.sorted(); ok {
					return n, true
				}
			}
			if s := sortBelow(op.inputs[0]); s != nil {
				return s.rowsIn(), true
			}
			return op.RowsBefore(), true
		case *Project, *Filter:
		default:
			return 0, false
		}
	}
}

// Sorted returns how many rows the sort with a limit that yields the result saw; 0 if there is none. After Run.
func (p *Pipeline) Sorted() int64 {
	if s := sortBelow(p.Root); s != nil {
		return s.rowsIn()
	}
	return 0
}

// sortBelow is the sort whose rows op yields one by one, or nil.
func sortBelow(op Operator) *Sort {
	for {
		switch x := op.(type) {
		case *Sort:
			return x
		case *Project, *Fetch, *Pick:
			op = x.Inputs()[0]
		default:
			return nil
		}
	}
}

// widen takes a block into the extremes.
func (p *Pipeline) widen(b *column.Block) {
	if p.extremes == nil {
		p.extremes = gatherBlock(b, []uint32{0, 0})
	}
	for c, v := range b.Cols {
		e := p.extremes.Cols[c]
		lo, hi := -1, -1
		for i := 0; i < b.N; i++ {
			if column.IsNull(v, i) {
				continue
			}
			if at, in := position(e, v, 0, lo); column.IsNull(in, at) || column.Compare(v, i, in, at) < 0 {
				lo = i
			}
			if at, in := position(e, v, 1, hi); column.IsNull(in, at) || column.Compare(v, i, in, at) > 0 {
				hi = i
			}
		}
		ext := column.New(v.Type(), 2)
		at, in := position(e, v, 0, lo)
		ext.AppendFrom(in, at)
		at, in = position(e, v, 1, hi)
		ext.AppendFrom(in, at)
		p.extremes.Cols[c] = ext
	}
}

// position is where an extreme so far is: row i of v, or row k of the extremes of earlier blocks.
func position(e, v column.Vector, k, i int) (int, column.Vector) {
	if i < 0 {
		return k, e
	}
	return i, v
}

// Plan opens the scans without reading, so that Explain can say what they will read.
func (p *Pipeline) Plan(ctx context.Context) error {
	return p.scans(func(s *Scan) error { return s.start(ctx) })
}

// Close closes what Plan opened, if Run is not called.
func (p *Pipeline) Close() error { return p.close() }

func (p *Pipeline) close() error {
	return p.scans((*Scan).close)
}

func (p *Pipeline) scans(f func(*Scan) error) error {
	var first error
	for _, s := range p.Sets {
		if err := eachScan(s.Root, f); err != nil && first == nil {
			first = err
		}
	}
	if err := eachScan(p.Root, f); err != nil && first == nil {
		first = err
	}
	return first
}

// eachScan calls f for all scans of op and its inputs, and returns the first error.
func eachScan(op Operator, f func(*Scan) error) (first error) {
	if s, ok := op.(*Scan); ok {
		first = f(s)
	}
	for _, in := range op.Inputs() {
		if err := eachScan(in, f); err != nil && first == nil {
			first = err
		}
	}
	return first
}

// Explain describes the operators, one a line, inputs indented below; what scans read and drop, once they are
// planned; and after a run what each operator yielded and how long it took, inputs included.
func (p *Pipeline) Explain() []string {
	var out []string
	for i, s := range p.Sets {
		out = append(out, fmt.Sprintf("Set %d", i+1))
		out = describe(out, s.Root, 1)
	}
	return describe(out, p.Root, 0)
}

func describe(out []string, op Operator, depth int) []string {
	pad := strings.Repeat("  ", depth)
	line := pad + op.Describe()
	if st := op.Stats(); st.Blocks.Load() > 0 {
		line += fmt.Sprintf(" (%d rows, %d blocks, %d bytes, %s)", st.Rows.Load(), st.Blocks.Load(), st.Bytes.Load(),
			time.Duration(st.Nanos.Load()).Round(time.Microsecond))
	}
	out = append(out, line)
	if s, ok := op.(*Scan); ok {
		if c := s.Request().Cond; c != nil {
			out = append(out, pad+"  Prunes by "+c.String())
		}
		out = append(out, s.lines(pad+"  ")...)
	}
	if e, ok := op.(*Exchange); ok {
		out = append(out, e.lines(pad+"  ")...)
	}
	for _, in := range op.Inputs() {
		out = describe(out, in, depth+1)
	}
	return out
}

// lines prints what a scan reads of what there is, and what each index spared.
func (s ScanStats) lines(pad string) []string {
	if s.TotalSegments == 0 && s.TotalRows == 0 {
		return nil
	}
	out := []string{fmt.Sprintf("%sReads %d/%d segments, %d/%d granules, %d/%d rows", pad,
		s.Segments, s.TotalSegments, s.Granules, s.TotalGranules, s.Rows, s.TotalRows)}
	for _, d := range s.Dropped {
		out = append(out, fmt.Sprintf("%sDropped by %s: %d segments, %d granules, %d rows", pad, d.Index, d.Segments, d.Granules, d.Rows))
	}
	return out
}
