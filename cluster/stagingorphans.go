package cluster

import (
	"context"
	"math"

	"github.com/olapd/olapd/cluster/raftlog"
	"github.com/olapd/olapd/mergetree"
)

// lastTerm is the last term that a group's log knows of, before raft runs: no file on disk was staged in a later one.
func lastTerm(l *raftlog.Log, group uint64) (uint64, error) {
	return l.Group(group).GetUint64([]byte("CurrentTerm"))
}

// refusing is a store that can be told that no state will ever name segments.
type refusing interface {
	Refuse(segs []mergetree.Segment)
}

// refused tells the store what an entry does not commit, as every replica finds at this index: who proposed it builds its segments
// anew before it tries again, or is content with the first commit of its token.
func (m *shardFSM) refused(r response, edits ...mergetree.Edit) {
	store, ok := m.store.(refusing)
	if !ok || r.fatal != nil {
		return
	}
	if done, ok := r.value.(Result); r.err == nil && ok && !done.Duplicate {
		return
	}
	for _, e := range edits {
		store.Refuse(e.Add)
	}
}

// tendFiles gets the files that the replica lacks and deletes those that no entry can name any more, until the group is closed.
func (s *Shard) tendFiles() {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	s.g.work.Go(func() { s.fetchMissing(ctx, s.files) })
	s.g.work.Go(func() { s.fsm.hashStates(ctx) })
	s.g.work.Go(func() { s.keepScrubbing(ctx) })
	tick := s.clk.NewTicker(orphanInterval)
	defer tick.Stop()
	for {
		select {
		case <-tick.C():
			s.cleanOrphans(ctx)
		case <-s.g.closing:
			return
		}
	}
}

// cleanOrphans deletes orphaned files once in each term, and when entries were refused since.
func (s *Shard) cleanOrphans(ctx context.Context) {
	term, _ := s.fsm.begun()
	refused := s.store.TakeRefused()
	if term == s.cleaned.Swap(term) && !refused && !s.fsm.fences.noOrphanRule {
		return
	}
	before := term
	if s.fsm.fences.noOrphanRule {
		before = math.MaxUint64
	}
	if _, err := s.store.CleanOrphans(ctx, before); err != nil {
		s.g.log.Warn("deleting orphans", "error", err)
	}
}
