package grouping

import (
	"encoding/binary"
	"math"
	"sync/atomic"

	"github.com/zeebo/xxh3"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/types"
	"github.com/olapd/olapd/query/exec/hashtable"
)

// interner numbers the distinct values of one column.
type interner struct {
	typ *types.Type
	tab *hashtable.Bytes
	// rep holds each distinct value of a type that is not a byte string, by number; the
	// table then holds the values serialised.
	rep  column.Builder
	dict atomic.Pointer[column.Str] // all, while no value is added
}

func newInterner(t *types.Type) *interner {
	in := &interner{typ: t, tab: hashtable.NewBytes()}
	if t.Phys() != types.PBytes {
		in.rep = column.New(t, 0)
	}
	return in
}

// values returns the values of the numbers ids, which it takes over: byte strings coded by number.
func (in *interner) values(ids []uint32) column.Vector {
	if in.rep != nil {
		return column.Gather(in.rep, ids)
	}
	return &column.Dict{Codes: ids, Values: in.all(), Unique: true}
}

// all is the distinct values of a byte string column by number. While no value is added it is one and the same vector,
// so that work done per entry can be cached.
func (in *interner) all() *column.Str {
	if d := in.dict.Load(); d != nil && d.Len() == in.tab.Len() {
		return d
	}
	off, data := in.tab.Values()
	d := &column.Str{Typ: in.typ, Off: off[:len(off):len(off)], Data: data[:len(data):len(data)]}
	in.dict.CompareAndSwap(in.dict.Load(), d)
	return d
}

func (in *interner) bytes() int64 {
	n := in.tab.Bytes()
	if in.rep != nil {
		n *= 2 // the representatives are about as large as their serialised form
	}
	return n
}

// dictLimit is how many dictionaries' codes an encoder remembers: about the segments that
// one worker alternates between.
const dictLimit = 8

// internState is what one goroutine needs to intern or look up: codes already resolved and scratch memory.
type internState struct {
	dicts map[column.Vector][]uint32 // dictionary → code → number+1, 0 where unknown
	buf   []byte
}

// numbers writes the number of each value of v, which has no Nullable around it, to dst. With insert, new
// values are numbered; else they are Missing. collide makes all hashes equal.
func (in *interner) numbers(st *internState, v column.Vector, dst []uint32, insert, collide bool) error {
	switch v := v.(type) {
	case *column.Dict:
		return in.dictNumbers(st, v, dst, insert, collide)
	case *column.Const:
		if len(dst) == 0 {
			return nil
		}
		if err := in.numbers(st, v.Value, dst[:1], insert, collide); err != nil {
			return err
		}
		for i := range dst {
			dst[i] = dst[0]
		}
		return nil
	}
	for i := range dst {
		id, err := in.number(st, v, i, insert, collide)
		if err != nil {
			return err
		}
		dst[i] = id
	}
	return nil
}

// dictNumbers resolves each code of the dictionary once.
func (in *interner) dictNumbers(st *internState, d *column.Dict, dst []uint32, insert, collide bool) error {
	known := st.dicts[d.Values]
	if known == nil && d.Values.Len() > entriesPerRow*len(d.Codes) {
		return in.eachCode(st, d, dst, insert, collide)
	}
	if known == nil {
		if st.dicts == nil || len(st.dicts) >= dictLimit {
			st.dicts = map[column.Vector][]uint32{}
		}
		known = make([]uint32, d.Values.Len())
		st.dicts[d.Values] = known
	}
	for i, c := range d.Codes {
		if known[c] == 0 {
			id, err := in.number(st, d.Values, int(c), insert, collide)
			if err != nil {
				return err
			}
			known[c] = id + 1
		}
		dst[i] = known[c] - 1
	}
	return nil
}

// entriesPerRow is how many times larger than the rows at hand a dictionary may be for remembering its codes to pay.
const entriesPerRow = 16

// eachCode resolves every row anew.
func (in *interner) eachCode(st *internState, d *column.Dict, dst []uint32, insert, collide bool) error {
	for i, c := range d.Codes {
		id, err := in.number(st, d.Values, int(c), insert, collide)
		if err != nil {
			return err
		}
		dst[i] = id
	}
	return nil
}

func (in *interner) number(st *internState, v column.Vector, i int, insert, collide bool) (uint32, error) {
	var key []byte
	if s, ok := v.(*column.Str); ok {
		key = s.At(i)
	} else {
		st.buf = appendKey(st.buf[:0], v, i)
		key = st.buf
	}
	h := uint64(0)
	if !collide {
		h = xxh3.Hash(key)
	}
	if !insert {
		return in.tab.Find(h, key), nil
	}
	n := in.tab.Len()
	id, err := in.tab.Insert(h, key)
	if err == nil && in.rep != nil && int(id) == n {
		in.rep.AppendFrom(v, i)
	}
	return id, err
}

// appendKey appends value i so that values of one type are equal exactly if their bytes are.
func appendKey(dst []byte, v column.Vector, i int) []byte {
	switch v := v.(type) {
	case *column.Const:
		return appendKey(dst, v.Value, 0)
	case *column.Dict:
		return appendKey(dst, v.Values, int(v.Codes[i]))
	case *column.Str:
		s := v.At(i)
		return append(binary.AppendUvarint(dst, uint64(len(s))), s...)
	case *column.Nullable:
		if v.Nulls[i] != 0 {
			return append(dst, 1)
		}
		return appendKey(append(dst, 0), v.Inner, i)
	case *column.Array:
		return appendRun(dst, v.Off[i], v.Off[i+1], v.Elem)
	case *column.Map:
		return appendRun(dst, v.Off[i], v.Off[i+1], v.Keys, v.Vals)
	case *column.Tuple:
		for _, e := range v.Elems {
			dst = appendKey(dst, e, i)
		}
		return dst
	}
	return appendNumber(dst, v, i)
}

func appendRun(dst []byte, from, to uint32, parts ...column.Vector) []byte {
	dst = binary.AppendUvarint(dst, uint64(to-from))
	for j := from; j < to; j++ {
		for _, p := range parts {
			dst = appendKey(dst, p, int(j))
		}
	}
	return dst
}

func appendNumber(dst []byte, v column.Vector, i int) []byte {
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
		return le.AppendUint32(dst, math.Float32bits(v.Data[i]))
	case *column.Num[uint64]:
		return le.AppendUint64(dst, v.Data[i])
	case *column.Num[int64]:
		return le.AppendUint64(dst, uint64(v.Data[i]))
	case *column.Num[float64]:
		return le.AppendUint64(dst, math.Float64bits(v.Data[i]))
	case *column.Num[types.U128]:
		return le.AppendUint64(le.AppendUint64(dst, v.Data[i].Lo), v.Data[i].Hi)
	case *column.Num[types.I128]:
		return le.AppendUint64(le.AppendUint64(dst, v.Data[i].Lo), uint64(v.Data[i].Hi))
	}
	panic("grouping: a vector of unknown form")
}
