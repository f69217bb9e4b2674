package raftlog

import (
	"fmt"

	"github.com/hashicorp/raft"
)

// change is what one record does to the index. Writing and replaying make the same changes, so
// that what Open finds is what was there.
type change struct {
	g          *group
	kind       kind
	offset     int    // of the record, in its batch
	size       int    // of the record
	index      uint64 // entry, moved
	entry      *raft.Log
	first      uint64 // delete
	last       uint64
	key, value []byte // set
}

// plan checks a change against the range that the group has after the changes before it, and
// returns the range after it.
func (c *change) plan(b bounds) (bounds, error) {
	switch c.kind {
	case kindEntry:
		return b.with(c.index)
	case kindDelete:
		return b.without(c.first, c.last)
	case kindDrop:
		return bounds{}, nil
	}
	return b, nil
}

// apply makes a change whose record is durable at offset base + c.offset of s. It fails, with
// nothing done, only for changes that plan refuses.
func (l *Log) apply(s *segment, base int64, c *change) error {
	g := c.g
	g.mu.Lock()
	defer g.mu.Unlock()
	at := location{file: s.number, offset: uint32(base + int64(c.offset)), size: uint32(c.size)}
	switch c.kind {
	case kindEntry:
		if _, err := (bounds{g.first, g.last}).with(c.index); err != nil {
			return err
		}
		g.appendLocked(c.index, at)
		s.live += int64(c.size)
		if c.entry != nil {
			l.w.cache.addLocked(g, c.entry)
		}
	case kindMoved:
		if g.last == 0 || c.index < g.first || c.index > g.last {
			return fmt.Errorf("raftlog: entry %d was moved, but %d to %d are live", c.index, g.first, g.last)
		}
		old := &g.locs[c.index-g.first]
		l.gone(*old)
		*old = at
		s.live += int64(c.size)
	case kindDelete:
		b, err := bounds{g.first, g.last}.without(c.first, c.last)
		if err != nil {
			return err
		}
		if b.first != g.first || b.last != g.last {
			g.shrinkLocked(b, l.gone)
		}
	case kindSet:
		g.setLocked(c.key, c.value)
	case kindDrop:
		g.dropLocked(l.gone)
	}
	return nil
}

// gone counts a record as no longer live.
func (l *Log) gone(at location) {
	if s := l.files.byNumber[at.file]; s != nil {
		s.live -= int64(at.size)
	}
}

// decodeChange turns a record into its change; the group is looked up by the caller.
func decodeChange(r record) (change, error) {
	c := change{kind: r.kind, size: r.size}
	var err error
	switch r.kind {
	case kindEntry, kindMoved:
		var e raft.Log
		err = decodeEntry(r.payload, &e)
		c.index = e.Index
	case kindDelete:
		c.first, c.last, err = decodeDelete(r.payload)
	case kindSet:
		c.key, c.value, err = decodeSet(r.payload)
	}
	return c, err
}
