package rpc

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// authority signs certificates of nodes.
type authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

func newAuthority(t *testing.T) *authority {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	a := &authority{key: key}
	a.cert = a.sign(t, a, "authority", &key.PublicKey, true)
	return a
}

func (a *authority) sign(t *testing.T, by *authority, name string, key *ecdsa.PublicKey, ca bool) *x509.Certificate {
	c := &x509.Certificate{SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: name}, DNSNames: []string{name}, NotAfter: time.Now().Add(time.Hour),
		IsCA: ca, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature}
	parent := by.cert
	if parent == nil {
		parent = c
	}
	der, err := x509.CreateCertificate(rand.Reader, c, parent, key, by.key)
	must(t, err)
	c, err = x509.ParseCertificate(der)
	must(t, err)
	return c
}

// passport is the credentials of a node. Strangers come without a certificate.
type passport struct {
	roots *x509.CertPool
	cert  tls.Certificate
}

func (a *authority) passport(t *testing.T, name string) *passport {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	p := &passport{roots: x509.NewCertPool(), cert: tls.Certificate{Certificate: [][]byte{a.sign(t, a, name, &key.PublicKey, false).Raw}, PrivateKey: key}}
	p.roots.AddCert(a.cert)
	return p
}

func (p *passport) Server() *tls.Config {
	return &tls.Config{Certificates: []tls.Certificate{p.cert}, ClientCAs: p.roots, ClientAuth: tls.VerifyClientCertIfGiven, NextProtos: []string{"h2"}}
}

func (p *passport) Client(node string) *tls.Config {
	return &tls.Config{Certificates: []tls.Certificate{p.cert}, RootCAs: p.roots, ServerName: node, NextProtos: []string{"h2"}}
}

func (p *passport) Peer(s tls.ConnectionState) (string, error) {
	if len(s.PeerCertificates) == 0 {
		return "", errors.New("no certificate")
	}
	return s.PeerCertificates[0].Subject.CommonName, nil
}

func (p *passport) Stranger(s tls.ConnectionState) bool { return len(s.PeerCertificates) == 0 }

// wire is nodes on the loopback interface.
type wire struct {
	t         *testing.T
	authority *authority
	mu        sync.Mutex
	addresses map[string]string
}

func newWire(t *testing.T) *wire {
	return &wire{t: t, authority: newAuthority(t), addresses: map[string]string{}}
}

func (w *wire) resolve(node string) (string, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if a := w.addresses[node]; a != "" {
		return a, nil
	}
	return "", fmt.Errorf("node %s is not known", node)
}

// node starts a node that listens; stop ends it, at the test's end at the latest.
func (w *wire) node(cfg GRPCConfig) (g *GRPC, stop func()) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	must(w.t, err)
	w.mu.Lock()
	w.addresses[cfg.Self] = ln.Addr().String()
	w.mu.Unlock()
	if cfg.Credentials == nil {
		p := w.authority.passport(w.t, cfg.Self)
		cfg.Credentials = func() Credentials { return p }
	}
	cfg.Resolve = w.resolve
	g = NewGRPC(cfg)
	served := make(chan error, 1)
	go func() { served <- g.Serve(ln) }()
	stop = sync.OnceFunc(func() {
		must(w.t, g.Close())
		must(w.t, <-served)
	})
	w.t.Cleanup(stop)
	return g, stop
}

func TestGRPC(t *testing.T) {
	testNetwork(t, func(t *testing.T) (Network, Network, func()) {
		w := newWire(t)
		a, _ := w.node(GRPCConfig{Self: "a", Urgent: []string{"from"}})
		b, stop := w.node(GRPCConfig{Self: "b"})
		return a, b, stop
	})
}

// TestGRPCRestart: a node that comes back, elsewhere, is found.
func TestGRPCRestart(t *testing.T) {
	w := newWire(t)
	a, _ := w.node(GRPCConfig{Self: "a"})
	b, stop := w.node(GRPCConfig{Self: "b"})
	b.Handle("echo", echo)
	s := open(t, a, "b", "echo")
	must(t, s.Send([]byte("x")))
	recv(t, s, "x")
	stop()
	b, _ = w.node(GRPCConfig{Self: "b"})
	b.Handle("echo", echo)
	start := time.Now()
	for {
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		s, err := a.Open(ctx, "b", "echo")
		if err == nil {
			if err = s.Send([]byte("x")); err == nil {
				_, err = s.Recv()
			}
		}
		cancel()
		if err == nil {
			break
		}
		if !errors.Is(err, ErrUnreachable) || time.Since(start) > 10*time.Second {
			t.Fatalf("%v after %s", err, time.Since(start))
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// TestGRPCOthers: nodes of another authority, and nodes that are not who they should be, are unreachable.
func TestGRPCOthers(t *testing.T) {
	w, foreign := newWire(t), newAuthority(t)
	a, _ := w.node(GRPCConfig{Self: "a"})
	a.Handle("echo", echo)
	p := foreign.passport(t, "b")
	b, _ := w.node(GRPCConfig{Self: "b", Credentials: func() Credentials { return p }})
	b.Handle("echo", echo)
	q := w.authority.passport(t, "a")
	posing, _ := w.node(GRPCConfig{Self: "c", Credentials: func() Credentials { return q }})
	posing.Handle("echo", echo)
	for _, c := range []struct {
		from Network
		to   string
	}{{a, "b"}, {b, "a"}, {a, "c"}} {
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		s, err := c.from.Open(ctx, c.to, "echo")
		if err == nil {
			_, err = s.Recv()
		}
		cancel()
		if !errors.Is(err, ErrUnreachable) {
			t.Errorf("%s to %s: %v", c.from.Self(), c.to, err)
		}
	}
}

// TestGRPCStranger: one without a certificate is handed over, or closed, and gets no streams.
func TestGRPCStranger(t *testing.T) {
	w := newWire(t)
	greeted := make(chan struct{})
	w.node(GRPCConfig{Self: "a", Stranger: func(_ context.Context, conn net.Conn) {
		defer close(greeted)
		_, err := io.WriteString(conn, "who are you")
		must(t, errors.Join(err, conn.Close()))
	}})
	w.node(GRPCConfig{Self: "b"})
	for node, want := range map[string]string{"a": "who are you", "b": ""} {
		address, err := w.resolve(node)
		must(t, err)
		conn, err := tls.Dial("tcp", address, &tls.Config{InsecureSkipVerify: true, NextProtos: []string{"h2"}})
		must(t, err)
		got, err := io.ReadAll(conn)
		if string(got) != want || err != nil && want != "" {
			t.Errorf("%s says %q, %v", node, got, err)
		}
		conn.Close()
	}
	<-greeted
}

// TestGRPCRenewal: a certificate that is replaced is used for the next connection.
func TestGRPCRenewal(t *testing.T) {
	w := newWire(t)
	a, _ := w.node(GRPCConfig{Self: "a"})
	a.Handle("from", func(_ context.Context, from string, s Stream) error { return s.Send([]byte(from)) })
	var now atomic.Pointer[passport]
	now.Store(newAuthority(t).passport(t, "b")) // nobody's
	b, _ := w.node(GRPCConfig{Self: "b", Credentials: func() Credentials { return now.Load() }})
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	ask := func() ([]byte, error) {
		s, err := b.Open(ctx, "a", "from")
		if err != nil {
			return nil, err
		}
		return s.Recv()
	}
	if _, err := ask(); err == nil {
		t.Fatal("let in")
	}
	now.Store(w.authority.passport(t, "b"))
	var err error
	for ctx.Err() == nil {
		var name []byte
		if name, err = ask(); err == nil {
			if string(name) != "b" {
				t.Errorf("known as %s", name)
			}
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	t.Errorf("never let in: %v", err)
}

// BenchmarkGRPC is the time there and back of a message, and the throughput of a stream of large ones.
func BenchmarkGRPC(b *testing.B) {
	w := newWire(&testing.T{})
	a, stopA := w.node(GRPCConfig{Self: "a"})
	other, stopB := w.node(GRPCConfig{Self: "b"})
	defer stopA()
	defer stopB()
	other.Handle("echo", echo)
	other.Handle("take", func(_ context.Context, _ string, s Stream) error {
		for {
			if _, err := s.Recv(); err != nil {
				return nil
			}
		}
	})
	b.Run("there and back", func(b *testing.B) {
		s := open(b, a, "b", "echo")
		for b.Loop() {
			must(b, s.Send([]byte("0123456789")))
			_, err := s.Recv()
			must(b, err)
		}
	})
	b.Run("1 MiB", func(b *testing.B) {
		b.SetBytes(1 << 20)
		s := open(b, a, "b", "take")
		for b.Loop() {
			must(b, s.Send(bytes.Repeat([]byte{1}, 1<<20)))
		}
		must(b, s.CloseSend())
		_, _ = s.Recv()
	})
}
