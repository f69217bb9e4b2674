package raftlog

import (
	"fmt"

	"github.com/hashicorp/raft"
)

// upkeep runs after the callers have their answers. What fails here is not needed for what is
// stored: it is tried again after the next rotation.
func (l *Log) upkeep() {
	if !l.w.rotated && !l.w.deleted || l.Err() != nil {
		return
	}
	if l.w.rotated {
		_ = l.prepareReserve(l.nextBytes()) // without it, rotate tries again and reports
		if s := l.files.order[0]; s.live > 0 && l.worthMoving() {
			_ = l.move(s) // an unreadable entry keeps its file; reading it reports
		}
	}
	l.w.rotated, l.w.deleted = false, false
	for len(l.files.order) > 1 && l.files.order[0].live == 0 {
		if err := l.fs.Remove(segmentName(l.dir, l.files.order[0].number)); err != nil {
			return
		}
		l.removeOldest()
	}
}

// worthMoving decides whether the live entries of the oldest file should go to the newest, so
// that it, and the dead files that wait behind it, can be removed.
func (l *Log) worthMoving() bool {
	order := l.files.order
	oldest := order[0]
	if len(order) < 2 {
		return false
	}
	var bytes, live int64
	for _, s := range order[:len(order)-1] {
		bytes += s.end
		live += s.live
	}
	return oldest.live*moveShare <= oldest.end || bytes-live > live+garbageFiles*l.opts.SegmentBytes
}

// move writes the live entries of a file again, as far as half of the newest file's room goes.
func (l *Log) move(s *segment) error {
	budget := l.room(false) / 2
	m := mover{log: l, from: s}
	for _, g := range l.allGroups() {
		for i, at := range g.locs {
			if at.file != s.number {
				continue
			}
			if budget -= int64(at.size); budget < 0 {
				return m.flush()
			}
			if err := m.add(g, g.first+uint64(i), at); err != nil {
				return err
			}
		}
	}
	return m.flush()
}

// mover collects moved entries into batches.
type mover struct {
	log     *Log
	from    *segment
	buf     []byte
	changes []change
}

func (m *mover) add(g *group, index uint64, at location) error {
	r, err := readRecord(m.from, g, index, at, new(raft.Log))
	if err != nil {
		return err
	}
	start := len(m.buf)
	m.buf = append(beginRecord(m.buf, g.id, kindMoved), r.payload...)
	m.buf = endRecord(m.buf, start)
	m.changes = append(m.changes, change{g: g, kind: kindMoved, offset: start, size: len(m.buf) - start, index: index})
	if len(m.buf) >= maxBatchBytes {
		return m.flush()
	}
	return nil
}

func (m *mover) flush() error {
	if len(m.changes) == 0 {
		return nil
	}
	err := m.log.write(m.buf, m.changes)
	m.buf, m.changes = m.buf[:0], m.changes[:0]
	return err
}

// readRecord reads and checks the record of an entry, and fills entry from it. The bytes are the
// caller's.
func readRecord(s *segment, g *group, index uint64, at location, entry *raft.Log) (record, error) {
	buf := make([]byte, at.size)
	if n, err := s.file.ReadAt(buf, int64(at.offset)); n < len(buf) {
		return record{}, fmt.Errorf("raftlog: reading entry %d of group %d: %w", index, g.id, err)
	}
	r, err := decodeRecord(buf)
	if err == nil {
		err = decodeEntry(r.payload, entry)
	}
	if err == nil && (r.group != g.id || entry.Index != index || r.kind != kindEntry && r.kind != kindMoved) {
		err = fmt.Errorf("%w: found entry %d of group %d", ErrCorrupt, entry.Index, r.group)
	}
	if err != nil {
		return record{}, fmt.Errorf("reading entry %d of group %d at %d of file %d: %w", index, g.id, at.offset, s.number, err)
	}
	return r, nil
}
