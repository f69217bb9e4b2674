package diff

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
)

// A statement is one random SELECT, kept in parts so that a failing one can be made smaller.
// All its expressions mean the same in ClickHouse's and DuckDB's dialects: no division, no
// overflow, ASCII text, no NULL in lists.
type statement struct {
	distinct bool
	items    []item
	join     string   // "", "JOIN" or "LEFT JOIN"
	where    []string // all must hold
	group    bool     // by all items that are not aggregates
	having   string
	limit    int // 0 is none; with one, rows are ordered by all items
	offset   int
	desc     bool
}

// item is one expression of the SELECT list.
type item struct {
	sql       string
	aggregate bool
}

func (s *statement) String() string {
	var b strings.Builder
	b.WriteString("SELECT ")
	if s.distinct {
		b.WriteString("DISTINCT ")
	}
	var order, keys []string
	for i, it := range s.items {
		if i > 0 {
			b.WriteString(", ")
		}
		fmt.Fprintf(&b, "%s AS c%d", it.sql, i)
		key := fmt.Sprintf("c%d", i)
		if !it.aggregate {
			keys = append(keys, key)
		}
		if s.desc && i == 0 {
			key += " DESC"
		}
		order = append(order, key)
	}
	b.WriteString(" FROM t0 AS a")
	if s.join != "" {
		b.WriteString(" " + s.join + " t1 AS b ON a.k = b.k")
	}
	if len(s.where) > 0 {
		b.WriteString(" WHERE " + strings.Join(s.where, " AND "))
	}
	if s.group && len(keys) > 0 {
		b.WriteString(" GROUP BY " + strings.Join(keys, ", "))
	}
	if s.having != "" {
		b.WriteString(" HAVING " + s.having)
	}
	if s.limit > 0 {
		fmt.Fprintf(&b, " ORDER BY %s LIMIT %d", strings.Join(order, ", "), s.limit)
		if s.offset > 0 {
			fmt.Fprintf(&b, " OFFSET %d", s.offset)
		}
	}
	return b.String()
}

// portable reports whether DuckDB must give the same rows: it has NULL where ClickHouse has
// a default value, in the unmatched rows of a LEFT JOIN and in aggregates over no rows.
func (s *statement) portable() bool {
	keys := slices.ContainsFunc(s.items, func(i item) bool { return !i.aggregate })
	return s.join != "LEFT JOIN" && (!s.group || keys)
}

// smaller returns the statements that lack one part of s.
func (s *statement) smaller() (out []*statement) {
	try := func(change func(*statement)) {
		c := *s
		c.items, c.where = slices.Clone(s.items), slices.Clone(s.where)
		change(&c)
		if c.String() != s.String() {
			out = append(out, &c)
		}
	}
	try(func(c *statement) { c.limit, c.offset, c.desc = 0, 0, false })
	try(func(c *statement) { c.offset = 0 })
	try(func(c *statement) { c.having = "" })
	try(func(c *statement) { c.distinct = false })
	for i := range s.where {
		try(func(c *statement) { c.where = slices.Delete(c.where, i, i+1) })
	}
	for i := range s.items {
		if len(s.items) > 1 {
			try(func(c *statement) { c.items = slices.Delete(c.items, i, i+1) })
		}
	}
	if !strings.Contains(s.String(), "b.s") { // any other column of b would need the join too
		try(func(c *statement) {
			if !strings.Contains(strings.ReplaceAll(c.String(), "b.k", ""), "b.") {
				c.join = ""
			}
		})
	}
	return out
}

// generator makes tables and statements from a seed.
type generator struct{ r *rand.Rand }

func newGenerator(seed uint64) *generator {
	return &generator{rand.New(rand.NewPCG(seed, 0))}
}

func (g *generator) one(of ...string) string { return of[g.r.IntN(len(of))] }

// tables returns the statements that make t0 and t1; clickhouse says for which dialect.
// Both dialects of one seed have the same rows.
func (g *generator) tables(clickhouse bool) (out []string) {
	for t := range 2 {
		columns := "k TINYINT, i INTEGER, n INTEGER, w BIGINT, f DOUBLE, s VARCHAR, ns VARCHAR, d DATE, dt TIMESTAMP"
		if clickhouse {
			columns = "k Int8, i Int32, n Nullable(Int32), w Int64, f Float64, s String, ns Nullable(String), d Date, dt DateTime"
		}
		create := fmt.Sprintf("CREATE TABLE t%d (%s)", t, columns)
		if clickhouse {
			create += " ENGINE = MergeTree ORDER BY (k, i)"
		}
		var rows []string
		for range 20 + g.r.IntN(40) {
			rows = append(rows, g.tableRow())
		}
		out = append(out, create, fmt.Sprintf("INSERT INTO t%d VALUES %s", t, strings.Join(rows, ", ")))
	}
	return out
}

func (g *generator) tableRow() string {
	text := func() string {
		return g.one("''", "'a'", "'b'", "'abc'", "'Abc'", "'b c'", "'a%b'", "'zz'", "'x_y'", fmt.Sprintf("'v%d'", g.r.IntN(20)))
	}
	orNull := func(s string) string {
		if g.r.IntN(4) == 0 {
			return "NULL"
		}
		return s
	}
	number := func(n int) string { return fmt.Sprint(g.r.IntN(2*n) - n) }
	day := fmt.Sprintf("2024-%02d-%02d", 1+g.r.IntN(12), 1+g.r.IntN(28))
	return fmt.Sprintf("(%s, %s, %s, %s, %g, %s, %s, '%s', '%s %02d:%02d:%02d')", number(8), number(50), orNull(number(10)),
		number(1_000_000), float64(g.r.IntN(400)-200)/4, text(), orNull(text()), day, day, g.r.IntN(24), g.r.IntN(60), g.r.IntN(60))
}

// statement returns a random statement.
func (g *generator) statement() *statement {
	s := &statement{distinct: g.r.IntN(6) == 0, group: g.r.IntN(2) == 0, desc: g.r.IntN(2) == 0}
	s.join = g.one("", "", "JOIN", "LEFT JOIN")
	for range 1 + g.r.IntN(3) {
		s.items = append(s.items, item{sql: g.scalar(s)})
	}
	if s.group {
		if g.r.IntN(4) == 0 {
			s.items = nil
		}
		for range 1 + g.r.IntN(3) {
			s.items = append(s.items, item{g.aggregate(s), true})
		}
		if g.r.IntN(3) == 0 {
			s.having = fmt.Sprintf("count(*) %s %d", g.one(">", "<", "=", ">="), g.r.IntN(4))
		}
	}
	for range g.r.IntN(3) {
		s.where = append(s.where, g.condition(s, 2))
	}
	if g.r.IntN(2) == 0 {
		s.limit, s.offset = 1+g.r.IntN(12), g.r.IntN(2)*g.r.IntN(5)
	}
	return s
}

// column returns a column of one of the types, of a table the statement has.
func (g *generator) column(s *statement, names ...string) string {
	table := "a."
	if s.join != "" && g.r.IntN(2) == 0 {
		table = "b."
	}
	return table + g.one(names...)
}

func (g *generator) integer(s *statement, depth int) string {
	if depth == 0 || g.r.IntN(3) == 0 {
		return g.column(s, "k", "i", "n", "w")
	}
	x := g.integer(s, depth-1)
	switch g.r.IntN(7) {
	case 0:
		return fmt.Sprintf("(%s + %s)", x, g.integer(s, depth-1))
	case 1:
		return fmt.Sprintf("(%s - %d)", x, g.r.IntN(100))
	case 2:
		return fmt.Sprintf("(%s * %d)", x, g.r.IntN(9)-4)
	case 3:
		return fmt.Sprintf("(%s %% %d)", x, 2+g.r.IntN(9))
	case 4:
		return fmt.Sprintf("CASE WHEN %s THEN %s ELSE %d END", g.condition(s, depth-1), x, g.r.IntN(5))
	case 5:
		return fmt.Sprintf("coalesce(%s, %d)", x, g.r.IntN(5))
	}
	return fmt.Sprintf("abs(%s)", x)
}

func (g *generator) text(s *statement) string {
	x := g.column(s, "s", "ns")
	switch g.r.IntN(6) {
	case 0:
		return "upper(" + x + ")"
	case 1:
		return fmt.Sprintf("substring(%s, %d, %d)", x, 1+g.r.IntN(3), 1+g.r.IntN(3))
	case 2:
		return fmt.Sprintf("concat(%s, '-')", g.column(s, "s"))
	case 3:
		return fmt.Sprintf("replace(%s, 'b', 'q')", x)
	}
	return x
}

func (g *generator) scalar(s *statement) string {
	switch g.r.IntN(8) {
	case 0, 1:
		return g.text(s)
	case 2:
		return g.column(s, "d", "dt")
	case 3:
		return fmt.Sprintf("%s(%s)", g.one("year", "month", "day"), g.column(s, "d"))
	case 4:
		return "length(" + g.text(s) + ")"
	case 5:
		return g.column(s, "f")
	}
	return g.integer(s, 2)
}

func (g *generator) aggregate(s *statement) string {
	switch g.r.IntN(8) {
	case 0:
		return "count(*)"
	case 1:
		return fmt.Sprintf("count(DISTINCT %s)", g.scalar(s))
	case 2:
		return "sum(" + g.column(s, "f") + ")"
	case 3:
		return "avg(" + g.integer(s, 1) + ")"
	case 4:
		return fmt.Sprintf("%s(%s)", g.one("min", "max", "count"), g.scalar(s))
	}
	return fmt.Sprintf("%s(%s)", g.one("sum", "sum", "min", "max", "count"), g.integer(s, 1))
}

func (g *generator) condition(s *statement, depth int) string {
	if depth > 0 && g.r.IntN(4) == 0 {
		return g.one(
			fmt.Sprintf("(%s OR %s)", g.condition(s, depth-1), g.condition(s, depth-1)),
			fmt.Sprintf("(%s AND %s)", g.condition(s, depth-1), g.condition(s, depth-1)),
			fmt.Sprintf("NOT (%s)", g.condition(s, depth-1)))
	}
	compare := g.one("=", "<>", "<", "<=", ">", ">=")
	switch g.r.IntN(9) {
	case 0:
		return fmt.Sprintf("%s IS %sNULL", g.column(s, "n", "ns", "i"), g.one("", "NOT "))
	case 1:
		return fmt.Sprintf("%s LIKE '%s'", g.column(s, "s", "ns"), g.one("a%", "%b%", "_", "%", "v_", "%c"))
	case 2:
		return fmt.Sprintf("%s %sIN (%d, %d, %d)", g.integer(s, 1), g.one("", "NOT "), g.r.IntN(10), g.r.IntN(10), -g.r.IntN(10))
	case 3:
		return fmt.Sprintf("%s BETWEEN %d AND %d", g.integer(s, 1), -g.r.IntN(20), g.r.IntN(20))
	case 4:
		return fmt.Sprintf("%s %s '2024-%02d-%02d'", g.column(s, "d"), compare, 1+g.r.IntN(12), 1+g.r.IntN(28))
	case 5:
		return fmt.Sprintf("%s %s %s", g.text(s), compare, g.one("'a'", "'b c'", "''", "'v5'"))
	case 6:
		return fmt.Sprintf("%s IN (%s)", g.column(s, "s", "ns"), "'a', 'abc', 'v1', 'zz'")
	}
	return fmt.Sprintf("%s %s %s", g.integer(s, 1), compare, g.integer(s, 1))
}
