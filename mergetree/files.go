package mergetree

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/internal/vfs"
	"github.com/olapd/olapd/segment"
)

// segFile is a segment named by some state, with its file once opened.
type segFile struct {
	seg  Segment
	here atomic.Bool // the file is on this disk, whole
	mu   struct {
		sync.Mutex
		reader *segment.Reader // one reference, until close
		closed bool
	}
}

// files are the segment files that the store knows of.
type files struct {
	mu struct {
		sync.Mutex
		known    map[string]*segFile
		building map[string]bool // being written or committed by this process
		// local are the whole files on disk, with the last term in which an entry that names one may have been proposed.
		local     map[string]uint64
		receiving map[string]chan struct{} // closed at the end of a transfer
		damaged   map[string]Damage        // found by Scrub
		refused   bool                     // files may have become orphans: see Refuse
		dead      []*segFile               // to be deleted
		closed    bool
	}
	wakeup   chan struct{}
	wanted   chan struct{}  // files have become absent
	idle     sync.WaitGroup // of the deleting goroutine
	deleting sync.Mutex     // held while files are being deleted
}

// garbage is a file that an edit removed.
type garbage struct {
	file  *segFile
	index uint64 // of the edit: a restart before it needs the file
	root  uint64 // the first root without it: snapshots of older ones need the file
}

// init takes stock of the directory.
func (f *files) init(fs vfs.FS, dir string) error {
	f.mu.known, f.mu.building = map[string]*segFile{}, map[string]bool{}
	f.mu.local, f.mu.receiving = map[string]uint64{}, map[string]chan struct{}{}
	f.mu.damaged = map[string]Damage{}
	f.wakeup, f.wanted = make(chan struct{}, 1), make(chan struct{}, 1)
	names, err := fs.List(dir)
	if err != nil {
		return fmt.Errorf("mergetree: listing %s: %w", dir, err)
	}
	for _, name := range names {
		if id, ok := strings.CutSuffix(name, fileSuffix); ok {
			f.mu.local[id] = 0
		}
	}
	return nil
}

// want tells who fetches files that there is something to fetch.
func (f *files) want() {
	select {
	case f.wanted <- struct{}{}:
	default:
	}
}

// file returns the file of a segment that enters the state; it does no I/O.
func (f *files) file(seg Segment) *segFile {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.mu.building, seg.ID)
	if sf := f.mu.known[seg.ID]; sf != nil && sf.seg == seg {
		return sf
	}
	sf := &segFile{seg: seg}
	_, here := f.mu.local[seg.ID]
	sf.here.Store(here)
	f.mu.known[seg.ID] = sf
	return sf
}

// complete notes that a file is whole and durable. It tells whether a state names it.
func (f *files) complete(id string, term uint64) (named bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.mu.local[id] = max(f.mu.local[id], term)
	sf := f.mu.known[id]
	if sf != nil {
		sf.here.Store(true)
	}
	return sf != nil
}

// gone notes that there is no file.
func (f *files) gone(id string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.mu.building, id)
	delete(f.mu.local, id)
	if sf := f.mu.known[id]; sf != nil {
		sf.here.Store(false)
	}
}

// randomID returns 128 random bits in hexadecimal.
func randomID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails
	return hex.EncodeToString(b[:])
}

// isKnown reports whether a state names the segment.
func (f *files) isKnown(id string) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.mu.known[id] != nil
}

// newID returns the ID of a file about to be written, which CleanOrphans leaves alone until gone or settled.
func (s *Store) newID() string {
	id := s.ids()
	s.files.mu.Lock()
	defer s.files.mu.Unlock()
	s.files.mu.building[id] = true
	return id
}

// settled ends the protection that newID gave.
func (f *files) settled(id string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.mu.building, id)
}

// open returns the segment's reader with a reference for the caller, opening and checking the file the first time.
func (s *Store) open(f *segFile) (*segment.Reader, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.mu.closed {
		return nil, sqlerr.New(sqlerr.LogicalError, "Segment %s is closed", f.seg.ID)
	}
	if f.mu.reader == nil {
		r, err := s.openChecked(f.seg)
		if err != nil {
			return nil, err
		}
		f.mu.reader = r
	}
	return f.mu.reader.Retain(), nil
}

func (s *Store) openChecked(seg Segment) (*segment.Reader, error) {
	r, err := segment.Open(s.fs, s.pathOf(seg.ID), s.opts.Cache)
	if vfs.IsNotExist(err) {
		return nil, errors.Join(missingSegment(seg), err)
	}
	if err != nil {
		return nil, fmt.Errorf("mergetree: live segment %s: %w", seg, err)
	}
	if err := checkMeta(r.Meta(), seg); err != nil {
		return nil, errors.Join(err, r.Release())
	}
	return r, nil
}

// checkMeta compares what a file says of itself with what the manifest says of it.
func checkMeta(m *segment.Meta, seg Segment) error {
	if m.Hash != hex.EncodeToString(seg.Hash[:]) || m.Rows != int64(seg.Rows) || m.Bytes != int64(seg.Bytes) {
		return sqlerr.New(sqlerr.ChecksumDoesntMatch, "The file of segment %s holds %d rows in %d bytes with hash %s, the manifest says %d, %d and %x",
			seg.ID, m.Rows, m.Bytes, m.Hash, seg.Rows, seg.Bytes, seg.Hash)
	}
	return nil
}

func (f *segFile) close() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	r := f.mu.reader
	f.mu.reader, f.mu.closed = nil, true
	if r == nil {
		return nil
	}
	return r.Release()
}

// SegmentHandle is a live segment of a TableView, valid as long as its snapshot.
type SegmentHandle struct {
	Segment
	file *segFile
	s    *Store
}

// Open opens the segment; the caller releases the reader. A missing or damaged file is an error with a code.
func (h *SegmentHandle) Open(ctx context.Context) (*segment.Reader, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return h.s.open(h.file)
}

// collectLocked forgets roots that nothing pins, and returns the files that no root, and no restart, needs. REQUIRES: s.mu.
func (s *Store) collectLocked() []*segFile {
	live := s.mu.roots[:0]
	for _, r := range s.mu.roots {
		if r.refs > 0 || r == s.mu.root {
			live = append(live, r)
		}
	}
	clear(s.mu.roots[len(live):])
	s.mu.roots = live
	var dead []*segFile
	keep := s.mu.garbage[:0]
	for _, g := range s.mu.garbage {
		if g.root <= live[0].seq && g.index <= s.mu.durable {
			dead = append(dead, g.file)
			continue
		}
		keep = append(keep, g)
	}
	clear(s.mu.garbage[len(keep):])
	s.mu.garbage = keep
	return dead
}

// deleteFiles hands files to the deleting goroutine: callers may be applying, and must not wait for files.
func (s *Store) deleteFiles(dead []*segFile) {
	if len(dead) == 0 {
		return
	}
	s.files.mu.Lock()
	defer s.files.mu.Unlock()
	s.files.mu.dead = append(s.files.mu.dead, dead...)
	if s.files.mu.closed {
		return
	}
	select {
	case s.files.wakeup <- struct{}{}:
	default:
	}
}

// deleteLoop deletes files until the store is closed. A file that cannot be deleted is left to CleanOrphans.
func (s *Store) deleteLoop() {
	defer s.files.idle.Done()
	for range s.files.wakeup {
		s.deleteDead()
	}
}

// deleteDead deletes the files that wait for it.
func (s *Store) deleteDead() {
	s.files.deleting.Lock()
	defer s.files.deleting.Unlock()
	s.files.mu.Lock()
	dead := s.files.mu.dead
	s.files.mu.dead = nil
	s.files.mu.Unlock()
	for _, f := range dead {
		err := f.close()
		if rerr := s.fs.Remove(s.pathOf(f.seg.ID)); rerr != nil && !vfs.IsNotExist(rerr) {
			err = errors.Join(err, rerr)
		}
		if err != nil {
			s.log.Warn("deleting a merged segment", "segment", f.seg.ID, "error", err)
		} else {
			s.files.gone(f.seg.ID)
		}
		s.files.mu.Lock()
		if s.files.mu.known[f.seg.ID] == f {
			delete(s.files.mu.known, f.seg.ID)
		}
		s.files.mu.Unlock()
	}
}

// closeAll ends the deleting goroutine and closes every file.
func (f *files) closeAll() error {
	f.mu.Lock()
	if f.mu.closed {
		f.mu.Unlock()
		return nil
	}
	f.mu.closed = true
	known := f.mu.known
	f.mu.known = map[string]*segFile{}
	close(f.wakeup)
	f.mu.Unlock()
	f.idle.Wait()
	var err error
	for _, sf := range known {
		err = errors.Join(err, sf.close())
	}
	return err
}
