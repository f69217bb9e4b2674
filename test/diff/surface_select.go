package diff

import (
	"fmt"
	"slices"
	"strings"
)

// query is one random SELECT over the whole surface, in ClickHouse's dialect, kept in parts.
// Its rows are determined: what a LIMIT keeps is ordered by everything.
type query struct {
	distinct       bool
	items          []string
	trees          []*node // the items that are plain expressions; nil for the others
	from           string
	join           string
	prewhere       *node
	where          *node
	keys           []string // GROUP BY
	modifier       string   // WITH ROLLUP and so on
	having, extra  string   // extra is a WINDOW or QUALIFY clause
	order          []string
	limit, limitBy string
	wrap           string // around the whole, with # for it
	settings       []string
}

func (q *query) String() string {
	var b strings.Builder
	b.WriteString("SELECT ")
	if q.distinct {
		b.WriteString("DISTINCT ")
	}
	for i, it := range q.items {
		if i > 0 {
			b.WriteString(", ")
		}
		if q.trees[i] != nil {
			it = q.trees[i].String()
		}
		fmt.Fprintf(&b, "%s AS c%d", it, i)
	}
	b.WriteString(" FROM " + q.from)
	clause := func(word, text string) {
		if text != "" {
			b.WriteString(" " + word + text)
		}
	}
	clause("", q.join)
	if q.prewhere != nil {
		clause("PREWHERE ", q.prewhere.String())
	}
	if q.where != nil {
		clause("WHERE ", q.where.String())
	}
	clause("GROUP BY ", strings.Join(q.keys, ", "))
	clause("", q.modifier)
	clause("HAVING ", q.having)
	clause("", q.extra)
	clause("ORDER BY ", strings.Join(q.order, ", "))
	clause("", q.limitBy)
	clause("", q.limit)
	text := b.String()
	if q.wrap != "" {
		text = strings.ReplaceAll(q.wrap, "#", text)
	}
	return text
}

// statement is the query with its settings.
func (q *query) statement() string {
	if len(q.settings) == 0 {
		return q.String()
	}
	return q.String() + " SETTINGS " + strings.Join(q.settings, ", ")
}

// smaller returns the queries that lack one part of q.
func (q *query) smaller() (out []*query) {
	try := func(change func(*query)) {
		c := *q
		c.items, c.trees, c.keys, c.order, c.settings = slices.Clone(q.items), slices.Clone(q.trees), slices.Clone(q.keys), slices.Clone(q.order), slices.Clone(q.settings)
		change(&c)
		if c.statement() != q.statement() {
			out = append(out, &c)
		}
	}
	try(func(c *query) { c.wrap = "" })
	try(func(c *query) { c.limit, c.limitBy, c.order = "", "", nil })
	try(func(c *query) { c.limitBy = "" })
	try(func(c *query) { c.having = "" })
	try(func(c *query) { c.extra = "" })
	try(func(c *query) { c.modifier = "" })
	try(func(c *query) { c.distinct = false })
	try(func(c *query) { c.prewhere = nil })
	try(func(c *query) { c.where = nil })
	for i := range q.settings {
		try(func(c *query) { c.settings = slices.Delete(c.settings, i, i+1) })
	}
	for i := range q.items {
		if len(q.items) > 1 && len(q.keys) == 0 {
			try(func(c *query) {
				c.items, c.trees = slices.Delete(c.items, i, i+1), slices.Delete(c.trees, i, i+1)
				if len(q.order) == len(q.items) {
					c.order = c.order[:len(c.order)-1]
				}
			})
		}
		if last := len(q.items) - 1; len(q.keys) > 0 && i == last && i >= len(q.keys) && len(q.items) > 1 {
			try(func(c *query) {
				c.items, c.trees, c.order = c.items[:last], c.trees[:last], c.order[:min(len(c.order), last)]
			})
		}
		if q.trees[i] != nil {
			for _, n := range q.trees[i].smaller() {
				try(func(c *query) { c.trees[i] = n })
			}
		}
	}
	try(func(c *query) { c.join = "" })
	if q.where != nil {
		for _, n := range q.where.smaller() {
			try(func(c *query) { c.where = n })
		}
	}
	if q.prewhere != nil {
		for _, n := range q.prewhere.smaller() {
			try(func(c *query) { c.prewhere = n })
		}
	}
	return out
}

func (q *query) add(n *node) { q.items, q.trees = append(q.items, n.String()), append(q.trees, n) }

func (q *query) addText(s string) { q.items, q.trees = append(q.items, s), append(q.trees, nil) }

// byAll orders a query by all its columns.
func (g *generator) byAll(q *query) {
	for i := range q.items {
		q.order = append(q.order, fmt.Sprintf("c%d%s", i, g.one("", "", " DESC", " NULLS FIRST", " DESC NULLS LAST")))
	}
}

// query returns a random query over the surface tables.
func (g *generator) query() *query {
	q, s := &query{}, scope{}
	q.from, s.tables = "ta AS a", []string{"a"}
	joined := false
	switch g.r.IntN(8) {
	case 0:
		q.from = "tc AS a FINAL"
	case 1:
		q.from = "tb AS a"
	case 2, 3:
		joined = true
		s.tables = g.joined(q)
	case 4:
		if g.r.IntN(3) == 0 {
			q.from = "(SELECT * FROM ta UNION ALL SELECT * FROM tb) AS a"
		}
	}
	if g.r.IntN(4) > 0 {
		q.where = g.condition2(s, 3)
	}
	if !joined && strings.HasPrefix(q.from, "t") && g.r.IntN(6) == 0 {
		q.prewhere = g.condition2(s, 1)
	}
	switch g.r.IntN(8) {
	case 0, 1, 2:
		g.grouped(q, s, joined)
	case 3:
		if !joined {
			g.windowed(q, s)
			break
		}
		fallthrough
	default:
		g.flat(q, s, joined)
	}
	return q
}

// joined gives the query a join and returns the names of the sides that have columns of their own.
func (g *generator) joined(q *query) []string {
	on := "a." + g.one("u8 = b.u8", "i8 = b.i8", "s = b.s", "ls = b.ls", "ni = b.ni", "dd = b.dd", "id = b.id", "ns = b.ns", "lns = b.ns", "i32 = b.i64", "e8 = b.e8 AND a.b = b.b", "ip4 = b.ip4", "d9 = b.d9", "u = b.u", "dt = b.dt")
	both := []string{"a", "b"}
	switch g.r.IntN(9) {
	case 0:
		q.join = "LEFT SEMI JOIN tb AS b ON " + on
		return both[:1]
	case 1:
		q.join = "LEFT ANTI JOIN tb AS b ON " + on
		return both[:1]
	case 2:
		q.join = "RIGHT JOIN tb AS b ON " + on
	case 3:
		q.join = "FULL JOIN tb AS b ON " + on
	case 4, 5:
		q.join = "LEFT JOIN tb AS b ON " + on
	case 6:
		q.join = "INNER JOIN (SELECT * FROM tb WHERE u8 < 4) AS b ON " + on + g.one("", " AND a.i32 > b.i16", " AND b.u8 > 1")
	default:
		q.join = "INNER JOIN tb AS b ON " + on
	}
	return both
}

func (g *generator) flat(q *query, s scope, joined bool) {
	for range 1 + g.r.IntN(4) {
		q.add(g.expr(s, kind(g.r.IntN(int(mapKind))), 3))
	}
	q.distinct = g.r.IntN(6) == 0
	if g.r.IntN(2) == 0 {
		return
	}
	if q.distinct || joined || g.r.IntN(3) == 0 {
		g.byAll(q)
	} else {
		q.order = append(q.order, g.expr(s, g.plainKind(), 1).String()+g.one("", " DESC"), "a.id"+g.one("", " DESC"))
		if strings.Contains(q.from, "UNION") {
			q.order = q.order[:0]
			g.byAll(q)
		}
	}
	if !q.distinct && g.r.IntN(6) == 0 {
		q.limitBy = fmt.Sprintf("LIMIT %d BY c0", 1+g.r.IntN(3))
	}
	q.limit = g.one("LIMIT 1", "LIMIT 5", "LIMIT 10 OFFSET 3", "LIMIT 100", "LIMIT 7, 4", "LIMIT 1000 OFFSET 20", "LIMIT 3 WITH TIES", "")
}

func (g *generator) grouped(q *query, s scope, joined bool) {
	n := g.r.IntN(4)
	for i := range n {
		q.add(g.expr(s, g.plainKind(), 2))
		q.keys = append(q.keys, fmt.Sprintf("c%d", i))
	}
	for range 1 + g.r.IntN(3) {
		for { // argMin by an id that is not unique would be anything
			a := g.aggregate2(s)
			if !strings.Contains(a, "arg") || !joined && !strings.Contains(q.from, "UNION") {
				q.addText(a)
				break
			}
		}
	}
	if n > 0 && g.r.IntN(5) == 0 {
		q.modifier = g.one("WITH ROLLUP", "WITH CUBE", "WITH TOTALS")
	}
	if g.r.IntN(4) == 0 {
		q.having = fmt.Sprintf("count() %s %d", g.one(">", "<", "="), g.r.IntN(6))
	}
	if q.modifier != "WITH TOTALS" && g.r.IntN(2) == 0 {
		if g.r.IntN(2) == 0 && n > 0 && q.modifier == "" {
			q.order = append(q.order, fmt.Sprintf("c%d DESC", n))
			q.order = append(q.order, q.keys...)
		} else {
			g.byAll(q)
		}
		q.limit = g.one("LIMIT 1", "LIMIT 10", "LIMIT 5 OFFSET 5", "LIMIT 1000")
	}
	if q.modifier == "" && g.r.IntN(8) == 0 {
		q.wrap = "SELECT count(), uniqExact(c0), max(toString(c0)) FROM (#)"
	}
}

// windowed gives the query window functions over a total order.
func (g *generator) windowed(q *query, s scope) {
	q.addText("a.id")
	by := g.one("PARTITION BY a.u8 ", "PARTITION BY a.ls ", "", "PARTITION BY a.e8, a.b ")
	frame := g.one("", "", " ROWS BETWEEN 2 PRECEDING AND CURRENT ROW", " ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING", " ROWS BETWEEN 1 PRECEDING AND 2 FOLLOWING")
	over := fmt.Sprintf(" OVER (%sORDER BY %s%s, a.id%s)", by, g.leaf(s, g.plainKind()), g.one("", " DESC"), frame)
	for range 1 + g.r.IntN(2) {
		f := g.one("sum(#)", "count()", "min(#)", "max(#)", "row_number()", "rank()", "dense_rank()", "lagInFrame(#)", "leadInFrame(#, 2)", "first_value(#)", "last_value(#)", "avg(#)")
		q.addText(strings.ReplaceAll(f, "#", "a."+g.one("i16", "u32", "ni", "d9", "i64")) + over)
	}
	if strings.Contains(q.from, "UNION") {
		q.from = "ta AS a"
	}
	if g.r.IntN(2) == 0 {
		q.order, q.limit = []string{"c0"}, "LIMIT 10"
	}
}

// forcing are settings that make olapd and ClickHouse take another way to the same result.
var forcing = []string{
	"max_threads = 1", "max_threads = 2", "max_block_size = 7", "max_block_size = 1000", "max_bytes_before_external_group_by = 1", "max_bytes_before_external_sort = 1",
	"optimize_trivial_count_query = 0", "optimize_use_implicit_projections = 0", "query_plan_optimize_lazy_materialization = 0", "use_query_condition_cache = 0",
	"optimize_functions_to_subcolumns = 0", "join_algorithm = 'partial_merge'", "join_algorithm = 'grace_hash'", "max_rows_in_set = 1000000",
}

// force returns a few of the settings.
func (g *generator) force() (out []string) {
	for _, s := range forcing {
		name, _, _ := strings.Cut(s, " ")
		if g.r.IntN(5) == 0 && !slices.ContainsFunc(out, func(o string) bool { return strings.HasPrefix(o, name+" ") }) {
			out = append(out, s)
		}
	}
	return out
}
