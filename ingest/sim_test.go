package ingest

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
)

var simSeeds = flag.Int("sim.seeds", 3, "simulated runs in virtual time")

// TestSimulation runs consumers, brokers and producers in virtual time, with latency everywhere, connections that break,
// partitions that move and are added, aborted transactions, commits that fail or whose outcome is unknown, and leaders that
// change while the old one's consumer goes on. Every message must be there once. Without the shard's fences the same runs
// must show doubled rows, or they prove nothing.
func TestSimulation(t *testing.T) {
	t.Parallel()
	doubled := 0
	for seed := range *simSeeds {
		s := &sim{seed: uint64(seed)}
		t.Run(fmt.Sprint(seed), func(t *testing.T) { synctest.Test(t, s.run) })
		loose := &sim{seed: uint64(seed), loose: true}
		t.Run(fmt.Sprintf("%d without fences", seed), func(t *testing.T) { synctest.Test(t, loose.run) })
		doubled += loose.doubled
	}
	if doubled == 0 {
		t.Error("no run without fences doubled a row")
	}
}

type sim struct {
	seed    uint64
	loose   bool
	doubled int

	t     *testing.T
	b     *broker
	shard *simShard
	ids   int // committed messages, numbered from 0
	bad   int // of them unreadable
}

// simRand is a source that many goroutines may use.
type simRand struct {
	mu  sync.Mutex
	rng *rand.Rand
}

func (r *simRand) n(n int) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.rng.IntN(n)
}

func (r *simRand) ms(n int) time.Duration { return time.Duration(r.n(n*1000)) * time.Microsecond }

// simShard is a shard whose commits take time and whose answers get lost.
type simShard struct {
	*shard
	rnd  *simRand
	calm atomic.Bool
}

func (s *simShard) Cursors(ctx context.Context, id string) (Position, error) {
	time.Sleep(s.rnd.ms(20))
	if !s.calm.Load() && s.rnd.n(20) == 0 {
		return Position{}, errors.New("no leader")
	}
	return s.shard.Cursors(ctx, id)
}

func (s *simShard) Commit(ctx context.Context, b Batch) error {
	time.Sleep(s.rnd.ms(50))
	if !s.calm.Load() && s.rnd.n(15) == 0 {
		return errors.New("refused")
	}
	err := s.shard.Commit(context.WithoutCancel(ctx), b) // a proposal goes on when its caller has gone
	time.Sleep(s.rnd.ms(50))
	if err == nil && !s.calm.Load() && s.rnd.n(15) == 0 {
		return errors.New("outcome unknown")
	}
	return err
}

const simPartitions = 3

func (s *sim) run(t *testing.T) {
	rnd := &simRand{rng: rand.New(rand.NewPCG(s.seed, 7))}
	s.t = t
	s.shard = &simShard{shard: newShard(t), rnd: rnd}
	s.shard.loose = s.loose
	var network kfake.VirtualNetwork
	fake, err := kfake.NewCluster(kfake.NumBrokers(3), kfake.Ports(9092, 9093, 9094), kfake.ListenFn(network.Listen))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(fake.Close)
	s.b = &broker{t: t, fake: fake, addrs: fake.ListenAddrs(), dial: network.DialContext}
	s.b.connect()
	s.b.topic("a", simPartitions)
	consuming := *s.b
	consuming.dial = func(ctx context.Context, network, address string) (net.Conn, error) {
		if !s.shard.calm.Load() && rnd.n(10) == 0 {
			return nil, errors.New("connection refused")
		}
		c, err := s.b.dial(ctx, network, address)
		if err != nil {
			return nil, err
		}
		return &flakyConn{Conn: c, rnd: rnd, calm: &s.shard.calm}, nil
	}
	consumers := []*Consumer{consuming.start(s.shard, "a")}
	partitions := simPartitions
	for range 60 {
		time.Sleep(rnd.ms(500))
		switch rnd.n(8) {
		case 0: // another leader; the old one's consumer lives on for a while
			s.shard.mu.Lock()
			s.shard.mu.term++
			s.shard.mu.Unlock()
			consumers = append(consumers, consuming.start(s.shard, "a"))
			if len(consumers) > 2 {
				consumers[0].Close()
				consumers = consumers[1:]
			}
		case 1:
			_ = fake.MoveTopicPartition("a", int32(rnd.n(partitions)), int32(rnd.n(3)))
		case 2:
			if partitions < 6 {
				if _, err := s.b.admin.CreatePartitions(testContext(t), 1, "a"); err != nil {
					t.Fatal(err)
				}
				partitions++
			}
		case 3, 4:
			s.transaction(rnd, int32(rnd.n(simPartitions)))
		default:
			s.plain(rnd, int32(rnd.n(partitions)))
		}
	}
	s.shard.calm.Store(true)
	s.check(consumers[len(consumers)-1])
}

// plain writes messages outside of transactions, some of which cannot be read.
func (s *sim) plain(rnd *simRand, partition int32) {
	var values []string
	for range 1 + rnd.n(50) {
		v := event(s.ids)
		if rnd.n(20) == 0 {
			v = "bad" + v
			s.bad++
		}
		values = append(values, v)
		s.ids++
	}
	s.b.produceRetried("a", partition, values...)
}

// transaction writes messages and keeps half of the transactions.
func (s *sim) transaction(rnd *simRand, partition int32) {
	tx := s.b.kafka(kgo.TransactionalID("tx"), kgo.RecordPartitioner(kgo.ManualPartitioner()))
	defer tx.Close()
	keep := kgo.TransactionEndTry(rnd.n(2) == 0)
	if err := tx.BeginTransaction(); err != nil {
		s.t.Fatal(err)
	}
	for i := range 1 + rnd.n(20) {
		v := event(1_000_000 + i)
		if keep {
			v = event(s.ids)
			s.ids++
		}
		r := &kgo.Record{Topic: "a", Partition: partition, Value: []byte(v)}
		if err := tx.ProduceSync(testContext(s.t), r).FirstErr(); err != nil {
			s.t.Fatal(err)
		}
		time.Sleep(rnd.ms(20))
	}
	if err := tx.EndTransaction(testContext(s.t), keep); err != nil {
		s.t.Fatal(err)
	}
}

// check waits until all is consumed and counts.
func (s *sim) check(c *Consumer) {
	all := func() bool {
		s.shard.mu.Lock()
		defer s.shard.mu.Unlock()
		return len(s.shard.mu.rows)+len(s.shard.mu.letters) >= s.ids
	}
	for deadline := time.Now().Add(10 * time.Minute); !all() && time.Now().Before(deadline); {
		time.Sleep(100 * time.Millisecond)
	}
	time.Sleep(time.Minute)
	s.shard.mu.Lock()
	defer s.shard.mu.Unlock()
	seen := make([]int, s.ids)
	for _, r := range s.shard.mu.rows {
		if r.ID >= uint64(s.ids) {
			s.t.Fatalf("row %+v of an aborted transaction", r)
		}
		seen[r.ID]++
	}
	for _, l := range s.shard.mu.letters {
		var id int
		if _, err := fmt.Sscanf(string(l.Raw), `bad{"id":%d`, &id); err != nil {
			s.t.Fatalf("dead letter %s", l.Raw)
		}
		seen[id]++
	}
	for id, n := range seen {
		switch {
		case n > 1 && s.loose:
			s.doubled++
		case n != 1:
			s.t.Fatalf("message %d came %d times; %+v", id, n, c.Status())
		}
	}
	if !s.loose && len(s.shard.mu.letters) != s.bad {
		s.t.Errorf("%d dead letters for %d bad messages", len(s.shard.mu.letters), s.bad)
	}
}

// flakyConn is slow and breaks now and then.
type flakyConn struct {
	net.Conn
	rnd  *simRand
	calm *atomic.Bool
}

func (f *flakyConn) Read(p []byte) (int, error) {
	time.Sleep(f.rnd.ms(5))
	if !f.calm.Load() && f.rnd.n(300) == 0 {
		f.Conn.Close()
	}
	return f.Conn.Read(p)
}
