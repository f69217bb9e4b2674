package function

import (
	"github.com/olapd/olapd/internal/civil"
	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/types"
)

func init() {
	register(
		&Scalar{Name: "dateDiff", Aliases: []string{"date_diff", "timestampDiff", "timestamp_diff"}, CaseInsensitive: true, MinArgs: 3, MaxArgs: 4, ConstArgs: []int{0}, Resolve: resolveDateDiff("dateDiff"), Eval: evalDateDiff(false), Family: "dates", Doc: "Counts the borders of a unit between two times.", Example: "dateDiff('day', toDate('2020-01-01'), toDate('2020-02-01')) → 31"},
		&Scalar{Name: "age", MinArgs: 3, MaxArgs: 4, ConstArgs: []int{0}, Resolve: resolveDateDiff("age"), Eval: evalDateDiff(true), Family: "dates", Doc: "Counts the full units between two times.", Example: "age('month', toDate('2020-01-31'), toDate('2020-02-28')) → 0"},
		&Scalar{Name: "timeDiff", MinArgs: 2, MaxArgs: 2, Resolve: fixed("timeDiff", types.TInt64, isDateOrTime), Eval: evalTimeDiff, Family: "dates", Doc: "Returns the seconds between two times.", Example: "timeDiff(toDateTime('2020-01-01 00:00:00'), toDateTime('2020-01-01 00:00:05')) → 5"},
	)
}

func resolveDateDiff(name string) func(*Env, []Arg) (*types.Type, error) {
	return func(_ *Env, args []Arg) (*types.Type, error) {
		if _, err := unitArg(name, args, 0); err != nil {
			return nil, err
		}
		for i := 1; i < 3; i++ {
			if t := args[i].Type; !t.IsDateOrTime() {
				return nil, illegal(name, i, t)
			}
		}
		return types.TInt64, checkZoneArg(args, 3)
	}
}

// moment is an instant as dateDiff sees it.
type moment struct {
	local int64 // wall clock seconds
	nanos int64 // within the second
}

// momentsOf reads dates and times on the wall clock of the zone argument or their own zone.
func momentsOf(c *Call, at int) func(i int) moment {
	v, t := c.Args[at], c.Types[at]
	local := newBroadcast(localArg(c, at), c.Rows)
	ticks := numArg[int64](v, c.Rows)
	unit := pow10Int(t.Scale)
	return func(i int) moment {
		m := moment{local: local.at(i)}
		if t.Scale > 0 {
			m.nanos = civil.Mod(ticks.at(i), unit) * pow10Int(9-t.Scale)
		}
		return m
	}
}

// localArg is an argument's wall clock seconds in the zone of the fourth argument, else in its own.
func localArg(c *Call, at int) []int64 {
	zone := c.Env.zoneOf(c.Types[at])
	if len(c.Args) > 3 {
		zone = zoneAt(c, 3)
	}
	return localSeconds(c.Args[at], c.Types[at], zone)
}

func evalDateDiff(full bool) func(*Call) (column.Vector, error) {
	return func(c *Call) (column.Vector, error) {
		name, _ := stringConst(c.Args[0])
		u, _ := types.ParseUnit(name)
		out := make([]int64, c.Rows)
		if !full && u >= types.Second {
			a, b := unitNumbers(c, u, 1), unitNumbers(c, u, 2)
			for i := range out {
				out[i] = b.at(i) - a.at(i)
			}
			return newNum(c.Result, out), nil
		}
		a, b := momentsOf(c, 1), momentsOf(c, 2)
		for i := range out {
			if u < types.Second {
				out[i] = subseconds(u, a(i), b(i))
			} else {
				out[i] = fullUnits(u, a(i), b(i))
			}
		}
		return newNum(c.Result, out), nil
	}
}

// unitNumbers is unitNumber of the times of an argument, of a constant once.
func unitNumbers(c *Call, u types.Unit, at int) broadcast[int64] {
	local := localArg(c, at)
	for i, x := range local {
		local[i] = unitNumber(u, moment{local: x})
	}
	return newBroadcast(local, c.Rows)
}

func subseconds(u types.Unit, a, b moment) int64 {
	per := int64(1e9) / u.Nanoseconds()
	return (b.local-a.local)*per + civil.FloorDiv(b.nanos, u.Nanoseconds()) - civil.FloorDiv(a.nanos, u.Nanoseconds())
}

// unitNumber numbers the units since some origin: it grows by one at each border.
func unitNumber(u types.Unit, m moment) int64 {
	if u <= types.Hour {
		return civil.FloorDiv(m.local, max(u.Nanoseconds()/1e9, 1))
	}
	d := civil.FloorDiv(m.local, civil.Day)
	switch u {
	case types.Day:
		return d
	case types.Week:
		return civil.FloorDiv(d+3, 7)
	}
	y, mon, _ := civil.FromDays(d)
	switch u {
	case types.Month:
		return int64(y)*12 + int64(mon)
	case types.Quarter:
		return int64(y)*4 + int64(mon-1)/3
	}
	return int64(y)
}

// fullUnits counts whole units from a to b, negative if b is earlier.
func fullUnits(u types.Unit, a, b moment) int64 {
	if b.local < a.local || b.local == a.local && b.nanos < a.nanos {
		return -fullUnits(u, b, a)
	}
	if s := u.Nanoseconds() / 1e9; s > 0 {
		d := b.local - a.local
		if b.nanos < a.nanos {
			d--
		}
		return d / s
	}
	n := unitNumber(types.Month, b) - unitNumber(types.Month, a)
	if inMonth(b) < inMonth(a) || inMonth(b) == inMonth(a) && b.nanos < a.nanos {
		n--
	}
	return n / max(u.Months(), 1)
}

// inMonth is the seconds since the month's start.
func inMonth(m moment) int64 {
	d := civil.FloorDiv(m.local, civil.Day)
	_, _, day := civil.FromDays(d)
	return int64(day)*civil.Day + m.local - d*civil.Day
}

func evalTimeDiff(c *Call) (column.Vector, error) {
	a, b := momentsOf(c, 0), momentsOf(c, 1)
	out := make([]int64, c.Rows)
	for i := range out {
		out[i] = b(i).local - a(i).local
	}
	return newNum(c.Result, out), nil
}
