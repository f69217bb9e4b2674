package column

import (
	"cmp"
	"math"
	"testing"

	"github.com/olapd/olapd/internal/types"
)

// TestCompareOrder orders values, NaN and NULL in both directions, with NULL farther from the values than NaN.
func TestCompareOrder(t *testing.T) {
	v := NewNullable([]uint8{1, 0, 0, 0}, NewNum(types.TFloat64, []float64{0, math.NaN(), 1, 2}))
	dict := &Dict{Values: v, Codes: []uint32{0, 1, 2, 3}}
	for _, c := range []struct {
		o    Order
		want []int
	}{
		{Order{}, []int{2, 3, 1, 0}},
		{Order{Desc: true}, []int{3, 2, 1, 0}},
		{Order{NullsFirst: true}, []int{0, 1, 2, 3}},
		{Order{Desc: true, NullsFirst: true}, []int{0, 1, 3, 2}},
	} {
		for i, a := range c.want {
			for j, b := range c.want {
				if got, want := CompareOrder(v, a, dict, b, c.o), cmp.Compare(i, j); got != want {
					t.Errorf("%+v: value %d and %d compare as %d, want %d", c.o, a, b, got, want)
				}
			}
		}
	}
}
