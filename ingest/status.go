package ingest

import (
	"fmt"
	"maps"
	"net"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/olapd/olapd/internal/clock"
	"github.com/twmb/franz-go/pkg/kgo"
)

// State is what a consumer is doing as a whole.
type State string

// The states of a consumer.
const (
	Starting         State = "starting"           // reading cursors, looking topics up
	Running          State = "running"            // fetching; idle if there is nothing new
	Retrying         State = "retrying"           // something failed, see Exceptions; it is tried again
	WaitingForMemory State = "waiting_for_memory" // commits are slow or memory is short: nothing is fetched
	Stopped          State = "stopped"
)

// Status is one row of system.kafka_consumers, and more. It is a copy.
type Status struct {
	Database, Table, ConsumerID, SourceID string
	State                                 State
	Partitions                            []PartitionStatus // sorted by topic and partition
	Exceptions                            []Exception       // the last ones, oldest first
	LastPoll, LastCommit, LastAssigned    time.Time         // zero: never
	Messages, Rows, Bytes                 uint64            // committed
	DeadLetters, Commits                  uint64
	Sessions, Assigned, Revoked           uint64 // sessions started; partitions taken and given back in them
	Buffered                              int64  // bytes reserved for messages not yet committed
	Freshness                             FreshnessCounts
}

// PartitionStatus is what is known of one partition; Partition is -1 for a topic that cannot be looked up.
type PartitionStatus struct {
	TopicPartition
	TopicID TopicID
	State   PartitionState
	Reason  string // of a state other than Consuming
	// Next is the committed cursor, End the end of the log when last seen, -1 if unknown.
	Next, End int64
}

// String is for logs and tests.
func (p PartitionStatus) String() string {
	return fmt.Sprintf("%s %s next=%d end=%d %s", p.TopicPartition, p.State, p.Next, p.End, p.Reason)
}

// Lag is how many offsets are not yet committed, 0 if unknown.
func (p PartitionStatus) Lag() int64 { return max(p.End-p.Next, 0) }

// Exception is a failure and when it last happened.
type Exception struct {
	Time time.Time
	Text string
}

// board collects the status. Safe for concurrent use; it also listens to the Kafka client.
type board struct {
	clock     clock.Clock
	freshness Freshness
	mu        struct {
		sync.Mutex
		status Status
		parts  map[TopicPartition]*PartitionStatus
	}
}

func (b *board) snapshot() Status {
	b.mu.Lock()
	s := b.mu.status
	s.Exceptions = slices.Clone(s.Exceptions)
	for _, p := range b.mu.parts {
		s.Partitions = append(s.Partitions, *p)
	}
	b.mu.Unlock()
	slices.SortFunc(s.Partitions, func(x, y PartitionStatus) int { return comparePartitions(x.TopicPartition, y.TopicPartition) })
	s.Freshness = b.freshness.Snapshot()
	return s
}

func comparePartitions(x, y TopicPartition) int {
	if c := strings.Compare(x.Topic, y.Topic); c != 0 {
		return c
	}
	return int(x.Partition) - int(y.Partition)
}

func (b *board) setState(s State) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.mu.status.State = s
}

// exception notes a failure; one that repeats only gets a new time.
func (b *board) exception(text string) {
	now := b.clock.Now()
	b.mu.Lock()
	defer b.mu.Unlock()
	list := b.mu.status.Exceptions
	if n := len(list); n > 0 && list[n-1].Text == text {
		list[n-1].Time = now
		return
	}
	list = append(list, Exception{Time: now, Text: text})
	b.mu.status.Exceptions = list[max(0, len(list)-keptExceptions):]
}

// assigned replaces the partitions by those of a new session.
func (b *board) assigned(as []assignment) {
	b.mu.Lock()
	defer b.mu.Unlock()
	s := &b.mu.status
	s.Sessions++
	s.LastAssigned = b.clock.Now()
	old := b.mu.parts
	b.mu.parts = map[TopicPartition]*PartitionStatus{}
	for _, a := range as {
		b.mu.parts[a.TopicPartition] = &PartitionStatus{TopicPartition: a.TopicPartition, TopicID: a.id, State: a.state, Reason: a.reason, Next: a.next, End: a.end}
		if _, had := old[a.TopicPartition]; !had {
			s.Assigned++
		}
	}
	for tp := range maps.Keys(old) {
		if b.mu.parts[tp] == nil {
			s.Revoked++
		}
	}
}

func (b *board) part(tp TopicPartition, f func(*PartitionStatus)) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if p := b.mu.parts[tp]; p != nil {
		f(p)
	}
}

func (b *board) polled(buffered int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.mu.status.LastPoll, b.mu.status.Buffered = b.clock.Now(), buffered
}

// committed counts a batch that is visible since now.
func (b *board) committed(s *sealed, bytes int64) {
	now := b.clock.Now()
	for _, ms := range s.stamps {
		if ms >= 0 {
			b.freshness.add(now.UnixMilli() - ms)
		}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	st := &b.mu.status
	st.LastCommit = now
	st.Commits++
	st.Messages += uint64(s.messages)
	st.Rows += uint64(s.rows)
	st.Bytes += uint64(bytes)
	st.DeadLetters += uint64(len(s.DeadLetters))
	for _, r := range s.Ranges {
		if p := b.mu.parts[r.TopicPartition]; p != nil {
			p.Next, p.End = r.End, max(p.End, r.End)
		}
	}
}

// OnBrokerConnect implements kgo.HookBrokerConnect: the client tries again by itself and tells nobody else.
func (b *board) OnBrokerConnect(meta kgo.BrokerMetadata, _ time.Duration, _ net.Conn, err error) {
	if err != nil {
		b.exception("broker " + net.JoinHostPort(meta.Host, itoa(meta.Port)) + ": " + err.Error())
	}
}
