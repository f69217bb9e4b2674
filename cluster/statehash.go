package cluster

import (
	"context"
	"encoding/binary"
	"fmt"
	"maps"
	"slices"
	"sync"

	"github.com/zeebo/xxh3"

	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/mergetree"
)

// Replicas compare their states. A StateHash entry without an index marks the state in front of it, which each replica then hashes beside its other
// work; a second one carries what the leader found for the first. A replica that finds something else stops: what it
// would answer is not what the others would. Hashes of different versions are not compared.

// hashVersion is the version of what a state hash covers.
const hashVersion = mergetree.StateHashVersion

// kindStateHash is the kind of a StateHash entry; see entry.go.
const kindStateHash kind = 12

// stateHash is the body of a StateHash entry.
type stateHash struct {
	at      uint64 // log index of the entry that marked the state; 0: this one marks it
	version uint64
	hash    [16]byte
}

func (*stateHash) kind() kind { return kindStateHash }

func (b *stateHash) append(dst []byte) ([]byte, error) {
	dst = binary.AppendUvarint(binary.AppendUvarint(dst, b.at), b.version)
	return append(dst, b.hash[:]...), nil
}

func readStateHash(r *reader) any {
	b := &stateHash{at: r.uvarint(), version: r.uvarint()}
	copy(b.hash[:], r.take(len(b.hash)))
	return b
}

// marked is a state to be hashed.
type marked struct {
	index uint64
	head  []byte // what the shard knows beside its rows
	rows  *mergetree.State
}

func (s *marked) hash() [16]byte {
	h := xxh3.New()
	rows := s.rows.Hash()
	_, _ = h.Write(s.head)
	_, _ = h.Write(rows[:])
	return h.Sum128().Bytes()
}

// comparison is the last state that a replica has marked, hashed and compared.
type comparison struct {
	states chan *marked // to be hashed; holds one
	mu     struct {
		sync.Mutex
		claim   stateHash // the leader's, until it has been compared
		index   uint64    // of the last state hashed here
		hash    [16]byte
		agreed  uint64        // the last index for which the leader had the same hash
		changed chan struct{} // closed and replaced when a state has been hashed
	}
}

func newComparison() *comparison {
	c := &comparison{states: make(chan *marked, 1)}
	c.mu.changed = make(chan struct{})
	return c
}

// capturing is a store whose state can be captured.
type capturing interface{ Capture() *mergetree.State }

// stateHash marks the state, or notes what the leader says of one. A replica that is still hashing an earlier state skips the mark.
func (m *shardFSM) stateHash(index uint64, b *stateHash) response {
	done := response{value: Result{Index: index}}
	if b.version != hashVersion {
		return done
	}
	if b.at != 0 {
		m.compared(*b)
		return done
	}
	store, ok := m.store.(capturing)
	if !ok || len(m.comparison.states) == cap(m.comparison.states) {
		return done
	}
	m.comparison.states <- &marked{index: index, head: m.state.digest(), rows: store.Capture()}
	return done
}

// digest is what replicas must have in common beside their rows.
func (s *shardState) digest() []byte {
	b := binary.AppendUvarint(nil, s.schema)
	for _, id := range slices.Sorted(maps.Keys(s.tables)) {
		b = binary.AppendUvarint(binary.AppendUvarint(b, uint64(id)), s.tables[id].Version)
		b = binary.AppendUvarint(b, s.touched[id])
	}
	for _, k := range s.cursors.keys() {
		b = s.cursors[k].append(b, k)
	}
	for _, id := range slices.Sorted(maps.Keys(s.tokens)) {
		b = s.tokens[id].append(binary.AppendUvarint(b, uint64(id)))
	}
	return s.moves.append(b)
}

// compared compares the leader's claim with this replica's hash, now or once it has that.
func (m *shardFSM) compared(claim stateHash) {
	c := m.comparison
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.mu.claim = claim; c.mu.index == claim.at {
		m.settleClaimLocked()
	}
}

// settleClaimLocked compares. REQUIRES: comparison.mu, and that the claim is about the last state hashed.
func (m *shardFSM) settleClaimLocked() {
	c := m.comparison
	if c.mu.claim.hash == c.mu.hash {
		c.mu.agreed = c.mu.index
		return
	}
	m.stop(sqlerr.New(sqlerr.CorruptedData, "The replica's state at log index %d of group %d has the hash %x, its leader's has %x",
		c.mu.index, m.group, c.mu.hash, c.mu.claim.hash))
}

// hashStates hashes the states that are marked, until ctx ends.
func (m *shardFSM) hashStates(ctx context.Context) {
	c := m.comparison
	for {
		select {
		case s := <-c.states:
			hash := s.hash()
			c.mu.Lock()
			c.mu.index, c.mu.hash = s.index, hash
			if c.mu.claim.at == s.index {
				m.settleClaimLocked()
			}
			close(c.mu.changed)
			c.mu.changed = make(chan struct{})
			c.mu.Unlock()
		case <-ctx.Done():
			return
		}
	}
}

// hashOf waits until the state that an entry marked has been hashed here; not ok if it never will be.
func (c *comparison) hashOf(ctx context.Context, index uint64) (hash [16]byte, ok bool) {
	for {
		c.mu.Lock()
		at, hash, changed := c.mu.index, c.mu.hash, c.mu.changed
		c.mu.Unlock()
		if at >= index {
			return hash, at == index
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return hash, false
		}
	}
}

// agreedAt is the last log index at which this replica's state was its leader's.
func (c *comparison) agreedAt() uint64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.mu.agreed
}

// CompareStates lets all replicas compare their states with this node's, which must lead the shard. Those that differ stop; it does not wait for
// them.
func (s *Shard) CompareStates(ctx context.Context) error {
	r, err := s.g.propose(ctx, proposal{body: &stateHash{version: hashVersion}})
	if err == nil {
		err = r.err
	}
	if err != nil {
		return fmt.Errorf("cluster: marking the state of shard %d: %w", s.g.id, err)
	}
	at := r.value.(Result).Index
	wait, cancel := withTimeout(ctx, s.clk, hashPatience)
	defer cancel()
	hash, ok := s.fsm.comparison.hashOf(wait, at)
	if !ok {
		return ctx.Err() // an earlier state was still being hashed: the next time will do
	}
	r, err = s.g.propose(ctx, proposal{body: &stateHash{at: at, version: hashVersion, hash: hash}})
	if err == nil {
		err = r.err
	}
	return err
}

// compareStates does so again and again while this node leads, where there are others and something has changed.
func (s *Shard) compareStates(ctx context.Context) {
	last := uint64(0)
	for s.clk.Sleep(ctx, hashInterval) == nil {
		if s.g.alone() || s.Applied() == last {
			continue
		}
		if err := s.CompareStates(ctx); err != nil && ctx.Err() == nil {
			s.g.log.Warn("comparing states", "error", err)
		}
		last = s.Applied()
	}
}
