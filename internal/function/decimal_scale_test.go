package function

import (
	"fmt"
	"math"
	"math/rand"
	"testing"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/types"
)

// scaledTypes are those that compareScaled, scaleToDecimal and roundScaled are for.
var scaledTypes = []*types.Type{types.NewDecimal(9, 2), types.NewDecimal(9, 9), types.NewDecimal(18, 0), types.NewDecimal(18, 4), types.NewDecimal(18, 18), types.NewDecimal(38, 0),
	types.NewDecimal(38, 10), types.NewDecimal(38, 37), types.TInt8, types.TInt32, types.TInt64, types.TUInt64, types.TInt128, types.TUInt128}

// edgeWide is a vector of one number of t, often near an end of its or a smaller type or beside a half.
func edgeWide(r *rand.Rand, t *types.Type) column.Vector {
	x := types.I256From([]int64{0, 1, -1, 5, -5, 15, 49, 50, -50, 25, 100, math.MaxInt32, math.MinInt32, math.MaxInt64, math.MinInt64, r.Int63(), -r.Int63(), r.Int63n(1e9), -r.Int63n(1e6)}[r.Intn(19)])
	if t.Width() > 8 {
		x = x.Mul(types.I256From(pow10Int(r.Intn(19))))
	}
	return storeWide(t, []types.I256{x})
}

// TestScaledComparisons compares decimals compared in words with the same in big integers.
func TestScaledComparisons(t *testing.T) {
	r := rand.New(rand.NewSource(1))
	there := 0
	for range 20_000 {
		ta, tb := scaledTypes[r.Intn(len(scaledTypes))], scaledTypes[r.Intn(len(scaledTypes))]
		a, b := edgeWide(r, ta), edgeWide(r, tb)
		s := max(scaleOf(ta), scaleOf(tb))
		x, y := bigOf(widesOf(a)[0], ta), bigOf(widesOf(b)[0], tb)
		want := x.Mul(x, pow10Big(s-scaleOf(ta))).Cmp(y.Mul(y, pow10Big(s-scaleOf(tb))))
		for _, op := range []compareOp{cmpEq, cmpNe, cmpLt, cmpGt, cmpLe, cmpGe} {
			got := make([]uint8, 1)
			if !compareScaled(op, got, a, ta, b, tb) {
				continue
			}
			there++
			if got[0] != b2u(op.holds(want)) {
				t.Errorf("%s %v against %s %v: %d", ta, column.Value(a, 0), tb, column.Value(b, 0), got[0])
			}
		}
	}
	if there < 60_000 {
		t.Errorf("only %d comparisons in words", there)
	}
}

// TestScaledCasts compares conversions in words with the same in big integers: where one has a result, the other has it, too.
func TestScaledCasts(t *testing.T) {
	r := rand.New(rand.NewSource(1))
	there := 0
	for range 40_000 {
		from, to := scaledTypes[r.Intn(len(scaledTypes))], scaledTypes[r.Intn(len(scaledTypes))]
		v, exact := edgeWide(r, from), r.Intn(2) == 0
		k := &caster{}
		if exact {
			k.mode = castExact
		}
		var fast, slow column.Vector
		var err error
		switch {
		case to.Kind == types.Decimal:
			fast = scaleToDecimal(v, from, to)
			slow, err = k.decimalFromBig(v, from, to)
		case from.Kind == types.Decimal:
			fast = scaleToInt(v, from, to, exact)
			slow, err = k.intFromBig(v, from, to)
		default:
			continue
		}
		if fast == nil {
			continue
		}
		there++
		what := fmt.Sprintf("%s %v as %s", from, column.Value(v, 0), to)
		if err != nil {
			t.Errorf("%s: %v, in big integers %v", what, column.Value(fast, 0), err)
		} else if a, b := column.Value(fast, 0), column.Value(slow, 0); a != b {
			t.Errorf("%s: %v, in big integers %v", what, a, b)
		}
	}
	if there < 5000 {
		t.Errorf("only %d results in words", there)
	}
}

// TestScaledFloats compares decimals of floats in words with the same in big integers.
func TestScaledFloats(t *testing.T) {
	r := rand.New(rand.NewSource(1))
	there := 0
	for range 10_000 {
		to := scaledTypes[r.Intn(8)]
		x := []float64{0, 0.5, -0.5, 1e9, -1e9, 999999999.99, 1e18, -1e18, 999999999999999999, r.NormFloat64(), r.NormFloat64() * 1e12, math.NaN(), math.Inf(1)}[r.Intn(13)]
		fast := floatsToDecimal([]float64{x}, to)
		if fast == nil {
			continue
		}
		there++
		slow, err := (&caster{}).decimalFromBig(column.NewNum(types.TFloat64, []float64{x}), types.TFloat64, to)
		if err != nil || column.Value(fast, 0) != column.Value(slow, 0) {
			t.Errorf("%v as %s: %v, in big integers %v %v", x, to, column.Value(fast, 0), slow, err)
		}
	}
	if there < 3000 {
		t.Errorf("only %d results in words", there)
	}
}

// TestScaledRounding compares decimals rounded in words with the same in big integers.
func TestScaledRounding(t *testing.T) {
	r := rand.New(rand.NewSource(1))
	there := 0
	for range 40_000 {
		typ := scaledTypes[r.Intn(8)]
		v, digits, mode := edgeWide(r, typ), int64(r.Intn(24)-8), roundMode(r.Intn(5))
		c := &Call{Args: []column.Vector{v}, Types: []*types.Type{typ}, Result: typ, Rows: 1}
		fast, slow := roundScaled(c, mode, digits), roundByBig(c, mode, broadcast[int64]{[]int64{digits}, 0})
		if fast == nil {
			continue
		}
		there++
		if a, b := column.Value(fast, 0), column.Value(slow, 0); a != b {
			t.Errorf("%s %v to %d digits in mode %d: %v, in big integers %v", typ, column.Value(v, 0), digits, mode, a, b)
		}
	}
	if there < 20_000 {
		t.Errorf("only %d results in words", there)
	}
}
