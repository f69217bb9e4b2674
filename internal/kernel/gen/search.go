package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// probes is how many bytes of the needle are looked at by the vector loop.
const probes = 3

func search() {
	for _, l := range levels {
		candidates(l)
	}
}

// candidates compares a vector of positions with three bytes of the needle; the third only where the first two match.
func candidates(l level) {
	l.fn("candidates", "(pos *uint32, room int, src *byte, at, end int, offs *[3]int, fold, want *[3]uint8) (n, next int)",
		"writes the positions p in [at, end) with src[p+offs[i]]&fold[i] = want[i] for all i, whole vectors of positions, until fewer than a vector's number fit into room.")
	pos, room := Load(Param("pos"), GP64()), Load(Param("room"), GP64())
	src, at, end := Load(Param("src"), GP64()), Load(Param("at"), GP64()), Load(Param("end"), GP64())
	offs, fold, want := Load(Param("offs"), GP64()), Load(Param("fold"), GP64()), Load(Param("want"), GP64())
	var base [probes]Register
	var folds, wants [probes]VecVirtual
	for i := range probes {
		r := GP64()
		MOVQ(Mem{Base: offs, Disp: 8 * i}, r)
		ADDQ(src, r)
		base[i], folds[i], wants[i] = r, l.vec(), l.vec()
		VPBROADCASTB(Mem{Base: fold, Disp: i}, folds[i])
		VPBROADCASTB(Mem{Base: want, Disp: i}, wants[i])
	}
	n, bits, bit := GP64(), GP64(), GP64()
	XORQ(n, n)
	SUBQ(U32(uint32(l.size())), room)
	SUBQ(U32(uint32(l.size())), end)

	probe := func(i int) VecVirtual {
		v := l.vec()
		m := Mem{Base: base[i], Index: at, Scale: 1}
		if l == avx512 {
			VPANDQ(m, folds[i], v)
		} else {
			VPAND(m, folds[i], v)
			VPCMPEQB(wants[i], v, v)
		}
		return v
	}
	Label("scan")
	CMPQ(at, end)
	JGT(LabelRef("done"))
	CMPQ(n, room)
	JGT(LabelRef("done"))
	if l == avx512 {
		k := K()
		VPCMPEQB(wants[0], probe(0), k)
		VPCMPEQB(wants[1], probe(1), k, k)
		KORTESTQ(k, k)
		JZ(LabelRef("none"))
		VPCMPEQB(wants[2], probe(2), k, k)
		KMOVQ(k, bits)
	} else {
		a, b := probe(0), probe(1)
		VPAND(b, a, a)
		VPTEST(a, a)
		JZ(LabelRef("none"))
		c := probe(2)
		VPAND(c, a, a)
		VPMOVMSKB(a, bits.As32())
	}
	TESTQ(bits, bits)
	JZ(LabelRef("none"))
	Label("emit")
	BSFQ(bits, bit)
	ADDQ(at, bit)
	MOVL(bit.As32(), Mem{Base: pos, Index: n, Scale: 4})
	INCQ(n)
	LEAQ(Mem{Base: bits, Disp: -1}, bit)
	ANDQ(bit, bits)
	JNZ(LabelRef("emit"))
	Label("none")
	ADDQ(U32(uint32(l.size())), at)
	JMP(LabelRef("scan"))
	Label("done")
	Store(n, Return("n"))
	Store(at, Return("next"))
	ret()
}
