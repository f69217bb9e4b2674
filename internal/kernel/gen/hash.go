package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// hashes are written for AVX-512 only: AVX2 has no 64-bit multiplication, and is no faster than the processor's own.
func hashes() {
	for _, w := range widths {
		hashInts(w, true)
		if w < 8 {
			hashInts(w, false)
		}
	}
	combineHashes()
	hashPairs()
}

func constant(x uint64) VecVirtual {
	r, z := GP64(), ZMM()
	MOVQ(U64(x), r)
	VPBROADCASTQ(r, z)
	return z
}

// mixer is kernel.Mix.
type mixer struct{ m1, m2 VecVirtual }

func newMixer() mixer { return mixer{constant(0xff51afd7ed558ccd), constant(0xc4ceb9fe1a85ec53)} }

func (m mixer) mix(v VecVirtual) {
	fold := func() {
		t := ZMM()
		VPSRLQ(Imm(33), v, t)
		VPXORQ(t, v, v)
	}
	fold()
	VPMULLQ(m.m1, v, v)
	fold()
	VPMULLQ(m.m2, v, v)
	fold()
}

func hashInts(width int, signed bool) {
	name := fmt.Sprintf("hashUint%d", width)
	if signed {
		name = fmt.Sprintf("hashInt%d", width)
	}
	avx512.fn(name, "(dst *uint64, src *byte, n int)", "hashes n times 16 values.")
	dst, src, n := Load(Param("dst"), GP64()), Load(Param("src"), GP64()), Load(Param("n"), GP64())
	m := newMixer()
	loop(n, func() {
		for i := range 2 {
			v := ZMM()
			from := Mem{Base: src, Disp: 8 * width * i}
			switch {
			case width == 8:
				VMOVDQU64(from, v)
			case width == 4 && signed:
				VPMOVSXDQ(from, v)
			case width == 4:
				VPMOVZXDQ(from, v)
			case width == 2 && signed:
				VPMOVSXWQ(from, v)
			case width == 2:
				VPMOVZXWQ(from, v)
			case signed:
				VPMOVSXBQ(from, v)
			default:
				VPMOVZXBQ(from, v)
			}
			m.mix(v)
			VMOVDQU64(v, Mem{Base: dst, Disp: 64 * i})
		}
		ADDQ(U32(uint32(16*width)), src)
		ADDQ(Imm(128), dst)
	})
	ret()
}

func combineHashes() {
	avx512.fn("combineHashes", "(dst, next *uint64, n int)", "combines n times 16 hashes.")
	dst, src, n := Load(Param("dst"), GP64()), Load(Param("next"), GP64()), Load(Param("n"), GP64())
	m, c := newMixer(), constant(combiner)
	loop(n, func() {
		for i := range 2 {
			v := ZMM()
			VMOVDQU64(Mem{Base: dst, Disp: 64 * i}, v)
			VPMULLQ(c, v, v)
			VPADDQ(Mem{Base: src, Disp: 64 * i}, v, v)
			m.mix(v)
			VMOVDQU64(v, Mem{Base: dst, Disp: 64 * i})
		}
		ADDQ(Imm(128), src)
		ADDQ(Imm(128), dst)
	})
	ret()
}

// hashPairs hashes rows of two words, which are sorted into a vector of first and one of second words.
func hashPairs() {
	avx512.fn("hashPairs", "(dst, words *uint64, n int)", "hashes n times 8 rows of two words.")
	dst, src, n := Load(Param("dst"), GP64()), Load(Param("words"), GP64()), Load(Param("n"), GP64())
	m, c := newMixer(), constant(combiner)
	first, second := ZMM(), ZMM()
	evens := GLOBL("evenWords", RODATA|NOPTR)
	for i := range 8 {
		DATA(8*i, U64(uint64(2*i)))
	}
	VMOVDQU64(evens, first)
	one := constant(1)
	VPADDQ(one, first, second)
	loop(n, func() {
		a, b, v, w := ZMM(), ZMM(), ZMM(), ZMM()
		VMOVDQU64(Mem{Base: src}, a)
		VMOVDQU64(Mem{Base: src, Disp: 64}, b)
		VMOVDQA64(first, v)
		VMOVDQA64(second, w)
		VPERMI2Q(b, a, v)
		VPERMI2Q(b, a, w)
		m.mix(v)
		VPMULLQ(c, v, v)
		VPADDQ(w, v, v)
		m.mix(v)
		VMOVDQU64(v, Mem{Base: dst})
		ADDQ(U32(128), src)
		ADDQ(Imm(64), dst)
	})
	ret()
}

// combiner is the factor of kernel.Combine.
const combiner = 0x9ddfea08eb382d69
