package fragment

import (
	"context"
	"errors"
	"io"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/olapd/olapd/internal/clock"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/query/exec"
)

// pinning is a cluster whose pins take a second.
type pinning struct {
	Cluster
	closed int
}

type pinnedStorage struct {
	exec.Storage
	c *pinning
}

func (s pinnedStorage) Close() { s.c.closed++ }

func (*pinning) Self() string { return "here" }

func (c *pinning) Pin(context.Context, PinRequest) (Pinned, error) {
	time.Sleep(time.Second)
	return Pinned{Storage: pinnedStorage{c: c}, Indices: []uint64{7}}, nil
}

// noFragments runs none.
type noFragments struct{ Runner }

// pinStream is a stream that asks for a pin and holds it until it is let go.
type pinStream struct {
	asks chan []byte
	said chan []byte
}

func newPinStream(query string) *pinStream {
	s := &pinStream{asks: make(chan []byte, 1), said: make(chan []byte, 1)}
	p := pinMessage{linkKey: linkKey{Query: query, Link: 1}, PinRequest: PinRequest{Shards: []uint64{1}, After: []uint64{0}}}
	ask := &pinStream{said: s.asks}
	if err := (&conn{s: ask}).send(msgPin, p.encode()); err != nil {
		panic(err) // there is room for it
	}
	return s
}

func (s *pinStream) Send(b []byte) error { s.said <- slices.Clone(b); return nil }
func (s *pinStream) CloseSend() error    { return nil }

func (s *pinStream) Recv() ([]byte, error) {
	b, ok := <-s.asks
	if !ok {
		return nil, io.EOF
	}
	return b, nil
}

// TestDrain: what other nodes' queries have pinned, or are pinning, is waited for, and nothing new of them is pinned.
func TestDrain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &pinning{}
		s := NewServer(c, noFragments{}, clock.Real())
		serve := func(from, query string) (*pinStream, <-chan error) {
			st, done := newPinStream(query), make(chan error, 1)
			go func() { done <- s.Serve(t.Context(), from, st) }()
			return st, done
		}
		drain := func(patience time.Duration) time.Duration {
			start := time.Now()
			s.Drain(patience)
			return time.Since(start)
		}
		early, earlyDone := serve("there", "a")
		time.Sleep(time.Second / 2) // it is being pinned
		time.AfterFunc(3*time.Second, func() { close(early.asks) })
		if took := drain(10 * time.Second); took != 3*time.Second || c.closed != 1 {
			t.Errorf("drained after %s with %d pins closed; it was let go after 3s", took, c.closed)
		}
		if err := <-earlyDone; err != nil {
			t.Error(err)
		}
		_, refused := serve("there", "b")
		if err := <-refused; !sqlerr.Is(err, sqlerr.AllConnectionTriesFailed) || !elsewhere(err) {
			t.Errorf("another node pins while draining: %v", err)
		}
		if took := drain(10 * time.Second); took != 0 {
			t.Errorf("nothing is held, and is waited for %s", took)
		}
		// Queries of this node go on, and are waited for only so long.
		own, ownDone := serve("here", "c")
		synctest.Wait()
		if took := drain(5 * time.Second); took != 5*time.Second {
			t.Errorf("waited %s for what is held", took)
		}
		close(own.asks)
		if err := <-ownDone; err != nil && !errors.Is(err, io.EOF) {
			t.Error(err)
		}
	})
}
