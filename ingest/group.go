package ingest

import (
	"context"
	"errors"
	"sync"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
)

// groupCopy writes committed cursors to the consumer group, for tools that show lag. Nothing ever reads them back.
type groupCopy struct {
	dirty chan struct{} // has room for one
	mu    struct {
		sync.Mutex
		next map[TopicPartition]Cursor // not yet written
	}
}

func newGroupCopy() *groupCopy {
	g := &groupCopy{dirty: make(chan struct{}, 1)}
	g.mu.next = map[TopicPartition]Cursor{}
	return g
}

// put remembers the ends of committed ranges.
func (g *groupCopy) put(ranges []SourceRange) {
	g.mu.Lock()
	for _, r := range ranges {
		g.mu.next[r.TopicPartition] = Cursor{Next: r.End, TopicID: r.TopicID}
	}
	g.mu.Unlock()
	select {
	case g.dirty <- struct{}{}:
	default:
	}
}

func (g *groupCopy) take() kadm.Offsets {
	g.mu.Lock()
	defer g.mu.Unlock()
	os := kadm.Offsets{}
	for tp, c := range g.mu.next {
		os.Add(kadm.Offset{Topic: tp.Topic, TopicID: kadm.TopicID(c.TopicID), Partition: tp.Partition, At: c.Next, LeaderEpoch: -1})
	}
	clear(g.mu.next)
	return os
}

// copyCursors writes at most once per groupInterval until ctx ends, and once more then.
func (c *Consumer) copyCursors(ctx context.Context) {
	for {
		select {
		case <-c.group.dirty:
			c.writeGroup(ctx)
		case <-ctx.Done():
			last, cancel := context.WithTimeout(context.WithoutCancel(ctx), closeTimeout)
			defer cancel()
			c.writeGroup(last)
			return
		}
		_ = c.o.Clock.Sleep(ctx, groupInterval)
	}
}

func (c *Consumer) writeGroup(ctx context.Context) {
	os := c.group.take()
	if len(os) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, adminTimeout)
	defer cancel()
	err := c.admin.CommitAllOffsets(ctx, c.o.Config.Group, os)
	if err != nil && !errors.Is(err, context.Canceled) && !errors.Is(err, kerr.UnknownTopicOrPartition) {
		c.board.exception("copying cursors to group " + c.o.Config.Group + ": " + err.Error())
	}
}
