package ingest

import (
	"context"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
)

// TestTransactions: nothing of aborted transactions is read, and cursors pass the markers.
func TestTransactions(t *testing.T) {
	t.Parallel()
	b := newBroker(t)
	testTransactions(t, b)
}

func testTransactions(t *testing.T, b *broker) {
	topic := b.topic(b.name("tx"), 1)
	tx := b.kafka(kgo.TransactionalID(topic), kgo.RecordPartitioner(kgo.ManualPartitioner()), kgo.DefaultProduceTopic(topic))
	ctx := testContext(t)
	id := 0
	for round := range 6 {
		commit := kgo.TransactionEndTry(round%2 == 0)
		if err := tx.BeginTransaction(); err != nil {
			t.Fatal(err)
		}
		for i := range 10 {
			v := event(1_000_000 + i)
			if commit {
				v = event(id)
				id++
			}
			if err := tx.ProduceSync(ctx, kgo.StringRecord(v)).FirstErr(); err != nil {
				t.Fatal(err)
			}
		}
		if err := tx.EndTransaction(ctx, commit); err != nil {
			t.Fatal(err)
		}
	}
	s := newShard(t)
	c := b.start(s, topic)
	wait(t, c, "rows", func() bool { return s.count() == id })
	s.ids(id)
	wait(t, c, "the cursor behind the last marker", func() bool { return c.Status().Partitions[0].Next == 66 })
	if lag := c.Status().Partitions[0].Lag(); lag != 0 {
		t.Errorf("lag %d", lag)
	}
}

func TestPartitionsAndTopicsComeLater(t *testing.T) {
	t.Parallel()
	b := newBroker(t)
	testLater(t, b)
}

func testLater(t *testing.T, b *broker) {
	one, two := b.name("one"), b.name("two")
	s := newShard(t)
	c := b.start(s, one+","+two, "kafka_auto_offset_reset", "latest")
	wait(t, c, "a state", func() bool { st := c.Status().Partitions; return len(st) == 2 && st[0].State == Unavailable })
	b.topic(one, 1)
	wait(t, c, "the topic", func() bool { return s.has(one, 0) })
	b.produceIDs(one, 1, 0, 10)
	wait(t, c, "rows", func() bool { return s.count() == 10 })
	if _, err := b.admin.CreatePartitions(testContext(t), 2, one); err != nil {
		t.Fatal(err)
	}
	time.Sleep(50 * time.Millisecond)
	b.produceRetried(one, 1, event(10))
	b.produceRetried(one, 2, event(11))
	b.topic(two, 1)
	wait(t, c, "the second topic", func() bool { return s.has(two, 0) })
	b.produce(two, 0, event(12))
	wait(t, c, "rows of new partitions", func() bool { return s.count() == 13 })
	s.ids(13)
}

func TestLeaderMoves(t *testing.T) {
	t.Parallel()
	b := newBroker(t, kfake.NumBrokers(3))
	b.topic("a", 2)
	s := newShard(t)
	c := b.start(s, "a")
	for i := range 12 {
		for p := range int32(2) {
			if err := b.fake.MoveTopicPartition("a", p, int32(i+int(p))%3); err != nil {
				t.Fatal(err)
			}
		}
		b.produceIDs("a", 2, i*10, i*10+10)
	}
	wait(t, c, "rows", func() bool { return s.count() == 120 })
	s.ids(120)
}

func TestBrokerRestarts(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	ports := freePorts(t, 1)
	opts := []kfake.Opt{kfake.NumBrokers(1), kfake.DataDir(dir), kfake.Ports(ports...)}
	fake, err := kfake.NewCluster(opts...)
	if err != nil {
		t.Fatal(err)
	}
	b := &broker{t: t, fake: fake, addrs: fake.ListenAddrs()}
	b.connect()
	b.topic("a", 2)
	s := newShard(t)
	c := b.start(s, "a")
	b.produceIDs("a", 2, 0, 100)
	wait(t, c, "rows", func() bool { return s.count() == 100 })
	fake.Close()
	wait(t, c, "the failure", func() bool { st := c.Status(); return st.State == Retrying && len(st.Exceptions) > 0 })
	if fake, err = kfake.NewCluster(opts...); err != nil {
		t.Fatal(err)
	}
	defer fake.Close()
	b.produceIDs("a", 2, 100, 200)
	wait(t, c, "rows after the restart", func() bool { return s.count() == 200 })
	s.ids(200)
	wait(t, c, "the state", func() bool { return c.Status().State == Running })
}

func TestBrokerIsDownAtFirst(t *testing.T) {
	t.Parallel()
	ports := freePorts(t, 1)
	b := &broker{t: t, addrs: []string{"127.0.0.1:" + itoa(ports[0])}}
	s := newShard(t)
	c := b.start(s, "a")
	wait(t, c, "the failure", func() bool { st := c.Status(); return len(st.Exceptions) > 0 })
	fake, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.Ports(ports...), kfake.SeedTopics(1, "a"))
	if err != nil {
		t.Fatal(err)
	}
	defer fake.Close()
	b.connect()
	b.produceIDs("a", 1, 0, 10)
	wait(t, c, "rows", func() bool { return s.count() == 10 })
}

func TestLossHalts(t *testing.T)   { t.Parallel(); testLoss(t, newBroker(t), false) }
func TestLossSkipped(t *testing.T) { t.Parallel(); testLoss(t, newBroker(t), true) }

// testLoss lets retention pass the cursor of one of two partitions.
func testLoss(t *testing.T, b *broker, skip bool) {
	topic := b.topic(b.name("loss"), 2)
	s := newShard(t)
	c := b.start(s, topic)
	b.produceIDs(topic, 2, 0, 20)
	wait(t, c, "rows", func() bool { return s.count() == 20 })
	c.Close()
	b.produce(topic, 0, `{"id":1000}`, `{"id":1001}`, event(20))
	b.produce(topic, 1, event(21))
	b.deleteRecords(topic, 0, 12)
	mode := "halt"
	if skip {
		mode = "skip"
	}
	c = b.start(s, topic, "kafka_on_data_loss", mode)
	if skip {
		wait(t, c, "rows behind the gap", func() bool { return s.count() == 22 })
		s.ids(22)
		if g := s.mu.gaps; len(g) != 1 || g[0].Start != 10 || g[0].End != 12 {
			t.Errorf("gaps %v", g)
		}
		return
	}
	wait(t, c, "the halt", func() bool { return s.count() == 21 && c.Status().Partitions[0].State == HaltedLost })
	if st := c.Status(); !strings.Contains(st.Partitions[0].Reason, "10 to 11") || st.Partitions[1].State != Consuming {
		t.Errorf("status %+v", st)
	}
}

// TestLossWhileRunning lets retention pass the cursor while commits are stuck.
func TestLossWhileRunning(t *testing.T) {
	t.Parallel()
	b := newBroker(t)
	b.topic("a", 1)
	b.produceIDs("a", 1, 0, 10)
	s := newShard(t)
	c := b.start(s, "a")
	wait(t, c, "rows", func() bool { return s.count() == 10 })
	gate := make(chan struct{})
	s.mu.Lock()
	s.before = func(int, Batch) error {
		select {
		case <-gate:
			return nil
		default:
			return errStale
		}
	}
	s.mu.Unlock()
	b.produceIDs("a", 1, 10, 20)
	wait(t, c, "failing commits", func() bool { return c.Status().State == Retrying })
	b.deleteRecords("a", 0, 15)
	close(gate)
	wait(t, c, "the halt or the rows", func() bool { return c.Status().Partitions[0].State == HaltedLost || s.count() == 20 })
}

func TestRecreated(t *testing.T) {
	t.Parallel()
	for _, skip := range []bool{false, true} {
		b := newBroker(t)
		testRecreated(t, b, skip)
	}
}

func testRecreated(t *testing.T, b *broker, skip bool) {
	topic := b.topic(b.name("again"), 1)
	mode := "halt"
	if skip {
		mode = "skip"
	}
	s := newShard(t)
	c := b.start(s, topic, "kafka_on_data_loss", mode)
	b.produceIDs(topic, 1, 0, 10)
	wait(t, c, "rows", func() bool { return s.count() == 10 })
	if _, err := b.admin.DeleteTopic(testContext(t), topic); err != nil {
		t.Fatal(err)
	}
	wait(t, c, "the loss of the topic", func() bool { return c.Status().Partitions[0].State == Unavailable })
	b.topic(topic, 1)
	b.produceRetried(topic, 0, event(10))
	if skip {
		wait(t, c, "rows of the new topic", func() bool { return s.count() == 11 })
		s.ids(11)
		if len(s.mu.gaps) != 1 {
			t.Errorf("gaps %v", s.mu.gaps)
		}
		return
	}
	wait(t, c, "the halt", func() bool { return c.Status().Partitions[0].State == HaltedRecreated })
	s.ids(10)
}

func TestTruncated(t *testing.T) {
	t.Parallel()
	testTruncated(t, newBroker(t))
}

func testTruncated(t *testing.T, b *broker) {
	topic := b.topic(b.name("a"), 2)
	b.produceIDs(topic, 2, 0, 20)
	s := newShard(t)
	c := b.start(s, topic)
	wait(t, c, "rows", func() bool { return s.count() == 20 })
	c.Close()
	at := s.mu.cursors[TopicPartition{topic, 0}]
	at.Next = 15
	s.mu.cursors[TopicPartition{topic, 0}] = at
	c = b.start(s, topic, "kafka_on_data_loss", "skip")
	wait(t, c, "the halt", func() bool { p := c.Status().Partitions; return len(p) == 2 && p[0].State == HaltedTruncated })
	b.produceIDs(topic, 2, 20, 60) // past the cursor
	wait(t, c, "the other partition", func() bool { return s.count() == 40 })
	if _, err := b.admin.CreatePartitions(testContext(t), 1, topic); err != nil { // a new session
		t.Fatal(err)
	}
	wait(t, c, "the new partition", func() bool { return len(c.Status().Partitions) == 3 })
	if p := c.Status().Partitions[0]; p.State != HaltedTruncated {
		t.Errorf("resumed over other messages: %v", p)
	}
}

// TestGroup: lag tools see the cursors in the consumer group.
func TestGroup(t *testing.T) { t.Parallel(); testGroup(t, newBroker(t)) }

func testGroup(t *testing.T, b *broker) {
	topic := b.topic(b.name("lag"), 2)
	s := newShard(t)
	c := b.start(s, topic)
	b.produceIDs(topic, 2, 0, 20)
	wait(t, c, "rows", func() bool { return s.count() == 20 })
	wait(t, c, "the group", func() bool { return groupLag(t, b, "g-"+topic) == 0 })
	c.Close()
	b.produceIDs(topic, 2, 20, 30)
	if lag := groupLag(t, b, "g-"+topic); lag != 10 {
		t.Errorf("lag %d", lag)
	}
}

// groupLag returns the sum over all partitions, or -1.
func groupLag(t *testing.T, b *broker, group string) int64 {
	lags, err := b.admin.Lag(testContext(t), group)
	if err != nil {
		t.Fatal(err)
	}
	l := lags[group]
	if l.Error() != nil || len(l.Lag) == 0 {
		return -1
	}
	return l.Lag.Total()
}

// TestBackPressure: while commits hang, what is buffered stays bounded and nothing is lost.
func TestBackPressure(t *testing.T) {
	t.Parallel()
	testBackPressure(t, newBroker(t))
}

func testBackPressure(t *testing.T, b *broker) {
	topic := b.topic(b.name("a"), 2)
	s := newShard(t)
	gate := make(chan struct{})
	s.before = func(n int, _ Batch) error {
		if n > 1 {
			<-gate
		}
		return nil
	}
	c := b.start(s, topic)
	c.budget.SetLimit(1 << 20)
	b.produceIDs(topic, 2, 0, 20000)
	wait(t, c, "a full budget", func() bool { return c.Status().State == WaitingForMemory })
	if used := c.budget.Peak(); used > 1<<20 {
		t.Errorf("%d bytes are buffered", used)
	}
	close(gate)
	wait(t, c, "rows", func() bool { return s.count() == 20000 })
	s.ids(20000)
	c.Close()
	if used := c.budget.Used(); used != 0 {
		t.Errorf("%d bytes were not given back", used)
	}
}

func TestSASL(t *testing.T) {
	t.Parallel()
	fake, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.EnableSASL(), kfake.Superuser("SCRAM-SHA-256", "u", "p"), kfake.SeedTopics(1, "a"))
	if err != nil {
		t.Fatal(err)
	}
	defer fake.Close()
	b := &broker{t: t, fake: fake, addrs: fake.ListenAddrs()}
	s := newShard(t)
	c := b.start(s, "a", "kafka_sasl_mechanism", "SCRAM-SHA-256", "kafka_sasl_username", "u", "kafka_sasl_password", "wrong")
	wait(t, c, "the refusal", func() bool { return len(c.Status().Exceptions) > 0 })
	c.Close()
	c = b.start(s, "a", "kafka_sasl_mechanism", "SCRAM-SHA-256", "kafka_sasl_username", "u", "kafka_sasl_password", "p")
	wait(t, c, "the start", func() bool { return s.has("a", 0) })
}

// TestCloseWhileStuck: Close returns whatever the consumer waits for.
func TestCloseWhileStuck(t *testing.T) {
	t.Parallel()
	b := newBroker(t)
	b.topic("a", 1)
	b.produceIDs("a", 1, 0, 10)
	c := b.start(stuck{}, "a")
	time.Sleep(100 * time.Millisecond)
	c.Close()
	if c.Status().State != Stopped {
		t.Errorf("state %s", c.Status().State)
	}
}

type stuck struct{}

func (stuck) Cursors(context.Context, string) (Position, error) { return Position{}, nil }
func (stuck) Commit(ctx context.Context, _ Batch) error         { <-ctx.Done(); return ctx.Err() }

func freePorts(t *testing.T, n int) []int {
	var ports []int
	for range n {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		ports = append(ports, l.Addr().(*net.TCPAddr).Port)
	}
	return ports
}

// deleteRecords moves the start of the log.
func (b *broker) deleteRecords(topic string, partition int32, before int64) {
	b.t.Helper()
	os := kadm.Offsets{}
	os.Add(kadm.Offset{Topic: topic, Partition: partition, At: before, LeaderEpoch: -1})
	r, err := b.admin.DeleteRecords(testContext(b.t), os)
	if err == nil {
		err = r.Error()
	}
	if err != nil {
		b.t.Fatal(err)
	}
}

// produceRetried writes through a new client, for topics that have changed under the old one's eyes.
func (b *broker) produceRetried(topic string, partition int32, values ...string) {
	b.t.Helper()
	fresh := &broker{t: b.t, addrs: b.addrs, dial: b.dial}
	fresh.connect()
	fresh.produce(topic, partition, values...)
}

// has reports whether the partition has a cursor.
func (s *shard) has(topic string, partition int32) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, ok := s.mu.cursors[TopicPartition{topic, partition}]
	return ok
}
