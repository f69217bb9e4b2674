package mergetree

import (
	"encoding/binary"

	"github.com/zeebo/xxh3"

	"github.com/olapd/olapd/internal/column"
)

// StateHashVersion is raised when State.Hash gives other values than before, which a change of column.Hash does too: replicas of
// different versions then do not compare theirs.
const StateHashVersion = 1

// State is what the store holds between two Apply… calls: the manifest and the rows of the memtables.
type State struct {
	tables []*tableVersion // in order of ID
}

// Capture returns the present state, published or not. It belongs to the applying goroutine, the result to any.
func (s *Store) Capture() *State {
	s.work.Lock()
	defer s.work.Unlock()
	st := &State{}
	for _, id := range tableIDs(s.tables) {
		st.tables = append(st.tables, s.frozen(s.tables[id]))
	}
	return st
}

// Hash is a hash of the state: of the manifest, and of the memtables as multisets of rows with their commits, however they are cut
// into chunks. It reads all of the memtables' rows, about a second a gigabyte.
func (st *State) Hash() [16]byte {
	h := xxh3.New()
	var b []byte
	for _, t := range st.tables {
		b = binary.AppendUvarint(b[:0], uint64(t.id))
		b = binary.AppendUvarint(b, t.flushed)
		b = binary.AppendUvarint(b, uint64(len(t.segs)))
		for _, f := range t.segs {
			b = appendSegment(b, &f.seg)
		}
		b = t.rowsHash().append(b)
		_, _ = h.Write(b) // never fails
	}
	return h.Sum128().Bytes()
}

// multiset is a hash of rows in any order.
type multiset struct {
	rows      uint64
	low, high uint64 // two sums, so that a coincidence takes 128 bits
}

func (m *multiset) add(row uint64) {
	m.rows++
	m.low += row
	m.high += column.Mix(row ^ 0x9e3779b97f4a7c15)
}

func (m *multiset) append(dst []byte) []byte {
	for _, x := range [...]uint64{m.rows, m.low, m.high} {
		dst = binary.LittleEndian.AppendUint64(dst, x)
	}
	return dst
}

func (t *tableVersion) rowsHash() *multiset {
	out := &multiset{}
	var rows, one []uint64
	for _, m := range t.mem {
		n := m.Rows.N
		rows, one = grown(rows, n), grown(one, n)
		seed := schemaHash(m.Schema)
		at := 0
		for _, r := range m.runs(0, n) {
			commit := column.Combine(seed, r.index)
			for end := at + r.end; at < end; at++ {
				rows[at] = commit
			}
		}
		for _, v := range m.Rows.Cols {
			column.Hash(v, one)
			for i, h := range one {
				rows[i] = column.Combine(rows[i], h)
			}
		}
		for _, h := range rows {
			out.add(h)
		}
	}
	return out
}

// grown returns a slice of n elements, reusing b's memory.
func grown(b []uint64, n int) []uint64 {
	if cap(b) < n {
		return make([]uint64, n)
	}
	return b[:n]
}

func schemaHash(schema column.Schema) uint64 {
	var b []byte
	for _, f := range schema {
		b = appendString(appendString(b, f.Name), f.Type.String())
	}
	return xxh3.Hash(b)
}
