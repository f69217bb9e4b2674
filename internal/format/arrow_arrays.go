package format

import (
	"bytes"
	"encoding/binary"
	"io"
	"math"
	"slices"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/compress"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/internal/types"
)

// arrowBatch is a record batch being read: its arrays are taken in the order of the schema.
type arrowBatch struct {
	rows    int
	body    []byte
	nodes   []byte // 16 bytes an array: its length, its count of NULL
	buffers []byte // 16 bytes a buffer: its place in the body, its length
	codec   int
	left    int64 // bytes that buffers may still decompress to
	dicts   *arrowDicts
}

// batch opens the record batch that t is of.
func (m *arrowMessage) batch(t flatTable, dicts *arrowDicts) (*arrowBatch, error) {
	b := &arrowBatch{body: m.body, nodes: t.vector(1, 16), buffers: t.vector(2, 16), codec: arrowPlain, left: maxArrowBatch, dicts: dicts}
	rows := t.int(0, 8, 0)
	if c := t.table(3); c.b != nil {
		b.codec = int(c.int(0, 1, arrowLZ4))
	}
	if t.b == nil || t.b.broken || rows < 0 {
		return nil, errArrowMetadata()
	}
	if rows > maxArrowRows {
		return nil, sqlerr.New(sqlerr.IncorrectData, "Cannot read Arrow: a batch of %d rows, more than %d", rows, maxArrowRows)
	}
	b.rows = int(rows)
	return b, nil
}

// node is the next array's length, which must be at least rows, and whether it has NULLs.
func (b *arrowBatch) node(rows int) (n int, nulls bool, err error) {
	if len(b.nodes) < 16 {
		return 0, false, sqlerr.New(sqlerr.IncorrectData, "Cannot read Arrow: a batch has fewer arrays than the schema")
	}
	length, count := binary.LittleEndian.Uint64(b.nodes), binary.LittleEndian.Uint64(b.nodes[8:])
	b.nodes = b.nodes[16:]
	if length < uint64(rows) || length > maxArrowBatch {
		return 0, false, sqlerr.New(sqlerr.IncorrectData, "Cannot read Arrow: an array of %d values where %d are needed", length, rows)
	}
	return int(length), count != 0, nil
}

// place is where the next buffer is.
func (b *arrowBatch) place() ([]byte, error) {
	if len(b.buffers) < 16 {
		return nil, sqlerr.New(sqlerr.IncorrectData, "Cannot read Arrow: a batch has fewer buffers than its arrays need")
	}
	at, n := binary.LittleEndian.Uint64(b.buffers), binary.LittleEndian.Uint64(b.buffers[8:])
	b.buffers = b.buffers[16:]
	if size := uint64(len(b.body)); at > size || n > size-at {
		return nil, sqlerr.New(sqlerr.IncorrectData, "Cannot read Arrow: a buffer of %d bytes at %d in a body of %d", n, at, size)
	}
	return b.body[at : at+n : at+n], nil
}

// buffer is the next buffer, of at least n bytes.
func (b *arrowBatch) buffer(n int) ([]byte, error) {
	raw, err := b.place()
	if err == nil && b.codec != arrowPlain && len(raw) > 0 {
		raw, err = b.decompress(raw)
	}
	if err == nil && len(raw) < n {
		err = sqlerr.New(sqlerr.IncorrectData, "Cannot read Arrow: a buffer of %d bytes where %d are needed", len(raw), n)
	}
	return raw, err
}

func (b *arrowBatch) decompress(raw []byte) ([]byte, error) {
	if len(raw) < 8 {
		return nil, sqlerr.New(sqlerr.IncorrectData, "Cannot read Arrow: a compressed buffer of %d bytes", len(raw))
	}
	n := int64(binary.LittleEndian.Uint64(raw))
	if raw = raw[8:]; n == -1 {
		return raw, nil
	}
	if n < 0 || n > b.left {
		return nil, sqlerr.New(sqlerr.IncorrectData, "Cannot read Arrow: a batch has more than %d bytes", maxArrowBatch)
	}
	b.left -= n
	coding := compress.Lz4Frame
	switch b.codec {
	case arrowZSTD:
		coding = compress.Zstd
	case arrowLZ4:
	default:
		return nil, sqlerr.New(sqlerr.IncorrectData, "Cannot read Arrow: compression number %d is not known", b.codec)
	}
	r, err := compress.NewReader(bytes.NewReader(raw), coding)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	var out bytes.Buffer
	out.Grow(int(min(n, 1<<20)))
	got, err := io.Copy(&out, io.LimitReader(r, n+1))
	if err == nil && got != n {
		err = sqlerr.New(sqlerr.IncorrectData, "Cannot read Arrow: a buffer of %d bytes is said to have %d", got, n)
	}
	return out.Bytes(), err
}

// buffersOf is how many buffers an array of the field has itself.
func (f *arrowField) buffersOf() int {
	if f.dict != nil {
		return 2
	}
	switch f.typ.kind {
	case arrowNull:
		return 0
	case arrowStruct, arrowFixedList:
		return 1
	case arrowBinary, arrowUtf8, arrowLargeBinary, arrowLargeUtf8:
		return 3
	}
	return 2
}

// skip leaves out the arrays of a field.
func (b *arrowBatch) skip(f *arrowField) error {
	if _, _, err := b.node(0); err != nil {
		return err
	}
	for range f.buffersOf() {
		if _, err := b.place(); err != nil {
			return err
		}
	}
	if f.dict != nil {
		return nil
	}
	for _, k := range f.kids {
		if err := b.skip(k); err != nil {
			return err
		}
	}
	return nil
}

// array reads the first rows values of a field as its natural type t. outer marks the rows of which a struct around is NULL.
func (b *arrowBatch) array(f *arrowField, t *types.Type, outer []uint8, rows int) (column.Vector, error) {
	_, has, err := b.node(rows)
	if err != nil {
		return nil, err
	}
	if f.typ.kind == arrowNull && f.dict == nil {
		if rows > maxArrowNothing {
			return nil, sqlerr.New(sqlerr.IncorrectData, "Cannot read Arrow: %d values of type null", rows)
		}
		return column.Flatten(column.NewNulls(rows)), nil
	}
	nulls, err := b.validity(rows, has, outer)
	if err != nil {
		return nil, err
	}
	if f.dict != nil {
		return b.coded(f, t, nulls, rows)
	}
	switch f.typ.kind {
	case arrowStruct:
		out := &column.Tuple{Typ: t, N: rows}
		for i, k := range f.kids {
			e, err := b.array(k, t.Elems[i], nulls, rows)
			if err != nil {
				return nil, err
			}
			out.Elems = append(out.Elems, column.Flatten(e))
		}
		return out, nil
	case arrowList, arrowLargeList, arrowFixedList, arrowMap:
		return b.list(f, t, nulls, rows)
	}
	v, err := b.leaf(f.typ, t.WithoutNullable(), rows)
	if s, ok := v.(*column.Str); ok && err == nil && f.uuid {
		v = uuidsOf(s)
	}
	if err != nil {
		return nil, err
	}
	return withNulls(v, t, nulls), nil
}

// withNulls is v as values of t, which may be Nullable; nulls nil: none are NULL.
func withNulls(v column.Vector, t *types.Type, nulls []uint8) column.Vector {
	if !t.IsNullable() {
		return v
	}
	if nulls == nil {
		nulls = make([]uint8, v.Len())
	}
	return column.NewNullable(nulls, v)
}

// validity reads the bitmap of what is not NULL, as a mask of what is; nil: nothing is NULL.
func (b *arrowBatch) validity(rows int, has bool, outer []uint8) ([]uint8, error) {
	raw, err := b.buffer(0)
	if err != nil {
		return nil, err
	}
	if !has || len(raw) == 0 {
		return outer, nil
	}
	if len(raw) < (rows+7)/8 {
		return nil, sqlerr.New(sqlerr.IncorrectData, "Cannot read Arrow: a bitmap of %d bytes for %d values", len(raw), rows)
	}
	nulls := make([]uint8, rows)
	for i := range nulls {
		nulls[i] = ^raw[i>>3] >> (i & 7) & 1
	}
	for i, x := range outer {
		nulls[i] |= x
	}
	return nulls, nil
}

// list reads arrays and maps.
func (b *arrowBatch) list(f *arrowField, t *types.Type, nulls []uint8, rows int) (column.Vector, error) {
	off, err := b.listOffsets(f.typ, rows)
	if err != nil {
		return nil, err
	}
	sel := presentElements(off, nulls)
	n := int(off[rows])
	pick := func(v column.Vector, err error) (column.Vector, error) {
		if err != nil || sel == nil {
			return v, err
		}
		return column.Flatten(column.Gather(v, sel)), nil
	}
	if f.typ.kind != arrowMap {
		e, err := pick(b.array(f.kids[0], t.Elem(), nil, n))
		if err != nil {
			return nil, err
		}
		return &column.Array{Typ: t, Off: compactOffsets(off, nulls), Elem: column.Flatten(e)}, nil
	}
	if _, _, err := b.node(n); err != nil { // the entries
		return nil, err
	}
	if _, err := b.place(); err != nil {
		return nil, err
	}
	keys, err := pick(b.array(f.kids[0].kids[0], t.Elems[0], nil, n))
	if err != nil {
		return nil, err
	}
	vals, err := pick(b.array(f.kids[0].kids[1], t.Elems[1], nil, n))
	if err != nil {
		return nil, err
	}
	return &column.Map{Typ: t, Off: compactOffsets(off, nulls), Keys: column.Flatten(keys), Vals: column.Flatten(vals)}, nil
}

// listOffsets are the ends of lists.
func (b *arrowBatch) listOffsets(a arrowType, rows int) ([]uint32, error) {
	if a.kind != arrowFixedList {
		return b.offsets(rows, a.kind == arrowLargeList)
	}
	if rows > maxArrowNothing || a.size*rows > maxArrowBatch {
		return nil, sqlerr.New(sqlerr.IncorrectData, "Cannot read Arrow: %d lists of %d values", rows, a.size)
	}
	return evenOffsets(rows, a.size), nil
}

// evenOffsets are the ends of n values of one size.
func evenOffsets(n, size int) []uint32 {
	off := make([]uint32, n+1)
	for i := range off {
		off[i] = uint32(i * size)
	}
	return off
}

// offsets reads where n values begin and end, which must not go back.
func (b *arrowBatch) offsets(n int, large bool) ([]uint32, error) {
	width := 4
	if large {
		width = 8
	}
	need := width * (n + 1)
	if n == 0 { // there may be no offset either
		need = 0
	}
	raw, err := b.buffer(need)
	if err != nil || need == 0 {
		return make([]uint32, 1), err
	}
	off := make([]uint32, n+1)
	last := uint64(0)
	for i := range off {
		x := uint64(binary.LittleEndian.Uint32(raw[i*width:]))
		if large {
			x = binary.LittleEndian.Uint64(raw[i*width:])
		}
		if x < last || x > maxArrowBatch {
			return nil, sqlerr.New(sqlerr.IncorrectData, "Cannot read Arrow: offset %d behind %d", x, last)
		}
		last = x
		off[i] = uint32(x)
	}
	return off, nil
}

// presentElements are the positions of elements that belong to lists which are not NULL; nil if that is all from the first on.
func presentElements(off []uint32, nulls []uint8) []uint32 {
	hidden := off[0] > 0
	for i, null := range nulls {
		hidden = hidden || null != 0 && off[i+1] > off[i]
	}
	if !hidden {
		return nil
	}
	sel := []uint32{}
	for i := range len(off) - 1 {
		if nulls == nil || nulls[i] == 0 {
			for k := off[i]; k < off[i+1]; k++ {
				sel = append(sel, k)
			}
		}
	}
	return sel
}

// compactOffsets are the offsets of lists of which those that are NULL are empty.
func compactOffsets(off []uint32, nulls []uint8) []uint32 {
	out := make([]uint32, len(off))
	for i := range len(off) - 1 {
		out[i+1] = out[i]
		if nulls == nil || nulls[i] == 0 {
			out[i+1] += off[i+1] - off[i]
		}
	}
	return out
}

// coded reads values as positions in a dictionary.
func (b *arrowBatch) coded(f *arrowField, t *types.Type, nulls []uint8, rows int) (column.Vector, error) {
	index := f.dict.index
	raw, err := b.buffer(rows * index.bits / 8)
	if err != nil {
		return nil, err
	}
	dict := b.dicts.values[f.dict.id]
	if dict == nil {
		return nil, sqlerr.New(sqlerr.IncorrectData, "Cannot read Arrow: dictionary %d is not there", f.dict.id)
	}
	values := dict.Slice(0, dict.Len())
	codes := make([]uint32, rows)
	for i := range codes {
		x := uint64(0)
		for k := range index.bits / 8 {
			x |= uint64(raw[i*index.bits/8+k]) << (8 * k)
		}
		switch {
		case nulls != nil && nulls[i] != 0:
			x = 0
		case x >= uint64(values.Len()):
			return nil, sqlerr.New(sqlerr.IncorrectData, "Cannot read Arrow: position %d in a dictionary of %d values", x, values.Len())
		}
		codes[i] = uint32(x)
	}
	if values.Len() == 0 { // every row is NULL
		values = column.Flatten(column.NewDefaults(values.Type(), 1))
	}
	return codedVector(values, codes, t, nulls), nil
}

// codedVector is the values at codes, as t. values are Nullable if values of their type can be.
func codedVector(values column.Vector, codes []uint32, t *types.Type, nulls []uint8) column.Vector {
	inner, ok := values.(*column.Nullable)
	if !ok {
		return column.Gather(values, codes)
	}
	if t.IsNullable() && slices.Contains(inner.Nulls, 1) {
		if nulls = slices.Clone(nulls); nulls == nil {
			nulls = make([]uint8, len(codes))
		}
		for i, c := range codes {
			nulls[i] |= inner.Nulls[c]
		}
	}
	return withNulls(&column.Dict{Codes: codes, Values: inner.Inner}, t, nulls)
}

// leaf reads values without parts.
func (b *arrowBatch) leaf(a arrowType, t *types.Type, rows int) (column.Vector, error) {
	switch a.kind {
	case arrowBinary, arrowUtf8, arrowLargeBinary, arrowLargeUtf8:
		off, err := b.offsets(rows, a.kind >= arrowLargeBinary)
		if err != nil {
			return nil, err
		}
		raw, err := b.buffer(int(off[rows]))
		return &column.Str{Typ: t, Off: off, Data: raw}, err
	case arrowFixedBinary:
		raw, err := b.buffer(rows * a.size)
		if err != nil {
			return nil, err
		}
		return &column.Str{Typ: types.NewFixedString(a.size), Off: evenOffsets(rows, a.size), Data: raw}, nil
	case arrowBool:
		raw, err := b.buffer((rows + 7) / 8)
		if err != nil {
			return nil, err
		}
		v := &column.Num[uint8]{Typ: t, Data: make([]uint8, rows)}
		for i := range v.Data {
			v.Data[i] = raw[i>>3] >> (i & 7) & 1
		}
		return v, nil
	case arrowDecimal:
		raw, err := b.buffer(rows * a.bits / 8)
		if err != nil {
			return nil, err
		}
		return arrowDecimals(raw, t, rows, a.bits/8), nil
	}
	return b.fixed(a, t, rows)
}

// fixed reads numbers, dates and times.
func (b *arrowBatch) fixed(a arrowType, t *types.Type, rows int) (column.Vector, error) {
	width := t.Width()
	switch {
	case a.kind == arrowFloat && a.bits == 16:
		width = 2
	case a.kind == arrowTime:
		width = a.bits / 8
	}
	raw, err := b.buffer(rows * width)
	if err != nil {
		return nil, err
	}
	raw = raw[:rows*width]
	v := column.New(t, rows)
	switch {
	case a.kind == arrowFloat && a.bits == 16:
		n := v.(*column.Num[float32])
		for i := range rows {
			n.Data = append(n.Data, halfFloat(binary.LittleEndian.Uint16(raw[2*i:])))
		}
		return n, nil
	case width == t.Width():
		appendFixed(v, raw)
		return v, nil
	}
	for i := range rows { // times whose width is not that of their unit
		x := int64(int32(binary.LittleEndian.Uint32(raw[i*width:])))
		if width == 8 {
			x = int64(binary.LittleEndian.Uint64(raw[i*width:]))
		}
		switch n := v.(type) {
		case *column.Num[int32]:
			n.Data = append(n.Data, int32(x))
		case *column.Num[int64]:
			n.Data = append(n.Data, x)
		}
	}
	return v, nil
}

// uuidsOf are 16 bytes each as UUIDs, whose highest byte is the first.
func uuidsOf(s *column.Str) column.Vector {
	v := &column.Num[types.U128]{Typ: types.TUUID, Data: make([]types.U128, s.Len())}
	for i := range v.Data {
		v.Data[i] = bigEndianUUID(s.At(i))
	}
	return v
}

// halfFloat is a number of 16 bits: a sign, 5 bits of exponent, 10 of fraction.
func halfFloat(h uint16) float32 {
	exp, frac := int(h>>10&31), float64(h&1023)
	x := math.Ldexp(1024+frac, exp-25)
	switch {
	case exp == 0:
		x = math.Ldexp(frac, -24)
	case exp == 31 && frac == 0:
		x = math.Inf(1)
	case exp == 31:
		x = math.NaN()
	}
	if h>>15 != 0 {
		x = -x
	}
	return float32(x)
}

// arrowDecimals are numbers of width bytes, the lowest first, as Decimals, which take as many or fewer.
func arrowDecimals(raw []byte, t *types.Type, rows, width int) column.Vector {
	v := column.New(t, rows)
	for i := range rows {
		var wide [32]byte
		n := copy(wide[:], raw[i*width:(i+1)*width])
		if wide[n-1] >= 0x80 {
			for k := n; k < len(wide); k++ {
				wide[k] = 0xff
			}
		}
		appendFixed(v, wide[:t.Width()])
	}
	return v
}

// arrowDicts are the dictionaries of a stream.
type arrowDicts struct {
	fields map[int64]*arrowField    // whose values they hold
	values map[int64]column.Builder // they grow; what is handed on is a slice
}

// know notes what dictionaries a field needs.
func (d *arrowDicts) know(f *arrowField) {
	if f.dict != nil {
		d.fields[f.dict.id] = f
	}
	for _, k := range f.kids {
		d.know(k)
	}
}

// take reads a dictionary, or more values of one.
func (d *arrowDicts) take(m *arrowMessage) error {
	id, delta := m.header.int(0, 8, 0), m.header.int(2, 1, 0) != 0
	f := d.fields[id]
	if f == nil {
		return sqlerr.New(sqlerr.IncorrectData, "Cannot read Arrow: dictionary %d is of no column", id)
	}
	b, err := m.batch(m.header.table(1), d)
	if err != nil {
		return err
	}
	plain := *f
	plain.dict, plain.nullable = nil, true
	t, err := plain.natural(false)
	if err != nil {
		return err
	}
	v, err := b.array(&plain, t, nil, b.rows)
	if err != nil {
		return err
	}
	old := d.values[id]
	if old == nil || !delta {
		old = column.New(v.Type(), v.Len())
	}
	if old.Bytes()+v.Bytes() > maxArrowBatch {
		return sqlerr.New(sqlerr.IncorrectData, "Cannot read Arrow: dictionary %d has more than %d bytes", id, maxArrowBatch)
	}
	old.AppendRange(v, 0, v.Len())
	d.values[id] = old
	return nil
}
