// Package kernel holds the leaf loops: free generic functions over slices, with nothing
// but arithmetic in them. Everything here is the portable Go reference; assembly, where it
// exists, is an equal of it for some types and chosen at run time.
//
// # Conventions
//
//   - A mask is a []uint8 of 0 and 1, one per row. A selection is an ascending []uint32 of row positions.
//   - dst is the first parameter, is at least as long as what is written, and never overlaps a source
//     unless the function says so. Functions that append return the longer slice.
//   - Loops are branch-free on data: time depends on lengths, not on values.
//   - Lengths are the caller's duty: a source that is too short panics like any slice access.
//     Code that reads stored bytes checks them first (see PackedLen).
//
// # Bit packing
//
// n values of width w (0..64) bits are one little-endian stream of bits: value i has the bits
// [i*w, (i+1)*w), bit b of the stream being bit b%8 of byte b/8. 64 values take w words of 64 bits exactly.
//
//	width 3:   byte 0            byte 1
//	           2 2 1 1 1 0 0 0   5 4 4 4 3 3 3 2
package kernel

// Unsigned is the unsigned integers of fixed width.
type Unsigned interface {
	uint8 | uint16 | uint32 | uint64
}

// Signed is the signed integers of fixed width.
type Signed interface {
	int8 | int16 | int32 | int64
}

// Int is the integers of fixed width.
type Int interface{ Unsigned | Signed }

// Float is the floats.
type Float interface{ float32 | float64 }

// Number is what compares with < and adds with +.
type Number interface{ Int | Float }

// b2u is 1 for true; the compiler makes it one instruction.
func b2u(b bool) uint8 {
	var u uint8
	if b {
		u = 1
	}
	return u
}

// signed reports whether T has a sign; the compiler knows.
func signed[T Int]() bool {
	var x T
	x--
	return x < 0
}

// isFloat reports whether T is a float; the compiler knows.
func isFloat[T Number]() bool { return T(1)/2 != 0 }
