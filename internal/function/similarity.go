package function

import (
	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/internal/types"
)

func init() {
	register(
		&Scalar{Name: "levenshteinDistance", Aliases: []string{"editDistance"}, MinArgs: 2, MaxArgs: 2, Resolve: fixed("levenshteinDistance", types.TUInt64, isStr), Eval: evalEditDistance, Family: "strings", Doc: "Counts the bytes to insert, delete or replace to make one string the other.", Example: "levenshteinDistance('kitten', 'sitting') → 3"},
		mapStrings("soundex", nil, "Returns the Soundex code.", appendSoundex),
	)
}

// maxEditDistance is ClickHouse's limit of the strings compared: the work is their product.
const maxEditDistance = 1 << 16

func evalEditDistance(c *Call) (column.Vector, error) {
	a, b, out := stringsOf(c.Args[0]), stringsOf(c.Args[1]), make([]uint64, c.Rows)
	var row []uint32
	for i := range out {
		x, y := a.row(i), b.row(i)
		if len(x) > maxEditDistance || len(y) > maxEditDistance {
			return nil, sqlerr.New(sqlerr.TooLargeStringSize, "The string size is too big for function editDistance, should be at most %d", maxEditDistance)
		}
		if err := c.Env.Ctx.Err(); err != nil {
			return nil, err
		}
		row = growTo(row, len(y)+1)
		out[i] = uint64(editDistance(row, x, y))
	}
	return newNum(c.Result, out), nil
}

func growTo(row []uint32, n int) []uint32 {
	if cap(row) < n {
		return make([]uint32, n)
	}
	return row[:n]
}

// editDistance computes the table of distances row by row; row has room for len(y)+1.
func editDistance[C byte | rune](row []uint32, x, y []C) uint32 {
	for k := range row {
		row[k] = uint32(k)
	}
	for i := range x {
		diagonal := row[0]
		row[0] = uint32(i + 1)
		for k := range y {
			replace := diagonal
			if x[i] != y[k] {
				replace++
			}
			diagonal = row[k+1]
			row[k+1] = min(replace, row[k]+1, diagonal+1)
		}
	}
	return row[len(y)]
}

// soundexCodes are the codes of a to z: 0 for vowels, and for h and w, which do not part equal codes.
const soundexCodes = "01230120022455012623010202"

func appendSoundex(dst, s []byte) []byte {
	n, last := 0, byte('0')
	for _, c := range s {
		l := c | 32
		if l < 'a' || l > 'z' {
			continue
		}
		code := soundexCodes[l-'a']
		switch {
		case n == 0:
			dst = append(dst, l-32)
			n++
		case l == 'h' || l == 'w':
			continue
		case code != '0' && code != last:
			dst = append(dst, code)
			n++
		}
		last = code
		if n == 4 {
			return dst
		}
	}
	for ; n < 4; n++ {
		dst = append(dst, '0')
	}
	return dst
}
