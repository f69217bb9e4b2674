package define

import (
	"slices"
	"strings"

	"github.com/olapd/olapd/internal/catalog"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/query/ast"
	"github.com/olapd/olapd/query/parse"
)

// RenamedDatabase gives a database another name, also where the SELECTs of views and rollups name it.
func RenamedDatabase(c *catalog.Catalog, from, to string) (*catalog.Catalog, error) {
	var bad error
	next, err := c.WithRenamedDatabase(from, to, func(t *catalog.Table) *catalog.Table {
		text, err := renamedIn(t.Select, from, to)
		if err != nil {
			bad = sqlerr.Wrap(err, sqlerr.CodeOf(err), "in %s", t.FullName())
		}
		if t.Database != from && text == t.Select {
			return t
		}
		n := *t
		if n.Select = text; n.Database == from {
			n.Database = to
		}
		return &n
	})
	if bad != nil {
		err = bad
	}
	if err != nil {
		return nil, err
	}
	for _, t := range next.Tables("") { // a rollup's text names its target
		if was := c.ByID(t.ID); was != t {
			t.CreateSQL = CreateSQL(t, next)
		}
	}
	return next, nil
}

// renamedIn replaces a database's name in the tables of a view's SELECT, where each stands with its database.
func renamedIn(text, from, to string) (string, error) {
	if text == "" {
		return "", nil
	}
	stmt, err := parse.One(text, parse.Limits{QuerySize: len(text) + 1})
	if err != nil {
		return "", err
	}
	var names []ast.TableName
	ast.Walk(stmt, func(n ast.Node) bool {
		if t, ok := n.(*ast.TableRef); ok && t.Name.Database.Text == from && !t.Name.Database.Param {
			names = append(names, t.Name)
		}
		return true
	})
	slices.SortFunc(names, func(a, b ast.TableName) int { return a.Start - b.Start })
	var b strings.Builder
	pos := 0
	for _, n := range names {
		b.WriteString(text[pos:n.Start])
		b.WriteString(quotedName(to, n.Table.Text))
		pos = n.End
	}
	return b.String() + text[pos:], nil
}
