package ingest

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/olapd/olapd/internal/clock"
	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/mem"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// Options are what a consumer needs.
type Options struct {
	Database, Table string
	// SourceID names the cursors: it stays with the table through renames and is never used again.
	SourceID string
	// Schema is the table's own columns, which messages fill.
	Schema    column.Schema
	Config    Config
	Committer Committer
	// Owns says which partitions are this consumer's, where others take the rest; nil: all. It may change its mind: topics are looked up
	// every Discover.
	Owns func(TopicPartition) bool
	// Claim takes over partitions without a cursor, which are those of these topics now, from whoever consumed them before, if anybody did, and reports whether there are
	// cursors now that there were not; nil: nobody else ever consumes.
	Claim func(ctx context.Context, parts map[TopicPartition]TopicID) (moved bool, err error)
	// Stops, unless nil, is where each partition ends for now; those that it leaves out are not consumed.
	Stops map[TopicPartition]int64
	// Clock defaults to the system's.
	Clock clock.Clock
	// Budget, if any, accounts for messages that are not yet committed.
	Budget *mem.Budget
	// Dial, if any, opens all connections, also to the schema registry.
	Dial DialFunc
	// TLS is used with kafka_security_protocol ssl and sasl_ssl; nil: the system's roots.
	TLS *tls.Config
	// Discover is how often topics are looked up; 0: five seconds.
	Discover time.Duration
}

// Consumer consumes the topics of one table until Close.
type Consumer struct {
	o       Options
	virtual column.Schema
	workers int
	board   board
	budget  *mem.Budget
	client  *kgo.Client // for look-ups; fetching has a client of its own per session
	admin   *kadm.Client
	reg     *registry
	group   *groupCopy

	// limit is the most messages in a batch, 0: only the Config's bounds. It shrinks to find a message
	// that cannot be committed.
	limit atomic.Int64
	// refused and truncated are touched by the goroutine of run alone, between sessions.
	refused   map[TopicPartition]map[int64]string
	truncated map[logName]string

	cancel context.CancelFunc
	wg     sync.WaitGroup
}

// Start begins to consume. It fails only for options that cannot work; brokers that are down are retried.
func Start(o Options) (*Consumer, error) {
	if o.Clock == nil {
		o.Clock = clock.Real()
	}
	o.Discover = or(o.Discover, defaultDiscover)
	c := &Consumer{o: o, virtual: o.Config.VirtualColumns(o.Schema), workers: or(o.Config.Consumers, runtime.GOMAXPROCS(0)),
		group: newGroupCopy(), refused: map[TopicPartition]map[int64]string{}, truncated: map[logName]string{}}
	c.board.clock = o.Clock
	c.board.mu.status = Status{Database: o.Database, Table: o.Table, SourceID: o.SourceID, State: Starting,
		ConsumerID: fmt.Sprintf("olapd-%s-%s-%s", o.Database, o.Table, o.SourceID)}
	if o.Budget != nil {
		c.budget = o.Budget.Child("for Kafka table", defaultBuffered)
	} else {
		c.budget = mem.NewBudget("for Kafka table", defaultBuffered)
	}
	var err error
	if o.Config.Registry != "" {
		if c.reg, err = newRegistry(o.Config.Registry, o.Dial); err != nil {
			return nil, err
		}
	}
	if _, err := newMessageDecoder(&c.o.Config, o.Schema, c.reg); err != nil {
		return nil, err
	}
	if c.client, err = kgo.NewClient(c.connection()...); err != nil {
		return nil, fmt.Errorf("ingest: %w", err)
	}
	c.admin = kadm.NewClient(c.client)
	ctx, cancel := context.WithCancel(context.Background())
	c.cancel = cancel
	c.wg.Go(func() { c.run(ctx) })
	c.wg.Go(func() { c.copyCursors(ctx) })
	return c, nil
}

// Close stops the consumer and waits for all of its goroutines. What was fetched and not committed is dropped; it will
// be fetched again from the cursors.
func (c *Consumer) Close() {
	c.cancel()
	c.wg.Wait()
	c.client.Close()
	if c.reg != nil {
		c.reg.close()
	}
	c.board.setState(Stopped)
}

// Status returns what the consumer does and has done.
func (c *Consumer) Status() Status { return c.board.snapshot() }

// Schema returns the columns of Batch.Rows: the table's, then the virtual ones.
func (c *Consumer) Schema() column.Schema { return slices.Concat(c.o.Schema, c.virtual) }

// run goes from session to session.
func (c *Consumer) run(ctx context.Context) {
	for failures := 0; ctx.Err() == nil; {
		before := c.Status().Commits
		err := c.session(ctx)
		if ctx.Err() != nil {
			return
		}
		if c.Status().Commits > before {
			failures = 0
		}
		if errors.Is(err, errReplan) {
			continue
		}
		c.board.exception(err.Error())
		c.board.setState(Retrying)
		if c.learn(err) {
			continue
		}
		_ = c.o.Clock.Sleep(ctx, backoff(failures, minBackoff, maxBackoff))
		failures++
	}
}

// learn narrows down which message made a commit fail, and reports whether to go on at once.
func (c *Consumer) learn(err error) bool {
	var f *commitFailed
	if !errors.As(err, &f) || !errors.Is(err, ErrBadRows) {
		return false
	}
	if f.batch.messages > 1 {
		c.limit.Store(int64(f.batch.messages / 2))
		return true
	}
	for _, r := range f.batch.Ranges {
		if r.First < 0 {
			continue
		}
		if len(c.refused[r.TopicPartition]) >= maxPoison {
			delete(c.refused, r.TopicPartition)
		}
		if c.refused[r.TopicPartition] == nil {
			c.refused[r.TopicPartition] = map[int64]string{}
		}
		c.refused[r.TopicPartition][r.First] = f.err.Error()
	}
	// A batch without rows that is bad nevertheless is tried like any other failure.
	return f.batch.rows > 0
}

// commitFailed is the error of a commit, with what it tried.
type commitFailed struct {
	err   error
	batch sealed
}

func (f *commitFailed) Error() string { return "commit: " + f.err.Error() }
func (f *commitFailed) Unwrap() error { return f.err }

// backoff returns a pause that doubles with each failure, half of it random, so that consumers do not come back together.
func backoff(failures int, least, most time.Duration) time.Duration {
	d := most
	if failures < 20 {
		d = min(least<<failures, most)
	}
	return d/2 + rand.N(d/2+1)
}

func itoa[T ~int32 | ~int](n T) string { return strconv.Itoa(int(n)) }
