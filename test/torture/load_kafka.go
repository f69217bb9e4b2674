package torture

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// kafkaLoad writes numbered messages to a topic, idempotently.
type kafkaLoad struct {
	topic string
	rate  int // a second
	bad   int // every so manieth does not parse; 0: none
	made  atomic.Uint64
	acked atomic.Uint64
	// ackedBad of the acknowledged do not parse.
	ackedBad atomic.Uint64
	failed   atomic.Pointer[error]
}

var kinds = []string{"view", "click", "cart", "purchase", "search", "login", "logout"}

// run writes until ctx ends and then waits until everything is acknowledged.
func (l *kafkaLoad) run(ctx context.Context, addr string, seed uint64) error {
	c, err := kgo.NewClient(kgo.SeedBrokers(strings.Split(addr, ",")...), kgo.DefaultProduceTopic(l.topic), kgo.ProducerLinger(5*time.Millisecond),
		kgo.RetryBackoffFn(func(int) time.Duration { return 50 * time.Millisecond }), kgo.RecordPartitioner(kgo.RoundRobinPartitioner()))
	if err != nil {
		return fmt.Errorf("load: %w", err)
	}
	defer c.Close()
	r := rand.New(rand.NewPCG(seed, 1))
	const tick = 10 * time.Millisecond
	t := time.NewTicker(tick)
	defer t.Stop()
	due := 0.0
	for ctx.Err() == nil {
		select {
		case <-ctx.Done():
		case <-t.C:
			for due += float64(l.rate) * tick.Seconds(); due >= 1; due-- {
				l.produce(c, r)
			}
		}
	}
	flush, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := c.Flush(flush); err != nil {
		return fmt.Errorf("load: messages are not acknowledged: %w", err)
	}
	if err := l.failed.Load(); err != nil {
		return *err
	}
	return nil
}

func (l *kafkaLoad) produce(c *kgo.Client, r *rand.Rand) {
	id := l.made.Add(1)
	bad := l.bad > 0 && id%uint64(l.bad) == 0
	text := fmt.Sprintf(`{"id":%d,"user":%d,"kind":"%s","amount":%d,"ts":"%s"}`, id, r.IntN(5000), kinds[r.IntN(len(kinds))], r.IntN(2000)-500,
		time.Now().UTC().Format(time.DateTime))
	if bad {
		text = text[:len(text)/2]
	}
	c.Produce(context.Background(), kgo.StringRecord(text), func(_ *kgo.Record, err error) {
		if err != nil {
			err = fmt.Errorf("load: message %d: %w", id, err)
			l.failed.Store(&err)
			return
		}
		l.acked.Add(1)
		if bad {
			l.ackedBad.Add(1)
		}
	})
}
