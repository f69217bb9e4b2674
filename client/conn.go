package client

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"os"
	"os/user"
	"sync"
	"time"

	"github.com/olapd/olapd/internal/compress"
	"github.com/olapd/olapd/internal/protocol"
	"github.com/olapd/olapd/internal/protocol/dial"
	"github.com/olapd/olapd/internal/sqlerr"
)

// sideTimeout bounds the small queries beside the user's own: names for completion.
const sideTimeout = 2 * time.Second

// readAhead is how many packets are decoded before they are asked for: the next blocks while one is printed.
const readAhead = 4

// conn is one connection: a session on the server. One goroutine asks and takes the answers; cancel and close may be called from
// others meanwhile.
type conn struct {
	net      *dial.Conn
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

// connect connects and says hello. Errors are the server's, or have the code NetworkError.
func connect(ctx context.Context, o *options, database string) (*conn, error) {
	to := dial.Options{Address: o.address(), Name: clientName, User: o.user, Password: o.password, Database: database}
	if o.secure {
		var err error
		if to.TLS, err = o.tls(); err != nil {
			return nil, err
		}
	}
	nc, err := dial.Dial(ctx, to)
	if err != nil {
		return nil, err
	}
	c := &conn{net: nc, server: nc.Server, revision: nc.Revision, packets: make(chan packet, readAhead), closed: make(chan struct{})}
	c.enc = protocol.Encoder{Revision: nc.Revision, Compress: o.compressed(), Codec: compress.LZ4}
	c.reading.Go(c.readPackets)
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

// clientName is how the client introduces itself.
const clientName = "olapd client"

// readPackets reads until the connection ends. It is the only one that writes to packets.
func (c *conn) readPackets() {
	for {
		p := c.readPacket()
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

func (c *conn) readPacket() packet {
	p := c.net.Packet(c.enc.Compress)
	if p.Err != nil && p.Kind != protocol.ServerException {
		return packet{kind: broken, err: c.lost(p.Err)}
	}
	return packet{kind: p.Kind, data: p.Data, progress: p.Progress, profile: p.Profile, text: p.Text, err: p.Err}
}

// lost is the error of a connection that ends before its time.
func (c *conn) lost(err error) error { return dial.Lost(err, c.net.RemoteAddr().String()) }

// send writes whole packets.
func (c *conn) send(b []byte) error {
	c.writing.Lock()
	defer c.writing.Unlock()
	if _, err := c.net.Write(b); err != nil {
		return c.lost(err)
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
		Kind: 1, InitialAddress: "0.0.0.0:0", Interface: protocol.InterfaceTCP, Name: clientName, Major: dial.Major, Minor: dial.Minor,
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
