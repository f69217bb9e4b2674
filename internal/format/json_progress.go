package format

import (
	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/valuetext"
)

func init() {
	for _, k := range []struct {
		name             string
		compact, strings bool
	}{
		{"JSONEachRowWithProgress", false, false}, {"JSONStringsEachRowWithProgress", false, true},
		{"JSONCompactEachRowWithProgress", true, false}, {"JSONCompactStringsEachRowWithProgress", true, true},
	} {
		define(&Format{Name: k.name, ContentType: ndjson,
			out: func(w *output, s column.Schema, o Options) Writer {
				return &jsonProgressWriter{jsonRowsWriter: jsonRowsWriter{output: w, schema: s, o: o, strings: k.strings}, compact: k.compact}
			}})
	}
}

// ProgressWriter is a Writer of a format that tells how far the query is between the rows.
type ProgressWriter interface {
	Writer
	// Progress writes what was done so far. It may be called between any two calls of the other methods before Close.
	Progress(s Stats) error
}

// jsonProgressWriter writes JSONEachRowWithProgress and its kin: each line an object that says what it holds.
type jsonProgressWriter struct {
	jsonRowsWriter
	compact bool // rows are arrays
	started bool
	told    uint64 // rows read, as of the last line of progress
}

func (w *jsonProgressWriter) start() {
	if w.started {
		return
	}
	w.started = true
	w.buf = append(w.buf, `{"meta":[`...)
	for i, f := range w.schema {
		if i > 0 {
			w.buf = append(w.buf, ',')
		}
		w.buf = valuetext.AppendJSONString(append(w.buf, `{"name":`...), []byte(f.Name))
		w.buf = valuetext.AppendJSONString(append(w.buf, `,"type":`...), []byte(f.Type.String()))
		w.buf = append(w.buf, '}')
	}
	w.buf = append(w.buf, "]}\n"...)
}

// line writes one row of a block by its name.
func (w *jsonProgressWriter) line(name string, b *column.Block, i int) {
	w.start()
	w.buf = append(append(append(w.buf, `{"`...), name...), `":`...)
	if w.compact {
		w.buf = appendJSONRow(w.buf, b, i, w.schema, &w.o, w.strings)
	} else {
		w.object(b, i)
	}
	w.buf = append(w.buf, "}\n"...)
}

// Write implements Writer.
func (w *jsonProgressWriter) Write(b *column.Block) error {
	w.start()
	for i := 0; i < b.N; i++ {
		w.line("row", b, i)
		if err := w.spill(); err != nil {
			return err
		}
	}
	return nil
}

// Totals implements Writer.
func (w *jsonProgressWriter) Totals(b *column.Block) error {
	w.line("totals", b, 0)
	return nil
}

// Extremes implements Writer.
func (w *jsonProgressWriter) Extremes(b *column.Block) error {
	if b.N == 2 {
		w.line("min", b, 0)
		w.line("max", b, 1)
	}
	return nil
}

// Progress implements ProgressWriter. Counts of nothing are left out.
func (w *jsonProgressWriter) Progress(s Stats) error {
	w.told = s.ReadRows
	first := true
	for _, c := range []struct {
		name string
		n    uint64
	}{
		{"read_rows", s.ReadRows}, {"read_bytes", s.ReadBytes}, {"written_rows", s.WrittenRows}, {"written_bytes", s.WrittenBytes},
		{"total_rows_to_read", s.TotalRows}, {"elapsed_ns", uint64(max(s.Elapsed, 0))},
	} {
		if c.n == 0 {
			continue
		}
		if first {
			w.buf = append(w.buf, `{"progress":{"`...)
		} else {
			w.buf = append(w.buf, `,"`...)
		}
		first = false
		w.buf = appendUint(append(append(w.buf, c.name...), `":"`...), c.n)
		w.buf = append(w.buf, '"')
	}
	if !first {
		w.buf = append(w.buf, "}}\n"...)
	}
	return w.spill()
}

// Close implements Writer.
func (w *jsonProgressWriter) Close(s Stats) error {
	w.start()
	if s.ReadRows != w.told {
		if err := w.Progress(s); err != nil {
			return err
		}
	}
	if s.HasLimit {
		w.buf = append(appendUint(append(w.buf, `{"rows_before_limit_at_least":`...), s.BeforeLimit), "}\n"...)
	}
	return w.Flush()
}
