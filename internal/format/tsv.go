package format

import (
	"bytes"
	"io"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/internal/types"
	"github.com/olapd/olapd/internal/valuetext"
)

func init() {
	const ct = "text/tab-separated-values; charset=UTF-8"
	for _, h := range []struct {
		suffix       string
		names, types bool
	}{{"", false, false}, {"WithNames", true, false}, {"WithNamesAndTypes", true, true}} {
		for _, raw := range []bool{false, true} {
			long, short := "TabSeparated", "TSV"
			if raw {
				long, short = long+"Raw", short+"Raw"
			}
			names, types := h.names, h.types
			aliases := []string{short + h.suffix}
			if raw {
				aliases = append(aliases, "Raw"+h.suffix)
			}
			define(&Format{Name: long + h.suffix, ContentType: ct,
				out: func(w *output, s column.Schema, o Options) Writer {
					return &tsvWriter{output: w, schema: s, o: o, raw: raw, names: names, types: types}
				},
				in: func(s column.Schema, o Options) rowFormat {
					return newTSVReader(s, o, raw, head{names: names, types: types})
				},
			}, aliases...)
		}
	}
	define(&Format{Name: "TSKV", ContentType: ct, out: func(w *output, s column.Schema, o Options) Writer {
		return &tsvWriter{output: w, schema: s, o: o, keys: true}
	}, in: newTSKV})
}

// tsvWriter writes TabSeparated and its relatives.
type tsvWriter struct {
	*output
	schema       column.Schema
	o            Options
	raw          bool
	names, types bool
	keys         bool // TSKV
	started      bool
}

func (w *tsvWriter) start() {
	if w.started {
		return
	}
	w.started = true
	if w.names {
		w.line(func(f column.Field) string { return f.Name })
	}
	if w.types {
		w.line(func(f column.Field) string { return f.Type.String() })
	}
}

func (w *tsvWriter) line(text func(column.Field) string) {
	for i, f := range w.schema {
		if i > 0 {
			w.buf = append(w.buf, '\t')
		}
		if w.raw {
			w.buf = append(w.buf, text(f)...)
		} else {
			w.buf = appendTSV(w.buf, []byte(text(f)))
		}
	}
	w.buf = append(w.buf, '\n')
}

// Write implements Writer.
func (w *tsvWriter) Write(b *column.Block) error {
	w.start()
	var tmp []byte
	for i := 0; i < b.N; i++ {
		for c, v := range b.Cols {
			if c > 0 {
				w.buf = append(w.buf, '\t')
			}
			if w.keys {
				w.buf = append(appendTSV(w.buf, []byte(w.schema[c].Name)), '=')
			}
			w.buf, tmp = appendTSVValue(w.buf, tmp, v, i, w.raw || w.schema[c].Type.Inner().IsNumeric(), &w.o)
		}
		w.buf = append(w.buf, '\n')
		if err := w.spill(); err != nil {
			return err
		}
	}
	return nil
}

// appendTSVValue appends a value; plain ones have nothing to escape. It returns tmp for the next one.
func appendTSVValue(dst, tmp []byte, v column.Vector, i int, plain bool, o *Options) ([]byte, []byte) {
	v, i = column.Own(v, i)
	switch {
	case column.IsNull(v, i):
		return append(dst, `\N`...), tmp
	case plain:
		return appendText(dst, v, i, o), tmp
	}
	tmp = appendText(tmp[:0], v, i, o)
	if isNested(v) {
		return append(dst, tmp...), tmp
	}
	return appendTSV(dst, tmp), tmp
}

// isNested reports whether the text of v's values has its strings quoted and escaped already.
func isNested(v column.Vector) bool {
	switch v := v.(type) {
	case *column.Map:
		return v.Typ.Kind != types.JSON
	case *column.Array, *column.Tuple:
		return true
	case *column.Const:
		return isNested(v.Value)
	}
	return false
}

// appendTSV escapes what TabSeparated escapes.
func appendTSV(dst, s []byte) []byte {
	start := 0
	for i, c := range s {
		var e byte
		switch c {
		case '\t':
			e = 't'
		case '\n':
			e = 'n'
		case '\r':
			e = 'r'
		case '\b':
			e = 'b'
		case '\f':
			e = 'f'
		case 0:
			e = '0'
		case '\\', '\'':
			e = c
		default:
			continue
		}
		dst = append(append(dst, s[start:i]...), '\\', e)
		start = i + 1
	}
	return append(dst, s[start:]...)
}

// Totals implements Writer: an empty line, then the row.
func (w *tsvWriter) Totals(b *column.Block) error {
	w.start()
	w.buf = append(w.buf, '\n')
	return w.Write(b)
}

// Extremes implements Writer.
func (w *tsvWriter) Extremes(b *column.Block) error { return w.Totals(b) }

// Close implements Writer.
func (w *tsvWriter) Close(Stats) error {
	w.start()
	return w.Flush()
}

// head is the header lines of formats with names: it maps the input's columns to the schema's.
type head struct {
	names, types bool
	columns      []int // schema position of each input column, -1 to leave it out; nil: the schema's order
	missing      []int // schema positions the input does not have
}

// set maps the names of a header.
func (h *head) set(names []string, schema column.Schema, o *Options) error {
	seen := make([]bool, len(schema))
	h.columns = make([]int, len(names))
	for i, n := range names {
		c := schema.Index(n)
		if c < 0 && !o.SkipUnknown {
			return sqlerr.New(sqlerr.IncorrectData, "Unknown field found in the header of the input: '%s'", n)
		}
		if c >= 0 && seen[c] {
			return sqlerr.New(sqlerr.IncorrectData, "Duplicate field found in the header of the input: '%s'", n)
		}
		if h.columns[i] = c; c >= 0 {
			seen[c] = true
		}
	}
	h.missing = h.missing[:0]
	for c, ok := range seen {
		if !ok {
			h.missing = append(h.missing, c)
		}
	}
	return nil
}

// width is the number of fields of a row.
func (h *head) width(schema column.Schema) int {
	if h.columns == nil {
		return len(schema)
	}
	return len(h.columns)
}

// at returns the schema position of input column i.
func (h *head) at(i int) int {
	if h.columns == nil {
		return i
	}
	return h.columns[i]
}

// rest gives the columns that the input does not have their defaults.
func (h *head) rest(r *Rows) {
	for _, c := range h.missing {
		r.omit(c)
	}
}

type tsvReader struct {
	head
	schema column.Schema
	o      Options
	raw    bool
	plain  []plainField
	field  []byte
}

func newTSVReader(s column.Schema, o Options, raw bool, h head) *tsvReader {
	return &tsvReader{schema: s, o: o, raw: raw, head: h, plain: plainFields(s, &o)}
}

func (d *tsvReader) clone() rowFormat {
	c := *d
	c.field = nil
	return &c
}

func (d *tsvReader) boundary(data []byte) int { return bytes.LastIndexByte(data, '\n') + 1 }

func (d *tsvReader) header(data []byte, eof bool, _ *Rows) (int, error) {
	pos := 0
	for line := 0; line < 2; line++ {
		if line == 0 && !d.names || line == 1 && !d.types {
			continue
		}
		n, err := skipLine(data[pos:], eof)
		if err != nil {
			return 0, err
		}
		if line == 0 {
			var names []string
			for _, f := range bytes.Split(bytes.TrimRight(data[pos:pos+n], "\r\n"), []byte{'\t'}) {
				names = append(names, string(d.unescape(f)))
			}
			if err := d.set(names, d.schema, &d.o); err != nil {
				return 0, err
			}
		}
		pos += n
	}
	return pos, nil
}

func (d *tsvReader) row(data []byte, eof bool, r *Rows) (int, error) {
	if len(data) == 0 {
		if eof {
			return 0, io.EOF
		}
		return 0, errShort
	}
	n, err := skipLine(data, eof)
	if err != nil {
		return 0, err
	}
	line := data[:n]
	if line[n-1] == '\n' {
		line = line[:n-1]
	}
	if len(line) > 0 && line[len(line)-1] == '\r' {
		line = line[:len(line)-1]
	}
	width := d.width(d.schema)
	escapes := !d.raw && bytes.IndexByte(line, '\\') >= 0
	for i := 0; i < width; i++ {
		c := d.at(i)
		if c >= 0 && i < width-1 && d.plain[c].kind != types.Nothing {
			if k := d.plain[c].take(r.Cols[c], line, tabEnds); k > 0 {
				line = line[k+1:]
				continue
			}
		}
		field := line
		tab := bytes.IndexByte(line, '\t')
		switch {
		case tab >= 0 && i < width-1:
			field, line = line[:tab], line[tab+1:]
		case tab < 0 && i < width-1:
			return 0, sqlerr.New(sqlerr.CannotParseInputAssertionFailed, "Cannot parse input: expected '\\t' before end of line: row has %d columns, should have %d", i+1, width)
		case tab >= 0:
			return 0, sqlerr.New(sqlerr.CannotParseInputAssertionFailed, "Cannot parse input: expected '\\n' behind column %d, got '\\t': the row has more columns than expected", width)
		}
		if err := d.value(r, c, field, escapes); err != nil {
			return 0, err
		}
	}
	d.rest(r)
	return n, nil
}

// tabEnds is what ends a field that is not the last.
var tabEnds = bytesOf("\t")

// value appends a field; escapes says that there may be some in it.
func (d *tsvReader) value(r *Rows, c int, field []byte, escapes bool) error {
	if c < 0 {
		return nil
	}
	f := d.schema[c]
	if len(field) == 2 && field[0] == '\\' && field[1] == 'N' {
		return appendNull(r.Cols[c], f, r, c, &d.o)
	}
	if escapes {
		field = d.unescape(field)
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

// unescape undoes backslash escapes, into a buffer that is valid until the next call.
func (d *tsvReader) unescape(s []byte) []byte {
	at := bytes.IndexByte(s, '\\')
	if at < 0 {
		return s
	}
	d.field = append(d.field[:0], s[:at]...)
	for s = s[at:]; len(s) > 0; {
		if s[0] == '\\' {
			var n int
			d.field, n = valuetext.AppendUnescaped(d.field, s)
			s = s[n:]
			continue
		}
		next := bytes.IndexByte(s, '\\')
		if next < 0 {
			next = len(s)
		}
		d.field = append(d.field, s[:next]...)
		s = s[next:]
	}
	return d.field
}

func (d *tsvReader) skip(data []byte, eof bool) (int, error) { return skipLine(data, eof) }
