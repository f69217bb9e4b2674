package cluster

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/olapd/olapd/internal/catalog"
	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/internal/types"
	"github.com/olapd/olapd/internal/vfs"
	"github.com/olapd/olapd/mergetree"
)

// TestNode goes through the life of a table: created, written to, flushed, altered, truncated, dropped, with restarts and Raft
// snapshots in between.
func TestNode(t *testing.T) {
	ctx := context.Background()
	cfg := testConfig(vfs.NewMem())
	n := mustOpen(t, cfg)
	defer func() { must(t, n.Close()) }()
	reopen := func() {
		t.Helper()
		must(t, n.Close())
		start := time.Now()
		n = mustOpen(t, cfg)
		t.Logf("restart in %s", time.Since(start))
	}
	c, ids := create(t, n, testTable("a"), testTable("b"))
	a, b := ids[0], ids[1]
	shard := func() *Shard { return n.Shards()[0] }
	r1, err := shard().Append(ctx, Batch{Claims: Claims{Schema: c.Version}, Rows: []TableRows{{a, testBlock(1, 2)}, {b, testBlock(10)}}})
	must(t, err)
	if at := shard().Applied(); at < r1.Index {
		t.Fatalf("applied %d, committed %d", at, r1.Index)
	}
	reopen()
	requireKeys(t, shard(), a, 1, 2)
	requireKeys(t, shard(), b, 10)
	must(t, shard().Store().Flush(ctx, shard(), a))
	_, err = shard().Append(ctx, Batch{Claims: Claims{Schema: c.Version}, Rows: []TableRows{{a, testBlock(3)}}})
	must(t, err)
	must(t, shard().Compact())
	must(t, n.Meta().Compact())
	reopen()
	requireKeys(t, shard(), a, 1, 2, 3)
	must(t, shard().Store().Flush(ctx, shard(), a))
	must(t, shard().Store().Optimize(ctx, shard(), a, mergetree.OptimizeOptions{Final: true}))
	requireKeys(t, shard(), a, 1, 2, 3)

	// A column more.
	c, err = n.Change(ctx, func(c *catalog.Catalog) (*catalog.Catalog, error) {
		wide := *c.ByID(a)
		wide.Columns = append(wide.Columns[:2:2], catalog.Column{Name: "w", Type: "UInt8"})
		return c.WithChanged(&wide)
	})
	must(t, err)
	_, err = shard().Append(ctx, Batch{Claims: Claims{Schema: c.Version - 1}, Rows: []TableRows{{a, testBlock(4)}}})
	if !errors.Is(err, ErrSchemaChanged) {
		t.Fatalf("rows of an old schema: %v", err)
	}
	wide := testBlock(4)
	wide.Cols = append(wide.Cols, column.NewNum(types.TUInt8, []uint8{7}))
	_, err = shard().Append(ctx, Batch{Claims: Claims{Schema: c.Version}, Rows: []TableRows{{a, wide}}})
	must(t, err)
	_, err = shard().Append(ctx, Batch{Claims: Claims{Schema: c.Version}, Rows: []TableRows{{b, testBlock(11)}, {a, testBlock(5)}}})
	if !sqlerr.Is(err, sqlerr.NumberOfColumnsDoesntMatch) {
		t.Fatalf("too few columns: %v", err)
	}
	reopen()
	requireKeys(t, shard(), a, 1, 2, 3, 4)
	requireKeys(t, shard(), b, 10)

	_, err = shard().Truncate(ctx, a)
	must(t, err)
	requireKeys(t, shard(), a)
	_, err = n.Change(ctx, func(c *catalog.Catalog) (*catalog.Catalog, error) { return c.WithoutTables(b), nil })
	must(t, err)
	must(t, shard().Compact())
	reopen()
	requireKeys(t, shard(), a)
	snap := shard().Store().Snapshot()
	if got := fmt.Sprint(snap.Tables()); got != fmt.Sprint([]catalog.TableID{a}) {
		t.Errorf("tables %s are left", got)
	}
	snap.Close()
	if _, err := shard().Truncate(ctx, b); !sqlerr.Is(err, sqlerr.UnknownTable) {
		t.Errorf("truncating a dropped table: %v", err)
	}
	must(t, shard().Barrier(ctx))
	if n.Meta().Catalog().ByID(a) == nil || n.Meta().Catalog().ByID(b) != nil {
		t.Error("the catalog is not what was changed")
	}
}

// TestTokens: a token takes effect once, also across restarts and Raft snapshots, until its table forgets it.
func TestTokens(t *testing.T) {
	ctx := context.Background()
	cfg := testConfig(vfs.NewMem())
	n := mustOpen(t, cfg)
	defer func() { must(t, n.Close()) }()
	small := testTable("a")
	small.Settings = map[string]string{"replicated_deduplication_window": "3"}
	c, ids := create(t, n, small)
	a := ids[0]
	put := func(key uint64, token string, hash byte) Result {
		t.Helper()
		r, err := n.Shards()[0].Append(ctx, Batch{Claims: Claims{Schema: c.Version, Tokens: []Token{{Table: a, ID: token, Hash: [16]byte{hash}}}},
			Rows: []TableRows{{a, testBlock(key)}}})
		must(t, err)
		return r
	}
	first := put(1, "x", 1)
	for round := range 3 {
		if got := put(1, "x", 1); !got.Duplicate || got.Index != first.Index || got.Differs {
			t.Fatalf("round %d: the repeat gives %+v, the first gave %+v", round, got, first)
		}
		if got := put(2, "x", 2); !got.Duplicate || !got.Differs {
			t.Fatalf("round %d: other rows under the token give %+v", round, got)
		}
		if round == 1 {
			must(t, n.Shards()[0].Compact())
		}
		must(t, n.Close())
		n = mustOpen(t, cfg)
	}
	for i := range uint64(3) {
		put(10+i, fmt.Sprint("y", i), 0)
	}
	if got := put(3, "x", 1); got.Duplicate {
		t.Errorf("the token outlived its window: %+v", got)
	}
	requireKeys(t, n.Shards()[0], a, 1, 3, 10, 11, 12)
	must(t, n.Shards()[0].TrimTokens(ctx, a, time.Now().Add(time.Hour).UnixNano()))
	if got := put(4, "x", 1); got.Duplicate {
		t.Errorf("the token was not trimmed: %+v", got)
	}
	_, err := n.Shards()[0].Truncate(ctx, a)
	must(t, err)
	if got := put(5, "x", 1); got.Duplicate {
		t.Errorf("the token outlived TRUNCATE: %+v", got)
	}
}

// TestCursors: ranges of a source are accepted in order, once, together with their rows.
func TestCursors(t *testing.T) {
	ctx := context.Background()
	cfg := testConfig(vfs.NewMem())
	n := mustOpen(t, cfg)
	defer func() { must(t, n.Close()) }()
	kafka := testTable("k")
	kafka.Kind, kafka.Engine = catalog.KindKafka, "Kafka"
	c, ids := create(t, n, testTable("a"), kafka)
	a, k := ids[0], ids[1]
	topic := TopicID{1}
	put := func(key uint64, r SourceRange) error {
		r.Source, r.Topic = k, "t"
		if r.TopicID == (TopicID{}) {
			r.TopicID = topic
		}
		if r.First == 0 && r.Last == 0 {
			r.First, r.Last = r.Start, r.End-1
		}
		_, err := n.Shards()[0].Append(ctx, Batch{Claims: Claims{Schema: c.Version, Ranges: []SourceRange{r}}, Rows: []TableRows{{a, testBlock(key)}}})
		return err
	}
	must(t, put(1, SourceRange{Start: 5, End: 10}))
	must(t, put(2, SourceRange{Start: 10, End: 12, First: -1, Last: -1}))
	for name, r := range map[string]SourceRange{
		"again":           {Start: 10, End: 12},
		"overlap":         {Start: 11, End: 13},
		"hole":            {Start: 13, End: 14},
		"other topic":     {Start: 12, End: 14, TopicID: TopicID{2}},
		"gap elsewhere":   {Start: 20, End: 21, Gap: true, Expect: 11},
		"gap back":        {Start: 3, End: 4, Gap: true, Expect: 12},
		"gap, no cursor ": {Start: 20, End: 21, Gap: true, Expect: NoOffset},
	} {
		if err := put(99, r); !errors.Is(err, ErrCursorMoved) {
			t.Errorf("%s: %v", name, err)
		}
	}
	must(t, put(3, SourceRange{Start: 20, End: 21, Gap: true, Expect: 12}))
	must(t, n.Shards()[0].Compact())
	must(t, n.Close())
	n = mustOpen(t, cfg)
	must(t, put(4, SourceRange{Start: 0, End: 1, Gap: true, Expect: 21, TopicID: TopicID{2}}))
	must(t, n.Close())
	n = mustOpen(t, cfg)
	s := n.Shards()[0]
	at := s.Cursors(k)
	if got := at.Cursors[TopicPartition{"t", 0}]; got.Next != 1 || got.TopicID != (TopicID{2}) || len(at.Cursors) != 1 {
		t.Errorf("cursors %+v", at)
	}
	if term, leads := s.Leader(); !leads || term != at.Term {
		t.Errorf("leading %v in term %d, the position's is %d", leads, term, at.Term)
	}
	_, err := s.Append(ctx, Batch{Claims: Claims{Term: at.Term - 1}})
	if !errors.Is(err, ErrNotLeader) {
		t.Errorf("a batch of an earlier term: %v", err)
	}
	requireKeys(t, s, a, 1, 2, 3, 4)
	p := TopicPartition{"t", 0}
	if err := s.ReleaseSource(ctx, 0, k, p, TopicID{2}, 7); !errors.Is(err, ErrCursorMoved) {
		t.Errorf("released elsewhere: %v", err)
	}
	must(t, s.ReleaseSource(ctx, 0, k, p, TopicID{2}, 1))
	if err := put(5, SourceRange{Start: 1, End: 2, TopicID: TopicID{2}}); !errors.Is(err, ErrCursorMoved) {
		t.Errorf("accepted after the release: %v", err)
	}
	must(t, s.AcquireSource(ctx, 0, k, p, TopicID{2}, 1))
	must(t, put(5, SourceRange{Start: 1, End: 2, TopicID: TopicID{2}}))
	_, err = n.Change(ctx, func(c *catalog.Catalog) (*catalog.Catalog, error) { return c.WithoutTables(k), nil })
	must(t, err)
	if at := s.Cursors(k); len(at.Cursors) > 0 {
		t.Errorf("the cursors of a dropped source are left: %+v", at)
	}
}

// TestRollupSchema: rows derived before a rollup of their table came, changed or went are refused.
func TestRollupSchema(t *testing.T) {
	ctx := context.Background()
	n := testNode(t, testConfig(vfs.NewMem()))
	s := n.Shards()[0]
	null := testTable("null")
	null.Engine = "Null"
	c, ids := create(t, n, testTable("base"), testTable("target"), testTable("other"), null)
	rollup := testTable("mv")
	rollup.Kind, rollup.Source, rollup.Target = catalog.KindRollup, ids[0], ids[1]
	with, mv := create(t, n, rollup)
	put := func(version uint64, id catalog.TableID) error {
		_, err := s.Append(ctx, Batch{Claims: Claims{Schema: version}, Rows: []TableRows{{id, testBlock(1)}}})
		return err
	}
	if err := put(c.Version, ids[0]); !errors.Is(err, ErrSchemaChanged) {
		t.Errorf("derived without the rollup: %v", err)
	}
	must(t, put(c.Version, ids[2]))
	must(t, put(with.Version, ids[0]))
	_, err := n.Change(ctx, func(c *catalog.Catalog) (*catalog.Catalog, error) { return c.WithoutTables(mv...), nil })
	must(t, err)
	if err := put(with.Version, ids[0]); !errors.Is(err, ErrSchemaChanged) {
		t.Errorf("derived with the dropped rollup: %v", err)
	}
	_, err = s.Append(ctx, Batch{Claims: Claims{Schema: c.Version}, Rows: []TableRows{{ids[3], nil}, {ids[2], testBlock(2)}}})
	must(t, err)
	requireKeys(t, s, ids[2], 1, 2)
	if err := put(with.Version+1, ids[3]); !sqlerr.Is(err, sqlerr.UnknownTable) {
		t.Errorf("rows for a table without any: %v", err)
	}
}

// TestEdits: several tables' edits are one commit, or none.
func TestEdits(t *testing.T) {
	ctx := context.Background()
	cfg := testConfig(vfs.NewMem())
	n := mustOpen(t, cfg)
	defer func() { must(t, n.Close()) }()
	c, ids := create(t, n, testTable("a"), testTable("b"))
	s := n.Shards()[0]
	build := func(id catalog.TableID, keys ...uint64) mergetree.Edit {
		t.Helper()
		blocks := []*column.Block{testBlock(keys...)}
		segs, err := s.Store().BuildSegments(ctx, id, func(context.Context) (*column.Block, error) {
			if len(blocks) == 0 {
				return nil, nil
			}
			b := blocks[0]
			blocks = nil
			return b, nil
		})
		must(t, err)
		return mergetree.Edit{Table: id, Cause: mergetree.CauseInsert, Add: segs}
	}
	token := []Token{{Table: ids[0], ID: "bulk"}}
	edits := []mergetree.Edit{build(ids[0], 1, 2), build(ids[1], 3)}
	_, err := s.CommitSegments(ctx, EditBatch{Claims: Claims{Schema: c.Version, Tokens: token}, Edits: edits})
	must(t, err)
	again := []mergetree.Edit{build(ids[0], 1, 2)}
	r, err := s.CommitSegments(ctx, EditBatch{Claims: Claims{Schema: c.Version, Tokens: token}, Edits: again})
	must(t, err)
	if !r.Duplicate {
		t.Error("the token took effect twice")
	}
	s.Store().Discard(again[0].Add)
	bad := []mergetree.Edit{build(ids[0], 7), {Table: ids[1], Cause: mergetree.CauseMerge, Remove: []string{"gone"}}}
	if _, err := s.CommitSegments(ctx, EditBatch{Edits: bad}); !errors.Is(err, mergetree.ErrEditRejected) {
		t.Errorf("half an entry: %v", err)
	}
	requireKeys(t, s, ids[0], 1, 2)
	must(t, n.Close()) // leaves the rejected file behind
	n = mustOpen(t, cfg)
	s = n.Shards()[0]
	requireKeys(t, s, ids[0], 1, 2)
	requireKeys(t, s, ids[1], 3)
	names, err := cfg.FS.List("data/segments-1")
	must(t, err)
	if len(names) != 2 {
		t.Errorf("files %v", names)
	}
}

// TestRefusals: what cannot work is refused before it is in the log.
func TestRefusals(t *testing.T) {
	ctx := context.Background()
	n := testNode(t, testConfig(vfs.NewMem()))
	broken := testTable("x")
	broken.Comment = "broken"
	if _, err := n.Change(ctx, func(c *catalog.Catalog) (*catalog.Catalog, error) { return c.WithTables(broken) }); err == nil {
		t.Error("a table that cannot be compiled was created")
	}
	_, ids := create(t, n, testTable("a"))
	_, err := n.Change(ctx, func(c *catalog.Catalog) (*catalog.Catalog, error) {
		other := testTable("other")
		other.ID = ids[0]
		return c.WithTables(other)
	})
	if !sqlerr.Is(err, sqlerr.LogicalError) {
		t.Errorf("a table under another's ID: %v", err)
	}
	s := n.Shards()[0]
	for name, b := range map[string]Batch{
		"empty token": {Claims: Claims{Tokens: []Token{{Table: ids[0]}}}},
		"backwards":   {Claims: Claims{Ranges: []SourceRange{{Start: 5, End: 4}}}},
		"record out":  {Claims: Claims{Ranges: []SourceRange{{Start: 5, End: 6, First: 5, Last: 6}}}},
	} {
		if _, err := s.Append(ctx, b); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	gone, cancel := context.WithCancel(ctx)
	cancel()
	if _, err := s.Append(gone, Batch{Claims: Claims{Schema: 1 << 40}}); !errors.Is(err, context.Canceled) {
		t.Errorf("waiting for a schema: %v", err)
	}
	if c, err := n.Change(ctx, func(c *catalog.Catalog) (*catalog.Catalog, error) { return c, nil }); err != nil || c.ByID(ids[0]) == nil {
		t.Errorf("no change: %v", err)
	}
}

// TestShardsAreKept: a node that was given more shards has them and their rows after a restart.
func TestShardsAreKept(t *testing.T) {
	cfg := testConfig(vfs.NewMem())
	n := mustOpen(t, cfg)
	must(t, n.SetShards(context.Background(), 3))
	_, ids := create(t, n, testTable("a"))
	for i, s := range n.Shards() {
		_, err := s.Append(context.Background(), Batch{Rows: []TableRows{{ids[0], testBlock(uint64(i))}}})
		must(t, err)
	}
	must(t, n.Close())
	n = mustOpen(t, cfg)
	if len(n.Shards()) != 3 {
		t.Fatalf("%d shards", len(n.Shards()))
	}
	for i, s := range n.Shards() {
		requireKeys(t, s, ids[0], uint64(i))
	}
	must(t, n.Close())
	if _, err := n.Shards()[0].Append(context.Background(), Batch{}); !errors.Is(err, ErrClosed) {
		t.Errorf("after the end: %v", err)
	}
}
