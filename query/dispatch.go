package query

import (
	"strings"

	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/query/ast"
	"github.com/olapd/olapd/query/settings"
	"github.com/olapd/olapd/query/virtual"
)

// dispatch does what the statement says.
func (x *statement) dispatch(r *Result) error {
	if err := x.allowed(); err != nil {
		return err
	}
	if err := x.authorize(); err != nil {
		return err
	}
	if done, err := x.accessStatement(r); done {
		return err
	}
	switch s := x.ast.(type) {
	case *ast.SelectUnion:
		return x.selectQuery(r, s)
	case *ast.Insert:
		return x.insert(r, s)
	case *ast.CreateTable:
		return x.create(r, s)
	case *ast.Parallel:
		return x.parallel(r, s)
	case *ast.CreateDatabase:
		return x.createDatabase(s)
	case *ast.CreateFunction:
		return x.createFunction(s)
	case *ast.CreateDictionary:
		return x.createDictionary(s)
	case *ast.Attach:
		return x.attach(s)
	case *ast.Undrop:
		return x.undrop(s)
	case *ast.Drop:
		return x.drop(s)
	case *ast.Rename:
		return x.rename(s)
	case *ast.Alter:
		return x.alter(s)
	case *ast.Delete:
		return x.mutate(s.Table, s.Where, s.Partition, nil)
	case *ast.Update:
		return x.mutate(s.Table, s.Where, s.Partition, s.Set)
	case *ast.Optimize:
		return x.optimizeTable(s)
	case *ast.Describe:
		return x.describe(r, s)
	case *ast.Show:
		return x.show(r, s)
	case *ast.Exists:
		return x.exists(r, s)
	case *ast.Explain:
		return x.explain(r, s)
	case *ast.Kill:
		return x.kill(r, s)
	case *ast.System:
		return x.system(r, s)
	case *ast.Check:
		return x.check(r, s)
	case *ast.Use:
		return x.use(s)
	case *ast.Set:
		return x.setSettings(s)
	case *ast.Backup:
		return x.backup(r, s)
	case *ast.Other:
		return sqlerr.New(sqlerr.NotImplemented, "%s is not implemented", s.Feature)
	}
	return sqlerr.New(sqlerr.NotImplemented, "%s is not implemented", lacking(x.ast))
}

// lacking is what a statement that cannot run is called in its error.
func lacking(s ast.Statement) string {
	switch s.(type) {
	case *ast.Delete:
		return "DELETE"
	case *ast.Update:
		return "UPDATE"
	}
	return strings.ToUpper(kindOf(s))
}

// allowed checks the settings readonly and allow_ddl.
func (x *statement) allowed() error {
	writes, ddl := false, false
	switch x.ast.(type) {
	case *ast.Insert, *ast.Delete, *ast.Update, *ast.Optimize:
		writes = true
	case *ast.CreateTable, *ast.CreateDatabase, *ast.CreateFunction, *ast.CreateDictionary, *ast.Attach, *ast.Drop, *ast.Undrop, *ast.Rename, *ast.Alter, *ast.Backup, *ast.Other,
		*ast.AccessChange, *ast.AccessDrop, *ast.Grant:
		writes, ddl = true, true
	case *ast.System, *ast.Kill:
		writes = true
	}
	switch {
	case writes && settings.Readonly.Of(x.set) != settings.ReadWrite:
		return sqlerr.New(sqlerr.Readonly, "Cannot execute query in readonly mode. For queries over HTTP, method GET implies readonly. You should use method POST for modifying queries.")
	case ddl && !settings.AllowDDL.Of(x.set):
		return sqlerr.New(sqlerr.QueryIsProhibited, "Cannot execute query. DDL queries are prohibited for the user %s", x.q.user)
	}
	return nil
}

func (x *statement) use(s *ast.Use) error {
	db, err := x.name(s.Database)
	if err != nil {
		return err
	}
	if !x.hasDatabase(db) {
		return x.noDatabase(db)
	}
	x.s.mu.Lock()
	x.s.mu.database = db
	x.s.mu.Unlock()
	return nil
}

// setSettings changes the session's settings.
func (x *statement) setSettings(s *ast.Set) error {
	x.s.mu.Lock()
	defer x.s.mu.Unlock()
	next := x.s.mu.set.Clone()
	mine := x.set
	x.set = next
	defer func() { x.set = mine }()
	if settings.Readonly.Of(mine) != settings.Readonly.Of(next) {
		next.ForceReadOnly()
	}
	for _, item := range s.Settings {
		if err := x.applySetting(item); err != nil {
			return err
		}
	}
	x.s.mu.set = next
	return nil
}

func (x *statement) hasDatabase(db string) bool {
	return x.cat.Database(db) != nil || virtual.IsVirtual(db)
}

func (x *statement) noDatabase(db string) error {
	return sqlerr.New(sqlerr.UnknownDatabase, "Database %s does not exist", db)
}

// parallel runs what PARALLEL WITH joins, one after the other: the first error ends it. None may yield rows, or read data that follows the text.
func (x *statement) parallel(r *Result, s *ast.Parallel) error {
	for _, part := range s.Statements {
		switch p := part.(type) {
		case *ast.CreateTable, *ast.CreateDatabase, *ast.CreateFunction, *ast.CreateDictionary, *ast.Drop, *ast.Rename, *ast.Alter, *ast.Optimize, *ast.Attach, *ast.System:
		case *ast.Insert:
			if p.Select == nil {
				return sqlerr.At(p.Start, sqlerr.IncorrectQuery, "INSERT with data can't be combined with other queries using PARALLEL WITH clause")
			}
		default:
			return sqlerr.At(part.Span().Start, sqlerr.IncorrectQuery, "Query %s can't be combined with other queries using PARALLEL WITH clause because this query has output (Use UNION to combine select queries)", ast.Shown(part))
		}
	}
	whole := x.ast
	defer func() { x.ast = whole }()
	for _, part := range s.Statements {
		x.ast = part
		if err := x.dispatch(r); err != nil {
			return err
		}
	}
	return nil
}
