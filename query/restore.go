package query

import (
	"slices"

	"github.com/olapd/olapd/internal/access"
	"github.com/olapd/olapd/internal/backup"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/query/ast"
	"github.com/olapd/olapd/query/define"
	"github.com/olapd/olapd/query/parse"
)

// restoring is a RESTORE.
type restoring struct {
	x         *statement
	r         *backup.Reader
	o         backupOptions
	tables    []*restoredTable         // in the order of the backup
	names     map[string]ast.TableName // what tables become, by their full names in the backup
	databases map[string]bool          // to be there
	moved     backup.Moved
}

// restoredTable is a table of a RESTORE.
type restoredTable struct {
	entry          *backup.Table
	database, name string // as it is restored
	text           string // CREATE, with these names
	create         *ast.CreateTable
	there          bool
}

func (p *restoring) add(t *backup.Table, database, name string) {
	if slices.ContainsFunc(p.tables, func(have *restoredTable) bool { return have.entry == t }) {
		return
	}
	p.tables = append(p.tables, &restoredTable{entry: t, database: database, name: name})
	p.names[t.Database+"."+t.Name] = ast.TableName{Database: ast.Name{Text: database}, Table: ast.Name{Text: name}}
	p.databases[database] = true
}

// choose finds the tables of an element in the backup.
func (p *restoring) choose(e *ast.BackupElement) error {
	if e.Partitions != nil {
		return sqlerr.At(e.Start, sqlerr.NotImplemented, "RESTORE … PARTITIONS is not implemented")
	}
	switch e.Kind {
	case ast.BackupTable:
		return p.chooseTable(e)
	case ast.BackupDatabase:
		return p.chooseDatabase(e)
	}
	out, err := p.x.excepted(e)
	if err != nil {
		return err
	}
	m := p.r.Manifest
	for _, db := range m.Databases {
		if !out.databases[db] {
			p.databases[db] = true
		}
	}
	for i := range m.Tables {
		if t := &m.Tables[i]; !out.holds(t.Database, t.Name) {
			p.add(t, t.Database, t.Name)
		}
	}
	return nil
}

func (p *restoring) chooseTable(e *ast.BackupElement) error {
	db, name, err := p.x.table(e.Name)
	if err != nil {
		return err
	}
	asDB, asName := db, name
	if !e.As.Table.IsZero() {
		if asDB, asName, err = p.x.table(e.As); err != nil {
			return err
		}
	}
	m := p.r.Manifest
	at := slices.IndexFunc(m.Tables, func(t backup.Table) bool { return t.Database == db && t.Name == name })
	if at < 0 {
		return sqlerr.At(e.Start, sqlerr.BackupEntryNotFound, "Table %s.%s not found in backup.", db, name)
	}
	p.add(&m.Tables[at], asDB, asName)
	return nil
}

func (p *restoring) chooseDatabase(e *ast.BackupElement) error {
	db, err := p.x.name(e.Name.Table)
	if err != nil {
		return err
	}
	as := db
	if !e.As.Table.IsZero() {
		if as, err = p.x.name(e.As.Table); err != nil {
			return err
		}
	}
	out, err := p.x.excepted(e)
	if err != nil {
		return err
	}
	m := p.r.Manifest
	found := slices.Contains(m.Databases, db)
	for i := range m.Tables {
		t := &m.Tables[i]
		found = found || t.Database == db
		if t.Database == db && !out.holds(t.Database, t.Name) {
			p.add(t, as, t.Name)
		}
	}
	if !found {
		return sqlerr.At(e.Start, sqlerr.BackupEntryNotFound, "Database %s not found in backup.", db)
	}
	p.databases[as] = true
	return nil
}

// define makes the definitions and checks them against what is there, before anything is changed.
func (p *restoring) define() error {
	for db := range p.databases {
		if p.x.hasDatabase(db) {
			continue
		}
		if err := p.x.access.Check(access.On("CREATE DATABASE", db, ""), false); err != nil {
			return err
		}
	}
	for _, t := range p.tables {
		if err := p.defineTable(t); err != nil {
			return err
		}
		if err := p.mayRestore(t); err != nil {
			return err
		}
		if err := p.compare(t); err != nil {
			return err
		}
	}
	return nil
}

// mayRestore checks the rights. That on the table which the backup was made of keeps users from reading backups of others.
func (p *restoring) mayRestore(t *restoredTable) error {
	if err := p.x.access.Check(access.On("BACKUP", t.entry.Database, t.entry.Name), false); err != nil {
		return err
	}
	create := "CREATE TABLE"
	if t.create.Kind != ast.KindTable {
		create = "CREATE VIEW"
	}
	if err := p.x.access.Check(access.On(create, t.database, t.name), false); err != nil {
		return err
	}
	return p.x.access.Check(access.On("INSERT", t.database, t.name), false)
}

// defineTable is the definition in the backup with the names of the restore.
func (p *restoring) defineTable(t *restoredTable) error {
	s, err := createOf(t.entry.Create)
	if err != nil {
		return sqlerr.Wrap(err, sqlerr.BackupDamaged, "The definition of %s.%s in the backup", t.entry.Database, t.entry.Name)
	}
	s.Name = p.names[t.entry.Database+"."+t.entry.Name]
	if s.To != nil {
		to := p.renamed(*s.To)
		s.To = &to
	}
	if s.Refresh != nil {
		for i, n := range s.Refresh.DependsOn {
			s.Refresh.DependsOn[i] = p.renamed(n)
		}
	}
	if s.AsSelect != nil {
		ast.Walk(s.AsSelect, func(n ast.Node) bool {
			if ref, ok := n.(*ast.TableRef); ok {
				ref.Name = p.renamed(ref.Name)
			}
			return true
		})
	}
	t.text = ast.Format(s)
	t.create, err = createOf(t.text) // positions are those of the text
	if err == nil && t.create.Refresh != nil && !p.o.structureOnly {
		t.create.Empty = true // it has the rows of the backup until its next refresh
	}
	return err
}

func createOf(text string) (*ast.CreateTable, error) {
	s, err := parse.One(text, parse.Limits{QuerySize: len(text) + 1, Elements: len(text) + 1})
	if err != nil {
		return nil, err
	}
	c, ok := s.(*ast.CreateTable)
	if !ok {
		return nil, sqlerr.New(sqlerr.BackupDamaged, "%.100q is no CREATE TABLE", text)
	}
	return c, nil
}

// renamed is what a name with a database becomes.
func (p *restoring) renamed(n ast.TableName) ast.TableName {
	if to, ok := p.names[n.Database.Text+"."+n.Table.Text]; ok && !n.Database.IsZero() {
		return to
	}
	return n
}

// compare holds a table that is there against the backup's: it must be the same, and empty unless the statement says otherwise.
func (p *restoring) compare(t *restoredTable) error {
	x := p.x
	have := x.cat.Table(t.database, t.name)
	if have == nil {
		return nil
	}
	t.there = true
	now, err := createOf(define.CreateLine(have, x.cat))
	if err != nil {
		return err
	}
	if text := ast.Format(now); text != t.text {
		return sqlerr.New(sqlerr.CannotRestoreTable, "The table has a different definition: %s comparing to its definition in the backup: %s", text, t.text)
	}
	into := rowsOf(x.cat, have)
	if into == nil || p.o.structureOnly || p.o.nonEmpty {
		return nil
	}
	n, err := x.e.deps.Backups.CountRows(x.ctx, into)
	if err == nil && n > 0 {
		err = sqlerr.New(sqlerr.CannotRestoreTable, "Cannot restore the table %s.%s because it already contains some data. You can set structure_only=true or "+
			"allow_non_empty_tables=true to overcome that in the way you want: While restoring data of table %s.%s.", t.database, t.name, t.entry.Database, t.entry.Name)
	}
	return err
}
