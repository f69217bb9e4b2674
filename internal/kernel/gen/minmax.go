package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
)

func minMax() {
	for _, l := range levels {
		for _, w := range widths {
			if l == avx512 || w < 8 { // AVX2 has no minimum of quadwords
				minMaxInts(l, w)
			}
		}
	}
}

// minMaxInts orders signed values as unsigned ones by the bias.
func minMaxInts(l level, width int) {
	l.fn(fmt.Sprintf("minMax%d", width), "(lo, hi *[64]byte, src *byte, n int, bias uint64)",
		fmt.Sprintf("writes the minima and maxima by lane of src[i]^bias over n > 0 times %d vectors.", unroll))
	lo, hi := Load(Param("lo"), GP64()), Load(Param("hi"), GP64())
	src, n, bias := Load(Param("src"), GP64()), Load(Param("n"), GP64()), l.broadcast("bias")
	least, most := l.vec(), l.vec()
	l.ones(least)
	l.zero(most)
	loop(n, func() {
		for i := range unroll {
			v := l.vec()
			l.xor(Mem{Base: src, Disp: i * l.size()}, bias, v)
			switch width {
			case 1:
				VPMINUB(v, least, least)
				VPMAXUB(v, most, most)
			case 2:
				VPMINUW(v, least, least)
				VPMAXUW(v, most, most)
			case 4:
				VPMINUD(v, least, least)
				VPMAXUD(v, most, most)
			default:
				VPMINUQ(v, least, least)
				VPMAXUQ(v, most, most)
			}
		}
		ADDQ(U32(uint32(unroll*l.size())), src)
	})
	l.store(least, Mem{Base: lo})
	l.store(most, Mem{Base: hi})
	ret()
}
