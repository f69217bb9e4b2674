package grouping

import (
	"github.com/olapd/olapd/internal/kernel"
	"github.com/olapd/olapd/query/exec/hashtable"
)

// First returns an encoder of the first n key columns over the same interned values, for another goroutine.
func (e *Encoder) First(n int) *Encoder {
	f := &Encoder{collide: e.collide, insert: true, state: make([]internState, n), cols: append([]keyColumn(nil), e.cols[:n]...)}
	f.stride = placeColumns(f.cols)
	return f
}

// Narrow returns rows of words of e as those of its First; valid until the next call or Encode of first.
func (e *Encoder) Narrow(first *Encoder, words []uint64) []uint64 {
	n := len(words) / e.stride
	first.words = sized(first.words, n*first.stride)
	out := first.words
	clear(out)
	for i := range first.cols {
		from, to := &e.cols[i], &first.cols[i]
		move(out, first.stride, to.at, words, e.stride, from.at, min(to.bits, 64))
		if to.bits == 128 {
			to, from := place{word: to.at.word + 1}, place{word: from.at.word + 1}
			move(out, first.stride, to, words, e.stride, from, 64)
		}
		if to.nullable {
			move(out, first.stride, to.null, words, e.stride, from.null, 1)
		}
	}
	return out
}

// move ORs a value of so many bits from one place of each row into another.
func move(dst []uint64, dstStride int, to place, src []uint64, srcStride int, from place, bits int) {
	mask := ^uint64(0) >> (64 - bits)
	for at, i := from.word, to.word; at < len(src); at, i = at+srcStride, i+dstStride {
		dst[i] |= src[at] >> from.shift & mask << to.shift
	}
}

// AppendRows appends the rows of words at sel to dst.
func (e *Encoder) AppendRows(dst, words []uint64, sel []uint32) []uint64 {
	n := len(dst)
	dst = extend(dst, len(sel)*e.stride)
	out := dst[n:]
	switch e.stride {
	case 1:
		kernel.Gather(out, words, sel)
	case 2:
		kernel.Gather(rows[[2]uint64](out, len(sel)), rows[[2]uint64](words, len(words)/2), sel)
	default:
		for i, r := range sel {
			copy(out[i*e.stride:(i+1)*e.stride], words[int(r)*e.stride:])
		}
	}
	return dst
}

// Rows cuts rows [from, to) out of words.
func (e *Encoder) Rows(words []uint64, from, to int) []uint64 {
	return words[from*e.stride : to*e.stride]
}

// extend makes s n elements longer; what they hold is any.
func extend[T any](s []T, n int) []T {
	if cap(s)-len(s) < n {
		grown := make([]T, len(s), max(2*cap(s), len(s)+n))
		copy(grown, s)
		s = grown
	}
	return s[:len(s)+n]
}

// A key that is the number of an interned value is looked up by it unless there are many times more numbers than rows in the first block,
// as when a filter leaves few: clearing an array of all numbers would cost more than hashing.
const (
	directPerKey     = 64
	minDirectNumbers = 1 << 16
)

// InsertWords numbers rows of words in an index of the encoder; hashes is scratch memory, returned for the next call.
func (e *Encoder) InsertWords(x *Index, words, hashes []uint64, ids []uint32) ([]uint64, error) {
	if x.byKey && len(x.keys) == 0 && e.Numbered() && e.Limit() > max(minDirectNumbers, directPerKey*len(ids)) {
		x.byKey = false
	}
	if x.Hashed() {
		hashes = sized(hashes, len(ids))
		e.Hash(words, hashes)
	}
	return hashes, x.Insert(words, hashes, ids)
}

// Missing is the number of a key that is not there.
const Missing = hashtable.Missing
