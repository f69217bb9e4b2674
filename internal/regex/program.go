package regex

import (
	"regexp/syntax"
	"unicode"
)

// program is the compiled expression over bytes.
type program struct {
	insts    []inst
	start    int
	slots    int  // of captures: two per group, those of the whole match first; 0 without captures
	anchored bool // a match begins at the text's start
	looks    syntax.EmptyOp
}

// inst is one instruction.
type inst struct {
	op    instOp
	span  byteRange      // opByte
	slot  int            // opSave
	looks syntax.EmptyOp // opLook
	outs  []int          // where it goes on, in order of preference
}

type instOp uint8

const (
	opByte  instOp = iota // reads a byte of span
	opSplit               // goes on at all outs
	opSave                // notes the position in slot
	opLook                // goes on where all of looks hold
	opMatch
	opRetry // goes on at outs[0], the start, and less preferred at itself behind any byte
)

// maxInsts bounds a program: classes of many runes and counted repetitions make large ones.
const maxInsts = 3000

// translate turns a program over runes into one over bytes, with captures or without; nil if it gets too large.
func translate(p *syntax.Prog, captures bool) *program {
	t := &translator{out: &program{}, src: p, captures: captures}
	if captures {
		t.out.slots = p.NumCap
	}
	t.out.insts = make([]inst, len(p.Inst)) // the same numbers; what more there is stands behind
	for i := range p.Inst {
		if !t.inst(i) || len(t.out.insts) > maxInsts {
			return nil
		}
	}
	t.out.start = p.Start
	if captures {
		t.out.start = t.add(inst{op: opSave, slot: 0, outs: []int{p.Start}})
	}
	if t.out.anchored = p.StartCond()&syntax.EmptyBeginText != 0; !t.out.anchored {
		t.out.start = t.add(inst{op: opRetry, outs: []int{t.out.start}})
	}
	return t.out
}

type translator struct {
	out      *program
	src      *syntax.Prog
	captures bool
}

func (t *translator) add(i inst) int {
	t.out.insts = append(t.out.insts, i)
	return len(t.out.insts) - 1
}

// inst translates instruction i; false if it is one it does not know.
func (t *translator) inst(i int) bool {
	in := &t.src.Inst[i]
	out := int(in.Out)
	set := func(x inst) { t.out.insts[i] = x }
	switch in.Op {
	case syntax.InstAlt, syntax.InstAltMatch:
		set(inst{op: opSplit, outs: []int{out, int(in.Arg)}})
	case syntax.InstCapture:
		if t.captures {
			set(inst{op: opSave, slot: int(in.Arg), outs: []int{out}})
		} else {
			set(inst{op: opSplit, outs: []int{out}})
		}
	case syntax.InstEmptyWidth:
		t.out.looks |= syntax.EmptyOp(in.Arg)
		set(inst{op: opLook, looks: syntax.EmptyOp(in.Arg), outs: []int{out}})
	case syntax.InstMatch:
		set(inst{op: opMatch})
	case syntax.InstFail:
		set(inst{op: opSplit})
	case syntax.InstNop:
		set(inst{op: opSplit, outs: []int{out}})
	case syntax.InstRune, syntax.InstRune1:
		set(inst{op: opSplit, outs: t.runes(ranges(in), out)})
	case syntax.InstRuneAny:
		set(inst{op: opSplit, outs: t.runes([]rune{0, unicode.MaxRune}, out)})
	case syntax.InstRuneAnyNotNL:
		set(inst{op: opSplit, outs: t.runes([]rune{0, '\n' - 1, '\n' + 1, unicode.MaxRune}, out)})
	default:
		return false
	}
	return true
}

// ranges are the runes that an instruction reads, as pairs of first and last.
func ranges(in *syntax.Inst) []rune {
	if len(in.Rune) != 1 {
		return in.Rune
	}
	r := in.Rune[0]
	out := []rune{r, r}
	if syntax.Flags(in.Arg)&syntax.FoldCase != 0 {
		for f := unicode.SimpleFold(r); f != r; f = unicode.SimpleFold(f) {
			out = append(out, f, f)
		}
	}
	return out
}

// runes adds instructions that read a rune of the ranges and go on at out; it returns where they begin.
func (t *translator) runes(pairs []rune, out int) []int {
	var outs []int
	for i := 0; i+1 < len(pairs); i += 2 {
		sequences(pairs[i], pairs[i+1], func(seq []byteRange) {
			to := out
			for k := len(seq) - 1; k >= 0; k-- {
				to = t.add(inst{op: opByte, span: seq[k], outs: []int{to}})
			}
			outs = append(outs, to)
		})
		if len(t.out.insts) > maxInsts {
			break
		}
	}
	return outs
}
