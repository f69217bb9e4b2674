package format

import (
	"io"
	"strings"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/internal/types"
	"github.com/olapd/olapd/internal/valuetext"
)

func init() {
	define(&Format{Name: "Values", ContentType: "text/plain; charset=UTF-8",
		out: func(w *output, s column.Schema, o Options) Writer { return &valuesWriter{output: w, schema: s, o: o} },
		in:  func(s column.Schema, o Options) rowFormat { return &valuesReader{schema: s, o: o} },
	})
	define(&Format{Name: "SQLInsert", ContentType: "text/plain; charset=UTF-8",
		out: func(w *output, s column.Schema, o Options) Writer {
			return &valuesWriter{output: w, schema: s, o: o, insert: true}
		},
	})
}

// maxInsertRows is how many rows SQLInsert puts into one statement (output_format_sql_insert_max_batch_size).
const maxInsertRows = 65505

type valuesWriter struct {
	*output
	schema column.Schema
	o      Options
	insert bool
	rows   int
}

// Write implements Writer.
func (w *valuesWriter) Write(b *column.Block) error {
	sep := ","
	if w.insert {
		sep = ", "
	}
	for i := 0; i < b.N; i++ {
		switch {
		case w.insert && w.rows%maxInsertRows == 0:
			w.statement()
		case w.rows > 0:
			w.buf = append(w.buf, sep...)
		}
		w.rows++
		w.buf = append(w.buf, '(')
		for c, v := range b.Cols {
			if c > 0 {
				w.buf = append(w.buf, sep...)
			}
			if column.IsNull(v, i) {
				w.buf = append(w.buf, "NULL"...)
				continue
			}
			w.buf = valuetext.AppendQuoted(w.buf, v, i, w.o.Zone)
		}
		w.buf = append(w.buf, ')')
		if err := w.spill(); err != nil {
			return err
		}
	}
	return nil
}

func (w *valuesWriter) statement() {
	if w.rows > 0 {
		w.buf = append(w.buf, ";\n"...)
	}
	w.buf = append(w.buf, "INSERT INTO table ("...)
	for i, f := range w.schema {
		if i > 0 {
			w.buf = append(w.buf, ", "...)
		}
		w.buf = append(append(append(w.buf, '`'), strings.ReplaceAll(f.Name, "`", "\\`")...), '`')
	}
	w.buf = append(w.buf, ") VALUES "...)
}

// Totals implements Writer: the format has no place for them.
func (w *valuesWriter) Totals(*column.Block) error   { return nil }
func (w *valuesWriter) Extremes(*column.Block) error { return nil }

// Close implements Writer.
func (w *valuesWriter) Close(Stats) error {
	if w.insert && w.rows > 0 {
		w.buf = append(w.buf, ";\n"...)
	}
	return w.Flush()
}

// valuesReader reads (v, v, …), (…) with literals parsed directly and any other expression evaluated as SQL.
type valuesReader struct {
	schema column.Schema
	o      Options
	tmp    []byte
}

func (d *valuesReader) header([]byte, bool, *Rows) (int, error) { return 0, nil }

func (d *valuesReader) row(data []byte, eof bool, r *Rows) (int, error) {
	pos := 0
	for pos < len(data) && strings.IndexByte(" \t\r\n,;", data[pos]) >= 0 {
		pos++
	}
	if pos >= len(data) {
		if eof {
			return 0, io.EOF
		}
		return 0, errShort
	}
	if data[pos] != '(' {
		return 0, sqlerr.New(sqlerr.CannotParseInputAssertionFailed, "Cannot parse input: expected '(' in front of a row of VALUES, got %q", data[pos])
	}
	pos++
	for c := range d.schema {
		n, err := valueEnd(data[pos:], eof)
		if err != nil {
			return 0, err
		}
		last := data[pos+n] == ')'
		if last != (c == len(d.schema)-1) {
			return 0, sqlerr.New(sqlerr.SyntaxError, "Cannot parse expression: a row of VALUES has %s values than the %d columns",
				map[bool]string{true: "fewer", false: "more"}[last], len(d.schema))
		}
		if err := d.value(r, c, data[pos:pos+n]); err != nil {
			return 0, err
		}
		pos += n + 1
	}
	return pos, nil
}

// valueEnd returns the length of the SQL expression up to the comma or bracket that ends it.
func valueEnd(data []byte, eof bool) (int, error) {
	depth := 0
	for i := 0; i < len(data); i++ {
		switch c := data[i]; c {
		case '\'', '"', '`':
			for i++; i < len(data) && data[i] != c; i++ {
				if data[i] == '\\' {
					i++
				}
			}
		case '(', '[', '{':
			depth++
		case ')', ']', '}':
			if depth == 0 {
				return i, nil
			}
			depth--
		case ',':
			if depth == 0 {
				return i, nil
			}
		}
	}
	if !eof {
		return 0, errShort
	}
	return 0, sqlerr.New(sqlerr.SyntaxError, "Cannot parse expression: the input ends inside a row of VALUES")
}

func (d *valuesReader) value(r *Rows, c int, text []byte) error {
	f := d.schema[c]
	for len(text) > 0 && strings.IndexByte(" \t\r\n", text[0]) >= 0 {
		text = text[1:]
	}
	for len(text) > 0 && strings.IndexByte(" \t\r\n", text[len(text)-1]) >= 0 {
		text = text[:len(text)-1]
	}
	switch {
	case strings.EqualFold(string(text), "NULL"):
		return appendNull(r.Cols[c], f, r, c, &d.o)
	case strings.EqualFold(string(text), "DEFAULT"):
		r.omit(c)
		return nil
	case f.Type.IsUnion():
		if d.union(r.Cols[c], f.Type, text) {
			return nil
		}
	case len(text) > 0 && text[0] == '\'':
		if s, ok := d.literal(text); ok && parseText(r.Cols[c], f.Type, s, &d.o) == nil {
			return nil
		}
	case len(text) > 0 && (f.Type.Inner().IsNumeric() || f.Type.Inner().IsDateTime() && isDigits(text) || strings.IndexByte("[{(", text[0]) >= 0):
		if parseText(r.Cols[c], f.Type, text, &d.o) == nil {
			return nil
		}
	}
	return d.expression(r, c, string(text))
}

// union appends a literal to a Variant or Dynamic; false if it is none.
func (d *valuesReader) union(b column.Builder, t *types.Type, text []byte) bool {
	p := valuetext.Parser{Zone: d.o.Zone}
	n := b.Len()
	rest, err := p.ScanQuoted(b, t, text)
	if err == nil && len(rest) == 0 {
		return true
	}
	b.Truncate(n)
	return valuetext.GuessNumber(text) != nil && p.Into(b, t, text) == nil // a number that only a String takes
}

// literal unquotes a text that is one string literal.
func (d *valuesReader) literal(text []byte) ([]byte, bool) {
	d.tmp = d.tmp[:0]
	for i := 1; i < len(text); {
		switch text[i] {
		case '\\':
			var n int
			d.tmp, n = valuetext.AppendUnescaped(d.tmp, text[i:])
			i += n
		case '\'':
			if i+1 < len(text) && text[i+1] == '\'' {
				d.tmp = append(d.tmp, '\'')
				i += 2
				continue
			}
			return d.tmp, i == len(text)-1
		default:
			d.tmp = append(d.tmp, text[i])
			i++
		}
	}
	return nil, false
}

func (d *valuesReader) expression(r *Rows, c int, sql string) error {
	f := d.schema[c]
	if d.o.Eval == nil || sql == "" {
		return sqlerr.New(sqlerr.CannotParseInputAssertionFailed, "Cannot parse %q as a value of column %s of type %s", sql, f.Name, f.Type)
	}
	v, err := d.o.Eval(sql, f)
	if err != nil {
		return inField(err, f)
	}
	if column.IsNull(v, 0) && !f.Type.IsNullable() {
		return appendNull(r.Cols[c], f, r, c, &d.o)
	}
	r.Cols[c].AppendFrom(v, 0)
	return nil
}

func (d *valuesReader) skip([]byte, bool) (int, error) {
	return 0, sqlerr.New(sqlerr.CannotParseInputAssertionFailed, "A bad row of VALUES cannot be skipped")
}
