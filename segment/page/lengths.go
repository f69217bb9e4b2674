package page

import "github.com/olapd/olapd/internal/kernel"

// TextLengths decodes the lengths in bytes of values [from, to) of n strings that Vector would decode, without their text. The memory is the caller's.
func TextLengths(b []byte, n, from, to int) ([]uint32, error) {
	if from < 0 || from > to || to > n || n > maxElems {
		return nil, corrupt("values %d to %d of %d", from, to, n)
	}
	in := &input{b: b}
	lengths := in.sized()
	if in.err != nil {
		return nil, in.err
	}
	out := kernel.Dirty[uint32](to - from)
	return out, Ints(out, lengths, n, from)
}
