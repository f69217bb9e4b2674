package function

import (
	"math"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/internal/types"
)

func init() {
	registerAggregates(&AggregateFamily{Name: "exponentialMovingAverage", MinArgs: 2, MaxArgs: 2, Parametric: true, EmptyNull: true, Resolve: resolveMovingAverage,
		Doc: "Returns the average of values whose weight halves with every so many units of time, at the latest time.", Example: "exponentialMovingAverage(5)(x, time) → 4.2"})
}

// fading is a sum of values that fade with time, at a time.
type fading struct {
	sum, at float64
	has     bool
}

// join adds b, as of the later of the two times.
func (s *fading) join(b fading, half float64) {
	switch {
	case !b.has:
	case !s.has:
		*s = b
	case b.at > s.at:
		s.sum, s.at = b.sum+s.sum*math.Exp2((s.at-b.at)/half), b.at
	default:
		s.sum += b.sum * math.Exp2((b.at-s.at)/half)
	}
}

func resolveMovingAverage(_ *Env, params []column.Vector, args []*types.Type) (Aggregate, error) {
	if len(params) != 1 {
		return nil, sqlerr.New(sqlerr.NumberOfArgumentsDoesntMatch, "Aggregate function exponentialMovingAverage requires exactly one parameter: half decay time.")
	}
	if !params[0].Type().IsNumeric() {
		return nil, sqlerr.New(sqlerr.CannotConvertType, "Cannot convert %s to double in the parameters of exponentialMovingAverage", params[0].Type())
	}
	half := toFloats(column.Flatten(params[0]))[0]
	for _, t := range args {
		if !t.IsNumeric() {
			return nil, badArg("exponentialMovingAverage", t)
		}
	}
	return &fold[fading]{
		result: types.TFloat64,
		add: func(s *foldStates[fading], groups []uint32, args []column.Vector, _ int) error {
			at := toFloats(args[1])
			for i, x := range toFloats(args[0]) {
				s.s[groups[i]].join(fading{x, at[i], true}, half)
			}
			return nil
		},
		merge: func(_ *foldStates[fading], a, b *fading) { a.join(*b, half) },
		save: func(dst []byte, s *fading) []byte {
			if !s.has {
				return append(dst, 0)
			}
			return appendF64(appendF64(append(dst, 1), s.sum), s.at)
		},
		load: func(s *fading, r *reader) error {
			if s.has = r.u8() == 1; s.has {
				s.sum, s.at = r.f64(), r.f64()
			}
			return nil
		},
		finish: func(out column.Builder, s *fading) error {
			push(out, s.sum*(1-math.Exp2(-1/half)))
			return nil
		},
	}, nil
}
