package types

import (
	"slices"
	"strings"

	"github.com/olapd/olapd/internal/sqlerr"
)

// Supertype returns the least type that holds the values of all the given types, by
// ClickHouse's rules (if, arrays, UNION, CASE). NoCommonType if there is none.
func Supertype(ts ...*Type) (*Type, error) {
	if len(ts) == 0 {
		return TNothing, nil
	}
	same := true
	for _, t := range ts[1:] {
		same = same && SameShape(t, ts[0])
	}
	if same {
		return ts[0], nil
	}
	nullable, allLow := false, true
	var inner []*Type
	for _, t := range ts {
		if t.Kind != LowCardinality {
			allLow = false
		}
		t = t.WithoutLowCardinality()
		if t.Kind == Nullable {
			nullable = true
			t = t.Elem()
		}
		if t.Kind != Nothing {
			inner = append(inner, t)
		}
	}
	if len(inner) == 0 {
		return TNull, nil
	}
	t, err := superInner(inner, ts)
	if err != nil {
		return nil, err
	}
	if nullable && !t.IsUnion() {
		if !t.CanBeNullable() {
			return nil, noCommon(ts)
		}
		t = NewNullable(t)
	}
	if allLow {
		t = NewLowCardinality(t)
	}
	return t, nil
}

// SupertypeOrVariant is Supertype but for types that have none in common: then it is the Variant of them, and of the types of those that are
// Variants. What ClickHouse does for branches, arrays, maps and UNION.
func SupertypeOrVariant(ts ...*Type) (*Type, error) {
	t, err := Supertype(ts...)
	if err == nil {
		return t, nil
	}
	var alts []*Type
	for _, e := range ts {
		switch plain := e.Inner(); plain.Kind {
		case Nothing:
		case Variant:
			alts = append(alts, plain.Elems...)
		default:
			alts = append(alts, plain)
		}
	}
	if v := NewVariant(alts); len(v.Elems) <= MaxVariants {
		return v, nil
	}
	return nil, err
}

func noCommon(ts []*Type) error {
	names := make([]string, len(ts))
	for i, t := range ts {
		names[i] = t.String()
	}
	return sqlerr.New(sqlerr.NoCommonType, "There is no supertype for types %s", strings.Join(names, ", "))
}

func superInner(inner, all []*Type) (*Type, error) {
	first := inner[0]
	same := true
	for _, t := range inner[1:] {
		same = same && SameShape(t, first)
	}
	if same {
		return first, nil
	}
	every := func(f func(*Type) bool) bool {
		for _, t := range inner {
			if !f(t) {
				return false
			}
		}
		return true
	}
	if i := slices.IndexFunc(inner, func(t *Type) bool { return t.Kind == Dynamic }); i >= 0 {
		return inner[i], nil
	}
	switch {
	case every((*Type).IsString):
		return TString, nil
	case every(func(t *Type) bool { return t.IsString() || t.IsEnum() }):
		return TString, nil
	case every((*Type).IsNumeric):
		return superNumber(inner, all)
	case every((*Type).IsDateOrTime):
		return superDate(inner), nil
	case every((*Type).IsTime):
		return superTime(inner), nil
	case every(func(t *Type) bool { return t.IsTime() || t.IsDateTime() }):
		return superMoment(inner), nil
	case every((*Type).IsEnum):
		return superEnum(inner, all)
	case every(func(t *Type) bool { return t.Kind == Array }):
		return superArray(inner)
	case every(func(t *Type) bool { return t.Kind == Tuple && len(t.Elems) == len(first.Elems) }):
		return superTuple(inner)
	case every(func(t *Type) bool { return t.Kind == Map }):
		return superMap(inner)
	case every(func(t *Type) bool { return t.Kind == IPv4 || t.Kind == IPv6 }):
		return TIPv6, nil
	}
	return nil, noCommon(all)
}

// integer types by sign and log2 of bytes
var (
	unsignedBySize = []*Type{TUInt8, TUInt16, TUInt32, TUInt64, TUInt128, TUInt256}
	signedBySize   = []*Type{TInt8, TInt16, TInt32, TInt64, TInt128, TInt256}
)

func sizeLog(t *Type) int {
	switch t.Width() {
	case 1:
		return 0
	case 2:
		return 1
	case 4:
		return 2
	case 8:
		return 3
	case 16:
		return 4
	}
	return 5
}

func superNumber(inner, all []*Type) (*Type, error) {
	maxU, maxS, float, dec := -1, -1, 0, (*Type)(nil)
	for _, t := range inner {
		switch {
		case t.Kind == Decimal:
			dec = superDecimal(dec, t)
		case t.Kind == BFloat16:
			float = max(float, 16)
		case t.Kind == Float32:
			float = max(float, 32)
		case t.Kind == Float64:
			float = 64
		case t.IsUnsigned():
			maxU = max(maxU, sizeLog(t))
		default:
			maxS = max(maxS, sizeLog(t))
		}
	}
	ints := max(maxU, maxS)
	switch {
	case dec != nil && float > 0:
		return TFloat64, nil
	case dec != nil:
		return decimalWithInt(dec, ints, all)
	case float > 0:
		return superFloat(float, ints, all)
	case maxS < 0:
		return unsignedBySize[maxU], nil
	case maxU >= maxS:
		if maxU == 3 || maxU == 5 { // there is no wider one, and ClickHouse goes from 64 bits to no 128
			return nil, noCommon(all)
		}
		return signedBySize[maxU+1], nil
	}
	return signedBySize[maxS], nil
}

func superDecimal(a, b *Type) *Type {
	if a == nil {
		return b
	}
	if a.Scale == b.Scale && a.Phys() == b.Phys() {
		return a
	}
	return NewDecimal(widestPrecision(max(a.N, b.N)), max(a.Scale, b.Scale))
}

// superFloat is the float of so many bits (16, 32, 64) or more that holds integers of a size too; ints is -1 for none.
func superFloat(bits, ints int, all []*Type) (*Type, error) {
	switch {
	case ints > 2:
		return nil, noCommon(all)
	case bits == 64 || ints == 2:
		return TFloat64, nil
	case bits == 32 || ints == 1:
		return TFloat32, nil
	}
	return TBFloat16, nil
}

// widestPrecision is the largest precision of decimals stored as those of precision p are.
func widestPrecision(p int) int {
	switch {
	case p <= MaxPrecision32:
		return MaxPrecision32
	case p <= MaxPrecision64:
		return MaxPrecision64
	case p <= MaxPrecision128:
		return MaxPrecision128
	}
	return MaxPrecision256
}

func decimalWithInt(dec *Type, sizeLog int, all []*Type) (*Type, error) {
	if sizeLog < 0 {
		return dec, nil
	}
	if sizeLog > 3 { // ClickHouse takes no wide integers for decimals
		return nil, noCommon(all)
	}
	digits, limit := []int{3, 5, 10, 20}[sizeLog]+dec.Scale, max(widestPrecision(dec.N), MaxPrecision128)
	if digits > limit {
		return nil, noCommon(all)
	}
	return NewDecimal(widestPrecision(max(digits, dec.N)), dec.Scale), nil
}

func superDate(inner []*Type) *Type {
	var time64, time32, date32 bool
	scale := 0
	zone := inner[0].Zone
	for _, t := range inner {
		switch t.Kind {
		case DateTime64:
			time64 = true
			scale = max(scale, t.Scale)
			zone = t.Zone
		case DateTime:
			time32 = true
			if zone == nil {
				zone = t.Zone
			}
		case Date32:
			date32 = true
		}
	}
	switch {
	case time64 || time32 && date32:
		return NewDateTime64(scale, zone)
	case time32:
		return NewDateTime(zone)
	}
	return TDate32
}

// superTime is of Time and Time64, which are not all Time.
func superTime(inner []*Type) *Type {
	scale := 0
	for _, t := range inner {
		scale = max(scale, t.Scale)
	}
	return NewTime64(scale)
}

// superMoment is of times with and without a date: those without are on the first day of 1970.
func superMoment(inner []*Type) *Type {
	var dated []*Type
	scale := 0
	for _, t := range inner {
		scale = max(scale, t.Scale)
		if t.IsDateTime() {
			dated = append(dated, t)
		}
	}
	return NewDateTime64(scale, superDate(dated).Zone)
}

func superEnum(inner, all []*Type) (*Type, error) {
	names, values := map[string]int16{}, map[int16]string{}
	kind := Enum8
	var out []EnumValue
	for _, t := range inner {
		if t.Kind == Enum16 {
			kind = Enum16
		}
		for _, e := range t.Enum {
			v, okName := names[e.Name]
			n, okValue := values[e.Value]
			if okName && v != e.Value || okValue && n != e.Name {
				return nil, noCommon(all)
			}
			if !okName {
				names[e.Name], values[e.Value] = e.Value, e.Name
				out = append(out, e)
			}
		}
	}
	sortEnum(out)
	return NewEnum(kind, out), nil
}

func superArray(inner []*Type) (*Type, error) {
	t, err := superElems(inner, 0)
	if err != nil {
		return nil, err
	}
	return NewArray(t), nil
}

func superMap(inner []*Type) (*Type, error) {
	k, err := superElems(inner, 0)
	if err != nil {
		return nil, err
	}
	v, err := superElems(inner, 1)
	if err != nil {
		return nil, err
	}
	return NewMap(k, v), nil
}

func superTuple(inner []*Type) (*Type, error) {
	elems := make([]*Type, len(inner[0].Elems))
	for i := range elems {
		t, err := superElems(inner, i)
		if err != nil {
			return nil, err
		}
		elems[i] = t
	}
	names := inner[0].Names
	for _, t := range inner[1:] {
		if strings.Join(t.Names, "\x00") != strings.Join(names, "\x00") {
			names = nil
		}
	}
	return NewTuple(elems, names), nil
}

func superElems(inner []*Type, i int) (*Type, error) {
	elems := make([]*Type, len(inner))
	for j, t := range inner {
		elems[j] = t.Elems[i]
	}
	return Supertype(elems...)
}
