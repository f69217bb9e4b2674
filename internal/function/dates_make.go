package function

import (
	"time"

	"github.com/olapd/olapd/internal/civil"
	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/internal/types"
	"github.com/olapd/olapd/internal/valuetext"
)

func init() {
	register(
		&Scalar{Name: "makeDateTime64", MinArgs: 6, MaxArgs: 9, ConstArgs: []int{7, 8}, Resolve: resolveMakeDateTime64, Eval: evalMakeDateTime64, Family: "dates", Doc: "Makes a time with a fraction of the second of its parts.", Example: "makeDateTime64(2020, 2, 5, 1, 2, 3, 4) → 2020-02-05 01:02:03.004"},
		&Scalar{Name: "toModifiedJulianDay", MinArgs: 1, MaxArgs: 1, Resolve: fixed("toModifiedJulianDay", types.TInt32, isStr), Eval: evalModifiedJulianDay, Family: "dates", Doc: "Returns the Modified Julian Day of a date written as YYYY-MM-DD.", Example: "toModifiedJulianDay('2020-01-01') → 58849"},
	)
}

func resolveMakeDateTime64(_ *Env, args []Arg) (*types.Type, error) {
	if err := checkTypes("makeDateTime64", args[:min(len(args), 7)], isNumeric); err != nil {
		return nil, err
	}
	scale := int64(3)
	if len(args) > 7 {
		var ok bool
		if scale, ok = constInt(args, 7); !ok || scale < 0 || scale > 9 {
			return nil, sqlerr.New(sqlerr.DecimalOverflow, "Precision for DateTime64 must be between 0 and 9")
		}
	}
	zone, err := zoneArg(args, 8)
	return types.NewDateTime64(int(scale), zone), err
}

// The years a DateTime64 holds.
const (
	firstYear64 = 1900
	lastYear64  = 2299
)

func evalMakeDateTime64(c *Call) (column.Vector, error) {
	n := min(len(c.Args), 7)
	p := intParts(c, n)
	zone := civil.NewCursor(c.Env.zoneOf(c.Result))
	unit := pow10Int(c.Result.Scale)
	out := make([]int64, c.Rows)
	for i := range out {
		y, m, d, h, min, s := p[0].at(i), p[1].at(i), p[2].at(i), p[3].at(i), p[4].at(i), p[5].at(i)
		if y < firstYear64 || y > lastYear64 || m < 1 || m > 12 || d < 1 || d > 31 || h < 0 || h > 23 || min < 0 || min > 59 || s < 0 || s > 59 {
			continue
		}
		fraction := int64(0)
		if n > 6 {
			fraction = max(0, p[6].at(i)%unit)
		}
		unix := zone.Unix(civil.ToDays(int(y), int(m), int(d))*civil.Day + h*3600 + min*60 + s)
		out[i] = valuetext.Ticks(unix, int32(fraction*pow10Int(9-c.Result.Scale)), c.Result.Scale)
	}
	return newNum(c.Result, out), nil
}

// julianEpoch is 1970-01-01 as a Modified Julian Day.
const julianEpoch = 40587

func evalModifiedJulianDay(c *Call) (column.Vector, error) {
	s, out := stringsOf(c.Args[0]), make([]int32, c.Rows)
	for i := range out {
		day, err := time.Parse(time.DateOnly, string(trimZeros(s.row(i))))
		if err != nil {
			return nil, sqlerr.Wrap(err, sqlerr.CannotParseInputAssertionFailed, "Cannot parse %q as a date", s.row(i))
		}
		out[i] = int32(civil.FloorDiv(day.Unix(), civil.Day)) + julianEpoch
	}
	return newNum(c.Result, out), nil
}
