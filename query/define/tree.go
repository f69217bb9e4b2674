package define

import (
	"fmt"
	"strings"

	"github.com/olapd/olapd/query/ast"
)

// Tree prints a syntax tree for EXPLAIN AST: a node a line, with what tells it apart, its parts indented. Secrets are not printed.
func Tree(n ast.Node) string {
	var b strings.Builder
	hidden := map[ast.Node]string{}
	for _, s := range ast.Secrets(n) {
		hidden[s.Expr] = s.Text
	}
	tree(&b, n, hidden, 0)
	return b.String()
}

func tree(b *strings.Builder, n ast.Node, hidden map[ast.Node]string, depth int) {
	if text, ok := hidden[n]; ok {
		n = &ast.Literal{Kind: ast.LiteralString, Str: text}
	}
	var parts []ast.Node
	ast.Walk(n, func(c ast.Node) bool {
		if c == n {
			return true
		}
		parts = append(parts, c)
		return false
	})
	b.WriteString(strings.Repeat(" ", depth) + label(n))
	if len(parts) > 0 {
		fmt.Fprintf(b, " (children %d)", len(parts))
	}
	b.WriteByte('\n')
	for _, p := range parts {
		if text, ok := hidden[p]; ok && text == "" {
			continue
		}
		tree(b, p, hidden, depth+1)
	}
}

func label(n ast.Node) string {
	switch n := n.(type) {
	case *ast.SelectUnion:
		return "SelectWithUnionQuery"
	case *ast.Select:
		return "SelectQuery"
	case *ast.FuncCall:
		return "Function " + n.Name
	case *ast.Ident:
		return "Identifier " + ast.Format(n)
	case *ast.Literal:
		return "Literal " + ast.Format(n)
	case *ast.Alias:
		return "Alias " + n.Name
	case *ast.TableRef:
		return "TableIdentifier " + n.Name.String()
	case ast.TableName:
		return "Name " + n.String()
	case *ast.QueryParam:
		return "QueryParameter " + n.Name + ":" + n.Type.Text
	}
	name := fmt.Sprintf("%T", n)
	return name[strings.LastIndexByte(name, '.')+1:]
}
