package function

import (
	"encoding/binary"
	"math/bits"
)

// sipHash64 is SipHash-2-4 with a zero key.
func sipHash64(b []byte) uint64 {
	v0, v1, v2, v3 := sipState(b)
	return v0 ^ v1 ^ v2 ^ v3
}

// sipState is the state of SipHash-2-4 with a zero key behind its last round.
func sipState(b []byte) (v0, v1, v2, v3 uint64) {
	s := newSip(0, 0)
	s.finish(b)
	return s.v0, s.v1, s.v2, s.v3
}

const (
	xx64p1 = 0x9E3779B185EBCA87
	xx64p2 = 0xC2B2AE3D27D4EB4F
	xx64p3 = 0x165667B19E3779F9
	xx64p4 = 0x85EBCA77C2B2AE63
	xx64p5 = 0x27D4EB2F165667C5
)

func xxRound64(acc, in uint64) uint64 { return bits.RotateLeft64(acc+in*xx64p2, 31) * xx64p1 }

// xxHash64 is XXH64 with seed 0.
func xxHash64(b []byte) uint64 {
	n := uint64(len(b))
	h := uint64(xx64p5)
	if len(b) >= 32 {
		p1, p2 := uint64(xx64p1), uint64(xx64p2)
		v1, v2, v3, v4 := p1+p2, p2, uint64(0), -p1
		for ; len(b) >= 32; b = b[32:] {
			v1, v2 = xxRound64(v1, binary.LittleEndian.Uint64(b)), xxRound64(v2, binary.LittleEndian.Uint64(b[8:]))
			v3, v4 = xxRound64(v3, binary.LittleEndian.Uint64(b[16:])), xxRound64(v4, binary.LittleEndian.Uint64(b[24:]))
		}
		h = bits.RotateLeft64(v1, 1) + bits.RotateLeft64(v2, 7) + bits.RotateLeft64(v3, 12) + bits.RotateLeft64(v4, 18)
		for _, v := range [...]uint64{v1, v2, v3, v4} {
			h = (h^xxRound64(0, v))*xx64p1 + xx64p4
		}
	}
	h += n
	for ; len(b) >= 8; b = b[8:] {
		h = bits.RotateLeft64(h^xxRound64(0, binary.LittleEndian.Uint64(b)), 27)*xx64p1 + xx64p4
	}
	if len(b) >= 4 {
		h = bits.RotateLeft64(h^uint64(binary.LittleEndian.Uint32(b))*xx64p1, 23)*xx64p2 + xx64p3
		b = b[4:]
	}
	for _, c := range b {
		h = bits.RotateLeft64(h^uint64(c)*xx64p5, 11) * xx64p1
	}
	h ^= h >> 33
	h *= xx64p2
	h ^= h >> 29
	h *= xx64p3
	return h ^ h>>32
}

const (
	xx32p1 = 0x9E3779B1
	xx32p2 = 0x85EBCA77
	xx32p3 = 0xC2B2AE3D
	xx32p4 = 0x27D4EB2F
	xx32p5 = 0x165667B1
)

// xxHash32 is XXH32 with seed 0.
func xxHash32(b []byte) uint32 {
	n := uint32(len(b))
	h := uint32(xx32p5)
	if len(b) >= 16 {
		p1, p2 := uint32(xx32p1), uint32(xx32p2)
		v := [4]uint32{p1 + p2, p2, 0, -p1}
		for ; len(b) >= 16; b = b[16:] {
			for k := range v {
				v[k] = bits.RotateLeft32(v[k]+binary.LittleEndian.Uint32(b[4*k:])*xx32p2, 13) * xx32p1
			}
		}
		h = bits.RotateLeft32(v[0], 1) + bits.RotateLeft32(v[1], 7) + bits.RotateLeft32(v[2], 12) + bits.RotateLeft32(v[3], 18)
	}
	h += n
	for ; len(b) >= 4; b = b[4:] {
		h = bits.RotateLeft32(h+binary.LittleEndian.Uint32(b)*xx32p3, 17) * xx32p4
	}
	for _, c := range b {
		h = bits.RotateLeft32(h+uint32(c)*xx32p5, 11) * xx32p1
	}
	h ^= h >> 15
	h *= xx32p2
	h ^= h >> 13
	h *= xx32p3
	return h ^ h>>16
}

// murmur3Fold is the two halves of murmur3 joined by exclusive or.
func murmur3Fold(b []byte) uint64 {
	h := murmur3(b)
	return h[0] ^ h[1]
}

// murmur3 is MurmurHash3 x64 128 with seed 0.
func murmur3(b []byte) [2]uint64 {
	const c1, c2 = 0x87c37b91114253d5, 0x4cf5ad432745937f
	var h1, h2 uint64
	n := uint64(len(b))
	for ; len(b) >= 16; b = b[16:] {
		k1, k2 := binary.LittleEndian.Uint64(b), binary.LittleEndian.Uint64(b[8:])
		h1 ^= bits.RotateLeft64(k1*c1, 31) * c2
		h1 = (bits.RotateLeft64(h1, 27)+h2)*5 + 0x52dce729
		h2 ^= bits.RotateLeft64(k2*c2, 33) * c1
		h2 = (bits.RotateLeft64(h2, 31)+h1)*5 + 0x38495ab5
	}
	var tail [16]byte
	copy(tail[:], b)
	h2 ^= bits.RotateLeft64(binary.LittleEndian.Uint64(tail[8:])*c2, 33) * c1
	h1 ^= bits.RotateLeft64(binary.LittleEndian.Uint64(tail[:])*c1, 31) * c2
	h1 ^= n
	h2 ^= n
	h1 += h2
	h2 += h1
	h1, h2 = intHash64(h1), intHash64(h2)
	h1 += h2
	h2 += h1
	return [2]uint64{h1, h2}
}
