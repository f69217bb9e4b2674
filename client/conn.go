package client

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"io"
	"net"
	"os"
	"os/user"
	"sync"
	"time"

	"github.com/olapd/olapd/internal/compress"
	"github.com/olapd/olapd/internal/protocol"
	"github.com/olapd/olapd/internal/sqlerr"
)

// Times of a connection.
const (
	dialTimeout = 10 * time.Second
	// sideTimeout bounds the small queries beside the user's own: names for completion.
	sideTimeout = 2 * time.Second
)

// readAhead is how many packets are decoded before they are asked for: the next blocks while one is printed.
const readAhead = 4

// conn is one connection: a session on the server. One goroutine asks and takes the answers; cancel and close may be called from
// others meanwhile.
type conn struct {
	net      net.Conn
	server   protocol.Server
	revision int
	packets  chan packet // read by readPackets; the last has kind broken
	closed   chan struct{}
	end      sync.Once
	reading  sync.WaitGroup
	writing  sync.Mutex // a packet is never inside of another
	enc      protocol.Encoder
}

// packet is what the server sends. Fields that its kind does not have are zero.
type packet struct {
	kind     protocol.ServerPacket
	data     protocol.Data
	progress protocol.Progress
	profile  protocol.Profile
	text     string // of TableColumns
	err      error  // of Exception, and of broken
}

// broken is the kind of the packet that stands for the end of the connection.
const broken protocol.ServerPacket = 1 << 20

// dial connects and says hello. Errors are the server's, or have the code NetworkError.
func dial(ctx context.Context, o *options, database string) (*conn, error) {
	ctx, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	var nc net.Conn
	var err error
	if !o.secure {
		nc, err = (&net.Dialer{}).DialContext(ctx, "tcp", o.address())
	} else {
		config, configErr := o.tls()
		if configErr != nil {
			return nil, configErr
		}
		nc, err = (&tls.Dialer{Config: config}).DialContext(ctx, "tcp", o.address())
	}
	if err != nil {
		return nil, sqlerr.Wrap(err, sqlerr.NetworkError, "Cannot talk to %s", o.address())
	}
	c := &conn{net: nc, packets: make(chan packet, readAhead), closed: make(chan struct{})}
	c.enc.Compress, c.enc.Codec = o.compressed(), compress.LZ4
	deadline, _ := ctx.Deadline()
	r := protocol.NewReader(nc)
	if err = nc.SetDeadline(deadline); err == nil {
		err = c.hello(r, o, database)
	}
	if err == nil {
		err = nc.SetDeadline(time.Time{})
	}
	if err != nil {
		_ = nc.Close() // the first error counts
		return nil, c.lost(err, o.address())
	}
	c.reading.Go(func() { c.readPackets(r) })
	return c, nil
}

// tls is how the server's certificate is verified.
func (o *options) tls() (*tls.Config, error) {
	config := &tls.Config{InsecureSkipVerify: o.insecure, MinVersion: tls.VersionTLS12}
	if o.authority == "" {
		return config, nil
	}
	b, err := os.ReadFile(o.authority)
	if err != nil {
		return nil, sqlerr.Wrap(err, sqlerr.CannotOpenFile, "Cannot read the certificates of authorities")
	}
	config.RootCAs = x509.NewCertPool()
	if !config.RootCAs.AppendCertsFromPEM(b) {
		return nil, sqlerr.New(sqlerr.BadArguments, "There is no certificate in %s", o.authority)
	}
	return config, nil
}

// hello says who we are. The lower of both revisions holds from then on.
func (c *conn) hello(r *protocol.Reader, o *options, database string) error {
	_, err := c.net.Write(protocol.AppendClient(nil, protocol.Client{
		Name: clientName, Major: versionMajor, Minor: versionMinor, Revision: protocol.Revision, Database: database, User: o.user, Password: o.password,
	}))
	if err != nil {
		return err
	}
	switch kind := protocol.ServerPacket(r.Uvarint()); {
	case r.Err() != nil:
		return r.Err()
	case kind == protocol.ServerException:
		e, err := r.ReadException()
		if err != nil {
			return err
		}
		return serverError(e)
	case kind == 'H':
		return sqlerr.New(sqlerr.NetworkError, "A server of HTTP is there, not of the native protocol, whose port is 9000 by default")
	case kind != protocol.ServerHello:
		return unexpected(kind)
	}
	if c.server, err = r.ReadServer(protocol.Revision); err != nil {
		return err
	}
	c.revision = min(protocol.Revision, c.server.Revision)
	c.enc.Revision = c.revision
	if protocol.HasAddendum(c.revision) {
		_, err = c.net.Write([]byte{0}) // the quota key
	}
	return err
}

// How the client introduces itself; the version is that of the first clients with its revision.
const (
	clientName   = "olapd client"
	versionMajor = 23
	versionMinor = 3
)

func unexpected(kind protocol.ServerPacket) error {
	return sqlerr.New(sqlerr.UnknownPacketFromServer, "Unexpected packet %d from the server", kind)
}

// lost is the error of a connection that ends before its time.
func (c *conn) lost(err error, where string) error {
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

// readPackets reads until the connection ends. It is the only one that writes to packets.
func (c *conn) readPackets(r *protocol.Reader) {
	for {
		p := c.readPacket(r)
		if p.err != nil && p.kind != protocol.ServerException {
			p = packet{kind: broken, err: c.lost(p.err, c.net.RemoteAddr().String())}
		}
		select {
		case c.packets <- p:
		case <-c.closed:
			return
		}
		if p.kind == broken {
			return
		}
	}
}

func (c *conn) readPacket(r *protocol.Reader) packet {
	if err := r.Wait(); err != nil {
		return packet{err: err}
	}
	p := packet{kind: protocol.ServerPacket(r.Uvarint())}
	switch p.kind {
	case protocol.ServerData, protocol.ServerTotals, protocol.ServerExtremes:
		p.data, p.err = r.ReadData(c.revision, c.enc.Compress)
	case protocol.ServerLog, protocol.ServerProfileEvents:
		p.data, p.err = r.ReadData(c.revision, false)
	case protocol.ServerException:
		e, err := r.ReadException()
		if err != nil {
			return packet{err: err}
		}
		p.err = serverError(e)
	case protocol.ServerProgress:
		p.progress, p.err = r.ReadProgress(c.revision)
	case protocol.ServerProfileInfo:
		p.profile, p.err = r.ReadProfile()
	case protocol.ServerTableColumns:
		_, p.text, p.err = r.ReadTableColumns()
	case protocol.ServerTimezoneUpdate:
		p.text = r.Name()
	case protocol.ServerPong, protocol.ServerEndOfStream:
	default:
		p.err = unexpected(p.kind) // what is in it is not known, so the rest cannot be read
	}
	if p.err == nil {
		p.err = r.Err()
	}
	return p
}

// send writes whole packets.
func (c *conn) send(b []byte) error {
	c.writing.Lock()
	defer c.writing.Unlock()
	if _, err := c.net.Write(b); err != nil {
		return c.lost(err, c.net.RemoteAddr().String())
	}
	return nil
}

// question is one statement for the server.
type question struct {
	id         string
	text       string
	settings   []protocol.Setting
	parameters []protocol.Setting
	tables     []protocol.Data
}

// ask sends a statement with the tables that come along.
func (c *conn) ask(q question) error {
	switch {
	case len(q.settings) > 0 && !protocol.HasTextSettings(c.revision):
		return sqlerr.New(sqlerr.NotImplemented, "Settings cannot be told to a server as old as revision %d of the protocol", c.revision)
	case len(q.parameters) > 0 && !protocol.HasParameters(c.revision):
		return sqlerr.New(sqlerr.NotImplemented, "Values of parameters cannot be told to a server as old as revision %d of the protocol", c.revision)
	}
	b := protocol.AppendQuery(nil, protocol.Query{
		ID: q.id, Info: clientInfo(), Settings: q.settings, Stage: protocol.StageComplete, Compression: c.enc.Compress, Text: q.text, Parameters: q.parameters,
	}, c.revision)
	for _, d := range append(q.tables, protocol.EndOfData()) {
		var err error
		if b, err = c.enc.AppendData(b, uint64(protocol.ClientData), d); err != nil {
			return err
		}
	}
	return c.send(b)
}

// clientInfo is where a query comes from.
func clientInfo() protocol.ClientInfo {
	i := protocol.ClientInfo{
		Kind: 1, InitialAddress: "0.0.0.0:0", Interface: protocol.InterfaceTCP, Name: clientName, Major: versionMajor, Minor: versionMinor,
		Revision: protocol.Revision, InitialMicros: time.Now().UnixMicro(),
	}
	i.Host, _ = os.Hostname() // a machine without a name has none
	if u, err := user.Current(); err == nil {
		i.OSUser = u.Username
	}
	return i
}

// cancel asks the server to end the query that runs.
func (c *conn) cancel() error { return c.send([]byte{byte(protocol.ClientCancel)}) }

// close ends the connection; calling it again does nothing.
func (c *conn) close() {
	c.end.Do(func() {
		close(c.closed)
		_ = c.net.Close() // nothing is left to be sent
	})
	c.reading.Wait()
}

// usable reports whether the connection, on which no query runs, still stands.
func (c *conn) usable() bool {
	for {
		select {
		case p := <-c.packets:
			if p.kind == broken {
				return false
			}
		case <-c.closed:
			return false
		default:
			return true
		}
	}
}

// randomID is a query's name that no one else has.
func randomID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails, by its contract
	h := hex.EncodeToString(b[:])
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}
