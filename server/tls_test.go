package server

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/olapd/olapd/internal/clock"
	"github.com/olapd/olapd/internal/function"
	"github.com/olapd/olapd/internal/protocol"
	"github.com/olapd/olapd/internal/vfs"
	"github.com/olapd/olapd/query"
)

// selfSigned is a certificate for 127.0.0.1 with the serial number, and its key, as PEM.
func selfSigned(t *testing.T, serial int64) (cert, key []byte) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(serial), Subject: pkix.Name{CommonName: "olapd"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour), IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalECPrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: secret})
}

// tlsServer serves both protocols over TLS.
type tlsServer struct{ http, native string }

func serveTLS(t *testing.T, cert, key []byte) tlsServer {
	t.Helper()
	c, err := LoadCertificate(certificateFiles(t, cert, key), clock.Real(), slog.New(slog.DiscardHandler), "tls.crt", "tls.key")
	if err != nil {
		t.Fatal(err)
	}
	e, err := query.New(query.Deps{Catalog: empty{}, Store: empty{}, Writer: empty{}, Server: function.Server{Version: "26.7.2.1", DisplayName: "olapd"}})
	if err != nil {
		t.Fatal(err)
	}
	srv := New(Config{Engine: e, DisplayName: "olapd", Version: "26.7.2.1"})
	var s tlsServer
	for _, x := range []struct {
		serve func(net.Listener)
		addr  *string
	}{{srv.Serve, &s.http}, {srv.ServeNative, &s.native}} {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		*x.addr = l.Addr().String()
		x.serve(c.Listen(l))
	}
	t.Cleanup(func() {
		if err := srv.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// certificateFiles is a file system with tls.crt and tls.key.
func certificateFiles(t *testing.T, cert, key []byte) vfs.FS {
	t.Helper()
	fs := vfs.NewMem()
	putFiles(t, fs, cert, key)
	return fs
}

func putFiles(t *testing.T, fs vfs.FS, cert, key []byte) {
	t.Helper()
	for name, text := range map[string][]byte{"tls.crt": cert, "tls.key": key} {
		if err := vfs.WriteFileAtomic(fs, name, text); err != nil {
			t.Fatal(err)
		}
	}
}

func trusting(cert []byte) *tls.Config {
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(cert)
	return &tls.Config{RootCAs: pool}
}

func TestHTTPS(t *testing.T) {
	cert, key := selfSigned(t, 1)
	s := serveTLS(t, cert, key)
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: trusting(cert), ForceAttemptHTTP2: true}}
	defer client.CloseIdleConnections()
	resp, err := client.Post("https://"+s.http, "", strings.NewReader("SELECT sum(number) FROM numbers(10)"))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if body, err := io.ReadAll(resp.Body); string(body) != "45\n" || err != nil || resp.ProtoMajor != 1 {
		t.Errorf("%s: %q, %v", resp.Proto, body, err)
	}
	if _, err := http.Get("https://" + s.http); err == nil || !strings.Contains(err.Error(), "certificate") {
		t.Errorf("a certificate nobody vouches for: %v", err)
	}
	if conn, err := tls.Dial("tcp", s.http, &tls.Config{InsecureSkipVerify: true, MaxVersion: tls.VersionTLS11}); err == nil {
		conn.Close()
		t.Error("TLS 1.1 was accepted")
	}
}

func TestNativeTLS(t *testing.T) {
	cert, key := selfSigned(t, 1)
	s := serveTLS(t, cert, key)
	conn, err := tls.Dial("tcp", s.native, trusting(cert))
	if err != nil {
		t.Fatal(err)
	}
	c := &testClient{t: t, conn: conn, r: protocol.NewReader(conn), revision: protocol.Revision, enc: protocol.Encoder{Revision: protocol.Revision}}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
		t.Fatal(err)
	}
	c.write(protocol.AppendClient(nil, protocol.Client{Name: "test", Revision: protocol.Revision}))
	if kind := protocol.ServerPacket(c.r.Uvarint()); kind != protocol.ServerHello {
		t.Fatalf("packet %d: %v", kind, c.r.Err())
	}
	if _, err := c.r.ReadServer(protocol.Revision); err != nil {
		t.Fatal(err)
	}
	c.write([]byte{0})
	for range 3 { // the reads that watch for Cancel are cut short each time, which must not harm the connection
		if got := c.query("SELECT number FROM numbers(3)"); got.exception != nil || len(got.rows) != 3 {
			t.Fatalf("%+v", got)
		}
	}
	c.ask(protocol.Query{Text: "SELECT sum(sipHash64(number)) FROM numbers(1000000000000)"})
	c.next(func(k protocol.ServerPacket, _ protocol.Data) bool { return k == protocol.ServerProgress })
	c.write([]byte{byte(protocol.ClientCancel)})
	c.next(nil)
	equal(t, "after a cancelled query", c.query("SELECT 'fine'").rows, "fine")

	plain, err := net.Dial("tcp", s.native)
	if err != nil {
		t.Fatal(err)
	}
	defer plain.Close()
	if err := plain.SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
		t.Fatal(err)
	}
	if _, err := plain.Write(protocol.AppendClient(nil, protocol.Client{Name: "test", Revision: protocol.Revision})); err != nil {
		t.Fatal(err)
	}
	if b, _ := io.ReadAll(plain); len(b) > 0 && protocol.ServerPacket(b[0]) == protocol.ServerHello {
		t.Error("a client without TLS was answered")
	}
}

func TestCertificateIsRenewed(t *testing.T) {
	cert, key := selfSigned(t, 1)
	fs, clk := certificateFiles(t, cert, key), clock.NewManual(time.Now())
	var log strings.Builder
	c, err := LoadCertificate(fs, clk, slog.New(slog.NewTextHandler(&log, nil)), "tls.crt", "tls.key")
	if err != nil {
		t.Fatal(err)
	}
	serial := func() int64 {
		pair, err := c.get(nil)
		if err != nil {
			t.Fatal(err)
		}
		return pair.Leaf.SerialNumber.Int64()
	}
	expect := func(want int64, what string) {
		t.Helper()
		for range 2 {
			clk.Advance(certificateCheck)
			if got := serial(); got != want {
				t.Errorf("%s: certificate %d, want %d", what, got, want)
			}
		}
	}
	expect(1, "at first")
	cert2, key2 := selfSigned(t, 2)
	putFiles(t, fs, cert2, key)
	expect(1, "half replaced")
	putFiles(t, fs, cert2, key2)
	if got := serial(); got != 1 {
		t.Errorf("the files are read for every connection: certificate %d", got)
	}
	expect(2, "replaced")
	putFiles(t, fs, []byte("no certificate"), key2)
	expect(2, "spoilt")
	if err := fs.Remove("tls.crt"); err != nil {
		t.Fatal(err)
	}
	expect(2, "removed")
	cert3, key3 := selfSigned(t, 3)
	putFiles(t, fs, cert3, key3)
	expect(3, "back again")
	if n := strings.Count(log.String(), "level=WARN"); n != 3 {
		t.Errorf("%d warnings, want one for each state of the files that was of no use:\n%s", n, log.String())
	}
}

func TestCertificateOfNoUse(t *testing.T) {
	cert, _ := selfSigned(t, 1)
	_, other := selfSigned(t, 2)
	fs := vfs.NewMem()
	for name, text := range map[string][]byte{"cert": cert, "key": other, "large": make([]byte, maxCertificate+1), "empty": nil} {
		if err := vfs.WriteFileAtomic(fs, name, text); err != nil {
			t.Fatal(err)
		}
	}
	for _, names := range [][2]string{{"cert", "key"}, {"cert", "missing"}, {"missing", "key"}, {"large", "key"}, {"empty", "key"}, {"key", "cert"}} {
		if _, err := LoadCertificate(fs, clock.Real(), slog.New(slog.DiscardHandler), names[0], names[1]); err == nil {
			t.Errorf("%v were accepted", names)
		}
	}
}
