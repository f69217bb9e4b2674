// Package parse turns SQL text into query/ast trees.
//
// The lexer is hand-written and works on demand; the parser is recursive descent for
// statements and precedence climbing for expressions. Binding powers, weakest first:
//
//	 1  ->                       lambda, to the right
//	 2  ? :
//	 3  OR                       n-ary
//	 4  AND                      n-ary
//	 5  NOT                      prefix
//	 6  IS [NOT] NULL, IS [NOT] DISTINCT FROM, IS [NOT] TRUE
//	 7  [NOT] BETWEEN
//	 9  = == != <> < <= > >= <=> [NOT] LIKE ILIKE, REGEXP, [GLOBAL] [NOT] IN
//	10  ||                       n-ary
//	11  + -
//	12  * / % MOD DIV
//	13  -                        prefix
//	14  [] . ::                  postfix
//
// Keywords are not reserved: a word is an identifier wherever the grammar has room for one,
// except for the few in expr.go that would swallow the next clause.
//
// Every error is a *sqlerr.Error: SyntaxError (62) with the position, QueryIsTooLarge (229),
// TooDeepRecursion (306), TooDeepAST (167), TooBigAST (168). The package is stateless and safe for concurrent use.
package parse

import (
	"fmt"
	"strings"

	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/query/ast"
)

// Limits bounds what a query may cost to parse. A zero field takes the default.
type Limits struct {
	// QuerySize is max_query_size: bytes of SQL, inline data of an INSERT left out.
	QuerySize int
	// Depth is max_parser_depth and max_ast_depth in one.
	Depth int
	// Elements is max_ast_elements: nodes other than literals.
	Elements int
}

// The defaults are ClickHouse's.
const (
	DefaultQuerySize = 262144
	DefaultDepth     = 1000
	DefaultElements  = 50000
)

func (l Limits) withDefaults() Limits {
	if l.QuerySize == 0 {
		l.QuerySize = DefaultQuerySize
	}
	if l.Depth == 0 {
		l.Depth = DefaultDepth
	}
	if l.Elements == 0 {
		l.Elements = DefaultElements
	}
	return l
}

// One parses a text that holds exactly one statement; a trailing semicolon is fine.
// An INSERT with inline data takes the rest of the text as its data.
func One(text string, limits Limits) (stmt ast.Statement, err error) {
	p := newParser(text, limits)
	defer p.recover(&err)
	if p.at().kind == tokEnd {
		return nil, sqlerr.At(0, sqlerr.SyntaxError, "Empty query")
	}
	stmt = p.parallel(p.statement())
	if hasInlineData(stmt) {
		return stmt, nil
	}
	semicolon := false
	for p.symbol(";") {
		semicolon = true
	}
	if t := p.at(); t.kind != tokEnd {
		if semicolon && t.kind != tokInvalid {
			p.failMulti(t)
		}
		p.fail()
	}
	return stmt, nil
}

// parallel takes what PARALLEL WITH joins to a statement.
func (p *parser) parallel(first ast.Statement) ast.Statement {
	if !p.words("PARALLEL WITH") {
		return first
	}
	s := &ast.Parallel{Statements: []ast.Statement{first, p.statement()}}
	for p.words("PARALLEL WITH") {
		s.Statements = append(s.Statements, p.statement())
	}
	s.Range = p.from(first.Span().Start)
	return s
}

// Statements parses any number of statements separated by semicolons. Inline data of an INSERT extends to the
// end of the text, so such an INSERT is the last. An empty text has no statements.
func Statements(text string, limits Limits) (list []ast.Statement, err error) {
	p := newParser(text, limits)
	defer p.recover(&err)
	for {
		for p.symbol(";") {
		}
		if p.at().kind == tokEnd {
			return list, nil
		}
		s := p.parallel(p.statement())
		list = append(list, s)
		if hasInlineData(s) {
			return list, nil
		}
		if t := p.at(); t.kind != tokEnd && !p.isSymbol(";") {
			p.fail()
		}
	}
}

// Expr parses a standalone expression, such as a setting's filter or a column's default.
func Expr(text string, limits Limits) (e ast.Expr, err error) {
	p := newParser(text, limits)
	defer p.recover(&err)
	e = p.aliased(false)
	if p.at().kind != tokEnd {
		p.fail()
	}
	return e, nil
}

func hasInlineData(s ast.Statement) bool {
	i, ok := s.(*ast.Insert)
	return ok && i.DataStart >= 0
}

// parser holds the state of one parse. Its methods report an error by panicking with bail, which the exported functions catch.
type parser struct {
	text   string
	limits Limits
	lex    lexer
	toks   []token
	pos    int
	depth  int
	nodes  int
	// furthest is the token no rule got beyond; expected is what the rules wanted there.
	furthest int
	expected []string
	// partners holds the index of the closing parenthesis by that of the opening one.
	partners map[int]int
}

// bail carries an error up to the exported function.
type bail struct{ err *sqlerr.Error }

func newParser(text string, limits Limits) *parser {
	return &parser{text: text, limits: limits.withDefaults(), lex: lexer{text: text}}
}

func (p *parser) recover(err *error) {
	switch r := recover().(type) {
	case nil:
	case bail:
		*err = r.err
	default:
		panic(r)
	}
}

// peek returns the token n places ahead.
func (p *parser) peek(n int) token {
	for p.pos+n >= len(p.toks) {
		t := p.lex.next()
		if t.start > p.limits.QuerySize {
			t = token{kind: tokInvalid, start: t.start, end: t.end, symbol: tooLarge}
		}
		p.toks = append(p.toks, t)
	}
	return p.toks[p.pos+n]
}

const tooLarge = "Max query size exceeded"

func (p *parser) at() token { return p.peek(0) }

func (p *parser) advance() token {
	t := p.at()
	if t.kind != tokEnd {
		p.pos++
	}
	return t
}

func (p *parser) src(t token) string { return p.text[t.start:t.end] }

// from returns the range from the byte start to the end of the last token taken.
func (p *parser) from(start int) ast.Range {
	if p.pos == 0 {
		return ast.Range{Start: start, End: start}
	}
	return ast.Range{Start: start, End: max(start, p.toks[p.pos-1].end)}
}

func (p *parser) isSymbol(s string) bool {
	t := p.at()
	if t.kind == tokSymbol && t.symbol == s {
		return true
	}
	p.want(s)
	return false
}

// symbol takes the symbol s if it is next.
func (p *parser) symbol(s string) bool {
	if !p.isSymbol(s) {
		return false
	}
	p.pos++
	return true
}

func (p *parser) needSymbol(s string) {
	if !p.symbol(s) {
		p.fail()
	}
}

func (p *parser) symbolAt(n int, s string) bool {
	t := p.peek(n)
	return t.kind == tokSymbol && t.symbol == s
}

// wordAt reports whether the token n places ahead is the keyword w, given in upper case.
func (p *parser) wordAt(n int, w string) bool {
	t := p.peek(n)
	return t.kind == tokWord && t.end-t.start == len(w) && strings.EqualFold(p.src(t), w)
}

// isWords reports whether the keywords of s, separated by single spaces, are next.
func (p *parser) isWords(s string) bool {
	n := 0
	for rest := s; rest != ""; n++ {
		var w string
		w, rest, _ = strings.Cut(rest, " ")
		if !p.wordAt(n, w) {
			p.want(s)
			return false
		}
	}
	return true
}

// words takes the keywords of s if all of them are next.
func (p *parser) words(s string) bool {
	if !p.isWords(s) {
		return false
	}
	p.pos += strings.Count(s, " ") + 1
	return true
}

func (p *parser) needWords(s string) {
	if !p.words(s) {
		p.fail()
	}
}

// anyWords takes the first of the alternatives that is next and returns it, or "".
func (p *parser) anyWords(alternatives ...string) string {
	for _, s := range alternatives {
		if p.words(s) {
			return s
		}
	}
	return ""
}

// want notes what would have been accepted at the current token.
func (p *parser) want(what string) {
	switch {
	case p.pos < p.furthest:
		return
	case p.pos > p.furthest:
		p.furthest = p.pos
		p.expected = p.expected[:0]
	}
	if len(p.expected) < maxExpected {
		p.expected = append(p.expected, what)
	}
}

// maxExpected bounds the list of an error message.
const maxExpected = 64

// failWant fails at the current token, which should have been what.
func (p *parser) failWant(what string) {
	p.want(what)
	p.fail()
}

// fail reports a syntax error at the furthest token reached.
func (p *parser) fail() {
	i := max(p.furthest, p.pos)
	for i >= len(p.toks) {
		p.peek(len(p.toks) - p.pos)
	}
	if p.furthest < i {
		p.expected = p.expected[:0]
	}
	t := p.toks[i]
	if t.kind == tokInvalid {
		p.failInvalid(t)
	}
	msg := p.located(t)
	if len(p.expected) > 0 {
		msg += ". Expected " + joinExpected(p.expected)
	}
	panic(bail{sqlerr.At(t.start, sqlerr.SyntaxError, "%s", msg)})
}

// failAt reports a syntax error of another sort at a token.
func (p *parser) failAt(t token, reason string) {
	panic(bail{sqlerr.At(t.start, sqlerr.SyntaxError, "%s. %s", p.located(t), reason)})
}

func (p *parser) failInvalid(t token) {
	if t.symbol == tooLarge {
		panic(bail{sqlerr.At(t.start, sqlerr.QueryIsTooLarge,
			"%s. Max query size exceeded (can be increased with the `max_query_size` setting)", p.located(t))})
	}
	panic(bail{sqlerr.At(t.start, sqlerr.SyntaxError, "%s: %s", t.symbol, p.located(t))})
}

func (p *parser) failMulti(t token) {
	panic(bail{sqlerr.At(t.start, sqlerr.SyntaxError, "Syntax error (Multi-statements are not allowed): failed at position %d (%s)%s: %s",
		t.start+1, excerpt(p.src(t)), p.lineCol(t.start), excerpt(p.text[t.start:]))})
}

func (p *parser) located(t token) string {
	if t.kind == tokEnd {
		return fmt.Sprintf("Syntax error: failed at position %d (end of query)%s: ", t.start+1, p.lineCol(t.start))
	}
	return fmt.Sprintf("Syntax error: failed at position %d (%s)%s: %s", t.start+1, excerpt(p.src(t)), p.lineCol(t.start), excerpt(p.text[t.start:]))
}

// lineCol tells the line and column, as ClickHouse does when there is more than one line.
func (p *parser) lineCol(pos int) string {
	if !strings.Contains(p.text[:min(len(p.text), p.limits.QuerySize)], "\n") {
		return ""
	}
	before := p.text[:pos]
	return fmt.Sprintf(" (line %d, col %d)", strings.Count(before, "\n")+1, pos-strings.LastIndexByte(before, '\n'))
}

// excerptBytes is how much of a query an error message repeats.
const excerptBytes = 160

func excerpt(s string) string {
	if len(s) <= excerptBytes {
		return s
	}
	cut := excerptBytes
	for cut > 0 && s[cut]&0xC0 == 0x80 {
		cut--
	}
	return s[:cut] + "..."
}

func joinExpected(list []string) string {
	seen := map[string]bool{}
	var out []string
	for _, s := range list {
		if !seen[s] {
			seen[s] = true
			out = append(out, s)
		}
	}
	if len(out) == 1 {
		return out[0]
	}
	return "one of: " + strings.Join(out, ", ")
}

// enter counts one level of recursion; leave undoes it.
func (p *parser) enter() {
	p.depth++
	if p.depth > p.limits.Depth {
		panic(bail{sqlerr.At(p.at().start, sqlerr.TooDeepRecursion,
			"Maximum parse depth (%d) exceeded. Consider rising max_parser_depth parameter.", p.limits.Depth)})
	}
}

func (p *parser) leave() { p.depth-- }

// count counts one node of the tree.
func (p *parser) count() {
	p.nodes++
	if p.nodes > p.limits.Elements {
		panic(bail{sqlerr.At(p.at().start, sqlerr.TooBigAST, "AST is too big. Maximum: %d", p.limits.Elements)})
	}
}
