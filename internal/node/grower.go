package node

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/olapd/olapd/cluster"
	"github.com/olapd/olapd/internal/catalog"
	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/mergetree"
	"github.com/olapd/olapd/query/plan"
)

const (
	// growCopies is how many rounds of a growth run at most while rows of the table are committed: the first takes what there is, each of the next what
	// came during the one before.
	growCopies = 3
	// growRest is so few rows of a round that another would not make the time shorter in which the table takes none.
	growRest = 100_000
	// growLong is an attempt so long that it has copied something, which is not copied again.
	growLong = time.Minute
	// holdPatience is how long a table may take no rows until its growth is given up.
	holdPatience = 20 * time.Second
)

// grow does a growth step by step until it has ended, or ctx has. All that it knows is in the topology and in the shards.
func (m *mover) grow(ctx context.Context, table catalog.TableID) {
	var state cluster.GrowthState
	var failing time.Time // since when, or since when the table takes no rows
	for ctx.Err() == nil {
		g, begin := m.n.cluster.Topology().Growth(table), m.n.cfg.Clock.Now()
		if g == nil {
			return
		}
		if state != g.State {
			state, failing = g.State, begin
		}
		err := sqlerr.Guard(func() error { return m.growStep(ctx, *g) })
		if err == nil {
			continue
		}
		if ctx.Err() != nil {
			return
		}
		patience := movePatience
		if state == cluster.GrowthHolding {
			patience = holdPatience
		} else if cluster.MoveElsewhere(err) || m.n.cfg.Clock.Since(begin) > growLong {
			failing = m.n.cfg.Clock.Now()
		}
		if !cluster.MoveElsewhere(err) { // else another leader does it, or it was cancelled
			m.n.log.Warn("letting a table lie on more shards", "table", table, "state", state, "error", err)
		}
		if hopeless(err) || m.n.cfg.Clock.Since(failing) >= patience {
			if err := m.n.cluster.Meta().CancelGrowth(ctx, table, err.Error()); err == nil {
				continue // what has been switched goes on
			}
		}
		if m.n.cfg.Clock.Sleep(ctx, moveRetry) != nil {
			return
		}
	}
}

// growStep does what is due in the state of a growth. Each part of it may have been done before.
func (m *mover) growStep(ctx context.Context, g cluster.Growth) error {
	meta := m.n.cluster.Meta()
	switch g.State {
	case cluster.GrowthCopying:
		if err := m.pause(ctx, g.Table); err != nil {
			return err
		}
		for range growCopies {
			if _, rows, err := m.round(ctx, g, 0); err != nil {
				return err
			} else if rows < growRest {
				break
			}
		}
		return m.hold(ctx, g)
	case cluster.GrowthHolding:
		ctx, cancel := context.WithTimeout(ctx, holdPatience)
		defer cancel()
		return m.lastRounds(ctx, g)
	case cluster.GrowthSwitched:
		m.beforeGrowth(g, "let")
		if err := meta.Let(ctx, g); err != nil {
			return err
		}
		if err := m.n.cfg.Clock.Sleep(ctx, moveGrace); err != nil {
			return err
		}
		return m.endGrowth(ctx, g)
	case cluster.GrowthCancelled:
		m.beforeGrowth(g, "undo")
		if err := meta.Let(ctx, g); err != nil {
			return err
		}
		return m.endGrowth(ctx, g)
	}
	return sqlerr.New(sqlerr.LogicalError, "The growth of table %d is in state %q", g.Table, g.State)
}

// hold lets the last rows of a growth be moved, once the Kafka tables that feed its table can be stopped.
func (m *mover) hold(ctx context.Context, g cluster.Growth) error {
	meta := m.n.cluster.Meta()
	fed := len(cluster.Feeders(meta.Catalog(), g.Table)) > 0
	if fed {
		if err := m.awaitNear(ctx, g); err != nil {
			return err
		}
	}
	m.beforeGrowth(g, "hold")
	for {
		err := meta.HoldGrowth(ctx, g, fed)
		if now := meta.Topology().Growth(g.Table); !cluster.MoveElsewhere(err) || now == nil || now.Began != g.Began || now.State != g.State {
			return err
		}
		if err := m.n.cfg.Clock.Sleep(ctx, moveRetry); err != nil { // another growth holds
			return err
		}
	}
}

// beforeGrowth tells a test that a step comes.
func (m *mover) beforeGrowth(g cluster.Growth, what string) {
	m.before(&cluster.Move{Table: g.Table}, what)
}

// lastRounds brings what is left to the targets, while the table takes no rows, and lets it be read by the new spread.
func (m *mover) lastRounds(ctx context.Context, g cluster.Growth) error {
	meta, start := m.n.cluster.Meta(), m.n.cfg.Clock.Now()
	m.beforeGrowth(g, "stop")
	if err := m.meet(ctx, g); err != nil {
		return err
	}
	m.beforeGrowth(g, "met")
	version, err := meta.Hold(ctx, g)
	if err != nil {
		return err
	}
	for {
		segments, _, err := m.round(ctx, g, version)
		if err != nil {
			return err
		}
		if segments == 0 {
			break
		}
	}
	m.beforeGrowth(g, "tokens")
	if err := m.handTokens(ctx, g, version); err != nil {
		return err
	}
	m.beforeGrowth(g, "sources")
	if err := m.handSources(ctx, g, version); err != nil {
		return err
	}
	m.beforeGrowth(g, "switch")
	if err := meta.SwitchGrowth(ctx, g); err != nil {
		return err
	}
	m.n.log.Info("a table lies on more shards", "table", g.Table, "shards", g.Shards(), "held", m.n.cfg.Clock.Since(start))
	return nil
}

// round brings the rows that the sources have in segments that no round has taken to where they belong, hidden, and returns what it has split. The sources
// have got to a version of the catalog then.
func (m *mover) round(ctx context.Context, g cluster.Growth, version uint64) (segments int, rows uint64, err error) {
	meta := m.n.cluster.Meta()
	if meta.Catalog().ByID(g.Table) == nil {
		return 0, 0, sqlerr.New(sqlerr.UnknownTable, "Table %d does not exist any more", g.Table)
	}
	if err := meta.PlanRound(ctx, g); err != nil {
		return 0, 0, err
	}
	bySource := map[uint64][]cluster.Move{}
	for _, x := range meta.Topology().Growing(g.Table) {
		if x.State == cluster.MoveCopying {
			bySource[x.From] = append(bySource[x.From], x)
		}
	}
	var work sync.WaitGroup
	var mu sync.Mutex
	for _, moves := range bySource {
		work.Go(func() {
			var frozen []mergetree.Segment
			ferr := sqlerr.Guard(func() (err error) {
				frozen, err = m.source(ctx, g, moves, version)
				return err
			})
			mu.Lock()
			defer mu.Unlock()
			err, segments = errors.Join(err, ferr), segments+len(frozen)
			for _, s := range frozen {
				rows += s.Rows
			}
		})
	}
	work.Wait()
	return segments, rows, err
}

// source does the moves of one source in a round: that which keeps what stays has frozen the segments for all of them, and arrives last.
func (m *mover) source(ctx context.Context, g cluster.Growth, moves []cluster.Move, version uint64) ([]mergetree.Segment, error) {
	at := slices.IndexFunc(moves, func(x cluster.Move) bool { return x.From == x.To })
	if at < 0 {
		return nil, sqlerr.New(sqlerr.LogicalError, "Nothing of table %d was frozen on shard %d", g.Table, moves[0].From)
	}
	kept := moves[at]
	moves = append(slices.Delete(slices.Clone(moves), at, at+1), kept)
	m.before(&kept, "freeze")
	top := m.n.cluster.Topology().Version
	a, err := m.n.do(ctx, &shardRequest{Shard: kept.From, Op: opFreeze, Table: g.Table, Catalog: version, Move: &kept, Topology: top})
	if err != nil {
		return nil, err
	}
	if a.Frozen == nil || len(a.Frozen.Segments) == 0 {
		return nil, m.n.cluster.Meta().ArriveMoves(ctx, moves)
	}
	for _, x := range moves {
		q := &shardRequest{Shard: x.From, Op: opExtract, Table: g.Table, Catalog: a.Frozen.Schema, Move: &x, Segments: a.Frozen.Segments, Spread: g.Spread, Topology: top}
		if err := m.bring(ctx, q, a.Frozen.Index); err != nil {
			return nil, err
		}
	}
	return a.Frozen.Segments, nil
}

// bring extracts the rows of one move at its source, and brings them to its target.
func (m *mover) bring(ctx context.Context, q *shardRequest, frozen uint64) error {
	x := *q.Move
	m.before(&x, "extract")
	a, err := m.n.do(ctx, q)
	if err != nil {
		return err
	}
	if len(a.Segments) == 0 && x.From != x.To {
		return m.n.cluster.Meta().ArriveMoves(ctx, []cluster.Move{x})
	}
	to := &shardRequest{Shard: x.To, Op: opArrive, Table: x.Table, Catalog: q.Catalog, Move: &x, Segments: a.Segments, Maker: a.Maker, Topology: q.Topology}
	if x.From == x.To {
		to.Op = opKeep
	}
	m.before(&x, to.Op)
	b, err := m.n.do(ctx, to)
	if x.From != x.To { // what the maker has is not needed any more, or would be made anew; if it is not told, it finds out in its next term
		_, _ = m.n.do(ctx, &shardRequest{Shard: x.From, Op: opDiscard, Segments: a.Segments})
	}
	if err != nil {
		return err
	}
	x.Segments, x.FrozenAt, x.ArrivedAt = len(a.Segments), frozen, max(b.Index, 1)
	for _, s := range a.Segments {
		x.Rows, x.Bytes = x.Rows+s.Rows, x.Bytes+s.Bytes
	}
	return m.n.cluster.Meta().ArriveMoves(ctx, []cluster.Move{x})
}

// handTokens lets the targets know which INSERTs the sources have committed.
func (m *mover) handTokens(ctx context.Context, g cluster.Growth, version uint64) error {
	for from := uint64(1); from <= uint64(g.Sources()); from++ {
		for next := 0; ; {
			a, err := m.n.do(ctx, &shardRequest{Shard: from, Op: opTokens, Table: g.Table, Catalog: version, From: next})
			if err != nil {
				return err
			}
			if len(a.Tokens) == 0 {
				break
			}
			for to := g.Sources() + 1; to <= g.Shards(); to++ {
				if err := m.n.cluster.Writer(uint64(to)).TakeTokens(ctx, g.Table, from, g.Spread[0], a.Tokens); err != nil {
					return err
				}
			}
			next += len(a.Tokens)
		}
	}
	return nil
}

// endGrowth ends the moves of a growth on their shards: what is not read any more goes, the rest becomes segments like all others.
func (m *mover) endGrowth(ctx context.Context, g cluster.Growth) error {
	moves := m.n.cluster.Topology().Growing(g.Table)
	done := g.State == cluster.GrowthSwitched
	for i := range moves {
		x := &moves[i]
		end, shard := (*cluster.Writer).StayMove, x.To
		if done == (x.From == x.To) { // there the segments that were frozen go, or what has arrived
			end = (*cluster.Writer).LeaveMove
		}
		m.before(x, "leave")
		index, err := end(m.n.cluster.Writer(shard), ctx, x, g.Switched)
		if err != nil {
			return err
		}
		if x.FrozenAt, x.ArrivedAt = 0, index; x.From == x.To {
			x.FrozenAt = index
		}
	}
	m.beforeGrowth(g, "end")
	return m.n.cluster.Meta().EndGrowth(ctx, g, moves)
}

// extract makes segments of the rows of others, of a shard that this node leads, that belong to a shard by a spread.
func (n *Node) extract(ctx context.Context, r *cluster.Shard, q *shardRequest) ([]mergetree.Segment, error) {
	t := n.cluster.Meta().Catalog().ByID(q.Table)
	if t == nil {
		return nil, sqlerr.New(sqlerr.UnknownTable, "Table %d does not exist any more", q.Table)
	}
	pt, err := plan.NewTable(t)
	if err != nil {
		return nil, err
	}
	if len(q.Spread) == 0 {
		return nil, sqlerr.New(sqlerr.CorruptedData, "A request to extract rows by no spread")
	}
	names := make([]string, len(q.Segments))
	for i, s := range q.Segments {
		names[i] = s.ID
	}
	segs, err := r.Store().Extract(ctx, t.ID, names, func(_ context.Context, b *column.Block) (*column.Block, error) {
		return n.shards.rowsOn(t, pt.Schema(), b, q.Spread, q.Move.To)
	})
	r.Store().Release(segs) // what is not staged goes with the next term at the latest
	return segs, err
}
