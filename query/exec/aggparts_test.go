package exec

import (
	"math"
	"testing"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/types"
)

// Of keys equally frequent, the groups of the first rows tell how many there will be.
func TestDistinctOf(t *testing.T) {
	const total = 10e6
	for _, keys := range []float64{20e3, 200e3, 1.7e6, 5e6} {
		among := func(rows float64) float64 { return -keys * math.Expm1(-rows/keys) }
		got, want := DistinctOf(65536, int(among(65536)), total), among(total)
		if got < want*0.95 || got > want*1.05 {
			t.Errorf("%v keys: %v groups expected, there are %v", keys, got, want)
		}
	}
	if got := DistinctOf(65536, 65536, total); got != total {
		t.Errorf("keys that never repeat: %v groups expected", got)
	}
	if got := DistinctOf(1, 1, 1); got != 1 {
		t.Errorf("one row: %v groups expected", got)
	}
}

// TestRunsOfTwoForms: states that came as bytes and such that came as numbers are not joined in one run, and follow each other.
func TestRunsOfTwoForms(t *testing.T) {
	numbers, bytes := column.NewNum(types.TUInt64, []uint64{1, 2, 3}), column.NewStrings("a", "b")
	r := &aggRun{cols: make([]runColumn, 1)}
	for _, v := range []column.Vector{numbers, bytes, numbers} {
		other := column.Vector(bytes)
		if v == other {
			other = numbers
		}
		r.cols[0].add(v, 0, v.Len(), true)
		r.n = v.Len()
		if !r.fits(&aggBlock{vals: []column.Vector{v}}) || r.fits(&aggBlock{vals: []column.Vector{other}}) {
			t.Errorf("a run of %s takes %s, or not its own", v.Type(), other.Type())
		}
		if got := r.vectors()[0]; got.Len() != v.Len() || !got.Type().Equal(v.Type()) {
			t.Errorf("%d values of %s, want %d of %s", got.Len(), got.Type(), v.Len(), v.Type())
		}
		r.reset()
	}
}
