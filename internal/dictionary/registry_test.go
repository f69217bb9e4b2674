package dictionary

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/olapd/olapd/internal/catalog"
	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/mem"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/internal/types"
)

// source is a Loader whose one row is how often it was read.
type source struct {
	reads atomic.Int64
	fail  atomic.Bool
	stamp atomic.Pointer[string]
	slow  time.Duration
	other func(ctx context.Context) error // what it reads besides
}

func (s *source) Shape(context.Context, *catalog.Table) (*Shape, error) {
	return &Shape{Name: "d", Layout: Hashed, Simple: true, Key: column.Schema{field("k", types.TUInt64)}, Attributes: []Attribute{attribute("a", "none")}, Parent: -1}, nil
}

func (s *source) Stamp(context.Context, *catalog.Table) (string, error) {
	if p := s.stamp.Load(); p != nil {
		return *p, nil
	}
	return "", nil
}

func (s *source) Load(ctx context.Context, _ *catalog.Table, _ *Shape, add func(*column.Block) error) error {
	n := s.reads.Add(1)
	if s.slow > 0 {
		select {
		case <-time.After(s.slow):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	if s.other != nil {
		if err := s.other(ctx); err != nil {
			return err
		}
	}
	if s.fail.Load() {
		return sqlerr.New(sqlerr.UnknownTable, "no table")
	}
	return add(column.NewBlock(column.NewNum(types.TUInt64, []uint64{1}), column.NewStrings(fmt.Sprint("read ", n))))
}

func definition(id catalog.TableID, lifetime, epoch uint64) *catalog.Table {
	return &catalog.Table{ID: id, Database: "default", Name: fmt.Sprint("d", id), Kind: catalog.KindDictionary, Dictionary: &catalog.Dictionary{MinLifetime: lifetime, MaxLifetime: lifetime, Epoch: epoch}}
}

func value(t *testing.T, d *Data, err error) string {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	return lookup(t, d, nil, column.NewNum(types.TUInt64, []uint64{1}))[0]
}

// TestOneLoad has many ask at once: the source is read once.
func TestOneLoad(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &source{slow: time.Second}
		r := NewRegistry(Options{Loader: s})
		var all sync.WaitGroup
		for range 20 {
			all.Go(func() {
				d, err := r.Open(context.Background(), definition(1, 0, 0))
				if got := value(t, d, err); got != "read 1" {
					t.Error(got)
				}
			})
		}
		all.Wait()
		if s.reads.Load() != 1 {
			t.Errorf("the source was read %d times", s.reads.Load())
		}
	})
}

// TestAbandonedLoad has who loads give up: who waits loads instead.
func TestAbandonedLoad(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &source{slow: time.Second}
		r := NewRegistry(Options{Loader: s})
		ctx, cancel := context.WithTimeout(context.Background(), time.Second/2)
		defer cancel()
		var all sync.WaitGroup
		all.Go(func() {
			if _, err := r.Open(ctx, definition(1, 0, 0)); !errors.Is(err, context.DeadlineExceeded) {
				t.Error(err)
			}
		})
		synctest.Wait()
		d, err := r.Open(context.Background(), definition(1, 0, 0))
		if got := value(t, d, err); got != "read 2" {
			t.Error(got)
		}
		all.Wait()
	})
}

// TestLifetime follows a dictionary through reloads, failures and its end.
func TestLifetime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, budget := &source{}, mem.NewBudget("test", mem.NoLimit)
		r := NewRegistry(Options{Loader: s, Budget: budget})
		ctx, cancel := context.WithCancel(context.Background())
		c, changed := catalog.New(), make(chan struct{})
		def := definition(1, 10, 0)
		c, err := c.WithTables(def)
		if err != nil {
			t.Fatal(err)
		}
		var mu sync.Mutex
		var all sync.WaitGroup
		all.Go(func() {
			r.Run(ctx, func() (*catalog.Catalog, <-chan struct{}) {
				mu.Lock()
				defer mu.Unlock()
				return c, changed
			})
		})
		open := func() string {
			d, err := r.Open(ctx, def)
			return value(t, d, err)
		}
		step := func(wait time.Duration, want string) {
			t.Helper()
			time.Sleep(wait)
			synctest.Wait()
			if got := open(); got != want {
				t.Errorf("after another %v: %s, want %s", wait, got, want)
			}
		}
		step(0, "read 1")
		step(9*time.Second, "read 1")
		step(2*time.Second, "read 2")
		s.fail.Store(true)
		step(10*time.Second, "read 2") // it has failed, and is tried again 5, 10, 20 … seconds later
		if i := r.Infos()[1]; i.Failures != 1 || !i.Failed || !i.Loaded || !sqlerr.Is(i.Error, sqlerr.UnknownTable) {
			t.Errorf("%+v", i)
		}
		if err := r.Reload(ctx, def); !sqlerr.Is(err, sqlerr.UnknownTable) {
			t.Error("a reload that fails:", err)
		}
		s.fail.Store(false)
		time.Sleep(time.Minute)
		if got := open(); got == "read 2" {
			t.Error("it was not loaded again after failures")
		}
		same := "same"
		s.stamp.Store(&same)
		time.Sleep(11 * time.Second)
		synctest.Wait()
		reads := s.reads.Load()
		time.Sleep(time.Minute)
		synctest.Wait()
		if s.reads.Load() != reads {
			t.Errorf("the source was read %d times while it said that nothing had changed", s.reads.Load()-reads)
		}
		newer := definition(1, 10, 1)
		if d, err := r.Open(ctx, newer); value(t, d, err) != fmt.Sprint("read ", reads+1) {
			t.Error("a reload that the definition asks for was not done")
		}
		if budget.Used() != r.Infos()[1].Bytes {
			t.Errorf("%d bytes are held for a dictionary of %d", budget.Used(), r.Infos()[1].Bytes)
		}
		mu.Lock()
		c = c.WithoutTables(1)
		close(changed)
		changed = make(chan struct{})
		mu.Unlock()
		synctest.Wait()
		if len(r.Infos()) != 0 || budget.Used() != 0 {
			t.Errorf("a dropped dictionary holds %d bytes", budget.Used())
		}
		cancel()
		all.Wait()
	})
}

// TestCircles has dictionaries whose sources read themselves, and each other.
func TestCircles(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &source{}
		r := NewRegistry(Options{Loader: s})
		s.other = func(ctx context.Context) error {
			_, err := r.Open(ctx, definition(1, 0, 0))
			return err
		}
		if _, err := r.Open(context.Background(), definition(1, 0, 0)); !sqlerr.Is(err, sqlerr.InfiniteLoop) {
			t.Error("of one:", err)
		}
		s.other = func(ctx context.Context) error {
			time.Sleep(time.Second)
			next := catalog.TableID(3)
			if Loading(ctx, 3) {
				next = 2
			}
			_, err := r.Open(ctx, definition(next, 0, 0))
			return err
		}
		var all sync.WaitGroup
		for _, id := range []catalog.TableID{2, 3} {
			all.Go(func() {
				if _, err := r.Open(context.Background(), definition(id, 0, 0)); !sqlerr.Is(err, sqlerr.InfiniteLoop) {
					t.Errorf("of two, from %d: %v", id, err)
				}
			})
		}
		all.Wait()
	})
}
