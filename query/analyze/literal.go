package analyze

import (
	"math"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/types"
	"github.com/olapd/olapd/query/ast"
	"github.com/olapd/olapd/query/plan"
)

// constant makes a Const of a Go value in the form of column.Value.
func constant(t *types.Type, x any) *plan.Const {
	return &plan.Const{Value: column.NewConst(t, x, 1).Value, T: t}
}

// literal types a literal: the smallest integer type, Float64, String, Bool, Nullable(Nothing).
func literal(l *ast.Literal) *plan.Const {
	switch l.Kind {
	case ast.LiteralNull:
		return constant(types.TNull, nil)
	case ast.LiteralBool:
		if l.Bool {
			return constant(types.TBool, uint8(1))
		}
		return constant(types.TBool, uint8(0))
	case ast.LiteralUint:
		return unsigned(l.Uint)
	case ast.LiteralInt:
		return signed(l.Int)
	case ast.LiteralString:
		return constant(types.TString, l.Str)
	}
	return constant(types.TFloat64, l.Float)
}

func unsigned(u uint64) *plan.Const {
	switch {
	case u <= math.MaxUint8:
		return constant(types.TUInt8, uint8(u))
	case u <= math.MaxUint16:
		return constant(types.TUInt16, uint16(u))
	case u <= math.MaxUint32:
		return constant(types.TUInt32, uint32(u))
	}
	return constant(types.TUInt64, u)
}

func signed(i int64) *plan.Const {
	switch {
	case i >= math.MinInt8 && i <= math.MaxInt8:
		return constant(types.TInt8, int8(i))
	case i >= math.MinInt16 && i <= math.MaxInt16:
		return constant(types.TInt16, int16(i))
	case i >= math.MinInt32 && i <= math.MaxInt32:
		return constant(types.TInt32, int32(i))
	}
	return constant(types.TInt64, i)
}
