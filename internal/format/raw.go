package format

import (
	"bytes"
	"io"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/internal/types"
)

func init() {
	define(&Format{Name: "LineAsString", ContentType: "text/plain; charset=UTF-8",
		out: func(w *output, s column.Schema, o Options) Writer {
			return &rawWriter{output: w, schema: s, o: o, end: "\n"}
		},
		in: func(s column.Schema, _ Options) rowFormat { return &lineReader{schema: s} },
	})
	define(&Format{Name: "RawBLOB", ContentType: "application/octet-stream",
		out: func(w *output, s column.Schema, o Options) Writer { return &rawWriter{output: w, schema: s, o: o} },
		in:  func(s column.Schema, _ Options) rowFormat { return &lineReader{schema: s, whole: true} },
	})
	define(&Format{Name: "Null", ContentType: "text/plain; charset=UTF-8",
		out: func(w *output, _ column.Schema, _ Options) Writer { return nullWriter{w} },
	})
}

// nullWriter throws the rows away.
type nullWriter struct{ *output }

// Write implements Writer.
func (nullWriter) Write(*column.Block) error    { return nil }
func (nullWriter) Totals(*column.Block) error   { return nil }
func (nullWriter) Extremes(*column.Block) error { return nil }
func (nullWriter) Close(Stats) error            { return nil }

// rawWriter writes values one after the other without any escaping.
type rawWriter struct {
	*output
	schema column.Schema
	o      Options
	end    string // behind each row
}

// Write implements Writer.
func (w *rawWriter) Write(b *column.Block) error {
	for i := 0; i < b.N; i++ {
		for _, v := range b.Cols {
			w.buf = appendText(w.buf, v, i, &w.o)
		}
		w.buf = append(w.buf, w.end...)
		if err := w.spill(); err != nil {
			return err
		}
	}
	return nil
}

// Totals implements Writer: the format has no place for them.
func (w *rawWriter) Totals(*column.Block) error   { return nil }
func (w *rawWriter) Extremes(*column.Block) error { return nil }

// Close implements Writer.
func (w *rawWriter) Close(Stats) error { return w.Flush() }

// lineReader reads each line, or the whole input, into the one String column.
type lineReader struct {
	schema column.Schema
	whole  bool
	done   bool
}

func (d *lineReader) header([]byte, bool, *Rows) (int, error) {
	d.done = false
	if len(d.schema) != 1 || d.schema[0].Type.Inner().Kind != types.String {
		return 0, sqlerr.New(sqlerr.BadArguments, "This input format is only suitable for tables with a single column of type String")
	}
	return 0, nil
}

func (d *lineReader) row(data []byte, eof bool, r *Rows) (int, error) {
	if d.whole {
		switch {
		case !eof:
			return 0, errShort
		case d.done:
			return 0, io.EOF
		}
		d.done = true
		return len(data), appendRaw(r.Cols[0], data)
	}
	if len(data) == 0 && eof {
		return 0, io.EOF
	}
	n, err := skipLine(data, eof)
	if err != nil {
		return 0, err
	}
	return n, appendRaw(r.Cols[0], bytes.TrimSuffix(data[:n], []byte{'\n'}))
}

func (d *lineReader) skip(data []byte, eof bool) (int, error) { return skipLine(data, eof) }
