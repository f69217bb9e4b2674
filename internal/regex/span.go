package regex

import "regexp/syntax"

// span is an expression that is one class of runes, or a run of them, as a group or not: the first place where it matches is the first byte in the
// class, whether the text is UTF-8 or not.
type span struct {
	set   *[256]bool // all bytes beyond ASCII are in it or none is
	run   bool       // as many as there are
	group bool       // the match is a group, too
}

// newSpan returns nil if the expression is not of that kind.
func newSpan(e *syntax.Regexp) *span {
	sp := &span{group: e.Op == syntax.OpCapture}
	if sp.group {
		e = e.Sub[0]
	}
	if e.Op == syntax.OpPlus && e.Flags&syntax.NonGreedy == 0 {
		sp.run = true
		e = e.Sub[0]
	}
	if sp.set = byteSet(e); sp.set == nil {
		return nil
	}
	return sp
}

// start is where the first match at a position or behind it begins; the text's length if there is none.
func (sp *span) start(s []byte, at int) int {
	for at < len(s) && !sp.set[s[at]] {
		at++
	}
	return at
}

// find writes the first match that begins at a position or behind it; false if there is none.
func (sp *span) find(s []byte, at int, loc []int) bool {
	at = sp.start(s, at)
	if at == len(s) {
		return false
	}
	end := at + 1
	if sp.run {
		for end < len(s) && sp.set[s[end]] {
			end++
		}
	} else {
		end = at + width(s[at:])
	}
	loc[0], loc[1] = at, end
	if sp.group {
		loc[2], loc[3] = at, end
	}
	return true
}
