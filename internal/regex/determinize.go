package regex

import "regexp/syntax"

// Limits of an automaton; an expression beyond them is left to the standard library.
const (
	maxStates  = 500
	maxEntries = 1 << 15 // of the table: states × classes
	maxThreads = 24      // of one state
	maxVisits  = 1 << 21 // of instructions while it is built: some ten milliseconds
)

// dfa is a determinised program. States are named by where their row begins in trans.
type dfa struct {
	class      [256]uint8
	classes    int
	trans      []uint32 // a state, or special and the number of a step
	steps      []step
	eof        []*accept // by state number: the match at the text's end
	settled    []bool    // by state number: the match is that at the text's end, whatever comes
	inside     []bool    // by state number: the text is within a rune
	slots      int
	threads    int  // most of a state
	first      int  // state at the text's start
	later      int  // state behind its start, if no condition looks at what is before; else -1
	anchored   bool // a match begins at the text's start
	conditions bool
}

const special = 1 << 31

// step is a transition that does something.
type step struct {
	next   int
	stop   bool    // no thread is left
	bad    bool    // the text is not UTF-8
	found  *accept // a match in front of the byte
	moves  bool    // threads change place: from is needed
	from   []int   // per thread of the next state: which thread it was
	saves  []save
	settle bool // the next state is settled
}

// save notes the position in a slot of a thread of the next state.
type save struct{ thread, slot int }

// accept is a match: the thread it is of, and the slots that hold the position of its end.
type accept struct {
	thread int
	slots  []int
}

// state is a set of threads between two bytes.
type state struct {
	at      place
	before  syntax.EmptyOp // of EmptyBeginText, EmptyBeginLine, EmptyWordBoundary (behind a word byte): what the program asks for
	threads []int          // instructions, the most preferred first
}

func (s *state) key() string {
	b := make([]byte, 0, 2+2*len(s.threads))
	b = append(b, byte(s.at), byte(s.before))
	for _, t := range s.threads {
		b = append(b, byte(t), byte(t>>8))
	}
	return string(b)
}

// determinizer builds a dfa.
type determinizer struct {
	p             *program
	d             *dfa
	reps          []byte // one byte of each class
	states        []*state
	byKey         map[string]int
	seen, reached []int // by instruction: the last walk that came there
	walks         int
	visits        int
}

// determinize returns nil if the automaton would exceed the limits.
func determinize(p *program) *dfa {
	z := &determinizer{p: p, d: &dfa{slots: p.slots, anchored: p.anchored, conditions: p.looks != 0, later: -1}, byKey: map[string]int{},
		seen: make([]int, len(p.insts)), reached: make([]int, len(p.insts))}
	z.classify()
	start := &state{before: (syntax.EmptyBeginText | syntax.EmptyBeginLine) & p.looks, threads: []int{p.start}}
	z.d.first = z.number(start)
	if p.looks&^(syntax.EmptyEndText|syntax.EmptyEndLine) == 0 {
		z.d.later = z.d.first
	}
	for i := 0; i < len(z.states); i++ {
		if z.visits > maxVisits || len(z.states) > maxStates || len(z.states)*z.d.classes > maxEntries || z.d.threads > maxThreads {
			return nil
		}
		z.row(z.states[i])
	}
	z.settle()
	return z.d
}

// classify splits the bytes into classes that no instruction tells apart.
func (z *determinizer) classify() {
	var starts [257]bool // a class begins here
	for i := range z.p.insts {
		if in := &z.p.insts[i]; in.op == opByte {
			starts[in.span.lo], starts[int(in.span.hi)+1] = true, true
		}
	}
	for _, b := range placeBounds {
		starts[b] = true
	}
	if z.p.looks&(syntax.EmptyBeginLine|syntax.EmptyEndLine) != 0 {
		starts['\n'], starts['\n'+1] = true, true
	}
	if z.p.looks&(syntax.EmptyWordBoundary|syntax.EmptyNoWordBoundary) != 0 {
		for b := 1; b < 256; b++ {
			starts[b] = starts[b] || isWord(byte(b)) != isWord(byte(b-1))
		}
	}
	z.reps = []byte{0}
	for b := 1; b < 256; b++ {
		if starts[b] {
			z.reps = append(z.reps, byte(b))
		}
		z.d.class[b] = uint8(len(z.reps) - 1)
	}
	z.d.classes = len(z.reps)
}

func isWord(b byte) bool { return b == '_' || b-'0' < 10 || (b|0x20)-'a' < 26 }

// number returns the state's number times classes.
func (z *determinizer) number(s *state) int {
	k := s.key()
	i, ok := z.byKey[k]
	if !ok {
		i = len(z.states)
		z.byKey[k] = i
		z.states = append(z.states, s)
		z.d.threads = max(z.d.threads, len(s.threads))
	}
	return i * z.d.classes
}

// row computes the transitions of a state.
func (z *determinizer) row(s *state) {
	for _, b := range z.reps {
		z.d.trans = append(z.d.trans, z.transition(s, b))
	}
	z.d.eof, z.d.inside = append(z.d.eof, z.atEnd(s)), append(z.d.inside, s.at != between)
}

func (z *determinizer) transition(s *state, b byte) uint32 {
	at := s.at.next(b)
	if at == invalid {
		return z.special(step{bad: true})
	}
	w := z.walk(s, int(b))
	next := &state{at: at, before: z.behind(b), threads: w.threads}
	st := step{found: w.found, from: w.from, saves: w.saves}
	for i, f := range w.from {
		st.moves = st.moves || f != i
	}
	if len(w.threads) == 0 && at == between {
		st.stop = true
		return z.special(st)
	}
	st.next = z.number(next)
	if st.found == nil && !st.moves && len(st.saves) == 0 {
		return uint32(st.next)
	}
	return z.special(st)
}

func (z *determinizer) special(s step) uint32 {
	z.d.steps = append(z.d.steps, s)
	return special | uint32(len(z.d.steps)-1)
}

// behind is what holds behind byte b of what the program asks for.
func (z *determinizer) behind(b byte) syntax.EmptyOp {
	var out syntax.EmptyOp
	if z.p.looks&syntax.EmptyBeginLine != 0 && b == '\n' {
		out |= syntax.EmptyBeginLine
	}
	if z.p.looks&(syntax.EmptyWordBoundary|syntax.EmptyNoWordBoundary) != 0 && isWord(b) {
		out |= syntax.EmptyWordBoundary
	}
	return out
}

const end = -1 // the text's end in the place of a byte

// conditions are the empty-width conditions that hold between what before tells and the next byte.
func conditions(before syntax.EmptyOp, b int) syntax.EmptyOp {
	out := before & (syntax.EmptyBeginText | syntax.EmptyBeginLine)
	if b == end {
		out |= syntax.EmptyEndText | syntax.EmptyEndLine
	} else if b == '\n' {
		out |= syntax.EmptyEndLine
	}
	wasWord, word := before&syntax.EmptyWordBoundary != 0, b != end && isWord(byte(b))
	if wasWord != word {
		return out | syntax.EmptyWordBoundary
	}
	return out | syntax.EmptyNoWordBoundary
}

func (z *determinizer) atEnd(s *state) *accept {
	if s.at != between {
		return nil
	}
	return z.walk(s, end).found
}

// walk follows the threads of a state to the instructions that read the next byte.
type walk struct {
	*determinizer
	holds  syntax.EmptyOp
	b      int
	inside bool  // a rune: nothing begins here
	thread int   // the one being followed
	path   []int // slots saved on the way

	threads, from []int
	saves         []save
	found         *accept
}

func (z *determinizer) walk(s *state, b int) *walk {
	z.walks++
	w := &walk{determinizer: z, holds: conditions(s.before, b), b: b, inside: s.at != between}
	w.all(s.threads)
	return w
}

func (w *walk) all(threads []int) {
	for i, pc := range threads {
		w.thread = i
		if w.follow(pc) {
			return // less preferred threads are cut off by the match
		}
	}
}

// follow reports whether it came to the match.
func (w *walk) follow(pc int) bool {
	if w.seen[pc] == w.walks {
		return false
	}
	w.seen[pc] = w.walks
	w.visits++
	in := &w.p.insts[pc]
	switch in.op {
	case opByte:
		if w.b != end && in.span.lo <= byte(w.b) && byte(w.b) <= in.span.hi {
			w.reach(in.outs[0])
		}
		return false
	case opMatch:
		w.found = &accept{thread: w.thread, slots: append([]int(nil), w.path...)}
		if w.p.slots > 0 {
			w.found.slots = append(w.found.slots, 1)
		}
		return true
	case opRetry:
		if !w.inside && w.follow(in.outs[0]) {
			return true
		}
		if w.b != end {
			w.reach(pc)
		}
		return false
	case opLook:
		if in.looks&^w.holds != 0 {
			return false
		}
	case opSave:
		w.path = append(w.path, in.slot)
		defer func() { w.path = w.path[:len(w.path)-1] }()
	}
	for _, o := range in.outs {
		if w.follow(o) {
			return true
		}
	}
	return false
}

// reach adds a thread of the next state, unless a preferred one is there.
func (w *walk) reach(pc int) {
	if w.reached[pc] == w.walks {
		return
	}
	w.reached[pc] = w.walks
	for _, slot := range w.path {
		w.saves = append(w.saves, save{len(w.threads), slot})
	}
	w.threads, w.from = append(w.threads, pc), append(w.from, w.thread)
}

// settle finds the states in which the match is certain to end at the text's end: each rune leads back to them and leaves captures alone.
func (z *determinizer) settle() {
	z.d.settled = make([]bool, len(z.states))
	for i, s := range z.states {
		if s.at == between && z.d.eof[i] != nil {
			z.d.settled[i] = z.returns(i*z.d.classes, i*z.d.classes, between)
		}
	}
	for row := range z.states {
		for c := range z.d.classes {
			k := row*z.d.classes + c
			t := z.d.trans[k]
			switch {
			case t&special != 0:
				s := &z.d.steps[t&^special]
				s.settle = !s.stop && !s.bad && z.d.settled[s.next/z.d.classes]
			case z.d.settled[int(t)/z.d.classes]:
				z.d.trans[k] = z.special(step{next: int(t), settle: true})
			}
		}
	}
}

// returns reports whether every rune leads from a state at a place of a rune to the state home.
func (z *determinizer) returns(home, from int, at place) bool {
	for c, b := range z.reps {
		to := at.next(b)
		if to == invalid {
			continue
		}
		t := z.d.trans[from+c]
		next := int(t)
		if t&special != 0 {
			s := &z.d.steps[t&^special]
			if s.stop || s.bad || s.moves || len(s.saves) > 0 {
				return false
			}
			next = s.next
		}
		if to == between && next != home || to != between && !z.returns(home, next, to) {
			return false
		}
	}
	return true
}
