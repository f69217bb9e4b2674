package define

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/olapd/olapd/internal/catalog"
	"github.com/olapd/olapd/query/ast"
	"github.com/olapd/olapd/query/parse"
)

// CreateSQL prints the statement that makes a table, as SHOW CREATE TABLE does: without secrets. c resolves a rollup's target and may be
// the catalog before the table was added.
func CreateSQL(t *catalog.Table, c *catalog.Catalog) string {
	return parse.Shown(createText(t, c, "\n"))
}

// CreateLine is the statement on one line, with its secrets: what backups keep. Who shows it does so by parse.Shown.
func CreateLine(t *catalog.Table, c *catalog.Catalog) string { return createText(t, c, " ") }

func createText(t *catalog.Table, c *catalog.Catalog, sep string) string {
	if t.Kind == catalog.KindDictionary {
		return dictionaryText(t, sep)
	}
	var b strings.Builder
	target := c.ByID(t.Target)
	switch {
	case t.Kind == catalog.KindView && !IsExternal(t):
		b.WriteString("CREATE " + map[bool]string{true: "TEMPORARY "}[t.Database == ""] + "VIEW " + shownTable(t))
	case t.Kind == catalog.KindRollup:
		b.WriteString("CREATE MATERIALIZED VIEW " + shownTable(t))
		if t.Refresh != nil {
			b.WriteString(sep + "REFRESH " + t.Refresh.Text)
		}
		if target != nil && !target.Inner {
			b.WriteString(" TO " + shownTable(target))
		}
	default:
		b.WriteString("CREATE " + map[bool]string{true: "TEMPORARY "}[t.Database == ""] + "TABLE " + shownTable(t))
	}
	writeColumns(&b, t, sep)
	switch {
	case t.Kind == catalog.KindRollup && target != nil && target.Inner:
		b.WriteString(sep + "ENGINE = " + engineText(target, sep))
	case t.Kind == catalog.KindRollup || t.Kind == catalog.KindView && !IsExternal(t):
	default:
		b.WriteString(sep + "ENGINE = " + engineText(t, sep))
	}
	if t.Refresh != nil {
		b.WriteString(sep + "DEFINER = " + ast.QuoteIdent(t.Refresh.Definer) + " SQL SECURITY DEFINER")
	}
	if t.Select != "" && !IsExternal(t) {
		b.WriteString(sep + "AS " + selectText(t.Select, sep))
	}
	if t.Comment != "" {
		b.WriteString(sep + "COMMENT " + ast.QuoteString(t.Comment))
	}
	return b.String()
}

// EngineFull is engine_full of system.tables: engine, keys, TTL and settings, without secrets.
func EngineFull(t *catalog.Table) string {
	if t.Kind == catalog.KindView && !IsExternal(t) || t.Kind == catalog.KindRollup || t.Kind == catalog.KindDictionary {
		return ""
	}
	const statement = "CREATE TABLE t (c UInt8) ENGINE = "
	return strings.TrimPrefix(parse.Shown(statement+engineText(t, " ")), statement)
}

func writeColumns(b *strings.Builder, t *catalog.Table, sep string) {
	var items []string
	for _, c := range t.Columns {
		items = append(items, columnText(c))
	}
	for _, i := range t.Indexes {
		items = append(items, "INDEX "+ast.QuoteIdent(i.Name)+" "+i.Expr+" TYPE "+i.Type+" GRANULARITY "+strconv.Itoa(i.Granularity))
	}
	for _, c := range t.Constraints {
		items = append(items, "CONSTRAINT "+ast.QuoteIdent(c.Name)+map[bool]string{true: " ASSUME ", false: " CHECK "}[c.Assume]+c.Expr)
	}
	if len(items) == 0 {
		return
	}
	if sep == "\n" {
		b.WriteString("\n(\n    " + strings.Join(items, ",\n    ") + "\n)")
		return
	}
	b.WriteString(" (" + strings.Join(items, ", ") + ")")
}

// backtick quotes a column's name, as a list of columns always does.
func backtick(name string) string {
	if q := ast.QuoteIdent(name); strings.HasPrefix(q, "`") {
		return q
	}
	return "`" + name + "`"
}

func columnText(c catalog.Column) string {
	s := backtick(c.Name) + " " + c.Type
	if c.Default != catalog.DefaultNone {
		s += " " + string(c.Default)
		if c.Expr != "" {
			s += " " + c.Expr
		}
	}
	if c.Comment != "" {
		s += " COMMENT " + ast.QuoteString(c.Comment)
	}
	if c.Codec != "" {
		s += " " + c.Codec
	}
	if c.TTL != "" {
		s += " TTL " + c.TTL
	}
	return s
}

func engineText(t *catalog.Table, sep string) string {
	s := t.Engine
	if len(t.EngineArgs) > 0 {
		s += "(" + strings.Join(t.EngineArgs, ", ") + ")"
	}
	if t.PartitionBy != "" {
		s += sep + "PARTITION BY " + t.PartitionBy
	}
	if len(t.PrimaryKey) > 0 {
		s += sep + "PRIMARY KEY " + keyText(t.PrimaryKey)
	}
	if IsMergeTree(t) {
		s += sep + "ORDER BY " + keyText(t.SortKey)
	}
	if t.SampleBy != "" {
		s += sep + "SAMPLE BY " + t.SampleBy
	}
	if len(t.TTLs) > 0 {
		var rules []string
		for _, r := range t.TTLs {
			text := r.Expr
			if r.Where != "" {
				text += " WHERE " + r.Where
			}
			rules = append(rules, text)
		}
		s += sep + "TTL " + strings.Join(rules, ", ")
	}
	if len(t.Settings) > 0 {
		var list []string
		for _, k := range slices.Sorted(maps.Keys(t.Settings)) {
			list = append(list, k+" = "+settingText(t.Settings[k]))
		}
		s += sep + "SETTINGS " + strings.Join(list, ", ")
	}
	return s
}

func settingText(v string) string {
	if _, err := strconv.ParseFloat(v, 64); err == nil {
		return v
	}
	return ast.QuoteString(v)
}

// KeyText joins the elements of a key as system.tables shows them.
func KeyText(key []string) string { return strings.Join(key, ", ") }

func keyText(key []string) string {
	switch len(key) {
	case 0:
		return "tuple()"
	case 1:
		return key[0]
	}
	return "(" + KeyText(key) + ")"
}

// selectText prints a SELECT over several lines where sep is a line end.
func selectText(sql, sep string) string {
	if sep != "\n" {
		return sql
	}
	stmt, err := parse.One(sql, parse.Limits{QuerySize: len(sql) + 1})
	if err != nil {
		return sql
	}
	if q, ok := stmt.(*ast.SelectUnion); ok {
		return Lines(q)
	}
	return sql
}

// shownTable is database.table; behind the dot no word is taken for a keyword.
func shownTable(t *catalog.Table) string {
	name := ast.QuoteIdent(t.Name)
	if plain := strings.Trim(name, "`"); ast.QuoteIdent(plain+"_") == plain+"_" {
		name = plain
	}
	if t.Database == "" {
		return name
	}
	return ast.QuoteIdent(t.Database) + "." + name
}
