package cluster

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"path"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hashicorp/raft"

	"github.com/olapd/olapd/cluster/rpc"
	"github.com/olapd/olapd/internal/catalog"
	"github.com/olapd/olapd/mergetree"
)

// segmentStory is what clients know of a run of TestSegmentsThroughCrashes.
type segmentStory struct {
	*several
	r    *rand.Rand
	id   catalog.TableID
	next uint64
	mu   struct {
		sync.Mutex
		acked []uint64
		maybe map[uint64]bool // their commits' outcomes are unknown
		wrong []string        // found on the way
		pause *rand.Rand
	}
}

// storyPause is the longest that a proposal stands still: longer than a leadership takes to go away and come back.
const storyPause = 6 * time.Second

// newStory founds a cluster whose proposals stand still now and then, as those of a process that gets no time do.
func newStory(t *testing.T, seed uint64, f fences) *segmentStory {
	s := &segmentStory{r: rand.New(rand.NewPCG(seed, 4))}
	s.mu.maybe, s.mu.pause = map[uint64]bool{}, rand.New(rand.NewPCG(seed, 5))
	s.several, s.id = threeReplicas(t, f)
	s.net.SetLatency(rpc.Uniform(time.Millisecond, 25*time.Millisecond))
	for _, name := range s.others("") { // from here on
		s.stop(name)
	}
	s.pause = func() {
		s.mu.Lock()
		d := time.Duration(0)
		if s.mu.pause.IntN(10) == 0 {
			d = time.Duration(s.mu.pause.Int64N(int64(storyPause)))
		}
		s.mu.Unlock()
		time.Sleep(d)
	}
	var all sync.WaitGroup // each waits for others
	for _, name := range []string{"node-1", "node-2", "node-3"} {
		cfg := s.config(name)
		all.Go(func() {
			n, err := Open(context.Background(), cfg)
			if err != nil {
				t.Error(err)
				return
			}
			s.mu.Lock()
			defer s.mu.Unlock()
			s.nodes[name] = n
		})
	}
	all.Wait()
	return s
}

// step does something with segments, as a leader, which may fail.
func (s *segmentStory) step() {
	n := s.leader(1)
	if n == nil {
		time.Sleep(500 * time.Millisecond)
		return
	}
	ctx, cancel := context.WithTimeout(s.t.Context(), 2*storyPause)
	defer cancel()
	shard := n.Shard(1)
	switch s.r.IntN(6) {
	case 0, 1:
		s.next++
		_, err := shard.Append(ctx, Batch{Rows: []TableRows{{s.id, testBlock(s.next)}}})
		s.note(s.next, err)
	case 2:
		s.next++
		s.note(s.next, bulkInsert(ctx, shard, s.id, s.next))
	case 3, 4:
		_ = shard.Store().Flush(ctx, shard, s.id)
	default:
		_ = shard.Store().Optimize(ctx, shard, s.id, mergetree.OptimizeOptions{Final: s.r.IntN(2) == 0})
		if s.r.IntN(3) == 0 {
			_ = shard.Compact()
		}
	}
	s.lookAtCopies()
}

func (s *segmentStory) note(key uint64, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case err == nil:
		s.mu.acked = append(s.mu.acked, key)
	case errors.Is(err, ErrUnknown):
		s.mu.maybe[key] = true
	}
}

func (s *segmentStory) violated(format string, args ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.mu.wrong = append(s.mu.wrong, fmt.Sprintf(format, args...))
}

// wrong is the first violation found on the way; empty: none.
func (s *segmentStory) wrong() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.mu.wrong) == 0 {
		return ""
	}
	return s.mu.wrong[0]
}

// fault takes a node's power for a while, or its network, or lets the leadership go to and fro under inserts.
func (s *segmentStory) fault() {
	names := s.others("")
	name := names[s.r.IntN(len(names))]
	switch s.r.IntN(6) {
	case 0, 1:
		s.net.Isolate(name)
		s.steps()
		s.net.HealAll()
	case 2:
		s.swing()
	default:
		s.crash(name, crashPolicies[s.r.IntN(len(crashPolicies))], s.r.Uint64())
		s.steps()
		s.start(name)
	}
	s.lookAtCopies()
}

func (s *segmentStory) steps() {
	for range 1 + s.r.IntN(6) {
		s.step()
	}
}

// swing moves the leadership to another replica and back while rows are inserted as segments.
func (s *segmentStory) swing() {
	n := s.leader(1)
	if n == nil {
		return
	}
	ctx, cancel := context.WithTimeout(s.t.Context(), 2*storyPause)
	defer cancel()
	var inserts sync.WaitGroup
	for range 8 {
		s.next++
		key := s.next
		inserts.Go(func() {
			s.note(key, bulkInsert(ctx, n.Shard(1), s.id, key))
			s.lookAtCopies()
		})
	}
	time.Sleep(200 * time.Millisecond)
	other := s.others(n.Name())[s.r.IntN(2)]
	s.handOver(ctx, n, other)
	time.Sleep(orphanInterval + 200*time.Millisecond) // in which the replicas of the term between clean up
	s.handOver(ctx, s.nodes[other], n.Name())
	inserts.Wait()
}

func (s *segmentStory) handOver(ctx context.Context, from *Node, to string) {
	g := from.Shard(1).g
	_ = g.awaitFuture(ctx, g.raft.LeadershipTransferToServer(raft.ServerID(to), raft.ServerAddress(to))) // it may lead no more
}

// lookAtCopies: the file of every live segment is on a majority of the disks, also of those of nodes that are down.
func (s *segmentStory) lookAtCopies() {
	n := s.leader(1)
	if n == nil {
		return
	}
	shard := n.Shard(1)
	ctx, cancel := context.WithTimeout(s.t.Context(), 200*time.Millisecond)
	defer cancel()
	if shard.Barrier(ctx) != nil || len(shard.Store().Absent()) > 0 {
		return // it may believe live what was merged away since, or show the inputs of what it lacks
	}
	few := map[string]int{}
	for _, seg := range liveSegments(shard, s.id) {
		copies := 0
		for _, disk := range s.disks {
			if _, err := disk.Stat(path.Join("data", segmentsDir+"1", seg.ID+".seg")); err == nil {
				copies++
			}
		}
		if copies < 2 {
			few[seg.ID] = copies
		}
	}
	if len(few) == 0 {
		return
	}
	for _, seg := range liveSegments(shard, s.id) { // what is still live
		if copies, ok := few[seg.ID]; ok {
			s.violated("%d of %d disks have segment %s, which is live", copies, len(s.disks), seg.ID)
		}
	}
}

// read reads strongly at a replica, and expects what was acknowledged before.
func (s *segmentStory) read(n *Node) {
	s.mu.Lock()
	due := slices.Clone(s.mu.acked)
	s.mu.Unlock()
	ctx, cancel := context.WithTimeout(s.t.Context(), 2*time.Second)
	defer cancel()
	shard := n.Shard(1)
	if shard.Barrier(ctx) != nil || shard.Store().AwaitReady(ctx, s.id) != nil {
		return
	}
	keys, err := tableKeys(shard.Store(), s.id)
	if err != nil {
		return // the node goes down, or a file with it
	}
	for _, k := range due {
		if _, ok := slices.BinarySearch(keys, k); !ok {
			s.violated("%s: a strong read lacks row %d, which was acknowledged before", n.Name(), k)
			return
		}
	}
}

// readers read at nodes that have just lost their leader, until stop is called: an old answer is likeliest then.
func (s *segmentStory) readers() (stop func()) {
	ctx, cancel := context.WithCancel(s.t.Context())
	var all sync.WaitGroup
	for _, n := range s.nodes {
		all.Go(func() {
			for ctx.Err() == nil {
				s.read(n)
				time.Sleep(10 * time.Millisecond)
			}
		})
	}
	return func() {
		cancel()
		all.Wait()
	}
}

// failover takes the leader's power right behind an acknowledgement, while others read.
func (s *segmentStory) failover() {
	n := s.leader(1)
	if n == nil {
		return
	}
	ctx, cancel := context.WithTimeout(s.t.Context(), 2*storyPause)
	defer cancel()
	s.next++
	_, err := n.Shard(1).Append(ctx, Batch{Rows: []TableRows{{s.id, testBlock(s.next)}}})
	s.note(s.next, err)
	s.crash(n.Name(), crashPolicies[s.r.IntN(len(crashPolicies))], s.r.Uint64())
	stop := s.readers()
	time.Sleep(4 * time.Second)
	stop()
	s.start(n.Name())
}

// runStory runs one cluster, and returns what was wrong; empty: nothing.
func runStory(t *testing.T, seed uint64, f fences) (wrong string) {
	synctest.Test(t, func(t *testing.T) {
		s := newStory(t, seed, f)
		defer time.Sleep(storyPause) // what stands still is in no hurry
		defer s.close()
		for i := 0; i < 25 && s.wrong() == ""; i++ {
			s.steps()
			if s.fault(); i%5 == 4 {
				s.failover()
			}
		}
		if wrong = s.wrong(); wrong == "" {
			wrong = s.conclude()
		}
		t.Logf("seed %d: %d rows acknowledged, %d unknown; %s", seed, len(s.mu.acked), len(s.mu.maybe), wrong)
	})
	return wrong
}

// conclude waits until all replicas have everything, and returns what is wrong.
func (s *segmentStory) conclude() string {
	lead := s.mustLead()
	s.eventually("the leader takes commits", func() bool {
		lead = s.mustLead()
		_, err := lead.Append(s.t.Context(), Batch{Rows: []TableRows{{s.id, testBlock(1 << 40)}}})
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
	if wrong := s.check(); wrong != "" {
		return wrong
	}
	s.eventually("the replicas agree", func() bool {
		if err := s.mustLead().CompareStates(s.t.Context()); err != nil {
			return false // the leadership goes to whom the topology prefers
		}
		time.Sleep(time.Second)
		for _, n := range s.nodes {
			if n.Shard(1).fsm.comparison.agreedAt() == 0 {
				return false
			}
		}
		return true
	})
	return ""
}

// TestSegmentsThroughCrashes: while nodes lose power and network one at a time and leaderships move, flushes, merges and inserts as segments go on; all the time
// a majority has every live segment, and strong reads see what was acknowledged; in the end every replica has every row that was acknowledged, once, and none
// that was refused, and the replicas agree.
func TestSegmentsThroughCrashes(t *testing.T) {
	seeds := uint64(6)
	if testing.Short() {
		seeds = 2
	}
	for seed := range seeds {
		if wrong := runStory(t, seed, fences{}); wrong != "" {
			t.Fatalf("seed %d: %s", seed, wrong)
		}
	}
}

// TestSegmentsThroughCrashesIsNoticed: without one of the fences that hold terms and segments together, that goes wrong within a few runs.
func TestSegmentsThroughCrashesIsNoticed(t *testing.T) {
	const runs = 8
	for name, f := range map[string]fences{"term": {noTerm: true}, "begin": {noBegin: true}, "staging": {noStaging: true}, "orphans": {noOrphanRule: true}} {
		t.Run(name, func(t *testing.T) {
			for seed := range uint64(runs) {
				if wrong := runStory(t, seed, f); wrong != "" {
					return
				}
			}
			t.Errorf("%d runs without the fence %s found nothing", runs, name)
		})
	}
}

func (s *segmentStory) check() string {
	for name := range s.nodes {
		keys, err := s.has(name, s.id)
		if err != nil {
			return fmt.Sprintf("%s: %v", name, err)
		}
		keys = slices.DeleteFunc(keys, func(k uint64) bool { return k == 1<<40 })
		if slices.Sort(keys); len(slices.Compact(slices.Clone(keys))) != len(keys) {
			return fmt.Sprintf("%s: rows twice among %v", name, keys)
		}
		for _, k := range s.mu.acked {
			if _, ok := slices.BinarySearch(keys, k); !ok {
				return fmt.Sprintf("%s: row %d is lost", name, k)
			}
		}
		for _, k := range keys {
			if !s.mu.maybe[k] && !slices.Contains(s.mu.acked, k) {
				return fmt.Sprintf("%s: row %d was refused, and is there", name, k)
			}
		}
	}
	return ""
}
