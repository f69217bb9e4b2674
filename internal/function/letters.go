package function

import (
	"unicode"
	"unicode/utf8"
)

// upperSpecial are the letters whose upper case is more than one letter (Unicode's SpecialCasing, without the Greek
// letters with iota subscript).
var upperSpecial = map[rune]string{
	'ß': "SS", 'ŉ': "ʼN", 'ǰ': "J\u030C", 'ΐ': "Ϊ\u0301", 'ΰ': "Ϋ\u0301", 'և': "ԵՒ", 'ẖ': "H\u0331", 'ẗ': "T\u0308", 'ẘ': "W\u030A", 'ẙ': "Y\u030A", 'ẚ': "Aʾ",
	'ﬀ': "FF", 'ﬁ': "FI", 'ﬂ': "FL", 'ﬃ': "FFI", 'ﬄ': "FFL", 'ﬅ': "ST", 'ﬆ': "ST", 'ﬓ': "ՄՆ", 'ﬔ': "ՄԵ", 'ﬕ': "ՄԻ", 'ﬖ': "ՎՆ", 'ﬗ': "ՄԽ",
}

// lowerSpecial are those whose lower case is.
var lowerSpecial = map[rune]string{'İ': "i\u0307"}

func appendUpperUTF8(dst, s []byte) []byte {
	return appendCased(dst, s, appendUpper, unicode.ToUpper, upperSpecial)
}
func appendLowerUTF8(dst, s []byte) []byte {
	return appendCased(dst, s, appendLower, unicode.ToLower, lowerSpecial)
}

// appendCased maps code points; bytes that are no UTF-8 become U+FFFD, as bytes.ToUpper has it.
func appendCased(dst, s []byte, ascii func(dst, s []byte) []byte, simple func(rune) rune, special map[rune]string) []byte {
	for len(s) > 0 {
		plain := 0
		for plain < len(s) && s[plain] < utf8.RuneSelf {
			plain++
		}
		if plain > 0 {
			dst = ascii(dst, s[:plain])
			s = s[plain:]
			continue
		}
		r, n := utf8.DecodeRune(s)
		s = s[n:]
		if t, ok := special[r]; ok {
			dst = append(dst, t...)
			continue
		}
		dst = utf8.AppendRune(dst, simple(r))
	}
	return dst
}
