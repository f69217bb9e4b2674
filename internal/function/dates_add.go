package function

import (
	"github.com/olapd/olapd/internal/civil"
	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/kernel"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/internal/types"
	"github.com/olapd/olapd/internal/valuetext"
)

func init() {
	for u := types.Nanosecond; u <= types.Year; u++ {
		name := u.String() + "s"
		register(
			&Scalar{Name: "add" + name, MinArgs: 2, MaxArgs: 2, Resolve: resolveAddUnits("add"+name, u), Eval: evalAddUnits(u, 1), Family: "dates", Doc: "Adds " + name + "."},
			&Scalar{Name: "subtract" + name, MinArgs: 2, MaxArgs: 2, Resolve: resolveAddUnits("subtract"+name, u), Eval: evalAddUnits(u, -1), Family: "dates", Doc: "Subtracts " + name + "."},
		)
	}
	for _, f := range []struct {
		name    string
		aliases []string
		op      string
	}{
		{"date_add", []string{"dateAdd", "timestampAdd", "timestamp_add"}, "plus"},
		{"date_sub", []string{"dateSub", "timestampSub", "timestamp_sub"}, "minus"},
	} {
		register(&Scalar{Name: f.name, Aliases: f.aliases, CaseInsensitive: true, MinArgs: 2, MaxArgs: 3, Family: "dates", Doc: "Adds an interval to, or takes it from, a date: (unit, n, date) or (date, interval).",
			Resolve: resolveDateAdd(f.op), Eval: evalDateAdd(f.op)})
	}
}

// addedType is the type of t + n units, nil if there is none.
func addedType(t *types.Type, u types.Unit) *types.Type {
	switch {
	case t.IsTime() && u > types.Hour, t.Kind == types.Time && u < types.Second:
		return nil
	case t.Kind == types.Time64 && u < types.Second:
		return types.NewTime64(max(t.Scale, subsecondScale(u)))
	case t.IsDate() && u >= types.Day:
		return t
	case t.Kind == types.Date && u >= types.Second:
		return types.TDateTime
	case t.Kind == types.Date32 && u >= types.Second:
		return types.NewDateTime64(3, nil)
	case t.IsDate():
		return nil
	case u >= types.Second:
		return t
	}
	return types.NewDateTime64(max(t.Scale, subsecondScale(u)), t.Zone)
}

// addUnits adds n units (times sign) to each value of v, as a vector of result. Arguments of one value stand for all rows.
func addUnits(env *Env, v column.Vector, t *types.Type, n []int64, sign int64, u types.Unit, result *types.Type, rows int) (column.Vector, error) {
	if !t.Equal(result) {
		var err error
		if v, err = Cast(env, v, result); err != nil {
			return nil, err
		}
		t = result
	}
	x, by := numArg[int64](v, rows), newBroadcast(n, rows)
	out := make([]int64, rows)
	switch {
	case t.IsDate():
		for i := range out {
			out[i] = addDays(x.at(i), by.at(i)*sign, u)
		}
		if t.Kind == types.Date32 {
			clampAll(out, t)
		}
	case u <= types.Hour:
		step := u.Nanoseconds() / pow10Int(9-t.Scale)
		if t.IsTime() {
			addTime(out, x, by, sign*step, t.Scale)
			break
		}
		for i := range out {
			out[i] = x.at(i) + by.at(i)*sign*step
		}
	default:
		cur := civil.NewCursor(env.zoneOf(t))
		unit := pow10Int(t.Scale)
		for i := range out {
			sec := civil.FloorDiv(x.at(i), unit)
			local := cur.Local(sec)
			day := civil.FloorDiv(local, civil.Day)
			moved := cur.Unix(local + (addDays(day, by.at(i)*sign, u)-day)*civil.Day)
			out[i] = moved*unit + (x.at(i) - sec*unit)
		}
	}
	return narrow(t, out), nil
}

// addTime adds n steps to times, which stay in their range.
func addTime(out []int64, x, n broadcast[int64], step int64, scale int) {
	far := 2 * valuetext.MaxTime * pow10Int(scale) // beyond the other end, whatever it is added to
	for i := range out {
		d := n.at(i)
		if d > far/max(step, -step) || d < -far/max(step, -step) {
			d = far / max(step, -step)
			if n.at(i) < 0 {
				d = -d
			}
		}
		out[i] = valuetext.ClampTime(x.at(i)+d*step, scale)
	}
}

// hasClock: a date, a date and time, or a time alone.
func hasClock(t *types.Type) bool { return t.IsDateOrTime() || t.IsTime() }

// maxUnits bounds what is added, so that no date overflows.
const maxUnits = 1 << 40

func addDays(d, n int64, u types.Unit) int64 {
	n = min(max(n, -maxUnits), maxUnits)
	if m := u.Months(); m > 0 {
		return civil.AddMonths(d, min(max(n, -1<<24), 1<<24)*m)
	}
	if u == types.Week {
		n *= 7
	}
	return d + n
}

func resolveAddUnits(name string, u types.Unit) func(*Env, []Arg) (*types.Type, error) {
	return func(_ *Env, args []Arg) (*types.Type, error) {
		t := args[0].Type
		if t.Kind == types.String {
			t = types.NewDateTime64(3, nil)
		}
		if !hasClock(t) {
			return nil, illegal(name, 0, t)
		}
		if !isPlainNum(args[1].Type) {
			return nil, illegal(name, 1, args[1].Type)
		}
		r := addedType(t, u)
		if r == nil {
			return nil, illegal(name, 0, t)
		}
		return r, nil
	}
}

func evalAddUnits(u types.Unit, sign int64) func(*Call) (column.Vector, error) {
	return func(c *Call) (column.Vector, error) {
		return addUnits(c.Env, c.Args[0], c.Types[0], numsOf[int64](c.Args[1]), sign, u, c.Result, c.Rows)
	}
}

// dateArithResult is the type of plus and minus with a date or an interval, nil if there is none.
func dateArithResult(op arithOp, a, b *types.Type) *types.Type {
	if op == opPlus && !hasClock(a) && hasClock(b) {
		a, b = b, a
	}
	switch {
	case hasClock(a) && b.Kind == types.Interval:
		return addedType(a, b.Unit)
	case hasClock(a) && isPlainNum(b):
		return a
	case op == opMinus && a.Kind == types.Time && b.Kind == types.Time:
		return types.TInt32
	case op == opMinus && a.IsTime() && b.IsTime():
		return types.NewDecimal(types.MaxPrecision64, max(a.Scale, b.Scale))
	case op == opMinus && a.Kind == types.DateTime64 && b.Kind == types.DateTime64:
		return types.NewDecimal(types.MaxPrecision64, max(a.Scale, b.Scale))
	case op == opMinus && a.Kind == b.Kind && a.IsDateOrTime():
		return types.TInt32
	case op == opMinus && a.IsDateTime() && b.IsDateTime():
		return types.NewDecimal(types.MaxPrecision64, max(a.Scale, b.Scale))
	case a.Kind == types.Interval && b.Kind == types.Interval && a.Unit == b.Unit:
		return a
	}
	return nil
}

func evalDateArith(op arithOp, c *Call) (column.Vector, error) {
	a, b, ta, tb := c.Args[0], c.Args[1], c.Types[0], c.Types[1]
	if op == opPlus && !hasClock(ta) && hasClock(tb) {
		a, b, ta, tb = b, a, tb, ta
	}
	sign := int64(1)
	if op == opMinus {
		sign = -1
	}
	switch {
	case hasClock(ta) && tb.Kind == types.Interval:
		return addUnits(c.Env, a, ta, numsOf[int64](b), sign, tb.Unit, c.Result, c.Rows)
	case ta.IsDate():
		if isPlainNum(tb) {
			return addUnits(c.Env, a, ta, numsOf[int64](b), sign, types.Day, c.Result, c.Rows)
		}
	case !ta.IsDate() && hasClock(ta) && isPlainNum(tb):
		return addUnits(c.Env, a, ta, numsOf[int64](b), sign, types.Second, c.Result, c.Rows)
	}
	scale := max(ta.Scale, tb.Scale)
	x, y := numsOf[int64](a), numsOf[int64](b)
	if ta.IsDateTime() || ta.IsTime() {
		x, y = scaled(x, pow10Int(scale-ta.Scale)), scaled(y, pow10Int(scale-tb.Scale))
	}
	out := make([]int64, c.Rows)
	if op == opMinus {
		kernel.Sub(out, x, y)
	} else {
		kernel.Add(out, x, y)
	}
	return narrowOrDecimal(c.Result, out), nil
}

func narrowOrDecimal(t *types.Type, data []int64) column.Vector {
	if t.Kind == types.Interval || t.Kind == types.Decimal {
		return newNum(t, data)
	}
	return narrow(t, data)
}

// dateAddUnit is the unit of the form (unit, n, date).
func dateAddUnit(args []Arg) (types.Unit, error) { return unitArg("date_add", args, 0) }

func resolveDateAdd(op string) func(*Env, []Arg) (*types.Type, error) {
	return func(env *Env, args []Arg) (*types.Type, error) {
		if len(args) == 3 {
			u, err := dateAddUnit(args)
			if err != nil {
				return nil, err
			}
			args = []Arg{args[2], {Type: types.NewInterval(u)}}
		}
		date, iv := args[0].Type, args[1].Type
		if date.Kind == types.Interval {
			date, iv = iv, date
		}
		if date.Kind == types.String && iv.Kind == types.Interval {
			date = types.NewDateTime64(3, nil)
		}
		if !hasClock(date) || iv.Kind != types.Interval {
			return nil, sqlerr.New(sqlerr.IllegalTypeOfArgument, "Illegal types %s and %s of arguments of date arithmetic", args[0].Type, args[1].Type)
		}
		f, err := Bind(env, op, []Arg{{Type: date}, {Type: iv}})
		if err != nil {
			return nil, err
		}
		return f.Result, nil
	}
}

func evalDateAdd(op string) func(*Call) (column.Vector, error) {
	return func(c *Call) (column.Vector, error) {
		args := c.Args
		if len(args) == 3 {
			name, _ := stringConst(args[0])
			u, _ := types.ParseUnit(name)
			iv, err := Cast(c.Env, args[1], types.NewInterval(u))
			if err != nil {
				return nil, err
			}
			args = []column.Vector{args[2], iv}
		}
		if args[0].Type().Kind == types.Interval {
			args = []column.Vector{args[1], args[0]}
		}
		date := args[0]
		if date.Type().Kind == types.String {
			var err error
			if date, err = Cast(c.Env, date, types.NewDateTime64(3, nil)); err != nil {
				return nil, err
			}
		}
		return invoke(c.Env, op, c.Rows, date, args[1])
	}
}

// clampDateTime is the DateTime of a unix second.
func clampDateTime(unix int64) uint32 { return uint32(min(max(unix, 0), valuetext.MaxDateTime)) }
