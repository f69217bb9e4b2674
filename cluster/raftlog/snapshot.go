package raftlog

import (
	"bufio"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"hash/crc32"
	"io"
	"path"
	"slices"
	"strings"
	"sync"

	"github.com/hashicorp/raft"

	"github.com/olapd/olapd/internal/vfs"
)

const (
	snapshotData    = "state"
	snapshotMeta    = "meta"
	snapshotTemp    = ".tmp"
	snapshotVersion = 1
	// snapshotBuffer is the unit of reading and writing a snapshot's state.
	snapshotBuffer = 64 << 10
	// maxMetaBytes bounds what is read as a snapshot's description: a configuration of some
	// hundred nodes takes a tenth of it.
	maxMetaBytes = 1 << 20
)

// Snapshots is the raft.SnapshotStore of one Raft group: a directory with one directory for each
// Raft snapshot, holding "state", the bytes of the state machine, and "meta":
//
//	| 0 version u8 = 1 | 1 CRC-32C of the rest u32 | 5 CRC-32C of state u32 | 9 raft.SnapshotMeta as JSON |
//
// A snapshot is complete, and listed, from the moment its directory has its name without ".tmp",
// which it gets after everything in it is durable.
type Snapshots struct {
	fs   vfs.FS
	dir  string
	keep int
	mu   sync.Mutex // serialises Create, publish and the removal of old ones
	seq  uint64
}

var _ raft.SnapshotStore = (*Snapshots)(nil)

// OpenSnapshots returns the store in dir, which is made if missing, and removes what a crash left
// unfinished. The newest keep ≥ 1 snapshots are kept.
func OpenSnapshots(fsys vfs.FS, dir string, keep int) (*Snapshots, error) {
	s := &Snapshots{fs: fsys, dir: path.Clean(dir), keep: max(keep, 1)}
	if err := fsys.MkdirAll(s.dir); err != nil {
		return nil, err
	}
	if err := fsys.SyncDir(path.Dir(s.dir)); err != nil {
		return nil, err
	}
	names, err := fsys.List(s.dir)
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		if strings.HasSuffix(name, snapshotTemp) {
			if err := fsys.RemoveAll(path.Join(s.dir, name)); err != nil {
				return nil, err
			}
		}
	}
	// A name that survived the last process need not survive the next power loss.
	return s, fsys.SyncDir(s.dir)
}

// Create begins a snapshot; it exists once the sink is closed.
func (s *Snapshots) Create(v raft.SnapshotVersion, index, term uint64, configuration raft.Configuration,
	configurationIndex uint64, _ raft.Transport) (raft.SnapshotSink, error) {
	if v != raft.SnapshotVersionMax {
		return nil, fmt.Errorf("raftlog: snapshots of version %d are not supported", v)
	}
	k := &sink{store: s, crc: crc32.New(castagnoli), meta: raft.SnapshotMeta{
		Version: v, ID: s.newID(term, index), Index: index, Term: term,
		Configuration: configuration, ConfigurationIndex: configurationIndex,
	}}
	if err := s.fs.MkdirAll(k.tempDir()); err != nil {
		return nil, err
	}
	var err error
	if k.file, err = s.fs.Create(path.Join(k.tempDir(), snapshotData)); err != nil {
		return nil, err
	}
	k.out = bufio.NewWriterSize(k.file, snapshotBuffer)
	return k, nil
}

// newID names a snapshot as no other of this store is named.
func (s *Snapshots) newID(term, index uint64) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	for {
		s.seq++
		id := fmt.Sprintf("%d-%d-%d", term, index, s.seq)
		_, errDone := s.fs.Stat(path.Join(s.dir, id))
		_, errTemp := s.fs.Stat(path.Join(s.dir, id+snapshotTemp))
		if errDone != nil && errTemp != nil {
			return id
		}
	}
}

// List returns the snapshots, newest first. One whose description is damaged is an error, because
// what Raft would do without it is wrong.
func (s *Snapshots) List() ([]*raft.SnapshotMeta, error) {
	names, err := s.fs.List(s.dir)
	if err != nil {
		return nil, err
	}
	var out []*raft.SnapshotMeta
	for _, name := range names {
		if strings.HasSuffix(name, snapshotTemp) {
			continue
		}
		meta, _, err := s.readMeta(name)
		if err != nil {
			return nil, err
		}
		out = append(out, meta)
	}
	slices.SortFunc(out, func(a, b *raft.SnapshotMeta) int {
		return cmp.Or(cmp.Compare(b.Index, a.Index), cmp.Compare(b.Term, a.Term), cmp.Compare(len(b.ID), len(a.ID)), cmp.Compare(b.ID, a.ID))
	})
	return out, nil
}

func (s *Snapshots) readMeta(id string) (*raft.SnapshotMeta, uint32, error) {
	name := path.Join(s.dir, id, snapshotMeta)
	st, err := s.fs.Stat(name)
	if err != nil {
		return nil, 0, err
	}
	if st.Size > maxMetaBytes {
		return nil, 0, fmt.Errorf("%w: %s has %d bytes", ErrCorrupt, name, st.Size)
	}
	b, err := vfs.ReadFile(s.fs, name)
	if err != nil {
		return nil, 0, err
	}
	meta, crc, err := decodeMeta(b)
	if err == nil && meta.ID != id {
		err = fmt.Errorf("%w: describes snapshot %q", ErrCorrupt, meta.ID)
	}
	if err != nil {
		return nil, 0, fmt.Errorf("%s: %w", name, err)
	}
	return meta, crc, nil
}

func encodeMeta(meta *raft.SnapshotMeta, crc uint32) ([]byte, error) {
	text, err := json.Marshal(meta)
	if err != nil {
		return nil, err
	}
	body := append(le.AppendUint32(nil, crc), text...)
	b := le.AppendUint32([]byte{snapshotVersion}, crc32.Checksum(body, castagnoli))
	return append(b, body...), nil
}

func decodeMeta(b []byte) (*raft.SnapshotMeta, uint32, error) {
	if len(b) < 9 {
		return nil, 0, fmt.Errorf("%w: %d bytes", ErrCorrupt, len(b))
	}
	if b[0] != snapshotVersion {
		return nil, 0, fmt.Errorf("raftlog: snapshot format version %d, this olapd reads version %d", b[0], snapshotVersion)
	}
	if got, want := crc32.Checksum(b[5:], castagnoli), le.Uint32(b[1:]); got != want {
		return nil, 0, fmt.Errorf("%w: checksum %08x, stored %08x", ErrCorrupt, got, want)
	}
	meta := new(raft.SnapshotMeta)
	if err := json.Unmarshal(b[9:], meta); err != nil {
		return nil, 0, fmt.Errorf("%w: %w", ErrCorrupt, err)
	}
	return meta, le.Uint32(b[5:]), nil
}

// Open reads the whole state once to check it, and returns it from its start.
func (s *Snapshots) Open(id string) (*raft.SnapshotMeta, io.ReadCloser, error) {
	meta, want, err := s.readMeta(id)
	if err != nil {
		return nil, nil, err
	}
	name := path.Join(s.dir, id, snapshotData)
	if err := s.verify(name, meta.Size, want); err != nil {
		return nil, nil, err
	}
	f, err := s.fs.Open(name)
	if err != nil {
		return nil, nil, err
	}
	return meta, readCloser{bufio.NewReaderSize(f, snapshotBuffer), f}, nil
}

func (s *Snapshots) verify(name string, size int64, want uint32) error {
	f, err := s.fs.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	crc := crc32.New(castagnoli)
	n, err := io.CopyBuffer(crc, struct{ io.Reader }{f}, make([]byte, snapshotBuffer))
	if err != nil {
		return err
	}
	if got := crc.Sum32(); n != size || got != want {
		return fmt.Errorf("%w: %s has %d bytes of checksum %08x, its description says %d and %08x", ErrCorrupt, name, n, got, size, want)
	}
	return nil
}

type readCloser struct {
	io.Reader
	io.Closer
}

// publish gives a complete snapshot its name and removes those beyond keep.
func (s *Snapshots) publish(k *sink) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.fs.Rename(k.tempDir(), path.Join(s.dir, k.meta.ID)); err != nil {
		return err
	}
	if err := s.fs.SyncDir(s.dir); err != nil {
		return err
	}
	all, err := s.List()
	if err != nil {
		return err
	}
	for _, old := range all[min(s.keep, len(all)):] {
		if err := s.remove(old.ID); err != nil {
			return err
		}
	}
	return nil
}

// remove renames first, so that no half of a snapshot is ever listed.
func (s *Snapshots) remove(id string) error {
	temp := path.Join(s.dir, id+snapshotTemp)
	if err := s.fs.Rename(path.Join(s.dir, id), temp); err != nil {
		return err
	}
	if err := s.fs.SyncDir(s.dir); err != nil {
		return err
	}
	return s.fs.RemoveAll(temp)
}

// sink is a snapshot being written, by one goroutine.
type sink struct {
	store *Snapshots
	meta  raft.SnapshotMeta
	file  vfs.File
	out   *bufio.Writer
	crc   hash.Hash32
	done  bool
}

func (k *sink) tempDir() string { return path.Join(k.store.dir, k.meta.ID+snapshotTemp) }

func (k *sink) ID() string { return k.meta.ID }

func (k *sink) Write(p []byte) (int, error) {
	n, err := k.out.Write(p)
	k.crc.Write(p[:n])
	k.meta.Size += int64(n)
	return n, err
}

// Close makes the snapshot durable and visible. After an error it is either whole or not there.
func (k *sink) Close() error {
	if k.done {
		return nil
	}
	k.done = true
	if err := k.finish(); err != nil {
		return errors.Join(err, k.store.fs.RemoveAll(k.tempDir()))
	}
	return k.store.publish(k)
}

func (k *sink) finish() error {
	err := k.out.Flush()
	if err == nil {
		err = k.file.Sync()
	}
	if err = errors.Join(err, k.file.Close()); err != nil {
		return err
	}
	b, err := encodeMeta(&k.meta, k.crc.Sum32())
	if err != nil {
		return err
	}
	// This syncs the directory too, and so the name of the state.
	return vfs.WriteFileAtomic(k.store.fs, path.Join(k.tempDir(), snapshotMeta), b)
}

// Cancel gives the snapshot up.
func (k *sink) Cancel() error {
	if k.done {
		return nil
	}
	k.done = true
	return errors.Join(k.file.Close(), k.store.fs.RemoveAll(k.tempDir()))
}
