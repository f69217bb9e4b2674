package cluster

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/olapd/olapd/internal/catalog"
)

// TopicPartition names a partition of a source.
type TopicPartition struct {
	Topic     string
	Partition int32
}

// Cursor is how far a partition has been committed.
type Cursor struct {
	Next     int64 // the next offset to read
	TopicID  TopicID
	Released bool // handed over to another shard: nothing more is accepted here
}

// Position is the cursors of a source and the term they were read under, in one read.
type Position struct {
	// Term is the last term that has begun; ranges made from the cursors are committed under it (Claims.Term).
	Term    uint64
	Cursors map[TopicPartition]Cursor
}

// cursorKey names a cursor in the state.
type cursorKey struct {
	source catalog.TableID
	TopicPartition
}

func compareCursorKeys(a, b cursorKey) int {
	return cmp.Or(cmp.Compare(a.source, b.source), strings.Compare(a.Topic, b.Topic), cmp.Compare(a.Partition, b.Partition))
}

// cursors is the part of a shard's state that knows which records were committed.
type cursors map[cursorKey]Cursor

// check returns the cursors after the ranges, in order, or why they do not fit.
func (c cursors) check(ranges []SourceRange) (cursors, error) {
	after := cursors{}
	for i := range ranges {
		r := &ranges[i]
		k := cursorKey{r.Source, TopicPartition{r.Topic, r.Partition}}
		at, known := after[k]
		if !known {
			at, known = c[k]
		}
		if err := at.accepts(known, r); err != nil {
			return nil, err
		}
		after[k] = Cursor{Next: r.End, TopicID: r.TopicID}
	}
	return after, nil
}

func (at Cursor) accepts(known bool, r *SourceRange) error {
	next := int64(NoOffset)
	if known {
		next = at.Next
	}
	switch {
	case known && at.Released:
		return fmt.Errorf("%w: %s, which was handed over at %d", ErrCursorMoved, r, at.Next)
	case r.Gap && r.Expect == next && (at.TopicID != r.TopicID || r.Start >= next):
		return nil
	case !r.Gap && !known, !r.Gap && r.Start == next && r.TopicID == at.TopicID:
		return nil
	}
	return fmt.Errorf("%w: %s, the cursor is %d of topic %s", ErrCursorMoved, r, next, at.TopicID)
}

func (c cursors) set(after cursors) { maps.Copy(c, after) }

// move applies a hand-over: an acquired partition begins at its next offset, a released one must be there.
func (c cursors) move(m *moveSource) error {
	k := cursorKey{m.source, TopicPartition{m.topic, m.partition}}
	at, known := c[k]
	if m.acquire {
		if known && !at.Released {
			return fmt.Errorf("%w: partition %s/%d of source %d is here already, at %d", ErrCursorMoved, m.topic, m.partition, m.source, at.Next)
		}
		c[k] = Cursor{Next: m.next, TopicID: m.topicID}
		return nil
	}
	if !known || at.Released || at.Next != m.next {
		return fmt.Errorf("%w: partition %s/%d of source %d cannot be released at %d", ErrCursorMoved, m.topic, m.partition, m.source, m.next)
	}
	at.Released = true
	c[k] = at
	return nil
}

// drop forgets a source.
func (c cursors) drop(source catalog.TableID) {
	maps.DeleteFunc(c, func(k cursorKey, _ Cursor) bool { return k.source == source })
}

// of returns the cursors of one source.
func (c cursors) of(source catalog.TableID) map[TopicPartition]Cursor {
	out := map[TopicPartition]Cursor{}
	for k, at := range c {
		if k.source == source {
			out[k.TopicPartition] = at
		}
	}
	return out
}

func (c cursors) keys() []cursorKey { return slices.SortedFunc(maps.Keys(c), compareCursorKeys) }
