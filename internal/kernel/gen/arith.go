package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

func arith() {
	for _, l := range levels {
		for _, w := range []int{2, 4, 8} {
			l.elementwise(fmt.Sprintf("add%d", w), func(a, b, to Op) { add(w, b, a, to) })
			l.elementwise(fmt.Sprintf("sub%d", w), func(a, b, to Op) { sub(w, b, a, to) })
			if l == avx512 || w < 8 {
				l.elementwise(fmt.Sprintf("mul%d", w), func(a, b, to Op) { mul(w, b, a, to) })
			}
		}
		l.elementwise("addFloat", func(a, b, to Op) { VADDPD(b, a, to) })
		l.elementwise("subFloat", func(a, b, to Op) { VSUBPD(b, a, to) })
		l.elementwise("mulFloat", func(a, b, to Op) { VMULPD(b, a, to) })
		l.elementwise("divFloat", func(a, b, to Op) { VDIVPD(b, a, to) })
		for _, from := range []int{1, 2, 4} {
			for to := 2 * from; to <= 8; to *= 2 {
				l.widen(from, to, true)
				l.widen(from, to, false)
			}
		}
	}
}

func mul(width int, a, b, to Op) {
	switch width {
	case 2:
		VPMULLW(a, b, to)
	case 4:
		VPMULLD(a, b, to)
	default:
		VPMULLQ(a, b, to)
	}
}

// elementwise writes a op b. An operand that is one constant stands repeated in two vectors and advances by 0.
func (l level) elementwise(name string, op func(a, b, to Op)) {
	l.fn(name, "(dst, a, b *byte, n, stepA, stepB int)", "combines n times two vectors; a and b advance by their steps for each two, in bytes.")
	dst, a, b := Load(Param("dst"), GP64()), Load(Param("a"), GP64()), Load(Param("b"), GP64())
	n, stepA, stepB := Load(Param("n"), GP64()), Load(Param("stepA"), GP64()), Load(Param("stepB"), GP64())
	loop(n, func() {
		x, y := l.vec(), l.vec()
		l.load(Mem{Base: a}, x)
		l.load(Mem{Base: a, Disp: l.size()}, y)
		op(x, Mem{Base: b}, x)
		op(y, Mem{Base: b, Disp: l.size()}, y)
		l.store(x, Mem{Base: dst})
		l.store(y, Mem{Base: dst, Disp: l.size()})
		ADDQ(stepA, a)
		ADDQ(stepB, b)
		ADDQ(U32(uint32(2*l.size())), dst)
	})
	ret()
}

func (l level) widen(from, to int, signed bool) {
	name := fmt.Sprintf("widenUint%dto%d", from, to)
	if signed {
		name = fmt.Sprintf("widenInt%dto%d", from, to)
	}
	l.fn(name, "(dst, src *byte, n int)", "writes n times two vectors.")
	dst, src, n := Load(Param("dst"), GP64()), Load(Param("src"), GP64()), Load(Param("n"), GP64())
	part := l.size() * from / to
	loop(n, func() {
		x, y := l.vec(), l.vec()
		extend(from, to, signed, Mem{Base: src}, x)
		extend(from, to, signed, Mem{Base: src, Disp: part}, y)
		l.store(x, Mem{Base: dst})
		l.store(y, Mem{Base: dst, Disp: l.size()})
		ADDQ(U32(uint32(2*part)), src)
		ADDQ(U32(uint32(2*l.size())), dst)
	})
	ret()
}

func extend(from, to int, signed bool, src Mem, v VecVirtual) {
	f := map[[2]int][2]func(...Op){
		{1, 2}: {VPMOVZXBW, VPMOVSXBW}, {1, 4}: {VPMOVZXBD, VPMOVSXBD}, {1, 8}: {VPMOVZXBQ, VPMOVSXBQ},
		{2, 4}: {VPMOVZXWD, VPMOVSXWD}, {2, 8}: {VPMOVZXWQ, VPMOVSXWQ}, {4, 8}: {VPMOVZXDQ, VPMOVSXDQ},
	}[[2]int{from, to}]
	if signed {
		f[1](src, v)
	} else {
		f[0](src, v)
	}
}
