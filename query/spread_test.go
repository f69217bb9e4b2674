package query

import (
	"context"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cockroachdb/datadriven"

	"github.com/olapd/olapd/cluster/rpc"
	"github.com/olapd/olapd/internal/clock"
	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/feature"
	"github.com/olapd/olapd/internal/function"
	"github.com/olapd/olapd/internal/mem"
	"github.com/olapd/olapd/internal/vfs"
	"github.com/olapd/olapd/query/exec"
	"github.com/olapd/olapd/query/exec/spill"
	"github.com/olapd/olapd/query/files"
	"github.com/olapd/olapd/query/fragment"
)

const fragmentMethod = "query.fragment"

// spreadNode is a node of a cluster whose nodes have one catalog and one list of rows, of which each reads those of its shards: row i is in shard
// i modulo the number of shards.
type spreadNode struct {
	m      *memory
	net    *rpc.MemoryNode
	shards []fragment.Shard
	pins   atomic.Int64 // open
	// refuse, if set, is asked before each pin, and opened called before each scan.
	refuse func() error
	opened func(ctx context.Context) error
	behind feature.Level // how many levels the cluster is behind this build
}

func (n *spreadNode) Self() string { return n.net.Self() }
func (n *spreadNode) Shards() ([]fragment.Shard, fragment.Layout) {
	return n.shards, fragment.Layout{Level: feature.Current - n.behind}
}
func (n *spreadNode) Open(ctx context.Context, node string) (fragment.Stream, error) {
	return n.net.Open(ctx, node, fragmentMethod)
}

func (n *spreadNode) Pin(ctx context.Context, p fragment.PinRequest) (fragment.Pinned, error) {
	if n.refuse != nil {
		if err := n.refuse(); err != nil {
			return fragment.Pinned{}, err
		}
	}
	snap, err := n.m.Snapshot(ctx)
	if err != nil {
		return fragment.Pinned{}, err
	}
	n.pins.Add(1)
	return fragment.Pinned{Storage: &shardStorage{node: n, inner: snap.(*memorySnapshot), shards: p.Shards}, Indices: p.Shards}, nil
}

// shardStorage is the rows of some shards.
type shardStorage struct {
	node   *spreadNode
	inner  *memorySnapshot
	shards []uint64
}

func (s *shardStorage) Close() {
	s.node.pins.Add(-1)
	s.inner.Close()
}

func (s *shardStorage) Open(ctx context.Context, req exec.ScanRequest) (exec.Scanner, error) {
	if f := s.node.opened; f != nil {
		if err := f(ctx); err != nil {
			return nil, err
		}
	}
	all, err := s.inner.Open(ctx, req)
	if err != nil {
		return nil, err
	}
	sc := all.(*memoryScanner)
	row := 0
	for i, b := range sc.blocks {
		var sel []uint32
		for k := range b.N {
			if slices.Contains(s.shards, uint64(row%len(s.node.shards))+1) {
				sel = append(sel, uint32(k))
			}
			row++
		}
		sc.blocks[i] = gatherRows(b, sel)
	}
	return sc, nil
}

func gatherRows(b *column.Block, sel []uint32) *column.Block {
	out := &column.Block{N: len(sel)}
	for _, c := range b.Cols {
		out.Cols = append(out.Cols, column.Gather(c, sel))
	}
	return out
}

// spread is a cluster of three nodes and three shards, and a harness on the first. Replicas says which nodes have the shards.
type spread struct {
	*harness
	clk   clock.Clock
	net   *rpc.Memory
	nodes []*spreadNode
}

func newSpread(t testing.TB, replicas ...[]string) *spread {
	s := newSpreadAt(t, testClock(), replicas...)
	t.Cleanup(func() { s.unpinned(t) })
	return s
}

// unpinned waits until no node pins anything: what the last statement has left behind ends on its own, in time: part of a fragment that did not
// begin on another node is given up after a second.
func (s *spread) unpinned(t testing.TB) {
	t.Helper()
	for range 5000 {
		if m, ok := s.clk.(*clock.Manual); ok {
			m.Advance(time.Millisecond)
		}
		open := int64(0)
		for _, n := range s.nodes {
			open += n.pins.Load()
		}
		if open == 0 {
			return
		}
		time.Sleep(time.Millisecond)
	}
	t.Error("nodes still pin rows")
}

func newSpreadAt(t testing.TB, clk clock.Clock, replicas ...[]string) *spread {
	s := &spread{clk: clk, net: rpc.NewMemory(clock.Real(), 1)}
	m := newMemory()
	var shards []fragment.Shard
	for i, r := range replicas {
		shards = append(shards, fragment.Shard{ID: uint64(i) + 1, Nodes: r})
	}
	for _, name := range []string{"a", "b", "c"} {
		n := &spreadNode{m: m, net: s.net.Node(name), shards: shards}
		temp, err := spill.Open(vfs.NewMem(), "/tmp")
		if err != nil {
			t.Fatal(err)
		}
		e, err := New(Deps{
			Catalog: m, Store: m, Writer: m, Cluster: n, Clock: clk, Budget: mem.NewBudget("test", 1<<30), Temp: temp, Host: "test",
			Server: function.Server{Version: "25.8.1.1", DisplayName: "olapd"}, Files: &files.Reach{FS: vfs.NewMem(), Folder: "/user_files"},
		})
		if err != nil {
			t.Fatal(err)
		}
		server := fragment.NewServer(n, e, clock.Real())
		n.net.Handle(fragmentMethod, func(ctx context.Context, from string, st rpc.Stream) error { return server.Serve(ctx, from, st) })
		if s.nodes = append(s.nodes, n); name == "a" {
			session, err := e.NewSession(SessionOptions{})
			if err != nil {
				t.Fatal(err)
			}
			s.harness = &harness{m: m, e: e, s: session, temp: temp}
		}
	}
	return s
}

// The layouts: the node that is asked has one shard of three, or none; or one other node has all.
var layouts = map[string][][]string{
	"one shard here": {{"a"}, {"b"}, {"c"}},
	"none here":      {{"b"}, {"c"}, {"b"}},
	"all on one":     {{"b", "c"}, {"b", "c"}, {"b", "c"}},
}

// TestSpreadScripts runs the scripts of TestScripts over shards: the answers are those of one node, up to the order of rows.
func TestSpreadScripts(t *testing.T) {
	for name, layout := range layouts {
		t.Run(name, func(t *testing.T) {
			datadriven.Walk(t, "testdata", func(t *testing.T, path string) {
				h := newSpread(t, layout...)
				datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
					got := runScript(t, h.harness, d)
					if strings.Contains(strings.ToUpper(d.Input), "EXPLAIN") || sameRows(got, d.Expected) {
						return d.Expected
					}
					return got
				})
			})
		})
	}
}

func sameRows(a, b string) bool {
	x, y := strings.Split(a, "\n"), strings.Split(b, "\n")
	slices.Sort(x)
	slices.Sort(y)
	return slices.Equal(x, y)
}
