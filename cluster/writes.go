package cluster

import (
	"context"
	"errors"
	"math"

	"github.com/olapd/olapd/internal/catalog"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/mergetree"
)

// Writer is what changes a shard, wherever its leader is: the part that a Shard and a RemoteShard share. Errors are explained in errors.go.
type Writer struct {
	id     uint64
	commit func(ctx context.Context, p proposal) (Result, error)
}

// ID returns the shard's number, from 1.
func (w *Writer) ID() uint64 { return w.id }

// claimed commits a body under claims.
func (w *Writer) claimed(ctx context.Context, c *Claims, p proposal) (Result, error) {
	if err := c.check(); err != nil {
		return Result{}, err
	}
	p.schema, p.term, p.token = c.Schema, c.Term, len(c.Tokens) > 0
	return w.commit(ctx, p)
}

// Append commits rows as one entry, visible when it returns. It waits while memtables are full.
func (w *Writer) Append(ctx context.Context, b Batch) (Result, error) {
	body := &appendRows{ranges: b.Ranges, tokens: b.Tokens, rows: b.Rows}
	return w.claimed(ctx, &b.Claims, proposal{body: body, rows: b.Rows})
}

// CommitSegments commits edits as one entry. An error that wraps mergetree.ErrEditRejected or any other error than ErrUnknown
// says that the segments are in no manifest, and may be discarded.
func (w *Writer) CommitSegments(ctx context.Context, b EditBatch) (Result, error) {
	return w.claimed(ctx, &b.Claims, proposal{body: &commitSegments{ranges: b.Ranges, tokens: b.Tokens, edits: b.Edits}})
}

// CommitEdit implements mergetree.Committer.
func (w *Writer) CommitEdit(ctx context.Context, e mergetree.Edit) error {
	_, err := w.commit(ctx, proposal{body: &commitSegments{edits: []mergetree.Edit{e}}})
	return err
}

// Truncate empties tables, whose deduplication tokens are forgotten too.
func (w *Writer) Truncate(ctx context.Context, tables ...catalog.TableID) (Result, error) {
	return w.commit(ctx, proposal{body: &dropSegments{tables: tables}})
}

// TrimTokens forgets the deduplication tokens of a table that were committed before a time, in Unix nanoseconds of the
// leader's clock.
func (w *Writer) TrimTokens(ctx context.Context, table catalog.TableID, before int64) error {
	_, err := w.commit(ctx, proposal{body: &dedupTrim{table: table, before: before}})
	return err
}

// ReleaseSource hands a partition over to another shard: nothing more of it is accepted here. next must be its cursor. It has no effect but under a term, if
// that is not 0.
func (w *Writer) ReleaseSource(ctx context.Context, term uint64, source catalog.TableID, at TopicPartition, id TopicID, next int64) error {
	return w.moveSource(ctx, term, moveSource{source: source, topic: at.Topic, topicID: id, partition: at.Partition, next: next})
}

// AcquireSource takes a partition over from another shard, which has released it at next. It has no effect but under a term, if that is not 0.
func (w *Writer) AcquireSource(ctx context.Context, term uint64, source catalog.TableID, at TopicPartition, id TopicID, next int64) error {
	return w.moveSource(ctx, term, moveSource{acquire: true, source: source, topic: at.Topic, topicID: id, partition: at.Partition, next: next})
}

// FenceSource commits an entry without effect: what the shard was asked about a source before, by a node that leads it in the term, has come to be behind it, or
// never will.
func (w *Writer) FenceSource(ctx context.Context, term uint64, source catalog.TableID, at TopicPartition) error {
	err := w.moveSource(ctx, term, moveSource{source: source, topic: at.Topic, partition: at.Partition, next: math.MaxInt64}) // which no cursor is
	if errors.Is(err, ErrCursorMoved) {
		return nil
	}
	return err
}

func (w *Writer) moveSource(ctx context.Context, term uint64, m moveSource) error {
	if m.partition < 0 || m.next < 0 || len(m.topic) > maxName {
		return sqlerr.New(sqlerr.LogicalError, "Bad hand-over of %s/%d at %d", m.topic, m.partition, m.next)
	}
	_, err := w.commit(ctx, proposal{body: &m, term: term})
	return err
}
