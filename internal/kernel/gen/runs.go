package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
)

func runs() {
	for _, w := range widths { // stores of 64 bytes are no faster for long runs, and slower for short ones
		expandRuns(avx2, w)
	}
}

// expandRuns stores whole vectors, beyond the end of a run too: the next one overwrites them.
func expandRuns(l level, width int) {
	l.fn(fmt.Sprintf("expandRuns%d", width), "(dst, values *byte, ends *uint32, n, from int)",
		"writes n runs from row from on, and up to a vector more.")
	dst, values := Load(Param("dst"), GP64()), Load(Param("values"), GP64())
	ends, n, from := Load(Param("ends"), GP64()), Load(Param("n"), GP64()), Load(Param("from"), GP64())
	base, end := GP64(), GP64()
	MOVQ(dst, base)
	if width > 1 {
		SHLQ(Imm(uint64(map[int]int{2: 1, 4: 2, 8: 3}[width])), from)
	}
	SUBQ(from, base) // where row 0 would be
	loop(n, func() {
		v := l.vec()
		value := Mem{Base: values}
		switch {
		case width == 1:
			VPBROADCASTB(value, v)
		case width == 2:
			VPBROADCASTW(value, v)
		case width == 4:
			VPBROADCASTD(value, v)
		default:
			VPBROADCASTQ(value, v)
		}
		MOVL(Mem{Base: ends}, end.As32())
		LEAQ(Mem{Base: base, Index: end, Scale: uint8(width)}, end)
		fill := fmt.Sprintf("fill%d", next())
		Label(fill)
		l.store(v, Mem{Base: dst})
		ADDQ(U32(uint32(l.size())), dst)
		CMPQ(dst, end)
		JCS(LabelRef(fill))
		MOVQ(end, dst)
		ADDQ(U32(uint32(width)), values)
		ADDQ(Imm(4), ends)
	})
	ret()
}
