package ingest

import (
	"bytes"
	"context"
	"fmt"
	"time"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/format"
	"github.com/twmb/franz-go/pkg/kgo"
)

// partition is what a session holds for one assigned partition: where it is, and the rows that wait for the next
// commit. It is used by one goroutine at a time.
type partition struct {
	TopicPartition
	id      TopicID
	next    int64 // the first offset not yet in a batch or in pend
	stop    int64 // consumption ends before it
	decoder messageDecoder
	pend    chunk
	// last and lastRows are of the chunk before.
	last     format.Sizes
	lastRows int
}

// chunk is what a partition adds to the next batch.
type chunk struct {
	rng      SourceRange
	rows     *format.Rows // nil: no row yet
	virt     *virtuals
	letters  []DeadLetter
	stamps   []int64 // the messages' timestamps in ms, for freshness
	messages int
}

func (c *chunk) empty() bool { return c.rng.End == c.rng.Start }

// reader turns the records of all partitions of a consumer into rows.
type reader struct {
	database, table string
	cfg             *Config
	schema          column.Schema // of the messages
	virtual         column.Schema
	// refused holds messages that Commit called bad: they become dead letters.
	refused map[TopicPartition]map[int64]string
}

// take appends the records to p's chunk. After an error the chunk holds what came before it, and the session ends.
func (r *reader) take(ctx context.Context, p *partition, records []*kgo.Record) error {
	if p.pend.empty() {
		p.pend.rng = SourceRange{TopicPartition: p.TopicPartition, TopicID: p.id, Start: p.next, End: p.next, First: -1, Last: -1}
	}
	for _, rec := range records {
		if rec.Offset < p.next {
			return fmt.Errorf("%s: received offset %d where %d was next: the log was rewritten", p, rec.Offset, p.next)
		}
		if rec.Offset >= p.stop { // there is nothing in between
			p.next, p.pend.rng.End = p.stop, p.stop
			return nil
		}
		if err := r.one(ctx, p, rec); err != nil {
			return fmt.Errorf("%s offset %d: %w", p, rec.Offset, err)
		}
		p.next = rec.Offset + 1
		p.pend.rng.End = p.next
	}
	return nil
}

// one takes a record: rows, a dead letter or, for markers and tombstones, nothing.
func (r *reader) one(ctx context.Context, p *partition, rec *kgo.Record) error {
	if rec.Attrs.IsControl() {
		return nil
	}
	c := &p.pend
	if rec.Value != nil {
		if err := r.read(ctx, p, rec); err != nil {
			return err
		}
	}
	c.messages++
	if c.rng.First < 0 {
		c.rng.First = rec.Offset
	}
	c.rng.Last = rec.Offset
	return nil
}

// read decodes a message. After an error nothing of it is left.
func (r *reader) read(ctx context.Context, p *partition, rec *kgo.Record) error {
	c := &p.pend
	if c.rows == nil {
		c.rows, c.virt = p.last.NewRows(r.schema), newVirtuals(r.virtual, p.lastRows)
	}
	if why, ok := r.refused[p.TopicPartition][rec.Offset]; ok {
		c.letters = append(c.letters, r.deadLetter(rec, why))
		return nil
	}
	before := c.rows.N
	switch err := p.decoder.decode(ctx, rec.Value, c.rows); {
	case err == nil:
		if n := c.rows.N - before; n > 0 {
			c.virt.add(rec, n, "")
			c.stamps = append(c.stamps, rec.Timestamp.UnixMilli())
		}
	case isUnavailable(err) || ctx.Err() != nil:
		return err
	case r.cfg.Errors == ErrorStream:
		for _, b := range c.rows.Cols {
			b.AppendDefault()
		}
		c.rows.N++
		c.virt.add(rec, 1, err.Error())
	default:
		c.letters = append(c.letters, r.deadLetter(rec, err.Error()))
	}
	return nil
}

func (r *reader) deadLetter(rec *kgo.Record, why string) DeadLetter {
	return DeadLetter{Database: r.database, Table: r.table, Topic: rec.Topic, Partition: rec.Partition, Offset: rec.Offset,
		Timestamp: rec.Timestamp, Key: bytes.Clone(rec.Key), Raw: bytes.Clone(rec.Value), Error: why}
}

// recordBytes is what a record counts towards the bounds of a batch and the budget.
func recordBytes(rec *kgo.Record) int64 {
	n := int64(len(rec.Key) + len(rec.Value))
	for _, h := range rec.Headers {
		n += int64(len(h.Key) + len(h.Value))
	}
	return n + recordOverhead/costPerByte
}

// sealed is a batch on its way to the committer.
type sealed struct {
	Batch
	stamps   []int64
	messages int
	rows     int
	reserved int64 // bytes of the budget that it gives back
	since    time.Time
}

// seal makes one batch of what all partitions have pending and leaves them empty.
func (r *reader) seal(parts []*partition) sealed {
	var s sealed
	var blocks []*column.Block
	for _, p := range parts {
		c := &p.pend
		if c.empty() {
			continue
		}
		s.Ranges = append(s.Ranges, c.rng)
		s.DeadLetters = append(s.DeadLetters, c.letters...)
		s.stamps = append(s.stamps, c.stamps...)
		s.messages += c.messages
		if c.rows != nil && c.rows.N > 0 {
			p.last, p.lastRows = format.SizesOf(c.rows), c.rows.N
			blocks = append(blocks, c.block())
			s.rows += c.rows.N
		}
		p.pend = chunk{}
	}
	s.Rows = r.concat(blocks, s.rows)
	return s
}

// block returns the chunk's rows, the message's columns first.
func (c *chunk) block() *column.Block {
	b := c.rows.Block()
	b.Cols = append(b.Cols, c.virt.columns()...)
	return b
}

// concat returns n rows of all blocks in one.
func (r *reader) concat(blocks []*column.Block, n int) *column.Block {
	switch len(blocks) {
	case 0:
		return &column.Block{}
	case 1:
		return blocks[0]
	}
	out := &column.Block{N: n, Cols: make([]column.Vector, len(r.schema)+len(r.virtual))}
	parts := make([]column.Vector, len(blocks))
	for i := range out.Cols {
		for k, b := range blocks {
			parts[k] = b.Cols[i]
		}
		out.Cols[i] = joined(parts, n)
	}
	return out
}

// joined is n values of all parts in one; those that are all the same stay one.
func joined(parts []column.Vector, n int) column.Vector {
	first, same := parts[0].(*column.Const)
	for _, p := range parts[1:] {
		if !same {
			break
		}
		c, ok := p.(*column.Const)
		same = ok && column.Compare(first.Value, 0, c.Value, 0) == 0
	}
	if same {
		return &column.Const{Value: first.Value, N: n}
	}
	return column.Concat(parts...)
}
