package function

import (
	"math"
	"slices"
	"strconv"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/internal/types"
	"github.com/olapd/olapd/internal/valuetext"
)

func init() {
	register(&Scalar{Name: "formatReadableTimeDelta", MinArgs: 1, MaxArgs: 3, ConstArgs: []int{1, 2}, Resolve: fixed("formatReadableTimeDelta", types.TString, isNumeric, isStr),
		Eval: evalTimeDelta, Family: "other", Doc: "Writes seconds as days, hours and so on, from the greatest unit (years) to the least (seconds).",
		Example: "formatReadableTimeDelta(90) → 1 minute and 30 seconds"})
}

// timeUnit is a unit of formatReadableTimeDelta: years are of 365 days, months of 30.5.
type timeUnit struct {
	name    string  // in the singular
	seconds float64 // 0: below a second
	nanos   float64
}

// timeUnits are the units, the greatest first.
var timeUnits = []timeUnit{
	{name: "year", seconds: 365 * 86400}, {name: "month", seconds: 30.5 * 86400}, {name: "day", seconds: 86400}, {name: "hour", seconds: 3600},
	{name: "minute", seconds: 60}, {name: "second", seconds: 1}, {name: "millisecond", nanos: 1e6}, {name: "microsecond", nanos: 1e3}, {name: "nanosecond", nanos: 1},
}

// wholeSeconds is the number above which a float cannot hold each second: only the greatest unit is written then.
const wholeSeconds = 1 << 53

func evalTimeDelta(c *Call) (column.Vector, error) {
	first, last := 0, slices.IndexFunc(timeUnits, func(u timeUnit) bool { return u.name == "second" })
	for k, at := range []*int{&first, &last} {
		if k+1 >= len(c.Args) {
			break
		}
		name, _ := stringConst(c.Args[k+1])
		if *at = slices.IndexFunc(timeUnits, func(u timeUnit) bool { return u.name+"s" == name }); *at < 0 {
			return nil, sqlerr.New(sqlerr.BadArguments, "Unexpected value of the unit in argument %d of function formatReadableTimeDelta: %s. Units are years, months, days, hours, minutes, seconds, "+
				"milliseconds, microseconds and nanoseconds", k+2, name)
		}
	}
	if last < first {
		return nil, sqlerr.New(sqlerr.BadArguments, "The least unit (%ss) of function formatReadableTimeDelta is greater than the greatest (%ss)", timeUnits[last].name, timeUnits[first].name)
	}
	units := timeUnits[first : last+1]
	return readable(func(dst []byte, x float64) []byte { return appendTimeDelta(dst, x, units) })(c)
}

func appendTimeDelta(dst []byte, x float64, units []timeUnit) []byte {
	if math.IsNaN(x) || math.IsInf(x, 0) {
		return valuetext.AppendFloat64(dst, x)
	}
	if x < 0 {
		dst, x = append(dst, '-'), -x
	}
	seconds, fraction := math.Modf(x)
	nanos := math.Floor(fraction * 1e9)
	var parts []string
	for _, u := range units {
		rest, size := &seconds, u.seconds
		if u.seconds == 0 {
			nanos, seconds = nanos+seconds*1e9, 0
			rest, size = &nanos, u.nanos
		}
		n := math.Floor(*rest / size)
		*rest -= n * size
		if n == 0 && (len(parts) > 0 || u.name != "second") {
			continue
		}
		part := strconv.FormatFloat(n, 'f', 0, 64) + " " + u.name
		if n != 1 {
			part += "s"
		}
		if parts = append(parts, part); x > wholeSeconds {
			break
		}
	}
	for i, p := range parts {
		switch {
		case i > 0 && i == len(parts)-1:
			dst = append(dst, " and "...)
		case i > 0:
			dst = append(dst, ", "...)
		}
		dst = append(dst, p...)
	}
	return dst
}
