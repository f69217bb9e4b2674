package kernel

//go:generate sh gen/generate.sh

// Instruction sets that assembly exists for, each including those before it.
const (
	levelGo = iota
	levelAVX2
	levelAVX512 // F, BW, DQ, VL, VBMI: Ice Lake, Zen 4 and later
)

// minVector is the shortest slice for which a call of assembly pays.
const minVector = 32
