package page

import (
	"github.com/olapd/olapd/internal/compress"
	"github.com/olapd/olapd/internal/kernel"
)

// Ints decodes values [from, from+len(dst)) of a stream of n values into dst.
func Ints[T kernel.Int](dst []T, stream []byte, n, from int) error {
	return decodeInts(dst, stream, n, from, 0)
}

func decodeInts[T kernel.Int](dst []T, stream []byte, n, from, depth int) error {
	if from < 0 || from+len(dst) > n {
		return corrupt("values %d to %d of %d", from, from+len(dst), n)
	}
	if depth > maxDepth {
		return corrupt("streams nest too deep")
	}
	in := &input{b: stream}
	how := in.u8()
	if in.err != nil || len(dst) == 0 {
		return in.err
	}
	switch how {
	case howRaw:
		w := width[T]()
		b := in.take(n * w)
		if in.err == nil {
			kernel.Unpack(dst, b, from, 8*w, 0)
		}
	case howConst:
		if c := rawValue[T](in); in.err == nil {
			kernel.Fill(dst, c)
		}
	case howPacked:
		decodePacked(dst, in, n, from)
	case howDelta:
		decodeDelta(dst, in, n, from)
	case howRuns:
		return decodeRuns(dst, in, n, from, depth)
	case howSparse:
		return decodeSparse(dst, in, n, from, depth)
	case howDict:
		return decodeDict(dst, in, n, from, depth)
	case howLZ4:
		return decodeLZ4(dst, in, n, from, depth)
	case howPatched:
		return decodePatched(dst, in, n, from, depth)
	default:
		return corrupt("unknown encoding %d", how)
	}
	return in.err
}

// rawValue reads one value.
func rawValue[T kernel.Int](in *input) T {
	var one [1]T
	w := width[T]()
	if b := in.take(w); b != nil {
		kernel.Unpack(one[:], b, 0, 8*w, 0)
	}
	return one[0]
}

func decodePacked[T kernel.Int](dst []T, in *input, n, from int) {
	base, w := rawValue[T](in), int(in.u8())
	if in.err == nil && w > 64 {
		in.err = corrupt("values of %d bits", w)
	}
	if b := in.take(kernel.PackedLen(n, w)); in.err == nil {
		kernel.Unpack(dst, b, from, w, base)
	}
}

// decodeDelta has to sum from the first value on; sums wrap, so narrow types need no wider ones.
func decodeDelta[T kernel.Int](dst []T, in *input, n, from int) {
	first, base, w := rawValue[T](in), int64(in.u64()), int(in.u8())
	if in.err == nil && w > 64 {
		in.err = corrupt("deltas of %d bits", w)
	}
	b := in.take(kernel.PackedLen(n-1, w))
	if in.err != nil {
		return
	}
	var skip [512]T
	for at := 0; at < from; { // the sum of the deltas before value from
		d := skip[:min(len(skip), from-at)]
		kernel.Unpack(d, b, at, w, T(base))
		first = kernel.PrefixSum(d, first)
		at += len(d)
	}
	dst[0] = first
	kernel.Unpack(dst[1:], b, from, w, T(base))
	kernel.PrefixSum(dst[1:], first)
}

// nested decodes a stream[n] whole; the memory is the caller's.
func nested[T kernel.Int](in *input, n, depth int) []T {
	b := in.sized()
	if in.err != nil {
		return nil
	}
	out := kernel.Dirty[T](n)
	in.err = decodeInts(out, b, n, 0, depth+1)
	return out
}

// count reads the number of values of nested streams, which is at most n.
func count(in *input, n int) int {
	k := in.u32()
	if in.err == nil && uint64(k) > uint64(n) {
		in.err = corrupt("%d entries for %d values", k, n)
		return 0
	}
	return int(k)
}

func decodeRuns[T kernel.Int](dst []T, in *input, n, from, depth int) error {
	values, ends, err := runs[T](in, n, depth)
	if err != nil {
		return err
	}
	kernel.ExpandRuns(dst, values, ends, from)
	kernel.Recycle(values)
	kernel.Recycle(ends)
	return nil
}

// runs decodes the values of the runs that n values are, and where they end: the last one behind all. The memory is the caller's.
func runs[T kernel.Int](in *input, n, depth int) (values []T, ends []uint32, err error) {
	k := count(in, n)
	values, ends = nested[T](in, k, depth), nested[uint32](in, k, depth)
	if in.err != nil {
		return nil, nil, in.err
	}
	if k == 0 || ends[k-1] != uint32(n) {
		return nil, nil, corrupt("runs do not cover %d values", n)
	}
	falls := false
	for i, end := range ends[1:] {
		falls = falls || end <= ends[i]
	}
	if falls {
		return nil, nil, corrupt("runs do not ascend")
	}
	return values, ends, nil
}

func decodeSparse[T kernel.Int](dst []T, in *input, n, from, depth int) error {
	def, k := rawValue[T](in), count(in, n)
	at, values := nested[uint32](in, k, depth), nested[T](in, k, depth)
	if in.err != nil {
		return in.err
	}
	defer kernel.Recycle(at)
	defer kernel.Recycle(values)
	kernel.Fill(dst, def)
	to := uint32(from + len(dst))
	for i, p := range at {
		if p >= uint32(from) && p < to {
			dst[p-uint32(from)] = values[i]
		}
	}
	return nil
}

func decodeDict[T kernel.Int](dst []T, in *input, n, from, depth int) error {
	k := count(in, n)
	entries := nested[T](in, k, depth)
	b := in.sized()
	if in.err != nil {
		return in.err
	}
	if k <= maxDict {
		if codes, ok := byteCodes(b, n, from, len(dst)); ok {
			defer kernel.Recycle(codes)
			return lookup(dst, entries, codes)
		}
	}
	codes := kernel.Dirty[uint32](len(dst))
	defer kernel.Recycle(codes)
	if err := decodeInts(codes, b, n, from, depth+1); err != nil {
		return err
	}
	if err := CheckCodes(codes, k); err != nil {
		return err
	}
	kernel.Gather(dst, entries, codes)
	return nil
}

// byteCodes decodes codes [from, from+rows) of a stream of codes of up to 8 bits, if it is one that needs no more than unpacking to bytes.
func byteCodes(stream []byte, n, from, rows int) ([]uint8, bool) {
	in := &input{b: stream}
	if in.u8() != howPacked {
		return nil, false
	}
	base, w := rawValue[uint32](in), int(in.u8())
	if in.err != nil || base != 0 || w > 8 {
		return nil, false
	}
	b := in.take(kernel.PackedLen(n, w))
	if in.err != nil {
		return nil, false
	}
	codes := kernel.Dirty[uint8](rows)
	kernel.Unpack(codes, b, from, w, 0)
	return codes, true
}

// lookup writes the entries of codes, of which it checks that they are some's.
func lookup[T kernel.Int](dst []T, entries []T, codes []uint8) error {
	if _, top := kernel.MinMaxInt(codes); int(top) >= len(entries) {
		return corrupt("code %d of a dictionary of %d", top, len(entries))
	}
	var table [maxDict]T
	copy(table[:], entries)
	kernel.Lookup(dst, &table, codes)
	return nil
}

// CheckCodes returns an error unless all codes are below n.
func CheckCodes(codes []uint32, n int) error {
	if len(codes) == 0 {
		return nil
	}
	if _, top := kernel.MinMaxInt(codes); uint64(top) >= uint64(n) {
		return corrupt("code %d of a dictionary of %d", top, n)
	}
	return nil
}

func decodeLZ4[T kernel.Int](dst []T, in *input, n, from, depth int) error {
	size := in.u32()
	if in.err != nil {
		return in.err
	}
	// No encoder makes a stream longer than the raw values, and LZ4 expands at most 255 fold.
	if limit := uint64(n)*uint64(width[T]()) + 64; uint64(size) > limit || uint64(size) > 255*uint64(len(in.b)) {
		return corrupt("%d bytes declared for %d values in %d", size, n, len(in.b))
	}
	raw := kernel.Dirty[byte](int(size))
	defer kernel.Recycle(raw)
	if err := compress.Decompress(raw, compress.LZ4, in.b); err != nil {
		return err
	}
	return decodeInts(dst, raw, n, from, depth+1)
}
