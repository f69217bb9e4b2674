package parse

import (
	"errors"
	"math"
	"strconv"
	"strings"

	"github.com/olapd/olapd/query/ast"
)

// number makes the literal of a number token; start is where its sign stands, if it has one.
func (p *parser) number(start int, negative bool) *ast.Literal {
	t := p.advance()
	text := p.src(t)
	if negative {
		text = "-" + text
	}
	l := &ast.Literal{Range: p.from(start), Text: text}
	if !parseNumber(l, strings.ReplaceAll(p.src(t), "_", ""), negative) {
		p.failAt(t, "Number is out of range")
	}
	return l
}

// parseNumber fills the kind and value of l from the digits of a number without its sign.
func parseNumber(l *ast.Literal, digits string, negative bool) bool {
	base, body := 10, digits
	if len(digits) > 2 && digits[0] == '0' {
		switch digits[1] | 32 {
		case 'x':
			base, body = 16, digits[2:]
		case 'b':
			base, body = 2, digits[2:]
		}
	}
	n, err := strconv.ParseUint(body, base, 64)
	switch {
	case err == nil && !negative:
		l.Kind, l.Uint = ast.LiteralUint, n
		return true
	case err == nil && n == 0:
		l.Kind = ast.LiteralUint // -0 is 0
		return true
	case err == nil && n <= 1<<63:
		l.Kind, l.Int = ast.LiteralInt, -int64(n-1)-1
		return true
	}
	l.Kind = ast.LiteralFloat
	if err == nil || errors.Is(err, strconv.ErrRange) {
		l.Kind = ast.LiteralBigInt
	}
	if base == 16 && !strings.ContainsAny(digits, "pP") {
		digits += "p0"
	}
	if base == 2 {
		return false
	}
	l.Float, err = strconv.ParseFloat(digits, 64)
	if negative {
		l.Float = -l.Float
	}
	return err == nil
}

// wordLiteral makes the literal of NULL, TRUE, FALSE, INF, INFINITY or NAN, or returns nil.
func (p *parser) wordLiteral() *ast.Literal {
	t := p.at()
	l := &ast.Literal{Range: ast.Range{Start: t.start, End: t.end}}
	switch strings.ToUpper(p.src(t)) {
	case "NULL":
	case "TRUE":
		l.Kind, l.Bool = ast.LiteralBool, true
	case "FALSE":
		l.Kind = ast.LiteralBool
	case "INF", "INFINITY":
		l.Kind, l.Float = ast.LiteralFloat, math.Inf(1)
	case "NAN":
		l.Kind, l.Float = ast.LiteralFloat, math.Float64frombits(0x7ff8000000000000) // the bits that hashes and hex see in ClickHouse
	default:
		return nil
	}
	p.pos++
	return l
}
