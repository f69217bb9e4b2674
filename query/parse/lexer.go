package parse

import (
	"strings"
	"unicode/utf8"
)

// kind is the class of a token.
type kind uint8

const (
	tokEnd kind = iota
	tokWord
	tokQuoted // `ident` or "ident"
	tokNumber
	tokString  // 'text', x'hex', b'bits' or a heredoc
	tokSymbol  // an operator or punctuation
	tokInvalid // bytes that are no token; problem says why
)

// token is one token: a byte range of the text.
type token struct {
	kind       kind
	start, end int
	// symbol is the text of a symbol, problem the message of an invalid token.
	symbol string
}

// lexer cuts text into tokens, one at a time, so that the data of an INSERT is never read.
type lexer struct {
	text string
	pos  int
	// afterDot says that the last token was a dot: 1.2 is then two tuple indexes, not a number.
	afterDot bool
	// afterOperand says that it ended an operand: a dot is then no beginning of a number.
	afterOperand bool
}

// symbols in an order in which the first match is the longest.
var symbols = []string{
	"<=>", "->", "==", "!=", "<>", "<=", ">=", "::", "||", "@@",
	"(", ")", "[", "]", "{", "}", ",", ";", ".", "*", "+", "-", "/", "%", "=", "<", ">", "?", ":", "@", "|", "^", "!",
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

func isWordStart(c byte) bool { return c == '_' || c|32 >= 'a' && c|32 <= 'z' }

func isWordByte(c byte) bool { return isWordStart(c) || isDigit(c) }

// next returns the next token.
func (l *lexer) next() token {
	if bad, ok := l.skipBlank(); !ok {
		return bad
	}
	t := l.scan()
	l.pos = t.end
	l.afterDot = t.kind == tokSymbol && t.symbol == "."
	l.afterOperand = t.kind != tokSymbol || t.symbol == ")" || t.symbol == "]"
	return t
}

func (l *lexer) scan() token {
	start := l.pos
	if start >= len(l.text) {
		return token{kind: tokEnd, start: start, end: start}
	}
	c := l.text[start]
	switch {
	case isDigit(c), c == '.' && !l.afterOperand && start > 0 && start+1 < len(l.text) && isDigit(l.text[start+1]):
		return l.number()
	case c == '\'':
		return l.quoted(start, start, tokString)
	case c == '`' || c == '"':
		return l.quoted(start, start, tokQuoted)
	case c == '$':
		return l.heredoc()
	case (c|32 == 'x' || c|32 == 'b') && start+1 < len(l.text) && l.text[start+1] == '\'':
		return l.quoted(start, start+1, tokString)
	case isWordStart(c):
		return token{kind: tokWord, start: start, end: l.wordEnd(start)}
	}
	for _, s := range symbols {
		if strings.HasPrefix(l.text[start:], s) {
			return token{kind: tokSymbol, start: start, end: start + len(s), symbol: s}
		}
	}
	_, size := utf8.DecodeRuneInString(l.text[start:])
	return token{kind: tokInvalid, start: start, end: start + size, symbol: "Unrecognized token"}
}

func (l *lexer) wordEnd(i int) int {
	for i < len(l.text) && (isWordByte(l.text[i]) || l.text[i] == '$') {
		i++
	}
	return i
}

// skipBlank moves over white space and comments. It returns false and the token for a comment without an end.
func (l *lexer) skipBlank() (token, bool) {
	for l.pos < len(l.text) {
		rest := l.text[l.pos:]
		switch {
		case rest[0] == ' ' || rest[0] >= '\t' && rest[0] <= '\r':
			l.pos++
		case strings.HasPrefix(rest, "--"), strings.HasPrefix(rest, "#!"), strings.HasPrefix(rest, "# "), strings.HasPrefix(rest, "//"):
			l.skipLine()
		case strings.HasPrefix(rest, "/*"):
			size := commentSize(rest)
			if size < 0 {
				t := token{kind: tokInvalid, start: l.pos, end: len(l.text), symbol: "Multiline comment is not closed"}
				l.pos = len(l.text)
				return t, false
			}
			l.pos += size
		case rest[0] >= utf8.RuneSelf:
			size := unicodeBlank(rest)
			if size == 0 {
				return token{}, true
			}
			l.pos += size
		default:
			return token{}, true
		}
	}
	return token{}, true
}

// commentSize returns the length of the comment s begins with, -1 without an end. Comments nest.
func commentSize(s string) int {
	level := 0
	for i := 0; i+1 < len(s); {
		switch s[i : i+2] {
		case "/*":
			level++
			i += 2
		case "*/":
			level--
			i += 2
			if level == 0 {
				return i
			}
		default:
			i++
		}
	}
	return -1
}

func (l *lexer) skipLine() {
	end := strings.IndexByte(l.text[l.pos:], '\n')
	if end < 0 {
		l.pos = len(l.text)
		return
	}
	l.pos += end + 1
}

// unicodeBlank returns the length of the white space rune s begins with, or 0.
func unicodeBlank(s string) int {
	r, size := utf8.DecodeRuneInString(s)
	switch {
	case r == 0x85, r == 0xA0, r == 0x1680, r == 0x180E, r >= 0x2000 && r <= 0x200D,
		r == 0x2028, r == 0x2029, r == 0x202F, r == 0x205F, r == 0x2060, r == 0x3000, r == 0xFEFF:
		return size
	}
	return 0
}

var notClosed = map[byte]string{
	'\'': "Single quoted string is not closed", '"': "Double quoted string is not closed", '`': "Back quoted string is not closed",
}

// quoted scans from the opening quote at open to its partner. A backslash escapes the next byte; a doubled quote stands for one.
func (l *lexer) quoted(start, open int, k kind) token {
	q := l.text[open]
	for i := open + 1; i < len(l.text); i++ {
		switch l.text[i] {
		case '\\':
			i++
		case q:
			if i+1 < len(l.text) && l.text[i+1] == q && start == open {
				i++
				continue
			}
			if k == tokQuoted && i == open+1 {
				return token{kind: tokInvalid, start: start, end: i + 1, symbol: "Empty identifier"}
			}
			return token{kind: k, start: start, end: i + 1}
		}
	}
	return token{kind: tokInvalid, start: start, end: len(l.text), symbol: notClosed[q]}
}

// heredoc scans $tag$ text $tag$.
func (l *lexer) heredoc() token {
	start := l.pos
	i := start + 1
	for i < len(l.text) && isWordByte(l.text[i]) {
		i++
	}
	if i < len(l.text) && l.text[i] == '$' {
		tag := l.text[start : i+1]
		if end := strings.Index(l.text[i+1:], tag); end >= 0 {
			return token{kind: tokString, start: start, end: i + 1 + end + len(tag)}
		}
	}
	if end := l.wordEnd(start); end > start+1 {
		return token{kind: tokWord, start: start, end: end}
	}
	return token{kind: tokInvalid, start: start, end: start + 1, symbol: "Unrecognized token"}
}

// number scans a number. A word that begins with a digit, such as 10_minutes, is a word.
func (l *lexer) number() token {
	start, i := l.pos, l.pos
	if l.afterDot {
		for i < len(l.text) && isDigit(l.text[i]) {
			i++
		}
		return l.numberOrWord(start, i)
	}
	if l.text[i] == '0' && i+2 < len(l.text) {
		if digits := radixDigits(l.text[i+1]); digits != "" && strings.IndexByte(digits, l.text[i+2]|32) >= 0 {
			i = l.digits(i+2, digits)
			if l.text[start+1]|32 == 'x' {
				i = l.fraction(i, digits, 'p')
			}
			return l.numberOrWord(start, i)
		}
	}
	i = l.fraction(l.digits(i, decimalDigits), decimalDigits, 'e')
	return l.numberOrWord(start, i)
}

const decimalDigits = "0123456789"

func radixDigits(c byte) string {
	switch c | 32 {
	case 'x':
		return "0123456789abcdef"
	case 'b':
		return "01"
	}
	return ""
}

// digits scans digits with single underscores between them.
func (l *lexer) digits(i int, set string) int {
	for i < len(l.text) {
		c := l.text[i]
		switch {
		case strings.IndexByte(set, c|32) >= 0 && c != 0x10:
			i++
		case c == '_' && i+1 < len(l.text) && strings.IndexByte(set, l.text[i+1]|32) >= 0:
			i++
		default:
			return i
		}
	}
	return i
}

// fraction scans [.digits][e[+-]digits].
func (l *lexer) fraction(i int, set string, exponent byte) int {
	if i < len(l.text) && l.text[i] == '.' {
		i = l.digits(i+1, set)
	}
	if i < len(l.text) && l.text[i]|32 == exponent {
		k := i + 1
		if k < len(l.text) && (l.text[k] == '-' || l.text[k] == '+') {
			k++
		}
		if k < len(l.text) && isDigit(l.text[k]) {
			return l.digits(k, decimalDigits)
		}
	}
	return i
}

func (l *lexer) numberOrWord(start, i int) token {
	if i >= len(l.text) || !isWordByte(l.text[i]) && l.text[i] != '$' {
		return token{kind: tokNumber, start: start, end: i}
	}
	end := l.wordEnd(i)
	if l.text[start] == '0' && radixDigits(l.text[start+1]) != "" && i > start+1 {
		return token{kind: tokInvalid, start: start, end: end, symbol: "Wrong number"}
	}
	for _, c := range []byte(l.text[start:end]) {
		if !isWordByte(c) && c != '$' {
			return token{kind: tokInvalid, start: start, end: end, symbol: "Wrong number"}
		}
	}
	return token{kind: tokWord, start: start, end: end}
}
