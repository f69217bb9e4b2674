package access

import (
	"slices"
	"strings"

	"github.com/olapd/olapd/internal/sqlerr"
)

// Need is privileges that a statement needs on an object.
type Need struct {
	Privileges []string
	On         Object
	// AnyColumn says that having them on one column of the table is enough: only its rows are counted.
	AnyColumn bool
}

// On is a Need of one privilege on a table, a database (no table) or everything (neither).
func On(privilege, database, table string, columns ...string) Need {
	return Need{Privileges: []string{privilege}, On: Object{Database: database, Table: table, Columns: columns}}
}

// OnParam is a Need of one privilege on a user, source, engine, definer or named collection.
func OnParam(privilege, param string) Need {
	return Need{Privileges: []string{privilege}, On: Object{Param: param, OnParam: true}}
}

// Check returns AccessDenied, in ClickHouse's words, if the user lacks something of n; with option, if they may not pass it on.
func (e *Enabled) Check(n Need, option bool) error {
	set := Of(n.Privileges...)
	if e.Rights.Has(set, n.On, option) {
		return nil
	}
	if n.AnyColumn && implied(e.Rights.Any(n.On)).has(set) {
		return nil
	}
	deny := func(format string, args ...any) error {
		return sqlerr.New(sqlerr.AccessDenied, e.User.Name+": Not enough privileges. "+format, args...)
	}
	if n.AnyColumn {
		return deny("To execute this query, it's necessary to have the grant %s for at least one column on %s.%s.", strings.Join(n.Privileges, ", "), n.On.Database, n.On.Table)
	}
	if option && e.Rights.Has(set, n.On, false) {
		return deny("The required privileges have been granted, but without grant option. To execute this query, it's necessary to have the grant %s WITH GRANT OPTION.", e.text(n))
	}
	with := ""
	if option {
		with = " WITH GRANT OPTION"
	}
	text := e.text(n)
	if m, some := e.missing(n, option); some {
		return deny("To execute this query, it's necessary to have the grant %s%s. (Missing permissions: %s).", text, with, e.text(m))
	}
	return deny("To execute this query, it's necessary to have the grant %s%s.", text, with)
}

// missing is the part of n that the user lacks; false if that is all of it.
func (e *Enabled) missing(n Need, option bool) (Need, bool) {
	m := n
	m.On.Columns = slices.DeleteFunc(slices.Clone(n.On.Columns), func(c string) bool {
		o := n.On
		o.Columns = []string{c}
		return e.Rights.Has(Of(n.Privileges...), o, option)
	})
	m.Privileges = slices.DeleteFunc(slices.Clone(n.Privileges), func(p string) bool { return e.Rights.Has(Of(p), n.On, option) })
	if len(n.On.Columns) == 0 {
		m.On.Columns = n.On.Columns
	}
	return m, len(m.On.Columns) < len(n.On.Columns) || len(m.Privileges) < len(n.Privileges)
}

// text is a need as GRANT would have it. Columns that the user may not know of are not named.
func (e *Enabled) text(n Need) string {
	names := Of(n.Privileges...).Names(0)
	cols := ""
	if len(n.On.Columns) > 0 && !slices.ContainsFunc(n.On.Columns, func(c string) bool { return !e.ShowsColumn(n.On.Database, n.On.Table, c) }) {
		cols = "(" + strings.Join(n.On.Columns, ", ") + ")"
	}
	return strings.Join(names, cols+", ") + cols + " ON " + n.On.String()
}

// String is the object as GRANT names it.
func (o Object) String() string {
	quote := func(s string) string {
		if s == "" {
			return "*"
		}
		return quoteName(s)
	}
	switch {
	case o.OnParam:
		return quote(o.Param)
	case o.Database == "" && o.Table == "":
		return "*.*"
	}
	return quote(o.Database) + "." + quote(o.Table)
}

// quoteName puts a name in backticks if it is no plain identifier.
func quoteName(s string) string {
	plain := s != ""
	for i, c := range []byte(s) {
		letter := c == '_' || c|0x20 >= 'a' && c|0x20 <= 'z'
		plain = plain && (letter || i > 0 && c >= '0' && c <= '9')
	}
	if plain {
		return s
	}
	return "`" + strings.NewReplacer(`\`, `\\`, "`", "\\`").Replace(s) + "`"
}

// ShowsDatabase reports whether the user may know of a database.
func (e *Enabled) ShowsDatabase(database string) bool {
	r := privileges()
	relevant := r.database.or(r.table).or(r.dictionary).or(r.column)
	return !e.Rights.Any(Object{Database: database}).and(relevant).IsEmpty()
}

// ShowsTable reports whether the user may know of a table.
func (e *Enabled) ShowsTable(database, table string) bool {
	return implied(e.Rights.Any(Object{Database: database, Table: table})).has(implications().showTables)
}

// ShowsColumn reports whether the user may know of a column.
func (e *Enabled) ShowsColumn(database, table, column string) bool {
	return e.Rights.Has(implications().showColumns, Object{Database: database, Table: table, Columns: []string{column}}, false)
}
