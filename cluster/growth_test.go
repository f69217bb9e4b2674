package cluster

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/olapd/olapd/internal/catalog"
	"github.com/olapd/olapd/mergetree"
)

// TestKeepSteps: what stays at the source of a growth is shown from the switch on, in place of the segments that it is of, and stays when these leave; when they
// stay, it goes. Steps that are repeated have no effect, and a Raft snapshot knows of all of them.
func TestKeepSteps(t *testing.T) {
	for _, end := range []moveAct{actLeave, actStay} {
		s := newSimulation(1, fences{})
		step := func(act moveAct) error {
			b := &moveStep{act: act, move: 3, version: 50, edit: mergetree.Edit{Table: simBase, Cause: mergetree.CauseMove}}
			switch act {
			case actFreeze:
				b.edit.Remove = []string{"a", "b"}
			case actKeep:
				b.edit.Add = []mergetree.Segment{{ID: "c"}}
			}
			if err := s.apply(header{term: s.term}, b).err; err != nil {
				return err
			}
			head, err := s.fsm.appendHead(nil)
			must(t, err)
			r := &reader{b: head}
			s.fsm.readPlace(r)
			back := readShardState(r)
			must(t, r.err)
			if string(back.digest()) != string(s.fsm.state.digest()) {
				t.Errorf("moves %+v became %+v", s.fsm.state.moves, back.moves)
			}
			return nil
		}
		hides := func(version uint64, state MoveState, want ...string) {
			t.Helper()
			top := newTopology()
			top.Version, top.Moves = 100, []Move{{ID: 3, State: state, Switched: 50, Grows: true}}
			hidden := s.fsm.state.moves.hidden(version, top)
			if len(hidden) != len(want) || slices.ContainsFunc(want, func(id string) bool { return !hidden[id] }) {
				t.Errorf("hidden from who reads by version %d of a move that is %s: %v, not %v", version, state, hidden, want)
			}
		}
		must(t, step(actKeep)) // nothing is frozen: it has no effect
		hides(90, MoveCopying)
		must(t, step(actFreeze))
		must(t, step(actKeep))
		must(t, step(actKeep))
		hides(90, MoveArrived, "c")
		hides(49, MoveSwitched, "c")
		hides(50, MoveSwitched, "a", "b")
		if frozen := s.fsm.state.moves.frozen(simBase); len(frozen) != 3 {
			t.Errorf("frozen: %v", frozen)
		}
		must(t, step(end))
		must(t, step(end))
		hides(90, MoveSwitched)
		must(t, step(actKeep))
		if rec := s.fsm.state.moves.byID[3]; !rec.ended || rec.segs != nil || rec.keeps != nil {
			t.Errorf("at the end: %+v", rec)
		}
		if err := step(actFreeze); !errors.Is(err, errMoveEnded) {
			t.Errorf("frozen again behind the end: %v", err)
		}
	}
}

// TestHandedTokens: a token counts for the way that rows have gone, and a shard has them of each shard that its rows came from.
func TestHandedTokens(t *testing.T) {
	for _, c := range []struct {
		way  catalog.Way
		want string
	}{{catalog.Way{2}, "t"}, {catalog.Way{2, 3}, "2\x00t"}, {catalog.Way{2, 3, 17}, "2.3\x00t"}} {
		id := TokenOn("t", c.way)
		if id != c.want {
			t.Errorf("%v: %q", c.way, id)
		}
		if handed := (Token{ID: id}).from(c.way.Shard(), 2); handed != TokenOn("t", append(c.way, 99)) {
			t.Errorf("%v: handed on as %q", c.way, handed)
		}
	}
	long := strings.Repeat("x", MaxTokenBytes)
	for id, ok := range map[string]bool{long: true, long + "x": false, "1.2\x00" + long: true, "1.2\x00" + long + "x": false, "x\x00" + long: false} {
		if err := (&Claims{Tokens: []Token{{Table: 1, ID: id}}}).check(); (err == nil) != ok {
			t.Errorf("a token of %d bytes: %v", len(id), err)
		}
	}
	s := newSimulation(1, fences{})
	b := &handTokens{table: simBase}
	for i := range 3 {
		b.tokens = append(b.tokens, remembered{id: fmt.Sprint("1\x00", i), hash: [16]byte{byte(i)}})
	}
	for range 2 {
		must(t, s.apply(header{term: s.term}, b).err)
	}
	w := s.fsm.state.tokens[simBase]
	if _, _, known := s.fsm.state.tokens.find([]Token{{Table: simBase, ID: "1\x002"}}); !known || len(w.order) != 3 {
		t.Errorf("tokens: %v", w.order)
	}
	must(t, s.apply(header{term: s.term}, &handTokens{table: 99, tokens: b.tokens}).err) // a table that was dropped
	if s.fsm.state.tokens[99] != nil {
		t.Error("tokens of no table")
	}
}

// TestTopologyGrowths: what a topology refuses of growths, and how far tables grow at once.
func TestTopologyGrowths(t *testing.T) {
	for what, change := range map[string]func(*Topology){
		"to no more shards":   func(t *Topology) { t.Growths[0].Spread = catalog.Spread{3, 3} },
		"to too many":         func(t *Topology) { t.Growths[0].Spread = catalog.Spread{2, 4} },
		"from nothing":        func(t *Topology) { t.Growths[0].Spread = catalog.Spread{3} },
		"twice":               func(t *Topology) { t.Growths = append(t.Growths, t.Growths[0]) },
		"that ended, nowhere": func(t *Topology) { t.Grown[7] = Grown{} },
	} {
		top := newTopology().clone()
		for id := uint64(2); id <= 3; id++ {
			top.Shards = append(top.Shards, Placement{ID: id, Replicas: []string{FirstNode}})
		}
		top.Growths = []Growth{{Table: 5, Spread: catalog.Spread{2, 3}, State: GrowthCopying}}
		top.Grown = map[catalog.TableID]Grown{7: {Spread: catalog.Spread{1, 3}, Since: 1}}
		must(t, top.check())
		if change(top); top.check() == nil {
			t.Errorf("a growth %s was taken", what)
		}
	}
	top := &Topology{Shards: make([]Placement, 64)}
	for n, want := range map[int]int{1: 64, 3: 44, 8: 23, 63: 64, 64: 0} {
		if got := top.target(n); got != want {
			t.Errorf("a table on %d of 64 shards grows to %d, not %d", n, got, want)
		}
	}
}

// TestGrowthSteps: steps of a growth have no effect out of their order, for another growth of the table, or when they come late.
func TestGrowthSteps(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSeveral(t)
		defer s.close()
		n := s.start(FirstNode)
		must(t, n.Found(t.Context(), Founding{Cluster: "test", Shards: 2, Replicas: 1}))
		ctx, m := t.Context(), n.Meta()
		c, err := n.Change(ctx, func(c *catalog.Catalog) (*catalog.Catalog, error) { return c.WithTables(testTable("a")) })
		must(t, err)
		id := c.Table("default", "a").ID
		must(t, n.SetShards(ctx, 3))
		late := func(what string, err error) {
			t.Helper()
			if !MoveElsewhere(err) {
				t.Errorf("%s: %v", what, err)
			}
		}
		begin := func() Growth {
			t.Helper()
			if k, err := m.PlanGrowths(ctx, []catalog.TableID{id}); err != nil || k != 1 {
				t.Fatal(k, err)
			}
			return *m.Topology().Growth(id)
		}
		arrive := func(g Growth) {
			t.Helper()
			moves := m.Topology().Growing(id)
			moves = slices.DeleteFunc(moves, func(x Move) bool { return x.State != MoveCopying })
			for i := range moves {
				moves[i].FrozenAt, moves[i].ArrivedAt = 1, 1
			}
			must(t, m.ArriveMoves(ctx, moves))
			late("arriving again", m.ArriveMoves(ctx, moves))
		}
		first := begin()
		if !slices.Equal(first.Spread, catalog.Spread{2, 3}) || first.Sources() != 2 {
			t.Errorf("a table on 2 of 3 shards grows to %v", first.Spread)
		}
		if k, err := m.PlanGrowths(ctx, []catalog.TableID{id}); k != 0 || err != nil {
			t.Errorf("it grows twice at once: %d, %v", k, err)
		}
		_, err = m.Hold(ctx, first)
		late("held while it is copied", err)
		must(t, m.PlanRound(ctx, first))
		must(t, m.PlanRound(ctx, first))
		if moves := m.Topology().Growing(id); len(moves) != 4 || !m.Topology().Moving(id) {
			t.Errorf("moves of a round: %+v", moves)
		}
		late("held with moves under way", m.HoldGrowth(ctx, first, false))
		arrive(first)
		late("switched without being held", m.SwitchGrowth(ctx, first))
		must(t, m.HoldGrowth(ctx, first, false))
		late("a round of the copying", m.PlanRound(ctx, first))
		_, err = m.Hold(ctx, first)
		must(t, err)
		if !m.Catalog().ByID(id).Held {
			t.Error("the table takes rows")
		}
		late("let go while it holds", m.Let(ctx, first))
		must(t, m.CancelGrowth(ctx, id, "test"))
		late("switched when cancelled", m.SwitchGrowth(ctx, first))
		must(t, m.Let(ctx, first))
		must(t, m.EndGrowth(ctx, first, m.Topology().Growing(id)))

		second := begin()
		must(t, m.HoldGrowth(ctx, second, false))
		late("held for the first", m.HoldGrowth(ctx, first, false))
		_, err = m.Hold(ctx, first)
		late("held for the first", err)
		late("switched for the first", m.SwitchGrowth(ctx, first))
		_, err = m.Hold(ctx, second)
		must(t, err)
		second.State = GrowthHolding
		must(t, m.PlanRound(ctx, second))
		late("switched with moves under way", m.SwitchGrowth(ctx, second))
		arrive(second)
		before := m.Topology().Version
		must(t, m.SwitchGrowth(ctx, second))
		late("ended for the first", m.EndGrowth(ctx, first, nil))
		must(t, m.CancelGrowth(ctx, id, "too late"))
		must(t, m.Let(ctx, second))
		top, a := m.Topology(), m.Catalog().ByID(id)
		g := top.Growth(id)
		if g.State != GrowthSwitched || a.Held || !slices.Equal(a.Spread, g.Spread) || a.SpreadSince != g.Switched || top.Grown[id].Since != g.Switched || g.Switched != before+1 {
			t.Errorf("switched as %+v, %+v", g, a)
		}
		if old := (&Topology{Grown: top.Grown}); !old.notYet(id, 3, before) || old.notYet(id, 2, before) || old.notYet(id, 3, g.Switched) {
			t.Error("who reads by another version sees other shards")
		}
		must(t, m.EndGrowth(ctx, second, top.Growing(id)))
		if top := m.Topology(); top.Growth(id) != nil || len(top.Moves) > 0 || !slices.Equal(top.SpreadOf(id), catalog.Spread{2, 3}) {
			t.Errorf("at the end: %+v", top)
		}
		if k, err := m.PlanGrowths(ctx, []catalog.TableID{id}); k != 0 || err != nil {
			t.Errorf("it grows on no more shards: %d, %v", k, err)
		}
	})
}
