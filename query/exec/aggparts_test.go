package exec

import (
	"math"
	"testing"
)

// Of keys equally frequent, the groups of the first rows tell how many there will be.
func TestDistinctOf(t *testing.T) {
	const total = 10e6
	for _, keys := range []float64{20e3, 200e3, 1.7e6, 5e6} {
		among := func(rows float64) float64 { return -keys * math.Expm1(-rows/keys) }
		got, want := distinctOf(65536, int(among(65536)), total), among(total)
		if got < want*0.95 || got > want*1.05 {
			t.Errorf("%v keys: %v groups expected, there are %v", keys, got, want)
		}
	}
	if got := distinctOf(65536, 65536, total); got != total {
		t.Errorf("keys that never repeat: %v groups expected", got)
	}
	if got := distinctOf(1, 1, 1); got != 1 {
		t.Errorf("one row: %v groups expected", got)
	}
}
