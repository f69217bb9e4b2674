package kernel

import (
	"unsafe"

	"golang.org/x/sys/cpu"
)

// simd is the best level of this processor; tests lower it.
var simd = detect()

func detect() int {
	x := &cpu.X86
	switch {
	case !x.HasAVX2 || !x.HasBMI2 || !x.HasPOPCNT:
		return levelGo
	case x.HasAVX512F && x.HasAVX512BW && x.HasAVX512DQ && x.HasAVX512VL && x.HasAVX512VBMI:
		return levelAVX512
	}
	return levelAVX2
}

// vectorBytes is the size of a vector of the level in use.
func vectorBytes() int {
	if simd == levelAVX512 {
		return 64
	}
	return 32
}

// ptr is where a slice begins.
func ptr[T any](s []T) *byte { return (*byte)(unsafe.Pointer(unsafe.SliceData(s))) }

// repeat fills 64 bits with the low size bytes of v.
func repeat(v uint64, size int) uint64 {
	switch size {
	case 1:
		return v & 0xff * 0x0101010101010101
	case 2:
		return v & 0xffff * 0x0001000100010001
	case 4:
		return v & 0xffffffff * 0x0000000100000001
	}
	return v
}

// sizeOf is the bytes of a T.
func sizeOf[T any]() int { return int(unsafe.Sizeof(*new(T))) }

// signBias is what turns signed order into unsigned order by XOR: the sign bit in each element, or 0.
func signBias[T Int]() uint64 {
	if !signed[T]() {
		return 0
	}
	return repeat(1<<(8*sizeOf[T]()-1), sizeOf[T]())
}
