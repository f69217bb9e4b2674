package ingest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/types"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// row is what the tests look at in a committed row.
type row struct {
	ID        uint64
	Name      string
	Topic     string
	Partition uint64
	Offset    uint64
}

// shard is a Committer in memory that holds every batch against the promises of SourceRange and Batch.
type shard struct {
	t  *testing.T
	mu struct {
		sync.Mutex
		term    uint64
		cursors map[TopicPartition]Cursor
		rows    []row
		letters []DeadLetter
		gaps    []SourceRange
		commits int
		reads   int
	}
	// loose switches off the compare-and-set and the term's fence.
	loose bool
	// before, if set, is asked ahead of each commit; after, behind it: its error hides a commit that took effect.
	before func(n int, b Batch) error
	after  func(n int, b Batch) error
}

func newShard(t *testing.T) *shard {
	s := &shard{t: t}
	s.mu.term = 1
	s.mu.cursors = map[TopicPartition]Cursor{}
	return s
}

func (s *shard) Cursors(ctx context.Context, id string) (Position, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.mu.reads++
	p := Position{Term: s.mu.term, Cursors: map[TopicPartition]Cursor{}}
	for tp, c := range s.mu.cursors {
		p.Cursors[tp] = c
	}
	return p, ctx.Err()
}

var errStale = errors.New("stale")

func (s *shard) Commit(ctx context.Context, b Batch) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.mu.commits++
	n := s.mu.commits
	if s.before != nil {
		if err := s.before(n, b); err != nil {
			return err
		}
	}
	if err := s.applyLocked(b); err != nil {
		return err
	}
	if s.after != nil {
		return s.after(n, b)
	}
	return ctx.Err()
}

func (s *shard) applyLocked(b Batch) error {
	if b.Term != s.mu.term && !s.loose {
		return fmt.Errorf("%w: term %d, now %d", errStale, b.Term, s.mu.term)
	}
	covered := map[string]SourceRange{}
	for _, r := range b.Ranges {
		c, has := s.mu.cursors[r.TopicPartition]
		at := int64(NoOffset)
		if has {
			at = c.Next
		}
		if s.loose {
			continue
		}
		if r.Gap == "" && has && c != (Cursor{r.Start, r.TopicID}) || r.Gap != "" && r.Expect != at {
			return fmt.Errorf("%w: range %+v, cursor %+v", errStale, r, c)
		}
		if r.End < r.Start {
			s.t.Errorf("backward range %+v", r)
		}
	}
	for _, r := range b.Ranges {
		if _, twice := covered[r.TopicPartition.String()]; twice {
			s.t.Errorf("two ranges for %s", r)
		}
		covered[r.TopicPartition.String()] = r
	}
	inside := func(topic string, p int32, offset int64) {
		r, ok := covered[TopicPartition{Topic: topic, Partition: p}.String()]
		if !ok || offset < r.First || offset > r.Last || offset < r.Start || offset >= r.End {
			s.t.Errorf("%s/%d offset %d outside of %+v", topic, p, offset, r)
		}
	}
	for i := range b.Rows.N {
		r := rowAt(b.Rows, i)
		inside(r.Topic, int32(r.Partition), int64(r.Offset))
		s.mu.rows = append(s.mu.rows, r)
	}
	for _, d := range b.DeadLetters {
		inside(d.Topic, d.Partition, d.Offset)
		s.mu.letters = append(s.mu.letters, d)
	}
	for _, r := range b.Ranges {
		s.mu.cursors[r.TopicPartition] = Cursor{Next: r.End, TopicID: r.TopicID}
		if r.Gap != "" {
			s.mu.gaps = append(s.mu.gaps, r)
		}
	}
	return nil
}

// rowAt reads a row of the block of testSchema and the virtual columns.
func rowAt(b *column.Block, i int) row {
	return row{
		ID:        b.Cols[0].(*column.Num[uint64]).Data[i],
		Name:      string(b.Cols[1].(*column.Str).At(i)),
		Topic:     column.Value(b.Cols[2], i).(string),
		Offset:    b.Cols[4].(*column.Num[uint64]).Data[i],
		Partition: column.Value(b.Cols[5], i).(uint64),
	}
}

func (s *shard) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.mu.rows)
}

// ids checks that every id of [0, n) is there exactly once, and nothing else.
func (s *shard) ids(n int) {
	s.t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	seen := make([]int, n)
	for _, r := range s.mu.rows {
		if r.ID >= uint64(n) {
			s.t.Fatalf("unexpected row %+v", r)
		}
		seen[r.ID]++
	}
	for id, k := range seen {
		if k != 1 {
			s.t.Fatalf("row %d came %d times; %d rows", id, k, len(s.mu.rows))
		}
	}
}

var testSchema = column.Schema{{Name: "id", Type: types.TUInt64}, {Name: "name", Type: types.TString}}

// broker is a Kafka cluster to test against, and a client to fill it.
type broker struct {
	t      *testing.T
	fake   *kfake.Cluster // nil: a real one
	addrs  []string
	dial   DialFunc // nil: TCP
	client *kgo.Client
	admin  *kadm.Client
}

func newBroker(t *testing.T, opts ...kfake.Opt) *broker {
	t.Helper()
	c, err := kfake.NewCluster(append([]kfake.Opt{kfake.NumBrokers(2)}, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	b := &broker{t: t, fake: c, addrs: c.ListenAddrs()}
	b.connect()
	return b
}

func (b *broker) connect() {
	b.client = b.kafka(kgo.RecordPartitioner(kgo.ManualPartitioner()))
	b.admin = kadm.NewClient(b.client)
}

func (b *broker) kafka(opts ...kgo.Opt) *kgo.Client {
	b.t.Helper()
	opts = append(opts, kgo.SeedBrokers(b.addrs...))
	if b.dial != nil {
		opts = append(opts, kgo.Dialer(b.dial))
	}
	c, err := kgo.NewClient(opts...)
	if err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(c.Close)
	return c
}

// name returns a topic name that no earlier run has used.
func (b *broker) name(s string) string {
	if b.fake != nil {
		return s
	}
	return fmt.Sprintf("%s-%d", s, time.Now().UnixNano())
}

func (b *broker) topic(name string, partitions int32) string {
	b.t.Helper()
	r, err := b.admin.CreateTopic(testContext(b.t), partitions, 1, nil, name)
	if err = errors.Join(err, r.Err); err != nil {
		b.t.Fatal(err)
	}
	return name
}

func testContext(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	t.Cleanup(cancel)
	return ctx
}

// produce writes values to a partition, acknowledged.
func (b *broker) produce(topic string, partition int32, values ...string) {
	b.t.Helper()
	var recs []*kgo.Record
	for _, v := range values {
		r := &kgo.Record{Topic: topic, Partition: partition, Key: []byte("k"), Value: []byte(v)}
		if v == "<nil>" {
			r.Value = nil
		}
		recs = append(recs, r)
	}
	if err := b.client.ProduceSync(testContext(b.t), recs...).FirstErr(); err != nil {
		b.t.Fatal(err)
	}
}

// produceIDs writes the ids [from, to) spread over the partitions.
func (b *broker) produceIDs(topic string, partitions int32, from, to int) {
	b.t.Helper()
	for p := range partitions {
		var values []string
		for id := from + int(p); id < to; id += int(partitions) {
			values = append(values, event(id))
		}
		b.produce(topic, p, values...)
	}
}

func event(id int) string { return fmt.Sprintf(`{"id":%d,"name":"n%d"}`, id, id) }

// start starts a consumer of the topics with quick settings; extra are names and values of settings.
func (b *broker) start(s Committer, topics string, extra ...string) *Consumer {
	b.t.Helper()
	settings := map[string]string{"kafka_broker_list": strings.Join(b.addrs, ","), "kafka_topic_list": topics, "kafka_group_name": "g-" + topics,
		"kafka_format": "JSONEachRow", "kafka_flush_interval_ms": "20"}
	for i := 0; i < len(extra); i += 2 {
		settings[extra[i]] = extra[i+1]
	}
	cfg, err := ParseConfig(nil, settings)
	if err != nil {
		b.t.Fatal(err)
	}
	c, err := Start(Options{Database: "default", Table: "q", SourceID: "s1", Schema: testSchema, Config: cfg, Committer: s, Dial: b.dial, Discover: 100 * time.Millisecond})
	if err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(c.Close)
	return c
}

// wait waits until ok, and fails with the consumer's status if that takes too long.
func wait(t *testing.T, c *Consumer, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(15 * time.Second); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%s does not come; status %+v", what, c.Status())
		}
	}
}
