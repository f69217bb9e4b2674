package function

import (
	"bytes"
	"unicode/utf8"

	"github.com/olapd/olapd/internal/types"
)

func init() {
	for _, f := range []struct {
		suffix      string
		fold, chars bool
	}{{"", false, false}, {"CaseInsensitive", true, false}, {"UTF8", false, true}, {"CaseInsensitiveUTF8", true, true}} {
		name := "hasSubsequence" + f.suffix
		test := isSubsequence
		switch {
		case f.fold && f.chars:
			test = func(s, sub []byte) bool { return isSubsequenceOfRunes(bytes.ToLower(s), bytes.ToLower(sub)) }
		case f.chars:
			test = isSubsequenceOfRunes
		case f.fold:
			test = func(s, sub []byte) bool { return isSubsequence(folded(s, true), folded(sub, true)) }
		}
		register(&Scalar{Name: name, CaseInsensitive: true, MinArgs: 2, MaxArgs: 2, Resolve: fixed(name, types.TUInt8, isStr), Eval: testPairs(test), Family: "search", Doc: "Tests whether the characters of the second string stand in the first in their order, others between them.", Example: name + "('garbage', 'arg') → 1"})
	}
}

func isSubsequence(s, sub []byte) bool {
	for _, c := range sub {
		at := bytes.IndexByte(s, c)
		if at < 0 {
			return false
		}
		s = s[at+1:]
	}
	return true
}

func isSubsequenceOfRunes(s, sub []byte) bool {
	for len(sub) > 0 {
		_, n := utf8.DecodeRune(sub)
		at := bytes.Index(s, sub[:n])
		if at < 0 {
			return false
		}
		s, sub = s[at+n:], sub[n:]
	}
	return true
}
