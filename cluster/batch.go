package cluster

import (
	"fmt"

	"github.com/olapd/olapd/internal/catalog"
	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/mergetree"
)

// TableRows are rows of one table: one vector for each stored column of its spec, in order. A nil Block is for a table that
// stores none, such as one of engine Null: that it has not changed is checked all the same.
type TableRows struct {
	Table catalog.TableID
	Block *column.Block
}

// TopicID is Kafka's own name of a topic, another when the topic is deleted and made anew.
type TopicID [16]byte

// SourceRange says that a commit carries what records [Start, End) of a partition gave.
type SourceRange struct {
	Source    catalog.TableID // the Kafka table
	Topic     string
	TopicID   TopicID
	Partition int32
	// Start must be the stored next offset; End becomes it. Commit markers and tombstones occupy offsets too.
	Start, End int64
	// First and Last are the offsets of the first and the last record, -1 without records.
	First, Last int64
	// Gap lets Start differ from the stored next offset, which must then be Expect (NoOffset: none is stored), and TopicID from the stored
	// one: records that are lost for good, or a position that the user has set.
	Gap    bool
	Expect int64
}

// NoOffset is the Expect of a gap in a partition without a cursor.
const NoOffset = -1

// Token makes a commit take effect once: it has none when the table already knows the token.
type Token struct {
	Table catalog.TableID
	ID    string   // at most MaxTokenBytes; a user's text, or a hash of the rows
	Hash  [16]byte // of the rows, to tell a repeat from another use of the token
}

// Claims are the conditions of a commit, and what it marks as done.
type Claims struct {
	// Schema is the catalog version under which the rows were derived. A commit waits until the shard has got there, and is refused with
	// ErrSchemaChanged when one of its tables has changed since.
	Schema uint64
	// Term, if not 0, is the term that the source ranges were read under (Position.Term): under another one the commit
	// fails with ErrNotLeader.
	Term   uint64
	Ranges []SourceRange
	Tokens []Token
}

// Batch is rows to be committed as one entry: of an inserted block, with the rows its rollups derive from it.
// The blocks belong to the shard from then on: they must not change any more, whatever Append returns.
type Batch struct {
	Claims
	Rows []TableRows
}

// EditBatch is edits to be committed as one entry, at most one a table: a bulk insert with its rollups.
type EditBatch struct {
	Claims
	Edits []mergetree.Edit
}

// Result is what a commit came to.
type Result struct {
	// Index is the log index of the commit: a snapshot at or behind it sees the rows.
	Index uint64
	// Duplicate says that a token was known: nothing was written, and Index is the first commit's.
	Duplicate bool
	// Differs says of a duplicate that its token came with another hash the first time.
	Differs bool
}

// check refuses what no state machine would accept.
func (c *Claims) check() error {
	if len(c.Ranges) > maxRanges || len(c.Tokens) > maxTokens {
		return sqlerr.New(sqlerr.LogicalError, "A commit of %d source ranges and %d tokens: the limits are %d and %d", len(c.Ranges), len(c.Tokens), maxRanges, maxTokens)
	}
	for i := range c.Ranges {
		if err := c.Ranges[i].check(); err != nil {
			return err
		}
	}
	for _, t := range c.Tokens {
		if t.ID == "" || ownBytes(t.ID) > MaxTokenBytes {
			return sqlerr.New(sqlerr.BadArguments, "A deduplication token of %d bytes: it must have 1 to %d", len(t.ID), MaxTokenBytes)
		}
	}
	return nil
}

func (r *SourceRange) check() error {
	records := r.First >= r.Start && r.First <= r.Last && r.Last < r.End || r.First == -1 && r.Last == -1
	if r.Partition < 0 || r.Start < 0 || r.End < r.Start || !records || r.Gap && r.Expect < NoOffset || len(r.Topic) > maxName {
		return sqlerr.New(sqlerr.LogicalError, "Bad source range %s", r)
	}
	return nil
}

// String prints the range on one line.
func (r *SourceRange) String() string {
	s := fmt.Sprintf("source %d, %s/%d [%d, %d), records %d to %d", r.Source, r.Topic, r.Partition, r.Start, r.End, r.First, r.Last)
	if r.Gap {
		s += fmt.Sprintf(", a gap behind %d", r.Expect)
	}
	return s
}
