package cluster

import (
	"context"
	"encoding/binary"
	"errors"
	"io"

	"github.com/olapd/olapd/cluster/rpc"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/mergetree"
)

// Before an entry names segments, a majority of the group's voters has their files, durable. The leader asks the others to fetch them:
//
//	request: | uv group | uv term | edit that adds the segments |
//	answer:  empty messages as bytes come, and the end of the stream once all files are durable
//
// A replica answers for a term whose BeginTerm it has applied, and keeps the files until a later term has begun: then
// everything that was proposed in the term and will ever be committed has been applied here.
const methodStage = "segment.stage"

// prepare makes what a proposal names durable on a majority before it is proposed in a term. Until release is called, once the entry is committed or
// will not be, the voters stay those that were counted.
func (s *Shard) prepare(ctx context.Context, term uint64, b body) (release func(), err error) {
	segs, err := segmentsOf(b)
	if err != nil || len(segs) == 0 {
		return func() {}, err
	}
	for {
		before := s.g.configured()
		if err := s.stage(ctx, term, segs); err != nil {
			return nil, err
		}
		if err := s.g.voting.enter(ctx, s.g.closing); err != nil {
			return nil, err
		}
		if s.g.configured() == before {
			return s.g.voting.leave, nil
		}
		s.g.voting.leave()
	}
}

// segmentsOf returns the segments that a body adds.
func segmentsOf(b body) ([]mergetree.Segment, error) {
	if step, ok := b.(*moveStep); ok {
		return step.edit.Add, nil // begins here only: see admit
	}
	if b.kind() != kindCommitSegments {
		return nil, nil
	}
	c, ok := b.(*commitSegments)
	if !ok { // encoded already, by another node
		raw, err := b.append(nil)
		if err != nil {
			return nil, err
		}
		r := &reader{b: raw}
		c = readCommitSegments(r).(*commitSegments)
		if r.err != nil {
			return nil, r.err
		}
	}
	var out []mergetree.Segment
	for _, e := range c.edits {
		out = append(out, e.Add...)
	}
	return out, nil
}

// stage makes the segments durable on a majority of the present voters. It fails when the term ends, and after stagePatience without
// a majority: nothing has been proposed then.
func (s *Shard) stage(ctx context.Context, term uint64, segs []mergetree.Segment) error {
	if err := s.bringHere(ctx, term, segs); err != nil {
		return err
	}
	others, have, need := s.g.voters()
	if have >= need || s.fsm.fences.noStaging {
		return nil
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	go s.endStaging(ctx, cancel, term, need)
	request := binary.AppendUvarint(binary.AppendUvarint(nil, s.g.id), term)
	request = mergetree.AppendEdit(request, mergetree.Edit{Add: segs})
	done := make(chan struct{}, len(others))
	for _, name := range others {
		go func() {
			if s.stageOn(ctx, name, request) == nil {
				done <- struct{}{}
			}
		}()
	}
	for have < need {
		select {
		case <-done:
			have++
		case <-ctx.Done():
			return ctxErr(ctx)
		}
	}
	return nil
}

// bringHere sees to it that this node has the files, which another replica may have built before it lost its leadership.
func (s *Shard) bringHere(ctx context.Context, term uint64, segs []mergetree.Segment) error {
	if s.store.Staged(segs, term) {
		return nil
	}
	for _, seg := range segs {
		if err := s.files.fetch(ctx, &transfer{shard: s, seg: seg, term: term}, s.g.peers()); err != nil {
			return err
		}
	}
	if !s.store.Staged(segs, term) {
		return sqlerr.New(sqlerr.NoFileInDataPart, "Segments that are to be committed have no files here")
	}
	return nil
}

// endStaging ends ctx with the term, or when patience does.
func (s *Shard) endStaging(ctx context.Context, end context.CancelCauseFunc, term uint64, need int) {
	deadline := s.clk.NewTimer(stagePatience)
	defer deadline.Stop()
	for {
		now, changed := s.g.leading()
		if now != term {
			end(notLeader(s.g))
			return
		}
		select {
		case <-changed:
		case <-deadline.C():
			end(sqlerr.New(sqlerr.TooFewLiveReplicas, "Segments of shard %d could not be made durable on %d replicas, a majority", s.g.id, need))
			return
		case <-s.g.closing:
			end(closed())
			return
		case <-ctx.Done():
			return
		}
	}
}

// stageOn asks one replica until it has the files or ctx ends.
func (s *Shard) stageOn(ctx context.Context, node string, request []byte) error {
	for {
		err := sqlerr.Guard(func() error { return s.askToStage(ctx, node, request) })
		if err == nil || ctx.Err() != nil {
			return err
		}
		s.g.log.Info("staging segments", "node", node, "error", err)
		if err := s.clk.Sleep(ctx, stagePause); err != nil {
			return err
		}
	}
}

func (s *Shard) askToStage(ctx context.Context, node string, request []byte) error {
	ctx, moved, cancel := watchStall(ctx, s.g)
	defer cancel()
	to, err := s.files.net.Open(ctx, node, methodStage)
	if err != nil {
		return err
	}
	if err := errors.Join(to.Send(request), to.CloseSend()); err != nil {
		return err
	}
	for {
		_, err := to.Recv()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return errors.Join(err, stallOf(ctx))
		}
		moved()
	}
}

// configured is the log index of the group's configuration.
func (g *group) configured() uint64 {
	f := g.raft.GetConfiguration()
	if f.Error() != nil {
		return 0
	}
	return f.Index()
}

// voters returns the other voters, how many voters this node is, and how many are a majority.
func (g *group) voters() (others []string, have, need int) {
	n := 0
	for _, m := range g.members() {
		if !votesOf(m) {
			continue
		}
		n++
		if string(m.ID) == g.node {
			have = 1
		} else {
			others = append(others, string(m.ID))
		}
	}
	return others, have, n/2 + 1
}

// serveStage fetches the files that the leader names, and ends once they are durable.
func (n *Node) serveStage(ctx context.Context, from string, to rpc.Stream) error {
	b, err := to.Recv()
	if err != nil {
		return err
	}
	r := &reader{b: b}
	group, term := r.uvarint(), r.uvarint()
	e := r.edit()
	if r.err != nil {
		return r.err
	}
	s := n.Shard(group)
	if s == nil {
		return sqlerr.New(sqlerr.NoFileInDataPart, "Node %s has no replica of shard %d", n.cfg.Node, group)
	}
	if err := s.awaitTermOf(ctx, term); err != nil {
		return err
	}
	last := s.clk.Now()
	moved := func() {
		if now := s.clk.Now(); now.Sub(last) >= progressPause {
			last = now
			_ = to.Send(nil) // a broken stream ends ctx
		}
	}
	for _, seg := range e.Add {
		if err := s.files.fetch(ctx, &transfer{shard: s, seg: seg, term: term, moved: moved}, []string{from}); err != nil {
			return err
		}
	}
	if !s.store.Staged(e.Add, term) {
		return sqlerr.New(sqlerr.Aborted, "Segments staged in term %d are gone: a later term has begun", term)
	}
	return nil
}

// awaitTermOf waits until a term has begun here, and fails if a later one has.
func (s *Shard) awaitTermOf(ctx context.Context, term uint64) error {
	for {
		now, changed := s.fsm.begun()
		switch {
		case now == term:
			return nil
		case now > term:
			return sqlerr.Wrap(ErrNotLeader, sqlerr.NotALeader, "Term %d of group %d has ended, %d has begun", term, s.g.id, now)
		}
		select {
		case <-changed:
		case <-s.clk.After(stallTimeout / 2):
			return sqlerr.New(sqlerr.NotALeader, "Node %s has not applied the beginning of term %d of group %d", s.g.node, term, s.g.id)
		case <-s.fsm.failed:
			return s.fsm.err()
		case <-ctx.Done():
			return ctxErr(ctx)
		}
	}
}

// begun returns the last term that has begun, and a channel that is closed after the next batch.
func (m *machine) begun() (uint64, <-chan struct{}) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return m.term, m.changed
}
