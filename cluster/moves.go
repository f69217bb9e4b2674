package cluster

import (
	"context"
	"errors"
	"maps"
	"slices"

	"github.com/olapd/olapd/internal/catalog"
	"github.com/olapd/olapd/internal/sqlerr"
)

// A move takes segments of one partition of a table from one shard to another while everything goes on: see decision 0016. Its record is
// in the topology, and each step is written there before the next begins, so that whoever leads the meta group can go on with it:
//
//	planned → pausing → copying → switched → (gone)
//	   └─────────┴──────────┴──→ cancelled → (gone)
//
// The moves of a growth begin at copying, wait as arrived, and are switched, cancelled and ended with it: see growth.go.

// MoveState is how far a move is.
type MoveState string

// The states of moves.
const (
	MovePlanned MoveState = "planned"
	// MovePausing: nothing that changes all of the table's rows (mutations, drops of partitions, TRUNCATE) begins any more, and what has begun ends.
	MovePausing MoveState = "pausing"
	// MoveCopying: the source freezes the segments, the target gets them, and shows them to nobody.
	MoveCopying MoveState = "copying"
	// MoveArrived, of a growth: the target has the rows, which nobody reads there yet.
	MoveArrived MoveState = "arrived"
	// MoveSwitched: who reads by the topology of version Switched or later reads the rows at the target, who reads by an older one at the source.
	MoveSwitched MoveState = "switched"
	// MoveCancelled: it is being undone.
	MoveCancelled MoveState = "cancelled"
	// MoveDone: of past moves.
	MoveDone MoveState = "done"
)

// Move is one move.
type Move struct {
	ID        uint64          `json:"id"`
	Table     catalog.TableID `json:"table"`
	Partition string          `json:"partition"` // ID
	From      uint64          `json:"from"`
	To        uint64          `json:"to"`
	Limit     uint64          `json:"limit,omitempty"` // about the most bytes to move; 0: all
	State     MoveState       `json:"state"`
	// Grows: it is of a growth of its table, and takes of the source's segments the rows that are the target's by the new spread. One whose target is its
	// source takes those that stay; it has frozen the segments for the others of its round.
	Grows bool `json:"grows,omitempty"`
	// FrozenAt and ArrivedAt are log indices of the source and the target, of a move of a growth that has arrived.
	FrozenAt  uint64 `json:"frozen_at,omitempty"`
	ArrivedAt uint64 `json:"arrived_at,omitempty"`

	// Segments, Rows and Bytes are what moves, known since it was frozen.
	Segments int    `json:"segments,omitempty"`
	Rows     uint64 `json:"rows,omitempty"`
	Bytes    uint64 `json:"bytes,omitempty"`
	// Switched is the version of the topology as of which the rows are read at the target.
	Switched uint64 `json:"switched,omitempty"`
	Reason   string `json:"reason,omitempty"` // why it was cancelled
}

// active reports whether the move keeps what changes all rows of its table from beginning.
func (m *Move) active() bool { return m.State != MovePlanned }

// Move returns a move that has not ended, or nil.
func (t *Topology) Move(id uint64) *Move {
	for i := range t.Moves {
		if t.Moves[i].ID == id {
			return &t.Moves[i]
		}
	}
	return nil
}

// Moving reports whether rows of a table are on their way between shards, or about to be.
func (t *Topology) Moving(table catalog.TableID) bool {
	return t.Growth(table) != nil || slices.ContainsFunc(t.Moves, func(m Move) bool { return m.Table == table && m.active() })
}

// checkMoves refuses moves that contradict the shards.
func (t *Topology) checkMoves() error {
	if len(t.Moves) > maxMoves {
		return sqlerr.New(sqlerr.BadArguments, "%d moves at once: the limit is %d", len(t.Moves), maxMoves)
	}
	for i, m := range t.Moves {
		if t.Shard(m.From) == nil || t.Shard(m.To) == nil || m.From == m.To && !m.Grows {
			return sqlerr.New(sqlerr.BadArguments, "Rows cannot move from shard %d to shard %d of %d", m.From, m.To, len(t.Shards))
		}
		if m.ID >= t.NextMove || i > 0 && m.ID <= t.Moves[i-1].ID || len(m.Partition) > maxName {
			return sqlerr.New(sqlerr.LogicalError, "Move %d of a topology is out of order", m.ID)
		}
	}
	return nil
}

// cloneMoves gives a copy of the topology moves of its own.
func (t *Topology) cloneMoves() {
	t.Moves, t.PastMoves, t.Moved = slices.Clone(t.Moves), slices.Clone(t.PastMoves), maps.Clone(t.Moved)
	t.Spread, t.Grown, t.Growths = maps.Clone(t.Spread), maps.Clone(t.Grown), slices.Clone(t.Growths)
}

// PlanMoves adds moves, and returns their numbers. Where one of a partition between the same shards waits already, that is the move.
func (m *Meta) PlanMoves(ctx context.Context, moves []Move) (ids []uint64, err error) {
	_, err = m.ChangeTopology(ctx, func(t *Topology) (bool, error) {
		ids = ids[:0]
		same := true
		for _, x := range moves {
			if i := slices.IndexFunc(t.Moves, func(y Move) bool {
				return x.Table == y.Table && x.Partition == y.Partition && x.From == y.From && x.To == y.To && x.Limit == y.Limit && y.State == MovePlanned
			}); i >= 0 {
				ids = append(ids, t.Moves[i].ID)
				continue
			}
			t.NextMove = max(t.NextMove, 1)
			x.ID, x.State = t.NextMove, MovePlanned
			t.NextMove++
			t.Moves, ids, same = append(t.Moves, x), append(ids, x.ID), false
		}
		return same, nil
	})
	return ids, err
}

// errMoveElsewhere is the end of a step that another leader has made, or that is not due any more.
var errMoveElsewhere = errors.New("cluster: the move is in another state")

// StepMove brings a move from one state into another, with what change notes in it. An error that wraps errMoveElsewhere says
// that it is not in the former any more.
func (m *Meta) StepMove(ctx context.Context, id uint64, from, to MoveState, change func(*Move)) (*Topology, error) {
	return m.ChangeTopology(ctx, func(t *Topology) (bool, error) {
		x := t.Move(id)
		if x == nil || x.State != from {
			return false, errMoveElsewhere
		}
		x.State = to
		if change != nil {
			change(x)
		}
		if to == MoveCopying {
			if t.Moved == nil {
				t.Moved = map[catalog.TableID]uint64{}
			}
			t.Moved[x.Table] = t.Version
		}
		return false, nil
	})
}

// SwitchMove makes the rows of a move that have arrived be read at their target: by all who read by the topology that it returns, or a later one. Those
// wait until a replica has applied the index at which the source froze the segments, or the target got them.
func (m *Meta) SwitchMove(ctx context.Context, id, frozen, arrived uint64) (*Topology, error) {
	return m.ChangeTopology(ctx, func(t *Topology) (bool, error) {
		x := t.Move(id)
		if x == nil || x.State != MoveCopying {
			return false, errMoveElsewhere
		}
		x.State, x.Switched = MoveSwitched, t.Version
		t.readFrom(x, frozen, arrived)
		return false, nil
	})
}

// EndMove forgets a move of which both shards have done their last step, at these indices.
func (m *Meta) EndMove(ctx context.Context, id, from, to uint64) error {
	_, err := m.ChangeTopology(ctx, func(t *Topology) (bool, error) {
		x := t.Move(id)
		if x == nil {
			return true, nil
		}
		t.endMove(x, from, to)
		return false, nil
	})
	return err
}

// endMove makes a move a past one.
func (t *Topology) endMove(x *Move, from, to uint64) {
	past := *x
	if past.State != MoveCancelled {
		past.State = MoveDone
	}
	t.readFrom(x, from, to)
	t.PastMoves = append(t.PastMoves, past)
	t.PastMoves = t.PastMoves[max(len(t.PastMoves)-pastMoves, 0):]
	t.Moves = slices.DeleteFunc(t.Moves, func(y Move) bool { return y.ID == past.ID })
}

// readFrom raises the indices that replicas of a move's shards must have applied to be read.
func (t *Topology) readFrom(x *Move, from, to uint64) {
	s, d := t.Shard(x.From), t.Shard(x.To)
	s.ReadFrom, d.ReadFrom = max(s.ReadFrom, from), max(d.ReadFrom, to)
}

// CancelMoves gives up the moves that have not been switched, all or some, and returns how many. All: growths too.
func (m *Meta) CancelMoves(ctx context.Context, reason string, ids ...uint64) (n int, err error) {
	_, err = m.ChangeTopology(ctx, func(t *Topology) (bool, error) {
		n = 0
		if ids == nil {
			n = t.cancelGrowths(reason)
		}
		for i := range t.Moves {
			x := &t.Moves[i]
			if !x.Grows && x.State != MoveSwitched && x.State != MoveCancelled && (ids == nil || slices.Contains(ids, x.ID)) {
				x.State, x.Reason = MoveCancelled, reason
				n++
			}
		}
		return n == 0, nil
	})
	return n, err
}

// MoveElsewhere reports whether a step of a move failed because it has been made already, or is not due any more.
func MoveElsewhere(err error) bool { return errors.Is(err, errMoveElsewhere) }
