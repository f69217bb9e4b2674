package cluster

import (
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/hashicorp/raft"

	"github.com/olapd/olapd/internal/sqlerr"
)

// machine is what the state machines of all groups share: order, terms, stopping. Raft calls it from one goroutine.
type machine struct {
	group  uint64
	fences fences
	// effects applies one entry of the present term; finish makes a batch visible. Both run under mu.
	effects func(index uint64, e *entry) response
	finish  func(index uint64)

	mu      sync.RWMutex // held while a batch is applied: readers see whole batches
	term    uint64       // of the last BeginTerm
	applied uint64
	changed chan struct{} // closed and replaced after each batch

	logBytes  atomic.Int64 // applied since the last Raft snapshot
	flushed   atomic.Bool  // a memtable was emptied since
	restoring error        // why the last Restore failed; of raft's start only
	failure   atomic.Pointer[error]
	failed    chan struct{} // closed on failure
}

// response is what an entry came to, for the one who proposed it.
type response struct {
	value any
	err   error // nothing happened, on any replica
	fatal error // the replica cannot go on

	term, index uint64 // of the entry; set for its proposer
}

func (m *machine) init(group uint64, f fences) {
	m.group, m.fences = group, f
	m.changed, m.failed = make(chan struct{}), make(chan struct{})
}

// stop makes the replica apply nothing from now on.
func (m *machine) stop(err error) {
	if m.failure.CompareAndSwap(nil, &err) {
		close(m.failed)
	}
}

// err returns why the replica has stopped, or nil.
func (m *machine) err() error {
	if p := m.failure.Load(); p != nil {
		return *p
	}
	return nil
}

// Apply implements raft.FSM.
func (m *machine) Apply(l *raft.Log) any { return m.ApplyBatch([]*raft.Log{l})[0] }

// ApplyBatch implements raft.BatchingFSM: the effects of all entries become visible at once.
func (m *machine) ApplyBatch(logs []*raft.Log) []any {
	out := make([]any, len(logs))
	m.mu.Lock()
	defer m.mu.Unlock()
	before := m.applied
	for i, l := range logs {
		out[i] = m.applyLocked(l)
	}
	if err := m.err(); err != nil {
		for i := range out { // nothing of the batch becomes visible, though all of it is committed
			out[i] = response{err: unknown(stopped(m.group, err))}
		}
		return out
	}
	if m.applied != before {
		m.finish(m.applied)
		close(m.changed)
		m.changed = make(chan struct{})
	}
	return out
}

func (m *machine) applyLocked(l *raft.Log) response {
	if m.err() != nil {
		return response{}
	}
	if l.Type != raft.LogCommand {
		m.applied = l.Index
		return response{}
	}
	r := m.entryLocked(l)
	if r.fatal != nil {
		m.stop(fmt.Errorf("cluster: applying entry %d of group %d: %w", l.Index, m.group, r.fatal))
		return response{}
	}
	m.applied = l.Index
	m.logBytes.Add(int64(len(l.Data)) + logOverhead)
	return r
}

// logOverhead is counted for an entry beside its data: 64 bytes of the log, and the time of its replay, 4 µs, in which 200 bytes
// of a larger one would have been replayed.
const logOverhead = 256

func (m *machine) entryLocked(l *raft.Log) response {
	e, err := decodeEntry(l.Data)
	if err == nil && e.group != m.group {
		err = sqlerr.New(sqlerr.CorruptedData, "An entry of group %d in the log of group %d", e.group, m.group)
	}
	if err != nil {
		return response{fatal: err}
	}
	switch {
	case m.fences.noTerm:
	case e.term != l.Term, e.kind != kindBeginTerm && m.term != e.term:
		return response{err: errStaleTerm}
	}
	if e.kind == kindBeginTerm {
		m.term = e.term
		return response{}
	}
	return m.effects(l.Index, e)
}

// jumpLocked goes on from a Raft snapshot. REQUIRES: m.mu.
func (m *machine) jumpLocked(to place) {
	m.term, m.applied = to.term, to.index
	close(m.changed)
	m.changed = make(chan struct{})
}

// errStaleTerm is the refusal of an entry whose leader's term had ended when it was committed.
var errStaleTerm = fmt.Errorf("%w: the term has ended", ErrNotLeader)

// appliedIndex returns the index of the last batch, and a channel that is closed after the next.
func (m *machine) appliedIndex() (uint64, <-chan struct{}) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return m.applied, m.changed
}
