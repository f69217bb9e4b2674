package virtual

import (
	"context"
	_ "embed"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/olapd/olapd/internal/access"
	"github.com/olapd/olapd/internal/catalog"
	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/format"
	"github.com/olapd/olapd/internal/function"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/internal/types"
	"github.com/olapd/olapd/internal/vfs"
	"github.com/olapd/olapd/query/exec"
	"github.com/olapd/olapd/query/files"
	"github.com/olapd/olapd/query/plan"
	"github.com/olapd/olapd/query/remote"
	"github.com/olapd/olapd/query/settings"
)

// Source is what the tables of one statement tell of: one instant of the catalog, the session's settings, the process.
type Source struct {
	Providers
	Catalog  *catalog.Catalog
	Settings *settings.Values
	Access   *access.Enabled // whose reader; nil: may know of everything
	Database string
	User     string
	Host     string
	Now      time.Time
	Zone     *time.Location
	Server   function.Server
	Files    *files.Reach             // what table functions may reach; nil: nothing
	Remote   *remote.Reach            // which servers; nil: none
	Spool    func() (vfs.File, error) // see format.Options
	Schemas  *format.Schemas          // see format.Options
	Threads  int                      // of the query
	// Structure is that of files of which a call names none; nil: it is inferred.
	Structure column.Schema
}

// Table is a table that is not stored. It implements plan.Table.
type Table struct {
	name   string
	schema column.Schema
	hidden int // columns at the end that an asterisk leaves out: ClickHouse's ALIAS columns
	open   func(ctx context.Context, cols []int) (exec.Scanner, error)
	scan   func(ctx context.Context, req exec.ScanRequest) (exec.Scanner, error) // in place of open, of tables that prune
}

// Name implements plan.Table.
func (t *Table) Name() string { return t.name }

// Schema implements plan.Table.
func (t *Table) Schema() column.Schema { return t.schema }

// Catalog implements plan.Table.
func (t *Table) Catalog() *catalog.Table { return nil }

// Hidden reports whether an asterisk leaves column i out.
func (t *Table) Hidden(i int) bool { return i >= len(t.schema)-t.hidden }

var _ plan.Table = (*Table)(nil)

// definition is a system table: its columns, and what makes its rows (nil: none).
type definition struct {
	database, name string
	columns        column.Schema
	alias          []string // per column: the column it repeats, or ""
	rows           func(ctx context.Context, s *Source, add func(row)) error
	// open replaces rows for tables that are not made at once.
	open func(s *Source) func(ctx context.Context, cols []int) (exec.Scanner, error)
}

//go:embed schemas.tsv
var schemaText string

var (
	system  = map[string]*definition{}
	fillers = map[string]func(ctx context.Context, s *Source, add func(row)) error{}
	openers = map[string]func(s *Source) func(ctx context.Context, cols []int) (exec.Scanner, error){}
	loaded  sync.Once
)

// fill declares how the rows of a system table are made; called from init functions.
func fill(name string, f func(ctx context.Context, s *Source, add func(row)) error) {
	fillers[name] = f
}

// load reads the schemas: lines of table, column, type and the column that an ALIAS column repeats, or mapKeys or mapValues of one.
func load() {
	loadInformation()
	for line := range strings.Lines(schemaText) {
		f := strings.Split(strings.TrimRight(line, "\n"), "\t")
		d := system[f[0]]
		if d == nil {
			d = &definition{database: "system", name: f[0], rows: fillers[f[0]], open: openers[f[0]]}
			system[f[0]] = d
		}
		t, err := types.Parse(f[2])
		if err != nil {
			panic("virtual: schemas.tsv: " + f[0] + "." + f[1] + ": " + err.Error())
		}
		d.columns = append(d.columns, column.Field{Name: f[1], Type: t})
		d.alias = append(d.alias, f[3])
	}
}

// Lookup returns a table of the databases system and information_schema for a statement, or nil.
func Lookup(s *Source, db, name string) plan.Table {
	loaded.Do(load)
	var d *definition
	switch {
	case db == "system":
		d = system[name]
	case isInformation(db):
		d = information[strings.ToLower(name)]
	}
	if d == nil {
		return nil
	}
	return d.table(s)
}

// Tables describes the tables that Lookup knows, by database and name; columns that repeat others are ALIAS. They are shared: nothing of
// them may be changed.
var Tables = sync.OnceValue(func() []*catalog.Table {
	loaded.Do(load)
	var out []*catalog.Table
	for _, db := range informationSchemas {
		for _, name := range slices.Sorted(maps.Keys(information)) {
			out = append(out, information[name].described(db, strings.ToUpper(name)), information[name].described(db, name))
		}
	}
	for _, name := range systemNames() {
		out = append(out, system[name].described("system", name))
	}
	return out
})

// described is the table as the catalog would describe it, under a name.
func (d *definition) described(db, name string) *catalog.Table {
	t := &catalog.Table{Database: db, Name: name, Kind: catalog.KindTable}
	shown := len(d.columns) - d.hidden()
	for i, f := range d.columns {
		c := catalog.Column{Name: f.Name, Type: f.Type.String()}
		if i >= shown {
			c.Default, c.Expr = catalog.Alias, d.alias[i]
		}
		t.Columns = append(t.Columns, c)
	}
	return t
}

// hidden is how many columns at the end an asterisk leaves out: those of system tables that repeat others.
func (d *definition) hidden() int {
	n := 0
	for _, a := range d.alias {
		if a != "" && d.database == "system" {
			n++
		}
	}
	return n
}

// IsVirtual reports whether a database is one whose tables are not stored.
func IsVirtual(db string) bool { return db == "system" || isInformation(db) }

func (d *definition) table(s *Source) *Table {
	t := &Table{name: d.database + "." + d.name, schema: d.columns, hidden: d.hidden()}
	if d.open != nil {
		t.open = d.open(s)
		return t
	}
	t.open = func(ctx context.Context, cols []int) (exec.Scanner, error) {
		b := newRows(d.columns, d.alias, cols)
		if d.rows != nil {
			if err := d.rows(ctx, s, b.add); err != nil {
				return nil, err
			}
		}
		return &blockScanner{block: b.block()}, nil
	}
	return t
}

// Storage puts the tables that are not stored beside a storage, which is opened by the first table that is.
type Storage struct {
	open func(ctx context.Context) (exec.Storage, error)
	mu   struct {
		sync.Mutex
		inner exec.Storage
		err   error
		done  bool
	}
}

// Wrap returns a storage that reads tables of this package itself and others from what open returns, which is called at
// most once and closed with the storage.
func Wrap(open func(ctx context.Context) (exec.Storage, error)) *Storage { return &Storage{open: open} }

// Open implements exec.Storage.
func (s *Storage) Open(ctx context.Context, req exec.ScanRequest) (exec.Scanner, error) {
	if t, ok := req.Table.(*Table); ok {
		if t.scan != nil {
			return t.scan(ctx, req)
		}
		return t.open(ctx, req.Columns)
	}
	inner, err := s.stored(ctx)
	if err != nil {
		return nil, err
	}
	return inner.Open(ctx, req)
}

func (s *Storage) stored(ctx context.Context) (exec.Storage, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.mu.done {
		s.mu.inner, s.mu.err = s.open(ctx)
		s.mu.done = true
	}
	return s.mu.inner, s.mu.err
}

// Pin opens the storage now, so that what is read later is of this instant.
func (s *Storage) Pin(ctx context.Context) error {
	_, err := s.stored(ctx)
	return err
}

// Close implements exec.Storage.
func (s *Storage) Close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.mu.inner != nil {
		s.mu.inner.Close()
		s.mu.inner = nil
	}
	s.mu.done, s.mu.err = true, sqlerr.New(sqlerr.LogicalError, "The query has ended")
}
