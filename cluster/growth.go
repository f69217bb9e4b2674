package cluster

import (
	"context"
	"slices"

	"github.com/olapd/olapd/internal/catalog"
	"github.com/olapd/olapd/internal/feature"
	"github.com/olapd/olapd/internal/sqlerr"
)

// A growth makes the rows of a table with a sharding key lie on more shards, while everything goes on: see decision 0018. Its record is in the topology
// beside those of its moves, round by round one for every source and target, and one for what stays at each source:
//
//	copying → holding → switched → (gone)
//	   └─────────┴──→ cancelled → (gone)

// GrowthState is how far a growth is.
type GrowthState string

// The states of growths.
const (
	// GrowthCopying: rounds of moves split what the sources have, and bring it to the targets, hidden. Rows are committed where they were.
	GrowthCopying GrowthState = "copying"
	// GrowthHolding: no rows of the table are committed, which writers wait for; the last ones are split.
	GrowthHolding GrowthState = "holding"
	// GrowthSwitched: rows are read by the new spread as of version Switched of the topology, and committed by it.
	GrowthSwitched GrowthState = "switched"
	// GrowthCancelled: it is being undone.
	GrowthCancelled GrowthState = "cancelled"
)

// Growth is one growth.
type Growth struct {
	Table    catalog.TableID `json:"table"`
	Began    uint64          `json:"began"`  // version of the topology, which tells it from other growths of the table
	Spread   catalog.Spread  `json:"spread"` // as of the switch; that before without its last number
	State    GrowthState     `json:"state"`
	Switched uint64          `json:"switched,omitempty"` // version of the topology
	Reason   string          `json:"reason,omitempty"`   // why it was cancelled
	Fed      bool            `json:"fed,omitempty"`      // Kafka tables feed the table, which are stopped while the growth holds
}

// Sources and Shards are how many shards the rows lie on before and after.
func (g *Growth) Sources() int { return g.Spread[len(g.Spread)-2] }

// Shards is explained at Sources.
func (g *Growth) Shards() int { return g.Spread.Shards() }

// Grown is how rows of a table that has grown find their shards.
type Grown struct {
	Spread catalog.Spread `json:"spread"`
	// Since is the version of the topology as of which they are read so; before, its last number did not count.
	Since uint64 `json:"since"`
}

// Growth returns that of a table, or nil.
func (t *Topology) Growth(table catalog.TableID) *Growth {
	for i := range t.Growths {
		if t.Growths[i].Table == table {
			return &t.Growths[i]
		}
	}
	return nil
}

// Growing are the moves of a table's growth.
func (t *Topology) Growing(table catalog.TableID) []Move {
	var out []Move
	for _, m := range t.Moves {
		if m.Grows && m.Table == table {
			out = append(out, m)
		}
	}
	return out
}

// notYet reports whether none of a table's rows are on a shard for who reads by a version of the topology; t is of that version or later.
func (t *Topology) notYet(table catalog.TableID, shard, version uint64) bool {
	g, ok := t.Grown[table]
	return ok && g.Since > version && shard > uint64(g.Spread[len(g.Spread)-2])
}

// checkGrowths refuses growths and spreads that contradict the shards.
func (t *Topology) checkGrowths() error {
	fits := func(s catalog.Spread) bool {
		return len(s) >= 2 && s[0] > 0 && slices.IsSorted(s) && s.Shards() > s[len(s)-2] && s.Shards() <= len(t.Shards)
	}
	for i, g := range t.Growths {
		if !fits(g.Spread) || t.Growth(g.Table) != &t.Growths[i] {
			return sqlerr.New(sqlerr.LogicalError, "The growth of table %d to shards %v of %d contradicts the topology", g.Table, g.Spread, len(t.Shards))
		}
	}
	for id, g := range t.Grown {
		if !fits(g.Spread) {
			return sqlerr.New(sqlerr.LogicalError, "Table %d lies on shards %v of %d", id, g.Spread, len(t.Shards))
		}
	}
	return nil
}

// target is the number of shards that a table on n of them can grow to at once: its rounds of moves must fit the topology. 0: none.
func (t *Topology) target(n int) int {
	m := min(len(t.Shards), n-1+maxMoves/growthRounds/n)
	if m <= n {
		return 0
	}
	return m
}

// PlanGrowths lets tables grow on all shards there are, those that do not yet, and returns how many begin.
func (m *Meta) PlanGrowths(ctx context.Context, tables []catalog.TableID) (n int, err error) {
	_, err = m.ChangeTopology(ctx, func(t *Topology) (bool, error) {
		n = 0
		for _, id := range tables {
			before := t.SpreadOf(id)
			if t.Moving(id) || before.Shards() >= len(t.Shards) {
				continue
			}
			to := t.target(before.Shards())
			if to == 0 {
				return false, sqlerr.New(sqlerr.NotImplemented, "A table with a sharding key on %d shards cannot grow: the limit is %d moves at once", before.Shards(), maxMoves)
			}
			t.Growths = append(t.Growths, Growth{Table: id, Began: t.Version, Spread: append(slices.Clone(before), to), State: GrowthCopying})
			if t.Moved == nil {
				t.Moved = map[catalog.TableID]uint64{}
			}
			t.Moved[id] = t.Version
			n++
		}
		return n == 0, nil
	})
	return n, err
}

// present returns a growth as it is in the topology now, if it is in one of some states; else nil.
func (t *Topology) present(g Growth, states ...GrowthState) *Growth {
	now := t.Growth(g.Table)
	if now == nil || now.Began != g.Began || !slices.Contains(states, now.State) {
		return nil
	}
	return now
}

// changeGrowth changes a growth that is in one of some states; of one that is not, the error is errMoveElsewhere.
func (m *Meta) changeGrowth(ctx context.Context, g Growth, f func(*Topology, *Growth) (same bool, err error), states ...GrowthState) error {
	_, err := m.ChangeTopology(ctx, func(t *Topology) (bool, error) {
		now := t.present(g, states...)
		if now == nil {
			return false, errMoveElsewhere
		}
		return f(t, now)
	})
	return err
}

// PlanRound adds the moves of a growth's next round, unless there are some that have not arrived. Who does them knows in what state they were planned: while it
// holds, sources freeze what they have once they take no more.
func (m *Meta) PlanRound(ctx context.Context, g Growth) error {
	return m.changeGrowth(ctx, g, func(t *Topology, g *Growth) (bool, error) {
		if !t.arrived(g.Table) {
			return true, nil
		}
		t.NextMove = max(t.NextMove, 1)
		for from := range g.Sources() {
			for to := range g.Shards() {
				if to == from || to >= g.Sources() {
					t.Moves = append(t.Moves, Move{ID: t.NextMove, Table: g.Table, From: uint64(from) + 1, To: uint64(to) + 1, Grows: true, State: MoveCopying})
					t.NextMove++
				}
			}
		}
		return false, nil
	}, g.State)
}

// ArriveMoves notes that the rows of some of a growth's moves are at their targets, and what they are. Of moves that have none, which have no index at the
// target, nothing stays.
func (m *Meta) ArriveMoves(ctx context.Context, moves []Move) error {
	_, err := m.ChangeTopology(ctx, func(t *Topology) (bool, error) {
		for _, x := range moves {
			at := t.Move(x.ID)
			if at == nil || at.State != MoveCopying {
				return false, errMoveElsewhere
			}
			if x.ArrivedAt == 0 {
				t.Moves = slices.DeleteFunc(t.Moves, func(y Move) bool { return y.ID == x.ID })
				continue
			}
			*at, at.State = x, MoveArrived
		}
		return false, nil
	})
	return err
}

// arrived reports whether all moves of a table's growth have.
func (t *Topology) arrived(table catalog.TableID) bool {
	return !slices.ContainsFunc(t.Growing(table), func(x Move) bool { return x.State != MoveArrived })
}

// HoldGrowth lets the last rows of a growth be moved, while its table takes no more. All moves so far have arrived. Of growths of tables that Kafka tables feed
// only one holds at a time, as they may stop the same: else the error is errMoveElsewhere, and the growth stays as it is.
func (m *Meta) HoldGrowth(ctx context.Context, g Growth, fed bool) error {
	return m.changeGrowth(ctx, g, func(t *Topology, g *Growth) (bool, error) {
		if !t.arrived(g.Table) || fed && slices.ContainsFunc(t.Growths, func(x Growth) bool { return x.Fed && x.State == GrowthHolding }) {
			return false, errMoveElsewhere
		}
		g.Fed = fed
		g.State = GrowthHolding
		return false, nil
	}, GrowthCopying)
}

// SwitchGrowth makes the table's rows be read by the new spread, by all who read by the topology that it returns or a later one. All moves have arrived.
func (m *Meta) SwitchGrowth(ctx context.Context, g Growth) error {
	return m.changeGrowth(ctx, g, func(t *Topology, g *Growth) (bool, error) {
		if !t.arrived(g.Table) {
			return false, errMoveElsewhere
		}
		for i := range t.Moves {
			x := &t.Moves[i]
			if !x.Grows || x.Table != g.Table {
				continue
			}
			x.State, x.Switched = MoveSwitched, t.Version
			t.readFrom(x, x.FrozenAt, x.ArrivedAt)
		}
		g.State, g.Switched = GrowthSwitched, t.Version
		if t.Grown == nil {
			t.Grown = map[catalog.TableID]Grown{}
		}
		t.Grown[g.Table] = Grown{Spread: g.Spread, Since: t.Version}
		return false, nil
	}, GrowthHolding)
}

// EndGrowth forgets a growth and its moves, of which both shards have done their last step, at the indices that these have now.
func (m *Meta) EndGrowth(ctx context.Context, g Growth, moves []Move) error {
	return m.changeGrowth(ctx, g, func(t *Topology, g *Growth) (bool, error) {
		for _, x := range moves {
			if at := t.Move(x.ID); at != nil {
				t.endMove(at, x.FrozenAt, x.ArrivedAt)
			}
		}
		if table := g.Table; len(t.Growing(table)) == 0 {
			t.Growths = slices.DeleteFunc(t.Growths, func(g Growth) bool { return g.Table == table })
		}
		return false, nil
	}, GrowthSwitched, GrowthCancelled)
}

// CancelGrowth gives up a growth that has not been switched.
func (m *Meta) CancelGrowth(ctx context.Context, table catalog.TableID, reason string) error {
	_, err := m.ChangeTopology(ctx, func(t *Topology) (bool, error) { return t.cancelGrowths(reason, table) == 0, nil })
	return err
}

// cancelGrowths gives up growths that have not been switched, all or of some tables, and returns how many.
func (t *Topology) cancelGrowths(reason string, tables ...catalog.TableID) (n int) {
	for i := range t.Growths {
		g := &t.Growths[i]
		if g.State != GrowthCopying && g.State != GrowthHolding || len(tables) > 0 && !slices.Contains(tables, g.Table) {
			continue
		}
		g.State, g.Reason = GrowthCancelled, reason
		for k := range t.Moves {
			if x := &t.Moves[k]; x.Grows && x.Table == g.Table {
				x.State, x.Reason = MoveCancelled, reason
			}
		}
		n++
	}
	return n
}

// Hold lets the shards refuse commits with rows of a growth's table, as long as it holds, and returns the version of the catalog that says so.
func (m *Meta) Hold(ctx context.Context, g Growth) (version uint64, err error) {
	c, err := m.Change(ctx, func(c *catalog.Catalog) (*catalog.Catalog, error) {
		t := c.ByID(g.Table)
		switch {
		case t == nil:
			return nil, noTable(g.Table)
		case m.Topology().present(g, GrowthHolding) == nil:
			return nil, errMoveElsewhere
		case t.Held:
			return c, nil
		}
		held := *t
		held.Held = true
		return c.WithChanged(&held)
	})
	if err != nil {
		return 0, err
	}
	return c.Version, nil
}

// Let lets rows of a growth's table be committed again, by its spread if that has been switched to, and Kafka tables that were stopped for it be consumed. It
// changes the table each time: a Hold that comes late finds that there was another change, and then that the growth does not hold.
func (m *Meta) Let(ctx context.Context, g Growth) error {
	_, err := m.Change(ctx, func(c *catalog.Catalog) (*catalog.Catalog, error) {
		t, now := c.ByID(g.Table), m.Topology().present(g, GrowthSwitched, GrowthCancelled)
		changed := freed(c, g.Table)
		switch {
		case now == nil:
			return nil, errMoveElsewhere
		case t == nil && len(changed) == 0:
			return c, nil
		case t == nil:
			return c.WithChanged(changed...)
		}
		free := *t
		free.Held = false
		if now.State == GrowthSwitched {
			if t.SpreadSince != now.Switched {
				free.SpreadBefore, free.SpreadWith = c.NextID, nil
				for _, s := range changed {
					free.SpreadWith = append(free.SpreadWith, s.ID)
				}
			}
			free.Spread, free.SpreadSince = now.Spread, now.Switched
		}
		return c.WithChanged(append(changed, &free)...)
	})
	return err
}

func noTable(id catalog.TableID) error {
	return sqlerr.New(sqlerr.UnknownTable, "Table %d does not exist any more", id)
}

// growths refuses growths of tables that do not exist, and of those that a Kafka table feeds, if not all nodes can stop that.
func (m *metaFSM) growths(to *Topology) error {
	for _, g := range to.Growths {
		if m.topology.Growth(g.Table) != nil {
			continue
		}
		t := m.state.ByID(g.Table)
		if t == nil {
			return noTable(g.Table)
		}
		if sources := Feeders(m.state, g.Table); len(sources) > 0 && !m.has(feature.StoppedSources) {
			return sqlerr.Wrap(m.topology.Level.Require(feature.StoppedSources), sqlerr.NotImplemented, "Table %s, which Kafka table %s feeds, cannot come to lie on more shards", t.FullName(), sources[0].FullName())
		}
	}
	return nil
}
