package format

import (
	"bytes"
	"io"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/internal/types"
)

// pattern is text with fields in it: a delimiter in front of each field, and one behind the last.
type pattern struct {
	delims []string
	fields []patternField
}

// patternField is a field of a pattern: a column, or one that is left out (col = -1) or stands for something else (name).
type patternField struct {
	name, rule string
	col        int
}

// literal is a pattern without fields.
func literal(text string) pattern { return pattern{delims: []string{text}} }

// patternReader reads rows of a pattern behind a prefix, with a delimiter between them, up to a suffix: CustomSeparated and Template.
type patternReader struct {
	head
	schema               column.Schema
	o                    Options
	prefix, line, suffix pattern
	between              string
	custom               *CustomOptions // rows are of these delimiters; a header may say which columns they have
	spaces               bool           // are skipped around fields and delimiters
	readers              map[string]func(r *Rows, c int, field []byte) error
	begun                bool  // a row, or a bad one, has been read
	err                  error // of the settings; told by the header
}

// maxSuffix bounds what is held to find out whether it is the end of the input or a row.
const maxSuffix = 64 << 10

// prepare makes what reads the values of the pattern's columns.
func (d *patternReader) prepare() error {
	d.readers = map[string]func(r *Rows, c int, field []byte) error{}
	for i, f := range d.line.fields {
		if f.col < 0 {
			continue
		}
		if d.readers[f.rule] == nil {
			if d.readers[f.rule] = delimitedReader(d.schema, d.o, f.rule); d.readers[f.rule] == nil {
				return sqlerr.New(sqlerr.BadArguments, "Escaping rule %s is not supported for reading", f.rule)
			}
		}
		next := d.line.delims[i+1]
		if f.rule == "Escaped" && next != "" && next[0] != '\t' && next[0] != '\n' && d.schema[f.col].Type.Inner().Kind == types.String {
			return sqlerr.New(sqlerr.BadArguments, "'Escaped' serialization requires delimiter after String field to start with '\\t' or '\\n'")
		}
	}
	return nil
}

// need takes a delimiter.
func (d *patternReader) need(data []byte, eof bool, delim string) (int, error) {
	switch {
	case len(data) >= len(delim) && string(data[:len(delim)]) == delim:
		return len(delim), nil
	case !eof && len(data) < len(delim):
		return 0, errShort
	}
	return 0, sqlerr.New(sqlerr.CannotParseInputAssertionFailed, "Cannot parse input: expected %q before: %q", delim, data[:min(len(data), 100)])
}

// blanks is the length of the spaces that data begins with, if they are skipped.
func (d *patternReader) blanks(data []byte) int {
	if !d.spaces {
		return 0
	}
	return len(data) - len(bytes.TrimLeft(data, " \t\n\r\f\v"))
}

// walk takes a pattern; ends is what may stand behind it. Each field goes to f.
func (d *patternReader) walk(data []byte, eof bool, p *pattern, ends []string, f func(*patternField, []byte) error) (int, error) {
	pos := 0
	for i := 0; ; i++ {
		if p.delims[i] != "" {
			if !d.blank(p.delims[i]) {
				pos += d.blanks(data[pos:])
			}
			n, err := d.need(data[pos:], eof, p.delims[i])
			if err != nil {
				return 0, err
			}
			pos += n
		}
		if i == len(p.fields) {
			return pos, nil
		}
		pos += d.blanks(data[pos:])
		behind := [][]byte{[]byte(p.delims[i+1])}
		if p.delims[i+1] == "" {
			behind = nil
			for _, e := range ends {
				if e != "" && i+1 == len(p.fields) {
					behind = append(behind, []byte(e))
				}
			}
		}
		n, err := fieldEnd(data[pos:], eof, p.fields[i].rule, behind)
		if err != nil {
			return 0, err
		}
		field := data[pos : pos+n]
		if d.spaces {
			field = bytes.TrimRight(field, " \t\r\f\v")
		}
		if err := f(&p.fields[i], field); err != nil {
			return 0, err
		}
		pos += n
	}
}

// blank reports whether a delimiter begins with what spaces is about: it is looked for before spaces are skipped.
func (d *patternReader) blank(delim string) bool {
	return d.spaces && bytes.IndexByte([]byte(" \t\n\r\f\v"), delim[0]) >= 0
}

func (d *patternReader) header(data []byte, eof bool, _ *Rows) (int, error) {
	if d.err != nil {
		return 0, d.err
	}
	d.begun = false // messages of a stream are inputs one after the other
	pos, err := d.walk(data, eof, &d.prefix, nil, func(*patternField, []byte) error { return nil })
	if err != nil {
		return 0, err
	}
	if d.custom != nil {
		n, err := d.customHeader(data[pos:], eof)
		if err != nil {
			return 0, err
		}
		pos += n
	}
	if d.readers != nil && d.columns == nil {
		return pos, nil
	}
	return pos, d.prepare()
}

// atEnd reports whether the rest of the input is the suffix.
func (d *patternReader) atEnd(data []byte, eof bool) (bool, error) {
	if !eof && len(data) > maxSuffix {
		return false, nil
	}
	n, err := d.walk(data, eof, &d.suffix, nil, func(*patternField, []byte) error { return nil })
	switch {
	case err == errShort:
		return false, err
	case err != nil || n+d.blanks(data[n:]) < len(data):
		return false, nil
	case !eof:
		return false, errShort
	}
	return true, nil
}

func (d *patternReader) oneRow(data []byte, eof bool, r *Rows) (int, error) {
	pos := 0
	if d.begun && d.between != "" {
		if !d.blank(d.between) {
			pos += d.blanks(data)
		}
		n, err := d.need(data[pos:], eof, d.between)
		if err != nil {
			return 0, err
		}
		if pos += n; eof && pos == len(data) {
			return 0, sqlerr.New(sqlerr.CannotReadAllData, "Unexpected EOF while parsing a row. Maybe last row has wrong format or input doesn't contain specified suffix before EOF")
		}
	}
	n, err := d.walk(data[pos:], eof, &d.line, []string{d.between, d.suffix.delims[0]}, func(f *patternField, field []byte) error {
		if f.col < 0 {
			return nil
		}
		return d.readers[f.rule](r, f.col, field)
	})
	if err != nil {
		return 0, err
	}
	d.rest(r)
	return pos + n, nil
}

func (d *patternReader) row(data []byte, eof bool, r *Rows) (int, error) {
	end, err := d.atEnd(data, eof)
	if err != nil {
		return 0, err
	}
	if end {
		return 0, io.EOF
	}
	n, err := d.oneRow(data, eof, r)
	if err != nil {
		return 0, err
	}
	if n == 0 {
		return 0, sqlerr.New(sqlerr.CannotParseInputAssertionFailed, "Cannot parse input: a row is nothing before: %q", data[:min(len(data), 100)])
	}
	d.begun = true
	return n, nil
}

// skip leaves a bad row out: up to what ends rows, and what stands between them.
func (d *patternReader) skip(data []byte, eof bool) (int, error) {
	last := d.line.delims[len(d.line.delims)-1]
	end := last + d.between
	if end == "" {
		return 0, sqlerr.New(sqlerr.BadArguments, "Rows that cannot be read are not left out where nothing stands behind or between them")
	}
	from := 0
	if d.begun && len(data) >= len(d.between) && string(data[:len(d.between)]) == d.between {
		from = len(d.between)
	}
	at := bytes.Index(data[from:], []byte(end))
	switch {
	case at < 0 && !eof:
		return 0, errShort
	case at < 0:
		return len(data), nil
	}
	d.begun = true
	return from + at + len(last), nil
}
