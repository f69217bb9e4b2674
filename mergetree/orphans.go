package mergetree

import (
	"context"
	"fmt"
	"strings"

	"github.com/olapd/olapd/internal/vfs"
)

// Found says in which term, at the latest, the files were staged that the store found on disk when it was opened. To be called before
// CleanOrphans.
func (s *Store) Found(term uint64) {
	s.files.mu.Lock()
	defer s.files.mu.Unlock()
	for id := range s.files.mu.local {
		s.files.mu.local[id] = max(s.files.mu.local[id], term)
	}
}

// Staged notes that an entry that names the segments may be proposed in a term: until a later term has begun, nobody knows that
// it is in no log. It reports whether all files are here.
func (s *Store) Staged(segs []Segment, term uint64) bool {
	s.files.mu.Lock()
	defer s.files.mu.Unlock()
	all := true
	for _, seg := range segs {
		last, here := s.files.mu.local[seg.ID]
		if all = all && here; here {
			s.files.mu.local[seg.ID] = max(last, term)
		}
	}
	return all
}

// Refuse notes that no entry names the segments any more: one that did was refused, on all replicas alike, and is not proposed
// again. Their files need not wait for another term. It does no I/O.
func (s *Store) Refuse(segs []Segment) {
	s.files.mu.Lock()
	defer s.files.mu.Unlock()
	for _, seg := range segs {
		if _, here := s.files.mu.local[seg.ID]; here && s.files.mu.known[seg.ID] == nil {
			s.files.mu.local[seg.ID], s.files.mu.refused = 0, true
		}
	}
}

// TakeRefused reports whether files may have become orphans through Refuse since it was last called.
func (s *Store) TakeRefused() bool {
	s.files.mu.Lock()
	defer s.files.mu.Unlock()
	out := s.files.mu.refused
	s.files.mu.refused = false
	return out
}

// Release ends the protection of segments built here whose commit has an unknown outcome: CleanOrphans finds out.
func (s *Store) Release(segs []Segment) {
	for _, seg := range segs {
		s.files.settled(seg.ID)
	}
}

// CleanOrphans deletes the files of segments that no state names, nobody is writing, and no entry still to come can name: those
// refused, or staged in terms before one that has begun, which means that all entries of earlier terms have been applied. So it follows the log and
// never a clock, and a restart alone deletes nothing. Pieces of files nobody waits for go too. It returns how many it deleted.
func (s *Store) CleanOrphans(ctx context.Context, term uint64) (int, error) {
	s.deleteDead()
	names, err := s.fs.List(s.opts.Dir)
	if err != nil {
		return 0, fmt.Errorf("mergetree: listing %s: %w", s.opts.Dir, err)
	}
	n := 0
	for _, name := range names {
		if err := ctx.Err(); err != nil {
			return n, err
		}
		if !s.files.orphaned(name, term) {
			continue
		}
		if err := s.fs.Remove(s.inDir(name)); err != nil && !vfs.IsNotExist(err) {
			return n, fmt.Errorf("mergetree: deleting the orphan %s: %w", name, err)
		}
		s.log.Info("deleted an orphan", "file", name)
		n++
	}
	return n, nil
}

// orphaned reports whether a file may be deleted, and if so forgets it.
func (f *files) orphaned(name string, term uint64) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if id, ok := strings.CutSuffix(name, pieceSuffix); ok {
		return f.mu.receiving[id] == nil && (f.mu.known[id] == nil || f.mu.known[id].here.Load())
	}
	if id, ok := strings.CutSuffix(name, damagedSuffix); ok {
		return f.mu.known[id] == nil || f.mu.known[id].here.Load()
	}
	id, ok := strings.CutSuffix(name, fileSuffix)
	if !ok || f.mu.known[id] != nil || f.mu.building[id] || f.mu.receiving[id] != nil || f.mu.local[id] >= term {
		return false
	}
	delete(f.mu.local, id)
	return true
}
