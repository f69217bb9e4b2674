package node

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/query"
	"github.com/olapd/olapd/test/linear"
	"github.com/twmb/franz-go/pkg/kgo"
)

const (
	simTopic      = "events"
	simPartitions = 7
	simKeyOps     = 20 // values of a key of the registers
	simTry        = 10 * time.Second
)

// simSpreads are the two ways that rows find their shards.
var simSpreads = []string{"plain", "keyed"}

// simFeed is the view through which a Kafka table is consumed.
const simFeed = "CREATE MATERIALIZED VIEW IF NOT EXISTS feed_%s TO events_%s AS SELECT id, kind, _partition AS p, toInt64(_offset) AS o FROM queue_%s"

// simSchema are the statements before all others.
func simSchema(broker string) []string {
	out := []string{"CREATE TABLE registers (k UInt64, v UInt8) ENGINE = MergeTree ORDER BY k SETTINGS sharding_key = 'k'"}
	for _, kind := range simSpreads {
		key := map[string]string{"keyed": " SETTINGS sharding_key = 'id'"}[kind]
		for _, sql := range []string{
			"CREATE TABLE events_%s (id UInt64, kind LowCardinality(String), p UInt64, o Int64) ENGINE = MergeTree ORDER BY id" + key,
			"CREATE MATERIALIZED VIEW kinds_%s ENGINE = SummingMergeTree ORDER BY kind AS SELECT kind, count() AS n, sum(id) AS total FROM events_%s GROUP BY kind",
			"CREATE TABLE queue_%s (id UInt64, kind String) ENGINE = Kafka('" + broker + "', '" + simTopic + "', 'sim_%s', 'JSONEachRow') SETTINGS kafka_flush_interval_ms = 200",
			simFeed,
			"CREATE TABLE inserts_%s (id UInt64, token String) ENGINE = MergeTree ORDER BY (token, id)" + key,
			"CREATE MATERIALIZED VIEW tokens_%s ENGINE = SummingMergeTree ORDER BY token AS SELECT token, count() AS n, sum(id) AS total FROM inserts_%s GROUP BY token",
		} {
			out = append(out, strings.ReplaceAll(sql, "%s", kind))
		}
	}
	return out
}

// simInsert is what is known of one INSERT of rows 0 to rows-1.
type simInsert struct {
	rows  int
	acked bool
}

// simLoad is all clients of a simulated cluster, and what they were told.
type simLoad struct {
	x    *simRun
	lin  *linear.History
	sent int
	// growing has room for one: who drops and makes a feed, or asks for tables to grow. A Kafka table that does not feed a table when that grows cannot again.
	growing chan struct{}
	mu      struct {
		sync.Mutex
		nodes            map[string]*Node
		inserts          map[string]map[string]*simInsert // by spread and token
		unknown, retries int
		registers        uint64
		reads            int      // of watch
		wrong            []string // that it has seen
		handed           map[string]bool
	}
}

func newSimLoad(x *simRun) *simLoad {
	l := &simLoad{x: x, lin: linear.New(time.Now), growing: make(chan struct{}, 1)}
	l.mu.nodes, l.mu.inserts, l.mu.handed = maps.Clone(x.s.nodes), map[string]map[string]*simInsert{}, map[string]bool{}
	for _, kind := range simSpreads {
		l.mu.inserts[kind] = map[string]*simInsert{}
	}
	return l
}

// leave and come tell which nodes can be asked.
func (l *simLoad) leave(name string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.mu.nodes, name)
}

func (l *simLoad) come(name string, n *Node) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.mu.nodes[name] = n
}

// any returns a node that runs.
func (l *simLoad) any(r *rand.Rand) *Node {
	l.mu.Lock()
	defer l.mu.Unlock()
	names := slices.Sorted(maps.Keys(l.mu.nodes))
	return l.mu.nodes[names[r.IntN(len(names))]]
}

// start lets all clients work; the function returned stops them and waits.
func (l *simLoad) start() (stop func()) {
	ctx, cancel := context.WithCancel(l.x.t.Context())
	var all sync.WaitGroup
	all.Go(func() { l.produce(ctx) })
	for i, kind := range simSpreads {
		all.Go(func() { l.insert(ctx, kind, rand.New(rand.NewPCG(l.x.seed, uint64(10+i)))) })
	}
	for i := range 3 {
		all.Go(func() { l.register(ctx, i, rand.New(rand.NewPCG(l.x.seed, uint64(20+i)))) })
	}
	all.Go(func() { l.operate(ctx, rand.New(rand.NewPCG(l.x.seed, 30))) })
	all.Go(func() { l.move(ctx, rand.New(rand.NewPCG(l.x.seed, 40))) })
	all.Go(func() { l.watch(ctx, rand.New(rand.NewPCG(l.x.seed, 41))) })
	if l.x.grows {
		all.Go(func() { l.grow(ctx, rand.New(rand.NewPCG(l.x.seed, 42))) })
	}
	return func() {
		cancel()
		all.Wait()
	}
}

// produce writes numbered messages until ctx ends.
func (l *simLoad) produce(ctx context.Context) {
	c, err := kgo.NewClient(kgo.SeedBrokers(l.x.broker.ListenAddrs()...), kgo.Dialer(l.x.kafka.DialContext), kgo.RecordPartitioner(kgo.ManualPartitioner()))
	if err != nil {
		l.x.t.Error(err)
		return
	}
	defer c.Close()
	for ctx.Err() == nil {
		var batch []*kgo.Record
		for range 10 {
			batch = append(batch, &kgo.Record{Topic: simTopic, Partition: int32(l.sent % simPartitions), Value: fmt.Appendf(nil, `{"id":%d,"kind":"k%d"}`, l.sent, l.sent%7)})
			l.sent++
		}
		if err := c.ProduceSync(context.WithoutCancel(ctx), batch...).FirstErr(); err != nil {
			l.x.t.Error(err)
			return
		}
		time.Sleep(time.Duration(l.x.idle) * time.Millisecond / 2)
	}
}

// insert inserts with tokens, each at any nodes until it is acknowledged.
func (l *simLoad) insert(ctx context.Context, kind string, r *rand.Rand) {
	for i := 0; ctx.Err() == nil; i++ {
		rows := 1 + r.IntN(10)
		if i%10 == 5 {
			rows = 200 // more bytes than simLogRows
		}
		token := fmt.Sprintf("t%05d", i)
		in := &simInsert{rows: rows}
		l.mu.Lock()
		l.mu.inserts[kind][token] = in
		l.mu.Unlock()
		if l.send(ctx, fmt.Sprintf("INSERT INTO inserts_%s SELECT number, '%s' FROM numbers(%d)", kind, token, rows), token, r) {
			l.mu.Lock()
			in.acked = true
			l.mu.Unlock()
		}
		time.Sleep(time.Duration(r.IntN(l.x.idle)) * time.Millisecond)
	}
}

// send retries a statement with its token until a node acknowledges it.
func (l *simLoad) send(ctx context.Context, sql, token string, r *rand.Rand) bool {
	for ctx.Err() == nil {
		try, cancel := context.WithTimeout(ctx, simTry)
		_, err := rowsIn(try, l.any(r), sql, "insert_deduplication_token", token)
		cancel()
		if err == nil {
			return true
		}
		l.mu.Lock()
		l.mu.retries++
		if c := sqlerr.CodeOf(err); c == sqlerr.UnknownStatusOfInsert || try.Err() != nil {
			l.mu.unknown++
		}
		l.mu.Unlock()
		time.Sleep(100 * time.Millisecond)
	}
	return false
}

// register inserts values of keys and reads them strongly, at any nodes.
func (l *simLoad) register(ctx context.Context, client int, r *rand.Rand) {
	for ctx.Err() == nil {
		l.mu.Lock()
		n := l.mu.registers
		l.mu.registers++
		l.mu.Unlock()
		key, value := n/simKeyOps, uint8(n%simKeyOps)
		done := l.lin.Insert(client, key, value)
		if l.send(ctx, fmt.Sprintf("INSERT INTO registers SELECT %d, %d", key, value), fmt.Sprint(n), r) {
			done()
		}
		seen := l.lin.Read(client, key)
		try, cancel := context.WithTimeout(ctx, simTry)
		rows, err := rowsIn(try, l.any(r), fmt.Sprintf("SELECT v FROM registers WHERE k = %d", key), "select_sequential_consistency", "1")
		cancel()
		if err == nil {
			var values []uint8
			for _, row := range rows {
				v, _ := strconv.Atoi(row[0]) // what is no number was not written: 0 is then there twice
				values = append(values, uint8(v))
			}
			seen(values)
		}
		time.Sleep(time.Duration(r.IntN(l.x.idle)) * time.Millisecond)
	}
}

// operate asks for flushes and merges, and now and then stops the consumption of a Kafka table and lets it go on.
func (l *simLoad) operate(ctx context.Context, r *rand.Rand) {
	for ctx.Err() == nil {
		if r.IntN(l.x.refeeds) == 0 {
			l.refeed(r)
		}
		table := []string{"events_plain", "events_keyed", "inserts_plain", "inserts_keyed", "kinds_plain", "tokens_keyed"}[r.IntN(6)]
		try, cancel := context.WithTimeout(ctx, 2*simTry)
		_, _ = rowsIn(try, l.any(r), []string{"SYSTEM FLUSH TABLE ", "OPTIMIZE TABLE "}[r.IntN(2)]+table) // fails while leaders change
		cancel()
		time.Sleep(time.Duration(500+r.IntN(2000)) * time.Millisecond)
	}
}

// refeed drops a feed and makes it again, at any nodes, however often that takes.
func (l *simLoad) refeed(r *rand.Rand) {
	kind := simSpreads[r.IntN(len(simSpreads))]
	l.growing <- struct{}{}
	defer func() { <-l.growing }()
	for _, sql := range []string{"DROP VIEW IF EXISTS feed_%s", simFeed} {
		for end := time.Now().Add(healthy); time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
			try, cancel := context.WithTimeout(l.x.t.Context(), simTry)
			_, err := rowsIn(try, l.any(r), strings.ReplaceAll(sql, "%s", kind))
			cancel()
			if err == nil {
				break
			}
		}
	}
}

// total adds what clients were told.
func (l *simLoad) total(to *simTotals) {
	l.mu.Lock()
	defer l.mu.Unlock()
	to.unknown, to.retries = l.mu.unknown, l.mu.retries
	for _, inserts := range l.mu.inserts {
		for _, in := range inserts {
			if in.acked {
				to.acked++
				to.rows += int64(in.rows)
			}
		}
	}
}

// checkNode holds a node's answers against what was written.
func (x *simRun) checkNode(n *Node, strong, whole bool) {
	for _, kind := range simSpreads {
		x.checkFeed(n, kind, strong, whole)
		due := x.load.due(kind)
		x.checkInserts(n, kind, due, x.ask(n, "SELECT token, count(), uniqExact(id) FROM inserts_"+kind+" GROUP BY token", strong))
		for _, pair := range []string{
			"SELECT kind, sum(n), sum(total) FROM (SELECT toString(kind) AS kind, toInt64(count()) AS n, toInt64(sum(id)) AS total FROM events_%s GROUP BY kind UNION ALL SELECT toString(kind), -toInt64(sum(n)), -toInt64(sum(total)) FROM kinds_%s GROUP BY kind) GROUP BY kind HAVING sum(n) != 0 OR sum(total) != 0",
			"SELECT token, sum(n), sum(total) FROM (SELECT token, toInt64(count()) AS n, toInt64(sum(id)) AS total FROM inserts_%s GROUP BY token UNION ALL SELECT token, -toInt64(sum(n)), -toInt64(sum(total)) FROM tokens_%s GROUP BY token) GROUP BY token HAVING sum(n) != 0 OR sum(total) != 0",
		} {
			if rows := x.ask(n, strings.ReplaceAll(pair, "%s", kind), strong); len(rows) > 0 {
				x.violated("%s: a rollup of %s differs from its base: %q", n.cfg.node, kind, rows[:min(3, len(rows))])
			}
		}
	}
}

// checkFeed holds what Kafka gave against what was committed. Of a table with a sharding key only whole: each shard has consumed another part of it.
func (x *simRun) checkFeed(n *Node, kind string, strong, whole bool) {
	committed, _ := x.load.committed()
	rows := x.ask(n, simOffsets+"events_"+kind+" GROUP BY p", strong)
	_, handed := x.load.committed()
	for p := range committed { // of which there are no rows at all
		if kind == "plain" && strong && !slices.ContainsFunc(rows, func(r []string) bool { return r[0] == p }) {
			rows = append(rows, []string{p, "0", ""})
		}
	}
	for _, r := range rows {
		if r[1] != "0" {
			x.totals.doubled++
			x.violated("%s: %s rows of events_%s/%s doubled: %s", n.cfg.node, r[1], kind, r[0], x.consumption(kind))
		}
		var missing []string
		switch {
		case whole:
			missing = holes(r[0], r[2], 0, nil)
		case kind == "plain" && strong:
			missing = holes(r[0], r[2], committed[r[0]], handed)
		}
		if len(missing) > 0 {
			x.totals.lost++
			x.violated("%s: rows of events_%s/%s missing: %q", n.cfg.node, kind, r[0], missing)
		}
	}
}

// due are the tokens that must be there from now on.
func (l *simLoad) due(kind string) map[string]bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	due := map[string]bool{}
	for token, in := range l.mu.inserts[kind] {
		if in.acked {
			due[token] = true
		}
	}
	return due
}

// checkInserts takes rows of token, rows and different rows. An insert under way may be on some shards only.
func (x *simRun) checkInserts(n *Node, kind string, due map[string]bool, rows [][]string) {
	x.load.mu.Lock()
	defer x.load.mu.Unlock()
	there := map[string]bool{}
	for _, r := range rows {
		in := x.load.mu.inserts[kind][r[0]]
		there[r[0]] = true
		switch {
		case in == nil:
			x.violated("%s: rows of %q, which nobody inserted into %s", n.cfg.node, r[0], kind)
		case r[1] != r[2]:
			x.totals.doubled++
			x.violated("%s: insert %s into %s has %s rows, %s of them different", n.cfg.node, r[0], kind, r[1], r[2])
		case r[2] != fmt.Sprint(in.rows) && (kind == "plain" || due[r[0]]):
			x.totals.lost++
			x.violated("%s: insert %s into %s has %s of %d rows", n.cfg.node, r[0], kind, r[1], in.rows)
		}
	}
	for token := range due {
		if !there[token] {
			x.totals.lost++
			x.violated("%s: insert %s into %s was acknowledged, and is gone", n.cfg.node, token, kind)
		}
	}
}

// rowsIn runs a statement at a node and splits its answer.
func rowsIn(ctx context.Context, n *Node, sql string, settings ...string) ([][]string, error) {
	s, err := n.Engine().NewSession(query.SessionOptions{})
	if err != nil {
		return nil, err
	}
	q := query.Query{Text: sql, Settings: map[string]string{}}
	for i := 0; i < len(settings); i += 2 {
		q.Settings[settings[i]] = settings[i+1]
	}
	res, err := s.Execute(ctx, q)
	if err != nil {
		return nil, err
	}
	defer res.Close()
	var b strings.Builder
	if err := res.Render(&b, "TSV"); err != nil {
		return nil, err
	}
	var rows [][]string
	for line := range strings.Lines(b.String()) {
		rows = append(rows, strings.Split(strings.TrimSuffix(line, "\n"), "\t"))
	}
	return rows, nil
}
