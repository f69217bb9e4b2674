package cluster

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"

	"github.com/hashicorp/raft"
	"github.com/zeebo/xxh3"

	"github.com/olapd/olapd/internal/catalog"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/mergetree"
)

// The Raft snapshot of a shard:
//
//	| "olapds" | u16 version | u32 length of the head | u64 xxh3 of the head | head | rows and manifest (mergetree's EncodeState) |
//
//	head: | uv group | uv term | uv index | uv schema version | uv tables | per table: bytes JSON, uv touched |
//	      | uv cursors | per cursor: uv source, text topic, 16 bytes topic id, uv partition, u8 released, sv next |
//	      | uv tables with tokens | per table: uv id, uv tokens | per token, oldest first: text id, 16 bytes hash, uv index, sv time |
//	      | moves: see shardmoves.go |
//
// The meta group's is the same with "olapdm", and a head of | uv group | uv term | uv index | bytes JSON of the catalog |
// bytes JSON of the topology | bytes JSON of users and roles |. Its version is 2 once the cluster has a feature level: what builds without levels do not read.
const (
	shardMagic          = "olapds"
	metaMagic           = "olapdm"
	snapshotVersion     = 1
	metaSnapshotVersion = 2       // the newest of the meta group's
	maxHead             = 1 << 30 // bytes; far above a million tokens
)

// stateSource is a store whose whole state can be written and replaced.
type stateSource interface {
	Snapshot() *mergetree.Snapshot
	DecodeState(r io.Reader) error
}

// Snapshot implements raft.FSM: it pins the state, Persist writes it.
func (m *shardFSM) Snapshot() (raft.FSMSnapshot, error) {
	if err := m.err(); err != nil {
		return nil, err
	}
	src, ok := m.store.(stateSource)
	if !ok {
		return nil, sqlerr.New(sqlerr.LogicalError, "This storage has no snapshots")
	}
	m.mu.RLock()
	defer m.mu.RUnlock()
	head, err := m.appendHead(nil)
	if err != nil {
		return nil, err
	}
	return &shardSnapshot{head: head, rows: src.Snapshot(), m: &m.machine, bytes: m.logBytes.Load()}, nil
}

type shardSnapshot struct {
	head  []byte
	rows  *mergetree.Snapshot
	m     *machine
	bytes int64 // of log that it covers
}

// Persist implements raft.FSMSnapshot.
func (s *shardSnapshot) Persist(sink raft.SnapshotSink) error {
	err := writeHead(sink, shardMagic, snapshotVersion, s.head)
	if err == nil {
		err = s.rows.EncodeState(sink)
	}
	if err != nil {
		return errors.Join(fmt.Errorf("cluster: writing a Raft snapshot: %w", err), sink.Cancel())
	}
	if err := sink.Close(); err != nil {
		return err
	}
	s.m.logBytes.Add(-s.bytes)
	s.m.flushed.Store(false)
	return nil
}

// Release implements raft.FSMSnapshot.
func (s *shardSnapshot) Release() { s.rows.Close() }

func writeHead(w io.Writer, magic string, version uint16, head []byte) error {
	b := binary.LittleEndian.AppendUint16([]byte(magic), version)
	b = binary.LittleEndian.AppendUint32(b, uint32(len(head)))
	b = binary.LittleEndian.AppendUint64(b, xxh3.Hash(head))
	_, err := w.Write(append(b, head...))
	return err
}

// readHead reads what is in front of a state, of any version up to the newest.
func readHead(r io.Reader, magic string, newest uint16) (*reader, error) {
	var fixed [20]byte
	if _, err := io.ReadFull(r, fixed[:]); err != nil {
		return nil, sqlerr.Wrap(err, sqlerr.CorruptedData, "Raft snapshot without a header")
	}
	if v := binary.LittleEndian.Uint16(fixed[6:]); string(fixed[:6]) != magic || v < snapshotVersion || v > newest {
		return nil, sqlerr.New(sqlerr.CorruptedData, "Raft snapshot begins with %q, version %d; this build reads %q, versions %d to %d", fixed[:6], v, magic, snapshotVersion, newest)
	}
	n := binary.LittleEndian.Uint32(fixed[8:])
	if n > maxHead {
		return nil, sqlerr.New(sqlerr.CorruptedData, "Raft snapshot with a head of %d bytes", n)
	}
	head, err := io.ReadAll(io.LimitReader(r, int64(n)))
	if err == nil && len(head) < int(n) {
		err = io.ErrUnexpectedEOF
	}
	if err != nil {
		return nil, sqlerr.Wrap(err, sqlerr.CorruptedData, "Raft snapshot is cut off")
	}
	if xxh3.Hash(head) != binary.LittleEndian.Uint64(fixed[12:]) {
		return nil, sqlerr.New(sqlerr.ChecksumDoesntMatch, "Checksum doesn't match: corrupted Raft snapshot")
	}
	return &reader{b: head}, nil
}

func (m *machine) appendPlace(dst []byte) []byte {
	dst = binary.AppendUvarint(dst, m.group)
	dst = binary.AppendUvarint(dst, m.term)
	return binary.AppendUvarint(dst, m.applied)
}

// place is where in the log a snapshot was taken.
type place struct{ term, index uint64 }

func (m *machine) readPlace(r *reader) place {
	if g := r.uvarint(); g != m.group {
		r.fail("a Raft snapshot of group %d for group %d", g, m.group)
	}
	return place{term: r.uvarint(), index: r.uvarint()}
}

func (m *shardFSM) appendHead(dst []byte) ([]byte, error) {
	s := m.state
	dst = binary.AppendUvarint(m.appendPlace(dst), s.schema)
	dst = binary.AppendUvarint(dst, uint64(len(s.tables)))
	for _, id := range slices.Sorted(maps.Keys(s.tables)) {
		text, err := json.Marshal(s.tables[id])
		if err != nil {
			return nil, err
		}
		dst = binary.AppendUvarint(appendText(dst, text), s.touched[id])
	}
	dst = binary.AppendUvarint(dst, uint64(len(s.cursors)))
	for _, k := range s.cursors.keys() {
		dst = s.cursors[k].append(dst, k)
	}
	dst = binary.AppendUvarint(dst, uint64(len(s.tokens)))
	for _, id := range slices.Sorted(maps.Keys(s.tokens)) {
		dst = s.tokens[id].append(binary.AppendUvarint(dst, uint64(id)))
	}
	return s.moves.append(dst), nil
}

func (at Cursor) append(dst []byte, k cursorKey) []byte {
	dst = appendPartition(dst, k.source, k.Topic, at.TopicID, k.Partition)
	released := byte(0)
	if at.Released {
		released = 1
	}
	return binary.AppendVarint(append(dst, released), at.Next)
}

func (w *tokenWindow) append(dst []byte) []byte {
	dst = binary.AppendUvarint(dst, uint64(len(w.order)))
	for _, id := range w.order {
		t := w.byID[id]
		dst = append(appendText(dst, id), t.hash[:]...)
		dst = binary.AppendVarint(binary.AppendUvarint(dst, t.index), t.time)
	}
	return dst
}

func readShardState(r *reader) *shardState {
	s := newShardState()
	s.schema = r.uvarint()
	for range r.count(maxHead, 2) {
		t := &catalog.Table{}
		r.json(r.bytes(maxTableJSON), t)
		s.tables[t.ID], s.touched[t.ID] = t, r.uvarint()
	}
	for range r.count(maxHead, 20) {
		source, topic, id, partition := r.partition()
		released := r.u8() == 1
		s.cursors[cursorKey{source, TopicPartition{topic, partition}}] = Cursor{TopicID: id, Released: released, Next: r.varint()}
	}
	for range r.count(maxHead, 2) {
		table := catalog.TableID(r.uvarint())
		for range r.count(maxHead, 19) {
			t := remembered{id: string(r.bytes(maxTokenID))}
			copy(t.hash[:], r.take(len(t.hash)))
			t.index, t.time = r.uvarint(), r.varint()
			s.tokens.remember(table, t)
		}
	}
	s.moves.read(r)
	return s
}

// Restore implements raft.FSM: it replaces the whole state, or on error leaves it as it was.
func (m *shardFSM) Restore(from io.ReadCloser) error {
	defer from.Close()
	m.restoring = m.restore(from)
	return m.restoring
}

func (m *shardFSM) restore(from io.Reader) error {
	src, ok := m.store.(stateSource)
	if !ok {
		return sqlerr.New(sqlerr.LogicalError, "This storage has no snapshots")
	}
	r, err := readHead(from, shardMagic, snapshotVersion)
	if err != nil {
		return err
	}
	at, state := m.readPlace(r), readShardState(r)
	if r.err != nil {
		return r.err
	}
	var specs []*mergetree.Spec
	for _, id := range slices.Sorted(maps.Keys(state.tables)) {
		spec, err := m.spec(state.tables[id])
		if err != nil {
			return err
		}
		if spec != nil {
			specs = append(specs, spec)
		}
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.moving.Store(m.moving.Load() || len(state.moves.byID)+len(state.moves.moved) > 0) // before rows are published
	if err := src.DecodeState(from); err != nil {
		return err
	}
	for _, spec := range specs {
		m.store.ApplyCreate(spec)
	}
	for id := range state.tables {
		m.store.ApplyFrozen(id, state.moves.frozen(id))
	}
	m.state = state
	m.publish(at.index)
	m.jumpLocked(at)
	return nil
}
