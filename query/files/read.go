package files

import (
	"bufio"
	"context"
	"errors"
	"io"
	"path"
	"slices"
	"strings"
	"sync"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/compress"
	"github.com/olapd/olapd/internal/format"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/query/exec"
)

// Data is what a call yields: a table of columns, read from its files.
type Data struct {
	reach   *Reach
	request Request
	o       Options
	schema  column.Schema // of the data, of the path, virtual
	data    int           // columns of the data
	parts   int           // columns of the path
	shown   int           // columns of the data and the path that an asterisk shows
}

// Open finds the columns of a request; it reads files only where columns are to be inferred. CannotExtractTableStructure, and errors of
// what may not be reached.
func Open(ctx context.Context, r *Reach, q Request, o Options) (*Data, error) {
	d := &Data{reach: r, request: q, o: o}
	p, err := r.place(q)
	if err != nil {
		return nil, err
	}
	columns, first := q.Structure, q.Path
	if columns == nil || o.Hive && isPattern(q.Path) && !strings.Contains(q.Path, partitionMark) {
		var o *object
		if columns, o, err = d.infer(ctx, p); o != nil {
			first = o.name
		}
	}
	if err = errors.Join(err, p.close()); err != nil {
		return nil, err
	}
	d.arrange(columns, first)
	return d, nil
}

// arrange puts the columns of the path and the virtual ones behind those of the data.
func (d *Data) arrange(columns column.Schema, first string) {
	d.schema, d.data = slices.Clone(columns), len(columns)
	if d.o.Hive {
		for _, f := range partColumns(partsOf(first)) {
			if d.schema.Index(f.Name) < 0 {
				d.schema = append(d.schema, f)
				d.parts++
			}
		}
	}
	d.shown = d.data
	if d.request.Structure == nil {
		d.shown += d.parts
	}
	for _, f := range virtualColumns {
		if d.schema.Index(f.Name) < 0 {
			d.schema = append(d.schema, f)
		}
	}
}

// Schema are the columns.
func (d *Data) Schema() column.Schema { return d.schema }

// Data are the columns of the data itself.
func (d *Data) Data() column.Schema { return d.schema[:d.data] }

// Hidden is how many columns at the end an asterisk leaves out.
func (d *Data) Hidden() int { return len(d.schema) - d.shown }

// infer returns the columns of the first file that tells them, or those that are given, and that file.
func (d *Data) infer(ctx context.Context, p place) (column.Schema, *object, error) {
	list, err := p.list(ctx)
	if err != nil {
		if d.request.Structure != nil && sqlerr.Is(err, sqlerr.FileDoesntExist) {
			return d.request.Structure, nil, nil // a query that reads it says so
		}
		return nil, nil, err
	}
	if d.request.Structure != nil {
		if len(list) == 0 {
			return d.request.Structure, nil, nil
		}
		return d.request.Structure, list[0], nil
	}
	err = sqlerr.New(sqlerr.CannotExtractTableStructure, "The table structure cannot be extracted: there are no files with provided path %s. You can specify the structure manually", d.request.Path)
	for _, o := range list {
		var schema column.Schema
		if schema, err = d.inferOne(ctx, o); err == nil {
			return schema, o, nil
		}
		if ctx.Err() != nil || !sqlerr.Is(err, sqlerr.CannotExtractTableStructure) {
			break
		}
	}
	return nil, nil, err
}

func (d *Data) inferOne(ctx context.Context, o *object) (schema column.Schema, err error) {
	f, err := d.request.formatOf(o.name)
	if err != nil {
		return nil, err
	}
	src, err := d.content(ctx, o)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, src.Close()) }()
	return f.Infer(src.input(), d.o.Format)
}

// content is a file's content, decompressed.
type content struct {
	raw     io.ReadCloser
	decoded io.ReadCloser // nil: raw is not compressed
}

func (d *Data) content(ctx context.Context, o *object) (*content, error) {
	coding, err := d.request.coding(o.name)
	if err != nil {
		return nil, err
	}
	c := &content{}
	if c.raw, err = o.open(ctx); err != nil {
		return nil, err
	}
	if coding == compress.Identity {
		return c, nil
	}
	if c.decoded, err = compress.NewReader(c.raw, coding); err != nil {
		return nil, errors.Join(sqlerr.Wrap(err, sqlerr.CannotDecompress, "File %s", o.path), c.raw.Close())
	}
	return c, nil
}

func (c *content) input() io.Reader {
	if c.decoded != nil {
		return c.decoded
	}
	return c.raw
}

// Close closes the file.
func (c *content) Close() error {
	var err error
	if c.decoded != nil {
		err = c.decoded.Close()
	}
	return errors.Join(err, c.raw.Close())
}

// Wanted is what a query wants of files. Nil functions want all.
type Wanted struct {
	// File tells of a file by the values of its path's and virtual columns, in the order of the schema behind the data's, whether rows of it
	// may be wanted.
	File func(schema column.Schema, values []column.Vector) bool
	// Rows tells it of rows of a file: see format.Options.Keep.
	Rows func(name string, lo, hi column.Vector) bool
}

// Scan starts to read the columns of what is wanted, and perhaps other rows.
func (d *Data) Scan(ctx context.Context, cols []int, want Wanted) (exec.Scanner, error) {
	p, err := d.reach.place(d.request)
	if err != nil {
		return nil, err
	}
	list, err := p.list(ctx)
	if err != nil {
		return nil, errors.Join(err, p.close())
	}
	s := &scanner{d: d, place: p, cols: cols, rows: want.Rows}
	for _, o := range list {
		values, err := d.constants(o)
		if err != nil {
			return nil, errors.Join(err, p.close())
		}
		s.bytes += max(o.size, 0)
		if want.File != nil && !want.File(d.schema[d.data:], values) {
			continue
		}
		s.mu.list = append(s.mu.list, one{o, values})
	}
	return s, nil
}

// constants are the values of a file's columns behind those of the data, as vectors of length 1.
func (d *Data) constants(o *object) ([]column.Vector, error) {
	var out []column.Vector
	for i := d.data; i < len(d.schema); i++ {
		f := d.schema[i]
		if i < d.data+d.parts {
			v, err := d.partValue(o, f)
			if err != nil {
				return nil, err
			}
			out = append(out, v)
			continue
		}
		b := column.New(f.Type.WithoutLowCardinality(), 1)
		switch f.Name {
		case "_path":
			column.AppendValue(b, o.path)
		case "_file":
			column.AppendValue(b, path.Base(o.path))
		case "_size":
			if o.size < 0 {
				b.AppendDefault()
			} else {
				column.AppendValue(b, uint64(o.size))
			}
		case "_time":
			if o.modified.IsZero() {
				b.AppendDefault()
			} else {
				column.AppendValue(b, uint32(o.modified.Unix()))
			}
		}
		out = append(out, b)
	}
	return out, nil
}

// one is a file to be read.
type one struct {
	*object
	values []column.Vector
}

// scanner reads one file after the other; within a file the format's reader may have workers of its own.
type scanner struct {
	d     *Data
	place place
	cols  []int
	rows  func(name string, lo, hi column.Vector) bool // of Wanted
	bytes int64
	mu    struct {
		sync.Mutex
		list []one
		src  *content
		rd   format.Reader
		read column.Schema // what rd reads
		cur  one
		rest *column.Block // of cur, in the order of cols
		err  error         // where reading ended: what a reader says after it is no answer
	}
}

// Rows and bytes of input that become one morsel.
const (
	morselRows  = 65536
	morselBytes = 16 << 20
)

// Next implements exec.Scanner.
func (s *scanner) Next(ctx context.Context) (exec.Morsel, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.mu.err != nil {
		return nil, s.mu.err
	}
	m, err := s.nextLocked(ctx)
	s.mu.err = err
	return m, err
}

func (s *scanner) nextLocked(ctx context.Context) (exec.Morsel, error) {
	for {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if m := s.restLocked(); m != nil {
			return m, nil
		}
		if s.mu.rd == nil {
			if len(s.mu.list) == 0 {
				return nil, nil
			}
			if err := s.openLocked(ctx); err != nil {
				return nil, err
			}
		}
		rows, err := s.mu.rd.Read(ctx, morselRows, morselBytes)
		if errors.Is(err, io.EOF) {
			if err := s.closeLocked(); err != nil {
				return nil, err
			}
			continue
		}
		if err != nil {
			return nil, sqlerr.Wrap(err, sqlerr.CodeOf(err), "in file %s", s.mu.cur.path)
		}
		if s.mu.rest, err = s.blockLocked(rows); err != nil {
			return nil, err
		}
	}
}

// restLocked hands out what was read; formats of whole blocks may have read more than a morsel holds.
func (s *scanner) restLocked() exec.Morsel {
	b := s.mu.rest
	if b == nil || b.N == 0 {
		s.mu.rest = nil
		return nil
	}
	n := min(b.N, morselRows)
	if n == b.N {
		s.mu.rest = nil
		return &morsel{n: n, cols: b.Cols}
	}
	m, rest := &morsel{n: n}, &column.Block{N: b.N - n}
	for _, c := range b.Cols {
		m.cols, rest.Cols = append(m.cols, c.Slice(0, n)), append(rest.Cols, c.Slice(n, b.N))
	}
	s.mu.rest = rest
	return m
}

// openLocked opens the next file.
func (s *scanner) openLocked(ctx context.Context) error {
	s.mu.cur, s.mu.list = s.mu.list[0], s.mu.list[1:]
	f, err := s.d.request.formatOf(s.mu.cur.name)
	if err != nil {
		return err
	}
	if s.mu.src, err = s.d.content(ctx, s.mu.cur.object); err != nil {
		return err
	}
	whole := s.d.schema[:s.d.data]
	o := s.d.o.Format
	if s.rows != nil {
		var parts map[string]string
		if s.d.o.Hive {
			parts = partsOf(s.mu.cur.name)
		}
		o.Keep = func(name string, lo, hi column.Vector) bool {
			_, hidden := parts[name] // by a column of the path
			return hidden || s.rows(name, lo, hi)
		}
	}
	src := s.mu.src.input()
	if _, ok := src.(format.Sized); !ok || !f.Named() {
		head := bufio.NewReaderSize(src, headBytes)
		beginning, err := head.Peek(headBytes)
		if err != nil && !errors.Is(err, io.EOF) {
			return err
		}
		f = f.Headed(beginning, err != nil, whole, o)
		src = head
	}
	s.mu.read = whole
	if f.Named() {
		s.mu.read, o.SkipUnknown = s.wanted(whole), true
	}
	s.mu.rd, err = f.NewReader(src, s.mu.read, o)
	return err
}

// wanted are the columns of the data that the scan asks for.
func (s *scanner) wanted(whole column.Schema) column.Schema {
	out := column.Schema{}
	for i, f := range whole {
		if slices.Contains(s.cols, i) {
			out = append(out, f)
		}
	}
	return out
}

func (s *scanner) closeLocked() error {
	var err error
	if s.mu.rd != nil {
		err = s.mu.rd.Close()
	}
	if s.mu.src != nil {
		err = errors.Join(err, s.mu.src.Close())
	}
	s.mu.rd, s.mu.src = nil, nil
	return err
}

// blockLocked puts the columns of the file beside those of its rows.
func (s *scanner) blockLocked(rows *format.Rows) (*column.Block, error) {
	b := rows.Block()
	m := &column.Block{N: b.N, Cols: make([]column.Vector, len(s.cols))}
	parts := map[string]string{}
	if s.d.o.Hive {
		parts = partsOf(s.mu.cur.name)
	}
	for i, c := range s.cols {
		f := s.d.schema[c]
		if c >= s.d.data {
			m.Cols[i] = &column.Const{Value: s.mu.cur.values[c-s.d.data], N: b.N}
			continue
		}
		if _, ok := parts[f.Name]; ok { // the path says it, whatever the file holds
			v, err := s.d.partValue(s.mu.cur.object, f)
			if err != nil {
				return nil, err
			}
			m.Cols[i] = &column.Const{Value: v, N: b.N}
			continue
		}
		m.Cols[i] = b.Cols[s.mu.read.Index(f.Name)]
	}
	return m, nil
}

// Stats implements exec.Scanner.
func (s *scanner) Stats() exec.ScanStats { return exec.ScanStats{Bytes: s.bytes} }

// Close implements exec.Scanner.
func (s *scanner) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.mu.list = nil
	return errors.Join(s.closeLocked(), s.place.close())
}

// morsel is rows that were read.
type morsel struct {
	n    int
	cols []column.Vector
}

// Rows implements exec.Morsel.
func (m *morsel) Rows() int { return m.n }

// Column implements exec.Morsel.
func (m *morsel) Column(_ context.Context, i int, sel []uint32) (column.Vector, error) {
	if sel != nil {
		return column.Gather(m.cols[i], sel), nil
	}
	return m.cols[i], nil
}
