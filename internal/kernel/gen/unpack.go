package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

func unpack() {
	for _, w := range widths {
		unpack512(w)
		unpack2(w)
	}
	straddling(4)
	straddling(8)
}

// unpack512 has one permutation that brings the bytes of each quadword together, and one multishift that takes the values' bits out of it.
func unpack512(width int) {
	avx512.fn(fmt.Sprintf("unpack%d", width), "(dst, src *byte, n, step int, perm, shift *[64]byte, bytes, mask, base uint64)",
		"writes n vectors; step bytes of src hold one, bytes has a bit set for each.")
	dst, src := Load(Param("dst"), GP64()), Load(Param("src"), GP64())
	n, step := Load(Param("n"), GP64()), Load(Param("step"), GP64())
	perm, shift := ZMM(), ZMM()
	VMOVDQU64(Mem{Base: Load(Param("perm"), GP64())}, perm)
	VMOVDQU64(Mem{Base: Load(Param("shift"), GP64())}, shift)
	k := K()
	KMOVQ(Load(Param("bytes"), GP64()), k)
	mask, base := avx512.broadcast("mask"), avx512.broadcast("base")
	loop(n, func() {
		v := ZMM()
		VMOVDQU8_Z(Mem{Base: src}, k, v)
		VPERMB(v, perm, v)
		VPMULTISHIFTQB(v, shift, v)
		VPANDQ(mask, v, v)
		add(width, base, v, v)
		VMOVDQU64(v, Mem{Base: dst})
		ADDQ(step, src)
		ADDQ(Imm(64), dst)
	})
	ret()
}

// straddling unpacks widths whose values may lie in one byte more than a result has.
func straddling(width int) {
	avx512.fn(fmt.Sprintf("unpackStraddling%d", width), "(dst, src *byte, n, step int, low, high, down, up *[64]byte, bytes, mask, base uint64)",
		"writes n vectors; step bytes of src hold one, bytes has a bit set for each.")
	dst, src := Load(Param("dst"), GP64()), Load(Param("src"), GP64())
	n, step := Load(Param("n"), GP64()), Load(Param("step"), GP64())
	table := func(name string) VecVirtual {
		v := ZMM()
		VMOVDQU64(Mem{Base: Load(Param(name), GP64())}, v)
		return v
	}
	low, high, down, up := table("low"), table("high"), table("down"), table("up")
	k := K()
	KMOVQ(Load(Param("bytes"), GP64()), k)
	mask, base := avx512.broadcast("mask"), avx512.broadcast("base")
	loop(n, func() {
		v, w := ZMM(), ZMM()
		VMOVDQU8_Z(Mem{Base: src}, k, v)
		VPERMB(v, high, w)
		VPERMB(v, low, v)
		if width == 4 {
			VPSRLVD(down, v, v)
			VPSLLVD(up, w, w)
		} else {
			VPSRLVQ(down, v, v)
			VPSLLVQ(up, w, w)
		}
		VPORQ(w, v, v)
		VPANDQ(mask, v, v)
		add(width, base, v, v)
		VMOVDQU64(v, Mem{Base: dst})
		ADDQ(step, src)
		ADDQ(Imm(64), dst)
	})
	ret()
}

// unpack2 takes 8 values a time: each lane loads the 16 bytes that hold its values, a shuffle brings the bytes of a value together, a shift
// aligns them. Narrow results are narrowed from 32 bits.
func unpack2(width int) {
	avx2.fn(fmt.Sprintf("unpack%d", width), "(dst, src *byte, n, step int, lanes *[4]int, shuffle, shift *[64]byte, mask, base uint64)",
		"writes n groups of 8 values, of which step bytes of src hold one; for narrow values n is a multiple of what fills a vector.")
	dst, src := Load(Param("dst"), GP64()), Load(Param("src"), GP64())
	n, step := Load(Param("n"), GP64()), Load(Param("step"), GP64())
	lanes := Load(Param("lanes"), GP64())
	at := func(i int) Mem {
		off := GP64()
		MOVQ(Mem{Base: lanes, Disp: 8 * i}, off)
		return Mem{Base: src, Index: off, Scale: 1}
	}
	shuf, shift := Load(Param("shuffle"), GP64()), Load(Param("shift"), GP64())
	units := 1 // loads of two lanes for a group
	if width == 8 {
		units = 2
	}
	var addr []Mem
	for i := range 2 * units {
		addr = append(addr, at(i))
	}
	mask, base := avx2.broadcast("mask"), avx2.broadcast("base")
	shufs, shifts := []VecVirtual{}, []VecVirtual{}
	for i := range units {
		a, b := YMM(), YMM()
		VMOVDQU(Mem{Base: shuf, Disp: 32 * i}, a)
		VMOVDQU(Mem{Base: shift, Disp: 32 * i}, b)
		shufs, shifts = append(shufs, a), append(shifts, b)
	}
	unit := func(i int) VecVirtual {
		v := YMM()
		VMOVDQU(addr[2*i], v.AsX())
		VINSERTI128(Imm(1), addr[2*i+1], v, v)
		VPSHUFB(shufs[i], v, v)
		if width == 8 {
			VPSRLVQ(shifts[i], v, v)
		} else {
			VPSRLVD(shifts[i], v, v)
		}
		VPAND(mask, v, v)
		return v
	}
	put := func(v VecVirtual, disp int) {
		add(width, base, v, v)
		VMOVDQU(v, Mem{Base: dst, Disp: disp})
	}
	group := func() VecVirtual { v := unit(0); ADDQ(step, src); return v }
	var order VecVirtual
	if width == 1 {
		order = YMM()
		VMOVDQU(lanesOfPack(), order)
		SHRQ(Imm(2), n)
	} else if width == 2 {
		SHRQ(Imm(1), n)
	}
	loop(n, func() {
		switch width {
		case 1:
			a, b, c, d := group(), group(), group(), group()
			VPACKUSDW(b, a, a)
			VPACKUSDW(d, c, c)
			VPACKUSWB(c, a, a)
			VPERMD(a, order, a)
			put(a, 0)
			ADDQ(Imm(32), dst)
		case 2:
			a, b := group(), group()
			VPACKUSDW(b, a, a)
			VPERMQ(Imm(0xd8), a, a)
			put(a, 0)
			ADDQ(Imm(32), dst)
		case 4:
			put(group(), 0)
			ADDQ(Imm(32), dst)
		default:
			put(unit(0), 0)
			put(unit(1), 32)
			ADDQ(step, src)
			ADDQ(Imm(64), dst)
		}
	})
	ret()
}

var packOrder Mem

// lanesOfPack is the order that undoes what packing does to lanes.
func lanesOfPack() Mem {
	if packOrder.Base == nil {
		packOrder = GLOBL("packOrder", RODATA|NOPTR)
		for i, x := range []uint32{0, 4, 1, 5, 2, 6, 3, 7} {
			DATA(4*i, U32(x))
		}
	}
	return packOrder
}
