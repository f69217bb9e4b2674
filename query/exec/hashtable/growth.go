package hashtable

import "unsafe"

// growth is the bytes that a table of slots takes, while it grows to hold keys, beyond those it has: the old slots are there until all
// keys have moved.
func growth(keys, slots int, slot, key uintptr) int64 {
	n := slotsFor(keys)
	if n <= slots {
		return 0
	}
	return int64(n)*int64(slot) + int64(n/2)*int64(key)
}

// Growth returns how many bytes inserting n new keys takes at most, beyond Bytes: to be reserved before.
func (t *Table) Growth(n int) int64 {
	return growth(len(t.keys)+n, len(t.slots), unsafe.Sizeof(slot{}), unsafe.Sizeof(t.keys[0]))
}

// Growth is Table.Growth.
func (t *Wide[K]) Growth(n int) int64 {
	return growth(len(t.keys)+n, len(t.slots), unsafe.Sizeof(wideSlot{}), unsafe.Sizeof(t.keys[0]))
}

// Growth is Table.Growth, without the bytes of the new keys.
func (t *Bytes) Growth(n int) int64 {
	return growth(len(t.hashes)+n, len(t.slots), unsafe.Sizeof(byteSlot{}), 8+4)
}
