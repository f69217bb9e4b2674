package kernel

import (
	"bytes"
	"slices"
)

// probe finds a needle: three of its bytes are looked at by the vector loop, the whole where these match.
type probe struct {
	needle []byte // upper case if folding
	fold   [3]uint8
	want   [3]uint8
	offs   [3]int // where the three bytes are in the needle
	reach  int    // bytes behind a position that the needle takes
	folds  bool
}

// newProbe returns a probe for a needle that is not empty, with fold without regard to the case of ASCII letters.
func newProbe(needle []byte, fold bool) *probe {
	p := &probe{needle: needle, reach: len(needle) - 1, folds: fold}
	if fold {
		p.needle = make([]byte, len(needle))
		for i, b := range needle {
			p.needle[i] = upper(b)
		}
	}
	p.offs = rarest(p.needle)
	for i, at := range p.offs {
		p.want[i], p.fold[i] = p.needle[at], 0xff
		if fold && isUpper(p.want[i]) {
			p.fold[i] = 0xdf
		}
	}
	return p
}

func isUpper(b byte) bool { return b-'A' < 26 }

func upper(b byte) byte {
	if b-'a' < 26 {
		return b - 'a' + 'A'
	}
	return b
}

// common is the bytes that addresses and texts are full of, the most frequent first. Cyrillic letters in UTF-8 begin with the first two.
const common = "\xd0\xd1 etaoinsrlhdcumpf/gw.y-b:=&vk012?%3456789TSACPEDRI" +
	"\xbe\xb5\xb0\xb8\xbd\x82\x81\x80\xb2\xbb\xba\xbc\xb4\xbf\x83\x8f\x8b\x8c"

// rarity ranks bytes: 0 is the most frequent.
var rarity = func() (r [256]uint8) {
	for i := range r {
		r[i] = uint8(len(common))
	}
	for i := range len(common) {
		r[common[i]] = uint8(i)
		if b := upper(common[i]); b != common[i] && r[b] == uint8(len(common)) {
			r[b] = uint8(len(common)) - 1
		}
	}
	return r
}()

// rarest returns where the three rarest bytes of the needle are, rarest first; in a shorter one some twice.
func rarest(needle []byte) (at [3]int) {
	var order []int
	seen := [256]bool{}
	for i, b := range needle {
		if !seen[b] {
			seen[b] = true
			order = append(order, i)
		}
	}
	slices.SortStableFunc(order, func(a, b int) int { return int(rarity[needle[b]]) - int(rarity[needle[a]]) })
	for i := range at {
		at[i] = order[min(i, len(order)-1)]
	}
	if len(order) < 3 && len(needle) >= 3 { // of few different bytes: their places tell as much
		at[1], at[2] = len(needle)/2, len(needle)-1
	} else if len(needle) == 2 {
		at[1] = 1 - at[0]
	}
	return at
}

// find writes to pos the next positions of the needle in text from at on, in order, and returns how many and where to go on. None means that there are none.
func (p *probe) find(pos []uint32, text []byte, at int) (n, next int) {
	for {
		found, next := p.candidates(pos, text, at)
		if next == at {
			break
		}
		at = next
		n := 0
		for _, hit := range pos[:found] {
			pos[n] = hit
			n += int(b2u(p.matches(text, int(hit))))
		}
		if n > 0 {
			return n, at
		}
	}
	for n < len(pos) && at+p.reach < len(text) {
		if !p.folds {
			hit := bytes.Index(text[at:], p.needle)
			if hit < 0 {
				return n, len(text)
			}
			at += hit
		} else if text[at+p.offs[0]]&p.fold[0] != p.want[0] {
			at++
			continue
		}
		if p.matches(text, at) {
			pos[n] = uint32(at)
			n++
		}
		at++
	}
	return n, at
}

// matches reports whether the needle is at a position of text that is before the last reach bytes.
func (p *probe) matches(text []byte, at int) bool {
	s := text[at : at+len(p.needle)]
	if !p.folds {
		return string(s) == string(p.needle)
	}
	for i, b := range s {
		if upper(b) != p.needle[i] {
			return false
		}
	}
	return true
}
