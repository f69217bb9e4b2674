package format

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/internal/types"
)

// arrowReader reads the columns of a stream that the schema names, some rows of one record batch at a time.
type arrowReader struct {
	messages arrowMessages
	schema   column.Schema
	o        Options
	fields   []*arrowField // of the stream; nil: it has not been read yet
	at       []int         // the column of each field, -1 for none
	natural  []*types.Type // of the fields
	dicts    arrowDicts
	rows     *Rows // of the batch at hand
	pos      int   // how many of them were returned
	width    int   // of one of them, in bytes, about
}

func newArrowReader(src io.Reader, schema column.Schema, o Options, file bool) Reader {
	return &arrowReader{messages: arrowMessages{src: bufio.NewReaderSize(src, flushSize), file: file}, schema: schema, o: o}
}

// Close implements Reader.
func (r *arrowReader) Close() error { return nil }

// Read implements Reader.
func (r *arrowReader) Read(ctx context.Context, maxRows, maxBytes int) (*Rows, error) {
	for r.rows == nil || r.pos == r.rows.N {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if err := r.next(); err != nil {
			return nil, err
		}
	}
	n := min(max(maxRows, 1), r.rows.N-r.pos, max(maxBytes/r.width, 1))
	out := &Rows{Schema: r.schema, N: n, Omitted: make([][]uint8, len(r.schema)), whole: make([]column.Vector, len(r.schema))}
	for c, v := range r.rows.whole {
		if v == nil { // the stream has no such column
			out.whole[c] = column.NewDefaults(r.schema[c].Type.WithoutLowCardinality(), n)
			out.Omitted[c] = ones(n)
			continue
		}
		out.whole[c] = v.Slice(r.pos, r.pos+n)
		if m := r.rows.Omitted[c]; m != nil {
			out.Omitted[c] = m[r.pos : r.pos+n]
		}
	}
	r.pos += n
	return out, nil
}

// next takes in one message.
func (r *arrowReader) next() error {
	if r.fields == nil {
		return r.open()
	}
	m, err := r.messages.next()
	if err != nil {
		return err
	}
	switch m.kind {
	case arrowDictionaryMessage:
		return r.dicts.take(m)
	case arrowBatchMessage:
		return r.batch(m)
	}
	return sqlerr.New(sqlerr.IncorrectData, "Cannot read Arrow: message of kind %d behind the schema", m.kind)
}

// open reads the schema.
func (r *arrowReader) open() error {
	var err error
	if r.fields, err = r.messages.schema(); err != nil {
		return err
	}
	r.dicts = arrowDicts{fields: map[int64]*arrowField{}, values: map[int64]column.Builder{}}
	r.at, r.natural = make([]int, len(r.fields)), make([]*types.Type, len(r.fields))
	given := make([]bool, len(r.schema))
	for i, f := range r.fields {
		r.dicts.know(f)
		if r.at[i] = r.schema.Index(f.name); r.at[i] < 0 {
			continue
		}
		if given[r.at[i]] {
			return sqlerr.New(sqlerr.IncorrectData, "Column %s is in the Arrow data twice", f.name)
		}
		given[r.at[i]] = true
		if r.natural[i], err = f.natural(false); err != nil {
			return err
		}
	}
	return nil
}

// batch makes a record batch the rows at hand.
func (r *arrowReader) batch(m *arrowMessage) error {
	b, err := m.batch(m.header, &r.dicts)
	if err != nil {
		return err
	}
	rows := &Rows{Schema: r.schema, N: b.rows, Omitted: make([][]uint8, len(r.schema)), whole: make([]column.Vector, len(r.schema))}
	for i, f := range r.fields {
		c := r.at[i]
		if c < 0 {
			if err := b.skip(f); err != nil {
				return err
			}
			continue
		}
		v, err := b.array(f, r.natural[i], nil, b.rows)
		if err == nil {
			rows.whole[c], rows.Omitted[c], err = fileCast{&r.o, "Arrow"}.column(v, r.schema[c].Type.WithoutLowCardinality())
		}
		if err != nil {
			return inField(err, r.schema[c])
		}
	}
	size := int64(0)
	for _, v := range rows.whole {
		if v != nil {
			size += v.Bytes()
		}
	}
	r.rows, r.pos, r.width = rows, 0, int(size/int64(max(rows.N, 1)))+1
	return nil
}

// arrowMessages reads the messages of a stream or a file.
type arrowMessages struct {
	src    *bufio.Reader
	file   bool
	opened bool
}

// arrowMessage is a message and its body.
type arrowMessage struct {
	kind   int
	header flatTable
	body   []byte
}

// schema reads the first message.
func (s *arrowMessages) schema() ([]*arrowField, error) {
	m, err := s.next()
	if err == io.EOF {
		err = sqlerr.New(sqlerr.IncorrectData, "Cannot read Arrow: the input has no schema")
	}
	if err != nil {
		return nil, err
	}
	if m.kind != arrowSchemaMessage {
		return nil, sqlerr.New(sqlerr.IncorrectData, "Cannot read Arrow: the first message is of kind %d, not the schema", m.kind)
	}
	fields, err := readArrowSchema(m.header)
	if err == nil && len(fields) == 0 {
		err = sqlerr.New(sqlerr.IncorrectData, "Cannot read Arrow: the schema has no columns")
	}
	return fields, err
}

// next reads a message; io.EOF at the end.
func (s *arrowMessages) next() (*arrowMessage, error) {
	if s.file && !s.opened {
		var magic [8]byte
		if _, err := io.ReadFull(s.src, magic[:]); err != nil || string(magic[:len(arrowMagic)]) != arrowMagic {
			return nil, sqlerr.New(sqlerr.IncorrectData, "Cannot read Arrow: the file does not begin with %s", arrowMagic)
		}
	}
	s.opened = true
	n, err := s.length()
	if err != nil {
		return nil, err
	}
	if n == 0 {
		return nil, io.EOF
	}
	if n > maxArrowMetadata {
		return nil, sqlerr.New(sqlerr.IncorrectData, "Cannot read Arrow: metadata of %d bytes", n)
	}
	meta, err := s.take(int64(n))
	if err != nil {
		return nil, err
	}
	b := &flatBuffer{data: meta}
	t := b.root()
	m := &arrowMessage{kind: int(t.int(1, 1, 0)), header: t.table(2)}
	size := t.int(3, 8, 0)
	if b.broken {
		return nil, errArrowMetadata()
	}
	if size < 0 || size > maxArrowBatch {
		return nil, sqlerr.New(sqlerr.IncorrectData, "Cannot read Arrow: a body of %d bytes", size)
	}
	m.body, err = s.take(size)
	return m, err
}

// length reads the length of the next metadata. Streams of old versions have no mark in front of it, and may end without a word.
func (s *arrowMessages) length() (uint32, error) {
	var raw [4]byte
	if _, err := io.ReadFull(s.src, raw[:]); err != nil {
		if err == io.EOF {
			return 0, err
		}
		return 0, s.short(err)
	}
	n := binary.LittleEndian.Uint32(raw[:])
	if n != 0xffffffff {
		return n, nil
	}
	if _, err := io.ReadFull(s.src, raw[:]); err != nil {
		return 0, s.short(err)
	}
	return binary.LittleEndian.Uint32(raw[:]), nil
}

// take reads n bytes; memory grows with what is there.
func (s *arrowMessages) take(n int64) ([]byte, error) {
	var buf bytes.Buffer
	buf.Grow(int(min(n, 1<<20)))
	if _, err := io.CopyN(&buf, s.src, n); err != nil {
		return nil, s.short(err)
	}
	return buf.Bytes(), nil
}

func (s *arrowMessages) short(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return sqlerr.New(sqlerr.CannotReadAllData, "Cannot read all data: the Arrow input ends inside a message")
	}
	return err
}

// inferArrow reads the schema.
func inferArrow(file bool) func(io.Reader, *Options) (column.Schema, error) {
	return func(src io.Reader, _ *Options) (column.Schema, error) {
		fields, err := (&arrowMessages{src: bufio.NewReader(src), file: file}).schema()
		var out column.Schema
		for _, f := range fields {
			t, err := f.inferred()
			if err != nil {
				return nil, err
			}
			out = append(out, column.Field{Name: f.name, Type: t})
		}
		return out, err
	}
}
