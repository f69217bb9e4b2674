package raftlog

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/raft"

	"github.com/olapd/olapd/internal/vfs"
)

// counter is a state machine: the number of commands and their sum.
type counter struct{ n, sum uint64 }

func (c *counter) Apply(l *raft.Log) any {
	c.n++
	c.sum += binary.LittleEndian.Uint64(l.Data)
	return c.n
}

func (c *counter) Snapshot() (raft.FSMSnapshot, error) { copied := *c; return &copied, nil }

func (c *counter) Persist(sink raft.SnapshotSink) error {
	if err := binary.Write(sink, binary.LittleEndian, []uint64{c.n, c.sum}); err != nil {
		return errors.Join(err, sink.Cancel())
	}
	return sink.Close()
}

func (c *counter) Release() {}

func (c *counter) Restore(r io.ReadCloser) error {
	defer r.Close()
	v := make([]uint64, 2)
	if err := binary.Read(r, binary.LittleEndian, v); err != nil {
		return err
	}
	c.n, c.sum = v[0], v[1]
	return nil
}

// startRaft runs a group of one member over l.
func startRaft(t *testing.T, fsys vfs.FS, l *Log, group uint64) (*raft.Raft, *counter) {
	t.Helper()
	conf := raft.DefaultConfig()
	conf.LocalID = "n1"
	conf.HeartbeatTimeout, conf.ElectionTimeout, conf.LeaderLeaseTimeout = 20*time.Millisecond, 20*time.Millisecond, 10*time.Millisecond
	conf.Logger = hclog.NewNullLogger()
	conf.TrailingLogs, conf.SnapshotThreshold = 10, 50
	conf.SnapshotInterval = 10 * time.Millisecond
	snaps, err := OpenSnapshots(fsys, fmt.Sprintf("snap-%d", group), 2)
	must(t, err)
	store := l.Group(group)
	addr, transport := raft.NewInmemTransport("")
	known, err := raft.HasExistingState(store, store, snaps)
	must(t, err)
	if !known {
		must(t, raft.BootstrapCluster(conf, store, store, snaps, transport,
			raft.Configuration{Servers: []raft.Server{{ID: conf.LocalID, Address: addr}}}))
	}
	fsm := &counter{}
	r, err := raft.NewRaft(conf, fsm, store, store, snaps, transport)
	must(t, err)
	for deadline := time.Now().Add(5 * time.Second); r.State() != raft.Leader; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("no leader")
		}
	}
	return r, fsm
}

// TestRaft runs two real Raft groups over one log, with Raft snapshots and compaction, restarts
// and a power loss.
func TestRaft(t *testing.T) {
	fsys := vfs.NewMem()
	opts := Options{SegmentBytes: 16 << 10}
	var n, sum uint64
	for round := range uint64(4) {
		l := mustOpen(t, fsys, opts)
		for group := uint64(1); group <= 2; group++ {
			r, fsm := startRaft(t, fsys, l, group)
			must(t, r.Barrier(time.Second).Error())
			if fsm.n != n || fsm.sum != sum {
				t.Fatalf("round %d, group %d: %d commands of sum %d, want %d and %d", round, group, fsm.n, fsm.sum, n, sum)
			}
			var last raft.ApplyFuture
			for i := range uint64(300) {
				last = r.Apply(binary.LittleEndian.AppendUint64(nil, round*1000+i), time.Second)
			}
			must(t, last.Error())
			must(t, r.Snapshot().Error())
			must(t, r.Shutdown().Error())
		}
		for i := range uint64(300) {
			n, sum = n+1, sum+round*1000+i
		}
		if first, _ := l.Group(1).FirstIndex(); first < 200 {
			t.Errorf("round %d: the log still begins at %d", round, first)
		}
		must(t, l.Close())
		if round%2 == 1 {
			fsys = fsys.Crash(vfs.DropUnsynced, 0)
		}
	}
}

func writeSnapshot(s *Snapshots, index uint64, state string) error {
	sink, err := s.Create(raft.SnapshotVersionMax, index, 1, raft.Configuration{Servers: []raft.Server{{ID: "a"}}}, 1, nil)
	if err != nil {
		return err
	}
	if _, err := io.Copy(sink, strings.NewReader(state)); err != nil {
		return errors.Join(err, sink.Cancel())
	}
	return sink.Close()
}

func snapshotIndexes(t *testing.T, s *Snapshots) (out []uint64) {
	t.Helper()
	list, err := s.List()
	must(t, err)
	for _, meta := range list {
		got, r, err := s.Open(meta.ID)
		must(t, err)
		state, err := io.ReadAll(r)
		must(t, err)
		must(t, r.Close())
		if want := snapshotState(meta.Index); string(state) != want || got.Size != int64(len(want)) || len(got.Configuration.Servers) != 1 {
			t.Fatalf("snapshot %s: %d bytes, %+v", meta.ID, len(state), got)
		}
		out = append(out, meta.Index)
	}
	return out
}

func snapshotState(index uint64) string { return strings.Repeat(fmt.Sprint(index, " "), 500) }

func TestSnapshots(t *testing.T) {
	fsys := vfs.NewMem()
	s, err := OpenSnapshots(fsys, "snap", 2)
	must(t, err)
	for _, index := range []uint64{9, 10, 100} {
		must(t, writeSnapshot(s, index, snapshotState(index)))
	}
	sink, err := s.Create(raft.SnapshotVersionMax, 200, 1, raft.Configuration{}, 1, nil)
	must(t, err)
	must(t, sink.Cancel())
	if got := fmt.Sprint(snapshotIndexes(t, s)); got != "[100 10]" {
		t.Errorf("snapshots %s", got)
	}
	list, err := s.List()
	must(t, err)
	for _, name := range []string{snapshotData, snapshotMeta} {
		m := fsys.Crash(vfs.KeepUnsynced, 0)
		f, err := m.OpenReadWrite("snap/" + list[0].ID + "/" + name)
		must(t, err)
		flip(t, f, 20)
		must(t, f.Close())
		damaged, err := OpenSnapshots(m, "snap", 2)
		must(t, err)
		if _, _, err := damaged.Open(list[0].ID); !errors.Is(err, ErrCorrupt) {
			t.Errorf("damaged %s: %v", name, err)
		}
	}
}

// TestSnapshotCrash: after a power loss at any operation the newest acknowledged snapshot is
// there, whole, and every listed one can be read.
func TestSnapshotCrash(t *testing.T) {
	for at := int64(0); ; at++ {
		m := vfs.NewMem()
		m.CrashAt(at)
		acked := uint64(0)
		if s, err := OpenSnapshots(m, "snap", 2); err == nil {
			for index := uint64(1); index <= 4; index++ {
				if writeSnapshot(s, index, snapshotState(index)) != nil {
					break
				}
				acked = index
			}
		}
		for _, policy := range policies {
			for seed := range uint64(5) {
				s, err := OpenSnapshots(m.Crash(policy, seed), "snap", 2)
				must(t, err)
				if got := snapshotIndexes(t, s); acked > 0 && (len(got) == 0 || got[0] < acked) {
					t.Fatalf("crash at %d, %v, seed %d: snapshots %v, acknowledged %d", at, policy, seed, got, acked)
				}
				must(t, writeSnapshot(s, 9, snapshotState(9)))
			}
		}
		if !m.Crashed() {
			return
		}
	}
}

func TestMetaIsBounded(t *testing.T) {
	if _, _, err := decodeMeta(bytes.Repeat([]byte{snapshotVersion}, 100)); !errors.Is(err, ErrCorrupt) {
		t.Error(err)
	}
}
