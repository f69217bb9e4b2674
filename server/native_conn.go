package server

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/olapd/olapd/internal/access"
	"github.com/olapd/olapd/internal/protocol"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/query"
	"github.com/olapd/olapd/query/ast"
)

// nativeConn is one client of the native protocol. One goroutine reads and executes; others send progress (send) and watch for
// Cancel while a query runs (watch).
type nativeConn struct {
	s        *Server
	net      net.Conn
	in       *timedReader
	r        *protocol.Reader
	revision int
	client   protocol.Client
	session  *query.Session

	// compressed is how the last query's blocks travel, and dropping that more of its rows may come, which nobody wants.
	compressed, dropping bool

	out struct {
		sync.Mutex
		buf []byte
		enc protocol.Encoder
	}
}

func newNativeConn(s *Server, conn net.Conn) *nativeConn {
	c := &nativeConn{s: s, net: conn, in: &timedReader{conn: conn, now: s.cfg.Clock.Now}}
	c.r = protocol.NewReader(c.in)
	return c
}

// timedReader reads with deadlines, and can be interrupted from another goroutine.
type timedReader struct {
	conn    net.Conn
	now     func() time.Time
	timeout atomic.Int64 // nanoseconds of each read; 0: the deadline that was set holds
	cut     atomic.Bool
}

// past is a deadline that ends a read at once.
var past = time.Unix(1, 0)

// Read implements io.Reader.
func (t *timedReader) Read(p []byte) (int, error) {
	if d := time.Duration(t.timeout.Load()); d > 0 {
		t.set(t.now().Add(d))
	}
	if t.cut.Load() {
		t.set(past)
	}
	return t.conn.Read(p)
}

func (t *timedReader) set(at time.Time) {
	_ = t.conn.SetReadDeadline(at) // fails on a closed connection only, whose reads fail too
}

// each gives every read so long.
func (t *timedReader) each(d time.Duration) { t.timeout.Store(int64(d)) }

// deadline gives all reads together so long; 0 is for ever.
func (t *timedReader) deadline(d time.Duration) {
	t.each(0)
	if d == 0 {
		t.set(time.Time{})
		return
	}
	t.set(t.now().Add(d))
}

// interrupt ends a read that waits, and those to come, until resume.
func (t *timedReader) interrupt() {
	t.cut.Store(true)
	t.set(past)
}

func (t *timedReader) resume() {
	t.cut.Store(false)
	t.set(time.Time{})
}

// gone reports whether an error means that nobody listens any more.
func (c *nativeConn) gone(err error) bool {
	var opErr *net.OpError
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, net.ErrClosed) ||
		errors.As(err, &opErr) && !opErr.Timeout()
}

// hello makes a session for a client that says who it is.
func (c *nativeConn) hello() error {
	c.in.deadline(helloTimeout)
	if err := c.r.Wait(); err != nil {
		return err
	}
	client, err := c.r.ReadClient()
	if err != nil {
		return err
	}
	if client.Revision < protocol.Oldest {
		return sqlerr.New(sqlerr.NotImplemented, "Revision %d of the protocol is not supported; the oldest that is, is %d", client.Revision, protocol.Oldest)
	}
	c.client, c.revision = client, min(client.Revision, protocol.Revision)
	if c.client.User == "" {
		c.client.User = "default"
	}
	login := access.Login{User: c.client.User, Password: client.Password, Given: client.Password != "", Address: c.net.RemoteAddr().String()}
	if c.client.User, err = c.s.cfg.Engine.Authenticate(context.Background(), login); err != nil {
		return err
	}
	if err := c.open(); err != nil {
		return err
	}
	if err := c.send(func(b []byte) []byte { return protocol.AppendServer(b, c.s.nativeHello(), c.revision) }); err != nil {
		return err
	}
	if protocol.HasAddendum(c.revision) {
		c.r.Name() // the quota key
	}
	return c.r.Err()
}

// secure reports whether the client came over TLS.
func (c *nativeConn) secure() bool {
	_, ok := c.net.(*tls.Conn)
	return ok
}

// open begins the session, in the database the client asks for.
func (c *nativeConn) open() error {
	sess, err := c.s.cfg.Engine.NewSession(query.SessionOptions{
		User:   c.client.User,
		Client: query.Client{Address: c.net.RemoteAddr().String(), Interface: "TCP", Name: c.client.Name, Secure: c.secure()},
	})
	if err != nil || c.client.Database == "" || c.client.Database == sess.Database() {
		c.session = sess
		return err
	}
	res, err := sess.Execute(c.s.natives.ctx, query.Query{Text: "USE " + ast.QuoteIdent(c.client.Database)})
	if err != nil {
		return err
	}
	res.Close()
	c.session = sess
	return nil
}

// nativeHello tells who we are: a ClickHouse by its version, which is what clients decide by, and olapd by the display name.
func (s *Server) nativeHello() protocol.Server {
	var v [3]int
	for i, text := range strings.SplitN(s.cfg.Version, ".", 4)[:min(3, strings.Count(s.cfg.Version, ".")+1)] {
		v[i], _ = strconv.Atoi(text) // a version of tests may be anything
	}
	return protocol.Server{
		Name: "ClickHouse", Major: v[0], Minor: v[1], Patch: v[2], Revision: protocol.Revision,
		Zone: s.cfg.Zone.String(), DisplayName: s.cfg.DisplayName,
	}
}

// send appends a packet and sends everything so far.
func (c *nativeConn) send(appendTo func([]byte) []byte) error {
	c.out.Lock()
	defer c.out.Unlock()
	c.out.buf = appendTo(c.out.buf)
	return c.flushLocked()
}

// keepOut is how much memory a connection keeps for what it sends.
const keepOut = 256 << 10

// flushLocked sends what was appended. REQUIRES: c.out.
func (c *nativeConn) flushLocked() error {
	if len(c.out.buf) == 0 {
		return nil
	}
	if err := c.net.SetWriteDeadline(c.s.cfg.Clock.Now().Add(sendTimeout)); err != nil {
		return err
	}
	_, err := c.net.Write(c.out.buf)
	if c.out.buf = c.out.buf[:0]; cap(c.out.buf) > keepOut {
		c.out.buf = nil
	}
	return err
}

// refuse tells an error that the client can see; it is the last packet, or the answer to a query.
func (c *nativeConn) refuse(err error) {
	_ = c.sendException(err) // a client that does not take it has gone
}

func (c *nativeConn) sendException(err error) error {
	var late net.Error
	if errors.As(err, &late) && late.Timeout() || errors.Is(err, os.ErrDeadlineExceeded) {
		err = sqlerr.Wrap(err, sqlerr.SocketTimeout, "Timeout exceeded while receiving data from client")
	}
	code := sqlerr.CodeOf(err)
	e := &protocol.Exception{Code: int32(code), Name: "DB::Exception", Text: "DB::Exception: " + err.Error()}
	return c.send(func(b []byte) []byte { return protocol.AppendException(b, e) })
}

// watch reads while a query runs: what comes is Cancel, or the end of the connection, and both end the query. The returned
// function ends the watch, after which the caller reads again; calling it twice does nothing.
func (c *nativeConn) watch(end context.CancelCauseFunc) func() {
	c.in.deadline(0)
	done := make(chan struct{})
	go func() {
		defer close(done)
		err := c.r.Wait()
		switch {
		case err == nil && c.r.TakeCancel():
			end(errCancelled)
		case err != nil && !c.in.cut.Load():
			end(sqlerr.Wrap(err, sqlerr.NetworkError, "The client has gone"))
		}
	}()
	var once sync.Once
	return func() {
		once.Do(func() {
			c.in.interrupt()
			<-done
			c.in.resume()
			c.in.each(receiveTimeout)
		})
	}
}

// errCancelled is the client's own wish.
var errCancelled = sqlerr.New(sqlerr.QueryWasCancelled, "Query was cancelled by the client")
