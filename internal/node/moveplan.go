package node

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sync"

	"github.com/olapd/olapd/cluster"
	"github.com/olapd/olapd/internal/catalog"
	"github.com/olapd/olapd/internal/feature"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/mergetree"
)

// partitionSize is what a shard has of a partition of a table in segments that may move.
type partitionSize struct {
	Table catalog.TableID `json:"table"`
	ID    string          `json:"id"`
	Bytes uint64          `json:"bytes"`
}

// immovable returns why rows of a table cannot be moved between shards.
func (n *Node) immovable(t *catalog.Table) error {
	spec, err := n.shards.specs.compile(t)
	switch {
	case err != nil:
		return err
	case spec == nil || spec.Mode == mergetree.Memory:
		return sqlerr.New(sqlerr.NotImplemented, "Moving rows of table %s between shards is not supported: engine %s has no segments", t.FullName(), t.Engine)
	case t.ShardingKey() != "":
		return sqlerr.New(sqlerr.NotImplemented, "Moving rows of table %s between shards is not supported: its sharding key says where they lie", t.FullName())
	case spec.Mode == mergetree.Replacing:
		return sqlerr.New(sqlerr.NotImplemented, "Moving rows of table %s between shards is not supported: rows of engine %s that replace each other must stay together", t.FullName(), t.Engine)
	}
	return nil
}

// MovePartition implements query.Mover: it plans the moves of a partition's rows from all other shards to one, and waits for their end.
func (n *Node) MovePartition(ctx context.Context, t *catalog.Table, partitionID string, to uint64) error {
	count := uint64(n.shards.count())
	if to == 0 || to > count {
		return sqlerr.New(sqlerr.BadArguments, "There is no shard %d: the cluster has %d", to, count)
	}
	if err := n.immovable(t); err != nil {
		return err
	}
	var moves []cluster.Move
	for from := range count {
		if from+1 != to {
			moves = append(moves, cluster.Move{Table: t.ID, Partition: partitionID, From: from + 1, To: to})
		}
	}
	ids, err := n.cluster.Meta().PlanMoves(ctx, moves)
	if err != nil {
		return err
	}
	return n.awaitMoves(ctx, ids)
}

// awaitMoves waits until moves have ended, and returns why one was cancelled.
func (n *Node) awaitMoves(ctx context.Context, ids []uint64) error {
	var failed error
	for {
		changed := n.cluster.Meta().Changed()
		top := n.cluster.Topology()
		for _, x := range slices.Concat(top.Moves, top.PastMoves) { // of the past, only the last are known
			if x.State == cluster.MoveCancelled && slices.Contains(ids, x.ID) {
				failed = sqlerr.New(sqlerr.Aborted, "The move of partition %s from shard %d to shard %d was cancelled: %s", x.Partition, x.From, x.To, x.Reason)
			}
		}
		if !slices.ContainsFunc(ids, func(id uint64) bool { return top.Move(id) != nil || id >= top.NextMove }) {
			return failed
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// rebalanceData lets the tables with a sharding key grow on all shards, and plans moves after which all shards have about as many bytes of the tables whose
// rows can move. It says how many, and which tables cannot grow.
func (n *Node) rebalanceData(ctx context.Context) (string, error) {
	if top := n.cluster.Topology(); len(top.Moves) > 0 || len(top.Growths) > 0 {
		return "", sqlerr.New(sqlerr.BadArguments, "Moves are under way: see system.moves")
	}
	grow, refused := n.growable()
	if len(grow) > 0 {
		if err := n.cluster.Level().Require(feature.Growths); err != nil {
			grow, refused = nil, append(refused, err)
		}
	}
	moves, err := n.planEven(ctx)
	if err != nil {
		return "", err
	}
	grown, err := n.cluster.Meta().PlanGrowths(ctx, grow)
	if err != nil {
		return "", err
	}
	if grown+moves == 0 && len(refused) > 0 {
		return "", refused[0]
	}
	text := fmt.Sprintf("%d moves of partitions between shards begin, and %d tables with a sharding key come to lie on more shards: see system.moves.", moves, grown)
	for _, err := range refused {
		text += " " + err.Error() + "."
	}
	return text, nil
}

// growable are the tables whose sharding keys do not count all shards, and why some of these cannot grow.
func (n *Node) growable() (tables []catalog.TableID, refused []error) {
	top, c := n.cluster.Topology(), n.cluster.Meta().Catalog()
	for _, t := range c.Tables("") {
		if t.Kind != catalog.KindTable || t.ShardingKey() == "" || top.SpreadOf(t.ID).Shards() == len(top.Shards) || derivedOnly(c, t) {
			continue
		}
		if err := n.ungrowable(c, t); err != nil {
			refused = append(refused, err)
			continue
		}
		tables = append(tables, t.ID)
	}
	return tables, refused
}

// derivedOnly reports whether a table's rows lie where those lie that a rollup makes them of, and not by a key of its own.
func derivedOnly(c *catalog.Catalog, t *catalog.Table) bool {
	for _, r := range c.Tables("") {
		if r.Kind == catalog.KindRollup && r.Refresh == nil && r.Target == t.ID {
			source := c.ByID(r.Source)
			return source == nil || source.Kind != catalog.KindKafka
		}
	}
	return false
}

// ungrowable returns why a table with a sharding key cannot come to lie on more shards.
func (n *Node) ungrowable(c *catalog.Catalog, t *catalog.Table) error {
	why := ""
	spec, err := n.shards.specs.compile(t)
	switch {
	case err != nil:
		return err
	case t.BaseEngine() == "Null" || spec == nil || spec.Mode == mergetree.Memory:
		why = "engine " + t.Engine + " has no segments"
	case len(cluster.Feeders(c, t.ID)) > 0:
		if err := n.cluster.Level().Require(feature.StoppedSources); err != nil {
			return err
		}
	}
	for _, r := range c.RollupsOf(t.ID) {
		target := c.ByID(r.Target)
		if target == nil || target.Kind != catalog.KindTable {
			continue
		}
		if s, err := n.shards.specs.compile(target); err != nil {
			return err
		} else if s != nil && s.Mode != mergetree.Plain && s.Mode != mergetree.Summing && s.Mode != mergetree.Aggregating {
			why = "rows of engine " + target.Engine + " in " + target.FullName() + ", which are made of its rows, must stay together"
		}
	}
	if why == "" {
		return nil
	}
	return sqlerr.New(sqlerr.NotImplemented, "Table %s cannot come to lie on more shards: %s", t.FullName(), why)
}

// planEven plans moves of partitions that even out what shards have, and returns how many.
func (n *Node) planEven(ctx context.Context) (int, error) {
	have := make([][]partitionSize, n.shards.count())
	var mu sync.Mutex
	if err := n.shards.each(func(id uint64) error {
		a, err := n.do(ctx, &shardRequest{Shard: id, Op: opPartitions})
		if err != nil {
			return err
		}
		mu.Lock()
		defer mu.Unlock()
		have[id-1] = a.Partitions
		return nil
	}); err != nil {
		return 0, err
	}
	ids, err := n.cluster.Meta().PlanMoves(ctx, evenOut(have))
	return len(ids), err
}

// partitionSizes lists what a shard has that could move.
func (n *Node) partitionSizes(ctx context.Context, r *cluster.Shard) ([]partitionSize, error) {
	v, err := r.View(ctx, 0)
	if err != nil {
		return nil, err
	}
	defer v.Close()
	var out []partitionSize
	for _, id := range v.Tables() {
		t, view := n.cluster.Meta().Catalog().ByID(id), v.Table(id)
		if t == nil || view == nil || t.Database == "system" || n.immovable(t) != nil {
			continue
		}
		for _, s := range view.Live("") {
			if k := len(out) - 1; k < 0 || out[k].Table != id || out[k].ID != s.Partition {
				out = append(out, partitionSize{Table: id, ID: s.Partition})
			}
			out[len(out)-1].Bytes += s.Bytes
		}
	}
	return out, nil
}

// maxPlanned bounds the moves of one rebalancing: others are found by the next.
const maxPlanned = 256

// evenOut returns moves after which shards, of which the partitions are given, have about as many bytes: again and again from the fullest to the emptiest
// the largest partition that does not make things worse; where all are larger, some segments of the smallest. A difference of a twentieth is left.
func evenOut(have [][]partitionSize) []cluster.Move {
	size, total := make([]uint64, len(have)), uint64(0)
	left := make([][]partitionSize, len(have))
	for i, parts := range have {
		left[i] = slices.Clone(parts)
		slices.SortStableFunc(left[i], func(a, b partitionSize) int { return cmp.Compare(b.Bytes, a.Bytes) })
		for _, p := range parts {
			size[i], total = size[i]+p.Bytes, total+p.Bytes
		}
	}
	var out []cluster.Move
	for len(out) < maxPlanned {
		from, to := fullest(size, left), emptiest(size)
		if from < 0 || size[from] < size[to] || size[from]-size[to] <= total/uint64(len(have))/20 {
			return out
		}
		gap := (size[from] - size[to]) / 2
		at := slices.IndexFunc(left[from], func(p partitionSize) bool { return p.Bytes <= gap })
		limit := uint64(0)
		if at < 0 {
			at, limit = len(left[from])-1, gap
		}
		p := left[from][at]
		left[from] = slices.Delete(left[from], at, at+1)
		bytes := p.Bytes
		if limit > 0 {
			bytes = limit
		}
		size[from], size[to] = size[from]-bytes, size[to]+bytes
		out = append(out, cluster.Move{Table: p.Table, Partition: p.ID, From: uint64(from) + 1, To: uint64(to) + 1, Limit: limit})
	}
	return out
}

// fullest is the shard with the most bytes of those that have partitions left; -1: none.
func fullest(size []uint64, left [][]partitionSize) int {
	at := -1
	for i := range size {
		if len(left[i]) > 0 && (at < 0 || size[i] > size[at]) {
			at = i
		}
	}
	return at
}

func emptiest(size []uint64) int { return slices.Index(size, slices.Min(size)) }
