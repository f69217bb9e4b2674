package query

import (
	"github.com/olapd/olapd/internal/catalog"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/query/ast"
	"github.com/olapd/olapd/query/define"
)

// detach hides tables until ATTACH. A restart leaves them detached, as PERMANENTLY asks for.
func (x *statement) detach(s *ast.Drop) error {
	if s.Kind == ast.ObjectDatabase {
		return sqlerr.At(s.Start, sqlerr.NotImplemented, "DETACH DATABASE is not implemented")
	}
	return x.change(func(c *catalog.Catalog) (*catalog.Catalog, error) {
		var changed []*catalog.Table
		for _, n := range s.Names {
			db, name, err := x.table(n)
			if err != nil {
				return nil, err
			}
			t := c.Table(db, name)
			switch {
			case t == nil && s.IfExists:
				continue
			case t == nil:
				return nil, sqlerr.At(n.Start, sqlerr.UnknownTable, "Table %s.%s does not exist", db, name)
			case s.Kind == ast.ObjectView && t.Kind != catalog.KindView && t.Kind != catalog.KindRollup:
				return nil, sqlerr.At(n.Start, sqlerr.IncorrectQuery, "Table %s is not a View", t.FullName())
			case s.Kind == ast.ObjectDictionary && t.Kind != catalog.KindDictionary:
				return nil, notDictionary(n, t)
			case s.Kind == ast.ObjectTable && t.Kind == catalog.KindDictionary:
				return nil, dictionaryAsTable(n, t)
			}
			d := *t
			d.Detached = true
			changed = append(changed, &d)
		}
		if len(changed) == 0 {
			return nil, errNoChange
		}
		return c.WithChanged(changed...)
	})
}

// attach shows a detached table again.
func (x *statement) attach(s *ast.Attach) error {
	if s.Kind == ast.ObjectDatabase {
		return sqlerr.At(s.Start, sqlerr.NotImplemented, "ATTACH DATABASE is not implemented")
	}
	return x.change(func(c *catalog.Catalog) (*catalog.Catalog, error) {
		db, name, err := x.table(s.Name)
		if err != nil {
			return nil, err
		}
		t := c.Detached(db, name)
		switch {
		case c.Table(db, name) != nil && s.IfNotExists:
			return nil, errNoChange
		case c.Table(db, name) != nil:
			return nil, sqlerr.At(s.Name.Start, sqlerr.TableAlreadyExists, "Table %s.%s already exists", db, name)
		case t == nil:
			return nil, sqlerr.At(s.Name.Start, sqlerr.CannotGetCreateTableQuery, "Table `%s` doesn't exist", name)
		}
		a := *t
		a.Detached = false
		return c.WithChanged(&a)
	})
}

// renameDatabases runs RENAME DATABASE.
func (x *statement) renameDatabases(s *ast.Rename) error {
	return x.change(func(c *catalog.Catalog) (*catalog.Catalog, error) {
		for _, p := range s.Pairs {
			from, err := x.name(p.From.Table)
			if err != nil {
				return nil, err
			}
			to, err := x.name(p.To.Table)
			if err != nil {
				return nil, err
			}
			if c.Database(from) == nil && s.IfExists {
				continue
			}
			if c, err = define.RenamedDatabase(c, from, to); err != nil {
				return nil, err
			}
		}
		return c, nil
	})
}

// undrop answers UNDROP TABLE: what is dropped here is gone at once.
func (x *statement) undrop(s *ast.Undrop) error {
	db, name, err := x.table(s.Name)
	switch {
	case err != nil:
		return err
	case x.cat.Table(db, name) != nil:
		return sqlerr.At(s.Name.Start, sqlerr.TableAlreadyExists, "Cannot undrop table, %s.%s already exists", db, name)
	}
	return sqlerr.At(s.Name.Start, sqlerr.UnknownTable, "Table %s.%s is being dropped, has been dropped, or the database engine does not support UNDROP", db, name)
}
