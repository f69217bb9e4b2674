package function

import (
	"math"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/internal/types"
)

func init() {
	for _, f := range []struct {
		name string
		stat stat
		doc  string
	}{
		{"corrMatrix", statCorr, "Returns Pearson's correlations of all pairs of columns."},
		{"covarPopMatrix", statCovarPop, "Returns the covariances of the population of all pairs of columns."},
		{"covarSampMatrix", statCovarSamp, "Returns the covariances of the sample of all pairs of columns."},
	} {
		registerAggregates(&AggregateFamily{Name: f.name, MinArgs: 0, MaxArgs: maxMatrix, Resolve: resolveMatrix(f.name, f.stat),
			Doc: f.doc, Example: f.name + "(x, y) → [[1,0.5],[0.5,1]]"})
	}
}

// maxMatrix is the most columns of a matrix: a state holds the moments of all pairs, 6 MB of them.
const maxMatrix = 512

func resolveMatrix(name string, k stat) func(*Env, []column.Vector, []*types.Type) (Aggregate, error) {
	return func(_ *Env, _ []column.Vector, args []*types.Type) (Aggregate, error) {
		for _, t := range args {
			if !t.IsInteger() && !t.IsFloat() {
				return nil, sqlerr.New(sqlerr.IllegalTypeOfArgument, "Aggregate function %s only supports numerical types", name)
			}
		}
		return foldMatrix(k, len(args)), nil
	}
}

// momentMatrix is the moments of each pair of columns, row by row of the lower triangle.
type momentMatrix []moments[float64]

// grow makes the pairs of that many columns and returns how many bytes that took.
func (m *momentMatrix) grow(width int) int64 {
	if *m != nil {
		return 0
	}
	*m = make(momentMatrix, width*(width+1)/2)
	return 48 * int64(len(*m))
}

func foldMatrix(k stat, width int) Aggregate {
	return &fold[momentMatrix]{
		result: types.NewArray(types.NewArray(types.TFloat64)),
		add: func(s *foldStates[momentMatrix], groups []uint32, args []column.Vector, n int) error {
			columns := make([][]float64, width)
			for i, a := range args {
				columns[i] = toFloats(a)
			}
			for _, g := range groups[:n] {
				s.extra += s.s[g].grow(width)
			}
			pair := 0
			for i, xs := range columns {
				for _, ys := range columns[:i+1] {
					for row, x := range xs {
						s.s[groups[row]][pair].add(x, ys[row])
					}
					pair++
				}
			}
			return nil
		},
		merge: func(s *foldStates[momentMatrix], a, b *momentMatrix) {
			if *b == nil {
				return
			}
			s.extra += a.grow(width)
			for i := range *b {
				from := (*b)[i].fields()
				for f, x := range (*a)[i].fields() {
					*x += *from[f]
				}
			}
		},
		save: func(dst []byte, s *momentMatrix) []byte {
			for i := range *s {
				for _, x := range (*s)[i].fields() {
					dst = appendF64(dst, *x)
				}
			}
			return dst
		},
		load: func(s *momentMatrix, r *reader) error {
			if len(r.b) == 0 {
				return nil
			}
			s.grow(width)
			for i := range *s {
				for _, x := range (*s)[i].fields() {
					*x = r.f64()
				}
			}
			return nil
		},
		finish: func(out column.Builder, s *momentMatrix) error {
			s.grow(width)
			rows := out.(*column.Array)
			cells := rows.Elem.(*column.Array)
			for i := range width {
				for j := range width {
					at := max(i, j)*(max(i, j)+1)/2 + min(i, j)
					push(cells.Elem.(column.Builder), matrixCell(&(*s)[at], k, i == j))
				}
				cells.EndValue()
			}
			rows.EndValue()
			return nil
		},
	}
}

// matrixCell is one statistic; the correlation of a column with itself is 1 unless it is undefined.
func matrixCell(m *moments[float64], k stat, same bool) float64 {
	x := m.result(k)
	if same && k == statCorr && !math.IsNaN(x) {
		return 1
	}
	return x
}
