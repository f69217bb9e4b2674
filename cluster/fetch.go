package cluster

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/zeebo/xxh3"

	"github.com/olapd/olapd/cluster/rpc"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/mergetree"
)

// A segment's file travels on a stream of its own:
//
//	request: | uv group | uv offset | edit of version and bytes as in the log, that adds the segment |
//	answer:  messages | u64 xxh3 of the bytes, seeded with their offset | up to fetchChunk bytes of the file | until its end
const methodFetch = "segment.fetch"

// courier moves segment files between this node and others, for all of its shards.
type courier struct {
	net   rpc.Network
	pace  *pace
	slots chan struct{} // transfers to this node at once
}

func newCourier(cfg *Config) *courier {
	return &courier{net: cfg.Network, pace: &pace{clk: cfg.Clock, rate: fetchRate}, slots: make(chan struct{}, fetchSlots)}
}

// errStalled ends a transfer whose other side has gone silent.
var errStalled = sqlerr.New(sqlerr.SocketTimeout, "The other node has sent nothing for %s", stallTimeout)

// transfer is a file that this node wants.
type transfer struct {
	shard *Shard
	seg   mergetree.Segment
	term  uint64      // see mergetree.Store.Staged
	moved func()      // called as bytes come; nil: not
	stop  func() bool // reports that the file is not wanted any more; nil: it always is
	// from is another shard that has the file, as that of the segment of; 0: it is the shard's own.
	from uint64
	of   mergetree.Segment
}

// source is the group whose replicas have the file, and what it is called there.
func (t *transfer) source() (group uint64, seg mergetree.Segment) {
	if t.from != 0 {
		return t.from, t.of
	}
	return t.shard.g.id, t.seg
}

// errUnwanted ends a transfer that has become needless.
var errUnwanted = errors.New("cluster: the segment is not live any more")

// fetch gets a file from the first of the peers that has it, going on from what there is already.
func (c *courier) fetch(ctx context.Context, t *transfer, peers []string) error {
	select {
	case c.slots <- struct{}{}:
		defer func() { <-c.slots }()
	case <-ctx.Done():
		return ctxErr(ctx)
	}
	var errs []error
	for _, peer := range peers {
		err := c.fetchFrom(ctx, t, peer)
		if err == nil || errors.Is(err, errUnwanted) || sqlerr.Is(err, sqlerr.NotEnoughSpace) || ctx.Err() != nil {
			return err
		}
		errs = append(errs, fmt.Errorf("node %s: %w", peer, err))
	}
	if len(errs) == 0 {
		return sqlerr.New(sqlerr.NoFileInDataPart, "No other node has a replica of shard %d, whose segment %s is missing here", t.shard.g.id, t.seg.ID)
	}
	return fmt.Errorf("cluster: fetching segment %s of shard %d: %w", t.seg.ID, t.shard.g.id, errors.Join(errs...))
}

func (c *courier) fetchFrom(ctx context.Context, t *transfer, peer string) error {
	in, err := t.shard.store.Receive(ctx, t.seg)
	if in == nil || err != nil {
		return err
	}
	if err := c.receive(ctx, t, in, peer); err != nil {
		full := sqlerr.Is(err, sqlerr.NotEnoughSpace) // what has come makes room for others
		return errors.Join(err, in.Close(!full && !errors.Is(err, errUnwanted)))
	}
	return in.Finish(ctx, t.term)
}

func (c *courier) receive(ctx context.Context, t *transfer, in *mergetree.Incoming, peer string) error {
	ctx, moved, cancel := watchStall(ctx, t.shard.g)
	defer cancel()
	s, err := c.net.Open(ctx, peer, methodFetch)
	if err != nil {
		return err
	}
	group, seg := t.source()
	request := binary.AppendUvarint(binary.AppendUvarint(nil, group), uint64(in.Offset()))
	if err := errors.Join(s.Send(mergetree.AppendEdit(request, mergetree.Edit{Add: []mergetree.Segment{seg}})), s.CloseSend()); err != nil {
		return err
	}
	for !in.Complete() {
		b, err := s.Recv()
		if errors.Is(err, io.EOF) {
			return sqlerr.New(sqlerr.CorruptedData, "Segment %s ends at %d of %d bytes", t.seg.ID, in.Offset(), t.seg.Bytes)
		}
		if err == nil {
			err = appendChunk(in, b)
		}
		if err != nil {
			return errors.Join(err, stallOf(ctx))
		}
		moved()
		if t.moved != nil {
			t.moved()
		}
		if t.stop != nil && t.stop() {
			return errUnwanted
		}
		if err := c.pace.take(ctx, len(b)); err != nil {
			return err
		}
	}
	return nil
}

// stallOf is errStalled if that is why ctx has ended.
func stallOf(ctx context.Context) error {
	if err := context.Cause(ctx); errors.Is(err, errStalled) {
		return err
	}
	return nil
}

// checksumBytes are in front of a chunk.
const checksumBytes = 8

func appendChunk(in *mergetree.Incoming, b []byte) error {
	if len(b) <= checksumBytes || xxh3.HashSeed(b[checksumBytes:], uint64(in.Offset())) != binary.LittleEndian.Uint64(b) {
		return sqlerr.New(sqlerr.ChecksumDoesntMatch, "Checksum doesn't match: %d bytes of a segment at %d were damaged on the way", len(b), in.Offset())
	}
	return in.Append(b[checksumBytes:])
}

// watchStall ends ctx with errStalled when moved is not called for stallTimeout. cancel must be called.
func watchStall(ctx context.Context, g *group) (_ context.Context, moved, cancel func()) {
	ctx, end := context.WithCancelCause(ctx)
	tick := make(chan struct{}, 1)
	done := make(chan struct{})
	go func() {
		defer close(done)
		timer := g.clk.NewTimer(stallTimeout)
		defer timer.Stop()
		for {
			select {
			case <-tick:
				timer.Reset(stallTimeout)
			case <-timer.C():
				end(errStalled)
				return
			case <-ctx.Done():
				return
			}
		}
	}()
	moved = func() {
		select {
		case tick <- struct{}{}:
		default:
		}
	}
	return ctx, moved, func() { end(nil); <-done }
}

// serveFetch sends a file.
func (n *Node) serveFetch(ctx context.Context, _ string, s rpc.Stream) error {
	b, err := s.Recv()
	if err != nil {
		return err
	}
	r := &reader{b: b}
	group, offset := r.uvarint(), r.uvarint()
	e := r.edit()
	if r.err != nil || len(e.Add) != 1 || offset > e.Add[0].Bytes {
		return errors.Join(sqlerr.New(sqlerr.CorruptedData, "A request for a segment cannot be read"), r.err)
	}
	shard := n.Shard(group)
	if shard == nil {
		return sqlerr.New(sqlerr.NoFileInDataPart, "Node %s has no replica of shard %d", n.cfg.Node, group)
	}
	return shard.send(ctx, &e.Add[0], int64(offset), s)
}

func (s *Shard) send(ctx context.Context, seg *mergetree.Segment, offset int64, to rpc.Stream) error {
	f, err := s.store.OpenFile(seg.ID)
	if err != nil {
		return err
	}
	defer f.Close()
	size, err := f.Size()
	if err == nil && size != int64(seg.Bytes) {
		err = sqlerr.New(sqlerr.ChecksumDoesntMatch, "The file of segment %s has %d bytes here, %d are wanted", seg.ID, size, seg.Bytes)
	}
	if err != nil {
		return err
	}
	for offset < size && ctx.Err() == nil {
		b := make([]byte, checksumBytes+min(fetchChunk, size-offset)) // the stream keeps it
		if n, err := f.ReadAt(b[checksumBytes:], offset); n < len(b)-checksumBytes {
			return fmt.Errorf("cluster: sending segment %s at %d: %w", seg.ID, offset, err)
		}
		binary.LittleEndian.PutUint64(b, xxh3.HashSeed(b[checksumBytes:], uint64(offset)))
		if err := to.Send(b); err != nil {
			return err
		}
		offset += int64(len(b) - checksumBytes)
	}
	return ctxErr(ctx)
}

// peers are the other members of the group, its leader first.
func (g *group) peers() []string {
	_, leader := g.raft.LeaderWithID()
	var out []string
	for _, m := range g.members() {
		switch name := string(m.ID); {
		case name == g.node:
		case m.ID == leader:
			out = slices.Insert(out, 0, name)
		default:
			out = append(out, name)
		}
	}
	return out
}

// fetchMissing gets the files that the replica lacks, as long as the group is open.
func (s *Shard) fetchMissing(ctx context.Context, c *courier) {
	select {
	case <-s.ready: // before, the log may still say that a file is not wanted any more
	case <-ctx.Done():
		return
	}
	pause := retryPause
	for {
		if s.fetchAbsent(ctx, c) {
			pause = retryPause
		} else {
			pause = min(2*pause, fetchPauseMax)
		}
		var again <-chan time.Time
		if len(s.store.Absent()) > 0 {
			again = s.clk.After(pause)
		}
		select {
		case <-s.store.Wanted():
		case <-again:
		case <-ctx.Done():
			return
		}
	}
}

// fetchAbsent tries once to get each of the files, and reports whether it has got any or wants none.
func (s *Shard) fetchAbsent(ctx context.Context, c *courier) bool {
	absent, peers := s.store.Absent(), s.g.peers()
	if len(absent) == 0 {
		return true
	}
	results := make(chan error, len(absent))
	running := 0
	got := false
	collect := func() {
		err := <-results
		running--
		got = got || err == nil
		if err != nil && ctx.Err() == nil && !errors.Is(err, errUnwanted) {
			s.g.log.Warn("fetching a missing segment", "error", err)
		}
	}
	for _, seg := range absent {
		if running == fetchSlots {
			collect()
		}
		running++
		go func() {
			t := &transfer{shard: s, seg: seg, stop: func() bool { return !s.store.Wants(seg.ID) }}
			results <- sqlerr.Guard(func() error { return c.fetch(ctx, t, peers) })
		}()
	}
	for running > 0 {
		collect()
	}
	return got
}
