package ingest

import (
	"fmt"
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
)

var partitionStates = [...]string{"consuming", "halted_data_loss", "halted_truncated", "halted_recreated", "unavailable"}

// String is the state's name in system.kafka_consumers.
func (s PartitionState) String() string { return partitionStates[s] }

// found is a partition as Kafka shows it.
type found struct {
	TopicPartition
	start, end int64 // of the log
	err        error // why it cannot be looked up
}

// assignment is what a session does with a partition.
type assignment struct {
	TopicPartition
	next   int64 // the first offset to fetch
	end    int64 // of the log when it was looked up
	state  PartitionState
	reason string
}

// plan decides where each partition starts, and which ranges have to be committed before that.
func plan(pos Position, parts []found, fromLatest, skipLoss bool) (as []assignment, first []SourceRange) {
	known, ids := topicIDs(pos)
	for _, p := range parts {
		a := assignment{TopicPartition: p.TopicPartition, end: p.end}
		c, has := pos.Cursors[p.TopicPartition]
		a.next = c.Next
		switch {
		case p.err != nil:
			a.state, a.reason = Unavailable, p.err.Error()
		case has:
			if r, ok := a.resume(p, skipLoss); ok {
				first = append(first, r)
			}
		default:
			r := SourceRange{TopicPartition: p.TopicPartition, Start: p.start, End: p.start, First: -1, Last: -1, New: true}
			switch added := slices.Contains(ids[p.Topic], p.TopicID); {
			case known[p.Topic] && !added && !skipLoss:
				a.state = HaltedRecreated
				a.reason = fmt.Sprintf("topic %s was deleted and created again: its id is no longer the one consumed before", p.Topic)
			case known[p.Topic] && !added:
				r.Gap = "the topic was deleted and created again"
			case fromLatest && !added:
				r.Start, r.End = p.end, p.end
			}
			if a.state == Consuming {
				a.next = r.End
				first = append(first, r)
			}
		}
		as = append(as, a)
	}
	return as, first
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
		gap = SourceRange{TopicPartition: a.TopicPartition, Start: a.next, End: p.start, First: -1, Last: -1,
			Gap: "the offsets are no longer in the log"}
		a.next = p.start
		return gap, true
	}
	return gap, false
}

// topicIDs returns which topics have cursors, and under which ids.
func topicIDs(pos Position) (known map[string]bool, ids map[string][]TopicID) {
	known, ids = map[string]bool{}, map[string][]TopicID{}
	for tp := range pos.Cursors {
		known[tp.Topic] = true
		if !slices.Contains(ids[tp.Topic], tp.TopicID) {
			ids[tp.Topic] = append(ids[tp.Topic], tp.TopicID)
		}
	}
	return known, ids
}
