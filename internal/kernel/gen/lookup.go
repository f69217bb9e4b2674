package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// lookup is written for AVX-512 with byte permutations over 128 entries, and for results of 1 and 2 bytes: wider ones are as fast by loads.
func lookup() {
	lookup1()
	lookup2()
}

// bytePlane is 256 bytes looked up by 64 codes a time.
type bytePlane [4]VecVirtual

func loadPlane(table Register, disp int) (p bytePlane) {
	for i := range p {
		p[i] = ZMM()
		VMOVDQU64(Mem{Base: table, Disp: disp + 64*i}, p[i])
	}
	return p
}

// at looks codes up; top has the bit of each code from 128 on set.
func (p bytePlane) at(codes VecVirtual, top Register) VecVirtual {
	lo, hi := ZMM(), ZMM()
	VMOVDQA64(codes, lo)
	VMOVDQA64(codes, hi)
	VPERMI2B(p[1], p[0], lo)
	VPERMI2B(p[3], p[2], hi)
	VMOVDQU8(hi, top, lo)
	return lo
}

func lookup1() {
	avx512.fn("lookup1", "(dst, codes *byte, n int, table *[256]uint8)", "writes table[codes[i]] for n times 64 codes.")
	dst, src, n := Load(Param("dst"), GP64()), Load(Param("codes"), GP64()), Load(Param("n"), GP64())
	p := loadPlane(Load(Param("table"), GP64()).(Register), 0)
	loop(n, func() {
		codes, top := ZMM(), K()
		VMOVDQU64(Mem{Base: src}, codes)
		VPMOVB2M(codes, top)
		VMOVDQU64(p.at(codes, top), Mem{Base: dst})
		ADDQ(Imm(64), src)
		ADDQ(Imm(64), dst)
	})
	ret()
}

// lookup2 has a plane of the entries' low bytes and one of their high ones. Codes are ordered so that interleaving by lanes
// gives results in order.
func lookup2() {
	avx512.fn("lookup2", "(dst, codes *byte, n int, planes *[512]uint8)", "writes the entries of n times 64 codes: planes has their 256 low and 256 high bytes.")
	dst, src, n := Load(Param("dst"), GP64()), Load(Param("codes"), GP64()), Load(Param("n"), GP64())
	table := Load(Param("planes"), GP64()).(Register)
	low, high := loadPlane(table, 0), loadPlane(table, 256)
	order := ZMM()
	quads := GLOBL("laneOrder", RODATA|NOPTR)
	for i, q := range []uint64{0, 4, 1, 5, 2, 6, 3, 7} {
		DATA(8*i, U64(q))
	}
	VMOVDQU64(quads, order)
	loop(n, func() {
		codes, top := ZMM(), K()
		VPERMQ(Mem{Base: src}, order, codes)
		VPMOVB2M(codes, top)
		a, b := low.at(codes, top), high.at(codes, top)
		x, y := ZMM(), ZMM()
		VPUNPCKLBW(b, a, x)
		VPUNPCKHBW(b, a, y)
		VMOVDQU64(x, Mem{Base: dst})
		VMOVDQU64(y, Mem{Base: dst, Disp: 64})
		ADDQ(Imm(64), src)
		ADDQ(Imm(128), dst)
	})
	ret()
}
