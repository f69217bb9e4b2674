package segment

import (
	"encoding/json"
	"fmt"
	"strconv"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/types"
)

// Value is one typed value: a bound, a partition value, an element of a key. The zero Value is none. It
// prints, and scalar values survive JSON without loss.
type Value struct {
	vec column.Vector // of length 1, flat
}

// ValueAt returns value i of v.
func ValueAt(v column.Vector, i int) Value {
	return Value{vec: column.Flatten(v.Slice(i, i+1))}
}

// Valid reports whether there is a value.
func (v Value) Valid() bool { return v.vec != nil }

// Vector returns the value as a vector of length 1, or nil.
func (v Value) Vector() column.Vector { return v.vec }

// String prints the value as Go would, strings quoted.
func (v Value) String() string {
	if v.vec == nil {
		return "-"
	}
	switch x := column.Value(v.vec, 0).(type) {
	case nil:
		return "NULL"
	case string:
		return strconv.QuoteToASCII(x)
	default:
		return fmt.Sprint(x)
	}
}

// MarshalJSON writes [type, text]; null for no value, and for arrays, tuples, maps and values of a Variant or Dynamic, which are lost so.
func (v Value) MarshalJSON() ([]byte, error) {
	if v.vec == nil {
		return []byte("null"), nil
	}
	x := column.Value(v.vec, 0)
	var text any
	switch x := x.(type) {
	case nil:
	case string:
		text = strconv.QuoteToASCII(x)
	case []any, [][2]any, column.Typed:
		return []byte("null"), nil
	case float32:
		text = strconv.FormatFloat(float64(x), 'g', -1, 32)
	case float64:
		text = strconv.FormatFloat(x, 'g', -1, 64)
	default:
		text = fmt.Sprint(x)
	}
	return json.Marshal([2]any{v.vec.Type().String(), text})
}

// UnmarshalJSON reads what MarshalJSON wrote.
func (v *Value) UnmarshalJSON(b []byte) error {
	if string(b) == "null" {
		*v = Value{}
		return nil
	}
	var pair [2]*string
	if err := json.Unmarshal(b, &pair); err != nil || pair[0] == nil {
		return fmt.Errorf("segment: %q is not a value: %w", b, err)
	}
	t, err := types.Parse(*pair[0])
	if err != nil {
		return err
	}
	c := column.New(t, 1)
	if pair[1] == nil {
		c.AppendDefault()
		v.vec = c
		return nil
	}
	x, err := parseScalar(t.Inner().Phys(), *pair[1])
	if err != nil {
		return err
	}
	column.AppendValue(c, x)
	v.vec = c
	return nil
}

// parseScalar reads the text of a value of a scalar representation.
func parseScalar(p types.Phys, s string) (any, error) {
	bits := map[types.Phys]int{
		types.PUInt8: 8, types.PUInt16: 16, types.PUInt32: 32, types.PUInt64: 64, types.PInt8: 8, types.PInt16: 16, types.PInt32: 32,
		types.PInt64: 64, types.PFloat32: 32, types.PFloat64: 64,
	}[p]
	switch p {
	case types.PUInt8, types.PUInt16, types.PUInt32, types.PUInt64:
		x, err := strconv.ParseUint(s, 10, bits)
		return map[types.Phys]any{types.PUInt8: uint8(x), types.PUInt16: uint16(x), types.PUInt32: uint32(x), types.PUInt64: x}[p], err
	case types.PInt8, types.PInt16, types.PInt32, types.PInt64:
		x, err := strconv.ParseInt(s, 10, bits)
		return map[types.Phys]any{types.PInt8: int8(x), types.PInt16: int16(x), types.PInt32: int32(x), types.PInt64: x}[p], err
	case types.PFloat32:
		x, err := strconv.ParseFloat(s, 32)
		return float32(x), err
	case types.PFloat64:
		return strconv.ParseFloat(s, 64)
	case types.PBytes:
		return strconv.Unquote(s)
	case types.PUInt128, types.PInt128, types.PUInt256, types.PInt256:
		return parseWide(p, s)
	}
	return nil, fmt.Errorf("segment: no scalar value of representation %d", p)
}
