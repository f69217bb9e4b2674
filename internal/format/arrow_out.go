package format

import (
	"bytes"
	"encoding/binary"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/compress"
	"github.com/olapd/olapd/internal/sqlerr"
)

// arrowWriter writes each block as a record batch. Totals and extremes have no place in the format.
type arrowWriter struct {
	*output
	o       Options
	schema  column.Schema
	fields  []*arrowField
	dicts   []*arrowValues // by number
	file    bool
	started bool
	at      int64 // bytes written so far
	places  [2][]arrowPlace
	err     error // of the schema; told by the first call
}

// arrowPlace is where a message of a file is.
type arrowPlace struct{ at, meta, body int64 }

// The lists of places in a footer.
const (
	arrowDictPlaces = iota
	arrowBatchPlaces
)

func newArrowWriter(out *output, schema column.Schema, o Options, file bool) Writer {
	w := &arrowWriter{output: out, schema: schema, o: o, file: file}
	for _, f := range schema {
		field, err := w.field(f.Name, f.Type, 0)
		if err != nil {
			w.err = inField(err, f)
			return w
		}
		w.fields = append(w.fields, field)
	}
	return w
}

// start writes what stands in front of the batches.
func (w *arrowWriter) start() error {
	if w.err != nil || w.started {
		return w.err
	}
	w.started = true
	if w.file {
		w.put([]byte(arrowMagic + "\x00\x00"))
	}
	m := newFlatWriter()
	w.schemaTable(m, m.message(arrowSchemaMessage, 0))
	w.message(m, nil)
	return nil
}

// Write implements Writer.
func (w *arrowWriter) Write(b *column.Block) error {
	if err := w.start(); err != nil {
		return err
	}
	e := &arrowEncoder{w: w}
	for c, f := range w.fields {
		if err := e.array(f, column.Flatten(b.Cols[c])); err != nil {
			return inField(err, w.schema[c])
		}
	}
	for id, d := range w.dicts {
		if err := w.dictionary(int64(id), d); err != nil {
			return err
		}
	}
	m := newFlatWriter()
	e.recordBatch(m, m.message(arrowBatchMessage, len(e.body)), b.N)
	w.places[arrowBatchPlaces] = append(w.places[arrowBatchPlaces], w.message(m, e.body))
	return w.spill()
}

// dictionary writes the values that are new since the last batch.
func (w *arrowWriter) dictionary(id int64, d *arrowValues) error {
	if d.written == d.values.Len() && d.written > 0 {
		return nil
	}
	e := &arrowEncoder{w: w}
	plain := *d.field
	plain.dict, plain.nullable = nil, false
	if err := e.array(&plain, d.values.Slice(d.written, d.values.Len())); err != nil {
		return err
	}
	delta := int64(0)
	if d.written > 0 {
		delta = 1
	}
	m := newFlatWriter()
	at := m.linkTable(m.message(arrowDictionaryMessage, len(e.body)), flatField{8, id}, flatRef, flatField{1, delta})
	e.recordBatch(m, at[1], d.values.Len()-d.written)
	d.written = d.values.Len()
	w.places[arrowDictPlaces] = append(w.places[arrowDictPlaces], w.message(m, e.body))
	return nil
}

// Totals implements Writer.
func (w *arrowWriter) Totals(*column.Block) error { return nil }

// Extremes implements Writer.
func (w *arrowWriter) Extremes(*column.Block) error { return nil }

// Close implements Writer.
func (w *arrowWriter) Close(Stats) error {
	if err := w.start(); err != nil {
		return err
	}
	w.put([]byte{0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0})
	if w.file {
		w.footer()
	}
	return w.Flush()
}

func (w *arrowWriter) put(b []byte) {
	w.buf = append(w.buf, b...)
	w.at += int64(len(b))
}

// message begins a message with a body of so many bytes, and returns the field that refers to its header.
func (w *flatWriter) message(kind, body int) int {
	return w.table(flatField{2, arrowVersion}, flatField{1, int64(kind)}, flatRef, flatField{8, int64(body)})[2]
}

// message writes a message and its body, which is padded.
func (w *arrowWriter) message(m *flatWriter, body []byte) arrowPlace {
	m.align(8)
	p := arrowPlace{at: w.at, meta: int64(len(m.data)) + 8, body: int64(len(body))}
	w.put(binary.LittleEndian.AppendUint32([]byte{0xff, 0xff, 0xff, 0xff}, uint32(len(m.data))))
	w.put(m.data)
	w.put(body)
	return p
}

// footer writes where the messages are, behind the last of them.
func (w *arrowWriter) footer() {
	m := newFlatWriter()
	at := m.table(flatField{2, arrowVersion}, flatRef, flatRef, flatRef)
	w.schemaTable(m, at[1])
	for i, list := range w.places {
		pos := m.list(at[2+i], len(list), 24)
		for _, p := range list {
			binary.LittleEndian.PutUint64(m.data[pos:], uint64(p.at))
			binary.LittleEndian.PutUint32(m.data[pos+8:], uint32(p.meta))
			binary.LittleEndian.PutUint64(m.data[pos+16:], uint64(p.body))
			pos += 24
		}
	}
	w.put(m.data)
	w.put(append(binary.LittleEndian.AppendUint32(nil, uint32(len(m.data))), arrowMagic...))
}

// schemaTable writes the schema, which field refers to.
func (w *arrowWriter) schemaTable(m *flatWriter, field int) {
	at := m.linkTable(field, flatField{2, 0}, flatRef)
	m.fields(at[1], w.fields)
}

// fields writes a vector of fields, which ref refers to.
func (w *flatWriter) fields(ref int, list []*arrowField) {
	pos := w.list(ref, len(list), 4)
	for i, f := range list {
		nullable := int64(0)
		if f.nullable {
			nullable = 1
		}
		dict := flatField{}
		if f.dict != nil {
			dict = flatRef
		}
		meta := flatField{}
		if f.uuid {
			meta = flatRef
		}
		at := w.linkTable(pos+4*i, flatRef, flatField{1, nullable}, flatField{1, int64(f.typ.kind)}, flatRef, dict, flatRef, meta)
		w.text(at[0], f.name)
		w.arrowType(at[3], f.typ)
		if f.dict != nil {
			d := w.linkTable(at[4], flatField{8, f.dict.id}, flatRef)
			w.arrowType(d[1], f.dict.index)
		}
		w.fields(at[5], f.kids)
		if f.uuid {
			kv := w.linkTable(w.list(at[6], 1, 4), flatRef, flatRef)
			w.text(kv[0], arrowExtension)
			w.text(kv[1], arrowUUID)
		}
	}
}

// arrowType writes the parameters of a type.
func (w *flatWriter) arrowType(ref int, a arrowType) {
	wide := func(x int) flatField { return flatField{4, int64(x)} }
	unit := flatField{2, int64(a.unit)}
	switch a.kind {
	case arrowInt:
		signed := int64(0)
		if a.signed {
			signed = 1
		}
		w.linkTable(ref, wide(a.bits), flatField{1, signed})
	case arrowFloat:
		w.linkTable(ref, flatField{2, int64(a.bits / 32)})
	case arrowDecimal:
		w.linkTable(ref, wide(a.precision), wide(a.scale), wide(a.bits))
	case arrowDate, arrowDuration:
		w.linkTable(ref, unit)
	case arrowTime:
		w.linkTable(ref, unit, wide(a.bits))
	case arrowTimestamp:
		if a.zone == "" {
			w.linkTable(ref, unit)
			return
		}
		w.text(w.linkTable(ref, unit, flatRef)[1], a.zone)
	case arrowFixedBinary:
		w.linkTable(ref, wide(a.size))
	default:
		w.linkTable(ref)
	}
}

// recordBatch writes the table of what was encoded, which ref refers to.
func (e *arrowEncoder) recordBatch(m *flatWriter, ref, rows int) {
	codec, ok := arrowCodecs[e.w.o.ArrowCompression]
	compression := flatField{}
	if ok {
		compression = flatRef
	}
	at := m.linkTable(ref, flatField{8, int64(rows)}, flatRef, flatRef, compression)
	copy(m.data[m.list(at[1], len(e.nodes)/16, 16):], e.nodes)
	copy(m.data[m.list(at[2], len(e.buffers)/16, 16):], e.buffers)
	if ok {
		m.linkTable(at[3], flatField{1, codec.number}, flatField{1, 0})
	}
}

// arrowCodecs are the values of output_format_arrow_compression_method, but for none.
var arrowCodecs = map[string]struct {
	number int64
	coding compress.Coding
}{"lz4_frame": {arrowLZ4, compress.Lz4Frame}, "zstd": {arrowZSTD, compress.Zstd}}

// buffer appends a buffer to the body, compressed if the settings say so.
func (e *arrowEncoder) buffer(raw []byte) error {
	at := len(e.body)
	if codec, ok := arrowCodecs[e.w.o.ArrowCompression]; ok && len(raw) > 0 {
		var small bytes.Buffer
		z, err := compress.NewWriter(&small, codec.coding)
		if err != nil {
			return err
		}
		if _, err := z.Write(raw); err != nil {
			return err
		}
		if err := z.Close(); err != nil {
			return err
		}
		e.body = binary.LittleEndian.AppendUint64(e.body, uint64(len(raw)))
		raw = small.Bytes()
	}
	e.body = append(e.body, raw...)
	e.buffers = binary.LittleEndian.AppendUint64(e.buffers, uint64(at))
	e.buffers = binary.LittleEndian.AppendUint64(e.buffers, uint64(len(e.body)-at))
	for len(e.body)%8 != 0 {
		e.body = append(e.body, 0)
	}
	if len(e.body) > maxArrowBatch {
		return sqlerr.New(sqlerr.NotImplemented, "A block of more than %d bytes cannot be written as Arrow: lower max_block_size", maxArrowBatch)
	}
	return nil
}
