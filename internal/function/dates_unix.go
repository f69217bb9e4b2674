package function

import (
	"strconv"
	"time"

	"github.com/olapd/olapd/internal/civil"
	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/kernel"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/internal/types"
	"github.com/olapd/olapd/internal/valuetext"
)

func init() {
	register(
		&Scalar{Name: "toUnixTimestamp", MinArgs: 1, MaxArgs: 2, Resolve: resolveToUnix, Eval: evalToUnix, Family: "dates", Doc: "Returns the seconds since 1970.", Example: "toUnixTimestamp(toDateTime('2020-02-03 04:05:06')) → 1580702706"},
		&Scalar{Name: "fromUnixTimestamp", Aliases: []string{"FROM_UNIXTIME"}, CaseInsensitive: true, MinArgs: 1, MaxArgs: 3, Resolve: resolveFromUnix, Eval: evalFromUnix, Family: "dates", Doc: "Makes a time of seconds since 1970, or its text in a format.", Example: "fromUnixTimestamp(1580702706) → 2020-02-03 04:05:06"},
		&Scalar{Name: "toTimeZone", Aliases: []string{"toTimezone"}, MinArgs: 2, MaxArgs: 2, ConstArgs: []int{1}, Resolve: resolveToTimeZone, Eval: func(c *Call) (column.Vector, error) { return column.WithType(c.Args[0], c.Result), nil }, Family: "dates", Doc: "Shows a time in another zone.", Example: "toTimeZone(toDateTime('2020-02-05 14:47:06'), 'Asia/Tokyo') → 2020-02-05 23:47:06"},
		&Scalar{Name: "timezoneOf", Aliases: []string{"timeZoneOf"}, MinArgs: 1, MaxArgs: 1, Resolve: fixed("timezoneOf", types.TString, isDateTime), Eval: func(c *Call) (column.Vector, error) {
			return column.NewConst(types.TString, c.Env.zoneOf(c.Types[0]).String(), c.Rows), nil
		}, Family: "dates", Doc: "Returns the time zone of a type."},
		&Scalar{Name: "timezoneOffset", Aliases: []string{"timeZoneOffset"}, MinArgs: 1, MaxArgs: 1, Resolve: fixed("timezoneOffset", types.TInt32, isDateTime), Eval: evalZoneOffset, Family: "dates", Doc: "Returns the seconds that the zone is ahead of UTC."},
		&Scalar{Name: "makeDate", CaseInsensitive: true, MinArgs: 2, MaxArgs: 3, Resolve: fixed("makeDate", types.TDate, isNumeric), Eval: evalMakeDate, Family: "dates", Doc: "Makes a date of year, month and day, or year and day of the year.", Example: "makeDate(2020, 2, 5) → 2020-02-05"},
		&Scalar{Name: "makeDate32", MinArgs: 2, MaxArgs: 3, Resolve: fixed("makeDate32", types.TDate32, isNumeric), Eval: evalMakeDate, Family: "dates", Doc: "Makes a Date32.", Example: "makeDate32(2020, 2, 5) → 2020-02-05"},
		&Scalar{Name: "makeDateTime", MinArgs: 6, MaxArgs: 7, Resolve: resolveMakeDateTime, Eval: evalMakeDateTime, Family: "dates", Doc: "Makes a time of its parts.", Example: "makeDateTime(2020, 2, 5, 1, 2, 3) → 2020-02-05 01:02:03"},
		&Scalar{Name: "formatDateTime", Aliases: []string{"DATE_FORMAT"}, CaseInsensitive: true, MinArgs: 2, MaxArgs: 3, Resolve: resolveFormatDateTime, Eval: evalFormatDateTime, Family: "dates", Doc: "Writes a time in MySQL's format.", Example: "formatDateTime(toDate('2020-02-05'), '%d.%m.%Y') → 05.02.2020"},
		&Scalar{Name: "dateName", CaseInsensitive: true, MinArgs: 2, MaxArgs: 3, ConstArgs: []int{0}, Resolve: resolveDateName, Eval: evalDateName, Family: "dates", Doc: "Returns the name of a part of a date.", Example: "dateName('month', toDate('2020-02-05')) → February"},
		&Scalar{Name: "monthName", CaseInsensitive: true, MinArgs: 1, MaxArgs: 1, Resolve: fixed("monthName", types.TString, isDateOrTime), Eval: func(c *Call) (column.Vector, error) { return formatTimes(c, 0, "%M", zoneAt(c, 1)) }, Family: "dates", Doc: "Returns the month's name.", Example: "monthName(toDate('2020-02-05')) → February"},
	)
	for _, f := range []struct {
		name  string
		scale int
	}{{"Second", 0}, {"Milli", 3}, {"Micro", 6}, {"Nano", 9}} {
		register(
			&Scalar{Name: "toUnixTimestamp64" + f.name, MinArgs: 1, MaxArgs: 1, Family: "dates", Doc: "Returns the ticks since 1970.",
				Resolve: fixed("toUnixTimestamp64"+f.name, types.TInt64, func(t *types.Type) bool { return t.Kind == types.DateTime64 }),
				Eval: func(c *Call) (column.Vector, error) {
					data := numsOf[int64](c.Args[0])
					out := make([]int64, len(data))
					rescale(out, data, c.Types[0].Scale, f.scale)
					return constOrVector(c, newNum(c.Result, out)), nil
				}},
			&Scalar{Name: "fromUnixTimestamp64" + f.name, MinArgs: 1, MaxArgs: 2, Family: "dates", Doc: "Makes a DateTime64 of ticks since 1970.",
				Resolve: func(_ *Env, args []Arg) (*types.Type, error) {
					if !isPlainInt(args[0].Type) {
						return nil, illegal("fromUnixTimestamp64"+f.name, 0, args[0].Type)
					}
					zone, err := zoneArg(args, 1)
					return types.NewDateTime64(f.scale, zone), err
				},
				Eval: func(c *Call) (column.Vector, error) {
					return constOrVector(c, newNum(c.Result, numsOf[int64](c.Args[0]))), nil
				}},
		)
	}
}

func resolveToUnix(_ *Env, args []Arg) (*types.Type, error) {
	if t := args[0].Type; !t.IsDateOrTime() && !t.IsString() && !isNumeric(t) {
		return nil, illegal("toUnixTimestamp", 0, t)
	}
	return types.TUInt32, checkZoneArg(args, 1)
}

func evalToUnix(c *Call) (column.Vector, error) {
	var zone *time.Location
	if len(c.Args) > 1 {
		zone = zoneAt(c, 1)
	}
	if isNumeric(c.Types[0]) {
		return Cast(c.Env, c.Args[0], types.TUInt32)
	}
	v, err := Cast(c.Env, c.Args[0], types.NewDateTime(zone))
	if err != nil {
		return nil, err
	}
	return column.WithType(v, types.TUInt32), nil
}

func resolveFromUnix(env *Env, args []Arg) (*types.Type, error) {
	if !isPlainInt(args[0].Type) {
		return nil, illegal("fromUnixTimestamp", 0, args[0].Type)
	}
	if len(args) == 1 {
		return types.TDateTime, nil
	}
	if !args[1].Type.IsString() {
		return nil, illegal("fromUnixTimestamp", 1, args[1].Type)
	}
	return types.TString, checkZoneArg(args, 2)
}

func evalFromUnix(c *Call) (column.Vector, error) {
	v, err := Cast(c.Env, c.Args[0], types.TDateTime)
	if err != nil || len(c.Args) == 1 {
		return v, err
	}
	in := *c
	in.Args = append([]column.Vector{v}, c.Args[1:]...)
	in.Types = append([]*types.Type{types.TDateTime}, c.Types[1:]...)
	return evalFormatDateTime(&in)
}

func resolveToTimeZone(_ *Env, args []Arg) (*types.Type, error) {
	zone, err := zoneArg(args, 1)
	if err != nil {
		return nil, err
	}
	switch t := args[0].Type; t.Kind {
	case types.DateTime:
		return types.NewDateTime(zone), nil
	case types.DateTime64:
		return types.NewDateTime64(t.Scale, zone), nil
	}
	return nil, illegal("toTimeZone", 0, args[0].Type)
}

func evalZoneOffset(c *Call) (column.Vector, error) {
	data := numsOf[int64](c.Args[0])
	out := make([]int32, len(data))
	cur := civil.NewCursor(c.Env.zoneOf(c.Types[0]))
	for i, x := range data {
		out[i] = int32(cur.Offset(civil.FloorDiv(x, pow10Int(c.Types[0].Scale))))
	}
	return constOrVector(c, newNum(c.Result, out)), nil
}

func evalMakeDate(c *Call) (column.Vector, error) {
	part := intParts(c, len(c.Args))
	out := make([]int64, c.Rows)
	for i := range out {
		y, m, d := part[0].at(i), int64(1), part[1].at(i)
		limit := int64(366)
		if len(c.Args) == 3 {
			m, d = d, part[2].at(i)
			limit = 31
		}
		if y < 0 || y > 9999 || m < 1 || m > 12 || d < 1 || d > limit || len(c.Args) == 3 && d > int64(civil.MonthDays(int(y), int(m))) {
			continue
		}
		days := civil.ToDays(int(y), int(m), 1) + d - 1
		if valuetext.ClampDays(days, c.Result) == days {
			out[i] = days
		}
	}
	return narrow(c.Result, out), nil
}

func intParts(c *Call, n int) []broadcast[int64] {
	out := make([]broadcast[int64], n)
	for k := range out {
		v, err := Cast(c.Env, c.Args[k], types.TInt64)
		if err != nil {
			v = column.NewDefaults(types.TInt64, c.Rows)
		}
		out[k] = numArg[int64](v, c.Rows)
	}
	return out
}

func resolveMakeDateTime(_ *Env, args []Arg) (*types.Type, error) {
	if err := checkTypes("makeDateTime", args[:6], isNumeric); err != nil {
		return nil, err
	}
	zone, err := zoneArg(args, 6)
	return types.NewDateTime(zone), err
}

func evalMakeDateTime(c *Call) (column.Vector, error) {
	p := intParts(c, 6)
	zone := civil.NewCursor(c.Env.zoneOf(c.Result))
	out := make([]int64, c.Rows)
	for i := range out {
		y, m, d, h, min, s := p[0].at(i), p[1].at(i), p[2].at(i), p[3].at(i), p[4].at(i), p[5].at(i)
		if y < 1970 || y > 2106 || m < 1 || m > 12 || d < 1 || d > 31 || h < 0 || h > 23 || min < 0 || min > 59 || s < 0 || s > 59 {
			continue
		}
		out[i] = storeSeconds(zone.Unix(civil.ToDays(int(y), int(m), int(d))*civil.Day+h*3600+min*60+s), c.Result)
	}
	return narrow(c.Result, out), nil
}

func resolveFormatDateTime(_ *Env, args []Arg) (*types.Type, error) {
	if !args[0].Type.IsDateOrTime() {
		return nil, illegal("formatDateTime", 0, args[0].Type)
	}
	if !args[1].Type.IsString() {
		return nil, illegal("formatDateTime", 1, args[1].Type)
	}
	return types.TString, checkZoneArg(args, 2)
}

func evalFormatDateTime(c *Call) (column.Vector, error) {
	if s, ok := stringConst(c.Args[1]); ok && isConstVector(c.Args[1]) {
		return formatTimes(c, 0, s, zoneAt(c, 2))
	}
	f := stringsOf(c.Args[1])
	out := stringResult(c)
	for i := range c.Rows {
		one := &Call{Env: c.Env, Args: []column.Vector{column.Flatten(c.Args[0]).Slice(i, i+1)}, Types: c.Types, Result: c.Result, Rows: 1}
		v, err := formatTimes(one, 0, string(f.row(i)), zoneAt(c, 2))
		if err != nil {
			return nil, err
		}
		out.AppendRange(v, 0, 1)
	}
	return out, nil
}

func resolveDateName(_ *Env, args []Arg) (*types.Type, error) {
	s, ok := constString(args, 0)
	if !ok {
		return nil, illegal("dateName", 0, args[0].Type)
	}
	if dateNameFormats[s] == "" {
		return nil, sqlerr.New(sqlerr.BadArguments, "%s is not a date part for function dateName", types.QuoteString(s))
	}
	if !args[1].Type.IsDateOrTime() {
		return nil, illegal("dateName", 1, args[1].Type)
	}
	return types.TString, checkZoneArg(args, 2)
}

// dateNameFormats are formats of formatTimes; %1 to %9 are its own numbers without leading zeros.
var dateNameFormats = map[string]string{
	"year": "%Y", "quarter": "%Q", "month": "%M", "dayofyear": "%1", "day": "%2", "week": "%3", "weekday": "%W", "hour": "%4", "minute": "%5", "second": "%6",
}

func evalDateName(c *Call) (column.Vector, error) {
	s, _ := stringConst(c.Args[0])
	zone := c.Env.zoneOf(c.Types[1])
	if len(c.Args) > 2 {
		zone = zoneAt(c, 2)
	}
	return formatTimes(c, 1, dateNameFormats[s], zone)
}

// formatTimes writes argument at in a format.
func formatTimes(c *Call, at int, format string, zone *time.Location) (column.Vector, error) {
	v, t := c.Args[at], c.Types[at]
	local := newBroadcast(localSeconds(v, t, zone), c.Rows)
	ticks := numArg[int64](v, c.Rows)
	off := civil.NewCursor(zone)
	out := stringResult(c)
	w, unit := wallTime{year: 1970, month: 1, day: 1}, pow10Int(t.Scale)
	for i := range c.Rows {
		w.seconds = local.at(i)
		if t.IsDateTime() {
			w.offset = off.Offset(civil.FloorDiv(ticks.at(i), unit))
			if unit > 1 {
				w.micros = civil.Mod(ticks.at(i), unit) * 1e6 / unit
			}
		}
		w.fill()
		var err error
		if out.Data, err = w.append(out.Data, format); err != nil {
			return nil, err
		}
		if n := len(out.Data) * c.Rows; i == 0 && n <= maxReserved { // most formats write texts of one length
			out.Data = append(kernel.Dirty[byte](n)[:0], out.Data...)
		}
		out.EndValue()
	}
	return out, nil
}

// wallTime is a time taken apart; year, month and day are those of days.
type wallTime struct {
	seconds, offset, micros                int64
	days                                   int64
	year, month, day, hour, minute, second int
}

func (w *wallTime) fill() {
	days := civil.FloorDiv(w.seconds, civil.Day)
	if days != w.days {
		w.days = days
		w.year, w.month, w.day = civil.FromDays(days)
	}
	s := int(w.seconds - w.days*civil.Day)
	w.hour, w.minute, w.second = s/3600, s/60%60, s%60
}

func appendDigits(dst []byte, v, width int) []byte {
	switch {
	case width == 2 && uint(v) < 100:
		return append(dst, '0'+byte(v/10), '0'+byte(v%10))
	case width == 4 && uint(v) < 10000:
		return append(dst, '0'+byte(v/1000), '0'+byte(v/100%10), '0'+byte(v/10%10), '0'+byte(v%10))
	}
	var buf [20]byte
	b := strconv.AppendInt(buf[:0], int64(v), 10)
	for n := len(b); n < width; n++ {
		dst = append(dst, '0')
	}
	return append(dst, b...)
}

// append writes the time in a format of MySQL's letters.
func (w *wallTime) append(dst []byte, format string) ([]byte, error) {
	for i := 0; i < len(format); i++ {
		if format[i] != '%' {
			dst = append(dst, format[i])
			continue
		}
		i++
		if i == len(format) {
			return nil, sqlerr.New(sqlerr.BadArguments, "Trailing %% in the format of formatDateTime")
		}
		var ok bool
		if dst, ok = w.letter(dst, format[i]); !ok {
			return nil, sqlerr.New(sqlerr.BadArguments, "Wrong syntax '%s', unexpected symbol '%c' for function formatDateTime", format, format[i])
		}
	}
	return dst, nil
}

func (w *wallTime) letter(dst []byte, c byte) ([]byte, bool) {
	if more := composedFormats[c]; more != "" {
		dst, err := w.append(dst, more)
		return dst, err == nil
	}
	switch c {
	case 'a', 'u', 'w', 'W':
		return weekdayLetter(dst, c, civil.Weekday(w.days)), true
	case 'g', 'G', 'V', '3':
		return isoLetter(dst, c, w.days), true
	case 'b':
		return append(dst, time.Month(w.month).String()[:3]...), true
	case 'c', 'm':
		return appendDigits(dst, w.month, 2), true
	case 'C':
		return appendDigits(dst, w.year/100, 2), true
	case 'd':
		return appendDigits(dst, w.day, 2), true
	case 'e':
		return appendDigits(dst, w.day, 1), true
	case 'f':
		return appendDigits(dst, int(w.micros), 6), true
	case 'h', 'I', 'l':
		return appendDigits(dst, (w.hour+11)%12+1, 2), true
	case 'H', 'k':
		return appendDigits(dst, w.hour, 2), true
	case 'i':
		return appendDigits(dst, w.minute, 2), true
	case 'j':
		return appendDigits(dst, civil.YearDay(w.days), 3), true
	case 'M':
		return append(dst, time.Month(w.month).String()...), true
	case 'n':
		return append(dst, '\n'), true
	case 'p':
		if w.hour >= 12 {
			return append(dst, "PM"...), true
		}
		return append(dst, "AM"...), true
	case 'Q':
		return appendDigits(dst, (w.month+2)/3, 1), true
	case 's', 'S':
		return appendDigits(dst, w.second, 2), true
	case 't':
		return append(dst, '\t'), true
	case 'y':
		return appendDigits(dst, w.year%100, 2), true
	case 'Y':
		return appendDigits(dst, w.year, 4), true
	case 'z':
		o := w.offset / 60
		sign := byte('+')
		if o < 0 {
			sign, o = '-', -o
		}
		return appendDigits(append(dst, sign), int(o/60*100+o%60), 4), true
	case '%':
		return append(dst, '%'), true
	case '1':
		return appendDigits(dst, civil.YearDay(w.days), 1), true
	case '2':
		return appendDigits(dst, w.day, 1), true
	case '4':
		return appendDigits(dst, w.hour, 1), true
	case '5':
		return appendDigits(dst, w.minute, 1), true
	case '6':
		return appendDigits(dst, w.second, 1), true
	}
	return dst, false
}

// weekdayLetter formats a day of the week, 1 to 7.
func weekdayLetter(dst []byte, c byte, weekday int) []byte {
	switch name := time.Weekday(weekday % 7).String(); c {
	case 'a':
		return append(dst, name[:3]...)
	case 'W':
		return append(dst, name...)
	case 'w':
		weekday %= 7
	}
	return appendDigits(dst, weekday, 1)
}

// isoLetter formats the year or the week that a day is in by ISO 8601.
func isoLetter(dst []byte, c byte, days int64) []byte {
	switch year, week := civil.ISOWeek(days); c {
	case 'g':
		return appendDigits(dst, year%100, 2)
	case 'G':
		return appendDigits(dst, year, 4)
	case '3':
		return appendDigits(dst, week, 1)
	default:
		return appendDigits(dst, week, 2)
	}
}

// composedFormats are the letters that stand for other formats.
var composedFormats [256]string

func init() {
	for c, f := range map[byte]string{'D': "%m/%d/%y", 'F': "%Y-%m-%d", 'r': "%h:%i %p", 'R': "%H:%i", 'T': "%H:%i:%S"} {
		composedFormats[c] = f
	}
}
