package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// unroll is how many vectors a reduction takes a turn: enough to hide latencies of loads and additions.
const unroll = 4

func sums() {
	for _, l := range levels {
		for _, w := range widths {
			sumInts(l, w)
		}
		sumFloats(l, 8)
		sumFloats(l, 4)
	}
}

// sumInts makes signed values unsigned by the bias, and adds them in 64 bits: bytes by their distance from zero, wider
// ones in halves.
func sumInts(l level, width int) {
	l.fn(fmt.Sprintf("sum%d", width), "(out *[8]uint64, src *byte, n int, bias uint64)",
		fmt.Sprintf("writes partial sums of src[i]^bias over n times %d vectors.", unroll))
	out, src := Load(Param("out"), GP64()), Load(Param("src"), GP64())
	n, bias := Load(Param("n"), GP64()), l.broadcast("bias")
	lo, hi, none := l.vec(), l.vec(), l.vec()
	l.zero(lo)
	l.zero(hi)
	l.zero(none)
	half := l.vec()
	switch width {
	case 2:
		l.ones(half)
		VPSRLW(Imm(8), half, half)
	case 4:
		l.ones(half)
		VPSRLQ(Imm(32), half, half)
	}
	loop(n, func() {
		for i := range unroll {
			v, h := l.vec(), l.vec()
			l.xor(Mem{Base: src, Disp: i * l.size()}, bias, v)
			switch width {
			case 1:
				VPSADBW(none, v, v)
			case 2:
				VPSRLW(Imm(8), v, h)
				l.and(half, v, v)
				VPSADBW(none, v, v)
				VPSADBW(none, h, h)
				VPADDQ(h, hi, hi)
			case 4:
				VPSRLQ(Imm(32), v, h)
				l.and(half, v, v)
				VPADDQ(h, hi, hi)
			}
			if i%2 == 1 && (width == 1 || width == 8) {
				VPADDQ(v, hi, hi)
			} else {
				VPADDQ(v, lo, lo)
			}
		}
		ADDQ(U32(uint32(unroll*l.size())), src)
	})
	if width == 2 {
		VPSLLQ(Imm(8), hi, hi)
	}
	VPADDQ(hi, lo, lo)
	l.store(lo, Mem{Base: out})
	ret()
}

// ones sets all bits.
func (l level) ones(v VecVirtual) {
	if l == avx2 {
		VPCMPEQD(v, v, v)
	} else {
		VPTERNLOGQ(Imm(0xff), v, v, v)
	}
}

// sumFloats adds lane by lane: 16 partial sums, whatever the level.
func sumFloats(l level, width int) {
	l.fn(fmt.Sprintf("sumFloat%d", width), "(out *[16]float64, src *byte, n int)", "adds n times 16 floats to the 16 partial sums.")
	out, src, n := Load(Param("out"), GP64()), Load(Param("src"), GP64()), Load(Param("n"), GP64())
	accs := make([]VecVirtual, 128/l.size())
	for i := range accs {
		accs[i] = l.vec()
		VMOVUPD(Mem{Base: out, Disp: i * l.size()}, accs[i])
	}
	loop(n, func() {
		for i, acc := range accs {
			from := Mem{Base: src, Disp: i * l.size() * width / 8}
			if width == 8 {
				VADDPD(from, acc, acc)
			} else {
				v := l.vec()
				VCVTPS2PD(from, v)
				VADDPD(v, acc, acc)
			}
		}
		ADDQ(U32(uint32(16*width)), src)
	})
	for i, acc := range accs {
		VMOVUPD(acc, Mem{Base: out, Disp: i * l.size()})
	}
	ret()
}
