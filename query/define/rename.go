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
		refresh, rerr := refreshIn(t.Refresh, from, to)
		if rerr != nil {
			bad = sqlerr.Wrap(rerr, sqlerr.CodeOf(rerr), "in %s", t.FullName())
		}
		if t.Database != from && text == t.Select && refresh == t.Refresh {
			return t
		}
		n := *t
		n.Refresh = refresh
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

// refreshIn replaces a database's name in what a refreshable view depends on.
func refreshIn(r *catalog.Refresh, from, to string) (*catalog.Refresh, error) {
	if r == nil || !slices.ContainsFunc(r.DependsOn, func(n catalog.Name) bool { return n.Database == from }) {
		return r, nil
	}
	const alter = "ALTER TABLE t MODIFY REFRESH "
	stmt, err := parse.One(alter+r.Text, parse.Limits{QuerySize: len(alter) + len(r.Text) + 1})
	if err != nil {
		return nil, err
	}
	n, text := *r, *stmt.(*ast.Alter).Commands[0].Refresh
	n.DependsOn, text.DependsOn = slices.Clone(r.DependsOn), slices.Clone(text.DependsOn)
	for i := range n.DependsOn {
		if n.DependsOn[i].Database == from {
			n.DependsOn[i].Database, text.DependsOn[i].Database.Text = to, to
		}
	}
	n.Text = refreshText(&text)
	return &n, nil
}

// refreshText is a REFRESH as SHOW CREATE prints it, without that word.
func refreshText(r *ast.Refresh) string {
	whole := ast.Format(&ast.Alter{Commands: []*ast.AlterCommand{{Kind: ast.AlterModifyRefresh, Refresh: r}}})
	return whole[strings.Index(whole, " REFRESH ")+len(" REFRESH "):]
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
