package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// A level is an instruction set. The methods give what differs between the two, so that most kernels are written once.
type level int

const (
	avx2 level = iota
	avx512
)

var levels = []level{avx2, avx512}

func (l level) String() string { return [...]string{"AVX2", "AVX512"}[l] }

// size is the bytes of a vector.
func (l level) size() int { return [...]int{32, 64}[l] }

func (l level) vec() VecVirtual {
	if l == avx2 {
		return YMM()
	}
	return ZMM()
}

func (l level) load(from Op, to VecVirtual) {
	if l == avx2 {
		VMOVDQU(from, to)
	} else {
		VMOVDQU64(from, to)
	}
}

func (l level) store(from VecVirtual, to Op) {
	if l == avx2 {
		VMOVDQU(from, to)
	} else {
		VMOVDQU64(from, to)
	}
}

func (l level) zero(v VecVirtual) { l.xor(v, v, v) }

func (l level) xor(a, b, to Op) {
	if l == avx2 {
		VPXOR(a, b, to)
	} else {
		VPXORQ(a, b, to)
	}
}

func (l level) and(a, b, to Op) {
	if l == avx2 {
		VPAND(a, b, to)
	} else {
		VPANDQ(a, b, to)
	}
}

func (l level) or(a, b, to Op) {
	if l == avx2 {
		VPOR(a, b, to)
	} else {
		VPORQ(a, b, to)
	}
}

// andNot writes b AND NOT a.
func (l level) andNot(a, b, to Op) {
	if l == avx2 {
		VPANDN(b, a, to)
	} else {
		VPANDNQ(b, a, to)
	}
}

// broadcast fills a vector with the 64-bit parameter name: narrower values are repeated by the caller.
func (l level) broadcast(name string) VecVirtual {
	x, v := XMM(), l.vec()
	r := Load(Param(name), GP64())
	VMOVQ(r, x)
	VPBROADCASTQ(x, v)
	return v
}

// fn begins a function of the name and level.
func (l level) fn(name, signature, doc string) {
	TEXT(name+l.String(), NOSPLIT, "func"+signature)
	Pragma("noescape")
	Doc(fmt.Sprintf("%s%s %s", name, l, doc))
}

// ret ends a function.
func ret() {
	VZEROUPPER()
	RET()
}

// loop repeats body while n, which counts down, is above zero.
func loop(n Register, body func()) {
	label := fmt.Sprintf("loop%d", next())
	done := fmt.Sprintf("done%d", next())
	TESTQ(n, n)
	JZ(LabelRef(done))
	Label(label)
	body()
	DECQ(n)
	JNZ(LabelRef(label))
	Label(done)
}

var labels int

// next numbers labels.
func next() int {
	labels++
	return labels
}

// add is the addition of elements of width bytes.
func add(width int, a, b, to Op) {
	switch width {
	case 1:
		VPADDB(a, b, to)
	case 2:
		VPADDW(a, b, to)
	case 4:
		VPADDD(a, b, to)
	default:
		VPADDQ(a, b, to)
	}
}

// sub writes b-a.
func sub(width int, a, b, to Op) {
	switch width {
	case 1:
		VPSUBB(a, b, to)
	case 2:
		VPSUBW(a, b, to)
	case 4:
		VPSUBD(a, b, to)
	default:
		VPSUBQ(a, b, to)
	}
}

var widths = []int{1, 2, 4, 8}
