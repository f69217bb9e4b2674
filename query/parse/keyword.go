package parse

import (
	"strconv"
	"strings"

	"github.com/olapd/olapd/query/ast"
)

// unit is a unit of time: its name, the function of INTERVAL and that of EXTRACT.
type unit struct{ name, interval, extract string }

var units = func() map[string]unit {
	m := map[string]unit{}
	add := func(name, function, extract, spellings string) {
		for _, s := range strings.Fields(spellings) {
			m[s] = unit{name, "toInterval" + function, extract}
		}
	}
	add("nanosecond", "Nanosecond", "toNanosecond", "NANOSECOND NANOSECONDS SQL_TSI_NANOSECOND NS")
	add("microsecond", "Microsecond", "toMicrosecond", "MICROSECOND MICROSECONDS SQL_TSI_MICROSECOND US")
	add("millisecond", "Millisecond", "toMillisecond", "MILLISECOND MILLISECONDS SQL_TSI_MILLISECOND MS")
	add("second", "Second", "toSecond", "SECOND SECONDS SQL_TSI_SECOND SS S")
	add("minute", "Minute", "toMinute", "MINUTE MINUTES SQL_TSI_MINUTE MI N")
	add("hour", "Hour", "toHour", "HOUR HOURS SQL_TSI_HOUR HH H")
	add("day", "Day", "toDayOfMonth", "DAY DAYS SQL_TSI_DAY DD D")
	add("week", "Week", "toISOWeek", "WEEK WEEKS SQL_TSI_WEEK WK WW")
	add("month", "Month", "toMonth", "MONTH MONTHS SQL_TSI_MONTH MM M")
	add("quarter", "Quarter", "toQuarter", "QUARTER QUARTERS SQL_TSI_QUARTER QQ Q")
	add("year", "Year", "toYear", "YEAR YEARS SQL_TSI_YEAR YYYY YY")
	return m
}()

// keywordOperand takes CASE, INTERVAL, DATE '...' and TIMESTAMP '...', or returns nil.
func (p *parser) keywordOperand() ast.Expr {
	start := p.at().start
	next := p.peek(1)
	switch {
	case p.wordAt(0, "CASE") && (next.kind != tokSymbol || next.symbol == "(" || next.symbol == "["):
		return p.caseExpr()
	case p.wordAt(0, "INTERVAL"):
		return p.interval()
	case next.kind != tokString:
		return nil
	case p.wordAt(0, "DATE"):
		p.pos++
		return p.special("toDate", start, p.stringLiteral())
	case p.wordAt(0, "TIMESTAMP"):
		p.pos++
		return p.special("toDateTime", start, p.stringLiteral())
	}
	return nil
}

func (p *parser) caseExpr() ast.Expr {
	start := p.at().start
	p.needWords("CASE")
	function := "multiIf"
	var args []ast.Expr
	if !p.isWords("WHEN") {
		function = "caseWithExpression"
		args = append(args, p.expr())
	}
	p.needWords("WHEN")
	for again := true; again; again = p.words("WHEN") {
		args = append(args, p.expr())
		p.needWords("THEN")
		args = append(args, p.expr())
	}
	if p.words("ELSE") {
		args = append(args, p.expr())
	} else {
		args = append(args, &ast.Literal{Kind: ast.LiteralNull, Range: ast.Range{Start: p.at().start, End: p.at().start}})
	}
	p.needWords("END")
	c := p.operator(function, start, args...)
	c.Syntax = ast.SyntaxCase
	return c
}

// interval takes INTERVAL n unit or INTERVAL 'n unit ...', or returns nil if INTERVAL is a name here.
func (p *parser) interval() ast.Expr {
	start := p.at().start
	next := p.peek(1)
	if next.kind == tokEnd || next.kind == tokSymbol && next.symbol != "(" && next.symbol != "-" && next.symbol != "{" {
		return nil
	}
	if next.kind == tokWord && notAnAlias[strings.ToUpper(p.src(next))] {
		return nil
	}
	p.pos++
	if next.kind == tokString {
		if _, ok := units[strings.ToUpper(p.src(p.peek(1)))]; !ok || p.peek(1).kind != tokWord {
			return p.intervalText(start)
		}
	}
	n := p.binding(bindAdd)
	u, ok := units[strings.ToUpper(p.src(p.at()))]
	if !ok || p.at().kind != tokWord {
		p.failWant("interval unit")
	}
	p.pos++
	return p.special(u.interval, start, n)
}

// intervalText takes '1 day 2 hours', which is one interval or a tuple of them.
func (p *parser) intervalText(start int) ast.Expr {
	t := p.at()
	fields := strings.Fields(p.stringText())
	if len(fields) == 0 || len(fields)%2 != 0 {
		p.failAt(t, "Expected pairs of a number and an interval unit")
	}
	var parts []ast.Expr
	for i := 0; i < len(fields); i += 2 {
		u, ok := units[strings.ToUpper(fields[i+1])]
		n, err := strconv.ParseInt(fields[i], 10, 64)
		if !ok || err != nil {
			p.failAt(t, "Expected pairs of a number and an interval unit")
		}
		l := &ast.Literal{Range: ast.Range{Start: t.start, End: t.end}, Kind: ast.LiteralUint, Uint: uint64(n)}
		if n < 0 {
			l.Kind, l.Uint, l.Int = ast.LiteralInt, 0, n
		}
		parts = append(parts, p.special(u.interval, start, l))
	}
	if len(parts) == 1 {
		return parts[0]
	}
	c := p.operator("tuple", start, parts...)
	c.Syntax = ast.SyntaxTuple
	return c
}
