package ingest

import (
	"fmt"
	"math"
	"slices"
)

// PartitionState is what a consumer does with a partition.
type PartitionState uint8

const (
	// Consuming partitions are fetched.
	Consuming PartitionState = iota
	// HaltedLost waits for an operator: the log starts behind the cursor.
	HaltedLost
	// HaltedTruncated: the log ends before the cursor.
	HaltedTruncated
	// HaltedRecreated: the topic was deleted and created again.
	HaltedRecreated
	// Unavailable partitions cannot be looked up now; they are tried again.
	Unavailable
	// AtStop partitions are consumed up to where they end for now.
	AtStop
)

var partitionStates = [...]string{"consuming", "halted_data_loss", "halted_truncated", "halted_recreated", "unavailable", "at_stop"}

// String is the state's name in system.kafka_consumers.
func (s PartitionState) String() string { return partitionStates[s] }

// found is a partition as Kafka shows it.
type found struct {
	TopicPartition
	id         TopicID
	start, end int64 // of the log
	err        error // why it cannot be looked up
}

// logName tells a partition's log from that of another topic of the same name. The id and the ends of a log come from
// different answers of the brokers, so a verdict on a log may turn out to be one on its successor.
type logName struct {
	TopicPartition
	id TopicID
}

// assignment is what a session does with a partition.
type assignment struct {
	TopicPartition
	id     TopicID
	next   int64 // the first offset to fetch
	end    int64 // of the log when it was looked up
	stop   int64 // consumption ends before it
	state  PartitionState
	reason string
}

// plan decides where each partition starts, and which ranges have to be committed before that.
func plan(pos Position, parts []found, o *Options) (as []assignment, first []SourceRange) {
	fromLatest, skipLoss := o.Config.FromLatest, o.Config.SkipLoss
	ids := topicIDs(pos)
	for _, p := range parts {
		a := assignment{TopicPartition: p.TopicPartition, id: p.id, end: p.end, stop: math.MaxInt64}
		if o.Stops != nil {
			a.stop = o.Stops[p.TopicPartition]
		}
		c, has := pos.Cursors[p.TopicPartition]
		a.next = c.Next
		known := ids[p.Topic] != nil
		same := has && c.TopicID == p.id || !has && slices.Contains(ids[p.Topic], p.id)
		r, commit := SourceRange{}, false
		switch {
		case p.err != nil:
			a.state, a.reason = Unavailable, p.err.Error()
		case a.next >= a.stop:
			a.state = AtStop
		case known && !same:
			r, commit = a.again(p, c, has, skipLoss)
		case has:
			r, commit = a.resume(p, skipLoss)
		default:
			r, commit = a.begin(p, fromLatest && !known), true
		}
		if commit {
			first = append(first, r)
			a.next = r.End
		}
		if a.state == Consuming && a.next >= a.stop {
			a.state = AtStop
		}
		as = append(as, a)
	}
	return as, first
}

// begin is the start of a partition that was never consumed.
func (a *assignment) begin(p found, latest bool) SourceRange {
	at := p.start
	if latest {
		at = p.end
	}
	at = min(at, a.stop)
	return SourceRange{TopicPartition: p.TopicPartition, TopicID: p.id, Start: at, End: at, First: -1, Last: -1}
}

// again begins a topic that has another id than the cursors, if that is allowed.
func (a *assignment) again(p found, c Cursor, has, skipLoss bool) (SourceRange, bool) {
	if !skipLoss {
		a.state = HaltedRecreated
		a.reason = fmt.Sprintf("topic %s was deleted and created again: its id is no longer the one consumed before", p.Topic)
		return SourceRange{}, false
	}
	r := a.begin(p, false)
	r.Gap, r.Expect = "the topic was deleted and created again", NoOffset
	if has {
		r.Expect = c.Next
	}
	return r, true
}

// resume goes on at the cursor, or halts, or passes a gap.
func (a *assignment) resume(p found, skipLoss bool) (gap SourceRange, ok bool) {
	switch {
	case a.next > p.end:
		a.state = HaltedTruncated
		a.reason = fmt.Sprintf("the log of %s ends at offset %d, before the cursor %d: it was truncated", a.TopicPartition, p.end, a.next)
	case a.next < p.start && !skipLoss:
		a.state = HaltedLost
		a.reason = fmt.Sprintf("offsets %d to %d of %s are no longer in the log", a.next, p.start-1, a.TopicPartition)
	case a.next < p.start:
		return SourceRange{TopicPartition: a.TopicPartition, TopicID: a.id, Start: a.next, End: min(p.start, a.stop), First: -1, Last: -1,
			Gap: "the offsets are no longer in the log", Expect: a.next}, true
	}
	return gap, false
}

// topicIDs returns the ids under which each topic has cursors.
func topicIDs(pos Position) map[string][]TopicID {
	ids := map[string][]TopicID{}
	for tp, c := range pos.Cursors {
		if !slices.Contains(ids[tp.Topic], c.TopicID) {
			ids[tp.Topic] = append(ids[tp.Topic], c.TopicID)
		}
	}
	return ids
}
