// Package hashtable maps keys to dense numbers 0, 1, 2 … in the order of first appearance.
//
// Tables are open-addressed with linear probing, at most half full, and hold no Go pointers per
// key, so that a table of millions of groups costs the garbage collector nothing. The caller
// hashes a batch of keys first and probes then. Tables are not safe for concurrent
// insertion; any number of goroutines may Find while nobody inserts.
package hashtable

import (
	"math/bits"
)

// Missing is the number of a key that is not in the table.
const Missing = ^uint32(0)

// minSlots is the smallest table: one cache line or two, so that tiny sets stay cheap.
const minSlots = 16

// Table maps keys of one word to numbers.
type Table struct {
	slots []slot
	keys  []uint64 // by number
	mem   *Memory
}

// Use makes an empty table take its memory from m.
func (t *Table) Use(m *Memory) { t.mem = m }

// slot holds a key beside its number, so that a hit costs one cache line. id is the number
// plus one, 0 where the slot is free; tag is the low half of the hash, for growing.
type slot struct {
	key uint64
	id  uint32
	tag uint32
}

// Len is the number of keys.
func (t *Table) Len() int { return len(t.keys) }

// Keys returns the keys by number; it is valid until the next insertion.
func (t *Table) Keys() []uint64 { return t.keys }

// Bytes is the memory held, but for what a Memory holds.
func (t *Table) Bytes() int64 {
	if t.mem != nil {
		return 0
	}
	return 16*int64(cap(t.slots)) + 8*int64(cap(t.keys))
}

// Reserve makes room for n keys.
func (t *Table) Reserve(n int) {
	if slots := slotsFor(n); slots > len(t.slots) {
		t.resize(slots)
	}
}

// Insert writes the number of each key to ids, numbering keys not seen before. hashes[i]
// is the hash of keys[i]; equal keys have equal hashes.
func (t *Table) Insert(keys []uint64, hashes []uint64, ids []uint32) {
	for len(keys) > 0 {
		if 2*(len(t.keys)+1) > len(t.slots) {
			t.resize(grownSlots(len(t.slots)))
		}
		n := t.insertSome(keys, hashes, ids)
		keys, hashes, ids = keys[n:], hashes[n:], ids[n:]
	}
}

// insertSome inserts keys until the table is half full, and returns how many it did.
func (t *Table) insertSome(keys []uint64, hashes []uint64, ids []uint32) int {
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

// findBatch is how many keys are looked for together: their first slots are loaded side by side, and none of the loads waits for the
// comparison of another key. It takes 2 KiB of the stack.
const findBatch = 128

// Find writes the number of each key to ids, Missing for keys that are not there.
func (t *Table) Find(keys []uint64, hashes []uint64, ids []uint32) {
	if len(t.keys) == 0 {
		fillMissing(ids[:len(keys)])
		return
	}
	hashes, ids = hashes[:len(keys)], ids[:len(keys)]
	for len(keys) > findBatch {
		t.findSome(keys[:findBatch], hashes[:findBatch], ids[:findBatch])
		keys, hashes, ids = keys[findBatch:], hashes[findBatch:], ids[findBatch:]
	}
	t.findSome(keys, hashes, ids)
}

// findSome is Find for at most findBatch keys.
func (t *Table) findSome(keys []uint64, hashes []uint64, ids []uint32) {
	slots, mask := t.slots, uint32(len(t.slots)-1)
	var found [findBatch]slot
	for i, h := range hashes {
		found[i] = slots[uint32(h)&mask]
	}
	for i, k := range keys {
		s := &found[i]
		for p := uint32(hashes[i]) & mask; s.id != 0 && s.key != k; s = &slots[p] {
			p = (p + 1) & mask
		}
		ids[i] = s.id - 1 // 0 becomes Missing
	}
}

func (t *Table) resize(n int) {
	old := t.slots
	t.slots = array[slot](t.mem, n, true)
	t.keys = roomier(t.mem, t.keys, n/2)
	mask := uint32(n - 1)
	for _, s := range old {
		if s.id == 0 {
			continue
		}
		p := s.tag & mask
		for t.slots[p].id != 0 {
			p = (p + 1) & mask
		}
		t.slots[p] = s
	}
	outgrown(t.mem, old)
}

// grownSlots is what a full table of n slots grows to. Small ones grow faster: their keys are moved often else.
func grownSlots(n int) int {
	if n <= fastGrowth {
		return max(minSlots, 4*n)
	}
	return 2 * n
}

// fastGrowth is up to how many slots a table grows fourfold: they fit the first-level cache.
const fastGrowth = 4096

// slotsFor is the number of slots for n keys.
func slotsFor(n int) int { return 1 << bits.Len(uint(max(2*n-1, minSlots-1))) }

func fillMissing(ids []uint32) {
	for i := range ids {
		ids[i] = Missing
	}
}
