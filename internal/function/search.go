package function

import (
	"bytes"
	"unicode/utf8"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/internal/types"
)

func init() {
	for _, f := range []struct {
		name, doc string
		aliases   []string
		fold      bool
		chars     bool
	}{
		{"position", "Returns the position of a substring in bytes from 1, else 0.", []string{"strpos"}, false, false},
		{"positionUTF8", "Returns the position of a substring in code points from 1, else 0.", nil, false, true},
		{"positionCaseInsensitive", "Returns the position of a substring in any case, else 0.", []string{"instr"}, true, false},
		{"positionCaseInsensitiveUTF8", "Returns the position in code points of a substring in any case, else 0.", nil, true, true},
	} {
		register(&Scalar{Name: f.name, Aliases: f.aliases, CaseInsensitive: f.name == "position" || f.name == "positionCaseInsensitive", MinArgs: 2, MaxArgs: 3, Family: "search", Doc: f.doc,
			Resolve: fixed(f.name, types.TUInt64, isStr, isStr, isPlainInt), Eval: evalPosition(0, 1, f.fold, f.chars), Example: "position('abc', 'c') → 3"})
	}
	register(
		&Scalar{Name: "locate", CaseInsensitive: true, MinArgs: 2, MaxArgs: 3, Resolve: fixed("locate", types.TUInt64, isStr, isStr, isPlainInt), Eval: evalPosition(1, 0, false, false), Family: "search", Doc: "Is position with its arguments exchanged.", Example: "locate('c', 'abc') → 3"},
		&Scalar{Name: "countSubstrings", CaseInsensitive: true, MinArgs: 2, MaxArgs: 3, Resolve: fixed("countSubstrings", types.TUInt64, isStr, isStr, isPlainInt), Eval: evalCountSubstrings(false), Family: "search", Doc: "Counts occurrences that do not overlap.", Example: "countSubstrings('aaaa', 'aa') → 2"},
		&Scalar{Name: "countSubstringsCaseInsensitive", MinArgs: 2, MaxArgs: 3, Resolve: fixed("countSubstringsCaseInsensitive", types.TUInt64, isStr, isStr, isPlainInt), Eval: evalCountSubstrings(true), Family: "search", Doc: "Counts occurrences in any case.", Example: "countSubstringsCaseInsensitive('aAaA', 'aa') → 2"},
		&Scalar{Name: "hasToken", MinArgs: 2, MaxArgs: 2, ConstArgs: []int{1}, Resolve: resolveHasToken("hasToken"), Eval: evalHasToken(false), Family: "search", Doc: "Tests for a word of letters and digits.", Example: "hasToken('a b', 'b') → 1"},
		&Scalar{Name: "hasTokenCaseInsensitive", MinArgs: 2, MaxArgs: 2, ConstArgs: []int{1}, Resolve: resolveHasToken("hasTokenCaseInsensitive"), Eval: evalHasToken(true), Family: "search", Doc: "Tests for a word in any case.", Example: "hasTokenCaseInsensitive('a B', 'b') → 1"},
		&Scalar{Name: "hasSubstr", MinArgs: 2, MaxArgs: 2, Resolve: fixed("hasSubstr", types.TUInt8, isStr), Eval: testPairs(bytes.Contains), Family: "search", Doc: "Tests for a substring.", Example: "hasSubstr('abc', 'b') → 1"},
	)
}

func init() {
	for _, v := range []struct {
		suffix string
		fold   func([]byte) []byte
		runes  bool
	}{{"", asIs, false}, {"CaseInsensitive", func(s []byte) []byte { return folded(s, true) }, false}, {"UTF8", asIs, true}, {"CaseInsensitiveUTF8", bytes.ToLower, true}} {
		register(
			multiSearch("multiSearchAny"+v.suffix, types.TUInt8, v.fold, func(b []byte, needles [][]byte) uint64 { i, _ := firstNeedle(b, needles); return uint64(b2u(i > 0)) }),
			multiSearch("multiSearchFirstIndex"+v.suffix, types.TUInt64, v.fold, func(b []byte, needles [][]byte) uint64 { i, _ := firstNeedle(b, needles); return uint64(i) }),
			multiSearch("multiSearchFirstPosition"+v.suffix, types.TUInt64, v.fold, func(b []byte, needles [][]byte) uint64 {
				_, p := firstNeedle(b, needles)
				if v.runes && p > 0 {
					p = utf8.RuneCount(b[:p-1]) + 1
				}
				return uint64(p)
			}),
			multiPositions("multiSearchAllPositions"+v.suffix, v.fold, v.runes),
		)
	}
	for _, fold := range []bool{false, true} {
		name := "hasToken"
		if fold {
			name += "CaseInsensitive"
		}
		register(&Scalar{Name: name + "OrNull", CaseInsensitive: fold, MinArgs: 2, MaxArgs: 2, ConstArgs: []int{1}, Resolve: fixed(name+"OrNull", types.NewNullable(types.TUInt8), isText), Eval: evalHasTokenOrNull(fold), Family: "search", Doc: "Is " + name + ", but NULL if what is looked for is no word.", Example: name + "OrNull('a b', 'a b') → NULL"})
	}
}

func asIs(s []byte) []byte { return s }

// evalHasTokenOrNull tests for words; the empty one is in no text.
func evalHasTokenOrNull(fold bool) func(*Call) (column.Vector, error) {
	has := evalHasToken(fold)
	return func(c *Call) (column.Vector, error) {
		token, _ := stringConst(c.Args[1])
		for i := range len(token) {
			if !isTokenByte(token[i]) {
				return column.NewConst(c.Result, nil, c.Rows), nil
			}
		}
		if token == "" {
			return column.NewNullable(make([]uint8, c.Rows), column.NewBools(make([]uint8, c.Rows))), nil
		}
		v, err := has(c)
		if err != nil {
			return nil, err
		}
		return column.NewNullable(make([]uint8, c.Rows), column.Flatten(v)), nil
	}
}

// folded lower-cases ASCII where fold is set.
func folded(s []byte, fold bool) []byte {
	if !fold {
		return s
	}
	return appendLower(make([]byte, 0, len(s)), s)
}

func evalPosition(hay, needle int, fold, chars bool) func(*Call) (column.Vector, error) {
	return func(c *Call) (column.Vector, error) {
		h, n, out := stringsOf(c.Args[hay]), stringsOf(c.Args[needle]), make([]uint64, c.Rows)
		start := broadcast[int64]{[]int64{0}, 0}
		if len(c.Args) > 2 {
			start = numArg[int64](c.Args[2], c.Rows)
		}
		chars := chars && !(h.allASCII(c.Rows) && (!fold || n.allASCII(c.Rows)))
		for i := range out {
			out[i] = position(h.row(i), n.row(i), start.at(i), fold, chars)
		}
		return newNum(c.Result, out), nil
	}
}

func position(h, n []byte, start int64, fold, chars bool) uint64 {
	from := max(start-1, 0)
	if size := units(h, chars); from > size || from == size && len(n) > 0 && start > 1 {
		return 0
	}
	if len(n) == 0 && start == 0 {
		return 1
	}
	skip := int(from)
	if chars {
		skip = charOffset(h, from)
	}
	if fold && chars {
		h, n = bytes.ToLower(h), bytes.ToLower(n)
	} else {
		h, n = folded(h, fold), folded(n, fold)
	}
	skip = min(skip, len(h))
	at := bytes.Index(h[skip:], n)
	switch {
	case at < 0:
		return 0
	case chars:
		return uint64(utf8.RuneCount(h[:skip+at])) + 1
	}
	return uint64(skip+at) + 1
}

func evalCountSubstrings(fold bool) func(*Call) (column.Vector, error) {
	return func(c *Call) (column.Vector, error) {
		h, n, out := stringsOf(c.Args[0]), stringsOf(c.Args[1]), make([]uint64, c.Rows)
		start := broadcast[int64]{[]int64{1}, 0}
		if len(c.Args) > 2 {
			start = numArg[int64](c.Args[2], c.Rows)
		}
		for i := range out {
			b, needle := folded(h.row(i), fold), folded(n.row(i), fold)
			if from := max(start.at(i)-1, 0); from < int64(len(b)) && len(needle) > 0 {
				out[i] = uint64(bytes.Count(b[from:], needle))
			}
		}
		return newNum(c.Result, out), nil
	}
}

// firstNeedle returns the number (from 1) of the needle found leftmost, and where (from 1); zeros if none is.
func firstNeedle(b []byte, needles [][]byte) (index, pos int) {
	for k, n := range needles {
		if at := bytes.Index(b, n); at >= 0 && (pos == 0 || at+1 < pos) {
			if index == 0 {
				index = k + 1
			}
			pos = at + 1
		}
	}
	return index, pos
}

// maxNeedles is ClickHouse's limit of multiSearch needles.
const maxNeedles = 255

func multiSearch(name string, result *types.Type, fold func([]byte) []byte, f func(b []byte, needles [][]byte) uint64) *Scalar {
	return &Scalar{Name: name, MinArgs: 2, MaxArgs: 2, Family: "search", Doc: "Searches for several strings at once.",
		Resolve: func(_ *Env, args []Arg) (*types.Type, error) {
			if !args[0].Type.IsString() {
				return nil, illegal(name, 0, args[0].Type)
			}
			if t := args[1].Type; t.Kind != types.Array || t.Elem().Kind != types.String {
				return nil, illegal(name, 1, t)
			}
			return result, nil
		},
		Eval: func(c *Call) (column.Vector, error) {
			h, arr := stringsOf(c.Args[0]), arraysOf(c.Args[1])
			elems := stringsOf(arr.Elem)
			out := make([]uint64, c.Rows)
			var needles [][]byte
			for i := range out {
				if i == 0 || arr.mask != 0 {
					from, to := arr.bounds(i)
					if to-from > maxNeedles {
						return nil, tooManyNeedles(name, to-from)
					}
					needles = needles[:0]
					for k := from; k < to; k++ {
						needles = append(needles, fold(elems.row(k)))
					}
				}
				out[i] = f(fold(h.row(i)), needles)
			}
			return narrow(c.Result, out), nil
		}}
}

// multiPositions is multiSearch that returns the position of each string, in bytes or in characters.
func multiPositions(name string, fold func([]byte) []byte, runes bool) *Scalar {
	s := multiSearch(name, types.NewArray(types.TUInt64), fold, nil)
	s.Eval = func(c *Call) (column.Vector, error) {
		h, arr := stringsOf(c.Args[0]), arraysOf(c.Args[1])
		elems := stringsOf(arr.Elem)
		out := &column.Array{Typ: c.Result, Off: make([]uint32, 1, c.Rows+1)}
		var positions []uint64
		for i := range c.Rows {
			from, to := arr.bounds(i)
			if to-from > maxNeedles {
				return nil, tooManyNeedles(name, to-from)
			}
			text := fold(h.row(i))
			for k := from; k < to; k++ {
				at := bytes.Index(text, fold(elems.row(k)))
				if runes && at > 0 {
					at = utf8.RuneCount(text[:at])
				}
				positions = append(positions, uint64(at+1))
			}
			out.Off = append(out.Off, uint32(len(positions)))
		}
		out.Elem = newNum(types.TUInt64, positions)
		return out, nil
	}
	return s
}

func tooManyNeedles(name string, n int) error {
	return sqlerr.New(sqlerr.NumberOfArgumentsDoesntMatch, "Number of arguments for function %s doesn't match: passed %d, should be at most %d", name, n, maxNeedles)
}

func isTokenByte(c byte) bool { return isAlnum(c) || c >= 0x80 }

func isAlnum2(c byte) bool { return c-'0' < 10 || (c|0x20)-'a' < 26 }

func resolveHasToken(name string) func(*Env, []Arg) (*types.Type, error) {
	return func(_ *Env, args []Arg) (*types.Type, error) {
		if err := checkTypes(name, args, isStr); err != nil {
			return nil, err
		}
		token, _ := constString(args, 1)
		if token == "" {
			return nil, sqlerr.New(sqlerr.BadArguments, "Needle cannot be empty, because empty string isn't a token")
		}
		for i := range len(token) {
			if !isTokenByte(token[i]) {
				return nil, sqlerr.New(sqlerr.BadArguments, "Needle must not contain whitespace or separator characters")
			}
		}
		return types.TUInt8, nil
	}
}

func evalHasToken(fold bool) func(*Call) (column.Vector, error) {
	return func(c *Call) (column.Vector, error) {
		h, n, out := stringsOf(c.Args[0]), stringsOf(c.Args[1]), make([]uint8, c.Rows)
		token := folded(n.row(0), fold)
		for i := range out {
			out[i] = b2u(hasToken(folded(h.row(i), fold), token))
		}
		return column.NewBools(out), nil
	}
}

func hasToken(h, token []byte) bool {
	for at := 0; ; {
		k := bytes.Index(h[at:], token)
		if k < 0 {
			return false
		}
		from, to := at+k, at+k+len(token)
		if (from == 0 || !isTokenByte(h[from-1])) && (to == len(h) || !isTokenByte(h[to])) {
			return true
		}
		at = from + 1
	}
}
