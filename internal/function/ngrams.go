package function

import (
	"bytes"
	"unicode/utf8"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/internal/types"
)

func init() {
	register(
		&Scalar{Name: "ngrams", MinArgs: 2, MaxArgs: 2, ConstArgs: []int{1}, Resolve: resolveNgrams, Eval: evalNgrams, Family: "strings", Doc: "Returns the runs of n characters.", Example: "ngrams('hello', 3) → ['hel','ell','llo']"},
		&Scalar{Name: "tokens", MinArgs: 1, MaxArgs: 3, ConstArgs: []int{1, 2}, Resolve: resolveTokens, Eval: evalTokens, Family: "strings", Doc: "Returns the tokens that a tokenizer (splitByNonAlpha, splitByString, ngrams, array) makes of a string.", Example: "tokens('a,b c') → ['a','b','c']"},
	)
	for _, f := range []struct {
		suffix     string
		utf8, fold bool
	}{{"", false, false}, {"CaseInsensitive", false, true}, {"UTF8", true, false}, {"CaseInsensitiveUTF8", true, true}} {
		for _, search := range []bool{false, true} {
			name, doc := "ngramDistance"+f.suffix, "Returns how different two strings are, 0 to 1, by the runs of characters they share."
			if search {
				name, doc = "ngramSearch"+f.suffix, "Returns how much of the second string's runs of characters is in the first, 0 to 1."
			}
			register(&Scalar{Name: name, MinArgs: 2, MaxArgs: 2, Family: "strings", Doc: doc, Resolve: fixed(name, types.TFloat32, isText), Eval: evalNgramMeasure(f.utf8, f.fold, search)})
		}
	}
}

func resolveNgrams(_ *Env, args []Arg) (*types.Type, error) {
	if !args[0].Type.IsString() {
		return nil, illegal("ngrams", 0, args[0].Type)
	}
	if !args[1].Type.IsUnsigned() {
		return nil, illegal("ngrams", 1, args[1].Type)
	}
	if n, ok := constInt(args, 1); ok && n < 1 {
		return nil, sqlerr.New(sqlerr.BadArguments, "Second argument of function ngrams must be at least 1")
	}
	return types.NewArray(types.TString), nil
}

func evalNgrams(c *Call) (column.Vector, error) {
	s, n := stringsOf(c.Args[0]), numsOf[uint64](c.Args[1])[0]
	out, ends := piecesOf(s, c.Rows), make([]uint32, 1, c.Rows+1)
	for i := range c.Rows {
		eachNgram(s.row(i), n, out.add)
		ends = append(ends, out.count())
	}
	return out.arrays(c, "ngrams", ends)
}

// eachNgram calls f for each run of n code points.
func eachNgram(s []byte, n uint64, f func([]byte)) {
	end, count := 0, uint64(0)
	for from := 0; from < len(s); {
		for ; count < n && end < len(s); count++ {
			_, size := utf8.DecodeRune(s[end:])
			end += size
		}
		if count < n {
			return
		}
		f(s[from:end])
		_, size := utf8.DecodeRune(s[from:])
		from, count = from+size, count-1
	}
}

// defaultNgrams is what the tokenizer ngrams takes where no size is given.
const defaultNgrams = 3

func resolveTokens(_ *Env, args []Arg) (*types.Type, error) {
	if !args[0].Type.IsString() {
		return nil, illegal("tokens", 0, args[0].Type)
	}
	if len(args) > 1 {
		name, ok := constString(args, 1)
		if !ok {
			return nil, illegal("tokens", 1, args[1].Type)
		}
		switch name {
		case "splitByNonAlpha", "default", "ngrams", "ngram", "array", "no_op", "splitByString", "split":
		default:
			return nil, sqlerr.New(sqlerr.BadArguments, "Function tokens supports only tokenizers 'splitByNonAlpha', 'splitByString', 'ngrams' and 'array', got '%s'", name)
		}
	}
	return types.NewArray(types.TString), nil
}

func evalTokens(c *Call) (column.Vector, error) {
	name := "splitByNonAlpha"
	if len(c.Args) > 1 {
		name, _ = stringConst(c.Args[1])
	}
	var split func(dst *pieces, s []byte)
	switch name {
	case "ngrams", "ngram":
		n := uint64(defaultNgrams)
		if len(c.Args) > 2 {
			n = max(numsOf[uint64](c.Args[2])[0], 1)
		}
		split = func(dst *pieces, s []byte) { eachNgram(s, n, dst.add) }
	case "array", "no_op":
		split = func(dst *pieces, s []byte) { dst.add(s) }
	case "splitByString", "split":
		var err error
		if split, err = stringTokens(c); err != nil {
			return nil, err
		}
	default:
		split = func(dst *pieces, s []byte) { splitRuns(dst, s, maxSplits, &tokenBytes) }
	}
	s := stringsOf(c.Args[0])
	out, ends := piecesOf(s, c.Rows), make([]uint32, 1, c.Rows+1)
	for i := range c.Rows {
		split(out, s.row(i))
		ends = append(ends, out.count())
	}
	return out.arrays(c, "tokens", ends)
}

// stringTokens splits at any of the separators of the third argument; by default a space.
func stringTokens(c *Call) (func(dst *pieces, s []byte), error) {
	seps := [][]byte{{' '}}
	if len(c.Args) > 2 {
		arr, ok := column.Flatten(c.Args[2]).(*column.Array)
		if !ok || arr.Typ.Elem().Kind != types.String {
			return nil, illegal("tokens", 2, c.Types[2])
		}
		seps = nil
		texts := stringsOf(arr.Elem)
		for k := int(arr.Off[0]); k < int(arr.Off[1]); k++ {
			if sep := texts.row(k); len(sep) > 0 {
				seps = append(seps, sep)
			}
		}
	}
	return func(dst *pieces, s []byte) {
		from := 0
		for i := 0; i <= len(s); {
			size := 0
			for _, sep := range seps {
				if bytes.HasPrefix(s[i:], sep) {
					size = len(sep)
					break
				}
			}
			if size == 0 && i < len(s) {
				i++
				continue
			}
			if i > from {
				dst.add(s[from:i])
			}
			i += max(size, 1)
			from = i
		}
	}, nil
}

// The lengths of the runs that are compared, and of the longest string that is, as in ClickHouse.
const (
	ngramBytes   = 4
	ngramRunes   = 3
	maxNgramText = 1 << 15
)

// countNgrams counts the runs of a string.
func countNgrams(s []byte, runes, fold bool) map[string]int {
	if fold {
		if runes {
			s = bytes.ToLower(s)
		} else {
			s = appendLower(nil, s)
		}
	}
	out := map[string]int{}
	if !runes {
		for i := 0; i+ngramBytes <= len(s); i++ {
			out[string(s[i:i+ngramBytes])]++
		}
		return out
	}
	eachNgram(s, ngramRunes, func(gram []byte) { out[string(gram)]++ })
	return out
}

func evalNgramMeasure(runes, fold, search bool) func(*Call) (column.Vector, error) {
	return func(c *Call) (column.Vector, error) {
		a, b, out := stringsOf(c.Args[0]), stringsOf(c.Args[1]), make([]float32, c.Rows)
		for i := range out {
			x, y := a.row(i), b.row(i)
			if len(y) > maxNgramText {
				return nil, sqlerr.New(sqlerr.TooLargeStringSize, "String size of needle is too big for function ngramDistance. Should be at most %d", maxNgramText)
			}
			out[i] = ngramMeasure(x, y, runes, fold, search)
			if err := c.Env.Ctx.Err(); err != nil {
				return nil, err
			}
		}
		return newNum(c.Result, out), nil
	}
}

func ngramMeasure(x, y []byte, runes, fold, search bool) float32 {
	if len(x) > maxNgramText {
		return float32(1 - b2u(search))
	}
	first, second := countNgrams(x, runes, fold), countNgrams(y, runes, fold)
	total, needle, shared := 0, 0, 0
	for _, n := range first {
		total += n
	}
	for gram, n := range second {
		needle += n
		shared += min(n, first[gram])
	}
	switch {
	case search:
		return float32(shared) / float32(max(needle, 1))
	case total+needle == 0:
		return 0
	}
	return float32(total+needle-2*shared) / float32(total+needle)
}
