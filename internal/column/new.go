package column

import (
	"fmt"

	"github.com/olapd/olapd/internal/types"
)

// New returns an empty vector of t (LowCardinality removed) to append to, with room for n values.
func New(t *types.Type, n int) Builder {
	t = t.WithoutLowCardinality()
	switch t.Phys() {
	case types.PUInt8:
		return newNum[uint8](t, n)
	case types.PUInt16:
		return newNum[uint16](t, n)
	case types.PUInt32:
		return newNum[uint32](t, n)
	case types.PUInt64:
		return newNum[uint64](t, n)
	case types.PUInt128:
		return newNum[types.U128](t, n)
	case types.PUInt256:
		return newNum[types.U256](t, n)
	case types.PInt8:
		return newNum[int8](t, n)
	case types.PInt16:
		return newNum[int16](t, n)
	case types.PInt32:
		return newNum[int32](t, n)
	case types.PInt64:
		return newNum[int64](t, n)
	case types.PInt128:
		return newNum[types.I128](t, n)
	case types.PInt256:
		return newNum[types.I256](t, n)
	case types.PFloat32:
		return newNum[float32](t, n)
	case types.PFloat64:
		return newNum[float64](t, n)
	case types.PBytes:
		return NewStr(t, n)
	case types.PNullable:
		return &Nullable{Nulls: make([]uint8, 0, n), Inner: New(t.Elem(), n), typ: t}
	case types.PArray:
		return &Array{Typ: t, Off: offsets(n), Elem: New(t.Elem(), n)}
	case types.PMap:
		return &Map{Typ: t, Off: offsets(n), Keys: New(t.Elems[0], n), Vals: New(t.Elems[1], n)}
	case types.PVariant:
		return NewVariant(t, n)
	case types.PTuple:
		elems := make([]Vector, len(t.Elems))
		for i, e := range t.Elems {
			elems[i] = New(e, n)
		}
		return &Tuple{Typ: t, Elems: elems}
	}
	panic(fmt.Sprintf("column: no vector for type %s", t))
}

func newNum[T Elem](t *types.Type, n int) *Num[T] { return &Num[T]{Typ: t, Data: make([]T, 0, n)} }

// NewStr returns an empty vector of byte strings of type t with room for n values.
func NewStr(t *types.Type, n int) *Str { return &Str{Typ: t, Off: offsets(n)} }

func offsets(n int) []uint32 { return make([]uint32, 1, n+1) }

// NewNum returns a vector of type t over data, which it takes over.
func NewNum[T Elem](t *types.Type, data []T) *Num[T] { return &Num[T]{Typ: t, Data: data} }

// NewStrings returns a String vector of the given values.
func NewStrings(values ...string) *Str {
	v := NewStr(types.TString, len(values))
	for _, s := range values {
		v.AppendString(s)
	}
	return v
}

// NewBools returns a UInt8 vector over a mask of 0 and 1, which it takes over.
func NewBools(mask []uint8) *Num[uint8] { return &Num[uint8]{Typ: types.TUInt8, Data: mask} }

// NewNulls returns n values NULL of type Nullable(Nothing).
func NewNulls(n int) Vector {
	one := &Nullable{Nulls: []uint8{1}, Inner: &Num[uint8]{Typ: types.TNothing, Data: []uint8{0}}, typ: types.TNull}
	return &Const{Value: one, N: n}
}

// NewDefaults returns n default values of t.
func NewDefaults(t *types.Type, n int) Vector {
	b := New(t, 1)
	b.AppendDefault()
	return &Const{Value: b, N: n}
}

// WithType returns v as a vector of another type of the same representation, such
// as UInt16 as Date or a tuple with other names, sharing memory. It panics if the representations differ.
func WithType(v Vector, t *types.Type) Vector {
	t = t.WithoutLowCardinality()
	if v.Type().Equal(t) {
		return v
	}
	if v.Type().Phys() != t.Phys() {
		panic(fmt.Sprintf("column: %s is not stored as %s", v.Type(), t))
	}
	switch v := v.(type) {
	case *Num[uint8]:
		return NewNum(t, v.Data)
	case *Num[uint16]:
		return NewNum(t, v.Data)
	case *Num[uint32]:
		return NewNum(t, v.Data)
	case *Num[uint64]:
		return NewNum(t, v.Data)
	case *Num[types.U128]:
		return NewNum(t, v.Data)
	case *Num[types.U256]:
		return NewNum(t, v.Data)
	case *Num[int8]:
		return NewNum(t, v.Data)
	case *Num[int16]:
		return NewNum(t, v.Data)
	case *Num[int32]:
		return NewNum(t, v.Data)
	case *Num[int64]:
		return NewNum(t, v.Data)
	case *Num[types.I128]:
		return NewNum(t, v.Data)
	case *Num[types.I256]:
		return NewNum(t, v.Data)
	case *Num[float32]:
		return NewNum(t, v.Data)
	case *Num[float64]:
		return NewNum(t, v.Data)
	case *Str:
		return &Str{Typ: t, Off: v.Off, Data: v.Data}
	case *Nullable:
		return &Nullable{Nulls: v.Nulls, Inner: WithType(v.Inner, t.Elem()), typ: t}
	case *Array:
		return &Array{Typ: t, Off: v.Off, Elem: WithType(v.Elem, t.Elem())}
	case *Map:
		return &Map{Typ: t, Off: v.Off, Keys: WithType(v.Keys, t.Elems[0]), Vals: WithType(v.Vals, t.Elems[1])}
	case *Tuple:
		elems := make([]Vector, len(v.Elems))
		for i, e := range v.Elems {
			elems[i] = WithType(e, t.Elems[i])
		}
		return &Tuple{Typ: t, Elems: elems, N: v.N}
	case *Variant:
		return variantWithType(v, t)
	case *Const:
		return &Const{Value: WithType(v.Value, t), N: v.N}
	case *Dict:
		return &Dict{Codes: v.Codes, Values: WithType(v.Values, t), Unique: v.Unique, Hashes: v.Hashes}
	}
	panic(fmt.Sprintf("column: unknown vector %T", v))
}
