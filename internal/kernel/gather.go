package kernel

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
	for _, p := range sel {
		dst = append(dst, data[off[p]:off[p+1]]...)
		ends = append(ends, uint32(len(dst)))
	}
	return dst, ends
}
