package cluster

import (
	"errors"
	"testing"

	"github.com/olapd/olapd/mergetree"
)

// TestMoveSteps: steps of a move that are repeated, or come late, have no effect, and a Raft snapshot knows of them.
func TestMoveSteps(t *testing.T) {
	s := newSimulation(1, fences{})
	step := func(act moveAct, version uint64) error {
		b := &moveStep{act: act, move: 3, version: version, edit: mergetree.Edit{Table: simBase, Cause: mergetree.CauseMove}}
		switch act {
		case actFreeze:
			b.edit.Remove = []string{"a", "b"}
		case actArrive:
			b.edit.Add = []mergetree.Segment{{ID: "c"}}
		}
		return s.apply(header{term: s.term}, b).err
	}
	again := func() {
		t.Helper()
		head, err := s.fsm.appendHead(nil)
		must(t, err)
		r := &reader{b: head}
		s.fsm.readPlace(r)
		back := readShardState(r)
		must(t, r.err)
		if string(back.digest()) != string(s.fsm.state.digest()) {
			t.Errorf("moves %+v became %+v", s.fsm.state.moves, back.moves)
		}
	}
	visible := func(version uint64, m Move, want ...string) {
		t.Helper()
		top := newTopology()
		if top.Version = 100; m.ID != 0 {
			top.Moves = []Move{m}
		}
		hidden := s.fsm.state.moves.hidden(version, top)
		for _, id := range want {
			if !hidden[id] {
				t.Errorf("%s is shown to who reads by version %d of %+v", id, version, m)
			}
		}
		if len(hidden) != len(want) {
			t.Errorf("hidden from who reads by version %d of %+v: %v", version, m, hidden)
		}
	}
	switched := Move{ID: 3, State: MoveSwitched, Switched: 50}
	must(t, step(actFreeze, 0))
	must(t, step(actFreeze, 0))
	again()
	visible(90, Move{ID: 3, State: MoveCopying})
	visible(49, switched)
	visible(50, switched, "a", "b")
	must(t, step(actLeave, 50))
	visible(50, switched)
	if err := step(actFreeze, 0); !errors.Is(err, errMoveEnded) {
		t.Errorf("frozen again behind the end: %v", err)
	}
	again()
	must(t, step(actForget, 0))
	if err := s.fsm.err(); err != nil || len(s.fsm.state.moves.byID) != 0 || s.fsm.state.moves.moved[simBase] != 50 {
		t.Errorf("at the end: %v, %+v", err, s.fsm.state.moves)
	}
	must(t, step(actArrive, 0))
	visible(50, switched)
	visible(49, switched, "c")
	visible(90, Move{}, "c") // it came late: nobody sees it
	visible(90, Move{ID: 3, State: MoveCancelled}, "c")
	must(t, step(actStay, 60))
	visible(90, Move{})
	again()
}

// TestTopologyMoves: what a topology refuses of moves.
func TestTopologyMoves(t *testing.T) {
	for what, change := range map[string]func(*Topology){
		"to itself":     func(t *Topology) { t.Moves[0].To = 1 },
		"to no shard":   func(t *Topology) { t.Moves[0].To = 9 },
		"from no shard": func(t *Topology) { t.Moves[0].From = 0 },
		"of the future": func(t *Topology) { t.Moves[0].ID = 7 },
		"twice":         func(t *Topology) { t.Moves = append(t.Moves, t.Moves[0]) },
		"more than fit": func(t *Topology) { t.Moves = make([]Move, maxMoves+1) },
	} {
		top := newTopology().clone()
		top.Shards = append(top.Shards, Placement{ID: 2, Replicas: []string{FirstNode}})
		top.NextMove, top.Moves = 2, []Move{{ID: 1, From: 1, To: 2}}
		must(t, top.check())
		if change(top); top.check() == nil {
			t.Errorf("a move %s was taken", what)
		}
	}
}
