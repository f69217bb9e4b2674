package kernel

import "slices"

// Gather writes src[sel[i]] to dst[i].
func Gather[T any](dst, src []T, sel []uint32) {
	dst = dst[:len(sel)]
	for len(sel) >= 4 {
		d, s := dst[:4:4], sel[:4:4]
		d[0], d[1], d[2], d[3] = src[s[0]], src[s[1]], src[s[2]], src[s[3]]
		dst, sel = dst[4:], sel[4:]
	}
	for i, p := range sel {
		dst[i] = src[p]
	}
}

// Lookup writes table[codes[i]] to dst[i].
func Lookup[T Int](dst []T, table *[256]T, codes []uint8) {
	dst = dst[:len(codes)]
	done := lookupVectors(dst, table, codes)
	dst, codes = dst[done:], codes[done:]
	dst = dst[:len(codes)]
	for i, c := range codes {
		dst[i] = table[c]
	}
}

// Scatter writes src[i] to dst[sel[i]].
func Scatter[T any](dst, src []T, sel []uint32) {
	src = src[:len(sel)]
	for i, p := range sel {
		dst[p] = src[i]
	}
}

// GatherBytes appends the strings sel of (off, data) to dst and their ends to ends; value i is data[off[i]:off[i+1]].
func GatherBytes(dst []byte, ends []uint32, data []byte, off []uint32, sel []uint32) ([]byte, []uint32) {
	size := 0
	for _, p := range sel {
		size += int(off[p+1] - off[p])
	}
	dst, ends = roomFor(dst, size), slices.Grow(ends, len(sel))
	at, room := len(dst), dst[:cap(dst)]
	for _, p := range sel {
		from, to := int(off[p]), int(off[p+1])
		if to-from <= copyStep && from+copyStep <= len(data) {
			*(*[copyStep]byte)(room[at:]) = *(*[copyStep]byte)(data[from:])
		} else {
			copy(room[at:], data[from:to])
		}
		at += to - from
		ends = append(ends, uint32(at))
	}
	return dst[:at], ends
}

// AppendRanges appends the strings data[from[i]:to[i]] to dst and their ends to ends.
func AppendRanges(dst []byte, ends []uint32, data []byte, from, to []uint32) ([]byte, []uint32) {
	size := 0
	to = to[:len(from)]
	for i, f := range from {
		size += int(to[i] - f)
	}
	dst, ends = roomFor(dst, size), slices.Grow(ends, len(from))
	at, room := len(dst), dst[:cap(dst)]
	for i, f := range from {
		n := int(to[i] - f)
		if n <= copyStep && int(f)+copyStep <= len(data) {
			*(*[copyStep]byte)(room[at:]) = *(*[copyStep]byte)(data[f:])
		} else {
			copy(room[at:], data[f:to[i]])
		}
		at += n
		ends = append(ends, uint32(at))
	}
	return dst[:at], ends
}

// copyStep is the bytes up to which a string is copied as so many bytes, without a call and without a branch on its length: most strings
// are shorter, and a call of memmove with lengths that vary takes longer than the copy.
const copyStep = 32

// roomFor grows dst by size bytes and those that copying in steps writes behind them.
func roomFor(dst []byte, size int) []byte {
	if len(dst) == 0 && cap(dst) < size+copyStep {
		return Dirty[byte](size + copyStep)[:0]
	}
	return slices.Grow(dst, size+copyStep)
}
