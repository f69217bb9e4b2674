package format

import (
	"encoding/binary"
	"slices"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/internal/types"
)

// NativeForm is how values with types of their own are written in the Native format.
type NativeForm struct {
	Flat     bool // output_format_native_use_flattened_dynamic_and_json_serialization
	JSONText bool // output_format_native_write_json_as_string
	// Of JSON as text: date_time_output_format and output_format_json_quote_64bit_integers.
	DateTimes string
	Quote64   bool
}

// Versions of the wire forms, as they stand in front of the data. Those of Dynamic that name types in binary or leave statistics out
// are for protocol revisions above olapd's.
const (
	variantBasic  = 0
	dynamicShared = 1 // types beyond max_types are one column of bytes
	dynamicPlain  = 2 // as dynamicShared, without max_types
	dynamicFlat   = 3 // every type is a column
	jsonShared    = 0 // paths beyond max_dynamic_paths are an array of pairs
	jsonText      = 1
	jsonPlain     = 2 // as jsonShared, without max_dynamic_paths
	jsonFlat      = 3
	sharedVariant = "SharedVariant"
	nullVariant   = 0xff
)

// hasOwnTypes reports whether there is a Variant, Dynamic or JSON in t.
func hasOwnTypes(t *types.Type) bool {
	return t.IsUnion() || t.Kind == types.JSON || t.Kind != types.AggregateFunction && slices.ContainsFunc(t.Elems, hasOwnTypes)
}

// nativeNode is a column cut into what stands in front of all data, what stands in front of the data of its parts, and the parts.
type nativeNode struct {
	prefix, data []byte
	parts        []*nativeNode
	v            column.Vector // of a leaf, whose declared type is t
	t            *types.Type
	err          error
}

func (n *nativeNode) appendPrefix(dst []byte) []byte {
	if n.t != nil {
		return appendPrefix(dst, n.t)
	}
	dst = append(dst, n.prefix...)
	for _, p := range n.parts {
		dst = p.appendPrefix(dst)
	}
	return dst
}

func (n *nativeNode) appendData(dst []byte) (_ []byte, err error) {
	if n.t != nil {
		return appendNative(dst, n.v, n.t)
	}
	if n.err != nil {
		return nil, n.err
	}
	dst = append(dst, n.data...)
	for _, p := range n.parts {
		if dst, err = p.appendData(dst); err != nil {
			return nil, err
		}
	}
	return dst, nil
}

// node cuts a vector of any form, of declared type t.
func (f NativeForm) node(v column.Vector, t *types.Type) *nativeNode {
	if !hasOwnTypes(t) {
		return &nativeNode{v: v, t: t}
	}
	if t.Kind == types.SimpleAggregateFunction {
		return f.node(v, t.Elem())
	}
	n := &nativeNode{}
	switch v := column.Flatten(v).(type) {
	case *column.Nullable:
		n.data = v.Nulls
		n.parts = []*nativeNode{f.node(v.Inner, t.Elem())}
	case *column.Array:
		n.data = appendOffsets(nil, v.Off)
		n.parts = []*nativeNode{f.node(v.Elem.Slice(int(v.Off[0]), int(v.Off[v.Len()])), t.WithoutLowCardinality().Elem())}
	case *column.Map:
		if t.Kind == types.JSON {
			f.object(n, v, t)
			break
		}
		from, to := int(v.Off[0]), int(v.Off[v.Len()])
		n.data = appendOffsets(nil, v.Off)
		n.parts = []*nativeNode{f.node(v.Keys.Slice(from, to), t.Elems[0]), f.node(v.Vals.Slice(from, to), t.Elems[1])}
	case *column.Tuple:
		for i, e := range v.Elems {
			n.parts = append(n.parts, f.node(e, t.Elems[i]))
		}
	case *column.Variant:
		if t.Kind == types.Dynamic {
			f.dynamic(n, v.Dense(), t.N)
			break
		}
		f.variant(n, v.Dense())
	}
	return n
}

func appendOffsets(dst []byte, off []uint32) []byte {
	for _, o := range off[1:] {
		dst = binary.LittleEndian.AppendUint64(dst, uint64(o-off[0]))
	}
	return dst
}

func (f NativeForm) variant(n *nativeNode, v *column.Variant) {
	n.prefix = binary.LittleEndian.AppendUint64(nil, variantBasic)
	for _, k := range v.Which {
		n.data = append(n.data, uint8(k)) // NoVariant becomes nullVariant
	}
	for k, a := range v.Alts {
		n.parts = append(n.parts, f.node(a, v.AltType(k)))
	}
}

func (f NativeForm) dynamic(n *nativeNode, v *column.Variant, maxTypes int) {
	if f.Flat {
		f.flatDynamic(n, v)
		return
	}
	kept := min(maxTypes, len(v.Alts))
	names := make([]string, 0, kept+1)
	for _, a := range v.Alts[:kept] {
		names = append(names, a.Type().String())
	}
	n.prefix = binary.LittleEndian.AppendUint64(nil, dynamicShared)
	n.prefix = binary.AppendUvarint(binary.AppendUvarint(n.prefix, uint64(kept)), uint64(kept))
	order := append(slices.Clone(names), sharedVariant)
	slices.Sort(order)
	number := make([]uint8, len(v.Alts))
	for k := range number {
		name := sharedVariant
		if k < kept {
			name = names[k]
		}
		number[k] = uint8(slices.Index(order, name))
	}
	shared := column.NewStr(types.TString, 0)
	for i, k := range v.Which {
		if k == column.NoVariant {
			n.data = append(n.data, nullVariant)
			continue
		}
		if n.data = append(n.data, number[k]); int(k) >= kept {
			shared.Data = appendOwn(shared.Data, v, i)
			shared.EndValue()
		}
	}
	for _, name := range order {
		if name == sharedVariant {
			n.parts = append(n.parts, &nativeNode{v: shared, t: types.TString})
			continue
		}
		n.prefix = appendBinaryString(n.prefix, name)
		a := v.Alts[slices.Index(names, name)]
		n.parts = append(n.parts, f.node(a, a.Type()))
	}
	n.prefix = binary.LittleEndian.AppendUint64(n.prefix, variantBasic)
}

func (f NativeForm) flatDynamic(n *nativeNode, v *column.Variant) {
	n.prefix = binary.LittleEndian.AppendUint64(nil, dynamicFlat)
	n.prefix = binary.AppendUvarint(n.prefix, uint64(len(v.Alts)))
	for _, a := range v.Alts {
		n.prefix = appendBinaryString(n.prefix, a.Type().String())
		n.parts = append(n.parts, f.node(a, a.Type()))
	}
	for _, k := range v.Which {
		k = min(k, uint32(len(v.Alts)))
		switch flatWidth(len(v.Alts)) {
		case 1:
			n.data = append(n.data, uint8(k))
		case 2:
			n.data = binary.LittleEndian.AppendUint16(n.data, uint16(k))
		default:
			n.data = binary.LittleEndian.AppendUint32(n.data, k)
		}
	}
}

// flatWidth is the bytes of the number of a type among so many, or of NULL behind them.
func flatWidth(types int) int {
	switch {
	case types <= 0xff:
		return 1
	case types <= 0xffff:
		return 2
	}
	return 4
}

// appendOwn appends value i of a Dynamic, which is not NULL, in binary behind its type.
func appendOwn(dst []byte, v *column.Variant, i int) []byte {
	in, at := v.Value(i)
	return appendBinary(in.Type().AppendBinary(dst), in, at)
}

func (f NativeForm) object(n *nativeNode, m *column.Map, t *types.Type) {
	if f.JSONText {
		n.prefix = binary.LittleEndian.AppendUint64(nil, jsonText)
		o := Defaults()
		o.DateTimeOutput, o.Quote64 = f.DateTimes, f.Quote64
		for i := range m.Len() {
			n.data = appendBinaryString(n.data, string(appendJSON(nil, m, i, t, &o, -1)))
		}
		return
	}
	paths, shared := m.Paths()
	n.prefix = binary.LittleEndian.AppendUint64(nil, jsonFlat)
	if f.Flat {
		paths = append(paths, shared...)
		slices.Sort(paths)
	} else {
		n.prefix = binary.LittleEndian.AppendUint64(nil, jsonShared)
		n.prefix = binary.AppendUvarint(n.prefix, uint64(len(paths)))
	}
	if cells := (len(paths) + len(t.Object.Typed)) * m.Len(); cells > maxObjectCells {
		n.err = sqlerr.New(sqlerr.LimitExceeded, "JSON of %d paths in %d rows is too wide for the Native format; set output_format_native_write_json_as_string", len(paths), m.Len())
		return
	}
	n.prefix = binary.AppendUvarint(n.prefix, uint64(len(paths)))
	for _, p := range t.Object.Typed {
		n.parts = append(n.parts, f.node(typedValues(m.Path(p.Path), p.Type), p.Type))
	}
	for _, p := range paths {
		n.prefix = appendBinaryString(n.prefix, p)
		n.parts = append(n.parts, f.node(m.Path(p), t.Elems[1]))
	}
	if !f.Flat {
		n.parts = append(n.parts, &nativeNode{data: appendSharedPaths(m, shared)})
	}
}

// maxObjectCells bounds paths times rows of a block of JSON: a byte each at least, and a few in memory.
const maxObjectCells = 1 << 26

// typedValues are the values at a path as its declared type.
func typedValues(v *column.Variant, t *types.Type) column.Vector {
	b := column.New(t, v.Len())
	for i := range v.Len() {
		in, at := v.Value(i)
		if in == nil || !column.Holds(t, in.Type()) {
			b.AppendDefault()
			continue
		}
		b.AppendFrom(in, at)
	}
	return b
}

// appendSharedPaths appends paths and values, in binary behind their types, as Array(Tuple(String, String)).
func appendSharedPaths(m *column.Map, paths []string) []byte {
	own := map[string]bool{}
	for _, p := range paths {
		own[p] = true
	}
	keys, vals := m.Keys.(*column.Str), m.Vals.(*column.Variant)
	var data, names, values []byte
	count := uint64(0)
	for i := range m.Len() {
		for j := int(m.Off[i]); len(own) > 0 && j < int(m.Off[i+1]); j++ {
			if p := keys.At(j); own[string(p)] && vals.Which[j] != column.NoVariant {
				names = appendBinaryString(names, string(p))
				values = appendBinaryString(values, string(appendOwn(nil, vals, j)))
				count++
			}
		}
		data = binary.LittleEndian.AppendUint64(data, count)
	}
	return append(append(data, names...), values...)
}
