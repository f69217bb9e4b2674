package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

func compare() {
	for _, l := range levels {
		for _, w := range widths {
			inRange(l, w)
			compareInts(l, w, "Eq")
			compareInts(l, w, "Gt")
		}
		for _, w := range []int{4, 8} {
			for _, p := range []predicate{{"Eq", 0}, {"Lt", 1}, {"Le", 2}, {"Gt", 30}, {"Ge", 29}} {
				compareFloats(l, w, p)
			}
		}
	}
}

// A predicate is one of those of VCMPPD that are false for NaN.
type predicate struct {
	name string
	imm  uint64
}

// truth collects comparisons of as many vectors as make a vector of bytes, and stores 1 or 0 per row.
type truth struct {
	l       level
	width   int
	dst     Register
	one     VecVirtual
	order   VecVirtual // AVX2
	flip    VecVirtual // AVX2: 1 in each byte if results are to be turned over
	turn    Register   // AVX-512: all ones if so
	vectors []VecVirtual
	masks   []rowMask
}

// newTruth loads the parameter flip: 1 to negate.
func newTruth(l level, width int, dst Register) *truth {
	t := &truth{l: l, width: width, dst: dst, one: l.vec()}
	flip := Load(Param("flip"), GP64())
	ones := GP64()
	MOVQ(U64(0x0101010101010101), ones)
	x := XMM()
	VMOVQ(ones, x)
	VPBROADCASTQ(x, t.one)
	if l == avx512 {
		NEGQ(flip)
		t.turn = K()
		KMOVQ(flip, t.turn)
		return t
	}
	t.order, t.flip = YMM(), YMM()
	VMOVDQU(lanesOfPack(), t.order)
	VMOVQ(flip, x)
	VPBROADCASTB(x, t.flip)
	return t
}

// store writes the bytes and advances dst. inverted says that the comparisons gave the opposite.
func (t *truth) store(inverted bool) {
	if t.l == avx512 {
		k := t.masks[0].k
		t.masks = nil
		KXORQ(t.turn, k, k)
		v := ZMM()
		VMOVDQU8_Z(t.one, k, v)
		VMOVDQU64(v, Mem{Base: t.dst})
	} else {
		v := joinVectors(t.vectors, t.width, t.order)
		t.vectors = nil
		if inverted {
			VPANDN(t.one, v, v)
		} else {
			VPAND(t.one, v, v)
		}
		VPXOR(t.flip, v, v)
		VMOVDQU(v, Mem{Base: t.dst})
	}
	ADDQ(U32(uint32(t.l.size())), t.dst)
}

// mask adds a comparison. Masks of equal length are joined at once: there are only seven registers.
func (t *truth) mask(k Register) {
	n := 64 / t.width
	for len(t.masks) > 0 && t.masks[len(t.masks)-1].bits == n {
		low, joined := t.masks[len(t.masks)-1].k, K()
		switch n {
		case 8:
			KUNPCKBW(low, k, joined)
		case 16:
			KUNPCKWD(low, k, joined)
		default:
			KUNPCKDQ(low, k, joined)
		}
		t.masks = t.masks[:len(t.masks)-1]
		k, n = joined, 2*n
	}
	t.masks = append(t.masks, rowMask{k, n})
}

// rowMask is a mask of some rows.
type rowMask struct {
	k    Register
	bits int
}

// joinVectors narrows vectors of all-ones or zero elements to one of bytes, in order.
func joinVectors(vs []VecVirtual, width int, order VecVirtual) VecVirtual {
	if width == 8 {
		for i := 0; i < len(vs); i += 2 {
			VSHUFPS(Imm(0x88), vs[i+1], vs[i], vs[i])
			VPERMQ(Imm(0xd8), vs[i], vs[i])
			vs[i/2] = vs[i]
		}
		vs, width = vs[:len(vs)/2], 4
	}
	switch width {
	case 4:
		VPACKSSDW(vs[1], vs[0], vs[0])
		VPACKSSDW(vs[3], vs[2], vs[2])
		VPACKSSWB(vs[2], vs[0], vs[0])
		VPERMD(vs[0], order, vs[0])
	case 2:
		VPACKSSWB(vs[1], vs[0], vs[0])
		VPERMQ(Imm(0xd8), vs[0], vs[0])
	}
	return vs[0]
}

// inRange makes every comparison with a constant, signed or not, one: x-lo ≤ span, unsigned.
func inRange(l level, width int) {
	l.fn(fmt.Sprintf("inRange%d", width), "(dst, a *byte, n int, lo, span, flip uint64)",
		"writes 1 for elements with a[i]-lo ≤ span, unsigned, else 0; the opposite if flip is 1. n counts vectors of bytes.")
	dst, a, n := Load(Param("dst"), GP64()), Load(Param("a"), GP64()), Load(Param("n"), GP64())
	lo, span := l.broadcast("lo"), l.broadcast("span")
	t := newTruth(l, width, dst)
	sign := l.vec()
	if l == avx2 && width == 8 { // only signed comparisons
		l.ones(sign)
		VPSLLQ(Imm(63), sign, sign)
		VPXOR(sign, span, span)
		VPXOR(sign, lo, lo) // (a^sign)-lo^sign … is a-lo with its top bit turned
	}
	loop(n, func() {
		for i := range width {
			v := l.vec()
			l.load(Mem{Base: a, Disp: i * l.size()}, v)
			sub(width, lo, v, v)
			if l == avx512 {
				k := K()
				switch width {
				case 1:
					VPCMPUB(Imm(2), span, v, k)
				case 2:
					VPCMPUW(Imm(2), span, v, k)
				case 4:
					VPCMPUD(Imm(2), span, v, k)
				default:
					VPCMPUQ(Imm(2), span, v, k)
				}
				t.mask(k)
				continue
			}
			m := l.vec()
			switch width {
			case 1:
				VPMINUB(span, v, m)
				VPCMPEQB(m, v, v)
			case 2:
				VPMINUW(span, v, m)
				VPCMPEQW(m, v, v)
			case 4:
				VPMINUD(span, v, m)
				VPCMPEQD(m, v, v)
			default:
				VPCMPGTQ(span, v, v)
			}
			t.vectors = append(t.vectors, v)
		}
		t.store(width == 8)
		ADDQ(U32(uint32(width*l.size())), a)
	})
	ret()
}

const compareSignature = "(dst, a, b *byte, n, step int, bias, flip uint64)"

const compareDoc = "n counts vectors of bytes; b advances by step bytes for each: 0 if it is one constant, repeated."

// compareInts compares for equality, or for greater: as signed integers with AVX2 and as unsigned ones with AVX-512, after a^bias.
func compareInts(l level, width int, op string) {
	l.fn(fmt.Sprintf("compare%s%d", op, width), compareSignature, "compares integers. "+compareDoc)
	dst, a, b := Load(Param("dst"), GP64()), Load(Param("a"), GP64()), Load(Param("b"), GP64())
	n, step := Load(Param("n"), GP64()), Load(Param("step"), GP64())
	bias := l.broadcast("bias")
	t := newTruth(l, width, dst)
	loop(n, func() {
		for i := range width {
			x, y := l.vec(), l.vec()
			l.xor(Mem{Base: a, Disp: i * l.size()}, bias, x)
			l.xor(Mem{Base: b, Disp: i * l.size()}, bias, y)
			if l == avx512 {
				t.mask(comparedMask(width, op, x, y))
			} else {
				comparedVector(width, op, x, y)
				t.vectors = append(t.vectors, x)
			}
		}
		t.store(false)
		ADDQ(U32(uint32(width*l.size())), a)
		ADDQ(step, b)
	})
	ret()
}

func comparedMask(width int, op string, x, y VecVirtual) Register {
	k := K()
	imm := Imm(0)
	if op == "Gt" {
		imm = Imm(6) // not less or equal
	}
	switch width {
	case 1:
		VPCMPUB(imm, y, x, k)
	case 2:
		VPCMPUW(imm, y, x, k)
	case 4:
		VPCMPUD(imm, y, x, k)
	default:
		VPCMPUQ(imm, y, x, k)
	}
	return k
}

func comparedVector(width int, op string, x, y VecVirtual) {
	switch {
	case op == "Eq" && width == 1:
		VPCMPEQB(y, x, x)
	case op == "Eq" && width == 2:
		VPCMPEQW(y, x, x)
	case op == "Eq" && width == 4:
		VPCMPEQD(y, x, x)
	case op == "Eq":
		VPCMPEQQ(y, x, x)
	case width == 1:
		VPCMPGTB(y, x, x)
	case width == 2:
		VPCMPGTW(y, x, x)
	case width == 4:
		VPCMPGTD(y, x, x)
	default:
		VPCMPGTQ(y, x, x)
	}
}

func compareFloats(l level, width int, p predicate) {
	l.fn(fmt.Sprintf("compareFloat%s%d", p.name, width), "(dst, a, b *byte, n, step int, flip uint64)", "compares floats. "+compareDoc)
	dst, a, b := Load(Param("dst"), GP64()), Load(Param("a"), GP64()), Load(Param("b"), GP64())
	n, step := Load(Param("n"), GP64()), Load(Param("step"), GP64())
	t := newTruth(l, width, dst)
	loop(n, func() {
		for i := range width {
			x, y := l.vec(), Mem{Base: b, Disp: i * l.size()}
			l.load(Mem{Base: a, Disp: i * l.size()}, x)
			cmp := VCMPPD
			if width == 4 {
				cmp = VCMPPS
			}
			if l == avx512 {
				k := K()
				cmp(Imm(p.imm), y, x, k)
				t.mask(k)
			} else {
				cmp(Imm(p.imm), y, x, x)
				t.vectors = append(t.vectors, x)
			}
		}
		t.store(false)
		ADDQ(U32(uint32(width*l.size())), a)
		ADDQ(step, b)
	})
	ret()
}
