package torture

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
)

// The environment that makes this binary a broker.
const (
	brokerDirEnv  = "TORTURE_BROKER_DIR"
	brokerAddrEnv = "TORTURE_BROKER_ADDR"
	brokerReady   = "broker ready"
)

// brokerMain is the broker's process: it keeps everything in the directory and stops with SIGTERM, or when its parent is gone.
func brokerMain(dir, addr string) error {
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return err
	}
	listen := func(string, string) (net.Listener, error) { return l, nil }
	c, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.ListenFn(listen), kfake.DataDir(dir))
	if err != nil {
		return err
	}
	term := make(chan os.Signal, 1)
	signal.Notify(term, syscall.SIGTERM)
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin) // ends with the parent
		term <- syscall.SIGTERM
	}()
	fmt.Println(brokerReady)
	<-term
	c.Close()
	return nil
}

// broker is the Kafka that olapd reads from: our child, or a real one that is only used.
type broker struct {
	addr  string
	dir   string // "" if it is not ours
	cmd   *exec.Cmd
	stdin io.Closer
}

// startBroker starts a broker in its own process, or takes the one that KAFKA_BROKERS names.
func startBroker(dir, addr string) (*broker, error) {
	if real := os.Getenv("KAFKA_BROKERS"); real != "" {
		return &broker{addr: real}, nil
	}
	b := &broker{addr: addr, dir: dir}
	return b, b.start()
}

func (b *broker) start() error {
	b.cmd = exec.Command(os.Args[0])
	b.cmd.Env = append(os.Environ(), brokerDirEnv+"="+b.dir, brokerAddrEnv+"="+b.addr)
	b.cmd.Stderr = os.Stderr
	out, err := b.cmd.StdoutPipe()
	if err != nil {
		return fmt.Errorf("broker: %w", err)
	}
	if b.stdin, err = b.cmd.StdinPipe(); err != nil {
		return fmt.Errorf("broker: %w", err)
	}
	if err := b.cmd.Start(); err != nil {
		return fmt.Errorf("broker: %w", err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if strings.TrimSpace(line) != brokerReady {
		return fmt.Errorf("broker: it said %q: %w", line, err)
	}
	return nil
}

// stop ends the broker's process with a signal; one that is not ours goes on.
func (b *broker) stop(sig os.Signal) error {
	if b.cmd == nil {
		return nil
	}
	if err := b.cmd.Process.Signal(sig); err != nil {
		return fmt.Errorf("broker: %w", err)
	}
	err := b.cmd.Wait()
	b.cmd = nil
	if sig == syscall.SIGTERM && err != nil {
		return fmt.Errorf("broker: %w", err)
	}
	return nil
}

// createTopics makes topics that are new to the broker.
func createTopics(ctx context.Context, addr string, partitions int32, topics ...string) error {
	c, err := kgo.NewClient(kgo.SeedBrokers(strings.Split(addr, ",")...))
	if err != nil {
		return fmt.Errorf("broker: %w", err)
	}
	defer c.Close()
	made, err := kadm.NewClient(c).CreateTopics(ctx, partitions, 1, nil, topics...)
	if err != nil {
		return fmt.Errorf("broker: %w", err)
	}
	return made.Error()
}

// ends returns a topic's next offset by partition.
func ends(ctx context.Context, addr, topic string) (map[int64]int64, error) {
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	c, err := kgo.NewClient(kgo.SeedBrokers(strings.Split(addr, ",")...))
	if err != nil {
		return nil, fmt.Errorf("broker: %w", err)
	}
	defer c.Close()
	listed, err := kadm.NewClient(c).ListEndOffsets(ctx, topic)
	if err != nil {
		return nil, fmt.Errorf("broker: %w", err)
	}
	if err := listed.Error(); err != nil {
		return nil, fmt.Errorf("broker: %w", err)
	}
	ends := map[int64]int64{}
	listed.Each(func(o kadm.ListedOffset) { ends[int64(o.Partition)] = o.Offset })
	return ends, nil
}
