package cluster

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"reflect"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cockroachdb/datadriven"

	"github.com/olapd/olapd/internal/catalog"
	"github.com/olapd/olapd/internal/sqlerr"
)

// inCluster runs a test on a cluster of three nodes in virtual time, with one table: as many shards and replicas as told.
func inCluster(t *testing.T, shards, replicas int, run func(t *testing.T, s *several, c *catalog.Catalog, table catalog.TableID)) {
	synctest.Test(t, func(t *testing.T) {
		s := newSeveral(t)
		defer s.close()
		n1 := s.start(FirstNode)
		must(t, n1.Found(t.Context(), Founding{Cluster: "test", Shards: shards, Replicas: replicas}))
		s.join(FirstNode)
		s.join(FirstNode)
		s.eventually("all groups have their members", func() bool {
			for g := range uint64(shards + 1) {
				want := replicas
				if g == metaGroup {
					want = 3
				}
				if len(s.voters(g)) != want {
					return false
				}
			}
			return true
		})
		c, ids := create(t, n1, testTable("a"))
		run(t, s, c, ids[0])
	})
}

func (s *several) follower(group uint64) *Node {
	s.eventually("a follower", func() bool { return s.leader(group) != nil })
	leader := s.leader(group)
	for _, n := range s.nodes {
		if n != leader && n.Shard(group) != nil {
			return n
		}
	}
	s.t.Fatalf("group %d has no follower", group)
	return nil
}

func oneRow(c *catalog.Catalog, table catalog.TableID, key uint64, tokens ...Token) Batch {
	return Batch{Claims: Claims{Schema: c.Version, Tokens: tokens}, Rows: []TableRows{{table, testBlock(key)}}}
}

// TestForward: every node takes commits, and what it has acknowledged it shows, whoever leads.
func TestForward(t *testing.T) {
	inCluster(t, 1, 3, func(t *testing.T, s *several, c *catalog.Catalog, a catalog.TableID) {
		ctx := t.Context()
		var keys []uint64
		for _, n := range s.nodes {
			key := uint64(len(keys) + 1)
			start := time.Now()
			r, err := n.Shard(1).Append(ctx, oneRow(c, a, key))
			must(t, err)
			keys = append(keys, key)
			if took := time.Since(start); took > 60*time.Millisecond {
				t.Errorf("%s took %s: an answer, and the commit, take 20 ms each at most", n.Name(), took)
			}
			if n.Shard(1).Applied() < r.Index {
				t.Errorf("%s has applied %d of %d", n.Name(), n.Shard(1).Applied(), r.Index)
			}
			for _, other := range s.nodes {
				must(t, other.Shard(1).Barrier(ctx))
				requireKeys(t, other.Shard(1), a, keys...)
			}
		}
		f := s.follower(1).Shard(1)
		token := Token{Table: a, ID: "t", Hash: [16]byte{1}}
		first, err := f.Append(ctx, oneRow(c, a, 10, token))
		must(t, err)
		again, err := f.Append(ctx, oneRow(c, a, 10, token))
		if must(t, err); !again.Duplicate || again.Index != first.Index {
			t.Errorf("the repeat gives %+v, the first gave %+v", again, first)
		}
		token.Hash[0] = 2
		if again, err = f.Append(ctx, oneRow(c, a, 10, token)); err != nil || !again.Differs {
			t.Errorf("another use of the token gives %+v, %v", again, err)
		}
		b := oneRow(c, a, 11)
		b.Ranges = []SourceRange{{Source: a, Topic: "t", Start: 5, End: 6, First: 5, Last: 5}}
		_, err = f.Append(ctx, b)
		must(t, err)
		if _, err = f.Append(ctx, b); !errors.Is(err, ErrCursorMoved) {
			t.Errorf("a range twice: %v", err)
		}
		b.Term = 1
		if _, err = f.Append(ctx, b); !errors.Is(err, ErrNotLeader) {
			t.Errorf("a range of an old term: %v", err)
		}
		must(t, f.TrimTokens(ctx, a, time.Now().Add(time.Hour).UnixNano()))
		_, err = f.Truncate(ctx, a)
		must(t, err)
		requireKeys(t, f, a)
		if _, err := f.Truncate(ctx, 99); !sqlerr.Is(err, sqlerr.UnknownTable) {
			t.Errorf("an unknown table: %v", err)
		}
	})
}

// TestForwardedChanges: schemas change from any node, also at once.
func TestForwardedChanges(t *testing.T) {
	inCluster(t, 1, 3, func(t *testing.T, s *several, _ *catalog.Catalog, _ catalog.TableID) {
		ctx := t.Context()
		var work sync.WaitGroup
		for name, n := range s.nodes {
			for i := range 5 {
				work.Go(func() {
					fresh := testTable(fmt.Sprint(name, "_", i))
					c, err := n.Change(ctx, func(c *catalog.Catalog) (*catalog.Catalog, error) {
						again := *fresh
						return c.WithTables(&again)
					})
					if err != nil || c.Table("default", fresh.Name) == nil {
						t.Errorf("%s: %v", fresh.Name, err)
						return
					}
					_, err = n.Shard(1).Append(ctx, oneRow(c, c.Table("default", fresh.Name).ID, 1))
					for errors.Is(err, ErrSchemaChanged) { // the shard has the table by a later version than the one that made it
						time.Sleep(10 * time.Millisecond)
						_, err = n.Shard(1).Append(ctx, oneRow(n.Meta().Catalog(), c.Table("default", fresh.Name).ID, 1))
					}
					if err != nil {
						t.Error(err)
					}
				})
			}
		}
		work.Wait()
		for _, n := range s.nodes {
			must(t, n.Meta().Barrier(ctx))
			if got := len(n.Meta().Catalog().Tables("")); got != 16 {
				t.Errorf("%s knows %d tables", n.Name(), got)
			}
		}
	})
}

// TestLeaderCloses: commits without tokens go on at other nodes while a leader closes its replica without having handed over. None fails that it has
// refused.
func TestLeaderCloses(t *testing.T) {
	inCluster(t, 1, 3, func(t *testing.T, s *several, c *catalog.Catalog, a catalog.TableID) {
		ctx := t.Context()
		leader, f := s.leader(1), s.follower(1)
		g := leader.Shard(1).g
		// A proposal under way holds raft's shutdown up, for drainTimeout: meanwhile the leader leads, and takes nothing.
		must(t, g.window.enter(ctx, g.closing, 1))
		closing := make(chan error, 1)
		go func() { closing <- g.close() }()
		synctest.Wait()
		if !g.leadsHere() {
			t.Fatal("the leader leads no more")
		}
		time.AfterFunc(2*time.Second, func() { g.window.leave(1) })
		start := time.Now()
		if _, err := f.Writer(1).Append(ctx, oneRow(c, a, 1)); err != nil {
			t.Errorf("a commit that the closing leader has refused: %v", err)
		}
		if took := time.Since(start); took < 2*time.Second || took > leaderPatience {
			t.Errorf("it took %s", took)
		}
		must(t, f.Shard(1).Barrier(ctx))
		requireKeys(t, f.Shard(1), a, 1)
		must(t, <-closing)
	})
}

// TestRemoteShard: a node without a replica of a shard writes to it.
func TestRemoteShard(t *testing.T) {
	inCluster(t, 3, 2, func(t *testing.T, s *several, c *catalog.Catalog, a catalog.TableID) {
		ctx := t.Context()
		key := uint64(0)
		for _, n := range s.nodes {
			for shard := uint64(1); shard <= 3; shard++ {
				key++
				r, err := n.Writer(shard).Append(ctx, oneRow(c, a, key, Token{Table: a, ID: fmt.Sprint(key)})) // leaders may be moving still
				must(t, err)
				if n.Shard(shard) != nil {
					continue
				}
				index, err := n.Remote(shard).ReadIndex(ctx)
				must(t, err)
				if index < r.Index {
					t.Errorf("shard %d: read index %d behind the commit %d", shard, index, r.Index)
				}
				replica := s.leader(shard).Shard(shard)
				must(t, replica.WaitApplied(ctx, index))
				if _, err := n.Writer(shard).Truncate(ctx, 99); !sqlerr.Is(err, sqlerr.UnknownTable) {
					t.Errorf("an unknown table: %v", err)
				}
			}
		}
		if _, err := s.nodes[FirstNode].Remote(9).ReadIndex(ctx); !sqlerr.Is(err, sqlerr.AllConnectionTriesFailed) {
			t.Errorf("a shard that does not exist: %v", err)
		}
	})
}

// TestForwardFailover: while leaders die and are cut off, commits with tokens through another node go on, and take effect once.
func TestForwardFailover(t *testing.T) {
	inCluster(t, 1, 3, func(t *testing.T, s *several, c *catalog.Catalog, a catalog.TableID) {
		ctx := t.Context()
		var keys []uint64
		for round := range 6 {
			f := s.follower(1)
			leader := s.leader(1).Name()
			fault := func() {
				if round%2 == 0 {
					s.net.Isolate(leader)
				} else {
					s.stop(leader)
				}
			}
			for i := range 20 {
				if i == 10 {
					go fault()
				}
				key := uint64(100*round + i)
				start := time.Now()
				_, err := f.Shard(1).Append(ctx, oneRow(c, a, key, Token{Table: a, ID: fmt.Sprint(key)}))
				must(t, err)
				if took := time.Since(start); took > 8*time.Second {
					t.Errorf("round %d: a commit took %s", round, took)
				}
				keys = append(keys, key)
			}
			synctest.Wait()
			s.net.HealAll()
			if s.nodes[leader] == nil {
				s.start(leader)
			}
			for _, n := range s.nodes {
				must(t, n.Shard(1).Barrier(ctx))
				requireKeys(t, n.Shard(1), a, keys...)
			}
		}
	})
}

// TestForwardMinority: a node that is cut off refuses, or says that it does not know, in time.
func TestForwardMinority(t *testing.T) {
	inCluster(t, 1, 3, func(t *testing.T, s *several, c *catalog.Catalog, a catalog.TableID) {
		f := s.follower(1)
		s.net.Isolate(f.Name())
		start := time.Now()
		_, err := f.Shard(1).Append(t.Context(), oneRow(c, a, 1))
		if !errors.Is(err, ErrUnknown) && !errors.Is(err, ErrNotLeader) || time.Since(start) > leaderPatience+forwardTimeout {
			t.Errorf("%v after %s", err, time.Since(start))
		}
		start = time.Now()
		if err := f.Shard(1).Barrier(t.Context()); !errors.Is(err, ErrNotLeader) || time.Since(start) > leaderPatience+forwardTimeout {
			t.Errorf("reading: %v after %s", err, time.Since(start))
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		start = time.Now()
		if _, err := f.Shard(1).Append(ctx, oneRow(c, a, 2)); err == nil || time.Since(start) > 1100*time.Millisecond {
			t.Errorf("with a deadline: %v after %s", err, time.Since(start))
		}
		s.net.HealAll()
		_, err = f.Shard(1).Append(t.Context(), oneRow(c, a, 3))
		must(t, err)
	})
}

// TestForwardGolden holds the bytes of requests and answers against testdata/forward.
func TestForwardGolden(t *testing.T) {
	drop, err := (&dropSegments{tables: []catalog.TableID{1, 300}}).append(nil)
	must(t, err)
	requests := map[string]*forwardRequest{
		"Propose":   {what: askPropose, group: 3, kind: kindDropSegments, term: 5, schema: 12, coded: drop, body: &dropSegments{tables: []catalog.TableID{1, 300}}},
		"ReadIndex": {what: askReadIndex, group: 3},
	}
	answers := map[string]*forwardAnswer{
		"Done":      {term: 5, index: 300, result: Result{Index: 299, Duplicate: true, Differs: true}},
		"NotLeader": {err: &sqlerr.Error{Code: sqlerr.NotALeader, Msg: "Node node-1 does not lead group 3", Pos: -1, Cause: ErrNotLeader}, leader: "node-2"},
		"Refused":   {err: sqlerr.New(sqlerr.UnknownTable, "Table with ID 1 does not exist any more")},
	}
	datadriven.RunTest(t, "testdata/forward", func(t *testing.T, d *datadriven.TestData) string {
		var b []byte
		var want, got any
		var err error
		if q := requests[d.Cmd]; q != nil {
			b, want = q.append(nil), q
			got, err = decodeForward(b)
		} else if a := answers[d.Cmd]; a != nil {
			b, want = a.append(nil), a
			got, err = decodeAnswer(b)
		} else {
			return "no such message\n"
		}
		must(t, err)
		if !reflect.DeepEqual(got, want) {
			t.Errorf("decoded %+v, want %+v", got, want)
		}
		return hex.Dump(b)
	})
	for i, e := range refusals {
		a, err := decodeAnswer((&forwardAnswer{err: fmt.Errorf("refusal %d: %w", i, e)}).append(nil))
		must(t, err)
		if !errors.Is(a.err, e) {
			t.Errorf("%v came as %v", e, a.err)
		}
	}
}

func FuzzForward(f *testing.F) {
	for _, b := range goldenBodies() {
		coded, err := b.append(nil)
		must(f, err)
		f.Add((&forwardRequest{what: askPropose, group: 1, kind: b.kind(), coded: coded}).append(nil))
	}
	f.Add((&forwardAnswer{err: errors.New("x"), leader: "a"}).append(nil))
	f.Fuzz(func(t *testing.T, b []byte) {
		if q, err := decodeForward(b); err == nil {
			if a, ok := q.body.(*appendRows); ok {
				if _, err := decodeRows(a); err != nil && sqlerr.CodeOf(err) == sqlerr.LogicalError {
					t.Fatal(err)
				}
			}
		}
		if a, err := decodeAnswer(b); err == nil {
			a.append(nil)
		}
	})
}
