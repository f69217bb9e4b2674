package hashtable

import (
	"bytes"
	"math"

	"github.com/olapd/olapd/internal/sqlerr"
)

// Bytes maps byte strings to numbers. The strings lie one after the other in one slab,
// string i at data[off[i]:off[i+1]], the layout of a string vector.
type Bytes struct {
	slots  []byteSlot
	mask   uint32
	hashes []uint64 // by number
	off    []uint32
	data   []byte
}

// byteSlot is a number plus one (0: free) and the high half of the hash, which saves
// most comparisons of strings that differ.
type byteSlot struct{ id, tag uint32 }

// NewBytes returns an empty table.
func NewBytes() *Bytes { return &Bytes{off: []uint32{0}} }

// Len is the number of strings.
func (t *Bytes) Len() int { return len(t.hashes) }

// Values returns the strings by number as offsets and bytes, valid until the next insertion
// and never changed in place.
func (t *Bytes) Values() (off []uint32, data []byte) { return t.off, t.data }

// Hashes returns the hashes by number.
func (t *Bytes) Hashes() []uint64 { return t.hashes }

// Bytes is the memory held.
func (t *Bytes) Bytes() int64 {
	return 8*int64(cap(t.slots)) + 8*int64(cap(t.hashes)) + 4*int64(cap(t.off)) + int64(cap(t.data))
}

// Insert returns the number of key, numbering it if it is new. All strings together
// must stay under 4 GiB, else MemoryLimitExceeded.
func (t *Bytes) Insert(hash uint64, key []byte) (uint32, error) {
	if 2*(len(t.hashes)+1) > len(t.slots) {
		t.grow()
	}
	tag := uint32(hash >> 32)
	p := uint32(hash) & t.mask
	for ; t.slots[p].id != 0; p = (p + 1) & t.mask {
		if s := t.slots[p]; s.tag == tag && bytes.Equal(t.at(s.id-1), key) {
			return s.id - 1, nil
		}
	}
	if len(t.data)+len(key) > math.MaxUint32 || len(t.hashes) >= math.MaxUint32/2 {
		return 0, sqlerr.New(sqlerr.MemoryLimitExceeded, "Distinct string keys exceed 4 GiB")
	}
	t.data = append(t.data, key...)
	t.off = append(t.off, uint32(len(t.data)))
	t.hashes = append(t.hashes, hash)
	t.slots[p] = byteSlot{id: uint32(len(t.hashes)), tag: tag}
	return uint32(len(t.hashes)) - 1, nil
}

// Find returns the number of key, or Missing.
func (t *Bytes) Find(hash uint64, key []byte) uint32 {
	if len(t.hashes) == 0 {
		return Missing
	}
	tag := uint32(hash >> 32)
	for p := uint32(hash) & t.mask; t.slots[p].id != 0; p = (p + 1) & t.mask {
		if s := t.slots[p]; s.tag == tag && bytes.Equal(t.at(s.id-1), key) {
			return s.id - 1
		}
	}
	return Missing
}

func (t *Bytes) at(i uint32) []byte { return t.data[t.off[i]:t.off[i+1]] }

func (t *Bytes) grow() {
	t.slots = make([]byteSlot, max(minSlots, 2*len(t.slots)))
	t.mask = uint32(len(t.slots) - 1)
	for i, h := range t.hashes {
		p := uint32(h) & t.mask
		for t.slots[p].id != 0 {
			p = (p + 1) & t.mask
		}
		t.slots[p] = byteSlot{id: uint32(i) + 1, tag: uint32(h >> 32)}
	}
}
