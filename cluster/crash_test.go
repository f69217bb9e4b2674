package cluster

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"

	"github.com/olapd/olapd/internal/catalog"
	"github.com/olapd/olapd/internal/vfs"
	"github.com/olapd/olapd/mergetree"
)

// crashRows is how many rows the scenario of the crash tests commits, one an entry.
const crashRows = 14

// story is what a client knows of a run: which rows were acknowledged.
type story struct {
	acked uint64
	a, k  catalog.TableID
}

// run commits rows from where it stopped, each with a token and as one record of a source, and flushes, merges and takes Raft snapshots
// in between, until done or until something fails.
func (s *story) run(n *Node) error {
	ctx, shard := context.Background(), n.Shards()[0]
	if err := s.tables(ctx, n); err != nil {
		return err
	}
	for s.acked < crashRows {
		r, err := shard.Append(ctx, s.batch(s.acked))
		if err != nil {
			return err
		}
		if r.Duplicate {
			return fmt.Errorf("row %d is new, and called a duplicate", s.acked)
		}
		s.acked++
		switch s.acked {
		case 4, 7, 11:
			err = shard.Store().Flush(ctx, shard, s.a)
		case 5, 10:
			err = errors.Join(shard.Compact(), n.Meta().Compact())
		case 9, 13:
			err = shard.Store().Optimize(ctx, shard, s.a, mergetree.OptimizeOptions{Final: true})
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (s *story) tables(ctx context.Context, n *Node) error {
	c, err := n.Change(ctx, func(c *catalog.Catalog) (*catalog.Catalog, error) {
		if c.Table("default", "a") != nil {
			return c, nil
		}
		kafka := testTable("k")
		kafka.Kind = catalog.KindKafka
		return c.WithTables(testTable("a"), kafka)
	})
	if err == nil {
		s.a, s.k = c.Table("default", "a").ID, c.Table("default", "k").ID
	}
	return err
}

func (s *story) batch(i uint64) Batch {
	return Batch{
		Claims: Claims{
			Tokens: []Token{{Table: s.a, ID: fmt.Sprint("token", i)}},
			Ranges: []SourceRange{{Source: s.k, Topic: "t", Start: int64(i), End: int64(i) + 1, First: int64(i), Last: int64(i)}},
		},
		Rows: []TableRows{{s.a, testBlock(i)}},
	}
}

// check compares what a restarted node has with the story: every acknowledged row once, perhaps the next one too, the cursor behind the
// last, and tokens for all.
func (s *story) check(n *Node) error {
	ctx, shard := context.Background(), n.Shards()[0]
	a := n.Meta().Catalog().Table("default", "a")
	if a == nil {
		if s.acked > 0 {
			return fmt.Errorf("the table is gone")
		}
		return nil
	}
	s.a, s.k = a.ID, n.Meta().Catalog().Table("default", "k").ID
	rows, err := tableKeys(shard.Store(), s.a)
	if err != nil {
		return err
	}
	have := uint64(len(rows))
	for i, key := range rows {
		if key != uint64(i) {
			return fmt.Errorf("rows %v", rows)
		}
	}
	if have < s.acked || have > s.acked+1 {
		return fmt.Errorf("%d rows, %d were acknowledged", have, s.acked)
	}
	at, known := shard.Cursors(s.k).Cursors[TopicPartition{"t", 0}]
	if known != (have > 0) || uint64(at.Next) != have {
		return fmt.Errorf("%d rows, the cursor is at %d", have, at.Next)
	}
	for i := range have {
		r, err := shard.Append(ctx, s.batch(i))
		if err != nil || !r.Duplicate {
			return fmt.Errorf("row %d again: %+v, %w", i, r, err)
		}
	}
	s.acked = have
	return nil
}

// tableKeys returns the first column of all rows of a table, sorted.
func tableKeys(store *mergetree.Store, id catalog.TableID) ([]uint64, error) {
	snap := store.Snapshot()
	defer snap.Close()
	v := snap.Table(id)
	if v == nil {
		return nil, fmt.Errorf("table %d does not exist", id)
	}
	m, err := v.MergedBlocks(context.Background(), []int{0})
	if err != nil {
		return nil, err
	}
	defer m.Close()
	var out []uint64
	for {
		b, err := m.Next(context.Background())
		if err != nil {
			return nil, err
		}
		if b == nil {
			slices.Sort(out)
			return out, nil
		}
		out = append(out, keyColumn(b)...)
	}
}

var crashPolicies = []vfs.CrashPolicy{vfs.DropUnsynced, vfs.KeepUnsynced, vfs.TearUnsynced}

// crashRun runs the scenario in virtual time until the file system loses power at operation op, restarts it from what each policy
// leaves, and goes on to the end. It returns false when the scenario needs fewer operations.
func crashRun(t *testing.T, op int64) bool {
	crashed := false
	synctest.Test(t, func(t *testing.T) {
		fsys := vfs.NewMem()
		fsys.CrashAt(op)
		first := &story{}
		n, err := Open(context.Background(), crashConfig(fsys))
		if err == nil {
			err = first.run(n)
			_ = n.Close() // the disk is gone
		}
		crashed = fsys.Crashed()
		if !crashed {
			must(t, err)
		}
		for _, policy := range crashPolicies {
			s := *first
			restart(t, fmt.Sprintf("crash at %d, %s, %d acknowledged (%v)", op, policy, s.acked, err), &s, fsys.Crash(policy, uint64(op)))
		}
	})
	return crashed
}

func crashConfig(fsys vfs.FS) Config {
	cfg := testConfig(fsys)
	cfg.LogSegment = 8 << 10
	return cfg
}

func restart(t *testing.T, what string, s *story, fsys *vfs.Mem) {
	t.Helper()
	for round := range 2 {
		n, err := Open(context.Background(), crashConfig(fsys))
		if err != nil {
			t.Fatalf("%s, round %d: %v", what, round, err)
		}
		if err := s.check(n); err != nil {
			t.Fatalf("%s, round %d: %v", what, round, err)
		}
		if err := s.run(n); err != nil {
			t.Fatalf("%s, round %d, going on: %v", what, round, err)
		}
		must(t, n.Close())
	}
	if s.acked != crashRows {
		t.Fatalf("%s: %d rows in the end", what, s.acked)
	}
}

// TestCrashes loses power at I/O operations all over the scenario: raft, its log and snapshots, flushes and merges on one file system.
func TestCrashes(t *testing.T) {
	step := int64(3)
	if testing.Short() {
		step = 41
	}
	op, states := int64(0), 0
	for ; crashRun(t, op); op += step {
		states += len(crashPolicies)
	}
	t.Logf("%d operations, %d states after a crash", op, states)
	if op < 150 {
		t.Errorf("the scenario has only %d operations", op)
	}
}

// lyingFS forgets to sync files.
type lyingFS struct{ *vfs.Mem }

type lyingFile struct{ vfs.File }

func (lyingFile) Sync() error { return nil }

func lie(f vfs.File, err error) (vfs.File, error) {
	if err != nil {
		return nil, err
	}
	return lyingFile{f}, nil
}

func (l lyingFS) Create(name string) (vfs.File, error)     { return lie(l.Mem.Create(name)) }
func (l lyingFS) OpenAppend(name string) (vfs.File, error) { return lie(l.Mem.OpenAppend(name)) }
func (l lyingFS) OpenReadWrite(name string) (vfs.File, error) {
	return lie(l.Mem.OpenReadWrite(name))
}

// TestLostSyncsAreNoticed: the crash tests see that acknowledged rows are gone when syncs do nothing.
func TestLostSyncsAreNoticed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		mem := vfs.NewMem()
		n := mustOpen(t, crashConfig(lyingFS{mem}))
		s := &story{}
		must(t, s.run(n))
		must(t, n.Close())
		after, err := Open(context.Background(), crashConfig(mem.Crash(vfs.DropUnsynced, 0)))
		if err != nil {
			return // noticed
		}
		if err := s.check(after); err == nil {
			t.Error("unsynced rows are there after a power loss, or not missed")
		}
		must(t, after.Close())
	})
}
