package torturecluster

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/olapd/olapd/test/linear"
	"github.com/olapd/olapd/test/olapd"
	"github.com/twmb/franz-go/pkg/kgo"
)

const (
	// tryTimeout is how long a client waits for one node until it asks the next.
	tryTimeout, largeTimeout = 2 * time.Second, 10 * time.Second
	smallRows                = 20   // at most, of most inserts
	largeRows                = 6000 // of one insert in largeEvery: more bytes than travel in the log
	largeEvery               = 100
	pause                    = 15 * time.Millisecond // between two requests of a client
	// keyOps is how many values a key of the registers gets.
	keyOps, registerClients, readers = 30, 3, 2
	alterEvery                       = 5 * time.Second
)

// insert is one INSERT with its token.
type insert struct {
	rows, total int64
	acked       bool
}

// load is all that clients do, and what they know of it.
type load struct {
	fleet *fleet
	seed  uint64
	sent  atomic.Int64 // messages that the broker has
	lin   *linear.History
	regs  atomic.Uint64
	mu    struct {
		sync.Mutex
		inserts map[string]map[string]*insert // by spread and token
		last    map[string]time.Time          // of the last acknowledgement, by spread
		gap     time.Duration                 // the longest since the watch began
		retries int
		// reads, and those that failed at nodes which no fault had hit.
		reads, readErrors, hitReads, hitErrors int
		readError                              error
		hit                                    map[string]bool
	}
}

func newLoad(f *fleet, seed uint64) *load {
	l := &load{fleet: f, seed: seed, lin: linear.New(time.Now)}
	l.mu.inserts, l.mu.last, l.mu.hit = map[string]map[string]*insert{}, map[string]time.Time{}, map[string]bool{}
	for _, s := range spreads {
		l.mu.inserts[s.name] = map[string]*insert{}
	}
	return l
}

// start lets everybody work; the function returned stops them and waits.
func (l *load) start(ctx context.Context, broker string, rate int) (stop func() error) {
	ctx, cancel := context.WithCancel(ctx)
	var all sync.WaitGroup
	var err error
	all.Go(func() { err = l.produce(ctx, broker, rate) })
	for i, s := range spreads {
		all.Go(func() { l.insert(ctx, s.name, rand.New(rand.NewPCG(l.seed, uint64(i)))) })
	}
	for i := range registerClients {
		all.Go(func() { l.register(ctx, i, rand.New(rand.NewPCG(l.seed, uint64(10+i)))) })
	}
	for i := range readers {
		all.Go(func() { l.read(ctx, rand.New(rand.NewPCG(l.seed, uint64(20+i)))) })
	}
	all.Go(func() { l.alter(ctx) })
	return func() error {
		cancel()
		all.Wait()
		return err
	}
}

// produce writes numbered messages, and when ctx ends waits until the broker has them.
func (l *load) produce(ctx context.Context, broker string, rate int) error {
	c, err := kgo.NewClient(kgo.SeedBrokers(broker), kgo.DefaultProduceTopic(topic), kgo.RecordPartitioner(kgo.RoundRobinPartitioner()))
	if err != nil {
		return fmt.Errorf("load: %w", err)
	}
	defer c.Close()
	const tick = 20 * time.Millisecond
	failed := make(chan error, 1)
	for due := 0.0; ctx.Err() == nil; sleep(ctx, tick) {
		for due += float64(rate) * tick.Seconds(); due >= 1; due-- {
			id := l.sent.Add(1)
			c.Produce(context.WithoutCancel(ctx), kgo.StringRecord(fmt.Sprintf(`{"id":%d,"kind":"k%d","amount":%d}`, id, id%7, id%2000-500)), func(_ *kgo.Record, err error) {
				if err != nil {
					select {
					case failed <- fmt.Errorf("load: message %d: %w", id, err):
					default: // one is enough
					}
				}
			})
		}
	}
	flush, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
	defer cancel()
	err = c.Flush(flush)
	select {
	case bad := <-failed:
		return errors.Join(bad, err)
	default:
		return err
	}
}

// insert inserts into a table until ctx ends, each with a token, at one node after the other until one acknowledges it.
func (l *load) insert(ctx context.Context, spread string, r *rand.Rand) {
	for n := 0; ctx.Err() == nil; n++ {
		rows, timeout := 1+r.IntN(smallRows), tryTimeout
		if n%largeEvery == largeEvery/2 {
			rows, timeout = largeRows, largeTimeout
		}
		token := fmt.Sprintf("t%06d", n)
		var b strings.Builder
		in := &insert{rows: int64(rows)}
		for i := range rows {
			v := r.Int64N(1000)
			in.total += v
			fmt.Fprintf(&b, "%s\t%d\t%d\t%s%s%s\n", token, i, v, token, token, token)
		}
		l.mu.Lock()
		l.mu.inserts[spread][token] = in
		l.mu.Unlock()
		sql := fmt.Sprintf("INSERT INTO inserts_%s SETTINGS insert_deduplication_token = '%s' FORMAT TSV", spread, token)
		if l.send(ctx, sql, b.String(), timeout, r) {
			l.acked(spread, in)
		}
		sleep(ctx, pause)
	}
}

// send retries an INSERT until a node acknowledges it, or ctx ends.
func (l *load) send(ctx context.Context, sql, rows string, timeout time.Duration, r *rand.Rand) bool {
	for at := r.IntN(nodeCount); ctx.Err() == nil; at++ {
		try, cancel := context.WithTimeout(ctx, timeout)
		a, err := (&olapd.Session{Server: l.fleet.nodes[at%nodeCount].at}).Insert(try, sql, strings.NewReader(rows))
		cancel()
		if err == nil && a.Code == 0 {
			return true
		}
		l.mu.Lock()
		l.mu.retries++
		l.mu.Unlock()
		sleep(ctx, pause)
	}
	return false
}

func (l *load) acked(spread string, in *insert) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	in.acked = true
	if last, ok := l.mu.last[spread]; ok {
		l.mu.gap = max(l.mu.gap, now.Sub(last))
	}
	l.mu.last[spread] = now
}

// watch begins to look for the longest time without an acknowledged INSERT; hit are the nodes that are about to suffer.
func (l *load) watch(hit ...*node) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.mu.gap = 0
	clear(l.mu.hit)
	for _, n := range hit {
		l.mu.hit[n.name] = true
	}
}

// longestGap is what watch has seen so far, of either table.
func (l *load) longestGap() time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	gap := l.mu.gap
	for _, last := range l.mu.last {
		gap = max(gap, time.Since(last))
	}
	return gap
}

// register inserts values of keys and reads them strongly, at any nodes.
func (l *load) register(ctx context.Context, client int, r *rand.Rand) {
	for ctx.Err() == nil {
		n := l.regs.Add(1)
		key, value := n/keyOps, uint8(n%keyOps)
		done := l.lin.Insert(client, key, value)
		if l.send(ctx, fmt.Sprintf("INSERT INTO registers SETTINGS insert_deduplication_token = '%d' FORMAT TSV", n), fmt.Sprintf("%d\t%d\n", key, value), tryTimeout, r) {
			done()
		}
		for range 2 {
			l.readRegister(ctx, client, key, r)
		}
		sleep(ctx, pause)
	}
}

func (l *load) readRegister(ctx context.Context, client int, key uint64, r *rand.Rand) {
	done := l.lin.Read(client, key)
	try, cancel := context.WithTimeout(ctx, tryTimeout)
	defer cancel()
	rows, err := rowsStrong(try, l.fleet.nodes[r.IntN(nodeCount)].at, fmt.Sprintf("SELECT v FROM registers WHERE k = %d", key))
	if err != nil {
		return // says nothing
	}
	var values []uint8
	for _, row := range rows {
		v, err := strconv.ParseUint(row[0], 10, 8)
		if err != nil {
			v = linear.MaxValue + 1 // not what was written
		}
		values = append(values, uint8(v))
	}
	done(values)
}

// read asks any nodes for what they have, and counts errors.
func (l *load) read(ctx context.Context, r *rand.Rand) {
	for ; ctx.Err() == nil; sleep(ctx, pause) {
		n := l.fleet.nodes[r.IntN(nodeCount)]
		try, cancel := context.WithTimeout(ctx, 5*time.Second)
		_, err := rowsOf(try, n.at, "SELECT kind, count(), sum(amount) FROM events_keyed GROUP BY kind ORDER BY kind")
		cancel()
		if ctx.Err() == nil {
			l.noteRead(n, err)
		}
	}
}

func (l *load) noteRead(n *node, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	reads, errs := &l.mu.reads, &l.mu.readErrors
	if l.mu.hit[n.name] {
		reads, errs = &l.mu.hitReads, &l.mu.hitErrors
	} else if err != nil {
		l.mu.readError = err
	}
	*reads++
	if err != nil {
		*errs++
	}
}

// alter adds a column now and then, through any node.
func (l *load) alter(ctx context.Context) {
	for i := 0; ctx.Err() == nil; i++ {
		sleep(ctx, alterEvery)
		try, cancel := context.WithTimeout(ctx, 3*alterEvery)
		_, _ = rowsOf(try, l.fleet.nodes[i%nodeCount].at, fmt.Sprintf("ALTER TABLE altered ADD COLUMN IF NOT EXISTS c%d UInt8", i)) // may fail while a node is down
		cancel()
	}
}
