package format

import (
	"bufio"
	"fmt"
	"io"
	"strings"

	"github.com/hamba/avro/v2"
	"github.com/hamba/avro/v2/ocf"
	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/internal/types"
)

// maxAvroNames bounds the names of all columns' types together: a schema may name what it has defined again and again, or within itself.
const maxAvroNames = 1 << 17

// avroNames makes names of types, as long as there is room left.
type avroNames struct{ left int }

// inferAvro takes the columns from the schema in front of an object container file, by the types that ClickHouse reads them as.
func inferAvro(src io.Reader, _ *Options) (column.Schema, error) {
	dec, err := ocf.NewDecoder(bufio.NewReader(src), ocf.WithDecoderConfig(avroAPI), ocf.WithDecoderSchemaCache(&avro.SchemaCache{}))
	if err != nil {
		return nil, sqlerr.Wrap(err, sqlerr.IncorrectData, "Cannot read Avro")
	}
	rec, ok := dec.Schema().(*avro.RecordSchema)
	if !ok {
		return nil, sqlerr.New(sqlerr.TypeMismatch, "Root schema must be a record, not %s", dec.Schema().Type())
	}
	names := &avroNames{left: maxAvroNames}
	var out column.Schema
	for _, f := range rec.Fields() {
		name, err := names.of(f.Type(), 0)
		if err != nil {
			return nil, inField(err, column.Field{Name: f.Name(), Type: types.TNothing})
		}
		t, err := types.Parse(name)
		if err != nil {
			return nil, err
		}
		out = append(out, column.Field{Name: f.Name(), Type: t})
	}
	return out, nil
}

// of is the name of the type that values of a schema are read as.
func (n *avroNames) of(s avro.Schema, depth int) (string, error) {
	if depth > maxDepth {
		return "", sqlerr.New(sqlerr.TooDeepRecursion, "A schema of Avro is nested deeper than %d", maxDepth)
	}
	if err := n.take(1); err != nil {
		return "", err
	}
	logical := avro.LogicalType("")
	if l, ok := s.(avro.LogicalTypeSchema); ok && l.Logical() != nil {
		logical = l.Logical().Type()
		if d, ok := l.Logical().(*avro.DecimalLogicalSchema); ok {
			return fmt.Sprintf("Decimal(%d, %d)", d.Precision(), d.Scale()), nil
		}
	}
	switch s := s.(type) {
	case *avro.RefSchema:
		return n.of(s.Schema(), depth+1)
	case *avro.PrimitiveSchema:
		return avroPrimitive(s.Type(), logical)
	case *avro.FixedSchema:
		return fmt.Sprintf("FixedString(%d)", s.Size()), nil
	case *avro.EnumSchema:
		parts := make([]string, len(s.Symbols()))
		for i, x := range s.Symbols() {
			if err := n.take(len(x)); err != nil {
				return "", err
			}
			parts[i] = fmt.Sprintf("%s = %d", types.QuoteString(x), i)
		}
		width := 8
		if len(parts) > 128 {
			width = 16
		}
		return fmt.Sprintf("Enum%d(%s)", width, strings.Join(parts, ", ")), nil
	case *avro.ArraySchema:
		e, err := n.of(s.Items(), depth+1)
		return "Array(" + e + ")", err
	case *avro.MapSchema:
		e, err := n.of(s.Values(), depth+1)
		return "Map(String, " + e + ")", err
	case *avro.RecordSchema:
		var parts []string
		for _, f := range s.Fields() {
			if err := n.take(len(f.Name())); err != nil {
				return "", err
			}
			e, err := n.of(f.Type(), depth+1)
			if err != nil {
				return "", err
			}
			parts = append(parts, "`"+strings.NewReplacer("\\", `\\`, "`", "\\`").Replace(f.Name())+"` "+e)
		}
		return "Tuple(" + strings.Join(parts, ", ") + ")", nil
	case *avro.UnionSchema:
		return n.union(s, depth)
	}
	return "", sqlerr.New(sqlerr.IllegalColumn, "Avro type %s is not supported for inserting", s.Type())
}

// take takes the room for so many bytes.
func (n *avroNames) take(bytes int) error {
	if n.left -= bytes; n.left < 0 {
		return sqlerr.New(sqlerr.TooDeepRecursion, "The types of an Avro schema have names of more than %d bytes", maxAvroNames)
	}
	return nil
}

func avroPrimitive(t avro.Type, logical avro.LogicalType) (string, error) {
	switch {
	case t == avro.Int && logical == avro.Date:
		return "Date32", nil
	case t == avro.Long && logical == avro.TimestampMillis:
		return "DateTime64(3)", nil
	case t == avro.Long && logical == avro.TimestampMicros:
		return "DateTime64(6)", nil
	case t == avro.String && logical == avro.UUID:
		return "UUID", nil
	}
	name := map[avro.Type]string{avro.Int: "Int32", avro.Long: "Int64", avro.Float: "Float32", avro.Double: "Float64", avro.Boolean: "Bool",
		avro.String: "String", avro.Bytes: "String"}[t]
	if name == "" {
		return "", sqlerr.New(sqlerr.IllegalColumn, "Avro type %s is not supported for inserting", t)
	}
	return name, nil
}

// union is the one type that is not null, Nullable if it may be, or a Variant of several.
func (n *avroNames) union(s *avro.UnionSchema, depth int) (string, error) {
	var parts []string
	for _, e := range s.Types() {
		if e.Type() == avro.Null {
			continue
		}
		name, err := n.of(e, depth+1)
		if err != nil {
			return "", err
		}
		parts = append(parts, name)
	}
	switch {
	case len(parts) == 0:
		return "Nullable(Nothing)", nil
	case len(parts) > 1:
		return "Variant(" + strings.Join(parts, ", ") + ")", nil
	case len(s.Types()) == 2:
		t, err := types.Parse(parts[0])
		if err != nil {
			return "", err
		}
		if t.CanBeNullable() {
			return "Nullable(" + parts[0] + ")", nil
		}
	}
	return parts[0], nil
}
