package cluster

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/olapd/olapd/internal/catalog"
)

// ledger is what writers were told about their keys.
type ledger struct {
	mu            sync.Mutex
	acked, unsure map[uint64]bool
	refused       map[uint64]error
}

func (l *ledger) note(key uint64, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case err == nil:
		l.acked[key] = true
	case errors.Is(err, ErrUnknown):
		l.unsure[key] = true
	default:
		l.refused[key] = err
	}
}

// check holds a replica against what was told: every acknowledged key is there, nothing twice, nothing else but what is unsure.
func (l *ledger) check(s *Shard, table catalog.TableID) error {
	got, err := tableKeys(s.Store(), table)
	if err != nil {
		return err
	}
	slices.SortFunc(got, cmp.Compare)
	for i, k := range got {
		if i > 0 && got[i-1] == k {
			return fmt.Errorf("key %d is there twice", k)
		}
		if !l.acked[k] && !l.unsure[k] {
			return fmt.Errorf("key %d is there, and was refused: %w", k, l.refused[k])
		}
	}
	for k := range l.acked {
		if _, found := slices.BinarySearch(got, k); !found {
			return fmt.Errorf("key %d was acknowledged, and is not among %d", k, len(got))
		}
	}
	return nil
}

// source commits what a consumer has read, as the leader of the shard does: from its cursor on, under its term.
func source(ctx context.Context, n *Node, c *catalog.Catalog, table catalog.TableID, l *ledger) {
	s := n.Shard(1)
	if _, leads := s.Leader(); !leads {
		return
	}
	pos := s.Cursors(table)
	at := TopicPartition{"events", 0}
	next := pos.Cursors[at].Next
	b := oneRow(c, table, 1_000_000+uint64(next))
	b.Term = pos.Term
	b.Ranges = []SourceRange{{Source: table, Topic: at.Topic, Start: next, End: next + 1, First: next, Last: next}}
	_, err := s.Append(ctx, b)
	l.note(1_000_000+uint64(next), err)
}

// TestClusterFaults: power failures, partitions and broken streams, while rows come from clients through every node and from a topic
// through the leader, with flushes and Raft snapshots in between: nothing acknowledged is lost, nothing doubled, and all replicas are
// equal.
func TestClusterFaults(t *testing.T) {
	for seed := range uint64(2) {
		inCluster(t, 1, 3, func(t *testing.T, s *several, c *catalog.Catalog, a catalog.TableID) {
			s.snapshotBytes = 8 << 10
			rng := rand.New(rand.NewPCG(seed, 7))
			l := &ledger{acked: map[uint64]bool{}, unsure: map[uint64]bool{}, refused: map[uint64]error{}}
			s.net.SetBreakRate(0.01)
			key := new(atomic.Uint64)
			for round := range 6 {
				names := slices.Sorted(maps.Keys(s.nodes))
				victim, other := names[rng.IntN(3)], names[rng.IntN(3)]
				ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
				var work sync.WaitGroup
				for _, name := range names {
					n := s.nodes[name]
					work.Go(func() { writeRows(ctx, n, c, a, l, key, fmt.Sprint(seed, round)) })
				}
				time.Sleep(time.Duration(rng.IntN(1000)) * time.Millisecond)
				fault := rng.IntN(4)
				switch fault {
				case 0:
					s.net.Kill(victim) // its writers end by themselves
				case 1:
					s.net.Isolate(victim)
				case 2:
					s.net.Cut(victim, other)
				case 3:
					s.net.BreakStreams(victim, "")
				}
				time.Sleep(time.Duration(1+rng.IntN(8)) * time.Second)
				cancel()
				work.Wait()
				if fault == 0 {
					s.crash(victim, crashPolicies[rng.IntN(len(crashPolicies))], seed<<8+uint64(round))
					s.start(victim)
				}
				s.net.HealAll()
				s.eventually("the shard has a leader", func() bool { return s.leader(1) != nil })
				if leader := s.leader(1).Shard(1); round%3 == 1 {
					if err := leader.Store().Flush(t.Context(), leader, a); err != nil {
						t.Logf("round %d: flushing: %v", round, err)
					}
				}
			}
			s.net.SetBreakRate(0)
			requireEqual(t, s, a, l)
			t.Logf("seed %d: %d rows acknowledged, %d unsure", seed, len(l.acked), len(l.unsure))
			if len(l.acked) < 300 {
				t.Errorf("only %d rows were acknowledged", len(l.acked))
			}
		})
	}
}

// writeRows is a client and a consumer of one node until ctx ends.
func writeRows(ctx context.Context, n *Node, c *catalog.Catalog, table catalog.TableID, l *ledger, key *atomic.Uint64, run string) {
	for ctx.Err() == nil {
		k := key.Add(1)
		b := oneRow(c, table, k)
		if k%2 == 0 {
			b.Tokens = []Token{{Table: table, ID: fmt.Sprint(run, k)}}
		}
		_, err := n.Shard(1).Append(ctx, b)
		l.note(k, err)
		source(ctx, n, c, table, l)
		if n.cfg.Clock.Sleep(ctx, 60*time.Millisecond) != nil {
			return
		}
	}
}

// requireEqual requires all replicas to have the same rows and cursors, and those that were promised.
func requireEqual(t *testing.T, s *several, table catalog.TableID, l *ledger) {
	t.Helper()
	time.Sleep(30 * time.Second) // what clients gave up on may still be under way: it ends before replicas are compared
	var first []uint64
	var cursors Position
	for i, name := range slices.Sorted(maps.Keys(s.nodes)) {
		shard := s.nodes[name].Shard(1)
		must(t, shard.Barrier(t.Context()))
		s.eventually(name+" has its files", func() bool { _, err := tableKeys(shard.Store(), table); return err == nil })
		if err := l.check(shard, table); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		keys, err := tableKeys(shard.Store(), table)
		must(t, err)
		if i == 0 {
			first, cursors = keys, shard.Cursors(table)
			continue
		}
		slices.Sort(keys)
		slices.Sort(first)
		if got := shard.Cursors(table); !slices.Equal(keys, first) || !maps.Equal(got.Cursors, cursors.Cursors) || got.Term != cursors.Term {
			t.Errorf("%s has %d keys and %+v, the first node %d and %+v", name, len(keys), got, len(first), cursors)
		}
	}
}
