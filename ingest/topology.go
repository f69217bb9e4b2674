package ingest

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
)

// lookUp returns the partitions of the consumer's topics that are its own, as the brokers show them now.
func (c *Consumer) lookUp(ctx context.Context) ([]found, error) {
	ctx, cancel := context.WithTimeout(ctx, adminTimeout)
	defer cancel()
	topics, err := c.admin.ListTopics(ctx, c.o.Config.Topics...)
	if err != nil {
		return nil, fmt.Errorf("cannot look up topics: %w", err)
	}
	var names []string
	for _, t := range topics {
		if t.Err == nil {
			names = append(names, t.Topic)
		}
	}
	var starts, ends kadm.ListedOffsets
	if len(names) > 0 {
		if starts, err = c.admin.ListStartOffsets(ctx, names...); err != nil && !isPartial(err) {
			return nil, fmt.Errorf("cannot look up the start of the logs: %w", err)
		}
		if ends, err = c.admin.ListEndOffsets(ctx, names...); err != nil && !isPartial(err) {
			return nil, fmt.Errorf("cannot look up the end of the logs: %w", err)
		}
	}
	var parts []found
	for _, name := range c.o.Config.Topics {
		t, ok := topics[name]
		if !ok {
			t.Err = kerr.UnknownTopicOrPartition
		}
		parts = append(parts, partitionsOf(name, t, starts, ends)...)
	}
	if c.o.Owns != nil {
		parts = slices.DeleteFunc(parts, func(f found) bool { return f.Partition >= 0 && !c.o.Owns(f.TopicPartition) })
	}
	slices.SortFunc(parts, func(x, y found) int { return comparePartitions(x.TopicPartition, y.TopicPartition) })
	return parts, nil
}

// claim takes over the partitions that have no cursor yet.
func (c *Consumer) claim(ctx context.Context, pos Position, parts []found) (moved bool, err error) {
	if c.o.Claim == nil {
		return false, nil
	}
	without := map[TopicPartition]TopicID{}
	for _, p := range parts {
		if _, has := pos.Cursors[p.TopicPartition]; !has && p.err == nil {
			without[p.TopicPartition] = p.id
		}
	}
	if len(without) == 0 {
		return false, nil
	}
	return c.o.Claim(ctx, without)
}

// isPartial reports whether some brokers answered; the partitions of the others have errors of their own.
func isPartial(err error) bool {
	var se *kadm.ShardErrors
	return errors.As(err, &se) && !se.AllFailed
}

func partitionsOf(name string, t kadm.TopicDetail, starts, ends kadm.ListedOffsets) []found {
	if t.Err != nil {
		return []found{{TopicPartition: TopicPartition{Topic: name, Partition: -1}, end: -1, err: t.Err}}
	}
	var parts []found
	for p := range t.Partitions {
		f := found{TopicPartition: TopicPartition{Topic: name, Partition: p}, id: TopicID(t.ID)}
		start, ok1 := starts.Lookup(name, p)
		end, ok2 := ends.Lookup(name, p)
		f.start, f.end = start.Offset, end.Offset
		switch {
		case !ok1 || !ok2:
			f.end, f.err = -1, kerr.LeaderNotAvailable
		case start.Err != nil:
			f.end, f.err = -1, start.Err
		case end.Err != nil:
			f.end, f.err = -1, end.Err
		}
		parts = append(parts, f)
	}
	return parts
}

// sameTopology reports whether a session planned over x would be planned alike over y.
func sameTopology(x, y []found) bool {
	return slices.EqualFunc(x, y, func(a, b found) bool {
		return a.TopicPartition == b.TopicPartition && a.id == b.id && (a.err == nil) == (b.err == nil)
	})
}
