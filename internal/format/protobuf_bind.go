package format

import (
	"slices"
	"strings"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/internal/types"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// protoBinding is a type of messages whose fields are columns, or elements of a Tuple.
type protoBinding struct {
	fields []*protoBound
	got    [][]protoRaw // of the message at hand: what each field was
}

// protoBound is a field that has a column, or whose message has some.
type protoBound struct {
	field *protoField
	col   int           // the column or element; -1: sub has some
	value *protoValue   // of col
	sub   *protoBinding // its columns are numbered like those around it
}

// protoValue is how values of a type stand in a field.
type protoValue struct {
	field *protoField
	typ   *types.Type   // without Nullable and LowCardinality
	elem  *protoValue   // Array: the elements of the repeated field
	tuple *protoBinding // Tuple; Map: key and value; Array in an Array: the one field of the message, which is all of it
}

// protoColumn is a column to be bound; its name is what is left of it in a message.
type protoColumn struct {
	name string
	typ  *types.Type
	at   int
}

// bindProto finds the fields of the columns of a schema.
func bindProto(s column.Schema, o *Options) (*protoBinding, error) {
	m, err := protoSchema(s, o)
	if err != nil {
		return nil, err
	}
	cols := make([]protoColumn, len(s))
	for i, f := range s {
		cols[i] = protoColumn{f.Name, f.Type, i}
	}
	b, err := m.bind(cols, false, 0)
	if err != nil {
		return nil, err
	}
	if len(b.fields) == 0 {
		return nil, sqlerr.New(sqlerr.NoColumnsSerializedToProtobufFields, "Not found matches between the names of the columns and the fields of the message %s", m.name)
	}
	return b, nil
}

// bind binds columns to the fields of m; repeated: the message is, so that the columns are Arrays of what is in each.
func (m *protoMessage) bind(cols []protoColumn, repeated bool, depth int) (*protoBinding, error) {
	b := &protoBinding{}
	if depth > maxDepth {
		return nil, sqlerr.New(sqlerr.TooDeepRecursion, "Messages are nested deeper than %d", maxDepth)
	}
	for _, f := range m.fields {
		bound := &protoBound{field: f, col: -1}
		var inside []protoColumn
		for _, c := range cols {
			rest, ok := protoPrefix(c.name, f.name)
			if ok && rest == "" {
				bound.col = c.at
				t := c.typ
				if repeated {
					if t = t.WithoutLowCardinality(); t.Kind != types.Array {
						return nil, protoMismatch(f, t)
					}
					t = t.Elem()
				}
				var err error
				if bound.value, err = f.bind(t, false, depth+1); err != nil {
					return nil, err
				}
			}
			if ok && rest != "" && !m.has(c.name) {
				inside = append(inside, protoColumn{rest, c.typ, c.at})
			}
		}
		if bound.col < 0 && len(inside) > 0 && f.msg != nil && !f.isMap && !(repeated && f.repeated) {
			var err error
			if bound.sub, err = f.msg.bind(inside, repeated || f.repeated, depth+1); err != nil {
				return nil, err
			}
		}
		if bound.col >= 0 || bound.sub != nil && len(bound.sub.fields) > 0 {
			b.fields = append(b.fields, bound)
		}
	}
	b.got = make([][]protoRaw, len(b.fields))
	return b, nil
}

// has reports whether a field has exactly the name of a column.
func (m *protoMessage) has(name string) bool {
	return slices.ContainsFunc(m.fields, func(f *protoField) bool {
		rest, ok := protoPrefix(name, f.name)
		return ok && rest == ""
	})
}

// protoPrefix reports whether a column's name is the field's, or begins with it and a separator, behind which is rest.
func protoPrefix(name, field string) (rest string, ok bool) {
	plain := func(s string) string { return strings.ToLower(strings.ReplaceAll(s, ".", "_")) }
	n := len(field)
	if len(name) < n || plain(name[:n]) != plain(field) {
		return "", false
	}
	if len(name) == n {
		return "", true
	}
	if name[n] != '.' && name[n] != '_' {
		return "", false
	}
	return name[n+1:], len(name) > n+1
}

// bind is how values of t stand in a field; single: in one value of it, if it is repeated.
func (f *protoField) bind(t *types.Type, single bool, depth int) (*protoValue, error) {
	t = t.Inner()
	v := &protoValue{field: f, typ: t}
	if depth > maxDepth {
		return nil, sqlerr.New(sqlerr.TooDeepRecursion, "Messages are nested deeper than %d", maxDepth)
	}
	one := single || !f.repeated
	var err error
	switch {
	case t.Kind == types.Map && f.isMap:
		v.tuple, err = f.msg.bind([]protoColumn{{"key", t.Elems[0], 0}, {"value", t.Elems[1], 1}}, false, depth+1)
	case t.Kind == types.Array && !one:
		v.elem, err = f.bind(t.Elem(), true, depth+1)
	case t.Kind == types.Array && f.msg != nil && len(f.msg.fields) == 1 && f.msg.fields[0].repeated:
		v.tuple, err = f.msg.bind([]protoColumn{{f.msg.fields[0].name, t, 0}}, false, depth+1)
	case t.Kind == types.Tuple && f.msg != nil && one:
		cols := make([]protoColumn, len(t.Elems))
		for i, e := range t.Elems {
			cols[i] = protoColumn{"", e, i}
			if t.Names != nil {
				cols[i].name = t.Names[i]
			} else if i < len(f.msg.fields) {
				cols[i].name = f.msg.fields[i].name
			}
		}
		v.tuple, err = f.msg.bind(cols, false, depth+1)
	case isGroup(t) || f.msg != nil || !one:
		err = protoMismatch(f, t)
	}
	return v, err
}

func protoMismatch(f *protoField, t *types.Type) error {
	what := f.kind.String()
	if f.repeated {
		what = "repeated " + what
	}
	code := sqlerr.DataTypeIncompatibleWithProtobufField
	if (t.Kind == types.Array || t.Kind == types.Map) && !f.repeated {
		code = sqlerr.ProtobufFieldNotRepeated
	}
	return sqlerr.New(code, "The field %s (%s) of Protobuf cannot hold values of type %s", f.name, what, t)
}

// protoRaw is a value as the wire has it: a number, or bytes.
type protoRaw struct {
	num   uint64
	bytes []byte
}

// split finds the values of the fields of a message; those of the message before are gone.
func (b *protoBinding) split(msg []byte) error {
	for i := range b.got {
		b.got[i] = b.got[i][:0]
	}
	for len(msg) > 0 {
		num, wire, n := protowire.ConsumeTag(msg)
		if n < 0 {
			return protoBroken(n)
		}
		msg = msg[n:]
		i := b.find(num)
		if i < 0 {
			if n = protowire.ConsumeFieldValue(num, wire, msg); n < 0 {
				return protoBroken(n)
			}
			msg = msg[n:]
			continue
		}
		raw, n := protoConsume(wire, msg)
		if n < 0 {
			return protoBroken(n)
		}
		msg = msg[n:]
		f := b.fields[i].field
		switch {
		case wire == protoWire(f.kind):
			b.got[i] = append(b.got[i], raw)
		case wire == protowire.BytesType && f.repeated:
			var err error
			if b.got[i], err = unpackProto(b.got[i], raw.bytes, protoWire(f.kind)); err != nil {
				return err
			}
		default:
			return sqlerr.New(sqlerr.IncorrectData, "Protobuf messages are corrupted: field %s of type %s has wire type %d", f.name, f.kind, wire)
		}
	}
	return nil
}

func (b *protoBinding) find(num protowire.Number) int {
	for i, f := range b.fields {
		if f.field.num == num {
			return i
		}
	}
	return -1
}

func protoBroken(n int) error {
	return sqlerr.Wrap(protowire.ParseError(n), sqlerr.IncorrectData, "Protobuf messages are corrupted")
}

// protoWire is the wire type of a kind, not packed.
func protoWire(k protoreflect.Kind) protowire.Type {
	switch k {
	case protoreflect.StringKind, protoreflect.BytesKind, protoreflect.MessageKind:
		return protowire.BytesType
	case protoreflect.DoubleKind, protoreflect.Fixed64Kind, protoreflect.Sfixed64Kind:
		return protowire.Fixed64Type
	case protoreflect.FloatKind, protoreflect.Fixed32Kind, protoreflect.Sfixed32Kind:
		return protowire.Fixed32Type
	case protoreflect.GroupKind:
		return protowire.StartGroupType
	}
	return protowire.VarintType
}

// protoConsume reads a value off the front of data.
func protoConsume(wire protowire.Type, data []byte) (raw protoRaw, n int) {
	switch wire {
	case protowire.VarintType:
		raw.num, n = protowire.ConsumeVarint(data)
	case protowire.Fixed32Type:
		var x uint32
		x, n = protowire.ConsumeFixed32(data)
		raw.num = uint64(x)
	case protowire.Fixed64Type:
		raw.num, n = protowire.ConsumeFixed64(data)
	case protowire.BytesType:
		raw.bytes, n = protowire.ConsumeBytes(data)
	default:
		n = protowire.ConsumeFieldValue(1, wire, data)
	}
	return raw, n
}

// unpackProto appends the numbers of a packed field.
func unpackProto(dst []protoRaw, data []byte, wire protowire.Type) ([]protoRaw, error) {
	if wire == protowire.BytesType || wire == protowire.StartGroupType {
		return nil, sqlerr.New(sqlerr.IncorrectData, "Protobuf messages are corrupted: a packed field of messages")
	}
	for len(data) > 0 {
		raw, n := protoConsume(wire, data)
		if n < 0 {
			return nil, protoBroken(n)
		}
		dst, data = append(dst, raw), data[n:]
	}
	return dst, nil
}
