package format

import (
	"bytes"
	"io"
	"maps"
	"math"
	"math/big"
	"reflect"
	"slices"
	"time"

	"github.com/hamba/avro/v2"
	"github.com/hamba/avro/v2/ocf"
	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/internal/types"
)

func init() {
	avro.SkipNameValidation = true // the fields of tuples without names are numbers
	define(&Format{Name: "Avro", ContentType: "application/octet-stream", out: newAvroWriter,
		in: func(s column.Schema, o Options) rowFormat { return &avroReader{schema: s, o: o} }})
}

// Limits on what a few bytes of Avro may announce, for the library allocates before it reads: an array of so many
// elements, a string or bytes of such a length.
const (
	maxAvroElements = 1 << 20
	maxAvroBytes    = 16 << 20
)

// avroAPI decodes within the limits; the library's own let 20 bytes ask for any amount of memory.
var avroAPI = avro.Config{MaxSliceAllocSize: maxAvroElements, MaxByteSliceSize: maxAvroBytes}.Freeze()

// avroReader reads object container files. A file is read whole: its blocks are compressed.
type avroReader struct {
	schema column.Schema
	o      Options
	dec    *ocf.Decoder
	size   int
}

func (d *avroReader) header(data []byte, eof bool, _ *Rows) (int, error) {
	if !eof {
		return 0, errShort
	}
	dec, err := ocf.NewDecoder(bytes.NewReader(data), ocf.WithDecoderConfig(avroAPI), ocf.WithDecoderSchemaCache(&avro.SchemaCache{}))
	if err != nil {
		return 0, sqlerr.Wrap(err, sqlerr.IncorrectData, "Cannot read Avro")
	}
	d.dec, d.size = dec, len(data)
	return 0, nil
}

func (d *avroReader) row(data []byte, _ bool, r *Rows) (int, error) {
	if !d.dec.HasNext() {
		if err := d.dec.Error(); err != nil && err != io.EOF {
			return 0, sqlerr.Wrap(err, sqlerr.IncorrectData, "Cannot read Avro")
		}
		return 0, io.EOF
	}
	var rec map[string]any
	if err := d.dec.Decode(&rec); err != nil {
		return 0, sqlerr.Wrap(err, sqlerr.IncorrectData, "Cannot read an Avro record")
	}
	return 0, appendRecord(r, rec, &d.o)
}

func (d *avroReader) skip([]byte, bool) (int, error) {
	return 0, sqlerr.New(sqlerr.IncorrectData, "A bad Avro record cannot be skipped")
}

// AvroDecoder reads single Avro records of one writer's schema, without a container: Kafka messages
// behind the schema registry's five bytes. Not safe for concurrent use.
type AvroDecoder struct {
	schema avro.Schema
	o      Options
}

// NewAvroDecoder compiles the writer's schema, JSON text.
func NewAvroDecoder(schema string, o Options) (*AvroDecoder, error) {
	s, err := avro.ParseWithCache(schema, "", &avro.SchemaCache{}) // the library's own would keep the types of every schema for ever
	if err != nil {
		return nil, sqlerr.Wrap(err, sqlerr.BadArguments, "Cannot parse the Avro schema")
	}
	if s.Type() != avro.Record {
		return nil, sqlerr.New(sqlerr.BadArguments, "The Avro schema must be a record, got %s", s.Type())
	}
	if manyOfNothing(s) {
		return nil, sqlerr.New(sqlerr.NotImplemented, "An Avro array whose elements take no bytes is not supported")
	}
	return &AvroDecoder{schema: s, o: o}, nil
}

// Decode appends the record in msg to rows, or nothing and an error.
func (d *AvroDecoder) Decode(msg []byte, rows *Rows) error {
	var rec map[string]any
	if err := avroAPI.Unmarshal(d.schema, msg, &rec); err != nil {
		return sqlerr.Wrap(err, sqlerr.IncorrectData, "Cannot read an Avro record")
	}
	n := rows.N
	if err := appendRecord(rows, rec, &d.o); err != nil {
		rows.cut(n)
		return err
	}
	rows.N++
	return nil
}

// manyOfNothing reports whether s holds arrays whose elements take no bytes: such an array is of any length in any message.
// Recursion ends at references, which stand for a type that is looked at where it is defined.
func manyOfNothing(s avro.Schema) bool {
	switch s := s.(type) {
	case *avro.ArraySchema:
		return takesNothing(s.Items()) || manyOfNothing(s.Items())
	case *avro.MapSchema:
		return manyOfNothing(s.Values())
	case *avro.UnionSchema:
		return slices.ContainsFunc(s.Types(), manyOfNothing)
	case *avro.RecordSchema:
		return slices.ContainsFunc(s.Fields(), func(f *avro.Field) bool { return manyOfNothing(f.Type()) })
	}
	return false
}

// takesNothing reports whether every value of s is encoded in no bytes.
func takesNothing(s avro.Schema) bool {
	switch s := s.(type) {
	case *avro.NullSchema:
		return true
	case *avro.FixedSchema:
		return s.Size() == 0
	case *avro.RefSchema:
		r, ok := s.Schema().(*avro.RecordSchema)
		return ok && len(r.Fields()) == 0
	case *avro.RecordSchema:
		return !slices.ContainsFunc(s.Fields(), func(f *avro.Field) bool { return !takesNothing(f.Type()) })
	}
	return false
}

// appendRecord appends the fields of a record to the columns of their names.
func appendRecord(r *Rows, rec map[string]any, o *Options) error {
	for c, f := range r.Schema {
		x, ok := rec[f.Name]
		if !ok {
			r.omit(c)
			continue
		}
		if x == nil && !f.Type.IsNullable() {
			if err := appendNull(r.Cols[c], f, r, c, o); err != nil {
				return err
			}
			continue
		}
		if err := appendAvro(r.Cols[c], f.Type.WithoutLowCardinality(), x, o); err != nil {
			return inField(err, f)
		}
	}
	return nil
}

// appendAvro appends a decoded Avro value to a builder of t.
func appendAvro(b column.Builder, t *types.Type, x any, o *Options) error {
	if m, ok := x.(map[string]any); ok && len(m) == 1 && t.Kind != types.Map && t.Kind != types.Tuple {
		for _, only := range m { // a union's value comes under its type's name
			x = only
		}
	}
	switch v := b.(type) {
	case *column.Nullable:
		if x == nil {
			v.AppendNull()
			return nil
		}
		if err := appendAvro(v.Inner.(column.Builder), t.Elem(), x, o); err != nil {
			return err
		}
		v.Nulls = append(v.Nulls, 0)
		return nil
	case *column.Array:
		list, ok := x.([]any)
		if !ok {
			return avroMismatch(x, t)
		}
		for _, e := range list {
			if err := appendAvro(v.Elem.(column.Builder), t.Elem(), e, o); err != nil {
				return err
			}
		}
		v.EndValue()
		return nil
	case *column.Map:
		m, ok := x.(map[string]any)
		if !ok {
			return avroMismatch(x, t)
		}
		for _, k := range slices.Sorted(maps.Keys(m)) {
			if err := parseText(v.Keys.(column.Builder), t.Elems[0], []byte(k), o); err != nil {
				return err
			}
			if err := appendAvro(v.Vals.(column.Builder), t.Elems[1], m[k], o); err != nil {
				return err
			}
		}
		v.EndValue()
		return nil
	case *column.Tuple:
		return appendAvroTuple(v, t, x, o)
	}
	return appendAvroPlain(b, t, x, o)
}

func appendAvroTuple(v *column.Tuple, t *types.Type, x any, o *Options) error {
	m, ok := x.(map[string]any)
	if !ok {
		return avroMismatch(x, t)
	}
	for i := range t.Elems {
		e, given := m[tupleName(t, i)]
		if !given && t.Names == nil {
			return avroMismatch(x, t)
		}
		if err := appendAvro(v.Elems[i].(column.Builder), t.Elems[i], e, o); err != nil {
			return err
		}
	}
	v.N++
	return nil
}

func avroMismatch(x any, t *types.Type) error {
	return sqlerr.New(sqlerr.TypeMismatch, "An Avro value of kind %T cannot be read as %s", x, t)
}

func appendAvroPlain(b column.Builder, t *types.Type, x any, o *Options) error {
	switch x := x.(type) {
	case nil:
		b.AppendDefault()
		return nil
	case string:
		return appendAvroText(b, t, []byte(x), o)
	case []byte:
		return appendAvroText(b, t, x, o)
	case bool:
		if x {
			return parseText(b, t, []byte("1"), o)
		}
		return parseText(b, t, []byte("0"), o)
	case int:
		return appendAvroInt(b, t, int64(x), o)
	case int32:
		return appendAvroInt(b, t, int64(x), o)
	case int64:
		return appendAvroInt(b, t, x, o)
	case float32:
		return appendAvroFloat(b, t, float64(x), o)
	case float64:
		return appendAvroFloat(b, t, x, o)
	case time.Time:
		return appendAvroTime(b, t, x)
	case time.Duration:
		return appendAvroInt(b, t, x.Milliseconds(), o)
	case *big.Rat:
		if n, ok := b.(*column.Num[int64]); ok && t.Kind == types.DateTime64 {
			n.Data = append(n.Data, ticksOf(x, t.Scale))
			return nil
		}
		return parseText(b, t, []byte(x.FloatString(max(t.Scale, 0))), o)
	}
	if v := reflect.ValueOf(x); v.Kind() == reflect.Array && v.Type().Elem().Kind() == reflect.Uint8 { // fixed
		raw := make([]byte, v.Len())
		reflect.Copy(reflect.ValueOf(raw), v)
		if t.Width() == len(raw) && t.IsInteger() {
			appendFixed(b, raw)
			return nil
		}
		return appendAvroText(b, t, raw, o)
	}
	return avroMismatch(x, t)
}

// ticksOf is a number of seconds as ticks of 10^-scale of them, cut off.
func ticksOf(x *big.Rat, scale int) int64 {
	n := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(scale)), nil)
	return n.Quo(n.Mul(n, x.Num()), x.Denom()).Int64()
}

func appendAvroText(b column.Builder, t *types.Type, s []byte, o *Options) error {
	if v, ok := b.(*column.Str); ok && (t.Width() == 0 || len(s) == t.Width()) {
		v.Append(s)
		return nil
	}
	return parseText(b, t, s, o)
}

// appendAvroInt also takes plain numbers as raw dates and times, in the column's own unit, as addresses, and negative ones as the unsigned ones of
// the same bits: Avro has no unsigned numbers.
func appendAvroInt(b column.Builder, t *types.Type, x int64, o *Options) error {
	switch v := b.(type) {
	case *column.Num[uint16]:
		if t.Kind == types.Date {
			v.Data = append(v.Data, uint16(x))
			return nil
		}
	case *column.Num[uint32]:
		if t.Kind == types.DateTime || t.Kind == types.IPv4 || x < 0 && x >= math.MinInt32 {
			v.Data = append(v.Data, uint32(x))
			return nil
		}
	case *column.Num[uint64]:
		v.Data = append(v.Data, uint64(x))
		return nil
	case *column.Num[int64]:
		if t.Kind == types.DateTime64 {
			v.Data = append(v.Data, x)
			return nil
		}
	}
	return parseText(b, t, appendInt(nil, x), o)
}

func appendAvroFloat(b column.Builder, t *types.Type, x float64, o *Options) error {
	switch v := b.(type) {
	case *column.Num[float64]:
		v.Data = append(v.Data, x)
		return nil
	case *column.Num[float32]:
		v.Data = append(v.Data, float32(x))
		return nil
	}
	return avroMismatch(x, t)
}

func appendAvroTime(b column.Builder, t *types.Type, x time.Time) error {
	switch v := b.(type) {
	case *column.Num[uint16]:
		v.Data = append(v.Data, uint16(x.Unix()/86400))
	case *column.Num[int32]:
		v.Data = append(v.Data, int32(x.Unix()/86400))
	case *column.Num[uint32]:
		v.Data = append(v.Data, uint32(x.Unix()))
	case *column.Num[int64]:
		ticks := x.UnixNano()
		for range 9 - t.Scale {
			ticks /= 10
		}
		v.Data = append(v.Data, ticks)
	default:
		return avroMismatch(x, t)
	}
	return nil
}
