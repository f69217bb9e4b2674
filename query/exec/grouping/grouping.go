package grouping

import (
	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/types"
)

// Table numbers rows by key columns: an Encoder and an Index in one. Used by one goroutine, except that
// Finders may work concurrently while nobody inserts.
type Table struct {
	enc    *Encoder
	index  *Index
	hashes []uint64
}

// New returns an empty table for key columns of the given types; see NewEncoder for collide.
func New(ts []*types.Type, collide bool) *Table {
	enc := NewEncoder(ts, collide)
	return &Table{enc: enc, index: enc.NewIndex()}
}

// Share is Encoder.Share.
func (t *Table) Share(x *Unions) *Table {
	t.enc.Share(x)
	return t
}

// Len is the number of distinct keys.
func (t *Table) Len() int { return t.index.Len() }

// Bytes is the memory held.
func (t *Table) Bytes() int64 { return t.enc.Bytes() + t.index.Bytes() + 8*int64(cap(t.hashes)) }

// Reserve makes room for n keys, where that saves growing.
func (t *Table) Reserve(n int) { t.index.Reserve(n) }

// Insert writes the number of each row's key to ids, numbering new keys.
func (t *Table) Insert(cols []column.Vector, ids []uint32) error {
	words, err := t.enc.Encode(cols, len(ids))
	if err != nil {
		return err
	}
	t.hashes, err = t.enc.InsertWords(t.index, words, t.hashes, ids)
	return err
}

// Key returns the values of key column i of the keys [from, to).
func (t *Table) Key(i, from, to int) column.Vector {
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
	words, err := f.enc.Encode(cols, len(ids))
	if err != nil {
		return err
	}
	if f.t.index.Hashed() {
		f.hashes = sized(f.hashes, len(ids))
		f.enc.Hash(words, f.hashes)
	}
	f.t.index.Find(words, f.hashes, ids)
	return nil
}

// sized returns a slice of n elements of any content, s if it is large enough.
func sized[T any](s []T, n int) []T {
	if cap(s) < n {
		return make([]T, n)
	}
	return s[:n]
}
