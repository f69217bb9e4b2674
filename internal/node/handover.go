package node

import (
	"context"
	"reflect"

	"github.com/olapd/olapd/cluster"
	"github.com/olapd/olapd/ingest"
	"github.com/olapd/olapd/internal/sqlerr"
)

// releasing is a partition that another shard wants to consume.
type releasing struct {
	Topic     string `json:"topic"`
	Partition int32  `json:"partition"`
}

// released is where a shard has stopped to consume a partition. Live says that it did so by this request: others did before, or never knew that the partition
// has moved on since.
type released struct {
	releasing
	TopicID [16]byte `json:"topic_id"`
	Next    int64    `json:"next"`
	Live    bool     `json:"live,omitempty"`
}

// later reports whether r is where a partition is read on, rather than o: who has held it until now knows best. If nobody has, an attempt to take it over broke
// off between release and acquisition, and it is the one that has got further in the topic that there is now.
func (r released) later(o released, topic ingest.TopicID) bool {
	switch {
	case r.Live != o.Live:
		return r.Live
	case r.TopicID != o.TopicID:
		return r.TopicID == topic
	}
	return r.Next > o.Next
}

// claim takes partitions over from the shards that consumed them when there were fewer shards, or more: those let go of them first, for
// ever, and say where they were; each record is of exactly one of them. A partition may have been of several, one after the other.
//
// Whose a partition is, the topology says, which this node may know too late: then another shard has it already. So the meta group is asked; if shards are added
// behind that, who claims the partition next waits until this node knows (settled), and has closed the consumer that claims.
func (c *committer) claim(ctx context.Context, parts map[ingest.TopicPartition]ingest.TopicID) (moved bool, err error) {
	term, leads := c.shard.Leader()
	if !leads {
		return false, cluster.ErrNotLeader
	}
	if err := c.node.cluster.Meta().Barrier(ctx); err != nil {
		return false, err
	}
	top := c.node.cluster.Topology()
	if len(top.Shards) != c.shards {
		return false, sqlerr.New(sqlerr.Aborted, "Shard %d consumed as one of %d, of which there are %d now", c.shard.ID(), c.shards, len(top.Shards))
	}
	q := shardRequest{Op: opRelease, Table: c.table, Topology: top.Version}
	for p := range parts {
		q.Release = append(q.Release, releasing{p.Topic, p.Partition})
	}
	last := c.releasedHere(parts)
	for _, other := range top.Shards {
		if other.ID == c.shard.ID() {
			continue
		}
		of := q
		of.Shard = other.ID
		a, err := c.node.do(ctx, &of)
		if err != nil {
			return false, err
		}
		for _, r := range a.Released {
			topic := parts[ingest.TopicPartition{Topic: r.Topic, Partition: r.Partition}]
			if o, known := last[r.releasing]; !known || r.later(o, topic) {
				last[r.releasing] = r
			}
		}
	}
	for _, r := range last {
		at := cluster.TopicPartition{Topic: r.Topic, Partition: r.Partition}
		if err := c.shard.AcquireSource(ctx, term, c.table, at, r.TopicID, r.Next); err != nil {
			return moved, err
		}
		moved = true
	}
	return moved, nil
}

// releasedHere is where this shard itself has let go of partitions: another may have broken off before it took them over.
func (c *committer) releasedHere(parts map[ingest.TopicPartition]ingest.TopicID) map[releasing]released {
	out := map[releasing]released{}
	for at, cur := range c.shard.Cursors(c.table).Cursors {
		if _, asked := parts[ingest.TopicPartition(at)]; asked && cur.Released {
			p := releasing{at.Topic, at.Partition}
			out[p] = released{releasing: p, TopicID: cur.TopicID, Next: cur.Next}
		}
	}
	return out
}

// release lets go of partitions that are not this shard's under the topology of the request, which is waited for, and returns where they
// were; also those that were let go of before.
func (s *sources) release(ctx context.Context, r *cluster.Shard, q *shardRequest) ([]released, error) {
	if err := s.settled(ctx, q.Topology); err != nil {
		return nil, err
	}
	term, leads := r.Leader()
	if !leads {
		return nil, sqlerr.Wrap(cluster.ErrNotLeader, sqlerr.NotALeader, "Node %s does not lead shard %d", s.node.cluster.Name(), r.ID())
	}
	if len(q.Release) > 0 { // what a consumer here has committed at last may still be on its way, or this node not lead any more
		first := cluster.TopicPartition{Topic: q.Release[0].Topic, Partition: q.Release[0].Partition}
		if err := r.FenceSource(ctx, term, q.Table, first); err != nil {
			return nil, err
		}
	}
	n := len(s.node.cluster.Topology().Shards)
	cursors := r.Cursors(q.Table).Cursors
	var out []released
	for _, p := range q.Release {
		at := cluster.TopicPartition{Topic: p.Topic, Partition: p.Partition}
		cur, has := cursors[at]
		if !has {
			continue
		}
		if ownerOf(p.Partition, n) == r.ID() {
			return nil, sqlerr.New(sqlerr.LogicalError, "Partition %d of %s is consumed by shard %d", p.Partition, p.Topic, r.ID())
		}
		if !cur.Released {
			if err := r.ReleaseSource(ctx, term, q.Table, at, cur.TopicID, cur.Next); err != nil {
				return nil, err
			}
		}
		out = append(out, released{releasing: p, TopicID: cur.TopicID, Next: cur.Next, Live: !cur.Released})
	}
	return out, nil
}

// settled waits until the consumers of this node fit a version of the topology.
func (s *sources) settled(ctx context.Context, version uint64) error {
	for {
		s.mu.Lock()
		seen, changed := s.mu.seen, s.mu.changed
		s.mu.Unlock()
		if seen >= version {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// firstOf returns a channel that is closed when one of several is. It costs a goroutine until then.
func firstOf(list []<-chan struct{}) <-chan struct{} {
	out := make(chan struct{})
	cases := make([]reflect.SelectCase, len(list))
	for i, c := range list {
		cases[i] = reflect.SelectCase{Dir: reflect.SelectRecv, Chan: reflect.ValueOf(c)}
	}
	go func() {
		reflect.Select(cases)
		close(out)
	}()
	return out
}
