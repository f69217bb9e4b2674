package exec

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"

	"github.com/olapd/olapd/internal/clock"
	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/mem"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/query/exec/eval"
	"github.com/olapd/olapd/query/exec/grouping"
	"github.com/olapd/olapd/query/exec/spill"
)

// Options are how a pipeline runs.
type Options struct {
	Threads      int // workers; at least 1
	MaxBlockSize int // rows of a block at most
	Budget       *mem.Budget
	Limits       Limits
	// Temp is where operators write what they cannot hold in memory; nil: they end with MemoryLimitExceeded. Its owner closes it after the run.
	Temp *spill.Area
	// Progress hears of rows and bytes read from tables, as increments. It is called from any goroutine.
	Progress func(rows, bytes int64)
	// Planned hears, of each scan that begins, how many rows it is to read.
	Planned  func(rows int64)
	Extremes bool
	// Slots is what the queries of a process share; nil: all Threads are at work at once.
	Slots *Slots
	// Unions is what the queries of a process know of how dictionaries number each other's values; nil: nothing is kept.
	Unions *grouping.Unions
	// Kept is what the pipeline's programs keep of dictionaries; it is closed after the run.
	Kept *eval.Kept
	// Clock measures how long operators take; nil is the system's.
	Clock clock.Clock
	// CollideHashes makes every hash equal, to test the tables.
	CollideHashes bool
}

// DefaultBlockSize is ClickHouse's max_block_size: a morsel, less what padding would need.
const DefaultBlockSize = 65409

func (o Options) withDefaults() Options {
	o.Threads = max(o.Threads, 1)
	if o.Clock == nil {
		o.Clock = clock.Real()
	}
	if o.MaxBlockSize <= 0 {
		o.MaxBlockSize = DefaultBlockSize
	}
	return o
}

// run is one execution of a pipeline: what its operators share.
type run struct {
	opts   Options
	ctx    context.Context // ends with the run
	cancel context.CancelCauseFunc
	read   readCounter
	// workers is how many of the threads may be at work.
	workers *allotment

	mu struct {
		sync.Mutex
		held []*reservation
		ends []func() error
		last []func(context.Context) error
	}
	wg sync.WaitGroup // goroutines of gathers
}

func newRun(ctx context.Context, o Options) *run {
	r := &run{opts: o, workers: o.Slots.join(o.Threads)}
	r.ctx, r.cancel = context.WithCancelCause(ctx)
	return r
}

// close ends all goroutines, waits for them, closes what operators left open and gives the memory back.
func (r *run) close() error {
	r.cancel(nil)
	r.wg.Wait()
	err := r.free()
	r.opts.Kept.Close()
	r.workers.leave()
	return err
}

// free ends what atEnd was told of and gives back what was reserved.
func (r *run) free() error {
	var errs []error
	for _, end := range r.mu.ends {
		errs = append(errs, end())
	}
	for _, h := range r.mu.held {
		h.release()
	}
	return errors.Join(errs...)
}

// part returns a part of the run that lasts until its free, in which so many rows are to be read.
func (r *run) part(rows int64) *run {
	p := &run{opts: r.opts, ctx: r.ctx, cancel: r.cancel, workers: r.workers}
	p.read.rows.Store(rows)
	return p
}

// atEnd has f called when no goroutine of the run is left, whatever ended it.
func (r *run) atEnd(f func() error) {
	r.mu.Lock()
	r.mu.ends = append(r.mu.ends, f)
	r.mu.Unlock()
}

// beforeEnd has f called when the result is complete, before anything is ended: for work that others wait for.
func (r *run) beforeEnd(f func(context.Context) error) {
	r.mu.Lock()
	r.mu.last = append(r.mu.last, f)
	r.mu.Unlock()
}

// finish waits for what beforeEnd was told of.
func (r *run) finish() error {
	r.mu.Lock()
	last := r.mu.last
	r.mu.Unlock()
	for _, f := range last {
		if err := f(r.ctx); err != nil {
			return err
		}
	}
	return nil
}

// parallel calls f(0) … f(n-1), one after the other in this goroutine and, as far as the query has more workers, in theirs at the same time, waits
// for all and returns the first error, which ends the others' context. No call may wait for another.
func (r *run) parallel(ctx context.Context, n int, f func(ctx context.Context, i int) error) error {
	switch n {
	case 0:
		return nil
	case 1:
		return f(ctx, 0)
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var next atomic.Int64
	work := func() {
		for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
			if err := sqlerr.Guard(func() error { return f(ctx, i) }); err != nil {
				cancel(err)
			}
		}
	}
	var wg sync.WaitGroup
	done := make(chan struct{}) // closed when all calls have begun
	for _, granted := range r.workers.granted[:min(n-1, len(r.workers.granted))] {
		wg.Go(func() {
			select {
			case <-granted:
				work()
			case <-done:
			}
		})
	}
	work()
	close(done)
	wg.Wait()
	return context.Cause(ctx)
}

// coded gives errors of contexts their codes.
func coded(err error) error {
	var e *sqlerr.Error
	switch {
	case err == nil || errors.As(err, &e):
		return err
	case errors.Is(err, context.DeadlineExceeded):
		return sqlerr.Wrap(err, sqlerr.TimeoutExceeded, "Timeout exceeded")
	case errors.Is(err, context.Canceled):
		return sqlerr.Wrap(err, sqlerr.QueryWasCancelled, "Query was cancelled")
	}
	return sqlerr.Wrap(err, sqlerr.LogicalError, "Query pipeline failed")
}

// reservation is the memory one operator holds. Used by one goroutine at a time.
type reservation struct {
	budget *mem.Budget
	held   int64
}

func (r *run) reservation() *reservation {
	h := &reservation{budget: r.opts.Budget}
	r.mu.Lock()
	r.mu.held = append(r.mu.held, h)
	r.mu.Unlock()
	return h
}

// set changes what is held to n bytes; over the limit it is MemoryLimitExceeded.
func (h *reservation) set(n int64) error {
	if n > h.held {
		if err := h.budget.Reserve(n - h.held); err != nil {
			return err
		}
	} else {
		h.budget.Release(h.held - n)
	}
	h.held = n
	return nil
}

func (h *reservation) add(n int64) error { return h.set(h.held + n) }

func (h *reservation) release() { _ = h.set(0) }

// gather makes one stream of several, drained concurrently, in any order of blocks.
func (r *run) gather(ss []Stream) Stream {
	if len(ss) == 1 {
		return ss[0]
	}
	return &gathered{r: r, in: ss}
}

// gathered drains its inputs in goroutines that begin with the first Next.
type gathered struct {
	r      *run
	in     []Stream
	out    chan *column.Block
	errs   chan error
	cancel context.CancelFunc
	err    error
}

func (g *gathered) start() {
	var ctx context.Context
	ctx, g.cancel = context.WithCancel(g.r.ctx)
	// One block of slack a worker: they work on while the consumer does.
	g.out, g.errs = make(chan *column.Block, len(g.in)), make(chan error, 1)
	g.r.wg.Add(1)
	go func() {
		defer g.r.wg.Done()
		defer close(g.out)
		g.errs <- g.r.parallel(ctx, len(g.in), func(ctx context.Context, i int) error {
			return drain(ctx, g.in[i], func(b *column.Block) error {
				select {
				case g.out <- b:
					return nil
				case <-ctx.Done():
					return ctx.Err()
				}
			})
		})
	}()
}

func (g *gathered) Next(ctx context.Context) (*column.Block, error) {
	if g.out == nil {
		g.start()
	}
	select {
	case b, ok := <-g.out:
		if ok {
			return b, nil
		}
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	select {
	case g.err = <-g.errs:
	default:
	}
	return nil, g.err
}

func (g *gathered) stop() {
	if g.cancel != nil {
		g.cancel()
	}
}

// drain calls f for each block of a stream, until the end, an error, or f returns errEnd.
func drain(ctx context.Context, s Stream, f func(*column.Block) error) error {
	for {
		b, err := s.Next(ctx)
		if err != nil || b == nil {
			return err
		}
		if err := f(b); err != nil {
			if err == errEnd {
				stop(s)
				return nil
			}
			return err
		}
	}
}

// errEnd is what f of drain returns to end it early.
var errEnd = errors.New("exec: end of drain")

// single opens op and gathers its streams.
func single(r *run, op Operator) (Stream, error) {
	ss, err := open(r, op)
	if err != nil {
		return nil, err
	}
	return r.gather(ss), nil
}
