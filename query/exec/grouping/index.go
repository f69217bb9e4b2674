package grouping

import (
	"unsafe"

	"github.com/olapd/olapd/query/exec/hashtable"
)

// Index numbers rows of words. The zero Index with a stride is ready.
type Index struct {
	stride int
	one    hashtable.Table
	two    hashtable.Wide[[2]uint64]
	four   hashtable.Wide[[4]uint64] // also three words, padded
	wide   *hashtable.Bytes          // more, as bytes

	byKey  bool     // the key is a small number, by which its own number is looked up
	direct []uint32 // key → number+1
	keys   []uint64 // by number
}

// maxDirectBits bounds narrow keys: the table of 256 KiB stays in the second-level cache.
const maxDirectBits = 16

// NewIndex returns an empty index of the encoder's words: one that does without hashing if the key is narrow or
// one interned column, whose numbers are small.
func (e *Encoder) NewIndex() *Index {
	if !e.collide && (e.bits() <= maxDirectBits || e.Numbered()) {
		return &Index{stride: 1, byKey: true}
	}
	return NewIndex(e.stride)
}

// Hashed reports whether Insert and Find need hashes.
func (x *Index) Hashed() bool { return !x.byKey }

// NewIndex returns an empty index of rows of stride words.
func NewIndex(stride int) *Index {
	x := &Index{stride: stride}
	if stride > 4 {
		x.wide = hashtable.NewBytes()
	}
	return x
}

// Len is the number of keys.
func (x *Index) Len() int {
	switch {
	case x.byKey:
		return len(x.keys)
	case x.stride == 1:
		return x.one.Len()
	case x.stride == 2:
		return x.two.Len()
	case x.stride <= 4:
		return x.four.Len()
	}
	return x.wide.Len()
}

// Bytes is the memory held, but for what a hashtable.Memory holds.
func (x *Index) Bytes() int64 {
	n := x.one.Bytes() + x.two.Bytes() + x.four.Bytes() + 4*int64(cap(x.direct)) + 8*int64(cap(x.keys))
	if x.wide != nil {
		n += x.wide.Bytes()
	}
	return n
}

// Use makes an empty index take its memory from m, where keys are of at most four words.
func (x *Index) Use(m *hashtable.Memory) {
	x.one.Use(m)
	x.two.Use(m)
	x.four.Use(m)
}

// Reserve makes room for n keys, where that saves growing.
func (x *Index) Reserve(n int) {
	switch {
	case x.byKey:
	case x.stride == 1:
		x.one.Reserve(n)
	case x.stride == 2:
		x.two.Reserve(n)
	case x.stride <= 4:
		x.four.Reserve(n)
	}
}

// Insert writes the number of each row of words to ids, numbering new keys.
func (x *Index) Insert(words, hashes []uint64, ids []uint32) error {
	switch {
	case x.byKey:
		x.insertDirect(words, ids)
	case x.stride == 1:
		x.one.Insert(words, hashes, ids)
	case x.stride == 2:
		x.two.Insert(rows[[2]uint64](words, len(ids)), hashes, ids)
	case x.stride <= 4:
		x.four.Insert(padRows(words, x.stride, len(ids)), hashes, ids)
	default:
		for i := range ids {
			id, err := x.wide.Insert(hashes[i], x.rowBytes(words, i))
			if err != nil {
				return err
			}
			ids[i] = id
		}
	}
	return nil
}

// Find writes the number of each row of words to ids, hashtable.Missing for unknown keys.
func (x *Index) Find(words, hashes []uint64, ids []uint32) {
	switch {
	case x.byKey:
		x.findDirect(words, ids)
	case x.stride == 1:
		x.one.Find(words, hashes, ids)
	case x.stride == 2:
		x.two.Find(rows[[2]uint64](words, len(ids)), hashes, ids)
	case x.stride <= 4:
		x.four.Find(padRows(words, x.stride, len(ids)), hashes, ids)
	default:
		for i := range ids {
			ids[i] = x.wide.Find(hashes[i], x.rowBytes(words, i))
		}
	}
}

// Words returns the keys [from, to) by number, row by row.
func (x *Index) Words(from, to int) []uint64 {
	switch {
	case x.byKey:
		return x.keys[from:to]
	case x.stride == 1:
		return x.one.Keys()[from:to]
	case x.stride == 2:
		return flat(x.two.Keys()[from:to])
	case x.stride == 4:
		return flat(x.four.Keys()[from:to])
	case x.stride == 3:
		out := make([]uint64, 0, 3*(to-from))
		for _, k := range x.four.Keys()[from:to] {
			out = append(out, k[:3]...)
		}
		return out
	}
	_, data := x.wide.Values()
	out := make([]uint64, x.stride*(to-from)) // copied: the slab need not be aligned
	copy(unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(out))), 8*len(out)), data[8*x.stride*from:])
	return out
}

func (x *Index) insertDirect(words []uint64, ids []uint32) {
	direct := x.direct
	for i, w := range words {
		if w >= uint64(len(direct)) {
			direct = x.widen(w)
		}
		id := direct[w]
		if id == 0 {
			x.keys = append(x.keys, w)
			id = uint32(len(x.keys))
			direct[w] = id
		}
		ids[i] = id - 1
	}
}

// minDirect is the first size of a table by key.
const minDirect = 256

func (x *Index) widen(w uint64) []uint32 {
	grown := make([]uint32, max(minDirect, 2*len(x.direct), int(w)+1))
	copy(grown, x.direct)
	x.direct = grown
	return grown
}

func (x *Index) findDirect(words []uint64, ids []uint32) {
	for i, w := range words {
		ids[i] = hashtable.Missing
		if w < uint64(len(x.direct)) { // words of values not interned are beyond
			ids[i] = x.direct[w] - 1 // 0 becomes Missing
		}
	}
}

func (x *Index) rowBytes(words []uint64, i int) []byte {
	row := words[i*x.stride : (i+1)*x.stride]
	return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(row))), 8*x.stride)
}

// rows views n rows of words as keys.
func rows[K hashtable.WideKey](words []uint64, n int) []K {
	return unsafe.Slice((*K)(unsafe.Pointer(unsafe.SliceData(words))), n)
}

func flat[K [2]uint64 | [4]uint64](keys []K) []uint64 {
	var k K
	return unsafe.Slice((*uint64)(unsafe.Pointer(unsafe.SliceData(keys))), len(keys)*len(k))
}

// padRows returns rows of three or four words as keys of four.
func padRows(words []uint64, stride, n int) [][4]uint64 {
	if stride == 4 {
		return rows[[4]uint64](words, n)
	}
	out := make([][4]uint64, n)
	for i := range out {
		copy(out[i][:], words[i*stride:(i+1)*stride])
	}
	return out
}
