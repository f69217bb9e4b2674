// Package regex matches regular expressions of RE2's syntax, leftmost-first, in which a dot matches a line end too.
//
// Results are exactly those of the standard library's regexp with the flag s. It parses and compiles the
// expressions too, and stands in where this package's automaton does not apply; the automaton is 10 to 30 times as fast.
//
// # The automaton
//
// The compiled program is turned into one over bytes (program.go), in which a rune is the byte sequences of its UTF-8 form
// (utf8.go), and determinised when the expression is first used (determinize.go). A state is what a backtracking-free
// simulation would hold between two bytes: threads in order of preference, and where in a rune the text stands. A transition
// leads from a state and a class of bytes to the next state and says what it does to the threads' captures: for nearly
// all transitions, nothing, since a thread passes empty-width instructions only once the next byte has told
// that it goes on behind them. The loop (run.go) is then one load per byte.
//
// An expression in which nothing is to be chosen is tried item by item first (path.go): most texts pass, several times as fast. One that
// is a class, or a run of it, needs no automaton (span.go).
//
// Text that is not UTF-8 is left to the standard library from where the automaton notices.
package regex

import (
	"bytes"
	"regexp"
	"regexp/syntax"
	"slices"
	"sync"
)

// Regexp is a compiled expression. It is safe for concurrent use.
type Regexp struct {
	std             *regexp.Regexp
	expr            string
	literal         []byte // the whole expression, if it is nothing but text; else nil
	prefix          []byte // of every match
	needed          []byte // some text within every match
	always          bool   // matches every text
	empty           bool   // matches the empty string
	anchored        bool   // a match begins at the text's start
	path            path   // the expression, if it is one; else nil
	span            *span  // the expression, if it is one; else nil
	submatch, yesno lazyDFA
}

// lazyDFA is built when it is first needed; nil if the expression is too large.
type lazyDFA struct {
	once sync.Once
	dfa  *dfa
}

// flags are those of the standard library, and that a dot matches a line end.
const flags = syntax.Perl | syntax.DotNL

// Compile parses an expression; the error is the standard library's.
func Compile(expr string) (*Regexp, error) {
	std, err := regexp.Compile("(?s)" + expr)
	if err != nil {
		return nil, err
	}
	re := &Regexp{std: std, expr: expr, empty: std.MatchString("")}
	tree, err := syntax.Parse(expr, flags)
	if err != nil {
		return nil, err
	}
	tree = tree.Simplify()
	re.always = re.empty && !looks(tree)
	re.anchored = tree.Op == syntax.OpBeginText || tree.Op == syntax.OpConcat && tree.Sub[0].Op == syntax.OpBeginText
	prefix, complete := std.LiteralPrefix()
	switch {
	case complete && std.NumSubexp() == 0:
		re.literal = []byte(prefix)
	case prefix != "":
		re.prefix = []byte(prefix)
	default:
		re.needed = required(tree)
	}
	re.path = newPath(tree, re.prefix)
	if re.literal == nil {
		re.span = newSpan(tree)
	}
	return re, nil
}

// looks reports whether an expression asks what stands around a position.
func looks(e *syntax.Regexp) bool {
	switch e.Op {
	case syntax.OpBeginLine, syntax.OpEndLine, syntax.OpBeginText, syntax.OpEndText, syntax.OpWordBoundary, syntax.OpNoWordBoundary:
		return true
	}
	return slices.ContainsFunc(e.Sub, looks)
}

// String is the expression.
func (re *Regexp) String() string { return re.expr }

// Anchored reports whether every match begins at the text's start.
func (re *Regexp) Anchored() bool { return re.anchored }

// NumSubexp is the number of groups.
func (re *Regexp) NumSubexp() int { return re.std.NumSubexp() }

// MatchesEmpty reports whether the expression matches the empty string.
func (re *Regexp) MatchesEmpty() bool { return re.empty }

// automaton returns the automaton with captures or the one without, or nil.
func (re *Regexp) automaton(captures bool) *dfa {
	l := &re.yesno
	if captures {
		l = &re.submatch
	}
	l.once.Do(func() { l.dfa = build(re.expr, captures) })
	return l.dfa
}

// build determinises an expression; nil if that is not possible within the limits.
func build(expr string, captures bool) *dfa {
	tree, err := syntax.Parse(expr, flags)
	if err != nil {
		return nil
	}
	prog, err := syntax.Compile(tree.Simplify())
	if err != nil {
		return nil
	}
	p := translate(prog, captures)
	if p == nil {
		return nil
	}
	return determinize(p)
}

// Required returns a text that every match holds, or nil; exact says that whatever holds it matches.
func (re *Regexp) Required() (text []byte, exact bool) {
	switch {
	case re.literal != nil:
		return re.literal, true
	case re.prefix != nil:
		return re.prefix, false
	}
	return re.needed, false
}

// mayMatch is a fast test that a text without what every match has fails.
func (re *Regexp) mayMatch(s []byte) bool {
	text, _ := re.Required()
	return text == nil || bytes.Contains(s, text)
}
