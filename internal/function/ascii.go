package function

import (
	"encoding/binary"
	"math/bits"
)

// onlyASCII reports whether all bytes are less than 128, 32 at a time.
func onlyASCII(s []byte) bool {
	const high = 0x8080808080808080
	for ; len(s) >= 32; s = s[32:] {
		w := binary.LittleEndian.Uint64(s) | binary.LittleEndian.Uint64(s[8:]) | binary.LittleEndian.Uint64(s[16:]) | binary.LittleEndian.Uint64(s[24:])
		if w&high != 0 {
			return false
		}
	}
	for _, c := range s {
		if c >= 0x80 {
			return false
		}
	}
	return true
}

// allASCII reports whether the strings of so many rows are ASCII: code points are bytes then.
func (s strArg) allASCII(rows int) bool {
	n := rows
	if s.isConst() {
		n = 1
	}
	return n == 0 || onlyASCII(s.Data[s.Off[0]:s.Off[n]])
}

// codePoints counts the code points of UTF-8: the bytes that do not continue one, eight at a time.
func codePoints(s []byte) uint64 {
	const low = 0x0101010101010101
	n := len(s)
	for ; len(s) >= 8; s = s[8:] {
		w := binary.LittleEndian.Uint64(s)
		n -= bits.OnesCount64(w >> 7 &^ (w >> 6) & low)
	}
	for _, c := range s {
		if c&0xC0 == 0x80 {
			n--
		}
	}
	return uint64(n)
}
