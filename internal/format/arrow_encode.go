package format

import (
	"encoding/binary"
	"math"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/internal/types"
)

// field is what a column is in Arrow.
func (w *arrowWriter) field(name string, t *types.Type, depth int) (*arrowField, error) {
	if depth > maxDepth {
		return nil, sqlerr.New(sqlerr.TooDeepRecursion, "Type is nested deeper than %d", maxDepth)
	}
	f := &arrowField{name: name, nullable: t.WithoutLowCardinality().IsNullable()}
	coded := t.Kind == types.LowCardinality && w.o.ArrowDictionaries
	t = t.Inner()
	var err error
	kid := func(name string, t *types.Type) *arrowField {
		k, bad := w.field(name, t, depth+1)
		if bad != nil {
			err = bad
		}
		return k
	}
	switch t.Kind {
	case types.Array:
		f.typ.kind, f.kids = arrowList, []*arrowField{kid("item", t.Elem())}
	case types.Map:
		entries := &arrowField{name: "entries", typ: arrowType{kind: arrowStruct}, kids: []*arrowField{kid("key", t.Elems[0]), kid("value", t.Elems[1])}}
		f.typ.kind, f.kids = arrowMap, []*arrowField{entries}
	case types.Tuple:
		f.typ.kind = arrowStruct
		for i, e := range t.Elems {
			f.kids = append(f.kids, kid(tupleName(t, i), e))
		}
		if len(t.Elems) == 0 {
			err = sqlerr.New(sqlerr.NotImplemented, "Type %s is not supported in Arrow", t)
		}
	default:
		var ok bool
		if f.typ, ok = w.o.arrowTypeOf(t); !ok {
			return nil, sqlerr.New(sqlerr.UnknownType, "The type \"%s\" of a column \"%s\" is not supported for conversion to Arrow data format", t, name)
		}
		if coded {
			f.dict = &arrowDict{id: int64(len(w.dicts)), index: arrowType{kind: arrowInt, bits: 32, signed: true}}
			w.dicts = append(w.dicts, &arrowValues{field: f, values: column.New(t, 0), codes: map[string]uint32{}})
		}
	}
	f.uuid = t.Kind == types.UUID
	return f, err
}

// arrowTypeOf is the type that values are written as, the one that ClickHouse chooses.
func (o *Options) arrowTypeOf(t *types.Type) (arrowType, bool) {
	integer := func(bits int, signed bool) (arrowType, bool) {
		return arrowType{kind: arrowInt, bits: bits, signed: signed}, true
	}
	switch t.Kind {
	case types.Nothing:
		return arrowType{kind: arrowNull}, true
	case types.Bool:
		return arrowType{kind: arrowBool}, true
	case types.UInt8:
		return integer(8, false)
	case types.UInt16:
		return integer(16, false)
	case types.UInt32, types.DateTime, types.IPv4:
		return integer(32, false)
	case types.UInt64:
		return integer(64, false)
	case types.Int8, types.Enum8:
		return integer(8, true)
	case types.Int16, types.Enum16:
		return integer(16, true)
	case types.Int32:
		return integer(32, true)
	case types.Int64:
		return integer(64, true)
	case types.Interval:
		if t.Unit <= types.Second {
			return arrowType{kind: arrowDuration, unit: int(types.Second - t.Unit)}, true
		}
		return integer(64, true)
	case types.Time:
		return arrowType{kind: arrowTime, bits: 32}, true
	case types.Time64:
		a := arrowType{kind: arrowTime, unit: (t.Scale + 2) / 3, bits: 32}
		if a.unit > arrowMilliseconds {
			a.bits = 64
		}
		return a, true
	case types.Float32:
		return arrowType{kind: arrowFloat, bits: 32}, true
	case types.Float64:
		return arrowType{kind: arrowFloat, bits: 64}, true
	case types.Date, types.Date32:
		return arrowType{kind: arrowDate}, true
	case types.DateTime64:
		a := arrowType{kind: arrowTimestamp, unit: (t.Scale + 2) / 3, zone: o.Zone.String()}
		if t.Zone != nil {
			a.zone = t.Zone.String()
		}
		return a, true
	case types.Decimal:
		a := arrowType{kind: arrowDecimal, precision: t.N, scale: t.Scale, bits: 128}
		if t.N > types.MaxPrecision128 {
			a.bits = 256
		}
		return a, true
	case types.BFloat16:
		return arrowType{kind: arrowBinary}, true
	case types.String:
		return arrowType{kind: arrowUtf8}, true
	case types.FixedString:
		return arrowType{kind: arrowFixedBinary, size: t.N}, true
	case types.Int128, types.UInt128, types.UUID, types.IPv6, types.Int256, types.UInt256:
		return arrowType{kind: arrowFixedBinary, size: max(t.Width(), 16)}, true
	}
	return arrowType{}, false
}

// arrowEncoder builds the body of a record batch.
type arrowEncoder struct {
	w                    *arrowWriter
	body, nodes, buffers []byte
}

func (e *arrowEncoder) node(n, nulls int) {
	e.nodes = binary.LittleEndian.AppendUint64(binary.LittleEndian.AppendUint64(e.nodes, uint64(n)), uint64(nulls))
}

// array encodes a vector, which is flat, and what is in it.
func (e *arrowEncoder) array(f *arrowField, v column.Vector) error {
	var nulls []uint8
	if x, ok := v.(*column.Nullable); ok {
		nulls, v = x.Nulls, x.Inner
	}
	count := 0
	for _, null := range nulls {
		count += int(null)
	}
	e.node(v.Len(), count)
	if f.typ.kind == arrowNull {
		return nil
	}
	if err := e.validity(nulls, count); err != nil {
		return err
	}
	if f.dict != nil {
		return e.coded(e.w.dicts[f.dict.id], v, nulls)
	}
	switch v := v.(type) {
	case *column.Array:
		if err := e.offsets(v.Off); err != nil {
			return err
		}
		return e.array(f.kids[0], v.Elem.Slice(int(v.Off[0]), int(v.Off[v.Len()])))
	case *column.Map:
		if err := e.offsets(v.Off); err != nil {
			return err
		}
		from, to := int(v.Off[0]), int(v.Off[v.Len()])
		entries := &column.Tuple{N: to - from, Elems: []column.Vector{v.Keys.Slice(from, to), v.Vals.Slice(from, to)}}
		return e.array(f.kids[0], entries)
	case *column.Tuple:
		for i, k := range f.kids {
			if err := e.array(k, v.Elems[i]); err != nil {
				return err
			}
		}
		return nil
	case *column.Str:
		if f.typ.kind != arrowFixedBinary {
			if err := e.offsets(v.Off); err != nil {
				return err
			}
		}
		return e.buffer(v.Data[v.Off[0]:v.Off[v.Len()]])
	}
	if f.typ.kind == arrowBinary { // of two bytes
		if err := e.offsets(evenOffsets(v.Len(), 2)); err != nil {
			return err
		}
	}
	return e.buffer(arrowFixed(v, f.typ))
}

// validity encodes which values are not NULL; nothing if all are.
func (e *arrowEncoder) validity(nulls []uint8, count int) error {
	if count == 0 {
		return e.buffer(nil)
	}
	bits := make([]byte, (len(nulls)+7)/8)
	for i, null := range nulls {
		bits[i>>3] |= (1 - null) << (i & 7)
	}
	return e.buffer(bits)
}

func (e *arrowEncoder) offsets(off []uint32) error {
	if off[len(off)-1]-off[0] > math.MaxInt32 {
		return sqlerr.New(sqlerr.NotImplemented, "A block of more than %d bytes cannot be written as Arrow: lower max_block_size", math.MaxInt32)
	}
	raw := make([]byte, 0, 4*len(off))
	for _, x := range off {
		raw = binary.LittleEndian.AppendUint32(raw, x-off[0])
	}
	return e.buffer(raw)
}

// arrowFixed are the values of numbers, dates and times.
func arrowFixed(v column.Vector, a arrowType) []byte {
	n := v.Len()
	if b, ok := v.(*column.Num[uint8]); ok && a.kind == arrowBool {
		bits := make([]byte, (n+7)/8)
		for i, x := range b.Data {
			bits[i>>3] |= x & 1 << (i & 7)
		}
		return bits
	}
	t := v.Type()
	raw := make([]byte, 0, n*max(t.Width(), a.bits/8))
	switch d := v.(type) {
	case *column.Num[uint16]:
		if a.kind == arrowDate {
			for _, x := range d.Data {
				raw = binary.LittleEndian.AppendUint32(raw, uint32(x))
			}
			return raw
		}
	case *column.Num[int64]:
		if a.kind != arrowTimestamp && a.kind != arrowTime {
			break
		}
		scale := int64(powers[3*a.unit-t.Scale])
		for _, x := range d.Data {
			if a.bits == 32 {
				raw = binary.LittleEndian.AppendUint32(raw, uint32(x*scale))
			} else {
				raw = binary.LittleEndian.AppendUint64(raw, uint64(x*scale))
			}
		}
		return raw
	case *column.Num[types.U128]:
		if t.Kind == types.UUID {
			for _, x := range d.Data {
				raw = appendBigEndianUUID(raw, x)
			}
			return raw
		}
	}
	for i := range n {
		from := len(raw)
		raw = appendBinary(raw, v, i)
		if a.kind == arrowDecimal {
			fill := byte(int8(raw[len(raw)-1]) >> 7)
			for len(raw)-from < a.bits/8 {
				raw = append(raw, fill)
			}
		}
	}
	return raw
}

// arrowValues are the values of a column that is written as a dictionary, in the order in which they came.
type arrowValues struct {
	field   *arrowField
	values  column.Builder
	codes   map[string]uint32 // by RowBinary
	key     []byte
	written int // how many of them the reader has
}

// coded encodes values as positions in their dictionary, which takes those that are new.
func (e *arrowEncoder) coded(d *arrowValues, v column.Vector, nulls []uint8) error {
	raw := make([]byte, 0, 4*v.Len())
	for i := range v.Len() {
		code := uint32(0)
		if nulls == nil || nulls[i] == 0 {
			d.key = appendBinary(d.key[:0], v, i)
			var ok bool
			if code, ok = d.codes[string(d.key)]; !ok {
				if d.values.Len() == maxArrowDictionary {
					return sqlerr.New(sqlerr.NotImplemented, "A dictionary of more than %d values cannot be written as Arrow: switch output_format_arrow_low_cardinality_as_dictionary off", maxArrowDictionary)
				}
				code = uint32(d.values.Len())
				d.codes[string(d.key)] = code
				d.values.AppendFrom(v, i)
			}
		}
		raw = binary.LittleEndian.AppendUint32(raw, code)
	}
	return e.buffer(raw)
}
