package types

import (
	"sort"
	"strconv"
	"strings"
	"time"

	"github.com/olapd/olapd/internal/sqlerr"
)

// maxTypeDepth bounds nesting such as Array(Array(…)); ClickHouse refuses far deeper types too.
const maxTypeDepth = 64

// maxFixedString is ClickHouse's limit of FixedString(N), in bytes.
const maxFixedString = 0xFFFFFF

// Parse reads a type as written in SQL, aliases such as BIGINT and VARCHAR(255)
// included. Unknown names are UnknownType; wrong arguments have the code ClickHouse gives them.
func Parse(s string) (*Type, error) {
	p := typeParser{s: s}
	t, err := p.parse(0)
	if err != nil {
		return nil, err
	}
	p.space()
	if p.i < len(p.s) {
		return nil, p.syntax()
	}
	return t, nil
}

type typeParser struct {
	s string
	i int
}

func (p *typeParser) syntax() error {
	return sqlerr.New(sqlerr.SyntaxError, "Syntax error in data type %s at position %d", QuoteString(p.s), p.i+1)
}

func (p *typeParser) space() {
	for p.i < len(p.s) && (p.s[p.i] == ' ' || p.s[p.i] == '\t' || p.s[p.i] == '\n' || p.s[p.i] == '\r') {
		p.i++
	}
}

func (p *typeParser) accept(c byte) bool {
	p.space()
	if p.i < len(p.s) && p.s[p.i] == c {
		p.i++
		return true
	}
	return false
}

func isWord(c byte) bool {
	return c == '_' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
}

func (p *typeParser) word() string {
	p.space()
	start := p.i
	for p.i < len(p.s) && isWord(p.s[p.i]) {
		p.i++
	}
	return p.s[start:p.i]
}

func (p *typeParser) peekWord() string {
	save := p.i
	w := p.word()
	p.i = save
	return w
}

func (p *typeParser) parse(depth int) (*Type, error) {
	if depth > maxTypeDepth {
		return nil, sqlerr.New(sqlerr.TooDeepRecursion, "Data type is nested deeper than %d", maxTypeDepth)
	}
	name := p.word()
	if name == "" {
		return nil, p.syntax()
	}
	name = p.multiWord(name)
	if !p.accept('(') {
		return p.build(name, nil, false)
	}
	args, err := p.args(name, depth)
	if err != nil {
		return nil, err
	}
	if !p.accept(')') {
		return nil, p.syntax()
	}
	return p.build(name, args, true)
}

// multiWord joins the SQL names of more than one word: DOUBLE PRECISION, INT UNSIGNED, CHARACTER VARYING.
func (p *typeParser) multiWord(name string) string {
	for {
		w := strings.ToLower(p.peekWord())
		joined := strings.ToLower(name) + " " + w
		if _, ok := aliases[joined]; w == "" || !ok {
			return name
		}
		p.word()
		name = joined
	}
}

// arg is one argument of a type: exactly one of its forms is set.
type arg struct {
	typ  *Type
	name string // element name in front of typ; or an aggregate function's name
	num  *int64
	str  *string
	enum *EnumValue
	text string // as written
}

func (p *typeParser) args(name string, depth int) ([]arg, error) {
	var out []arg
	p.space()
	if p.i < len(p.s) && p.s[p.i] == ')' {
		return out, nil
	}
	for {
		a, err := p.arg(name, len(out), depth)
		if err != nil {
			return nil, err
		}
		out = append(out, a)
		if !p.accept(',') {
			return out, nil
		}
		if p.space(); p.i < len(p.s) && p.s[p.i] == ')' { // a comma behind the last one is let through, as by ClickHouse
			return out, nil
		}
	}
}

func (p *typeParser) arg(name string, n, depth int) (arg, error) {
	p.space()
	start := p.i
	switch {
	case p.i >= len(p.s):
		return arg{}, p.syntax()
	case p.s[p.i] == '\'':
		return p.stringArg()
	case p.s[p.i] == '-' || p.s[p.i] >= '0' && p.s[p.i] <= '9':
		v, err := p.number()
		return arg{num: &v, text: p.s[start:p.i]}, err
	case strings.HasSuffix(strings.ToLower(name), "aggregatefunction") && n == 0:
		return p.functionArg()
	}
	if eqName(name, "JSON") || eqName(name, "Dynamic") {
		return p.objectArg(depth)
	}
	if eqName(name, "Tuple") || eqName(name, "Nested") {
		return p.elementArg(depth)
	}
	t, err := p.parse(depth + 1)
	return arg{typ: t, text: p.s[start:p.i]}, err
}

func (p *typeParser) number() (int64, error) {
	start := p.i
	if p.s[p.i] == '-' {
		p.i++
	}
	for p.i < len(p.s) && p.s[p.i] >= '0' && p.s[p.i] <= '9' {
		p.i++
	}
	v, err := strconv.ParseInt(p.s[start:p.i], 10, 64)
	if err != nil {
		return 0, p.syntax()
	}
	return v, nil
}

func (p *typeParser) stringArg() (arg, error) {
	s, err := p.quoted('\'')
	if err != nil {
		return arg{}, err
	}
	if !p.accept('=') {
		return arg{str: &s}, nil
	}
	p.space()
	if p.i >= len(p.s) {
		return arg{}, p.syntax()
	}
	v, err := p.number()
	if err != nil {
		return arg{}, err
	}
	if v < -32768 || v > 32767 {
		return arg{}, sqlerr.New(sqlerr.ArgumentOutOfBound, "Value %d for element '%s' exceeds range of Enum16", v, s)
	}
	return arg{enum: &EnumValue{Name: s, Value: int16(v)}}, nil
}

func (p *typeParser) quoted(q byte) (string, error) {
	var b strings.Builder
	for p.i++; p.i < len(p.s); p.i++ {
		c := p.s[p.i]
		switch {
		case c == '\\' && p.i+1 < len(p.s):
			p.i++
			b.WriteByte(unescape(p.s[p.i]))
		case c == q && p.i+1 < len(p.s) && p.s[p.i+1] == q:
			p.i++
			b.WriteByte(q)
		case c == q:
			p.i++
			return b.String(), nil
		default:
			b.WriteByte(c)
		}
	}
	return "", p.syntax()
}

func unescape(c byte) byte {
	switch c {
	case 'n':
		return '\n'
	case 't':
		return '\t'
	case 'r':
		return '\r'
	case '0':
		return 0
	case 'b':
		return '\b'
	case 'f':
		return '\f'
	}
	return c
}

// functionArg reads an aggregate function's name with its parameters: quantiles(0.5, 0.9).
func (p *typeParser) functionArg() (arg, error) {
	a := arg{name: p.word()}
	if a.name == "" {
		return a, p.syntax()
	}
	if !p.accept('(') {
		return a, nil
	}
	start, depth := p.i, 1
	for ; p.i < len(p.s); p.i++ {
		switch p.s[p.i] {
		case '\'':
			if _, err := p.quoted('\''); err != nil {
				return a, err
			}
			p.i--
		case '(':
			depth++
		case ')':
			depth--
		}
		if depth == 0 {
			a.text = p.s[start:p.i]
			p.i++
			return a, nil
		}
	}
	return a, p.syntax()
}

// elementArg reads a tuple element: a type, or a name and a type.
func (p *typeParser) elementArg(depth int) (arg, error) {
	save := p.i
	var name string
	if q := p.s[p.i]; q == '`' || q == '"' {
		n, err := p.quoted(q)
		if err != nil {
			return arg{}, err
		}
		name = n
	} else {
		name = p.word()
		p.space()
		if name == "" || p.i >= len(p.s) || !isWord(p.s[p.i]) || aliases[strings.ToLower(name)+" "+strings.ToLower(p.peekWord())] != "" {
			p.i, name = save, ""
		}
	}
	t, err := p.parse(depth + 1)
	return arg{typ: t, name: name}, err
}

func eqName(a, b string) bool { return strings.EqualFold(a, b) }

func sortEnum(values []EnumValue) {
	sort.Slice(values, func(i, j int) bool { return values[i].Value < values[j].Value })
}

// zoneOf resolves a time zone argument.
func zoneOf(name string) (*time.Location, error) {
	loc, err := LoadZone(name)
	if err != nil {
		return nil, err
	}
	return loc, nil
}

// LoadZone returns a time zone by its IANA name; an unknown one is BadArguments.
func LoadZone(name string) (*time.Location, error) {
	if name == "" || name == "Local" {
		return nil, sqlerr.New(sqlerr.BadArguments, "Cannot load time zone %s", name)
	}
	loc, err := time.LoadLocation(name)
	if err != nil {
		return nil, sqlerr.New(sqlerr.BadArguments, "Cannot load time zone %s", name)
	}
	return loc, nil
}
