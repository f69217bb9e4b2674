package query

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/olapd/olapd/internal/access"
	"github.com/olapd/olapd/internal/backup"
	"github.com/olapd/olapd/internal/catalog"
	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/internal/types"
	"github.com/olapd/olapd/query/ast"
	"github.com/olapd/olapd/query/define"
	"github.com/olapd/olapd/query/virtual"
)

// Backups writes and reads the rows of backups. Safe for concurrent use.
type Backups interface {
	// Backup writes a backup of tables, each shard as it is at one instant, incremental on base unless that is nil. Of one that fails nothing
	// is left.
	Backup(ctx context.Context, to backup.Location, base *backup.Location, databases []string, tables []BackupTable) (backup.Moved, error)
	// OpenBackup opens a complete backup.
	OpenBackup(ctx context.Context, from backup.Location) (*backup.Reader, error)
	// Restore adds the rows of a table of the backup to a table of the same columns, and derives nothing of them.
	Restore(ctx context.Context, r *backup.Reader, from *backup.Table, into *catalog.Table) error
	// CountRows returns how many rows a table has on all shards.
	CountRows(ctx context.Context, t *catalog.Table) (uint64, error)
}

// BackupTable is a table to be backed up.
type BackupTable struct {
	Entry backup.Table   // without segments
	Rows  *catalog.Table // whose rows it has; nil: none
}

// backupOptions are the settings of BACKUP and RESTORE, which no others know.
type backupOptions struct {
	id            string
	structureOnly bool
	nonEmpty      bool
	async         bool
	base          *backup.Location // nil: none
}

// baseName is the base as system.backups names it.
func (o *backupOptions) baseName() string {
	if o.base == nil {
		return ""
	}
	return o.base.String()
}

// backupStatus is the type of the column status, as ClickHouse has it.
const backupStatus = "Enum8('CREATING_BACKUP' = 0, 'BACKUP_CREATED' = 1, 'BACKUP_FAILED' = 2, 'RESTORING' = 3, 'RESTORED' = 4, 'RESTORE_FAILED' = 5, " +
	"'BACKUP_CANCELLED' = 6, 'RESTORE_CANCELLED' = 7)"

// The values of backupStatus that a statement ends with.
const (
	statusCreatingBackup = 0
	statusBackupCreated  = 1
	statusRestoring      = 3
	statusRestored       = 4
)

// backup runs BACKUP and RESTORE, and returns when all is done; of those with ASYNC when they have begun.
func (x *statement) backup(r *Result, s *ast.Backup) error {
	if x.e.deps.Backups == nil {
		return sqlerr.At(s.Start, sqlerr.NotImplemented, "BACKUP and RESTORE are not implemented here: there is no storage for them")
	}
	o, err := x.backupOptions(s)
	if err != nil {
		return err
	}
	at, err := x.backupPlace(s.Place)
	if err != nil {
		return err
	}
	status, kind, run := int8(statusBackupCreated), "CREATING_BACKUP", x.backupTo
	if s.Restore {
		status, kind, run = statusRestored, "RESTORING", x.restoreFrom
	}
	if later := x.in.later; later != nil {
		later.moved, err = run(s, at, o)
		return err
	}
	clk := x.e.deps.Clock
	entry := x.e.backups.begin(virtual.Backup{ID: o.id, Name: at.String(), Base: o.baseName(), QueryID: x.q.id, Status: kind, Restore: s.Restore, Started: clk.Now()})
	if o.async {
		if status = statusCreatingBackup; s.Restore {
			status = statusRestoring
		}
		x.backupLater(s, entry)
	} else {
		moved, err := run(s, at, o)
		x.e.backups.end(entry, moved, err, clk.Now())
		if err != nil {
			return err
		}
	}
	enum, err := types.Parse(backupStatus)
	if err != nil {
		return err
	}
	id := column.NewStrings()
	id.AppendString(o.id)
	done := column.NewNum(enum, []int8{status})
	r.rows(column.Schema{{Name: "id", Type: types.TString}, {Name: "status", Type: enum}}, column.NewBlock(id, done), s.Output)
	return nil
}

func (x *statement) backupOptions(s *ast.Backup) (backupOptions, error) {
	o := backupOptions{id: newID(), async: s.Async}
	for _, item := range s.Settings {
		if item.Value == nil { // DEFAULT
			continue
		}
		text, err := settingText(item.Value, x.in.Params)
		if err != nil {
			return o, err
		}
		on := text == "1" || strings.EqualFold(text, "true")
		switch item.Name {
		case "id":
			o.id = text
		case "async":
			o.async = on
		case "structure_only":
			o.structureOnly = on
		case "allow_non_empty_tables":
			o.nonEmpty = on
		default:
			return o, sqlerr.At(item.Start, sqlerr.UnknownSetting, "Unknown setting '%s' of BACKUP and RESTORE: there are base_backup, id, async, structure_only and allow_non_empty_tables", item.Name)
		}
	}
	if s.Base != nil {
		at, err := x.backupPlace(s.Base)
		if err != nil {
			return o, err
		}
		o.base = &at
	}
	return o, nil
}

// backupPlace evaluates a place, and checks that the user may go there.
func (x *statement) backupPlace(f *ast.FuncCall) (backup.Location, error) {
	at := backup.Location{Engine: f.Name}
	for _, a := range f.Args {
		l, ok := a.(*ast.Literal)
		if !ok || l.Kind != ast.LiteralString {
			return at, sqlerr.At(f.Start, sqlerr.BadArguments, "Backup engine '%s' takes strings", f.Name)
		}
		at.Args = append(at.Args, l.Str)
	}
	if f.Name != "S3" {
		return at, nil
	}
	if err := x.access.Check(access.OnParam("READ", "S3"), false); err != nil {
		return at, err
	}
	return at, x.access.Check(access.OnParam("WRITE", "S3"), false)
}

// backupTo writes a backup.
func (x *statement) backupTo(s *ast.Backup, to backup.Location, o backupOptions) (backup.Moved, error) {
	chosen := map[catalog.TableID]*catalog.Table{}
	databases := map[string]bool{}
	for _, e := range s.Elements {
		if err := x.backedUp(e, chosen, databases); err != nil {
			return backup.Moved{}, err
		}
	}
	var tables []BackupTable
	for _, t := range tablesFirst(chosen) {
		b := BackupTable{Entry: backup.Table{Database: t.Database, Name: t.Name, Create: define.CreateLine(t, x.cat)}}
		if !o.structureOnly {
			if b.Rows = rowsOf(x.cat, t); b.Rows != nil {
				b.Entry.Stored = b.Rows.StoredNames()
			}
		}
		tables = append(tables, b)
	}
	return x.e.deps.Backups.Backup(x.ctx, to, o.base, slices.Sorted(maps.Keys(databases)), tables)
}

// tablesFirst has tables before the views that read and write them, and of each kind those first that were there first.
func tablesFirst(chosen map[catalog.TableID]*catalog.Table) []*catalog.Table {
	isView := func(t *catalog.Table) int {
		if t.Kind == catalog.KindView || t.Kind == catalog.KindRollup {
			return 1
		}
		return 0
	}
	return slices.SortedFunc(maps.Values(chosen), func(a, b *catalog.Table) int {
		return cmp.Or(cmp.Compare(isView(a), isView(b)), cmp.Compare(a.ID, b.ID))
	})
}

// rowsOf is the table that holds a table's own rows; nil if there are none.
func rowsOf(c *catalog.Catalog, t *catalog.Table) *catalog.Table {
	if t.Kind == catalog.KindRollup {
		if in := c.ByID(t.Target); in != nil && in.Inner {
			return in
		}
		return nil
	}
	if t.Kind != catalog.KindTable || t.BaseEngine() == "Null" {
		return nil
	}
	return t
}

// backedUp adds the tables of an element, and the databases if it names them.
func (x *statement) backedUp(e *ast.BackupElement, chosen map[catalog.TableID]*catalog.Table, databases map[string]bool) error {
	if e.Partitions != nil {
		return sqlerr.At(e.Start, sqlerr.NotImplemented, "BACKUP … PARTITIONS is not implemented")
	}
	if e.Kind == ast.BackupTable {
		db, name, err := x.table(e.Name)
		if err != nil {
			return err
		}
		if err := x.access.Check(access.On("BACKUP", db, name), false); err != nil {
			return err
		}
		t := x.cat.Table(db, name)
		if t == nil || db == "" {
			return sqlerr.At(e.Start, sqlerr.UnknownTable, "Table %s.%s was not found.", db, name)
		}
		if t.Kind == catalog.KindDictionary {
			return sqlerr.At(e.Start, sqlerr.NotImplemented, "BACKUP of dictionary %s is not implemented: its definition may hold a password", t.FullName())
		}
		if readsKafka(x.cat, t) {
			return sqlerr.At(e.Start, sqlerr.NotImplemented, "BACKUP of %s is not implemented: it is or reads a Kafka table, whose positions belong to the cluster", t.FullName())
		}
		chosen[t.ID] = t
		return nil
	}
	out, err := x.excepted(e)
	if err != nil {
		return err
	}
	of := ""
	if e.Kind == ast.BackupDatabase {
		if of, err = x.name(e.Name.Table); err != nil {
			return err
		}
		if x.cat.Database(of) == nil {
			return sqlerr.At(e.Start, sqlerr.UnknownDatabase, "Database %s does not exist", of)
		}
	}
	if err := x.access.Check(access.On("BACKUP", of, ""), false); err != nil {
		return err
	}
	for _, d := range x.cat.Databases() {
		if (of == "" || d.Name == of) && d.Name != "system" && !out.databases[d.Name] {
			databases[d.Name] = true
		}
	}
	for _, t := range x.cat.Tables(of) {
		if databases[t.Database] && !t.Inner && t.Kind != catalog.KindDictionary && !out.holds(t.Database, t.Name) && !readsKafka(x.cat, t) {
			chosen[t.ID] = t
		}
	}
	return nil
}

// readsKafka reports whether a table is a Kafka table or takes its rows from one.
func readsKafka(c *catalog.Catalog, t *catalog.Table) bool {
	source := c.ByID(t.Source)
	return t.Kind == catalog.KindKafka || t.Kind == catalog.KindRollup && source != nil && source.Kind == catalog.KindKafka
}

// exceptions is what stays out.
type exceptions struct{ databases, tables map[string]bool }

func (o *exceptions) holds(db, table string) bool { return o.databases[db] || o.tables[db+"."+table] }

func (x *statement) excepted(e *ast.BackupElement) (*exceptions, error) {
	out := &exceptions{databases: map[string]bool{}, tables: map[string]bool{}}
	for _, n := range e.ExceptDatabases {
		db, err := x.name(n)
		if err != nil {
			return nil, err
		}
		out.databases[db] = true
	}
	for _, n := range e.ExceptTables {
		if n.Database.IsZero() && e.Kind == ast.BackupDatabase {
			n.Database = e.Name.Table
		}
		db, name, err := x.table(n)
		if err != nil {
			return nil, err
		}
		out.tables[db+"."+name] = true
	}
	return out, nil
}

// errRestored tells how far a restore has come that failed.
func errRestored(err error, t *backup.Table, done []string) error {
	said := "no table has got rows before"
	if len(done) > 0 {
		said = "these have all their rows: " + strings.Join(done, ", ")
	}
	return sqlerr.Wrap(err, sqlerr.CodeOf(err), "While restoring data of table %s.%s; the tables are created, and %s", t.Database, t.Name, said)
}

// restoreFrom creates tables and databases of a backup, and adds the rows.
func (x *statement) restoreFrom(s *ast.Backup, from backup.Location, o backupOptions) (backup.Moved, error) {
	r, err := x.e.deps.Backups.OpenBackup(x.ctx, from)
	if err != nil {
		return backup.Moved{}, err
	}
	p := &restoring{x: x, r: r, o: o, names: map[string]ast.TableName{}, databases: map[string]bool{}}
	for _, e := range s.Elements {
		if err := p.choose(e); err != nil {
			return p.moved, err
		}
	}
	if err := p.define(); err != nil {
		return p.moved, err
	}
	if err := p.create(); err != nil {
		return p.moved, err
	}
	err = p.fill()
	return p.moved, err
}

// fill adds the rows.
func (p *restoring) fill() error {
	var done []string
	for _, t := range p.tables {
		made := p.x.cat.Table(t.database, t.name)
		if made == nil {
			return errRestored(sqlerr.New(sqlerr.CannotRestoreTable, "Table %s.%s was dropped meanwhile", t.database, t.name), t.entry, done)
		}
		into := rowsOf(p.x.cat, made)
		if into == nil || p.o.structureOnly || len(t.entry.Segments) == 0 {
			continue
		}
		if err := p.x.e.deps.Backups.Restore(p.x.ctx, p.r, t.entry, into); err != nil {
			return errRestored(err, t.entry, done)
		}
		for _, seg := range t.entry.Segments {
			p.moved.Segments++
			p.moved.Bytes += seg.Bytes
		}
		done = append(done, fmt.Sprintf("%s.%s", t.database, t.name))
	}
	return nil
}

// create makes the databases and tables that are not there.
func (p *restoring) create() error {
	x := p.x
	for _, db := range slices.Sorted(maps.Keys(p.databases)) {
		if err := x.createDatabase(&ast.CreateDatabase{Name: ast.Name{Text: db}, IfNotExists: true}); err != nil {
			return err
		}
	}
	for _, t := range p.tables {
		if t.there {
			continue
		}
		o, err := x.defineOptions()
		if err != nil {
			return err
		}
		o.Text = t.text
		err = x.change(func(c *catalog.Catalog) (*catalog.Catalog, error) {
			o.Analyze.Catalog = x.s.temps.over(c)
			ch, err := define.Create(x.ctx, t.create, o)
			if err != nil {
				return nil, err
			}
			return ch.Apply(c)
		})
		if err != nil {
			return sqlerr.Wrap(err, sqlerr.CodeOf(err), "While creating %s.%s", t.database, t.name)
		}
	}
	return nil
}
