package main

import (
	"bufio"
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
)

const (
	kafkaTopic = "events"
	// distinctEvents is how many messages are made; a topic of more holds them again and again.
	distinctEvents = 200_000
	// produceTick is how often messages are produced at a rate.
	produceTick = 10 * time.Millisecond
)

// brokerOptions are what a broker's topic holds.
type brokerOptions struct {
	partitions, rate int
	rows             int64
	seed             uint64
}

// runBroker is `bench kafka-broker`, the child of `bench kafka`: it tells its address and the bytes of its messages, produces
// them before that or, at a rate, once it is told to, and ends with its standard input.
func runBroker(args []string) error {
	var o brokerOptions
	fs := flag.NewFlagSet("kafka-broker", flag.ContinueOnError)
	fs.IntVar(&o.partitions, "partitions", 4, "partitions of the topic")
	fs.IntVar(&o.rate, "rate", 0, "messages a second; 0 has all produced at once")
	fs.Int64Var(&o.rows, "rows", 1_000_000, "messages")
	fs.Uint64Var(&o.seed, "seed", 1, "seed of the generator")
	if err := fs.Parse(args); err != nil {
		return err
	}
	c, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(int32(o.partitions), kafkaTopic))
	if err != nil {
		return err
	}
	defer c.Close()
	address := c.ListenAddrs()[0]
	client, err := kgo.NewClient(kgo.SeedBrokers(address), kgo.DefaultProduceTopic(kafkaTopic), kgo.RecordPartitioner(kgo.RoundRobinPartitioner()),
		kgo.ProducerBatchCompression(kgo.NoCompression()), kgo.MaxBufferedRecords(200_000), kgo.ProducerLinger(5*time.Millisecond))
	if err != nil {
		return err
	}
	defer client.Close()
	lines := eventRows(o.seed, int(min(o.rows, distinctEvents)))
	bytes := int64(0)
	for i := range o.rows {
		bytes += int64(len(lines[i%int64(len(lines))]))
	}
	if o.rate == 0 {
		if err := o.produce(client, lines); err != nil {
			return err
		}
	}
	fmt.Println(address, bytes)
	in := bufio.NewReader(os.Stdin)
	if _, err := in.ReadString('\n'); err == nil && o.rate > 0 {
		if err := o.produce(client, lines); err != nil {
			return err
		}
	}
	_, err = io.Copy(io.Discard, in)
	return err
}

// produce sends all messages, at the rate if there is one.
func (o *brokerOptions) produce(client *kgo.Client, lines []string) error {
	ctx := context.Background()
	failed := make(chan error, 1)
	start := time.Now()
	for i := range o.rows {
		if o.rate > 0 {
			for time.Duration(i)*time.Second/time.Duration(o.rate) > time.Since(start) {
				time.Sleep(produceTick)
			}
		}
		client.Produce(ctx, &kgo.Record{Value: []byte(lines[i%int64(len(lines))])}, func(_ *kgo.Record, err error) {
			if err != nil {
				select {
				case failed <- err:
				default:
				}
			}
		})
	}
	if err := client.Flush(ctx); err != nil {
		return err
	}
	select {
	case err := <-failed:
		return err
	default:
		return nil
	}
}

// brokerProcess is a broker in a process of its own.
type brokerProcess struct {
	address string
	bytes   int64 // of all messages
	cmd     *exec.Cmd
	stdin   io.WriteCloser
}

// startBroker returns when the broker has told its address.
func startBroker(o brokerOptions) (*brokerProcess, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	b := &brokerProcess{cmd: exec.Command(self, "kafka-broker", "--partitions", strconv.Itoa(o.partitions), "--rate", strconv.Itoa(o.rate),
		"--rows", strconv.FormatInt(o.rows, 10), "--seed", strconv.FormatUint(o.seed, 10))}
	b.cmd.Stderr = os.Stderr
	if b.stdin, err = b.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := b.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := b.cmd.Start(); err != nil {
		return nil, err
	}
	if _, err := fmt.Fscan(bufio.NewReader(out), &b.address, &b.bytes); err != nil {
		b.stop()
		return nil, fmt.Errorf("the broker did not start: %w", err)
	}
	return b, nil
}

// begin has messages produced that come at a rate.
func (b *brokerProcess) begin() error {
	_, err := io.WriteString(b.stdin, "\n")
	return err
}

// stop ends the broker.
func (b *brokerProcess) stop() {
	b.stdin.Close() // which it waits for
	_ = b.cmd.Wait()
}
