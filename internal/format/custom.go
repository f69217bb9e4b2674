package format

import (
	"slices"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/internal/types"
)

// CustomOptions are the settings format_custom_…: what stands around values, rows and the result, and how values are escaped.
type CustomOptions struct {
	Rule                            string // format_custom_escaping_rule
	Field                           string // between values
	RowBefore, RowAfter, RowBetween string
	ResultBefore, ResultAfter       string
}

func init() {
	const ct = "text/tab-separated-values; charset=UTF-8"
	for _, h := range []struct {
		suffix       string
		names, types bool
	}{{"", false, false}, {"WithNames", true, false}, {"WithNamesAndTypes", true, true}} {
		read := func(spaces bool) func(s column.Schema, o Options) rowFormat {
			return func(s column.Schema, o Options) rowFormat {
				c := o.Custom
				return &patternReader{head: head{names: h.names, types: h.types}, schema: s, o: o, custom: &c, spaces: spaces, between: c.RowBetween,
					prefix: literal(c.ResultBefore), suffix: literal(c.ResultAfter)}
			}
		}
		define(&Format{Name: "CustomSeparated" + h.suffix, ContentType: ct,
			out: func(w *output, s column.Schema, o Options) Writer {
				return &customWriter{output: w, schema: s, rules: newRuleWriter(o), c: o.Custom, names: h.names, types: h.types}
			},
			in: read(false),
		})
		define(&Format{Name: "CustomSeparatedIgnoreSpaces" + h.suffix, ContentType: ct, in: read(true)})
	}
}

// line is the pattern of rows of so many values.
func (c *CustomOptions) line(n int) pattern {
	p := pattern{delims: []string{c.RowBefore}}
	for i := range n {
		p.fields = append(p.fields, patternField{rule: c.Rule, col: i})
		p.delims = append(p.delims, c.Field)
	}
	p.delims[n] = c.RowAfter
	return p
}

// customHeader reads the lines of names and types, and makes the pattern of the rows.
func (d *patternReader) customHeader(data []byte, eof bool) (int, error) {
	pos := 0
	for line, there := range []bool{d.names, d.types} {
		if !there {
			continue
		}
		var texts []string
		n, err := d.headerLine(data[pos:], eof, &texts)
		if err != nil {
			return 0, err
		}
		pos += n
		if n, err = d.need(data[pos:], eof, d.between); err != nil {
			return 0, err
		}
		if pos += n; line == 0 {
			if err := d.set(texts, d.schema, &d.o); err != nil {
				return 0, err
			}
		}
	}
	width := d.width(d.schema)
	if d.line = d.custom.line(width); d.columns != nil {
		for i := range d.line.fields {
			d.line.fields[i].col = d.at(i)
		}
	}
	return pos, nil
}

// headerLine reads a line of a header, however many values it has.
func (d *patternReader) headerLine(data []byte, eof bool, texts *[]string) (int, error) {
	const maxNames = 100_000 // as many as a table may have columns
	s := column.Schema{{Name: "header", Type: types.TString}}
	read := delimitedReader(s, d.o, d.custom.Rule)
	if read == nil {
		return 0, sqlerr.New(sqlerr.BadArguments, "Escaping rule %s is not supported for reading", d.custom.Rule)
	}
	pos, err := d.need(data[d.blanks(data):], eof, d.custom.RowBefore)
	if err != nil {
		return 0, err
	}
	pos += d.blanks(data)
	var ends [][]byte
	for _, e := range []string{d.custom.Field, d.custom.RowAfter, d.custom.RowBetween} {
		if e != "" {
			ends = append(ends, []byte(e))
		}
	}
	for len(*texts) < maxNames {
		pos += d.blanks(data[pos:])
		n, err := fieldEnd(data[pos:], eof, d.custom.Rule, ends)
		if err != nil {
			return 0, err
		}
		field := data[pos : pos+n]
		for d.spaces && len(field) > 0 && (field[len(field)-1] == ' ' || field[len(field)-1] == '\t') {
			field = field[:len(field)-1]
		}
		r := NewRows(s)
		if err := read(r, 0, field); err != nil {
			return 0, err
		}
		*texts = append(*texts, column.Value(r.Cols[0], 0).(string))
		pos += n
		if n, err = d.need(data[pos:], eof, d.custom.Field); err == nil && d.custom.Field != "" {
			pos += n
			continue
		}
		n, err = d.need(data[pos:], eof, d.custom.RowAfter)
		return pos + n, err
	}
	return 0, sqlerr.New(sqlerr.IncorrectData, "The header has more than %d columns", maxNames)
}

// customWriter writes CustomSeparated.
type customWriter struct {
	*output
	schema       column.Schema
	rules        *ruleWriter
	c            CustomOptions
	names, types bool
	started      bool
	rows         uint64
}

func (w *customWriter) start() {
	if w.started {
		return
	}
	w.started = true
	w.buf = append(w.buf, w.c.ResultBefore...)
	for _, h := range []struct {
		there bool
		text  func(column.Field) string
	}{{w.names, func(f column.Field) string { return f.Name }}, {w.types, func(f column.Field) string { return f.Type.String() }}} {
		if h.there {
			w.line(func(c int) { w.buf = w.rules.name(w.buf, w.c.Rule, h.text(w.schema[c])) })
			w.buf = append(w.buf, w.c.RowBetween...)
		}
	}
}

// line writes a row whose values value appends.
func (w *customWriter) line(value func(c int)) {
	w.buf = append(w.buf, w.c.RowBefore...)
	for c := range w.schema {
		if c > 0 {
			w.buf = append(w.buf, w.c.Field...)
		}
		value(c)
	}
	w.buf = append(w.buf, w.c.RowAfter...)
}

// Write implements Writer.
func (w *customWriter) Write(b *column.Block) error {
	w.start()
	for i := 0; i < b.N; i++ {
		if w.rows++; w.rows > 1 {
			w.buf = append(w.buf, w.c.RowBetween...)
		}
		w.line(func(c int) { w.buf = w.rules.append(w.buf, w.c.Rule, b.Cols[c], i, w.schema[c].Type) })
		if err := w.spill(); err != nil {
			return err
		}
	}
	return nil
}

// Totals implements Writer: the format has no place for them.
func (w *customWriter) Totals(*column.Block) error   { return nil }
func (w *customWriter) Extremes(*column.Block) error { return nil }

// Close implements Writer.
func (w *customWriter) Close(Stats) error {
	w.start()
	w.buf = append(w.buf, w.c.ResultAfter...)
	return w.Flush()
}

// isRule reports whether a name is one of an escaping rule.
func isRule(name string) bool { return slices.Contains(escapingRules, name) }
