package define

import (
	"strings"

	"github.com/olapd/olapd/query/ast"
)

// Lines prints a query over several lines as ClickHouse does: a clause a line, the elements of a list indented where there
// is more than one. Subqueries in expressions stay on their line. Secrets are not printed.
func Lines(q *ast.SelectUnion) string {
	p := &lines{}
	p.union(q, 0)
	return p.String()
}

type lines struct{ strings.Builder }

const tab = "    "

func (p *lines) nl(depth int, text string) {
	p.WriteString("\n" + strings.Repeat(tab, depth) + text)
}

var setOps = map[ast.SetOp]string{
	ast.SetUnion: "UNION", ast.SetUnionAll: "UNION ALL", ast.SetUnionDistinct: "UNION DISTINCT", ast.SetIntersect: "INTERSECT",
	ast.SetIntersectDistinct: "INTERSECT DISTINCT", ast.SetExcept: "EXCEPT", ast.SetExceptDistinct: "EXCEPT DISTINCT",
}

func (p *lines) union(q *ast.SelectUnion, depth int) {
	for i, it := range q.Items {
		if i > 0 {
			p.nl(depth, setOps[it.Op])
			p.nl(depth, "")
		}
		if it.Nested != nil {
			p.WriteString("(\n" + strings.Repeat(tab, depth+1))
			p.union(it.Nested, depth+1)
			p.nl(depth, ")")
			continue
		}
		p.query(it.Select, depth)
	}
}

func (p *lines) query(s *ast.Select, depth int) {
	if simple(s) {
		p.WriteString(ast.Shown(s))
		return
	}
	if len(s.With) > 0 {
		p.with(s, depth)
	}
	p.WriteString("SELECT")
	if s.Distinct {
		p.WriteString(" DISTINCT")
	}
	p.list(s.Exprs, depth)
	if s.From != nil {
		p.nl(depth, "FROM ")
		p.table(s.From, depth)
	}
	p.clause("PREWHERE ", s.Prewhere, depth)
	p.clause("WHERE ", s.Where, depth)
	if len(s.GroupBy) > 0 {
		p.nl(depth, "GROUP BY")
		p.list(s.GroupBy, depth)
	}
	if s.WithTotals {
		p.nl(depth, "WITH TOTALS")
	}
	p.clause("HAVING ", s.Having, depth)
	p.order(s.OrderBy, depth)
	if s.Limit != nil {
		text := "LIMIT "
		if s.Offset != nil {
			text += ast.Shown(s.Offset) + ", "
		}
		p.nl(depth, text+ast.Shown(s.Limit))
	}
}

// simple reports whether a SELECT is printed on one line: one expression and nothing else, or clauses that are not
// laid out here.
func simple(s *ast.Select) bool {
	rare := s.DistinctOn != nil || s.GroupMode != ast.GroupPlain || s.Windows != nil || s.Qualify != nil || s.OrderByAll || s.HasInterpolate ||
		s.LimitBy != nil || s.LimitTies || s.Settings != nil || s.Offset != nil && s.Limit == nil || s.Recursive
	bare := len(s.With) == 0 && len(s.Exprs) == 1 && s.From == nil && s.Where == nil && len(s.GroupBy) == 0 && len(s.OrderBy) == 0 && s.Limit == nil
	return rare || bare
}

func (p *lines) with(s *ast.Select, depth int) {
	p.WriteString("WITH")
	for i, w := range s.With {
		pad, end := " ", ""
		if len(s.With) > 1 {
			pad = "\n" + strings.Repeat(tab, depth+1)
		}
		if i < len(s.With)-1 {
			end = ","
		}
		p.WriteString(pad)
		if w.Query == nil {
			p.WriteString(ast.Shown(w.Expr) + " AS " + ast.QuoteIdent(w.Name) + end)
			continue
		}
		inner := depth + 1
		if len(s.With) > 1 {
			inner++
		}
		p.WriteString(ast.QuoteIdent(w.Name) + " AS")
		p.nl(inner, "(")
		p.nl(inner+1, "")
		p.union(w.Query, inner+1)
		p.nl(inner, ")"+end)
	}
	p.nl(depth, "")
}

func (p *lines) list(es []ast.Expr, depth int) {
	if len(es) == 1 {
		p.WriteString(" " + item(es[0]))
		return
	}
	for i, e := range es {
		text := item(e)
		if i < len(es)-1 {
			text += ","
		}
		p.nl(depth+1, text)
	}
}

func (p *lines) clause(word string, e ast.Expr, depth int) {
	if e != nil {
		p.nl(depth, word+ast.Shown(e))
	}
}

func (p *lines) order(items []*ast.OrderItem, depth int) {
	if len(items) == 0 {
		return
	}
	texts := orderTexts(items)
	p.nl(depth, "ORDER BY")
	if len(texts) == 1 {
		p.WriteString(" " + texts[0])
		return
	}
	for i, t := range texts {
		if i < len(texts)-1 {
			t += ","
		}
		p.nl(depth+1, t)
	}
}

// orderTexts prints the keys one by one, through a SELECT that has nothing else.
func orderTexts(items []*ast.OrderItem) []string {
	var out []string
	for _, it := range items {
		one := ast.Shown(&ast.Select{Exprs: []ast.Expr{&ast.Asterisk{}}, OrderBy: []*ast.OrderItem{it}})
		text := strings.TrimPrefix(one, "SELECT * ORDER BY ")
		if !it.Desc && it.Fill == nil && it.Nulls == ast.NullsUnspecified && it.Collate == "" && !strings.HasSuffix(text, " ASC") {
			text += " ASC"
		}
		out = append(out, text)
	}
	return out
}

func (p *lines) table(t ast.TableExpr, depth int) {
	switch t := t.(type) {
	case *ast.SubqueryTable:
		if t.Sample != nil || t.Final || t.Columns != nil {
			break
		}
		p.nl(depth, "(")
		p.nl(depth+1, "")
		p.union(t.Query, depth+1)
		p.nl(depth, ")")
		if t.Alias != "" {
			p.WriteString(" AS " + ast.QuoteIdent(t.Alias))
		}
		return
	case *ast.Join:
		if t.Left == nil {
			break
		}
		left, whole := ast.Shown(t.Left), ast.Shown(t)
		if rest, ok := strings.CutPrefix(whole, left+" "); ok {
			p.table(t.Left, depth)
			p.nl(depth, rest)
			return
		}
	}
	p.WriteString(ast.Shown(t))
}

// item prints an element of a list, whose alias needs no brackets.
func item(e ast.Expr) string {
	if x, alias := ast.Unalias(e); alias != "" {
		return ast.Shown(x) + " AS " + ast.QuoteIdent(alias)
	}
	return ast.Shown(e)
}
