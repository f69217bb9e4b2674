package function

import (
	"math/rand"
	"testing"
	"unicode/utf8"
)

// TestASCII compares tests and counts of many bytes at a time with those of one.
func TestASCII(t *testing.T) {
	r := rand.New(rand.NewSource(1))
	for range 10_000 {
		s := make([]byte, r.Intn(80))
		for i := range s {
			s[i] = 'a'
		}
		for range r.Intn(3) {
			if len(s) > 0 {
				s[r.Intn(len(s))] = byte(r.Intn(256))
			}
		}
		plain, points := true, uint64(0)
		for _, c := range s {
			plain = plain && c < utf8.RuneSelf
			if c&0xC0 != 0x80 {
				points++
			}
		}
		if got := onlyASCII(s); got != plain {
			t.Fatalf("onlyASCII(%q) = %v", s, got)
		}
		if got := codePoints(s); got != points {
			t.Fatalf("codePoints(%q) = %d, not %d", s, got, points)
		}
	}
}
