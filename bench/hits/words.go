package hits

import "github.com/olapd/olapd/bench/random"

// Vocabulary sizes: large enough that trigrams and dictionaries behave like a natural
// language's, small enough to stay in the second-level cache while generating.
const (
	latinWords    = 4096
	cyrillicWords = 8192
)

var (
	latinSyllables    = []string{"ka", "ro", "mi", "ten", "sha", "lo", "ver", "din", "po", "sta", "gre", "bu", "vi", "nor", "el", "tri", "mo", "za", "le", "chi", "ne", "sor", "ta", "ra", "du", "pri", "ko", "sel", "man", "us"}
	cyrillicSyllables = []string{"ка", "ро", "ми", "тен", "ша", "ло", "вер", "дин", "по", "ста", "гре", "бу", "ви", "нор", "эль", "три", "мо", "за", "ле", "чи", "не", "сор", "та", "ра", "ду", "при", "ко", "сел", "ман", "ус"}
)

// vocabulary is a list of distinct-looking words whose ranks are drawn by Zipf's law.
type vocabulary struct {
	words []string
	rank  *choice
}

func newVocabulary(n int, syllables []string, seed uint64) *vocabulary {
	v := &vocabulary{words: make([]string, n), rank: newChoice(zipf(n, 20))}
	r := random.New(seed)
	for i := range v.words {
		w := ""
		for range 2 + r.Below(3) {
			w += syllables[r.Below(uint32(len(syllables)))]
		}
		v.words[i] = w
	}
	return v
}

// appendPhrase appends n words, chosen by key, with sep between them.
func (v *vocabulary) appendPhrase(dst []byte, key uint64, n int, sep byte) []byte {
	for i := range n {
		if i > 0 {
			dst = append(dst, sep)
		}
		key += random.Golden
		dst = append(dst, v.words[v.rank.pick(random.Mix(key))]...)
	}
	return dst
}

// appendUint appends x in decimal, without leading zeros.
func appendUint(dst []byte, x uint64) []byte {
	var b [20]byte
	i := len(b)
	for {
		i--
		q := x / 10
		b[i] = byte('0' + x - q*10)
		if x = q; x == 0 {
			return append(dst, b[i:]...)
		}
	}
}

// hashString is the hash in URLHash and RefererHash: eight bytes at a time, little endian.
func hashString(s []byte) int64 {
	h := uint64(len(s)) * random.Golden
	for ; len(s) >= 8; s = s[8:] {
		w := uint64(s[0]) | uint64(s[1])<<8 | uint64(s[2])<<16 | uint64(s[3])<<24 |
			uint64(s[4])<<32 | uint64(s[5])<<40 | uint64(s[6])<<48 | uint64(s[7])<<56
		h = random.Mix(h ^ w)
	}
	for _, c := range s {
		h = (h ^ uint64(c)) * 0x100000001b3
	}
	return int64(random.Mix(h))
}
