package segment

import "github.com/zeebo/xxh3"

// isTokenByte reports whether a byte belongs to a token: ASCII letters and digits, and all of other alphabets' UTF-8.
func isTokenByte(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= 0x80
}

// appendTokens appends the hashes of the tokens of s. A token that touches the beginning or the end of s
// counts only if begin or end says that s begins or ends there.
func appendTokens(dst []uint64, s []byte, begin, end bool) []uint64 {
	for i := 0; i < len(s); {
		if !isTokenByte(s[i]) {
			i++
			continue
		}
		from := i
		for i < len(s) && isTokenByte(s[i]) {
			i++
		}
		if (from > 0 || begin) && (i < len(s) || end) {
			dst = append(dst, xxh3.Hash(s[from:i]))
		}
	}
	return dst
}

// appendNgrams appends the hashes of all runs of n bytes of s.
func appendNgrams(dst []uint64, s []byte, n int) []uint64 {
	for i := 0; i+n <= len(s); i++ {
		dst = append(dst, xxh3.Hash(s[i:i+n]))
	}
	return dst
}
