package identity

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"time"
)

const (
	// authorityLife is how long the cluster's authority lasts, nodeLife a node's certificate: nodes renew theirs when a third is left.
	authorityLife = 50 * 365 * 24 * time.Hour
	nodeLife      = 365 * 24 * time.Hour
	// skew is how far clocks of nodes may differ when a certificate is new.
	skew = time.Hour
	// serialBits are the random bits of a serial number.
	serialBits = 120
)

// NewAuthority makes a cluster's certificate authority: its certificate and key, in PEM.
func NewAuthority(cluster string, now time.Time) (cert, key []byte, err error) {
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, fmt.Errorf("identity: %w", err)
	}
	serial, err := newSerial()
	if err != nil {
		return nil, nil, err
	}
	t := &x509.Certificate{SerialNumber: serial, Subject: pkix.Name{CommonName: "olapd " + cluster, Organization: []string{cluster}}, NotBefore: now.Add(-skew),
		NotAfter: now.Add(authorityLife), IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign, MaxPathLenZero: true}
	der, err := x509.CreateCertificate(rand.Reader, t, t, &k.PublicKey, k)
	if err != nil {
		return nil, nil, fmt.Errorf("identity: %w", err)
	}
	key, err = encodeKey(k)
	return encode("CERTIFICATE", der), key, err
}

// newRequest makes a key and asks for a certificate over it, both in PEM.
func newRequest() (request, key []byte, err error) {
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, fmt.Errorf("identity: %w", err)
	}
	der, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{}, k)
	if err != nil {
		return nil, nil, fmt.Errorf("identity: %w", err)
	}
	key, err = encodeKey(k)
	return encode("CERTIFICATE REQUEST", der), key, err
}

// sign gives the maker of a request a certificate as a node of the cluster.
func sign(ca, caKey, request []byte, cluster, node string, now time.Time) ([]byte, error) {
	authority, err := parseCert(ca)
	if err != nil {
		return nil, err
	}
	k, err := decodeKey(caKey)
	if err != nil {
		return nil, err
	}
	b, _ := pem.Decode(request)
	if b == nil {
		return nil, errors.New("identity: no request for a certificate in PEM")
	}
	r, err := x509.ParseCertificateRequest(b.Bytes)
	if err == nil {
		err = r.CheckSignature()
	}
	if err != nil {
		return nil, fmt.Errorf("identity: request for a certificate: %w", err)
	}
	serial, err := newSerial()
	if err != nil {
		return nil, err
	}
	t := &x509.Certificate{SerialNumber: serial, Subject: pkix.Name{CommonName: node, Organization: []string{cluster}}, DNSNames: []string{node},
		NotBefore: now.Add(-skew), NotAfter: now.Add(nodeLife), KeyUsage: x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth}}
	der, err := x509.CreateCertificate(rand.Reader, t, authority, r.PublicKey, k)
	if err != nil {
		return nil, fmt.Errorf("identity: %w", err)
	}
	return encode("CERTIFICATE", der), nil
}

// Issue makes the identity of a node of a cluster whose authority's key is at hand: the first one's.
func Issue(cluster, node string, ca, caKey []byte, now time.Time) (*Identity, error) {
	request, key, err := newRequest()
	if err != nil {
		return nil, err
	}
	cert, err := sign(ca, caKey, request, cluster, node, now)
	if err != nil {
		return nil, err
	}
	return &Identity{Cluster: cluster, Node: node, Cert: cert, Key: key, CA: ca}, nil
}

// RenewDue reports whether it is time for a new certificate.
func (id *Identity) RenewDue(now time.Time) bool {
	end, err := id.Expires()
	return err != nil || now.Add(nodeLife/3).After(end)
}

func newSerial() (*big.Int, error) {
	n, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), serialBits))
	if err != nil {
		return nil, fmt.Errorf("identity: %w", err)
	}
	return n, nil
}

func encode(kind string, der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
}

func encodeKey(k *ecdsa.PrivateKey) ([]byte, error) {
	der, err := x509.MarshalPKCS8PrivateKey(k)
	if err != nil {
		return nil, fmt.Errorf("identity: %w", err)
	}
	return encode("PRIVATE KEY", der), nil
}

func decodeKey(text []byte) (crypto.Signer, error) {
	b, _ := pem.Decode(text)
	if b == nil {
		return nil, errors.New("identity: no private key in PEM")
	}
	k, err := x509.ParsePKCS8PrivateKey(b.Bytes)
	if err != nil {
		return nil, fmt.Errorf("identity: %w", err)
	}
	s, ok := k.(crypto.Signer)
	if !ok {
		return nil, fmt.Errorf("identity: a key of type %T", k)
	}
	return s, nil
}
