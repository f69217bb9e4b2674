package types

import (
	"strings"

	"github.com/olapd/olapd/internal/sqlerr"
)

// aliases maps lower-case SQL names to ClickHouse's own names.
var aliases = map[string]string{
	"bool": "Bool", "boolean": "Bool",
	"tinyint": "Int8", "int1": "Int8", "byte": "Int8", "tinyint signed": "Int8", "int1 signed": "Int8",
	"smallint": "Int16", "smallint signed": "Int16",
	"int": "Int32", "integer": "Int32", "mediumint": "Int32", "int signed": "Int32", "integer signed": "Int32", "mediumint signed": "Int32",
	"bigint": "Int64", "bigint signed": "Int64", "signed": "Int64",
	"tinyint unsigned": "UInt8", "int1 unsigned": "UInt8", "smallint unsigned": "UInt16", "year": "UInt16", "mediumint unsigned": "UInt32",
	"int unsigned": "UInt32", "integer unsigned": "UInt32", "bigint unsigned": "UInt64", "unsigned": "UInt64", "bit": "UInt64", "set": "UInt64",
	"float": "Float32", "real": "Float32", "single": "Float32", "double": "Float64", "double precision": "Float64",
	"text": "String", "tinytext": "String", "mediumtext": "String", "longtext": "String", "blob": "String", "tinyblob": "String",
	"mediumblob": "String", "longblob": "String", "clob": "String", "bytea": "String", "varchar": "String", "varchar2": "String", "char": "String",
	"character": "String", "nchar": "String", "nvarchar": "String", "character varying": "String", "char varying": "String",
	"national char": "String", "national character": "String", "character large object": "String", "char large object": "String",
	"binary large object": "String", "nchar varying": "String", "national character varying": "String", "national char varying": "String",
	"varbinary": "String", "binary varying": "String", "national": "", "character large": "", "char large": "", "binary large": "",
	"binary": "FixedString", "dec": "Decimal", "numeric": "Decimal", "fixed": "Decimal", "decimal": "Decimal",
	"timestamp": "DateTime", "datetime": "DateTime", "date": "Date", "date32": "Date32", "datetime32": "DateTime", "datetime64": "DateTime64", "time": "Time", "time64": "Time64",
	"json": "JSON", "inet4": "IPv4", "inet6": "IPv6", "enum": "Enum",
}

// byName holds every kind without parameters under its own name.
var byName = func() map[string]*Type {
	m := map[string]*Type{}
	for _, k := range kindNames {
		for _, t := range []*Type{
			TNothing, TBool, TUInt8, TUInt16, TUInt32, TUInt64, TUInt128, TUInt256, TInt8, TInt16, TInt32, TInt64, TInt128, TInt256,
			TBFloat16, TFloat32, TFloat64, TString, TDate, TDate32, TUUID, TIPv4, TIPv6,
		} {
			if t.name == k {
				m[k] = t
			}
		}
	}
	for u := Nanosecond; u <= Year; u++ {
		t := NewInterval(u)
		m[t.name] = t
	}
	for _, t := range geoTypes {
		m[t.name] = t
	}
	return m
}()

// Aliases returns each SQL alias of a type name with the name it stands for; the caller owns the map.
func Aliases() map[string]string {
	out := map[string]string{}
	for a, n := range aliases {
		if n != "" && !strings.EqualFold(a, n) {
			out[a] = n
		}
	}
	return out
}

func (p *typeParser) build(name string, args []arg, parens bool) (*Type, error) {
	if n := aliases[strings.ToLower(name)]; n != "" {
		if n == "String" {
			args = nil // VARCHAR(255): the length is accepted and means nothing
		}
		name = n
	}
	if t, ok := byName[name]; ok {
		if len(args) > 0 && !(t.IsInteger() || t.IsFloat() || t.Kind == String) {
			return nil, sqlerr.New(sqlerr.DataTypeCannotHaveArguments, "Data type %s cannot have arguments", name)
		}
		return t, nil // INT(11): display width, accepted as by ClickHouse
	}
	make, ok := constructors[name]
	if !ok {
		return nil, sqlerr.New(sqlerr.UnknownType, "Unknown data type family: %s", name)
	}
	return make(name, args)
}

var constructors map[string]func(name string, args []arg) (*Type, error)

func init() {
	constructors = map[string]func(string, []arg) (*Type, error){
		"FixedString": buildFixedString, "DateTime": buildDateTime, "DateTime64": buildDateTime64, "Time": buildTime, "Time64": buildTime64,
		"Decimal": buildDecimal, "Decimal32": buildSizedDecimal(MaxPrecision32), "Decimal64": buildSizedDecimal(MaxPrecision64),
		"Decimal128": buildSizedDecimal(MaxPrecision128), "Decimal256": buildSizedDecimal(MaxPrecision256),
		"Enum": buildEnum, "Enum8": buildEnum, "Enum16": buildEnum,
		"Nullable": buildNullable, "LowCardinality": buildLowCardinality, "Array": buildArray, "Map": buildMap, "Tuple": buildTuple, "Nested": buildNested,
		"Variant": buildVariant, "Dynamic": buildDynamic, "JSON": buildJSON,
		"AggregateFunction": buildAggregate, "SimpleAggregateFunction": buildSimpleAggregate,
	}
}

func wrongArgs(name, want string) error {
	return sqlerr.New(sqlerr.NumberOfArgumentsDoesntMatch, "Data type %s must have %s", name, want)
}

func typeArgs(name string, args []arg, n int) ([]*Type, error) {
	if n >= 0 && len(args) != n {
		return nil, wrongArgs(name, "exactly "+[]string{"no", "one", "two"}[n]+" argument(s): data types")
	}
	out := make([]*Type, len(args))
	for i, a := range args {
		if a.typ == nil {
			return nil, sqlerr.New(sqlerr.IllegalTypeOfArgument, "Arguments of data type %s must be data types", name)
		}
		out[i] = a.typ
	}
	return out, nil
}

func buildFixedString(name string, args []arg) (*Type, error) {
	if len(args) != 1 || args[0].num == nil {
		return nil, wrongArgs(name, "exactly one argument: its size in bytes")
	}
	if n := *args[0].num; n < 1 || n > maxFixedString {
		return nil, sqlerr.New(sqlerr.ArgumentOutOfBound, "FixedString size must be between 1 and %d, got %d", maxFixedString, n)
	}
	return NewFixedString(int(*args[0].num)), nil
}

func buildDateTime(name string, args []arg) (*Type, error) {
	switch {
	case len(args) == 0:
		return TDateTime, nil
	case len(args) == 1 && args[0].str != nil:
		loc, err := zoneOf(*args[0].str)
		return NewDateTime(loc), err
	case len(args) == 1 && args[0].num != nil:
		return buildDateTime64(name, args)
	}
	return nil, wrongArgs(name, "at most one argument: a time zone")
}

func buildDateTime64(name string, args []arg) (*Type, error) {
	scale := int64(3)
	if len(args) > 0 {
		if args[0].num == nil {
			return nil, sqlerr.New(sqlerr.IllegalTypeOfArgument, "The first argument of %s must be its precision", name)
		}
		scale = *args[0].num
	}
	if scale < 0 || scale > 9 {
		return nil, sqlerr.New(sqlerr.ArgumentOutOfBound, "Scale %d is too large for DateTime64. Maximum is up to nanoseconds (9)", scale)
	}
	if len(args) < 2 {
		return NewDateTime64(int(scale), nil), nil
	}
	if len(args) > 2 || args[1].str == nil {
		return nil, wrongArgs(name, "at most two arguments: precision and time zone")
	}
	loc, err := zoneOf(*args[1].str)
	return NewDateTime64(int(scale), loc), err
}

func buildTime(_ string, args []arg) (*Type, error) {
	if len(args) > 0 {
		return nil, sqlerr.New(sqlerr.IllegalTypeOfArgument, "Specifying timezone for Time type is not allowed")
	}
	return TTime, nil
}

func buildTime64(name string, args []arg) (*Type, error) {
	if len(args) == 0 {
		return NewTime64(defaultTimeScale), nil
	}
	if len(args) > 1 || args[0].num == nil {
		return nil, sqlerr.New(sqlerr.IllegalTypeOfArgument, "%s takes one argument: its precision", name)
	}
	if n := *args[0].num; n < 0 || n > 9 {
		return nil, sqlerr.New(sqlerr.BadArguments, "DataTypeTime64 scale %d is too large, maximum is 9", n)
	}
	return NewTime64(int(*args[0].num)), nil
}

// defaultTimeScale is the scale of a Time64 that names none.
const defaultTimeScale = 3

func buildDecimal(name string, args []arg) (*Type, error) {
	p, s := int64(10), int64(0)
	if len(args) > 0 {
		if args[0].num == nil || len(args) > 2 || len(args) == 2 && args[1].num == nil {
			return nil, wrongArgs(name, "one or two integer arguments: precision and scale")
		}
		p = *args[0].num
	}
	if len(args) == 2 {
		s = *args[1].num
	}
	if p < 1 || p > MaxPrecision256 {
		return nil, sqlerr.New(sqlerr.ArgumentOutOfBound, "Wrong precision: it must be between 1 and %d, got %d", MaxPrecision256, p)
	}
	if s < 0 || s > p {
		return nil, sqlerr.New(sqlerr.ArgumentOutOfBound, "Negative scales and scales larger than precision are not supported, got %d", s)
	}
	return NewDecimal(int(p), int(s)), nil
}

func buildSizedDecimal(precision int) func(string, []arg) (*Type, error) {
	return func(name string, args []arg) (*Type, error) {
		if len(args) != 1 || args[0].num == nil {
			return nil, wrongArgs(name, "exactly one argument: its scale")
		}
		p := int64(precision)
		return buildDecimal(name, []arg{{num: &p}, args[0]})
	}
}

func buildEnum(name string, args []arg) (*Type, error) {
	if len(args) == 0 {
		return nil, wrongArgs(name, "at least one element")
	}
	values := make([]EnumValue, 0, len(args))
	seenName, seenValue := map[string]bool{}, map[int16]bool{}
	next := int16(1)
	kind := Enum8
	for _, a := range args {
		v := EnumValue{Value: next}
		switch {
		case a.enum != nil:
			v = *a.enum
		case a.str != nil:
			v.Name = *a.str
		default:
			return nil, sqlerr.New(sqlerr.UnexpectedExpression, "Elements of Enum data type must be of form: 'name' = number or 'name'")
		}
		if seenName[v.Name] || seenValue[v.Value] {
			return nil, sqlerr.New(sqlerr.SyntaxError, "Duplicate names or values in enum: '%s' = %d", v.Name, v.Value)
		}
		seenName[v.Name], seenValue[v.Value] = true, true
		next = v.Value + 1
		if v.Value < -128 || v.Value > 127 {
			kind = Enum16
		}
		values = append(values, v)
	}
	if name == "Enum8" && kind == Enum16 {
		return nil, sqlerr.New(sqlerr.ArgumentOutOfBound, "An element's value exceeds the range of Enum8")
	}
	if name == "Enum16" {
		kind = Enum16
	}
	sortEnum(values)
	return NewEnum(kind, values), nil
}

func buildNullable(name string, args []arg) (*Type, error) {
	ts, err := typeArgs(name, args, 1)
	if err != nil {
		return nil, err
	}
	if !ts[0].CanBeNullable() && ts[0].Kind != Nullable || ts[0].Kind == Nullable {
		return nil, sqlerr.New(sqlerr.IllegalTypeOfArgument, "Nested type %s cannot be inside Nullable type", ts[0])
	}
	return NewNullable(ts[0]), nil
}

func buildLowCardinality(name string, args []arg) (*Type, error) {
	ts, err := typeArgs(name, args, 1)
	if err != nil {
		return nil, err
	}
	switch in := ts[0].WithoutNullable(); {
	case in.IsNumeric() && in.Kind != Decimal, in.IsString(), in.IsDateOrTime() && in.Kind != DateTime64, in.Kind == Time, in.Kind == IPv4, in.Kind == IPv6, in.Kind == UUID:
		return NewLowCardinality(ts[0]), nil
	}
	return nil, sqlerr.New(sqlerr.IllegalTypeOfArgument,
		"DataTypeLowCardinality is supported only for numbers, strings, Date or DateTime, but got %s", ts[0])
}

func buildArray(name string, args []arg) (*Type, error) {
	ts, err := typeArgs(name, args, 1)
	if err != nil {
		return nil, err
	}
	return NewArray(ts[0]), nil
}

func buildMap(name string, args []arg) (*Type, error) {
	ts, err := typeArgs(name, args, 2)
	if err != nil {
		return nil, err
	}
	if ts[0].IsNullable() {
		return nil, sqlerr.New(sqlerr.BadArguments, "Map cannot have a key of type %s", ts[0])
	}
	return NewMap(ts[0], ts[1]), nil
}

func buildTuple(name string, args []arg) (*Type, error) {
	ts, err := typeArgs(name, args, -1)
	if err != nil {
		return nil, err
	}
	var names []string
	for i, a := range args {
		if (a.name != "") != (i == 0 && a.name != "" || names != nil) {
			return nil, sqlerr.New(sqlerr.BadArguments, "Names are specified not for all elements of Tuple type")
		}
		if a.name != "" {
			names = append(names, a.name)
		}
	}
	return NewTuple(ts, names), nil
}

func buildAggregate(name string, args []arg) (*Type, error) {
	if len(args) == 0 || args[0].name == "" {
		return nil, wrongArgs(name, "the name of an aggregate function as its first argument")
	}
	ts, err := typeArgs(name, args[1:], -1)
	if err != nil {
		return nil, err
	}
	return NewAggregateFunction(args[0].name, splitParams(args[0].text), ts), nil
}

func buildSimpleAggregate(name string, args []arg) (*Type, error) {
	if len(args) != 2 || args[0].name == "" || args[1].typ == nil {
		return nil, wrongArgs(name, "two arguments: an aggregate function's name and a data type")
	}
	return NewSimpleAggregateFunction(args[0].name, args[1].typ), nil
}

// splitParams cuts "0.5, 'a,b'" at the commas outside quotes.
func splitParams(s string) []string {
	var out []string
	start, quoted := 0, false
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '\\' && quoted:
			i++
		case s[i] == '\'':
			quoted = !quoted
		case s[i] == ',' && !quoted:
			out = append(out, strings.TrimSpace(s[start:i]))
			start = i + 1
		}
	}
	if rest := strings.TrimSpace(s[start:]); rest != "" {
		out = append(out, rest)
	}
	return out
}
