// Package random is the deterministic randomness of the benchmark's generators: the same seed
// gives the same numbers on every machine and with every Go version, so it is written out
// here, with integers only.
package random

// Stream is a splitmix64 stream. It is not safe for concurrent use.
type Stream struct{ state uint64 }

// Golden is 2^64 divided by the golden ratio, made odd: a step between unrelated keys.
const Golden = 0x9e3779b97f4a7c15

// New returns the stream of a seed.
func New(seed uint64) Stream { return Stream{state: seed} }

// Next returns 64 random bits.
func (s *Stream) Next() uint64 {
	s.state += Golden
	return Mix(s.state)
}

// Below returns a number in [0, n).
func (s *Stream) Below(n uint32) uint32 {
	return uint32((s.Next() >> 32) * uint64(n) >> 32)
}

// Mix is splitmix64's finaliser: a bijection of 64 bits.
func Mix(x uint64) uint64 {
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}
