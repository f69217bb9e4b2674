package format

import (
	"encoding/binary"
	"math"
	"strconv"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/internal/types"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// rows appends a message as a row.
func (b *protoBinding) rows(r *Rows, msg []byte, o *Options) error {
	if len(msg) > maxProtoMessage {
		return sqlerr.New(sqlerr.TooLargeStringSize, "A Protobuf message of %d bytes is larger than %d", len(msg), maxProtoMessage)
	}
	given := make([]bool, len(r.Cols))
	if err := b.row(r, msg, o, given); err != nil {
		return err
	}
	for c, ok := range given {
		if !ok {
			r.omit(c)
		}
	}
	return nil
}

// row appends the columns that msg has, and marks them in given.
func (b *protoBinding) row(r *Rows, msg []byte, o *Options, given []bool) error {
	if err := b.split(msg); err != nil {
		return err
	}
	for i, f := range b.fields {
		vals := f.field.present(b.got[i])
		var err error
		switch {
		case len(vals) == 0:
			if f.sub != nil && f.field.repeated { // arrays without elements
				f.sub.each(func(v *protoValue, c int) {
					r.Cols[c].AppendDefault()
					given[c] = true
				})
			}
		case f.sub == nil:
			if given[f.col] {
				return sqlerr.New(sqlerr.IncorrectData, "Column %s is in two fields of the Protobuf message", r.Schema[f.col].Name)
			}
			given[f.col] = true
			err = inField(f.value.read(r.Cols[f.col], vals, o), r.Schema[f.col])
		case f.field.repeated:
			err = f.sub.columns(r, vals, o, given)
		default:
			err = f.sub.row(r, joined(vals), o, given)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// present is what a field has. An enum that is not there is its number 0, if that has a name.
func (f *protoField) present(vals []protoRaw) []protoRaw {
	if len(vals) == 0 && f.kind == protoreflect.EnumKind && !f.repeated && !f.presence && f.names[0] != "" {
		return []protoRaw{{}}
	}
	return vals
}

// joined is a message that came in parts, which add up.
func joined(vals []protoRaw) []byte {
	if len(vals) == 1 {
		return vals[0].bytes
	}
	var all []byte
	for _, v := range vals {
		all = append(all, v.bytes...)
	}
	return all
}

// each calls f with every column below b.
func (b *protoBinding) each(f func(v *protoValue, col int)) {
	for _, x := range b.fields {
		if x.sub != nil {
			x.sub.each(f)
		} else {
			f(x.value, x.col)
		}
	}
}

// columns appends a repeated message to columns that are Arrays, an element of each for each message.
func (b *protoBinding) columns(r *Rows, vals []protoRaw, o *Options, given []bool) error {
	for _, v := range vals {
		if err := b.elements(r, v.bytes, o); err != nil {
			return err
		}
	}
	b.each(func(_ *protoValue, c int) {
		r.Cols[c].(*column.Array).EndValue()
		given[c] = true
	})
	return nil
}

// elements appends what one message has to the elements of the columns.
func (b *protoBinding) elements(r *Rows, msg []byte, o *Options) error {
	if err := b.split(msg); err != nil {
		return err
	}
	for i, f := range b.fields {
		if f.sub != nil {
			if err := f.sub.elements(r, joined(append([]protoRaw{{}}, b.got[i]...)), o); err != nil {
				return err
			}
			continue
		}
		if err := f.value.readOr(r.Cols[f.col].(*column.Array).Elem.(column.Builder), f.field.present(b.got[i]), o); err != nil {
			return inField(err, r.Schema[f.col])
		}
	}
	return nil
}

// readOr is read, or the default where there is no value.
func (v *protoValue) readOr(b column.Builder, vals []protoRaw, o *Options) error {
	if len(vals) == 0 {
		b.AppendDefault()
		return nil
	}
	return v.read(b, vals, o)
}

// read appends one value; vals, of which there is one at least, are what its field was.
func (v *protoValue) read(b column.Builder, vals []protoRaw, o *Options) error {
	switch b := b.(type) {
	case *column.Nullable:
		if err := v.read(b.Inner.(column.Builder), vals, o); err != nil {
			return err
		}
		b.Nulls = append(b.Nulls, 0)
		return nil
	case *column.Array:
		if v.elem == nil { // in a message of its own
			if err := v.tuple.split(joined(vals)); err != nil {
				return err
			}
			return v.tuple.fields[0].value.readOr(b, v.tuple.got[0], o)
		}
		for i := range vals {
			if err := v.elem.read(b.Elem.(column.Builder), vals[i:i+1], o); err != nil {
				return err
			}
		}
		b.EndValue()
		return nil
	case *column.Map:
		for _, e := range vals {
			if err := v.tuple.parts(e.bytes, []column.Vector{b.Keys, b.Vals}, o); err != nil {
				return err
			}
		}
		b.EndValue()
		return nil
	case *column.Tuple:
		if err := v.tuple.parts(joined(vals), b.Elems, o); err != nil {
			return err
		}
		b.N++
		return nil
	}
	return v.scalar(b, vals[len(vals)-1], o)
}

// parts appends the fields of a message to the elements of a tuple; those that it does not have are defaults.
func (b *protoBinding) parts(msg []byte, elems []column.Vector, o *Options) error {
	if err := b.split(msg); err != nil {
		return err
	}
	given := make([]bool, len(elems))
	for i, f := range b.fields {
		if f.sub != nil {
			return sqlerr.New(sqlerr.NotImplemented, "Elements of a Tuple in the message %s of another one are not supported", f.field.name)
		}
		given[f.col] = true
		if err := f.value.readOr(elems[f.col].(column.Builder), f.field.present(b.got[i]), o); err != nil {
			return err
		}
	}
	for i, ok := range given {
		if !ok {
			elems[i].(column.Builder).AppendDefault()
		}
	}
	return nil
}

func (v *protoValue) badCast(text string) error {
	return sqlerr.New(sqlerr.ProtobufBadCast, "Could not convert value '%s' from type %s to type %s while reading field '%s'", text, v.field.kind, v.typ, v.field.name)
}

// scalar appends a value without parts.
func (v *protoValue) scalar(b column.Builder, raw protoRaw, o *Options) error {
	switch v.field.kind {
	case protoreflect.StringKind, protoreflect.BytesKind:
		return v.text(b, raw.bytes, o)
	case protoreflect.FloatKind:
		return v.float(b, float64(math.Float32frombits(uint32(raw.num))), o)
	case protoreflect.DoubleKind:
		return v.float(b, math.Float64frombits(raw.num), o)
	case protoreflect.EnumKind:
		name, known := v.field.names[int32(raw.num)]
		switch {
		case !v.typ.IsEnum() && !v.typ.IsString():
			return v.integer(b, int64(int32(raw.num)), false, o)
		case !known:
			return v.badCast(strconv.Itoa(int(int32(raw.num))))
		}
		return v.text(b, []byte(name), o)
	case protoreflect.Sint32Kind, protoreflect.Sint64Kind:
		return v.integer(b, protowire.DecodeZigZag(raw.num), false, o)
	case protoreflect.Int32Kind, protoreflect.Sfixed32Kind:
		return v.integer(b, int64(int32(raw.num)), false, o)
	case protoreflect.Int64Kind, protoreflect.Sfixed64Kind:
		return v.integer(b, int64(raw.num), false, o)
	case protoreflect.Uint32Kind, protoreflect.Fixed32Kind:
		return v.integer(b, int64(uint32(raw.num)), false, o)
	}
	return v.integer(b, int64(raw.num), true, o)
}

// text appends bytes: as they are, or as the text of a value.
func (v *protoValue) text(b column.Builder, text []byte, o *Options) error {
	if s, ok := b.(*column.Str); ok && (v.typ.Kind == types.String || v.typ.Kind == types.IPv6 && len(text) == 16) {
		s.Append(text)
		return nil
	}
	if err := parseText(b, v.typ, text, o); err != nil {
		return v.badCast(string(text[:min(len(text), 100)]))
	}
	return nil
}

func (v *protoValue) float(b column.Builder, x float64, o *Options) error {
	switch n := b.(type) {
	case *column.Num[float64]:
		n.Data = append(n.Data, x)
		return nil
	case *column.Num[float32]:
		if v.typ.Kind == types.Float32 {
			n.Data = append(n.Data, float32(x))
			return nil
		}
	}
	if v.typ.IsInteger() && x == math.Trunc(x) && math.Abs(x) < 1<<63 {
		return v.integer(b, int64(x), false, o)
	}
	return v.text(b, strconv.AppendFloat(nil, x, 'f', -1, 64), o)
}

// integerFits reports whether x, which is the bits of a number without a sign if unsigned says so, is one of width bytes.
func integerFits(x int64, unsigned bool, width int, toUnsigned bool) bool {
	if unsigned && x < 0 { // beyond int64
		return toUnsigned && width == 8
	}
	shift := 64 - 8*width
	if toUnsigned {
		return x >= 0 && x == int64(uint64(x)<<shift>>shift)
	}
	return x == x<<shift>>shift
}

// integer appends a whole number; unsigned: x is the bits of one without a sign.
func (v *protoValue) integer(b column.Builder, x int64, unsigned bool, o *Options) error {
	text := strconv.AppendInt(nil, x, 10)
	if unsigned {
		text = strconv.AppendUint(nil, uint64(x), 10)
	}
	t := v.typ
	width := t.Width()
	switch {
	case t.Kind == types.Date, t.Kind == types.DateTime, t.Kind == types.IPv4:
		if x < 0 || uint64(x) >= 1<<(8*width) {
			return v.badCast(string(text))
		}
	case t.Kind == types.Date32, t.Kind == types.Time:
		if x != int64(int32(x)) {
			return v.badCast(string(text))
		}
	case t.Kind == types.DateTime64, t.Kind == types.Time64:
		scale := int64(powers[t.Scale])
		if x > math.MaxInt64/scale || x < math.MinInt64/scale {
			return v.badCast(string(text))
		}
		x *= scale
	case t.IsEnum():
		if _, ok := t.EnumName(int16(x)); !ok || x != int64(int16(x)) {
			return v.badCast(string(text))
		}
	case t.Kind == types.Bool && uint64(x) > 1:
		return v.badCast(string(text))
	case t.Kind == types.Bool:
	case t.IsInteger() && width <= 8:
		if !integerFits(x, unsigned, width, t.IsUnsigned()) {
			return v.badCast(string(text))
		}
	default:
		return v.text(b, text, o)
	}
	appendFixed(b, binary.LittleEndian.AppendUint64(nil, uint64(x))[:width])
	return nil
}
