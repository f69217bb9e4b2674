package remote

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/compress"
	"github.com/olapd/olapd/internal/protocol"
	"github.com/olapd/olapd/internal/protocol/dial"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/query/ast"
)

// Sink sends rows to a server, as one INSERT. For one goroutine; Close or Abort is called once.
type Sink struct {
	ctx  context.Context
	c    *conn
	enc  protocol.Encoder
	want column.Schema
}

// Insertable are the columns that rows are written to.
func (t *Table) Insertable() column.Schema { return t.schema[:len(t.schema)-t.hidden] }

// Create starts an INSERT of all columns that can be written. NotImplemented if rows would have to be spread over several servers.
func (t *Table) Create(ctx context.Context) (*Sink, error) {
	if len(t.servers) != 1 {
		return nil, sqlerr.New(sqlerr.NotImplemented, "INSERT over %d servers is not implemented: name one", len(t.servers))
	}
	c, err := t.connect(ctx, t.servers[0])
	if err != nil {
		return nil, err
	}
	s := &Sink{ctx: ctx, c: c, want: t.Insertable(), enc: protocol.Encoder{Revision: c.Revision, Compress: true, Codec: compress.LZ4}}
	var names []string
	for _, f := range s.want {
		names = append(names, ast.QuoteIdent(f.Name))
	}
	if err := c.ask("INSERT INTO " + t.name() + " (" + strings.Join(names, ", ") + ") VALUES"); err != nil {
		return nil, errors.Join(err, s.Abort())
	}
	header, err := c.header(ctx)
	if err == nil && !slices.EqualFunc(header, s.want, func(a, b column.Field) bool { return a.Name == b.Name && a.Type.Equal(b.Type) }) {
		err = sqlerr.New(sqlerr.IncorrectData, "%s asks for other columns than those of %s", c.address, t.name())
	}
	if err != nil {
		return nil, errors.Join(err, s.Abort())
	}
	return s, nil
}

// header waits until the server asks for rows, of these columns.
func (c *conn) header(ctx context.Context) (column.Schema, error) {
	for {
		p, err := c.packet(ctx)
		switch {
		case err != nil:
			return nil, err
		case p.Kind == protocol.ServerData:
			return p.Data.Schema, nil
		case p.Kind == protocol.ServerEndOfStream:
			c.asked = false
			return nil, sqlerr.New(sqlerr.IncorrectData, "%s takes no rows", c.address)
		}
	}
}

// Write sends rows.
func (s *Sink) Write(b *column.Block) error {
	return s.send(protocol.Data{Schema: s.want, Block: b.Flatten()})
}

func (s *Sink) send(d protocol.Data) error {
	packet, err := s.enc.AppendData(nil, uint64(protocol.ClientData), d)
	if err != nil {
		return err
	}
	if _, err = s.c.Write(packet); err == nil {
		return nil
	}
	if s.ctx.Err() != nil {
		return context.Cause(s.ctx)
	}
	return dial.Lost(err, s.c.address)
}

// Close ends the rows and waits until the server has them. If the connection is lost meanwhile, it is not known whether it has: UnknownStatusOfInsert.
func (s *Sink) Close() error {
	defer s.c.close()
	if err := s.send(protocol.EndOfData()); err != nil {
		return err
	}
	_, err := s.c.next(s.ctx)
	if sqlerr.Is(err, sqlerr.NetworkError) {
		return sqlerr.Wrap(err, sqlerr.UnknownStatusOfInsert, "It is not known whether the rows were written")
	}
	return err
}

// Abort ends the INSERT without its end: olapd drops what has come, ClickHouse may have written blocks of it.
func (s *Sink) Abort() error {
	s.c.close()
	return nil
}
