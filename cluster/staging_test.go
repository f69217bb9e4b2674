package cluster

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/olapd/olapd/internal/catalog"
	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/internal/vfs"
	"github.com/olapd/olapd/mergetree"
)

// threeReplicas is a cluster of three nodes with one shard on all of them, and a table.
func threeReplicas(t *testing.T, f fences) (*several, catalog.TableID) {
	t.Helper()
	s := newSeveral(t)
	s.fences = f
	n := s.start(FirstNode)
	_, ids := create(t, n, testTable("a"))
	must(t, n.Found(t.Context(), Founding{Cluster: "test", Shards: 1, Replicas: 3}))
	s.join(FirstNode)
	s.join(FirstNode)
	s.eventually("three voters", func() bool { return len(s.voters(1)) == 3 && len(s.voters(0)) == 3 })
	return s, ids[0]
}

// crash ends a node as a power loss does; its disk comes back as the policy leaves it.
func (s *several) crash(name string, policy vfs.CrashPolicy, seed uint64) {
	s.t.Helper()
	after := s.disks[name].Crash(policy, seed)
	s.disks[name].CrashAt(0)
	s.net.Kill(name)
	_ = s.nodes[name].Close() // its disk is gone
	delete(s.nodes, name)
	s.disks[name] = after
}

// others are the names of the running nodes but one.
func (s *several) others(name string) (out []string) {
	for other := range s.nodes {
		if other != name {
			out = append(out, other)
		}
	}
	slices.Sort(out)
	return out
}

// mustLead waits for a leader of the shard.
func (s *several) mustLead() *Shard {
	s.t.Helper()
	s.eventually("a leader", func() bool { return s.leader(1) != nil })
	return s.leader(1).Shard(1)
}

// bulkInsert commits keys as a segment.
func bulkInsert(ctx context.Context, shard *Shard, id catalog.TableID, keys ...uint64) error {
	segs, err := shard.Store().BuildSegments(ctx, id, oneBlock(testBlock(keys...)))
	if err != nil {
		return err
	}
	_, err = shard.CommitSegments(ctx, EditBatch{Edits: []mergetree.Edit{{Table: id, Cause: mergetree.CauseInsert, Add: segs}}})
	return err
}

// copies is on how many running nodes the file of a segment is.
func (s *several) copies(seg mergetree.Segment) (n int) {
	for _, node := range s.nodes {
		if f, err := node.Shard(1).Store().OpenFile(seg.ID); err == nil {
			n++
			_ = f.Close()
		}
	}
	return n
}

func liveSegments(shard *Shard, id catalog.TableID) (out []mergetree.Segment) {
	snap := shard.Store().Snapshot()
	defer snap.Close()
	for _, h := range snap.Table(id).Segments() {
		out = append(out, h.Segment)
	}
	return out
}

// has waits until a node's replica can be read, and returns its keys.
func (s *several) has(name string, id catalog.TableID) ([]uint64, error) {
	ctx, cancel := context.WithTimeout(s.t.Context(), time.Minute)
	defer cancel()
	shard := s.nodes[name].Shard(1)
	if err := shard.Store().AwaitReady(ctx, id); err != nil {
		return nil, err
	}
	return tableKeys(shard.Store(), id)
}

// TestStaging: when a commit of segments returns, a majority has their files; soon all have. A replica that was away gets what it
// missed, through the log or a Raft snapshot.
func TestStaging(t *testing.T) {
	for _, compact := range []bool{false, true} {
		t.Run(fmt.Sprintf("compact %v", compact), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s, id := threeReplicas(t, fences{})
				defer s.close()
				ctx, lead := t.Context(), s.mustLead()
				_, err := lead.Append(ctx, Batch{Rows: []TableRows{{id, testBlock(1, 2)}}})
				must(t, err)
				must(t, lead.Store().Flush(ctx, lead, id))
				if n := s.copies(liveSegments(lead, id)[0]); n < 2 {
					t.Fatalf("%d copies of a flushed segment", n)
				}
				away := s.others(lead.g.node)[0]
				s.stop(away)
				must(t, bulkInsert(ctx, lead, id, 3, 4))
				_, err = lead.Append(ctx, Batch{Rows: []TableRows{{id, testBlock(5)}}})
				must(t, err)
				must(t, lead.Store().Optimize(ctx, lead, id, mergetree.OptimizeOptions{Final: true}))
				segs := liveSegments(lead, id)
				if len(segs) != 1 || s.copies(segs[0]) != 2 {
					t.Fatalf("segments %v, %d copies of the first", segs, s.copies(segs[0]))
				}
				if compact {
					for range trailingLogs + 2 {
						_, err = lead.Append(ctx, Batch{Rows: []TableRows{{id, testBlock(6)}}})
						must(t, err)
					}
					must(t, lead.Compact())
				}
				s.start(away)
				s.eventually("a copy on every replica", func() bool { return s.copies(segs[0]) == 3 })
				s.eventually("the log on every replica", func() bool { return s.nodes[away].Shard(1).Applied() == lead.Applied() })
				want, err := s.has(lead.g.node, id)
				must(t, err)
				for name := range s.nodes {
					if got, err := s.has(name, id); err != nil || !slices.Equal(got, want) || len(got) < 5 {
						t.Fatalf("%s has %v of %v, %v", name, got, want, err)
					}
				}
			})
		})
	}
}

// loseLeader inserts rows as a segment while one replica is away, loses the leader's machine for good and the follower's power as
// soon as that is acknowledged, and returns what the two left have.
func loseLeader(t *testing.T, f fences, policy vfs.CrashPolicy) (keys [][]uint64, err error) {
	s, id := threeReplicas(t, f)
	defer s.close()
	lead := s.mustLead()
	followers := s.others(lead.g.node)
	s.stop(followers[1])
	must(t, bulkInsert(t.Context(), lead, id, 1, 2, 3))
	s.crash(followers[0], policy, 1)
	s.crash(lead.g.node, policy, 1)
	cfg := s.config(followers[0])
	opened := make(chan *Node)
	go func() { // it finds no leader at first
		n, err := Open(context.Background(), cfg)
		if err != nil {
			t.Error(err)
		}
		opened <- n
	}()
	time.Sleep(5 * time.Second)
	s.start(followers[1])
	if s.nodes[followers[0]] = <-opened; t.Failed() {
		delete(s.nodes, followers[0])
		return nil, errors.New("a node does not start")
	}
	s.mustLead()
	for _, name := range followers {
		got, err := s.has(name, id)
		if err != nil {
			return nil, err
		}
		keys = append(keys, got)
	}
	return keys, nil
}

// TestLostLeader: a commit of segments that was acknowledged outlives the machine that built them, also when the only other replica that
// has them loses power at once and comes back before anybody can tell it that they were committed.
func TestLostLeader(t *testing.T) {
	for _, policy := range crashPolicies {
		synctest.Test(t, func(t *testing.T) {
			keys, err := loseLeader(t, fences{}, policy)
			if err != nil || len(keys) != 2 || !slices.Equal(keys[0], []uint64{1, 2, 3}) || !slices.Equal(keys[1], []uint64{1, 2, 3}) {
				t.Errorf("%s: keys %v, %v", policy, keys, err)
			}
		})
	}
}

// TestLostLeaderIsNoticed: without staging, or when a replica deletes at its start what no manifest names, that test loses a segment.
func TestLostLeaderIsNoticed(t *testing.T) {
	for name, f := range map[string]fences{"staging": {noStaging: true}, "orphans": {noOrphanRule: true}} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				if keys, err := loseLeader(t, f, vfs.DropUnsynced); !errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("nothing is lost: keys %v, %v", keys, err)
				}
			})
		})
	}
}

// TestStagingNeedsAMajority: without one nothing is committed, and the caller is told when the term ends; a replica whose disk is
// full counts as one that has nothing, and takes part again when there is space.
func TestStagingNeedsAMajority(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, id := threeReplicas(t, fences{})
		defer s.close()
		lead := s.mustLead()
		for _, name := range s.others(lead.g.node) {
			s.disks[name].SetCapacity(1 << 20)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		if err := bulkInsert(ctx, lead, id, 1, 2); !errors.Is(err, context.DeadlineExceeded) {
			t.Fatalf("a commit without a majority: %v", err)
		}
		if segs := liveSegments(lead, id); len(segs) > 0 {
			t.Fatalf("it has committed %v", segs)
		}
		end := make(chan error, 1)
		go func() { end <- bulkInsert(t.Context(), lead, id, 3, 4) }()
		time.Sleep(5 * time.Second)
		s.disks[s.others(lead.g.node)[0]].SetCapacity(1 << 40)
		must(t, <-end)
		if n := s.copies(liveSegments(lead, id)[0]); n != 2 {
			t.Fatalf("%d copies", n)
		}
		requireKeys(t, lead, id, 3, 4)
	})
}

// TestRefusedSegments: what a repeat has staged goes from all replicas within the term; the first commit's files stay.
func TestRefusedSegments(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, id := threeReplicas(t, fences{})
		defer s.close()
		lead := s.mustLead()
		var segs []mergetree.Segment
		for i := range 2 {
			built, err := lead.Store().BuildSegments(t.Context(), id, oneBlock(testBlock(1, 2)))
			must(t, err)
			segs = append(segs, built...)
			r, err := lead.CommitSegments(t.Context(), EditBatch{Claims: Claims{Tokens: []Token{{Table: id, ID: "once"}}},
				Edits: []mergetree.Edit{{Table: id, Cause: mergetree.CauseInsert, Add: built}}})
			if must(t, err); r.Duplicate != (i == 1) {
				t.Fatalf("commit %d: %+v", i, r)
			}
			if i == 1 {
				lead.Store().Discard(segs) // the first is live
			}
		}
		s.eventually("the repeat's file is gone", func() bool { return s.copies(segs[0]) == 3 && s.copies(segs[1]) == 0 })
		requireKeys(t, lead, id, 1, 2)
	})
}

// oneBlock is a stream of one block.
func oneBlock(b *column.Block) func(context.Context) (*column.Block, error) {
	return func(context.Context) (*column.Block, error) {
		out := b
		b = nil
		return out, nil
	}
}

// TestFetchOverABadNetwork: streams that break half way are gone on with, by whoever has the file.
func TestFetchOverABadNetwork(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, id := threeReplicas(t, fences{})
		defer s.close()
		lead := s.mustLead()
		away := s.others(lead.g.node)[0]
		s.stop(away)
		for i := range uint64(10) {
			must(t, bulkInsert(t.Context(), lead, id, i))
		}
		s.net.SetBreakRate(0.1)
		s.start(away)
		got, err := s.has(away, id)
		s.net.SetBreakRate(0)
		if err != nil || len(got) > 10 {
			t.Fatalf("keys %v, %v", got, err)
		}
		s.eventually("all rows", func() bool {
			got, err := s.has(away, id)
			return err == nil && len(got) == 10
		})
	})
}

// TestServeFetchRefuses what it cannot have meant.
func TestServeFetchRefuses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSeveral(t)
		defer s.close()
		s.start(FirstNode)
		from := s.net.Node("other")
		for what, request := range map[string][]byte{
			"nothing": {}, "no edit": {1, 0}, "an edit without segments": mergetree.AppendEdit([]byte{1, 0}, mergetree.Edit{}),
			"an unknown segment": mergetree.AppendEdit([]byte{1, 0}, mergetree.Edit{Add: []mergetree.Segment{{ID: "x", Bytes: 9}}}),
			"an unknown shard":   mergetree.AppendEdit([]byte{9, 0}, mergetree.Edit{Add: []mergetree.Segment{{ID: "x", Bytes: 9}}}),
		} {
			for _, method := range []string{methodFetch, methodStage} {
				ctx, cancel := context.WithCancel(t.Context())
				st, err := from.Open(ctx, FirstNode, method)
				must(t, err)
				must(t, st.Send(request))
				must(t, st.CloseSend())
				_, err = st.Recv()
				if code := sqlerr.CodeOf(err); code != sqlerr.CorruptedData && code != sqlerr.NoFileInDataPart && code != sqlerr.NotALeader {
					t.Errorf("%s, %s: %v", method, what, err)
				}
				cancel()
			}
		}
	})
}

// TestVotersStayWhileSegmentsAreCommitted: between the count of the voters that have a segment's file and the segment's commit no voter comes or goes, and then
// it does.
func TestVotersStayWhileSegmentsAreCommitted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, id := threeReplicas(t, fences{})
		defer s.close()
		lead := s.leader(1)
		shard := lead.Shard(1)
		paused, goOn := make(chan struct{}), make(chan struct{})
		shard.g.pause = sync.OnceFunc(func() {
			close(paused)
			<-goOn
		})
		inserted := make(chan error, 1)
		go func() { inserted <- bulkInsert(t.Context(), shard, id, 1, 2) }()
		<-paused
		counted := shard.g.configured()
		leaves := s.others(lead.Name())[0]
		changed := make(chan struct{})
		go func() {
			defer close(changed)
			stay := slices.DeleteFunc([]string{"node-1", "node-2", "node-3"}, func(name string) bool { return name == leaves })
			lead.stepMembers(t.Context(), shard.g, stay, nil)
		}()
		time.Sleep(3 * time.Second)
		if now := shard.g.configured(); now != counted {
			t.Errorf("configuration %d while a commit that counted the voters of %d is under way", now, counted)
		}
		close(goOn)
		must(t, <-inserted)
		<-changed
		if n := len(s.voters(1)); n != 2 {
			t.Errorf("%d voters after the change", n)
		}
		requireKeys(t, shard, id, 1, 2)
	})
}

// TestTurns: a change waits for entries and they for it; who gives up leaves nothing behind.
func TestTurns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var turns turns
		ctx, stop := t.Context(), make(chan struct{})
		short := func() context.Context {
			ctx, cancel := context.WithTimeout(ctx, time.Second)
			t.Cleanup(cancel)
			return ctx
		}
		must(t, turns.enter(ctx, stop))
		must(t, turns.enter(ctx, stop))
		if err := turns.change(short(), stop); !errors.Is(err, context.DeadlineExceeded) {
			t.Fatalf("a change beside entries: %v", err)
		}
		must(t, turns.enter(ctx, stop)) // the change is off
		end := make(chan error, 1)
		go func() { end <- turns.change(ctx, stop) }()
		synctest.Wait()
		if err := turns.enter(short(), stop); !errors.Is(err, context.DeadlineExceeded) {
			t.Fatalf("an entry before a change that waits: %v", err)
		}
		for range 3 {
			turns.leave()
		}
		must(t, <-end)
		if err := turns.enter(short(), stop); !errors.Is(err, context.DeadlineExceeded) {
			t.Fatalf("an entry beside a change: %v", err)
		}
		if err := turns.change(short(), stop); !errors.Is(err, context.DeadlineExceeded) {
			t.Fatalf("two changes: %v", err)
		}
		if err := turns.enter(short(), stop); !errors.Is(err, context.DeadlineExceeded) {
			t.Fatalf("the second change ended the first: %v", err)
		}
		turns.changed()
		must(t, turns.change(ctx, stop))
		close(stop)
		if err := turns.enter(ctx, stop); !errors.Is(err, ErrClosed) {
			t.Fatalf("an entry at the end: %v", err)
		}
	})
}
