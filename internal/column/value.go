package column

import (
	"fmt"

	"github.com/olapd/olapd/internal/types"
)

// Type is types.Type, named here so that a Schema reads well.
type Type = types.Type

// enumDefault is a vector of one value: an enum's default, its lowest number.
func enumDefault(t *types.Type) Vector {
	if t.Kind == types.Enum8 {
		return NewNum(t, []int8{int8(t.Enum[0].Value)})
	}
	return NewNum(t, []int16{t.Enum[0].Value})
}

// Value returns value i as a Go value: nil for NULL, the number in its own Go type (see types.Phys),
// a string for byte strings, []any for arrays and tuples, [][2]any for maps, Typed for a Variant or Dynamic. It is meant
// for constants, tests and printing, not for loops over rows.
func Value(v Vector, i int) any {
	switch v := v.(type) {
	case *Num[uint8]:
		return v.Data[i]
	case *Num[uint16]:
		return v.Data[i]
	case *Num[uint32]:
		return v.Data[i]
	case *Num[uint64]:
		return v.Data[i]
	case *Num[types.U128]:
		return v.Data[i]
	case *Num[types.U256]:
		return v.Data[i]
	case *Num[int8]:
		return v.Data[i]
	case *Num[int16]:
		return v.Data[i]
	case *Num[int32]:
		return v.Data[i]
	case *Num[int64]:
		return v.Data[i]
	case *Num[types.I128]:
		return v.Data[i]
	case *Num[types.I256]:
		return v.Data[i]
	case *Num[float32]:
		return v.Data[i]
	case *Num[float64]:
		return v.Data[i]
	case *Str:
		return string(v.At(i))
	case *Nullable:
		if v.Nulls[i] != 0 {
			return nil
		}
		return Value(v.Inner, i)
	case *Array:
		return values(v.Elem, v.Off[i], v.Off[i+1])
	case *Map:
		keys, vals := values(v.Keys, v.Off[i], v.Off[i+1]), values(v.Vals, v.Off[i], v.Off[i+1])
		out := make([][2]any, len(keys))
		for j := range keys {
			out[j] = [2]any{keys[j], vals[j]}
		}
		return out
	case *Tuple:
		out := make([]any, len(v.Elems))
		for j, e := range v.Elems {
			out[j] = Value(e, i)
		}
		return out
	case *Variant:
		in, j := v.Value(i)
		if in == nil {
			return nil
		}
		return Typed{in.Type(), Value(in, j)}
	case *Const:
		return Value(v.Value, 0)
	case *Dict:
		return Value(v.Values, int(v.Codes[i]))
	}
	panic(fmt.Sprintf("column: unknown vector %T", v))
}

func values(v Vector, from, to uint32) []any {
	out := make([]any, 0, to-from)
	for i := from; i < to; i++ {
		out = append(out, Value(v, int(i)))
	}
	return out
}

// AppendValue appends a Go value of the form Value returns; nil is NULL or, where
// the type is not Nullable, the default. It panics on a value of another form.
func AppendValue(b Builder, x any) {
	if x == nil {
		b.AppendDefault()
		return
	}
	switch v := b.(type) {
	case *Num[uint8]:
		v.Data = append(v.Data, x.(uint8))
	case *Num[uint16]:
		v.Data = append(v.Data, x.(uint16))
	case *Num[uint32]:
		v.Data = append(v.Data, x.(uint32))
	case *Num[uint64]:
		v.Data = append(v.Data, x.(uint64))
	case *Num[types.U128]:
		v.Data = append(v.Data, x.(types.U128))
	case *Num[types.U256]:
		v.Data = append(v.Data, x.(types.U256))
	case *Num[int8]:
		v.Data = append(v.Data, x.(int8))
	case *Num[int16]:
		v.Data = append(v.Data, x.(int16))
	case *Num[int32]:
		v.Data = append(v.Data, x.(int32))
	case *Num[int64]:
		v.Data = append(v.Data, x.(int64))
	case *Num[types.I128]:
		v.Data = append(v.Data, x.(types.I128))
	case *Num[types.I256]:
		v.Data = append(v.Data, x.(types.I256))
	case *Num[float32]:
		v.Data = append(v.Data, x.(float32))
	case *Num[float64]:
		v.Data = append(v.Data, x.(float64))
	case *Str:
		v.AppendString(x.(string))
	case *Nullable:
		AppendValue(v.Inner.(Builder), x)
		v.Nulls = append(v.Nulls, 0)
	case *Array:
		for _, e := range x.([]any) {
			AppendValue(v.Elem.(Builder), e)
		}
		v.EndValue()
	case *Map:
		for _, kv := range x.([][2]any) {
			AppendValue(v.Keys.(Builder), kv[0])
			AppendValue(v.Vals.(Builder), kv[1])
		}
		v.EndValue()
	case *Tuple:
		for j, e := range x.([]any) {
			AppendValue(v.Elems[j].(Builder), e)
		}
		v.N++
	case *Variant:
		k := v.Alt(x.(Typed).Type)
		AppendValue(v.Alts[k].(Builder), x.(Typed).Value)
		v.EndValue(k)
	default:
		panic(fmt.Sprintf("column: unknown builder %T", b))
	}
}

// Typed is a value of a Variant or Dynamic, NULL aside: its type, and the value in the form Value returns.
type Typed struct {
	Type  *types.Type
	Value any
}

// NewConst returns x, in the form Value returns, n times as type t.
func NewConst(t *types.Type, x any, n int) *Const {
	b := New(t, 1)
	AppendValue(b, x)
	return &Const{Value: b, N: n}
}

// IsNull reports whether value i is NULL.
func IsNull(v Vector, i int) bool {
	switch v := v.(type) {
	case *Nullable:
		return v.Nulls[i] != 0
	case *Variant:
		return v.Which[i] == NoVariant
	case *Const:
		return IsNull(v.Value, 0)
	}
	return false
}
