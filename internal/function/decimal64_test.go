package function

import (
	"fmt"
	"math"
	"math/rand"
	"testing"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/types"
)

// TestDecimalInWords compares decimals computed in 64 and in 128 bits with the same in big integers: where one has a result, the other has it, too.
func TestDecimalInWords(t *testing.T) {
	compareWithBig(t, decimalIn64, edgeNumber, []*types.Type{types.NewDecimal(9, 2), types.NewDecimal(9, 0), types.NewDecimal(18, 4), types.NewDecimal(18, 9), types.TInt64, types.TUInt64, types.TUInt8})
	compareWithBig(t, decimalIn128, edgeWide, []*types.Type{types.NewDecimal(38, 2), types.NewDecimal(38, 20), types.NewDecimal(18, 4), types.NewDecimal(9, 9), types.TInt64, types.TUInt64, types.TInt128})
}

func compareWithBig(t *testing.T, inWords func(arithOp, *Call) (column.Vector, error), edge func(*rand.Rand, *types.Type) column.Vector, ts []*types.Type) {
	t.Helper()
	r := rand.New(rand.NewSource(1))
	ops := []arithOp{opPlus, opMinus, opMultiply, opDivide, opIntDiv, opIntDivOrZero, opModulo, opModuloOrZero, opPositiveModulo}
	there := 0
	for range 20_000 {
		op, ta, tb := ops[r.Intn(len(ops))], ts[r.Intn(len(ts))], ts[r.Intn(len(ts))]
		if ta.Kind != types.Decimal && tb.Kind != types.Decimal {
			continue
		}
		result, err := decimalResult(op, ta, tb)
		if err != nil {
			continue
		}
		c := &Call{Args: []column.Vector{edge(r, ta), edge(r, tb)}, Types: []*types.Type{ta, tb}, Result: result, Rows: 1}
		fast, fastErr := inWords(op, c)
		slow, slowErr := decimalInBig(op, c)
		what := fmt.Sprintf("%s %v %s %s %v", ta, column.Value(c.Args[0], 0), op, tb, column.Value(c.Args[1], 0))
		switch {
		case fastErr != nil:
			if slowErr == nil || slowErr.Error() != fastErr.Error() {
				t.Errorf("%s: %v, in big integers %v", what, fastErr, slowErr)
			}
		case fast == nil:
		case slowErr != nil:
			t.Errorf("%s: %v, in big integers %v", what, column.Value(fast, 0), slowErr)
		default:
			there++
			if a, b := column.Value(fast, 0), column.Value(slow, 0); a != b {
				t.Errorf("%s: %v, in big integers %v", what, a, b)
			}
		}
	}
	if there < 5000 {
		t.Errorf("only %d results in words", there)
	}
}

// edgeNumber is a vector of one number, often near the ends of its type or of 32 bits.
func edgeNumber(r *rand.Rand, t *types.Type) column.Vector {
	x := []int64{0, 1, -1, 7, 100, math.MaxInt32, math.MinInt32, math.MaxInt64, math.MinInt64, r.Int63(), -r.Int63(), r.Int63n(1e9), -r.Int63n(1e6)}[r.Intn(13)]
	if t.Kind == types.Decimal && t.Width() == 4 {
		x = int64(int32(x))
	}
	return narrow(t, []int64{x})
}
