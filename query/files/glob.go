package files

import (
	"path"
	"regexp"
	"strconv"
	"strings"

	"github.com/olapd/olapd/internal/sqlerr"
)

// isPattern reports whether a path stands for many.
func isPattern(p string) bool { return strings.ContainsAny(p, "*?{") }

// Expand replaces the braces of a path or an address, {a,b} and {1..9}, by each of what they stand for.
func Expand(p string) ([]string, error) {
	open := strings.IndexByte(p, '{')
	if open < 0 {
		return []string{p}, nil
	}
	end := strings.IndexByte(p[open:], '}')
	if end < 0 {
		return nil, sqlerr.New(sqlerr.BadArguments, "A brace is not closed in path %s", p)
	}
	end += open
	list, err := alternatives(p[open+1 : end])
	if err != nil {
		return nil, err
	}
	rest, err := Expand(p[end+1:])
	if err != nil {
		return nil, err
	}
	if len(list)*len(rest) > maxAlternatives {
		return nil, sqlerr.New(sqlerr.BadArguments, "The braces of path %s stand for more than %d paths", p, maxAlternatives)
	}
	var out []string
	for _, a := range list {
		for _, r := range rest {
			out = append(out, p[:open]+a+r)
		}
	}
	return out, nil
}

// alternatives are what stands between two braces.
func alternatives(s string) ([]string, error) {
	from, to, ok := strings.Cut(s, "..")
	if !ok {
		return strings.Split(s, ","), nil
	}
	a, err1 := strconv.ParseUint(from, 10, 32)
	b, err2 := strconv.ParseUint(to, 10, 32)
	if err1 != nil || err2 != nil {
		return strings.Split(s, ","), nil
	}
	step := 1
	if b < a {
		step = -1
	}
	if n := (int(b)-int(a))*step + 1; n > maxAlternatives {
		return nil, sqlerr.New(sqlerr.BadArguments, "{%s} stands for more than %d numbers", s, maxAlternatives)
	}
	width := 0
	if len(from) > 1 && from[0] == '0' || len(to) > 1 && to[0] == '0' {
		width = max(len(from), len(to))
	}
	var out []string
	for i := int(a); ; i += step {
		text := strconv.Itoa(i)
		if len(text) < width {
			text = strings.Repeat("0", width-len(text)) + text
		}
		if out = append(out, text); i == int(b) {
			return out, nil
		}
	}
}

// pattern is the expression of a path's wildcards; those of braces are expanded before.
func pattern(p string) (*regexp.Regexp, error) {
	var b strings.Builder
	b.WriteString("^")
	for i := 0; i < len(p); i++ {
		switch {
		case strings.HasPrefix(p[i:], "**/"):
			b.WriteString("(?:[^/]+/)*")
			i += 2
		case strings.HasPrefix(p[i:], "**"):
			b.WriteString(".*")
			i++
		case p[i] == '*':
			b.WriteString("[^/]*")
		case p[i] == '?':
			b.WriteString("[^/]")
		default:
			b.WriteString(regexp.QuoteMeta(p[i : i+1]))
		}
	}
	re, err := regexp.Compile(b.String() + "$")
	if err != nil {
		return nil, sqlerr.Wrap(err, sqlerr.BadArguments, "Bad pattern %s", p)
	}
	return re, nil
}

// fixed is the part of a pattern in front of its first wildcard.
func fixed(p string) string {
	if i := strings.IndexAny(p, "*?"); i >= 0 {
		return p[:i]
	}
	return p
}

// steps are the parts of a pattern between slashes, each compiled; nil stands for **.
func steps(p string) ([]*regexp.Regexp, error) {
	var out []*regexp.Regexp
	for _, part := range strings.Split(path.Clean(p), "/") {
		if part == "**" {
			out = append(out, nil)
			continue
		}
		re, err := pattern(part)
		if err != nil {
			return nil, err
		}
		out = append(out, re)
	}
	if n := len(out); out[n-1] == nil { // a path that ends in ** means all files
		all, err := pattern("*")
		if err != nil {
			return nil, err
		}
		out = append(out, all)
	}
	return out, nil
}
