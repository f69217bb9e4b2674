package analyze

import (
	"regexp"
	"slices"
	"strings"

	"github.com/olapd/olapd/internal/catalog"
	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/internal/types"
	"github.com/olapd/olapd/query/ast"
	"github.com/olapd/olapd/query/parse"
)

// maxMerged bounds the tables that merge reads as one: ClickHouse's merge_table_max_tables_to_look_for_schema_inference.
const maxMerged = 1000

// mergeColumn is a column of some of the tables.
type mergeColumn struct {
	name string
	t    *types.Type
	bare bool
}

// mergeFunction is merge([database,] 'expression'): the rows of all tables whose names match, UNION ALL, in columns that any of them has. The
// columns _database and _table tell where a row is from. The database is a name or REGEXP('expression').
func (s *scope) mergeFunction(t *ast.TableFunction) (*frame, error) {
	tables, err := s.mergedTables(t)
	if err != nil {
		return nil, err
	}
	columns, err := mergedColumns(tables)
	if err != nil {
		return nil, err
	}
	var b strings.Builder
	for i, table := range tables {
		if i > 0 {
			b.WriteString(" UNION ALL ")
		}
		b.WriteString("SELECT ")
		for _, c := range columns {
			b.WriteString(mergeItem(table, c) + ", ")
		}
		b.WriteString("CAST(" + types.QuoteString(table.Database) + ", 'LowCardinality(String)'), CAST(" + types.QuoteString(table.Name) + ", 'LowCardinality(String)') FROM " +
			ast.QuoteIdent(table.Database) + "." + ast.QuoteIdent(table.Name))
	}
	stmt, err := parse.One(b.String(), parse.Limits{QuerySize: b.Len() + 1, Elements: b.Len() + 1})
	if err != nil {
		return nil, err
	}
	n, err := s.a.union(stmt.(*ast.SelectUnion), nil)
	if err != nil {
		return nil, err
	}
	names := make([]string, 0, len(columns)+2)
	for _, c := range columns {
		names = append(names, c.name)
	}
	f, err := renamed(n, t.Alias, append(names, "_database", "_table"))
	if err != nil {
		return nil, err
	}
	for i, c := range f.sources[0].columns {
		c.bare = i < len(columns) && columns[i].bare
	}
	return f, nil
}

// mergeItem is how a table yields a column.
func mergeItem(t *catalog.Table, c mergeColumn) string {
	own := t.Column(c.name)
	switch {
	case own == nil || own.Default == catalog.Ephemeral:
		return "arrayElement(CAST([], " + types.QuoteString("Array("+c.t.String()+")") + "), 1)" // what is not in an array is the type's default
	case own.Type == c.t.String():
		return ast.QuoteIdent(c.name)
	}
	return "CAST(" + ast.QuoteIdent(c.name) + ", " + types.QuoteString(c.t.String()) + ")"
}

// mergedTables are the tables that a call of merge means, by database and name.
func (s *scope) mergedTables(t *ast.TableFunction) ([]*catalog.Table, error) {
	args := t.Call.Args
	if len(args) < 1 || len(args) > 2 {
		return nil, sqlerr.New(sqlerr.NumberOfArgumentsDoesntMatch, "Table function 'merge' requires from 1 to 2 parameters: merge(['db_name',] 'tables_regexp')")
	}
	inDatabase := func(db string) bool { return db == s.a.opts.Database }
	if len(args) == 2 {
		var err error
		if inDatabase, err = s.mergedDatabases(args[0]); err != nil {
			return nil, err
		}
	}
	match, err := s.mergePattern(args[len(args)-1])
	if err != nil {
		return nil, err
	}
	var out []*catalog.Table
	for _, x := range slices.Concat(s.a.opts.Catalog.Tables(""), s.virtualTables()) {
		itself := slices.Contains(s.a.views, x.ID) // the view that the call stands in
		if inDatabase(x.Database) && match.MatchString(x.Name) && !itself && !x.Inner && x.Kind != catalog.KindKafka && x.Database != "" {
			out = append(out, x)
		}
	}
	switch {
	case len(out) == 0:
		return nil, sqlerr.New(sqlerr.CannotExtractTableStructure, "There are no tables satisfied provided regexp, you must specify table structure manually")
	case len(out) > maxMerged:
		return nil, sqlerr.New(sqlerr.TooManyTables, "Table function merge matches %d tables, more than %d", len(out), maxMerged)
	}
	slices.SortFunc(out, func(a, b *catalog.Table) int { return strings.Compare(a.FullName(), b.FullName()) })
	return out, nil
}

// virtualTables are the tables that the catalog does not hold.
func (s *scope) virtualTables() []*catalog.Table {
	if s.a.opts.VirtualTables == nil {
		return nil
	}
	return s.a.opts.VirtualTables()
}

// mergedDatabases tells whether a database is one that the first argument names.
func (s *scope) mergedDatabases(e ast.Expr) (func(string) bool, error) {
	if c, ok := e.(*ast.FuncCall); ok && strings.EqualFold(c.Name, "REGEXP") && len(c.Args) == 1 {
		match, err := s.mergePattern(c.Args[0])
		if err != nil {
			return nil, err
		}
		return match.MatchString, nil
	}
	var db string
	if id, ok := e.(*ast.Ident); ok {
		path, err := s.a.path(id)
		if err != nil {
			return nil, err
		}
		db = path[len(path)-1]
	} else {
		text, err := s.mergeText(e)
		if err != nil {
			return nil, err
		}
		db = text
	}
	if s.a.opts.Catalog.Database(db) == nil && !slices.ContainsFunc(s.virtualTables(), func(t *catalog.Table) bool { return t.Database == db }) {
		return nil, sqlerr.New(sqlerr.UnknownDatabase, "Database %s does not exist", db)
	}
	return func(name string) bool { return name == db }, nil
}

func (s *scope) mergePattern(e ast.Expr) (*regexp.Regexp, error) {
	text, err := s.mergeText(e)
	if err != nil {
		return nil, err
	}
	re, err := regexp.Compile(text)
	if err != nil {
		return nil, sqlerr.Wrap(err, sqlerr.CannotCompileRegexp, "Regular expression %s", text)
	}
	return re, nil
}

// mergeText is a constant string.
func (s *scope) mergeText(e ast.Expr) (string, error) {
	arg, err := s.tableArg(e)
	if err != nil {
		return "", err
	}
	if arg.Value != nil {
		if text, ok := column.Value(arg.Value, 0).(string); ok {
			return text, nil
		}
	}
	return "", sqlerr.At(e.Span().Start, sqlerr.BadArguments, "Argument %s of table function merge must be a constant string", ast.Shown(e))
}

// mergedColumns are the columns that the tables have together: each new one stands behind that which is in front of it in its table, and has
// the least type that holds the values of all.
func mergedColumns(tables []*catalog.Table) ([]mergeColumn, error) {
	var out []mergeColumn
	for _, t := range tables {
		at := 0
		for _, c := range t.Columns {
			if c.Default == catalog.Ephemeral {
				continue
			}
			typ, err := types.Parse(c.Type)
			if err != nil {
				return nil, err
			}
			i := slices.IndexFunc(out, func(m mergeColumn) bool { return m.name == c.Name })
			if i < 0 {
				bare := c.Default != catalog.Alias && c.Default != catalog.Materialized
				out = slices.Insert(out, at, mergeColumn{c.Name, typ, bare})
				at++
				continue
			}
			if at = i + 1; !out[i].t.Equal(typ) {
				if out[i].t, err = types.Supertype(out[i].t, typ); err != nil {
					return nil, sqlerr.Wrap(err, sqlerr.CodeOf(err), "Column %s of the tables that are merged", c.Name)
				}
			}
		}
	}
	return out, nil
}
