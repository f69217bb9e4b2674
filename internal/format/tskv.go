package format

import (
	"bytes"
	"io"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/sqlerr"
)

// tskvReader reads TSKV: lines of name=value, separated by tabs, in any order; what is not given is the default.
type tskvReader struct {
	*tsvReader
	seen []bool
}

func newTSKV(s column.Schema, o Options) rowFormat {
	return &tskvReader{tsvReader: newTSVReader(s, o, false, head{}), seen: make([]bool, len(s))}
}

func (d *tskvReader) clone() rowFormat { return newTSKV(d.schema, d.o) }

func (d *tskvReader) header([]byte, bool, *Rows) (int, error) { return 0, nil }

func (d *tskvReader) row(data []byte, eof bool, r *Rows) (int, error) {
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
	clear(d.seen)
	line := bytes.TrimSuffix(bytes.TrimSuffix(data[:n], []byte{'\n'}), []byte{'\r'})
	for len(line) > 0 {
		var field []byte
		field, line, _ = bytes.Cut(line, []byte{'\t'})
		if err := d.pair(r, field); err != nil {
			return 0, err
		}
	}
	for c, seen := range d.seen {
		if !seen {
			r.omit(c)
		}
	}
	return n, nil
}

// pair reads name=value; a name alone, such as the tskv that lines may begin with, says nothing.
func (d *tskvReader) pair(r *Rows, field []byte) error {
	name, value, ok := bytes.Cut(field, []byte{'='})
	if !ok {
		return nil
	}
	c := d.schema.Index(string(d.unescape(name)))
	switch {
	case c < 0 && !d.o.SkipUnknown:
		return sqlerr.New(sqlerr.IncorrectData, "Unknown field found while parsing TSKV format: %s", name)
	case c < 0:
		return nil
	case d.seen[c]:
		return sqlerr.New(sqlerr.IncorrectData, "Duplicate field found while parsing TSKV format: %s", name)
	}
	d.seen[c] = true
	return d.value(r, c, value, bytes.IndexByte(value, '\\') >= 0)
}
