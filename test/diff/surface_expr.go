package diff

import (
	"fmt"
	"slices"
	"strings"
)

// node is an expression as a tree, so that a failing one can be cut down to its parts.
type node struct {
	parts []string // the text before, between and after the arguments
	args  []*node
	kind  kind
}

// call makes a node of a text with # for each argument.
func call(k kind, text string, args ...*node) *node {
	return &node{parts: strings.Split(text, "#"), args: args, kind: k}
}

func (n *node) String() string {
	var b strings.Builder
	for i, p := range n.parts {
		b.WriteString(p)
		if i < len(n.args) {
			b.WriteString(n.args[i].String())
		}
	}
	return b.String()
}

// smaller returns the expressions with one node less, of the same kind.
func (n *node) smaller() (out []*node) {
	for i, a := range n.args {
		if a.kind == n.kind {
			out = append(out, a)
		}
		for _, s := range a.smaller() {
			c := *n
			c.args = slices.Clone(n.args)
			c.args[i] = s
			out = append(out, &c)
		}
	}
	return out
}

// scope is where an expression stands: the tables that it may name.
type scope struct{ tables []string }

// leaf returns a column of a kind.
func (g *generator) leaf(s scope, k kind) *node {
	var names []string
	for _, c := range surfaceColumns {
		if c.kind == k {
			names = append(names, c.name)
		}
	}
	return &node{parts: []string{g.one(s.tables...) + "." + g.one(names...)}, kind: k}
}

// plain are the kinds whose order and equality say all of a value.
var plain = []kind{integerKind, integerKind, floatKind, decimalKind, dateKind, timeKind, textKind, textKind, enumKind, uuidKind, ipKind, boolKind}

func (g *generator) plainKind() kind { return plain[g.r.IntN(len(plain))] }

// expr returns a random expression of a kind.
func (g *generator) expr(s scope, k kind, depth int) *node {
	if depth <= 0 || g.r.IntN(3) == 0 {
		return g.leaf(s, k)
	}
	sub := func(k kind) *node { return g.expr(s, k, depth-1) }
	switch k {
	case integerKind:
		return g.integerExpr(s, depth)
	case floatKind:
		switch g.r.IntN(5) {
		case 0:
			return call(k, g.one("(# + #)", "(# - #)", "greatest(#, #)", "least(#, #)"), sub(k), sub(k))
		case 1:
			return call(k, "toFloat64(#)", sub(integerKind))
		case 2:
			return call(k, fmt.Sprintf("(# / %d)", 2+g.r.IntN(6)), sub(integerKind))
		case 3:
			return call(k, "if(#, #, #)", g.condition2(s, depth-1), sub(k), sub(k))
		}
		return call(k, g.one("abs(#)", "floor(#)", "ceil(#)", "trunc(#)", "-(#)", "round(#)"), sub(k))
	case decimalKind:
		if g.r.IntN(2) == 0 {
			return call(k, g.one("(# + #)", "(# - #)", "greatest(#, #)"), g.leaf(s, k), g.leaf(s, k))
		}
		return call(k, g.one("abs(#)", "-(#)", "round(#, 1)", "floor(#)", "(# * 3)"), g.leaf(s, k))
	case dateKind:
		return call(k, g.one("toStartOfMonth(#)", "toMonday(#)", "(# + 3)", "addMonths(#, 1)", "toStartOfYear(#)", "toLastDayOfMonth(#)"), g.leaf(s, k))
	case timeKind:
		return call(k, g.one("toStartOfHour(#)", "(# + INTERVAL 90 MINUTE)", "addDays(#, -2)", "toStartOfInterval(#, INTERVAL 15 MINUTE)", "date_trunc('month', toDateTime(#))",
			"toStartOfMinute(#)", "toTimeZone(#, 'Asia/Tokyo')"), g.leaf(s, k))
	case textKind:
		return g.textExpr(s, depth)
	case boolKind:
		return g.condition2(s, depth)
	case integersKind:
		return call(k, g.one("arraySort(#)", "arrayDistinct(#)", "arrayFilter(x -> x > 3, #)", "arrayMap(x -> x + 1, #)", "arrayReverse(#)", "arraySlice(#, 2)", "arrayPushBack(#, 7)"), sub(k))
	case textsKind:
		return call(k, g.one("arraySort(#)", "arrayReverse(#)", "arrayMap(x -> upper(x), #)", "arrayFilter(x -> notEmpty(x), #)"), sub(k))
	}
	return g.leaf(s, k)
}

func (g *generator) integerExpr(s scope, depth int) *node {
	const k = integerKind
	sub := func(k kind) *node { return g.expr(s, k, depth-1) }
	switch g.r.IntN(14) {
	case 0:
		return call(k, g.one("(# + #)", "(# - #)", "(# * #)", "greatest(#, #)", "least(#, #)"), sub(k), sub(k))
	case 1:
		return call(k, fmt.Sprintf(g.one("(# %% %d)", "intDiv(#, %d)", "(# + %d)", "(# * %d)", "bitAnd(#, %d)", "(# = %d)"), 2+g.r.IntN(9)), sub(k))
	case 2:
		return call(k, g.one("if(#, #, #)", "CASE WHEN # THEN # ELSE # END"), g.condition2(s, depth-1), sub(k), sub(k))
	case 3:
		return call(k, "multiIf(#, 1, #, #, 5)", g.condition2(s, depth-1), g.condition2(s, depth-1), sub(k))
	case 4:
		return call(k, g.one("length(#)", "lengthUTF8(#)", "empty(#)", "position(#, 'b')", "ascii(#)", "cityHash64(#)", "countSubstrings(#, 'a')"), sub(textKind))
	case 5:
		return call(k, g.one("toYear(#)", "toMonth(#)", "toDayOfWeek(#)", "toYYYYMM(#)", "toDayOfYear(#)", "toISOWeek(#)"), sub([]kind{dateKind, timeKind}[g.r.IntN(2)]))
	case 6:
		return call(k, g.one("toHour(#)", "toMinute(#)", "toUnixTimestamp(#)", "toSecond(#)"), g.leaf(s, timeKind))
	case 7:
		return call(k, g.one("length(#)", "arraySum(#)", "arrayUniq(#)", "arrayCount(x -> x > 2, #)", "indexOf(#, 3)", "#[1]", "#[-1]"), g.leaf(s, integersKind))
	case 8:
		return call(k, g.one("length(#)", "countEqual(#, 'a')", "has(#, 'b')"), sub(textsKind))
	case 9:
		return call(k, g.one("#['a']", "#['k1']", "length(#)", "mapContains(#, 'k2')"), g.leaf(s, mapKind))
	case 10:
		return call(k, g.one("coalesce(#, 0)", "ifNull(#, 7)", "nullIf(#, 3)", "isNull(#)", "abs(#)", "-(#)", "toInt64(#)", "bitCount(#)", "sign(#)", "toNullable(#)"), sub(k))
	case 11:
		return call(k, "#.a", g.leaf(s, tupleKind))
	case 12:
		return call(k, g.one("toInt8(#)", "toInt32(#)", "toUInt8(#)"), g.leaf(s, enumKind))
	}
	return call(k, g.one("cityHash64(#, #)", "(# < #)", "(# != #)"), sub(k), sub(k))
}

func (g *generator) textExpr(s scope, depth int) *node {
	const k = textKind
	sub := func(k kind) *node { return g.expr(s, k, depth-1) }
	switch g.r.IntN(8) {
	case 0:
		return call(k, g.one("concat(#, #)", "(# || #)"), sub(k), sub(k))
	case 1:
		return call(k, "if(#, #, #)", g.condition2(s, depth-1), sub(k), sub(k))
	case 2:
		return call(k, "toString(#)", sub(g.plainKind()))
	case 3:
		return call(k, g.one("substring(#, 2, 3)", "left(#, 2)", "right(#, 2)", "replaceAll(#, 'b', 'qq')", "replaceRegexpAll(#, '[ab]+', '<\\\\0>')", "replaceRegexpOne(#, '^(.)(.*)$', '\\\\2\\\\1')",
			"extract(#, '[a-z]+')", "domain(#)", "path(#)", "splitByChar(' ', assumeNotNull(#))[1]", "leftPad(#, 5, '*')", "repeat(#, 2)"), sub(k))
	case 4:
		return call(k, g.one("#.b"), g.leaf(s, tupleKind))
	case 5:
		return call(k, g.one("#[1]", "arrayStringConcat(#, ',')"), sub(textsKind))
	case 6:
		return call(k, g.one("ifNull(#, 'none')", "coalesce(#, 'none')", "nullIf(#, 'a')", "assumeNotNull(#)", "transform(#, ['a', 'b'], ['x', 'y'], 'z')"), sub(k))
	}
	return call(k, g.one("upper(#)", "lower(#)", "reverse(#)", "upperUTF8(#)", "trimBoth(#)", "hex(#)"), sub(k))
}

// literal returns a constant that a column of the kind may equal.
func (g *generator) literal(k kind) string {
	v := &values{r: g.r, spread: []int{3, 20, 500, 100000}[g.r.IntN(4)]}
	switch k {
	case integerKind:
		return v.integer(200)
	case floatKind, oddFloatKind:
		return v.float()
	case decimalKind:
		return v.decimal()
	case dateKind:
		return day(v)
	case timeKind:
		return moment(v)
	case enumKind:
		return g.one("'a'", "'b'", "'c'")
	case boolKind:
		return g.one("true", "false")
	}
	for _, c := range surfaceColumns {
		if c.kind == k {
			return c.value(v)
		}
	}
	panic("no column of the kind")
}

// condition2 returns a random condition over columns of all kinds.
func (g *generator) condition2(s scope, depth int) *node {
	const k = boolKind
	if depth > 0 && g.r.IntN(3) == 0 {
		switch g.r.IntN(5) {
		case 0, 1:
			return call(k, "(# OR #)", g.condition2(s, depth-1), g.condition2(s, depth-1))
		case 2, 3:
			return call(k, "(# AND #)", g.condition2(s, depth-1), g.condition2(s, depth-1))
		}
		return call(k, "NOT (#)", g.condition2(s, depth-1))
	}
	compare := g.one("=", "!=", "<", "<=", ">", ">=")
	of := g.plainKind()
	switch g.r.IntN(12) {
	case 0:
		return call(k, g.one("isNull(#)", "# IS NOT NULL", "isNotNull(#)"), g.leaf(s, []kind{integerKind, textKind, floatKind, dateKind}[g.r.IntN(4)]))
	case 1:
		return call(k, "# "+g.one("LIKE", "NOT LIKE", "ILIKE")+" "+g.one("'a%'", "'%b%'", "'_'", "'%'", "'v1_'", "'%c'", "'%e.org%'", "'a\\\\%b'", "'%v%9%'"), g.expr(s, textKind, depth-1))
	case 2:
		return call(k, "match(#, "+g.one("'^a'", "'b|z'", "'v[0-9]+$'", "'.*'", "'(a|b)c?$'", "'(?i)ABC'")+")", g.expr(s, textKind, depth-1))
	case 3:
		return call(k, "# "+g.one("IN", "NOT IN")+" ("+g.literal(of)+", "+g.literal(of)+", "+g.literal(of)+")", g.leaf(s, of))
	case 4:
		of = []kind{integerKind, floatKind, decimalKind, dateKind, timeKind, textKind}[g.r.IntN(6)]
		return call(k, "# BETWEEN "+g.literal(of)+" AND "+g.literal(of), g.leaf(s, of))
	case 5:
		return call(k, "# "+compare+" #", g.expr(s, integerKind, depth-1), g.expr(s, integerKind, depth-1))
	case 6:
		return call(k, g.one("startsWith(#, 'a')", "endsWith(#, 'c')", "hasToken(assumeNotNull(#), 'abc')", "notEmpty(#)", "# != ''", "position(#, 'b') > 0"), g.leaf(s, textKind))
	case 7:
		return call(k, g.one("has(#, 3)", "hasAny(#, [1, 5])", "notEmpty(#)", "arrayExists(x -> x > 4, #)", "arrayAll(x -> x < 9, #)"), g.leaf(s, integersKind))
	case 8:
		return call(k, "# "+g.one("IN", "NOT IN")+" (SELECT "+g.one("i8", "u8", "ni", "u8 + 1", "toInt64(i16)")+" FROM tb"+g.one("", " WHERE u8 > 2", " WHERE s = 'nosuch'")+")", g.leaf(s, integerKind))
	case 9:
		return call(k, g.one("isNaN(#)", "isFinite(#)", "# > 10", "# <= 0", "# = 0", "# != 1"), g.leaf(s, oddFloatKind))
	}
	text := "# " + compare + " " + g.literal(of)
	if of == boolKind || g.r.IntN(2) == 0 {
		return call(k, text, g.leaf(s, of))
	}
	if of == dateKind || of == timeKind || of == textKind || of == integerKind || of == floatKind {
		return call(k, text, g.expr(s, of, depth-1))
	}
	return call(k, text, g.leaf(s, of))
}

// aggregate2 returns a random aggregate whose value does not depend on the order of rows.
func (g *generator) aggregate2(s scope) string {
	e := func(k kind) *node { return g.expr(s, k, 2) }
	switch g.r.IntN(16) {
	case 0, 1:
		return "count()"
	case 2:
		return fmt.Sprintf("count(DISTINCT %s)", e(g.plainKind()))
	case 3:
		return fmt.Sprintf("%s(%s)", g.one("uniqExact", "count", "uniq"), e(g.plainKind()))
	case 4, 5:
		return fmt.Sprintf("%s(%s)", g.one("min", "max"), e(g.plainKind()))
	case 6:
		return fmt.Sprintf("%s(%s, %s)", g.one("sumIf", "avgIf", "minIf", "maxIf", "uniqExactIf"), e(integerKind), g.condition2(s, 1))
	case 7:
		return fmt.Sprintf("countIf(%s)", g.condition2(s, 2))
	case 8:
		return fmt.Sprintf("%s(%s)", g.one("sum", "avg"), e([]kind{floatKind, decimalKind}[g.r.IntN(2)]))
	case 9:
		return fmt.Sprintf("arraySort(%s(%s))", g.one("groupUniqArray", "groupArray"), e([]kind{integerKind, textKind, dateKind}[g.r.IntN(3)]))
	case 10:
		return fmt.Sprintf("%s(%s)", g.one("sumArray", "maxArray", "uniqExactArray", "countArray"), g.leaf(s, integersKind))
	case 11:
		return fmt.Sprintf("%s(%s, %s.id)", g.one("argMin", "argMax"), e(g.plainKind()), s.tables[0])
	case 12:
		return fmt.Sprintf("%s(%s)", g.one("quantileExact(0.5)", "quantileExact", "groupBitOr", "groupBitXor", "sumOrNull", "minOrDefault", "sumDistinct"), g.one(s.tables...)+"."+g.one("i16", "u32", "u64", "u8"))
	case 13:
		return fmt.Sprintf("%s(%s)", g.one("varPop", "stddevSamp"), g.one(s.tables...)+"."+g.one("i16", "u32", "f64"))
	}
	return fmt.Sprintf("%s(%s)", g.one("sum", "avg", "min", "max", "any(1) + sum"), e(integerKind))
}
