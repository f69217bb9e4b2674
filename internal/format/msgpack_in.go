package format

import (
	"encoding/binary"
	"io"
	"math"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/internal/types"
)

// msgpackReader reads the values of each row one after the other.
type msgpackReader struct {
	schema column.Schema
	o      Options
}

func (d *msgpackReader) header([]byte, bool, *Rows) (int, error) { return 0, nil }

func (d *msgpackReader) row(data []byte, eof bool, r *Rows) (int, error) {
	if len(data) == 0 {
		if eof {
			return 0, io.EOF
		}
		return 0, errShort
	}
	s := msgpackScan{binScan: binScan{data: data, eof: eof}, o: &d.o}
	for c, f := range d.schema {
		v, err := s.next()
		if err != nil {
			return 0, err
		}
		if v.kind == msgPackNil && !f.Type.WithoutLowCardinality().IsNullable() {
			if err := appendNull(r.Cols[c], f, r, c, &d.o); err != nil {
				return 0, err
			}
			continue
		}
		if err := s.put(r.Cols[c], f.Type.WithoutLowCardinality(), v, 0); err != nil {
			return 0, inField(err, f)
		}
	}
	return s.pos, nil
}

func (d *msgpackReader) skip([]byte, bool) (int, error) {
	return 0, sqlerr.New(sqlerr.IncorrectData, "A bad row of MsgPack cannot be skipped")
}

// msgPackKind is what a value of MessagePack is.
type msgPackKind uint8

const (
	msgPackNil msgPackKind = iota
	msgPackBool
	msgPackInteger
	msgPackFloat
	msgPackText // strings and binary
	msgPackArray
	msgPackMap
	msgPackExtension
)

var msgPackKinds = [...]string{"nil", "bool", "integer", "float", "string", "array", "map", "extension"}

// msgPackValue is a value, or the head of an array or a map, whose parts follow.
type msgPackValue struct {
	kind msgPackKind
	bits uint64 // of a Bool, an Integer
	f    float64
	raw  []byte // of a Text, an Extension
	ext  byte
	n    uint64 // parts of an Array, a Map
}

// msgpackScan reads MessagePack from bytes that may go on.
type msgpackScan struct {
	binScan
	o *Options
}

// number reads an unsigned number of n bytes, the highest first.
func (s *msgpackScan) number(n uint64) (uint64, error) {
	raw, err := s.bytes(n)
	x := uint64(0)
	for _, b := range raw {
		x = x<<8 | uint64(b)
	}
	return x, err
}

// next reads a value.
func (s *msgpackScan) next() (msgPackValue, error) {
	head, err := s.bytes(1)
	if err != nil {
		return msgPackValue{}, err
	}
	c := head[0]
	switch {
	case c < 0x80:
		return msgPackValue{kind: msgPackInteger, bits: uint64(c)}, nil
	case c < 0x90:
		return msgPackValue{kind: msgPackMap, n: uint64(c & 15)}, nil
	case c < 0xa0:
		return msgPackValue{kind: msgPackArray, n: uint64(c & 15)}, nil
	case c < 0xc0:
		return s.text(uint64(c & 31))
	case c >= 0xe0:
		return msgPackValue{kind: msgPackInteger, bits: uint64(int64(int8(c)))}, nil
	}
	return s.long(c)
}

func (s *msgpackScan) text(n uint64) (msgPackValue, error) {
	raw, err := s.bytes(n)
	return msgPackValue{kind: msgPackText, raw: raw}, err
}

// long reads a value whose first byte says how long it is.
func (s *msgpackScan) long(c byte) (msgPackValue, error) {
	var v msgPackValue
	size := func(first byte, least uint64) uint64 { return least << (c - first) }
	var n uint64
	var err error
	switch {
	case c == 0xc0:
		return v, nil
	case c == 0xc2 || c == 0xc3:
		return msgPackValue{kind: msgPackBool, bits: uint64(c & 1)}, nil
	case c >= 0xc4 && c <= 0xc6: // bin
		n, err = s.number(size(0xc4, 1))
		if err == nil {
			return s.text(n)
		}
	case c >= 0xd9 && c <= 0xdb: // str
		n, err = s.number(size(0xd9, 1))
		if err == nil {
			return s.text(n)
		}
	case c == 0xca:
		n, err = s.number(4)
		v = msgPackValue{kind: msgPackFloat, f: float64(math.Float32frombits(uint32(n)))}
	case c == 0xcb:
		n, err = s.number(8)
		v = msgPackValue{kind: msgPackFloat, f: math.Float64frombits(n)}
	case c >= 0xcc && c <= 0xcf:
		n, err = s.number(size(0xcc, 1))
		v = msgPackValue{kind: msgPackInteger, bits: n}
	case c >= 0xd0 && c <= 0xd3:
		width := size(0xd0, 1)
		n, err = s.number(width)
		shift := 64 - 8*width
		v = msgPackValue{kind: msgPackInteger, bits: uint64(int64(n<<shift) >> shift)}
	case c == 0xdc || c == 0xdd:
		n, err = s.number(size(0xdc, 2))
		v = msgPackValue{kind: msgPackArray, n: n}
	case c == 0xde || c == 0xdf:
		n, err = s.number(size(0xde, 2))
		v = msgPackValue{kind: msgPackMap, n: n}
	case c >= 0xd4 && c <= 0xd8: // ext of a fixed length
		return s.extension(size(0xd4, 1))
	case c >= 0xc7 && c <= 0xc9: // ext
		if n, err = s.number(size(0xc7, 1)); err == nil {
			return s.extension(n)
		}
	default:
		err = sqlerr.New(sqlerr.IncorrectData, "Cannot parse MsgPack: no value begins with byte %#x", c)
	}
	return v, err
}

func (s *msgpackScan) extension(n uint64) (msgPackValue, error) {
	kind, err := s.bytes(1)
	if err != nil {
		return msgPackValue{}, err
	}
	raw, err := s.bytes(n)
	return msgPackValue{kind: msgPackExtension, raw: raw, ext: kind[0]}, err
}

// put appends a value to a builder of t.
func (s *msgpackScan) put(b column.Builder, t *types.Type, v msgPackValue, depth int) error {
	if depth > maxDepth {
		return sqlerr.New(sqlerr.TooDeepRecursion, "A value is nested deeper than %d", maxDepth)
	}
	t = t.WithoutLowCardinality()
	part := func(b column.Vector, t *types.Type) error {
		v, err := s.next()
		if err != nil {
			return err
		}
		return s.put(b.(column.Builder), t, v, depth+1)
	}
	switch b := b.(type) {
	case *column.Nullable:
		if v.kind == msgPackNil {
			b.AppendNull()
			return nil
		}
		if err := s.put(b.Inner.(column.Builder), t.Elem(), v, depth+1); err != nil {
			return err
		}
		b.Nulls = append(b.Nulls, 0)
		return nil
	case *column.Array:
		if v.kind != msgPackArray {
			return v.mismatch(t)
		}
		for range v.n {
			if err := part(b.Elem, t.Elem()); err != nil {
				return err
			}
		}
		b.EndValue()
		return nil
	case *column.Map:
		if v.kind != msgPackMap {
			return v.mismatch(t)
		}
		for range v.n {
			if err := part(b.Keys, t.Elems[0]); err != nil {
				return err
			}
			if err := part(b.Vals, t.Elems[1]); err != nil {
				return err
			}
		}
		b.EndValue()
		return nil
	case *column.Tuple:
		if v.kind != msgPackArray || v.n != uint64(len(b.Elems)) {
			return v.mismatch(t)
		}
		for i, e := range b.Elems {
			if err := part(e, t.Elems[i]); err != nil {
				return err
			}
		}
		b.N++
		return nil
	}
	return s.plain(b, t, v)
}

func (v msgPackValue) mismatch(t *types.Type) error {
	return sqlerr.New(sqlerr.IllegalColumn, "Cannot insert MessagePack %s into column with type %s", msgPackKinds[v.kind], t)
}

// plain appends a value without parts.
func (s *msgpackScan) plain(b column.Builder, t *types.Type, v msgPackValue) error {
	switch v.kind {
	case msgPackNil:
		b.AppendDefault()
		return nil
	case msgPackText:
		return s.bytesOf(b, t, v)
	case msgPackExtension:
		if u, ok := b.(*column.Num[types.U128]); ok && t.Kind == types.UUID && v.ext == msgPackUUID && len(v.raw) == 16 {
			u.Data = append(u.Data, bigEndianUUID(v.raw))
			return nil
		}
	case msgPackFloat:
		switch n := b.(type) {
		case *column.Num[float32]:
			n.Data = append(n.Data, float32(v.f))
			return nil
		case *column.Num[float64]:
			n.Data = append(n.Data, v.f)
			return nil
		}
	case msgPackBool:
		if n, ok := b.(*column.Num[uint8]); ok {
			n.Data = append(n.Data, uint8(v.bits))
			return nil
		}
	case msgPackInteger:
		if t.Phys() != types.PBytes && t.Width() <= 8 && !t.IsFloat() {
			appendFixed(b, binary.LittleEndian.AppendUint64(nil, v.bits)[:t.Width()])
			return nil
		}
	}
	return v.mismatch(t)
}

// bytesOf appends the bytes of a string: as they are, as what they are the text of, or as a number, the lowest byte first.
func (s *msgpackScan) bytesOf(b column.Builder, t *types.Type, v msgPackValue) error {
	switch {
	case t.Kind == types.UUID && len(v.raw) == 16:
		u := b.(*column.Num[types.U128])
		u.Data = append(u.Data, bigEndianUUID(v.raw))
		return nil
	case t.Kind == types.IPv6 && len(v.raw) == 16:
		b.(*column.Str).Append(v.raw)
		return nil
	case t.IsString(), t.IsEnum(), t.Kind == types.UUID:
		return parseText(b, t, v.raw, s.o)
	case t.Width() > 8 && len(v.raw) == t.Width():
		appendFixed(b, v.raw)
		return nil
	}
	return v.mismatch(t)
}

// bigEndianUUID is the UUID of 16 bytes, the highest first, and appendBigEndianUUID the bytes of one.
func bigEndianUUID(raw []byte) types.U128 {
	return types.U128{Hi: binary.BigEndian.Uint64(raw), Lo: binary.BigEndian.Uint64(raw[8:])}
}

func appendBigEndianUUID(dst []byte, u types.U128) []byte {
	return binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(dst, u.Hi), u.Lo)
}
