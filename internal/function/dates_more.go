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
	isDay := func(t *types.Type) bool { return isPlainInt(t) }
	register(
		&Scalar{Name: "fromDaysSinceYearZero", Aliases: []string{"FROM_DAYS"}, CaseInsensitive: true, MinArgs: 1, MaxArgs: 1, Resolve: fixed("fromDaysSinceYearZero", types.TDate, isDay), Eval: evalFromYearZero, Family: "dates", Doc: "Returns the date of so many days since the year 0.", Example: "fromDaysSinceYearZero(739136) → 2023-09-08"},
		&Scalar{Name: "fromDaysSinceYearZero32", MinArgs: 1, MaxArgs: 1, Resolve: fixed("fromDaysSinceYearZero32", types.TDate32, isDay), Eval: evalFromYearZero, Family: "dates", Doc: "Returns the Date32 of so many days since the year 0.", Example: "fromDaysSinceYearZero32(739136) → 2023-09-08"},
		&Scalar{Name: "toModifiedJulianDayOrNull", MinArgs: 1, MaxArgs: 1, Resolve: fixed("toModifiedJulianDayOrNull", types.NewNullable(types.TInt32), isStr), Eval: evalJulianOrNull, Family: "dates", Doc: "Returns the Modified Julian Day of a date written as YYYY-MM-DD; NULL if it is none.", Example: "toModifiedJulianDayOrNull('x') → NULL"},
	)
	for _, f := range []struct {
		name, alias, doc, example string
		to                        bool
	}{
		{"toUTCTimestamp", "to_utc_timestamp", "Takes a time for one of a zone and returns what it is in UTC.", "toUTCTimestamp(toDateTime('2023-03-16 00:00:00'), 'Asia/Shanghai') → 2023-03-15 16:00:00", true},
		{"fromUTCTimestamp", "from_utc_timestamp", "Takes a time for one in UTC and returns what it is in a zone.", "fromUTCTimestamp(toDateTime('2023-03-16 10:00:00'), 'Asia/Shanghai') → 2023-03-16 18:00:00", false},
	} {
		register(&Scalar{Name: f.name, Aliases: []string{f.alias}, CaseInsensitive: true, MinArgs: 2, MaxArgs: 2, ConstArgs: []int{1}, Resolve: resolveUTCTimestamp(f.name), Eval: evalUTCTimestamp(f.to), Family: "dates", Doc: f.doc, Example: f.example})
	}
}

// yearZero is the number of days from the year 0 to 1970.
const yearZero = 719528

// evalFromYearZero wraps days beyond what the type holds, as ClickHouse does.
func evalFromYearZero(c *Call) (column.Vector, error) {
	out := make([]int64, c.Rows)
	for i, n := range fullNums[int64](c.Args[0], c.Rows) {
		if n < 0 && !c.Types[0].IsUnsigned() {
			return nil, sqlerr.New(sqlerr.ArgumentOutOfBound, "Expected a non-negative number of days, got %d", n)
		}
		out[i] = n - yearZero
	}
	return narrow(c.Result, out), nil
}

func evalJulianOrNull(c *Call) (column.Vector, error) {
	s, out, nulls := stringsOf(c.Args[0]), make([]int32, c.Rows), make([]uint8, c.Rows)
	for i := range out {
		day, err := time.Parse(time.DateOnly, string(trimZeros(s.row(i))))
		if err != nil {
			nulls[i] = 1
			continue
		}
		out[i] = int32(civil.FloorDiv(day.Unix(), civil.Day)) + julianEpoch
	}
	return column.NewNullable(nulls, newNum(types.TInt32, out)), nil
}

func resolveUTCTimestamp(name string) func(*Env, []Arg) (*types.Type, error) {
	return func(_ *Env, args []Arg) (*types.Type, error) {
		if t := args[0].Type; !isDateTime(t) || t.Zone != nil {
			return nil, illegal(name, 0, args[0].Type)
		}
		if !isText(args[1].Type) {
			return nil, illegal(name, 1, args[1].Type)
		}
		return args[0].Type, checkZoneArg(args, 1)
	}
}

func evalUTCTimestamp(to bool) func(*Call) (column.Vector, error) {
	return func(c *Call) (column.Vector, error) {
		name, _ := stringConst(c.Args[1])
		zone, err := types.LoadZone(name)
		if err != nil {
			return nil, sqlerr.Wrap(err, sqlerr.BadArguments, "time zone %s", types.QuoteString(name))
		}
		cur, unit, out := civil.NewCursor(zone), pow10Int(c.Types[0].Scale), make([]int64, c.Rows)
		for i, ticks := range fullNums[int64](c.Args[0], c.Rows) {
			unix := civil.FloorDiv(ticks, unit)
			shift := cur.Offset(unix)
			if to {
				shift = cur.Unix(unix) - unix
			}
			out[i] = ticks + shift*unit
		}
		if c.Result.Kind == types.DateTime64 {
			return newNum(c.Result, out), nil
		}
		for i, unix := range out {
			out[i] = min(max(unix, 0), valuetext.MaxDateTime)
		}
		return narrow(c.Result, out), nil
	}
}
