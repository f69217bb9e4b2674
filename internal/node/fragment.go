package node

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"github.com/olapd/olapd/cluster"
	"github.com/olapd/olapd/cluster/rpc"
	"github.com/olapd/olapd/internal/clock"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/mergetree"
	"github.com/olapd/olapd/query/fragment"
)

// methodFragment is a stream to a node that runs a part of a query, or pins what it reads: see package fragment.
const methodFragment = "query.fragment"

// replicas is where queries read shards: this node's replicas, and other nodes'. It implements fragment.Cluster.
type replicas struct {
	cluster *cluster.Node
	net     rpc.Network // nil: there are no other nodes
	turn    atomic.Uint64
}

// serve answers the fragments of other nodes' queries. It returns what ends that: no new ones, and those that run get some time.
func (r *replicas) serve(runner fragment.Runner, clk clock.Clock) (drain func()) {
	if r.net == nil {
		return func() {}
	}
	s := fragment.NewServer(r, runner, clk)
	r.net.Handle(methodFragment, func(ctx context.Context, from string, st rpc.Stream) error { return s.Serve(ctx, from, st) })
	return func() { s.Drain(fragmentPatience) }
}

// fragmentPatience is how long the end of a node waits for parts of other nodes' queries: as long as for its own clients' requests, beside which it waits.
const fragmentPatience = 10 * time.Second

// unlessAlone is nil where there are no other nodes: queries then read what is here, with nothing in between.
func (r *replicas) unlessAlone() fragment.Cluster {
	if r.net == nil {
		return nil
	}
	return r
}

// Self implements fragment.Cluster.
func (r *replicas) Self() string { return r.cluster.Name() }

// Shards implements fragment.Cluster: a shard is read here if a replica is, that is not behind and lacks no files; other nodes take turns.
func (r *replicas) Shards() ([]fragment.Shard, fragment.Layout) {
	top, turn := r.cluster.Topology(), r.turn.Add(1)
	out := make([]fragment.Shard, len(top.Shards))
	for i, p := range top.Shards {
		s := fragment.Shard{ID: p.ID}
		var others, lost []string
		if readable, whole := r.readable(&p); whole {
			s.Nodes = append(s.Nodes, r.Self())
		} else if readable { // after the others
			lost = append(lost, r.Self())
		}
		for _, name := range p.Replicas {
			switch m := top.Member(name); {
			case name == r.Self():
			case m == nil || m.State == cluster.Lost:
				lost = append(lost, name)
			default:
				others = append(others, name)
			}
		}
		if n := len(others); n > 0 {
			k := int((turn + p.ID) % uint64(n))
			s.Nodes = append(append(s.Nodes, others[k:]...), others[:k]...)
		}
		s.Nodes = append(s.Nodes, lost...)
		out[i] = s
	}
	return out, fragment.Layout{Version: top.Version, Spread: top.SpreadOf, Level: r.cluster.Level()}
}

// readable reports whether this node's replica of a shard can be read, and whether it has all files for that.
func (r *replicas) readable(p *cluster.Placement) (ok, whole bool) {
	s := r.cluster.Shard(p.ID)
	ok = s != nil && s.Err() == nil && s.Ready()
	return ok, ok && !s.Store().Lacking() && s.Applied() >= p.ReadFrom
}

// Open implements fragment.Cluster.
func (r *replicas) Open(ctx context.Context, node string) (fragment.Stream, error) {
	if r.net == nil {
		return nil, sqlerr.Wrap(rpc.ErrUnreachable, sqlerr.NetworkError, "Node %s is not known", node)
	}
	return r.net.Open(ctx, node, methodFragment)
}

// Pin implements fragment.Cluster.
func (r *replicas) Pin(ctx context.Context, p fragment.PinRequest) (fragment.Pinned, error) {
	if err := r.awaitCatalog(ctx, p.Catalog); err != nil {
		return fragment.Pinned{}, err
	}
	var out fragment.Pinned
	var views []*cluster.View
	for i, id := range p.Shards {
		s, err := r.await(ctx, id, p.After[i], p)
		var v *cluster.View
		if err == nil {
			pin := s.View
			if p.Strong {
				pin = s.StrongView
			}
			v, err = pin(ctx, p.Topology)
		}
		if err != nil {
			newStorage(views...).Close()
			if errors.Is(err, cluster.ErrClosed) { // the replica has moved away, or the node is shutting down
				err = sqlerr.Wrap(err, sqlerr.AllConnectionTriesFailed, "The replica of shard %d on node %s is closing", id, r.Self())
			}
			return fragment.Pinned{}, err
		}
		views, out.Indices = append(views, v), append(out.Indices, v.Index())
	}
	out.Storage = newStorage(views...)
	return out, nil
}

// awaitCatalog waits until this node knows a version of the catalog.
func (r *replicas) awaitCatalog(ctx context.Context, version uint64) error {
	for {
		changed := r.cluster.Meta().Changed()
		if r.cluster.Meta().Catalog().Version >= version {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// await returns this node's replica of a shard when it is as new as asked for.
func (r *replicas) await(ctx context.Context, id, after uint64, p fragment.PinRequest) (*cluster.Shard, error) {
	s := r.cluster.Shard(id)
	if s == nil {
		return nil, sqlerr.New(sqlerr.AllConnectionTriesFailed, "Node %s has no replica of shard %d", r.Self(), id)
	}
	if err := s.Err(); err != nil {
		return nil, sqlerr.Wrap(err, sqlerr.AllConnectionTriesFailed, "The replica of shard %d on node %s has stopped", id, r.Self())
	}
	if p.Strong {
		if err := s.Barrier(ctx); err != nil {
			return nil, err
		}
	}
	if after > 0 {
		if err := s.WaitApplied(ctx, after); err != nil {
			return nil, err
		}
	}
	if err := s.WaitSchema(ctx, p.Catalog); err != nil {
		return nil, err
	}
	return s, awaitFiles(ctx, s.Store())
}

// filePatience is how long a query waits for files that a replica is fetching. Behind it what needs them fails, naming the segment, and what
// reads other tables goes on.
const filePatience = 3 * time.Second

func awaitFiles(ctx context.Context, store *mergetree.Store) error {
	if !store.Lacking() {
		return nil
	}
	patient, cancel := context.WithTimeout(ctx, filePatience)
	defer cancel()
	_ = store.AwaitReady(patient) // whether it came to that is seen by who reads
	return context.Cause(ctx)
}
