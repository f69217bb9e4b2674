package server

import (
	"context"
	"errors"
	"net"
	"sync"
	"time"

	"github.com/olapd/olapd/internal/protocol"
	"github.com/olapd/olapd/internal/sqlerr"
)

// Times of the native protocol, those of ClickHouse.
const (
	helloTimeout   = 10 * time.Second  // until a client has said who it is
	receiveTimeout = 300 * time.Second // for the next bytes of a packet, or of an INSERT's rows
	sendTimeout    = 300 * time.Second // for a client to take what is sent
	idleConnection = time.Hour         // between two queries
)

// natives are the open connections of the native protocol.
type natives struct {
	// ctx is of all queries; stop ends them.
	ctx  context.Context
	stop context.CancelFunc
	mu   struct {
		sync.Mutex
		closing bool
		open    map[*nativeConn]bool // true: a query runs
	}
}

func newNatives() *natives {
	n := &natives{}
	n.ctx, n.stop = context.WithCancel(context.Background())
	n.mu.open = map[*nativeConn]bool{}
	return n
}

// enter adds a connection; false: the server closes.
func (n *natives) enter(c *nativeConn) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	if !n.mu.closing {
		n.mu.open[c] = false
	}
	return !n.mu.closing
}

// busy says whether a query runs on a connection; false: the server closes, so none may begin.
func (n *natives) busy(c *nativeConn, running bool) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.mu.closing {
		return false
	}
	n.mu.open[c] = running
	return true
}

func (n *natives) leave(c *nativeConn) {
	n.mu.Lock()
	defer n.mu.Unlock()
	delete(n.mu.open, c)
}

// close ends connections without a query. Queries that run end their connections.
func (n *natives) close() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.mu.closing = true
	for c, running := range n.mu.open {
		if !running {
			_ = c.net.Close() // the reader of it notices
		}
	}
}

// cut ends all that still runs.
func (n *natives) cut() {
	n.stop()
	n.mu.Lock()
	defer n.mu.Unlock()
	for c := range n.mu.open {
		_ = c.net.Close() // as above
	}
}

// ServeNative answers clients of the native protocol on l in the background until Close. It takes l over.
func (s *Server) ServeNative(l net.Listener) {
	s.mu.Lock()
	s.mu.listeners = append(s.mu.listeners, l)
	s.mu.Unlock()
	s.done.Add(1)
	go func() {
		defer s.done.Done()
		for {
			c, err := l.Accept()
			if errors.Is(err, net.ErrClosed) {
				return
			}
			if err != nil { // of one connection, or for want of file descriptors
				s.cfg.Logger.Warn("native listener", "address", l.Addr().String(), "error", err)
				if s.cfg.Clock.Sleep(s.natives.ctx, acceptPause) != nil {
					return
				}
				continue
			}
			s.done.Add(1)
			go func() {
				defer s.done.Done()
				s.serveNative(c)
			}()
		}
	}()
}

// acceptPause is the wait after a failed accept, which may go on failing for a while.
const acceptPause = 50 * time.Millisecond

func (s *Server) serveNative(conn net.Conn) {
	c := newNativeConn(s, conn)
	defer conn.Close()
	if !s.natives.enter(c) {
		return
	}
	defer s.natives.leave(c)
	err := c.hello()
	if err == nil {
		err = c.serve()
	}
	if err == nil || c.gone(err) {
		return
	}
	s.cfg.Logger.Debug("native connection ends", "client", conn.RemoteAddr().String(), "error", err)
	c.refuse(err)
}

// serve answers packets until the client leaves.
func (c *nativeConn) serve() error {
	for {
		c.in.deadline(idleConnection)
		err := c.r.Wait()
		switch {
		case err != nil:
			return err
		case !c.s.natives.busy(c, true):
			return nil
		}
		c.in.each(receiveTimeout)
		if err := c.packet(); err != nil {
			return err
		}
		if !c.s.natives.busy(c, false) {
			return nil
		}
	}
}

// packet answers one packet. Its errors end the connection: what a query does wrong is told and forgotten.
func (c *nativeConn) packet() error {
	kind := protocol.ClientPacket(c.r.Uvarint())
	if err := c.r.Err(); err != nil {
		return err
	}
	switch kind {
	case protocol.ClientQuery:
		return c.query()
	case protocol.ClientPing:
		return c.send(func(b []byte) []byte { return append(b, byte(protocol.ServerPong)) })
	case protocol.ClientTablesStatus:
		return c.tablesStatus()
	case protocol.ClientData, protocol.ClientScalar:
		return c.leftOver()
	case protocol.ClientCancel, protocol.ClientKeepAlive:
		return nil // of a query that has ended meanwhile
	}
	return unexpectedPacket(kind)
}

func unexpectedPacket(kind protocol.ClientPacket) error {
	if kind > protocol.ClientIgnoredParts {
		return sqlerr.New(sqlerr.UnknownPacketFromClient, "Unknown packet %d from client", kind)
	}
	return sqlerr.New(sqlerr.UnexpectedPacketFromClient, "Unexpected packet %d received from client", kind)
}

// leftOver drops rows of an INSERT that failed before all of them had come.
func (c *nativeConn) leftOver() error {
	d, err := c.r.ReadData(c.revision, c.compressed)
	switch {
	case err != nil:
		return err
	case !c.dropping:
		return unexpectedPacket(protocol.ClientData)
	}
	c.dropping = !d.Empty()
	return nil
}

func (c *nativeConn) tablesStatus() error {
	tables, err := c.r.ReadTables()
	if err != nil {
		return err
	}
	known := tables[:0]
	for _, t := range tables {
		if c.s.cfg.Engine.HasTable(t.Database, t.Table) {
			known = append(known, t)
		}
	}
	return c.send(func(b []byte) []byte { return protocol.AppendTables(b, known) })
}
