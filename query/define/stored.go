package define

import (
	"slices"
	"strconv"
	"strings"

	"github.com/olapd/olapd/internal/catalog"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/query/ast"
	"github.com/olapd/olapd/query/parse"
)

// Rows hold a column under its stored name, which it keeps while it has other names, and which no column that comes later gets: so a column
// that was renamed finds its values, and a new one does not find those of a dropped one of its name.

// storedFor is what Column.Stored is to be of a new column.
func storedFor(t *catalog.Table, name string) string {
	taken := func(s string) bool {
		return slices.Contains(t.Dropped, s) || slices.ContainsFunc(t.Columns, func(c catalog.Column) bool { return c.StoredName() == s })
	}
	if !taken(name) {
		return ""
	}
	for i := 1; ; i++ {
		if s := name + "#" + strconv.Itoa(i); !taken(s) {
			return s
		}
	}
}

// Renamed is an expression (SQL) with columns under other names; parameters of lambdas hide columns of their name.
func Renamed(sql string, names map[string]string) (string, error) {
	if sql == "" || len(names) == 0 {
		return sql, nil
	}
	e, err := parse.Expr(sql, parse.Limits{})
	if err != nil {
		return "", err
	}
	if !renameIn(e, names) {
		return sql, nil // as the user wrote it
	}
	return ast.Format(e), nil
}

// renameIn reports whether it changed anything.
func renameIn(e ast.Node, names map[string]string) bool {
	changed := false
	ast.Walk(e, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.Ident:
			for i := len(n.Parts); i > 0; i-- { // columns of Nested have a dot in their names
				if to, ok := names[joined(n.Parts[:i])]; ok {
					n.Parts, changed = slices.Concat([]ast.Name{{Text: to, Quoted: true}}, n.Parts[i:]), true
					break
				}
			}
		case *ast.Lambda:
			inner := map[string]string{}
			for from, to := range names {
				if !slices.Contains(n.Params, from) {
					inner[from] = to
				}
			}
			changed = renameIn(n.Body, inner) || changed
			return false
		}
		return true
	})
	return changed
}

// joined is a path as one name.
func joined(parts []ast.Name) string {
	name := parts[0].Text
	for _, p := range parts[1:] {
		name += "." + p.Text
	}
	return name
}

// mayRead reports whether a path may mean a column, or what is in it.
func mayRead(id *ast.Ident, column string) bool {
	return slices.ContainsFunc(id.Parts, func(p ast.Name) bool { return p.Text == column }) || strings.HasSuffix("."+joined(id.Parts)+".", "."+column+".") ||
		strings.HasPrefix(joined(id.Parts)+".", column+".")
}

// renameColumn gives a column another name, also where expressions of the table read it. Keys and what views read keep their names.
func (a *alteration) renameColumn(c *ast.AlterCommand) error {
	i := a.find(c.Name)
	switch {
	case i < 0 && c.IfExists:
		return nil
	case i < 0:
		return sqlerr.At(c.Start, sqlerr.NotFoundColumnInBlock, "Wrong column name. Cannot find column `%s` to rename", c.Name)
	case a.find(c.NewName) >= 0:
		return sqlerr.At(c.Start, sqlerr.DuplicateColumn, "Cannot rename to %s: column with this name already exists", c.NewName)
	case a.ofKey(c.Name):
		return sqlerr.At(c.Start, sqlerr.AlterOfColumnIsForbidden, "Trying to ALTER RENAME key %s column which is a part of key expression", c.Name)
	}
	stored := IsStored(a.t.Columns[i].Default) && a.t.Kind == catalog.KindTable
	if stored && !IsMergeTree(a.t) && a.t.Engine != "Memory" && a.t.Engine != "Null" {
		return sqlerr.At(c.Start, sqlerr.NotImplemented, "Alter of type 'RENAME_COLUMN' is not supported by storage %s", a.t.Engine)
	}
	if r := a.readBy(c.Name); r != "" {
		return sqlerr.At(c.Start, sqlerr.AlterOfColumnIsForbidden, "Trying to ALTER RENAME column %s, which materialized view %s reads: drop the view first", c.Name, r)
	}
	for _, r := range a.o.catalog().Tables("") {
		if r.Kind == catalog.KindRollup && r.Target == a.t.ID {
			return sqlerr.At(c.Start, sqlerr.AlterOfColumnIsForbidden, "Trying to ALTER RENAME column %s, which materialized view %s writes: drop the view first", c.Name, r.FullName())
		}
	}
	col := &a.t.Columns[i]
	if stored {
		if col.Stored = col.StoredName(); col.Stored == c.NewName {
			col.Stored = ""
		}
	}
	col.Name = c.NewName
	return a.renameReads(map[string]string{c.Name: c.NewName})
}

// renameReads changes the expressions that read renamed columns.
func (a *alteration) renameReads(names map[string]string) error {
	var texts []*string
	for i := range a.t.Columns {
		texts = append(texts, &a.t.Columns[i].Expr, &a.t.Columns[i].TTL)
	}
	for i := range a.t.Indexes {
		texts = append(texts, &a.t.Indexes[i].Expr)
	}
	for i := range a.t.Constraints {
		texts = append(texts, &a.t.Constraints[i].Expr)
	}
	a.t.TTLs = slices.Clone(a.t.TTLs)
	for i := range a.t.TTLs {
		texts = append(texts, &a.t.TTLs[i].Expr, &a.t.TTLs[i].Where)
	}
	for _, text := range texts {
		next, err := Renamed(*text, names)
		if err != nil {
			return err
		}
		*text = next
	}
	return nil
}
