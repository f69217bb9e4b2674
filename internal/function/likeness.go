package function

import (
	"math"
	"unicode/utf8"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/internal/types"
)

func init() {
	likeness := func(name string, aliases []string, result *types.Type, doc, example string, eval func(*Call) (column.Vector, error)) {
		register(&Scalar{Name: name, Aliases: aliases, MinArgs: 2, MaxArgs: 2, Resolve: fixed(name, result, isText), Eval: eval, Family: "strings", Doc: doc, Example: example})
	}
	likeness("byteHammingDistance", []string{"mismatches"}, types.TUInt64, "Counts the places at which two strings have different bytes, or only one of them has one.", "byteHammingDistance('karolin', 'kathrin') → 3", measurePairs("byteHammingDistance", math.MaxInt, hammingDistance))
	likeness("editDistanceUTF8", []string{"levenshteinDistanceUTF8"}, types.TUInt64, "Counts the code points to insert, delete or replace to make one string the other.", "editDistanceUTF8('привет', 'превет') → 1", measurePairs("editDistanceUTF8", maxEditDistance, editDistanceUTF8))
	likeness("damerauLevenshteinDistance", nil, types.TUInt64, "Counts the bytes to insert, delete, replace or exchange with their neighbour to make one string the other.", "damerauLevenshteinDistance('ab', 'ba') → 1", measurePairs("damerauLevenshteinDistance", maxEditDistance, damerauDistance))
	likeness("jaroSimilarity", nil, types.TFloat64, "Returns the Jaro similarity of two strings.", "round(jaroSimilarity('MARTHA', 'MARHTA'), 4) → 0.9444", measurePairs("jaroSimilarity", maxEditDistance, jaroSimilarity))
	likeness("jaroWinklerSimilarity", nil, types.TFloat64, "Returns the Jaro-Winkler similarity of two strings.", "round(jaroWinklerSimilarity('MARTHA', 'MARHTA'), 4) → 0.9611", measurePairs("jaroWinklerSimilarity", maxEditDistance, jaroWinkler))
	likeness("stringJaccardIndex", nil, types.TFloat64, "Returns how many of the bytes of two strings both have.", "stringJaccardIndex('clickhouse', 'mouse') → 0.4", measurePairs("stringJaccardIndex", math.MaxInt, jaccardBytes))
	likeness("stringJaccardIndexUTF8", nil, types.TFloat64, "Returns how many of the code points of two strings both have.", "stringJaccardIndexUTF8('我爱你', '我也爱你') → 0.75", measurePairs("stringJaccardIndexUTF8", math.MaxInt, jaccardRunes))
	register(
		&Scalar{Name: "stringBytesUniq", MinArgs: 1, MaxArgs: 1, Resolve: fixed("stringBytesUniq", types.TUInt16, isText), Eval: measureBytes(func(counts *[256]uint32, _ int) uint16 {
			n := uint16(0)
			for _, k := range counts {
				n += uint16(min(k, 1))
			}
			return n
		}), Family: "strings", Doc: "Counts the distinct bytes of a string.", Example: "stringBytesUniq('Hello') → 4"},
		&Scalar{Name: "stringBytesEntropy", MinArgs: 1, MaxArgs: 1, Resolve: fixed("stringBytesEntropy", types.TFloat64, isText), Eval: measureBytes(entropy), Family: "strings", Doc: "Returns Shannon's entropy of a string's bytes, in bits.", Example: "stringBytesEntropy('abab') → 1"},
	)
}

// measurePairs is the Eval of a number of two strings of at most limit bytes each.
func measurePairs[T uint64 | float64](name string, limit int, f func(a, b []byte) T) func(*Call) (column.Vector, error) {
	return func(c *Call) (column.Vector, error) {
		a, b, out := stringsOf(c.Args[0]), stringsOf(c.Args[1]), make([]T, c.Rows)
		for i := range out {
			x, y := a.row(i), b.row(i)
			if len(x) > limit || len(y) > limit {
				return nil, sqlerr.New(sqlerr.TooLargeStringSize, "The string size is too big for function %s, should be at most %d", name, limit)
			}
			if i%checkEvery == 0 || len(x)+len(y) > maxEditDistance>>4 {
				if err := c.Env.Ctx.Err(); err != nil {
					return nil, err
				}
			}
			out[i] = f(x, y)
		}
		return newNum(c.Result, out), nil
	}
}

// measureBytes is the Eval of a number of how often a string has each byte, and of its length.
func measureBytes[T column.Elem](f func(counts *[256]uint32, n int) T) func(*Call) (column.Vector, error) {
	return func(c *Call) (column.Vector, error) {
		s, out := stringsOf(c.Args[0]), make([]T, c.Rows)
		for i := range out {
			var counts [256]uint32
			for _, b := range s.row(i) {
				counts[b]++
			}
			out[i] = f(&counts, len(s.row(i)))
		}
		return newNum(c.Result, out), nil
	}
}

func entropy(counts *[256]uint32, n int) float64 {
	e := 0.0
	for _, k := range counts {
		if k > 0 {
			p := float64(k) / float64(n)
			e -= p * math.Log2(p)
		}
	}
	return e
}

func hammingDistance(a, b []byte) uint64 {
	if len(a) < len(b) {
		a, b = b, a
	}
	n := uint64(len(a) - len(b))
	for i, c := range b {
		n += uint64(b2u(c != a[i]))
	}
	return n
}

// characters takes a string apart into code points; one that is no UTF-8 into its bytes.
func characters(s []byte) []rune {
	if !utf8.Valid(s) {
		return byteRunes(s)
	}
	return []rune(string(s))
}

// editDistanceUTF8 counts bytes where one string is empty, as ClickHouse does.
func editDistanceUTF8(a, b []byte) uint64 {
	if len(a) == 0 || len(b) == 0 {
		return uint64(len(a) + len(b))
	}
	y := characters(b)
	return uint64(editDistance(make([]uint32, len(y)+1), characters(a), y))
}

// damerauDistance is the optimal alignment: nothing is edited twice.
func damerauDistance(x, y []byte) uint64 {
	rows := [3][]uint32{make([]uint32, len(y)+1), make([]uint32, len(y)+1), make([]uint32, len(y)+1)}
	for k := range rows[0] {
		rows[0][k] = uint32(k)
	}
	for i := range x {
		before, last, row := rows[(i+2)%3], rows[i%3], rows[(i+1)%3]
		row[0] = uint32(i + 1)
		for k := range y {
			replace := last[k] + uint32(b2u(x[i] != y[k]))
			row[k+1] = min(replace, last[k+1]+1, row[k]+1)
			if i > 0 && k > 0 && x[i] == y[k-1] && x[i-1] == y[k] {
				row[k+1] = min(row[k+1], before[k-1]+1)
			}
		}
	}
	return uint64(rows[len(x)%3][len(y)])
}

// third is what ClickHouse multiplies by instead of dividing by 3: the last digit differs.
var third = 1.0 / 3

// jaroSimilarity of an empty string is the other's length, as in ClickHouse.
func jaroSimilarity(x, y []byte) float64 {
	if len(x) == 0 || len(y) == 0 {
		return float64(len(x) + len(y))
	}
	window := max(len(x), len(y))/2 - 1
	xs, ys := make([]bool, len(x)), make([]bool, len(y))
	matches := 0
	for i, c := range x {
		for k := max(i-window, 0); k < min(i+window+1, len(y)); k++ {
			if !ys[k] && y[k] == c {
				xs[i], ys[k] = true, true
				matches++
				break
			}
		}
	}
	if matches == 0 {
		return 0
	}
	moved, k := 0, 0
	for i, matched := range xs {
		if !matched {
			continue
		}
		for !ys[k] {
			k++
		}
		if x[i] != y[k] {
			moved++
		}
		k++
	}
	m := float64(matches)
	return (m/float64(len(x)) + m/float64(len(y)) + (m-float64(moved)/2)/m) * third
}

// Jaro and Winkler's constants: how much of a common prefix counts, how much each of its bytes adds, and from where on.
const (
	winklerPrefix    = 4
	winklerWeight    = 0.1
	winklerThreshold = 0.7
)

func jaroWinkler(x, y []byte) float64 {
	s := jaroSimilarity(x, y)
	if len(x) == 0 || len(y) == 0 || s <= winklerThreshold {
		return s
	}
	n := 0
	for n < min(len(x), len(y), winklerPrefix) && x[n] == y[n] {
		n++
	}
	return min(s+float64(n)*winklerWeight*(1-s), 1)
}

func jaccardBytes(x, y []byte) float64 {
	var a, b [256]bool
	for _, c := range x {
		a[c] = true
	}
	for _, c := range y {
		b[c] = true
	}
	shared, all := 0, 0
	for i := range a {
		if a[i] || b[i] {
			all++
		}
		if a[i] && b[i] {
			shared++
		}
	}
	return float64(shared) / float64(max(all, 1))
}

func jaccardRunes(x, y []byte) float64 {
	a, b := map[rune]bool{}, map[rune]bool{}
	for _, r := range characters(x) {
		a[r] = true
	}
	shared := 0
	for _, r := range characters(y) {
		if !b[r] && a[r] {
			shared++
		}
		b[r] = true
	}
	return float64(shared) / float64(max(len(a)+len(b)-shared, 1))
}
