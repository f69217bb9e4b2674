package raftlog

import (
	"bytes"
	"encoding/binary"
	"fmt"

	"github.com/hashicorp/raft"
)

// GroupStore is the log and the stable store of one Raft group. A write has returned nil when it
// is durable.
type GroupStore struct {
	log *Log
	g   *group
}

var (
	_ raft.LogStore          = (*GroupStore)(nil)
	_ raft.MonotonicLogStore = (*GroupStore)(nil)
	_ raft.StableStore       = (*GroupStore)(nil)
)

// ID returns the group's id.
func (s *GroupStore) ID() uint64 { return s.g.id }

// IsMonotonic tells Raft that entries must follow each other without a gap.
func (s *GroupStore) IsMonotonic() bool { return true }

// FirstIndex returns the first live entry's index, 0 without entries.
func (s *GroupStore) FirstIndex() (uint64, error) {
	s.g.mu.RLock()
	defer s.g.mu.RUnlock()
	return s.g.first, nil
}

// LastIndex returns the last live entry's index, 0 without entries.
func (s *GroupStore) LastIndex() (uint64, error) {
	s.g.mu.RLock()
	defer s.g.mu.RUnlock()
	return s.g.last, nil
}

// GetLog fills entry, or returns raft.ErrLogNotFound. Its Data and Extensions are shared with
// other readers and must not be changed.
func (s *GroupStore) GetLog(index uint64, entry *raft.Log) error {
	for tried := (location{}); ; {
		hit, at, err := s.find(index)
		if err != nil {
			return err
		}
		if hit != nil {
			*entry = *hit
			return nil
		}
		file := s.log.acquire(at.file)
		if file == nil {
			if s.log.isClosed() {
				return ErrClosed
			}
			if at == tried {
				return fmt.Errorf("%w: entry %d of group %d is in file %d, which is gone", ErrCorrupt, index, s.g.id, at.file)
			}
			tried = at
			continue // the entry has just been moved or deleted: look again
		}
		_, err = readRecord(file, s.g, index, at, entry)
		_ = file.release() // closing a file that was only read loses nothing
		return err
	}
}

// find returns a cached entry or where it is in the files.
func (s *GroupStore) find(index uint64) (*raft.Log, location, error) {
	s.g.mu.RLock()
	defer s.g.mu.RUnlock()
	if s.g.last == 0 || index < s.g.first || index > s.g.last {
		return nil, location{}, raft.ErrLogNotFound
	}
	return s.g.cache[index], s.g.locs[index-s.g.first], nil
}

func (l *Log) isClosed() bool {
	select {
	case <-l.closing:
		return true
	default:
		return false
	}
}

// StoreLog is StoreLogs of one entry.
func (s *GroupStore) StoreLog(entry *raft.Log) error { return s.StoreLogs([]*raft.Log{entry}) }

// StoreLogs appends entries, all or none. The first must follow the last live entry, if there is
// one. Data and Extensions are kept for readers and must not be changed afterwards. A full disk
// fails it with nothing written; it may be tried again.
func (s *GroupStore) StoreLogs(entries []*raft.Log) error {
	if len(entries) == 0 {
		return nil
	}
	total := 0
	for _, e := range entries {
		n := entryBytes(e)
		if total += n; n > maxRecordBytes || total > maxRequestBytes {
			return fmt.Errorf("%w: entry %d of %d bytes, %d with those before it", ErrTooLarge, e.Index, n, total)
		}
	}
	r := s.log.newRequest(s.g, false)
	for _, e := range entries {
		start := len(r.buf)
		r.buf = appendEntry(r.buf, s.g.id, e)
		kept := *e
		r.add(start, change{kind: kindEntry, index: e.Index, entry: &kept})
	}
	return s.log.submit(r)
}

// DeleteRange deletes entries from first to last, inclusive, at either end of the log.
func (s *GroupStore) DeleteRange(first, last uint64) error {
	r := s.log.newRequest(s.g, true)
	r.buf = appendDelete(r.buf, s.g.id, first, last)
	r.add(0, change{kind: kindDelete, first: first, last: last})
	return s.log.submit(r)
}

// Drop forgets the group, its entries and keys, for a group that has left this node.
func (s *GroupStore) Drop() error {
	r := s.log.newRequest(s.g, true)
	r.buf = appendDrop(r.buf, s.g.id)
	r.add(0, change{kind: kindDrop})
	return s.log.submit(r)
}

// Set stores a value.
func (s *GroupStore) Set(key, value []byte) error {
	if len(key) > maxKeyBytes || len(value) > maxValueBytes || !s.hasRoomFor(key) {
		return fmt.Errorf("%w: key of %d bytes, value of %d bytes, at most %d keys", ErrTooLarge, len(key), len(value), maxKeys)
	}
	r := s.log.newRequest(s.g, true)
	r.buf = appendSet(r.buf, s.g.id, key, value)
	r.add(0, change{kind: kindSet, key: bytes.Clone(key), value: bytes.Clone(value)})
	return s.log.submit(r)
}

func (s *GroupStore) hasRoomFor(key []byte) bool {
	s.g.mu.RLock()
	defer s.g.mu.RUnlock()
	_, known := s.g.keys[string(key)]
	return known || len(s.g.keys) < maxKeys
}

// Get returns a copy of a value, empty if the key was never set.
func (s *GroupStore) Get(key []byte) ([]byte, error) {
	s.g.mu.RLock()
	defer s.g.mu.RUnlock()
	return bytes.Clone(s.g.keys[string(key)]), nil
}

// SetUint64 stores a number.
func (s *GroupStore) SetUint64(key []byte, value uint64) error {
	return s.Set(key, binary.BigEndian.AppendUint64(nil, value))
}

// GetUint64 returns a number, 0 if the key was never set.
func (s *GroupStore) GetUint64(key []byte) (uint64, error) {
	v, err := s.Get(key)
	if err != nil || len(v) == 0 {
		return 0, err
	}
	if len(v) != 8 {
		return 0, fmt.Errorf("raftlog: key %q holds %d bytes, not a number", key, len(v))
	}
	return binary.BigEndian.Uint64(v), nil
}
