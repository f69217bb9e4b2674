package node

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"slices"
	"time"

	"github.com/olapd/olapd/cluster"
	"github.com/olapd/olapd/internal/catalog"
	"github.com/olapd/olapd/internal/sqlerr"
)

const (
	// meetPoll is how often the mover looks whether all shards have consumed a Kafka table up to where it stops.
	meetPoll = 50 * time.Millisecond
	// nearOffsets is how many offsets shards may be behind the first one, together, when a Kafka table is stopped: what they consume in a second or two.
	nearOffsets = 50_000
)

// consumedTo is how far a shard has consumed a partition.
type consumedTo struct {
	releasing
	TopicID cluster.TopicID `json:"topic_id"`
	Next    int64           `json:"next"`
}

func (c *consumedTo) at() cluster.TopicPartition {
	return cluster.TopicPartition{Topic: c.Topic, Partition: c.Partition}
}

// consumedOn is how far a shard that this node leads has consumed a Kafka table, once it has got to a version of the catalog.
func consumedOn(ctx context.Context, r *cluster.Shard, q *shardRequest) ([]consumedTo, error) {
	if err := r.WaitSchema(ctx, q.Catalog); err != nil {
		return nil, err
	}
	out := []consumedTo{}
	for at, cur := range r.Cursors(q.Table).Cursors {
		if !cur.Released {
			out = append(out, consumedTo{releasing: releasing{at.Topic, at.Partition}, TopicID: cur.TopicID, Next: cur.Next})
		}
	}
	slices.SortFunc(out, func(a, b consumedTo) int {
		return cmp.Or(cmp.Compare(a.Topic, b.Topic), cmp.Compare(a.Partition, b.Partition))
	})
	return out, nil
}

// consumed is how far each of the first shards has consumed a Kafka table.
func (m *mover) consumed(ctx context.Context, source catalog.TableID, shards int, version uint64) ([][]consumedTo, error) {
	out := make([][]consumedTo, shards)
	err := m.n.shards.first(shards, func(id uint64) error {
		a, err := m.n.do(ctx, &shardRequest{Shard: id, Op: opCursors, Table: source, Catalog: version})
		if err == nil {
			out[id-1] = a.Consumed
		}
		return err
	})
	return out, err
}

// meeting is where shards meet that have consumed so far, in order of the partitions: where the first of them has got to; behind is how many offsets the others are
// behind it together, and why says which one is.
func meeting(consumed [][]consumedTo) (to []consumedTo, behind int64, why error) {
	first := map[cluster.TopicPartition]consumedTo{}
	for _, list := range consumed {
		for _, c := range list {
			if f, ok := first[c.at()]; !ok || c.Next > f.Next {
				first[c.at()] = c
			}
		}
	}
	for i, list := range consumed {
		have := map[cluster.TopicPartition]consumedTo{}
		for _, c := range list {
			have[c.at()] = c
		}
		for at, f := range first {
			if c := have[at]; c != f {
				behind += max(f.Next-c.Next, 1)
				why = sqlerr.New(sqlerr.Aborted, "Shard %d has consumed partition %d of topic %s up to offset %d, another one up to %d", i+1, at.Partition, at.Topic, c.Next, f.Next)
			}
		}
	}
	to = slices.SortedFunc(maps.Values(first), func(a, b consumedTo) int {
		return cmp.Or(cmp.Compare(a.Topic, b.Topic), cmp.Compare(a.Partition, b.Partition))
	})
	return to, behind, why
}

// awaitNear waits until the shards have consumed the Kafka tables that feed a growth's table almost equally far, so that these are not stopped for long; if that
// takes too long, the growth is given up.
func (m *mover) awaitNear(ctx context.Context, g cluster.Growth) error {
	meta := m.n.cluster.Meta()
	for start := m.n.cfg.Clock.Now(); ; {
		var far error
		for _, s := range cluster.Feeders(meta.Catalog(), g.Table) {
			consumed, err := m.consumed(ctx, s.ID, cluster.Reach(meta.Catalog(), meta.Topology(), s.ID), 0)
			if err != nil {
				return err
			}
			if _, behind, why := meeting(consumed); behind > nearOffsets {
				far = sqlerr.Wrap(why, sqlerr.Aborted, "Kafka table %s is not consumed equally far: %d offsets", s.FullName(), behind)
			}
		}
		if far == nil {
			return nil
		}
		if m.n.cfg.Clock.Since(start) >= movePatience {
			return errors.Join(far, meta.CancelGrowth(ctx, g.Table, far.Error()))
		}
		if err := m.n.cfg.Clock.Sleep(ctx, moveRetry); err != nil {
			return err
		}
	}
}

// meet stops the Kafka tables that feed a growth's table where all shards have consumed them equally far.
func (m *mover) meet(ctx context.Context, g cluster.Growth) error {
	meta := m.n.cluster.Meta()
	version, err := meta.StopSources(ctx, g)
	if err != nil {
		return err
	}
	for _, s := range cluster.Feeders(meta.Catalog(), g.Table) {
		if err := m.meetIn(ctx, g, s.ID, version); err != nil {
			return sqlerr.Wrap(err, sqlerr.CodeOf(err), "Kafka table %s", s.FullName())
		}
	}
	return nil
}

// meetIn lets all shards consume a Kafka table, which is stopped, up to where the first one has got to, and waits until they have.
func (m *mover) meetIn(ctx context.Context, g cluster.Growth, source catalog.TableID, version uint64) error {
	meta := m.n.cluster.Meta()
	for {
		consumed, err := m.consumed(ctx, source, cluster.Reach(meta.Catalog(), meta.Topology(), source), version)
		if err != nil {
			return err
		}
		to, _, why := meeting(consumed)
		if why == nil {
			return nil
		}
		m.beforeGrowth(g, "meet")
		if version, err = meta.SetStops(ctx, g, source, stopsAt(to)); err != nil {
			return err
		}
		if err := m.n.cfg.Clock.Sleep(ctx, meetPoll); err != nil {
			return errors.Join(why, err)
		}
	}
}

func stopsAt(to []consumedTo) (out []catalog.Stop) {
	for _, c := range to {
		out = append(out, catalog.Stop{Topic: c.Topic, TopicID: c.TopicID.String(), Partition: c.Partition, Next: c.Next})
	}
	return out
}

// handSources lets the shards that have not read the Kafka tables which feed a growth's table begin where the others have met.
func (m *mover) handSources(ctx context.Context, g cluster.Growth, version uint64) error {
	meta := m.n.cluster.Meta()
	for _, s := range cluster.Feeders(meta.Catalog(), g.Table) {
		reach := cluster.Reach(meta.Catalog(), meta.Topology(), s.ID)
		consumed, err := m.consumed(ctx, s.ID, max(reach, g.Shards()), version)
		if err != nil {
			return err
		}
		to, _, why := meeting(consumed[:reach])
		if why != nil {
			return why
		}
		for shard := reach + 1; shard <= g.Shards(); shard++ {
			if err := m.handSource(ctx, uint64(shard), s.ID, version, consumed[shard-1], to); err != nil {
				return err
			}
		}
	}
	return nil
}

// handSource lets a shard begin to read a Kafka table. What it has read of it once, as another table that it feeds lay there, does not matter.
func (m *mover) handSource(ctx context.Context, shard uint64, source catalog.TableID, version uint64, has, to []consumedTo) error {
	for _, c := range to {
		var old *cluster.Cursor
		if i := slices.IndexFunc(has, func(h consumedTo) bool { return h.releasing == c.releasing }); i >= 0 {
			old = &cluster.Cursor{Next: has[i].Next, TopicID: has[i].TopicID}
		}
		if err := m.n.cluster.Writer(shard).HandSource(ctx, version, source, c.at(), cluster.Cursor{Next: c.Next, TopicID: c.TopicID}, old); err != nil {
			return err
		}
	}
	return nil
}
