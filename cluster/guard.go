package cluster

import (
	"errors"
	"fmt"
	"io"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hashicorp/raft"

	"github.com/olapd/olapd/cluster/raftlog"
	"github.com/olapd/olapd/internal/clock"
	"github.com/olapd/olapd/internal/vfs"
)

// guard stands between raft and the log of a group, for what raft cannot take: it panics when its stable store or
// a read of its log fails, and gives up its leadership when an append does.
//
// A full disk is waited for: an append that fails for lack of space wrote nothing, and is made again until there is
// some; meanwhile full tells proposers to refuse.
//
// Any other failure stops the replica, through fail. From then on what raft does has no effect: the state machine applies
// nothing, appends fail, no message leaves a group of one. So writes of terms and votes and reads of entries may pretend to have
// worked, until raft is shut down an instant later.
type guard struct {
	*raftlog.GroupStore
	clk     clock.Clock
	fail    func(error)
	failed  func() error
	closing <-chan struct{}
	full    atomic.Bool

	mu struct {
		sync.Mutex
		stalled chan struct{} // closed while an append has waited for space for stallAfter
	}
}

// stalled returns a channel that is closed when appends have waited for space for so long that callers should be told.
func (s *guard) stalled() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.mu.stalled
}

// setFull notes that an append has been waiting for space since a time, or that one has worked.
func (s *guard) setFull(full bool, since time.Time) {
	s.full.Store(full)
	s.mu.Lock()
	defer s.mu.Unlock()
	select {
	case <-s.mu.stalled:
		if !full {
			s.mu.stalled = make(chan struct{})
		}
	default:
		if full && s.clk.Since(since) >= stallAfter {
			close(s.mu.stalled)
		}
	}
}

// StoreLog implements raft.LogStore.
func (s *guard) StoreLog(l *raft.Log) error { return s.StoreLogs([]*raft.Log{l}) }

// StoreLogs implements raft.LogStore.
func (s *guard) StoreLogs(logs []*raft.Log) error {
	start := s.clk.Now()
	for {
		if err := s.failed(); err != nil {
			return err
		}
		err := s.GroupStore.StoreLogs(logs)
		if err == nil {
			if s.full.Load() {
				s.setFull(false, start)
			}
			return nil
		}
		if !vfs.IsNoSpace(err) || errors.Is(err, raftlog.ErrPoisoned) {
			s.fail(err)
			return err
		}
		s.setFull(true, start)
		select {
		case <-s.clk.After(fullPause):
		case <-s.closing:
			return err
		}
	}
}

// GetLog implements raft.LogStore.
func (s *guard) GetLog(index uint64, l *raft.Log) error {
	err := s.GroupStore.GetLog(index, l)
	if err == nil || errors.Is(err, raft.ErrLogNotFound) {
		return err
	}
	s.fail(err)
	*l = raft.Log{Index: index, Type: raft.LogNoop}
	return nil
}

// DeleteRange implements raft.LogStore. A failure is for raft to report: what should be gone is still there.
func (s *guard) DeleteRange(first, last uint64) error { return s.GroupStore.DeleteRange(first, last) }

// Set implements raft.StableStore.
func (s *guard) Set(key, value []byte) error {
	if err := s.GroupStore.Set(key, value); err != nil {
		s.fail(err)
	}
	return nil
}

// SetUint64 implements raft.StableStore.
func (s *guard) SetUint64(key []byte, value uint64) error {
	if err := s.GroupStore.SetUint64(key, value); err != nil {
		s.fail(err)
	}
	return nil
}

// snapshots remembers why one could not be restored: raft logs it, and reports only that.
type snapshots struct {
	*raftlog.Snapshots
	last error
}

// Open implements raft.SnapshotStore.
func (s *snapshots) Open(id string) (*raft.SnapshotMeta, io.ReadCloser, error) {
	meta, r, err := s.Snapshots.Open(id)
	if err != nil {
		s.last = fmt.Errorf("Raft snapshot %s: %w", id, err)
	}
	return meta, r, err
}
