package cluster

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"sync/atomic"

	"github.com/hashicorp/raft"

	"github.com/olapd/olapd/internal/access"
	"github.com/olapd/olapd/internal/catalog"
	"github.com/olapd/olapd/internal/feature"
	"github.com/olapd/olapd/internal/sqlerr"
)

// metaFSM is the state machine of the meta group.
type metaFSM struct {
	machine
	level     feature.Level    // of this build
	state     *catalog.Catalog // guarded by machine.mu
	topology  *Topology        // guarded by machine.mu
	access    *access.State    // guarded by machine.mu
	published atomic.Pointer[metaState]
}

// metaState is what the meta group has decided, of one log index.
type metaState struct {
	catalog  *catalog.Catalog
	topology *Topology
	access   *access.State
}

func newMetaFSM(f fences, level feature.Level) *metaFSM {
	m := &metaFSM{level: level, state: catalog.New(), topology: newTopology(), access: access.New()}
	m.machine.init(metaGroup, f)
	m.machine.effects, m.machine.finish = m.apply, func(uint64) { m.publish() }
	m.publish()
	return m
}

func (m *metaFSM) publish() {
	m.published.Store(&metaState{catalog: m.state, topology: m.topology, access: m.access})
}

func (m *metaFSM) apply(_ uint64, e *entry) response {
	switch b := e.body.(type) {
	case *catalogChange:
		return m.changeCatalog(b)
	case *topologyChange:
		return m.changeTopology(b)
	case *accessChange:
		return m.changeAccess(b)
	case *levelRise:
		return m.raiseLevel(b)
	}
	return response{fatal: sqlerr.New(sqlerr.CorruptedData, "%s in the log of the meta group", e.kind)}
}

func (m *metaFSM) changeTopology(b *topologyChange) response {
	if b.to.Level != m.topology.Level {
		return response{err: fmt.Errorf("%w: made at feature level %d, the cluster is at %d", ErrConflict, b.to.Level, m.topology.Level)}
	}
	return m.replaceTopology(b.to)
}

func (m *metaFSM) replaceTopology(to *Topology) response {
	if to.Version != m.topology.Version+1 {
		return response{err: fmt.Errorf("%w: topology %d after %d", ErrConflict, to.Version, m.topology.Version)}
	}
	if err := to.check(); err != nil {
		return response{err: err}
	}
	if len(to.Shards) > len(m.topology.Shards) {
		if err := m.growable(); err != nil {
			return response{err: err}
		}
		to.keepSpread(m.state, len(m.topology.Shards))
	}
	if err := m.growths(to); err != nil {
		return response{err: err}
	}
	dropped := func(id catalog.TableID) bool { return m.state.ByID(id) == nil }
	maps.DeleteFunc(to.Moved, func(id catalog.TableID, _ uint64) bool { return dropped(id) })
	maps.DeleteFunc(to.Spread, func(id catalog.TableID, _ int) bool { return dropped(id) })
	maps.DeleteFunc(to.Grown, func(id catalog.TableID, _ Grown) bool { return dropped(id) })
	m.topology = to
	return response{value: to}
}

// keepSpread notes for the tables there are that their rows and tokens lie on so many shards, unless they lie on fewer.
func (t *Topology) keepSpread(c *catalog.Catalog, shards int) {
	spread := map[catalog.TableID]int{}
	for _, table := range c.Tables("") {
		if table.Kind != catalog.KindTable {
			continue
		}
		if spread[table.ID] = shards; t.Spread[table.ID] > 0 {
			spread[table.ID] = t.Spread[table.ID]
		}
	}
	t.Spread = spread
}

// growable refuses more shards while a Kafka table feeds one with a sharding key, if there may be nodes that would let new shards read all that it has.
func (m *metaFSM) growable() error {
	for _, target := range m.state.Tables("") {
		if target.ShardingKey() == "" || m.has(feature.StoppedSources) {
			continue
		}
		if sources := Feeders(m.state, target.ID); len(sources) > 0 {
			return sqlerr.New(sqlerr.BadArguments, "Kafka table %s feeds %s, which has a sharding key: shards can be added when all nodes are of builds with feature level %d, or the materialized view is dropped", sources[0].FullName(), target.FullName(), feature.StoppedSources.Since())
		}
	}
	return nil
}

func (m *metaFSM) changeCatalog(b *catalogChange) response {
	if b.delta.From != m.state.Version {
		return response{err: fmt.Errorf("%w: from version %d to %d", ErrConflict, b.delta.From, m.state.Version)}
	}
	c, err := m.state.Apply(b.delta)
	if err == nil {
		err = m.feedable(c)
	}
	if err == nil {
		err = m.readable(b.delta.Tables)
	}
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
	return &metaSnapshot{place: m.appendPlace(nil), c: m.state, t: m.topology, a: m.access, m: &m.machine, bytes: m.logBytes.Load()}, nil
}

type metaSnapshot struct {
	place []byte
	c     *catalog.Catalog
	t     *Topology
	a     *access.State
	m     *machine
	bytes int64
}

// Persist implements raft.FSMSnapshot.
func (s *metaSnapshot) Persist(sink raft.SnapshotSink) error {
	head, err := s.place, error(nil)
	for _, part := range []any{s.c, s.t, s.a} {
		text, merr := json.Marshal(part)
		head, err = appendText(head, text), errors.Join(err, merr)
	}
	if err == nil {
		err = writeHead(sink, metaMagic, s.version(), head)
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

// version is the lowest that says what the cluster's level is, once it has one.
func (s *metaSnapshot) version() uint16 {
	if s.t.Level.Has(feature.Levels) {
		return metaSnapshotVersion
	}
	return snapshotVersion
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
	r, err := readHead(from, metaMagic, metaSnapshotVersion)
	if err != nil {
		return err
	}
	at, c, t, a := m.readPlace(r), &catalog.Catalog{}, newTopology(), access.New()
	r.json(r.bytes(maxHead), c)
	if r.err == nil && len(r.b) > 0 { // before there were topologies, nothing followed
		t = &Topology{}
		r.json(r.bytes(maxHead), t)
	}
	if r.err == nil && len(r.b) > 0 { // nor before users were stored
		r.json(r.bytes(maxHead), a)
	}
	if r.err == nil {
		r.err = t.check()
	}
	if r.err == nil && t.Level > m.level {
		r.err = tooOld(m.level, t.Level)
	}
	if r.err != nil {
		return r.err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.state, m.topology, m.access = c, t, a
	m.publish()
	m.jumpLocked(at)
	return nil
}
