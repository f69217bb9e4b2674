package cluster

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/mergetree"
)

// Frozen is what a source gives to a move.
type Frozen struct {
	Index    uint64              `json:"index"`  // of the log, at or behind which the segments stay as they are
	Schema   uint64              `json:"schema"` // catalog version that the shard had applied
	Segments []mergetree.Segment `json:"segments,omitempty"`
}

// Freeze picks the segments of a move, after a flush, and keeps them as they are until its end; or says which they are, if it has been done. This
// node leads the shard.
func (s *Shard) Freeze(ctx context.Context, m *Move) (*Frozen, error) {
	var err error
	for range freezeAttempts { // merges may be faster
		var f *Frozen
		if f, err = s.freezeOnce(ctx, m); !errors.Is(err, mergetree.ErrEditRejected) {
			return f, err
		}
	}
	return nil, err
}

func (s *Shard) freezeOnce(ctx context.Context, m *Move) (*Frozen, error) {
	if f, known, err := s.frozen(m); known || err != nil {
		return f, err
	}
	if err := s.store.Flush(ctx, s, m.Table); err != nil {
		return nil, err
	}
	e := mergetree.Edit{Table: m.Table, Cause: mergetree.CauseMove, Remove: s.pick(m)}
	if len(e.Remove) == 0 {
		return &Frozen{}, nil
	}
	if _, err := s.commit(ctx, proposal{body: &moveStep{act: actFreeze, move: m.ID, edit: e}}); err != nil {
		return nil, err
	}
	f, known, err := s.frozen(m)
	if err == nil && !known {
		err = sqlerr.New(sqlerr.Aborted, "Move %d ended while its segments were frozen", m.ID)
	}
	return f, err
}

// frozen returns what the shard has frozen for a move, if it has.
func (s *Shard) frozen(m *Move) (f *Frozen, known bool, err error) {
	s.fsm.mu.RLock()
	defer s.fsm.mu.RUnlock()
	rec := s.fsm.state.moves.byID[m.ID]
	switch {
	case rec == nil:
		return nil, false, nil
	case rec.ended:
		return nil, true, fmt.Errorf("%w: %d", errMoveEnded, m.ID)
	}
	f = &Frozen{Index: s.fsm.applied, Schema: s.fsm.state.schema}
	snap := s.store.Snapshot()
	defer snap.Close()
	if v := snap.Table(m.Table); v != nil {
		for _, seg := range v.Live(m.Partition) {
			if slices.Contains(rec.segs, seg.ID) {
				f.Segments = append(f.Segments, seg)
			}
		}
	}
	if len(f.Segments) != len(rec.segs) {
		return nil, true, sqlerr.New(sqlerr.LogicalError, "%d of the %d segments of move %d are live", len(f.Segments), len(rec.segs), m.ID)
	}
	return f, true, nil
}

// pick returns the segments of a partition that are to move, those that others have frozen left out.
func (s *Shard) pick(m *Move) []string {
	s.fsm.mu.RLock()
	defer s.fsm.mu.RUnlock()
	taken := s.fsm.state.moves.frozen(m.Table)
	snap := s.store.Snapshot()
	defer snap.Close()
	v := snap.Table(m.Table)
	if v == nil {
		return nil
	}
	var out []string
	bytes := uint64(0)
	for _, seg := range v.Live(m.Partition) {
		if taken[seg.ID] || m.Limit > 0 && bytes+seg.Bytes > m.Limit || len(out) == maxMoveSegments {
			continue
		}
		bytes += seg.Bytes
		out = append(out, seg.ID)
	}
	return out
}

// Arrive brings the segments of a move here, makes them durable on a majority, and adds them to the shard, hidden, which this
// node leads. It returns a log index at which they are there. Files get names of their own: they may come back one day.
//
// The files are on all replicas of the source or, of a growth, on one node that has made them.
func (n *Node) Arrive(ctx context.Context, s *Shard, m *Move, segs []mergetree.Segment, maker string) (uint64, error) {
	if index, known, err := s.arrived(m); known || err != nil {
		return index, err
	}
	term, leads := s.Leader()
	if !leads {
		return 0, notLeader(s.g)
	}
	e := mergetree.Edit{Table: m.Table, Cause: mergetree.CauseMove}
	for _, seg := range segs {
		as := seg
		base, _, _ := strings.Cut(seg.ID, movedSuffix)
		as.ID = fmt.Sprint(base, movedSuffix, m.ID, "-", term)
		as.First, as.Last = 0, 0 // the entry's own
		if err := n.bring(ctx, s, m.From, seg, as, term, maker); err != nil {
			return 0, err
		}
		e.Add = append(e.Add, as)
	}
	r, err := s.commit(ctx, proposal{body: &moveStep{act: actArrive, move: m.ID, edit: e}, term: term})
	return r.Index, err
}

// Keep adds what stays at the source of a growth of the segments that are frozen, hidden: segments that were made here, durable on a majority then. This node
// leads the shard. It returns a log index at which they are there.
func (s *Shard) Keep(ctx context.Context, m *Move, segs []mergetree.Segment) (uint64, error) {
	if index, known := s.kept(m); known || len(segs) == 0 {
		return index, nil
	}
	e := mergetree.Edit{Table: m.Table, Cause: mergetree.CauseMove, Add: segs}
	r, err := s.commit(ctx, proposal{body: &moveStep{act: actKeep, move: m.ID, edit: e}})
	return r.Index, err
}

// kept returns the index of the state that is there, and whether that has what stays of a move's segments.
func (s *Shard) kept(m *Move) (index uint64, known bool) {
	s.fsm.mu.RLock()
	defer s.fsm.mu.RUnlock()
	rec := s.fsm.state.moves.byID[m.ID]
	return s.fsm.applied, rec != nil && len(rec.keeps) > 0
}

// movedSuffix is behind the ID that a segment was made with, and before the numbers of the last move and of the term in which it was copied.
const movedSuffix = "-m"

// arrived returns an index at which the segments of a move are here, if they are.
func (s *Shard) arrived(m *Move) (index uint64, known bool, err error) {
	s.fsm.mu.RLock()
	defer s.fsm.mu.RUnlock()
	rec := s.fsm.state.moves.byID[m.ID]
	if rec != nil && rec.ended {
		err = fmt.Errorf("%w: %d", errMoveEnded, m.ID)
	}
	return s.fsm.applied, rec != nil, err
}

// bring copies the file of a segment of another shard, from this node's replica or others', or from its maker.
func (n *Node) bring(ctx context.Context, to *Shard, from uint64, seg, as mergetree.Segment, term uint64, maker string) error {
	t := &transfer{shard: to, seg: as, term: term, from: from, of: seg}
	if near := n.Shard(from); near != nil {
		if err := to.files.copyFrom(ctx, t, near); err == nil || ctx.Err() != nil {
			return err
		}
	}
	p := n.Topology().Shard(from)
	if p == nil {
		return sqlerr.New(sqlerr.LogicalError, "There is no shard %d", from)
	}
	if maker != "" && maker != n.cfg.Node {
		return to.files.fetch(ctx, t, []string{maker})
	}
	others := slices.DeleteFunc(slices.Clone(p.Replicas), func(name string) bool { return name == n.cfg.Node })
	return to.files.fetch(ctx, t, others)
}

// copyFrom copies a file that another shard has on this node.
func (c *courier) copyFrom(ctx context.Context, t *transfer, near *Shard) error {
	f, err := near.store.OpenFile(t.of.ID)
	if err != nil {
		return err
	}
	defer f.Close()
	in, err := t.shard.store.Receive(ctx, t.seg)
	if in == nil || err != nil {
		return err
	}
	b := make([]byte, min(fetchChunk, t.seg.Bytes))
	for !in.Complete() {
		k, err := f.ReadAt(b[:min(fetchChunk, int64(t.seg.Bytes)-in.Offset())], in.Offset())
		if k == 0 {
			return errors.Join(fmt.Errorf("cluster: copying segment %s at %d: %w", t.of.ID, in.Offset(), err), in.Close(true))
		}
		if err = in.Append(b[:k]); err == nil {
			err = c.pace.take(ctx, k)
		}
		if err != nil {
			return errors.Join(err, in.Close(!sqlerr.Is(err, sqlerr.NotEnoughSpace)))
		}
	}
	return in.Finish(ctx, t.term)
}
