package mergetree

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/olapd/olapd/internal/catalog"
	"github.com/olapd/olapd/internal/vfs"
	"github.com/olapd/olapd/segment"
)

// damagedSuffix ends the names of files that are not what they were, kept until another replica's copy is here.
const damagedSuffix = ".damaged"

// Damage is a live segment whose file is not what it was when it was written.
type Damage struct {
	Table   catalog.TableID
	Segment Segment
	Err     error
	Found   time.Time
}

// ScrubOptions say how Scrub goes about it.
type ScrubOptions struct {
	// Table is the only one that is read; 0: all.
	Table catalog.TableID
	// Rate is the bytes read a second; 0: as fast as it goes.
	Rate int64
	// SetAside takes damaged files away, so that they are fetched from another replica. Without it, which is for a store alone, what
	// of them is whole can still be read, and the rest is an error.
	SetAside bool
}

// Scrub reads the files of all live segments and compares them with the manifest, and returns those that are damaged; Damaged has them until they are repaired
// or merged away. An error is one of the scrub itself.
func (s *Store) Scrub(ctx context.Context, o ScrubOptions) ([]Damage, error) {
	if err := s.bg.begin(); err != nil {
		return nil, err
	}
	defer s.bg.work.Done()
	var found []Damage
	snap := s.Snapshot()
	defer snap.Close()
	for _, id := range tableIDs(snap.r.tables) {
		if o.Table != 0 && id != o.Table {
			continue
		}
		for _, f := range snap.r.tables[id].segs {
			if f.isAbsent() {
				continue
			}
			err := s.scrubFile(ctx, f.seg, o.Rate)
			if ctx.Err() != nil {
				return found, context.Cause(ctx)
			}
			if err == nil {
				s.files.repaired(f.seg.ID)
				continue
			}
			d := Damage{Table: id, Segment: f.seg, Err: err, Found: s.clk.Now()}
			s.log.Error("a segment is damaged", "table", id, "segment", f.seg.ID, "error", err)
			s.files.damage(d)
			found = append(found, d)
			if !o.SetAside {
				continue
			}
			if err := s.setAside(f); err != nil {
				return found, err
			}
		}
	}
	return found, nil
}

// scrubFile reads one file.
func (s *Store) scrubFile(ctx context.Context, seg Segment, rate int64) error {
	r, err := segment.Open(s.fs, s.pathOf(seg.ID), nil)
	if err != nil {
		return err
	}
	err = checkMeta(r.Meta(), seg)
	if err == nil {
		err = r.VerifyPaced(ctx, func(n int) error {
			if rate <= 0 {
				return nil
			}
			return s.clk.Sleep(ctx, time.Duration(float64(n)/float64(rate)*float64(time.Second)))
		})
	}
	return errors.Join(err, r.Release())
}

// setAside takes a live segment's file away: it is absent from then on. Those who read it go on reading it.
func (s *Store) setAside(f *segFile) error {
	name := s.pathOf(f.seg.ID)
	if err := s.fs.Rename(name, s.inDir(f.seg.ID+damagedSuffix)); err != nil && !vfs.IsNotExist(err) {
		return fmt.Errorf("mergetree: setting %s aside: %w", name, err)
	}
	if err := s.fs.SyncDir(s.opts.Dir); err != nil {
		return fmt.Errorf("mergetree: setting %s aside: %w", name, err)
	}
	s.files.gone(f.seg.ID)
	s.arrived(f.seg.ID, false)
	return f.reset()
}

// reset lets the file be opened anew.
func (f *segFile) reset() error {
	f.mu.Lock()
	r := f.mu.reader
	f.mu.reader = nil
	f.mu.Unlock()
	if r == nil {
		return nil
	}
	return r.Release()
}

func (f *files) damage(d Damage) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.mu.damaged[d.Segment.ID] = d
}

func (f *files) repaired(id string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.mu.damaged, id)
}

// Damaged returns the live segments that were found damaged and have not been repaired since, oldest first.
func (s *Store) Damaged() []Damage {
	s.files.mu.Lock()
	defer s.files.mu.Unlock()
	for id := range s.files.mu.damaged {
		if s.files.mu.known[id] == nil {
			delete(s.files.mu.damaged, id)
		}
	}
	return slices.SortedFunc(maps.Values(s.files.mu.damaged), func(a, b Damage) int {
		return cmp.Or(a.Found.Compare(b.Found), cmp.Compare(a.Segment.ID, b.Segment.ID))
	})
}

// Faults is how many of a table's live segments have no whole file here.
type Faults struct {
	Missing int // still to come from another replica
	Damaged int // found damaged and not repaired so far; those set aside are missing too
}

// Faults returns those of all tables that have any.
func (s *Store) Faults() map[catalog.TableID]Faults {
	out := map[catalog.TableID]Faults{}
	for _, d := range s.Damaged() {
		f := out[d.Table]
		f.Damaged++
		out[d.Table] = f
	}
	s.work.Lock()
	defer s.work.Unlock()
	for id, t := range s.tables {
		f := out[id]
		for _, file := range t.absent {
			if file.isAbsent() {
				f.Missing++
			}
		}
		if f != (Faults{}) {
			out[id] = f
		}
	}
	return out
}
