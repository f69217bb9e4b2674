package mergetree

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/olapd/olapd/internal/catalog"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/internal/vfs"
	"github.com/olapd/olapd/segment"
)

// Adopt makes a file that was written for a table of the same definition a segment of this one, as it is: copy writes its bytes. as says what the file is
// known to be, without an ID; what it says of itself is held against that. The caller commits the segment, or gives it to Discard, as those of BuildSegments;
// segments of one edit count as written in their order. ok is false, and nothing is left, where the file is not of the form in which the table writes its own, or
// it is not known when rows of a table with a TTL expire. A full disk is an error of code NotEnoughSpace; of an error nothing is left.
func (s *Store) Adopt(ctx context.Context, id catalog.TableID, as Segment, copy func(io.Writer) error) (seg Segment, ok bool, err error) {
	if err := s.bg.begin(); err != nil {
		return Segment{}, false, err
	}
	defer s.bg.work.Done()
	snap := s.Snapshot()
	v := snap.Table(id)
	snap.Close() // the spec outlives the snapshot
	if v == nil {
		return Segment{}, false, unknownTable(id)
	}
	spec := v.Spec()
	if spec.Mode == Memory || spec.TTL != nil && as.TTLMax == 0 {
		return Segment{}, false, nil
	}
	if spec.TTL == nil {
		as.TTLMin, as.TTLMax = NoTTL, NoTTL
	}
	u, err := s.fs.Usage(s.opts.Dir)
	if err != nil {
		return Segment{}, false, fmt.Errorf("mergetree: space for a segment: %w", err)
	}
	if u.Free < as.Bytes+reservedBytes {
		return Segment{}, false, sqlerr.New(sqlerr.NotEnoughSpace, "No space for a segment of %d bytes: %d are free, %d of them reserved", as.Bytes, u.Free, reservedBytes)
	}
	as.ID, as.First, as.Last, as.Created = s.newID(), 0, 0, s.clk.Now().Unix()
	if ok, err = s.adopt(ctx, spec, &as, copy); err != nil || !ok {
		s.removeFiles([]Segment{as})
		return Segment{}, false, err
	}
	s.files.complete(as.ID, 0)
	return as, true, nil
}

// adopt writes the file, makes it durable, and reports whether it is one of the table's.
func (s *Store) adopt(ctx context.Context, spec *Spec, as *Segment, copy func(io.Writer) error) (bool, error) {
	name := s.pathOf(as.ID)
	f, err := s.fs.Create(name)
	if err != nil {
		return false, fmt.Errorf("mergetree: adopting segment %s: %w", as.ID, err)
	}
	if err = copy(f); err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); vfs.IsNoSpace(err) {
		err = sqlerr.Wrap(err, sqlerr.NotEnoughSpace, "No space for segment %s", as.ID)
	}
	if err != nil {
		return false, err
	}
	r, err := segment.Open(s.fs, name, nil)
	if err != nil {
		return false, err
	}
	m := r.Meta()
	as.RawBytes, as.Level = uint64(m.RawBytes), uint32(m.Level)
	ok := r.MadeAs(s.form(spec)) && m.PartitionID == as.Partition
	err = checkMeta(m, *as)
	if err == nil && ok {
		err = r.Verify(ctx)
	}
	if err := errors.Join(err, r.Release()); err != nil || !ok {
		return false, err
	}
	return true, s.fs.SyncDir(s.opts.Dir)
}
