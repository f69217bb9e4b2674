package cluster

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/olapd/olapd/internal/catalog"
	"github.com/olapd/olapd/internal/vfs"
	"github.com/olapd/olapd/mergetree"
)

// loadSpecs flushes after a few rows.
func loadSpecs(t *catalog.Table) (*mergetree.Spec, error) {
	s, err := testSpecs(t)
	if s != nil {
		s.Settings.FlushRows = 20
	}
	return s, err
}

func loadConfig(fsys vfs.FS) Config {
	cfg := crashConfig(fsys)
	cfg.Specs, cfg.NoBackground, cfg.SnapshotBytes = loadSpecs, false, 8<<10
	return cfg
}

// loadWriters write rows at the same time, each with a token, each writer its own keys.
const (
	loadWriters = 6
	loadRows    = 40
)

// load is what the writers know: how many rows of each were acknowledged.
type load struct {
	acked [loadWriters]uint64
	a     catalog.TableID
}

func (l *load) key(writer int, i uint64) uint64 { return uint64(writer)*1000 + i }

func (l *load) put(s *Shard, writer int, i uint64) (Result, error) {
	return s.Append(context.Background(), Batch{
		Claims: Claims{Tokens: []Token{{Table: l.a, ID: fmt.Sprint(writer, "/", i)}}},
		Rows:   []TableRows{{l.a, testBlock(l.key(writer, i))}},
	})
}

// run writes until all is written or something fails, with flushes, merges and Raft snapshots as they come.
func (l *load) run(n *Node) error {
	c, err := n.Change(context.Background(), func(c *catalog.Catalog) (*catalog.Catalog, error) {
		if c.Table("default", "a") != nil {
			return c, nil
		}
		return c.WithTables(testTable("a"))
	})
	if err != nil {
		return err
	}
	l.a = c.Table("default", "a").ID
	var work sync.WaitGroup
	var errs [loadWriters]error
	for w := range l.acked {
		work.Go(func() {
			for l.acked[w] < loadRows {
				r, err := l.put(n.Shards()[0], w, l.acked[w])
				if err == nil && r.Duplicate {
					err = fmt.Errorf("row %d of writer %d is called a duplicate", l.acked[w], w)
				}
				if err != nil {
					errs[w] = err
					return
				}
				l.acked[w]++
				time.Sleep(time.Millisecond)
			}
		})
	}
	work.Wait()
	return errors.Join(errs[:]...)
}

// check finds every acknowledged row once, and of each writer perhaps the next.
func (l *load) check(n *Node) error {
	a := n.Meta().Catalog().Table("default", "a")
	if a == nil {
		if l.acked != [loadWriters]uint64{} {
			return errors.New("the table is gone")
		}
		return nil
	}
	l.a = a.ID
	keys, err := tableKeys(n.Shards()[0].Store(), l.a)
	if err != nil {
		return err
	}
	have := map[uint64]int{}
	for _, k := range keys {
		have[k]++
	}
	for w := range l.acked {
		for i := range l.acked[w] {
			if have[l.key(w, i)] != 1 {
				return fmt.Errorf("row %d of writer %d is there %d times", i, w, have[l.key(w, i)])
			}
			delete(have, l.key(w, i))
		}
		next := l.key(w, l.acked[w])
		if have[next] == 1 {
			delete(have, next)
			r, err := l.put(n.Shards()[0], w, l.acked[w])
			if err != nil || !r.Duplicate {
				return fmt.Errorf("row %d of writer %d again: %+v, %w", l.acked[w], w, r, err)
			}
			l.acked[w]++
		}
	}
	if len(have) > 0 {
		return fmt.Errorf("rows nobody wrote: %v", have)
	}
	return nil
}

// loadRun is crashRun for the writers. It returns the operations of a whole run when op is beyond them.
func loadRun(t *testing.T, op int64) (operations int64, crashed bool) {
	synctest.Test(t, func(t *testing.T) {
		fsys := vfs.NewMem()
		fsys.CrashAt(op)
		first := &load{}
		n, err := Open(context.Background(), loadConfig(fsys))
		if err == nil {
			err = first.run(n)
			_ = n.Close()
		}
		if operations, crashed = fsys.Ops(), fsys.Crashed(); !crashed {
			must(t, err)
		}
		for _, policy := range crashPolicies {
			l := *first
			disk := fsys.Crash(policy, uint64(op))
			for round := range 2 {
				n, err := Open(context.Background(), loadConfig(disk))
				if err == nil {
					err = errors.Join(l.check(n), l.run(n), n.Close())
				}
				if err != nil {
					t.Fatalf("crash at %d, %s, round %d: %v", op, policy, round, err)
				}
			}
		}
	})
	return operations, crashed
}

// TestLoadCrashes loses power under concurrent writers, flushes, merges and Raft snapshots.
func TestLoadCrashes(t *testing.T) {
	operations, _ := loadRun(t, 1<<40)
	runs := int64(24)
	if testing.Short() {
		runs = 3
	}
	for i := range runs {
		loadRun(t, operations*i/runs+i)
	}
	t.Logf("%d operations in a whole run", operations)
}

// TestLogIsTruncated: under load the log stays short, and what was written survives a restart.
func TestLogIsTruncated(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		mem := vfs.NewMem()
		n := mustOpen(t, loadConfig(mem))
		l := &load{}
		must(t, l.run(n))
		time.Sleep(time.Minute)
		for _, st := range n.Status() {
			if st.LogBytes > 8<<10 || st.Err != nil || st.Term == 0 || st.Proposals != 0 {
				t.Errorf("status %+v", st)
			}
		}
		first, err := n.log.Group(1).FirstIndex()
		must(t, err)
		if first < 50 {
			t.Errorf("the log still begins at %d", first)
		}
		must(t, n.Close())
		n = mustOpen(t, loadConfig(mem))
		must(t, l.check(n))
		must(t, n.Close())
	})
}
