package parse

import "iter"

// TokenKind is the class of a Token.
type TokenKind uint8

// The kinds of tokens.
const (
	TokenWord    TokenKind = iota // a keyword or a bare identifier
	TokenQuoted                   // `ident` or "ident"
	TokenNumber                   //
	TokenString                   // 'text', x'hex', b'bits' or a heredoc
	TokenSymbol                   // an operator or punctuation
	TokenInvalid                  // a byte that begins no token
	TokenOpen                     // a string, quoted name or comment that is not closed; it runs to the end of the text
)

// Token is one token of SQL: text[Start:End].
type Token struct {
	Kind       TokenKind
	Start, End int
}

var tokenKinds = map[kind]TokenKind{
	tokWord: TokenWord, tokQuoted: TokenQuoted, tokNumber: TokenNumber, tokString: TokenString, tokSymbol: TokenSymbol, tokInvalid: TokenInvalid,
}

// Tokens cuts any text, whole or unfinished, into the tokens the parser would see, on demand. What lies between two
// tokens is white space and comments. It is what an editor of SQL needs: to colour text and to find where a statement ends.
func Tokens(text string) iter.Seq[Token] {
	return func(yield func(Token) bool) {
		l := lexer{text: text}
		for {
			t := l.next()
			if t.kind == tokEnd {
				return
			}
			out := Token{Kind: tokenKinds[t.kind], Start: t.start, End: t.end}
			if t.kind == tokInvalid && unclosed[t.symbol] {
				out.Kind = TokenOpen
			}
			if !yield(out) || t.end <= t.start {
				return
			}
		}
	}
}

// unclosed are the problems that more text would cure.
var unclosed = map[string]bool{"Multiline comment is not closed": true}

func init() {
	for _, problem := range notClosed {
		unclosed[problem] = true
	}
}
