package query

import (
	"context"
	"strings"
	"sync"

	"github.com/olapd/olapd/internal/access"
	"github.com/olapd/olapd/internal/catalog"
	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/dictionary"
	"github.com/olapd/olapd/internal/function"
	"github.com/olapd/olapd/internal/mem"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/query/analyze"
	"github.com/olapd/olapd/query/ast"
	"github.com/olapd/olapd/query/define"
	"github.com/olapd/olapd/query/plan"
	"github.com/olapd/olapd/query/virtual"
)

// dictionaries are those that one statement reads: each as it was when it was first asked for. Safe for concurrent use.
type dictionaries struct {
	e       *Engine
	ctx     context.Context
	catalog func() *catalog.Catalog
	db      string // of names without one
	budget  *mem.Budget
	// may refuses a dictionary; nil: none is refused.
	may func(*catalog.Table) error
	// rowless dictionaries have no rows: what definitions are made against, which need types and must not read.
	rowless bool
	mu      struct {
		sync.Mutex
		found map[string]*foundDictionary
	}
}

type foundDictionary struct {
	table  *catalog.Table
	shape  *dictionary.Shape
	once   sync.Once // of reader and err
	reader dictionary.Reader
	err    error
}

var _ function.Dictionaries = (*dictionaries)(nil)

// Dictionaries are those of a catalog, for what is evaluated outside of statements. Names without a database are of the database given.
func (e *Engine) Dictionaries(ctx context.Context, c *catalog.Catalog, db string) function.Dictionaries {
	return &dictionaries{e: e, ctx: ctx, catalog: func() *catalog.Catalog { return c }, db: db, budget: e.deps.Budget}
}

// Shape implements function.Dictionaries.
func (d *dictionaries) Shape(name string) (*dictionary.Shape, error) {
	f, err := d.find(name)
	if err != nil {
		return nil, err
	}
	return f.shape, nil
}

// Open implements function.Dictionaries.
func (d *dictionaries) Open(name string) (dictionary.Reader, error) {
	f, err := d.find(name)
	if err != nil {
		return nil, err
	}
	f.once.Do(func() { f.reader, f.err = d.open(f) })
	return f.reader, f.err
}

func (d *dictionaries) find(name string) (*foundDictionary, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if f := d.mu.found[name]; f != nil {
		return f, nil
	}
	t, err := d.table(name)
	if err != nil {
		return nil, err
	}
	f := &foundDictionary{table: t}
	if f.shape, err = d.e.dictionaryShape(d.ctx, t); err != nil {
		return nil, err
	}
	if d.mu.found == nil {
		d.mu.found = map[string]*foundDictionary{}
	}
	d.mu.found[name] = f
	return f, nil
}

// table is the definition that a name means: dictionary, or database.dictionary.
func (d *dictionaries) table(name string) (*catalog.Table, error) {
	c := d.catalog()
	t := c.Table(d.db, name)
	if db, rest, ok := strings.Cut(name, "."); ok && (t == nil || t.Kind != catalog.KindDictionary) {
		t = c.Table(db, rest)
	}
	if t == nil || t.Kind != catalog.KindDictionary {
		return nil, sqlerr.New(sqlerr.BadArguments, "Dictionary (`%s`) not found", name)
	}
	if dictionary.Loading(d.ctx, t.ID) {
		return nil, sqlerr.New(sqlerr.InfiniteLoop, "The source of dictionary %s reads the dictionary", t.FullName())
	}
	if d.may != nil {
		return t, d.may(t)
	}
	return t, nil
}

func (d *dictionaries) open(f *foundDictionary) (dictionary.Reader, error) {
	switch {
	case d.rowless:
		return dictionary.NewBuilder(f.shape, nil).Finish()
	case f.shape.Layout == dictionary.Direct:
		return &directReader{e: d.e, table: f.table, shape: f.shape, budget: d.budget}, nil
	}
	data, err := d.e.dicts.Open(d.ctx, f.table)
	if err != nil {
		return nil, err
	}
	return &counted{Data: data, count: func(asked, found int) { d.e.dicts.Count(f.table.ID, asked, found) }}, nil
}

// counted counts the lookups of a dictionary, for system.dictionaries.
type counted struct {
	*dictionary.Data
	count func(asked, found int)
}

// Lookup implements dictionary.Reader.
func (c *counted) Lookup(ctx context.Context, keys []column.Vector, at column.Vector, n int) (*dictionary.Data, []uint32, error) {
	d, rows, err := c.Data.Lookup(ctx, keys, at, n)
	found := 0
	for _, r := range rows {
		if int(r) < d.Rows() {
			found++
		}
	}
	c.count(n, found)
	return d, rows, err
}

// dictionaryShape is what a definition says; defaults are evaluated as they were when it was made.
func (e *Engine) dictionaryShape(ctx context.Context, t *catalog.Table) (*dictionary.Shape, error) {
	env := &function.Env{Ctx: ctx, Now: e.deps.Clock.Now(), Zone: e.deps.Zone, Database: t.Database, Server: e.deps.Server}
	return define.DictionaryShape(ctx, t, analyze.Options{Catalog: catalog.New(), Database: "default", Env: env})
}

// dictionaries are the dictionaries of a statement, which its user may read.
func (x *statement) dictionaries() *dictionaries {
	return &dictionaries{e: x.e, ctx: x.ctx, catalog: func() *catalog.Catalog { return x.cat }, db: x.db, budget: x.q.budget, may: func(t *catalog.Table) error {
		return x.access.Check(access.On("dictGet", t.Database, t.Name), false)
	}}
}

// RunDictionaries reloads dictionaries as their lifetimes ask for, and forgets those that were dropped, until ctx ends. catalogs returns the
// newest catalog and what is closed when there is a newer one.
func (e *Engine) RunDictionaries(ctx context.Context, catalogs func() (*catalog.Catalog, <-chan struct{})) {
	e.dicts.Run(ctx, catalogs)
}

// dictionaryTable is a dictionary as a table: its columns, and all rows when it is read.
func (x *statement) dictionaryTable(name string) (plan.Table, error) {
	d := x.env.Dictionaries
	s, err := d.Shape(name)
	if err != nil {
		return nil, err
	}
	return virtual.Lazy(name, s.Schema(), func(ctx context.Context) (*column.Block, error) {
		r, err := d.Open(name)
		if err != nil {
			return nil, err
		}
		data, err := r.All(ctx)
		if err != nil {
			return nil, err
		}
		return data.Block(), nil
	}), nil
}

// dictionaryFunction is the table function dictionary('name').
func (x *statement) dictionaryFunction(call analyze.TableCall) (plan.Table, error) {
	if len(call.Args) != 1 {
		return nil, sqlerr.New(sqlerr.NumberOfArgumentsDoesntMatch, "Table function ('dictionary') requires 1 arguments")
	}
	name := strings.Join(call.Args[0].Ident, ".")
	if v := call.Args[0].Value; v != nil {
		text, ok := column.Value(v, 0).(string)
		if !ok {
			return nil, sqlerr.New(sqlerr.BadArguments, "Table function dictionary takes the name of a dictionary")
		}
		name = text
	}
	return x.dictionaryTable(name)
}

// mayReadDictionaries checks the dictionaries that an expression names, which is evaluated elsewhere.
func (x *statement) mayReadDictionaries(e ast.Expr) error {
	var err error
	ast.Walk(e, func(n ast.Node) bool {
		f, ok := n.(*ast.FuncCall)
		if !ok || len(f.Args) == 0 {
			return err == nil
		}
		if s := function.Lookup(f.Name); s != nil && s.Family == function.FamilyDictionaries {
			name, ok := f.Args[0].(*ast.Literal)
			if !ok {
				err = sqlerr.At(f.Start, sqlerr.NotImplemented, "Function %s in a mutation takes the name of its dictionary as a literal", f.Name)
				return false
			}
			_, err = x.env.Dictionaries.Shape(name.Str)
		}
		return err == nil
	})
	return err
}
