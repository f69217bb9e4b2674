package node

import (
	"context"
	"encoding/json"
	"sync"

	"github.com/olapd/olapd/cluster/rpc"
	"github.com/olapd/olapd/internal/catalog"
	"github.com/olapd/olapd/internal/sqlerr"
)

// What changes all rows of a table (a mutation, TRUNCATE, a dropped partition) does so on each shard for itself. Rows that go from one shard to
// another meanwhile would be changed twice or not at all. So it does not begin while rows of the table move, a move waits until what has
// begun has ended on every node that can be reached, and the leader of a shard refuses what has begun before a move all the same.

// methodPause is a stream that asks a node to begin nothing more that changes all rows of a table: a pauseRequest as JSON, and an empty message back once
// what was under way has ended.
const methodPause = "table.pause"

type pauseRequest struct {
	Table    catalog.TableID `json:"table"`
	Topology uint64          `json:"topology"` // version to be known before
}

// wides counts, by table, what changes all of its rows and is under way on this node. The zero value is ready.
type wides struct {
	mu      sync.Mutex
	running map[catalog.TableID]int
	changed chan struct{} // closed and replaced when one has ended
}

// enter notes that something begins; leave must be called.
func (w *wides) enter(table catalog.TableID) (leave func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.running == nil {
		w.running, w.changed = map[catalog.TableID]int{}, make(chan struct{})
	}
	w.running[table]++
	return func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		if w.running[table]--; w.running[table] == 0 {
			delete(w.running, table)
		}
		close(w.changed)
		w.changed = make(chan struct{})
	}
}

// idle waits until nothing is under way.
func (w *wides) idle(ctx context.Context, table catalog.TableID) error {
	for {
		w.mu.Lock()
		n, changed := w.running[table], w.changed
		w.mu.Unlock()
		if n == 0 {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// wide runs f, which changes all rows of a table on all shards, at a time when none move between these. f is given the version of the
// topology that the shards' leaders are to be told.
func (n *Node) wide(ctx context.Context, table catalog.TableID, f func(version uint64) error) error {
	if n.cfg.Network == nil {
		return f(0)
	}
	meta := n.cluster.Meta()
	if err := meta.Barrier(ctx); err != nil {
		return err
	}
	for {
		changed := meta.Changed()
		leave := n.wides.enter(table)
		if top := meta.Topology(); !top.Moving(table) {
			defer leave()
			return f(top.Version)
		}
		leave()
		select {
		case <-changed:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// onShard runs f, a shard's part of what wide does, at its leader.
func (n *Node) onShard(ctx context.Context, q *shardRequest, f func() error) error {
	if n.cfg.Network == nil {
		return f()
	}
	defer n.wides.enter(q.Table)()
	if err := n.cluster.Meta().Barrier(ctx); err != nil {
		return err
	}
	if since := n.cluster.Topology().Moved[q.Table]; since > q.Topology {
		return sqlerr.New(sqlerr.Aborted, "Rows of the table have begun to move to other shards; shard %d was not changed, try again", q.Shard)
	}
	return f()
}

// pauseOn asks a node to begin nothing more, and waits until it has ended what it had begun.
func (n *Node) pauseOn(ctx context.Context, node string, q pauseRequest) error {
	if node == n.cluster.Name() {
		return n.paused(ctx, q)
	}
	text, err := json.Marshal(q)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	s, err := n.cfg.Network.Open(ctx, node, methodPause)
	if err != nil {
		return err
	}
	if err := s.Send(text); err != nil {
		return err
	}
	_, err = s.Recv()
	return err
}

func (n *Node) paused(ctx context.Context, q pauseRequest) error {
	if err := n.awaitTopology(ctx, q.Topology); err != nil {
		return err
	}
	return n.wides.idle(ctx, q.Table)
}

// awaitTopology waits until this node knows a version of the topology.
func (n *Node) awaitTopology(ctx context.Context, version uint64) error {
	for {
		changed := n.cluster.Meta().Changed()
		if n.cluster.Topology().Version >= version {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// servePause answers methodPause.
func (n *Node) servePause(ctx context.Context, _ string, s rpc.Stream) error {
	text, err := s.Recv()
	if err != nil {
		return err
	}
	var q pauseRequest
	if err := json.Unmarshal(text, &q); err != nil {
		return sqlerr.Wrap(err, sqlerr.CorruptedData, "A request to pause")
	}
	if err := n.paused(ctx, q); err != nil {
		return err
	}
	return s.Send(nil)
}
