package regex

import (
	"bytes"
	"regexp/syntax"
	"slices"
	"unicode/utf8"
)

// path is an expression in which nothing is chosen but how often something stands there, as items one behind the other.
// Where each takes as much as it can and all of them pass, that is the match a backtracking search would find first; where one
// does not, another way may still lead to a match, which the automaton looks for.
type path []item

type item struct {
	kind itemKind
	text []byte     // itemText, itemOption
	set  *[256]bool // of the runes: all bytes beyond ASCII are in it or none is
	stop byte       // itemUntil: the only byte that is not in set
	min  int        // of runs: bytes at least
	slot int        // itemSave
}

type itemKind uint8

const (
	itemText   itemKind = iota // text
	itemOption                 // text, or nothing
	itemOne                    // a rune of set
	itemRun                    // runes of set
	itemUntil                  // the same, where all bytes but one are in set
	itemRest                   // the same, where all bytes are
	itemSave                   // notes the position
	itemEnd                    // the text's end
)

// newPath returns nil if the expression is not of that kind, or its matches may begin anywhere.
func newPath(e *syntax.Regexp, prefix []byte) path {
	parts := []*syntax.Regexp{e}
	if e.Op == syntax.OpConcat {
		parts = e.Sub
	}
	if parts[0].Op == syntax.OpBeginText {
		parts = parts[1:]
	} else if prefix == nil {
		return nil
	}
	var p path
	for _, e := range parts {
		var ok bool
		if p, ok = p.add(e); !ok {
			return nil
		}
	}
	if p.greedy() {
		return nil
	}
	return p
}

// add appends the items of e.
func (p path) add(e *syntax.Regexp) (path, bool) {
	ok := true
	switch e.Op {
	case syntax.OpEmptyMatch:
	case syntax.OpEndText:
		p = append(p, item{kind: itemEnd})
	case syntax.OpConcat:
		for _, s := range e.Sub {
			if p, ok = p.add(s); !ok {
				return nil, false
			}
		}
	case syntax.OpCapture:
		p = append(p, item{kind: itemSave, slot: 2 * e.Cap})
		if p, ok = p.add(e.Sub[0]); !ok {
			return nil, false
		}
		p = append(p, item{kind: itemSave, slot: 2*e.Cap + 1})
	case syntax.OpLiteral:
		text := literalText(e)
		p, ok = append(p, item{kind: itemText, text: text}), text != nil
	case syntax.OpQuest:
		text := literalText(e.Sub[0])
		p, ok = append(p, item{kind: itemOption, text: text}), text != nil && e.Flags&syntax.NonGreedy == 0
	case syntax.OpStar, syntax.OpPlus:
		set := byteSet(e.Sub[0])
		p, ok = append(p, newRun(set, e.Op == syntax.OpPlus)), set != nil && e.Flags&syntax.NonGreedy == 0
	default:
		set := byteSet(e)
		p, ok = append(p, item{kind: itemOne, set: set}), set != nil
	}
	return p, ok
}

// literalText is the bytes of a literal, or nil.
func literalText(e *syntax.Regexp) []byte {
	if e.Op != syntax.OpLiteral || e.Flags&syntax.FoldCase != 0 || slices.Contains(e.Rune, utf8.RuneError) {
		return nil
	}
	return []byte(string(e.Rune))
}

// byteSet is the bytes of the runes of a class, or nil if it tells runes beyond ASCII apart.
func byteSet(e *syntax.Regexp) *[256]bool {
	var pairs []rune
	switch {
	case e.Op == syntax.OpAnyChar:
		pairs = []rune{0, utf8.MaxRune}
	case e.Op == syntax.OpAnyCharNotNL:
		pairs = []rune{0, '\n' - 1, '\n' + 1, utf8.MaxRune}
	case e.Op == syntax.OpCharClass:
		pairs = e.Rune
	case e.Op == syntax.OpLiteral && e.Flags&syntax.FoldCase == 0 && len(e.Rune) == 1:
		pairs = []rune{e.Rune[0], e.Rune[0]}
	default:
		return nil
	}
	set := &[256]bool{}
	for i := 0; i+1 < len(pairs); i += 2 {
		lo, hi := pairs[i], pairs[i+1]
		for b := lo; b <= min(hi, utf8.RuneSelf-1); b++ {
			set[b] = true
		}
		if hi < utf8.RuneSelf {
			continue
		}
		if lo > utf8.RuneSelf || hi != utf8.MaxRune {
			return nil
		}
		for b := utf8.RuneSelf; b < len(set); b++ {
			set[b] = true
		}
	}
	return set
}

func newRun(set *[256]bool, some bool) item {
	it := item{kind: itemRun, set: set}
	if some {
		it.min = 1
	}
	if set == nil {
		return it
	}
	out := 0
	for b, in := range set {
		if !in {
			out++
			it.stop = byte(b)
		}
	}
	switch out {
	case 0:
		it.kind = itemRest
	case 1:
		it.kind = itemUntil
	}
	return it
}

// greedy reports whether a run takes what the next item needs: then the path seldom passes.
func (p path) greedy() bool {
	var run *[256]bool
	for i := range p {
		switch it := &p[i]; it.kind {
		case itemText, itemOption:
			if run != nil && run[it.text[0]] {
				return true
			}
			run = nil
		case itemOne, itemRun, itemUntil, itemRest:
			if run != nil && overlap(run, it.set) {
				return true
			}
			if run = nil; it.kind != itemOne {
				run = it.set
			}
		}
	}
	return false
}

func overlap(a, b *[256]bool) bool {
	for i := range a {
		if a[i] && b[i] {
			return true
		}
	}
	return false
}

// find writes the match that begins at a position; false if the path does not pass.
func (p path) find(s []byte, at int, loc []int) bool {
	for i := range loc {
		loc[i] = -1
	}
	loc[0] = at
	for i := range p {
		switch it := &p[i]; it.kind {
		case itemText:
			if len(s)-at < len(it.text) || string(s[at:at+len(it.text)]) != string(it.text) {
				return false
			}
			at += len(it.text)
		case itemOption:
			if len(s)-at >= len(it.text) && string(s[at:at+len(it.text)]) == string(it.text) {
				at += len(it.text)
			}
		case itemOne:
			if at == len(s) || !it.set[s[at]] {
				return false
			}
			at += width(s[at:])
		case itemRun:
			from := at
			for at < len(s) && it.set[s[at]] {
				at++
			}
			if at-from < it.min {
				return false
			}
		case itemUntil:
			n := bytes.IndexByte(s[at:], it.stop)
			if n < 0 {
				n = len(s) - at
			}
			if n < it.min {
				return false
			}
			at += n
		case itemRest:
			if len(s)-at < it.min {
				return false
			}
			at = len(s)
		case itemSave:
			loc[it.slot] = at
		case itemEnd:
			if at != len(s) {
				return false
			}
		}
	}
	loc[1] = at
	return true
}
