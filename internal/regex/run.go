package regex

import (
	"bytes"
	"unicode/utf8"
)

// match reports whether s holds a match; ok is false if s is not UTF-8.
func (d *dfa) match(s []byte) (found, ok bool) {
	row := d.first
	for _, b := range s {
		t := d.trans[row+int(d.class[b])]
		if t&special == 0 {
			row = int(t)
			continue
		}
		switch st := &d.steps[t&^special]; {
		case st.bad:
			return false, false
		case st.found != nil || st.settle:
			return true, true
		case st.stop:
			return false, true
		default:
			row = st.next
		}
	}
	return d.eof[row/d.classes] != nil, !d.inside[row/d.classes]
}

// Finder finds matches and their groups in one text after the other. It is not safe for concurrent use.
type Finder struct {
	re        *Regexp
	d         *dfa // of Find; nil: the standard library
	yesno     *dfa // of Match
	own       bool // automata may be built
	loc       []int
	cur, next []int // captures by thread
	s         []byte
	at        int     // where the next search begins
	last      int     // end of the last match, or -1
	given     int     // matches returned
	all       [][]int // the standard library's, where the automaton does not apply
}

// fewTexts is up to how many texts the automaton would not earn what building it costs.
const fewTexts = 16

// Finder returns a new finder, which is about to see so many texts.
func (re *Regexp) Finder(texts int) *Finder { return &Finder{re: re, own: texts > fewTexts} }

// Match reports whether s holds a match.
func (f *Finder) Match(s []byte) bool {
	switch {
	case f.re.literal != nil:
		return bytes.Contains(s, f.re.literal)
	case f.re.always:
		return true
	case f.re.span != nil:
		return f.re.span.start(s, 0) < len(s)
	case !f.re.mayMatch(s):
		return false
	}
	if f.yesno == nil && f.own {
		f.yesno = f.re.automaton(false)
		f.own = f.yesno != nil
	}
	if d := f.yesno; d != nil {
		rest := s
		if f.re.prefix != nil && d.later >= 0 { // no match begins before it
			rest = s[bytes.Index(s, f.re.prefix):]
		}
		if found, ok := d.match(rest); ok {
			return found
		}
	}
	return f.re.std.Match(s)
}

// prepare makes room for a match, and looks for the automaton.
func (f *Finder) prepare() {
	f.loc = make([]int, 2*(1+f.re.NumSubexp()))
	if f.re.literal == nil && f.re.span == nil && f.own {
		if f.d = f.re.automaton(true); f.d != nil {
			f.cur, f.next = make([]int, f.d.threads*f.d.slots), make([]int, f.d.threads*f.d.slots)
		}
	}
}

// Find returns the leftmost match in s as positions, two of the match and two of each group, -1 where a group took no part; nil if there
// is none. The slice is the finder's, until its next call.
func (f *Finder) Find(s []byte) []int {
	loc, ok := f.from(s, 0)
	if !ok {
		return f.re.std.FindSubmatchIndex(s)
	}
	return loc
}

// First returns the first of the matches that Next goes on with: all that do not overlap, from the left; an empty one not right behind another.
func (f *Finder) First(s []byte) []int {
	f.s, f.at, f.last, f.given, f.all = s, 0, -1, 0, nil
	return f.Next()
}

// Next returns the next match, or nil.
func (f *Finder) Next() []int {
	for f.all == nil && f.at <= len(f.s) {
		loc, ok := f.from(f.s, f.at)
		if !ok {
			f.all = append(f.re.std.FindAllSubmatchIndex(f.s, -1), nil)
			break
		}
		if loc == nil {
			f.at = len(f.s) + 1
			return nil
		}
		if f.pass(loc) {
			f.given++
			return loc
		}
	}
	if f.given >= len(f.all) {
		return nil
	}
	f.given++
	return f.all[f.given-1]
}

// pass moves behind a match; false says that it does not count: an empty one right behind another.
func (f *Finder) pass(loc []int) bool {
	counts := true
	if loc[1] == f.at { // empty, where the search began
		counts = loc[0] != f.last
		f.at += max(width(f.s[f.at:]), 1)
	} else {
		f.at = loc[1]
	}
	f.last = loc[1]
	return counts
}

// width is the length of the rune at the start of s.
func width(s []byte) int {
	_, n := utf8.DecodeRune(s)
	return n
}

// from finds the leftmost match that begins at a position or behind it; ok is false if only the standard library can tell.
func (f *Finder) from(s []byte, at int) (loc []int, ok bool) {
	if f.loc == nil {
		f.prepare()
	}
	re, d := f.re, f.d
	switch {
	case re.literal != nil:
		i := bytes.Index(s[at:], re.literal)
		if i < 0 {
			return nil, true
		}
		f.loc[0], f.loc[1] = at+i, at+i+len(re.literal)
		return f.loc, true
	case re.span != nil:
		if !re.span.find(s, at, f.loc) {
			return nil, true
		}
		return f.loc, true
	case d == nil:
		return nil, false
	case at > 0 && d.anchored:
		return nil, true
	case at > 0 && d.later < 0:
		return nil, false
	}
	if re.prefix != nil && d.later >= 0 {
		i := bytes.Index(s[at:], re.prefix)
		if i < 0 {
			return nil, true
		}
		at += i
	} else if re.needed != nil && !d.anchored && !bytes.Contains(s[at:], re.needed) {
		return nil, true
	}
	if re.path != nil && re.path.find(s, at, f.loc) {
		return f.loc, true
	}
	found, ok := f.run(s, at)
	if !ok || !found {
		return nil, ok
	}
	return f.loc, true
}

// run runs the automaton from a position; ok is false if the text is not UTF-8.
func (f *Finder) run(s []byte, from int) (found, ok bool) {
	d := f.d
	row := d.first
	for i := range d.slots {
		f.cur[i] = -1
	}
	trans, class := d.trans, &d.class
	for i := from; i < len(s); i++ {
		t := trans[row+int(class[s[i]])]
		if t&special == 0 {
			row = int(t)
			continue
		}
		st := &d.steps[t&^special]
		if st.bad {
			return false, false
		}
		if st.found != nil {
			found = true
			f.accept(st.found, i)
		}
		if st.stop {
			return found, true
		}
		f.apply(st, i)
		row = st.next
		if st.settle {
			break
		}
	}
	n := row / d.classes
	if d.inside[n] {
		return false, false
	}
	if a := d.eof[n]; a != nil {
		found = true
		f.accept(a, len(s))
	}
	return found, true
}

// apply moves the captures of threads and notes the position where the step does.
func (f *Finder) apply(st *step, pos int) {
	slots := f.d.slots
	if st.moves {
		for i, from := range st.from {
			copy(f.next[i*slots:(i+1)*slots], f.cur[from*slots:(from+1)*slots])
		}
		f.cur, f.next = f.next, f.cur
	}
	for _, x := range st.saves {
		f.cur[x.thread*slots+x.slot] = pos
	}
}

// accept notes a match that ends at pos.
func (f *Finder) accept(a *accept, pos int) {
	slots := f.d.slots
	copy(f.loc, f.cur[a.thread*slots:(a.thread+1)*slots])
	for _, slot := range a.slots {
		f.loc[slot] = pos
	}
}
