package grouping

import (
	"unsafe"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/kernel"
	"github.com/olapd/olapd/internal/types"
)

// Encoder turns key columns into words. It is used by one goroutine; Fork gives others their own, which number
// values alike, so that equal keys have equal words whoever encoded them.
type Encoder struct {
	cols    []keyColumn
	stride  int // words per row
	collide bool
	insert  bool
	state   []internState // by column
	ids     []uint32
	words   []uint64 // of the last Encode
}

// NewEncoder returns an encoder for key columns of the given types. collide makes every hash
// equal, for tests of the tables.
func NewEncoder(ts []*types.Type, collide bool) *Encoder {
	e := &Encoder{collide: collide, insert: true, state: make([]internState, len(ts))}
	e.cols, e.stride = layout(ts, collide)
	return e
}

// Share makes the encoder, which has encoded nothing yet, use and add to what is known of dictionaries.
func (e *Encoder) Share(x *Unions) {
	for i := range e.cols {
		if in := e.cols[i].intern; in != nil {
			in.unions = x
		}
	}
}

// Fork returns an encoder over the same interned values for another goroutine.
func (e *Encoder) Fork() *Encoder {
	return &Encoder{cols: e.cols, stride: e.stride, collide: e.collide, insert: true, state: make([]internState, len(e.cols))}
}

// Reader is Fork without insertion: rows with a value that no other encoder has seen get words that no key has.
func (e *Encoder) Reader() *Encoder {
	r := e.Fork()
	r.insert = false
	return r
}

// Stride is the number of words of a row.
func (e *Encoder) Stride() int { return e.stride }

// Bytes is the memory of the interned values.
func (e *Encoder) Bytes() int64 {
	n := int64(0)
	for i := range e.cols {
		if in := e.cols[i].intern; in != nil {
			n += in.bytes()
		}
	}
	return n
}

// Encode returns the words of n rows, row by row, valid until the next call; they may be the values of a column. The
// key columns have the encoder's types, LowCardinality aside, or are not Nullable where the encoder's type is.
func (e *Encoder) Encode(cols []column.Vector, n int) ([]uint64, error) {
	if whole := e.whole(cols); whole != nil {
		return whole, nil
	}
	e.words = sized(e.words, n*e.stride)
	words := e.words
	if len(cols) == 0 {
		clear(words)
	}
	for _, first := range []bool{true, false} { // what begins a word also clears it
		for i := range e.cols {
			c := &e.cols[i]
			if c.at.shift == 0 != first && !c.nullable {
				continue
			}
			v, nulls := splitNulls(cols[i])
			if c.nullable && c.null.shift == 0 == first {
				setBits(words, nulls, n, e.stride, c.null)
			}
			if c.at.shift == 0 != first {
				continue
			}
			if err := e.encodeColumn(words, i, v, nulls, n); err != nil {
				return nil, err
			}
		}
	}
	return words, nil
}

// whole returns the words where the only key column is of 64 bits: its own values.
func (e *Encoder) whole(cols []column.Vector) []uint64 {
	if len(cols) != 1 || e.cols[0].bits != 64 || e.cols[0].nullable {
		return nil
	}
	switch v := cols[0].(type) {
	case *column.Num[uint64]:
		return v.Data
	case *column.Num[int64]:
		return reinterpret[uint64](v.Data)
	}
	return nil
}

func (e *Encoder) encodeColumn(words []uint64, i int, v column.Vector, nulls []uint8, n int) error {
	c := &e.cols[i]
	if c.intern == nil {
		packColumn(words, e.stride, c, column.Flatten(v), nulls)
		return nil
	}
	e.ids = sized(e.ids, n)
	if err := c.intern.numbers(&e.state[i], v, e.ids, e.insert); err != nil {
		return err
	}
	pack(words, e.stride, c.at, e.ids, nulls)
	return nil
}

// Number writes the numbers of the only key column's values: where Numbered says so, they are the words.
func (e *Encoder) Number(v column.Vector, dst []uint32) error {
	return e.cols[0].intern.numbers(&e.state[0], v, dst, e.insert)
}

// Numbered reports whether the key is one interned column without NULL: each key is a number, below Limit.
func (e *Encoder) Numbered() bool {
	return len(e.cols) == 1 && !e.cols[0].nullable && e.cols[0].intern != nil && !e.collide
}

// Limit is where the numbers given so far end, of a key that is Numbered. Not all of them are given.
func (e *Encoder) Limit() int { return int(e.cols[0].intern.limit.Load()) }

// splitNulls takes a nullable vector apart; nulls is nil if there are none.
func splitNulls(v column.Vector) (column.Vector, []uint8) {
	switch n := v.(type) {
	case *column.Nullable:
		return n.Inner, n.Nulls
	case *column.Const:
		if c, ok := n.Value.(*column.Nullable); ok {
			if c.Nulls[0] == 0 {
				return &column.Const{Value: c.Inner, N: n.N}, nil
			}
			nulls := make([]uint8, n.N)
			for i := range nulls {
				nulls[i] = 1
			}
			return &column.Const{Value: c.Inner, N: n.N}, nulls
		}
	}
	return v, nil
}

// Hash writes a hash of each row's words to dst: for an Index.
func (e *Encoder) Hash(words []uint64, dst []uint64) {
	if e.collide {
		clear(dst)
		return
	}
	kernel.HashRows(dst, words, e.stride)
}

// Decode returns the values of key column i in rows of words.
func (e *Encoder) Decode(i int, words []uint64) column.Vector {
	c := &e.cols[i]
	n := len(words) / e.stride
	var v column.Vector
	if c.intern != nil {
		ids := make([]uint32, n)
		unpack(ids, words, e.stride, c.at)
		v = c.intern.values(ids)
	} else {
		v = unpackColumn(words, e.stride, c, n)
	}
	if !c.nullable {
		return v
	}
	return column.NewNullable(e.Nulls(i, words), v)
}

// Nulls returns which values of key column i are NULL in rows of words; nil if the column is not Nullable.
func (e *Encoder) Nulls(i int, words []uint64) []uint8 {
	c := &e.cols[i]
	if !c.nullable {
		return nil
	}
	nulls := make([]uint8, len(words)/e.stride)
	for r := range nulls {
		nulls[r] = uint8(words[r*e.stride+c.null.word] >> c.null.shift & 1)
	}
	return nulls
}

// bits is the number of bits of a key that is part of one word, else 64.
func (e *Encoder) bits() int {
	if e.stride > 1 {
		return 64
	}
	n := 0
	for i := range e.cols {
		c := &e.cols[i]
		n = max(n, c.at.shift+c.bits)
		if c.nullable {
			n = max(n, c.null.shift+1)
		}
	}
	return min(n, 64)
}

// setBits writes flags, nil meaning none, to n rows.
func setBits(words []uint64, flags []uint8, n, stride int, at place) {
	switch {
	case flags == nil && at.shift > 0:
	case flags == nil:
		for i := range n {
			words[i*stride+at.word] = 0
		}
	case at.shift == 0:
		for i, f := range flags {
			words[i*stride+at.word] = uint64(f & 1)
		}
	default:
		for i, f := range flags {
			words[i*stride+at.word] |= uint64(f&1) << at.shift
		}
	}
}

// pack writes the values to the words, zero where NULL. A value that begins a word clears the rest of it.
func pack[T kernel.Unsigned](words []uint64, stride int, at place, data []T, nulls []uint8) {
	keep := uint64(0)
	if at.shift > 0 {
		keep = ^keep
	}
	switch {
	case nulls != nil:
		for i, x := range data {
			w := &words[i*stride+at.word]
			*w = *w&keep | uint64(x)&(uint64(nulls[i])-1)<<at.shift
		}
	case stride == 1 && at.shift == 0:
		words = words[:len(data)]
		for i, x := range data {
			words[i] = uint64(x)
		}
	case stride == 1:
		words = words[:len(data)]
		for i, x := range data {
			words[i] |= uint64(x) << at.shift
		}
	case stride == 2:
		words = words[at.word : at.word+2*len(data)-1]
		for i, x := range data {
			w := &words[2*i]
			*w = *w&keep | uint64(x)<<at.shift
		}
	default:
		for i, x := range data {
			w := &words[i*stride+at.word]
			*w = *w&keep | uint64(x)<<at.shift
		}
	}
}

func unpack[T kernel.Unsigned](dst []T, words []uint64, stride int, at place) {
	for i := range dst {
		dst[i] = T(words[i*stride+at.word] >> at.shift)
	}
}

// reinterpret views numbers as numbers of another type of the same width.
func reinterpret[To, From any](data []From) []To {
	return unsafe.Slice((*To)(unsafe.Pointer(unsafe.SliceData(data))), len(data))
}
