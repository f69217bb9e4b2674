package function

import (
	"math"
	"runtime"
	"slices"
	"strconv"
	"time"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/internal/types"
	"github.com/olapd/olapd/internal/valuetext"
)

func init() {
	register(
		&Scalar{Name: "now", Aliases: []string{"CURRENT_TIMESTAMP", "localtimestamp"}, CaseInsensitive: true, MaxArgs: 1, ConstArgs: []int{0}, Resolve: func(_ *Env, args []Arg) (*types.Type, error) {
			zone, err := zoneArg(args, 0)
			return types.NewDateTime(zone), err
		}, Eval: func(c *Call) (column.Vector, error) {
			return column.NewConst(c.Result, clampDateTime(c.Env.Now.Unix()), c.Rows), nil
		}, Family: "dates", Doc: "Returns the time of the query."},
		&Scalar{Name: "UTCTimestamp", Aliases: []string{"UTC_timestamp"}, CaseInsensitive: true, Resolve: func(*Env, []Arg) (*types.Type, error) { return types.NewDateTime(time.UTC), nil }, Eval: func(c *Call) (column.Vector, error) {
			return column.NewConst(c.Result, clampDateTime(c.Env.Now.Unix()), c.Rows), nil
		}, Family: "dates", Doc: "Returns the time of the query in UTC."},
		&Scalar{Name: "now64", CaseInsensitive: true, MaxArgs: 2, ConstArgs: []int{0, 1}, Resolve: resolveNow64, Eval: func(c *Call) (column.Vector, error) {
			return column.NewConst(c.Result, valuetext.Ticks(c.Env.Now.Unix(), int32(c.Env.Now.Nanosecond()), c.Result.Scale), c.Rows), nil
		}, Family: "dates", Doc: "Returns the time of the query with a fraction of the second."},
		&Scalar{Name: "today", Aliases: []string{"curdate", "current_date"}, CaseInsensitive: true, Resolve: fixed("today", types.TDate), Eval: evalToday(0), Family: "dates", Doc: "Returns the day of the query."},
		&Scalar{Name: "yesterday", Resolve: fixed("yesterday", types.TDate), Eval: evalToday(-1), Family: "dates", Doc: "Returns the day before that of the query."},
		&Scalar{Name: "materialize", MinArgs: 1, MaxArgs: 1, Nulls: NullCustom, ExactType: true, KeepConst: true, Resolve: sameAs0("materialize"), Eval: evalMaterialize, Family: "other", Doc: "Makes a constant a full column.", Example: "materialize(1) → 1"},
		&Scalar{Name: "ignore", MaxArgs: -1, Nulls: NullCustom, KeepConst: true, Resolve: fixed("ignore", types.TUInt8), Eval: func(c *Call) (column.Vector, error) { return column.NewConst(types.TUInt8, uint8(0), c.Rows), nil }, Family: "other", Doc: "Returns 0 whatever its arguments.", Example: "ignore(1) → 0"},
		&Scalar{Name: "identity", MinArgs: 1, MaxArgs: 1, Nulls: NullCustom, ExactType: true, Resolve: sameAs0("identity"), Eval: evalFirst, Family: "other", Doc: "Returns its argument.", Example: "identity(1) → 1"},
		&Scalar{Name: "toTypeName", MinArgs: 1, MaxArgs: 1, Nulls: NullCustom, ExactType: true, Resolve: fixed("toTypeName", types.TString), Eval: func(c *Call) (column.Vector, error) {
			return column.NewConst(types.TString, c.Types[0].Pretty(), c.Rows), nil
		}, Family: "other", Doc: "Returns the name of the argument's type.", Example: "toTypeName(1) → UInt8"},
		&Scalar{Name: "toColumnTypeName", MinArgs: 1, MaxArgs: 1, Nulls: NullCustom, KeepConst: true, Resolve: fixed("toColumnTypeName", types.TString), Eval: func(c *Call) (column.Vector, error) {
			name := c.Types[0].String()
			if isConstVector(c.Args[0]) {
				name = "Const(" + name + ")"
			}
			return column.NewConst(types.TString, name, c.Rows), nil
		}, Family: "other", Doc: "Returns the name of the argument's representation."},
		&Scalar{Name: "isConstant", MinArgs: 1, MaxArgs: 1, Nulls: NullCustom, KeepConst: true, Resolve: fixed("isConstant", types.TUInt8), Eval: func(c *Call) (column.Vector, error) {
			return column.NewConst(types.TUInt8, b2u(isConstVector(c.Args[0])), c.Rows), nil
		}, Family: "other", Doc: "Tests whether the argument is constant.", Example: "isConstant(1) → 1"},
		&Scalar{Name: "sleep", MinArgs: 1, MaxArgs: 1, ConstArgs: []int{0}, Volatile: true, Resolve: fixed("sleep", types.TUInt8, isUnsignedOrFloat), Eval: evalSleep, Family: "other", Doc: "Sleeps seconds, at most 3, per block.", Example: "sleep(0) → 0"},
		&Scalar{Name: "sleepEachRow", MinArgs: 1, MaxArgs: 1, ConstArgs: []int{0}, Volatile: true, Resolve: fixed("sleepEachRow", types.TUInt8, isUnsignedOrFloat), Eval: evalSleepEachRow, Family: "other", Doc: "Sleeps seconds per row, at most 3 per block."},
		&Scalar{Name: "throwIf", MinArgs: 1, MaxArgs: 3, Resolve: fixed("throwIf", types.TUInt8, isPlainNum, isAny), Eval: evalThrowIf, Family: "other", Doc: "Raises an error if the argument is not 0.", Example: "throwIf(0) → 0"},
		&Scalar{Name: "transform", MinArgs: 3, MaxArgs: 4, Nulls: NullCustom, ConstArgs: []int{1, 2}, Resolve: resolveTransform, Eval: evalTransform, Family: "conditional", Doc: "Replaces values found in one array by those of another.", Example: "transform(1, [1, 2], ['a', 'b'], 'c') → a"},
		&Scalar{Name: "rowNumberInAllBlocks", Volatile: true, Resolve: fixed("rowNumberInAllBlocks", types.TUInt64), Eval: evalRowNumber, Family: "other", Doc: "Numbers the rows of each block from 0."},
		&Scalar{Name: "rowNumberInBlock", Volatile: true, Resolve: fixed("rowNumberInBlock", types.TUInt64), Eval: evalRowNumber, Family: "other", Doc: "Numbers the rows of each block from 0."},
		&Scalar{Name: "blockSize", Volatile: true, Resolve: fixed("blockSize", types.TUInt64), Eval: func(c *Call) (column.Vector, error) {
			return column.NewConst(types.TUInt64, uint64(c.Rows), c.Rows), nil
		}, Family: "other", Doc: "Returns the rows of the block."},
		&Scalar{Name: "getSetting", MinArgs: 1, MaxArgs: 2, ConstArgs: []int{0}, Resolve: resolveGetSetting, Eval: evalGetSetting, Family: "other", Doc: "Returns a setting's value."},
		&Scalar{Name: "formatReadableSize", Aliases: []string{"FORMAT_BYTES"}, CaseInsensitive: true, MinArgs: 1, MaxArgs: 1, Resolve: fixed("formatReadableSize", types.TString, isNumeric), Eval: readable(appendReadable(1024, []string{"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB", "ZiB", "YiB"})), Family: "other", Doc: "Writes a number of bytes with a binary unit.", Example: "formatReadableSize(1024) → 1.00 KiB"},
		&Scalar{Name: "formatReadableDecimalSize", MinArgs: 1, MaxArgs: 1, Resolve: fixed("formatReadableDecimalSize", types.TString, isNumeric), Eval: readable(appendReadable(1000, []string{"B", "KB", "MB", "GB", "TB", "PB", "EB", "ZB", "YB"})), Family: "other", Doc: "Writes a number of bytes with a decimal unit.", Example: "formatReadableDecimalSize(1000) → 1.00 KB"},
		&Scalar{Name: "formatReadableQuantity", MinArgs: 1, MaxArgs: 1, Resolve: fixed("formatReadableQuantity", types.TString, isNumeric), Eval: readable(appendReadable(1000, []string{"", "thousand", "million", "billion", "trillion", "quadrillion", "quintillion", "sextillion", "septillion"})), Family: "other", Doc: "Writes a number with a word for its size.", Example: "formatReadableQuantity(1000) → 1.00 thousand"},
		&Scalar{Name: "bar", MinArgs: 3, MaxArgs: 4, Resolve: fixed("bar", types.TString, isPlainNum), Eval: evalBar, Family: "other", Doc: "Draws a bar for x between min and max.", Example: "bar(5, 0, 10, 2) → █"},
	)
	for _, f := range []struct {
		name    string
		aliases []string
		doc     string
		value   func(*Env) string
	}{
		{"version", nil, "Returns the server's version.", func(e *Env) string { return e.Server.Version }},
		{"timezone", []string{"timeZone"}, "Returns the session's time zone.", func(e *Env) string { return e.zone().String() }},
		{"serverTimezone", []string{"serverTimeZone"}, "Returns the server's time zone.", func(e *Env) string { return e.zone().String() }},
		{"displayName", nil, "Returns the server's name.", func(e *Env) string { return e.Server.DisplayName }},
		{"currentDatabase", []string{"DATABASE", "SCHEMA", "current_database"}, "Returns the session's database.", func(e *Env) string { return e.Database }},
		{"currentUser", []string{"USER", "current_user", "session_user"}, "Returns the session's user.", func(e *Env) string { return e.User }},
		{"hostName", []string{"hostname"}, "Returns the server's host name.", func(e *Env) string { return e.Host }},
		{"FQDN", []string{"fullHostName"}, "Returns the server's host name.", func(e *Env) string { return e.Host }},
		{"initialQueryID", []string{"initial_query_id"}, "Returns the id of the query as the client began it.", func(e *Env) string { return e.QueryID }},
		{"currentQueryID", []string{"current_query_id"}, "Returns the query's id.", func(e *Env) string { return e.QueryID }},
		{"authenticatedUser", []string{"authUser"}, "Returns the user that signed in.", func(e *Env) string { return e.User }},
		{"queryID", []string{"query_id"}, "Returns the query's id.", func(e *Env) string { return e.QueryID }},
	} {
		register(&Scalar{Name: f.name, Aliases: f.aliases, CaseInsensitive: true, Family: "other", Doc: f.doc, Resolve: fixed(f.name, types.TString),
			Eval: func(c *Call) (column.Vector, error) {
				return column.NewConst(types.TString, f.value(c.Env), c.Rows), nil
			}})
	}
	for _, f := range []struct {
		name, doc string
		value     func(*Env) []string
	}{
		{"currentRoles", "Returns the current roles of the user, as SET ROLE has left them.", func(e *Env) []string { return e.Roles.Current }},
		{"enabledRoles", "Returns the current roles of the user and those that are granted to them.", func(e *Env) []string { return e.Roles.Enabled }},
		{"defaultRoles", "Returns the roles that are current when the user signs in.", func(e *Env) []string { return e.Roles.Default }},
	} {
		register(&Scalar{Name: f.name, CaseInsensitive: true, Changing: true, Family: "other", Doc: f.doc, Resolve: fixed(f.name, types.NewArray(types.TString)),
			Eval: func(c *Call) (column.Vector, error) {
				names := slices.Sorted(slices.Values(f.value(c.Env)))
				one := &column.Array{Typ: types.NewArray(types.TString), Off: []uint32{0, uint32(len(names))}, Elem: column.NewStrings(names...)}
				return &column.Const{Value: one, N: c.Rows}, nil
			}})
	}
	register(
		&Scalar{Name: "revision", CaseInsensitive: true, Resolve: fixed("revision", types.TUInt32), Eval: func(c *Call) (column.Vector, error) {
			return column.NewConst(types.TUInt32, c.Env.Server.Revision, c.Rows), nil
		}, Family: "other", Doc: "Returns the server's revision."},
		&Scalar{Name: "uptime", Resolve: fixed("uptime", types.TUInt32), Eval: evalUptime, Family: "other", Doc: "Returns the seconds since the server started."},
		&Scalar{Name: "serverUUID", Resolve: fixed("serverUUID", types.TUUID), Eval: func(c *Call) (column.Vector, error) {
			return column.NewConst(types.TUUID, c.Env.Server.UUID, c.Rows), nil
		}, Family: "other", Doc: "Returns the server's id."},
		&Scalar{Name: "connectionId", Aliases: []string{"connection_id"}, CaseInsensitive: true, Resolve: fixed("connectionId", types.TUInt64), Eval: func(c *Call) (column.Vector, error) { return column.NewConst(types.TUInt64, uint64(0), c.Rows), nil }, Family: "other", Doc: "Returns 0, as ClickHouse does outside of MySQL connections."},
		&Scalar{Name: "shardNum", Resolve: fixed("shardNum", types.TUInt32), Eval: func(c *Call) (column.Vector, error) { return column.NewConst(types.TUInt32, uint32(0), c.Rows), nil }, Family: "other", Doc: "Returns 0: the number of the shard outside of distributed queries."},
		&Scalar{Name: "shardCount", Resolve: fixed("shardCount", types.TUInt32), Eval: func(c *Call) (column.Vector, error) { return column.NewConst(types.TUInt32, uint32(0), c.Rows), nil }, Family: "other", Doc: "Returns 0: the number of shards outside of distributed queries."},
	)
}

func resolveNow64(_ *Env, args []Arg) (*types.Type, error) {
	scale := int64(3)
	if len(args) > 0 {
		var ok bool
		if scale, ok = constInt(args, 0); !ok {
			return nil, illegal("now64", 0, args[0].Type)
		}
	}
	if scale < 0 || scale > 9 {
		return nil, sqlerr.New(sqlerr.ArgumentOutOfBound, "Scale %d is too large for DateTime64. Maximum is up to nanoseconds (9)", scale)
	}
	zone, err := zoneArg(args, 1)
	return types.NewDateTime64(int(scale), zone), err
}

func evalToday(shift int64) func(*Call) (column.Vector, error) {
	return func(c *Call) (column.Vector, error) {
		y, m, d := c.Env.Now.In(c.Env.zone()).Date()
		days := time.Date(y, m, d, 0, 0, 0, 0, time.UTC).Unix()/86400 + shift
		return column.NewConst(c.Result, uint16(valuetext.ClampDays(days, c.Result)), c.Rows), nil
	}
}

func isUnsignedOrFloat(t *types.Type) bool {
	return isPlainInt(t) && t.IsUnsigned() || t.IsFloat()
}

// maxSleep is ClickHouse's function_sleep_max_microseconds_per_block.
const maxSleep = 3 * time.Second

func evalSleep(c *Call) (column.Vector, error) { return sleepFor(c, numsOf[float64](c.Args[0])[0]) }

func evalSleepEachRow(c *Call) (column.Vector, error) {
	return sleepFor(c, numsOf[float64](c.Args[0])[0]*float64(c.Rows))
}

func sleepFor(c *Call, seconds float64) (column.Vector, error) {
	switch {
	case math.IsNaN(seconds) || math.IsInf(seconds, 0) || seconds < 0:
		return nil, sqlerr.New(sqlerr.BadArguments, "Cannot sleep infinite or negative time (not implemented)")
	case seconds > maxSleep.Seconds():
		return nil, sqlerr.New(sqlerr.TooSlow, "The maximum sleep time is %s. Requested: %v seconds", maxSleep, seconds)
	}
	if c.Rows > 0 {
		t := time.NewTimer(time.Duration(seconds * float64(time.Second)))
		defer t.Stop()
		select {
		case <-t.C:
		case <-c.Env.Ctx.Done():
			return nil, c.Env.Ctx.Err()
		}
	}
	return column.NewConst(types.TUInt8, uint8(0), c.Rows), nil
}

func evalThrowIf(c *Call) (column.Vector, error) {
	val, _ := truth(c.Args[0])
	for _, x := range val {
		if x != 0 && c.Rows > 0 {
			msg := "Value passed to 'throwIf' function is non-zero"
			if len(c.Args) > 1 {
				if s, ok := stringConst(c.Args[1]); ok {
					msg = s
				}
			}
			return nil, sqlerr.New(sqlerr.FunctionThrowIfValueIsNonZero, "%s", msg)
		}
	}
	return column.NewConst(types.TUInt8, uint8(0), c.Rows), nil
}

func resolveTransform(_ *Env, args []Arg) (*types.Type, error) {
	for i := 1; i < 3; i++ {
		if !isArray(args[i].Type) {
			return nil, illegal("transform", i, args[i].Type)
		}
	}
	if _, err := elementType(args[1].Type.Elem(), args[0].Type); err != nil {
		return nil, err
	}
	last := args[0].Type
	if len(args) > 3 {
		last = args[3].Type
	}
	return types.Supertype(args[2].Type.Elem(), last)
}

// evalTransform looks each value up among the numbered elements of the first array.
func evalTransform(c *Call) (column.Vector, error) {
	from, to := arraysOf(c.Args[1]), arraysOf(c.Args[2])
	if from.Elem.Len() != to.Elem.Len() {
		return nil, sqlerr.New(sqlerr.BadArguments, "Second and third arguments of function transform must be arrays of same size")
	}
	t, err := elementType(from.Typ.Elem(), c.Types[0])
	if err != nil {
		return nil, err
	}
	keys, err := Cast(c.Env, from.Elem, t)
	if err != nil {
		return nil, err
	}
	own := c.Args[0]
	if t.Inner().Kind == types.String {
		own = withZeros(own)
	}
	x, err := Cast(c.Env, own, t)
	if err != nil {
		return nil, err
	}
	last := c.Args[0]
	if len(c.Args) > 3 {
		last = c.Args[3]
	}
	if last, err = Cast(c.Env, last, c.Result); err != nil {
		return nil, err
	}
	vals, err := Cast(c.Env, to.Elem, c.Result)
	if err != nil {
		return nil, err
	}
	seen := newNumbering()
	ids := seen.number(column.Flatten(keys))
	first := slices.Repeat([]int{-1}, seen.count) // number → the key that has it, or -1: what stands where a key is NULL has one too
	for k := len(ids) - 1; k >= 0; k-- {
		first[ids[k]] = k
	}
	seen.close()
	ids = seen.number(column.Flatten(x))
	if other, ok := last.(*column.Const); ok {
		return chosenOf(vals, other.Value, first, ids), nil
	}
	b := column.New(c.Result, c.Rows)
	for i, id := range ids {
		if int(id) < len(first) && first[id] >= 0 {
			b.AppendFrom(vals, first[id])
		} else {
			b.AppendFrom(last, i)
		}
	}
	return b, nil
}

// chosenOf returns value first[id] of vals for each id, or other where that is less than 0 or there is none.
func chosenOf(vals, other column.Vector, first []int, ids []uint32) column.Vector {
	table := column.New(vals.Type(), vals.Len()+1)
	table.AppendRange(vals, 0, vals.Len())
	table.AppendRange(other, 0, 1)
	for i, id := range ids {
		ids[i] = uint32(vals.Len())
		if int(id) < len(first) && first[id] >= 0 {
			ids[i] = uint32(first[id])
		}
	}
	return column.Gather(table, ids)
}

func evalRowNumber(c *Call) (column.Vector, error) {
	out := make([]uint64, c.Rows)
	for i := range out {
		out[i] = uint64(i)
	}
	return newNum(c.Result, out), nil
}

// setting is a setting's value with the type it has as a literal: the least integer, a float or a string.
func setting(env *Env, name string) (column.Vector, error) {
	text, ok := "", false
	if env.Setting != nil {
		text, ok = env.Setting(name)
	}
	if !ok {
		return nil, sqlerr.New(sqlerr.UnknownSetting, "Unknown setting '%s'", name)
	}
	if env.TextSetting != nil && env.TextSetting(name) {
		return column.Flatten(column.NewConst(types.TString, text, 1)), nil
	}
	if name == "max_threads" && text == "0" { // as many as there are cores
		text = strconv.Itoa(runtime.GOMAXPROCS(0))
	}
	if n, err := strconv.ParseUint(text, 10, 64); err == nil {
		width := 1
		for width < 8 && n>>(8*width) != 0 {
			width *= 2
		}
		return narrow(intOf(false, width), []uint64{n}), nil
	}
	if n, err := strconv.ParseInt(text, 10, 64); err == nil {
		return newNum(types.TInt64, []int64{n}), nil
	}
	if f, err := strconv.ParseFloat(text, 64); err == nil {
		return newNum(types.TFloat64, []float64{f}), nil
	}
	return column.Flatten(column.NewConst(types.TString, text, 1)), nil
}

func resolveGetSetting(env *Env, args []Arg) (*types.Type, error) {
	name, ok := constString(args, 0)
	if !ok {
		return nil, illegal("getSetting", 0, args[0].Type)
	}
	v, err := setting(env, name)
	if err != nil {
		return nil, err
	}
	return v.Type(), nil
}

func evalGetSetting(c *Call) (column.Vector, error) {
	name, _ := stringConst(c.Args[0])
	v, err := setting(c.Env, name)
	if err != nil {
		return nil, err
	}
	return &column.Const{Value: v, N: c.Rows}, nil
}

func evalUptime(c *Call) (column.Vector, error) {
	s := uint32(0)
	if c.Env.Server.Clock != nil {
		s = uint32(c.Env.Server.Clock().Sub(c.Env.Server.Started) / time.Second)
	}
	return column.NewConst(types.TUInt32, s, c.Rows), nil
}

// readable is the Eval of a function from number to text.
func readable(f func(dst []byte, x float64) []byte) func(*Call) (column.Vector, error) {
	return func(c *Call) (column.Vector, error) {
		x, out := newBroadcast(floatsOf(c.Args[0], c.Types[0]), c.Rows), stringResult(c)
		for i := range c.Rows {
			out.Data = f(out.Data, x.at(i))
			out.EndValue()
		}
		return out, nil
	}
}

func appendReadable(base float64, units []string) func(dst []byte, x float64) []byte {
	return func(dst []byte, x float64) []byte {
		k := 0
		for k < len(units)-1 && math.Abs(x) >= base {
			x /= base
			k++
		}
		if math.IsNaN(x) || math.IsInf(x, 0) {
			dst = valuetext.AppendFloat64(dst, x)
		} else {
			dst = strconv.AppendFloat(dst, x, 'f', 2, 64)
		}
		if units[k] == "" {
			return dst
		}
		return append(append(dst, ' '), units[k]...)
	}
}

// maxBar is ClickHouse's limit of a bar's width in characters.
const maxBar = 1000

func evalBar(c *Call) (column.Vector, error) {
	x, lo, hi := numArg[float64](c.Args[0], c.Rows), numArg[float64](c.Args[1], c.Rows), numArg[float64](c.Args[2], c.Rows)
	width := broadcast[float64]{[]float64{80}, 0}
	if len(c.Args) > 3 {
		width = numArg[float64](c.Args[3], c.Rows)
	}
	out := stringResult(c)
	for i := range c.Rows {
		w := width.at(i)
		if !(w >= 1) || w > maxBar {
			return nil, sqlerr.New(sqlerr.ArgumentOutOfBound, "Max_width argument must be >= 1 and <= %d", maxBar)
		}
		n := 0.0
		if v := x.at(i); v >= hi.at(i) {
			n = w
		} else if v > lo.at(i) {
			n = (v - lo.at(i)) * w / (hi.at(i) - lo.at(i))
		}
		eighths := int(math.Floor(n * 8))
		for ; eighths >= 8; eighths -= 8 {
			out.Data = append(out.Data, "█"...)
		}
		if eighths > 0 {
			out.Data = append(out.Data, []string{"▏", "▎", "▍", "▌", "▋", "▊", "▉"}[eighths-1]...)
		}
		out.EndValue()
	}
	return out, nil
}

func evalMaterialize(c *Call) (column.Vector, error) {
	if k, ok := c.Args[0].(*column.Const); ok {
		if err := c.fits(k.Value.Bytes() * int64(c.Rows)); err != nil {
			return nil, err
		}
	}
	return column.Flatten(c.Args[0]), nil
}
