package remote

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"strings"
	"time"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/compress"
	"github.com/olapd/olapd/internal/protocol"
	"github.com/olapd/olapd/internal/protocol/dial"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/internal/types"
	"github.com/olapd/olapd/query/ast"
)

// receiveTimeout is how long a server may be silent: ClickHouse's receive_timeout.
const receiveTimeout = 5 * time.Minute

// Request is a call.
type Request struct {
	Addresses       string
	Database, Table string
	User, Password  string
	Secure          bool
}

// Table is a table of other servers.
type Table struct {
	q       Request
	servers [][]string
	schema  column.Schema
	hidden  int
}

// Open asks the first server that can be reached for the columns. UnacceptableURL, NoRemoteShardAvailable, and errors of the server.
func Open(ctx context.Context, r *Reach, q Request) (*Table, error) {
	list, err := servers(q.Addresses, q.Secure)
	if err != nil {
		return nil, err
	}
	for _, same := range list {
		for _, a := range same {
			if err := r.Allows(a); err != nil {
				return nil, err
			}
		}
	}
	t := &Table{q: q, servers: list}
	for _, same := range list {
		c, cerr := t.connect(ctx, same)
		if cerr != nil {
			err = cerr
			if ctx.Err() != nil || !sqlerr.Is(cerr, sqlerr.AllConnectionTriesFailed) {
				return nil, cerr
			}
			continue
		}
		return t, t.describe(ctx, c)
	}
	return nil, sqlerr.Wrap(err, sqlerr.NoRemoteShardAvailable, "All attempts to get table structure failed")
}

// Schema are the columns: those that an asterisk shows, then the others.
func (t *Table) Schema() column.Schema { return t.schema }

// Hidden is how many columns at the end an asterisk leaves out.
func (t *Table) Hidden() int { return t.hidden }

// name is the table as a query names it.
func (t *Table) name() string {
	if t.q.Database == "" {
		return ast.QuoteIdent(t.q.Table)
	}
	return ast.QuoteIdent(t.q.Database) + "." + ast.QuoteIdent(t.q.Table)
}

// describe reads the columns; it ends the connection.
func (t *Table) describe(ctx context.Context, c *conn) (err error) {
	defer c.close()
	if err := c.ask("DESCRIBE TABLE " + t.name()); err != nil {
		return err
	}
	var later column.Schema
	for {
		d, err := c.next(ctx)
		if err != nil {
			return err
		}
		if d == nil {
			break
		}
		name, kind, how := d.Schema.Index("name"), d.Schema.Index("type"), d.Schema.Index("default_type")
		if name < 0 || kind < 0 || how < 0 {
			return sqlerr.New(sqlerr.IncorrectData, "%s does not describe the columns of %s", c.address, t.name())
		}
		for i := range d.Block.N {
			if len(t.schema)+len(later) == maxColumns {
				return sqlerr.New(sqlerr.TooManyColumns, "Table %s of %s has more than %d columns", t.name(), c.address, maxColumns)
			}
			text := func(at int) string {
				s, _ := column.Value(d.Block.Cols[at], i).(string)
				return s
			}
			typ, err := types.Parse(text(kind))
			if err != nil {
				return sqlerr.Wrap(err, sqlerr.CodeOf(err), "Column %s of %s", text(name), c.address)
			}
			f := column.Field{Name: text(name), Type: typ}
			switch text(how) {
			case "ALIAS", "MATERIALIZED":
				later = append(later, f)
			case "EPHEMERAL":
			default:
				t.schema = append(t.schema, f)
			}
		}
	}
	t.schema, t.hidden = append(t.schema, later...), len(later)
	if len(t.schema) == 0 {
		return sqlerr.New(sqlerr.IncorrectData, "%s says of %s that it has no columns", c.address, t.name())
	}
	return nil
}

// conn is a connection on which one query runs. For one goroutine.
type conn struct {
	*dial.Conn
	address string
	stop    func() bool // the query's end closes the connection no more
	asked   bool        // an answer is under way
}

// connect connects to the first of several servers with the same rows that can be reached. AllConnectionTriesFailed if none can; what a server itself
// says, such as a wrong password, as it is.
func (t *Table) connect(ctx context.Context, same []string) (*conn, error) {
	var failed error
	for _, a := range same {
		o := dial.Options{Address: a, Name: "olapd", User: t.q.User, Password: t.q.Password}
		if t.q.Secure {
			host, _, _ := net.SplitHostPort(a) // made by address
			o.TLS = &tls.Config{ServerName: host, MinVersion: tls.VersionTLS12}
		}
		nc, err := dial.Dial(ctx, o)
		if err == nil {
			c := &conn{Conn: nc, address: a}
			c.stop = context.AfterFunc(ctx, func() { _ = nc.Close() })
			return c, nil
		}
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		if !sqlerr.Is(err, sqlerr.NetworkError) {
			return nil, sqlerr.Wrap(err, sqlerr.CodeOf(err), "Received from %s", a)
		}
		failed = errors.Join(failed, err)
	}
	return nil, sqlerr.Wrap(failed, sqlerr.AllConnectionTriesFailed, "All connection tries failed")
}

// ask sends a query.
func (c *conn) ask(text string) error {
	b := protocol.AppendQuery(nil, protocol.Query{
		Stage: protocol.StageComplete, Compression: true, Text: text,
		Info: protocol.ClientInfo{Kind: 1, InitialAddress: "0.0.0.0:0", Interface: protocol.InterfaceTCP, Name: "olapd", Major: dial.Major, Minor: dial.Minor, Revision: protocol.Revision},
	}, c.Revision)
	enc := protocol.Encoder{Revision: c.Revision, Compress: true, Codec: compress.LZ4}
	b, err := enc.AppendData(b, uint64(protocol.ClientData), protocol.EndOfData())
	if err != nil {
		return err
	}
	if _, err = c.Write(b); err != nil {
		return dial.Lost(err, c.address)
	}
	c.asked = true
	return nil
}

// packet returns the next packet.
func (c *conn) packet(ctx context.Context) (*dial.Packet, error) {
	defer context.AfterFunc(ctx, func() { _ = c.SetReadDeadline(time.Now()) })() // reading ends
	err := c.SetReadDeadline(time.Now().Add(receiveTimeout))
	if err == nil {
		err = ctx.Err() // it may have ended before the deadline was set
	}
	if err != nil {
		return nil, c.failed(ctx, err)
	}
	p := c.Packet(true)
	if p.Err != nil {
		return nil, c.failed(ctx, p.Err)
	}
	return &p, nil
}

// next returns the next rows of the answer, nil behind the last.
func (c *conn) next(ctx context.Context) (*protocol.Data, error) {
	for {
		p, err := c.packet(ctx)
		if err != nil {
			return nil, err
		}
		switch p.Kind {
		case protocol.ServerEndOfStream:
			c.asked = false
			return nil, nil
		case protocol.ServerData:
			if p.Data.Block.N > 0 {
				return &p.Data, nil
			}
		}
	}
}

// failed is an error of the connection or of the server; the end of the query, if that is what closed it.
func (c *conn) failed(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	c.asked = false
	err = dial.Lost(err, c.address)
	text := strings.TrimSuffix(err.Error(), ".")
	return &sqlerr.Error{Code: sqlerr.CodeOf(err), Pos: -1, Msg: "Received from " + c.address + ": " + text}
}

// close ends the connection, and what is asked for on it.
func (c *conn) close() {
	c.stop()
	if c.asked { // the server would see the end of the connection only at its next write
		_ = c.SetWriteDeadline(time.Now().Add(time.Second))
		_, _ = c.Write([]byte{byte(protocol.ClientCancel)})
	}
	_ = c.Close()
}
