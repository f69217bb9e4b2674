package grouping

import (
	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/types"
	"github.com/olapd/olapd/query/exec/hashtable"
)

// Table numbers rows by key columns: an Encoder and an Index in one. Used by one goroutine, except that
// Finders may work concurrently while nobody inserts.
type Table struct {
	enc    *Encoder
	index  *Index
	single *interner // set if the key is one string column: its number is the row's
	hashes []uint64
}

// New returns an empty table for key columns of the given types; see NewEncoder for collide.
func New(ts []*types.Type, collide bool) *Table {
	enc := NewEncoder(ts, collide)
	t := &Table{enc: enc, index: newDirect(enc.bits()), single: enc.single()}
	if t.index == nil || collide {
		t.index = NewIndex(enc.stride)
	}
	return t
}

// Len is the number of distinct keys.
func (t *Table) Len() int {
	if t.single != nil {
		return t.single.tab.Len()
	}
	return t.index.Len()
}

// Bytes is the memory held.
func (t *Table) Bytes() int64 { return t.enc.Bytes() + t.index.Bytes() + 8*int64(cap(t.hashes)) }

// Insert writes the number of each row's key to ids, numbering new keys.
func (t *Table) Insert(cols []column.Vector, ids []uint32) error {
	if t.single != nil {
		return t.single.numbers(&t.enc.state[0], cols[0], ids, true, t.enc.collide)
	}
	words, err := t.enc.Encode(cols, len(ids))
	if err != nil {
		return err
	}
	if t.index.bits == 0 {
		t.hashes = sized(t.hashes, len(ids))
		t.enc.Hash(words, t.hashes)
	}
	return t.index.Insert(words, t.hashes, ids)
}

// Key returns the values of key column i of the keys [from, to).
func (t *Table) Key(i, from, to int) column.Vector {
	if t.single != nil {
		if t.single.rep != nil {
			return t.single.rep.Slice(from, to)
		}
		return t.single.all().Slice(from, to)
	}
	return t.enc.Decode(i, t.index.Words(from, to))
}

// Finder looks keys up in a Table. Used by one goroutine.
type Finder struct {
	t      *Table
	enc    *Encoder
	hashes []uint64
}

// Finder returns a new Finder.
func (t *Table) Finder() *Finder { return &Finder{t: t, enc: t.enc.Reader()} }

// Find writes the number of each row's key to ids, hashtable.Missing for unknown keys.
func (f *Finder) Find(cols []column.Vector, ids []uint32) error {
	if s := f.t.single; s != nil {
		return s.numbers(&f.enc.state[0], cols[0], ids, false, f.enc.collide)
	}
	words, err := f.enc.Encode(cols, len(ids))
	if err != nil {
		return err
	}
	if f.t.index.bits == 0 {
		f.hashes = sized(f.hashes, len(ids))
		f.enc.Hash(words, f.hashes)
	}
	f.t.index.Find(words, f.hashes, ids)
	return nil
}

// Missing is the number of a key that is not there.
const Missing = hashtable.Missing

// sized returns a slice of n elements of any content, s if it is large enough.
func sized[T any](s []T, n int) []T {
	if cap(s) < n {
		return make([]T, n)
	}
	return s[:n]
}
