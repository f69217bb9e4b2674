package hashtable

import "unsafe"

// WideKey is a key of several words.
type WideKey interface{ [2]uint64 | [4]uint64 }

// Wide is a Table of keys of several words. They are not in the slots, which stay small: growing moves eight bytes a
// key, and tags tell most keys apart.
type Wide[K WideKey] struct {
	slots []wideSlot
	keys  []K // by number
	mem   *Memory
}

// Use makes an empty table take its memory from m.
func (t *Wide[K]) Use(m *Memory) { t.mem = m }

// wideSlot is a number plus one, 0 where the slot is free, and the low half of the hash.
type wideSlot struct{ id, tag uint32 }

// Len is the number of keys.
func (t *Wide[K]) Len() int { return len(t.keys) }

// Keys returns the keys by number; it is valid until the next insertion.
func (t *Wide[K]) Keys() []K { return t.keys }

// Bytes is Table.Bytes.
func (t *Wide[K]) Bytes() int64 {
	if t.mem != nil {
		return 0
	}
	var k K
	return 8*int64(cap(t.slots)) + int64(cap(t.keys))*int64(unsafe.Sizeof(k))
}

// Reserve makes room for n keys.
func (t *Wide[K]) Reserve(n int) {
	if slots := slotsFor(n); slots > len(t.slots) {
		t.resize(slots)
	}
}

// Insert is Table.Insert.
func (t *Wide[K]) Insert(keys []K, hashes []uint64, ids []uint32) {
	for len(keys) > 0 {
		if 2*(len(t.keys)+1) > len(t.slots) {
			t.resize(grownSlots(len(t.slots)))
		}
		n := t.insertSome(keys, hashes, ids)
		keys, hashes, ids = keys[n:], hashes[n:], ids[n:]
	}
}

// insertSome inserts keys until the table is half full, and returns how many it did.
func (t *Wide[K]) insertSome(keys []K, hashes []uint64, ids []uint32) int {
	slots, mask := t.slots, uint32(len(t.slots)-1)
	room := len(slots)/2 - len(t.keys)
	hashes, ids = hashes[:len(keys)], ids[:len(keys)]
	for i := range keys {
		tag := uint32(hashes[i])
		for p := tag & mask; ; p = (p + 1) & mask {
			s := &slots[p]
			if s.id == 0 {
				if room == 0 {
					return i
				}
				room--
				t.keys = append(t.keys, keys[i])
				s.id, s.tag = uint32(len(t.keys)), tag
			} else if s.tag != tag || t.keys[s.id-1] != keys[i] {
				continue
			}
			ids[i] = s.id - 1
			break
		}
	}
	return len(keys)
}

// Find is Table.Find.
func (t *Wide[K]) Find(keys []K, hashes []uint64, ids []uint32) {
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
func (t *Wide[K]) findSome(keys []K, hashes []uint64, ids []uint32) {
	slots, mask := t.slots, uint32(len(t.slots)-1)
	var found [findBatch]wideSlot
	for i, h := range hashes {
		found[i] = slots[uint32(h)&mask]
	}
	for i := range keys { // the first slot of the key's tag
		tag, s := uint32(hashes[i]), found[i]
		for p := tag & mask; s.id != 0 && s.tag != tag; s = slots[p] {
			p = (p + 1) & mask
		}
		found[i] = s
	}
	for i := range keys {
		id := found[i].id
		if id != 0 && t.keys[id-1] != keys[i] {
			id = t.findOn(keys[i], uint32(hashes[i])) + 1
		}
		ids[i] = id - 1 // 0 becomes Missing
	}
}

// findOn finds a key whose tag another has too.
func (t *Wide[K]) findOn(key K, tag uint32) uint32 {
	mask := uint32(len(t.slots) - 1)
	for p := tag & mask; t.slots[p].id != 0; p = (p + 1) & mask {
		if s := t.slots[p]; s.tag == tag && t.keys[s.id-1] == key {
			return s.id - 1
		}
	}
	return Missing
}

func (t *Wide[K]) resize(n int) {
	old := t.slots
	t.slots = array[wideSlot](t.mem, n, true)
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
