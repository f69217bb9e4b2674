package parse

import "github.com/olapd/olapd/query/ast"

// Shown is the text of a statement without the secrets in it. Of one that cannot be parsed what follows a word that a secret may stand behind is cut off.
func Shown(sql string) string {
	if !ast.MayHide(sql) {
		return sql
	}
	s, err := One(sql, ownText(sql))
	if err != nil {
		return ast.Cut(sql)
	}
	return ast.ShownText(s, sql)
}

// ShownExpr is Shown of an expression.
func ShownExpr(sql string) string {
	if !ast.MayHide(sql) {
		return sql
	}
	e, err := Expr(sql, ownText(sql))
	if err != nil {
		return ast.Cut(sql)
	}
	return ast.ShownText(e, sql)
}

// ownText are the limits of a text that the server has made.
func ownText(sql string) Limits { return Limits{QuerySize: len(sql) + 1, Elements: len(sql) + 1} }
