package raftlog

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/olapd/olapd/internal/vfs"
)

// Recovery is what Open found.
type Recovery struct {
	Files   int
	Entries int // live, of all groups
	// TornBytes were cut off the end of the last file, because of TornReason: an unfinished
	// batch, which nobody has been told is durable. 0 if there was none.
	TornBytes  int64
	TornReason string
}

// recover reads all files, builds the index and makes the last file ready to be written.
func (l *Log) recover() error {
	l.w.cache.limit = l.opts.CacheBytes
	l.w.batch = 1
	numbers, err := l.listSegments()
	if err != nil || len(numbers) == 0 {
		return err
	}
	// A name that survived the last process need not survive the next power loss.
	if err := l.fs.SyncDir(l.dir); err != nil {
		return err
	}
	r := replay{log: l}
	if err := r.readHeaders(numbers); err != nil {
		return err
	}
	for i := range numbers {
		if err := r.file(i); err != nil {
			return fmt.Errorf("file %s: %w", segmentName(l.dir, numbers[i]), err)
		}
	}
	if err := r.complete(); err != nil {
		return err
	}
	l.recovery.Files = len(numbers)
	l.w.deleted = true // the last process may not have removed what it could
	return l.prepareReserveAtOpen()
}

// prepareReserveAtOpen accepts a full disk: reads go on, and writes say so themselves.
func (l *Log) prepareReserveAtOpen() error {
	if err := l.prepareReserve(l.nextBytes()); err != nil && !vfs.IsNoSpace(err) {
		return err
	}
	return nil
}

func (l *Log) listSegments() ([]uint32, error) {
	names, err := l.fs.List(l.dir)
	if err != nil {
		return nil, err
	}
	var numbers []uint32
	for _, name := range names {
		if n, ok := segmentNumber(name); ok {
			numbers = append(numbers, n)
		}
	}
	slices.Sort(numbers)
	for i, n := range numbers {
		if n != numbers[0]+uint32(i) {
			return nil, fmt.Errorf("%w: file %s is missing", ErrCorrupt, segmentName(l.dir, numbers[0]+uint32(i)))
		}
	}
	return numbers, nil
}

// replay builds the index from the files.
type replay struct {
	log     *Log
	headers []header
	sizes   []int64
	total   int64 // bytes of all files: bounds what a checkpoint can claim

	pending     []change // of the batch at hand
	checkpoints map[uint64]checkpoint
}

func (r *replay) readHeaders(numbers []uint32) error {
	for _, n := range numbers {
		if err := r.readHeader(n); err != nil {
			return fmt.Errorf("file %s: %w", segmentName(r.log.dir, n), err)
		}
	}
	return nil
}

func (r *replay) readHeader(number uint32) error {
	f, err := r.log.fs.OpenReadWrite(segmentName(r.log.dir, number))
	if err != nil {
		return err
	}
	s := newSegment(number, f)
	r.log.addSegment(s) // closed with the log from here on
	if s.size, err = f.Size(); err != nil {
		return err
	}
	if s.size > math.MaxUint32 {
		return fmt.Errorf("%w: %d bytes are too many", ErrCorrupt, s.size)
	}
	buf := make([]byte, min(s.size, fileHeader))
	if n, err := f.ReadAt(buf, 0); n < len(buf) {
		return err
	}
	h, err := decodeHeader(buf)
	if err != nil {
		return err
	}
	if h.number != uint64(number) {
		return fmt.Errorf("%w: its header says file %d", ErrCorrupt, h.number)
	}
	r.headers = append(r.headers, h)
	r.total += s.size
	return nil
}

// file replays one file.
func (r *replay) file(i int) error {
	s := r.log.files.order[i]
	if i == 0 {
		r.log.w.batch = r.headers[0].firstBatch
	}
	if got := r.headers[i].firstBatch; got != r.log.w.batch {
		return fmt.Errorf("%w: begins with batch %d, not %d", ErrCorrupt, got, r.log.w.batch)
	}
	last := i == len(r.headers)-1
	limit := s.size
	if !last {
		if limit = int64(r.headers[i+1].prevEnd); limit > s.size || limit < fileHeader {
			return fmt.Errorf("%w: has %d bytes, its records end at %d", ErrCorrupt, s.size, limit)
		}
	}
	data := make([]byte, limit)
	if n, err := s.file.ReadAt(data, 0); n < len(data) {
		return fmt.Errorf("reading: %w", err)
	}
	reason, err := r.batches(s, data, i == 0)
	switch {
	case err != nil:
		return err
	case last:
		return r.tail(s, data, reason)
	case s.end != limit:
		return fmt.Errorf("%w: batch %d at %d: %v; the next file says that records end at %d", ErrCorrupt, r.log.w.batch, s.end, reason, limit)
	}
	return nil
}

// batches replays the complete batches of a file's content, sets where they end, and returns why
// there are no more. An error is one that no crash explains.
func (r *replay) batches(s *segment, data []byte, first bool) (reason, err error) {
	s.end = fileHeader
	r.pending = r.pending[:0]
	r.checkpoints = map[uint64]checkpoint{}
	for at := fileHeader; ; {
		rec, err := decodeRecord(data[at:])
		if err == nil && rec.batch != r.log.w.batch {
			err = fmt.Errorf("%w: record of batch %d where batch %d is due", ErrCorrupt, rec.batch, r.log.w.batch)
		}
		if err != nil {
			if s.end == fileHeader {
				return nil, fmt.Errorf("checkpoint at %d: %w", at, errors.Join(ErrCorrupt, err))
			}
			return err, nil
		}
		if err := r.record(s, rec, at, first); err != nil {
			return nil, fmt.Errorf("record at %d: %w", at, err)
		}
		at += rec.size
		if rec.last {
			if err := r.applyPending(s); err != nil {
				return nil, fmt.Errorf("batch %d at %d: %w: %w", r.log.w.batch, s.end, ErrCorrupt, err)
			}
			s.end = int64(at)
			r.log.w.batch++
		}
	}
}

// record notes what one record does.
func (r *replay) record(s *segment, rec record, at int, firstFile bool) error {
	inCheckpoint := s.end == fileHeader
	isCheckpoint := rec.kind == kindCheckpoint || rec.kind == kindCheckpointEnd
	if inCheckpoint != isCheckpoint || rec.last && inCheckpoint != (rec.kind == kindCheckpointEnd) {
		return fmt.Errorf("%w: record of kind %d is out of place", ErrCorrupt, rec.kind)
	}
	switch rec.kind {
	case kindCheckpoint:
		c, err := decodeCheckpoint(rec.payload)
		if err == nil && c.last != 0 && c.last-c.first >= uint64(r.total/(recordHeader+entryHeader)) {
			err = fmt.Errorf("%w: checkpoint of entries %d to %d in %d bytes", ErrCorrupt, c.first, c.last, r.total)
		}
		r.checkpoints[rec.group] = c
		return err
	case kindCheckpointEnd:
		if len(rec.payload) != 4 || int(le.Uint32(rec.payload)) != len(r.checkpoints) {
			return fmt.Errorf("%w: checkpoint of %d groups has another end", ErrCorrupt, len(r.checkpoints))
		}
		return r.checkpoint(firstFile)
	}
	c, err := decodeChange(rec)
	if err != nil {
		return err
	}
	c.g = r.log.group(rec.group)
	c.offset = at - int(s.end)
	r.pending = append(r.pending, c)
	return nil
}

// checkpoint takes the first file's checkpoint as the state, and compares the others with it.
func (r *replay) checkpoint(firstFile bool) error {
	if firstFile {
		for id, c := range r.checkpoints {
			r.log.group(id).restoreLocked(c)
		}
		return nil
	}
	for id := range r.checkpoints {
		r.log.group(id)
	}
	for _, g := range r.log.allGroups() {
		if got, want := r.checkpoints[g.id], g.checkpoint(); !got.equal(want) {
			return fmt.Errorf("%w: checkpoint of group %d says entries %d to %d and %d keys, the files before it %d to %d and %d",
				ErrCorrupt, g.id, got.first, got.last, len(got.keys), want.first, want.last, len(want.keys))
		}
	}
	return nil
}

func (r *replay) applyPending(s *segment) error {
	for i := range r.pending {
		if err := r.log.apply(s, s.end, &r.pending[i]); err != nil {
			return err
		}
	}
	r.pending = r.pending[:0]
	return nil
}

// tail makes the last file end with its last complete batch. The caller has read data, and no
// more batches because of reason.
func (r *replay) tail(s *segment, data []byte, reason error) error {
	rest := data[s.end:]
	if !isZero(rest) {
		if at, batch := laterBatch(rest, r.log.w.batch); at >= 0 {
			return fmt.Errorf("%w: batch %d at %d: %w; yet batch %d follows at %d", ErrCorrupt, r.log.w.batch, s.end, reason, batch, s.end+int64(at))
		}
		r.log.recovery.TornBytes = int64(len(rest))
		r.log.recovery.TornReason = fmt.Sprintf("batch %d at %d of file %d is unfinished: %v", r.log.w.batch, s.end, s.number, reason)
		if err := s.file.Truncate(s.end); err != nil {
			return err
		}
		s.size = s.end
	}
	// What this process has read may be in the page cache only; and a cut must be on the disk
	// before zeros, and then batches, follow it.
	if err := s.file.Sync(); err != nil {
		return err
	}
	return r.regrow(s)
}

// regrow gives the last file room for more again. On a full disk it is left as it is: the next
// write needs a new file, and says so.
func (r *replay) regrow(s *segment) error {
	size := r.log.opts.grown(s.end)
	if s.size >= size {
		return nil
	}
	err := s.file.Preallocate(0, size)
	if vfs.IsNoSpace(err) {
		r.log.w.broken = true
		return nil
	}
	if err != nil {
		return err
	}
	s.size = size
	return nil
}

// laterBatch looks for a record of a batch after number, which shows that batch number was
// durable once: what is wrong with it is damage, not an unfinished write. It returns -1 if
// there is none.
func laterBatch(b []byte, number uint64) (at int, batch uint64) {
	for at := 0; at+recordHeader <= len(b); at += recordAlign {
		if got := le.Uint64(b[at+8:]); got <= number || b[at+24] == 0 {
			continue
		}
		if r, err := decodeRecord(b[at:]); err == nil {
			return at, r.batch
		}
	}
	return -1, 0
}

// complete checks that every live entry has been found.
func (r *replay) complete() error {
	for _, g := range r.log.allGroups() {
		for i, at := range g.locs {
			if at.file == 0 {
				return fmt.Errorf("%w: entry %d of group %d is in no file", ErrCorrupt, g.first+uint64(i), g.id)
			}
		}
		r.log.recovery.Entries += len(g.locs)
	}
	return nil
}
