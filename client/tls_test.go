package client

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/olapd/olapd/internal/node"
	"github.com/olapd/olapd/internal/vfs"
)

// certificate is one for 127.0.0.1, with its key, as PEM.
func certificate(t *testing.T) (cert, key []byte) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true,
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

func TestSecure(t *testing.T) {
	cert, key := certificate(t)
	cfg := node.DefaultConfig()
	cfg.Data, cfg.HTTP, cfg.NativeTLS, cfg.LogLevel, cfg.FS = "data", "", "127.0.0.1:0", "error", vfs.NewMem()
	cfg.TLSCert, cfg.TLSKey = "tls.crt", "tls.key"
	for name, text := range map[string][]byte{cfg.TLSCert: cert, cfg.TLSKey: key} {
		if err := vfs.WriteFileAtomic(cfg.FS, name, text); err != nil {
			t.Fatal(err)
		}
	}
	n, err := node.Open(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := n.Close(); err != nil {
			t.Error(err)
		}
	}()
	host, port, err := net.SplitHostPort(n.NativeTLSAddr())
	if err != nil {
		t.Fatal(err)
	}
	authority := filepath.Join(t.TempDir(), "ca.crt")
	if err := os.WriteFile(authority, cert, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		code int
		says string
		args []string
	}{
		{0, "", []string{"--secure", "--ca-certificate", authority}},
		{0, "", []string{"--secure", "--accept-invalid-certificate", "-q", "SELECT throwIf(count() = 0 OR min(is_secure) = 0) FROM system.query_log FORMAT Null"}},
		{210, "certificate", []string{"--secure"}},
		{76, "no such file", []string{"--secure", "--ca-certificate", authority + "2"}},
		{210, "", nil},
	} {
		var out, errs strings.Builder
		code := Main(append([]string{"--host", host, "--port", port, "-q", "SELECT sum(number) FROM numbers(100000)"}, c.args...), nil, &out, &errs)
		if code != c.code || code == 0 && out.String() != "4999950000\n" || !strings.Contains(errs.String(), c.says) {
			t.Errorf("%v: exit code %d, want %d: %s%s", c.args, code, c.code, out.String(), errs.String())
		}
	}
}
