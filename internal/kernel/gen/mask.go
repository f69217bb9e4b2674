package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
)

func masks() {
	for _, l := range levels {
		l.bitwise("And", l.and)
		l.bitwise("Or", l.or)
		l.bitwise("AndNot", l.andNot)
		l.bitwise("Xor", l.xor)
	}
	positions512()
	positions2()
}

func (l level) bitwise(name string, op func(a, b, to Op)) {
	l.fn("mask"+name, "(dst, a, b *byte, n, step int)", "combines n vectors of a and b, which advances by step bytes for each.")
	dst, a, b := Load(Param("dst"), GP64()), Load(Param("a"), GP64()), Load(Param("b"), GP64())
	n, step := Load(Param("n"), GP64()), Load(Param("step"), GP64())
	loop(n, func() {
		x, y := l.vec(), l.vec()
		l.load(Mem{Base: a}, x)
		l.load(Mem{Base: b}, y)
		op(y, x, x)
		l.store(x, Mem{Base: dst})
		ADDQ(U32(uint32(l.size())), a)
		ADDQ(U32(uint32(l.size())), dst)
		ADDQ(step, b)
	})
	ret()
}

const positionsDoc = "writes base+i for each set byte of the mask, whole vectors at a time: dst has room for one position a row."

// positions512 compresses 16 row numbers a time.
func positions512() {
	avx512.fn("positions", "(dst *uint32, mask *byte, n int, base uint32) int", positionsDoc+" n counts 16 rows.")
	dst, mask, n := Load(Param("dst"), GP64()), Load(Param("mask"), GP64()), Load(Param("n"), GP64())
	rows, sixteen := ZMM(), ZMM()
	first := Load(Param("base"), GP32())
	VPBROADCASTD(first, rows)
	iota := GLOBL("iota16", RODATA|NOPTR)
	for i := range 16 {
		DATA(4*i, U32(uint32(i)))
	}
	VPADDD(iota, rows, rows)
	step := GP32()
	MOVL(U32(16), step)
	VPBROADCASTD(step, sixteen)
	start, count := GP64(), GP64()
	MOVQ(dst, start)
	loop(n, func() {
		x, z, k := XMM(), ZMM(), K()
		VMOVDQU(Mem{Base: mask}, x)
		VPTESTMB(x, x, k)
		VPCOMPRESSD_Z(rows, k, z)
		VMOVDQU32(z, Mem{Base: dst})
		KMOVW(k, count.As32())
		POPCNTL(count.As32(), count.As32())
		LEAQ(Mem{Base: dst, Index: count, Scale: 4}, dst)
		VPADDD(sixteen, rows, rows)
		ADDQ(Imm(16), mask)
	})
	SUBQ(start, dst)
	SHRQ(Imm(2), dst)
	Store(dst, ReturnIndex(0))
	ret()
}

// positions2 looks the set ones of 8 rows up in a table.
func positions2() {
	avx2.fn("positions", "(dst *uint32, mask *byte, n int, base uint32, table *[256][8]uint8) int", positionsDoc+" n counts 8 rows.")
	dst, mask, n := Load(Param("dst"), GP64()), Load(Param("mask"), GP64()), Load(Param("n"), GP64())
	rows, eight := YMM(), YMM()
	x := XMM()
	first := Load(Param("base"), GP32())
	VMOVD(first, x)
	VPBROADCASTD(x, rows)
	table := Load(Param("table"), GP64())
	step := GP32()
	MOVL(U32(8), step)
	VMOVD(step, x)
	VPBROADCASTD(x, eight)
	start, bits := GP64(), GP64()
	MOVQ(dst, start)
	loop(n, func() {
		m, at := XMM(), YMM()
		VMOVQ(Mem{Base: mask}, m)
		VPSLLW(Imm(7), m, m)
		VPMOVMSKB(m, bits.As32())
		VPMOVZXBD(Mem{Base: table, Index: bits, Scale: 8}, at)
		VPADDD(rows, at, at)
		VMOVDQU(at, Mem{Base: dst})
		POPCNTL(bits.As32(), bits.As32())
		LEAQ(Mem{Base: dst, Index: bits, Scale: 4}, dst)
		VPADDD(eight, rows, rows)
		ADDQ(Imm(8), mask)
	})
	SUBQ(start, dst)
	SHRQ(Imm(2), dst)
	Store(dst, ReturnIndex(0))
	ret()
}
