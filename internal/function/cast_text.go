package function

import (
	"slices"
	"strconv"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/kernel"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/internal/types"
	"github.com/olapd/olapd/internal/valuetext"
)

// toText writes values as strings; zero bytes at the end of a FixedString go.
func (k *caster) toText(v column.Vector) (column.Vector, error) {
	out := column.NewStr(types.TString, v.Len())
	if v.Type().Kind == types.AggregateFunction {
		return nil, sqlerr.New(sqlerr.NotImplemented, "Conversion from %s to String is not supported", v.Type())
	}
	if s, ok := v.(*column.Str); ok && s.Typ.Kind == types.FixedString {
		for i := range s.Len() {
			out.Append(trimZeros(s.At(i)))
		}
		return out, nil
	}
	if appendInts(out, v) {
		return out, nil
	}
	zone := k.env.zone()
	if n := textLength(v.Type()) * v.Len(); n > 0 {
		out.Data = kernel.Dirty[byte](n)[:0]
	}
	for i := range v.Len() {
		out.Data = valuetext.AppendText(out.Data, v, i, zone)
		out.EndValue()
	}
	return out, nil
}

// textLength is the length of all texts of a type, or 0.
func textLength(t *types.Type) int {
	switch t.Kind {
	case types.Date, types.Date32:
		return len("2020-01-02")
	case types.DateTime:
		return len("2020-01-02 03:04:05")
	case types.DateTime64:
		return len("2020-01-02 03:04:05.") + t.Scale
	case types.UUID:
		return len("61f0c404-5cb3-11e7-907b-a6006ad3dba0")
	}
	return 0
}

// intText is the room taken for an integer's digits: about as many as usual ones have.
const intText = 8

// appendInts writes a vector of plain integers; false if v is none.
func appendInts(out *column.Str, v column.Vector) bool {
	if !isPlainInt(v.Type()) || v.Type().Kind == types.Bool {
		return false
	}
	switch v := v.(type) {
	case *column.Num[uint8]:
		appendUnsigned(out, v.Data)
	case *column.Num[uint16]:
		appendUnsigned(out, v.Data)
	case *column.Num[uint32]:
		appendUnsigned(out, v.Data)
	case *column.Num[uint64]:
		appendUnsigned(out, v.Data)
	case *column.Num[int8]:
		appendSigned(out, v.Data)
	case *column.Num[int16]:
		appendSigned(out, v.Data)
	case *column.Num[int32]:
		appendSigned(out, v.Data)
	case *column.Num[int64]:
		appendSigned(out, v.Data)
	default:
		return false
	}
	return true
}

func appendUnsigned[T uint8 | uint16 | uint32 | uint64](out *column.Str, data []T) {
	out.Data = slices.Grow(out.Data, intText*len(data))
	for _, x := range data {
		out.Data = strconv.AppendUint(out.Data, uint64(x), 10)
		out.EndValue()
	}
}

func appendSigned[T int8 | int16 | int32 | int64](out *column.Str, data []T) {
	out.Data = slices.Grow(out.Data, intText*len(data))
	for _, x := range data {
		out.Data = strconv.AppendInt(out.Data, int64(x), 10)
		out.EndValue()
	}
}

func (k *caster) toFixedString(v *column.Str, to *types.Type) (column.Vector, error) {
	out := column.NewStr(to, v.Len())
	for i := range v.Len() {
		s := v.At(i)
		if len(s) > to.N {
			if !k.skip(i) {
				return nil, sqlerr.New(sqlerr.TooLargeStringSize, "String too long for type %s: %d bytes", to, len(s))
			}
			s = nil
		}
		out.Data = append(out.Data, s...)
		out.Data = append(out.Data, make([]byte, to.N-len(s))...)
		out.EndValue()
	}
	return out, nil
}

// parse reads strings as values of to.
func (k *caster) parse(v *column.Str, to *types.Type) (column.Vector, error) {
	if to.Kind == types.Map {
		return nil, sqlerr.New(sqlerr.TypeMismatch, "Unsupported types to CAST AS Map. Left type: %s, right type: %s", v.Typ, to)
	}
	out := column.New(to, v.Len())
	p := valuetext.Parser{Zone: k.env.zone(), Exact: k.mode != castWrap, Quiet: k.mode == castOrNull}
	fixed := v.Typ.Kind == types.FixedString
	return k.parseWith(v, out, func(s []byte) error {
		if fixed {
			s = trimZeros(s)
		}
		return p.Into(out, to, s)
	})
}

// parseNullable reads strings as values of Nullable(to): the empty string, NULL and \N are NULL.
func (k *caster) parseNullable(v *column.Str, to *types.Type) (column.Vector, error) {
	in := caster{env: k.env, mode: k.mode, nulls: make([]uint8, v.Len())}
	for i := range in.nulls {
		switch s := string(v.At(i)); {
		case k.skip(i), s == "", s == "NULL", s == `\N`:
			in.nulls[i] = 1
		}
	}
	r, err := in.plain(v, v.Type(), to)
	if err != nil {
		return nil, err
	}
	return withNulls(r, in.nulls), nil
}

// parseWith reads each row by read, which appends one value to out or fails.
func (k *caster) parseWith(v *column.Str, out column.Builder, read func(s []byte) error) (column.Vector, error) {
	var nulls []uint8
	if k.mode == castOrNull {
		nulls = make([]uint8, v.Len())
	}
	for i := range v.Len() {
		if k.skip(i) {
			out.AppendDefault()
			continue
		}
		if err := read(v.At(i)); err != nil {
			if nulls == nil {
				return nil, err
			}
			nulls[i] = 1
			out.AppendDefault()
		}
	}
	if nulls != nil {
		if !out.Type().CanBeNullable() {
			return out, nil
		}
		return column.NewNullable(nulls, out), nil
	}
	return out, nil
}

// toEnum takes numbers and names of another enum.
func (k *caster) toEnum(v column.Vector, from, to *types.Type) (column.Vector, error) {
	out, nulls := make([]int16, v.Len()), make([]uint8, v.Len())
	fail := func(i int, err error) error {
		out[i], nulls[i] = to.Enum[0].Value, 1
		if k.skip(i) || k.mode == castOrNull {
			return nil
		}
		return err
	}
	switch {
	case from.IsEnum():
		for i, x := range numsOf[int16](v) {
			name, _ := from.EnumName(x)
			n, ok := to.EnumNumber(name)
			if out[i] = n; !ok || n != x {
				if err := fail(i, sqlerr.New(sqlerr.CannotConvertType, "Enum conversion: '%s' is not in %s", name, to)); err != nil {
					return nil, err
				}
			}
		}
	case isPlainInt(from) || from.IsFloat():
		for i, x := range numsOf[int64](v) {
			out[i] = int16(x)
			if _, ok := to.EnumName(out[i]); !ok || int64(out[i]) != x {
				if err := fail(i, sqlerr.New(sqlerr.UnknownElementOfEnum, "Unexpected value %d in enum", x)); err != nil {
					return nil, err
				}
			}
		}
	default:
		return nil, sqlerr.New(sqlerr.CannotConvertType, "Conversion from %s to %s is not supported", from, to)
	}
	r := narrow(to, out)
	if k.mode == castOrNull {
		return column.NewNullable(nulls, r), nil
	}
	return r, nil
}

// castIP converts addresses; nil if the types have nothing to do with each other.
func castIP(v column.Vector, from, to *types.Type) (column.Vector, error) {
	switch {
	case from.Kind == types.IPv4 && to.Kind == types.IPv6:
		out := column.NewStr(to, v.Len())
		for _, a := range numsOf[uint32](v) {
			out.Append([]byte{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, byte(a >> 24), byte(a >> 16), byte(a >> 8), byte(a)})
		}
		return out, nil
	case from.Kind == types.IPv6 && to.Kind == types.IPv4:
		s := v.(*column.Str)
		out := make([]uint32, s.Len())
		for i := range out {
			a := s.At(i)
			if string(a[:12]) != "\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\xff\xff" {
				return nil, sqlerr.New(sqlerr.CannotConvertType, "IPv6 %s is not an IPv4-mapped address", valuetext.AppendIPv6(nil, a))
			}
			out[i] = uint32(a[12])<<24 | uint32(a[13])<<16 | uint32(a[14])<<8 | uint32(a[15])
		}
		return newNum(to, out), nil
	case from.Kind == types.IPv4 && isPlainInt(to), isPlainInt(from) && to.Kind == types.IPv4:
		return convertTo(v, to), nil
	}
	return nil, nil
}
