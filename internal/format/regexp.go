package format

import (
	"bytes"
	"io"
	"regexp"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/sqlerr"
)

func init() {
	define(&Format{Name: "Regexp", ContentType: "text/plain; charset=UTF-8",
		in: func(s column.Schema, o Options) rowFormat { return newRegexpReader(s, o) }})
}

// maxRegexp bounds a pattern: compiled, it takes some hundred times its length.
const maxRegexp = 64 << 10

// regexpReader reads lines that a pattern matches whole: group n of it is column n, in the form that the escaping rule says.
type regexpReader struct {
	schema  column.Schema
	o       Options
	pattern *regexp.Regexp
	value   func(r *Rows, c int, field []byte) error
	err     error // of the settings; told by the header
}

func newRegexpReader(s column.Schema, o Options) rowFormat {
	d := &regexpReader{schema: s, o: o}
	if o.Regexp == "" || len(o.Regexp) > maxRegexp {
		d.err = sqlerr.New(sqlerr.BadArguments, "The format Regexp needs the setting format_regexp, of at most %d bytes", maxRegexp)
		return d
	}
	var err error
	if d.pattern, err = regexp.Compile(`^(?:` + o.Regexp + `)$`); err != nil {
		d.err = sqlerr.Wrap(err, sqlerr.BadArguments, "Cannot compile format_regexp")
		return d
	}
	if d.value = fieldReader(s, o, o.RegexpRule); d.value == nil {
		d.err = sqlerr.New(sqlerr.BadArguments, "Escaping rule %s is not supported for reading", o.RegexpRule)
	}
	if n := d.pattern.NumSubexp(); n < len(s) && d.err == nil {
		d.err = sqlerr.New(sqlerr.IncorrectData, "The number of groups in format_regexp (%d) is less than the number of columns (%d)", n, len(s))
	}
	return d
}

// fieldReader reads a value by an escaping rule; nil: there is no such rule for input.
func fieldReader(s column.Schema, o Options, rule string) func(r *Rows, c int, field []byte) error {
	switch rule {
	case "Raw":
		return newTSVReader(s, o, true, head{}).plainValue
	case "Escaped":
		return func(r *Rows, c int, field []byte) error {
			return newTSVReader(s, o, false, head{}).value(r, c, field, true)
		}
	case "JSON":
		return func(r *Rows, c int, field []byte) error {
			j := jsonScan{data: field, eof: true, o: &o}
			t := s[c].Type.WithoutLowCardinality()
			if !t.IsNullable() && j.null() {
				return appendNull(r.Cols[c], s[c], r, c, &o)
			}
			err := j.value(r.Cols[c], t, 0)
			if j.space(); err == nil && j.pos < len(field) {
				err = j.bad("the end of the value")
			}
			return inField(err, s[c])
		}
	case "Quoted":
		return (&valuesReader{schema: s, o: o}).value
	case "CSV":
		d := newCSVReader(s, o, head{})
		return func(r *Rows, c int, field []byte) error {
			text, quoted, n, _, err := d.next(field, true)
			if err == nil && n < len(field) {
				err = sqlerr.New(sqlerr.CannotParseInputAssertionFailed, "Cannot parse input: %q is more than one field of CSV", field)
			}
			if err != nil {
				return inField(err, s[c])
			}
			return d.value(r, c, text, quoted)
		}
	}
	return nil
}

// plainValue appends the text of a value as it is.
func (d *tsvReader) plainValue(r *Rows, c int, field []byte) error {
	f := d.schema[c]
	return inField(parseText(r.Cols[c], f.Type, field, &d.o), f)
}

func (d *regexpReader) header([]byte, bool, *Rows) (int, error) { return 0, d.err }

func (d *regexpReader) row(data []byte, eof bool, r *Rows) (int, error) {
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
	line := bytes.TrimSuffix(bytes.TrimSuffix(data[:n], []byte{'\n'}), []byte{'\r'})
	groups := d.pattern.FindSubmatchIndex(line)
	switch {
	case groups == nil && d.o.RegexpSkip:
		return n, nil
	case groups == nil:
		return 0, sqlerr.New(sqlerr.IncorrectData, "Line %q doesn't match the regexp.", line[:min(len(line), 100)])
	}
	for c := range d.schema {
		from, to := groups[2*c+2], groups[2*c+3]
		if from < 0 { // a group that took no part
			from, to = 0, 0
		}
		if err := d.value(r, c, line[from:to]); err != nil {
			return 0, err
		}
	}
	r.N++
	return n, nil
}

// wholeBlocks marks that a line may be no row.
func (d *regexpReader) wholeBlocks() {}

func (d *regexpReader) skip(data []byte, eof bool) (int, error) { return skipLine(data, eof) }
