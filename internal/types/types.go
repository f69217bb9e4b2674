// Package types is the type system: ClickHouse's data types with ClickHouse's names.
//
// A *Type is immutable and may be shared between goroutines. Two types are the
// same if their canonical names are the same (Equal). The Go representation of
// the values of each kind is fixed by Phys and is what package column stores.
//
// LowCardinality is a property of a schema only: vectors of a LowCardinality(T)
// column are vectors of T (usually dictionary coded).
package types

import (
	"strconv"
	"strings"
	"time"
)

// Kind is the family of a type.
type Kind uint8

// The kinds. Bool is stored as UInt8; Enum8/16 as Int8/16; Date as UInt16 days,
// Date32 as Int32 days, DateTime as UInt32 seconds, DateTime64 as Int64 ticks of
// 10^-Scale seconds, all since 1970-01-01 UTC; Time as Int32 seconds and Time64 as Int64 ticks of
// 10^-Scale seconds, of no date and no zone; Decimal(P,S) as an integer scaled by
// 10^S; UUID as UInt128; BFloat16 as Float32 with the lower half of its bits zero; IPv4 as UInt32; IPv6, FixedString and aggregate states as bytes.
const (
	Nothing Kind = iota
	Bool
	UInt8
	UInt16
	UInt32
	UInt64
	UInt128
	UInt256
	Int8
	Int16
	Int32
	Int64
	Int128
	Int256
	BFloat16
	Float32
	Float64
	Decimal // Precision N, Scale; storage width follows from N
	String
	FixedString // N bytes
	Date
	Date32
	DateTime
	DateTime64 // Scale digits
	Time
	Time64 // Scale digits
	UUID
	IPv4
	IPv6
	Enum8
	Enum16
	Interval
	Nullable
	LowCardinality
	Array
	Tuple
	Map
	AggregateFunction
	SimpleAggregateFunction
	Variant // of the types Elems, or NULL
	Dynamic // of any type, or NULL; at most N types apart
	JSON    // objects: of each path its value; Elems are the types of paths and values
)

// Type is a data type. Use the constructors or Parse; never change a Type.
type Type struct {
	Kind   Kind
	N      int            // FixedString: bytes; Decimal: precision; Dynamic: max_types
	Scale  int            // Decimal, DateTime64: digits behind the point
	Zone   *time.Location // DateTime, DateTime64: the declared zone; nil means the session's
	Unit   Unit           // Interval
	Elems  []*Type        // Nullable, LowCardinality, Array: 1; Map: key, value; Tuple, Variant: n; aggregate functions: arguments
	Names  []string       // Tuple with names: one per element; else nil
	Enum   []EnumValue    // Enum8, Enum16: sorted by value
	Func   string         // AggregateFunction, SimpleAggregateFunction: name as written
	Object *Object        // JSON: what is said of its paths
	Params []string       // AggregateFunction: parameters as SQL literals
	custom bool           // the name is one of its own, not made of the elements' (Point, Nested)
	name   string
}

// EnumValue is one name of an Enum and its number.
type EnumValue struct {
	Name  string
	Value int16
}

// The types without parameters.
var (
	TNothing  = simple(Nothing)
	TBool     = simple(Bool)
	TUInt8    = simple(UInt8)
	TUInt16   = simple(UInt16)
	TUInt32   = simple(UInt32)
	TUInt64   = simple(UInt64)
	TUInt128  = simple(UInt128)
	TUInt256  = simple(UInt256)
	TInt8     = simple(Int8)
	TInt16    = simple(Int16)
	TInt32    = simple(Int32)
	TInt64    = simple(Int64)
	TInt128   = simple(Int128)
	TInt256   = simple(Int256)
	TBFloat16 = simple(BFloat16)
	TFloat32  = simple(Float32)
	TFloat64  = simple(Float64)
	TString   = simple(String)
	TDate     = simple(Date)
	TDate32   = simple(Date32)
	TDateTime = simple(DateTime)
	TTime     = simple(Time)
	TUUID     = simple(UUID)
	TIPv4     = simple(IPv4)
	TIPv6     = simple(IPv6)
	// TNull is the type of the literal NULL.
	TNull = NewNullable(TNothing)
)

var kindNames = map[Kind]string{
	Nothing: "Nothing", Bool: "Bool", UInt8: "UInt8", UInt16: "UInt16", UInt32: "UInt32", UInt64: "UInt64", UInt128: "UInt128", UInt256: "UInt256",
	Int8: "Int8", Int16: "Int16", Int32: "Int32", Int64: "Int64", Int128: "Int128", Int256: "Int256", BFloat16: "BFloat16", Float32: "Float32", Float64: "Float64",
	String: "String", Date: "Date", Date32: "Date32", DateTime: "DateTime", Time: "Time", UUID: "UUID", IPv4: "IPv4", IPv6: "IPv6",
}

func simple(k Kind) *Type { return &Type{Kind: k, name: kindNames[k]} }

// Simple returns the type of a kind that takes no parameters, or nil.
func Simple(k Kind) *Type {
	for _, t := range []*Type{
		TNothing, TBool, TUInt8, TUInt16, TUInt32, TUInt64, TUInt128, TUInt256, TInt8, TInt16, TInt32, TInt64, TInt128, TInt256,
		TBFloat16, TFloat32, TFloat64, TString, TDate, TDate32, TDateTime, TTime, TUUID, TIPv4, TIPv6,
	} {
		if t.Kind == k {
			return t
		}
	}
	return nil
}

// String returns the canonical name, as toTypeName prints it.
func (t *Type) String() string { return t.name }

// Equal reports whether two types have the same canonical name.
func (t *Type) Equal(o *Type) bool { return t == o || (t != nil && o != nil && t.name == o.name) }

// NewNullable returns Nullable(t); t itself if it is Nullable already.
func NewNullable(t *Type) *Type {
	if t.Kind == Nullable {
		return t
	}
	return &Type{Kind: Nullable, Elems: []*Type{t}, name: "Nullable(" + t.name + ")"}
}

// NewLowCardinality returns LowCardinality(t).
func NewLowCardinality(t *Type) *Type {
	return &Type{Kind: LowCardinality, Elems: []*Type{t}, name: "LowCardinality(" + t.name + ")"}
}

// NewArray returns Array(t).
func NewArray(t *Type) *Type {
	return &Type{Kind: Array, Elems: []*Type{t}, name: "Array(" + t.name + ")"}
}

// NewMap returns Map(k, v).
func NewMap(k, v *Type) *Type {
	return &Type{Kind: Map, Elems: []*Type{k, v}, name: "Map(" + k.name + ", " + v.name + ")"}
}

// NewTuple returns a Tuple; names is nil for an unnamed one, else as long as elems.
func NewTuple(elems []*Type, names []string) *Type {
	parts := make([]string, len(elems))
	for i, e := range elems {
		parts[i] = e.name
		if names != nil {
			parts[i] = quoteIdent(names[i]) + " " + e.name
		}
	}
	return &Type{Kind: Tuple, Elems: elems, Names: names, name: "Tuple(" + strings.Join(parts, ", ") + ")"}
}

// NewFixedString returns FixedString(n).
func NewFixedString(n int) *Type {
	return &Type{Kind: FixedString, N: n, name: "FixedString(" + strconv.Itoa(n) + ")"}
}

// Precision limits of the storage widths of Decimal.
const (
	MaxPrecision32  = 9
	MaxPrecision64  = 18
	MaxPrecision128 = 38
	MaxPrecision256 = 76
)

// NewDecimal returns Decimal(p, s); p must be 1..76 and s 0..p.
func NewDecimal(p, s int) *Type {
	return &Type{Kind: Decimal, N: p, Scale: s, name: "Decimal(" + strconv.Itoa(p) + ", " + strconv.Itoa(s) + ")"}
}

// NewDateTime returns DateTime in a zone; nil means the session's.
func NewDateTime(zone *time.Location) *Type {
	if zone == nil {
		return TDateTime
	}
	return &Type{Kind: DateTime, Zone: zone, name: "DateTime(" + QuoteString(zone.String()) + ")"}
}

// NewDateTime64 returns DateTime64(scale) in a zone; nil means the session's. scale is 0..9.
func NewDateTime64(scale int, zone *time.Location) *Type {
	n := "DateTime64(" + strconv.Itoa(scale)
	if zone != nil {
		n += ", " + QuoteString(zone.String())
	}
	return &Type{Kind: DateTime64, Scale: scale, Zone: zone, name: n + ")"}
}

// NewTime64 returns Time64(scale); scale is 0..9.
func NewTime64(scale int) *Type {
	return &Type{Kind: Time64, Scale: scale, name: "Time64(" + strconv.Itoa(scale) + ")"}
}

// NewEnum returns Enum8 or Enum16 with the values sorted by number.
func NewEnum(k Kind, values []EnumValue) *Type {
	parts := make([]string, len(values))
	for i, v := range values {
		parts[i] = QuoteString(v.Name) + " = " + strconv.Itoa(int(v.Value))
	}
	n := "Enum8("
	if k == Enum16 {
		n = "Enum16("
	}
	return &Type{Kind: k, Enum: values, name: n + strings.Join(parts, ", ") + ")"}
}

// NewInterval returns the type of an INTERVAL of the unit, such as IntervalDay.
func NewInterval(u Unit) *Type { return &Type{Kind: Interval, Unit: u, name: "Interval" + u.String()} }

// NewAggregateFunction returns AggregateFunction(fn(params), args...).
func NewAggregateFunction(fn string, params []string, args []*Type) *Type {
	return newAggregate(AggregateFunction, "AggregateFunction(", fn, params, args)
}

// NewSimpleAggregateFunction returns SimpleAggregateFunction(fn, t): values of t merged by fn.
func NewSimpleAggregateFunction(fn string, t *Type) *Type {
	return newAggregate(SimpleAggregateFunction, "SimpleAggregateFunction(", fn, nil, []*Type{t})
}

func newAggregate(k Kind, prefix, fn string, params []string, args []*Type) *Type {
	n := prefix + fn
	if len(params) > 0 {
		n += "(" + strings.Join(params, ", ") + ")"
	}
	for _, a := range args {
		n += ", " + a.name
	}
	return &Type{Kind: k, Func: fn, Params: params, Elems: args, name: n + ")"}
}

// QuoteString returns s as a SQL string literal.
func QuoteString(s string) string {
	var b strings.Builder
	b.WriteByte('\'')
	for i := 0; i < len(s); i++ {
		switch c := s[i]; c {
		case '\'', '\\':
			b.WriteByte('\\')
			b.WriteByte(c)
		case '\n':
			b.WriteString(`\n`)
		case '\t':
			b.WriteString(`\t`)
		case '\r':
			b.WriteString(`\r`)
		case 0:
			b.WriteString(`\0`)
		case '\b':
			b.WriteString(`\b`)
		case '\f':
			b.WriteString(`\f`)
		default:
			b.WriteByte(c)
		}
	}
	b.WriteByte('\'')
	return b.String()
}

func quoteIdent(s string) string {
	for i := 0; i < len(s); i++ {
		c := s[i]
		if !(c == '_' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || i > 0 && c >= '0' && c <= '9') {
			return "`" + strings.NewReplacer("\\", "\\\\", "`", "\\`").Replace(s) + "`"
		}
	}
	if s == "" {
		return "``"
	}
	return s
}
