package page

import (
	"encoding/binary"
	"math"
	"slices"

	"github.com/olapd/olapd/internal/kernel"
)

const (
	// maxOrder is how often differences are taken at most: of neighbours, and of these.
	maxOrder = 2
	// patchedMin is the fewest values and the fewest bits of a value from which on a patched stream is looked for: below, little is saved.
	patchedMin, patchedMinBits = 1024, 4
	// patchSample is the values that bounds of the many are guessed from: sorting them costs half a nanosecond for each of a page's.
	patchSample = 512
	// otherBytes is about what the position of a value that is not packed takes.
	otherBytes = 2
)

// differ replaces values by their differences, order times over. The first value is as if it followed zeros.
func differ[T kernel.Int](v []T, order int) {
	for range order {
		prev := T(0)
		for i, x := range v {
			v[i], prev = x-prev, x
		}
	}
}

// patchSamples returns, for each order, some of the differences of src, sorted.
func patchSamples[T kernel.Int](src []T) (out [maxOrder + 1][]T) {
	const each = patchSample / windows
	for i := range windows {
		at := i * (len(src) - each - maxOrder) / (windows - 1)
		w := slices.Clone(src[at : at+each+maxOrder])
		for k := range out {
			out[k] = append(out[k], w[maxOrder:]...)
			differ(w, 1)
		}
	}
	for k := range out {
		slices.Sort(out[k])
	}
	return out
}

// window returns the base and the width from which so many of the sorted sample differ by so little that packing them and keeping the others beside takes the fewest bits; bits is
// what a value takes now.
func window[T kernel.Int](sorted []T, bits int) (base T, w int, ok bool) {
	n := len(sorted)
	if spread(sorted[n/8], sorted[n-1-n/8]) >= bits {
		return 0, 0, false
	}
	best := n * bits
	for width := range bits {
		most, from, lo := 0, 0, 0
		for hi := range sorted {
			for spread(sorted[lo], sorted[hi]) > width {
				lo++
			}
			if hi-lo >= most {
				most, from = hi-lo+1, lo
			}
		}
		if size := n*width + (n-most)*(bits+8*otherBytes); size < best {
			best, base, w, ok = size, sorted[from], width, true
		}
	}
	return base, w, ok
}

// patched returns the best patched plan for src, if a sample says that there is one of fewer than limit bytes.
func patched[T kernel.Int](src []T, limit int) (plan[T], bool) {
	best, found := plan[T]{size: limit}, false
	bits := 8 * limit / len(src)
	if len(src) < patchedMin || bits < patchedMinBits {
		return best, false
	}
	for order, sorted := range patchSamples(src) {
		base, w, ok := window(sorted, bits)
		if !ok {
			continue
		}
		others, lo, hi := outside(src, order, base, w)
		size := 1 + 1 + width[T]() + 1 + 4 + 4 + 4 + packedSize[uint32](others, 8*otherBytes) + packedSize[T](others, spread(lo, hi)) + kernel.PackedLen(len(src), w)
		// Differences have to be summed from the first on, and their values cannot be picked: that has to save more.
		need := limit * 7 / 8
		if order > 0 {
			need = limit * 3 / 4
		}
		if size < best.size && size <= need {
			best, found = plan[T]{how: howPatched, size: size, lo: base, width: w, order: order, k: others}, true
		}
	}
	return best, found
}

// isOutside reports whether x is none of the 2^w values from base on.
func isOutside[T kernel.Int](x, base T, w int) bool {
	return uint64(x-base)&(math.MaxUint64>>(64-8*width[T]()))>>w != 0
}

// outside counts the differences that w bits from base on do not hold, and returns their bounds.
func outside[T kernel.Int](src []T, order int, base T, w int) (n int, lo, hi T) {
	eachDifference(src, order, func(at int, d []T) {
		for _, x := range d {
			if isOutside(x, base, w) {
				if n == 0 {
					lo, hi = x, x
				}
				n, lo, hi = n+1, min(lo, x), max(hi, x)
			}
		}
	})
	return n, lo, hi
}

// eachDifference calls f for the differences of src, deltaBatch at a time, which it may change.
func eachDifference[T kernel.Int](src []T, order int, f func(at int, d []T)) {
	var buf [deltaBatch]T
	var last [maxOrder]T // of each order below, the last of the batch before
	for at := 0; at < len(src); at += deltaBatch {
		d := buf[:copy(buf[:], src[at:])]
		for k := range order {
			prev := last[k]
			for i, x := range d {
				d[i], prev = x-prev, x
			}
			last[k] = prev
		}
		f(at, d)
	}
}

// appendPatched appends what is behind the encoding's number.
func appendPatched[T kernel.Int](dst []byte, src []T, p plan[T]) []byte {
	at, others := make([]uint32, 0, p.k), make([]T, 0, p.k)
	packed := make([]byte, 0, kernel.PackedLen(len(src), p.width))
	eachDifference(src, p.order, func(from int, d []T) {
		for i, x := range d {
			if isOutside(x, p.lo, p.width) {
				at, others = append(at, uint32(from+i)), append(others, x)
				d[i] = p.lo
			}
		}
		packed = kernel.AppendPacked(packed, d, p.lo, p.width)
	})
	dst = append(appendRaw(append(dst, byte(p.order)), []T{p.lo}), byte(p.width))
	dst = binary.LittleEndian.AppendUint32(dst, uint32(p.k))
	dst = appendNested(appendNested(dst, at), others)
	return append(dst, packed...)
}

// patches is a patched stream of n values, read but for its packed part.
type patches[T kernel.Int] struct {
	order, width int
	base         T
	at           []uint32 // ascending
	others       []T
	packed       []byte
}

// readPatches reads a stream; close gives its memory back.
func readPatches[T kernel.Int](in *input, n, depth int) (*patches[T], error) {
	p := &patches[T]{order: int(in.u8()), base: rawValue[T](in), width: int(in.u8())}
	k := count(in, n)
	if in.err == nil && (p.order > maxOrder || p.width > 64) {
		in.err = corrupt("differences of order %d, %d bits", p.order, p.width)
	}
	p.at, p.others = nested[uint32](in, k, depth), nested[T](in, k, depth)
	p.packed = in.take(kernel.PackedLen(n, p.width))
	if in.err != nil {
		return nil, in.err
	}
	falls := false
	for i, x := range p.at {
		falls = falls || int(x) >= n || i > 0 && x <= p.at[i-1]
	}
	if falls {
		return nil, corrupt("positions of values do not ascend below %d", n)
	}
	return p, nil
}

func (p *patches[T]) close() {
	kernel.Recycle(p.at)
	kernel.Recycle(p.others)
}

// differences decodes differences [from, from+len(dst)).
func (p *patches[T]) differences(dst []T, from int) {
	kernel.Unpack(dst, p.packed, from, p.width, p.base)
	k, _ := slices.BinarySearch(p.at, uint32(from))
	for ; k < len(p.at) && int(p.at[k]) < from+len(dst); k++ {
		dst[int(p.at[k])-from] = p.others[k]
	}
}

func decodePatched[T kernel.Int](dst []T, in *input, n, from, depth int) error {
	p, err := readPatches[T](in, n, depth)
	if err != nil {
		return err
	}
	defer p.close()
	var last [maxOrder]T
	sum := func(d []T, at int) {
		p.differences(d, at)
		for k := range p.order {
			last[k] = kernel.PrefixSum(d, last[k])
		}
	}
	if p.order > 0 {
		var skip [deltaBatch]T
		for at := 0; at < from; at += deltaBatch {
			sum(skip[:min(deltaBatch, from-at)], at)
		}
	}
	sum(dst, from)
	return nil
}

// pickPatched takes the values at some positions of a stream without differences; nil for others.
func pickPatched[T kernel.Int](in *input, n int, at []uint32) ([]T, error) {
	p, err := readPatches[T](in, n, 0)
	if err != nil {
		return nil, err
	}
	defer p.close()
	if p.order > 0 {
		return nil, nil
	}
	out := kernel.Dirty[T](len(at))
	kernel.UnpackAt(out, p.packed, at, p.width, p.base)
	k := 0
	for i, x := range at {
		for k < len(p.at) && p.at[k] < x {
			k++
		}
		if k < len(p.at) && p.at[k] == x {
			out[i] = p.others[k]
		}
	}
	return out, nil
}
