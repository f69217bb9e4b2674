package cluster

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"sync/atomic"

	"github.com/hashicorp/raft"

	"github.com/olapd/olapd/internal/catalog"
	"github.com/olapd/olapd/internal/sqlerr"
)

// metaFSM is the state machine of the meta group.
type metaFSM struct {
	machine
	state     *catalog.Catalog // guarded by machine.mu
	published atomic.Pointer[catalog.Catalog]
}

func newMetaFSM(f fences) *metaFSM {
	m := &metaFSM{state: catalog.New()}
	m.machine.init(metaGroup, f)
	m.machine.effects, m.machine.finish = m.apply, func(uint64) { m.published.Store(m.state) }
	m.published.Store(m.state)
	return m
}

func (m *metaFSM) apply(_ uint64, e *entry) response {
	b, ok := e.body.(*catalogChange)
	if !ok {
		return response{fatal: sqlerr.New(sqlerr.CorruptedData, "%s in the log of the meta group", e.kind)}
	}
	if b.delta.From != m.state.Version {
		return response{err: fmt.Errorf("%w: from version %d to %d", ErrConflict, b.delta.From, m.state.Version)}
	}
	c, err := m.state.Apply(b.delta)
	if err != nil {
		return response{err: err}
	}
	m.state = c
	return response{value: c}
}

// Snapshot implements raft.FSM.
func (m *metaFSM) Snapshot() (raft.FSMSnapshot, error) {
	if err := m.err(); err != nil {
		return nil, err
	}
	m.mu.RLock()
	defer m.mu.RUnlock()
	return &metaSnapshot{place: m.appendPlace(nil), c: m.state, m: &m.machine, bytes: m.logBytes.Load()}, nil
}

type metaSnapshot struct {
	place []byte
	c     *catalog.Catalog
	m     *machine
	bytes int64
}

// Persist implements raft.FSMSnapshot.
func (s *metaSnapshot) Persist(sink raft.SnapshotSink) error {
	text, err := json.Marshal(s.c)
	if err == nil {
		err = writeHead(sink, metaMagic, appendText(s.place, text))
	}
	if err != nil {
		return errors.Join(fmt.Errorf("cluster: writing a Raft snapshot: %w", err), sink.Cancel())
	}
	if err := sink.Close(); err != nil {
		return err
	}
	s.m.logBytes.Add(-s.bytes)
	return nil
}

// Release implements raft.FSMSnapshot.
func (s *metaSnapshot) Release() {}

// Restore implements raft.FSM.
func (m *metaFSM) Restore(from io.ReadCloser) error {
	defer from.Close()
	m.restoring = m.restore(from)
	return m.restoring
}

func (m *metaFSM) restore(from io.Reader) error {
	r, err := readHead(from, metaMagic)
	if err != nil {
		return err
	}
	at, c := m.readPlace(r), &catalog.Catalog{}
	r.json(r.bytes(maxHead), c)
	if r.err != nil {
		return r.err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.state, m.term, m.applied = c, at.term, at.index
	m.published.Store(c)
	return nil
}
