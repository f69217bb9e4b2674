package regex

import (
	"regexp/syntax"
	"slices"
	"unicode/utf8"
)

// required returns the longest text that every match of the expression holds, or nil. Short ones are no help.
func required(e *syntax.Regexp) []byte {
	const useful = 3
	if best := longest(e); len(best) >= useful {
		return best
	}
	return nil
}

func longest(e *syntax.Regexp) []byte {
	switch e.Op {
	case syntax.OpLiteral:
		if e.Flags&syntax.FoldCase == 0 && !slices.Contains(e.Rune, utf8.RuneError) { // which stands for bytes that are not UTF-8, too
			return []byte(string(e.Rune))
		}
	case syntax.OpCapture, syntax.OpPlus:
		return longest(e.Sub[0])
	case syntax.OpConcat:
		var best []byte
		for _, s := range e.Sub {
			if t := longest(s); len(t) > len(best) {
				best = t
			}
		}
		return best
	}
	return nil
}
