package format

import (
	"bytes"
	"io"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/internal/types"
)

func init() {
	for _, h := range []struct {
		suffix       string
		names, types bool
	}{{"", false, false}, {"WithNames", true, false}, {"WithNamesAndTypes", true, true}} {
		present := "absent"
		if h.names {
			present = "present"
		}
		define(&Format{Name: "CSV" + h.suffix, ContentType: "text/csv; charset=UTF-8; header=" + present,
			out: func(w *output, s column.Schema, o Options) Writer {
				return &csvWriter{output: w, schema: s, o: o, names: h.names, types: h.types}
			},
			in: func(s column.Schema, o Options) rowFormat {
				return newCSVReader(s, o, head{names: h.names, types: h.types})
			},
		})
	}
}

type csvWriter struct {
	*output
	schema       column.Schema
	o            Options
	names, types bool
	started      bool
}

func (w *csvWriter) start() {
	if w.started {
		return
	}
	w.started = true
	if w.names {
		w.header(func(name string, _ *types.Type) string { return name })
	}
	if w.types {
		w.header(func(_ string, t *types.Type) string { return t.String() })
	}
}

// header writes a line for the columns; tuples are spread over one field an element.
func (w *csvWriter) header(text func(string, *types.Type) string) {
	first := true
	var field func(name string, t *types.Type)
	field = func(name string, t *types.Type) {
		if t.Kind == types.Tuple {
			for i, e := range t.Elems {
				part := string(appendInt(nil, int64(i+1)))
				if t.Names != nil {
					part = t.Names[i]
				}
				field(name+"."+part, e)
			}
			return
		}
		if !first {
			w.buf = append(w.buf, w.o.CSVDelimiter)
		}
		first = false
		w.buf = appendCSV(w.buf, []byte(text(name, t)))
	}
	for _, f := range w.schema {
		field(f.Name, f.Type)
	}
	w.buf = append(w.buf, '\n')
}

// Write implements Writer.
func (w *csvWriter) Write(b *column.Block) error {
	w.start()
	var tmp []byte
	cols := make([]column.Vector, len(b.Cols))
	for c, v := range b.Cols {
		cols[c] = v
		if w.schema[c].Type.Kind == types.Tuple {
			cols[c] = column.Flatten(v)
		}
	}
	for i := 0; i < b.N; i++ {
		for c, v := range cols {
			if c > 0 {
				w.buf = append(w.buf, w.o.CSVDelimiter)
			}
			w.buf, tmp = w.value(w.buf, tmp, v, i)
		}
		w.buf = append(w.buf, '\n')
		if err := w.spill(); err != nil {
			return err
		}
	}
	return nil
}

func (w *csvWriter) value(dst, tmp []byte, v column.Vector, i int) ([]byte, []byte) {
	v, i = column.Own(v, i)
	if t, ok := v.(*column.Tuple); ok {
		for j, e := range t.Elems {
			if j > 0 {
				dst = append(dst, w.o.CSVDelimiter)
			}
			dst, tmp = w.value(dst, tmp, e, i)
		}
		return dst, tmp
	}
	in := v.Type().Inner()
	switch {
	case column.IsNull(v, i):
		return append(dst, `\N`...), tmp
	case in.IsNumeric(), in.Kind == types.Interval:
		return appendText(dst, v, i, &w.o), tmp
	}
	tmp = appendText(tmp[:0], v, i, &w.o)
	return appendCSV(dst, tmp), tmp
}

// appendCSV appends s between double quotes, those inside doubled.
func appendCSV(dst, s []byte) []byte {
	dst = append(dst, '"')
	for {
		at := bytes.IndexByte(s, '"')
		if at < 0 {
			return append(append(dst, s...), '"')
		}
		dst = append(append(dst, s[:at]...), '"', '"')
		s = s[at+1:]
	}
}

// Totals implements Writer.
func (w *csvWriter) Totals(b *column.Block) error {
	w.start()
	w.buf = append(w.buf, '\n')
	return w.Write(b)
}

// Extremes implements Writer.
func (w *csvWriter) Extremes(b *column.Block) error { return w.Totals(b) }

// Close implements Writer.
func (w *csvWriter) Close(Stats) error {
	w.start()
	return w.Flush()
}

type csvReader struct {
	head
	schema column.Schema
	o      Options
	plain  []plainField
	ends   *byteSet // of a field that is not the last
	field  []byte
}

func newCSVReader(s column.Schema, o Options, h head) *csvReader {
	return &csvReader{schema: s, o: o, head: h, plain: plainFields(s, &o), ends: bytesOf(string([]byte{o.CSVDelimiter}))}
}

func (d *csvReader) clone() rowFormat {
	c := *d
	c.field = nil
	return &c
}

// boundary takes every double quote for one that opens or closes: what it gets wrong shows when the rows are parsed.
func (d *csvReader) boundary(data []byte) int {
	quote := []byte{'"'}
	for open := bytes.Count(data, quote); ; {
		end := bytes.LastIndexByte(data, '\n')
		if end < 0 {
			return 0
		}
		open -= bytes.Count(data[end:], quote)
		if data = data[:end]; open%2 == 0 {
			return end + 1
		}
	}
}

func (d *csvReader) header(data []byte, eof bool, _ *Rows) (int, error) {
	pos := 0
	for line := 0; line < 2; line++ {
		if line == 0 && !d.names || line == 1 && !d.types {
			continue
		}
		var fields []string
		for end := false; !end; {
			field, _, n, last, err := d.next(data[pos:], eof)
			if err != nil {
				return 0, err
			}
			fields = append(fields, string(field))
			pos += n
			end = last
		}
		if line == 0 {
			if err := d.set(fields, d.schema, &d.o); err != nil {
				return 0, err
			}
		}
	}
	return pos, nil
}

// next reads one field: its content, whether it was quoted, the length with the delimiter or line end, and whether the row ends.
func (d *csvReader) next(data []byte, eof bool) (field []byte, quoted bool, n int, last bool, err error) {
	i := 0
	for i < len(data) && (data[i] == ' ' || data[i] == '\t') && data[i] != d.o.CSVDelimiter {
		i++
	}
	if i < len(data) && (data[i] == '"' || data[i] == '\'') {
		field, i, err = d.quoted(data, i, eof)
		if err != nil {
			return nil, false, 0, false, err
		}
		quoted = true
		for i < len(data) && (data[i] == ' ' || data[i] == '\t') && data[i] != d.o.CSVDelimiter {
			i++
		}
	} else {
		start := i
		for i < len(data) && data[i] != d.o.CSVDelimiter && data[i] != '\n' && data[i] != '\r' {
			i++
		}
		field = bytes.TrimRight(data[start:i], " \t")
	}
	switch {
	case i >= len(data):
		if !eof {
			return nil, false, 0, false, errShort
		}
		return field, quoted, i, true, nil
	case data[i] == d.o.CSVDelimiter:
		return field, quoted, i + 1, false, nil
	case data[i] == '\n':
		return field, quoted, i + 1, true, nil
	case data[i] == '\r':
		if i+1 >= len(data) && !eof {
			return nil, false, 0, false, errShort
		}
		if i+1 < len(data) && data[i+1] == '\n' {
			i++
		}
		return field, quoted, i + 1, true, nil
	}
	return nil, false, 0, false, sqlerr.New(sqlerr.CannotParseInputAssertionFailed, "Cannot parse input: expected '%c' behind a quoted field, got '%c'", d.o.CSVDelimiter, data[i])
}

func (d *csvReader) quoted(data []byte, i int, eof bool) ([]byte, int, error) {
	q := data[i]
	d.field = d.field[:0]
	for i++; ; {
		at := bytes.IndexByte(data[i:], q)
		if at < 0 || i+at+1 >= len(data) && !eof {
			if !eof {
				return nil, 0, errShort
			}
			return nil, 0, sqlerr.New(sqlerr.CannotParseQuotedString, "Cannot parse quoted string: expected closing quote '%c'", q)
		}
		d.field = append(d.field, data[i:i+at]...)
		i += at + 1
		if i >= len(data) || data[i] != q {
			return d.field, i, nil
		}
		d.field = append(d.field, q)
		i++
	}
}

func (d *csvReader) row(data []byte, eof bool, r *Rows) (int, error) {
	pos := 0
	for pos < len(data) && (data[pos] == '\n' || data[pos] == '\r') && len(d.schema) > 1 {
		pos++ // empty lines
	}
	if pos == len(data) {
		if eof {
			return 0, io.EOF
		}
		return 0, errShort
	}
	width := d.width(d.schema)
	for i := 0; i < width; {
		c := d.at(i)
		if c >= 0 && d.schema[c].Type.Kind == types.Tuple {
			return 0, sqlerr.New(sqlerr.NotImplemented, "Reading a Tuple from CSV is not supported")
		}
		if c >= 0 && i < width-1 && d.plain[c].kind != types.Nothing {
			if k := d.plain[c].take(r.Cols[c], data[pos:], d.ends); k > 0 {
				pos += k + 1
				i++
				continue
			}
		}
		field, quoted, n, last, err := d.next(data[pos:], eof)
		if err != nil {
			return 0, err
		}
		pos += n
		i++
		if last != (i == width) {
			return 0, sqlerr.New(sqlerr.CannotParseInputAssertionFailed, "Cannot parse input: the row ends at column %d, should have %d columns", i, width)
		}
		if err := d.value(r, c, field, quoted); err != nil {
			return 0, err
		}
	}
	d.rest(r)
	return pos, nil
}

func (d *csvReader) value(r *Rows, c int, field []byte, quoted bool) error {
	if c < 0 {
		return nil
	}
	f := d.schema[c]
	switch {
	case !quoted && (string(field) == `\N` || f.Type.IsNullable() && string(field) == "NULL"):
		return appendNull(r.Cols[c], f, r, c, &d.o)
	case !quoted && len(field) == 0 && d.o.DefaultsOmitted:
		r.omit(c)
		return nil
	}
	if s, ok := r.Cols[c].(*column.Str); ok && s.Typ.Width() == 0 {
		s.Append(field)
		return nil
	}
	if fastValue(r.Cols[c], f.Type, field, &d.o) {
		return nil
	}
	return inField(parseText(r.Cols[c], f.Type, field, &d.o), f)
}

func (d *csvReader) skip(data []byte, eof bool) (int, error) { return skipLine(data, eof) }
