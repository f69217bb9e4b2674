package function

import (
	"github.com/olapd/olapd/internal/types"
)

func init() {
	register(
		mapQuery("normalizeQuery", "Replaces literals, lists of them and names with many digits in the text of a query by marks.", "normalizeQuery('SELECT 1, 2 FROM t') → SELECT ?.. FROM t", false),
		mapQuery("normalizeQueryKeepNames", "Replaces literals and lists of them in the text of a query by marks.", "normalizeQueryKeepNames('SELECT `a`, 1') → SELECT `a`, ?", true),
	)
}

func mapQuery(name, doc, example string, keepNames bool) *Scalar {
	s := mapStrings(name, nil, doc, func(dst, q []byte) []byte { return appendNormalized(dst, q, keepNames) })
	s.Example = example
	s.Resolve = fixed(name, types.TString, isText)
	return s
}

// maxNameDigits is how many digits a name may have and be kept.
const maxNameDigits = 2

// normalizer writes tokens of a query; a run of literals with commas between them becomes one mark.
type normalizer struct {
	dst       []byte
	literals  int    // in the run at hand
	pending   []byte // what stands behind the run's last literal, and is dropped if a literal follows
	space     bool
	keepNames bool
}

func appendNormalized(dst, q []byte, keepNames bool) []byte {
	n := normalizer{dst: dst, keepNames: keepNames}
	for i := 0; i < len(q); {
		end := n.token(q, i)
		i = end
	}
	n.endRun()
	return n.dst
}

// token takes the token at i and returns where the next begins.
func (n *normalizer) token(q []byte, i int) int {
	c := q[i]
	switch {
	case isSpaceByte(c):
		for i < len(q) && isSpaceByte(q[i]) {
			i++
		}
		n.blank()
		return i
	case c == '-' && i+1 < len(q) && q[i+1] == '-', c == '#' && i+1 < len(q) && (q[i+1] == ' ' || q[i+1] == '!'):
		for i < len(q) && q[i] != '\n' {
			i++
		}
		n.blank()
		return i
	case c == '/' && i+1 < len(q) && q[i+1] == '*':
		for i += 2; i < len(q) && !(q[i] == '/' && q[i-1] == '*'); {
			i++
		}
		n.blank()
		return min(i+1, len(q))
	case c == '\'':
		end := quoteEnd(q, i)
		n.literal()
		return end
	case c == '`' || c == '"':
		end := quoteEnd(q, i)
		if c == '`' && !n.keepNames {
			n.plain([]byte("`?`"))
		} else {
			n.plain(q[i:end])
		}
		return end
	case c-'0' < 10 || c == '.' && i+1 < len(q) && q[i+1]-'0' < 10:
		n.literal()
		return numberEnd(q, i)
	case isAlnum(c) || c == '_' || c >= 0x80:
		end := i
		digits := 0
		for end < len(q) && (isAlnum(q[end]) || q[end] == '_' || q[end] == '$' || q[end] >= 0x80) {
			digits += int(b2u(q[end]-'0' < 10))
			end++
		}
		if digits > maxNameDigits && !n.keepNames {
			n.plain([]byte("`?`"))
		} else {
			n.plain(q[i:end])
		}
		return end
	case (c == '-' || c == '+') && i+1 < len(q) && q[i+1]-'0' < 10 && n.literals > 0 && len(n.pending) > 0:
		return i + 1 // the sign of a literal in a list
	case c == ',' && n.literals > 0 && len(n.pending) == 0:
		n.pending = append(n.pending, ',')
		return i + 1
	}
	n.plain(q[i : i+1])
	return i + 1
}

func (n *normalizer) blank() {
	if n.literals > 0 && len(n.pending) > 0 {
		n.pending = append(n.pending[:1], ' ')
		return
	}
	n.space = true
}

func (n *normalizer) endRun() {
	if n.literals > 1 {
		n.dst = append(n.dst, ".."...)
	}
	n.dst = append(n.dst, n.pending...)
	n.literals, n.pending = 0, n.pending[:0]
	if n.space {
		n.dst, n.space = append(n.dst, ' '), false
	}
}

func (n *normalizer) plain(token []byte) {
	n.endRun()
	n.dst = append(n.dst, token...)
}

func (n *normalizer) literal() {
	if n.literals > 0 && len(n.pending) > 0 {
		n.literals, n.pending = n.literals+1, n.pending[:0]
		return
	}
	n.endRun()
	n.dst = append(n.dst, '?')
	n.literals = 1
}

// quoteEnd is where the quoted text at i ends.
func quoteEnd(q []byte, i int) int {
	for k := i + 1; k < len(q); k++ {
		switch {
		case q[k] == '\\':
			k++
		case q[k] == q[i] && k+1 < len(q) && q[k+1] == q[i]:
			k++
		case q[k] == q[i]:
			return k + 1
		}
	}
	return len(q)
}

// numberEnd is where the number at i ends.
func numberEnd(q []byte, i int) int {
	for i < len(q) && (isAlnum(q[i]) || q[i] == '.' || q[i] == '_' || (q[i] == '-' || q[i] == '+') && q[i-1]|0x20 == 'e') {
		i++
	}
	return i
}
