package cluster

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/olapd/olapd/internal/catalog"
	"github.com/olapd/olapd/mergetree"
)

// segmentStory is what a client knows of a run of TestSegmentsThroughCrashes.
type segmentStory struct {
	*several
	r     *rand.Rand
	id    catalog.TableID
	next  uint64
	acked []uint64
	maybe map[uint64]bool // their commits' outcomes are unknown
}

// step does something with segments, as a leader, which may fail.
func (s *segmentStory) step() {
	n := s.leader(1)
	if n == nil {
		time.Sleep(500 * time.Millisecond)
		return
	}
	ctx, cancel := context.WithTimeout(s.t.Context(), 5*time.Second)
	defer cancel()
	shard := n.Shard(1)
	s.next++
	switch s.r.IntN(6) {
	case 0, 1:
		_, err := shard.Append(ctx, Batch{Rows: []TableRows{{s.id, testBlock(s.next)}}})
		s.note(err)
	case 2:
		s.note(bulkInsert(ctx, shard, s.id, s.next))
	case 3, 4:
		_ = shard.Store().Flush(ctx, shard, s.id)
	default:
		_ = shard.Store().Optimize(ctx, shard, s.id, mergetree.OptimizeOptions{Final: s.r.IntN(2) == 0})
		if s.r.IntN(3) == 0 {
			_ = shard.Compact()
		}
	}
}

func (s *segmentStory) note(err error) {
	switch {
	case err == nil:
		s.acked = append(s.acked, s.next)
	case errors.Is(err, ErrUnknown):
		s.maybe[s.next] = true
	}
}

// fault takes a node's power for a while, or its network.
func (s *segmentStory) fault() {
	names := s.others("")
	name := names[s.r.IntN(len(names))]
	if s.r.IntN(3) == 0 {
		s.net.Isolate(name)
		s.steps()
		s.net.HealAll()
		return
	}
	s.crash(name, crashPolicies[s.r.IntN(len(crashPolicies))], s.r.Uint64())
	s.steps()
	s.start(name)
}

func (s *segmentStory) steps() {
	for range 1 + s.r.IntN(6) {
		s.step()
	}
}

// TestSegmentsThroughCrashes: while nodes lose power and network one at a time, flushes, merges and inserts as segments go on; in the end every replica has every
// row that was acknowledged, once, and none that was refused, and the replicas agree.
func TestSegmentsThroughCrashes(t *testing.T) {
	seeds := uint64(6)
	if testing.Short() {
		seeds = 2
	}
	for seed := range seeds {
		synctest.Test(t, func(t *testing.T) {
			cluster, id := threeReplicas(t, fences{})
			defer cluster.close()
			s := &segmentStory{several: cluster, r: rand.New(rand.NewPCG(seed, 4)), id: id, maybe: map[uint64]bool{}}
			for range 25 {
				s.steps()
				s.fault()
			}
			lead := s.mustLead()
			s.eventually("the leader takes commits", func() bool {
				lead = s.mustLead()
				_, err := lead.Append(t.Context(), Batch{Rows: []TableRows{{id, testBlock(1 << 40)}}})
				return err == nil || errors.Is(err, ErrUnknown)
			})
			s.eventually("the log on every replica", func() bool {
				for _, n := range s.nodes {
					if n.Shard(1).Applied() != lead.Applied() {
						return false
					}
				}
				return true
			})
			s.check(fmt.Sprint("seed ", seed))
			must(t, lead.CompareStates(t.Context()))
			for name, n := range s.nodes {
				s.eventually(name+" agrees", func() bool { return n.Shard(1).fsm.comparison.agreedAt() > 0 })
			}
			t.Logf("seed %d: %d rows acknowledged, %d unknown", seed, len(s.acked), len(s.maybe))
		})
	}
}

func (s *segmentStory) check(what string) {
	s.t.Helper()
	for name := range s.nodes {
		keys, err := s.has(name, s.id)
		if err != nil {
			s.t.Fatalf("%s, %s: %v", what, name, err)
		}
		keys = slices.DeleteFunc(keys, func(k uint64) bool { return k == 1<<40 })
		if slices.Sort(keys); len(slices.Compact(slices.Clone(keys))) != len(keys) {
			s.t.Fatalf("%s, %s: rows twice among %v", what, name, keys)
		}
		for _, k := range s.acked {
			if _, ok := slices.BinarySearch(keys, k); !ok {
				s.t.Fatalf("%s, %s: row %d is lost", what, name, k)
			}
		}
		if n := len(keys); n > len(s.acked)+len(s.maybe) {
			s.t.Fatalf("%s, %s: %d rows, %d acknowledged and %d unknown", what, name, n, len(s.acked), len(s.maybe))
		}
	}
}
