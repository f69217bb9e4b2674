package query

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/olapd/olapd/internal/catalog"
	"github.com/olapd/olapd/internal/clock"
	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/function"
	"github.com/olapd/olapd/internal/mem"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/internal/vfs"
	"github.com/olapd/olapd/materialized"
	"github.com/olapd/olapd/query/exec"
	"github.com/olapd/olapd/query/exec/spill"
	"github.com/olapd/olapd/query/files"
	"github.com/olapd/olapd/query/virtual"
)

// memory is a catalog, a store and a writer in memory: tables are lists of blocks that only grow.
type memory struct {
	mu      sync.Mutex
	cat     *catalog.Catalog
	rows    map[catalog.TableID][]*column.Block
	tokens  map[string]bool
	derive  *materialized.Deriver
	commits int
	// fail, if set, is the error of the next commit.
	fail error
}

func newMemory() *memory {
	m := &memory{cat: catalog.New(), rows: map[catalog.TableID][]*column.Block{}, tokens: map[string]bool{}}
	m.derive = materialized.New(materialized.Options{Snapshot: m.Snapshot, Clock: testClock()})
	return m
}

func testClock() *clock.Manual {
	return clock.NewManual(time.Date(2026, 11, 21, 10, 30, 0, 0, time.UTC))
}

func (m *memory) Catalog() *catalog.Catalog {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.cat
}

func (m *memory) Change(_ context.Context, f func(*catalog.Catalog) (*catalog.Catalog, error)) (*catalog.Catalog, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	c, err := f(m.cat)
	if err != nil {
		return nil, err
	}
	m.cat = c
	return c, nil
}

func (m *memory) Snapshot(context.Context) (exec.Storage, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	s := &memorySnapshot{rows: map[catalog.TableID][]*column.Block{}, cat: m.cat}
	for id, bs := range m.rows {
		s.rows[id] = bs[:len(bs):len(bs)]
	}
	return s, nil
}

func (m *memory) Truncate(_ context.Context, t *catalog.Table) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.rows, t.ID)
	return nil
}

func (m *memory) DropPartition(_ context.Context, t *catalog.Table, id string) error {
	return sqlerr.New(sqlerr.NotImplemented, "drop partition %s of %s", id, t.FullName())
}

func (m *memory) Optimize(context.Context, *catalog.Table, string, bool) error { return nil }
func (m *memory) CopyPartition(context.Context, PartitionCopy) error {
	return sqlerr.New(sqlerr.NotImplemented, "not in this harness")
}

func (m *memory) Deduplicate(context.Context, *catalog.Table, string, []string) error { return nil }
func (m *memory) Flush(context.Context, *catalog.Table) error                         { return nil }
func (m *memory) SetMerges(*catalog.Table, bool) error                                { return nil }
func (m *memory) Scrub(context.Context, *catalog.Table) ([]ScrubResult, error)        { return nil, nil }
func (m *memory) Check(context.Context, *catalog.Table) ([]CheckResult, error) {
	return []CheckResult{{Segment: "a", OK: true}}, nil
}

func (m *memory) Insert(ctx context.Context, t *catalog.Table, next func(context.Context) (*column.Block, error), o InsertOptions) (InsertResult, error) {
	type add struct {
		id catalog.TableID
		b  *column.Block
	}
	var adds []add
	var res InsertResult
	for {
		b, err := next(ctx)
		if err != nil {
			return InsertResult{}, err
		}
		if b == nil {
			break
		}
		res.Rows += uint64(b.N)
		res.Bytes += uint64(b.Bytes())
		if t.Engine != "Null" {
			adds = append(adds, add{t.ID, b})
		}
		if o.Direct {
			continue
		}
		schema := column.Schema{}
		for _, c := range t.Columns {
			if c.Default != catalog.Alias && c.Default != catalog.Ephemeral {
				schema = append(schema, column.Field{Name: c.Name, Type: mustType(c.Type)})
			}
		}
		derived, err := m.derive.Derive(ctx, m.Catalog(), materialized.Rows{Table: t, Schema: schema, Block: b})
		if err != nil {
			return InsertResult{}, err
		}
		for _, d := range derived {
			adds = append(adds, add{d.Table.ID, d.Block})
		}
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.fail != nil {
		err := m.fail
		m.fail = nil
		return InsertResult{}, err
	}
	if o.Token != "" {
		if m.tokens[t.FullName()+o.Token] {
			return InsertResult{Duplicate: true}, nil
		}
		m.tokens[t.FullName()+o.Token] = true
	}
	for _, a := range adds {
		m.rows[a.id] = append(m.rows[a.id], a.b)
	}
	m.commits++
	return res, nil
}

type memorySnapshot struct {
	rows   map[catalog.TableID][]*column.Block
	cat    *catalog.Catalog
	closed atomic.Bool
}

func (s *memorySnapshot) Close() { s.closed.Store(true) }

func (s *memorySnapshot) Open(_ context.Context, req exec.ScanRequest) (exec.Scanner, error) {
	if s.closed.Load() {
		return nil, errors.New("the snapshot is closed")
	}
	entry := req.Table.Catalog()
	sc := &memoryScanner{}
	now := s.cat.ByID(entry.ID)
	if now == nil {
		return nil, sqlerr.New(sqlerr.UnknownTable, "Table %s does not exist", entry.FullName())
	}
	for _, b := range s.rows[entry.ID] {
		out := &column.Block{N: b.N}
		for _, c := range req.Columns {
			if c < len(b.Cols) {
				out.Cols = append(out.Cols, b.Cols[c])
			} else { // added by ALTER
				out.Cols = append(out.Cols, column.NewDefaults(req.Table.Schema()[c].Type.WithoutLowCardinality(), b.N))
			}
		}
		sc.blocks = append(sc.blocks, out)
	}
	return sc, nil
}

type memoryScanner struct {
	blocks []*column.Block
	next   atomic.Int64
}

func (s *memoryScanner) Next(context.Context) (exec.Morsel, error) {
	i := int(s.next.Add(1)) - 1
	if i >= len(s.blocks) {
		return nil, nil
	}
	return memoryMorsel{s.blocks[i]}, nil
}
func (s *memoryScanner) Stats() exec.ScanStats {
	st := exec.ScanStats{Segments: int64(len(s.blocks)), TotalSegments: int64(len(s.blocks))}
	for _, b := range s.blocks {
		st.Rows += int64(b.N)
	}
	st.TotalRows = st.Rows
	return st
}
func (s *memoryScanner) Close() error { return nil }

type memoryMorsel struct{ b *column.Block }

func (m memoryMorsel) Rows() int { return m.b.N }
func (m memoryMorsel) Column(_ context.Context, i int, sel []uint32) (column.Vector, error) {
	v := m.b.Cols[i]
	if sel != nil {
		v = column.Gather(v, sel)
	}
	return v, nil
}

// harness is an engine over memory and one session.
type harness struct {
	m    *memory
	e    *Engine
	s    *Session
	temp *spill.Store
	// users are the sessions of as.
	users map[string]*harness
}

func newHarness(t testing.TB) *harness {
	m := newMemory()
	temp, err := spill.Open(vfs.NewMem(), "/tmp")
	if err != nil {
		t.Fatal(err)
	}
	e, err := New(Deps{
		Catalog: m, Store: m, Writer: m, Clock: clock.NewManual(time.Date(2026, 11, 21, 10, 30, 0, 0, time.UTC)), Budget: mem.NewBudget("test", 1<<30), Temp: temp,
		Host: "test", Server: function.Server{Version: "25.8.1.1", DisplayName: "olapd"},
		Providers: virtual.Providers{}, Files: &files.Reach{FS: vfs.NewMem(), Folder: "/user_files"},
	})
	if err != nil {
		t.Fatal(err)
	}
	s, err := e.NewSession(SessionOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return &harness{m: m, e: e, s: s, temp: temp}
}

// as is the harness with a user's session, the same each time.
func (h *harness) as(t testing.TB, user string) *harness {
	if h.users == nil {
		h.users = map[string]*harness{}
	}
	if h.users[user] == nil {
		s, err := h.e.NewSession(SessionOptions{User: user})
		if err != nil {
			t.Fatal(err)
		}
		h.users[user] = &harness{m: h.m, e: h.e, s: s, temp: h.temp, users: h.users}
	}
	return h.users[user]
}

// run executes one statement, with data behind it if there is any, and returns its result or error as text.
func (h *harness) run(q Query) string {
	var out bytes.Buffer
	err := h.render(&out, q)
	if err != nil {
		msg := err.Error()
		if sqlerr.Is(err, sqlerr.MemoryLimitExceeded) { // the sizes depend on the machine
			msg, _, _ = strings.Cut(msg, " exceeded")
		}
		return out.String() + fmt.Sprintf("Code: %d. %s", sqlerr.CodeOf(err), strings.SplitN(msg, "\n", 2)[0]) + position(err) + "\n"
	}
	return out.String()
}

func position(err error) string {
	var e *sqlerr.Error
	if errors.As(err, &e) && e.Pos >= 0 {
		return fmt.Sprintf(" (at %d)", e.Pos)
	}
	return ""
}

func (h *harness) render(w io.Writer, q Query) error {
	r, err := h.s.Execute(context.Background(), q)
	if err != nil {
		return err
	}
	defer r.Close()
	return r.Render(w, "TabSeparatedRaw")
}
