// Package column holds values column by column: a Vector is a run of values of one
// type, a Block is a set of equally long vectors and the unit that operators,
// formats, storage and the wire exchange.
//
// # Physical forms
//
//	*Num[T]    fixed-width values (see types.Phys)
//	*Str       byte strings: String, FixedString, IPv6, aggregate states
//	*Nullable  a null mask beside a vector of the inner type
//	*Array     offsets into one vector of elements
//	*Map       offsets into a vector of keys and one of values
//	*Tuple     one vector per element
//	*Variant   of each value which type it has, and one vector a type: Variant and Dynamic
//	*Const     one value repeated
//	*Dict      codes into a vector of distinct values (strings or numbers; never *Nullable: a nullable
//	           dictionary column is *Nullable around *Dict)
//
// Const and Dict are encodings, allowed wherever a vector is; code that does not
// know them calls Flatten. Inside Nullable the inner vector may be Num, Str or Dict,
// inside Const any flat vector of length 1, inside Array, Map and Tuple flat vectors.
// The type of a vector is never LowCardinality or SimpleAggregateFunction: those
// are properties of a schema (types.Type.WithoutLowCardinality).
//
// # Ownership
//
// A vector being built belongs to its builder. Once handed on it is immutable and may
// be read from many goroutines; Slice shares memory. Vectors hold no Go pointers per
// value, so the garbage collector does not walk rows.
package column

import (
	"fmt"

	"github.com/olapd/olapd/internal/types"
)

// Vector is an immutable run of values of one type.
type Vector interface {
	// Type is the type of every value; never LowCardinality.
	Type() *types.Type
	// Len is the number of values.
	Len() int
	// Slice returns values [from, to), sharing memory.
	Slice(from, to int) Vector
	// Bytes is the memory the values take; shared dictionaries count in full.
	Bytes() int64
}

// Builder is a vector that can still be appended to: *Num, *Str, *Nullable,
// *Array, *Map, *Tuple and *Variant are builders of themselves. Not safe for concurrent use.
type Builder interface {
	Vector
	// AppendDefault appends the type's default value: zero, the empty string, NULL.
	AppendDefault()
	// AppendFrom appends value i of src, whose type is the builder's or, for a
	// Nullable builder, its inner type; src may be of any physical form.
	AppendFrom(src Vector, i int)
	// AppendRange appends values [from, to) of src.
	AppendRange(src Vector, from, to int)
	// AppendSelected appends the values of src at the positions sel.
	AppendSelected(src Vector, sel []uint32)
	// Truncate drops all values from position n on; n ≤ Len.
	Truncate(n int)
}

// Elem is a fixed-width value.
type Elem interface {
	uint8 | uint16 | uint32 | uint64 | int8 | int16 | int32 | int64 | float32 | float64 | types.U128 | types.I128 | types.U256 | types.I256
}

// Num is a vector of fixed-width values.
type Num[T Elem] struct {
	Typ  *types.Type
	Data []T
}

// Str is a vector of byte strings: value i is Data[Off[i]:Off[i+1]]. Off has one element
// more than there are values and Off[0] need not be 0. A vector holds less than 4 GiB.
type Str struct {
	Typ  *types.Type
	Off  []uint32
	Data []byte
}

// Nullable is a vector of Nullable(T): value i is NULL where Nulls[i] is 1 (else 0), and
// Inner then holds T's default there or anything else.
type Nullable struct {
	Nulls []uint8
	Inner Vector
	typ   *types.Type
}

// Array is a vector of arrays: value i is Elem[Off[i]:Off[i+1]]; Off[0] need not be 0.
type Array struct {
	Typ  *types.Type
	Off  []uint32
	Elem Vector
}

// Map is a vector of maps: value i has the keys Keys[Off[i]:Off[i+1]], in order of insertion.
type Map struct {
	Typ        *types.Type
	Off        []uint32
	Keys, Vals Vector
}

// Tuple is a vector of tuples; N is its length, also when it has no elements.
type Tuple struct {
	Typ   *types.Type
	Elems []Vector
	N     int
}

// Const is one value repeated N times; Value has length 1 and is flat.
type Const struct {
	Value Vector
	N     int
}

// Dict is a dictionary-coded vector: value i is Values[Codes[i]]. Values may hold more than
// the codes use, and the same value under several codes only if Unique is false.
// The identity of Values (the pointer) is the key under which work done per entry may be cached.
type Dict struct {
	Codes  []uint32
	Values Vector
	Unique bool
	// Hashes, if not nil, is the xxh3 of the bytes of each entry of a dictionary of strings.
	Hashes []uint64
	// Lasting says that Values, whose Hashes there are, outlive the query: others will meet the same.
	Lasting bool
}

// NewNullable returns a vector of Nullable(inner's type).
func NewNullable(nulls []uint8, inner Vector) *Nullable {
	if len(nulls) != inner.Len() {
		panic(fmt.Sprintf("column: %d null flags for %d values", len(nulls), inner.Len()))
	}
	return &Nullable{Nulls: nulls, Inner: inner, typ: types.NewNullable(inner.Type())}
}

// With returns a vector of other codes into the same dictionary.
func (v *Dict) With(codes []uint32) *Dict {
	return &Dict{Codes: codes, Values: v.Values, Unique: v.Unique, Hashes: v.Hashes, Lasting: v.Lasting}
}

// Type implements Vector.
func (v *Num[T]) Type() *types.Type   { return v.Typ }
func (v *Str) Type() *types.Type      { return v.Typ }
func (v *Nullable) Type() *types.Type { return v.typ }
func (v *Array) Type() *types.Type    { return v.Typ }
func (v *Map) Type() *types.Type      { return v.Typ }
func (v *Tuple) Type() *types.Type    { return v.Typ }
func (v *Const) Type() *types.Type    { return v.Value.Type() }
func (v *Dict) Type() *types.Type     { return v.Values.Type() }

// Len implements Vector.
func (v *Num[T]) Len() int   { return len(v.Data) }
func (v *Str) Len() int      { return len(v.Off) - 1 }
func (v *Nullable) Len() int { return len(v.Nulls) }
func (v *Array) Len() int    { return len(v.Off) - 1 }
func (v *Map) Len() int      { return len(v.Off) - 1 }
func (v *Tuple) Len() int    { return v.N }
func (v *Const) Len() int    { return v.N }
func (v *Dict) Len() int     { return len(v.Codes) }

// Slice implements Vector.
func (v *Num[T]) Slice(from, to int) Vector {
	return &Num[T]{Typ: v.Typ, Data: v.Data[from:to:to]}
}

// Slice implements Vector.
func (v *Str) Slice(from, to int) Vector {
	return &Str{Typ: v.Typ, Off: v.Off[from : to+1 : to+1], Data: v.Data[:len(v.Data):len(v.Data)]}
}

// Slice implements Vector.
func (v *Nullable) Slice(from, to int) Vector {
	return &Nullable{Nulls: v.Nulls[from:to:to], Inner: v.Inner.Slice(from, to), typ: v.typ}
}

// Slice implements Vector.
func (v *Array) Slice(from, to int) Vector {
	return &Array{Typ: v.Typ, Off: v.Off[from : to+1 : to+1], Elem: v.Elem}
}

// Slice implements Vector.
func (v *Map) Slice(from, to int) Vector {
	return &Map{Typ: v.Typ, Off: v.Off[from : to+1 : to+1], Keys: v.Keys, Vals: v.Vals}
}

// Slice implements Vector.
func (v *Tuple) Slice(from, to int) Vector {
	elems := make([]Vector, len(v.Elems))
	for i, e := range v.Elems {
		elems[i] = e.Slice(from, to)
	}
	return &Tuple{Typ: v.Typ, Elems: elems, N: to - from}
}

// Slice implements Vector.
func (v *Const) Slice(from, to int) Vector { return &Const{Value: v.Value, N: to - from} }

// Slice implements Vector.
func (v *Dict) Slice(from, to int) Vector {
	return v.With(v.Codes[from:to:to])
}

// Bytes implements Vector.
func (v *Num[T]) Bytes() int64 { return int64(len(v.Data)) * int64(max(v.Typ.Width(), 1)) }

// Bytes implements Vector.
func (v *Str) Bytes() int64 {
	return 4*int64(len(v.Off)) + int64(v.Off[len(v.Off)-1]-v.Off[0])
}

// Bytes implements Vector.
func (v *Nullable) Bytes() int64 { return int64(len(v.Nulls)) + v.Inner.Bytes() }

// Bytes implements Vector.
func (v *Array) Bytes() int64 { return 4*int64(len(v.Off)) + v.elems().Bytes() }

// Bytes implements Vector.
func (v *Map) Bytes() int64 {
	from, to := int(v.Off[0]), int(v.Off[len(v.Off)-1])
	return 4*int64(len(v.Off)) + v.Keys.Slice(from, to).Bytes() + v.Vals.Slice(from, to).Bytes()
}

// Bytes implements Vector.
func (v *Tuple) Bytes() int64 {
	n := int64(0)
	for _, e := range v.Elems {
		n += e.Bytes()
	}
	return n
}

// Bytes implements Vector.
func (v *Const) Bytes() int64 { return v.Value.Bytes() }

// Bytes implements Vector.
func (v *Dict) Bytes() int64 { return 4*int64(len(v.Codes)) + v.Values.Bytes() }

// elems returns just the elements that the offsets cover.
func (v *Array) elems() Vector { return v.Elem.Slice(int(v.Off[0]), int(v.Off[len(v.Off)-1])) }

// At returns value i without copying.
func (v *Str) At(i int) []byte { return v.Data[v.Off[i]:v.Off[i+1]] }

// Append appends one value.
func (v *Str) Append(b []byte) {
	v.Data = append(v.Data, b...)
	v.Off = append(v.Off, uint32(len(v.Data)))
}

// AppendString appends one value.
func (v *Str) AppendString(s string) {
	v.Data = append(v.Data, s...)
	v.Off = append(v.Off, uint32(len(v.Data)))
}

// EndValue ends a value whose bytes were appended to Data directly.
func (v *Str) EndValue() { v.Off = append(v.Off, uint32(len(v.Data))) }

// EndValue ends an array whose elements were appended to Elem directly.
func (v *Array) EndValue() { v.Off = append(v.Off, uint32(v.Elem.Len())) }

// EndValue ends a map whose keys and values were appended directly.
func (v *Map) EndValue() { v.Off = append(v.Off, uint32(v.Keys.Len())) }

// AppendNull appends NULL to a vector whose inner one is a Builder.
func (v *Nullable) AppendNull() {
	v.Nulls = append(v.Nulls, 1)
	v.Inner.(Builder).AppendDefault()
}
