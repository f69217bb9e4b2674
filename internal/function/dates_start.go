package function

import (
	"time"

	"github.com/olapd/olapd/internal/civil"
	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/internal/types"
	"github.com/olapd/olapd/internal/valuetext"
)

// A grid is the set of instants a toStartOf function rounds down to: every n units.
type grid struct {
	unit types.Unit
	n    int64
}

func init() {
	for _, f := range []struct {
		name string
		g    grid
	}{
		{"toStartOfYear", grid{types.Year, 1}}, {"toStartOfQuarter", grid{types.Quarter, 1}}, {"toStartOfMonth", grid{types.Month, 1}},
		{"toMonday", grid{types.Week, 1}}, {"toStartOfDay", grid{types.Day, 1}}, {"toStartOfHour", grid{types.Hour, 1}},
		{"toStartOfMinute", grid{types.Minute, 1}}, {"toStartOfFiveMinutes", grid{types.Minute, 5}}, {"toStartOfTenMinutes", grid{types.Minute, 10}},
		{"toStartOfFifteenMinutes", grid{types.Minute, 15}}, {"timeSlot", grid{types.Minute, 30}},
		{"toStartOfSecond", grid{types.Second, 1}}, {"toStartOfMillisecond", grid{types.Millisecond, 1}}, {"toStartOfMicrosecond", grid{types.Microsecond, 1}}, {"toStartOfNanosecond", grid{types.Nanosecond, 1}},
	} {
		fn := &Scalar{Name: f.name, MinArgs: 1, MaxArgs: 2, Family: "dates",
			Resolve: resolveStartOf(f.name, f.g), Eval: evalStartOf(f.g, 1), Doc: "Rounds down to the start of the " + gridName(f.g) + "."}
		if f.name == "toStartOfFiveMinutes" {
			fn = alias("toStartOfFiveMinute", fn)
		}
		register(fn)
	}
	register(
		&Scalar{Name: "toStartOfWeek", MinArgs: 1, MaxArgs: 3, Resolve: resolveStartOfWeek("toStartOfWeek"), Eval: evalStartOfWeek(0), Family: "dates", Doc: "Rounds down to the start of the week: Sunday, with mode 1 Monday.", Example: "toStartOfWeek(toDate('2020-02-05')) → 2020-02-02"},
		&Scalar{Name: "toLastDayOfWeek", MinArgs: 1, MaxArgs: 3, Resolve: resolveStartOfWeek("toLastDayOfWeek"), Eval: evalStartOfWeek(6), Family: "dates", Doc: "Rounds up to the last day of the week: Saturday, with mode 1 Sunday.", Example: "toLastDayOfWeek(toDate('2020-02-05')) → 2020-02-08"},
		&Scalar{Name: "toLastDayOfMonth", Aliases: []string{"LAST_DAY"}, CaseInsensitive: true, MinArgs: 1, MaxArgs: 2, Resolve: resolveStartOf("toLastDayOfMonth", grid{types.Month, 1}), Eval: evalLastDay, Family: "dates", Doc: "Rounds up to the last day of the month.", Example: "toLastDayOfMonth(toDate('2020-02-05')) → 2020-02-29"},
		&Scalar{Name: "toStartOfInterval", Aliases: []string{"time_bucket", "date_bin"}, CaseInsensitive: true, MinArgs: 2, MaxArgs: 4, Resolve: resolveStartOfInterval, Eval: evalStartOfInterval, Family: "dates", Doc: "Rounds down to a multiple of an interval, counted from an origin if one is given.", Example: "toStartOfInterval(toDateTime('2020-02-05 04:47:06'), toIntervalMinute(15)) → 2020-02-05 04:45:00"},
		&Scalar{Name: "date_trunc", Aliases: []string{"dateTrunc"}, CaseInsensitive: true, MinArgs: 2, MaxArgs: 3, ConstArgs: []int{0}, Resolve: resolveDateTrunc, Eval: evalDateTrunc, Family: "dates", Doc: "Rounds down to the start of the named unit.", Example: "date_trunc('month', toDate('2020-02-05')) → 2020-02-01"},
		&Scalar{Name: "tumble", MinArgs: 2, MaxArgs: 3, Resolve: resolveTumble, Eval: evalTumble, Family: "dates", Doc: "Returns the start and the end of the tumbling window.", Example: "tumble(toDateTime('2020-02-05 14:47:06'), toIntervalHour(1)) → ('2020-02-05 14:00:00','2020-02-05 15:00:00')"},
	)
}

func gridName(g grid) string {
	if g.n == 1 {
		return g.unit.String()
	}
	return "grid of minutes"
}

// startType is the type of a rounded value, nil if the grid is finer than the type.
func startType(t *types.Type, g grid, zone *time.Location) *types.Type {
	if zone == nil {
		zone = t.Zone
	}
	switch {
	case g.unit >= types.Week:
		return types.TDate
	case g.unit == types.Day:
		return types.NewDateTime(zone)
	case t.IsDate():
		return nil
	case g.unit >= types.Second:
		return types.NewDateTime(zone)
	case t.Kind == types.DateTime64:
		return types.NewDateTime64(max(t.Scale, subsecondScale(g.unit)), zone)
	}
	return nil
}

func subsecondScale(u types.Unit) int {
	switch u {
	case types.Millisecond:
		return 3
	case types.Microsecond:
		return 6
	}
	return 9
}

func resolveStartOf(name string, g grid) func(*Env, []Arg) (*types.Type, error) {
	return func(_ *Env, args []Arg) (*types.Type, error) {
		t := args[0].Type
		if !t.IsDateOrTime() {
			return nil, illegal(name, 0, t)
		}
		zone, err := zoneArg(args, 1)
		if err != nil {
			return nil, err
		}
		r := startType(t, g, zone)
		if g.unit == types.Second && r != nil { // toStartOfSecond is for DateTime64 and stays it
			if r = nil; t.Kind == types.DateTime64 {
				r = types.NewDateTime64(t.Scale, zone)
				if zone == nil {
					r = t
				}
			}
		}
		if r == nil {
			return nil, illegal(name, 0, t)
		}
		return r, nil
	}
}

func evalStartOf(g grid, zoneAtArg int) func(*Call) (column.Vector, error) {
	return func(c *Call) (column.Vector, error) {
		return roundDown(c, g, zoneAt(c, zoneAtArg)), nil
	}
}

// roundDown rounds the first argument down to the grid, as c.Result.
func roundDown(c *Call, g grid, zone *time.Location) column.Vector {
	v, t := c.Args[0], c.Types[0]
	if out, ok := g.plainStarts(c, zone); ok {
		return out
	}
	switch {
	case g.unit >= types.Week:
		return constOrVector(c, narrow(c.Result, clampAll(perDay(localDays(v, t, zone), g.startDay), c.Result)))
	case g.unit == types.Day:
		cur := civil.NewCursor(zone)
		starts := perDay(localDays(v, t, zone), func(d int64) int64 {
			return cur.Unix(civil.FloorDiv(d, g.n) * g.n * civil.Day)
		})
		return constOrVector(c, storeStarts(c.Result, starts))
	case g.unit >= types.Second:
		return constOrVector(c, storeStarts(c.Result, g.startSeconds(v, t, zone)))
	}
	return constOrVector(c, g.subsecond(v, t, c.Result))
}

func clampAll(days []int64, t *types.Type) []int64 {
	for i, d := range days {
		days[i] = valuetext.ClampDays(d, t)
	}
	return days
}

func storeStarts(t *types.Type, unix []int64) column.Vector {
	for i, u := range unix {
		unix[i] = storeSeconds(u, t)
	}
	return narrow(t, unix)
}

// gridYear is the year from which grids of months are counted, as in ClickHouse.
const gridYear = 1900

// startDay is the start of the grid's cell of a day, for units from a week on.
func (g grid) startDay(d int64) int64 {
	y, m, _ := civil.FromDays(d)
	switch g.unit {
	case types.Week:
		if g.n == 1 {
			return d - int64(civil.Weekday(d)) + 1
		}
		const monday = 4 // 1970-01-05
		return civil.FloorDiv(d-monday, 7*g.n)*7*g.n + monday
	case types.Year:
		return civil.ToDays(int(int64(y)/g.n*g.n), 1, 1)
	}
	n := g.n * g.unit.Months()
	k := civil.FloorDiv(int64(y-gridYear)*12+int64(m-1), n) * n
	return civil.ToDays(gridYear+int(civil.FloorDiv(k, 12)), int(civil.Mod(k, 12))+1, 1)
}

// startSeconds rounds to seconds, minutes or hours. Seconds and minutes count from the epoch, hours
// from the local midnight.
func (g grid) startSeconds(v column.Vector, t *types.Type, zone *time.Location) []int64 {
	data := numsOf[int64](v)
	out := make([]int64, len(data))
	unit, cell := pow10Int(t.Scale), g.n*g.unit.Nanoseconds()/1e9
	cur := civil.NewCursor(zone)
	switch {
	case g.unit == types.Hour && g.n > 1:
		for i, x := range data {
			u := civil.FloorDiv(x, unit)
			local := cur.Local(u)
			out[i] = u - civil.Mod(local, civil.Day)%cell
		}
	case g.unit == types.Second:
		for i, x := range data {
			u := civil.FloorDiv(x, unit)
			out[i] = u - civil.Mod(u, cell)
		}
	default:
		for i, x := range data {
			u := civil.FloorDiv(x, unit)
			off := int64(0)
			if g.unit == types.Hour || cur.Offset(u)%60 != 0 {
				off = cur.Offset(u)
			} else if g.n > 1 {
				off = cur.Offset(u) % cell
			}
			out[i] = u - civil.Mod(u+off, cell)
		}
	}
	return out
}

func (g grid) subsecond(v column.Vector, t, result *types.Type) column.Vector {
	data := numsOf[int64](v)
	out := make([]int64, len(data))
	rescale(out, data, t.Scale, result.Scale)
	cell := g.n * g.unit.Nanoseconds() / pow10Int(9-result.Scale)
	for i, x := range out {
		out[i] = x - civil.Mod(x, max(cell, 1))
	}
	return newNum(result, out)
}

func resolveStartOfWeek(name string) func(*Env, []Arg) (*types.Type, error) {
	return func(_ *Env, args []Arg) (*types.Type, error) {
		if t := args[0].Type; !t.IsDateOrTime() {
			return nil, illegal(name, 0, t)
		}
		if len(args) > 1 && !isPlainInt(args[1].Type) {
			return nil, illegal(name, 1, args[1].Type)
		}
		return types.TDate, checkZoneArg(args, 2)
	}
}

func evalStartOfWeek(shift int64) func(*Call) (column.Vector, error) {
	return func(c *Call) (column.Vector, error) {
		mode := modeArg(c)
		start := func(d, mode int64) int64 {
			w := int64(civil.Weekday(d))
			if mode&weekMonday != 0 {
				w--
			} else {
				w %= 7
			}
			return valuetext.ClampDays(d-w+shift, c.Result)
		}
		if days, ok := plainDays(c.Args[0], c.Types[0], zoneAt(c, 2)); ok && mode.mask == 0 {
			return ofDays(c.Result, days, func(d int64) int64 { return start(d, mode.at(0)) }), nil
		}
		days := spread(localDays(c.Args[0], c.Types[0], zoneAt(c, 2)), c.Rows)
		out := make([]int64, len(days))
		for i, d := range days {
			out[i] = start(d, mode.at(i))
		}
		return narrow(c.Result, out), nil
	}
}

func evalLastDay(c *Call) (column.Vector, error) {
	days := perDay(localDays(c.Args[0], c.Types[0], zoneAt(c, 1)), func(d int64) int64 {
		y, m, _ := civil.FromDays(d)
		return civil.ToDays(y, m, civil.MonthDays(y, m))
	})
	return constOrVector(c, narrow(c.Result, clampAll(days, c.Result))), nil
}

// intervalGrid is the grid of an interval argument.
func intervalGrid(v column.Vector, t *types.Type) grid {
	return grid{unit: t.Unit, n: numsOf[int64](v)[0]}
}

// maxGrid bounds the units of a grid cell so that its length in nanoseconds does not overflow.
const maxGrid = 1 << 20

func resolveStartOfInterval(_ *Env, args []Arg) (*types.Type, error) {
	t, iv := args[0].Type, args[1].Type
	switch {
	case !t.IsDateOrTime():
		return nil, illegal("toStartOfInterval", 0, t)
	case iv.Kind != types.Interval:
		return nil, illegal("toStartOfInterval", 1, iv)
	case args[1].Const == nil:
		return nil, sqlerr.New(sqlerr.IllegalColumn, "The interval of toStartOfInterval must be constant")
	}
	g := intervalGrid(args[1].Const, iv)
	if g.n <= 0 || g.n > maxGrid && g.unit > types.Millisecond {
		return nil, sqlerr.New(sqlerr.ArgumentOutOfBound, "Value for the second argument of function toStartOfInterval must be positive and at most %d, got %d", maxGrid, g.n)
	}
	if len(args) > 2 && args[2].Type.IsDateOrTime() {
		if !args[2].Type.Equal(t) {
			return nil, illegal("toStartOfInterval", 2, args[2].Type)
		}
		return t, checkZoneArg(args, 3)
	}
	zone, err := zoneArg(args, 2)
	if err != nil {
		return nil, err
	}
	r := startType(t, g, zone)
	if r == nil {
		return nil, sqlerr.New(sqlerr.IllegalTypeOfArgument, "Illegal type %s of argument of function toStartOfInterval with an interval of %s", t, iv)
	}
	return r, nil
}

func evalStartOfInterval(c *Call) (column.Vector, error) {
	g := intervalGrid(c.Args[1], c.Types[1])
	if len(c.Args) > 2 && c.Types[2].IsDateOrTime() {
		return startFromOrigin(c, g)
	}
	return roundDown(c, g, zoneAt(c, 2)), nil
}

// startFromOrigin counts cells from the third argument.
func startFromOrigin(c *Call, g grid) (column.Vector, error) {
	t := c.Types[0]
	data, origin := spread(numsOf[int64](c.Args[0]), c.Rows), numArg[int64](c.Args[2], c.Rows)
	cell := g.unit.Nanoseconds() * g.n
	if t.IsDate() {
		cell /= civil.Day * 1e9
	} else {
		cell /= pow10Int(9 - t.Scale)
	}
	if g.unit.Nanoseconds() == 0 || cell == 0 {
		return nil, sqlerr.New(sqlerr.NotImplemented, "toStartOfInterval with an origin is not supported for intervals of %s over %s", g.unit, t)
	}
	out := make([]int64, len(data))
	for i, x := range data {
		o := origin.at(i)
		if x < o {
			return nil, sqlerr.New(sqlerr.BadArguments, "Source date or time is before the origin of toStartOfInterval")
		}
		out[i] = x - (x-o)%cell
	}
	return narrow(c.Result, out), nil
}

func resolveDateTrunc(_ *Env, args []Arg) (*types.Type, error) {
	u, err := truncUnit(args)
	if err != nil {
		return nil, err
	}
	t := args[1].Type
	if !t.IsDateOrTime() {
		return nil, illegal("date_trunc", 1, t)
	}
	zone, err := zoneArg(args, 2)
	if err != nil {
		return nil, err
	}
	g := grid{unit: u, n: 1}
	r := startType(t, g, zone)
	switch {
	case r == nil:
		return nil, illegal("date_trunc", 1, t)
	case u <= types.Day && u >= types.Second && t.Kind == types.DateTime64:
		return types.NewDateTime64(0, r.Zone), nil
	}
	return r, nil
}

func truncUnit(args []Arg) (types.Unit, error) { return unitArg("date_trunc", args, 0) }

func evalDateTrunc(c *Call) (column.Vector, error) {
	name, _ := stringConst(c.Args[0])
	u, _ := types.ParseUnit(name)
	zone := c.Env.zoneOf(c.Types[1])
	if len(c.Args) > 2 {
		zone = zoneAt(c, 2)
	}
	in := &Call{Env: c.Env, Args: c.Args[1:2], Types: c.Types[1:2], Result: c.Result, Rows: c.Rows}
	return roundDown(in, grid{unit: u, n: 1}, zone), nil
}

func resolveTumble(env *Env, args []Arg) (*types.Type, error) {
	t, err := resolveStartOfInterval(env, args)
	if err != nil {
		return nil, err
	}
	return types.NewTuple([]*types.Type{t, t}, nil), nil
}

// evalTumbleEnd is the end of the cell, as c.Result.
func evalTumbleEnd(c *Call) (column.Vector, error) {
	start, err := evalStartOfInterval(c)
	if err != nil {
		return nil, err
	}
	end, err := invoke(c.Env, "plus", c.Rows, start, c.Args[1])
	if err != nil {
		return nil, err
	}
	return Cast(c.Env, end, c.Result)
}

func evalTumble(c *Call) (column.Vector, error) {
	in := *c
	in.Result = c.Result.Elems[0]
	start, err := evalStartOfInterval(&in)
	if err != nil {
		return nil, err
	}
	end, err := evalTumbleEnd(&in)
	if err != nil {
		return nil, err
	}
	return &column.Tuple{Typ: c.Result, Elems: []column.Vector{column.Flatten(start), column.Flatten(end)}, N: c.Rows}, nil
}
