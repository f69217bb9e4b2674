package function

import (
	"bytes"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/types"
)

// Runs of rows of one group give the states, to the last bit, that row by row gives.
func TestRunsOfGroups(t *testing.T) {
	r := rand.New(rand.NewPCG(4, 2))
	for _, length := range []int{1, 3, 100, 5000} {
		const n = 3000
		groups, xs, fs := make([]uint32, n), make([]int32, n), make([]float64, n)
		g := uint32(0)
		for i := range n {
			if r.IntN(length) == 0 {
				g = uint32(r.IntN(20))
			}
			groups[i], xs[i], fs[i] = g, int32(r.Uint32()), r.NormFloat64()*math.Exp(r.NormFloat64()*10)
		}
		if length >= 100 != inRuns(groups) {
			t.Errorf("runs of %d are taken for other than they are", length)
		}
		for _, c := range []struct {
			name string
			arg  column.Vector
		}{
			{"count", nil}, {"sum", column.NewNum(types.TInt32, xs)}, {"sum", column.NewNum(types.TFloat64, fs)}, {"avg", column.NewNum(types.TInt32, xs)}, {"avg", column.NewNum(types.TFloat64, fs)},
		} {
			var args []column.Vector
			var ts []*types.Type
			if c.arg != nil {
				args, ts = []column.Vector{c.arg}, []*types.Type{c.arg.Type()}
			}
			fn, err := BindAggregate(nil, c.name, nil, ts, false)
			if err != nil {
				t.Fatal(err)
			}
			whole, single := fn.New(), fn.New()
			whole.Grow(20)
			single.Grow(20)
			if err := whole.Add(groups, args, n); err != nil {
				t.Fatal(err)
			}
			for i := range n {
				var row []column.Vector
				if c.arg != nil {
					row = []column.Vector{c.arg.Slice(i, i+1)}
				}
				if err := single.Add(groups[i:i+1], row, 1); err != nil {
					t.Fatal(err)
				}
			}
			a, b := column.NewStr(types.TString, 20), column.NewStr(types.TString, 20)
			whole.Save(a, 0, 20)
			single.Save(b, 0, 20)
			for g := range 20 {
				if !bytes.Equal(a.At(g), b.At(g)) {
					t.Errorf("%s of %v, runs of %d, group %d: %x, row by row %x", c.name, ts, length, g, a.At(g), b.At(g))
				}
			}
		}
	}
}
