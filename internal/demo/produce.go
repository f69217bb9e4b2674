package demo

import (
	"context"
	"fmt"
	"io"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

const (
	// paceInterval is how often the producer catches up with its rate: rows leave every few milliseconds, not in gusts.
	paceInterval = 5 * time.Millisecond
	// maxBehind is how far the producer tries to catch up after a pause, in seconds of its rate.
	maxBehind = 1
	// maxBuffered is how many events wait for the broker before the producer waits too.
	maxBuffered = 1 << 17
	// sampleEvery: of so many events one is watched until it is visible.
	sampleEvery = 64
	// samplesKept bounds the samples that wait; more are dropped, as when queries stop for a while.
	samplesKept = 1 << 14
	// flushTimeout bounds the wait for acknowledgements at the end.
	flushTimeout = 5 * time.Second
)

// sample is an event that is on its way: it is visible when a query sees its offset.
type sample struct {
	partition int32
	offset    int64
	at        time.Time // when it was handed to the Kafka client
}

// producer writes generated events to the topic at a rate, idempotently.
type producer struct {
	client  *kgo.Client
	gen     *generator
	rate    int
	samples chan sample
	sent    atomic.Uint64 // acknowledged
	mu      struct {
		sync.Mutex
		err error // the first event that was refused
	}
}

// produceOnly produces events to a broker that is somebody else's, whose topic is made if the broker does so.
func produceOnly(ctx context.Context, o options, out io.Writer) error {
	if o.length > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, o.length)
		defer cancel()
	}
	p, err := newProducer(o.kafka, o.rate, 0, kgo.AllowAutoTopicCreation())
	if err != nil {
		return err
	}
	defer p.close()
	fmt.Fprintf(out, "%s events a second to topic %s at %s\n", grouped(int64(o.rate)), topic, o.kafka)
	return p.run(ctx)
}

// newProducer returns a producer of the events behind the first start.
func newProducer(addr string, rate int, start uint64, more ...kgo.Opt) (*producer, error) {
	client, err := kgo.NewClient(append(more, kgo.SeedBrokers(addr), kgo.DefaultProduceTopic(topic), kgo.ClientID("olapd-demo"),
		kgo.ProducerLinger(paceInterval), kgo.MaxBufferedRecords(maxBuffered), kgo.ProducerBatchCompression(kgo.Lz4Compression()))...)
	if err != nil {
		return nil, fmt.Errorf("producer: %w", err)
	}
	return &producer{client: client, gen: newGenerator(1, start), rate: rate, samples: make(chan sample, samplesKept)}, nil
}

// run produces until ctx ends, and then waits for what is under way.
func (p *producer) run(ctx context.Context) error {
	t := time.NewTicker(paceInterval)
	defer t.Stop()
	last, due := time.Now(), 0.0
	for {
		select {
		case <-ctx.Done():
			return p.flush()
		case now := <-t.C:
			due = min(due+now.Sub(last).Seconds()*float64(p.rate), float64(maxBehind*p.rate)+1)
			last = now
			for ; due >= 1; due-- {
				p.produce(ctx)
			}
			if err := p.failed(); err != nil {
				return err
			}
		}
	}
}

func (p *producer) produce(ctx context.Context) {
	now := time.Now()
	value, user := p.gen.next(make([]byte, 0, 384), now)
	r := &kgo.Record{Key: strconv.AppendUint(nil, user, 10), Value: value}
	// Not ctx: an event that was begun is finished by flush.
	p.client.Produce(context.WithoutCancel(ctx), r, func(r *kgo.Record, err error) {
		if err != nil {
			p.fail(err)
			return
		}
		if p.sent.Add(1)%sampleEvery == 0 {
			select {
			case p.samples <- sample{r.Partition, r.Offset, now}:
			default:
			}
		}
	})
}

func (p *producer) flush() error {
	ctx, cancel := context.WithTimeout(context.Background(), flushTimeout)
	defer cancel()
	if err := p.client.Flush(ctx); err != nil {
		return fmt.Errorf("producer: %w", err)
	}
	return p.failed()
}

func (p *producer) fail(err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.mu.err == nil {
		p.mu.err = fmt.Errorf("producer: %w", err)
	}
}

func (p *producer) failed() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.mu.err
}

func (p *producer) close() { p.client.Close() }
