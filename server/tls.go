package server

import (
	"bytes"
	"crypto/tls"
	"log/slog"
	"net"
	"sync/atomic"
	"time"

	"github.com/olapd/olapd/internal/clock"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/internal/vfs"
)

const (
	// certificateCheck is how often the files of a certificate are looked at, when clients connect: often enough that a renewed one is
	// in use at once, seldom enough to cost nothing.
	certificateCheck = time.Second
	// maxCertificate bounds each file: a chain of certificates takes a few KiB.
	maxCertificate = 1 << 20
)

// Certificate is the server's certificate with its key, from two PEM files. What replaces the files is used for the next connections,
// without a restart; files that are of no use leave the last good certificate in use, with a warning in the log. Its methods are safe
// for concurrent use.
type Certificate struct {
	fs        vfs.FS
	clock     clock.Clock
	log       *slog.Logger
	cert, key string // names of the files
	current   atomic.Pointer[certificate]
	checked   atomic.Int64 // when the files were last looked at, Unix nanoseconds
}

// certificate is what the files were when they were last read. It is immutable.
type certificate struct {
	certText, keyText []byte
	pair              *tls.Certificate // of these texts, or the last good one
	failed            string           // why the files could not be used
}

// LoadCertificate reads a certificate, followed by those that vouch for it, and its key. Errors have the code BadArguments.
func LoadCertificate(fs vfs.FS, clk clock.Clock, log *slog.Logger, cert, key string) (*Certificate, error) {
	c := &Certificate{fs: fs, clock: clk, log: log, cert: cert, key: key}
	now, err := c.read()
	if err != nil {
		return nil, err
	}
	if now.pair, err = parsePair(now); err != nil {
		return nil, c.useless(err)
	}
	c.current.Store(now)
	c.checked.Store(clk.Now().UnixNano())
	return c, nil
}

func (c *Certificate) useless(err error) error {
	return sqlerr.Wrap(err, sqlerr.BadArguments, "The certificate %s with the key %s cannot be used", c.cert, c.key)
}

// read reads the files, not what is in them.
func (c *Certificate) read() (*certificate, error) {
	var texts [2][]byte
	for i, name := range []string{c.cert, c.key} {
		var err error
		if texts[i], err = c.readFile(name); err != nil {
			return nil, sqlerr.Wrap(err, sqlerr.BadArguments, "Cannot read %s", name)
		}
	}
	return &certificate{certText: texts[0], keyText: texts[1]}, nil
}

func (c *Certificate) readFile(name string) ([]byte, error) {
	f, err := c.fs.Open(name)
	if err != nil {
		return nil, err
	}
	size, err := f.Size()
	_ = f.Close() // it was only read
	if err != nil {
		return nil, err
	}
	if size > maxCertificate {
		return nil, sqlerr.New(sqlerr.BadArguments, "the file has %d bytes; the limit is %d", size, maxCertificate)
	}
	return vfs.ReadFile(c.fs, name)
}

func parsePair(c *certificate) (*tls.Certificate, error) {
	pair, err := tls.X509KeyPair(c.certText, c.keyText)
	if err != nil {
		return nil, err
	}
	return &pair, nil
}

// get returns the certificate for a connection that begins now.
func (c *Certificate) get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	now, last := c.clock.Now().UnixNano(), c.checked.Load()
	if now-last >= int64(certificateCheck) && c.checked.CompareAndSwap(last, now) { // one connection looks, the others go on
		c.refresh()
	}
	return c.current.Load().pair, nil
}

// refresh takes files that have changed into use. A pair of which one file has been replaced and the other not yet is refused, and
// tried again when the other has been.
func (c *Certificate) refresh() {
	old := c.current.Load()
	now, err := c.read()
	switch {
	case err != nil:
		now = &certificate{certText: old.certText, keyText: old.keyText}
	case bytes.Equal(now.certText, old.certText) && bytes.Equal(now.keyText, old.keyText):
		return
	default:
		if now.pair, err = parsePair(now); err == nil {
			c.current.Store(now)
			c.log.Info("a new certificate is in use", "file", c.cert, "until", now.pair.Leaf.NotAfter)
			return
		}
	}
	now.pair, now.failed = old.pair, err.Error()
	if now.failed != old.failed {
		c.log.Warn("the certificate has not been renewed; the last one stays in use", "error", c.useless(err))
	}
	c.current.Store(now)
}

// Listen wraps a listener, so that its connections are encrypted: TLS 1.2 at least.
func (c *Certificate) Listen(l net.Listener) net.Listener {
	return tls.NewListener(l, &tls.Config{
		MinVersion: tls.VersionTLS12, GetCertificate: c.get,
		NextProtos: []string{"http/1.1"}, // HTTP/2 cannot cut an answer off as clients know it
	})
}
