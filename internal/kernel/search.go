package kernel

import "bytes"

// Contains writes 1 to dst[i] where string i of (off, data) contains needle, else 0. It searches
// the strings as one text, so that short strings cost no call each.
func Contains(dst []uint8, off []uint32, data, needle []byte) {
	contains(dst, off, data, needle, false)
}

// ContainsFold is Contains without regard to the case of ASCII letters.
func ContainsFold(dst []uint8, off []uint32, data, needle []byte) {
	contains(dst, off, data, needle, true)
}

// maxMatches is how many positions are found before they are looked at.
const maxMatches = 512

func contains(dst []uint8, off []uint32, data, needle []byte, fold bool) {
	n := len(off) - 1
	dst = dst[:n]
	if len(needle) == 0 {
		for i := range dst {
			dst[i] = 1
		}
		return
	}
	clear(dst)
	p := newProbe(needle, fold)
	var buf [maxMatches]uint32
	row, at, text := 0, int(off[0]), data[:off[n]]
	for row < n {
		var found int
		if found, at = p.find(buf[:], text, at); found == 0 {
			return
		}
		for _, hit := range buf[:found] {
			if hit < off[row] { // in a string known to contain it
				continue
			}
			row = rowAt(off, row, hit)
			if int(hit)+len(needle) <= int(off[row+1]) { // not across the end of the string
				dst[row] = 1
				if row++; row == n {
					return
				}
			}
		}
		at = max(at, int(off[row]))
	}
}

// rowAt returns the string that holds byte at, which is not before string row. It gallops, since hits are usually near.
func rowAt(off []uint32, row int, at uint32) int {
	step := 1
	for row+step < len(off) && off[row+step] <= at {
		row += step
		step *= 2
	}
	for ; step > 0; step /= 2 {
		for row+step < len(off) && off[row+step] <= at {
			row += step
		}
	}
	return row
}

// HasPrefix writes 1 to dst[i] where string i of (off, data) begins with prefix, else 0.
func HasPrefix(dst []uint8, off []uint32, data, prefix []byte) {
	for i := 0; i+1 < len(off); i++ {
		dst[i] = b2u(bytes.HasPrefix(data[off[i]:off[i+1]], prefix))
	}
}

// EqualBytes writes 1 to dst[i] where string i of (off, data) equals s, else 0.
func EqualBytes(dst []uint8, off []uint32, data, s []byte) {
	for i := 0; i+1 < len(off); i++ {
		dst[i] = b2u(bytes.Equal(data[off[i]:off[i+1]], s))
	}
}
