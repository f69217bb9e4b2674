package types

import (
	"encoding/binary"
	"strconv"

	"github.com/olapd/olapd/internal/sqlerr"
)

// Codes of types in ClickHouse's binary form, which stands in front of each value of a Dynamic where values have their own types.
const (
	codeNothing         = 0x00
	codeDateTime        = 0x11
	codeDateTimeZone    = 0x12
	codeDateTime64      = 0x13
	codeDateTime64Zone  = 0x14
	codeFixedString     = 0x16
	codeEnum8           = 0x17
	codeEnum16          = 0x18
	codeDecimal32       = 0x19
	codeDecimal256      = 0x1c
	codeArray           = 0x1e
	codeTuple           = 0x1f
	codeNamedTuple      = 0x20
	codeInterval        = 0x22
	codeNullable        = 0x23
	codeLowCardinality  = 0x26
	codeMap             = 0x27
	codeVariant         = 0x2a
	codeDynamic         = 0x2b
	codeCustom          = 0x2c
	codeNested          = 0x2f
	codeJSON            = 0x30
	codeTime64          = 0x34
	maxBinaryTypeLength = 1 << 20 // of names within, in bytes, and of lists
)

var simpleCodes = map[Kind]byte{
	Nothing: codeNothing, UInt8: 0x01, UInt16: 0x02, UInt32: 0x03, UInt64: 0x04, UInt128: 0x05, UInt256: 0x06, Int8: 0x07, Int16: 0x08, Int32: 0x09,
	Int64: 0x0a, Int128: 0x0b, Int256: 0x0c, Float32: 0x0d, Float64: 0x0e, Date: 0x0f, Date32: 0x10, String: 0x15, UUID: 0x1d, IPv4: 0x28,
	IPv6: 0x29, Bool: 0x2d, BFloat16: 0x31, Time: 0x32,
}

var simpleOfCode = func() map[byte]*Type {
	m := map[byte]*Type{}
	for k, c := range simpleCodes {
		m[c] = Simple(k)
	}
	return m
}()

// intervalCodes are the units in their order, but for years.
const codeYear = 0x1a

// AppendBinary appends the type in ClickHouse's binary form. What has none of its own is written as a custom type, by its name.
func (t *Type) AppendBinary(dst []byte) []byte {
	str := func(s string) { dst = append(binary.AppendUvarint(dst, uint64(len(s))), s...) }
	list := func(code byte, ts []*Type) {
		dst = binary.AppendUvarint(append(dst, code), uint64(len(ts)))
		for _, e := range ts {
			dst = e.AppendBinary(dst)
		}
	}
	if c, ok := simpleCodes[t.Kind]; ok {
		return append(dst, c)
	}
	switch {
	case t.custom:
		dst = append(dst, codeCustom)
		str(t.name)
	case t.Kind == DateTime && t.Zone == nil:
		return append(dst, codeDateTime)
	case t.Kind == DateTime:
		dst = append(dst, codeDateTimeZone)
		str(t.Zone.String())
	case t.Kind == DateTime64 && t.Zone == nil:
		return append(dst, codeDateTime64, byte(t.Scale))
	case t.Kind == DateTime64:
		dst = append(dst, codeDateTime64Zone, byte(t.Scale))
		str(t.Zone.String())
	case t.Kind == Time64:
		return append(dst, codeTime64, byte(t.Scale))
	case t.Kind == FixedString:
		return binary.AppendUvarint(append(dst, codeFixedString), uint64(t.N))
	case t.Kind == Decimal:
		width := map[Phys]byte{PInt32: 0, PInt64: 1, PInt128: 2, PInt256: 3}[t.Phys()]
		return append(dst, codeDecimal32+width, byte(t.N), byte(t.Scale))
	case t.IsEnum():
		return t.appendEnum(dst)
	case t.Kind == Interval:
		if t.Unit == Year {
			return append(dst, codeInterval, codeYear)
		}
		return append(dst, codeInterval, byte(t.Unit-Nanosecond))
	case t.Kind == Nullable:
		return t.Elem().AppendBinary(append(dst, codeNullable))
	case t.Kind == LowCardinality:
		return t.Elem().AppendBinary(append(dst, codeLowCardinality))
	case t.Kind == Array:
		return t.Elem().AppendBinary(append(dst, codeArray))
	case t.Kind == Map:
		return t.Elems[1].AppendBinary(t.Elems[0].AppendBinary(append(dst, codeMap)))
	case t.Kind == Tuple && t.Names == nil:
		list(codeTuple, t.Elems)
	case t.Kind == Tuple:
		dst = binary.AppendUvarint(append(dst, codeNamedTuple), uint64(len(t.Elems)))
		for i, e := range t.Elems {
			str(t.Names[i])
			dst = e.AppendBinary(dst)
		}
	case t.Kind == Variant:
		list(codeVariant, t.Elems)
	case t.Kind == Dynamic:
		return append(dst, codeDynamic, byte(t.N))
	case t.Kind == JSON:
		return t.appendObject(dst)
	default:
		dst = append(dst, codeCustom)
		str(t.name)
	}
	return dst
}

func (t *Type) appendEnum(dst []byte) []byte {
	dst = append(dst, codeEnum8)
	if t.Kind == Enum16 {
		dst[len(dst)-1] = codeEnum16
	}
	dst = binary.AppendUvarint(dst, uint64(len(t.Enum)))
	for _, e := range t.Enum {
		dst = append(binary.AppendUvarint(dst, uint64(len(e.Name))), e.Name...)
		if t.Kind == Enum16 {
			dst = binary.LittleEndian.AppendUint16(dst, uint16(e.Value))
		} else {
			dst = append(dst, byte(e.Value))
		}
	}
	return dst
}

func (t *Type) appendObject(dst []byte) []byte {
	o := t.Object
	dst = binary.AppendUvarint(append(dst, codeJSON, 0), uint64(o.MaxPaths)) // version 0
	dst = binary.AppendUvarint(append(dst, byte(o.MaxTypes)), uint64(len(o.Typed)))
	for _, p := range o.Typed {
		dst = append(binary.AppendUvarint(dst, uint64(len(p.Path))), p.Path...)
		dst = p.Type.AppendBinary(dst)
	}
	for _, names := range [][]string{o.Skip, o.SkipLike} {
		dst = binary.AppendUvarint(dst, uint64(len(names)))
		for _, s := range names {
			dst = append(binary.AppendUvarint(dst, uint64(len(s))), s...)
		}
	}
	return dst
}

// BinarySource gives the bytes of DecodeBinary: n more, which are good until the next call, or an error.
type BinarySource func(n int) ([]byte, error)

// DecodeBinary reads a type in the form AppendBinary writes. What is not there has the source's error, what is no type IncorrectData.
func DecodeBinary(next BinarySource) (*Type, error) {
	d := binaryDecoder{next: next}
	t := d.typ(0)
	return t, d.err
}

// binaryDecoder reads types; after the first failure every read gives zero and err stays.
type binaryDecoder struct {
	next BinarySource
	err  error
}

func (d *binaryDecoder) fail(format string, args ...any) *Type {
	if d.err == nil {
		d.err = sqlerr.New(sqlerr.IncorrectData, format, args...)
	}
	return TNothing
}

func (d *binaryDecoder) take(n int) []byte {
	if d.err != nil {
		return make([]byte, n)
	}
	b, err := d.next(n)
	if err != nil {
		d.err = err
		return make([]byte, n)
	}
	return b
}

func (d *binaryDecoder) u8() byte { return d.take(1)[0] }

// count is a number of elements or bytes.
func (d *binaryDecoder) count() int {
	x := uint64(0)
	for shift := 0; shift < 35; shift += 7 {
		b := d.u8()
		x |= uint64(b&0x7f) << shift
		if b < 0x80 {
			if x > maxBinaryTypeLength {
				break
			}
			return int(x)
		}
	}
	d.fail("A length in a binary type is too large")
	return 0
}

func (d *binaryDecoder) str() string {
	if n := d.count(); d.err == nil {
		return string(d.take(n))
	}
	return ""
}

// made is the result of a constructor of build.go, whose checks are those of types read from text.
func (d *binaryDecoder) made(name string, args ...arg) *Type {
	if d.err != nil {
		return TNothing
	}
	t, err := constructors[name](name, args)
	if err != nil {
		d.err = err
		return TNothing
	}
	return t
}

func numArg(n int64) arg  { return arg{num: &n} }
func strArg(s string) arg { return arg{str: &s} }

func (d *binaryDecoder) typ(depth int) *Type {
	if depth > maxTypeDepth {
		return d.fail("Data type is nested deeper than %d", maxTypeDepth)
	}
	code := d.u8()
	if d.err != nil {
		return TNothing
	}
	if t := simpleOfCode[code]; t != nil {
		return t
	}
	elem := func() arg { return arg{typ: d.typ(depth + 1)} }
	switch code {
	case codeDateTime:
		return TDateTime
	case codeDateTimeZone:
		return d.made("DateTime", strArg(d.str()))
	case codeDateTime64:
		return d.made("DateTime64", numArg(int64(d.u8())))
	case codeDateTime64Zone:
		scale := int64(d.u8())
		return d.made("DateTime64", numArg(scale), strArg(d.str()))
	case codeTime64:
		return d.made("Time64", numArg(int64(d.u8())))
	case codeFixedString:
		n := d.varint()
		return d.made("FixedString", numArg(n))
	case codeEnum8, codeEnum16:
		return d.enum(code)
	case codeInterval:
		u := d.u8()
		if u == codeYear {
			return NewInterval(Year)
		}
		if unit := Nanosecond + Unit(u); unit < Year {
			return NewInterval(unit)
		}
		return d.fail("Unknown unit %d of an interval in a binary type", u)
	case codeNullable:
		return d.made("Nullable", elem())
	case codeLowCardinality:
		return d.made("LowCardinality", elem())
	case codeArray:
		return d.made("Array", elem())
	case codeMap:
		k := elem()
		return d.made("Map", k, elem())
	case codeTuple, codeVariant:
		return d.made(map[byte]string{codeTuple: "Tuple", codeVariant: "Variant"}[code], d.list(depth, false)...)
	case codeNamedTuple, codeNested:
		return d.made(map[byte]string{codeNamedTuple: "Tuple", codeNested: "Nested"}[code], d.list(depth, true)...)
	case codeDynamic:
		return d.made("Dynamic", arg{name: "max_types", num: numArg(int64(d.u8())).num})
	case codeJSON:
		return d.object(depth)
	case codeCustom:
		if t, err := Parse(d.str()); d.err == nil {
			d.err = err
			return t
		}
		return TNothing
	}
	if code >= codeDecimal32 && code <= codeDecimal256 {
		p := int64(d.u8())
		return d.made("Decimal", numArg(p), numArg(int64(d.u8())))
	}
	return d.fail("Unknown code %s of a binary type", "0x"+strconv.FormatUint(uint64(code), 16))
}

// varint is the length of a FixedString, which may be larger than count lets through.
func (d *binaryDecoder) varint() int64 {
	x := int64(0)
	for shift := 0; shift < 35; shift += 7 {
		b := d.u8()
		if x |= int64(b&0x7f) << shift; b < 0x80 {
			break
		}
	}
	return x
}

func (d *binaryDecoder) list(depth int, named bool) []arg {
	var out []arg
	for n := d.count(); n > 0 && d.err == nil; n-- {
		var a arg
		if named {
			a.name = d.str()
		}
		a.typ = d.typ(depth + 1)
		out = append(out, a)
	}
	return out
}

func (d *binaryDecoder) enum(code byte) *Type {
	var args []arg
	for n := d.count(); n > 0 && d.err == nil; n-- {
		e := EnumValue{Name: d.str()}
		if code == codeEnum8 {
			e.Value = int16(int8(d.u8()))
		} else {
			e.Value = int16(binary.LittleEndian.Uint16(d.take(2)))
		}
		args = append(args, arg{enum: &e})
	}
	return d.made(map[byte]string{codeEnum8: "Enum8", codeEnum16: "Enum16"}[code], args...)
}

func (d *binaryDecoder) object(depth int) *Type {
	if v := d.u8(); v != 0 && d.err == nil {
		return d.fail("Unknown version %d of JSON in a binary type", v)
	}
	args := []arg{{name: "max_dynamic_paths", num: numArg(int64(d.count())).num}}
	args = append(args, arg{name: "max_dynamic_types", num: numArg(int64(d.u8())).num})
	args = append(args, d.list(depth, true)...)
	for _, name := range []string{"SKIP", "SKIP REGEXP"} {
		for n := d.count(); n > 0 && d.err == nil; n-- {
			args = append(args, arg{name: name, str: strArg(d.str()).str})
		}
	}
	return d.made("JSON", args...)
}
