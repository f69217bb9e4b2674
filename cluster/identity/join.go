package identity

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"crypto/tls"
	"crypto/x509"
	"encoding/base32"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"time"

	"github.com/olapd/olapd/internal/sqlerr"
)

const (
	tokenPrefix = "olapd1"
	// secretBytes of randomness cannot be guessed.
	secretBytes = 20
	// TokenLife is how long a token can be redeemed.
	TokenLife = 24 * time.Hour
	// maxJoin bounds the messages of joining, and joinTimeout the time for both.
	maxJoin     = 1 << 20
	joinTimeout = 30 * time.Second
)

var secretText = base32.StdEncoding.WithPadding(base32.NoPadding)

// NewToken makes a token for one node to join, and what the cluster remembers of it.
func NewToken(cluster string, ca []byte, now time.Time) (token string, g Grant, err error) {
	c, err := parseCert(ca)
	if err != nil {
		return "", Grant{}, err
	}
	b := make([]byte, secretBytes)
	if _, err := rand.Read(b); err != nil {
		return "", Grant{}, fmt.Errorf("identity: %w", err)
	}
	secret, print := secretText.EncodeToString(b), sha256.Sum256(c.Raw)
	return strings.Join([]string{tokenPrefix, cluster, secret, hex.EncodeToString(print[:])}, "."), Grant{Hash: HashSecret(secret), Expires: now.Add(TokenLife).UnixNano()}, nil
}

// HashSecret is what is stored of a token's secret, which has enough randomness of its own.
func HashSecret(secret string) string {
	h := sha256.Sum256([]byte(secret))
	return hex.EncodeToString(h[:])
}

// token is a token taken apart.
type token struct {
	cluster, secret string
	print           []byte
}

func parseToken(text string) (*token, error) {
	parts := strings.Split(strings.TrimSpace(text), ".")
	if len(parts) != 4 || parts[0] != tokenPrefix {
		return nil, sqlerr.New(sqlerr.BadArguments, "This is no token for joining a cluster: one begins with %s. and has four parts", tokenPrefix)
	}
	print, err := hex.DecodeString(parts[3])
	if err != nil || len(print) != sha256.Size {
		return nil, sqlerr.New(sqlerr.BadArguments, "The token's last part is no fingerprint: it was cut off")
	}
	return &token{parts[1], parts[2], print}, nil
}

// joinRequest and joinAnswer are the two messages of joining, as JSON.
type joinRequest struct {
	Secret  string `json:"secret"`
	Request []byte `json:"request"` // for a certificate, PEM
	Address string `json:"address"` // of the new node for others
	Level   int    `json:"level"`   // feature level of its build; those that know no levels do not say
}

type joinAnswer struct {
	Error string            `json:"error,omitempty"`
	Node  string            `json:"node,omitempty"`
	Cert  []byte            `json:"cert,omitempty"`
	Peers map[string]string `json:"peers,omitempty"`
}

// Join makes this node one of the cluster that listens at an address; address is where others reach this node, level the feature level of its build. A token that was redeemed before
// is refused, also if this node never got the answer.
func Join(ctx context.Context, to, tokenText, address string, level int) (*Identity, error) {
	t, err := parseToken(tokenText)
	if err != nil {
		return nil, err
	}
	request, key, err := newRequest()
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, joinTimeout)
	defer cancel()
	var ca []byte
	d := tls.Dialer{Config: &tls.Config{MinVersion: tls.VersionTLS13, NextProtos: []string{protocolJoin}, InsecureSkipVerify: true, // verified below, against the fingerprint
		VerifyConnection: func(s tls.ConnectionState) error { ca, err = t.verify(s); return err }}}
	conn, err := d.DialContext(ctx, "tcp", to)
	if err != nil {
		return nil, fmt.Errorf("joining the cluster at %s: %w", to, err)
	}
	defer conn.Close()
	if deadline, ok := ctx.Deadline(); ok {
		if err := conn.SetDeadline(deadline); err != nil {
			return nil, err
		}
	}
	if err := json.NewEncoder(conn).Encode(joinRequest{Secret: t.secret, Request: request, Address: address, Level: level}); err != nil {
		return nil, fmt.Errorf("joining the cluster at %s: %w", to, err)
	}
	var a joinAnswer
	if err := json.NewDecoder(io.LimitReader(conn, maxJoin)).Decode(&a); err != nil {
		return nil, fmt.Errorf("joining the cluster at %s: %w", to, err)
	}
	if a.Error != "" {
		return nil, sqlerr.New(sqlerr.AuthenticationFailed, "The cluster refuses: %s", a.Error)
	}
	return &Identity{Cluster: t.cluster, Node: a.Node, Address: address, Cert: a.Cert, Key: key, CA: ca, Peers: a.Peers}, nil
}

// verify holds the other side against the token's fingerprint, and returns the authority's certificate.
func (t *token) verify(s tls.ConnectionState) ([]byte, error) {
	var ca *x509.Certificate
	for _, c := range s.PeerCertificates {
		if print := sha256.Sum256(c.Raw); subtle.ConstantTimeCompare(print[:], t.print) == 1 {
			ca = c
		}
	}
	if ca == nil {
		return nil, sqlerr.New(sqlerr.AuthenticationFailed, "This is another cluster than the token's: the fingerprints differ")
	}
	pool := x509.NewCertPool()
	pool.AddCert(ca)
	leaf := s.PeerCertificates[0]
	if _, err := leaf.Verify(x509.VerifyOptions{Roots: pool, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}}); err != nil {
		return nil, err
	}
	if o := leaf.Subject.Organization; len(o) != 1 || o[0] != t.cluster {
		return nil, sqlerr.New(sqlerr.AuthenticationFailed, "The node belongs to the cluster %v, the token to %s", o, t.cluster)
	}
	return encode("CERTIFICATE", ca.Raw), nil
}

// Admission is what the cluster says to a node that wants to join.
type Admission struct {
	Node      string // the name it is given
	Cluster   string
	CA, CAKey []byte
	Peers     map[string]string // addresses by name
}

// AdmitFunc redeems the token with a secret, once, and takes the node in under a new name; level is the feature level of its build.
type AdmitFunc func(ctx context.Context, secret, address string, level int) (*Admission, error)

// ServeJoin answers a connection for which Config.Stranger holds, and closes it.
func ServeJoin(ctx context.Context, conn net.Conn, now func() time.Time, admit AdmitFunc) error {
	defer conn.Close()
	ctx, cancel := context.WithTimeout(ctx, joinTimeout)
	defer cancel()
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() }) // ends reads and writes
	defer stop()
	var q joinRequest
	if err := json.NewDecoder(io.LimitReader(conn, maxJoin)).Decode(&q); err != nil {
		return fmt.Errorf("identity: a request to join: %w", err)
	}
	a, err := answer(ctx, &q, now(), admit)
	if err != nil {
		a = &joinAnswer{Error: err.Error()}
	}
	return errors.Join(err, json.NewEncoder(conn).Encode(a))
}

func answer(ctx context.Context, q *joinRequest, now time.Time, admit AdmitFunc) (*joinAnswer, error) {
	if _, _, err := net.SplitHostPort(q.Address); err != nil {
		return nil, sqlerr.New(sqlerr.BadArguments, "The node's address %q is no host:port", q.Address)
	}
	m, err := admit(ctx, q.Secret, q.Address, q.Level)
	if err != nil {
		return nil, err
	}
	cert, err := sign(m.CA, m.CAKey, q.Request, m.Cluster, m.Node, now)
	if err != nil {
		return nil, err
	}
	return &joinAnswer{Node: m.Node, Cert: cert, Peers: m.Peers}, nil
}
