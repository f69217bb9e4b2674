package types

import "math"

// A BFloat16 is the upper half of a Float32. It is held in memory as that Float32, and cut to two bytes where it is sent or written.

// TruncateBFloat16 returns the BFloat16 that ClickHouse makes of x: its lower bits are cut off.
func TruncateBFloat16(x float32) float32 {
	return math.Float32frombits(math.Float32bits(x) &^ 0xffff)
}

// BFloat16Bits returns the two bytes of a BFloat16.
func BFloat16Bits(x float32) uint16 { return uint16(math.Float32bits(x) >> 16) }

// BFloat16FromBits is the reverse of BFloat16Bits.
func BFloat16FromBits(b uint16) float32 { return math.Float32frombits(uint32(b) << 16) }
