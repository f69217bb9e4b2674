package client

import (
	"strings"

	"github.com/olapd/olapd/query/parse"
)

// Colours of SQL, as escape sequences of terminals: of the sixteen that every theme defines.
const (
	plain        = "\x1b[0m"
	keywordColor = "\x1b[1;34m"
	callColor    = "\x1b[36m"
	stringColor  = "\x1b[32m"
	numberColor  = "\x1b[35m"
	quotedColor  = "\x1b[33m"
	commentColor = "\x1b[90m"
	wrongColor   = "\x1b[31m"
	commandColor = "\x1b[1;33m"
)

// highlight colours SQL that may be unfinished. Without its escape sequences the result is the text, byte by byte.
func highlight(text string) string {
	if isCommand(text) && strings.TrimSpace(text) != "" {
		return commandColor + text + plain
	}
	var b strings.Builder
	done := 0
	paint := func(end int, color string) {
		if color == "" || end == done {
			b.WriteString(text[done:end])
		} else {
			b.WriteString(color + text[done:end] + plain)
		}
		done = end
	}
	gap := func(end int) {
		color := ""
		if strings.TrimSpace(text[done:end]) != "" {
			color = commentColor
		}
		paint(end, color)
	}
	for t := range parse.Tokens(text) {
		gap(t.Start)
		paint(t.End, tokenColor(text, t))
	}
	gap(len(text))
	return b.String()
}

func tokenColor(text string, t parse.Token) string {
	word := text[t.Start:t.End]
	switch t.Kind {
	case parse.TokenWord:
		switch called := strings.HasPrefix(text[t.End:], "("); {
		case isKeyword(word) && (!called || word == strings.ToUpper(word)):
			return keywordColor
		case called:
			return callColor
		}
	case parse.TokenString:
		return stringColor
	case parse.TokenNumber:
		return numberColor
	case parse.TokenQuoted:
		return quotedColor
	case parse.TokenOpen:
		if strings.HasPrefix(word, "/*") {
			return commentColor
		}
		return stringColor
	case parse.TokenInvalid:
		if strings.HasPrefix(text[t.Start:], `\G`) {
			return commandColor
		}
		return wrongColor
	}
	return ""
}
