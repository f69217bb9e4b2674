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

// Find writes the number of each key to ids, Missing for keys that are not there.
func (t *Wide[K]) Find(keys []K, hashes []uint64, ids []uint32) {
	if len(t.keys) == 0 {
		fillMissing(ids[:len(keys)])
		return
	}
	slots, mask := t.slots, uint32(len(t.slots)-1)
	for i := range keys {
		ids[i] = Missing
		tag := uint32(hashes[i])
		for p := tag & mask; slots[p].id != 0; p = (p + 1) & mask {
			if s := slots[p]; s.tag == tag && t.keys[s.id-1] == keys[i] {
				ids[i] = s.id - 1
				break
			}
		}
	}
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
