package raftlog

import (
	"errors"
	"fmt"
	"path"

	"github.com/olapd/olapd/internal/vfs"
)

// rotate begins a new file with room for a batch of need bytes. An error before the file has
// its name leaves the log as it was; one after it poisons.
func (l *Log) rotate(need int) error {
	number, prevEnd := uint32(1), int64(0)
	if len(l.files.order) > 0 {
		number, prevEnd = l.newest().number+1, l.newest().end
	}
	head := header{number: uint64(number), prevEnd: uint64(prevEnd), firstBatch: l.w.batch}.append(nil)
	checkpoints := l.appendCheckpoints(nil)
	sealBatch(checkpoints, l.w.batch)
	head = append(head, checkpoints...)

	file, size, err := l.fill(head, need)
	if err != nil {
		return fmt.Errorf("raftlog: beginning file %d: %w", number, err)
	}
	err = l.fs.Rename(path.Join(l.dir, reserveName), segmentName(l.dir, number))
	if err == nil {
		err = l.fs.SyncDir(l.dir)
	}
	if err != nil {
		return errors.Join(l.poisonWith(fmt.Errorf("naming file %d: %w", number, err)), file.Close())
	}
	s := newSegment(number, file)
	s.size, s.end = size, int64(len(head))
	l.addSegment(s)
	l.w.batch++
	l.w.broken, l.w.rotated = false, true
	return nil
}

// appendCheckpoints writes the first batch of a file.
func (l *Log) appendCheckpoints(dst []byte) []byte {
	n := 0
	for _, g := range l.allGroups() {
		if c := g.checkpoint(); !c.empty() {
			dst = appendCheckpoint(dst, g.id, c)
			n++
		}
	}
	return appendCheckpointEnd(dst, n)
}

// fill turns the reserve into a synced file that starts with head, not yet named.
func (l *Log) fill(head []byte, need int) (vfs.File, int64, error) {
	size := max(l.nextBytes(), int64(len(head)+need)+l.headroom())
	if err := l.prepareReserve(size); err != nil {
		return nil, 0, err
	}
	file, size := l.w.reserve, l.w.reserveSize
	_, err := file.WriteAt(head, 0)
	if err == nil {
		err = file.Sync()
	}
	if err != nil {
		l.discardReserve()
		return nil, 0, err
	}
	l.w.reserve = nil
	return file, size, nil
}

// nextBytes is the size of the next file, unless a batch needs more.
func (l *Log) nextBytes() int64 {
	if len(l.files.order) == 0 {
		return min(firstSegmentBytes, l.opts.SegmentBytes)
	}
	return l.opts.grown(l.newest().size)
}

// grown is the size that follows that of a file, or of its records.
func (o *Options) grown(bytes int64) int64 {
	return min(max(2*bytes, firstSegmentBytes), o.SegmentBytes)
}

// prepareReserve makes sure that next.tmp exists and has size bytes.
func (l *Log) prepareReserve(size int64) error {
	if l.w.reserve != nil && l.w.reserveSize >= size {
		return nil
	}
	if l.w.reserve == nil {
		file, err := l.fs.Create(path.Join(l.dir, reserveName))
		if err != nil {
			return err
		}
		l.w.reserve, l.w.reserveSize = file, 0
	}
	err := l.w.reserve.Preallocate(0, size)
	if err == nil {
		err = l.w.reserve.Sync()
	}
	if err != nil {
		l.discardReserve()
		return err
	}
	l.w.reserveSize = size
	return nil
}

// discardReserve gives next.tmp up after an error, which is what the caller reports; the next
// attempt creates it anew.
func (l *Log) discardReserve() {
	_ = l.w.reserve.Close()
	_ = l.fs.Remove(path.Join(l.dir, reserveName))
	l.w.reserve = nil
}
