package query

import (
	"strings"

	"github.com/olapd/olapd/internal/catalog"
	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/internal/types"
	"github.com/olapd/olapd/query/analyze"
	"github.com/olapd/olapd/query/ast"
	"github.com/olapd/olapd/query/define"
	"github.com/olapd/olapd/query/parse"
	"github.com/olapd/olapd/query/plan"
	"github.com/olapd/olapd/query/settings"
)

// rewritten parses a SELECT that stands for a SHOW and makes r yield its rows.
func (x *statement) rewritten(r *Result, sql string, out ast.Output) error {
	n, err := x.internalPlan(sql)
	if err != nil {
		return err
	}
	return x.result(r, n, out)
}

func (x *statement) internalPlan(sql string) (plan.Node, error) {
	stmt, err := parse.One(sql, parse.Limits{QuerySize: len(sql) + 1})
	if err != nil {
		return nil, err
	}
	return x.analyzed(stmt.(*ast.SelectUnion))
}

// internal runs a small SELECT of the engine's own.
func (x *statement) internal(sql string) (*column.Block, error) {
	n, err := x.internalPlan(sql)
	if err != nil {
		return nil, err
	}
	p, err := x.pipeline(n, false)
	if err != nil {
		return nil, err
	}
	return gather(x.ctx, p)
}

// filter is what LIKE, WHERE and LIMIT of a SHOW add; conds are the other conditions.
func filter(s *ast.Show, name string, conds ...string) string {
	if s.HasLike {
		op := " LIKE "
		if s.ILike {
			op = " ILIKE "
		}
		if s.NotLike {
			op = " NOT" + op
		}
		conds = append(conds, name+op+types.QuoteString(s.Like))
	}
	if s.Where != nil {
		conds = append(conds, "("+ast.Format(s.Where)+")")
	}
	if len(conds) == 0 {
		return ""
	}
	return " WHERE " + strings.Join(conds, " AND ")
}

func limit(s *ast.Show) string {
	if s.Limit == nil {
		return ""
	}
	return " LIMIT " + ast.Format(s.Limit)
}

func (x *statement) show(r *Result, s *ast.Show) error {
	quote := types.QuoteString
	switch s.Kind {
	case ast.ShowDatabases:
		return x.rewritten(r, "SELECT name FROM system.databases"+filter(s, "name")+" ORDER BY name"+limit(s), s.Output)
	case ast.ShowTables, ast.ShowViews, ast.ShowDictionaries, ast.ShowRollups:
		return x.showTables(r, s)
	case ast.ShowCreate:
		return x.showCreate(r, s)
	case ast.ShowColumns:
		return x.showColumns(r, s)
	case ast.ShowIndexes:
		return x.showIndexes(r, s)
	case ast.ShowProcesslist:
		return x.rewritten(r, "SELECT * FROM system.processes"+filter(s, "query")+" ORDER BY elapsed DESC", s.Output)
	case ast.ShowFunctions:
		return x.rewritten(r, "SELECT * FROM system.functions"+filter(s, "name"), s.Output)
	case ast.ShowSettings:
		conds := []string{}
		if s.Changed {
			conds = append(conds, "changed = 1")
		}
		return x.rewritten(r, "SELECT name, type, value FROM system.settings"+filter(s, "name", conds...)+" ORDER BY name", s.Output)
	case ast.ShowSetting:
		return x.rewritten(r, "SELECT value FROM system.settings WHERE name = "+quote(s.Name.Table.Text), s.Output)
	case ast.ShowEngines:
		return x.rewritten(r, "SELECT * FROM system.table_engines ORDER BY name", s.Output)
	case ast.ShowClusters:
		return x.rewritten(r, "SELECT DISTINCT cluster FROM system.clusters"+filter(s, "cluster")+" ORDER BY cluster", s.Output)
	case ast.ShowCluster:
		return x.rewritten(r, "SELECT * FROM system.clusters WHERE cluster = "+quote(s.Name.Table.Text), s.Output)
	case ast.ShowMerges:
		return x.rewritten(r, "SELECT table, database, round(elapsed, 1) AS elapsed, round(progress * 100, 1) AS progress FROM system.merges"+filter(s, "table"), s.Output)
	}
	return sqlerr.At(s.Start, sqlerr.NotImplemented, "This SHOW is not implemented: %s", ast.Format(s))
}

func (x *statement) showTables(r *Result, s *ast.Show) error {
	db, err := x.name(s.From)
	if err != nil {
		return err
	}
	if db == "" {
		db = x.db
	}
	if !x.hasDatabase(db) {
		return x.noDatabase(db)
	}
	conds := []string{"database = " + types.QuoteString(db)}
	table := "system.tables"
	switch {
	case s.Temporary:
		conds = []string{"is_temporary"}
	case s.Kind == ast.ShowViews:
		conds = append(conds, "engine LIKE '%View'")
	case s.Kind == ast.ShowRollups:
		conds = append(conds, "engine = 'MaterializedView'")
	case s.Kind == ast.ShowDictionaries:
		table = "system.dictionaries"
	}
	cols := "name"
	if s.Full {
		cols = "name, engine"
	}
	return x.rewritten(r, "SELECT "+cols+" FROM "+table+filter(s, "name", conds...)+" ORDER BY name"+limit(s), s.Output)
}

func (x *statement) showCreate(r *Result, s *ast.Show) error {
	text := ""
	if s.Object == ast.ObjectDatabase {
		name, err := x.name(s.Name.Table)
		if err != nil {
			return err
		}
		d := x.cat.Database(name)
		if d == nil {
			return x.noDatabase(name)
		}
		text = "CREATE DATABASE " + ast.QuoteIdent(d.Name) + "\nENGINE = " + d.Engine
		if d.Comment != "" {
			text += "\nCOMMENT " + ast.QuoteString(d.Comment)
		}
	} else {
		t, err := x.existing(s.Name)
		if sqlerr.Is(err, sqlerr.UnknownTable) {
			db, name, _ := x.table(s.Name)
			return sqlerr.At(s.Name.Start, sqlerr.CannotGetCreateTableQuery, "Table `%s` doesn't exist in database `%s`", name, db)
		}
		if err != nil {
			return err
		}
		if s.Object == ast.ObjectDictionary && t.Kind != catalog.KindDictionary {
			return notDictionary(s.Name, t)
		}
		text = define.CreateSQL(t, x.cat)
	}
	r.rows(column.Schema{{Name: "statement", Type: types.TString}}, column.NewBlock(column.NewStrings(text)), s.Output)
	return nil
}

func (x *statement) showColumns(r *Result, s *ast.Show) error {
	db, name, err := x.shownTable(s)
	if err != nil {
		return err
	}
	cols := "name AS field, type AS type, if(startsWith(type, 'Nullable') OR startsWith(type, 'LowCardinality(Nullable'), 'YES', 'NO') AS `null`, " +
		"trim(concat(if(is_in_primary_key, 'PRI', ''), if(is_in_sorting_key, ' SOR', ''))) AS key, " +
		"if(default_kind IN ('ALIAS', 'DEFAULT', 'MATERIALIZED'), CAST(default_expression, 'Nullable(String)'), NULL) AS default, '' AS extra"
	if s.Full {
		cols += ", CAST(NULL, 'Nullable(String)') AS collation, comment AS comment, '' AS privileges"
	}
	return x.rewritten(r, "SELECT "+cols+" FROM system.columns"+
		filter(s, "field", "database = "+types.QuoteString(db), "table = "+types.QuoteString(name))+" ORDER BY field"+limit(s), s.Output)
}

// shownTable resolves SHOW COLUMNS FROM table FROM database.
func (x *statement) shownTable(s *ast.Show) (db, name string, err error) {
	if db, name, err = x.table(s.Name); err != nil {
		return "", "", err
	}
	if !s.From.IsZero() {
		db, err = x.name(s.From)
	}
	return db, name, err
}

func (x *statement) showIndexes(r *Result, s *ast.Show) error {
	db, name, err := x.shownTable(s)
	if err != nil {
		return err
	}
	null := "CAST(NULL, 'Nullable(Nothing)')"
	text := "CAST(NULL, 'Nullable(String)')"
	tail := ", 0 AS cardinality, " + null + " AS sub_part, " + null + " AS packed, " + null + " AS `null`, index_type, '' AS comment, '' AS index_comment, 'YES' AS visible, expression"
	where := "database = " + types.QuoteString(db) + " AND table = " + types.QuoteString(name)
	sql := "SELECT table, 1 AS non_unique, key_name, toUInt64(1) AS seq_in_index, pk_col, collation" + tail + " FROM (" +
		"SELECT table, name AS key_name, '' AS pk_col, " + text + " AS collation, upper(type) AS index_type, expr AS expression FROM system.data_skipping_indices WHERE " + where +
		" UNION ALL SELECT table, 'PRIMARY' AS key_name, primary_key AS pk_col, CAST('A', 'Nullable(String)') AS collation, 'PRIMARY' AS index_type, '' AS expression FROM system.tables WHERE " +
		"database = " + types.QuoteString(db) + " AND name = " + types.QuoteString(name) + " AND primary_key != '')"
	return x.rewritten(r, sql+filter(s, "key_name")+" ORDER BY index_type, expression, seq_in_index", s.Output)
}

func (x *statement) exists(r *Result, s *ast.Exists) error {
	there := false
	switch s.Kind {
	case ast.ObjectDatabase:
		db, err := x.name(s.Name.Table)
		if err != nil {
			return err
		}
		there = x.hasDatabase(db)
	case ast.ObjectFunction:
	default:
		db, name, err := x.table(s.Name)
		if err != nil {
			return err
		}
		o, err := x.analyzeOptions()
		if err != nil {
			return err
		}
		t := x.cat.Table(db, name)
		there = t != nil && (s.Kind != ast.ObjectView || t.Kind == catalog.KindView || t.Kind == catalog.KindRollup) || t == nil && o.Virtual(db, name) != nil
		there = there && (s.Kind != ast.ObjectDictionary || t != nil && t.Kind == catalog.KindDictionary)
		there = there && s.Temporary == (t != nil && isTemporary(t))
	}
	v := uint8(0)
	if there {
		v = 1
	}
	r.rows(column.Schema{{Name: "result", Type: types.TUInt8}}, column.NewBlock(column.NewBools([]uint8{v})), s.Output)
	return nil
}

var describeColumns = []string{"name", "type", "default_type", "default_expression", "comment", "codec_expression", "ttl_expression"}

func (x *statement) describe(r *Result, s *ast.Describe) error {
	cols, err := x.described(s.Table)
	if err != nil {
		return err
	}
	n := len(describeColumns)
	if settings.DescribeShort.Of(x.set) {
		n = 2
	}
	var schema column.Schema
	b := &column.Block{N: len(cols)}
	for i, name := range describeColumns[:n] {
		schema = append(schema, column.Field{Name: name, Type: types.TString})
		v := column.NewStrings()
		for _, c := range cols {
			v.AppendString(describedField(c, i))
		}
		b.Cols = append(b.Cols, v)
	}
	r.rows(schema, b, s.Output)
	return nil
}

func describedField(c catalog.Column, i int) string {
	switch i {
	case 0:
		return c.Name
	case 1:
		return c.Type
	case 2:
		return string(c.Default)
	case 3:
		if c.Default == catalog.Ephemeral && c.Expr == "" {
			return "defaultValueOfTypeName(" + types.QuoteString(c.Type) + ")"
		}
		return parse.ShownExpr(c.Expr)
	case 4:
		return c.Comment
	case 5:
		return strings.TrimSuffix(strings.TrimPrefix(c.Codec, "CODEC("), ")")
	}
	return parse.ShownExpr(c.TTL)
}

// described is the columns of a table as declared, or of what a subquery or function yields.
func (x *statement) described(t ast.TableExpr) ([]catalog.Column, error) {
	if ref, ok := t.(*ast.TableRef); ok {
		entry, err := x.existing(ref.Name)
		if err == nil {
			return entry.Columns, nil
		}
		if db, name, terr := x.table(ref.Name); terr != nil || x.src == nil || x.lookup(db, name) == nil {
			return nil, err
		}
	}
	o, err := x.analyzeOptions()
	if err != nil {
		return nil, err
	}
	n, err := analyze.Table(x.ctx, t, o)
	if err != nil {
		return nil, err
	}
	var out []catalog.Column
	for _, f := range n.Schema() {
		out = append(out, catalog.Column{Name: f.Name, Type: f.Type.String()})
	}
	return out, nil
}
