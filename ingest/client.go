package ingest

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/sasl"
	"github.com/twmb/franz-go/pkg/sasl/plain"
	"github.com/twmb/franz-go/pkg/sasl/scram"
)

// DialFunc opens a connection; the node's refuses addresses that are not granted.
type DialFunc func(ctx context.Context, network, address string) (net.Conn, error)

// connection returns the options that each client of the consumer has: where to, how, and as whom.
func (c *Consumer) connection() []kgo.Opt {
	cfg := &c.o.Config
	id := cfg.ClientID
	if id == "" {
		id = fmt.Sprintf("olapd-%s-%s", c.o.Database, c.o.Table)
	}
	opts := []kgo.Opt{kgo.SeedBrokers(cfg.Brokers...), kgo.ClientID(id), kgo.WithHooks(&c.board),
		// A broker that is back is found within a second or two, whatever happened before.
		kgo.RetryBackoffFn(func(n int) time.Duration { return backoff(n, minBackoff, time.Second) }),
		kgo.MetadataMinAge(250 * time.Millisecond)}
	dial := c.o.Dial
	if strings.HasSuffix(cfg.Security, "ssl") {
		tc := &tls.Config{}
		if c.o.TLS != nil {
			tc = c.o.TLS.Clone()
		}
		dial = tlsDial(dial, tc)
	}
	if dial != nil {
		opts = append(opts, kgo.Dialer(dial))
	}
	if m := mechanismOf(cfg); m != nil && strings.HasPrefix(cfg.Security, "sasl") {
		opts = append(opts, kgo.SASL(m))
	}
	return opts
}

func mechanismOf(cfg *Config) sasl.Mechanism {
	switch cfg.Mechanism {
	case "PLAIN":
		return plain.Auth{User: cfg.Username, Pass: cfg.Password}.AsMechanism()
	case "SCRAM-SHA-256":
		return scram.Auth{User: cfg.Username, Pass: cfg.Password}.AsSha256Mechanism()
	case "SCRAM-SHA-512":
		return scram.Auth{User: cfg.Username, Pass: cfg.Password}.AsSha512Mechanism()
	}
	return nil
}

// tlsDial runs TLS over the connections of dial.
func tlsDial(dial DialFunc, cfg *tls.Config) DialFunc {
	if dial == nil {
		d := &net.Dialer{Timeout: 10 * time.Second}
		dial = d.DialContext
	}
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := dial(ctx, network, address)
		if err != nil {
			return nil, err
		}
		c := cfg.Clone()
		if c.ServerName == "" {
			c.ServerName, _, _ = net.SplitHostPort(address)
		}
		t := tls.Client(conn, c)
		if err := t.HandshakeContext(ctx); err != nil {
			conn.Close()
			return nil, err
		}
		return t, nil
	}
}

// fetchClient starts fetching at the given offsets. Its options are what exactly-once needs, against the library's
// defaults: no reset to anywhere, nothing of open or aborted transactions. Markers are kept, so that cursors pass them.
func (c *Consumer) fetchClient(offsets map[string]map[int32]kgo.Offset) (*kgo.Client, error) {
	return kgo.NewClient(append(c.connection(),
		kgo.ConsumePartitions(offsets),
		kgo.ConsumeResetOffset(kgo.NoResetOffset()),
		kgo.FetchIsolationLevel(kgo.ReadCommitted()),
		kgo.KeepControlRecords(),
		kgo.FetchMinBytes(1),
		kgo.FetchMaxWait(c.o.Config.PollTimeout),
		kgo.FetchMaxBytes(fetchBytes),
		kgo.FetchMaxPartitionBytes(fetchPartitionBytes),
	)...)
}
