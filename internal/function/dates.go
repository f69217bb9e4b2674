package function

import (
	"time"

	"github.com/olapd/olapd/internal/civil"
	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/internal/types"
)

func isDateOrTime(t *types.Type) bool { return t.IsDateOrTime() }

func isDateTime(t *types.Type) bool { return t.IsDateTime() }

// localDays returns the day number of each value in the zone (of a date, as it is).
func localDays(v column.Vector, t *types.Type, zone *time.Location) []int64 {
	data := numsOf[int64](v)
	if t.IsDate() {
		return data
	}
	out := localSeconds(v, t, zone)
	for i, s := range out {
		out[i] = civil.FloorDiv(s, civil.Day)
	}
	return out
}

// localSeconds returns the wall clock's seconds of each value in the zone, in new memory.
func localSeconds(v column.Vector, t *types.Type, zone *time.Location) []int64 {
	data := numsOf[int64](v)
	out := make([]int64, len(data))
	if t.IsDate() {
		for i, d := range data {
			out[i] = d * civil.Day
		}
		return out
	}
	cur := civil.NewCursor(zone)
	unit := pow10Int(t.Scale)
	if unit == 1 {
		for i, x := range data {
			out[i] = cur.Local(x)
		}
		return out
	}
	for i, x := range data {
		out[i] = cur.Local(civil.FloorDiv(x, unit))
	}
	return out
}

// zoneAt is the zone named by the constant argument at, else the zone of the first argument.
func zoneAt(c *Call, at int) *time.Location {
	if at < len(c.Args) {
		if name, ok := stringConst(c.Args[at]); ok {
			if loc, err := types.LoadZone(name); err == nil {
				return loc
			}
		}
	}
	return c.Env.zoneOf(c.Types[0])
}

// checkZoneArg refuses a zone argument that is no zone.
func checkZoneArg(args []Arg, at int) error {
	if at >= len(args) {
		return nil
	}
	_, err := zoneArg(args, at)
	return err
}

// constOrVector makes one value a Const over all rows; other vectors stay.
func constOrVector(c *Call, v column.Vector) column.Vector {
	if v.Len() == 1 && c.Rows != 1 {
		return &column.Const{Value: v, N: c.Rows}
	}
	return v
}

// dateParts are the functions that take a date apart: from local seconds since the epoch to a number.
var dateParts = []struct {
	name     string
	aliases  []string
	result   *types.Type
	check    argCheck
	doc      string
	days     func(int64) int64 // of a day number
	mod, div uint32            // of local seconds: modulo mod, divided by div
	seconds  func(int64) int64 // of local seconds; one of the three
}{
	{name: "toYear", aliases: []string{"YEAR"}, result: types.TUInt16, days: func(d int64) int64 { y, _, _ := civil.FromDays(d); return int64(y) }, doc: "Returns the year."},
	{name: "toQuarter", aliases: []string{"QUARTER"}, result: types.TUInt8, days: func(d int64) int64 { _, m, _ := civil.FromDays(d); return int64(m+2) / 3 }, doc: "Returns the quarter, 1 to 4."},
	{name: "toMonth", aliases: []string{"MONTH"}, result: types.TUInt8, days: func(d int64) int64 { _, m, _ := civil.FromDays(d); return int64(m) }, doc: "Returns the month, 1 to 12."},
	{name: "toDayOfMonth", aliases: []string{"DAY", "DAYOFMONTH"}, result: types.TUInt8, days: func(d int64) int64 { _, _, day := civil.FromDays(d); return int64(day) }, doc: "Returns the day of the month."},
	{name: "toDayOfYear", aliases: []string{"DAYOFYEAR"}, result: types.TUInt16, days: func(d int64) int64 { return int64(civil.YearDay(d)) }, doc: "Returns the day of the year from 1."},
	{name: "toISOWeek", result: types.TUInt8, days: func(d int64) int64 { _, w := civil.ISOWeek(d); return int64(w) }, doc: "Returns the ISO 8601 week."},
	{name: "toISOYear", result: types.TUInt16, days: func(d int64) int64 { y, _ := civil.ISOWeek(d); return int64(y) }, doc: "Returns the ISO 8601 year."},
	{name: "toYYYYMM", result: types.TUInt32, days: func(d int64) int64 { y, m, _ := civil.FromDays(d); return int64(y*100 + m) }, doc: "Returns the number YYYYMM."},
	{name: "toYYYYMMDD", result: types.TUInt32, days: func(d int64) int64 { y, m, day := civil.FromDays(d); return int64(y*10000 + m*100 + day) }, doc: "Returns the number YYYYMMDD."},
	{name: "toRelativeYearNum", result: types.TUInt16, days: func(d int64) int64 { y, _, _ := civil.FromDays(d); return int64(y) }, doc: "Returns the year's number."},
	{name: "toRelativeQuarterNum", result: types.TUInt32, days: func(d int64) int64 { y, m, _ := civil.FromDays(d); return int64(y*4 + (m-1)/3) }, doc: "Returns a number that grows by one a quarter."},
	{name: "toRelativeMonthNum", result: types.TUInt32, days: func(d int64) int64 { y, m, _ := civil.FromDays(d); return int64(y*12 + m) }, doc: "Returns a number that grows by one a month."},
	{name: "toRelativeWeekNum", result: types.TUInt32, days: func(d int64) int64 { return (d + 8 - int64(civil.Weekday(d))) / 7 }, doc: "Returns a number that grows by one a week."},
	{name: "toRelativeDayNum", result: types.TUInt32, days: func(d int64) int64 { return d }, doc: "Returns the days since 1970-01-01."},
	{name: "toDaysInMonth", result: types.TUInt8, days: func(d int64) int64 { y, m, _ := civil.FromDays(d); return int64(civil.MonthDays(y, m)) }, doc: "Returns how many days the month has."},
	{name: "toDaysSinceYearZero", aliases: []string{"TO_DAYS"}, result: types.TUInt32, days: func(d int64) int64 { return d + yearZero }, doc: "Returns the days since the year 0."},
	{name: "toMonthNumSinceEpoch", result: types.TUInt32, days: func(d int64) int64 { y, m, _ := civil.FromDays(d); return int64(y-1970)*12 + int64(m-1) }, doc: "Returns the months since January 1970."},
	{name: "toYearNumSinceEpoch", result: types.TUInt16, days: func(d int64) int64 { y, _, _ := civil.FromDays(d); return int64(y - 1970) }, doc: "Returns the years since 1970."},
	{name: "toHour", aliases: []string{"HOUR"}, result: types.TUInt8, check: isDateTime, mod: civil.Day, div: 3600, doc: "Returns the hour, 0 to 23."},
	{name: "toMinute", aliases: []string{"MINUTE"}, result: types.TUInt8, check: isDateTime, mod: 3600, div: 60, doc: "Returns the minute."},
	{name: "toSecond", aliases: []string{"SECOND"}, result: types.TUInt8, check: isDateTime, mod: 60, div: 1, doc: "Returns the second."},
	{name: "toYYYYMMDDhhmmss", result: types.TUInt64, seconds: func(s int64) int64 {
		y, m, d := civil.FromDays(civil.FloorDiv(s, civil.Day))
		t := civil.Mod(s, civil.Day)
		return ((int64(y)*100+int64(m))*100+int64(d))*1000000 + t/3600*10000 + t/60%60*100 + t%60
	}, doc: "Returns the number YYYYMMDDhhmmss."},
}

func init() {
	for _, p := range dateParts {
		check := p.check
		if check == nil {
			check = isDateOrTime
		}
		if p.mod > 0 {
			mod, div := int64(p.mod), int64(p.div)
			p.seconds = func(s int64) int64 { return civil.Mod(s, mod) / div }
		}
		register(&Scalar{Name: p.name, Aliases: p.aliases, CaseInsensitive: len(p.aliases) > 0, MinArgs: 1, MaxArgs: 2, Family: "dates", Doc: p.doc,
			Resolve: func(_ *Env, args []Arg) (*types.Type, error) {
				if err := checkTypes(p.name, args[:1], check); err != nil {
					return nil, err
				}
				return p.result, checkZoneArg(args, 1)
			},
			Eval: func(c *Call) (column.Vector, error) {
				if t, ok := plainTimesOf(c.Args[0], c.Types[0], zoneAt(c, 1)); ok && p.mod > 0 {
					return newNum(c.Result, t.parts(p.mod, p.div)), nil
				}
				return evalDatePart(c, p.days, p.seconds), nil
			}})
	}
	register(
		&Scalar{Name: "toDayOfWeek", Aliases: []string{"DAYOFWEEK"}, CaseInsensitive: true, MinArgs: 1, MaxArgs: 3, Resolve: resolveWeek("toDayOfWeek", types.TUInt8), Eval: evalDayOfWeek, Family: "dates", Doc: "Returns the day of the week, Monday 1; other modes count from 0 or Sunday.", Example: "toDayOfWeek(toDate('2020-02-03')) → 1"},
		&Scalar{Name: "toWeek", Aliases: []string{"WEEK"}, CaseInsensitive: true, MinArgs: 1, MaxArgs: 3, Resolve: resolveWeek("toWeek", types.TUInt8), Eval: evalWeek(false), Family: "dates", Doc: "Returns the week of the year in MySQL's modes.", Example: "toWeek(toDate('2020-01-01')) → 0"},
		&Scalar{Name: "toYearWeek", Aliases: []string{"YEARWEEK"}, CaseInsensitive: true, MinArgs: 1, MaxArgs: 3, Resolve: resolveWeek("toYearWeek", types.TUInt32), Eval: evalWeek(true), Family: "dates", Doc: "Returns year × 100 + week in MySQL's modes.", Example: "toYearWeek(toDate('2019-12-31')) → 201952"},
		relativeNum("toRelativeHourNum", 3600), relativeNum("toRelativeMinuteNum", 60), relativeNum("toRelativeSecondNum", 1),
		&Scalar{Name: "toMillisecond", Aliases: []string{"MILLISECOND"}, CaseInsensitive: true, MinArgs: 1, MaxArgs: 2, Resolve: fixed("toMillisecond", types.TUInt16, isDateTime, isAny), Eval: evalMillisecond, Family: "dates", Doc: "Returns the millisecond within the second.", Example: "toMillisecond(toDateTime64('2020-01-01 00:00:00.5', 3)) → 500"},
	)
}

// evalDatePart computes a part per row. Neighbouring rows mostly lie on one day, so the last day's answer is kept.
func evalDatePart(c *Call, days, seconds func(int64) int64) column.Vector {
	zone := zoneAt(c, 1)
	var data []int64
	if seconds != nil {
		data = localSeconds(c.Args[0], c.Types[0], zone)
		out := make([]int64, len(data))
		for i, s := range data {
			out[i] = seconds(s)
		}
		return constOrVector(c, narrow(c.Result, out))
	}
	if d, ok := plainDays(c.Args[0], c.Types[0], zone); ok {
		return ofDays(c.Result, d, days)
	}
	data = localDays(c.Args[0], c.Types[0], zone)
	return constOrVector(c, narrow(c.Result, perDay(data, days)))
}

// perDay applies f to day numbers, once for a run of the same day.
func perDay(data []int64, f func(int64) int64) []int64 {
	out := make([]int64, len(data))
	last, r := int64(-1<<62), int64(0)
	for i, d := range data {
		if d != last {
			last, r = d, f(d)
		}
		out[i] = r
	}
	return out
}

func relativeNum(name string, unit int64) *Scalar {
	return &Scalar{Name: name, MinArgs: 1, MaxArgs: 2, Family: "dates", Doc: "Returns a number that grows by one per unit.",
		Resolve: fixed(name, types.TUInt32, isDateOrTime, isAny),
		Eval: func(c *Call) (column.Vector, error) {
			ticks := ticksOf(c.Args[0], c.Types[0], c.Types[0].Scale, zoneAt(c, 1))
			out := make([]int64, len(ticks))
			zone := civil.ZoneOf(zoneAt(c, 1))
			for i, x := range ticks {
				s := civil.FloorDiv(x, pow10Int(c.Types[0].Scale))
				if unit == 3600 { // zones may be off by part of an hour
					s += civil.Mod(zone.Offset(s), 3600)
				}
				out[i] = civil.FloorDiv(s, unit)
			}
			return constOrVector(c, narrow(c.Result, out)), nil
		}}
}

func resolveWeek(name string, result *types.Type) func(*Env, []Arg) (*types.Type, error) {
	return func(_ *Env, args []Arg) (*types.Type, error) {
		if t := args[0].Type; !t.IsDateOrTime() && t.Kind != types.String {
			return nil, illegal(name, 0, t)
		}
		if len(args) > 1 && !isPlainInt(args[1].Type) {
			return nil, illegal(name, 1, args[1].Type)
		}
		return result, checkZoneArg(args, 2)
	}
}

// weekDays are the local days of the first argument, a date or text.
func weekDays(c *Call) ([]int64, error) {
	v, t := c.Args[0], c.Types[0]
	if t.Kind == types.String {
		var err error
		t = types.NewDateTime64(3, nil)
		if v, err = Cast(c.Env, v, t); err != nil {
			return nil, err
		}
	}
	return fullNums[int64](newNum(types.TInt64, localDays(v, t, zoneAt(c, 2))), c.Rows), nil
}

// modeArg is the optional second argument.
func modeArg(c *Call) broadcast[int64] {
	if len(c.Args) < 2 {
		return broadcast[int64]{[]int64{0}, 0}
	}
	return numArg[int64](c.Args[1], c.Rows)
}

func evalDayOfWeek(c *Call) (column.Vector, error) {
	days, err := weekDays(c)
	if err != nil {
		return nil, err
	}
	mode := modeArg(c)
	out := make([]uint8, len(days))
	for i, d := range days {
		w := int64(civil.Weekday(d))
		switch mode.at(i) & 3 {
		case 1:
			w--
		case 2:
			w %= 7
		case 3:
			w = w%7 + 1
		}
		out[i] = uint8(w)
	}
	return newNum(c.Result, out), nil
}

func evalWeek(withYear bool) func(*Call) (column.Vector, error) {
	return func(c *Call) (column.Vector, error) {
		days, err := weekDays(c)
		if err != nil {
			return nil, err
		}
		mode := modeArg(c)
		out := make([]int64, len(days))
		for i, d := range days {
			m := mode.at(i)
			if withYear {
				m |= weekYear
			}
			y, w := weekOf(d, m)
			out[i] = int64(w)
			if withYear {
				out[i] += int64(y) * 100
			}
		}
		return narrow(c.Result, out), nil
	}
}

// The bits of a MySQL week mode; week 1 is the first with 4 or more days, unless weekFirst says the first full one.
const (
	weekMonday  = 1
	weekYear    = 2
	weekFirst   = 4
	weekJanuary = 8 // week 1 is the one with January 1
)

// weekOf returns the year and the week of a day in a MySQL mode.
func weekOf(d, mode int64) (int, int) {
	mode &= 15
	if mode&weekMonday == 0 && mode < 8 {
		mode ^= weekFirst
	}
	y, _, _ := civil.FromDays(d)
	if mode&weekJanuary != 0 {
		return weekOfJanuary(d, y, mode&weekMonday != 0)
	}
	start := func(year int) int64 { // first day of week 1
		first := civil.ToDays(year, 1, 1)
		w := int64(civil.Weekday(first)) - 1
		if mode&weekMonday == 0 {
			w = (w + 1) % 7
		}
		if mode&weekFirst != 0 && w != 0 || mode&weekFirst == 0 && w > 3 {
			return first - w + 7
		}
		return first - w
	}
	switch {
	case d < start(y):
		if mode&weekYear == 0 {
			return y, 0
		}
		y--
	case mode&weekYear != 0 && d >= start(y+1):
		return y + 1, 1
	}
	return y, int(d-start(y))/7 + 1
}

func weekOfJanuary(d int64, y int, monday bool) (int, int) {
	begin := func(x int64) int64 {
		w := int64(civil.Weekday(x)) - 1
		if !monday {
			w = (w + 1) % 7
		}
		return x - w
	}
	if next := begin(civil.ToDays(y+1, 1, 1)); d >= next {
		return y + 1, 1
	}
	return y, int(d-begin(civil.ToDays(y, 1, 1)))/7 + 1
}

func evalMillisecond(c *Call) (column.Vector, error) {
	t := c.Types[0]
	data := numsOf[int64](c.Args[0])
	out := make([]int64, len(data))
	if t.Scale > 0 {
		unit := pow10Int(t.Scale)
		for i, x := range data {
			out[i] = civil.Mod(x, unit) * 1000 / unit
		}
	}
	return constOrVector(c, narrow(c.Result, out)), nil
}

// unitArg is a constant unit name argument.
func unitArg(name string, args []Arg, i int) (types.Unit, error) {
	s, ok := constString(args, i)
	if !ok {
		return 0, sqlerr.New(sqlerr.IllegalColumn, "Argument %d of function %s must be a constant string: the name of a unit", i+1, name)
	}
	u, ok := types.ParseUnit(s)
	if !ok {
		return 0, sqlerr.New(sqlerr.BadArguments, "%s doesn't look like a date or time unit for function %s", types.QuoteString(s), name)
	}
	return u, nil
}
