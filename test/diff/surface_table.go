package diff

import (
	"fmt"
	"math/rand/v2"
	"strings"
)

// kind says what may be done with an expression.
type kind int

const (
	integerKind  kind = iota
	floatKind         // finite
	oddFloatKind      // with NaN and infinities: minima and sums depend on the order of rows
	decimalKind
	dateKind
	timeKind
	textKind
	enumKind
	uuidKind
	ipKind
	boolKind
	integersKind // arrays
	textsKind
	mapKind
	tupleKind
	kinds
)

// surfaceColumn is one column of the random tables: all have the same, so that a query fits any.
type surfaceColumn struct {
	name, typ string
	kind      kind
	value     func(v *values) string // a literal
}

// values makes literals; spread is how many distinct ones a column has at most.
type values struct {
	r      *rand.Rand
	spread int
}

func (v *values) n(limit int) int { return v.r.IntN(max(1, min(limit, v.spread))) }

func (v *values) integer(limit int) string { return fmt.Sprint(v.n(2*limit) - min(limit, v.spread)/2) }

func (v *values) natural(limit int) string { return fmt.Sprint(v.n(limit)) }

func (v *values) float() string { return fmt.Sprint(float64(v.n(2000)-500) / 8) }

func (v *values) oddFloat() string {
	if k := v.r.IntN(12); k < 4 {
		return []string{"nan", "inf", "-inf", "0"}[k]
	}
	return v.float()
}

func (v *values) decimal() string { return fmt.Sprintf("%d.%02d", v.n(400)-100, v.r.IntN(4)*25) }

func (v *values) day() string {
	n := v.n(700)
	return fmt.Sprintf("%d-%02d-%02d", 2023+n%2, 1+n/2%12, 1+n/24%28)
}

func (v *values) moment() string {
	return fmt.Sprintf("%s %02d:%02d:%02d", v.day(), v.r.IntN(24), v.n(60), v.n(60))
}

var surfaceWords = []string{"", "a", "b", "abc", "Abc", "b c", "a%b", "zz", "x_y", "http://e.org/p?q=1", "Ünïcode", "tab\\tx", "long text of more than sixteen bytes"}

func (v *values) word() string {
	if v.spread <= len(surfaceWords) || v.r.IntN(2) == 0 {
		return surfaceWords[v.n(len(surfaceWords))]
	}
	return fmt.Sprintf("v%d", v.n(5000))
}

func (v *values) list(of func() string) string {
	out := make([]string, v.r.IntN(4))
	for i := range out {
		out[i] = of()
	}
	return "[" + strings.Join(out, ", ") + "]"
}

func quoted(s string) string { return "'" + s + "'" }

func orNull(f func(v *values) string) func(v *values) string {
	return func(v *values) string {
		if v.r.IntN(4) == 0 {
			return "NULL"
		}
		return f(v)
	}
}

var (
	day      = func(v *values) string { return quoted(v.day()) }
	moment   = func(v *values) string { return quoted(v.moment()) }
	instant  = func(v *values) string { return fmt.Sprintf("'%s.%03d'", v.moment(), v.n(1000)) }
	word     = func(v *values) string { return quoted(v.word()) }
	integers = func(limit int) func(v *values) string {
		return func(v *values) string { return v.integer(limit) }
	}
)

var surfaceColumns = []surfaceColumn{
	{"i8", "Int8", integerKind, integers(100)},
	{"u8", "UInt8", integerKind, func(v *values) string { return v.natural(6) }},
	{"i16", "Int16", integerKind, integers(3000)},
	{"i32", "Int32", integerKind, integers(100000)},
	{"u32", "UInt32", integerKind, func(v *values) string { return v.natural(100000) }},
	{"i64", "Int64", integerKind, integers(1000000)},
	{"u64", "UInt64", integerKind, func(v *values) string { return v.natural(1000000) }},
	{"ni", "Nullable(Int32)", integerKind, orNull(integers(50))},
	{"f32", "Float32", floatKind, (*values).float},
	{"f64", "Float64", floatKind, (*values).float},
	{"nf", "Nullable(Float64)", floatKind, orNull((*values).float)},
	{"fo", "Float64", oddFloatKind, (*values).oddFloat},
	{"d9", "Decimal(9, 2)", decimalKind, (*values).decimal},
	{"d18", "Decimal(18, 4)", decimalKind, (*values).decimal},
	{"d38", "Decimal(38, 6)", decimalKind, (*values).decimal},
	{"nd", "Nullable(Decimal(18, 3))", decimalKind, orNull((*values).decimal)},
	{"dd", "Date", dateKind, day},
	{"d32", "Date32", dateKind, day},
	{"ndd", "Nullable(Date)", dateKind, orNull(day)},
	{"dt", "DateTime('UTC')", timeKind, moment},
	{"dtz", "DateTime('Europe/Berlin')", timeKind, moment},
	{"dt3", "DateTime64(3, 'UTC')", timeKind, instant},
	{"dt6", "DateTime64(6, 'America/New_York')", timeKind, instant},
	{"s", "String", textKind, word},
	{"ns", "Nullable(String)", textKind, orNull(word)},
	{"ls", "LowCardinality(String)", textKind, word},
	{"lns", "LowCardinality(Nullable(String))", textKind, orNull(word)},
	{"fs", "FixedString(4)", textKind, func(v *values) string { return quoted([]string{"", "a", "abcd", "zz"}[v.n(4)]) }},
	{"e8", "Enum8('a' = 1, 'b' = 2, 'c' = -3)", enumKind, func(v *values) string { return quoted([]string{"a", "b", "c"}[v.n(3)]) }},
	{"u", "UUID", uuidKind, func(v *values) string {
		return fmt.Sprintf("'%08x-0000-4000-8000-%012x'", v.n(300)*0xd00001, v.n(3))
	}},
	{"ip4", "IPv4", ipKind, func(v *values) string { return fmt.Sprintf("'10.%d.0.%d'", v.n(3), v.n(250)) }},
	{"ip6", "IPv6", ipKind, func(v *values) string { return fmt.Sprintf("'2001:db8::%x'", v.n(5000)) }},
	{"b", "Bool", boolKind, func(v *values) string { return []string{"false", "true"}[v.n(2)] }},
	{"ai", "Array(Int32)", integersKind, func(v *values) string { return v.list(func() string { return v.integer(20) }) }},
	{"an", "Array(Nullable(Int16))", integersKind, func(v *values) string {
		return v.list(func() string { return orNull(integers(20))(v) })
	}},
	{"sa", "Array(String)", textsKind, func(v *values) string { return v.list(func() string { return word(v) }) }},
	{"m", "Map(String, Int32)", mapKind, func(v *values) string {
		return fmt.Sprintf("{'a': %s, 'k%d': %s}", v.integer(20), v.n(5), v.integer(20))
	}},
	{"tp", "Tuple(a Int32, b String)", tupleKind, func(v *values) string { return fmt.Sprintf("(%s, %s)", v.integer(20), word(v)) }},
}

// surfaceTables returns the statements that make ta, tb and tc: ta with several segments, tb
// with few rows, and tc of an engine that keeps the last row of a key, to be read with FINAL.
func (g *generator) surfaceTables() (out []string) {
	sortKeys := []string{"id", "u8, id", "s, u8", "dd, ls", "dt, i32", "e8, b, i16", "", "f64, id", "toStartOfMonth(dd), u32", "ls, dt3", "ip4, u"}
	partitions := []string{"", "", "PARTITION BY u8", "PARTITION BY toYYYYMM(dd)", "PARTITION BY (e8, b)"}
	for t, rows := range []int{400 + g.r.IntN(1500), 40 + g.r.IntN(60), 200} {
		var columns []string
		for _, c := range surfaceColumns {
			columns = append(columns, c.name+" "+c.typ)
		}
		for i, index := range []string{"i32 TYPE minmax", "s TYPE bloom_filter", "u8 TYPE set(10)", "dt TYPE minmax", "ls TYPE set(0)", "s TYPE ngrambf_v1(3, 256, 2, 0)"} {
			if g.r.IntN(3) == 0 {
				columns = append(columns, fmt.Sprintf("INDEX ix%d %s GRANULARITY %d", i, index, 1+g.r.IntN(3)))
			}
		}
		engine, key := "MergeTree", g.one(sortKeys...)
		if t == 2 {
			engine, key = "ReplacingMergeTree(id)", g.one("u8", "e8, b", "ls", "dd, u8")
		}
		name := "t" + string(rune('a'+t))
		partition := ""
		if t != 2 { // FINAL tells no keys of different partitions apart
			partition = g.one(partitions...)
		}
		out = append(out, fmt.Sprintf("CREATE TABLE %s (id UInt32, %s) ENGINE = %s %s ORDER BY (%s) SETTINGS index_granularity = %s",
			name, strings.Join(columns, ", "), engine, partition, key, g.one("8", "64", "1000", "8192")))
		spread := make([]int, len(surfaceColumns))
		for i := range spread {
			spread[i] = []int{1, 3, 20, 500, 100000}[g.r.IntN(5)]
		}
		for first, n := 0, 1+g.r.IntN(5); first < rows; {
			last := min(rows, first+1+rows/n)
			out = append(out, g.surfaceInsert(name, first, last, spread))
			if g.r.IntN(3) == 0 {
				out = append(out, "SYSTEM FLUSH TABLE "+name) // only olapd keeps rows in memory
			}
			first = last
		}
		if g.r.IntN(3) == 0 {
			out = append(out, "OPTIMIZE TABLE "+name+" FINAL")
		}
	}
	return out
}

func (g *generator) surfaceInsert(table string, first, last int, spread []int) string {
	var b strings.Builder
	fmt.Fprintf(&b, "INSERT INTO %s VALUES ", table)
	v := &values{r: g.r}
	for id := first; id < last; id++ {
		if id > first {
			b.WriteString(", ")
		}
		fmt.Fprintf(&b, "(%d", id)
		for i, c := range surfaceColumns {
			v.spread = spread[i]
			b.WriteString(", " + c.value(v))
		}
		b.WriteString(")")
	}
	return b.String()
}
