package query

import (
	"context"
	"runtime"
	"sync"

	"github.com/olapd/olapd/internal/catalog"
	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/mem"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/query/ast"
	"github.com/olapd/olapd/query/define"
	"github.com/olapd/olapd/query/insert"
	"github.com/olapd/olapd/query/plan"
	"github.com/olapd/olapd/query/virtual"
)

// maxTemporary bounds the temporary tables of a session: a client that makes one a query and never drops it is told.
const maxTemporary = 1000

// firstTemporary is the first ID of temporary tables: far from those of the catalog.
const firstTemporary = catalog.TableID(1) << 62

// temporaries are the temporary tables of a session. They stand in no database, are seen by their bare names before all
// others, and are gone with the session. Their rows are held in memory, counted in the process' budget.
type temporaries struct {
	budget *mem.Budget
	mu     struct {
		sync.Mutex
		tables map[string]*temporary
		next   catalog.TableID
		bytes  int64
	}
}

// temporary is one table and its rows, blocks of its stored columns.
type temporary struct {
	entry *catalog.Table
	rows  []*column.Block
	bytes int64
}

// newTemporaries returns the tables of a session, whose memory is given back when nobody has the session any more.
func newTemporaries(s *Session, budget *mem.Budget) *temporaries {
	t := &temporaries{budget: budget}
	t.mu.tables, t.mu.next = map[string]*temporary{}, firstTemporary
	runtime.AddCleanup(s, func(t *temporaries) { t.clear() }, t)
	return t
}

func (t *temporaries) clear() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.budget.Release(t.mu.bytes)
	t.mu.bytes, t.mu.tables = 0, map[string]*temporary{}
}

// over returns a catalog with the session's tables beside the stored ones, in the database without a name. It is for reading only.
func (t *temporaries) over(c *catalog.Catalog) *catalog.Catalog {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.mu.tables) == 0 {
		return c
	}
	entries := make([]*catalog.Table, 0, len(t.mu.tables))
	for _, x := range t.mu.tables {
		entries = append(entries, x.entry)
	}
	return c.Over(entries)
}

// add adds a table; in place of one of its name if that may be replaced.
func (t *temporaries) add(entry *catalog.Table, replace bool) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	old := t.mu.tables[entry.Name]
	switch {
	case old != nil && !replace:
		return sqlerr.New(sqlerr.TableAlreadyExists, "Temporary table %s already exists", entry.Name)
	case len(t.mu.tables) >= maxTemporary:
		return sqlerr.New(sqlerr.TooManyTables, "A session has at most %d temporary tables", maxTemporary)
	}
	t.free(old)
	entry.ID = t.mu.next
	t.mu.next++
	t.mu.tables[entry.Name] = &temporary{entry: entry}
	return nil
}

// free gives back what the rows of a table take. REQUIRES: t.mu.
func (t *temporaries) free(x *temporary) {
	if x == nil {
		return
	}
	t.budget.Release(x.bytes)
	t.mu.bytes -= x.bytes
	x.rows, x.bytes = nil, 0
}

// remove drops a table, or with keep its rows only.
func (t *temporaries) remove(name string, keep bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.free(t.mu.tables[name])
	if !keep {
		delete(t.mu.tables, name)
	}
}

// Insert implements Writer: the rows appear together once there are no more.
func (t *temporaries) Insert(ctx context.Context, entry *catalog.Table, next func(context.Context) (*column.Block, error), _ InsertOptions) (InsertResult, error) {
	var blocks []*column.Block
	var r InsertResult
	for {
		b, err := next(ctx)
		if err == nil && b != nil {
			err = t.budget.Reserve(b.Bytes())
		}
		if err != nil {
			t.budget.Release(int64(r.Bytes))
			return InsertResult{}, err
		}
		if b == nil {
			break
		}
		blocks = append(blocks, b)
		r.Rows, r.Bytes = r.Rows+uint64(b.N), r.Bytes+uint64(b.Bytes())
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	x := t.mu.tables[entry.Name]
	if x == nil || x.entry.ID != entry.ID {
		t.budget.Release(int64(r.Bytes))
		return InsertResult{}, sqlerr.New(sqlerr.UnknownTable, "Table %s does not exist", entry.Name)
	}
	x.rows, x.bytes = append(x.rows, blocks...), x.bytes+int64(r.Bytes)
	t.mu.bytes += int64(r.Bytes)
	return r, nil
}

// table is a temporary table with the rows it has now.
func (t *temporaries) table(entry *catalog.Table) (plan.Table, error) {
	shape, err := plan.NewTable(entry)
	if err != nil {
		return nil, err
	}
	schema := shape.Schema()
	t.mu.Lock()
	defer t.mu.Unlock()
	all := &column.Block{}
	if x := t.mu.tables[entry.Name]; x != nil && len(x.rows) > 0 {
		if len(x.rows) > 1 {
			x.rows = []*column.Block{oneBlock(x.rows)}
		}
		all = x.rows[0]
	} else {
		for _, f := range schema {
			all.Cols = append(all.Cols, column.New(f.Type.WithoutLowCardinality(), 0))
		}
	}
	return virtual.Constant(entry.Name, schema, all), nil
}

// oneBlock is several blocks of the same columns as one.
func oneBlock(blocks []*column.Block) *column.Block {
	out := &column.Block{}
	for _, b := range blocks {
		out.N += b.N
	}
	for i := range blocks[0].Cols {
		vs := make([]column.Vector, len(blocks))
		for k, b := range blocks {
			vs[k] = b.Cols[i]
		}
		out.Cols = append(out.Cols, column.Concat(vs...))
	}
	return out
}

// isTemporary reports whether a table is one of the session's.
func isTemporary(t *catalog.Table) bool { return t.Database == "" }

// createTemporary runs CREATE TEMPORARY TABLE and VIEW.
func (x *statement) createTemporary(r *Result, s *ast.CreateTable) error {
	o, err := x.defineOptions()
	if err != nil {
		return err
	}
	if x.cat.Table("", s.Name.Table.Text) != nil && s.IfNotExists {
		return nil
	}
	ch, err := define.Temporary(x.ctx, s, o)
	if err != nil {
		return err
	}
	if err := x.s.temps.add(ch.Table, s.OrReplace); err != nil {
		return err
	}
	x.cat = x.s.temps.over(x.e.deps.Catalog.Catalog())
	x.src.Catalog = x.cat
	if ch.Fill == nil {
		return nil
	}
	ao, err := x.analyzeOptions()
	if err != nil {
		return err
	}
	target, err := insert.New(x.ctx, ch.Table, nil, ao)
	if err == nil {
		err = x.insertSelect(r, target, ch.Fill, InsertOptions{})
	}
	if err != nil {
		x.s.temps.remove(ch.Table.Name, false)
	}
	return err
}

// notTemporary refuses what temporary tables cannot do.
func notTemporary(t *catalog.Table, what string) error {
	if isTemporary(t) {
		return sqlerr.New(sqlerr.NotImplemented, "%s is not supported by temporary tables: %s", what, t.Name)
	}
	return nil
}
