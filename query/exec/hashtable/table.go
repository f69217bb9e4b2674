// Package hashtable maps keys to dense numbers 0, 1, 2 … in the order of first appearance.
//
// Tables are open-addressed with linear probing, at most half full, and hold no Go pointers per
// key, so that a table of millions of groups costs the garbage collector nothing. The caller
// hashes a batch of keys first and probes then. Tables are not safe for concurrent
// insertion; any number of goroutines may Find while nobody inserts.
package hashtable

import (
	"slices"
	"unsafe"
)

// Missing is the number of a key that is not in the table.
const Missing = ^uint32(0)

// minSlots is the smallest table: one cache line or two, so that tiny sets stay cheap.
const minSlots = 16

// Key is a fixed-width key of one or more 64-bit words.
type Key interface {
	uint64 | [2]uint64 | [4]uint64
}

// Table maps fixed-width keys to numbers.
type Table[K Key] struct {
	slots []slot[K]
	mask  uint32
	keys  []K // by number
}

// slot holds a key beside its number, so that a hit costs one cache line. id is the number
// plus one, 0 where the slot is free; tag is the low half of the hash, for growing.
type slot[K Key] struct {
	key K
	id  uint32
	tag uint32
}

// Len is the number of keys.
func (t *Table[K]) Len() int { return len(t.keys) }

// Keys returns the keys by number; it is valid until the next insertion.
func (t *Table[K]) Keys() []K { return t.keys }

// Bytes is the memory held.
func (t *Table[K]) Bytes() int64 {
	var k K
	var s slot[K]
	return int64(cap(t.slots))*int64(unsafe.Sizeof(s)) + int64(cap(t.keys))*int64(unsafe.Sizeof(k))
}

// Insert writes the number of each key to ids, numbering keys not seen before. hashes[i]
// is the hash of keys[i]; equal keys have equal hashes.
func (t *Table[K]) Insert(keys []K, hashes []uint64, ids []uint32) {
	for len(keys) > 0 {
		if 2*(len(t.keys)+1) > len(t.slots) {
			t.grow()
		}
		n := t.insertSome(keys, hashes, ids)
		keys, hashes, ids = keys[n:], hashes[n:], ids[n:]
	}
}

// insertSome inserts keys until the table is half full, and returns how many it did.
func (t *Table[K]) insertSome(keys []K, hashes []uint64, ids []uint32) int {
	slots, mask := t.slots, uint64(len(t.slots)-1)
	room := len(slots)/2 - len(t.keys)
	hashes, ids = hashes[:len(keys)], ids[:len(keys)]
	for i, k := range keys {
		for p := hashes[i] & mask; ; p = (p + 1) & mask {
			s := &slots[p]
			if s.id == 0 {
				if room == 0 {
					return i
				}
				room--
				t.keys = append(t.keys, k)
				s.key, s.id, s.tag = k, uint32(len(t.keys)), uint32(hashes[i])
			} else if s.key != k {
				continue
			}
			ids[i] = s.id - 1
			break
		}
	}
	return len(keys)
}

// Find writes the number of each key to ids, Missing for keys that are not there.
func (t *Table[K]) Find(keys []K, hashes []uint64, ids []uint32) {
	if len(t.keys) == 0 {
		fillMissing(ids[:len(keys)])
		return
	}
	slots := t.slots
	for i, k := range keys {
		ids[i] = Missing
		for p := uint32(hashes[i]) & t.mask; slots[p].id != 0; p = (p + 1) & t.mask {
			if slots[p].key == k {
				ids[i] = slots[p].id - 1
				break
			}
		}
	}
}

func (t *Table[K]) grow() {
	old := t.slots
	t.slots = make([]slot[K], max(minSlots, 2*len(old)))
	t.keys = slices.Grow(t.keys, len(t.slots)/2-len(t.keys))
	t.mask = uint32(len(t.slots) - 1)
	for _, s := range old {
		if s.id == 0 {
			continue
		}
		p := s.tag & t.mask
		for t.slots[p].id != 0 {
			p = (p + 1) & t.mask
		}
		t.slots[p] = s
	}
}

func fillMissing(ids []uint32) {
	for i := range ids {
		ids[i] = Missing
	}
}
