package format

import (
	"bytes"
	"compress/flate"
	"crypto/rand"
	"encoding/binary"
	"encoding/json"
	"hash/crc32"
	"regexp"
	"slices"
	"strconv"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/compress"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/internal/types"
	"github.com/olapd/olapd/internal/valuetext"
)

// avroWriter writes an object container file: records of the columns in compressed blocks, each behind its count and size and in front of
// the file's own mark. Totals and extremes have no place in the format.
type avroWriter struct {
	*output
	o       Options
	schema  column.Schema
	text    []byte // the schema as JSON
	names   int    // types named so far
	sync    [16]byte
	block   []byte
	rows    int
	started bool
	err     error // of the schema; told by the first call
}

// avroBlock is the bytes of records that make a block (output_format_avro_sync_interval).
const avroBlock = 16 << 10

// avroName is what a name may be.
var avroName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

func newAvroWriter(out *output, schema column.Schema, o Options) Writer {
	w := &avroWriter{output: out, schema: schema, o: o}
	w.text = append(w.text, `{"type":"record","name":"row","fields":[`...)
	for i, f := range schema {
		if !avroName.MatchString(f.Name) {
			w.err = sqlerr.New(sqlerr.BadArguments, "Column name %q cannot be written as Avro: names are letters, digits and _, and begin with no digit", f.Name)
			return w
		}
		if i > 0 {
			w.text = append(w.text, ',')
		}
		w.text = append(w.text, `{"name":"`+f.Name+`","type":`...)
		if w.err = w.describe(f.Type, f.Name, 0); w.err != nil {
			return w
		}
		w.text = append(w.text, '}')
	}
	w.text = append(w.text, "]}"...)
	_, _ = rand.Read(w.sync[:]) // never fails, by its contract
	return w
}

// describe appends the schema of a type.
func (w *avroWriter) describe(t *types.Type, name string, depth int) error {
	if depth > maxDepth {
		return sqlerr.New(sqlerr.TooDeepRecursion, "Type is nested deeper than %d", maxDepth)
	}
	t = t.WithoutLowCardinality()
	w.names++
	if plain := avroPlain(t); plain != "" {
		w.text = append(w.text, plain...)
		return nil
	}
	number := strconv.Itoa(w.names)
	fixed := func(prefix string, n int) {
		w.text = append(w.text, `{"type":"fixed","name":"`+prefix+number+`","size":`+strconv.Itoa(n)+`}`...)
	}
	switch t.Kind {
	case types.Int128, types.UInt128, types.Int256, types.UInt256:
		fixed(map[types.Kind]string{types.Int128: "int128", types.UInt128: "uint128", types.Int256: "int256", types.UInt256: "uint256"}[t.Kind], t.Width())
	case types.FixedString:
		fixed("fixed_", t.N)
	case types.IPv6:
		fixed("ipv6_", 16)
	case types.Decimal, types.DateTime64:
		precision := t.N
		if t.Kind == types.DateTime64 {
			precision = types.MaxPrecision64
		}
		w.text = append(w.text, `{"type":"bytes","logicalType":"decimal","precision":`+strconv.Itoa(precision)+`,"scale":`+strconv.Itoa(t.Scale)+`}`...)
	case types.Enum8, types.Enum16:
		return w.describeEnum(t, number)
	case types.Nullable:
		w.text = append(w.text, `["null",`...)
		if err := w.describe(t.Elem(), name, depth+1); err != nil {
			return err
		}
		w.text = append(w.text, ']')
	case types.Array:
		w.text = append(w.text, `{"type":"array","items":`...)
		if err := w.describe(t.Elem(), name, depth+1); err != nil {
			return err
		}
		w.text = append(w.text, '}')
	case types.Map:
		if t.Elems[0].Inner().Kind != types.String {
			return sqlerr.New(sqlerr.IllegalColumn, "Type %s is not supported for Avro output: the keys of a map must be strings", t)
		}
		w.text = append(w.text, `{"type":"map","values":`...)
		if err := w.describe(t.Elems[1], name+".value", depth+1); err != nil {
			return err
		}
		w.text = append(w.text, '}')
	case types.Tuple:
		w.text = append(w.text, `{"type":"record","name":"`+name+"_"+number+`","fields":[`...)
		for i, e := range t.Elems {
			if i > 0 {
				w.text = append(w.text, ',')
			}
			field, _ := json.Marshal(tupleName(t, i)) // a string always can be
			w.text = append(append(append(w.text, `{"name":`...), field...), `,"type":`...)
			if err := w.describe(e, name, depth+1); err != nil {
				return err
			}
			w.text = append(w.text, '}')
		}
		w.text = append(w.text, "]}"...)
	default:
		return sqlerr.New(sqlerr.IllegalColumn, "Type %s is not supported for Avro output: column %s", t, name)
	}
	return nil
}

// describeEnum appends the names of an Enum, which Avro wants to be names of its own kind; else they are strings.
func (w *avroWriter) describeEnum(t *types.Type, number string) error {
	names := make([]string, len(t.Enum))
	for i, e := range t.Enum {
		if !avroName.MatchString(e.Name) {
			return sqlerr.New(sqlerr.BadArguments, "Name %q of %s cannot be written as Avro: names are letters, digits and _, and begin with no digit", e.Name, t)
		}
		names[i] = e.Name
	}
	prefix := "enum8_"
	if t.Kind == types.Enum16 {
		prefix = "enum16"
	}
	symbols, _ := json.Marshal(names) // strings always can be
	w.text = append(append(append(w.text, `{"type":"enum","name":"`+prefix+number+`","symbols":`...), symbols...), '}')
	return nil
}

// avroPlain is the schema of a type that has no parameters, empty if it has some.
func avroPlain(t *types.Type) string {
	switch t.Kind {
	case types.Nothing:
		return `"null"`
	case types.Bool:
		return `"boolean"`
	case types.UInt8, types.UInt16, types.UInt32, types.Int8, types.Int16, types.Int32, types.IPv4, types.DateTime:
		return `"int"`
	case types.UInt64, types.Int64:
		return `"long"`
	case types.Float32:
		return `"float"`
	case types.Float64:
		return `"double"`
	case types.String:
		return `"string"`
	case types.Date, types.Date32:
		return `{"type":"int","logicalType":"date"}`
	case types.UUID:
		return `{"type":"string","logicalType":"uuid"}`
	case types.DateTime64:
		switch t.Scale {
		case 3:
			return `{"type":"long","logicalType":"timestamp-millis"}`
		case 6:
			return `{"type":"long","logicalType":"timestamp-micros"}`
		}
	case types.Nullable:
		if t.Elem().Kind == types.Nothing {
			return `"null"`
		}
	}
	return ""
}

// start writes the head of the file.
func (w *avroWriter) start() error {
	if w.err != nil || w.started {
		return w.err
	}
	w.started = true
	codec := w.o.AvroCodec
	if codec == "zstd" {
		codec = "zstandard"
	}
	w.buf = append(w.buf, "Obj\x01"...)
	w.buf = binary.AppendVarint(w.buf, 2)
	for _, text := range []string{"avro.codec", codec, "avro.schema", string(w.text)} {
		w.buf = append(binary.AppendVarint(w.buf, int64(len(text))), text...)
	}
	w.buf = append(append(w.buf, 0), w.sync[:]...)
	return nil
}

// Write implements Writer.
func (w *avroWriter) Write(b *column.Block) error {
	if err := w.start(); err != nil {
		return err
	}
	b = b.Flatten()
	for i := range b.N {
		for _, v := range b.Cols {
			w.block = w.appendAvroValue(w.block, v, i)
		}
		if w.rows++; len(w.block) >= avroBlock {
			if err := w.endBlock(); err != nil {
				return err
			}
		}
	}
	return nil
}

// endBlock writes the block at hand.
func (w *avroWriter) endBlock() error {
	if w.rows == 0 {
		return nil
	}
	data, err := avroCompress(w.o.AvroCodec, w.block)
	if err != nil {
		return err
	}
	w.buf = binary.AppendVarint(w.buf, int64(w.rows))
	w.buf = binary.AppendVarint(w.buf, int64(len(data)))
	w.buf = append(append(w.buf, data...), w.sync[:]...)
	w.block, w.rows = w.block[:0], 0
	return w.spill()
}

// avroCompress compresses a block; snappy has the checksum of the raw bytes behind it.
func avroCompress(codec string, raw []byte) ([]byte, error) {
	switch codec {
	case "snappy":
		return binary.BigEndian.AppendUint32(compress.Snappy(raw), crc32.ChecksumIEEE(raw)), nil
	case "zstd":
		return compress.AppendCompress(nil, compress.ZSTD, raw)
	case "deflate":
		var small bytes.Buffer
		z, err := flate.NewWriter(&small, flate.DefaultCompression)
		if err != nil {
			return nil, err
		}
		if _, err := z.Write(raw); err != nil {
			return nil, err
		}
		if err := z.Close(); err != nil {
			return nil, err
		}
		return small.Bytes(), nil
	}
	return raw, nil
}

// Totals implements Writer.
func (w *avroWriter) Totals(*column.Block) error { return nil }

// Extremes implements Writer.
func (w *avroWriter) Extremes(*column.Block) error { return nil }

// Close implements Writer.
func (w *avroWriter) Close(Stats) error {
	if err := w.start(); err != nil {
		return err
	}
	if err := w.endBlock(); err != nil {
		return err
	}
	return w.Flush()
}

// appendAvroValue appends value i of a flat vector.
func (w *avroWriter) appendAvroValue(dst []byte, v column.Vector, i int) []byte {
	switch v := v.(type) {
	case *column.Nullable:
		if v.Type().Elem().Kind == types.Nothing {
			return dst
		}
		if v.Nulls[i] != 0 {
			return append(dst, 0)
		}
		return w.appendAvroValue(append(dst, 2), v.Inner, i)
	case *column.Array:
		return w.appendAvroRun(dst, v.Off[i], v.Off[i+1], v.Elem)
	case *column.Map:
		return w.appendAvroRun(dst, v.Off[i], v.Off[i+1], v.Keys, v.Vals)
	case *column.Tuple:
		for _, e := range v.Elems {
			dst = w.appendAvroValue(dst, e, i)
		}
		return dst
	case *column.Str:
		if v.Typ.Kind == types.String {
			dst = binary.AppendVarint(dst, int64(len(v.At(i))))
		}
		return append(dst, v.At(i)...)
	}
	t := v.Type()
	switch t.Kind {
	case types.Bool, types.Float32, types.Float64, types.Int128, types.UInt128, types.Int256, types.UInt256:
		return appendBinary(dst, v, i)
	case types.UUID:
		dst = binary.AppendVarint(dst, 36) // the length of its text
		return valuetext.AppendUUID(dst, v.(*column.Num[types.U128]).Data[i])
	case types.Enum8, types.Enum16:
		x, _ := signedAt(v, i)
		at := slices.IndexFunc(t.Enum, func(e types.EnumValue) bool { return int64(e.Value) == x })
		return binary.AppendVarint(dst, int64(max(at, 0)))
	case types.DateTime64:
		if t.Scale != 3 && t.Scale != 6 {
			return appendAvroDecimal(dst, v, i)
		}
	case types.Decimal:
		return appendAvroDecimal(dst, v, i)
	}
	if x, ok := signedAt(v, i); ok {
		return binary.AppendVarint(dst, x)
	}
	x, _ := unsignedAt(v, i)
	if t.Width() == 4 {
		return binary.AppendVarint(dst, int64(int32(x)))
	}
	return binary.AppendVarint(dst, int64(x))
}

// appendAvroRun appends the values of an array or a map: one run of them, then the empty one.
func (w *avroWriter) appendAvroRun(dst []byte, from, to uint32, parts ...column.Vector) []byte {
	if from < to {
		dst = binary.AppendVarint(dst, int64(to-from))
		for k := from; k < to; k++ {
			for _, p := range parts {
				dst = w.appendAvroValue(dst, p, int(k))
			}
		}
	}
	return append(dst, 0)
}

// appendAvroDecimal appends a number as bytes, the highest first, behind their count.
func appendAvroDecimal(dst []byte, v column.Vector, i int) []byte {
	width := v.Type().Width()
	dst = binary.AppendVarint(dst, int64(width))
	from := len(dst)
	dst = appendBinary(dst, v, i)
	slices.Reverse(dst[from:])
	return dst
}
