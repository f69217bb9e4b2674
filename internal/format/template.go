package format

import (
	"errors"
	"io/fs"
	"strconv"
	"strings"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/internal/types"
)

// TemplateOptions are the settings format_template_…: the texts of a row and of the whole result, as names of files of Schemas or as they are,
// and what stands between rows.
type TemplateOptions struct {
	Row, Result             string // format_template_row, format_template_resultset
	RowFormat, ResultFormat string // format_template_row_format, format_template_resultset_format
	Between                 string // format_template_rows_between_delimiter
}

func init() {
	const ct = "text/plain; charset=UTF-8"
	define(&Format{Name: "Template", ContentType: ct,
		out: func(w *output, s column.Schema, o Options) Writer { return newTemplateWriter(w, s, o) },
		in:  func(s column.Schema, o Options) rowFormat { return newTemplateReader(s, o, false) }})
	define(&Format{Name: "TemplateIgnoreSpaces", ContentType: ct, in: func(s column.Schema, o Options) rowFormat { return newTemplateReader(s, o, true) }})
}

// maxTemplate bounds a template.
const maxTemplate = 1 << 20

// text returns a template: of a file, or as a setting has it.
func (o *Options) templateText(file, text, name string) (string, error) {
	switch {
	case file != "" && text != "":
		return "", sqlerr.New(sqlerr.InvalidTemplateFormat, "Expected either format_template_%s or format_template_%s_format, but not both", name, name)
	case file != "":
		b, err := o.Schemas.read(file)
		if errors.Is(err, fs.ErrNotExist) {
			return "", sqlerr.Wrap(err, sqlerr.FileDoesntExist, "Cannot open file %s of format_template_%s in the folder of schemas", file, name)
		}
		if err != nil {
			return "", sqlerr.Wrap(err, sqlerr.BadArguments, "Cannot read file %s of format_template_%s", file, name)
		}
		text = string(b)
	}
	if len(text) > maxTemplate {
		return "", sqlerr.New(sqlerr.InvalidTemplateFormat, "The template format_template_%s has more than %d bytes", name, maxTemplate)
	}
	return text, nil
}

// parseTemplate cuts a template at its fields, ${name:Rule}; $$ is a dollar sign.
func parseTemplate(text string) (pattern, error) {
	p := pattern{delims: []string{""}}
	for i := 0; i < len(text); {
		last := &p.delims[len(p.delims)-1]
		next := strings.IndexByte(text[i:], '$')
		if next < 0 {
			*last += text[i:]
			break
		}
		*last += text[i : i+next]
		i += next + 1
		switch {
		case i < len(text) && text[i] == '$':
			*last += "$"
			i++
		case i < len(text) && text[i] == '{':
			f, n, err := templateField(text[i:])
			if err != nil {
				return p, err
			}
			i += n
			p.fields, p.delims = append(p.fields, f), append(p.delims, "")
		default:
			return p, badTemplate("At pos %d: Expected '{' or '$' after '$'", i)
		}
	}
	return p, nil
}

func badTemplate(text string, args ...any) error {
	return sqlerr.New(sqlerr.InvalidTemplateFormat, "Invalid format string for Template: "+text, args...)
}

// templateField reads {name:Rule} and returns its length.
func templateField(text string) (f patternField, n int, err error) {
	rest := text[1:]
	if rest != "" && (rest[0] == '"' || rest[0] == '`') {
		end := quotedLength([]byte(rest))
		if end == 0 {
			return f, 0, badTemplate("A quoted name does not end")
		}
		f.name, rest = strings.ReplaceAll(rest[1:end-1], `\`+rest[:1], rest[:1]), rest[end:]
	} else {
		end := 0
		for end < len(rest) && (rest[end] == '_' || rest[end] >= 0x80 || rest[end]-'0' < 10 || (rest[end]|0x20)-'a' < 26 || rest[end] == '.') {
			end++
		}
		f.name, rest = rest[:end], rest[end:]
	}
	if rest != "" && rest[0] == ':' {
		end := strings.IndexByte(rest, '}')
		if end < 0 {
			return f, 0, badTemplate("Unbalanced parentheses")
		}
		if f.rule, rest = rest[1:end], rest[end:]; f.rule == "None" {
			f.rule = ""
		}
	}
	switch {
	case rest == "":
		return f, 0, badTemplate("Unbalanced parentheses")
	case rest[0] != '}':
		return f, 0, badTemplate("Expected ':' or '}' after column name %q, got %q", f.name, rest[:min(len(rest), 100)])
	case f.rule != "" && !isRule(f.rule):
		return f, 0, sqlerr.New(sqlerr.BadArguments, "Unknown escaping rule \"%s\"", f.rule)
	}
	return f, len(text) - len(rest) + 1, nil
}

// rowTemplate is the pattern of rows.
func rowTemplate(s column.Schema, o *Options) (pattern, error) {
	text, err := o.templateText(o.Template.Row, o.Template.RowFormat, "row")
	if err != nil {
		return pattern{}, err
	}
	p, err := parseTemplate(text)
	if err != nil {
		return p, err
	}
	if len(p.fields) == 0 {
		return p, badTemplate("No columns specified: format_template_row or format_template_row_format must have some")
	}
	for i := range p.fields {
		f := &p.fields[i]
		if f.col = -1; f.name == "" {
			continue
		}
		if f.col = s.Index(f.name); f.col < 0 {
			n, err := strconv.Atoi(f.name)
			if err != nil || n >= len(s) {
				return p, sqlerr.New(sqlerr.NotFoundColumnInBlock, "Not found column %s in block. There are only columns: %s", f.name, strings.Join(columnNames(s), ", "))
			}
			f.col = n
		}
		if f.rule == "" {
			return p, badTemplate("Serialization type for file column is not specified (near column %d)", i)
		}
	}
	return p, nil
}

func columnNames(s column.Schema) []string {
	out := make([]string, len(s))
	for i, f := range s {
		out[i] = f.Name
	}
	return out
}

// resultTemplate is the pattern of the result; its first field is the rows.
func resultTemplate(o *Options) (pattern, error) {
	text, err := o.templateText(o.Template.Result, o.Template.ResultFormat, "resultset")
	if err != nil {
		return pattern{}, err
	}
	if text == "" {
		text = "${data}"
	}
	p, err := parseTemplate(text)
	if err != nil {
		return p, err
	}
	if len(p.fields) == 0 || p.fields[0].name != "data" {
		return p, badTemplate("${data} must be the first output part")
	}
	if p.fields[0].rule != "" {
		return p, badTemplate("Serialization type for data, totals, min and max must be empty or None")
	}
	return p, nil
}

// newTemplateReader reads rows of format_template_row within format_template_resultset, whose other fields are left out.
func newTemplateReader(s column.Schema, o Options, spaces bool) rowFormat {
	d := &patternReader{schema: s, o: o, spaces: spaces, between: o.Template.Between}
	var result pattern
	if d.line, d.err = rowTemplate(s, &o); d.err == nil {
		result, d.err = resultTemplate(&o)
	}
	if d.err != nil {
		return d
	}
	given := make([]bool, len(s))
	for _, f := range d.line.fields {
		if f.col < 0 {
			if f.rule == "" {
				d.err = badTemplate("Serialization type for a field that is left out is not specified")
			}
			continue
		}
		if given[f.col] {
			d.err = badTemplate("Duplicate column %s", s[f.col].Name)
		}
		given[f.col] = true
	}
	for c, ok := range given {
		if !ok {
			d.missing = append(d.missing, c)
		}
	}
	d.prefix, d.suffix = literal(result.delims[0]), pattern{delims: result.delims[1:], fields: result.fields[1:]}
	for _, f := range d.suffix.fields {
		if f.rule == "" && d.err == nil {
			d.err = badTemplate("Serialization type for a field that is left out is not specified")
		}
	}
	return d
}

// templateWriter writes Template.
type templateWriter struct {
	*output
	schema      column.Schema
	rules       *ruleWriter
	row, result pattern
	between     string
	err         error // of the settings
	rows        uint64
	begun       bool
	parts       map[string]*column.Block // rows that the result's template names
}

func newTemplateWriter(w *output, s column.Schema, o Options) Writer {
	t := &templateWriter{output: w, schema: s, rules: newRuleWriter(o), between: o.Template.Between, parts: map[string]*column.Block{}}
	if t.row, t.err = rowTemplate(s, &o); t.err == nil {
		t.result, t.err = resultTemplate(&o)
	}
	if t.err != nil {
		return t
	}
	for _, f := range t.row.fields {
		if f.col < 0 {
			t.err = badTemplate("A field of output needs the name of a column")
		}
	}
	for i, f := range t.result.fields[1:] {
		switch f.name {
		case "totals", "min", "max":
			if f.rule != "" {
				t.err = badTemplate("Serialization type for data, totals, min and max must be empty or None")
			}
		case "rows", "rows_before_limit", "time", "rows_read", "bytes_read":
			if f.rule == "" {
				t.err = badTemplate("Serialization type for output part rows, rows, time, rows_read or bytes_read is not specified (near column %d)", i+1)
			}
		case "data":
			t.err = badTemplate("${data} must be the first output part, and only that")
		default:
			t.err = sqlerr.New(sqlerr.SyntaxError, "Unknown output part %s", f.name)
		}
	}
	return t
}

func (w *templateWriter) start() error {
	if w.err == nil && !w.begun {
		w.begun = true
		w.buf = append(w.buf, w.result.delims[0]...)
	}
	return w.err
}

func (w *templateWriter) line(b *column.Block, i int) {
	for k, f := range w.row.fields {
		w.buf = append(w.buf, w.row.delims[k]...)
		w.buf = w.rules.append(w.buf, f.rule, b.Cols[f.col], i, w.schema[f.col].Type)
	}
	w.buf = append(w.buf, w.row.delims[len(w.row.fields)]...)
}

// Write implements Writer.
func (w *templateWriter) Write(b *column.Block) error {
	if err := w.start(); err != nil {
		return err
	}
	for i := 0; i < b.N; i++ {
		if w.rows++; w.rows > 1 {
			w.buf = append(w.buf, w.between...)
		}
		w.line(b, i)
		if err := w.spill(); err != nil {
			return err
		}
	}
	return nil
}

// Totals implements Writer.
func (w *templateWriter) Totals(b *column.Block) error {
	w.parts["totals"] = b
	return w.err
}

// Extremes implements Writer.
func (w *templateWriter) Extremes(b *column.Block) error {
	if b.N == 2 {
		w.parts["min"], w.parts["max"] = b.Slice(0, 1), b.Slice(1, 2)
	}
	return w.err
}

// Close implements Writer.
func (w *templateWriter) Close(s Stats) error {
	if err := w.start(); err != nil {
		return err
	}
	for i, f := range w.result.fields[1:] {
		w.buf = append(w.buf, w.result.delims[i+1]...)
		if err := w.part(f, s); err != nil {
			return err
		}
	}
	w.buf = append(w.buf, w.result.delims[len(w.result.fields)]...)
	return w.Flush()
}

// part writes a part of the result that is not its rows.
func (w *templateWriter) part(f patternField, s Stats) error {
	count := func(n uint64) {
		w.buf = w.rules.append(w.buf, f.rule, column.NewConst(types.TUInt64, n, 1), 0, types.TUInt64)
	}
	switch f.name {
	case "rows":
		count(w.rows)
	case "rows_before_limit":
		if !s.HasLimit {
			return badTemplate("Cannot print rows_before_limit for this request")
		}
		count(s.BeforeLimit)
	case "rows_read":
		count(s.ReadRows)
	case "bytes_read":
		count(s.ReadBytes)
	case "time":
		w.buf = w.rules.append(w.buf, f.rule, column.NewConst(types.TFloat64, s.Elapsed.Seconds(), 1), 0, types.TFloat64)
	default:
		b := w.parts[f.name]
		if b == nil || b.N == 0 {
			return badTemplate("Cannot print %s for this request", f.name)
		}
		w.line(b, 0)
	}
	return nil
}
