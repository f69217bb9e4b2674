package kernel

import "encoding/binary"

// UnpackAt writes base plus the packed values at the numbers at, which ascend; src holds at least PackedLen of the last of them
// and those before, width is 0..64. A value costs 2 to 3 ns, as much as ten or more of Unpack.
func UnpackAt[T Int](dst []T, src []byte, at []uint32, width int, base T) {
	if width == 0 {
		Fill(dst, base)
		return
	}
	dst = dst[:len(at)]
	// As in Unpack, whole words are read from where a value begins, and the last values byte by byte.
	safe := len(at)
	if width > 57 {
		safe = 0
	}
	for safe > 0 && int(at[safe-1])*width>>3+8 > len(src) {
		safe--
	}
	mask := ^uint64(0) >> (64 - uint(width))
	for i, n := range at[:safe] {
		bit := int(n) * width
		dst[i] = T(binary.LittleEndian.Uint64(src[bit>>3:])>>(uint(bit)&7)&mask) + base
	}
	for i := safe; i < len(at); i++ {
		dst[i] = T(loadBits(src, int(at[i])*width, width)) + base
	}
}
