// Package dial opens connections of ClickHouse's native protocol to a server and reads its packets, for the SQL client and for the table
// function remote.
package dial

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"time"

	"github.com/olapd/olapd/internal/protocol"
	"github.com/olapd/olapd/internal/sqlerr"
)

// Timeout bounds connecting and saying hello.
const Timeout = 10 * time.Second

// Options say where a server is and who asks.
type Options struct {
	Address                  string      // host:port
	TLS                      *tls.Config // nil: without TLS
	Name                     string      // how the client calls itself
	User, Password, Database string
}

// The version that clients introduce themselves with is that of the first with their revision.
const (
	Major = 23
	Minor = 3
)

// Conn is a connection that has said hello. One goroutine at a time reads.
type Conn struct {
	net.Conn
	Server   protocol.Server
	Revision int // the lower of both sides'
	r        *protocol.Reader
}

// Dial connects and says hello. Errors are the server's, or have the code NetworkError.
func Dial(ctx context.Context, o Options) (*Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, Timeout)
	defer cancel()
	var nc net.Conn
	var err error
	if o.TLS == nil {
		nc, err = (&net.Dialer{}).DialContext(ctx, "tcp", o.Address)
	} else {
		nc, err = (&tls.Dialer{Config: o.TLS}).DialContext(ctx, "tcp", o.Address)
	}
	if err != nil {
		return nil, sqlerr.Wrap(err, sqlerr.NetworkError, "Cannot talk to %s", o.Address)
	}
	c := &Conn{Conn: nc, r: protocol.NewReader(nc)}
	deadline, _ := ctx.Deadline()
	if err = nc.SetDeadline(deadline); err == nil {
		defer context.AfterFunc(ctx, func() { _ = nc.SetDeadline(time.Now()) })() // the query has ended
		err = c.hello(o)
	}
	if err == nil {
		err = nc.SetDeadline(time.Time{})
	}
	if err != nil {
		_ = nc.Close() // the first error counts
		return nil, Lost(err, o.Address)
	}
	return c, nil
}

// hello says who asks. The lower of both revisions holds from then on.
func (c *Conn) hello(o Options) error {
	_, err := c.Write(protocol.AppendClient(nil, protocol.Client{
		Name: o.Name, Major: Major, Minor: Minor, Revision: protocol.Revision, Database: o.Database, User: o.User, Password: o.Password,
	}))
	if err != nil {
		return err
	}
	switch kind := protocol.ServerPacket(c.r.Uvarint()); {
	case c.r.Err() != nil:
		return c.r.Err()
	case kind == protocol.ServerException:
		e, err := c.r.ReadException()
		if err != nil {
			return err
		}
		return serverError(e)
	case kind == 'H':
		return sqlerr.New(sqlerr.NetworkError, "A server of HTTP is there, not of the native protocol, whose port is 9000 by default")
	case kind != protocol.ServerHello:
		return unexpected(kind)
	}
	if c.Server, err = c.r.ReadServer(protocol.Revision); err != nil {
		return err
	}
	c.Revision = min(protocol.Revision, c.Server.Revision)
	if protocol.HasAddendum(c.Revision) {
		_, err = c.Write([]byte{0}) // the quota key
	}
	return err
}

func unexpected(kind protocol.ServerPacket) error {
	return sqlerr.New(sqlerr.UnknownPacketFromServer, "Unexpected packet %d from the server", kind)
}

// Lost is the error of a connection that ends before its time.
func Lost(err error, where string) error {
	var known *sqlerr.Error
	switch {
	case errors.As(err, &known):
		return err
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return sqlerr.New(sqlerr.NetworkError, "%s has closed the connection; what came of an answer is incomplete", where)
	case errors.Is(err, os.ErrDeadlineExceeded):
		return sqlerr.New(sqlerr.NetworkError, "%s does not answer; is it the port of the native protocol, by default 9000, or 9440 with --secure?", where)
	}
	return sqlerr.Wrap(err, sqlerr.NetworkError, "The connection with %s is lost", where)
}

// serverError is an error as the server told it. The one outside says what happened, those inside why.
func serverError(e *protocol.Exception) error {
	text := strings.TrimPrefix(e.Text, "DB::Exception: ")
	return &sqlerr.Error{Code: sqlerr.Code(e.Code), Msg: text, Pos: -1}
}

// Packet is what the server sends. Fields that its kind does not have are zero.
type Packet struct {
	Kind     protocol.ServerPacket
	Data     protocol.Data
	Progress protocol.Progress
	Profile  protocol.Profile
	Text     string // of TableColumns
	Err      error  // of Exception; of any other kind: the connection is of no more use
}

// Packet reads the next packet. compressed says whether blocks are.
func (c *Conn) Packet(compressed bool) Packet {
	if err := c.r.Wait(); err != nil {
		return Packet{Err: err}
	}
	p := Packet{Kind: protocol.ServerPacket(c.r.Uvarint())}
	switch p.Kind {
	case protocol.ServerData, protocol.ServerTotals, protocol.ServerExtremes:
		p.Data, p.Err = c.r.ReadData(c.Revision, compressed)
	case protocol.ServerLog, protocol.ServerProfileEvents:
		p.Data, p.Err = c.r.ReadData(c.Revision, false)
	case protocol.ServerException:
		e, err := c.r.ReadException()
		if err != nil {
			return Packet{Err: err}
		}
		p.Err = serverError(e)
	case protocol.ServerProgress:
		p.Progress, p.Err = c.r.ReadProgress(c.Revision)
	case protocol.ServerProfileInfo:
		p.Profile, p.Err = c.r.ReadProfile()
	case protocol.ServerTableColumns:
		_, p.Text, p.Err = c.r.ReadTableColumns()
	case protocol.ServerTimezoneUpdate:
		p.Text = c.r.Name()
	case protocol.ServerPong, protocol.ServerEndOfStream:
	default:
		p.Err = unexpected(p.Kind) // what is in it is not known, so the rest cannot be read
	}
	if p.Err == nil {
		p.Err = c.r.Err()
	}
	return p
}
