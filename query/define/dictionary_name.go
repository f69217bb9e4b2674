package define

import (
	"strings"

	"github.com/olapd/olapd/internal/catalog"
	"github.com/olapd/olapd/internal/function"
	"github.com/olapd/olapd/query/ast"
)

// fullDictionary is the full name of the dictionary that a call names without its database; "" if it names none so.
func fullDictionary(f *ast.FuncCall, db string, c *catalog.Catalog) string {
	if len(f.Args) == 0 {
		return ""
	}
	if s := function.Lookup(f.Name); f.Name != "dictionary" && (s == nil || s.Family != function.FamilyDictionaries) {
		return ""
	}
	name := ""
	switch a := f.Args[0].(type) {
	case *ast.Literal:
		name = a.Str
	case *ast.Ident:
		if len(a.Parts) == 1 {
			name = a.Last()
		}
	}
	if t := c.Table(db, name); t == nil || t.Kind != catalog.KindDictionary || strings.Contains(name, ".") {
		return ""
	}
	return db + "." + name
}

// NamedDictionaries returns an expression in which dictionaries are named with their database, db where none is written, so that it means the same
// whatever the current database is.
func NamedDictionaries(e ast.Expr, db string, c *catalog.Catalog) ast.Expr {
	return ast.Rewrite(e, func(e ast.Expr) ast.Expr {
		f, ok := e.(*ast.FuncCall)
		if !ok {
			return e
		}
		full := fullDictionary(f, db, c)
		if full == "" {
			return e
		}
		n := *f
		n.Args = append([]ast.Expr{&ast.Literal{Range: f.Args[0].Span(), Kind: ast.LiteralString, Str: full}}, f.Args[1:]...)
		return &n
	})
}
