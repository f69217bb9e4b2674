package regex

import "unicode/utf8"

// byteRange is the bytes from lo to hi.
type byteRange struct{ lo, hi byte }

// sequences calls emit with the UTF-8 forms of the runes from lo to hi, each a run of byte ranges.
func sequences(lo, hi rune, emit func([]byteRange)) {
	const surrogateMin, surrogateMax = 0xD800, 0xDFFF
	if lo > hi {
		return
	}
	if lo <= surrogateMax && hi >= surrogateMin {
		sequences(lo, surrogateMin-1, emit)
		sequences(surrogateMax+1, hi, emit)
		return
	}
	for _, last := range []rune{0x7F, 0x7FF, 0xFFFF} { // of one length
		if lo <= last && last < hi {
			sequences(lo, last, emit)
			sequences(last+1, hi, emit)
			return
		}
	}
	if hi >= utf8.RuneSelf {
		for shift := 6; shift <= 18; shift += 6 { // rectangles of bytes
			m := rune(1)<<shift - 1
			if lo&^m == hi&^m {
				break
			}
			if lo&m != 0 {
				sequences(lo, lo|m, emit)
				sequences((lo|m)+1, hi, emit)
				return
			}
			if hi&m != m {
				sequences(lo, hi&^m-1, emit)
				sequences(hi&^m, hi, emit)
				return
			}
		}
	}
	a, b := utf8.AppendRune(nil, lo), utf8.AppendRune(nil, hi)
	seq := make([]byteRange, len(a))
	for i := range a {
		seq[i] = byteRange{a[i], b[i]}
	}
	emit(seq)
}

// place is where in a rune the text stands, as UTF-8 has it.
type place uint8

const (
	between place = iota // runes
	oneMore              // a byte 80-BF ends the rune
	twoMore
	threeMore
	afterE0
	afterED
	afterF0
	afterF4
	invalid
)

// next is the place behind byte b.
func (p place) next(b byte) place {
	in := func(lo, hi byte, then place) place {
		if b < lo || b > hi {
			return invalid
		}
		return then
	}
	switch p {
	case between:
		switch {
		case b < 0x80:
			return between
		case b < 0xC2 || b > 0xF4:
			return invalid
		case b < 0xE0:
			return oneMore
		case b == 0xE0:
			return afterE0
		case b == 0xED:
			return afterED
		case b < 0xF0:
			return twoMore
		case b == 0xF0:
			return afterF0
		case b == 0xF4:
			return afterF4
		}
		return threeMore
	case oneMore:
		return in(0x80, 0xBF, between)
	case twoMore:
		return in(0x80, 0xBF, oneMore)
	case threeMore:
		return in(0x80, 0xBF, twoMore)
	case afterE0:
		return in(0xA0, 0xBF, oneMore)
	case afterED:
		return in(0x80, 0x9F, oneMore)
	case afterF0:
		return in(0x90, 0xBF, twoMore)
	case afterF4:
		return in(0x80, 0x8F, twoMore)
	}
	return invalid
}

// placeBounds are the bytes at which next changes.
var placeBounds = []byte{0x80, 0x90, 0xA0, 0xC0, 0xC2, 0xE0, 0xE1, 0xED, 0xEE, 0xF0, 0xF1, 0xF4, 0xF5}
