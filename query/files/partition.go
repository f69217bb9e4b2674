package files

import (
	"context"
	"errors"
	"net/url"
	"strings"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/sqlerr"
)

// partitionMark stands in a path for what INSERT … PARTITION BY divides rows by.
const partitionMark = "{_partition_id}"

// maxPartitions bounds the files that one insert writes at once, each of which has buffers.
const maxPartitions = 1000

// Partitions writes rows into one file for each value that they are divided by. One goroutine uses it, and calls Close or Abort at the end.
type Partitions struct {
	ctx    context.Context
	reach  *Reach
	q      Request
	schema column.Schema
	o      Options
	sinks  map[string]*Sink
	order  []*Sink // as they were made
}

// CreatePartitioned is Create for many files, whose path has {_partition_id} in it; none is there before rows are.
func CreatePartitioned(ctx context.Context, r *Reach, q Request, schema column.Schema, o Options) (*Partitions, error) {
	if !strings.Contains(q.Path, partitionMark) {
		return nil, sqlerr.New(sqlerr.BadArguments, "INSERT … PARTITION BY needs %s in the path of table function %s", partitionMark, q.Function)
	}
	one := q
	one.Path = strings.ReplaceAll(q.Path, partitionMark, "")
	if err := one.writable(); err != nil {
		return nil, err
	}
	return &Partitions{ctx: ctx, reach: r, q: q, schema: schema, o: o, sinks: map[string]*Sink{}}, nil
}

// Write appends the rows of a block of the schema, each to the file of its value in by, which are texts.
func (p *Partitions) Write(b *column.Block, by column.Vector) error {
	rows := map[string][]uint32{}
	var ids []string
	for i := range b.N {
		id, ok := column.Value(by, i).(string)
		if !ok {
			return sqlerr.New(sqlerr.NotImplemented, "NULL as the value of PARTITION BY is not supported")
		}
		if rows[id] == nil {
			ids = append(ids, id)
		}
		rows[id] = append(rows[id], uint32(i))
	}
	for _, id := range ids {
		s, err := p.sink(id)
		if err != nil {
			return err
		}
		part := &column.Block{N: len(rows[id])}
		for _, c := range b.Cols {
			part.Cols = append(part.Cols, column.Gather(c, rows[id]))
		}
		if err := s.Write(part); err != nil {
			return err
		}
	}
	return nil
}

// sink is the file of a value.
func (p *Partitions) sink(id string) (*Sink, error) {
	if s := p.sinks[id]; s != nil {
		return s, nil
	}
	if strings.ContainsAny(id, "*?{}\x00") { // a path that could not be read again
		return nil, sqlerr.New(sqlerr.CannotParseText, "Illegal character in partition id %q", id)
	}
	if len(p.sinks) == maxPartitions {
		return nil, sqlerr.New(sqlerr.TooManyParts, "The insert has rows of more than %d files", maxPartitions)
	}
	q, name := p.q, id
	if q.Function != "file" {
		name = strings.ReplaceAll(url.PathEscape(id), "%2F", "/")
	}
	q.Path = strings.ReplaceAll(q.Path, partitionMark, name)
	s, err := Create(p.ctx, p.reach, q, p.schema, p.o)
	if err != nil {
		return nil, err
	}
	p.sinks[id], p.order = s, append(p.order, s)
	return s, nil
}

// Close makes the rows durable, file by file; after an error those of some files may be there.
func (p *Partitions) Close() error {
	for i, s := range p.order {
		if err := s.Close(); err != nil {
			p.order = p.order[i+1:]
			return errors.Join(err, p.Abort())
		}
	}
	return nil
}

// Abort takes back what was written.
func (p *Partitions) Abort() error {
	var err error
	for _, s := range p.order {
		err = errors.Join(err, s.Abort())
	}
	return err
}
