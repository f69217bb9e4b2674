package exec

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/function"
	"github.com/olapd/olapd/internal/types"
)

// Scan reads a table: of each morsel the columns that its filter needs, condition by condition in the order that has proved
// cheapest (see stepOrder), then, for the rows that pass, the others.
type Scan struct {
	base
	Storage Storage
	// Request gives what to read; it is called when the run begins, behind the subqueries of IN.
	Request func() ScanRequest
	// Preds are the conjuncts of the filter over the request's columns: first the safe ones, in any order, then those that
	// may fail, in the order written.
	Preds []*Predicate
	// Output marks the columns that later operators read; the others are nil in the blocks.
	Output []bool
	// Lengths marks columns of strings of which only the lengths in bytes are read, as UInt64; nil: none.
	Lengths []bool
	// Parts are the sub-columns that are read of columns of JSON, nil for what is read whole; nil: none. PartNames are what EXPLAIN calls them.
	Parts     []*function.ObjectPart
	PartNames []string
	// Refs adds a column behind the others: a reference to each row, which Fetch resolves.
	Refs bool
	// Top is set by a Sort with a limit above: see TopBound.
	Top *TopBound
	// Limit is the number of rows after which reading stops; 0: none.
	Limit uint64
	// Sequence is set by a Sort above that goes by the table's sort key.
	Sequence *Sequence

	runtime []*RuntimeFilter // by joins above
	// lends says that who reads the blocks is done with one, but for strings and dictionaries, when it asks for the next.
	lends bool

	ran     bool
	scanner Scanner
	planned ScanStats
	filter  string // of the request
	queue   queue
	order   *stepOrder
	yielded atomic.Int64
	ended   atomic.Bool
	actual  scanCounts
	// answered says that no row need be read: see Summarize.
	answered atomic.Bool
}

// scanCounts is what a scan has really done.
type scanCounts struct {
	rows, topRows, topGranules atomic.Int64
	joinRows, joinGranules     atomic.Int64
}

// Describe implements Operator.
func (s *Scan) Describe() string {
	text := "Scan " + s.Request().Table.Name()
	if len(s.PartNames) > 0 {
		text += " reading " + strings.Join(s.PartNames, ", ")
	}
	for i, p := range s.Preds {
		text += []string{" where ", " and "}[min(i, 1)] + p.Text
	}
	if s.Refs {
		text += " (late materialisation)"
	}
	if s.Limit > 0 {
		text += fmt.Sprintf(" limit %d", s.Limit)
	}
	if s.Sequence != nil {
		text += s.Sequence.describe()
	}
	return text
}

// ScanStats is what the storage planned; zero before the run.
func (s *Scan) ScanStats() ScanStats { return s.planned }

// lines prints what was planned and, once the scan has run, what was read of it. The latter adds up to the former.
func (s *Scan) lines(pad string) []string {
	if s.answered.Load() {
		return []string{pad + "Read nothing: answered from metadata"}
	}
	out := s.planned.lines(pad)
	if !s.ran {
		return out
	}
	rows, top := s.actual.rows.Load(), s.actual.topRows.Load()
	line := fmt.Sprintf("%sRead %d rows", pad, rows)
	if s.Top != nil {
		line += fmt.Sprintf(", dropped by top-k: %d granules, %d rows", s.actual.topGranules.Load(), top)
	}
	join := s.actual.joinRows.Load()
	if join > 0 {
		line += fmt.Sprintf(", dropped by join: %d granules, %d rows", s.actual.joinGranules.Load(), join)
	}
	if rest := s.planned.Rows - rows - top - join; rest > 0 {
		line += fmt.Sprintf(", not reached: %d rows", rest)
	}
	return append(out, line)
}

func (s *Scan) streams(r *run) ([]Stream, error) {
	if err := s.start(r.ctx); err != nil {
		return nil, err
	}
	if f := r.opts.Planned; f != nil && s.planned.Rows > 0 {
		f(s.planned.Rows)
	}
	s.order, s.ran = newStepOrder(s), true
	if sc, ok := s.scanner.(Sequenced); ok && s.Sequence != nil {
		return s.sequenced(r, sc)
	}
	if err := s.queue.fill(s); err != nil {
		return nil, err
	}
	n := r.opts.Threads
	if o, ok := s.scanner.(Ordered); ok && o.Ordered() {
		n = 1
	}
	return s.workers(r, n), nil
}

// workers are n streams that take morsels from the queue.
func (s *Scan) workers(r *run, n int) []Stream {
	out := make([]Stream, n)
	for i := range out {
		w := &scanStream{s: s, r: r, view: s.newView(), held: r.reservation()}
		if s.Top != nil {
			w.top = &topState{t: s.Top}
		}
		out[i] = w
	}
	return out
}

func (s *Scan) newView() *morselView {
	return &morselView{lengths: s.Lengths, parts: s.Parts, width: len(s.Output), refs: s.Refs}
}

// start opens the scanner once.
func (s *Scan) start(ctx context.Context) error {
	if s.scanner != nil {
		return nil
	}
	req := s.Request()
	if s.Sequence != nil {
		req.Order = s.Sequence.Key
	}
	sc, err := s.Storage.Open(ctx, req)
	if err != nil {
		return err
	}
	s.filter = req.Filter
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
	s     *Scan
	r     *run
	view  *morselView
	top   *topState
	lazy  map[*Predicate]*lazyMask
	codes []foundCode // by predicate; nil: none was looked up
	rest  blocksOf
	held  *reservation    // of what was read last
	lent  []column.Vector // columns of rest that are used again when it has been read
	seq   *sequenceState  // of a stream whose rows are in order; nil: it takes morsels from the queue

	filters filterState
}

func (w *scanStream) Next(ctx context.Context) (*column.Block, error) {
	for {
		if b := w.rest.next(); b != nil {
			return w.limited(b), nil
		}
		w.takeBack()
		if w.s.ended.Load() {
			return nil, nil
		}
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		b, err := w.block(ctx)
		if err != nil || b == nil {
			w.held.release()
			return nil, err
		}
		if err := w.held.set(blockBytes(b)); err != nil {
			return nil, err
		}
		w.rest = blocksOf{b: b, size: w.r.opts.morselBlock()}
	}
}

// block reads the next morsel; nil at the end.
func (w *scanStream) block(ctx context.Context) (*column.Block, error) {
	if w.seq != nil {
		return w.sequence(ctx)
	}
	t, err := w.s.queue.take(ctx)
	if err != nil || t.m == nil {
		return nil, err
	}
	return w.read(ctx, t)
}

// maxMorselRows is the rows of a morsel at most.
const maxMorselRows = 65_536

// morselBlock is the most rows of a block that a scan yields: by default morsels are not cut, since what is left of each would be a few rows.
func (o *Options) morselBlock() int {
	if o.MaxBlockSize >= DefaultBlockSize {
		return max(o.MaxBlockSize, maxMorselRows)
	}
	return o.MaxBlockSize
}

// takeBack has the memory of the block before used again, if its reader is done with it.
func (w *scanStream) takeBack() {
	for i, v := range w.lent {
		column.Recycle(v)
		w.lent[i] = nil
	}
	w.lent = w.lent[:0]
}

// lend tells the scan that op is, or whose rows only pass through functions on the way to op, that its blocks are only read until the next is asked for.
func lend(op Operator) {
	for {
		switch x := op.(type) {
		case *Scan:
			x.lends = true
			return
		case *Filter, *Project:
			op = x.Inputs()[0]
		default:
			return
		}
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
func (w *scanStream) read(ctx context.Context, t task) (*column.Block, error) {
	v := w.view
	v.reset(t.m)
	v.narrow()
	w.skipRuns(t)
	if err := w.skipRuntime(); err != nil {
		return nil, err
	}
	if len(w.s.Preds) == 0 {
		w.truncate()
	}
	reading := int64(v.left)
	steps := w.s.order.current()
	for i, k := range steps {
		if v.left == 0 {
			break
		}
		if err := w.step(ctx, k, steps[i+1:]); err != nil {
			return nil, err
		}
	}
	w.remember()
	if err := w.finish(ctx, t); err != nil {
		return nil, err
	}
	w.s.actual.rows.Add(reading)
	end, err := w.r.countRead(reading, v.bytes)
	if end {
		w.s.ended.Store(true)
	}
	if w.s.lends {
		w.lent = v.appendFresh(w.lent)
	}
	return v.take(), err
}

// fewPass is the part of a morsel's rows, as one over it, up to which remembering where they are may spare granules: some in each.
const fewPass = 256

// remember tells the storage which rows passed the filter, where nothing else has dropped rows.
func (w *scanStream) remember() {
	v := w.view
	if w.s.filter == "" || w.top != nil || w.s.filtered() || v.left > v.m.Rows()/fewPass {
		return
	}
	if m, ok := v.m.(Remembering); ok {
		m.Remember(v.passed())
	}
}

// skipRuns narrows the view to the runs of rows whose bounds say that they may be among the first of a Sort.
func (w *scanStream) skipRuns(t task) {
	if w.top == nil || len(t.best) == 0 {
		return
	}
	worst := w.s.Top.worst.Load()
	if worst == nil {
		return
	}
	kept := 0
	for _, it := range t.best {
		if !w.s.Top.behind(it, worst) {
			kept++
		}
	}
	if kept == len(t.best) {
		return
	}
	w.s.actual.topGranules.Add(int64(len(t.best) - kept))
	before := w.view.left
	w.view.keepRuns(t.ends, func(k int) bool { return !w.s.Top.behind(t.best[k], worst) })
	dropped := int64(before - w.view.left)
	w.s.actual.topRows.Add(dropped)
	if len(w.s.Preds) == 0 {
		w.s.Top.passed.Add(dropped)
	}
}

// step narrows the view by one condition; rest are those behind it.
func (w *scanStream) step(ctx context.Context, k int, rest []int) error {
	v, start := w.view, w.r.opts.Clock.Now()
	needed := func(c int) bool { return w.s.Output[c] || w.s.usedBy(rest, c) }
	var rows int
	var sunk int64
	var err error
	switch at := k - len(w.s.Preds); {
	case at < 0:
		rows, sunk, err = w.test(ctx, k, needed)
	case at == 0 && w.s.Top != nil:
		rows, err = w.bound(ctx, needed, len(rest) == 0)
	default:
		rows, err = w.match(ctx, k, needed)
	}
	if err != nil || rows == 0 { // nothing was looked at: all pass
		return err
	}
	w.s.order.record(k, rows, v.left, int64(w.r.opts.Clock.Since(start))-sunk)
	return nil
}

// bound narrows the view to the rows within the bound of the Sort above; it returns how many rows that looked at.
func (w *scanStream) bound(ctx context.Context, needed func(int) bool, last bool) (int, error) {
	v, top := w.view, w.s.Top
	worst := top.worst.Load()
	if worst == nil {
		return 0, nil
	}
	if err := v.load(ctx, []int{top.Column}); err != nil {
		return 0, err
	}
	rows := v.left
	v.and(w.top.within(v.block.Cols[top.Column], worst), needed)
	if last {
		top.passed.Add(int64(rows - v.left))
	}
	return rows, nil
}

// match narrows the view to the rows that may have a partner, by the filter that is step k; it returns how many rows that looked at.
func (w *scanStream) match(ctx context.Context, k int, needed func(int) bool) (int, error) {
	v, f := w.view, w.s.runtimeStep(k)
	keys := f.keys.Load()
	if keys == nil || keys.any && keys.bits == nil && keys.bloom == nil || w.s.order.passes(k) > filterUseless && w.s.order.measured(k) {
		return 0, nil
	}
	if err := v.load(ctx, []int{f.column}); err != nil {
		return 0, err
	}
	rows := v.left
	if mask := w.filters.within(keys, v.block.Cols[f.column]); mask != nil {
		v.and(mask, needed)
	}
	return rows, nil
}

// runtimeStep is the filter that is step k, or nil.
func (s *Scan) runtimeStep(k int) *RuntimeFilter {
	k -= len(s.Preds)
	if s.Top != nil {
		k--
	}
	if k < 0 {
		return nil
	}
	return s.runtime[k]
}

// test narrows the view by predicate k; it returns how many rows that looked at and what it took once for all.
func (w *scanStream) test(ctx context.Context, k int, needed func(int) bool) (rows int, sunk int64, err error) {
	v, p := w.view, w.s.Preds[k]
	if p.Compare != nil && !v.measured(p.Compare.Column) {
		switch what, err := p.Compare.decide(v.m); {
		case err != nil:
			return 0, 0, err
		case what == always:
			return 0, 0, nil
		case what == never:
			rows = v.left
			v.clear()
			return rows, 0, nil
		}
	}
	if !p.Safe || p.Cost >= costlyPredicate {
		v.compact()
	}
	rows = v.left
	mask, err := w.compare(ctx, k, p, p.Compare != nil && needed(p.Compare.Column))
	if err == nil && mask == nil {
		if err = v.load(ctx, p.Program.Columns()); err == nil {
			mask, sunk, err = w.mask(p)
		}
	}
	if err != nil {
		return 0, 0, err
	}
	v.and(mask, needed)
	return rows, sunk, nil
}

// usedBy reports whether one of the conditions reads column c.
func (s *Scan) usedBy(steps []int, c int) bool {
	if s.Top != nil && s.Top.Column == c {
		return true
	}
	for _, k := range steps {
		if k < len(s.Preds) && s.Preds[k].Program.Uses(c) {
			return true
		}
		if f := s.runtimeStep(k); f != nil && f.column == c {
			return true
		}
	}
	return false
}

// truncate leaves no more rows than the limit has room for.
func (w *scanStream) truncate() {
	if w.seq != nil {
		w.seq.truncate(w.view)
		return
	}
	if l := w.s.Limit; l > 0 {
		w.view.truncate(int(max(int64(l)-w.s.yielded.Load(), 0)))
	}
}

// finish reads what is asked for of the rows left.
func (w *scanStream) finish(ctx context.Context, t task) error {
	v := w.view
	w.truncate()
	if v.left == 0 {
		return nil
	}
	if w.top != nil {
		v.compact()
		if err := v.load(ctx, []int{w.s.Top.Column}); err != nil {
			return err
		}
		v.and(w.top.lower(v.block.Cols[w.s.Top.Column]), func(int) bool { return true })
	}
	if err := v.finish(ctx, w.s.Output); err != nil || !w.s.Refs {
		return err
	}
	v.block.Cols[len(w.s.Output)] = column.NewNum(types.TUInt64, v.references(uint64(t.id)<<refShift))
	return nil
}
