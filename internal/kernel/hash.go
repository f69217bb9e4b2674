package kernel

import "github.com/zeebo/xxh3"

// Mix is murmur3's two-multiply finaliser: every bit of the result depends on every bit of h. One
// multiply is not enough with linear probing.
func Mix(h uint64) uint64 {
	h ^= h >> 33
	h *= 0xff51afd7ed558ccd
	h ^= h >> 33
	h *= 0xc4ceb9fe1a85ec53
	return h ^ h>>33
}

// Combine joins the hash of one more column to a row's hash.
func Combine(h, next uint64) uint64 { return Mix(h*0x9ddfea08eb382d69 + next) }

// HashInts writes Mix of each value, widened with its sign.
func HashInts[T Int](dst []uint64, src []T) {
	done := hashVectors(dst[:len(src)], src)
	dst, src = dst[done:], src[done:]
	dst = dst[:len(src)]
	for i, x := range src {
		dst[i] = Mix(uint64(x))
	}
}

// HashBytes writes the xxh3 hash of each of the len(off)-1 strings.
func HashBytes(dst []uint64, off []uint32, data []byte) {
	for i := 0; i+1 < len(off); i++ {
		dst[i] = xxh3.Hash(data[off[i]:off[i+1]])
	}
}

// CombineHashes folds next into dst, row by row.
func CombineHashes(dst, next []uint64) {
	next = next[:len(dst)]
	done := combineVectors(dst, next)
	dst, next = dst[done:], next[done:]
	for i, h := range dst {
		dst[i] = Combine(h, next[i])
	}
}

// HashRows writes the hash of each row of stride words, which stand in words row by row: Combine of one after the other, from 0 on.
func HashRows(dst, words []uint64, stride int) {
	if stride == 1 { // Combine(0, w) is Mix(w)
		HashInts(dst, words[:len(dst)])
		return
	}
	words = words[:len(dst)*stride]
	if stride == 2 {
		done := pairVectors(dst, words)
		dst, words = dst[done:], words[2*done:]
	}
	for i := range dst {
		h := uint64(0)
		for _, w := range words[i*stride : (i+1)*stride] {
			h = Combine(h, w)
		}
		dst[i] = h
	}
}
