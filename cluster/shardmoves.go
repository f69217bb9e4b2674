package cluster

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/olapd/olapd/internal/catalog"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/mergetree"
)

// kindMoveStep is the kind of a MoveStep entry; see entry.go.
const kindMoveStep kind = 13

// moveAct is what a shard does for a move.
type moveAct uint8

// The acts. Stored: never renumber.
const (
	// actFreeze, at the source: the edit's removes stay as they are until the move's end.
	actFreeze moveAct = iota + 1
	// actArrive, at the target: the edit's adds are there, for those who read by a topology in which the move is switched.
	actArrive
	// actLeave: the segments of the move go, at the source at its end, at the target if it is cancelled.
	actLeave
	// actStay: they become segments like all others, at the target at its end, at the source if it is cancelled.
	actStay
	// actForget: the move is over everywhere.
	actForget
	// actKeep, at the source of a growth: the edit's adds are what stays of the segments that are frozen, for those who read by a topology in which the
	// move is switched. When the segments leave they stay, and the other way round.
	actKeep
)

// moveStep is the body of a MoveStep entry.
type moveStep struct {
	act  moveAct
	move uint64
	// version is that of the topology by which the table is to be read from now on, at the end of a move; else 0.
	version uint64
	edit    mergetree.Edit // names the table; adds of actArrive, removes of actFreeze
}

func (*moveStep) kind() kind { return kindMoveStep }

func (b *moveStep) append(dst []byte) ([]byte, error) {
	dst = binary.AppendUvarint(append(dst, byte(b.act)), b.move)
	return mergetree.AppendEdit(binary.AppendUvarint(dst, b.version), b.edit), nil
}

func readMoveStep(r *reader) any {
	b := &moveStep{act: moveAct(r.u8()), move: r.uvarint(), version: r.uvarint()}
	b.edit = r.edit()
	if b.act < actFreeze || b.act > actKeep {
		r.fail("act %d of a move", b.act)
	}
	return b
}

// shardMove is what a shard knows of a move.
type shardMove struct {
	table catalog.TableID
	// ended: nothing more is to happen. It is remembered until the move is over everywhere, so that a step that comes late has no effect.
	ended   bool
	arrived bool     // the segments came from another shard; else they are to leave
	segs    []string // IDs
	keeps   []string // IDs of what stays of segs, of a growth
}

// shardMoves is the part of a shard's state that knows of moves.
type shardMoves struct {
	byID map[uint64]*shardMove
	// moved is, by table, the version of the topology before which nobody can read it any more: rows have left or come, and are not marked.
	moved map[catalog.TableID]uint64
}

func newShardMoves() shardMoves {
	return shardMoves{byID: map[uint64]*shardMove{}, moved: map[catalog.TableID]uint64{}}
}

// errMoveEnded is the refusal of a step of a move that the shard has ended.
var errMoveEnded = errors.New("cluster: the move has ended here")

// moveStep applies a step of a move. Steps that were made before have no effect.
func (m *shardFSM) moveStep(index uint64, b *moveStep) response {
	done, ms, id := response{value: Result{Index: index}}, &m.state.moves, b.edit.Table
	if b.act == actForget {
		delete(ms.byID, b.move)
		return done
	}
	if m.state.tables[id] == nil {
		if b.act == actFreeze || b.act == actArrive {
			return response{err: sqlerr.New(sqlerr.UnknownTable, "Table with ID %d does not exist any more", id)}
		}
		return done
	}
	m.moving.Store(true)
	rec := ms.byID[b.move]
	switch b.act {
	case actKeep:
		if rec == nil || rec.ended || len(rec.keeps) > 0 {
			return m.late(b, done)
		}
		if err := m.store.CheckEdit(b.edit); err != nil {
			return m.late(b, response{err: err})
		}
		if err := m.store.ApplyEdit(index, b.edit); err != nil {
			return response{fatal: err} // CheckEdit has allowed it
		}
		rec.keeps = idsOf(b.edit.Add)
	case actFreeze, actArrive:
		if rec != nil && rec.ended {
			return m.late(b, response{err: fmt.Errorf("%w: %d", errMoveEnded, b.move)})
		}
		if rec != nil {
			return m.late(b, done)
		}
		begun, err := m.beginMove(index, b)
		if err != nil {
			return m.late(b, response{err: err})
		}
		ms.byID[b.move] = begun
	case actLeave, actStay:
		if rec == nil {
			rec = &shardMove{table: id}
			ms.byID[b.move] = rec
		}
		gone := rec.segs
		if b.act == actStay {
			gone = rec.keeps
		}
		if len(gone) > 0 {
			if err := m.store.ApplyEdit(index, mergetree.Edit{Table: id, Cause: mergetree.CauseMove, Remove: gone}); err != nil {
				return response{fatal: err} // frozen segments are live
			}
		}
		rec.ended, rec.segs, rec.keeps = true, nil, nil
		if b.version > ms.moved[id] {
			ms.moved[id] = b.version
		}
	}
	m.store.ApplyFrozen(id, ms.frozen(id))
	return done
}

// late tells the store that segments will not be named: the step has no effect.
func (m *shardFSM) late(b *moveStep, r response) response {
	m.refused(response{err: errMoveEnded}, b.edit)
	return r
}

// beginMove freezes segments, or adds them.
func (m *shardFSM) beginMove(index uint64, b *moveStep) (*shardMove, error) {
	rec := &shardMove{table: b.edit.Table, arrived: b.act == actArrive}
	if err := m.store.CheckEdit(b.edit); err != nil {
		return nil, err
	}
	if !rec.arrived {
		frozen := m.state.moves.frozen(b.edit.Table)
		for _, id := range b.edit.Remove {
			if frozen[id] {
				return nil, fmt.Errorf("%w: segment %s is being moved already", mergetree.ErrEditRejected, id)
			}
		}
		rec.segs = slices.Clone(b.edit.Remove)
		return rec, nil
	}
	rec.segs = idsOf(b.edit.Add)
	return rec, m.store.ApplyEdit(index, b.edit)
}

func idsOf(segs []mergetree.Segment) []string {
	out := make([]string, len(segs))
	for i, s := range segs {
		out[i] = s.ID
	}
	return out
}

// frozen are the segments of a table that only a move may change; nil: none.
func (ms *shardMoves) frozen(table catalog.TableID) map[string]bool {
	var out map[string]bool
	for _, rec := range ms.byID {
		if rec.table != table {
			continue
		}
		out = with(with(out, rec.segs), rec.keeps)
	}
	return out
}

// with adds names to a set, which is made for the first.
func with(set map[string]bool, names []string) map[string]bool {
	if set == nil && len(names) > 0 {
		set = map[string]bool{}
	}
	for _, name := range names {
		set[name] = true
	}
	return set
}

// hidden are the segments that who reads by a version of the topology does not see; t is of that version or later.
func (ms *shardMoves) hidden(version uint64, t *Topology) map[string]bool {
	var out map[string]bool
	for id, rec := range ms.byID {
		m := t.Move(id)
		switched := m != nil && m.State == MoveSwitched && m.Switched <= version
		if rec.arrived != switched {
			out = with(out, rec.segs)
		}
		if !switched {
			out = with(out, rec.keeps)
		}
	}
	return out
}

// drop forgets a table.
func (ms *shardMoves) drop(table catalog.TableID) {
	maps.DeleteFunc(ms.byID, func(_ uint64, rec *shardMove) bool { return rec.table == table })
	delete(ms.moved, table)
}

// append appends what a Raft snapshot holds of moves: nothing, if there were none.
//
//	| uv moves | per move: uv id, uv table, u8 flags (1 ended, 2 arrived, 4 keeps), uv segments | per segment: text id |
//	|            if it keeps: uv segments | per segment: text id |
//	| uv tables | per table: uv id, uv version |
func (ms *shardMoves) append(dst []byte) []byte {
	if len(ms.byID) == 0 && len(ms.moved) == 0 {
		return dst
	}
	dst = binary.AppendUvarint(dst, uint64(len(ms.byID)))
	for _, id := range slices.Sorted(maps.Keys(ms.byID)) {
		rec, flags := ms.byID[id], byte(0)
		if rec.ended {
			flags |= 1
		}
		if rec.arrived {
			flags |= 2
		}
		if len(rec.keeps) > 0 {
			flags |= 4
		}
		dst = append(binary.AppendUvarint(binary.AppendUvarint(dst, id), uint64(rec.table)), flags)
		if dst = appendNames(dst, rec.segs); len(rec.keeps) > 0 {
			dst = appendNames(dst, rec.keeps)
		}
	}
	dst = binary.AppendUvarint(dst, uint64(len(ms.moved)))
	for _, id := range slices.Sorted(maps.Keys(ms.moved)) {
		dst = binary.AppendUvarint(binary.AppendUvarint(dst, uint64(id)), ms.moved[id])
	}
	return dst
}

func appendNames(dst []byte, names []string) []byte {
	dst = binary.AppendUvarint(dst, uint64(len(names)))
	for _, s := range names {
		dst = appendText(dst, s)
	}
	return dst
}

func (r *reader) names() []string {
	var out []string
	for range r.count(maxHead, 1) {
		out = append(out, string(r.bytes(maxName)))
	}
	return out
}

func (ms *shardMoves) read(r *reader) {
	if r.err != nil || len(r.b) == 0 { // there were none
		return
	}
	for range r.count(maxHead, 4) {
		id, rec := r.uvarint(), &shardMove{table: catalog.TableID(r.uvarint())}
		flags := r.u8()
		rec.ended, rec.arrived = flags&1 != 0, flags&2 != 0
		if rec.segs = r.names(); flags&4 != 0 {
			rec.keeps = r.names()
		}
		ms.byID[id] = rec
	}
	for range r.count(maxHead, 2) {
		id := catalog.TableID(r.uvarint())
		ms.moved[id] = r.uvarint()
	}
}

// View is the rows of a shard at one instant, as they are read by a version of the topology.
type View struct {
	*mergetree.Snapshot
	left map[catalog.TableID]bool // tables that cannot be read by that version any more
}

// Readable returns why a table cannot be read: rows have moved since the reader's version of the topology, and it would see them twice or not at
// all. The statement has to begin again. Code Aborted.
func (v *View) Readable(table catalog.TableID) error {
	if v.left[table] {
		return sqlerr.New(sqlerr.Aborted, "Rows have moved to other shards since the statement chose where to read table %d; it can be repeated", table)
	}
	return nil
}

// View pins the shard's rows for a reader that has chosen, by a version of the topology, where it reads; 0: the newest that this node
// knows. It waits until the node knows that version, and the replica has applied what readers by it must see. The caller closes it.
func (s *Shard) View(ctx context.Context, version uint64) (*View, error) {
	t, err := s.meta.awaitTopology(ctx, version)
	if err != nil {
		return nil, err
	}
	if version == 0 {
		version = t.Version
	}
	if p := t.Shard(s.g.id); p != nil && p.ReadFrom > 0 {
		if err := s.WaitApplied(ctx, p.ReadFrom); err != nil {
			return nil, err
		}
	}
	return s.view(version, t), nil
}

// StrongView is View for a reader that must see everything that was committed before it, and has waited for this shard. Rows that it would look for here may
// have been committed on a shard that its version of the topology has not for their table: such a table is not readable.
func (s *Shard) StrongView(ctx context.Context, version uint64) (*View, error) {
	v, err := s.View(ctx, version)
	if err != nil || version == 0 {
		return v, err
	}
	held, grown := s.growing(version)
	if len(held) > 0 { // whether these have been let go elsewhere is not known here
		if err := s.meta.Barrier(ctx); err != nil {
			v.Close()
			return nil, err
		}
		t := s.meta.Topology()
		for _, id := range held {
			if t.Grown[id].Since > version {
				grown = append(grown, id)
			}
		}
	}
	for _, id := range grown {
		if v.left == nil {
			v.left = map[catalog.TableID]bool{}
		}
		v.left[id] = true
	}
	return v, nil
}

// growing are the tables that this shard takes no rows of, and those that have grown since a version of the topology.
func (s *Shard) growing(version uint64) (held, grown []catalog.TableID) {
	s.fsm.mu.RLock()
	defer s.fsm.mu.RUnlock()
	for id, t := range s.fsm.state.tables {
		if t.Held {
			held = append(held, id)
		}
		if t.SpreadSince > version {
			grown = append(grown, id)
		}
	}
	return held, grown
}

// Now pins the shard's rows as they are read by the topology that this node knows, without waiting: for what only shows them. The caller closes it.
func (s *Shard) Now() *View {
	t := s.meta.Topology()
	return s.view(t.Version, t)
}

// view pins what is applied, for a reader by a version of the topology; t is of that version or later.
func (s *Shard) view(version uint64, t *Topology) *View {
	v := &View{Snapshot: s.store.Snapshot()}
	if !s.fsm.moving.Load() && len(t.Grown) == 0 { // they were set before anything of a move was published
		return v
	}
	v.Close()
	s.fsm.mu.RLock()
	defer s.fsm.mu.RUnlock()
	v = &View{Snapshot: s.store.Snapshot()}
	for id, since := range s.fsm.state.moves.moved {
		if since > version {
			if v.left == nil {
				v.left = map[catalog.TableID]bool{}
			}
			v.left[id] = true
		}
	}
	if !s.fsm.fences.noMoves {
		v.Hide(s.fsm.state.moves.hidden(version, t), func(id catalog.TableID) bool { return t.notYet(id, s.g.id, version) })
	}
	return v
}

// awaitTopology waits until this node knows a version of the topology, and returns the newest that it knows.
func (m *Meta) awaitTopology(ctx context.Context, version uint64) (*Topology, error) {
	for {
		changed := m.Changed()
		if t := m.Topology(); t.Version >= version {
			return t, nil
		}
		if err := m.g.wait(ctx, changed); err != nil {
			return nil, err
		}
	}
}

// LeaveMove and StayMove end a move on a shard: its segments go, or become like others. With a version, who reads by an older topology cannot read the
// table any more. They return the log index.
func (w *Writer) LeaveMove(ctx context.Context, m *Move, version uint64) (uint64, error) {
	return w.endMove(ctx, actLeave, m, version)
}

// StayMove is explained at LeaveMove.
func (w *Writer) StayMove(ctx context.Context, m *Move, version uint64) (uint64, error) {
	return w.endMove(ctx, actStay, m, version)
}

func (w *Writer) endMove(ctx context.Context, act moveAct, m *Move, version uint64) (uint64, error) {
	r, err := w.commit(ctx, proposal{body: &moveStep{act: act, move: m.ID, version: version, edit: mergetree.Edit{Table: m.Table, Cause: mergetree.CauseMove}}})
	return r.Index, err
}

// forgetMoves drops what the shard knows of moves that the topology does not have any more: they are over. What a step that came late has begun
// is undone. This node leads.
func (s *Shard) forgetMoves(ctx context.Context) error {
	t := s.meta.Topology()
	type over struct {
		id  uint64
		rec shardMove
	}
	var all []over
	s.fsm.mu.RLock()
	for id, rec := range s.fsm.state.moves.byID {
		if id < t.NextMove && t.Move(id) == nil {
			all = append(all, over{id, *rec})
		}
	}
	s.fsm.mu.RUnlock()
	slices.SortFunc(all, func(a, b over) int { return int(a.id) - int(b.id) })
	for _, x := range all {
		end := actStay
		if x.rec.arrived {
			end = actLeave // nobody has seen them
		}
		acts := []moveAct{end, actForget}
		if x.rec.ended {
			acts = acts[1:]
		}
		for _, act := range acts {
			body := &moveStep{act: act, move: x.id, edit: mergetree.Edit{Table: x.rec.table, Cause: mergetree.CauseMove}}
			if r, err := s.g.propose(ctx, proposal{body: body}); errors.Join(err, r.err) != nil {
				return errors.Join(err, r.err)
			}
		}
	}
	return nil
}
