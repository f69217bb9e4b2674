package query

import (
	"github.com/olapd/olapd/internal/catalog"
	"github.com/olapd/olapd/query/ast"
	"github.com/olapd/olapd/query/parse"
)

// lost returns a column that a condition reads and the rows of a rollup do not have as their source has it, or "".
func lost(cond string, rollup *catalog.Table) string {
	e, err := parse.Expr(cond, parse.Limits{})
	if err != nil {
		return cond
	}
	kept, all := passed(rollup)
	missing := ""
	ast.Walk(e, func(n ast.Node) bool {
		if id, ok := n.(*ast.Ident); ok && !all && !kept[id.Last()] {
			missing = id.Last()
		}
		return true
	})
	return missing
}

// passed are the columns of its source that a rollup selects as they are and under their names; all says that it selects everything.
func passed(rollup *catalog.Table) (kept map[string]bool, all bool) {
	kept = map[string]bool{}
	stmt, err := parse.One(rollup.Select, parse.Limits{})
	q, ok := stmt.(*ast.SelectUnion)
	if err != nil || !ok || len(q.Items) != 1 || q.Items[0].Select == nil {
		return kept, false
	}
	for _, e := range q.Items[0].Select.Exprs {
		plain, name := ast.Unalias(e)
		switch x := plain.(type) {
		case *ast.Ident:
			if name == "" || name == x.Last() {
				kept[x.Last()] = true
			}
		case *ast.Asterisk:
			if len(x.Transformers) == 0 {
				return kept, true
			}
		}
	}
	return kept, false
}
