package ingest

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/olapd/olapd/internal/column"
)

// TopicID is Kafka's id of a topic: another one after the topic was deleted and created again. It is zero for
// brokers that have none.
type TopicID [16]byte

// TopicPartition is what a cursor belongs to.
type TopicPartition struct {
	Topic     string
	Partition int32
}

// String is "topic/partition".
func (p TopicPartition) String() string { return fmt.Sprintf("%s/%d", p.Topic, p.Partition) }

// Cursor is how far a partition has been taken.
type Cursor struct {
	// Next is the first offset that is not yet committed.
	Next int64
	// TopicID is the topic's that Next counts in.
	TopicID TopicID
}

// Position is a source's state, all from one read of the state machine.
type Position struct {
	Term    uint64
	Cursors map[TopicPartition]Cursor
}

// SourceRange is the offsets of one partition that a batch covers. The commit is refused unless the stored cursor
// is {Start, TopicID} or there is none; with Gap, unless its offset is Expect (NoOffset: there is none).
type SourceRange struct {
	TopicPartition
	TopicID TopicID
	// Start ≤ offset < End for all records in the batch; {End, TopicID} becomes the cursor.
	Start, End int64
	// First and Last are the offsets of the first and last record, -1 if there is none.
	First, Last int64
	// Gap, if not empty, says why the records from Expect to End were lost; the range has none then.
	Gap    string
	Expect int64
}

// NoOffset is the Expect of a gap in a partition without a cursor.
const NoOffset = -1

// String is "topic/partition [start, end)".
func (r SourceRange) String() string {
	return fmt.Sprintf("%s [%d, %d) %s", r.TopicPartition, r.Start, r.End, r.Gap)
}

// DeadLetter is a message that could not be read.
type DeadLetter struct {
	Database, Table string
	Topic           string
	Partition       int32
	Offset          int64
	Timestamp       time.Time
	Key, Raw        []byte
	Error           string
}

// Batch is one commit. All of it takes effect or nothing does.
type Batch struct {
	SourceID string
	// Term is that of the Position from which the session started.
	Term uint64
	// Rows has the columns of Consumer.Schema; N may be 0. It is immutable.
	Rows        *column.Block
	Ranges      []SourceRange
	DeadLetters []DeadLetter
}

// Committer is the shard as a consumer sees it.
type Committer interface {
	// Cursors returns the term and all cursors of the source, from one read of a state machine that has applied the
	// term's first entry. It fails while this node does not lead.
	Cursors(ctx context.Context, sourceID string) (Position, error)
	// Commit appends the batch as one entry and returns once it is applied here. Each consumer calls it from one
	// goroutine, one batch after another. An error may leave the outcome open: the consumer reads the cursors again
	// in any case. ErrBadRows says that these rows can never be committed.
	Commit(ctx context.Context, b Batch) error
}

// ErrBadRows marks an error of Commit that the rows themselves cause, a view that cannot convert a value for
// instance: trying again would fail again. The consumer looks for the message and makes it a dead letter.
var ErrBadRows = errors.New("ingest: rows cannot be committed")
