package segment

import (
	"encoding/binary"
	"math"
	"math/bits"
)

// filter is a split-block Bloom filter: 32-byte blocks, one of which holds all eight bits of a hash. One cache miss a test.
type filter []byte

const filterBlock = 32

// salts spread the low half of a hash over the eight words: odd numbers of Apache Parquet's filter.
var salts = [8]uint32{0x47b6137b, 0x44974d91, 0x8824ad5b, 0xa2b7289d, 0x705495c7, 0x2df1424b, 0x9efc4947, 0x5c6bfb31}

// newFilter returns a filter of at least size bytes.
func newFilter(size int) filter {
	return make(filter, max(1, (size+filterBlock-1)/filterBlock)*filterBlock)
}

// filterSize is the bytes for n hashes at a rate p of false positives.
func filterSize(n int, p float64) int {
	b := -8 * float64(n) / math.Log(1-math.Pow(p, 1.0/8))
	return int(min(b/8, maxFilterBytes))
}

func (f filter) block(h uint64) []byte {
	hi, _ := bits.Mul64(h>>32<<32, uint64(len(f)/filterBlock))
	return f[hi*filterBlock:][:filterBlock]
}

func (f filter) add(h uint64) {
	b := f.block(h)
	for i, s := range salts {
		w := binary.LittleEndian.Uint32(b[4*i:])
		binary.LittleEndian.PutUint32(b[4*i:], w|1<<(uint32(h)*s>>27))
	}
}

// has reports whether h may have been added. An empty filter holds nothing.
func (f filter) has(h uint64) bool {
	if len(f) == 0 {
		return false
	}
	b := f.block(h)
	for i, s := range salts {
		if binary.LittleEndian.Uint32(b[4*i:])&(1<<(uint32(h)*s>>27)) == 0 {
			return false
		}
	}
	return true
}
