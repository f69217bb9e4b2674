package format

import (
	"math"
	"strconv"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/types"
	"github.com/olapd/olapd/internal/valuetext"
)

// appendJSON appends value i of a flat or encoded vector of declared type t. indent ≥ 0 spreads maps and tuples
// over lines at that depth of tabs; -1 keeps them on one.
func appendJSON(dst []byte, v column.Vector, i int, t *types.Type, o *Options, indent int) []byte {
	t = t.WithoutLowCardinality()
	switch v := v.(type) {
	case *column.Const:
		return appendJSON(dst, v.Value, 0, t, o, indent)
	case *column.Dict:
		return appendJSON(dst, v.Values, int(v.Codes[i]), t, o, indent)
	case *column.Nullable:
		if v.Nulls[i] != 0 {
			return append(dst, "null"...)
		}
		return appendJSON(dst, v.Inner, i, t.WithoutNullable(), o, indent)
	case *column.Array:
		return appendJSONArray(dst, v, i, t, o)
	case *column.Variant:
		in, at := v.Value(i)
		if in == nil {
			return append(dst, "null"...)
		}
		return appendJSON(dst, in, at, v.AltType(int(v.Which[i])), o, indent)
	case *column.Map:
		if t.Kind == types.JSON {
			return valuetext.AppendObject(dst, v, i, indent, func(dst []byte, v column.Vector, i, indent int) []byte {
				return appendJSON(dst, v, i, t.Elems[1], o, indent)
			})
		}
		return appendJSONMap(dst, v, i, t, o, indent)
	case *column.Tuple:
		return appendJSONTuple(dst, v, i, t, o, indent)
	case *column.Num[float64]:
		return appendJSONFloat(dst, v, i, v.Data[i], o)
	case *column.Num[float32]:
		return appendJSONFloat(dst, v, i, float64(v.Data[i]), o)
	case *column.Str:
		if t.Kind == types.String || t.Kind == types.FixedString {
			return valuetext.AppendJSONString(dst, v.At(i))
		}
	}
	if jsonQuoted(t, o) {
		dst = append(dst, '"')
		dst = appendText(dst, v, i, o)
		return append(dst, '"')
	}
	return appendText(dst, v, i, o)
}

// jsonQuoted reports whether values of t stand between quotes though they are no strings.
func jsonQuoted(t *types.Type, o *Options) bool {
	switch t.Kind {
	case types.UInt64, types.Int64, types.UInt128, types.Int128, types.UInt256, types.Int256:
		return o.Quote64 || t.Width() > 8 && o.Quote64
	case types.Decimal:
		return o.QuoteDecimals
	case types.Interval:
		return o.Quote64
	}
	return !t.IsNumeric()
}

func appendJSONFloat(dst []byte, v column.Vector, i int, x float64, o *Options) []byte {
	if !math.IsNaN(x) && !math.IsInf(x, 0) {
		return appendText(dst, v, i, o)
	}
	if !o.QuoteDenormals {
		return append(dst, "null"...)
	}
	return append(appendText(append(dst, '"'), v, i, o), '"')
}

func appendJSONArray(dst []byte, v *column.Array, i int, t *types.Type, o *Options) []byte {
	dst = append(dst, '[')
	for j := v.Off[i]; j < v.Off[i+1]; j++ {
		if j > v.Off[i] {
			dst = append(dst, ',')
		}
		dst = appendJSON(dst, v.Elem, int(j), t.Elem(), o, -1)
	}
	return append(dst, ']')
}

func newline(dst []byte, indent int) []byte {
	if indent < 0 {
		return dst
	}
	dst = append(dst, '\n')
	for range indent {
		dst = append(dst, '\t')
	}
	return dst
}

func deeper(indent int) int {
	if indent < 0 {
		return indent
	}
	return indent + 1
}

func colon(dst []byte, indent int) []byte {
	if indent < 0 {
		return append(dst, ':')
	}
	return append(dst, ": "...)
}

func appendJSONMap(dst []byte, v *column.Map, i int, t *types.Type, o *Options, indent int) []byte {
	dst = append(dst, '{')
	in := deeper(indent)
	for j := v.Off[i]; j < v.Off[i+1]; j++ {
		if j > v.Off[i] {
			dst = append(dst, ',')
		}
		dst = newline(dst, in)
		if _, ok := v.Keys.(*column.Str); ok && t.Elems[0].Inner().Kind == types.String {
			dst = appendJSON(dst, v.Keys, int(j), t.Elems[0], o, in)
		} else {
			dst = append(appendText(append(dst, '"'), v.Keys, int(j), o), '"')
		}
		dst = appendJSON(colon(dst, indent), v.Vals, int(j), t.Elems[1], o, in)
	}
	if v.Off[i] < v.Off[i+1] {
		dst = newline(dst, indent)
	}
	return append(dst, '}')
}

func appendJSONTuple(dst []byte, v *column.Tuple, i int, t *types.Type, o *Options, indent int) []byte {
	named := t.Names != nil && o.NamedTuples
	open, end := byte('['), byte(']')
	if named {
		open, end = '{', '}'
	}
	dst = append(dst, open)
	in := deeper(indent)
	for j, e := range v.Elems {
		if j > 0 {
			dst = append(dst, ',')
		}
		dst = newline(dst, in)
		if named {
			dst = colon(valuetext.AppendJSONString(dst, []byte(t.Names[j])), indent)
		}
		dst = appendJSON(dst, e, i, t.Elems[j], o, in)
	}
	if len(v.Elems) > 0 {
		dst = newline(dst, indent)
	}
	return append(dst, end)
}

// appendJSONField appends a value, as a string of its text for the JSONStrings formats.
func appendJSONField(dst []byte, v column.Vector, i int, t *types.Type, o *Options, indent int, strings bool) []byte {
	if !strings {
		return appendJSON(dst, v, i, t, o, indent)
	}
	if column.IsNull(v, i) {
		return append(dst, `"ᴺᵁᴸᴸ"`...)
	}
	return valuetext.AppendJSONString(dst, appendText(nil, v, i, o))
}

// jsonRowsWriter writes JSONEachRow.
type jsonRowsWriter struct {
	*output
	schema  column.Schema
	o       Options
	strings bool
	keys    [][]byte
}

func (w *jsonRowsWriter) prepare() {
	if w.keys != nil {
		return
	}
	w.keys = make([][]byte, len(w.schema))
	for c, f := range w.schema {
		w.keys[c] = append(valuetext.AppendJSONString(nil, []byte(f.Name)), ':')
	}
}

func (w *jsonRowsWriter) object(b *column.Block, i int) {
	w.prepare()
	w.buf = append(w.buf, '{')
	for c, v := range b.Cols {
		if c > 0 {
			w.buf = append(w.buf, ',')
		}
		w.buf = append(w.buf, w.keys[c]...)
		w.buf = appendJSONField(w.buf, v, i, w.schema[c].Type, &w.o, -1, w.strings)
	}
	w.buf = append(w.buf, '}')
}

// Write implements Writer.
func (w *jsonRowsWriter) Write(b *column.Block) error {
	for i := 0; i < b.N; i++ {
		w.object(b, i)
		w.buf = append(w.buf, '\n')
		if err := w.spill(); err != nil {
			return err
		}
	}
	return nil
}

// Totals implements Writer: the format has no place for them.
func (w *jsonRowsWriter) Totals(*column.Block) error   { return nil }
func (w *jsonRowsWriter) Extremes(*column.Block) error { return nil }

// Close implements Writer.
func (w *jsonRowsWriter) Close(Stats) error { return w.Flush() }

// jsonCompactRowsWriter writes JSONCompactEachRow.
type jsonCompactRowsWriter struct {
	*output
	schema       column.Schema
	o            Options
	strings      bool
	names, types bool
	started      bool
}

func (w *jsonCompactRowsWriter) start() {
	if w.started {
		return
	}
	w.started = true
	line := func(text func(column.Field) string) {
		w.buf = append(w.buf, '[')
		for i, f := range w.schema {
			if i > 0 {
				w.buf = append(w.buf, ", "...)
			}
			w.buf = valuetext.AppendJSONString(w.buf, []byte(text(f)))
		}
		w.buf = append(w.buf, "]\n"...)
	}
	if w.names {
		line(func(f column.Field) string { return f.Name })
	}
	if w.types {
		line(func(f column.Field) string { return f.Type.String() })
	}
}

// Write implements Writer.
func (w *jsonCompactRowsWriter) Write(b *column.Block) error {
	w.start()
	for i := 0; i < b.N; i++ {
		w.buf = appendJSONRow(w.buf, b, i, w.schema, &w.o, w.strings)
		w.buf = append(w.buf, '\n')
		if err := w.spill(); err != nil {
			return err
		}
	}
	return nil
}

func appendJSONRow(dst []byte, b *column.Block, i int, schema column.Schema, o *Options, strings bool) []byte {
	dst = append(dst, '[')
	for c, v := range b.Cols {
		if c > 0 {
			dst = append(dst, ", "...)
		}
		dst = appendJSONField(dst, v, i, schema[c].Type, o, -1, strings)
	}
	return append(dst, ']')
}

// Totals implements Writer.
func (w *jsonCompactRowsWriter) Totals(*column.Block) error   { return nil }
func (w *jsonCompactRowsWriter) Extremes(*column.Block) error { return nil }

// Close implements Writer.
func (w *jsonCompactRowsWriter) Close(Stats) error {
	w.start()
	return w.Flush()
}

func appendUint(dst []byte, x uint64) []byte { return strconv.AppendUint(dst, x, 10) }
