package virtual

import (
	"strings"
)

// Like reports whether s matches a LIKE pattern: % is any text, _ any character, a backslash takes the next one as it is.
func Like(s, pattern string, fold bool) bool {
	if fold {
		s, pattern = strings.ToLower(s), strings.ToLower(pattern)
	}
	return like([]rune(s), []rune(pattern))
}

// like backtracks to the last % only, so that its time is bounded by len(s) · len(p).
func like(s, p []rune) bool {
	i, j, star, from := 0, 0, -1, 0
	for i < len(s) {
		switch {
		case j < len(p) && p[j] == '%':
			star, from = j, i
			j++
			continue
		case j+1 < len(p) && p[j] == '\\' && p[j+1] == s[i]:
			i, j = i+1, j+2
			continue
		case j < len(p) && p[j] != '\\' && (p[j] == '_' || p[j] == s[i]):
			i, j = i+1, j+1
			continue
		}
		if star < 0 {
			return false
		}
		from++
		i, j = from, star+1
	}
	for j < len(p) && p[j] == '%' {
		j++
	}
	return j == len(p)
}
