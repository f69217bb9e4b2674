package demo

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"path/filepath"
	"strings"
	"time"

	"github.com/olapd/olapd/internal/vfs"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
)

const (
	topic = "events"
	// The topic keeps the last minutes: what the node has not taken by then, it has no disk for either. A partition's
	// files are read whole when the broker starts.
	retentionBytes = "134217728"
	segmentBytes   = "33554432"
	// retentionInterval is how often the broker looks for what it may forget.
	retentionInterval = 20 * time.Second
)

// broker is an embedded Kafka broker whose topics, records and offsets live in a directory. They survive a kill of the process, since
// every record is handed to the kernel before it is acknowledged.
type broker struct {
	addr    string
	cluster *kfake.Cluster
	admin   *kgo.Client
	stop    chan struct{}
	done    chan struct{} // closed when forget has ended
}

// openBroker starts a broker on dir. An address that was used before is kept, because the Kafka table names it; else want is
// tried, and if something else listens there, any free port is taken.
func openBroker(ctx context.Context, dir, want string, partitions int, log *slog.Logger) (*broker, error) {
	fsys := vfs.Disk()
	if err := fsys.MkdirAll(dir); err != nil {
		return nil, fmt.Errorf("broker: %w", err)
	}
	l, err := brokerListener(fsys, filepath.Join(dir, "address"), want)
	if err != nil {
		return nil, err
	}
	listen := func(string, string) (net.Listener, error) { return l, nil }
	c, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.ListenFn(listen), kfake.DataDir(dir), kfake.WithLogger(kafkaLog{log}))
	if err != nil {
		return nil, errors.Join(fmt.Errorf("broker: %w", err), closeListener(l))
	}
	b := &broker{addr: l.Addr().String(), cluster: c, stop: make(chan struct{}), done: make(chan struct{})}
	if b.admin, err = kgo.NewClient(kgo.SeedBrokers(b.addr)); err != nil {
		c.Close()
		return nil, fmt.Errorf("broker: %w", err)
	}
	go b.forget()
	if err := b.createTopic(ctx, partitions); err != nil {
		b.close()
		return nil, err
	}
	return b, nil
}

func closeListener(l net.Listener) error {
	if err := l.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
		return err
	}
	return nil
}

// brokerListener listens on the address that the file holds, or chooses one and writes it there.
func brokerListener(fsys vfs.FS, file, want string) (net.Listener, error) {
	old, err := vfs.ReadFile(fsys, file)
	if err == nil {
		addr := strings.TrimSpace(string(old))
		l, err := net.Listen("tcp", addr)
		if err != nil {
			return nil, fmt.Errorf("the Kafka broker of this demo listens on %s, which is taken: stop what listens there, or use another --data (%w)", addr, err)
		}
		return l, nil
	}
	if !vfs.IsNotExist(err) {
		return nil, fmt.Errorf("broker: %w", err)
	}
	l, err := listen(want)
	if err != nil {
		return nil, err
	}
	if err := vfs.WriteFileAtomic(fsys, file, []byte(l.Addr().String()+"\n")); err != nil {
		return nil, errors.Join(fmt.Errorf("broker: %w", err), l.Close())
	}
	return l, nil
}

// listen listens on an address or, if that is taken, on a free port of the same host.
func listen(addr string) (net.Listener, error) {
	l, err := net.Listen("tcp", addr)
	if err == nil {
		return l, nil
	}
	host, _, serr := net.SplitHostPort(addr)
	if serr != nil {
		return nil, err
	}
	if other, oerr := net.Listen("tcp", net.JoinHostPort(host, "0")); oerr == nil {
		return other, nil
	}
	return nil, err
}

func (b *broker) createTopic(ctx context.Context, partitions int) error {
	retention, segment := retentionBytes, segmentBytes
	_, err := kadm.NewClient(b.admin).CreateTopic(ctx, int32(partitions), 1, map[string]*string{"retention.bytes": &retention, "segment.bytes": &segment}, topic)
	if err != nil && !errors.Is(err, kerr.TopicAlreadyExists) {
		return fmt.Errorf("broker: creating topic %s: %w", topic, err)
	}
	return nil
}

// forget applies the topic's retention now and then.
func (b *broker) forget() {
	defer close(b.done)
	t := time.NewTicker(retentionInterval)
	defer t.Stop()
	for {
		select {
		case <-b.stop:
			return
		case <-t.C:
			b.cluster.ApplyRetention()
		}
	}
}

// ends returns the next offset of every partition.
func (b *broker) ends(ctx context.Context) (map[int32]int64, error) {
	listed, err := kadm.NewClient(b.admin).ListEndOffsets(ctx, topic)
	if err != nil {
		return nil, fmt.Errorf("broker: %w", err)
	}
	if err := listed.Error(); err != nil {
		return nil, fmt.Errorf("broker: %w", err)
	}
	ends := map[int32]int64{}
	listed.Each(func(o kadm.ListedOffset) { ends[o.Partition] = o.Offset })
	return ends, nil
}

// close stops the broker; everything in it is on disk then.
func (b *broker) close() {
	close(b.stop)
	<-b.done
	b.admin.Close()
	b.cluster.Close()
}

// kafkaLog passes the broker's warnings on.
type kafkaLog struct{ *slog.Logger }

// Logf implements kfake.Logger.
func (l kafkaLog) Logf(level kfake.LogLevel, format string, args ...any) {
	if level <= kfake.LogLevelWarn {
		l.Warn("broker: " + fmt.Sprintf(format, args...))
	}
}
