package function

import (
	"math"
	"math/big"

	"github.com/olapd/olapd/internal/civil"
	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/internal/types"
	"github.com/olapd/olapd/internal/valuetext"
)

func isTime(t *types.Type) bool { return t.IsTime() }

// times converts from or to Time and Time64.
func (k *caster) times(v column.Vector, from, to *types.Type) (column.Vector, error) {
	switch {
	case !to.IsTime() && isAnyNumber(to):
		return k.timeToNumber(v, from, to)
	case from.Kind == types.Time64 && (to.Kind == types.Time || to.Kind == types.DateTime):
		return nil, sqlerr.New(sqlerr.CannotConvertType, "Conversion from %s to %s is not supported", from, to)
	case !to.IsTime() && (to.IsDate() || to.IsDateTime()):
		return timeToDate(v, from, to), nil
	case to.IsTime() && from.IsTime():
		return timeTicks(numsOf[int64](v), from.Scale, to), nil
	case to.IsTime() && (from.IsDate() || from.IsDateTime()):
		return k.clockOf(v, from, to), nil
	case to.IsTime() && isAnyNumber(from):
		return numberToTime(v, from, to)
	}
	return nil, sqlerr.New(sqlerr.NotImplemented, "Conversion from %s to %s is not supported", from, to)
}

// timeNumbers is a vector of times as the numbers they are held as: Int32 or Decimal(18, scale); of dates and times of day too.
func timeNumbers(v column.Vector, t *types.Type) (column.Vector, *types.Type) {
	switch t.Kind {
	case types.Time:
		t = types.TInt32
	case types.DateTime:
		t = types.TUInt32
	case types.Time64, types.DateTime64:
		t = types.NewDecimal(types.MaxPrecision64, t.Scale)
	default:
		return v, t
	}
	return column.WithType(v, t), t
}

func (k *caster) timeToNumber(v column.Vector, from, to *types.Type) (column.Vector, error) {
	n, t := timeNumbers(v, from)
	if t.Kind == types.Decimal && to.IsInteger() && to.Kind != types.Bool { // whole seconds, which wrap as those of a Time
		sec := make([]int64, v.Len())
		for i, x := range numsOf[int64](n) {
			sec[i] = x / pow10Int(t.Scale)
		}
		return k.numbers(newNum(types.TInt64, sec), to)
	}
	return k.numbers(n, to)
}

// timeToDate makes a date of the epoch, or the moment so long after it.
func timeToDate(v column.Vector, from, to *types.Type) column.Vector {
	out := make([]int64, v.Len())
	if to.IsDate() {
		return narrow(to, out)
	}
	rescale(out, numsOf[int64](v), from.Scale, to.Scale)
	return narrow(to, out)
}

// timeTicks stores ticks of a scale as to, digits that are too many cut off.
func timeTicks(data []int64, scale int, to *types.Type) column.Vector {
	out := make([]int64, len(data))
	up, down := pow10Int(max(to.Scale-scale, 0)), pow10Int(max(scale-to.Scale, 0))
	for i, x := range data {
		out[i] = valuetext.ClampTime(valuetext.ClampTime(x, scale)*up/down, to.Scale)
	}
	return narrow(to, out)
}

// clockOf is the time of day of dates and times in their zone.
func (k *caster) clockOf(v column.Vector, from, to *types.Type) column.Vector {
	data := numsOf[int64](v)
	out := make([]int64, len(data))
	if from.IsDate() {
		return narrow(to, out)
	}
	zone, unit := civil.NewCursor(k.env.zoneOf(from)), pow10Int(from.Scale)
	for i, x := range data {
		sec := civil.FloorDiv(x, unit)
		local := zone.Local(sec)
		out[i] = (local-civil.FloorDiv(local, civil.Day)*civil.Day)*unit + x - sec*unit
	}
	return timeTicks(out, from.Scale, to)
}

// numberToTime counts seconds.
func numberToTime(v column.Vector, from, to *types.Type) (column.Vector, error) {
	out := make([]int64, v.Len())
	unit := pow10Int(to.Scale)
	switch {
	case from.IsFloat():
		for i, x := range numsOf[float64](v) {
			if math.IsNaN(x) || math.IsInf(x, 0) {
				return nil, sqlerr.New(sqlerr.CannotConvertType, "Unexpected inf or nan to %s conversion", to)
			}
			out[i] = int64(min(max(x, -valuetext.MaxTime-1), valuetext.MaxTime+1) * float64(unit))
		}
	case from.Kind == types.Decimal:
		limit, div := big.NewInt(math.MaxInt64), pow10Big(from.Scale)
		for i, x := range widesOf(v) {
			b := x.Big()
			if b.Quo(b.Mul(b, big.NewInt(unit)), div).CmpAbs(limit) > 0 {
				b.Mul(limit, big.NewInt(int64(b.Sign())))
			}
			out[i] = b.Int64()
		}
	default:
		for i, x := range int64sOf(v, from) {
			out[i] = valuetext.ClampTime(x, 0) * unit
		}
	}
	for i, x := range out {
		out[i] = valuetext.ClampTime(x, to.Scale)
	}
	return narrow(to, out), nil
}
