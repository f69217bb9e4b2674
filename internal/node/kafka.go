package node

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/olapd/olapd/cluster"
	"github.com/olapd/olapd/ingest"
	"github.com/olapd/olapd/internal/catalog"
	"github.com/olapd/olapd/internal/clock"
	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/mem"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/materialized"
	"github.com/olapd/olapd/query/plan"
)

// sources runs, for every shard that this node leads, a consumer for every Kafka table that a materialized view reads: that of the
// partitions that are the shard's. Partition p belongs to shard p modulo the number of shards; where rows go by a sharding key, every
// shard that may have some reads all partitions and keeps what is its own.
type sources struct {
	node    *Node
	deriver *materialized.Deriver
	clock   clock.Clock
	budget  *mem.Budget
	log     *slog.Logger

	stop context.CancelFunc
	done chan struct{}
	mu   struct { // never held while a consumer is closed, which may take as long as a broker does
		sync.Mutex
		running map[consumerKey]*consumer // changed by start's goroutine only, and by close after it
		seen    uint64                    // version of the topology that running fits
		changed chan struct{}
	}
}

// consumerKey names a consumer.
type consumerKey struct {
	shard uint64
	table catalog.TableID
}

// consumer is a running consumer with what it was started for.
type consumer struct {
	*ingest.Consumer
	version uint64 // of the table
	shards  int
	reach   int
}

// start follows the catalog, the topology and the leaderships until close.
func (s *sources) start() {
	ctx, cancel := context.WithCancel(context.Background())
	s.stop, s.done = cancel, make(chan struct{})
	s.mu.running, s.mu.changed = map[consumerKey]*consumer{}, make(chan struct{})
	go func() {
		defer close(s.done)
		for {
			changed := s.changes(ctx)
			s.reconcile()
			select {
			case <-changed:
			case <-ctx.Done():
				return
			}
		}
	}()
}

// changes returns a channel that is closed when what should be consumed here may have changed.
func (s *sources) changes(ctx context.Context) <-chan struct{} {
	n := s.node.cluster
	watched := []<-chan struct{}{ctx.Done(), n.Meta().Changed(), n.ShardsChanged()}
	for _, r := range n.Shards() {
		watched = append(watched, r.Watch())
	}
	return firstOf(watched)
}

// close stops all consumers and waits for them.
func (s *sources) close() {
	s.stop()
	<-s.done
	for key, c := range s.running() {
		s.end(key, c)
	}
}

// running returns the consumers that run.
func (s *sources) running() map[consumerKey]*consumer {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.mu.running)
}

// end closes a consumer and waits for it.
func (s *sources) end(key consumerKey, c *consumer) {
	c.Close()
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.mu.running, key)
}

// wanted are the consumers to run: of the Kafka tables with a reader, for the shards that this node leads. None is of one that is stopped and has not been told
// where, nor of a shard that has no rows of one.
func (s *sources) wanted(c *catalog.Catalog, top *cluster.Topology) map[consumerKey]*catalog.Table {
	out := map[consumerKey]*catalog.Table{}
	for _, r := range s.node.cluster.Shards() {
		if _, leads := r.Leader(); !leads {
			continue
		}
		for _, t := range c.Tables("") {
			if t.Kind != catalog.KindKafka || len(c.RollupsOf(t.ID)) == 0 || t.StoppedFor != 0 && t.Stops == nil {
				continue
			}
			if reach := cluster.Reach(c, top, t.ID); reach == 0 || r.ID() <= uint64(reach) {
				out[consumerKey{r.ID(), t.ID}] = t
			}
		}
	}
	return out
}

func (s *sources) reconcile() {
	cat, top := s.node.cluster.Meta().Catalog(), s.node.cluster.Topology() // the topology is not older than the catalog
	want, n := s.wanted(cat, top), len(top.Shards)
	running := s.running()
	for key, c := range running {
		if t := want[key]; t == nil || t.Version != c.version || c.shards != n || c.reach != cluster.Reach(cat, top, t.ID) {
			s.end(key, c)
			delete(running, key)
		}
	}
	for key, t := range want {
		if running[key] != nil {
			continue
		}
		reach := cluster.Reach(cat, top, t.ID)
		c, err := s.open(key, t, n, reach > 0)
		if err != nil {
			s.log.Error("a Kafka table cannot be consumed", "table", t.FullName(), "shard", key.shard, "error", err)
			continue
		}
		running[key] = &consumer{Consumer: c, version: t.Version, shards: n, reach: reach}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.mu.running, s.mu.seen = running, top.Version
	close(s.mu.changed)
	s.mu.changed = make(chan struct{})
}

// kafkaSettings are a table's settings as plain text, and its engine's arguments.
func kafkaSettings(t *catalog.Table) (args []string, settings map[string]string) {
	settings = map[string]string{}
	for k, v := range t.Settings {
		settings[k] = unquoted(v)
	}
	for _, a := range t.EngineArgs {
		args = append(args, unquoted(a))
	}
	return args, settings
}

// unquoted is the text of a SQL literal.
func unquoted(s string) string {
	if len(s) >= 2 && s[0] == '\'' && s[len(s)-1] == '\'' {
		return strings.NewReplacer(`\\`, `\`, `\'`, `'`, `\n`, "\n", `\t`, "\t").Replace(s[1 : len(s)-1])
	}
	return s
}

func (s *sources) open(key consumerKey, t *catalog.Table, shards int, spread bool) (*ingest.Consumer, error) {
	cfg, err := ingest.ParseConfig(kafkaSettings(t))
	if err != nil {
		return nil, err
	}
	cfg.Decoding.Schemas = s.node.cfg.schemas()
	pt, err := plan.NewTable(t)
	if err != nil {
		return nil, err
	}
	shard := s.node.cluster.Shard(key.shard)
	if shard == nil {
		return nil, cluster.ErrNotLeader
	}
	c := &committer{sources: s, shard: shard, table: t.ID, shards: shards, spread: spread,
		schema: append(slices.Clone(pt.Schema()), cfg.VirtualColumns(pt.Schema())...)}
	o := ingest.Options{
		Database: t.Database, Table: t.Name, SourceID: strconv.FormatUint(uint64(t.ID), 10), Schema: pt.Schema(),
		Config: cfg, Committer: c, Clock: s.clock, Budget: s.budget, Dial: s.node.cfg.kafkaDial, Stops: stopsOf(t),
	}
	if shards > 1 && !spread {
		o.Owns = func(at ingest.TopicPartition) bool { return ownerOf(at.Partition, shards) == key.shard }
	}
	if !spread {
		o.Claim = c.claim
	}
	return ingest.Start(o)
}

// stopsOf is where a Kafka table that is stopped is consumed to; nil: it is not.
func stopsOf(t *catalog.Table) map[ingest.TopicPartition]int64 {
	if t.StoppedFor == 0 {
		return nil
	}
	out := map[ingest.TopicPartition]int64{}
	for _, s := range t.Stops {
		out[ingest.TopicPartition{Topic: s.Topic, Partition: s.Partition}] = s.Next
	}
	return out
}

// ownerOf is the shard whose leader consumes a partition.
func ownerOf(partition int32, shards int) uint64 { return uint64(partition)%uint64(shards) + 1 }

// consumed is a running consumer's state.
type consumed struct {
	consumerKey
	ingest.Status
}

// status of every running consumer, by table and shard.
func (s *sources) status() []consumed {
	var out []consumed
	for key, c := range s.running() {
		out = append(out, consumed{key, c.Status()})
	}
	slices.SortFunc(out, func(a, b consumed) int { return cmp.Or(cmp.Compare(a.table, b.table), cmp.Compare(a.shard, b.shard)) })
	return out
}

// committer is a shard as the consumer of one table sees it.
type committer struct {
	*sources
	shard  *cluster.Shard
	table  catalog.TableID
	shards int
	spread bool
	// schema is the columns of the consumer's rows. After an ALTER they are still these until the consumer is replaced.
	schema column.Schema
}

// Cursors implements ingest.Committer.
func (c *committer) Cursors(context.Context, string) (ingest.Position, error) {
	if _, leads := c.shard.Leader(); !leads {
		return ingest.Position{}, cluster.ErrNotLeader
	}
	pos := c.shard.Cursors(c.table)
	out := ingest.Position{Term: pos.Term, Cursors: map[ingest.TopicPartition]ingest.Cursor{}}
	for at, cur := range pos.Cursors {
		if !cur.Released {
			out.Cursors[ingest.TopicPartition(at)] = ingest.Cursor{Next: cur.Next, TopicID: ingest.TopicID(cur.TopicID)}
		}
	}
	return out, nil
}

// Commit implements ingest.Committer: rows, rollup rows, dead letters and offsets are one entry.
func (c *committer) Commit(ctx context.Context, b ingest.Batch) error {
	for try := 0; ; try++ {
		version := c.node.cluster.Meta().Catalog().Version
		err := c.commit(ctx, b)
		if !errors.Is(err, cluster.ErrSchemaChanged) || try >= maxSchemaRetries {
			return err
		}
		if err := c.node.awaitNewer(ctx, version); err != nil {
			return err
		}
	}
}

func (c *committer) commit(ctx context.Context, b ingest.Batch) error {
	cat := c.node.cluster.Meta().Catalog()
	t := cat.ByID(c.table)
	if t == nil {
		return sqlerr.New(sqlerr.UnknownTable, "The Kafka table was dropped")
	}
	if len(cat.RollupsOf(t.ID)) == 0 { // the cursors stand still, and the next view gets what this one has not
		return sqlerr.New(sqlerr.Aborted, "No materialized view reads Kafka table %s any more", t.FullName())
	}
	batch := cluster.Batch{Claims: cluster.Claims{Schema: cat.Version, Term: b.Term, Ranges: ranges(c.table, b.Ranges)}}
	if b.Rows != nil && b.Rows.N > 0 {
		rows, err := c.deriver.Derive(ctx, cat, materialized.Rows{Table: t, Schema: c.schema, Block: b.Rows, Keep: c.keep()})
		if err != nil {
			return poisoned(ctx, err)
		}
		for _, r := range rows {
			batch.Rows = append(batch.Rows, cluster.TableRows{Table: r.Table.ID, Block: r.Block})
		}
	}
	if len(b.DeadLetters) > 0 && (!c.spread || c.shard.ID() == 1) { // else every shard finds them
		letters, err := c.letters(cat, b.DeadLetters)
		if err != nil {
			return err
		}
		batch.Rows = append(batch.Rows, letters)
	}
	_, err := c.shard.Append(ctx, batch)
	return err
}

// poisoned marks an error that the rows themselves cause; one of resources or of shutting down is tried again.
func poisoned(ctx context.Context, err error) error {
	switch sqlerr.CodeOf(err) {
	case sqlerr.MemoryLimitExceeded, sqlerr.QueryWasCancelled, sqlerr.TimeoutExceeded, sqlerr.NotImplemented, sqlerr.UnknownTable,
		sqlerr.UnknownIdentifier, sqlerr.LogicalError, sqlerr.CannotReadAllData, sqlerr.ChecksumDoesntMatch:
		return err
	}
	if ctx.Err() != nil {
		return err
	}
	return fmt.Errorf("%w: %w", ingest.ErrBadRows, err)
}

// ranges translates what a batch covers into what the shard checks.
func ranges(source catalog.TableID, in []ingest.SourceRange) []cluster.SourceRange {
	out := make([]cluster.SourceRange, len(in))
	for i, r := range in {
		out[i] = cluster.SourceRange{Source: source, Topic: r.Topic, TopicID: cluster.TopicID(r.TopicID), Partition: r.Partition,
			Start: r.Start, End: r.End, First: r.First, Last: r.Last, Gap: r.Gap != "", Expect: r.Expect}
	}
	return out
}

// keep selects, of rows that every shard derives alike, those of this shard; nil: all are. Rows of a target without a sharding key go to
// the first shard, whole.
func (c *committer) keep() func(*catalog.Table, column.Schema, *column.Block) (*column.Block, error) {
	if !c.spread {
		return nil
	}
	return func(t *catalog.Table, schema column.Schema, b *column.Block) (*column.Block, error) {
		if t.ShardingKey() == "" {
			if c.shard.ID() == 1 {
				return b, nil
			}
			return nil, nil
		}
		mine, err := c.node.shards.rowsOn(t, schema, b, c.node.shards.of(t), c.shard.ID())
		if err != nil || mine.N == 0 {
			return nil, err
		}
		return mine, nil
	}
}
