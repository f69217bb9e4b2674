package identity

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/internal/vfs"
)

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// authority is a cluster with one node that admits others for its tokens.
type authority struct {
	cluster string
	ca, key []byte
	first   *Identity
	tokens  map[string]int64
	joined  int
	level   int // of the last node that asked
}

func newAuthority(t *testing.T, cluster string) *authority {
	t.Helper()
	a := &authority{cluster: cluster, tokens: map[string]int64{}}
	var err error
	a.ca, a.key, err = NewAuthority(cluster, time.Now())
	must(t, err)
	a.first, err = Issue(cluster, "node-1", a.ca, a.key, time.Now())
	must(t, err)
	return a
}

func (a *authority) token(t *testing.T) string {
	t.Helper()
	text, g, err := NewToken(a.cluster, a.ca, time.Now())
	must(t, err)
	a.tokens[g.Hash] = g.Expires
	return text
}

func (a *authority) admit(_ context.Context, secret, _ string, level int) (*Admission, error) {
	a.level = level
	h := HashSecret(secret)
	expires, ok := a.tokens[h]
	delete(a.tokens, h)
	if !ok || time.Now().UnixNano() > expires {
		return nil, errors.New("the token is not known, or was redeemed")
	}
	a.joined++
	return &Admission{Node: "node-2", Cluster: a.cluster, CA: a.ca, CAKey: a.key, Peers: map[string]string{"node-1": "one:9"}}, nil
}

// listen accepts connections one after the other: nodes get their name back, new nodes join.
func (a *authority) listen(t *testing.T) string {
	t.Helper()
	c, err := a.first.TLS(time.Now)
	must(t, err)
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	done := make(chan struct{})
	t.Cleanup(func() { ln.Close(); <-done })
	go func() {
		defer close(done)
		for {
			raw, err := ln.Accept()
			if err != nil {
				return
			}
			conn := tls.Server(raw, c.Server())
			if conn.HandshakeContext(t.Context()) != nil {
				conn.Close()
				continue
			}
			if c.Stranger(conn.ConnectionState()) {
				_ = ServeJoin(t.Context(), conn, time.Now, a.admit) // the other side is told
				continue
			}
			name, err := c.Peer(conn.ConnectionState())
			if err == nil {
				_, _ = io.WriteString(conn, name)
			}
			conn.Close()
		}
	}()
	return ln.Addr().String()
}

// greet connects as a node and returns what the other side takes it for.
func greet(t *testing.T, id *Identity, to, expect string) (string, error) {
	t.Helper()
	c, err := id.TLS(time.Now)
	must(t, err)
	conn, err := (&tls.Dialer{Config: c.Client(expect)}).DialContext(t.Context(), "tcp", to)
	if err != nil {
		return "", err
	}
	defer conn.Close()
	b, err := io.ReadAll(conn)
	return string(b), err
}

func TestJoin(t *testing.T) {
	a := newAuthority(t, "shop")
	at := a.listen(t)
	token := a.token(t)
	id, err := Join(t.Context(), at, token, "two:9", 7)
	must(t, err)
	if id.Node != "node-2" || id.Cluster != "shop" || id.Peers["node-1"] != "one:9" || !bytes.Equal(id.CA, a.ca) || a.level != 7 {
		t.Fatalf("%+v, level %d", id, a.level)
	}
	if name, err := greet(t, id, at, "node-1"); err != nil || name != "node-2" {
		t.Fatalf("%q, %v", name, err)
	}
	if _, err := greet(t, id, at, "node-7"); !sqlerr.Is(err, sqlerr.AuthenticationFailed) && err == nil {
		t.Fatalf("a node under another name: %v", err)
	}
	fsys := vfs.NewMem()
	must(t, fsys.MkdirAll("data"))
	must(t, id.Save(fsys, "data"))
	again, err := Load(fsys, "data")
	must(t, err)
	if name, err := greet(t, again, at, "node-1"); err != nil || name != "node-2" {
		t.Fatalf("after a restart: %q, %v", name, err)
	}
	if none, err := Load(fsys, "elsewhere"); none != nil || err != nil {
		t.Fatalf("%v, %v", none, err)
	}
	if id.RenewDue(time.Now()) || !id.RenewDue(time.Now().Add(nodeLife*3/4)) {
		t.Error("renewal")
	}
}

// TestPrivate: the file that holds a node's key is for the server's user only, also where one of another kind lay before.
func TestPrivate(t *testing.T) {
	data := t.TempDir()
	name := filepath.Join(data, dir, file)
	must(t, os.MkdirAll(filepath.Dir(name), 0o755))
	must(t, os.WriteFile(name, nil, 0o644))
	must(t, os.WriteFile(name+".tmp", nil, 0o644)) // a crash left it
	must(t, (&Identity{Cluster: "shop", Key: []byte("secret")}).Save(vfs.Disk(), data))
	info, err := os.Stat(name)
	must(t, err)
	if got := info.Mode().Perm(); got != 0o600 {
		t.Errorf("mode %o", got)
	}
}

func TestJoinRefused(t *testing.T) {
	a, other := newAuthority(t, "shop"), newAuthority(t, "shop")
	at := a.listen(t)
	used := a.token(t)
	_, err := Join(t.Context(), at, used, "two:9", 7)
	must(t, err)
	expired := a.token(t)
	a.tokens[HashSecret(strings.Split(expired, ".")[2])] = time.Now().Add(-time.Second).UnixNano()
	good := a.token(t)
	for name, token := range map[string]string{
		"redeemed":         used,
		"expired":          expired,
		"of another":       other.token(t), // with another fingerprint
		"secret of others": strings.Join(append(strings.Split(other.token(t), ".")[:3], strings.Split(good, ".")[3]), "."),
		"cut off":          good[:len(good)-3],
		"no token":         "hello",
		"empty":            "",
	} {
		joined := a.joined
		if _, err := Join(t.Context(), at, token, "two:9", 7); err == nil || a.joined != joined {
			t.Errorf("%s: %v", name, err)
		} else {
			t.Logf("%s: %v", name, err)
		}
	}
	if _, err := Join(t.Context(), at, good, "nowhere", 7); err == nil {
		t.Error("an address without a port was taken")
	}
}

// TestStrangers: nothing but joining is possible without a certificate of the cluster.
func TestStrangers(t *testing.T) {
	a, other := newAuthority(t, "shop"), newAuthority(t, "shop")
	at := a.listen(t)
	if _, err := greet(t, other.first, at, "node-1"); err == nil {
		t.Error("a node of another authority was let in")
	}
	forged := *other.first
	forged.CA = a.ca
	if name, err := greet(t, &forged, at, "node-1"); err == nil && name != "" {
		t.Errorf("a certificate of another authority passed as %q", name)
	}
	conn, err := tls.Dial("tcp", at, &tls.Config{InsecureSkipVerify: true, NextProtos: []string{protocolNodes}})
	if err == nil {
		b, err := io.ReadAll(conn)
		if err == nil || len(b) > 0 {
			t.Errorf("without a certificate: %q, %v", b, err)
		}
		conn.Close()
	}
	foreign, err := Issue("elsewhere", "node-9", a.ca, a.key, time.Now())
	must(t, err)
	if name, err := greet(t, foreign, at, "node-1"); err == nil && name != "" {
		t.Errorf("a node of another cluster passed as %q", name)
	}
	late, err := Issue("shop", "node-8", a.ca, a.key, time.Now().Add(-2*nodeLife))
	must(t, err)
	if name, err := greet(t, late, at, "node-1"); err == nil && name != "" {
		t.Errorf("an expired certificate passed as %q", name)
	}
}
