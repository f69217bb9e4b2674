package dictionary

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/olapd/olapd/internal/catalog"
	"github.com/olapd/olapd/internal/clock"
	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/mem"
	"github.com/olapd/olapd/internal/sqlerr"
)

// Loader reads the sources of dictionaries. Safe for concurrent use.
type Loader interface {
	// Shape is that of a definition; BadArguments and the like if it makes none.
	Shape(ctx context.Context, t *catalog.Table) (*Shape, error)
	// Stamp is what the source says of its version now; "": it says nothing, and is read anew each time.
	Stamp(ctx context.Context, t *catalog.Table) (string, error)
	// Load calls add with all rows of the source, in blocks as a Builder of the shape takes them.
	Load(ctx context.Context, t *catalog.Table, s *Shape, add func(*column.Block) error) error
}

// Options is what a Registry works with. Loader must be set.
type Options struct {
	Loader Loader
	Budget *mem.Budget  // of the rows held; nil: not counted
	Clock  clock.Clock  // nil: the system's
	Logger *slog.Logger // nil: none
}

// Registry keeps the dictionaries of a process. Safe for concurrent use.
type Registry struct {
	o    Options
	wake chan struct{} // of Run: the next reload may be at another time
	mu   struct {
		sync.Mutex
		entries map[catalog.TableID]*entry
		waits   map[catalog.TableID]catalog.TableID // of a dictionary being loaded: the one that its source waits for
	}
}

// entry is one dictionary. The registry's mutex guards it.
type entry struct {
	table    *catalog.Table
	data     *Data  // nil: none was loaded yet
	epoch    uint64 // the definition's, when it was last loaded
	stamp    string
	loading  chan struct{} // closed when the load under way ends; nil: there is none
	err      error         // of the last load; nil if it succeeded
	failures uint64        // since the last that succeeded
	started  time.Time
	loaded   time.Time // zero: never
	took     time.Duration
	due      time.Time // of the next reload; zero: never
	asked    atomic.Uint64
	found    atomic.Uint64
}

// NewRegistry returns an empty registry. It starts no goroutines; see Run.
func NewRegistry(o Options) *Registry {
	if o.Clock == nil {
		o.Clock = clock.Real()
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	r := &Registry{o: o, wake: make(chan struct{}, 1)}
	r.mu.entries, r.mu.waits = map[catalog.TableID]*entry{}, map[catalog.TableID]catalog.TableID{}
	return r
}

// Open returns a dictionary's rows, which it loads if they are not there, or if its definition asks for a reload since. The error is that of
// the load; where there are older rows they are returned instead.
func (r *Registry) Open(ctx context.Context, t *catalog.Table) (*Data, error) {
	data, err := r.open(ctx, t, use)
	if data != nil {
		err = nil
	}
	return data, err
}

// Reload loads a dictionary's rows now. If it fails, older rows stay.
func (r *Registry) Reload(ctx context.Context, t *catalog.Table) error {
	_, err := r.open(ctx, t, reload)
	return err
}

// need is why a dictionary is opened.
type need uint8

const (
	use     need = iota // its rows, whatever their age
	refresh             // newer rows, if the source says that there are some
	reload              // what the source has now
)

func (r *Registry) open(ctx context.Context, t *catalog.Table, want need) (*Data, error) {
	if Loading(ctx, t.ID) {
		return nil, cyclic(t)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for {
		e := r.mu.entries[t.ID]
		if e == nil {
			e = &entry{}
			r.mu.entries[t.ID] = e
		}
		if e.loading == nil {
			if want == use && e.data != nil && e.epoch >= t.Dictionary.Epoch {
				return e.data, nil
			}
			was := ""
			if want == refresh {
				was = e.stamp
			}
			err := r.load(ctx, e, t, was)
			return e.data, err
		}
		err := r.await(ctx, e, t)
		if err == nil && e.err != nil && want == use && context.Cause(ctx) == nil {
			err = e.err // of a load that this one would repeat
		}
		if err != nil {
			return e.data, err
		}
	}
}

// await waits for the end of the load under way. REQUIRES: r.mu, which it gives up meanwhile.
func (r *Registry) await(ctx context.Context, e *entry, t *catalog.Table) error {
	if c := chain(ctx); len(c) > 0 {
		self := c[len(c)-1]
		for id, ok := t.ID, true; ok; id, ok = r.mu.waits[id] {
			if id == self {
				return cyclic(t)
			}
		}
		r.mu.waits[self] = t.ID
		defer delete(r.mu.waits, self)
	}
	loading := e.loading
	r.mu.Unlock()
	defer r.mu.Lock()
	select {
	case <-loading:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func cyclic(t *catalog.Table) error {
	return sqlerr.New(sqlerr.InfiniteLoop, "The source of dictionary %s reads the dictionary", t.FullName())
}

// load reads the source, unless it is of the version was still. REQUIRES: r.mu, which it gives up meanwhile, and that no load is under way.
func (r *Registry) load(ctx context.Context, e *entry, t *catalog.Table, was string) error {
	done := make(chan struct{})
	e.loading, e.table, e.started = done, t, r.o.Clock.Now()
	r.mu.Unlock()
	var data *Data
	var stamp string
	err := sqlerr.Guard(func() (err error) {
		data, stamp, err = r.read(context.WithValue(ctx, chainKey{}, append(slices.Clone(chain(ctx)), t.ID)), t, was)
		return err
	})
	r.mu.Lock()
	defer close(done)
	e.loading, e.took = nil, r.o.Clock.Since(e.started)
	if err != nil && ctx.Err() != nil { // who asked has gone: it says nothing of the source
		return context.Cause(ctx)
	}
	e.epoch = t.Dictionary.Epoch
	if e.err = err; err != nil {
		e.failures++
		r.schedule(e, min(firstRetry<<min(e.failures-1, 10), lastRetry))
		r.o.Logger.Warn("a dictionary was not loaded", "dictionary", t.FullName(), "error", err)
		return err
	}
	if r.mu.entries[t.ID] != e { // it was dropped meanwhile
		r.o.Budget.Release(data.held())
		return nil
	}
	if data != nil {
		r.o.Budget.Release(e.data.held())
		e.data = data
	}
	e.failures, e.stamp, e.loaded = 0, stamp, r.o.Clock.Now()
	r.schedule(e, lifetime(t.Dictionary))
	return nil
}

// read makes the rows of the source; nil if it says that they are those there are.
func (r *Registry) read(ctx context.Context, t *catalog.Table, was string) (*Data, string, error) {
	stamp, err := r.o.Loader.Stamp(ctx, t)
	if err != nil || stamp != "" && stamp == was {
		return nil, stamp, err
	}
	shape, err := r.o.Loader.Shape(ctx, t)
	if err != nil {
		return nil, "", err
	}
	b := NewBuilder(shape, r.o.Budget)
	if err := r.o.Loader.Load(ctx, t, shape, b.Add); err != nil {
		b.Discard()
		return nil, "", err
	}
	data, err := b.Finish()
	return data, stamp, err
}

// Count notes lookups of keys, of which some were found, for Info.
func (r *Registry) Count(id catalog.TableID, asked, found int) {
	r.mu.Lock()
	e := r.mu.entries[id]
	r.mu.Unlock()
	if e != nil {
		e.asked.Add(uint64(asked))
		e.found.Add(uint64(found))
	}
}

// Sweep forgets dictionaries that the catalog no longer has.
func (r *Registry) Sweep(c *catalog.Catalog) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for id, e := range r.mu.entries {
		if t := c.ByID(id); t == nil || t.Detached {
			r.o.Budget.Release(e.data.held())
			delete(r.mu.entries, id)
		}
	}
}

// held is the memory that is released when the rows are no longer used.
func (d *Data) held() int64 {
	if d == nil {
		return 0
	}
	return d.bytes
}

// chainKey is the key under which a context has the dictionaries whose loads led to it, the last one last.
type chainKey struct{}

func chain(ctx context.Context) []catalog.TableID {
	ids, _ := ctx.Value(chainKey{}).([]catalog.TableID)
	return ids
}

// Loading reports whether a context is that of the load of a dictionary, or of one that its source reads.
func Loading(ctx context.Context, id catalog.TableID) bool { return slices.Contains(chain(ctx), id) }
