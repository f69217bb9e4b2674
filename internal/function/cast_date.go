package function

import (
	"math"

	"github.com/olapd/olapd/internal/civil"
	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/internal/types"
	"github.com/olapd/olapd/internal/valuetext"
)

// daysBeforeSeconds: a number that becomes a Date counts days up to here, seconds beyond, as in ClickHouse.
const daysBeforeSeconds = valuetext.MaxDate

// maxDate32Number is the same bound for Date32.
const maxDate32Number = 3_000_000

// toDate converts numbers and dates to dates and times; nil if from is neither.
func (k *caster) toDate(v column.Vector, from, to *types.Type) (column.Vector, error) {
	switch {
	case from.IsDateOrTime():
		return k.dateToDate(v, from, to), nil
	case from.IsFloat(), from.Kind == types.Decimal:
		return k.floatToDate(v, from, to)
	case !from.IsInteger():
		return nil, nil
	}
	data := int64sOf(v, from)
	out := make([]int64, len(data))
	switch to.Kind {
	case types.Date, types.Date32:
		zone := civil.NewCursor(k.env.zone())
		for i, x := range data {
			out[i] = dayOfNumber(x, to, &zone)
		}
	case types.DateTime:
		for i, x := range data {
			out[i] = min(max(x, 0), valuetext.MaxDateTime)
		}
	default:
		for i, x := range data {
			out[i] = valuetext.Ticks(x, 0, to.Scale)
		}
	}
	return narrow(to, out), nil
}

// int64sOf returns integers of any width, those beyond 64 bits as the nearest that fits.
func int64sOf(v column.Vector, t *types.Type) []int64 {
	switch {
	case t.Kind == types.UInt64:
		return clampUnsigned(numsOf[uint64](v))
	case !isWideInt(t):
		return numsOf[int64](v)
	}
	data := widesOf(v)
	out := make([]int64, len(data))
	for i, x := range data {
		switch out[i] = int64(x[0]); {
		case x == types.I256From(out[i]):
		case x.Negative() && t.IsSigned():
			out[i] = math.MinInt64
		default:
			out[i] = math.MaxInt64
		}
	}
	return out
}

func clampUnsigned(data []uint64) []int64 {
	out := make([]int64, len(data))
	for i, x := range data {
		out[i] = int64(min(x, math.MaxInt64))
	}
	return out
}

func dayOfNumber(x int64, to *types.Type, zone *civil.Cursor) int64 {
	if to.Kind == types.Date32 {
		if x >= -maxDate32Number && x <= maxDate32Number {
			return x
		}
		return valuetext.ClampDays(civil.FloorDiv(zone.Local(min(max(x, valuetext.MinDateTime64), valuetext.MaxDateTime64)), civil.Day), to)
	}
	switch {
	case x < 0:
		return 0
	case x <= daysBeforeSeconds:
		return x
	}
	return valuetext.ClampDays(civil.FloorDiv(zone.Local(min(x, valuetext.MaxDateTime)), civil.Day), to)
}

func (k *caster) floatToDate(v column.Vector, from, to *types.Type) (column.Vector, error) {
	data := floatsOf(v, from)
	if to.Kind != types.DateTime64 {
		ints := make([]int64, len(data))
		for i, x := range data {
			if math.IsNaN(x) || math.IsInf(x, 0) {
				return nil, sqlerr.New(sqlerr.CannotConvertType, "Unexpected inf or nan to %s conversion", to)
			}
			ints[i] = int64(min(max(x, -1e15), 1e15))
		}
		return k.toDate(newNum(types.TInt64, ints), types.TInt64, to)
	}
	out := make([]int64, len(data))
	up := pow10Float(to.Scale)
	for i, x := range data {
		if math.IsNaN(x) || math.IsInf(x, 0) {
			return nil, sqlerr.New(sqlerr.CannotConvertType, "Unexpected inf or nan to %s conversion", to)
		}
		x = min(max(x, valuetext.MinDateTime64), valuetext.MaxDateTime64)
		out[i] = int64(min(max(x*up, -math.MaxInt64), math.MaxInt64-1024))
	}
	return newNum(to, out), nil
}

// dateToDate converts between Date, Date32, DateTime and DateTime64.
func (k *caster) dateToDate(v column.Vector, from, to *types.Type) column.Vector {
	if to.Kind == types.Date && from.Kind == types.DateTime {
		if p, ok := plainTimesOf(v, from, k.env.zoneOf(from)); ok {
			return newNum(to, p.days())
		}
	}
	data := numsOf[int64](v)
	out := make([]int64, len(data))
	switch {
	case from.IsDate() && to.IsDate():
		for i, d := range data {
			out[i] = valuetext.ClampDays(d, to)
		}
	case from.IsDate():
		zone := civil.NewCursor(k.env.zoneOf(to))
		for i, d := range data {
			out[i] = storeSeconds(zone.Unix(d*civil.Day), to)
		}
	case to.IsDate():
		zone := civil.NewCursor(k.env.zoneOf(from))
		unit := pow10Int(from.Scale)
		for i, x := range data {
			out[i] = valuetext.ClampDays(civil.FloorDiv(zone.Local(civil.FloorDiv(x, unit)), civil.Day), to)
		}
	case to.Kind == types.DateTime:
		unit := pow10Int(from.Scale)
		for i, x := range data {
			out[i] = storeSeconds(civil.FloorDiv(x, unit), to)
		}
	default:
		rescale(out, data, from.Scale, to.Scale)
	}
	return narrow(to, out)
}

// storeSeconds is the stored value of a DateTime or DateTime64 for a unix second, clamped.
func storeSeconds(unix int64, t *types.Type) int64 {
	if t.Kind == types.DateTime64 {
		return valuetext.Ticks(unix, 0, t.Scale)
	}
	return min(max(unix, 0), valuetext.MaxDateTime)
}

func rescale(dst, src []int64, from, to int) {
	if to >= from {
		up := pow10Int(to - from)
		for i, x := range src {
			dst[i] = x * up
		}
		return
	}
	down := pow10Int(from - to)
	for i, x := range src {
		dst[i] = civil.FloorDiv(x, down)
	}
}

// pow10Int is 10^n, n ≤ 18.
func pow10Int(n int) int64 {
	v := int64(1)
	for ; n > 0; n-- {
		v *= 10
	}
	return v
}

// fromDate converts dates and times to numbers; nil if to is none.
func (k *caster) fromDate(v column.Vector, from, to *types.Type) (column.Vector, error) {
	if !isAnyNumber(to) {
		return nil, nil
	}
	if from.Kind != types.DateTime64 {
		return k.numbers(column.WithType(v, intOf(from.Kind == types.Date32, from.Width())), to)
	}
	data := numsOf[int64](v)
	switch {
	case to.IsFloat():
		out := make([]float64, len(data))
		div := pow10Float(from.Scale)
		for i, x := range data {
			out[i] = float64(x) / div
		}
		return narrowFloat(to, out), nil
	case to.Kind == types.Decimal:
		return k.toDecimal(newNum(types.NewDecimal(types.MaxPrecision64, from.Scale), data), types.NewDecimal(types.MaxPrecision64, from.Scale), to)
	}
	out := make([]int64, len(data))
	rescale(out, data, from.Scale, 0)
	return k.numbers(newNum(types.TInt64, out), to)
}
