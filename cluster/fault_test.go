package cluster

import (
	"context"
	"errors"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/internal/vfs"
)

// faultNode is a node with a table and one row, on a file system whose operations can be made to fail.
func faultNode(t *testing.T, mem *vfs.Mem) (*Node, *story, *vfs.Rules) {
	t.Helper()
	rules := vfs.NewRules()
	n := mustOpen(t, crashConfig(vfs.WithFaults(mem, rules)))
	s := &story{}
	must(t, s.tables(context.Background(), n))
	_, err := n.Shards()[0].Append(context.Background(), s.batch(0))
	must(t, err)
	s.acked = 1
	return n, s, rules
}

// TestDiskFails: after a failed write or sync of the log nothing more is written, and said so; reads go on; a restart has what was
// acknowledged.
func TestDiskFails(t *testing.T) {
	for name, rule := range map[string]vfs.Rule{
		"sync":  {Kinds: []vfs.OpKind{vfs.OpSync}, Path: "raft", Fault: vfs.Fault{Err: syscall.EIO}},
		"write": {Kinds: []vfs.OpKind{vfs.OpWrite}, Path: "raft", Fault: vfs.Fault{Err: syscall.EIO, Short: 5}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				mem := vfs.NewMem()
				n, s, rules := faultNode(t, mem)
				shard := n.Shards()[0]
				rules.Set(rule)
				_, err := shard.Append(context.Background(), s.batch(1))
				if !errors.Is(err, ErrUnknown) || !sqlerr.Is(err, sqlerr.UnknownStatusOfInsert) {
					t.Errorf("the append under way: %v", err)
				}
				_, err = shard.Append(context.Background(), s.batch(2))
				if !errors.Is(err, ErrStopped) || !sqlerr.Is(err, sqlerr.TableIsReadOnly) {
					t.Errorf("the next append: %v", err)
				}
				if err := shard.Barrier(context.Background()); !errors.Is(err, ErrStopped) {
					t.Errorf("a strong read: %v", err)
				}
				if shard.Err() == nil {
					t.Error("the shard does not say that it has stopped")
				}
				requireKeys(t, shard, s.a, 0)
				rules.Set()
				time.Sleep(time.Minute)
				_, err = shard.Append(context.Background(), s.batch(2))
				if !errors.Is(err, ErrStopped) {
					t.Errorf("a minute later: %v", err)
				}
				_ = n.Close()
				restart(t, name, s, mem.Crash(vfs.TearUnsynced, 1))
			})
		})
	}
}

// TestDiskFull: while the disk is full writes are refused and reads go on; when there is space again, writes go on by themselves.
func TestDiskFull(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		mem := vfs.NewMem()
		n, s, rules := faultNode(t, mem)
		shard := n.Shards()[0]
		rules.Set(vfs.Rule{Kinds: []vfs.OpKind{vfs.OpPreallocate, vfs.OpCreate}, Fault: vfs.Fault{Err: syscall.ENOSPC}})
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		refused := false
		for !refused { // until the preallocated space is used up
			_, err := shard.Append(ctx, s.batch(s.acked))
			switch {
			case err == nil:
				s.acked++
			case errors.Is(err, ErrUnknown) && errors.Is(err, context.DeadlineExceeded):
				_, err = shard.Append(context.Background(), s.batch(s.acked))
				if !sqlerr.Is(err, sqlerr.NotEnoughSpace) {
					t.Fatalf("while the disk is full: %v", err)
				}
				refused = true
			default:
				t.Fatal(err)
			}
		}
		rows, err := tableKeys(shard.Store(), s.a)
		must(t, err)
		if uint64(len(rows)) != s.acked {
			t.Fatalf("%d rows, %d acknowledged", len(rows), s.acked)
		}
		rules.Set()
		time.Sleep(time.Second)
		must(t, s.check(n))
		_, err = shard.Append(context.Background(), s.batch(s.acked))
		must(t, err)
		s.acked++
		must(t, n.Close())
		n = mustOpen(t, crashConfig(mem))
		must(t, s.check(n))
		must(t, n.Close())
	})
}

// TestReadFails: a log that cannot be read back at a start is an error of Open, not a panic.
func TestReadFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		mem := vfs.NewMem()
		n, s, _ := faultNode(t, mem)
		must(t, s.run(n))
		must(t, n.Close())
		for from := 1; ; from += 1 + from/8 {
			rules := vfs.NewRules(vfs.Rule{Kinds: []vfs.OpKind{vfs.OpRead}, From: from, Fault: vfs.Fault{Err: syscall.EIO}})
			n, err := Open(context.Background(), crashConfig(vfs.WithFaults(mem, rules)))
			if err == nil {
				must(t, n.Close())
				if from < 5 {
					t.Errorf("only %d reads at a start", from)
				}
				break
			}
			if !errors.Is(err, syscall.EIO) {
				t.Fatal(err)
			}
		}
		restart(t, "after read errors", s, mem)
	})
}
