// Package identity is how nodes of a cluster know each other: by certificates of the cluster's own authority, which carry the name
// of the node and of the cluster. A node gets its certificate once, for a token that can be redeemed once.
//
// # Joining
//
// A token is text that an operator carries from the cluster to the new node:
//
//	olapd1.<cluster>.<secret, base32>.<SHA-256 of the authority's certificate, hex>
//
// The new node connects to any node of the cluster, by TLS with the application protocol "olapd-join", and accepts only a peer whose
// certificate was signed by the authority with that fingerprint. It makes a key of its own and sends the secret with a request for a certificate;
// what comes back is its name, its certificate and the authority's. All other connections need a certificate of the cluster
// on both sides. The authority's key is part of the meta group's state: every node can sign.
package identity

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"path"
	"time"

	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/internal/vfs"
)

// Identity is what a node keeps to prove who it is.
type Identity struct {
	Cluster string `json:"cluster"`
	Node    string `json:"node"`
	Address string `json:"address"` // where other nodes reach this one, host:port
	Cert    []byte `json:"cert"`    // PEM
	Key     []byte `json:"key"`     // PEM
	CA      []byte `json:"ca"`      // PEM
	// Peers are addresses of other nodes, host:port, by name: where the first messages go after a start, before the meta group has said.
	Peers map[string]string `json:"peers,omitempty"`
	// Founding is what the first node still has to tell the meta group; nil once it has.
	Founding *Founding `json:"founding,omitempty"`
}

// Founding is what a cluster begins with.
type Founding struct {
	Shards       int           `json:"shards"`
	Replicas     int           `json:"replicas"`
	ReplaceAfter time.Duration `json:"replace_after"`
	CAKey        []byte        `json:"ca_key"` // PEM
	Tokens       []Grant       `json:"tokens"`
}

// Grant is a token as the cluster remembers it: without the secret.
type Grant struct {
	Hash    string `json:"hash"`
	Expires int64  `json:"expires"` // Unix ns
}

// file is where an identity is kept, below the data directory.
const (
	dir  = "cluster"
	file = "identity.json"
)

// Load reads the identity of the node whose data is in a directory; nil if it belongs to no cluster.
func Load(fsys vfs.FS, data string) (*Identity, error) {
	b, err := vfs.ReadFile(fsys, path.Join(data, dir, file))
	if vfs.IsNotExist(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("identity: %w", err)
	}
	id := &Identity{}
	if err := json.Unmarshal(b, id); err != nil {
		return nil, fmt.Errorf("identity: %s: %w", path.Join(data, dir, file), err)
	}
	return id, nil
}

// Save keeps the identity, durably and whole or not at all. It holds the node's key: nobody but the server's own user may read it.
func (id *Identity) Save(fsys vfs.FS, data string) error {
	b, err := json.MarshalIndent(id, "", "  ")
	if err != nil {
		return err
	}
	if err := fsys.MkdirAll(path.Join(data, dir)); err != nil {
		return fmt.Errorf("identity: %w", err)
	}
	if err := fsys.SyncDir(data); err != nil {
		return fmt.Errorf("identity: %w", err)
	}
	return vfs.WritePrivateAtomic(fsys, path.Join(data, dir, file), b)
}

// Expires is when the node's certificate ends.
func (id *Identity) Expires() (time.Time, error) {
	c, err := parseCert(id.Cert)
	if err != nil {
		return time.Time{}, err
	}
	return c.NotAfter, nil
}

// TLS returns the configurations for connections between nodes: both sides prove that they belong to the cluster. now tells the time
// that certificates are held against.
func (id *Identity) TLS(now func() time.Time) (*Config, error) {
	cert, err := tls.X509KeyPair(id.Cert, id.Key)
	if err != nil {
		return nil, fmt.Errorf("identity: %w", err)
	}
	ca, err := parseCert(id.CA)
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	pool.AddCert(ca)
	return &Config{cluster: id.Cluster, cert: cert, ca: ca, pool: pool, now: now}, nil
}

// Config makes TLS configurations. Immutable.
type Config struct {
	cluster string
	cert    tls.Certificate
	ca      *x509.Certificate
	pool    *x509.CertPool
	now     func() time.Time
}

// The application protocols of the inter-node port.
const (
	protocolNodes = "h2"
	protocolJoin  = "olapd-join"
)

// Server is for accepting: nodes with a certificate of the cluster, or new ones without any that ask to join and may do nothing else;
// Stranger tells which it is.
func (c *Config) Server() *tls.Config {
	nodes := &tls.Config{MinVersion: tls.VersionTLS13, Certificates: []tls.Certificate{c.cert}, ClientAuth: tls.RequireAndVerifyClientCert,
		ClientCAs: c.pool, NextProtos: []string{protocolNodes}, Time: c.now, VerifyConnection: func(s tls.ConnectionState) error {
			_, err := c.peer(s)
			return err
		}}
	join := nodes.Clone()
	join.ClientAuth, join.NextProtos, join.VerifyConnection = tls.NoClientCert, []string{protocolJoin}, nil
	chain := c.cert // with the authority, which the new node knows by its fingerprint only
	chain.Certificate = append(chain.Certificate[:1:1], c.ca.Raw)
	join.Certificates = []tls.Certificate{chain}
	out := nodes.Clone()
	out.GetConfigForClient = func(h *tls.ClientHelloInfo) (*tls.Config, error) {
		if len(h.SupportedProtos) == 1 && h.SupportedProtos[0] == protocolJoin {
			return join, nil
		}
		return nodes, nil
	}
	return out
}

// Client is for connecting to a node, by name.
func (c *Config) Client(node string) *tls.Config {
	return &tls.Config{MinVersion: tls.VersionTLS13, Certificates: []tls.Certificate{c.cert}, RootCAs: c.pool, ServerName: node,
		NextProtos: []string{protocolNodes}, Time: c.now, VerifyConnection: func(s tls.ConnectionState) error {
			name, err := c.peer(s)
			if err == nil && name != node {
				err = sqlerr.New(sqlerr.AuthenticationFailed, "Node %s answers where %s should be", name, node)
			}
			return err
		}}
}

// Stranger reports whether a connection is of a new node that asks to join: one for ServeJoin.
func (c *Config) Stranger(s tls.ConnectionState) bool { return s.NegotiatedProtocol == protocolJoin }

// Peer returns the name of the node at the other end of a connection.
func (c *Config) Peer(s tls.ConnectionState) (string, error) { return c.peer(s) }

func (c *Config) peer(s tls.ConnectionState) (string, error) {
	if len(s.PeerCertificates) == 0 {
		return "", sqlerr.New(sqlerr.AuthenticationFailed, "The other side has no certificate of a node")
	}
	name := s.PeerCertificates[0].Subject
	if len(name.Organization) != 1 || name.Organization[0] != c.cluster {
		return "", sqlerr.New(sqlerr.AuthenticationFailed, "Node %s belongs to the cluster %v, not to %s", name.CommonName, name.Organization, c.cluster)
	}
	return name.CommonName, nil
}

func parseCert(text []byte) (*x509.Certificate, error) {
	b, _ := pem.Decode(text)
	if b == nil || b.Type != "CERTIFICATE" {
		return nil, errors.New("identity: no certificate in PEM")
	}
	c, err := x509.ParseCertificate(b.Bytes)
	if err != nil {
		return nil, fmt.Errorf("identity: %w", err)
	}
	return c, nil
}
