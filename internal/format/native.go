package format

import (
	"encoding/binary"
	"io"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/internal/types"
)

func init() {
	define(&Format{Name: "Native", ContentType: "application/octet-stream",
		out: func(w *output, s column.Schema, o Options) Writer {
			return &nativeWriter{output: w, schema: s, revision: o.Revision, form: o.Native}
		},
		in: func(s column.Schema, o Options) rowFormat { return &nativeReader{schema: s, o: o} },
	})
}

// Revisions of the protocol from which on a block carries more, and limits of what is read.
const (
	revisionBlockInfo           = 51903
	revisionTimeZone            = 54337
	revisionLowCardinality      = 54405
	revisionCustomSerialization = 54454
	maxNativeColumns            = 1 << 16
	maxNativeRows               = 1 << 26
)

// nativeWriter writes each block column by column, as the native protocol does.
type nativeWriter struct {
	*output
	schema   column.Schema
	revision int
	form     NativeForm
	wrote    bool
}

// Write implements Writer.
func (w *nativeWriter) Write(b *column.Block) error {
	w.wrote = true
	var err error
	if w.buf, err = AppendNativeBlock(w.buf, w.schema, b, w.revision, w.form); err != nil {
		return err
	}
	return w.spill()
}

// Totals implements Writer: they are blocks like any other.
func (w *nativeWriter) Totals(b *column.Block) error   { return w.Write(b) }
func (w *nativeWriter) Extremes(b *column.Block) error { return w.Write(b) }

// Close implements Writer. A result without rows still says its columns.
func (w *nativeWriter) Close(Stats) error {
	if !w.wrote {
		empty := &column.Block{}
		for _, f := range w.schema {
			empty.Cols = append(empty.Cols, column.New(f.Type, 0))
		}
		if err := w.Write(empty); err != nil {
			return err
		}
	}
	return w.Flush()
}

// AppendNativeBlock appends a block in the Native form for a client of the given protocol revision.
func AppendNativeBlock(dst []byte, schema column.Schema, b *column.Block, revision int, form NativeForm) ([]byte, error) {
	if revision >= revisionBlockInfo {
		dst = append(dst, 1, 0, 2, 0xff, 0xff, 0xff, 0xff, 0) // BlockInfo: no overflows, bucket -1
	}
	dst = binary.AppendUvarint(dst, uint64(len(schema)))
	dst = binary.AppendUvarint(dst, uint64(b.N))
	for c, f := range schema {
		if 0 < revision && revision < revisionLowCardinality {
			f.Type = f.Type.WithoutLowCardinality()
		}
		dst = appendBinaryString(dst, f.Name)
		dst = appendBinaryString(dst, nativeType(f.Type, revision))
		if revision >= revisionCustomSerialization {
			dst = append(dst, 0)
		}
		if b.N == 0 {
			continue
		}
		var err error
		n := form.node(b.Cols[c], f.Type)
		if dst, err = n.appendData(n.appendPrefix(dst)); err != nil {
			return nil, err
		}
	}
	return dst, nil
}

// nativeType is the type's name for the client: old ones do not know DateTime with a time zone.
func nativeType(t *types.Type, revision int) string {
	if t.Kind == types.DateTime && revision < revisionTimeZone {
		return types.TDateTime.String()
	}
	return t.String()
}

// appendPrefix appends what stands in front of a column's data: the version of each LowCardinality in its type.
func appendPrefix(dst []byte, t *types.Type) []byte {
	switch t.Kind {
	case types.LowCardinality:
		return binary.LittleEndian.AppendUint64(dst, lowCardinalityVersion)
	case types.Array, types.Nullable, types.Tuple, types.Map, types.SimpleAggregateFunction:
		for _, e := range t.Elems {
			dst = appendPrefix(dst, e)
		}
	}
	return dst
}

// Constants of LowCardinality's wire form: shared dictionaries with additional keys; the keys stand in the block.
const (
	lowCardinalityVersion = 1
	lowAdditionalKeys     = 1 << 9
	lowUpdateDictionary   = 1 << 10
	lowIndexType          = 0xff
)

// appendNative appends the values of v, which is of any form, as declared type t.
func appendNative(dst []byte, v column.Vector, t *types.Type) ([]byte, error) {
	switch t.Kind {
	case types.SimpleAggregateFunction:
		return appendNative(dst, v, t.Elem())
	case types.LowCardinality:
		return appendLow(dst, v, t.Elem())
	}
	switch v := column.Flatten(v).(type) {
	case *column.Str:
		if t.Kind == types.AggregateFunction {
			return nil, sqlerr.New(sqlerr.NotImplemented, "Writing %s in the Native format is not supported", t)
		}
		if t.Width() > 0 {
			return append(dst, v.Data[v.Off[0]:v.Off[v.Len()]]...), nil
		}
		for i := 0; i < v.Len(); i++ {
			dst = append(binary.AppendUvarint(dst, uint64(len(v.At(i)))), v.At(i)...)
		}
		return dst, nil
	case *column.Nullable:
		return appendNative(append(dst, v.Nulls...), v.Inner, t.WithoutNullable())
	case *column.Array:
		dst = appendOffsets(dst, v.Off)
		return appendNative(dst, v.Elem.Slice(int(v.Off[0]), int(v.Off[v.Len()])), t.WithoutLowCardinality().Elem())
	case *column.Map:
		dst = appendOffsets(dst, v.Off)
		from, to := int(v.Off[0]), int(v.Off[v.Len()])
		dst, err := appendNative(dst, v.Keys.Slice(from, to), t.Elems[0])
		if err != nil {
			return nil, err
		}
		return appendNative(dst, v.Vals.Slice(from, to), t.Elems[1])
	case *column.Tuple:
		var err error
		for i, e := range v.Elems {
			if dst, err = appendNative(dst, e, t.Elems[i]); err != nil {
				return nil, err
			}
		}
		if len(v.Elems) == 0 {
			dst = append(dst, make([]byte, v.N)...)
		}
		return dst, nil
	default:
		for i, n := 0, v.Len(); i < n; i++ {
			dst = appendBinary(dst, v, i)
		}
		return dst, nil
	}
}

// appendLow appends a LowCardinality(t) column: its distinct values, then an index of each row. A
// nullable dictionary has NULL first, and the default of t behind it.
func appendLow(dst []byte, v column.Vector, t *types.Type) ([]byte, error) {
	values, index, err := lowValues(column.Flatten(v), t)
	if err != nil {
		return nil, err
	}
	width, code := 1, uint64(0)
	switch n := values.Len(); {
	case n > 1<<16:
		width, code = 4, 2
	case n > 1<<8:
		width, code = 2, 1
	}
	le := binary.LittleEndian
	dst = le.AppendUint64(dst, code|lowAdditionalKeys|lowUpdateDictionary)
	dst = le.AppendUint64(dst, uint64(values.Len()))
	if dst, err = appendNative(dst, values, t.WithoutNullable()); err != nil {
		return nil, err
	}
	dst = le.AppendUint64(dst, uint64(len(index)))
	for _, x := range index {
		switch width {
		case 1:
			dst = append(dst, uint8(x))
		case 2:
			dst = le.AppendUint16(dst, uint16(x))
		default:
			dst = le.AppendUint32(dst, x)
		}
	}
	return dst, nil
}

func lowValues(v column.Vector, t *types.Type) (column.Vector, []uint32, error) {
	inner := column.New(t.WithoutNullable(), 0)
	inner.AppendDefault()
	var nulls []uint8
	if n, ok := v.(*column.Nullable); ok {
		nulls, v = n.Nulls, n.Inner
	}
	if t.Kind == types.Nullable {
		inner.AppendDefault() // 0 is NULL, 1 the default
	}
	seen := map[string]uint32{}
	index := make([]uint32, v.Len())
	var key []byte
	key = appendBinary(key, inner, 0)
	seen[string(key)] = uint32(inner.Len() - 1)
	for i := range index {
		if nulls != nil && nulls[i] != 0 {
			continue
		}
		key = appendBinary(key[:0], v, i)
		at, ok := seen[string(key)]
		if !ok {
			at = uint32(inner.Len())
			inner.AppendFrom(v, i)
			seen[string(key)] = at
		}
		index[i] = at
	}
	return inner, index, nil
}

// nativeReader reads blocks; their columns are matched by name.
type nativeReader struct {
	schema column.Schema
	o      Options
}

func (d *nativeReader) wholeBlocks() {}

func (d *nativeReader) header([]byte, bool, *Rows) (int, error) { return 0, nil }

func (d *nativeReader) row(data []byte, eof bool, r *Rows) (int, error) {
	if len(data) == 0 {
		if eof {
			return 0, io.EOF
		}
		return 0, errShort
	}
	s := binScan{data: data, eof: eof}
	fields, cols, n, err := s.block(d.o.Revision)
	switch {
	case err != nil:
		return 0, err
	case n > s.pos: // every row of a column takes a byte at least; a block without columns must not become rows of defaults
		return 0, sqlerr.New(sqlerr.IncorrectData, "%d columns and %d rows in %d bytes of Native format", len(cols), n, s.pos)
	}
	given := make([]bool, len(d.schema))
	for i, f := range fields {
		name := f.Name
		c := d.schema.Index(name)
		if c < 0 {
			if !d.o.SkipUnknown {
				return 0, sqlerr.New(sqlerr.IncorrectData, "Unknown column with name %s found while reading data in Native format", name)
			}
			continue
		}
		if given[c] {
			return 0, sqlerr.New(sqlerr.IncorrectData, "Duplicate column with name %s found in Native format", name)
		}
		given[c] = true
		want, got := r.Cols[c].Type(), cols[i].Type()
		switch {
		case types.SameShape(want, got), want.Kind == types.Nullable && want.Elem().Equal(got), want.Kind == got.Kind && want.Kind == types.DateTime:
			r.Cols[c].AppendRange(cols[i], 0, n)
		default:
			return 0, sqlerr.New(sqlerr.TypeMismatch, "Type of column %s is %s in the Native data, and %s in the table", name, got, want)
		}
	}
	for c, ok := range given {
		for i := 0; !ok && i < n; i++ {
			for len(r.Omitted[c]) < r.N+i {
				r.Omitted[c] = append(r.Omitted[c], 0)
			}
			r.Omitted[c] = append(r.Omitted[c], 1)
			r.Cols[c].AppendDefault()
		}
	}
	r.N += n
	return s.pos, nil
}

func (d *nativeReader) skip([]byte, bool) (int, error) {
	return 0, sqlerr.New(sqlerr.IncorrectData, "A bad block of Native data cannot be skipped")
}

// DecodeNativeBlock reads one block off the front of data, written for the given revision; it returns the length. With more, data is only
// what was read so far: more appends at least n bytes of the stream to it, and the block may be read from there; it is returned for
// what stands behind the block. Vectors share no memory with data.
func DecodeNativeBlock(data []byte, revision int, more func(data []byte, n int) ([]byte, error)) (column.Schema, *column.Block, []byte, error) {
	s := binScan{data: data, eof: true, more: more}
	schema, cols, n, err := s.block(revision)
	if err != nil {
		return nil, nil, nil, err
	}
	if len(cols) == 0 && n > 0 {
		return nil, nil, nil, sqlerr.New(sqlerr.IncorrectData, "A block of %d rows has no columns", n)
	}
	return schema, &column.Block{N: n, Cols: cols}, s.data[s.pos:], nil
}

func (s *binScan) block(revision int) (column.Schema, []column.Vector, int, error) {
	if revision >= revisionBlockInfo {
		if err := s.blockInfo(); err != nil {
			return nil, nil, 0, err
		}
	}
	width, err := s.uvarint()
	if err != nil {
		return nil, nil, 0, err
	}
	n, err := s.uvarint()
	if err != nil {
		return nil, nil, 0, err
	}
	if width > maxNativeColumns || n > maxNativeRows {
		return nil, nil, 0, sqlerr.New(sqlerr.IncorrectData, "A block of %d columns and %d rows is too large for Native input", width, n)
	}
	var fields column.Schema
	var cols []column.Vector
	for ; width > 0; width-- {
		f, v, err := s.nativeColumn(int(n), revision)
		if err != nil {
			return nil, nil, 0, err
		}
		fields, cols = append(fields, f), append(cols, v)
	}
	return fields, cols, int(n), nil
}

// blockInfo skips the numbered fields in front of a block.
func (s *binScan) blockInfo() error {
	for {
		field, err := s.uvarint()
		if err != nil {
			return err
		}
		size := uint64(0)
		switch field {
		case 0:
			return nil
		case 1:
			size = 1
		case 2:
			size = 4
		default:
			return sqlerr.New(sqlerr.IncorrectData, "Unknown field %d in the head of a block", field)
		}
		if _, err := s.bytes(size); err != nil {
			return err
		}
	}
}

func (s *binScan) nativeColumn(n, revision int) (column.Field, column.Vector, error) {
	raw, err := s.str()
	if err != nil {
		return column.Field{}, nil, err
	}
	name := string(raw)
	text, err := s.str()
	if err != nil {
		return column.Field{}, nil, err
	}
	t, err := types.Parse(string(text))
	if err != nil {
		return column.Field{}, nil, err
	}
	if revision >= revisionCustomSerialization {
		flag, err := s.bytes(1)
		if err != nil {
			return column.Field{}, nil, err
		}
		if flag[0] != 0 {
			return column.Field{}, nil, sqlerr.New(sqlerr.NotImplemented, "Custom serialization of column %s is not supported", name)
		}
	}
	if n == 0 {
		return column.Field{Name: name, Type: t}, column.New(t, 0), nil
	}
	p, err := s.ownPrefix(t, 0)
	if err != nil {
		return column.Field{}, nil, err
	}
	v, err := s.own(p, n, 0)
	return column.Field{Name: name, Type: t}, v, err
}

func (s *binScan) prefix(t *types.Type) error {
	switch t.Kind {
	case types.LowCardinality:
		raw, err := s.bytes(8)
		if err == nil && binary.LittleEndian.Uint64(raw) != lowCardinalityVersion {
			err = sqlerr.New(sqlerr.IncorrectData, "Unknown version of LowCardinality in Native data")
		}
		return err
	case types.Array, types.Nullable, types.Tuple, types.Map, types.SimpleAggregateFunction:
		for _, e := range t.Elems {
			if err := s.prefix(e); err != nil {
				return err
			}
		}
	}
	return nil
}

// native reads n values of t.
func (s *binScan) native(t *types.Type, n, depth int) (column.Vector, error) {
	if depth > maxDepth {
		return nil, sqlerr.New(sqlerr.TooDeepRecursion, "A type is nested deeper than %d", maxDepth)
	}
	switch t.Kind {
	case types.LowCardinality:
		return s.low(t.Elem(), n, depth)
	case types.SimpleAggregateFunction:
		return s.native(t.Elem(), n, depth+1)
	case types.AggregateFunction:
		return nil, sqlerr.New(sqlerr.NotImplemented, "Reading %s from the Native format is not supported", t)
	case types.Nullable:
		raw, err := s.bytes(uint64(n))
		if err != nil {
			return nil, err
		}
		nulls := make([]uint8, n)
		for i, x := range raw {
			if x != 0 {
				nulls[i] = 1
			}
		}
		inner, err := s.native(t.Elem(), n, depth+1)
		if err != nil {
			return nil, err
		}
		return column.NewNullable(nulls, inner), nil
	case types.Array, types.Map:
		return s.nested(t, n, depth)
	case types.Tuple:
		v := &column.Tuple{Typ: t, N: n}
		for _, e := range t.Elems {
			ev, err := s.native(e, n, depth+1)
			if err != nil {
				return nil, err
			}
			v.Elems = append(v.Elems, ev)
		}
		if len(t.Elems) == 0 {
			_, err := s.bytes(uint64(n))
			return v, err
		}
		return v, nil
	}
	b := column.New(t, min(n, len(s.data)))
	if t.Phys() == types.PBytes {
		for ; n > 0; n-- {
			if err := s.value(b, depth); err != nil {
				return nil, err
			}
		}
		return b, nil
	}
	raw, err := s.bytes(uint64(n) * uint64(binaryWidth(t)))
	if err != nil {
		return nil, err
	}
	appendFixed(b, raw)
	return b, nil
}

// nested reads the offsets, then the elements of arrays and maps.
func (s *binScan) nested(t *types.Type, n, depth int) (column.Vector, error) {
	off, err := s.offsets(n)
	if err != nil {
		return nil, err
	}
	parts := make([]column.Vector, len(t.Elems))
	for i, e := range t.Elems {
		if parts[i], err = s.native(e, int(off[n]), depth+1); err != nil {
			return nil, err
		}
	}
	if t.Kind == types.Map {
		return &column.Map{Typ: t, Off: off, Keys: parts[0], Vals: parts[1]}, nil
	}
	return &column.Array{Typ: t, Off: off, Elem: parts[0]}, nil
}

// offsets reads n ends of runs.
func (s *binScan) offsets(n int) ([]uint32, error) {
	raw, err := s.bytes(uint64(n) * 8)
	if err != nil {
		return nil, err
	}
	off := make([]uint32, n+1)
	for i := 0; i < n; i++ {
		x := binary.LittleEndian.Uint64(raw[8*i:])
		if x < uint64(off[i]) || x > maxNativeRows {
			return nil, sqlerr.New(sqlerr.IncorrectData, "Array offsets in Native data do not rise or are too large")
		}
		off[i+1] = uint32(x)
	}
	return off, nil
}

// low reads a LowCardinality column into plain values.
func (s *binScan) low(t *types.Type, n, depth int) (column.Vector, error) {
	if n == 0 {
		return column.New(t, 0), nil
	}
	head, err := s.bytes(16)
	if err != nil {
		return nil, err
	}
	flags, size := binary.LittleEndian.Uint64(head), binary.LittleEndian.Uint64(head[8:])
	if flags&lowAdditionalKeys == 0 || size > maxNativeRows || flags&lowIndexType > 3 {
		return nil, sqlerr.New(sqlerr.IncorrectData, "Cannot read LowCardinality in Native data: flags %x, %d keys", flags, size)
	}
	values, err := s.native(t.WithoutNullable(), int(size), depth+1)
	if err != nil {
		return nil, err
	}
	head, err = s.bytes(8)
	if err != nil {
		return nil, err
	}
	if got := binary.LittleEndian.Uint64(head); got != uint64(n) {
		return nil, sqlerr.New(sqlerr.IncorrectData, "LowCardinality has %d indexes for %d rows", got, n)
	}
	width := 1 << (flags & lowIndexType)
	raw, err := s.bytes(uint64(n) * uint64(width))
	if err != nil {
		return nil, err
	}
	codes := make([]uint32, n)
	nulls := make([]uint8, n)
	for i := range codes {
		var word [8]byte
		copy(word[:], raw[i*width:(i+1)*width])
		x := binary.LittleEndian.Uint64(word[:])
		if x >= size {
			return nil, sqlerr.New(sqlerr.IncorrectData, "An index %d of LowCardinality lies outside its %d keys", x, size)
		}
		codes[i] = uint32(x)
		if x == 0 {
			nulls[i] = 1
		}
	}
	v := column.Flatten(&column.Dict{Codes: codes, Values: values})
	if t.Kind == types.Nullable {
		return column.NewNullable(nulls, v), nil
	}
	return v, nil
}
