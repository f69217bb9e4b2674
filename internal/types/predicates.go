package types

// Elem returns the first element type: of Nullable, LowCardinality, Array and SimpleAggregateFunction.
func (t *Type) Elem() *Type { return t.Elems[0] }

// IsNullable reports whether values may be NULL: Nullable(T) or LowCardinality(Nullable(T)).
func (t *Type) IsNullable() bool {
	return t.Kind == Nullable || t.Kind == LowCardinality && t.Elems[0].Kind == Nullable
}

// Inner removes LowCardinality and Nullable.
func (t *Type) Inner() *Type { return t.WithoutLowCardinality().WithoutNullable() }

// WithoutLowCardinality returns T of LowCardinality(T) and of SimpleAggregateFunction(f, T), else t: the type that vectors carry.
func (t *Type) WithoutLowCardinality() *Type {
	for t.Kind == LowCardinality || t.Kind == SimpleAggregateFunction {
		t = t.Elems[0]
	}
	return t
}

// WithoutNullable returns T of Nullable(T), else t.
func (t *Type) WithoutNullable() *Type {
	if t.Kind == Nullable {
		return t.Elems[0]
	}
	return t
}

// IsUnsigned reports whether the kind is an unsigned integer or Bool.
func (t *Type) IsUnsigned() bool { return t.Kind >= Bool && t.Kind <= UInt256 }

// IsSigned reports whether the kind is a signed integer.
func (t *Type) IsSigned() bool { return t.Kind >= Int8 && t.Kind <= Int256 }

// IsInteger reports whether the kind is an integer or Bool.
func (t *Type) IsInteger() bool { return t.IsUnsigned() || t.IsSigned() }

// IsFloat reports whether the kind is BFloat16, Float32 or Float64.
func (t *Type) IsFloat() bool { return t.Kind >= BFloat16 && t.Kind <= Float64 }

// IsNumeric reports whether the kind is an integer, a float or Decimal.
func (t *Type) IsNumeric() bool { return t.IsInteger() || t.IsFloat() || t.Kind == Decimal }

// IsString reports whether the kind is String or FixedString.
func (t *Type) IsString() bool { return t.Kind == String || t.Kind == FixedString }

// IsDate reports whether the kind is Date or Date32.
func (t *Type) IsDate() bool { return t.Kind == Date || t.Kind == Date32 }

// IsDateTime reports whether the kind is DateTime or DateTime64.
func (t *Type) IsDateTime() bool { return t.Kind == DateTime || t.Kind == DateTime64 }

// IsTime reports whether the kind is Time or Time64: a time of no date.
func (t *Type) IsTime() bool { return t.Kind == Time || t.Kind == Time64 }

// IsDateOrTime reports whether the kind is one of a date, or of a date and time.
func (t *Type) IsDateOrTime() bool { return t.IsDate() || t.IsDateTime() }

// IsEnum reports whether the kind is Enum8 or Enum16.
func (t *Type) IsEnum() bool { return t.Kind == Enum8 || t.Kind == Enum16 }

// CanBeNullable reports whether Nullable(t) is a type.
func (t *Type) CanBeNullable() bool {
	switch t.Kind {
	case Nullable, LowCardinality, Array, Map, Tuple, AggregateFunction, Variant, Dynamic:
		return false
	}
	return true
}

// IsOrdered reports whether values compare with < (and so may be a sort key).
func (t *Type) IsOrdered() bool {
	switch t.Kind {
	case AggregateFunction, Map:
		return false
	case Nullable, LowCardinality, Array, Tuple, SimpleAggregateFunction:
		for _, e := range t.Elems {
			if !e.IsOrdered() {
				return false
			}
		}
	}
	return true
}

// EnumName returns the name of an Enum's number.
func (t *Type) EnumName(v int16) (string, bool) {
	for _, e := range t.Enum {
		if e.Value == v {
			return e.Name, true
		}
	}
	return "", false
}

// EnumNumber returns the number of an Enum's name.
func (t *Type) EnumNumber(name string) (int16, bool) {
	for _, e := range t.Enum {
		if e.Name == name {
			return e.Value, true
		}
	}
	return 0, false
}

// Phys is the Go representation of a value in a vector.
type Phys uint8

// The representations; PBytes values are variable or fixed length byte strings.
const (
	PUInt8 Phys = iota
	PUInt16
	PUInt32
	PUInt64
	PUInt128
	PUInt256
	PInt8
	PInt16
	PInt32
	PInt64
	PInt128
	PInt256
	PFloat32
	PFloat64
	PBytes
	PNullable
	PArray
	PTuple
	PMap
	PVariant // Variant and Dynamic: of each value which type it has, and one vector a type
)

// Phys returns the Go representation of the type's values. LowCardinality(T) and
// SimpleAggregateFunction(f, T) have the representation of T.
func (t *Type) Phys() Phys {
	switch t.Kind {
	case Nothing, Bool, UInt8:
		return PUInt8
	case UInt16, Date:
		return PUInt16
	case UInt32, DateTime, IPv4:
		return PUInt32
	case UInt64:
		return PUInt64
	case UInt128, UUID:
		return PUInt128
	case UInt256:
		return PUInt256
	case Int8, Enum8:
		return PInt8
	case Int16, Enum16:
		return PInt16
	case Int32, Date32, Time:
		return PInt32
	case Int64, DateTime64, Time64, Interval:
		return PInt64
	case Int128:
		return PInt128
	case Int256:
		return PInt256
	case BFloat16, Float32:
		return PFloat32
	case Float64:
		return PFloat64
	case Decimal:
		switch {
		case t.N <= MaxPrecision32:
			return PInt32
		case t.N <= MaxPrecision64:
			return PInt64
		case t.N <= MaxPrecision128:
			return PInt128
		}
		return PInt256
	case Nullable:
		return PNullable
	case Array:
		return PArray
	case Tuple:
		return PTuple
	case Map, JSON:
		return PMap
	case Variant, Dynamic:
		return PVariant
	case LowCardinality, SimpleAggregateFunction:
		return t.Elems[0].Phys()
	}
	return PBytes
}

// Width returns the bytes of one value of fixed length in memory, and 0 for the others.
func (t *Type) Width() int {
	switch t.Phys() {
	case PUInt8, PInt8:
		return 1
	case PUInt16, PInt16:
		return 2
	case PUInt32, PInt32, PFloat32:
		return 4
	case PUInt64, PInt64, PFloat64:
		return 8
	case PUInt128, PInt128:
		return 16
	case PUInt256, PInt256:
		return 32
	case PBytes:
		if t.Kind == FixedString {
			return t.N
		}
		if t.Kind == IPv6 {
			return 16
		}
	}
	return 0
}
