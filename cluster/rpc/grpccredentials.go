package rpc

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/peer"
	"google.golang.org/grpc/status"
)

// Credentials is how nodes prove who they are: see package cluster/identity.
type Credentials interface {
	// Server is for accepting connections.
	Server() *tls.Config
	// Client is for connecting to a node, and refuses any other.
	Client(node string) *tls.Config
	// Peer returns the name that the certificate of the other side proves.
	Peer(s tls.ConnectionState) (string, error)
	// Stranger reports whether a connection that Server let in is of no node of the cluster. No streams are accepted from it.
	Stranger(s tls.ConnectionState) bool
}

// nodeAuth is what gRPC keeps of a connection.
type nodeAuth struct {
	credentials.CommonAuthInfo
	node string
}

// AuthType implements credentials.AuthInfo.
func (nodeAuth) AuthType() string { return "olapd" }

func authOf(conn *tls.Conn, c Credentials) (nodeAuth, error) {
	name, err := c.Peer(conn.ConnectionState())
	return nodeAuth{credentials.CommonAuthInfo{SecurityLevel: credentials.PrivacyAndIntegrity}, name}, err
}

// peerName is the name of the node whose stream a context belongs to.
func peerName(ctx context.Context) (string, error) {
	p, ok := peer.FromContext(ctx)
	if !ok {
		return "", status.Error(codes.Unauthenticated, "no peer")
	}
	auth, ok := p.AuthInfo.(nodeAuth)
	if !ok {
		return "", status.Error(codes.Unauthenticated, "no certificate")
	}
	return auth.node, nil
}

// protocol is what gRPC has of credentials beside handshakes.
type protocol struct{}

// Info implements credentials.TransportCredentials.
func (protocol) Info() credentials.ProtocolInfo {
	return credentials.ProtocolInfo{SecurityProtocol: "tls"}
}

// OverrideServerName implements credentials.TransportCredentials.
func (protocol) OverrideServerName(string) error {
	return errors.New("rpc: nodes have their own names")
}

// serverCredentials make a node's incoming connections.
type serverCredentials struct {
	protocol
	g *GRPC
}

// Clone implements credentials.TransportCredentials.
func (s *serverCredentials) Clone() credentials.TransportCredentials { return s }

// ClientHandshake implements credentials.TransportCredentials.
func (s *serverCredentials) ClientHandshake(context.Context, string, net.Conn) (net.Conn, credentials.AuthInfo, error) {
	return nil, nil, errors.New("rpc: these credentials are for accepting")
}

// ServerHandshake implements credentials.TransportCredentials. The deadline of the connection is gRPC's.
func (s *serverCredentials) ServerHandshake(raw net.Conn) (net.Conn, credentials.AuthInfo, error) {
	c := s.g.cfg.Credentials()
	conn := tls.Server(raw, c.Server())
	if err := conn.HandshakeContext(s.g.ctx); err != nil {
		return nil, nil, errors.Join(err, raw.Close())
	}
	if c.Stranger(conn.ConnectionState()) {
		return nil, nil, s.g.stranger(conn)
	}
	auth, err := authOf(conn, c)
	if err != nil {
		return nil, nil, errors.Join(err, conn.Close())
	}
	return conn, auth, nil
}

// stranger hands a connection over to those who let strangers in.
func (g *GRPC) stranger(conn *tls.Conn) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.cfg.Stranger == nil || g.mu.closed {
		return errors.Join(errors.New("rpc: a stranger"), conn.Close())
	}
	if err := conn.SetDeadline(time.Time{}); err != nil { // gRPC's, of the handshake
		return errors.Join(err, conn.Close())
	}
	g.work.Go(func() { g.cfg.Stranger(g.ctx, conn) })
	return credentials.ErrConnDispatched
}

// clientCredentials make a connection to a node.
type clientCredentials struct {
	protocol
	g    *GRPC
	node string
}

// Clone implements credentials.TransportCredentials.
func (c *clientCredentials) Clone() credentials.TransportCredentials { return c }

// ServerHandshake implements credentials.TransportCredentials.
func (c *clientCredentials) ServerHandshake(net.Conn) (net.Conn, credentials.AuthInfo, error) {
	return nil, nil, errors.New("rpc: these credentials are for connecting")
}

// ClientHandshake implements credentials.TransportCredentials.
func (c *clientCredentials) ClientHandshake(ctx context.Context, _ string, raw net.Conn) (net.Conn, credentials.AuthInfo, error) {
	creds := c.g.cfg.Credentials()
	conn := tls.Client(raw, creds.Client(c.node))
	if err := conn.HandshakeContext(ctx); err != nil {
		return nil, nil, errors.Join(err, raw.Close())
	}
	auth, err := authOf(conn, creds)
	if err != nil {
		return nil, nil, errors.Join(err, conn.Close())
	}
	return conn, auth, nil
}
