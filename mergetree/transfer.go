package mergetree

import (
	"context"
	"errors"
	"fmt"
	"path"

	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/internal/vfs"
	"github.com/olapd/olapd/segment"
)

// pieceSuffix ends the names of files that are being received. What they hold is not believed before it has been hashed, so
// a piece that a crash left is gone on with.
const pieceSuffix = ".piece"

// Incoming is the file of a segment on its way from another replica. For one goroutine.
type Incoming struct {
	s    *Store
	seg  Segment
	file vfs.File
	size int64
}

// Receive begins or goes on with the transfer of a segment's file. It waits while another transfer of the file is under
// way. Nil without an error: the file is here.
func (s *Store) Receive(ctx context.Context, seg Segment) (*Incoming, error) {
	if seg.ID == "" || path.Base(seg.ID) != seg.ID || len(seg.ID) > maxIDLen {
		return nil, sqlerr.New(sqlerr.CorruptedData, "A segment is called %q", seg.ID)
	}
	here, err := s.files.receive(ctx, seg.ID)
	if here || err != nil {
		return nil, err
	}
	in := &Incoming{s: s, seg: seg}
	if err := in.open(); err != nil {
		s.files.received(seg.ID)
		return nil, err
	}
	return in, nil
}

// receive takes the right to receive a file, unless it is here. With an error nothing was taken.
func (f *files) receive(ctx context.Context, id string) (here bool, err error) {
	for {
		if ctx.Err() != nil {
			return false, context.Cause(ctx)
		}
		f.mu.Lock()
		other := f.mu.receiving[id]
		_, here := f.mu.local[id]
		if !here && other == nil {
			f.mu.receiving[id] = make(chan struct{})
		}
		f.mu.Unlock()
		if here || other == nil {
			return here, nil
		}
		select {
		case <-other:
		case <-ctx.Done():
			return false, context.Cause(ctx)
		}
	}
}

func (f *files) received(id string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	close(f.mu.receiving[id])
	delete(f.mu.receiving, id)
}

func (in *Incoming) open() error {
	u, err := in.s.fs.Usage(in.s.opts.Dir)
	if err != nil {
		return fmt.Errorf("mergetree: space for segment %s: %w", in.seg.ID, err)
	}
	if in.file, err = in.s.fs.OpenAppend(in.path()); err != nil {
		return fmt.Errorf("mergetree: receiving segment %s: %w", in.seg.ID, err)
	}
	if in.size, err = in.file.Size(); err == nil && in.size > int64(in.seg.Bytes) {
		in.size, err = 0, in.file.Truncate(0)
	}
	if err == nil && u.Free < in.seg.Bytes-uint64(in.size)+reservedBytes {
		err = sqlerr.New(sqlerr.NotEnoughSpace, "No space for segment %s of %d bytes: %d are free, %d of them reserved", in.seg.ID, in.seg.Bytes, u.Free, reservedBytes)
	}
	if err != nil {
		return errors.Join(err, in.file.Close())
	}
	return nil
}

func (in *Incoming) path() string { return in.s.inDir(in.seg.ID + pieceSuffix) }

// Offset is how many bytes there are already: the transfer goes on from there.
func (in *Incoming) Offset() int64 { return in.size }

// Complete reports whether all bytes are there.
func (in *Incoming) Complete() bool { return in.size == int64(in.seg.Bytes) }

// Append adds the bytes at Offset. A full disk is an error of code NotEnoughSpace.
func (in *Incoming) Append(b []byte) error {
	if int64(len(b)) > int64(in.seg.Bytes)-in.size {
		return sqlerr.New(sqlerr.CorruptedData, "Segment %s is longer than its %d bytes", in.seg.ID, in.seg.Bytes)
	}
	n, err := in.file.Write(b)
	in.size += int64(n)
	if vfs.IsNoSpace(err) {
		return sqlerr.Wrap(err, sqlerr.NotEnoughSpace, "No space for segment %s", in.seg.ID)
	}
	return err
}

// Finish checks the file against the segment's hash, makes it durable under its name, and shows it to readers. The term is that
// of Staged. Of a damaged file nothing is left. It ends the transfer, as Close does.
func (in *Incoming) Finish(ctx context.Context, term uint64) error {
	err := in.install(ctx)
	if err == nil {
		named := in.s.files.complete(in.seg.ID, term)
		in.s.files.repaired(in.seg.ID)
		in.s.files.received(in.seg.ID)
		if named {
			in.s.arrived(in.seg.ID, true)
		}
		return nil
	}
	if ctx.Err() == nil { // the next attempt begins anew
		err = errors.Join(err, in.drop())
	}
	in.s.files.received(in.seg.ID)
	return err
}

func (in *Incoming) drop() error {
	if err := in.s.fs.Remove(in.path()); err != nil && !vfs.IsNotExist(err) {
		return err
	}
	return nil
}

func (in *Incoming) install(ctx context.Context) error {
	fail := func(err error) error {
		return errors.Join(fmt.Errorf("mergetree: segment %s as received: %w", in.seg.ID, err), in.file.Close())
	}
	if err := in.s.checkFile(ctx, in.path(), in.seg); err != nil {
		return fail(err)
	}
	if err := in.file.Sync(); err != nil {
		return fail(err)
	}
	if err := in.file.Close(); err != nil {
		return fmt.Errorf("mergetree: segment %s as received: %w", in.seg.ID, err)
	}
	if err := in.s.fs.Rename(in.path(), in.s.pathOf(in.seg.ID)); err != nil {
		return fmt.Errorf("mergetree: segment %s as received: %w", in.seg.ID, err)
	}
	return in.s.fs.SyncDir(in.s.opts.Dir)
}

// checkFile reads a whole file and compares it with what a manifest says of the segment.
func (s *Store) checkFile(ctx context.Context, name string, seg Segment) error {
	r, err := segment.Open(s.fs, name, nil)
	if err != nil {
		return err
	}
	err = checkMeta(r.Meta(), seg)
	if err == nil {
		err = r.Verify(ctx)
	}
	return errors.Join(err, r.Release())
}

// Close gives the transfer up. What came stays, for another attempt; wanted says whether there will be one.
func (in *Incoming) Close(wanted bool) error {
	err := in.file.Close()
	if !wanted {
		err = errors.Join(err, in.drop())
	}
	in.s.files.received(in.seg.ID)
	return err
}

// OpenFile opens the file of a segment for being sent; the caller closes it. It need not be named by the state. The receiver checks
// the content.
func (s *Store) OpenFile(id string) (vfs.File, error) {
	s.files.mu.Lock()
	_, here := s.files.mu.local[id]
	s.files.mu.Unlock()
	if !here {
		return nil, missingSegment(Segment{ID: id})
	}
	f, err := s.fs.Open(s.pathOf(id))
	if err != nil {
		return nil, fmt.Errorf("mergetree: sending segment %s: %w", id, err)
	}
	return f, nil
}

// Wants reports whether the segment is live and its file is not here.
func (s *Store) Wants(id string) bool {
	s.work.Lock()
	defer s.work.Unlock()
	for _, t := range s.tables {
		for _, f := range t.absent {
			if f.seg.ID == id && f.isAbsent() {
				return true
			}
		}
	}
	return false
}
