package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
)

// prefix is written for AVX-512: within AVX2's lanes of 16 bytes it takes as long as adding one by one.
func prefix() {
	prefixSum(4)
	prefixSum(8)
}

// prefixSum adds to each element the one before, the two before those, and so on, and to all the sum so far.
func prefixSum(width int) {
	avx512.fn(fmt.Sprintf("prefixSum%d", width), "(dst *byte, n int, first uint64) uint64", "replaces n vectors of elements by sums that start at first, and returns the last.")
	dst, n := Load(Param("dst"), GP64()), Load(Param("n"), GP64())
	sum, none, last := ZMM(), ZMM(), ZMM()
	x, first := XMM(), Load(Param("first"), GP64())
	VMOVQ(first, x)
	end := GP64()
	MOVQ(U64(uint64(64/width-1)), end)
	if width == 4 {
		VPBROADCASTD(x, sum)
		VPBROADCASTD(end.As32(), last)
	} else {
		VPBROADCASTQ(x, sum)
		VPBROADCASTQ(end, last)
	}
	VPXORQ(none, none, none)
	loop(n, func() {
		v, w := ZMM(), ZMM()
		VMOVDQU64(Mem{Base: dst}, v)
		for step := 1; step < 64/width; step *= 2 {
			back := Imm(uint64(64/width - step))
			if width == 4 {
				VALIGND(back, none, v, w)
				VPADDD(w, v, v)
			} else {
				VALIGNQ(back, none, v, w)
				VPADDQ(w, v, v)
			}
		}
		if width == 4 {
			VPADDD(sum, v, v)
			VPERMD(v, last, sum)
		} else {
			VPADDQ(sum, v, v)
			VPERMQ(v, last, sum)
		}
		VMOVDQU64(v, Mem{Base: dst})
		ADDQ(Imm(64), dst)
	})
	out := GP64()
	VMOVQ(sum.AsX(), out)
	Store(out, ReturnIndex(0))
	ret()
}
