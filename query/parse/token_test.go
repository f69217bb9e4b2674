package parse

import (
	"fmt"
	"strings"
	"testing"
)

func TestTokens(t *testing.T) {
	names := map[TokenKind]string{TokenWord: "word", TokenQuoted: "quoted", TokenNumber: "number", TokenString: "string",
		TokenSymbol: "symbol", TokenInvalid: "invalid", TokenOpen: "open"}
	for text, want := range map[string]string{
		"":                            "",
		"SELECT 1; -- done":           "word:SELECT number:1 symbol:;",
		"`a`.\"b\" /* x;y */ <= 'q;'": "quoted:`a` symbol:. quoted:\"b\" symbol:<= string:'q;'",
		"select 'it''s":               "word:select open:'it''s",
		"select `x":                   "word:select open:`x",
		"a /* b":                      "word:a open:/* b",
		`x \G`:                        `word:x invalid:\ word:G`,
		"$t$a;b$t$":                   "string:$t$a;b$t$",
		"é 1":                         "invalid:é number:1",
	} {
		var got []string
		for k := range Tokens(text) {
			got = append(got, fmt.Sprintf("%s:%s", names[k.Kind], text[k.Start:k.End]))
		}
		if s := strings.Join(got, " "); s != want {
			t.Errorf("%q: %s, want %s", text, s, want)
		}
	}
}
