package format

import (
	"strconv"
	"strings"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/valuetext"
)

func init() {
	for _, k := range []struct {
		name             string
		compact, strings bool
	}{{"JSON", false, false}, {"JSONStrings", false, true}, {"JSONCompact", true, false}, {"JSONCompactStrings", true, true}} {
		define(&Format{Name: k.name, ContentType: "application/json; charset=UTF-8",
			out: func(w *output, s column.Schema, o Options) Writer {
				return &jsonDocWriter{output: w, schema: s, o: o, compact: k.compact, strings: k.strings}
			},
			in: func(s column.Schema, o Options) rowFormat { return newJSONDoc(s, o, k.compact) }})
	}
	for _, k := range []struct {
		name    string
		meta    bool
		compact bool
	}{{"JSONColumns", false, false}, {"JSONCompactColumns", false, true}, {"JSONColumnsWithMetadata", true, false}} {
		define(&Format{Name: k.name, ContentType: "application/json; charset=UTF-8",
			out: func(w *output, s column.Schema, o Options) Writer {
				return &jsonColumnsWriter{jsonDocWriter: jsonDocWriter{output: w, schema: s, o: o}, meta: k.meta, compactRows: k.compact}
			},
			in: func(s column.Schema, o Options) rowFormat {
				return &jsonColumns{schema: s, scan: jsonScan{o: &o}, compact: k.compact, meta: k.meta}
			}})
	}
	define(&Format{Name: "JSONObjectEachRow", ContentType: "application/json; charset=UTF-8",
		out: func(w *output, s column.Schema, o Options) Writer {
			return &jsonObjectWriter{jsonRowsWriter: jsonRowsWriter{output: w, schema: s, o: o}}
		},
		in: newJSONObject})
}

// jsonDocWriter writes JSON and JSONCompact: one document with the schema, the rows and statistics.
type jsonDocWriter struct {
	*output
	schema           column.Schema
	o                Options
	compact, strings bool
	started, closed  bool
	rows             uint64
}

func (w *jsonDocWriter) add(s string) { w.buf = append(w.buf, s...) }

func (w *jsonDocWriter) metadata() {
	w.add("{\n\t\"meta\":\n\t[\n")
	for i, f := range w.schema {
		if i > 0 {
			w.add(",\n")
		}
		w.add("\t\t{\n\t\t\t\"name\": ")
		w.buf = valuetext.AppendJSONString(w.buf, []byte(f.Name))
		w.add(",\n\t\t\t\"type\": ")
		w.buf = valuetext.AppendJSONString(w.buf, []byte(f.Type.String()))
		w.add("\n\t\t}")
	}
	w.add("\n\t],\n\n")
}

func (w *jsonDocWriter) start() {
	if w.started {
		return
	}
	w.started = true
	w.metadata()
	w.add("\t\"data\":\n\t[\n")
}

// object appends a row as an object whose brackets stand at the depth of tabs.
func (w *jsonDocWriter) object(b *column.Block, i, depth int) {
	w.add("{")
	for c, v := range b.Cols {
		if c > 0 {
			w.add(",")
		}
		w.buf = newline(w.buf, depth+1)
		w.buf = valuetext.AppendJSONString(w.buf, []byte(w.schema[c].Name))
		w.add(": ")
		w.buf = appendJSONField(w.buf, v, i, w.schema[c].Type, &w.o, depth+1, w.strings)
	}
	w.buf = append(newline(w.buf, depth), '}')
}

// Write implements Writer.
func (w *jsonDocWriter) Write(b *column.Block) error {
	w.start()
	for i := 0; i < b.N; i++ {
		if w.rows > 0 {
			w.add(",\n")
		}
		w.rows++
		w.add("\t\t")
		if w.compact {
			w.buf = appendJSONRow(w.buf, b, i, w.schema, &w.o, w.strings)
		} else {
			w.object(b, i, 2)
		}
		if err := w.spill(); err != nil {
			return err
		}
	}
	return nil
}

func (w *jsonDocWriter) endData() {
	w.start()
	if !w.closed {
		w.closed = true
		w.add("\n\t]")
	}
}

// one appends a single row behind a name: totals, the least and the greatest values.
func (w *jsonDocWriter) one(name string, b *column.Block, i, depth int) {
	w.buf = newline(w.buf, depth)
	w.add("\"" + name + "\":")
	w.buf = newline(w.buf, depth)
	if w.compact {
		w.buf = appendJSONRow(w.buf, b, i, w.schema, &w.o, w.strings)
	} else {
		w.object(b, i, depth)
	}
}

// Totals implements Writer.
func (w *jsonDocWriter) Totals(b *column.Block) error {
	w.endData()
	if b.N > 0 {
		w.add(",\n")
		w.one("totals", b, 0, 1)
	}
	return nil
}

// Extremes implements Writer.
func (w *jsonDocWriter) Extremes(b *column.Block) error {
	w.endData()
	if b.N == 2 {
		w.add(",\n\n\t\"extremes\":\n\t{")
		w.one("min", b, 0, 2)
		w.add(",")
		w.one("max", b, 1, 2)
		w.add("\n\t}")
	}
	return nil
}

// Close implements Writer.
func (w *jsonDocWriter) Close(s Stats) error {
	w.endData()
	w.tail(s)
	return w.Flush()
}

func (w *jsonDocWriter) tail(s Stats) {
	w.add(",\n\n\t\"rows\": ")
	w.buf = appendUint(w.buf, w.rows)
	if s.HasLimit {
		w.add(",\n\n\t\"rows_before_limit_at_least\": ")
		w.buf = appendUint(w.buf, s.BeforeLimit)
	}
	if len(s.MissingShards) > 0 {
		w.add(",\n\n\t\"missing_shards\": [\"" + strings.Join(s.MissingShards, `", "`) + "\"]")
	}
	if w.o.WriteStatistics {
		w.add(",\n\n\t\"statistics\":\n\t{\n\t\t\"elapsed\": ")
		w.buf = strconv.AppendFloat(w.buf, s.Elapsed.Seconds(), 'f', -1, 64)
		w.add(",\n\t\t\"rows_read\": ")
		w.buf = appendUint(w.buf, s.ReadRows)
		w.add(",\n\t\t\"bytes_read\": ")
		w.buf = appendUint(w.buf, s.ReadBytes)
		w.add("\n\t}")
	}
	w.add("\n}\n")
}

// jsonColumnsWriter gathers the result, which it writes column by column at the end.
type jsonColumnsWriter struct {
	jsonDocWriter
	meta, compactRows bool
	blocks            []*column.Block
}

// Write implements Writer.
func (w *jsonColumnsWriter) Write(b *column.Block) error {
	w.blocks = append(w.blocks, b)
	w.rows += uint64(b.N)
	return nil
}

// Totals implements Writer.
func (w *jsonColumnsWriter) Totals(*column.Block) error   { return nil }
func (w *jsonColumnsWriter) Extremes(*column.Block) error { return nil }

// Close implements Writer.
func (w *jsonColumnsWriter) Close(s Stats) error {
	depth, open, end := 0, "{", "}"
	if w.compactRows {
		open, end = "[", "]"
	}
	if w.meta {
		w.metadata()
		w.add("\t\"data\":\n\t")
		depth = 1
	}
	w.add(open)
	for c, f := range w.schema {
		if c > 0 {
			w.add(",")
		}
		w.buf = newline(w.buf, depth+1)
		if !w.compactRows {
			w.buf = valuetext.AppendJSONString(w.buf, []byte(f.Name))
			w.add(": ")
		}
		w.values(c)
	}
	w.buf = append(newline(w.buf, depth), end...)
	if w.meta {
		w.tail(s)
	} else {
		w.add("\n")
	}
	return w.Flush()
}

func (w *jsonColumnsWriter) values(c int) {
	w.add("[")
	first := true
	for _, b := range w.blocks {
		for i := 0; i < b.N; i++ {
			if !first {
				w.add(", ")
			}
			first = false
			w.buf = appendJSON(w.buf, b.Cols[c], i, w.schema[c].Type, &w.o, -1)
		}
	}
	w.add("]")
}

// jsonObjectWriter writes JSONObjectEachRow: one object with a member per row.
type jsonObjectWriter struct {
	jsonRowsWriter
	rows uint64
}

// Write implements Writer.
func (w *jsonObjectWriter) Write(b *column.Block) error {
	for i := 0; i < b.N; i++ {
		if w.rows == 0 {
			w.buf = append(w.buf, "{\n"...)
		} else {
			w.buf = append(w.buf, ",\n"...)
		}
		w.rows++
		w.buf = append(appendUint(append(w.buf, "\t\"row_"...), w.rows), `": `...)
		w.object(b, i)
		if err := w.spill(); err != nil {
			return err
		}
	}
	return nil
}

// Close implements Writer.
func (w *jsonObjectWriter) Close(Stats) error {
	if w.rows == 0 {
		w.buf = append(w.buf, '{')
	}
	w.buf = append(w.buf, "\n}\n"...)
	return w.Flush()
}
