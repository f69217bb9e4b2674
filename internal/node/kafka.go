package node

import (
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

// sources runs a consumer for every Kafka table that a materialized view reads.
type sources struct {
	meta    *cluster.Meta
	shard   *cluster.Shard
	deriver *materialized.Deriver
	clock   clock.Clock
	budget  *mem.Budget
	log     *slog.Logger

	stop context.CancelFunc
	done chan struct{}
	mu   struct {
		sync.Mutex
		running map[catalog.TableID]*consumer
	}
}

// consumer is a running consumer with what it was started for.
type consumer struct {
	*ingest.Consumer
	version uint64 // of the table
}

// start follows the catalog and the shard's leadership until close.
func (s *sources) start() {
	ctx, cancel := context.WithCancel(context.Background())
	s.stop, s.done = cancel, make(chan struct{})
	s.mu.running = map[catalog.TableID]*consumer{}
	go func() {
		defer close(s.done)
		for {
			changed, led := s.meta.Changed(), s.shard.Watch()
			s.reconcile()
			select {
			case <-changed:
			case <-led:
			case <-ctx.Done():
				return
			}
		}
	}()
}

// close stops all consumers and waits for them.
func (s *sources) close() {
	s.stop()
	<-s.done
	s.mu.Lock()
	defer s.mu.Unlock()
	for id, c := range s.mu.running {
		c.Close()
		delete(s.mu.running, id)
	}
}

// wanted are the Kafka tables to consume: those with a reader, while this node leads.
func (s *sources) wanted(c *catalog.Catalog) map[catalog.TableID]*catalog.Table {
	out := map[catalog.TableID]*catalog.Table{}
	if _, leads := s.shard.Leader(); !leads {
		return out
	}
	for _, t := range c.Tables("") {
		if t.Kind == catalog.KindKafka && len(c.RollupsOf(t.ID)) > 0 {
			out[t.ID] = t
		}
	}
	return out
}

func (s *sources) reconcile() {
	want := s.wanted(s.meta.Catalog())
	s.mu.Lock()
	defer s.mu.Unlock()
	for id, c := range s.mu.running {
		if t := want[id]; t == nil || t.Version != c.version {
			c.Close()
			delete(s.mu.running, id)
		}
	}
	for id, t := range want {
		if s.mu.running[id] != nil {
			continue
		}
		c, err := s.open(t)
		if err != nil {
			s.log.Error("a Kafka table cannot be consumed", "table", t.FullName(), "error", err)
			continue
		}
		s.mu.running[id] = &consumer{Consumer: c, version: t.Version}
	}
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

func (s *sources) open(t *catalog.Table) (*ingest.Consumer, error) {
	cfg, err := ingest.ParseConfig(kafkaSettings(t))
	if err != nil {
		return nil, err
	}
	pt, err := plan.NewTable(t)
	if err != nil {
		return nil, err
	}
	c := &committer{sources: s, table: t.ID, schema: append(slices.Clone(pt.Schema()), cfg.VirtualColumns(pt.Schema())...)}
	return ingest.Start(ingest.Options{
		Database: t.Database, Table: t.Name, SourceID: strconv.FormatUint(uint64(t.ID), 10), Schema: pt.Schema(),
		Config: cfg, Committer: c, Clock: s.clock, Budget: s.budget,
	})
}

// status of every running consumer, by table.
func (s *sources) status() map[catalog.TableID]ingest.Status {
	s.mu.Lock()
	running := maps.Clone(s.mu.running)
	s.mu.Unlock()
	out := map[catalog.TableID]ingest.Status{}
	for id, c := range running {
		out[id] = c.Status()
	}
	return out
}

// committer is the shard as the consumer of one table sees it.
type committer struct {
	*sources
	table catalog.TableID
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
		err := c.commit(ctx, b)
		if !errors.Is(err, cluster.ErrSchemaChanged) || try >= maxSchemaRetries {
			return err
		}
	}
}

func (c *committer) commit(ctx context.Context, b ingest.Batch) error {
	cat := c.meta.Catalog()
	t := cat.ByID(c.table)
	if t == nil {
		return sqlerr.New(sqlerr.UnknownTable, "The Kafka table was dropped")
	}
	batch := cluster.Batch{Claims: cluster.Claims{Schema: cat.Version, Term: b.Term, Ranges: ranges(c.table, b.Ranges)}}
	if b.Rows != nil && b.Rows.N > 0 {
		rows, err := c.deriver.Derive(ctx, cat, materialized.Rows{Table: t, Schema: c.schema, Block: b.Rows})
		if err != nil {
			return poisoned(ctx, err)
		}
		for _, r := range rows {
			batch.Rows = append(batch.Rows, cluster.TableRows{Table: r.Table.ID, Block: r.Block})
		}
	}
	if len(b.DeadLetters) > 0 {
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
