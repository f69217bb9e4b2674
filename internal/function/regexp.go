package function

import (
	"bytes"
	"regexp"
	"slices"
	"sync"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/kernel"
	"github.com/olapd/olapd/internal/regex"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/internal/types"
)

func init() {
	register(
		&Scalar{Name: "match", Aliases: []string{"REGEXP_MATCHES"}, CaseInsensitive: true, MinArgs: 2, MaxArgs: 2, Resolve: fixed("match", types.TUInt8, anyOf(isStr, isEnum), isStr), Eval: evalMatch, Family: "search", Doc: "Tests for a match of a regular expression (RE2).", Example: "match('abc', 'b+') → 1"},
		&Scalar{Name: "extract", MinArgs: 2, MaxArgs: 2, Resolve: fixed("extract", types.TString, isStr), Eval: evalExtract, Family: "search", Doc: "Returns the first match, or its first group.", Example: "extract('number: 1', '(\\\\d+)') → 1"},
		&Scalar{Name: "extractAll", MinArgs: 2, MaxArgs: 2, ConstArgs: []int{1}, Resolve: fixed("extractAll", types.NewArray(types.TString), isStr), Eval: evalExtractAll, Family: "search", Doc: "Returns all matches, or their first groups.", Example: "extractAll('a1 b2', '\\\\d') → ['1','2']"},
		&Scalar{Name: "extractGroups", MinArgs: 2, MaxArgs: 2, ConstArgs: []int{1}, Resolve: fixed("extractGroups", types.NewArray(types.TString), isStr), Eval: evalExtractGroups, Family: "search", Doc: "Returns the groups of the first match.", Example: "extractGroups('a=1', '(\\\\w)=(\\\\d)') → ['a','1']"},
		&Scalar{Name: "extractAllGroupsVertical", Aliases: []string{"extractAllGroups"}, MinArgs: 2, MaxArgs: 2, ConstArgs: []int{1}, Resolve: fixed("extractAllGroupsVertical", stringArrays, isStr), Eval: evalAllGroups(false), Family: "search", Doc: "Returns the groups of each match.", Example: "extractAllGroupsVertical('a=1,b=2', '(\\\\w)=(\\\\d)') → [['a','1'],['b','2']]"},
		&Scalar{Name: "extractAllGroupsHorizontal", MinArgs: 2, MaxArgs: 2, ConstArgs: []int{1}, Resolve: fixed("extractAllGroupsHorizontal", stringArrays, isStr), Eval: evalAllGroups(true), Family: "search", Doc: "Returns for each group what it is in each match.", Example: "extractAllGroupsHorizontal('a=1,b=2', '(\\\\w)=(\\\\d)') → [['a','b'],['1','2']]"},
		&Scalar{Name: "regexpExtract", Aliases: []string{"REGEXP_EXTRACT", "REGEXP_SUBSTR"}, CaseInsensitive: true, MinArgs: 2, MaxArgs: 3, ConstArgs: []int{1}, Resolve: fixed("regexpExtract", types.TString, isStr, isStr, isPlainInt), Eval: evalRegexpExtract, Family: "search", Doc: "Returns a group of the first match.", Example: "regexpExtract('100-200', '(\\\\d+)-(\\\\d+)', 1) → 100"},
		&Scalar{Name: "countMatches", MinArgs: 2, MaxArgs: 2, ConstArgs: []int{1}, Resolve: fixed("countMatches", types.TUInt64, isStr), Eval: evalCountMatches, Family: "search", Doc: "Counts matches.", Example: "countMatches('a1b2', '\\\\d') → 2"},
		&Scalar{Name: "multiMatchAny", MinArgs: 2, MaxArgs: 2, Resolve: resolveMultiMatch("multiMatchAny", types.TUInt8), Eval: evalMultiMatch, Family: "search", Doc: "Tests for a match of any of several regular expressions.", Example: "multiMatchAny('abc', ['x', 'b']) → 1"},
		&Scalar{Name: "multiMatchAnyIndex", MinArgs: 2, MaxArgs: 2, Resolve: resolveMultiMatch("multiMatchAnyIndex", types.TUInt64), Eval: evalMultiMatch, Family: "search", Doc: "Returns the number of a regular expression that matches, or 0.", Example: "multiMatchAnyIndex('abc', ['x', 'b']) → 2"},
		replaceFunc("replaceOne", nil, true), replaceFunc("replaceAll", []string{"replace"}, false),
		replaceRegexp("replaceRegexpOne", nil, true), replaceRegexp("replaceRegexpAll", []string{"REGEXP_REPLACE"}, false),
		mapStrings("regexpQuoteMeta", nil, "Escapes the characters that mean something in regular expressions.", func(dst, s []byte) []byte { return append(dst, regexp.QuoteMeta(string(s))...) }),
	)
}

// maxPatterns bounds the compiled expressions kept; beyond it the cache starts anew.
const maxPatterns = 256

var patterns = struct {
	sync.Mutex
	m map[string]*matcher
}{m: map[string]*matcher{}}

// matcher is a compiled regular expression.
type matcher struct {
	*regex.Regexp
	none bool // the empty expression, which replaces nothing
}

// compileRegexp compiles an expression of RE2's syntax in which a dot matches a line end too.
func compileRegexp(pattern []byte) (*matcher, error) {
	patterns.Lock()
	defer patterns.Unlock()
	if m := patterns.m[string(pattern)]; m != nil {
		return m, nil
	}
	re, err := regex.Compile(string(pattern))
	if err != nil {
		return nil, sqlerr.Wrap(err, sqlerr.CannotCompileRegexp, "Cannot compile regular expression %q", pattern)
	}
	m := &matcher{Regexp: re, none: len(pattern) == 0}
	if len(patterns.m) >= maxPatterns {
		clear(patterns.m)
	}
	patterns.m[string(pattern)] = m
	return m, nil
}

// searcher is a compiled expression at work on one vector.
type searcher struct {
	*matcher
	*regex.Finder
}

// eachMatcher calls f for each row with its string and compiled expression.
func eachMatcher(c *Call, at int, f func(i int, s []byte, m searcher) error) error {
	h, err := searched(c)
	if err != nil {
		return err
	}
	return eachOf(c, h, at, f)
}

// searched is the argument that expressions search.
func searched(c *Call) (strArg, error) {
	v := c.Args[0]
	if isEnum(c.Types[0]) {
		var err error
		if v, err = Cast(c.Env, v, types.TString); err != nil {
			return strArg{}, err
		}
	}
	return stringsOf(v), nil
}

// eachOf is eachMatcher over the strings of h.
func eachOf(c *Call, h strArg, at int, f func(i int, s []byte, m searcher) error) error {
	p := stringsOf(c.Args[at])
	var m searcher
	for i := range c.Rows {
		if i == 0 || !p.isConst() {
			re, err := compileRegexp(p.row(i))
			if err != nil {
				return err
			}
			texts := 1
			if p.isConst() {
				texts = c.Rows
			}
			m = searcher{re, re.Finder(texts)}
		}
		if err := f(i, h.row(i), m); err != nil {
			return err
		}
	}
	return nil
}

func evalMatch(c *Call) (column.Vector, error) {
	out := make([]uint8, c.Rows)
	if found, err := matchAll(c, out); found || err != nil {
		return column.NewBools(out), err
	}
	err := eachMatcher(c, 1, func(i int, s []byte, m searcher) error {
		out[i] = b2u(m.Match(s))
		return nil
	})
	return column.NewBools(out), err
}

// matchAll matches strings against a constant expression that requires a text, for which they are searched as one text first; false if it is none.
func matchAll(c *Call, out []uint8) (bool, error) {
	h, ok := c.Args[0].(*column.Str)
	p := stringsOf(c.Args[1])
	if !ok || !p.isConst() || c.Rows == 0 {
		return false, nil
	}
	m, err := compileRegexp(p.row(0))
	if err != nil {
		return false, err
	}
	text, exact := m.Required()
	if len(text) == 0 {
		return false, nil
	}
	kernel.Contains(out, h.Off, h.Data, text)
	if exact {
		return true, nil
	}
	f := m.Finder(kernel.Count(out))
	for i, candidate := range out {
		if candidate != 0 {
			out[i] = b2u(f.Match(h.At(i)))
		}
	}
	return true, nil
}

// group returns group k of a match in s, empty if it took no part.
func group(s []byte, loc []int, k int) []byte {
	if 2*k+1 >= len(loc) || loc[2*k] < 0 {
		return nil
	}
	return s[loc[2*k]:loc[2*k+1]]
}

// mainGroup is the first group of an expression that has one, else the whole match.
func mainGroup(m searcher) int { return min(m.NumSubexp(), 1) }

func evalExtract(c *Call) (column.Vector, error) {
	return cutMatches(c, "extract", func(_ int, s []byte, m searcher, out *pieces) error {
		out.add(group(s, m.Find(s), mainGroup(m)))
		return nil
	})
}

func evalExtractAll(c *Call) (column.Vector, error) {
	return cutMatches(c, "extractAll", func(_ int, s []byte, m searcher, out *pieces) error {
		for loc := m.First(s); loc != nil && loc[0] < loc[1]; loc = m.Next() { // an empty match ends the search
			out.add(group(s, loc, mainGroup(m)))
		}
		return nil
	})
}

// cutMatches returns the pieces that f takes from each string: one, or an array of them.
func cutMatches(c *Call, name string, f func(i int, s []byte, m searcher, out *pieces) error) (column.Vector, error) {
	h, err := searched(c)
	if err != nil {
		return nil, err
	}
	out, ends := piecesOf(h, c.Rows), make([]uint32, 1, c.Rows+1)
	err = eachOf(c, h, 1, func(i int, s []byte, m searcher) error {
		err := f(i, s, m, out)
		ends = append(ends, out.count())
		return err
	})
	if err != nil {
		return nil, err
	}
	if isArray(c.Result) {
		return out.arrays(c, name, ends)
	}
	return out.strings(c, name)
}

// newStringArrays is a builder of c's result, Array(String).
func newStringArrays(c *Call) *column.Array { return column.New(c.Result, c.Rows).(*column.Array) }

func evalExtractGroups(c *Call) (column.Vector, error) {
	return cutMatches(c, "extractGroups", func(_ int, s []byte, m searcher, out *pieces) error {
		if m.NumSubexp() == 0 {
			return sqlerr.New(sqlerr.BadArguments, "There are no groups in regexp: %s", m.matcher)
		}
		if loc := m.Find(s); loc != nil {
			for k := 1; k <= m.NumSubexp(); k++ {
				out.add(group(s, loc, k))
			}
		}
		return nil
	})
}

var stringArrays = types.NewArray(types.NewArray(types.TString))

// evalAllGroups gathers the groups of all matches, by match or by group.
func evalAllGroups(byGroup bool) func(*Call) (column.Vector, error) {
	return func(c *Call) (column.Vector, error) {
		out := column.New(c.Result, c.Rows).(*column.Array)
		inner := out.Elem.(*column.Array)
		texts := inner.Elem.(*column.Str)
		err := eachMatcher(c, 1, func(_ int, s []byte, m searcher) error {
			n := m.NumSubexp()
			if n == 0 {
				return sqlerr.New(sqlerr.BadArguments, "There are no groups in regexp: %s", m.matcher)
			}
			groups := make([][][]byte, n)
			for loc := m.First(s); loc != nil; loc = m.Next() {
				for k := range groups {
					text := group(s, loc, k+1)
					if byGroup {
						groups[k] = append(groups[k], text)
					} else {
						texts.Append(text)
					}
				}
				if !byGroup {
					inner.EndValue()
				}
			}
			if byGroup {
				for _, g := range groups {
					for _, text := range g {
						texts.Append(text)
					}
					inner.EndValue()
				}
			}
			out.EndValue()
			return nil
		})
		return out, err
	}
}

func evalRegexpExtract(c *Call) (column.Vector, error) {
	index := broadcast[int64]{[]int64{1}, 0}
	if len(c.Args) > 2 {
		index = numArg[int64](c.Args[2], c.Rows)
	}
	return cutMatches(c, "regexpExtract", func(i int, s []byte, m searcher, out *pieces) error {
		k := index.at(i)
		if len(c.Args) < 3 {
			k = int64(mainGroup(m))
		}
		if k < 0 || k > int64(m.NumSubexp()) {
			return sqlerr.New(sqlerr.IndexOfPositionalArgumentIsOutOfRange, "Index value %d is out of range, should be in [0, %d]", k, m.NumSubexp())
		}
		out.add(group(s, m.Find(s), int(k)))
		return nil
	})
}

func evalCountMatches(c *Call) (column.Vector, error) {
	out := make([]uint64, c.Rows)
	err := eachMatcher(c, 1, func(i int, s []byte, m searcher) error {
		for loc := m.First(s); loc != nil; loc = m.Next() {
			if loc[1] > loc[0] {
				out[i]++
			}
		}
		return nil
	})
	return newNum(c.Result, out), err
}

func resolveMultiMatch(name string, result *types.Type) func(*Env, []Arg) (*types.Type, error) {
	return func(_ *Env, args []Arg) (*types.Type, error) {
		if !args[0].Type.IsString() {
			return nil, illegal(name, 0, args[0].Type)
		}
		if t := args[1].Type; t.Kind != types.Array || t.Elem().Kind != types.String && t.Elem().Kind != types.Nothing {
			return nil, illegal(name, 1, t)
		}
		return result, nil
	}
}

func evalMultiMatch(c *Call) (column.Vector, error) {
	out := make([]uint64, c.Rows)
	h, arr := stringsOf(c.Args[0]), arraysOf(c.Args[1])
	if arr.Typ.Elem().Kind == types.Nothing { // the empty array
		return narrow(c.Result, out), nil
	}
	exprs := stringsOf(arr.Elem)
	var finders []*regex.Finder
	for i := range out {
		if i == 0 || arr.mask != 0 {
			finders = finders[:0]
			from, to := arr.bounds(i)
			for k := from; k < to; k++ {
				m, err := compileRegexp(exprs.row(k))
				if err != nil {
					return nil, err
				}
				texts := 1
				if arr.mask == 0 {
					texts = c.Rows
				}
				finders = append(finders, m.Finder(texts))
			}
		}
		if k := slices.IndexFunc(finders, func(f *regex.Finder) bool { return f.Match(h.row(i)) }); k >= 0 {
			out[i] = uint64(k) + 1
		}
		if c.Result.Kind == types.UInt8 {
			out[i] = min(out[i], 1)
		}
	}
	return narrow(c.Result, out), nil
}

func replaceFunc(name string, aliases []string, once bool) *Scalar {
	return &Scalar{Name: name, Aliases: aliases, CaseInsensitive: len(aliases) > 0, MinArgs: 3, MaxArgs: 3, Family: "strings", Doc: "Replaces a substring.", Example: "replaceAll('aa', 'a', 'b') → bb",
		Resolve: fixed(name, types.TString, isStr),
		Eval: func(c *Call) (column.Vector, error) {
			s, from, to := stringsOf(c.Args[0]), stringsOf(c.Args[1]), stringsOf(c.Args[2])
			out := stringResultLike(c, s)
			for i := range c.Rows {
				if err := c.appendReplaced(out, s.row(i), from.row(i), to.row(i), once); err != nil {
					return nil, err
				}
			}
			return out, nil
		}}
}

func (c *Call) appendReplaced(out *column.Str, s, from, to []byte, once bool) error {
	for len(from) > 0 {
		at := bytes.Index(s, from)
		if at < 0 {
			break
		}
		if err := c.checkSize(out, int64(at+len(to)), "replace"); err != nil {
			return err
		}
		out.Data = append(append(out.Data, s[:at]...), to...)
		s = s[at+len(from):]
		if once {
			break
		}
	}
	out.Data = append(out.Data, s...)
	return c.endBounded(out, "replace")
}

// sampledRows is after how many rows it is foreseen how much text all will make.
const sampledRows = 256

func replaceRegexp(name string, aliases []string, once bool) *Scalar {
	return &Scalar{Name: name, Aliases: aliases, CaseInsensitive: len(aliases) > 0, MinArgs: 3, MaxArgs: 3, Family: "strings", Doc: "Replaces matches of a regular expression; \\\\0 to \\\\9 stand for the match and its groups.",
		Resolve: fixed(name, types.TString, isStr),
		Eval: func(c *Call) (column.Vector, error) {
			to, r := stringsOf(c.Args[2]), &replacer{call: c, out: stringResult(c)}
			err := eachMatcher(c, 1, func(i int, s []byte, m searcher) error {
				if i == 0 || !isConstVector(c.Args[1]) {
					r.searcher, r.behind = m, nil
				}
				if i == 0 || !to.isConst() || !isConstVector(c.Args[1]) {
					var err error
					if r.parts, err = parseReplacement(to.row(i), m.NumSubexp()); err != nil {
						return err
					}
				}
				if i == sampledRows {
					rest := len(r.out.Data) / sampledRows * (c.Rows - i) * 9 / 8
					if err := c.checkSum(r.out, int64(rest), name); err != nil {
						return err
					}
					r.out.Data = slices.Grow(r.out.Data, rest)
				}
				return r.replace(s, once || m.Anchored() && !m.MatchesEmpty())
			})
			return r.out, err
		}}
}

// replacement is text, or a group if text is nil.
type replacement struct {
	text  []byte
	group int
}

func parseReplacement(s []byte, groups int) ([]replacement, error) {
	var parts []replacement
	var text []byte
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+1 < len(s) {
			i++
			if k := int(s[i] - '0'); s[i]-'0' < 10 {
				if k > groups {
					return nil, sqlerr.New(sqlerr.BadArguments, "Substitution '\\%d' in replacement argument is invalid, regexp has only %d capturing groups", k, groups)
				}
				if text != nil {
					parts, text = append(parts, replacement{text: text}), nil
				}
				parts = append(parts, replacement{group: k})
				continue
			}
			if s[i] != '\\' {
				return nil, sqlerr.New(sqlerr.BadArguments, "Invalid replacement string: unknown escape in %q", s)
			}
		}
		text = append(text, s[i])
	}
	if text != nil {
		parts = append(parts, replacement{text: text})
	}
	return parts, nil
}

// replacer replaces the matches in one text after the other.
type replacer struct {
	searcher
	call   *Call
	behind *regex.Finder // looks for empty matches behind others
	out    *column.Str
	parts  []replacement
	s      []byte
	start  int // what of s is not in out yet
}

// add replaces a match.
func (r *replacer) add(loc []int) error {
	r.out.Data = append(r.out.Data, r.s[r.start:loc[0]]...)
	for _, p := range r.parts {
		b := p.text
		if b == nil {
			b = group(r.s, loc, p.group)
		}
		r.out.Data = append(r.out.Data, b...)
	}
	r.start = loc[1]
	return r.call.checkSize(r.out, 0, "replaceRegexp")
}

// addEmptyBehind adds the empty match right behind a match, which ClickHouse finds and Go does not look for.
func (r *replacer) addEmptyBehind() error {
	if r.behind == nil {
		r.behind = r.matcher.Finder(1)
	}
	at := r.start
	loc := r.behind.Find(r.s[at:])
	if loc == nil || loc[0] != 0 || loc[1] != 0 {
		return nil
	}
	for i := range loc {
		if loc[i] >= 0 {
			loc[i] += at
		}
	}
	return r.add(loc)
}

// only appends the only part of the replacement.
func (r *replacer) only(loc []int) error {
	b := r.parts[0].text
	if b == nil {
		b = group(r.s, loc, r.parts[0].group)
	}
	r.out.Data = append(r.out.Data, b...)
	return r.call.endBounded(r.out, "replaceRegexp")
}

// replace appends s with its first match, or all, replaced.
func (r *replacer) replace(s []byte, once bool) error {
	r.s, r.start = s, 0
	switch {
	case r.none:
	case once:
		if loc := r.Find(s); loc != nil {
			if len(r.parts) == 1 && loc[0] == 0 && loc[1] == len(s) { // nothing of s stays
				return r.only(loc)
			}
			if err := r.add(loc); err != nil {
				return err
			}
		}
	default:
		if err := r.all(); err != nil {
			return err
		}
	}
	r.out.Data = append(r.out.Data, s[r.start:]...)
	return r.call.endBounded(r.out, "replaceRegexp")
}

func (r *replacer) all() error {
	matched, mayBeEmpty := false, r.MatchesEmpty()
	for loc := r.First(r.s); loc != nil; loc = r.Next() {
		if mayBeEmpty && matched && loc[0] > r.start {
			if err := r.addEmptyBehind(); err != nil {
				return err
			}
		}
		matched = loc[1] > loc[0]
		if err := r.add(loc); err != nil {
			return err
		}
	}
	if mayBeEmpty && matched {
		return r.addEmptyBehind()
	}
	return nil
}
