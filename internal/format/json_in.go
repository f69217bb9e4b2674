package format

import (
	"bytes"
	"io"
	"strings"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/internal/types"
	"github.com/olapd/olapd/internal/valuetext"
)

const ndjson = "application/x-ndjson; charset=UTF-8"

func init() {
	define(&Format{Name: "JSONEachRow", ContentType: ndjson,
		out: func(w *output, s column.Schema, o Options) Writer { return &jsonRowsWriter{output: w, schema: s, o: o} },
		in:  func(s column.Schema, o Options) rowFormat { return newJSONRows(s, o) },
	}, "NDJSON", "JSONLines")
	define(&Format{Name: "JSONStringsEachRow", ContentType: ndjson,
		out: func(w *output, s column.Schema, o Options) Writer {
			return &jsonRowsWriter{output: w, schema: s, o: o, strings: true}
		},
		in: func(s column.Schema, o Options) rowFormat {
			d := newJSONRows(s, o)
			d.scan.strings = true
			return d
		},
	})
	for _, h := range []struct {
		suffix       string
		names, types bool
	}{{"", false, false}, {"WithNames", true, false}, {"WithNamesAndTypes", true, true}} {
		for _, strings := range []bool{false, true} {
			name := "JSONCompactEachRow"
			if strings {
				name = "JSONCompactStringsEachRow"
			}
			define(&Format{Name: name + h.suffix, ContentType: ndjson,
				out: func(w *output, s column.Schema, o Options) Writer {
					return &jsonCompactRowsWriter{output: w, schema: s, o: o, strings: strings, names: h.names, types: h.types}
				},
				in: func(s column.Schema, o Options) rowFormat {
					return &jsonCompactRows{schema: s, scan: jsonScan{o: &o, strings: strings}, head: head{names: h.names, types: h.types}}
				},
			})
		}
	}
	define(&Format{Name: "JSONAsString", in: func(s column.Schema, o Options) rowFormat {
		return &jsonAsString{schema: s, scan: jsonScan{o: &o}}
	}})
}

// jsonRows reads JSONEachRow: objects, separated by white space or commas, or one array of them.
type jsonRows struct {
	schema column.Schema
	o      Options
	scan   jsonScan
	byName map[string]int
	keys   [][]byte // each column's name as it mostly stands in a row, with the colon
	plain  []plainField
	text   []bool // columns of String
	seen   []int  // row in which each column was last given, counted from 1
	row1   int
	next   int // the column expected next: objects mostly keep one order
}

func newJSONRows(s column.Schema, o Options) *jsonRows {
	d := &jsonRows{schema: s, o: o, byName: make(map[string]int, len(s)), seen: make([]int, len(s)), keys: make([][]byte, len(s)), text: make([]bool, len(s)), plain: plainFields(s, &o)}
	d.scan.o = &d.o
	for i, f := range s {
		d.byName[f.Name] = i
		d.text[i] = f.Type.WithoutLowCardinality().Kind == types.String
		d.keys[i] = append(valuetext.AppendJSONString(nil, []byte(f.Name)), ':')
	}
	return d
}

func (d *jsonRows) clone() rowFormat {
	c := newJSONRows(d.schema, d.o)
	c.scan.strings = d.scan.strings
	return c
}

// boundary is behind a closing brace at the end of a line, where the next line opens one: within a row a comma stands between them.
func (d *jsonRows) boundary(data []byte) int {
	for end := len(data); end > 0; {
		if end = bytes.LastIndexByte(data[:end], '\n'); end <= 0 {
			return 0
		}
		if end+1 < len(data) && data[end+1] == '{' && data[end-1] == '}' {
			return end + 1
		}
	}
	return 0
}

func (d *jsonRows) header([]byte, bool, *Rows) (int, error) { return 0, nil }

// begin skips what may stand in front of a row; io.EOF at the end.
func (s *jsonScan) begin(data []byte, eof bool) error {
	s.data, s.eof, s.pos = data, eof, 0
	for {
		s.space()
		if s.pos >= len(s.data) {
			if eof {
				return io.EOF
			}
			return errShort
		}
		switch s.data[s.pos] {
		case ',', ';':
			s.pos++
		default:
			return nil
		}
	}
}

func (d *jsonRows) row(data []byte, eof bool, r *Rows) (int, error) {
	s := &d.scan
	if err := s.begin(data, eof); err != nil {
		return 0, err
	}
	for s.pos < len(s.data) && (s.data[s.pos] == '[' || s.data[s.pos] == ']') { // an array around the rows
		s.pos++
		for s.take(',') {
		}
		if s.space(); s.pos >= len(s.data) {
			if eof {
				return 0, io.EOF
			}
			return 0, errShort
		}
	}
	if err := s.need('{'); err != nil {
		return 0, err
	}
	d.row1++
	d.next = 0
	for first := true; !s.take('}'); first = false {
		if !first {
			if err := s.need(','); err != nil {
				return 0, err
			}
		}
		if err := d.member(r); err != nil {
			return 0, err
		}
	}
	for c, at := range d.seen {
		if at != d.row1 {
			r.omit(c)
		}
	}
	return s.pos, nil
}

// member reads one key with its value.
func (d *jsonRows) member(r *Rows) error {
	s := &d.scan
	if c := d.next; c < len(d.keys) && d.seen[c] != d.row1 && bytes.HasPrefix(s.data[s.pos:], d.keys[c]) {
		s.pos += len(d.keys[c])
		d.next = c + 1
		return d.value(r, c)
	}
	key, err := s.str()
	if err != nil {
		return err
	}
	c := d.next
	if c >= len(d.schema) || d.schema[c].Name != string(key) {
		at, ok := d.byName[string(key)]
		if !ok {
			return d.unknown(string(key))
		}
		c = at
	}
	d.next = c + 1
	f := d.schema[c]
	if err := s.need(':'); err != nil {
		return err
	}
	if d.seen[c] == d.row1 {
		return sqlerr.New(sqlerr.IncorrectData, "Duplicate field found while parsing JSONEachRow format: %s", f.Name)
	}
	return d.value(r, c)
}

// jsonEnds is what ends a number, quoteEnds what ends a string.
var jsonEnds, quoteEnds = bytesOf(",}"), bytesOf(`"`)

// value reads the value of column c.
func (d *jsonRows) value(r *Rows, c int) error {
	s := &d.scan
	if d.text[c] && s.plainString(r.Cols[c].(*column.Str)) {
		d.seen[c] = d.row1
		return nil
	}
	if p := &d.plain[c]; p.kind != types.Nothing && s.pos < len(s.data) {
		if s.data[s.pos] != '"' {
			if n := p.take(r.Cols[c], s.data[s.pos:], jsonEnds); n > 0 {
				s.pos += n
				d.seen[c] = d.row1
				return nil
			}
		} else if n := p.take(r.Cols[c], s.data[s.pos+1:], quoteEnds); n > 0 {
			s.pos += n + 2
			d.seen[c] = d.row1
			return nil
		}
	}
	f := &d.schema[c]
	s.space()
	if s.pos < len(s.data) && s.data[s.pos] == 'n' && !f.Type.IsNullable() && s.null() {
		d.seen[c] = d.row1
		return appendNull(r.Cols[c], *f, r, c, &d.o)
	}
	if err := s.value(r.Cols[c], f.Type, 0); err != nil {
		return inField(err, *f)
	}
	d.seen[c] = d.row1
	return nil
}

func (d *jsonRows) unknown(key string) error {
	if !d.o.SkipUnknown {
		return sqlerr.New(sqlerr.IncorrectData, "Unknown field found while parsing JSONEachRow format: %s", key)
	}
	if err := d.scan.need(':'); err != nil {
		return err
	}
	return d.scan.skipValue(0)
}

func (d *jsonRows) skip(data []byte, eof bool) (int, error) { return skipValue(data, eof) }

// skipValue leaves out the line that a bad value begins on. What stands between two values still belongs to neither.
func skipValue(data []byte, eof bool) (int, error) {
	at := 0
	for at < len(data) && strings.IndexByte(" \t\r\n,;", data[at]) >= 0 {
		at++
	}
	if at == len(data) && !eof {
		return 0, errShort
	}
	n, err := skipLine(data[at:], eof)
	return at + n, err
}

// jsonCompactRows reads JSONCompactEachRow: arrays of values.
type jsonCompactRows struct {
	head
	schema column.Schema
	scan   jsonScan
}

func (d *jsonCompactRows) header(data []byte, eof bool, _ *Rows) (int, error) {
	s := &d.scan
	s.data, s.eof, s.pos = data, eof, 0
	for line := 0; line < 2; line++ {
		if line == 0 && !d.names || line == 1 && !d.types {
			continue
		}
		names := column.New(types.NewArray(types.TString), 1)
		s.space()
		if err := s.value(names, names.Type(), 0); err != nil {
			return 0, err
		}
		if line == 0 {
			var list []string
			for _, n := range column.Value(names, 0).([]any) {
				list = append(list, n.(string))
			}
			if err := d.set(list, d.schema, s.o); err != nil {
				return 0, err
			}
		}
	}
	return s.pos, nil
}

func (d *jsonCompactRows) row(data []byte, eof bool, r *Rows) (int, error) {
	s := &d.scan
	if err := s.begin(data, eof); err != nil {
		return 0, err
	}
	if err := s.need('['); err != nil {
		return 0, err
	}
	for i := 0; i < d.width(d.schema); i++ {
		if i > 0 {
			if err := s.need(','); err != nil {
				return 0, err
			}
		}
		if err := d.value(d.at(i), r); err != nil {
			return 0, err
		}
	}
	if err := s.need(']'); err != nil {
		return 0, err
	}
	d.rest(r)
	return s.pos, nil
}

func (d *jsonCompactRows) value(c int, r *Rows) error {
	if c < 0 {
		return d.scan.skipValue(0)
	}
	f := d.schema[c]
	if !f.Type.IsNullable() && d.scan.null() {
		return appendNull(r.Cols[c], f, r, c, d.scan.o)
	}
	return inField(d.scan.value(r.Cols[c], f.Type, 0), f)
}

func (d *jsonCompactRows) skip(data []byte, eof bool) (int, error) { return skipValue(data, eof) }

// jsonAsString reads each JSON value whole into the one String column.
type jsonAsString struct {
	schema column.Schema
	scan   jsonScan
}

func (d *jsonAsString) header([]byte, bool, *Rows) (int, error) {
	if len(d.schema) != 1 || d.schema[0].Type.Inner().Kind != types.String {
		return 0, sqlerr.New(sqlerr.BadArguments, "This input format is only suitable for tables with a single column of type String")
	}
	return 0, nil
}

func (d *jsonAsString) row(data []byte, eof bool, r *Rows) (int, error) {
	if err := d.scan.begin(data, eof); err != nil {
		return 0, err
	}
	raw, err := d.scan.raw()
	if err != nil {
		return 0, err
	}
	return d.scan.pos, appendRaw(r.Cols[0], raw)
}

// appendRaw appends bytes to a String or Nullable(String) column.
func appendRaw(b column.Builder, raw []byte) error {
	if n, ok := b.(*column.Nullable); ok {
		n.Nulls = append(n.Nulls, 0)
		b = n.Inner.(column.Builder)
	}
	b.(*column.Str).Append(raw)
	return nil
}

func (d *jsonAsString) skip(data []byte, eof bool) (int, error) { return skipValue(data, eof) }
