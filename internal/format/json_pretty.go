package format

import (
	"strings"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/valuetext"
)

func init() {
	define(&Format{Name: "PrettyJSONEachRow", ContentType: ndjson,
		out: func(w *output, s column.Schema, o Options) Writer {
			return &jsonPrettyWriter{output: w, schema: s, o: o}
		}}, "PrettyJSONLines", "PrettyNDJSON")
}

// jsonPrettyWriter writes each row as an object with a member a line.
type jsonPrettyWriter struct {
	*output
	schema column.Schema
	o      Options
}

// prettyIndent is one level of depth.
const prettyIndent = "    "

// Write implements Writer.
func (w *jsonPrettyWriter) Write(b *column.Block) error {
	var value []byte
	for i := range b.N {
		w.buf = append(w.buf, '{')
		for c, f := range w.schema {
			if c > 0 {
				w.buf = append(w.buf, ',')
			}
			w.buf = append(append(w.buf, '\n'), prettyIndent...)
			w.buf = valuetext.AppendJSONString(w.buf, []byte(f.Name))
			value = appendJSON(value[:0], b.Cols[c], i, f.Type, &w.o, 1)
			w.buf = append(append(w.buf, ": "...), strings.ReplaceAll(string(value), "\t", prettyIndent)...)
		}
		w.buf = append(w.buf, "\n}\n"...)
		if err := w.spill(); err != nil {
			return err
		}
	}
	return nil
}

// Totals implements Writer.
func (w *jsonPrettyWriter) Totals(*column.Block) error { return nil }

// Extremes implements Writer.
func (w *jsonPrettyWriter) Extremes(*column.Block) error { return nil }

// Close implements Writer.
func (w *jsonPrettyWriter) Close(Stats) error { return w.Flush() }
