package format

import (
	"encoding/binary"
	"fmt"
	"io"
	"math"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/internal/types"
)

func init() {
	for _, h := range []struct {
		suffix                 string
		names, types, defaults bool
	}{{"", false, false, false}, {"WithNames", true, false, false}, {"WithNamesAndTypes", true, true, false}, {"WithDefaults", false, false, true}} {
		f := &Format{Name: "RowBinary" + h.suffix, ContentType: "application/octet-stream",
			in: func(s column.Schema, _ Options) rowFormat {
				return &binaryReader{schema: s, head: head{names: h.names, types: h.types}, defaults: h.defaults}
			}}
		if !h.defaults {
			f.out = func(w *output, s column.Schema, _ Options) Writer {
				return &binaryWriter{output: w, schema: s, names: h.names, types: h.types}
			}
		}
		define(f)
	}
}

type binaryWriter struct {
	*output
	schema       column.Schema
	names, types bool
	started      bool
}

func (w *binaryWriter) start() {
	if w.started {
		return
	}
	w.started = true
	if w.names {
		w.buf = binary.AppendUvarint(w.buf, uint64(len(w.schema)))
		for _, f := range w.schema {
			w.buf = appendBinaryString(w.buf, f.Name)
		}
	}
	if w.types {
		for _, f := range w.schema {
			w.buf = appendBinaryString(w.buf, f.Type.String())
		}
	}
}

func appendBinaryString(dst []byte, s string) []byte {
	return append(binary.AppendUvarint(dst, uint64(len(s))), s...)
}

// Write implements Writer.
func (w *binaryWriter) Write(b *column.Block) error {
	w.start()
	b = b.Flatten()
	for i := 0; i < b.N; i++ {
		for _, v := range b.Cols {
			w.buf = appendBinary(w.buf, v, i)
		}
		if err := w.spill(); err != nil {
			return err
		}
	}
	return nil
}

// Totals implements Writer: the format has no place for them.
func (w *binaryWriter) Totals(*column.Block) error   { return nil }
func (w *binaryWriter) Extremes(*column.Block) error { return nil }

// Close implements Writer.
func (w *binaryWriter) Close(Stats) error {
	w.start()
	return w.Flush()
}

// appendBinary appends value i of a flat vector in RowBinary.
func appendBinary(dst []byte, v column.Vector, i int) []byte {
	le := binary.LittleEndian
	switch v := v.(type) {
	case *column.Num[uint8]:
		return append(dst, v.Data[i])
	case *column.Num[int8]:
		return append(dst, uint8(v.Data[i]))
	case *column.Num[uint16]:
		return le.AppendUint16(dst, v.Data[i])
	case *column.Num[int16]:
		return le.AppendUint16(dst, uint16(v.Data[i]))
	case *column.Num[uint32]:
		return le.AppendUint32(dst, v.Data[i])
	case *column.Num[int32]:
		return le.AppendUint32(dst, uint32(v.Data[i]))
	case *column.Num[float32]:
		if v.Typ.Kind == types.BFloat16 {
			return le.AppendUint16(dst, types.BFloat16Bits(v.Data[i]))
		}
		return le.AppendUint32(dst, math.Float32bits(v.Data[i]))
	case *column.Num[uint64]:
		return le.AppendUint64(dst, v.Data[i])
	case *column.Num[int64]:
		return le.AppendUint64(dst, uint64(v.Data[i]))
	case *column.Num[float64]:
		if v.Data[i] != v.Data[i] {
			return le.AppendUint64(dst, 0x7ff8000000000000) // one NaN, whatever made it
		}
		return le.AppendUint64(dst, math.Float64bits(v.Data[i]))
	case *column.Num[types.U128]:
		if v.Typ.Kind == types.UUID { // two halves, the first one first
			return le.AppendUint64(le.AppendUint64(dst, v.Data[i].Hi), v.Data[i].Lo)
		}
		return le.AppendUint64(le.AppendUint64(dst, v.Data[i].Lo), v.Data[i].Hi)
	case *column.Num[types.I128]:
		return le.AppendUint64(le.AppendUint64(dst, v.Data[i].Lo), uint64(v.Data[i].Hi))
	case *column.Num[types.U256]:
		return appendWords(dst, v.Data[i])
	case *column.Num[types.I256]:
		return appendWords(dst, types.U256(v.Data[i]))
	case *column.Str:
		if v.Typ.Width() > 0 {
			return append(dst, v.At(i)...)
		}
		return append(binary.AppendUvarint(dst, uint64(len(v.At(i)))), v.At(i)...)
	case *column.Nullable:
		if v.Nulls[i] != 0 {
			return append(dst, 1)
		}
		return appendBinary(append(dst, 0), v.Inner, i)
	case *column.Array:
		dst = binary.AppendUvarint(dst, uint64(v.Off[i+1]-v.Off[i]))
		for j := v.Off[i]; j < v.Off[i+1]; j++ {
			dst = appendBinary(dst, v.Elem, int(j))
		}
		return dst
	case *column.Variant:
		return appendBinaryVariant(dst, v, i)
	case *column.Map:
		if v.Typ.Kind == types.JSON {
			return appendBinaryObject(dst, v, i)
		}
		dst = binary.AppendUvarint(dst, uint64(v.Off[i+1]-v.Off[i]))
		for j := v.Off[i]; j < v.Off[i+1]; j++ {
			dst = appendBinary(appendBinary(dst, v.Keys, int(j)), v.Vals, int(j))
		}
		return dst
	case *column.Tuple:
		for _, e := range v.Elems {
			dst = appendBinary(dst, e, i)
		}
		return dst
	}
	panic(fmt.Sprintf("format: writing %T", v))
}

// binScan reads binary values; the input may end anywhere.
type binScan struct {
	data []byte
	pos  int
	eof  bool
	// more, if not nil, appends at least n bytes of a stream to data.
	more func(data []byte, n int) ([]byte, error)
}

// fetch gets n more bytes of a stream.
func (s *binScan) fetch(n int) error {
	if s.more == nil {
		return s.short()
	}
	data, err := s.more(s.data, n)
	if err == nil {
		s.data = data
	}
	return err
}

func (s *binScan) short() error {
	if s.eof {
		return sqlerr.New(sqlerr.CannotReadAllData, "Cannot read all data: the input ends inside a value")
	}
	return errShort
}

func (s *binScan) bytes(n uint64) ([]byte, error) {
	if n > maxRow {
		return nil, sqlerr.New(sqlerr.TooLargeStringSize, "Too large string size: %d bytes", n)
	}
	if have := len(s.data) - s.pos; uint64(have) < n {
		if err := s.fetch(int(n) - have); err != nil {
			return nil, err
		}
	}
	b := s.data[s.pos : s.pos+int(n)]
	s.pos += int(n)
	return b, nil
}

func (s *binScan) uvarint() (uint64, error) {
	for {
		x, n := binary.Uvarint(s.data[s.pos:])
		switch {
		case n < 0:
			return 0, sqlerr.New(sqlerr.IncorrectData, "A length in the input is no valid number")
		case n > 0:
			s.pos += n
			return x, nil
		}
		if err := s.fetch(1); err != nil {
			return 0, err
		}
	}
}

func (s *binScan) str() ([]byte, error) {
	n, err := s.uvarint()
	if err != nil {
		return nil, err
	}
	return s.bytes(n)
}

// value appends one RowBinary value to b.
func (s *binScan) value(b column.Builder, depth int) error {
	if depth > maxDepth {
		return sqlerr.New(sqlerr.TooDeepRecursion, "A value is nested deeper than %d", maxDepth)
	}
	switch v := b.(type) {
	case *column.Str:
		if v.Typ.Kind == types.AggregateFunction {
			return sqlerr.New(sqlerr.NotImplemented, "Reading %s from a binary format is not supported", v.Typ)
		}
		n := uint64(v.Typ.Width())
		if n == 0 {
			var err error
			if n, err = s.uvarint(); err != nil {
				return err
			}
		}
		raw, err := s.bytes(n)
		if err != nil {
			return err
		}
		v.Append(raw)
		return nil
	case *column.Nullable:
		flag, err := s.bytes(1)
		if err != nil {
			return err
		}
		if flag[0] != 0 {
			v.AppendNull()
			return nil
		}
		if err := s.value(v.Inner.(column.Builder), depth+1); err != nil {
			return err
		}
		v.Nulls = append(v.Nulls, 0)
		return nil
	case *column.Array:
		return s.run(func() error { return s.value(v.Elem.(column.Builder), depth+1) }, v.EndValue)
	case *column.Variant:
		return s.variant(v, depth)
	case *column.Map:
		if v.Typ.Kind == types.JSON {
			return s.object(v, depth)
		}
		return s.run(func() error {
			if err := s.value(v.Keys.(column.Builder), depth+1); err != nil {
				return err
			}
			return s.value(v.Vals.(column.Builder), depth+1)
		}, v.EndValue)
	case *column.Tuple:
		for _, e := range v.Elems {
			if err := s.value(e.(column.Builder), depth+1); err != nil {
				return err
			}
		}
		v.N++
		return nil
	}
	raw, err := s.bytes(uint64(binaryWidth(b.Type())))
	if err != nil {
		return err
	}
	appendFixed(b, raw)
	return nil
}

func (s *binScan) run(one func() error, end func()) error {
	n, err := s.uvarint()
	if err != nil {
		return err
	}
	if n > maxRow {
		return sqlerr.New(sqlerr.TooLargeStringSize, "Too large array size: %d", n)
	}
	for ; n > 0; n-- {
		if err := one(); err != nil {
			return err
		}
	}
	end()
	return nil
}

// binaryWidth is the number of bytes of a value of fixed width in RowBinary and Native.
func binaryWidth(t *types.Type) int {
	if t.Kind == types.BFloat16 {
		return 2
	}
	return t.Width()
}

// appendWords appends 256 bits, the lowest first; wordsOf reads them.
func appendWords(dst []byte, x types.U256) []byte {
	for _, w := range x {
		dst = binary.LittleEndian.AppendUint64(dst, w)
	}
	return dst
}

func wordsOf(raw []byte) (x [4]uint64) {
	for i := range x {
		x[i] = binary.LittleEndian.Uint64(raw[8*i:])
	}
	return x
}

// appendFixed appends values of fixed width, little endian, as many as raw holds.
func appendFixed(b column.Builder, raw []byte) {
	le := binary.LittleEndian
	switch v := b.(type) {
	case *column.Num[uint8]:
		v.Data = append(v.Data, raw...)
	case *column.Num[int8]:
		for _, x := range raw {
			v.Data = append(v.Data, int8(x))
		}
	case *column.Num[uint16]:
		for ; len(raw) >= 2; raw = raw[2:] {
			v.Data = append(v.Data, le.Uint16(raw))
		}
	case *column.Num[int16]:
		for ; len(raw) >= 2; raw = raw[2:] {
			v.Data = append(v.Data, int16(le.Uint16(raw)))
		}
	case *column.Num[uint32]:
		for ; len(raw) >= 4; raw = raw[4:] {
			v.Data = append(v.Data, le.Uint32(raw))
		}
	case *column.Num[int32]:
		for ; len(raw) >= 4; raw = raw[4:] {
			v.Data = append(v.Data, int32(le.Uint32(raw)))
		}
	case *column.Num[float32]:
		if v.Typ.Kind == types.BFloat16 {
			for ; len(raw) >= 2; raw = raw[2:] {
				v.Data = append(v.Data, types.BFloat16FromBits(le.Uint16(raw)))
			}
			return
		}
		for ; len(raw) >= 4; raw = raw[4:] {
			v.Data = append(v.Data, math.Float32frombits(le.Uint32(raw)))
		}
	case *column.Num[uint64]:
		for ; len(raw) >= 8; raw = raw[8:] {
			v.Data = append(v.Data, le.Uint64(raw))
		}
	case *column.Num[int64]:
		for ; len(raw) >= 8; raw = raw[8:] {
			v.Data = append(v.Data, int64(le.Uint64(raw)))
		}
	case *column.Num[float64]:
		for ; len(raw) >= 8; raw = raw[8:] {
			v.Data = append(v.Data, math.Float64frombits(le.Uint64(raw)))
		}
	case *column.Num[types.U128]:
		for ; len(raw) >= 16; raw = raw[16:] {
			lo, hi := le.Uint64(raw), le.Uint64(raw[8:])
			if v.Typ.Kind == types.UUID {
				lo, hi = hi, lo
			}
			v.Data = append(v.Data, types.U128{Lo: lo, Hi: hi})
		}
	case *column.Num[types.I128]:
		for ; len(raw) >= 16; raw = raw[16:] {
			v.Data = append(v.Data, types.I128{Lo: le.Uint64(raw), Hi: int64(le.Uint64(raw[8:]))})
		}
	case *column.Num[types.U256]:
		for ; len(raw) >= 32; raw = raw[32:] {
			v.Data = append(v.Data, types.U256(wordsOf(raw)))
		}
	case *column.Num[types.I256]:
		for ; len(raw) >= 32; raw = raw[32:] {
			v.Data = append(v.Data, types.I256(wordsOf(raw)))
		}
	default:
		panic(fmt.Sprintf("format: reading %T", b))
	}
}

type binaryReader struct {
	head
	schema   column.Schema
	defaults bool
	given    []*types.Type // types in the header
}

func (d *binaryReader) header(data []byte, eof bool, _ *Rows) (int, error) {
	if !d.names {
		return 0, nil
	}
	s := binScan{data: data, eof: eof}
	n, err := s.uvarint()
	if err != nil {
		return 0, err
	}
	if n > uint64(len(data)) {
		return 0, s.short()
	}
	names := make([]string, n)
	for i := range names {
		raw, err := s.str()
		if err != nil {
			return 0, err
		}
		names[i] = string(raw)
	}
	o := Options{}
	if err := d.set(names, d.schema, &o); err != nil {
		return 0, err
	}
	if d.types {
		if err := d.headerTypes(&s, names); err != nil {
			return 0, err
		}
	}
	return s.pos, nil
}

// headerTypes checks the types of the header: binary values cannot be converted while they are read.
func (d *binaryReader) headerTypes(s *binScan, names []string) error {
	for i := range names {
		raw, err := s.str()
		if err != nil {
			return err
		}
		t, err := types.Parse(string(raw))
		if err != nil {
			return err
		}
		if f := d.schema[d.columns[i]]; !t.WithoutLowCardinality().Equal(f.Type.WithoutLowCardinality()) {
			return sqlerr.New(sqlerr.IncorrectData, "Type of '%s' must be %s, not %s", f.Name, f.Type, t)
		}
	}
	return nil
}

func (d *binaryReader) row(data []byte, eof bool, r *Rows) (int, error) {
	if len(data) == 0 {
		if eof {
			return 0, io.EOF
		}
		return 0, errShort
	}
	s := binScan{data: data, eof: eof}
	for i := 0; i < d.width(d.schema); i++ {
		c := d.at(i)
		if d.defaults {
			flag, err := s.bytes(1)
			if err != nil {
				return 0, err
			}
			if flag[0] != 0 {
				r.omit(c)
				continue
			}
		}
		if err := s.value(r.Cols[c], 0); err != nil {
			return 0, inField(err, d.schema[c])
		}
	}
	d.rest(r)
	if s.pos == 0 {
		return 0, io.EOF // no columns: rows take no bytes
	}
	return s.pos, nil
}

func (d *binaryReader) skip([]byte, bool) (int, error) {
	return 0, sqlerr.New(sqlerr.IncorrectData, "A bad row of RowBinary cannot be skipped")
}
