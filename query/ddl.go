package query

import (
	"context"
	"errors"

	"github.com/olapd/olapd/internal/catalog"
	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/query/ast"
	"github.com/olapd/olapd/query/define"
	"github.com/olapd/olapd/query/insert"
	"github.com/olapd/olapd/query/plan"
	"github.com/olapd/olapd/query/virtual"
)

// errNoChange ends a catalog change that has nothing to change.
var errNoChange = errors.New("query: nothing to change")

// change commits what f makes of the newest catalog. f may end with errNoChange.
func (x *statement) change(f func(*catalog.Catalog) (*catalog.Catalog, error)) error {
	c, err := x.e.deps.Catalog.Change(x.ctx, f)
	if errors.Is(err, errNoChange) {
		return nil
	}
	if err == nil {
		x.cat = x.s.temps.over(c)
		x.src.Catalog = x.cat
	}
	return err
}

func (x *statement) createDatabase(s *ast.CreateDatabase) error {
	name, err := x.name(s.Name)
	if err != nil {
		return err
	}
	engine := "Atomic"
	if s.Engine != nil {
		switch s.Engine.Name {
		case "Atomic", "Ordinary", "Replicated", "Shared", "Memory", "Lazy":
			engine = "Atomic"
		default:
			return sqlerr.At(s.Engine.Start, sqlerr.NotImplemented, "Database engine %s is not implemented", s.Engine.Name)
		}
	}
	id := newID()
	return x.change(func(c *catalog.Catalog) (*catalog.Catalog, error) {
		if c.Database(name) != nil || virtual.IsVirtual(name) {
			if s.IfNotExists {
				return nil, errNoChange
			}
			return nil, sqlerr.New(sqlerr.DatabaseAlreadyExists, "Database %s already exists", name)
		}
		return c.WithDatabase(&catalog.Database{Name: name, Engine: engine, Comment: s.Comment, UUID: id})
	})
}

// create runs CREATE TABLE and its kin, and then fills the table if it is to be filled.
func (x *statement) create(r *Result, s *ast.CreateTable) error {
	if s.Temporary {
		return x.createTemporary(r, s)
	}
	ch, err := x.defineTable(s)
	if err != nil || ch == nil {
		return err
	}
	if ch.Fill == nil {
		return nil
	}
	return x.fill(r, ch)
}

// defineTable commits the definition; nil if the table was there.
func (x *statement) defineTable(s *ast.CreateTable) (*define.Change, error) {
	o, err := x.defineOptions()
	if err != nil {
		return nil, err
	}
	if s.Populate { // rows that are there before the rollup is are read from this instant
		if err := x.pin(); err != nil {
			return nil, err
		}
	}
	var ch *define.Change
	err = x.change(func(c *catalog.Catalog) (*catalog.Catalog, error) {
		o.Analyze.Catalog = x.s.temps.over(c)
		var err error
		if ch, err = define.Create(x.ctx, s, o); err != nil {
			return nil, err
		}
		if len(ch.Add) == 0 {
			ch = nil
			return nil, errNoChange
		}
		return ch.Apply(c)
	})
	return ch, err
}

func (x *statement) defineOptions() (define.Options, error) {
	o, err := x.analyzeOptions()
	o.Scalar = typesOnly
	env, d := *x.env, x.dictionaries()
	d.rowless = true
	env.Dictionaries, o.Env = d, &env
	return define.Options{Analyze: o, Name: x.name, Text: x.text, UUID: newID(), InnerUUID: newID(), Now: x.q.started.UnixNano()}, err
}

// typesOnly answers a scalar subquery by a default value: a definition needs its type, and runs inside of a catalog
// change, where nothing may be read.
func typesOnly(_ context.Context, n plan.Node) (*column.Block, error) {
	b := &column.Block{N: 1}
	for _, f := range n.Schema() {
		b.Cols = append(b.Cols, column.Flatten(column.NewDefaults(f.Type.WithoutLowCardinality(), 1)))
	}
	return b, nil
}

// fill writes the rows of AS SELECT and POPULATE. Rows committed to the source between the snapshot and the rollup's
// creation are in neither: ClickHouse's POPULATE misses them too.
func (x *statement) fill(r *Result, ch *define.Change) error {
	t := ch.Table
	opts := InsertOptions{}
	if t.Kind == catalog.KindRollup {
		t = x.cat.ByID(t.Target)
	}
	o, err := x.analyzeOptions()
	if err != nil {
		return err
	}
	var names []string
	if ch.Table.Kind == catalog.KindRollup {
		for _, c := range ch.Table.Columns {
			names = append(names, c.Name)
		}
	}
	target, err := insert.New(x.ctx, t, names, o)
	if err != nil {
		return err
	}
	return x.insertSelect(r, target, ch.Fill, opts)
}

// drop runs DROP, TRUNCATE and DETACH.
func (x *statement) drop(s *ast.Drop) error {
	switch {
	case s.Action == ast.ActionDetach:
		return x.detach(s)
	case s.Kind == ast.ObjectFunction:
		return x.dropFunctions(s)
	case s.Action == ast.ActionTruncate:
		return x.truncate(s)
	case s.Kind == ast.ObjectDatabase:
		return x.dropDatabases(s)
	}
	for _, n := range s.Names {
		if err := x.dropTable(s, n); err != nil {
			return err
		}
	}
	return nil
}

func (x *statement) dropTable(s *ast.Drop, n ast.TableName) error {
	db, name, err := x.table(n)
	if err != nil {
		return err
	}
	if s.Temporary && db != "" {
		if s.IfExists {
			return nil
		}
		return sqlerr.At(n.Start, sqlerr.UnknownTable, "Temporary table %s doesn't exist", name)
	}
	if db == "" && (s.Kind == ast.ObjectTable || s.Kind == ast.ObjectView) {
		if own := x.cat.Table("", name); s.Kind == ast.ObjectView && own != nil && own.Kind != catalog.KindView {
			return sqlerr.At(n.Start, sqlerr.IncorrectQuery, "Table %s is not a View", name)
		}
		x.s.temps.remove(name, false)
		x.cat = x.s.temps.over(x.e.deps.Catalog.Catalog())
		return nil
	}
	if s.IfEmpty {
		return sqlerr.At(s.Start, sqlerr.NotImplemented, "DROP … IF EMPTY is not implemented")
	}
	return x.change(func(c *catalog.Catalog) (*catalog.Catalog, error) {
		t := c.Table(db, name)
		switch {
		case t == nil && s.IfExists:
			return nil, errNoChange
		case t == nil && c.Database(db) == nil && !virtual.IsVirtual(db):
			return nil, sqlerr.At(n.Start, sqlerr.UnknownDatabase, "Database %s does not exist", db)
		case t == nil:
			return nil, sqlerr.At(n.Start, sqlerr.UnknownTable, "Table %s.%s does not exist", db, name)
		case s.Kind == ast.ObjectView && t.Kind != catalog.KindView && t.Kind != catalog.KindRollup:
			return nil, sqlerr.At(n.Start, sqlerr.IncorrectQuery, "Table %s is not a View", t.FullName())
		case s.Kind == ast.ObjectDictionary && t.Kind != catalog.KindDictionary:
			return nil, notDictionary(n, t)
		case s.Kind == ast.ObjectTable && t.Kind == catalog.KindDictionary:
			return nil, dictionaryAsTable(n, t)
		}
		ids, err := define.Dropped(c, t)
		if err != nil {
			return nil, err
		}
		return c.WithoutTables(ids...), nil
	})
}

func (x *statement) dropDatabases(s *ast.Drop) error {
	for _, n := range s.Names {
		name, err := x.name(n.Table)
		if err != nil {
			return err
		}
		if virtual.IsVirtual(name) {
			return sqlerr.At(n.Start, sqlerr.NotImplemented, "Database %s cannot be dropped", name)
		}
		err = x.change(func(c *catalog.Catalog) (*catalog.Catalog, error) {
			if c.Database(name) == nil && s.IfExists {
				return nil, errNoChange
			}
			return c.WithoutDatabase(name)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func (x *statement) truncate(s *ast.Drop) error {
	tables, err := x.truncated(s)
	if err != nil {
		return err
	}
	for _, t := range tables {
		if isTemporary(t) {
			x.s.temps.remove(t.Name, true)
			continue
		}
		if err := x.e.deps.Store.Truncate(x.ctx, t); err != nil {
			return err
		}
	}
	return nil
}

// truncated lists the tables a TRUNCATE means.
func (x *statement) truncated(s *ast.Drop) ([]*catalog.Table, error) {
	var out []*catalog.Table
	if s.Kind == ast.ObjectDatabase || s.AllTables {
		for _, n := range s.Names {
			db, err := x.name(n.Table)
			if err != nil {
				return nil, err
			}
			if !x.hasDatabase(db) {
				return nil, x.noDatabase(db)
			}
			for _, t := range x.cat.Tables(db) {
				if t.Kind == catalog.KindTable && (s.Like == "" || virtual.Like(t.Name, s.Like, s.ILike) != s.NotLike) {
					out = append(out, t)
				}
			}
		}
		return out, nil
	}
	for _, n := range s.Names {
		t, err := x.existing(n)
		if sqlerr.Is(err, sqlerr.UnknownTable) && s.IfExists {
			continue
		}
		if err != nil {
			return nil, err
		}
		if t.Kind == catalog.KindRollup {
			t = x.cat.ByID(t.Target)
		}
		if t != nil && t.Kind == catalog.KindDictionary {
			return nil, sqlerr.At(n.Start, sqlerr.SyntaxError, "Cannot TRUNCATE dictionary")
		}
		if t == nil || t.Kind != catalog.KindTable {
			return nil, sqlerr.At(n.Start, sqlerr.NotImplemented, "Truncate is not supported by table %s", n)
		}
		out = append(out, t)
	}
	return out, nil
}

// rename runs RENAME and EXCHANGE, all pairs in one commit.
func (x *statement) rename(s *ast.Rename) error {
	if s.Kind == ast.ObjectDatabase {
		return x.renameDatabases(s)
	}
	return x.change(func(c *catalog.Catalog) (*catalog.Catalog, error) {
		for _, p := range s.Pairs {
			next, err := x.renamePair(c, s, p)
			if err != nil {
				return nil, err
			}
			c = next
		}
		return c, nil
	})
}

func (x *statement) renamePair(c *catalog.Catalog, s *ast.Rename, p ast.RenamePair) (*catalog.Catalog, error) {
	db, name, err := x.table(p.From)
	if err != nil {
		return nil, err
	}
	toDB, toName, err := x.table(p.To)
	if err != nil {
		return nil, err
	}
	from, to := c.Table(db, name), c.Table(toDB, toName)
	switch {
	case from == nil && s.IfExists:
		return c, nil
	case s.Kind == ast.ObjectDictionary && from != nil && from.Kind != catalog.KindDictionary:
		return nil, sqlerr.At(p.From.Start, sqlerr.IncorrectQuery, "Use RENAME/EXCHANGE TABLE (instead of RENAME/EXCHANGE DICTIONARY) for tables")
	case from == nil:
		return nil, sqlerr.At(p.From.Start, sqlerr.UnknownTable, "Table %s.%s does not exist", db, name)
	case c.Database(toDB) == nil:
		return nil, sqlerr.At(p.To.Start, sqlerr.UnknownDatabase, "Database %s does not exist", toDB)
	case s.Exchange && to == nil:
		return nil, sqlerr.At(p.To.Start, sqlerr.UnknownTable, "Table %s.%s does not exist", toDB, toName)
	case !s.Exchange && to != nil:
		return nil, sqlerr.At(p.To.Start, sqlerr.TableAlreadyExists, "Table %s.%s already exists", toDB, toName)
	}
	moved := define.Moved(from, toDB, toName, c)
	if !s.Exchange {
		return c.WithChanged(moved)
	}
	return c.WithChanged(moved, define.Moved(to, db, name, c))
}

// alter runs ALTER TABLE: changes of the schema in one commit, then drops of partitions.
func (x *statement) alter(s *ast.Alter) error {
	old, err := x.existing(s.Table)
	if err == nil {
		err = notTemporary(old, "ALTER")
	}
	if err != nil {
		return err
	}
	changes, err := mutations(s)
	if err != nil {
		return err
	}
	for _, c := range changes {
		if err := x.mutate(s.Table, c.Expr, c.Partition, c.Assignments); err != nil {
			return err
		}
	}
	if changes != nil {
		return nil
	}
	if moves, err := define.Moves(s); moves != nil || err != nil {
		if err != nil {
			return err
		}
		return x.movePartitions(s.Table, moves)
	}
	if copies, err := define.Copies(s); copies != nil || err != nil {
		if err != nil {
			return err
		}
		return x.copyPartitions(s.Table, copies)
	}
	o, err := x.defineOptions()
	if err != nil {
		return err
	}
	parts, err := define.Partitions(s)
	if err != nil {
		return err
	}
	if parts == nil {
		if err := x.convertible(old, s, o); err != nil {
			return err
		}
		return x.change(func(c *catalog.Catalog) (*catalog.Catalog, error) {
			o.Analyze.Catalog = c
			changed, err := define.Alter(x.ctx, s, o)
			if err != nil {
				return nil, err
			}
			return c.WithChanged(changed...)
		})
	}
	t, err := x.insertTable(s.Table)
	if err != nil {
		return err
	}
	for _, p := range parts {
		id, err := x.partitionID(t, p)
		if err != nil {
			return err
		}
		if p.All {
			err = x.e.deps.Store.Truncate(x.ctx, t)
		} else {
			err = x.e.deps.Store.DropPartition(x.ctx, t, id)
		}
		if err != nil {
			return err
		}
	}
	return nil
}
