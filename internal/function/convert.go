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
		&Scalar{Name: "CAST", Aliases: []string{"_CAST"}, CaseInsensitive: true, MinArgs: 2, MaxArgs: 2, Nulls: NullCustom, ExactType: true, ConstArgs: []int{1}, Resolve: resolveCast(castWrap), Eval: evalCast(castWrap), Family: "conversion", Doc: "Converts to the type named by the second argument.", Example: "CAST('1', 'UInt8') → 1"},
		&Scalar{Name: "accurateCast", MinArgs: 2, MaxArgs: 2, Nulls: NullCustom, ExactType: true, ConstArgs: []int{1}, Resolve: resolveCast(castExact), Eval: evalCast(castExact), Family: "conversion", Doc: "Converts, refusing values the type does not hold.", Example: "accurateCast(1, 'UInt8') → 1"},
		&Scalar{Name: "accurateCastOrNull", MinArgs: 2, MaxArgs: 2, Nulls: NullCustom, ExactType: true, ConstArgs: []int{1}, Resolve: resolveCast(castOrNull), Eval: evalCast(castOrNull), Family: "conversion", Doc: "Converts; values the type does not hold become NULL.", Example: "accurateCastOrNull(300, 'UInt8') → NULL"},
		&Scalar{Name: "accurateCastOrDefault", MinArgs: 2, MaxArgs: 3, Nulls: NullCustom, ExactType: true, ConstArgs: []int{1}, Resolve: resolveCast(castWrap), Eval: evalCastOrDefault, Family: "conversion", Doc: "Converts; values the type does not hold become the third argument or the type's default.", Example: "accurateCastOrDefault(300, 'UInt8') → 0"},
		&Scalar{Name: "toLowCardinality", MinArgs: 1, MaxArgs: 1, Nulls: NullCustom, ExactType: true, Resolve: resolveToLowCardinality, Eval: evalFirst, Family: "conversion", Doc: "Makes the type LowCardinality.", Example: "toTypeName(toLowCardinality('a')) → LowCardinality(String)"},
	)
	for _, t := range []*types.Type{
		types.TUInt8, types.TUInt16, types.TUInt32, types.TUInt64, types.TUInt128, types.TUInt256, types.TInt8, types.TInt16, types.TInt32, types.TInt64, types.TInt128, types.TInt256,
		types.TFloat32, types.TFloat64, types.TDate, types.TDate32, types.TUUID, types.TIPv4, types.TIPv6,
	} {
		registerConversion("to"+t.String(), 1, 1+int(b2u(t.IsDate())), func(*Env, []Arg) (*types.Type, error) { return t, nil })
	}
	registerParsing("toBFloat16", 1, 1, func(*Env, []Arg) (*types.Type, error) { return types.TBFloat16, nil })
	registerParsing("toTime", 1, 1, timeTarget)
	registerParsing("toTime64", 2, 2, time64Target)
	registerConversion("toDateTime", 1, 2, dateTimeTarget)
	registerConversion("toDateTime64", 2, 3, dateTime64Target)
	registerConversion("toDecimal32", 2, 2, decimalTarget("toDecimal32", types.MaxPrecision32))
	registerConversion("toDecimal64", 2, 2, decimalTarget("toDecimal64", types.MaxPrecision64))
	registerConversion("toDecimal128", 2, 2, decimalTarget("toDecimal128", types.MaxPrecision128))
	registerConversion("toDecimal256", 2, 2, decimalTarget("toDecimal256", types.MaxPrecision256))
	register(
		conversion("toBool", 1, 1, func(*Env, []Arg) (*types.Type, error) { return types.TBool, nil }),
		conversion("toFixedString", 2, 2, fixedStringTarget),
		&Scalar{Name: "toString", MinArgs: 1, MaxArgs: 2, Resolve: fixed("toString", types.TString, isAny), Eval: evalToString, Family: "conversion", Doc: "Writes the value as text; a time in the zone of the second argument.", Example: "toString(1.5) → 1.5"},
	)
	for u := types.Nanosecond; u <= types.Year; u++ {
		t := types.NewInterval(u)
		register(conversion("to"+t.String(), 1, 1, func(*Env, []Arg) (*types.Type, error) { return t, nil }))
	}
	for _, f := range []struct {
		name     string
		to64, us bool
	}{{"parseDateTimeBestEffort", false, false}, {"parseDateTime32BestEffort", false, false}, {"parseDateTime64BestEffort", true, false}, {"parseDateTimeBestEffortUS", false, true}, {"parseDateTime64BestEffortUS", true, true}} {
		registerBestEffort(f.name, f.to64, f.us)
	}
}

// target is the type a conversion makes, from its arguments.
type target func(*Env, []Arg) (*types.Type, error)

func conversion(name string, minArgs, maxArgs int, to target) *Scalar {
	return &Scalar{Name: name, MinArgs: minArgs, MaxArgs: maxArgs, CaseInsensitive: name == "toDate", Family: "conversion", Nulls: NullCustom,
		Resolve: nullableTarget(to), Eval: evalConversion, Doc: "Converts to " + name[2:] + "; text in a Nullable that does not parse is NULL."}
}

// nullableTarget is the target over arguments that may be Nullable.
func nullableTarget(to target) target {
	return func(env *Env, args []Arg) (*types.Type, error) {
		plain, nullable := make([]Arg, len(args)), false
		for i, a := range args {
			if a.Type.Kind == types.Nullable {
				if a.Type.Elem().Kind == types.Nothing {
					return types.TNull, nil
				}
				nullable, a.Type, a.Const = true, a.Type.Elem(), constWithoutNull(a.Const)
			}
			plain[i] = a
		}
		t, err := to(env, plain)
		if err == nil && nullable && t.CanBeNullable() {
			t = types.NewNullable(t)
		}
		return t, err
	}
}

// evalConversion casts; toDate reads times in the zone of its second argument.
func evalConversion(c *Call) (column.Vector, error) {
	if c.Result.Kind == types.Nullable && c.Result.Elem().Kind == types.Nothing {
		return column.NewNulls(c.Rows), nil
	}
	k, v := caster{env: c.Env}, c.Args[0]
	from := c.Types[0].WithoutNullable()
	if c.Types[0].Kind == types.Nullable && from.IsString() && c.Result.Kind == types.Nullable && c.Result.Elem().Kind != types.FixedString {
		k.mode = castOrNull
	}
	if name, ok := zoneName(c); ok && c.Result.WithoutNullable().IsDate() {
		zone, err := types.LoadZone(name)
		if err != nil {
			return nil, err
		}
		env := *c.Env
		env.Zone = zone
		k.env = &env
		if from.IsDateTime() {
			v = inZone(v, zone)
		}
	}
	return k.cast(v, c.Result)
}

// zoneName is a constant second argument that is a string.
func zoneName(c *Call) (string, bool) {
	if len(c.Args) < 2 {
		return "", false
	}
	return stringConst(c.Args[1])
}

// inZone is a vector of times, perhaps Nullable or Const, declared in another zone.
func inZone(v column.Vector, zone *time.Location) column.Vector {
	switch v := v.(type) {
	case *column.Const:
		return &column.Const{Value: inZone(v.Value, zone), N: v.N}
	case *column.Nullable:
		return column.NewNullable(v.Nulls, inZone(v.Inner, zone))
	}
	t := types.NewDateTime(zone)
	if v.Type().Kind == types.DateTime64 {
		t = types.NewDateTime64(v.Type().Scale, zone)
	}
	return column.WithType(v, t)
}

// registerParsing registers toX, toXOrNull and toXOrZero.
func registerParsing(name string, minArgs, maxArgs int, to target) {
	register(
		conversion(name, minArgs, maxArgs, to),
		&Scalar{Name: name + "OrNull", MinArgs: 1, MaxArgs: maxArgs, Family: "conversion", Resolve: orNullTarget(name, to), Eval: evalOrNull, Doc: "Converts text to " + name[2:] + "; NULL if it does not parse."},
		&Scalar{Name: name + "OrZero", MinArgs: 1, MaxArgs: maxArgs, Family: "conversion", Resolve: textOnly(name+"OrZero", to), Eval: evalOrZero, Doc: "Converts text to " + name[2:] + "; the type's default if it does not parse."},
	)
}

// registerConversion registers toX, toXOrNull, toXOrZero and toXOrDefault.
func registerConversion(name string, minArgs, maxArgs int, to target) {
	registerParsing(name, minArgs, maxArgs, to)
	register(&Scalar{Name: name + "OrDefault", MinArgs: minArgs, MaxArgs: maxArgs + 1, Family: "conversion", Resolve: orDefaultTarget(minArgs, to), Eval: evalOrDefault, Doc: "Converts to " + name[2:] + "; the last argument or the type's default if it does not."})
}

func time64Target(_ *Env, args []Arg) (*types.Type, error) {
	scale, ok := constInt(args, 1)
	if !ok {
		return nil, sqlerr.New(sqlerr.IllegalTypeOfArgument, "The scale of toTime64 must be a constant integer")
	}
	if scale < 0 || scale > 9 {
		return nil, sqlerr.New(sqlerr.BadArguments, "DataTypeTime64 scale %d is too large, maximum is 9", scale)
	}
	return types.NewTime64(int(scale)), nil
}

func timeTarget(_ *Env, args []Arg) (*types.Type, error) {
	if t := args[0].Type.Inner(); !(t.IsString() || hasClock(t) || isAnyNumber(t) || t.Kind == types.Nothing) {
		return nil, illegal("toTime", 0, args[0].Type)
	}
	return types.TTime, nil
}

func zoneArg(args []Arg, i int) (*time.Location, error) {
	if i >= len(args) {
		return nil, nil
	}
	name, ok := constString(args, i)
	if !ok {
		return nil, sqlerr.New(sqlerr.IllegalColumn, "Argument %d (time zone) must be a constant string", i+1)
	}
	return types.LoadZone(name)
}

// constInt is the constant integer argument i.
func constInt(args []Arg, i int) (int64, bool) {
	if i >= len(args) || args[i].Const == nil || !isPlainInt(args[i].Type.Inner()) {
		return 0, false
	}
	return numsOf[int64](args[i].Const)[0], true
}

func dateTimeTarget(env *Env, args []Arg) (*types.Type, error) {
	if _, ok := constInt(args, 1); ok {
		return dateTime64Target(env, args)
	}
	zone, err := zoneArg(args, 1)
	if err != nil {
		return nil, err
	}
	if t := args[0].Type; zone == nil && t.IsDateTime() {
		zone = t.Zone
	}
	return types.NewDateTime(zone), nil
}

func dateTime64Target(_ *Env, args []Arg) (*types.Type, error) {
	scale := int64(3)
	if len(args) > 1 {
		var ok bool
		if scale, ok = constInt(args, 1); !ok {
			return nil, sqlerr.New(sqlerr.IllegalTypeOfArgument, "The scale of toDateTime64 must be a constant integer")
		}
	}
	if scale < 0 || scale > 9 {
		return nil, sqlerr.New(sqlerr.ArgumentOutOfBound, "Scale %d is too large for DateTime64. Maximum is up to nanoseconds (9)", scale)
	}
	zone, err := zoneArg(args, 2)
	if err != nil {
		return nil, err
	}
	if t := args[0].Type; zone == nil && t.IsDateTime() {
		zone = t.Zone
	}
	return types.NewDateTime64(int(scale), zone), nil
}

func decimalTarget(name string, precision int) target {
	return func(_ *Env, args []Arg) (*types.Type, error) {
		scale, ok := constInt(args, 1)
		if !ok {
			return nil, sqlerr.New(sqlerr.IllegalTypeOfArgument, "The scale of %s must be a constant integer", name)
		}
		if scale < 0 || scale > int64(precision) {
			return nil, sqlerr.New(sqlerr.ArgumentOutOfBound, "Scale %d is out of bounds (0 to %d)", scale, precision)
		}
		return types.NewDecimal(precision, int(scale)), nil
	}
}

// maxFixedString is ClickHouse's limit of FixedString(N).
const maxFixedString = 0xFFFFFF

func fixedStringTarget(_ *Env, args []Arg) (*types.Type, error) {
	n, ok := constInt(args, 1)
	switch {
	case !ok:
		return nil, sqlerr.New(sqlerr.IllegalTypeOfArgument, "The length of toFixedString must be a constant integer")
	case n < 1 || n > maxFixedString:
		return nil, sqlerr.New(sqlerr.ArgumentOutOfBound, "FixedString size must be between 1 and %d, got %d", maxFixedString, n)
	case !args[0].Type.IsString():
		return nil, sqlerr.New(sqlerr.NotImplemented, "toFixedString is only implemented for types String and FixedString")
	}
	return types.NewFixedString(int(n)), nil
}

func textOnly(name string, to target) target {
	return func(env *Env, args []Arg) (*types.Type, error) {
		if !args[0].Type.IsString() {
			return nil, illegal(name, 0, args[0].Type)
		}
		if zone := args[len(args)-1]; len(args) == 2 && name == "toDateOrZero" && !zone.Type.IsString() {
			return nil, illegal(name, 1, zone.Type)
		}
		return to(env, args)
	}
}

func orNullTarget(name string, to target) target {
	to = textOnly(name+"OrNull", to)
	return func(env *Env, args []Arg) (*types.Type, error) {
		t, err := to(env, args)
		if err != nil {
			return nil, err
		}
		return types.NewNullable(t), nil
	}
}

func evalOrNull(c *Call) (column.Vector, error) {
	k := caster{env: c.Env, mode: castOrNull}
	return k.cast(c.Args[0], c.Result.Elem())
}

// evalOrZero takes the first day that a Date32 holds for what does not parse, and the default of other types.
func evalOrZero(c *Call) (column.Vector, error) {
	if c.Result.Inner().Kind == types.Date32 {
		return castOr(c, &column.Const{Value: newNum(types.TDate32, []int32{firstDate32}), N: c.Rows})
	}
	return castOr(c, nil)
}

// firstDate32 is 1900-01-01.
const firstDate32 = -25567

func orDefaultTarget(minArgs int, to target) target {
	return func(env *Env, args []Arg) (*types.Type, error) {
		if len(args) <= minArgs {
			return to(env, args)
		}
		t, err := to(env, args[:minArgs])
		if err == nil && !args[minArgs].Type.Equal(t) && !(isPlainInt(args[minArgs].Type) && isPlainInt(t)) {
			err = sqlerr.New(sqlerr.IllegalTypeOfArgument, "Default value type should be same as cast type. Expected %s. Actual %s", t, args[minArgs].Type)
		}
		return t, err
	}
}

func evalOrDefault(c *Call) (column.Vector, error) {
	var def column.Vector
	if last := len(c.Args) - 1; last > 0 && (c.Result.Kind != types.Decimal && c.Result.Kind != types.DateTime64 || last > 1) {
		var err error
		if def, err = Cast(c.Env, c.Args[last], c.Result); err != nil {
			return nil, err
		}
	}
	return castOr(c, def)
}

// castOr converts the first argument; what does not convert is taken from def, nil for the type's default.
func castOr(c *Call, def column.Vector) (column.Vector, error) {
	to := c.Result.WithoutLowCardinality()
	k := caster{env: c.Env, mode: castOrNull}
	v, err := k.cast(c.Args[0], to)
	if err != nil {
		return nil, err
	}
	if def == nil {
		def = column.NewDefaults(to, c.Rows)
	}
	inner, nulls := splitNullable(v)
	if !inner.Type().Equal(to) {
		return v, nil
	}
	choice := make([]uint8, c.Rows)
	for i := range choice {
		choice[i] = nulls.at(i)
	}
	return selectRows(c, to, choice, []column.Vector{inner, def})
}

func resolveCast(mode castMode) target {
	return func(_ *Env, args []Arg) (*types.Type, error) {
		name, ok := constString(args, 1)
		if !ok {
			return nil, sqlerr.New(sqlerr.IllegalTypeOfArgument, "Second argument to CAST must be a constant string describing a type")
		}
		t, err := types.Parse(name)
		if err != nil {
			return nil, err
		}
		if mode == castOrNull && t.CanBeNullable() {
			t = types.NewNullable(t)
		}
		return t, nil
	}
}

func evalCast(mode castMode) func(*Call) (column.Vector, error) {
	return func(c *Call) (column.Vector, error) {
		k := caster{env: c.Env, mode: mode}
		to := c.Result.WithoutLowCardinality()
		return k.cast(c.Args[0], to)
	}
}

func evalCastOrDefault(c *Call) (column.Vector, error) {
	var def column.Vector
	if len(c.Args) > 2 {
		var err error
		if def, err = Cast(c.Env, c.Args[2], c.Result); err != nil {
			return nil, err
		}
	}
	return castOr(c, def)
}

func resolveToLowCardinality(_ *Env, args []Arg) (*types.Type, error) {
	if args[0].Type.Kind == types.LowCardinality {
		return args[0].Type, nil
	}
	switch t := args[0].Type; t.Inner().Kind {
	case types.Decimal, types.Enum8, types.Enum16, types.DateTime64, types.Time64, types.Array, types.Tuple, types.Map, types.Nothing, types.AggregateFunction, types.Variant, types.Dynamic, types.JSON:
		return nil, sqlerr.New(sqlerr.IllegalTypeOfArgument, "DataTypeLowCardinality is supported only for numbers, strings, Date or DateTime, but got %s", t)
	}
	return types.NewLowCardinality(args[0].Type), nil
}

func evalFirst(c *Call) (column.Vector, error) { return c.Args[0], nil }

func evalToString(c *Call) (column.Vector, error) {
	v := c.Args[0]
	if len(c.Args) == 2 {
		name, ok := stringConst(c.Args[1])
		zone, err := types.LoadZone(name)
		if !ok || err != nil {
			return nil, sqlerr.New(sqlerr.BadArguments, "Cannot load time zone %s", name)
		}
		switch t := c.Types[0]; t.Kind {
		case types.DateTime:
			v = column.WithType(v, types.NewDateTime(zone))
		case types.DateTime64:
			v = column.WithType(v, types.NewDateTime64(t.Scale, zone))
		default:
			return nil, illegal("toString", 0, t)
		}
	}
	return Cast(c.Env, v, types.TString)
}

func registerBestEffort(name string, to64, us bool) {
	read, ways, example := valuetext.BestEffort, "in any of many ways", "('23/10/2018 12:12:57') → 2018-10-23 12:12:57"
	if us {
		read, ways, example = valuetext.BestEffortUS, "in any of many ways, the month in front of the day", "('10/23/2018 12:12:57') → 2018-10-23 12:12:57"
	}
	if to64 {
		example += ".000"
	}
	to := func(_ *Env, args []Arg) (*types.Type, error) {
		if !args[0].Type.IsString() {
			return nil, illegal(name, 0, args[0].Type)
		}
		if !to64 {
			zone, err := zoneArg(args, 1)
			return types.NewDateTime(zone), err
		}
		return dateTime64Target(nil, args)
	}
	maxArgs := 2 + int(b2u(to64))
	register(
		&Scalar{Name: name, MinArgs: 1, MaxArgs: maxArgs, CaseInsensitive: true, Family: "conversion", Resolve: to, Eval: evalBestEffort(castWrap, read), Doc: "Reads a time written " + ways + ".", Example: name + example},
		&Scalar{Name: name + "OrNull", MinArgs: 1, MaxArgs: maxArgs, Family: "conversion", Resolve: func(env *Env, args []Arg) (*types.Type, error) {
			t, err := to(env, args)
			if err != nil {
				return nil, err
			}
			return types.NewNullable(t), nil
		}, Eval: evalBestEffort(castOrNull, read), Doc: "Reads a time written " + ways + "; NULL if it does not parse."},
		&Scalar{Name: name + "OrZero", MinArgs: 1, MaxArgs: maxArgs, Family: "conversion", Resolve: to, Eval: func(c *Call) (column.Vector, error) {
			v, err := evalBestEffort(castOrNull, read)(c)
			if err != nil {
				return nil, err
			}
			inner, nulls := splitNullable(v)
			choice := make([]uint8, c.Rows)
			for i := range choice {
				choice[i] = nulls.at(i)
			}
			return selectRows(c, c.Result, choice, []column.Vector{inner, column.NewDefaults(c.Result, c.Rows)})
		}, Doc: "Reads a time written " + ways + "; the epoch if it does not parse."},
	)
}

// bestEffortReader is valuetext.BestEffort or BestEffortUS.
type bestEffortReader = func(s []byte, z *civil.Zone, now time.Time) (unix int64, nanos int32, err error)

func evalBestEffort(mode castMode, read bestEffortReader) func(*Call) (column.Vector, error) {
	return func(c *Call) (column.Vector, error) {
		t := c.Result.WithoutNullable()
		zone := civil.ZoneOf(c.Env.zoneOf(t))
		out := make([]int64, 0, c.Rows)
		nulls := make([]uint8, c.Rows)
		s := stringsOf(c.Args[0])
		for i := range c.Rows {
			unix, nanos, err := read(s.row(i), zone, c.Env.Now)
			if err != nil {
				if mode != castOrNull {
					return nil, err
				}
				nulls[i] = 1
			}
			if t.Kind == types.DateTime64 {
				out = append(out, valuetext.Ticks(unix, nanos, t.Scale))
			} else {
				out = append(out, min(max(unix, 0), valuetext.MaxDateTime))
			}
		}
		v := narrow(t, out)
		if mode == castOrNull {
			return column.NewNullable(nulls, v), nil
		}
		return v, nil
	}
}
