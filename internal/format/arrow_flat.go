package format

import "encoding/binary"

// FlatBuffers are what Arrow's metadata is encoded in: tables of numbered fields, found through a table of their places. What is read is
// not trusted; what is written has every child behind its parent, so that one pass does.

// flatBuffer is an input. What lies outside of it reads as zero and is remembered as broken.
type flatBuffer struct {
	data   []byte
	broken bool
}

// at returns n bytes, or zeros if they are not there.
func (b *flatBuffer) at(pos, n int) []byte {
	if pos < 0 || n < 0 || pos > len(b.data)-n {
		b.broken = true
		return make([]byte, 8)
	}
	return b.data[pos : pos+n]
}

func (b *flatBuffer) u16(pos int) int { return int(binary.LittleEndian.Uint16(b.at(pos, 2))) }

func (b *flatBuffer) u32(pos int) int { return int(binary.LittleEndian.Uint32(b.at(pos, 4))) }

// root is the buffer's outermost table.
func (b *flatBuffer) root() flatTable { return b.table(b.u32(0)) }

func (b *flatBuffer) table(pos int) flatTable {
	places := pos - int(int32(b.u32(pos)))
	return flatTable{b: b, pos: pos, places: places, size: b.u16(places)}
}

// flatTable is a table; the zero value has no fields.
type flatTable struct {
	b           *flatBuffer
	pos, places int
	size        int // of the places, in bytes
}

// field is the position of a field; 0 if it is absent.
func (t flatTable) field(slot int) int {
	at := 4 + 2*slot
	if t.b == nil || at+2 > t.size {
		return 0
	}
	off := t.b.u16(t.places + at)
	if off == 0 {
		return 0
	}
	return t.pos + off
}

// int is an integer of width bytes, absent if the field is.
func (t flatTable) int(slot, width int, absent int64) int64 {
	pos := t.field(slot)
	if pos == 0 {
		return absent
	}
	raw := t.b.at(pos, width)
	switch width {
	case 1:
		return int64(int8(raw[0]))
	case 2:
		return int64(int16(binary.LittleEndian.Uint16(raw)))
	case 4:
		return int64(int32(binary.LittleEndian.Uint32(raw)))
	}
	return int64(binary.LittleEndian.Uint64(raw))
}

// target is where a field that refers to something else points; 0 if it is absent.
func (t flatTable) target(slot int) int {
	pos := t.field(slot)
	if pos == 0 {
		return 0
	}
	return pos + t.b.u32(pos)
}

// table is the table that a field refers to; without fields if it is absent.
func (t flatTable) table(slot int) flatTable {
	pos := t.target(slot)
	if pos == 0 {
		return flatTable{}
	}
	return t.b.table(pos)
}

// vector is the elements of a vector, each of width bytes.
func (t flatTable) vector(slot, width int) []byte {
	pos := t.target(slot)
	if pos == 0 {
		return nil
	}
	n := t.b.u32(pos)
	if n > len(t.b.data)/width {
		t.b.broken = true
		return nil
	}
	if raw := t.b.at(pos+4, n*width); len(raw) >= n*width {
		return raw[:n*width]
	}
	return nil
}

// tables are those of a vector of tables.
func (t flatTable) tables(slot int) []flatTable {
	raw := t.vector(slot, 4)
	out := make([]flatTable, 0, len(raw)/4)
	first := t.target(slot) + 4
	for i := 0; i < len(raw); i += 4 {
		out = append(out, t.b.table(first+i+t.b.u32(first+i)))
	}
	return out
}

func (t flatTable) text(slot int) string { return string(t.vector(slot, 1)) }

// flatWriter builds a FlatBuffer whose root is the first table.
type flatWriter struct {
	data []byte
	last int // where the table written last begins
}

// flatField is a field of a table to write: width bytes of value, or nothing if width is 0. A field that refers to something is
// flatRef, filled in by text, list and linkTable.
type flatField struct {
	width int
	value int64
}

// flatRef is a field that refers to what is written later.
var flatRef = flatField{width: 4}

func newFlatWriter() *flatWriter { return &flatWriter{data: make([]byte, 4)} }

func (w *flatWriter) align(n int) {
	for len(w.data)%n != 0 {
		w.data = append(w.data, 0)
	}
}

// table writes a table and returns the positions of its fields.
func (w *flatWriter) table(fields ...flatField) []int {
	le := binary.LittleEndian
	w.align(8)
	places := len(w.data)
	w.data = append(w.data, make([]byte, 4+2*len(fields))...)
	le.PutUint16(w.data[places:], uint16(4+2*len(fields)))
	w.align(8)
	pos := len(w.data)
	w.last = pos
	if places == 8 { // the first table of the buffer
		le.PutUint32(w.data, uint32(pos))
	}
	w.data = le.AppendUint32(w.data, uint32(pos-places))
	at := make([]int, len(fields))
	for i, f := range fields {
		if f.width == 0 {
			continue
		}
		w.align(f.width)
		at[i] = len(w.data)
		le.PutUint16(w.data[places+4+2*i:], uint16(at[i]-pos))
		w.data = append(w.data, le.AppendUint64(nil, uint64(f.value))[:f.width]...)
	}
	le.PutUint16(w.data[places+2:], uint16(len(w.data)-pos))
	return at
}

// text has a field refer to a string.
func (w *flatWriter) text(field int, s string) {
	w.align(4)
	binary.LittleEndian.PutUint32(w.data[field:], uint32(len(w.data)-field))
	w.data = binary.LittleEndian.AppendUint32(w.data, uint32(len(s)))
	w.data = append(append(w.data, s...), 0)
}

// list has a field refer to a vector of n elements of width bytes, all zero, and returns where they are. Elements of 8 bytes are aligned.
func (w *flatWriter) list(field, n, width int) int {
	w.align(8)
	if width%8 == 0 {
		w.data = append(w.data, 0, 0, 0, 0) // so that the elements behind the count are aligned
	}
	binary.LittleEndian.PutUint32(w.data[field:], uint32(len(w.data)-field))
	w.data = binary.LittleEndian.AppendUint32(w.data, uint32(n))
	at := len(w.data)
	w.data = append(w.data, make([]byte, n*width)...)
	return at
}

// linkTable has a field refer to the table that is written next: tables begin behind their places.
func (w *flatWriter) linkTable(field int, fields ...flatField) []int {
	at := w.table(fields...)
	binary.LittleEndian.PutUint32(w.data[field:], uint32(w.last-field))
	return at
}
