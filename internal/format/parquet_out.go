package format

import (
	"math"
	"reflect"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/internal/types"
	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/compress/zstd"
)

// A row group is written at so many rows or, about, so many bytes: its pages are kept in memory until it is complete.
const (
	parquetGroupRows  = 1 << 20
	parquetGroupBytes = 64 << 20
	// parquetPieceRows is how many rows are turned into the library's values at a time: 24 bytes each.
	parquetPieceRows = 8 << 10
)

// parquetWriter writes row groups. Totals and extremes have no place in the format.
type parquetWriter struct {
	*output
	o      Options
	schema column.Schema
	file   *parquet.Writer
	cols   []*parquetSink
	rows   int
	bytes  int64
	err    error // of the schema; told by the first call
}

// bufferWriter collects what the library writes.
type bufferWriter struct{ *output }

// Write implements io.Writer.
func (w bufferWriter) Write(b []byte) (int, error) {
	w.buf = append(w.buf, b...)
	return len(b), w.spill()
}

func newParquetWriter(out *output, schema column.Schema, o Options) Writer {
	w := &parquetWriter{output: out, schema: schema, o: o}
	root := parquetGroup{}
	leaves := 0
	for _, f := range schema {
		s, node, err := parquetSinkOf(f.Type.WithoutLowCardinality(), &leaves, 0)
		if err != nil {
			w.err = inField(err, f)
			return w
		}
		w.cols = append(w.cols, s)
		root.fields = append(root.fields, parquetField{node, f.Name})
	}
	w.err = safely(func() error {
		w.file = parquet.NewWriter(bufferWriter{out}, parquet.NewSchema("schema", root), parquet.Compression(&zstd.Codec{Level: zstd.SpeedFastest}),
			&parquet.WriterConfig{CreatedBy: "olapd"}, parquet.MaxRowsPerRowGroup(math.MaxInt64), parquet.DataPageStatistics(true))
		return nil
	})
	return w
}

// Write implements Writer.
func (w *parquetWriter) Write(b *column.Block) error {
	if w.err != nil {
		return w.err
	}
	writers := w.file.ColumnWriters()
	for c, s := range w.cols {
		if err := s.write(column.Flatten(b.Cols[c]), b.N, writers); err != nil {
			return sqlerr.Wrap(err, sqlerr.CodeOf(err), "while writing column %s", w.schema[c].Name)
		}
	}
	w.rows += b.N
	w.bytes += b.Bytes()
	if w.rows >= parquetGroupRows || w.bytes >= parquetGroupBytes {
		w.rows, w.bytes = 0, 0
		return w.file.Flush()
	}
	return nil
}

// Totals implements Writer.
func (w *parquetWriter) Totals(*column.Block) error { return nil }

// Extremes implements Writer.
func (w *parquetWriter) Extremes(*column.Block) error { return nil }

// Close implements Writer.
func (w *parquetWriter) Close(Stats) error {
	if w.err != nil {
		return w.err
	}
	if err := w.file.Close(); err != nil {
		return err
	}
	return w.Flush()
}

// parquetGroup is a group whose fields keep their order.
type parquetGroup struct {
	parquet.Group
	fields []parquet.Field
}

// Fields implements parquet.Node.
func (g parquetGroup) Fields() []parquet.Field { return g.fields }

// GoType implements parquet.Node: no Go value ever stands for a row.
func (g parquetGroup) GoType() reflect.Type { return reflect.TypeFor[struct{}]() }

// String implements parquet.Node.
func (g parquetGroup) String() string { return "group" }

// parquetField is a named field of a parquetGroup.
type parquetField struct {
	parquet.Node
	name string
}

// Name implements parquet.Field.
func (f parquetField) Name() string { return f.name }

// Value implements parquet.Field: no Go value ever stands for a row.
func (f parquetField) Value(reflect.Value) reflect.Value { return reflect.Value{} }

// parquetSink writes the values of one type.
type parquetSink struct {
	typ      *types.Type
	leaf     int // of a leaf: its number in the file; else -1
	optional bool
	kids     []*parquetSink // Array: element; Map: key, value; Tuple: elements

	off  []uint32        // Array, Map: of the values at hand
	vals []parquet.Value // of a leaf: the values at hand, without levels
	row  []parquet.Value // with levels, to be written
}

func parquetSinkOf(t *types.Type, leaves *int, depth int) (*parquetSink, parquet.Node, error) {
	if depth > maxDepth {
		return nil, nil, sqlerr.New(sqlerr.TooDeepRecursion, "Type is nested deeper than %d", maxDepth)
	}
	t = t.WithoutLowCardinality()
	s := &parquetSink{typ: t, leaf: -1}
	if !isGroup(t) {
		return s.asLeaf(leaves)
	}
	var nodes []parquet.Node
	for _, e := range t.Elems {
		kid, node, err := parquetSinkOf(e, leaves, depth+1)
		if err != nil {
			return nil, nil, err
		}
		s.kids, nodes = append(s.kids, kid), append(nodes, node)
	}
	switch {
	case len(nodes) == 0:
		return nil, nil, sqlerr.New(sqlerr.NotImplemented, "Type %s is not supported in Parquet", t)
	case t.Kind == types.Array:
		return s, parquet.List(nodes[0]), nil
	case t.Kind == types.Map:
		return s, parquet.Map(nodes[0], nodes[1]), nil
	}
	g := parquetGroup{}
	for i, n := range nodes {
		g.fields = append(g.fields, parquetField{n, tupleName(t, i)})
	}
	return s, g, nil
}

// asLeaf completes a sink of values.
func (s *parquetSink) asLeaf(leaves *int) (*parquetSink, parquet.Node, error) {
	s.leaf = *leaves
	*leaves++
	node := parquetNodeFor(s.typ.WithoutNullable())
	if node == nil {
		return nil, nil, sqlerr.New(sqlerr.NotImplemented, "Type %s is not supported in Parquet", s.typ)
	}
	if s.typ.IsNullable() {
		s.optional = true
		return s, parquet.Optional(node), nil
	}
	return s, parquet.Required(node), nil
}

// parquetNodeFor is the type of a leaf, the one that ClickHouse writes; nil if there is none.
func parquetNodeFor(t *types.Type) parquet.Node {
	switch t.Kind {
	case types.Bool:
		return parquet.Leaf(parquet.BooleanType)
	case types.UInt8:
		return parquet.Uint(8)
	case types.UInt16:
		return parquet.Uint(16)
	case types.UInt32, types.IPv4:
		return parquet.Uint(32)
	case types.UInt64:
		return parquet.Uint(64)
	case types.Int8:
		return parquet.Int(8)
	case types.Int16:
		return parquet.Int(16)
	case types.Int32:
		return parquet.Leaf(parquet.Int32Type)
	case types.Int64:
		return parquet.Leaf(parquet.Int64Type)
	case types.Int128, types.UInt128, types.IPv6:
		return parquet.Leaf(parquet.FixedLenByteArrayType(16))
	case types.Int256, types.UInt256:
		return parquet.Leaf(parquet.FixedLenByteArrayType(32))
	case types.Float32:
		return parquet.Leaf(parquet.FloatType)
	case types.Float64:
		return parquet.Leaf(parquet.DoubleType)
	case types.Date, types.Date32:
		return parquet.Date()
	case types.DateTime:
		return parquet.Timestamp(parquet.Millisecond)
	case types.DateTime64:
		return parquet.Timestamp([]parquet.TimeUnit{parquet.Millisecond, parquet.Microsecond, parquet.Nanosecond}[timeUnit(t)])
	case types.Decimal:
		return parquet.Decimal(t.Scale, t.N, parquet.FixedLenByteArrayType(decimalWidth(t)))
	case types.String:
		return parquet.Encoded(parquet.String(), &parquet.RLEDictionary)
	case types.Enum8, types.Enum16:
		return parquet.Encoded(parquet.Enum(), &parquet.RLEDictionary)
	case types.FixedString:
		return parquet.Leaf(parquet.FixedLenByteArrayType(t.N))
	case types.UUID:
		return parquet.UUID()
	}
	return nil
}

// timeUnit is the unit in which a DateTime64 is written: 0, 1 and 2 for milli-, micro- and nanoseconds.
func timeUnit(t *types.Type) int { return max(t.Scale-1, 0) / 3 }

// decimalWidth is the bytes that a Decimal is written in.
func decimalWidth(t *types.Type) int {
	switch t.Phys() {
	case types.PInt32:
		return 4
	case types.PInt64:
		return 8
	case types.PInt128:
		return 16
	}
	return 32
}
