package node

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"

	"github.com/olapd/olapd/cluster"
	"github.com/olapd/olapd/cluster/rpc"
	"github.com/olapd/olapd/internal/backup"
	"github.com/olapd/olapd/internal/catalog"
	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/internal/vfs"
	"github.com/olapd/olapd/mergetree"
	"github.com/olapd/olapd/query"
)

// methodBackup is a stream to the leader of a shard, which pins its rows while the stream is open:
//
//	request:  backupRequest as JSON, then the name of one file after the other
//	answer:   messages of the backupList as JSON, the last of them empty; then for each file its bytes, in messages
const methodBackup = "shard.backup"

// backupRequest asks for the tables of a shard as they are at one instant.
type backupRequest struct {
	Shard   uint64            `json:"shard"`
	Catalog uint64            `json:"catalog"` // version to be known before
	Tables  []catalog.TableID `json:"tables"`
	// Topology is the version by which all shards of the backup are read.
	Topology uint64 `json:"topology"`
}

// backupList is what there is to be read.
type backupList struct {
	Index    uint64          `json:"index"` // of the log
	Segments []backupSegment `json:"segments"`
}

type backupSegment struct {
	Table catalog.TableID `json:"table"`
	ID    string          `json:"id"` // of the file
	backup.Segment
}

// backupChunk is the bytes of a file in one message.
const backupChunk = 1 << 20

// shardFiles is a shard that is pinned for a backup. For one goroutine.
type shardFiles interface {
	list() *backupList
	// read calls f with the bytes of a listed file.
	read(ctx context.Context, s *backupSegment, f func(io.Reader) error) error
	Close() error
}

// Backup implements query.Backups. All shards are pinned before anything is copied. The node that runs it reads what the leaders of the
// shards send, and writes it all.
func (n *Node) Backup(ctx context.Context, to backup.Location, base *backup.Location, databases []string, tables []query.BackupTable) (done backup.Moved, err error) {
	if err := n.claim(to); err != nil {
		return done, err
	}
	defer n.release(to)
	w, err := n.backups.places.Create(ctx, to, base)
	if err != nil {
		return done, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, w.Abandon(context.WithoutCancel(ctx)))
		}
	}()
	q := backupRequest{Catalog: n.cluster.Meta().Catalog().Version, Topology: n.cluster.Topology().Version}
	for _, t := range tables {
		if t.Rows != nil {
			q.Tables = append(q.Tables, t.Rows.ID)
		}
	}
	pinned := make([]shardFiles, n.shards.count())
	defer func() {
		for _, p := range pinned {
			if p != nil {
				err = errors.Join(err, p.Close())
			}
		}
	}()
	if err := n.shards.each(func(id uint64) (err error) {
		of := q
		of.Shard = id
		pinned[id-1], err = n.pinForBackup(ctx, &of)
		return err
	}); err != nil {
		return done, err
	}
	m := &backup.Manifest{Created: n.cfg.Clock.Now().UnixNano(), Version: Version, Databases: databases}
	segments := map[catalog.TableID][]backup.Segment{}
	for i, p := range pinned {
		m.Shards = append(m.Shards, backup.Shard{ID: uint64(i) + 1, Index: p.list().Index})
		if err := copyShard(ctx, w, p, segments); err != nil {
			return done, fmt.Errorf("backup of shard %d: %w", i+1, err)
		}
	}
	for _, t := range tables {
		if t.Rows != nil {
			t.Entry.Segments = segments[t.Rows.ID]
		}
		m.Tables = append(m.Tables, t.Entry)
	}
	return w.Written, w.Finish(ctx, m)
}

// copyShard writes the segments that the backup does not have yet, and notes all of them by table.
func copyShard(ctx context.Context, w *backup.Writer, p shardFiles, into map[catalog.TableID][]backup.Segment) error {
	all := p.list().Segments
	for i := range all {
		s := &all[i]
		entry, known := w.Known(s.Segment)
		if !known {
			if err := p.read(ctx, s, func(r io.Reader) (err error) {
				entry, err = w.Put(ctx, s.Segment, r)
				return err
			}); err != nil {
				return err
			}
		}
		into[s.Table] = append(into[s.Table], entry)
	}
	return nil
}

// backups is what a node has for backups.
type backups struct {
	places *backup.Places
	mu     struct {
		sync.Mutex
		writing []string // locations
	}
}

// claim keeps two statements of this node from writing the same backup.
func (n *Node) claim(at backup.Location) error {
	b := &n.backups
	b.mu.Lock()
	defer b.mu.Unlock()
	if slices.Contains(b.mu.writing, at.String()) {
		return sqlerr.New(sqlerr.BackupAlreadyExists, "Backup %s is being written", at)
	}
	b.mu.writing = append(b.mu.writing, at.String())
	return nil
}

func (n *Node) release(at backup.Location) {
	b := &n.backups
	b.mu.Lock()
	defer b.mu.Unlock()
	b.mu.writing = slices.DeleteFunc(b.mu.writing, func(s string) bool { return s == at.String() })
}

// pinForBackup pins a shard at its leader, which may move meanwhile.
func (n *Node) pinForBackup(ctx context.Context, q *backupRequest) (shardFiles, error) {
	for attempt := 1; ; attempt++ {
		p, err := n.pinOnce(ctx, q)
		if !errors.Is(err, cluster.ErrNotLeader) && !sqlerr.Is(err, sqlerr.NotALeader) || attempt == moveAttempts {
			return p, err
		}
		if err := n.cfg.Clock.Sleep(ctx, movePause); err != nil {
			return nil, err
		}
	}
}

func (n *Node) pinOnce(ctx context.Context, q *backupRequest) (shardFiles, error) {
	if r := n.shards.led(q.Shard); r != nil {
		p, err := pinHere(ctx, r, q)
		if err != nil {
			return nil, err
		}
		return p, nil
	}
	leader, err := n.shards.leaderOf(ctx, q.Shard)
	if err != nil {
		return nil, err
	}
	if leader == n.cluster.Name() || n.cfg.Network == nil {
		return nil, sqlerr.Wrap(cluster.ErrNotLeader, sqlerr.NotALeader, "Node %s does not lead shard %d yet", n.cluster.Name(), q.Shard)
	}
	ctx, cancel := context.WithCancel(ctx)
	p := &pinnedThere{cancel: cancel}
	if err := p.open(ctx, n.cfg.Network, leader, q); err != nil {
		cancel()
		return nil, err
	}
	return p, nil
}

// pinnedHere is a shard that this node leads.
type pinnedHere struct {
	store *mergetree.Store
	snap  *cluster.View
	all   backupList
	live  map[string]*mergetree.SegmentHandle // by ID
	built []mergetree.Segment                 // of rows in memory, for the backup only
}

func pinHere(ctx context.Context, r *cluster.Shard, q *backupRequest) (*pinnedHere, error) {
	if err := r.WaitSchema(ctx, q.Catalog); err != nil {
		return nil, err
	}
	if err := r.Barrier(ctx); err != nil {
		return nil, err
	}
	v, err := r.View(ctx, q.Topology)
	if err != nil {
		return nil, err
	}
	p := &pinnedHere{store: r.Store(), snap: v, live: map[string]*mergetree.SegmentHandle{}}
	p.all.Index = p.snap.Index()
	for _, id := range q.Tables {
		if err := p.table(ctx, q.Shard, id); err != nil {
			return nil, errors.Join(err, p.Close())
		}
	}
	return p, nil
}

func (p *pinnedHere) table(ctx context.Context, shard uint64, id catalog.TableID) error {
	if err := p.snap.Readable(id); err != nil {
		return err
	}
	v := p.snap.Table(id)
	if v == nil {
		return sqlerr.New(sqlerr.UnknownTable, "Table %d was dropped while the backup began", id)
	}
	if err := v.Ready(); err != nil {
		return err
	}
	var segs []mergetree.Segment
	for _, h := range v.Segments() {
		segs = append(segs, h.Segment)
		p.live[h.ID] = h
	}
	chunks := v.Memtable()
	built, err := p.store.BuildSegments(ctx, id, func(ctx context.Context) (*column.Block, error) {
		if len(chunks) == 0 {
			return nil, nil
		}
		c := chunks[0]
		chunks = chunks[1:]
		src := newSource(v.Spec(), v.Spec().Columns, c.Schema)
		src.mem = c.Rows
		return src.block(ctx, 0, c.Rows.N)
	})
	if err != nil {
		return noSpace(err, "the rows of a backup that are not in segments yet")
	}
	p.built = append(p.built, built...)
	for _, s := range append(segs, built...) {
		p.all.Segments = append(p.all.Segments, backupSegment{Table: id, ID: s.ID, Segment: backup.Segment{
			Shard: shard, Hash: hex.EncodeToString(s.Hash[:]), Partition: s.Partition, Rows: s.Rows, Bytes: s.Bytes, TTLMin: s.TTLMin, TTLMax: s.TTLMax}})
	}
	return nil
}

// block reads rows [from, to) of all wanted columns, as an insert has them.
func (s *source) block(ctx context.Context, from, to int) (*column.Block, error) {
	b := &column.Block{N: to - from, Cols: make([]column.Vector, len(s.want))}
	for i, f := range s.want {
		v, err := s.read(ctx, i, from, to, nil)
		if err != nil {
			return nil, err
		}
		b.Cols[i] = column.WithType(column.Flatten(v), f.Type)
	}
	return b, nil
}

func (p *pinnedHere) list() *backupList { return &p.all }

// file opens a listed file, all of whose checksums have been seen to match: what is damaged here is not to replace a good backup.
func (p *pinnedHere) file(ctx context.Context, id string) (vfs.File, error) {
	if h := p.live[id]; h != nil {
		if err := verify(ctx, h); err != nil {
			return nil, err
		}
	}
	return p.store.OpenFile(id)
}

func (p *pinnedHere) read(ctx context.Context, s *backupSegment, f func(io.Reader) error) error {
	file, err := p.file(ctx, s.ID)
	if err != nil {
		return err
	}
	return errors.Join(f(file), file.Close())
}

// Close implements shardFiles.
func (p *pinnedHere) Close() error {
	p.snap.Close()
	p.store.Discard(p.built)
	return nil
}

// pinnedThere is a shard that another node leads.
type pinnedThere struct {
	cancel func()
	s      rpc.Stream
	all    backupList
}

func (p *pinnedThere) open(ctx context.Context, net rpc.Network, leader string, q *backupRequest) error {
	text, err := json.Marshal(q)
	if err != nil {
		return err
	}
	if p.s, err = net.Open(ctx, leader, methodBackup); err != nil {
		return err
	}
	if err := p.s.Send(text); err != nil && !errors.Is(err, io.EOF) { // the end of the stream says why: it is read below
		return err
	}
	text = nil
	for {
		b, err := p.s.Recv()
		if errors.Is(err, io.EOF) {
			err = sqlerr.New(sqlerr.NetworkError, "Node %s ended the backup of shard %d without an answer", leader, q.Shard)
		}
		if err != nil {
			return err
		}
		if len(b) == 0 {
			return json.Unmarshal(text, &p.all)
		}
		text = append(text, b...)
	}
}

func (p *pinnedThere) list() *backupList { return &p.all }

func (p *pinnedThere) read(_ context.Context, s *backupSegment, f func(io.Reader) error) error {
	if err := p.s.Send([]byte(s.ID)); err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	in := &fileStream{s: p.s, left: int64(s.Bytes)}
	if err := f(in); err != nil {
		return err
	}
	if in.left > 0 {
		return sqlerr.New(sqlerr.LogicalError, "%d bytes of segment %s were not read", in.left, s.ID)
	}
	return nil
}

// Close implements shardFiles: the other node sees the end of the stream.
func (p *pinnedThere) Close() error {
	p.cancel()
	return nil
}

// fileStream is the bytes of one file that come over a stream.
type fileStream struct {
	s    rpc.Stream
	left int64
	b    []byte
}

// Read implements io.Reader.
func (f *fileStream) Read(to []byte) (int, error) {
	if f.left == 0 {
		return 0, io.EOF
	}
	for len(f.b) == 0 {
		b, err := f.s.Recv()
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		if err != nil {
			return 0, err
		}
		f.b = b
	}
	if int64(len(f.b)) > f.left {
		return 0, sqlerr.New(sqlerr.CorruptedData, "A segment for a backup is longer than was said")
	}
	k := copy(to, f.b)
	f.b, f.left = f.b[k:], f.left-int64(k)
	return k, nil
}

// serveBackup answers methodBackup.
func (n *Node) serveBackup(ctx context.Context, _ string, s rpc.Stream) error {
	text, err := s.Recv()
	if err != nil {
		return err
	}
	q := &backupRequest{}
	if err := json.Unmarshal(text, q); err != nil {
		return sqlerr.Wrap(err, sqlerr.CorruptedData, "A request for a backup")
	}
	r, err := n.shards.mustLead(q.Shard)
	if err != nil {
		return err
	}
	p, err := pinHere(ctx, r, q)
	if err != nil {
		return err
	}
	return errors.Join(p.serve(ctx, s), p.Close())
}

// serve sends the list, then the files that are asked for.
func (p *pinnedHere) serve(ctx context.Context, s rpc.Stream) error {
	text, err := json.Marshal(&p.all)
	if err != nil {
		return err
	}
	for piece := range slices.Chunk(text, rpc.MaxMessage/2) {
		if err := s.Send(slices.Clone(piece)); err != nil {
			return err
		}
	}
	if err := s.Send(nil); err != nil {
		return err
	}
	listed := make(map[string]uint64, len(p.all.Segments))
	for _, seg := range p.all.Segments {
		listed[seg.ID] = seg.Bytes
	}
	for {
		id, err := s.Recv()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		size, ok := listed[string(id)]
		if !ok {
			return sqlerr.New(sqlerr.CorruptedData, "A backup asks for segment %q, which is not among those pinned for it", id)
		}
		if err := p.sendFile(ctx, s, string(id), int64(size)); err != nil {
			return err
		}
	}
}

func (p *pinnedHere) sendFile(ctx context.Context, s rpc.Stream, id string, size int64) error {
	f, err := p.file(ctx, id)
	if err != nil {
		return err
	}
	return errors.Join(sendBytes(ctx, s, f, size), f.Close())
}

func sendBytes(ctx context.Context, s rpc.Stream, f vfs.File, size int64) error {
	for at := int64(0); at < size; {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		b := make([]byte, min(backupChunk, size-at)) // the stream keeps it
		if k, err := f.ReadAt(b, at); k < len(b) {
			return fmt.Errorf("sending a segment for a backup at %d: %w", at, err)
		}
		if err := s.Send(b); err != nil {
			return err
		}
		at += int64(len(b))
	}
	return nil
}
