package cluster

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/olapd/olapd/internal/sqlerr"
)

// TestStatesAreCompared: replicas find that they agree, also one whose state came as a Raft snapshot; one that has a row more stops, and
// the others go on.
func TestStatesAreCompared(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, id := threeReplicas(t, fences{})
		defer s.close()
		ctx, lead := t.Context(), s.mustLead()
		put := func(keys ...uint64) {
			t.Helper()
			_, err := lead.Append(ctx, Batch{Claims: Claims{Tokens: []Token{{Table: id, ID: time.Now().String()}}}, Rows: []TableRows{{id, testBlock(keys...)}}})
			must(t, err)
		}
		agree := func(at uint64, names ...string) {
			t.Helper()
			must(t, lead.CompareStates(ctx))
			for _, name := range names {
				shard := s.nodes[name].Shard(1)
				s.eventually(name+" agrees", func() bool { return shard.fsm.comparison.agreedAt() > at })
			}
		}
		put(1, 2)
		must(t, lead.Store().Flush(ctx, lead, id))
		put(3)
		followers := s.others(lead.g.node)
		agree(0, lead.g.node, followers[0], followers[1])
		s.stop(followers[0])
		for i := range uint64(trailingLogs + 2) {
			put(10 + i)
		}
		must(t, lead.Compact())
		s.start(followers[0])
		s.eventually("the log on every replica", func() bool { return s.nodes[followers[0]].Shard(1).Applied() == lead.Applied() })
		at := lead.Applied()
		agree(at, lead.g.node, followers[0], followers[1])

		odd := s.nodes[followers[1]].Shard(1)
		odd.fsm.mu.Lock() // between two batches
		must(t, odd.store.ApplyRows(lead.Applied()+1, id, testBlock(99)))
		odd.fsm.mu.Unlock()
		put(4)
		at = lead.Applied()
		agree(at, lead.g.node, followers[0])
		s.eventually("the replica that differs stops", func() bool { return odd.Err() != nil })
		if !sqlerr.Is(odd.Err(), sqlerr.CorruptedData) {
			t.Errorf("it says %v", odd.Err())
		}
		put(5)
	})
}
