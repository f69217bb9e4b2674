package raftnet

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/hashicorp/raft"

	"github.com/olapd/olapd/cluster/rpc"
	"github.com/olapd/olapd/internal/clock"
)

// errStalled ends a transfer that makes no progress.
var errStalled = errors.New("raftnet: the transfer of a Raft snapshot has stalled")

// InstallSnapshot implements raft.Transport.
func (t *Transport) InstallSnapshot(id raft.ServerID, _ raft.ServerAddress, args *raft.InstallSnapshotRequest, resp *raft.InstallSnapshotResponse, data io.Reader) error {
	w := watch(t.ctx, t.mux.clk, snapshotStall)
	defer w.stop()
	s, err := t.mux.net.Open(w.ctx, string(id), methodSnapshot)
	if err != nil {
		return err
	}
	b, err := appendMessage(nil, message{kind: kindInstallSnapshot, group: t.group, body: args})
	if err != nil {
		return err
	}
	if err := errors.Join(s.Send(b), sendChunks(s, data, w)); err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	w.progress(restoreTimeout)
	if b, err = s.Recv(); err != nil {
		return err
	}
	got, err := decodeMessage(b)
	if err != nil {
		return err
	}
	return settle(got, resp)
}

func sendChunks(s rpc.Stream, data io.Reader, w *watchdog) error {
	for {
		chunk := make([]byte, snapshotChunk)
		n, err := io.ReadFull(data, chunk)
		if n > 0 {
			if err := s.Send(chunk[:n]); err != nil {
				return err
			}
			w.progress(snapshotStall)
		}
		if err == io.EOF || err == io.ErrUnexpectedEOF {
			return s.CloseSend()
		}
		if err != nil {
			return fmt.Errorf("raftnet: reading a Raft snapshot: %w", err)
		}
	}
}

// serveSnapshot hands a Raft snapshot that comes in to its group.
func (m *Mux) serveSnapshot(ctx context.Context, from string, s rpc.Stream) error {
	b, err := s.Recv()
	if err != nil {
		return err
	}
	req, err := decodeMessage(b)
	if err != nil {
		return err
	}
	install, ok := req.body.(*raft.InstallSnapshotRequest)
	if !ok {
		return fmt.Errorf("raftnet: a message of kind %d in front of a Raft snapshot", req.kind)
	}
	r := raft.RPCResponse{}
	if t, err := m.transport(from, req); err != nil {
		r.Error = err
	} else {
		chunks := newChunks(ctx, m.clk, s)
		defer chunks.stop()
		r = t.handle(ctx, raft.RPC{Command: install, Reader: io.LimitReader(chunks, install.Size)})
	}
	if b, err = answer(req, r); err != nil {
		return err
	}
	return s.Send(b)
}

// chunks reads the bytes of a stream's messages; it fails when none comes for snapshotStall.
type chunks struct {
	ctx  context.Context
	end  context.CancelFunc
	clk  clock.Clock
	in   chan []byte
	rest []byte
	err  error // of Recv, once in is closed
}

func newChunks(ctx context.Context, clk clock.Clock, s rpc.Stream) *chunks {
	c := &chunks{clk: clk, in: make(chan []byte)}
	c.ctx, c.end = context.WithCancel(ctx)
	go func() {
		defer close(c.in)
		for {
			b, err := s.Recv()
			if err != nil {
				c.err = err
				return
			}
			select {
			case c.in <- b:
			case <-c.ctx.Done():
				c.err = context.Cause(c.ctx)
				return
			}
		}
	}()
	return c
}

// stop lets the goroutine end, with the stream at the latest.
func (c *chunks) stop() { c.end() }

// Read implements io.Reader, for one goroutine.
func (c *chunks) Read(p []byte) (int, error) {
	for len(c.rest) == 0 {
		timer := c.clk.NewTimer(snapshotStall)
		select {
		case b, more := <-c.in:
			timer.Stop()
			if !more {
				return 0, c.err
			}
			c.rest = b
		case <-timer.C():
			return 0, errStalled
		case <-c.ctx.Done():
			timer.Stop()
			return 0, context.Cause(c.ctx)
		}
	}
	n := copy(p, c.rest)
	c.rest = c.rest[n:]
	return n, nil
}

// watchdog ends a context when no progress is reported in time.
type watchdog struct {
	ctx   context.Context
	end   context.CancelCauseFunc
	timer clock.Timer
}

func watch(ctx context.Context, clk clock.Clock, d time.Duration) *watchdog {
	w := &watchdog{timer: clk.NewTimer(d)}
	w.ctx, w.end = context.WithCancelCause(ctx)
	go func() {
		select {
		case <-w.timer.C():
			w.end(errStalled)
		case <-w.ctx.Done():
		}
	}()
	return w
}

// progress gives the next step its time.
func (w *watchdog) progress(d time.Duration) { w.timer.Reset(d) }

func (w *watchdog) stop() {
	w.end(context.Canceled)
	w.timer.Stop()
}
