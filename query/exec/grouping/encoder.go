package grouping

import (
	"unsafe"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/kernel"
	"github.com/olapd/olapd/internal/types"
)

// Encoder turns key columns into words. It is used by one goroutine; see Reader for lookups from several.
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
	e.cols, e.stride = layout(ts)
	return e
}

// Reader returns an encoder over the same interned values that adds none: rows with a value not
// seen by e get words that no key has. Readers may work concurrently once e is no longer used.
func (e *Encoder) Reader() *Encoder {
	return &Encoder{cols: e.cols, stride: e.stride, collide: e.collide, state: make([]internState, len(e.cols))}
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

// Encode returns the words of n rows, row by row, valid until the next call. The key columns have the encoder's types, LowCardinality aside, or
// are not Nullable where the encoder's type is.
func (e *Encoder) Encode(cols []column.Vector, n int) ([]uint64, error) {
	e.words = sized(e.words, n*e.stride)
	words := e.words
	clear(words)
	for i := range e.cols {
		c := &e.cols[i]
		v, nulls := splitNulls(cols[i])
		if nulls != nil {
			orBits(words, nulls, e.stride, c.null)
		}
		if c.intern == nil {
			packColumn(words, e.stride, c, column.Flatten(v), nulls)
			continue
		}
		if cap(e.ids) < n {
			e.ids = make([]uint32, n)
		}
		ids := e.ids[:n]
		if err := c.intern.numbers(&e.state[i], v, ids, e.insert, e.collide); err != nil {
			return nil, err
		}
		pack(words, e.stride, c.at, ids, nulls)
	}
	return words, nil
}

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
	switch {
	case e.collide:
		clear(dst)
	case e.stride == 1:
		kernel.HashInts(dst, words)
	default:
		for i := range dst {
			h := uint64(0)
			for _, w := range words[i*e.stride : (i+1)*e.stride] {
				h = kernel.Combine(h, w)
			}
			dst[i] = h
		}
	}
}

// Partition writes to dst the partition of each row, below parts (a power of two), by the values of the keys: encoders of
// equal types agree on it.
func (e *Encoder) Partition(words []uint64, parts int, dst []uint8) {
	hashes := make([]uint64, len(dst))
	for i := range e.cols {
		c := &e.cols[i]
		var interned []uint64
		if c.intern != nil {
			interned = c.intern.tab.Hashes()
		}
		e.foldColumn(hashes, words, c, interned)
	}
	mask := uint64(parts - 1)
	for i, h := range hashes {
		dst[i] = uint8(h >> 48 & mask)
	}
}

func (e *Encoder) foldColumn(hashes, words []uint64, c *keyColumn, interned []uint64) {
	bits := min(c.bits, 64)
	valueMask := ^uint64(0) >> (64 - bits)
	for i := range hashes {
		row := words[i*e.stride:]
		x := row[c.at.word] >> c.at.shift & valueMask
		isNull := c.nullable && row[c.null.word]>>c.null.shift&1 != 0
		switch {
		case isNull:
			x = hashOfNull
		case interned != nil:
			x = interned[x]
		case c.bits == 128:
			x = kernel.Combine(x, row[c.at.word+1])
		}
		hashes[i] = kernel.Combine(hashes[i], x)
	}
}

// hashOfNull stands for NULL among the values that Partition hashes: any constant does.
const hashOfNull = 0x5bd1e995cafef00d

// Decode returns the values of key column i in rows of words.
func (e *Encoder) Decode(i int, words []uint64) column.Vector {
	c := &e.cols[i]
	n := len(words) / e.stride
	var v column.Vector
	if c.intern != nil {
		ids := make([]uint32, n)
		unpack(ids, words, e.stride, c.at)
		if c.nullable && c.intern.tab.Len() == 0 { // only NULLs so far
			v = column.Flatten(column.NewDefaults(c.inner, n))
		} else {
			v = c.intern.values(ids)
		}
	} else {
		v = unpackColumn(words, e.stride, c, n)
	}
	if !c.nullable {
		return v
	}
	nulls := make([]uint8, n)
	for r := range nulls {
		nulls[r] = uint8(words[r*e.stride+c.null.word] >> c.null.shift & 1)
	}
	return column.NewNullable(nulls, v)
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

// single returns the interner if the key is one string column without NULL, whose number is the group's, else nil.
func (e *Encoder) single() *interner {
	if len(e.cols) == 1 && !e.cols[0].nullable {
		return e.cols[0].intern
	}
	return nil
}

func orBits(words []uint64, flags []uint8, stride int, at place) {
	for i, f := range flags {
		words[i*stride+at.word] |= uint64(f&1) << at.shift
	}
}

// pack ORs the values into the words, zero where NULL.
func pack[T kernel.Unsigned](words []uint64, stride int, at place, data []T, nulls []uint8) {
	switch {
	case nulls != nil:
		for i, x := range data {
			words[i*stride+at.word] |= uint64(x) & (uint64(nulls[i]) - 1) << at.shift
		}
	case stride == 1:
		words = words[:len(data)]
		for i, x := range data {
			words[i] |= uint64(x) << at.shift
		}
	default:
		for i, x := range data {
			words[i*stride+at.word] |= uint64(x) << at.shift
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
