package format

import (
	"io"
	"slices"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/sqlerr"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// Protobuf is messages of a type: of one in a .proto file of the folder of schemas (format_schema = 'file:Message'), or, without one, of the type that
// the columns make, their numbers in order. Protobuf has each message behind its length, ProtobufSingle one message alone, ProtobufList all messages as
// the repeated field 1 of one, behind its length.
//
// A column belongs to the field of its name, in any case, '.' and '_' being the same; the column a.b or a_b to the field b of the message in the field a.
//
//	repeated field                 Array                  message                        Tuple
//	map                            Map                    message of one repeated field  Array in an Array
//	enum                           Enum, by name          string, bytes                  the text of any value
//
// Numbers are dates in days, times in seconds, and addresses. What a message does not have is the column's default.
func init() {
	define(&Format{Name: "Protobuf", ContentType: "application/octet-stream",
		out: func(w *output, s column.Schema, o Options) Writer { return newProtoWriter(w, s, o, protoDelimited) },
		in:  func(s column.Schema, o Options) rowFormat { return newProtoReader(s, o, protoDelimited) }})
	define(&Format{Name: "ProtobufSingle", ContentType: "application/octet-stream",
		out: func(w *output, s column.Schema, o Options) Writer { return newProtoWriter(w, s, o, protoSingle) },
		in:  func(s column.Schema, o Options) rowFormat { return newProtoReader(s, o, protoSingle) }})
	define(&Format{Name: "ProtobufList", ContentType: "application/octet-stream",
		out: func(w *output, s column.Schema, o Options) Writer { return newProtoWriter(w, s, o, protoList) },
		in:  func(s column.Schema, o Options) rowFormat { return newProtoReader(s, o, protoList) }})
}

// protoFraming is how messages follow each other.
type protoFraming uint8

const (
	protoDelimited protoFraming = iota
	protoSingle
	protoList
)

// maxProtoMessage bounds a message to be read: a byte of a packed field takes 32 while it is read.
const maxProtoMessage = 16 << 20

// protoRows is the field of the message around those of ProtobufList.
const protoRows = 1

// protoMessage is a type of messages.
type protoMessage struct {
	name   string
	fields []*protoField // by number
}

// protoField is a field of one.
type protoField struct {
	name     string
	num      protowire.Number
	kind     protoreflect.Kind
	repeated bool
	packed   bool
	presence bool // a default is told from nothing
	msg      *protoMessage
	isMap    bool             // msg is its entries: key and value
	names    map[int32]string // of an enum
	numbers  map[string]int32
}

// sort puts the fields in the order of their numbers, in which they are written.
func (m *protoMessage) sort() {
	slices.SortFunc(m.fields, func(a, b *protoField) int { return int(a.num - b.num) })
}

// protoReader reads messages.
type protoReader struct {
	framing protoFraming
	schema  column.Schema
	o       Options
	bound   *protoBinding
	err     error // of the schema; told by the header
	left    int   // of ProtobufList: bytes of the list that are left
	opened  bool
}

func newProtoReader(s column.Schema, o Options, framing protoFraming) rowFormat {
	d := &protoReader{framing: framing, schema: s, o: o}
	d.bound, d.err = bindProto(s, &o)
	return d
}

func (d *protoReader) header([]byte, bool, *Rows) (int, error) {
	d.opened, d.left = false, 0
	return 0, d.err
}

func (d *protoReader) row(data []byte, eof bool, r *Rows) (int, error) {
	s := binScan{data: data, eof: eof}
	var msg []byte
	var err error
	switch d.framing {
	case protoSingle:
		switch {
		case !eof:
			return 0, errShort
		case d.opened:
			return 0, io.EOF
		}
		msg, s.pos = data, len(data)
	case protoDelimited:
		if len(data) == 0 {
			if eof {
				return 0, io.EOF
			}
			return 0, errShort
		}
		if msg, err = s.str(); err != nil {
			return 0, err
		}
	default:
		if msg, err = d.element(&s); err != nil {
			return 0, err
		}
	}
	if err := d.bound.rows(r, msg, &d.o); err != nil {
		return 0, err
	}
	d.opened = true
	if d.framing == protoList {
		d.left -= s.pos
	}
	return s.pos, nil
}

// element is the next message of a list, and of the next list where one has ended. d.left is what is left of the list once row has
// counted what was read here.
func (d *protoReader) element(s *binScan) ([]byte, error) {
	left := d.left
	for left == 0 {
		if len(s.data) == s.pos {
			if s.eof {
				return nil, io.EOF
			}
			return nil, errShort
		}
		n, err := s.uvarint()
		if err != nil {
			return nil, err
		}
		if n > maxRow {
			return nil, sqlerr.New(sqlerr.IncorrectData, "A ProtobufList of %d bytes is too large", n)
		}
		left = int(n)
	}
	from := s.pos
	tag, err := s.uvarint()
	if err != nil {
		return nil, err
	}
	if tag != protoRows<<3|uint64(protowire.BytesType) {
		return nil, sqlerr.New(sqlerr.IncorrectData, "Cannot parse ProtobufList: tag %d in the list", tag)
	}
	msg, err := s.str()
	if err != nil {
		return nil, err
	}
	if s.pos-from > left {
		return nil, sqlerr.New(sqlerr.IncorrectData, "Cannot parse ProtobufList: a message goes beyond the end of the list")
	}
	d.left = left + from // row takes off all that was read
	return msg, nil
}

func (d *protoReader) skip(data []byte, eof bool) (int, error) {
	if d.framing != protoDelimited {
		return 0, sqlerr.New(sqlerr.IncorrectData, "A bad message of ProtobufSingle or ProtobufList cannot be skipped")
	}
	s := binScan{data: data, eof: eof}
	_, err := s.str()
	return s.pos, err
}

// protoWriter writes messages.
type protoWriter struct {
	*output
	framing protoFraming
	o       Options
	bound   *protoBinding
	msg     []byte
	list    []byte // of ProtobufList: all messages, whose length stands in front
	rows    int
	err     error // of the schema; told by the first call
}

func newProtoWriter(out *output, s column.Schema, o Options, framing protoFraming) Writer {
	w := &protoWriter{output: out, framing: framing, o: o}
	w.bound, w.err = bindProto(s, &o)
	return w
}

// maxProtoList bounds a ProtobufList, which is held until its length is known.
const maxProtoList = 256 << 20

// Write implements Writer.
func (w *protoWriter) Write(b *column.Block) error {
	if w.err != nil {
		return w.err
	}
	b = b.Flatten()
	for i := range b.N {
		var err error
		if w.msg, err = w.bound.append(w.msg[:0], b.Cols, i, &w.o); err != nil {
			return err
		}
		w.rows++
		switch w.framing {
		case protoSingle:
			if w.rows > 1 {
				return sqlerr.New(sqlerr.NoRowDelimiter, "The ProtobufSingle format can't be used to write multiple rows because this format doesn't have any row delimiter.")
			}
			w.buf = append(w.buf, w.msg...)
		case protoDelimited:
			w.buf = protowire.AppendBytes(w.buf, w.msg)
		default:
			w.list = protowire.AppendTag(w.list, protoRows, protowire.BytesType)
			if w.list = protowire.AppendBytes(w.list, w.msg); len(w.list) > maxProtoList {
				return sqlerr.New(sqlerr.TooManyRowsOrBytes, "A ProtobufList of more than %d bytes cannot be written: Protobuf has no such limit", maxProtoList)
			}
			continue
		}
		if err := w.spill(); err != nil {
			return err
		}
	}
	return nil
}

// Totals implements Writer: the format has no place for them.
func (w *protoWriter) Totals(*column.Block) error { return nil }

// Extremes implements Writer.
func (w *protoWriter) Extremes(*column.Block) error { return nil }

// Close implements Writer.
func (w *protoWriter) Close(Stats) error {
	if w.err != nil {
		return w.err
	}
	if w.framing == protoList && w.rows > 0 {
		w.buf = protowire.AppendBytes(w.buf, w.list)
	}
	return w.Flush()
}
