package format

import (
	"io"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/sqlerr"
)

// jsonDoc reads JSON and JSONCompact: the rows in the array named data of one object; what else is in it is left out. JSON that does not
// begin with the member meta is rows without a document around them, as in JSONEachRow.
type jsonDoc struct {
	rows    rowFormat // of the array's elements
	compact bool
	bare    bool // there is no document
	scan    jsonScan
}

func newJSONDoc(s column.Schema, o Options, compact bool) rowFormat {
	d := &jsonDoc{rows: newJSONRows(s, o), compact: compact}
	if compact {
		d.rows = &jsonCompactRows{schema: s, scan: jsonScan{o: &o}}
	}
	d.scan.o = &o
	return d
}

// header goes to the first row.
func (d *jsonDoc) header(data []byte, eof bool, _ *Rows) (int, error) {
	s := &d.scan
	if err := s.begin(data, eof); err != nil {
		return 0, err
	}
	if !d.compact {
		ok, err := s.metaAhead()
		if d.bare = !ok; err != nil || d.bare {
			return 0, err
		}
	}
	if ok, err := s.member("data"); err != nil || !ok {
		if err == nil {
			err = s.bad("a member named data")
		}
		return 0, err
	}
	if err := s.need('['); err != nil {
		return 0, err
	}
	return s.pos, nil
}

// metaAhead reports whether an object follows whose first member is meta.
func (s *jsonScan) metaAhead() (bool, error) {
	at := s.pos
	defer func() { s.pos = at }()
	if !s.take('{') || s.take('}') {
		return false, nil
	}
	key, err := s.str()
	return string(key) == "meta", err
}

func (d *jsonDoc) row(data []byte, eof bool, r *Rows) (int, error) {
	if d.bare {
		return d.rows.row(data, eof, r)
	}
	if err := d.scan.begin(data, eof); err != nil {
		return 0, err
	}
	if data[d.scan.pos] == ']' {
		return 0, io.EOF
	}
	n, err := d.rows.row(data[d.scan.pos:], eof, r)
	return d.scan.pos + n, err
}

func (d *jsonDoc) skip(data []byte, eof bool) (int, error) { return skipValue(data, eof) }

// jsonObject reads JSONObjectEachRow: an object whose members are the rows; their names are left out.
type jsonObject struct {
	rows rowFormat
	scan jsonScan
}

func newJSONObject(s column.Schema, o Options) rowFormat {
	return &jsonObject{rows: newJSONRows(s, o), scan: jsonScan{o: &o}}
}

func (d *jsonObject) header(data []byte, eof bool, _ *Rows) (int, error) {
	if err := d.scan.begin(data, eof); err != nil {
		return 0, err
	}
	if err := d.scan.need('{'); err != nil {
		return 0, err
	}
	return d.scan.pos, nil
}

func (d *jsonObject) row(data []byte, eof bool, r *Rows) (int, error) {
	s := &d.scan
	if err := s.begin(data, eof); err != nil {
		return 0, err
	}
	if data[s.pos] == '}' {
		return 0, io.EOF
	}
	if _, err := s.str(); err != nil {
		return 0, err
	}
	if err := s.need(':'); err != nil {
		return 0, err
	}
	n, err := d.rows.row(data[s.pos:], eof, r)
	return s.pos + n, err
}

func (d *jsonObject) skip(data []byte, eof bool) (int, error) { return skipValue(data, eof) }

// jsonColumns reads JSONColumns, JSONCompactColumns and JSONColumnsWithMetadata: an array for each column, with its name or in their order. The
// document is one unit: it is parsed when all of it is there.
type jsonColumns struct {
	schema        column.Schema
	scan          jsonScan
	compact, meta bool
	done          bool
}

func (d *jsonColumns) wholeBlocks() {}

func (d *jsonColumns) header([]byte, bool, *Rows) (int, error) { return 0, nil }

func (d *jsonColumns) row(data []byte, eof bool, r *Rows) (int, error) {
	s := &d.scan
	if d.done {
		return 0, io.EOF
	}
	if !eof {
		return 0, errShort
	}
	if err := s.begin(data, eof); err != nil {
		return 0, err
	}
	if d.meta {
		if ok, err := s.member("data"); err != nil || !ok {
			return 0, s.bad("a member named data")
		}
	}
	if err := d.columns(r); err != nil {
		return 0, err
	}
	d.done = true
	return len(data), nil
}

// member goes into an object to the value of a member; false if there is none.
func (s *jsonScan) member(name string) (bool, error) {
	if err := s.need('{'); err != nil {
		return false, err
	}
	for first := true; !s.take('}'); first = false {
		if !first {
			if err := s.need(','); err != nil {
				return false, err
			}
		}
		key, err := s.str()
		if err != nil {
			return false, err
		}
		found := string(key) == name
		if err := s.need(':'); err != nil || found {
			return found, err
		}
		if err := s.skipValue(0); err != nil {
			return false, err
		}
	}
	return false, nil
}

func (d *jsonColumns) columns(r *Rows) error {
	s := &d.scan
	open, end := byte('{'), byte('}')
	if d.compact {
		open, end = '[', ']'
	}
	if err := s.need(open); err != nil {
		return err
	}
	given, rows := make([]bool, len(d.schema)), -1
	for c := 0; !s.take(end); c++ {
		if c > 0 {
			if err := s.need(','); err != nil {
				return err
			}
		}
		at := c
		if !d.compact {
			key, err := s.str()
			if err != nil {
				return err
			}
			at = d.schema.Index(string(key))
			if err := s.need(':'); err != nil {
				return err
			}
		}
		if at < 0 || at >= len(d.schema) {
			if !s.o.SkipUnknown || d.compact {
				return sqlerr.New(sqlerr.IncorrectData, "Unknown column found in input data in JSONColumns format")
			}
			if err := s.skipValue(0); err != nil {
				return err
			}
			continue
		}
		if given[at] {
			return sqlerr.New(sqlerr.IncorrectData, "Duplicate column found in JSONColumns format: %s", d.schema[at].Name)
		}
		given[at] = true
		n, err := d.values(r, at)
		if err != nil {
			return err
		}
		if rows >= 0 && n != rows {
			return sqlerr.New(sqlerr.IncorrectData, "Number of rows differ in different columns: %d != %d", n, rows)
		}
		rows = n
	}
	for c, was := range given {
		for k := 0; !was && k < rows; k++ {
			r.N = k
			r.omit(c)
		}
	}
	r.N = max(rows, 0)
	return nil
}

// values reads the array of column c and returns how many there are.
func (d *jsonColumns) values(r *Rows, c int) (int, error) {
	s, f := &d.scan, d.schema[c]
	if err := s.need('['); err != nil {
		return 0, err
	}
	n := 0
	for ; !s.take(']'); n++ {
		if n > 0 {
			if err := s.need(','); err != nil {
				return 0, err
			}
		}
		if err := s.value(r.Cols[c], f.Type, 0); err != nil {
			return 0, inField(err, f)
		}
	}
	return n, nil
}

func (d *jsonColumns) skip(data []byte, _ bool) (int, error) {
	return 0, sqlerr.New(sqlerr.IncorrectData, "Rows of JSONColumns cannot be skipped: %d bytes are one unit", len(data))
}
