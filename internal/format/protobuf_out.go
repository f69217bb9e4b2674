package format

import (
	"math"
	"strconv"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/internal/types"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// append appends the message of row i of flat columns.
func (b *protoBinding) append(dst []byte, cols []column.Vector, i int, o *Options) ([]byte, error) {
	var err error
	for _, f := range b.fields {
		switch {
		case f.sub == nil:
			dst, err = f.value.append(dst, cols[f.col], i, o, false)
		case f.field.repeated:
			dst, err = f.appendElements(dst, cols, i, o)
		default:
			dst, err = appendProtoMessage(dst, f.field.num, false, func(dst []byte) ([]byte, error) { return f.sub.append(dst, cols, i, o) })
		}
		if err != nil {
			return nil, err
		}
	}
	return dst, nil
}

// appendProtoMessage appends the message that write appends; nothing if that is nothing, unless always.
func appendProtoMessage(dst []byte, num protowire.Number, always bool, write func([]byte) ([]byte, error)) ([]byte, error) {
	msg, err := write(nil)
	if err != nil || len(msg) == 0 && !always {
		return dst, err
	}
	return protowire.AppendBytes(protowire.AppendTag(dst, num, protowire.BytesType), msg), nil
}

// appendElements appends a repeated message whose fields are Arrays, which must be of one length.
func (f *protoBound) appendElements(dst []byte, cols []column.Vector, i int, o *Options) ([]byte, error) {
	n := -1
	var err error
	f.sub.each(func(_ *protoValue, c int) {
		a := cols[c].(*column.Array)
		k := int(a.Off[i+1] - a.Off[i])
		if n >= 0 && k != n {
			err = sqlerr.New(sqlerr.SizesOfArraysDontMatch, "The Arrays of the repeated field %s have %d and %d elements", f.field.name, n, k)
		}
		n = k
	})
	for k := 0; k < n && err == nil; k++ {
		dst, err = appendProtoMessage(dst, f.field.num, true, func(dst []byte) ([]byte, error) { return f.sub.appendElement(dst, cols, i, k, o) })
	}
	return dst, err
}

// appendElement appends the fields of element k of the Arrays of row i.
func (b *protoBinding) appendElement(dst []byte, cols []column.Vector, i, k int, o *Options) ([]byte, error) {
	var err error
	for _, f := range b.fields {
		if f.sub != nil {
			dst, err = appendProtoMessage(dst, f.field.num, false, func(dst []byte) ([]byte, error) { return f.sub.appendElement(dst, cols, i, k, o) })
		} else {
			a := cols[f.col].(*column.Array)
			dst, err = f.value.append(dst, a.Elem, int(a.Off[i])+k, o, false)
		}
		if err != nil {
			return nil, err
		}
	}
	return dst, nil
}

// append appends the field for value i of a flat vector; nothing for NULL, in an array too, and, unless always, for defaults of fields that do not tell them
// from nothing.
func (v *protoValue) append(dst []byte, x column.Vector, i int, o *Options, always bool) ([]byte, error) {
	always = always || v.field.presence
	switch x := x.(type) {
	case *column.Nullable:
		if x.Nulls[i] != 0 {
			return dst, nil
		}
		return v.append(dst, x.Inner, i, o, always)
	case *column.Array:
		if v.elem == nil { // in a message of its own
			return appendProtoMessage(dst, v.field.num, v.field.repeated, func(dst []byte) ([]byte, error) {
				return v.tuple.fields[0].value.append(dst, x, i, o, false)
			})
		}
		return v.appendRepeated(dst, x, i, o)
	case *column.Map:
		var err error
		for k := int(x.Off[i]); k < int(x.Off[i+1]) && err == nil; k++ {
			dst, err = appendProtoMessage(dst, v.field.num, true, func(dst []byte) ([]byte, error) {
				return v.tuple.appendParts(dst, []column.Vector{x.Keys, x.Vals}, k, o, true)
			})
		}
		return dst, err
	case *column.Tuple:
		return appendProtoMessage(dst, v.field.num, always || v.field.repeated, func(dst []byte) ([]byte, error) {
			return v.tuple.appendParts(dst, x.Elems, i, o, false)
		})
	}
	raw, text, err := v.raw(x, i, o)
	if err != nil || raw == 0 && len(text) == 0 && !always && !v.field.repeated {
		return dst, err
	}
	return appendProtoRaw(protowire.AppendTag(dst, v.field.num, protoWire(v.field.kind)), v.field.kind, raw, text), nil
}

// appendParts appends value i of each element of a tuple.
func (b *protoBinding) appendParts(dst []byte, elems []column.Vector, i int, o *Options, always bool) ([]byte, error) {
	var err error
	for _, f := range b.fields {
		if f.sub != nil {
			return nil, sqlerr.New(sqlerr.NotImplemented, "Elements of a Tuple in the message %s of another one are not supported", f.field.name)
		}
		if dst, err = f.value.append(dst, elems[f.col], i, o, always); err != nil {
			return nil, err
		}
	}
	return dst, nil
}

// appendRepeated appends an array, packed if the field is.
func (v *protoValue) appendRepeated(dst []byte, a *column.Array, i int, o *Options) ([]byte, error) {
	from, to := int(a.Off[i]), int(a.Off[i+1])
	var err error
	if !v.field.packed {
		for k := from; k < to && err == nil; k++ {
			dst, err = v.elem.append(dst, a.Elem, k, o, true)
		}
		return dst, err
	}
	return appendProtoMessage(dst, v.field.num, false, func(dst []byte) ([]byte, error) {
		for k := from; k < to; k++ {
			elem := a.Elem
			if n, ok := elem.(*column.Nullable); ok {
				if n.Nulls[k] != 0 {
					continue
				}
				elem = n.Inner
			}
			raw, _, err := v.elem.raw(elem, k, o)
			if err != nil {
				return nil, err
			}
			dst = appendProtoRaw(dst, v.field.kind, raw, nil)
		}
		return dst, nil
	})
}

// appendProtoRaw appends a value as the wire has it.
func appendProtoRaw(dst []byte, k protoreflect.Kind, raw uint64, text []byte) []byte {
	switch protoWire(k) {
	case protowire.BytesType:
		return protowire.AppendBytes(dst, text)
	case protowire.Fixed32Type:
		return protowire.AppendFixed32(dst, uint32(raw))
	case protowire.Fixed64Type:
		return protowire.AppendFixed64(dst, raw)
	}
	return protowire.AppendVarint(dst, raw)
}

func (v *protoValue) badWrite(x column.Vector, i int, o *Options) error {
	return sqlerr.New(sqlerr.ProtobufBadCast, "Could not convert value '%s' from type %s to type %s while writing field '%s'", appendText(nil, x, i, o), v.typ, v.field.kind, v.field.name)
}

// raw is value i as the wire has it: a number, or bytes.
func (v *protoValue) raw(x column.Vector, i int, o *Options) (raw uint64, text []byte, err error) {
	switch v.field.kind {
	case protoreflect.StringKind, protoreflect.BytesKind:
		if s, ok := x.(*column.Str); ok && (v.typ.IsString() || v.field.kind == protoreflect.BytesKind) {
			return 0, s.At(i), nil
		}
		return 0, appendText(nil, x, i, o), nil
	case protoreflect.FloatKind, protoreflect.DoubleKind:
		f, err := strconv.ParseFloat(string(appendText(nil, x, i, o)), 64)
		switch n := x.(type) {
		case *column.Num[float64]:
			f, err = n.Data[i], nil
		case *column.Num[float32]:
			f, err = float64(n.Data[i]), nil
		}
		if err != nil {
			return 0, nil, v.badWrite(x, i, o)
		}
		if f == 0 {
			f = 0 // not minus nothing, which would be written
		}
		if v.field.kind == protoreflect.FloatKind {
			return uint64(math.Float32bits(float32(f))), nil, nil
		}
		return math.Float64bits(f), nil, nil
	case protoreflect.EnumKind:
		name := string(appendText(nil, x, i, o))
		if n, ok := v.field.numbers[name]; ok && (v.typ.IsEnum() || v.typ.IsString()) {
			return uint64(int64(n)), nil, nil
		}
		if n, ok := v.whole(x, i, o); ok && v.typ.IsInteger() && n == int64(int32(n)) && v.field.names[int32(n)] != "" {
			return uint64(n), nil, nil
		}
		return 0, nil, v.badWrite(x, i, o)
	}
	n, ok := v.whole(x, i, o)
	if !ok || !v.field.fits(n, v.typ.IsUnsigned()) {
		return 0, nil, v.badWrite(x, i, o)
	}
	if v.field.kind == protoreflect.Sint32Kind || v.field.kind == protoreflect.Sint64Kind {
		return protowire.EncodeZigZag(n), nil, nil
	}
	return uint64(n), nil, nil
}

// whole is value i as a whole number, as its bits if it is larger than an int64: days, seconds, addresses, decimals without their fraction, texts of numbers.
func (v *protoValue) whole(x column.Vector, i int, o *Options) (int64, bool) {
	if v.typ.Kind == types.Decimal || v.typ.IsFloat() || v.typ.IsString() || v.typ.Width() > 8 {
		text := string(appendText(nil, x, i, o))
		if n, err := strconv.ParseInt(text, 10, 64); err == nil {
			return n, true
		}
		f, err := strconv.ParseFloat(text, 64)
		return int64(f), err == nil && v.typ.IsNumeric() && math.Abs(f) < 1<<63
	}
	if n, ok := signedAt(x, i); ok {
		if v.typ.Kind == types.DateTime64 || v.typ.Kind == types.Time64 {
			scale := int64(powers[v.typ.Scale])
			n = (n - (n%scale+scale)%scale) / scale
		}
		return n, true
	}
	n, ok := unsignedAt(x, i)
	return int64(n), ok
}

// fits reports whether a whole number is one of the field's kind; unsigned: it is the bits of one without a sign.
func (f *protoField) fits(n int64, unsigned bool) bool {
	switch f.kind {
	case protoreflect.BoolKind:
		return n == 0 || n == 1
	case protoreflect.Int32Kind, protoreflect.Sint32Kind, protoreflect.Sfixed32Kind:
		return n == int64(int32(n))
	case protoreflect.Uint32Kind, protoreflect.Fixed32Kind:
		return n == int64(uint32(n))
	case protoreflect.Uint64Kind, protoreflect.Fixed64Kind:
		return unsigned || n >= 0
	}
	return !unsigned || n >= 0
}
