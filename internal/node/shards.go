package node

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"sync"

	"github.com/olapd/olapd/cluster"
	"github.com/olapd/olapd/internal/catalog"
	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/query/exec/eval"
	"github.com/zeebo/xxh3"
)

// shards is the placement shards as the parts of a node see them, wherever their replicas are.
type shards struct {
	cluster *cluster.Node
	alone   bool // there are no other nodes
	specs   *specs
	keys    sync.Map // catalog.TableID → *shardKey
}

// shardKey computes the hashes of a table's sharding key.
type shardKey struct {
	version uint64 // of the table
	program *eval.Program
}

// count is how many shards there are.
func (s *shards) count() int { return len(s.cluster.Topology().Shards) }

// of is how a table's rows find their shards by its sharding key, and its tokens.
func (s *shards) of(t *catalog.Table) catalog.Spread { return s.cluster.Topology().SpreadOf(t.ID) }

// led returns this node's replica of a shard if it leads, or will as there is no other node; else nil.
func (s *shards) led(id uint64) *cluster.Shard {
	r := s.cluster.Shard(id)
	if r == nil || s.alone {
		return r
	}
	if _, leads := r.Leader(); leads {
		return r
	}
	return nil
}

// mustLead is led for what only the leader does: where it is elsewhere, it says so.
func (s *shards) mustLead(id uint64) (*cluster.Shard, error) {
	if r := s.led(id); r != nil {
		return r, nil
	}
	return nil, sqlerr.Wrap(cluster.ErrNotLeader, sqlerr.NotALeader, "Node %s does not lead shard %d", s.cluster.Name(), id)
}

// each calls f for every shard of the cluster at once, and returns what went wrong, which names the shard.
func (s *shards) each(f func(id uint64) error) error { return s.first(s.count(), f) }

// first is each for the first n shards.
func (s *shards) first(n int, f func(id uint64) error) error {
	errs := make([]error, n)
	var work sync.WaitGroup
	for i := range n {
		work.Go(func() {
			if err := sqlerr.Guard(func() error { return f(uint64(i) + 1) }); err != nil && n > 1 {
				errs[i] = sqlerr.Wrap(err, sqlerr.CodeOf(err), "Shard %d", i+1)
			} else {
				errs[i] = err
			}
		})
	}
	work.Wait()
	return errors.Join(errs...)
}

// byShard are the rows with these hashes that belong to each shard.
func byShard(hashes []uint64, spread catalog.Spread) [][]uint32 {
	out := make([][]uint32, spread.Shards())
	for i, h := range hashes {
		at := spread.Shard(h) - 1
		out[at] = append(out[at], uint32(i))
	}
	return out
}

// rowsOn are those rows of a block that belong to a shard. The table has a sharding key.
func (s *shards) rowsOn(t *catalog.Table, schema column.Schema, b *column.Block, spread catalog.Spread, shard uint64) (*column.Block, error) {
	hashes, err := s.hashes(t, schema, b)
	if err != nil {
		return nil, err
	}
	sel := make([]uint32, 0, len(hashes))
	for i, h := range hashes {
		if spread.Shard(h) == shard {
			sel = append(sel, uint32(i))
		}
	}
	return gathered(b, sel), nil
}

// hashes are those of the rows' sharding keys.
func (s *shards) hashes(t *catalog.Table, schema column.Schema, b *column.Block) ([]uint64, error) {
	k, _ := s.keys.Load(t.ID)
	key, ok := k.(*shardKey)
	if !ok || key.version != t.Version {
		p, err := s.specs.sharding(t, schema)
		if err != nil {
			return nil, err
		}
		key = &shardKey{version: t.Version, program: p}
		s.keys.Store(t.ID, key)
	}
	out, err := key.program.Run(b)
	if err != nil {
		return nil, err
	}
	n, ok := column.Flatten(out[0]).(*column.Num[uint64])
	if !ok || len(n.Data) != b.N {
		return nil, sqlerr.New(sqlerr.LogicalError, "The sharding key of %s gives %T for %d rows", t.FullName(), out[0], b.N)
	}
	return n.Data, nil
}

// choose picks the shard of an insert into a table without a sharding key: the same for a repeat of the same insert, and otherwise
// one that this node leads, if there is any. first is the first rows of the insert.
func (s *shards) choose(t *catalog.Table, token string, dedup bool, first []byte) uint64 {
	n := s.count()
	switch {
	case n == 1:
		return 1
	case token != "":
		return s.of(t).Shard(xxh3.HashString(token))
	case dedup:
		return s.of(t).Shard(xxh3.Hash(first))
	}
	var led []uint64
	for _, r := range s.cluster.Shards() {
		if _, leads := r.Leader(); leads {
			led = append(led, r.ID())
		}
	}
	if len(led) > 0 {
		return led[rand.IntN(len(led))]
	}
	return rand.Uint64N(uint64(n)) + 1
}

// leaderOf names the node that leads a shard.
func (s *shards) leaderOf(ctx context.Context, id uint64) (string, error) {
	t := s.cluster.Topology()
	p := t.Shard(id)
	if p == nil {
		return "", sqlerr.New(sqlerr.LogicalError, "There is no shard %d", id)
	}
	asked := slices.Clone(p.Replicas)
	if at := slices.Index(asked, s.cluster.Name()); at > 0 {
		asked[0], asked[at] = asked[at], asked[0]
	}
	var errs []error
	silent := true
	for _, node := range asked {
		all, err := s.cluster.StatusOf(ctx, node)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		silent = false
		for _, st := range all {
			if st.Group == id && st.Leader != "" {
				return st.Leader, nil
			}
		}
	}
	if !silent { // there may be one in a moment
		return "", sqlerr.Wrap(errors.Join(append(errs, cluster.ErrNotLeader)...), sqlerr.NotALeader, "Shard %d has no leader now; its replicas are on %v", id, p.Replicas)
	}
	return "", sqlerr.Wrap(errors.Join(errs...), sqlerr.AllConnectionTriesFailed, "Shard %d has no leader; its replicas are on %v", id, p.Replicas)
}
