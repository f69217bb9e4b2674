package node

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/olapd/olapd/cluster"
	"github.com/olapd/olapd/cluster/rpc"
	"github.com/olapd/olapd/internal/catalog"
	"github.com/olapd/olapd/internal/sqlerr"
)

const (
	// moveSlots is how many moves are under way at once: their files come at the pace at which a node fetches, whatever their number.
	moveSlots = 8
	// moveBreath is the pause behind moves of a table, for what waits to change all of its rows.
	moveBreath = time.Second
	// moveGrace is how long the source keeps rows that have moved, for statements that began to read before: they choose where they read when they
	// begin, and pin it a little later.
	moveGrace = 5 * time.Second
	// moveRetry is between attempts of a step that failed, movePatience how long it may fail until the move is given up.
	moveRetry    = time.Second
	movePatience = 10 * time.Minute
	// pausePatience is how long a move waits for a node that does not answer: its shards' leaders refuse what that node has begun.
	pausePatience = 10 * time.Second
	// moverTick is how often the mover looks for moves beside changes of the topology.
	moverTick = time.Second
)

// mover does the moves of partitions between shards, and the growths of tables, while this node leads the meta group. All that it knows is in the topology and in the shards:
// another leader goes on with what this one leaves.
type mover struct {
	n    *Node
	stop context.CancelFunc
	done chan struct{}
}

// start lets the mover run until close.
func (m *mover) start() {
	ctx, cancel := context.WithCancel(context.Background())
	m.stop, m.done = cancel, make(chan struct{})
	go func() {
		defer close(m.done)
		m.run(ctx)
	}()
}

func (m *mover) close() {
	m.stop()
	<-m.done
}

func (m *mover) run(ctx context.Context) {
	tick := m.n.cfg.Clock.NewTicker(moverTick)
	defer tick.Stop()
	for ctx.Err() == nil {
		if term, leads := m.n.cluster.Meta().Leader(); leads {
			m.lead(ctx, term)
		}
		select {
		case <-tick.C():
		case <-ctx.Done():
		}
	}
}

// lead does moves as long as this node leads the meta group in a term.
func (m *mover) lead(ctx context.Context, term uint64) {
	ctx, cancel := context.WithCancel(ctx)
	var work sync.WaitGroup
	defer work.Wait()
	defer cancel()
	meta := m.n.cluster.Meta()
	tick := m.n.cfg.Clock.NewTicker(moverTick)
	defer tick.Stop()
	ended, grown := make(chan uint64), make(chan catalog.TableID)
	running, growing := map[uint64]catalog.TableID{}, map[catalog.TableID]bool{}
	for {
		changed := meta.Changed()
		if now, leads := meta.Leader(); !leads || now != term {
			return
		}
		for _, x := range due(meta.Topology(), running) {
			running[x.ID] = x.Table
			work.Go(func() {
				m.carry(ctx, x.ID)
				if m.n.cfg.Clock.Sleep(ctx, moveBreath) != nil {
					return
				}
				select {
				case ended <- x.ID:
				case <-ctx.Done():
				}
			})
		}
		for _, g := range meta.Topology().Growths {
			if growing[g.Table] {
				continue
			}
			growing[g.Table] = true
			work.Go(func() {
				m.grow(ctx, g.Table)
				select {
				case grown <- g.Table:
				case <-ctx.Done():
				}
			})
		}
		select {
		case <-changed:
		case id := <-ended:
			delete(running, id)
		case id := <-grown:
			delete(growing, id)
		case <-tick.C():
		case <-ctx.Done():
			return
		}
	}
}

// due are the moves to be taken up beside those that run: all that have begun, and of those that wait as many as there are slots for. Moves of
// one table begin together, when none of it is under way, so that what changes all of its rows finds a gap between them.
func due(t *cluster.Topology, running map[uint64]catalog.TableID) []cluster.Move {
	busy, slots := map[catalog.TableID]bool{}, moveSlots-len(running)
	for _, table := range running {
		busy[table] = true
	}
	var out []cluster.Move
	for _, x := range t.Moves {
		if _, is := running[x.ID]; !is && x.State != cluster.MovePlanned && !x.Grows {
			out, busy[x.Table], slots = append(out, x), true, slots-1
		}
	}
	for _, x := range t.Moves {
		if x.State == cluster.MovePlanned && !busy[x.Table] && slots > 0 {
			out, slots = append(out, x), slots-1
		}
	}
	return out
}

// carry does one move step by step until it has ended, or ctx has.
func (m *mover) carry(ctx context.Context, id uint64) {
	var failing time.Time
	for ctx.Err() == nil {
		x := m.n.cluster.Topology().Move(id)
		if x == nil {
			return
		}
		err := sqlerr.Guard(func() error { return m.step(ctx, *x) })
		switch {
		case err == nil, cluster.MoveElsewhere(err):
			failing = time.Time{}
			continue
		case ctx.Err() != nil:
			return
		}
		m.n.log.Warn("moving rows between shards", "move", id, "state", x.State, "error", err)
		now := m.n.cfg.Clock.Now()
		if failing.IsZero() {
			failing = now
		}
		if hopeless(err) || now.Sub(failing) >= movePatience {
			if _, err := m.n.cluster.Meta().CancelMoves(ctx, err.Error(), id); err == nil {
				continue // what has been switched goes on
			}
		}
		if m.n.cfg.Clock.Sleep(ctx, moveRetry) != nil {
			return
		}
	}
}

// hopeless reports whether another attempt would end in the same way.
func hopeless(err error) bool {
	return sqlerr.Is(err, sqlerr.UnknownTable) || sqlerr.Is(err, sqlerr.NotEnoughSpace) || sqlerr.Is(err, sqlerr.NotImplemented)
}

// before tells a test that a step comes.
func (m *mover) before(x *cluster.Move, what string) {
	if m.n.cfg.onMove != nil {
		m.n.cfg.onMove(m.n.cluster.Name(), x.ID, what)
	}
}

// step does what is due in the state of a move. Each part of it may have been done before.
func (m *mover) step(ctx context.Context, x cluster.Move) error {
	meta := m.n.cluster.Meta()
	switch x.State {
	case cluster.MovePlanned:
		m.before(&x, "pause")
		_, err := meta.StepMove(ctx, x.ID, x.State, cluster.MovePausing, nil)
		return err
	case cluster.MovePausing:
		if err := m.pause(ctx, x.Table); err != nil {
			return err
		}
		m.before(&x, "copy")
		_, err := meta.StepMove(ctx, x.ID, x.State, cluster.MoveCopying, nil)
		return err
	case cluster.MoveCopying:
		return m.copy(ctx, &x)
	case cluster.MoveSwitched:
		if err := m.n.cfg.Clock.Sleep(ctx, moveGrace); err != nil {
			return err
		}
		m.before(&x, "leave")
		from, err := m.n.cluster.Writer(x.From).LeaveMove(ctx, &x, x.Switched)
		if err != nil {
			return err
		}
		m.before(&x, "stay")
		to, err := m.n.cluster.Writer(x.To).StayMove(ctx, &x, x.Switched)
		if err != nil {
			return err
		}
		m.before(&x, "end")
		return meta.EndMove(ctx, x.ID, from, to)
	case cluster.MoveCancelled:
		m.before(&x, "undo")
		to, err := m.n.cluster.Writer(x.To).LeaveMove(ctx, &x, 0)
		if err != nil {
			return err
		}
		from, err := m.n.cluster.Writer(x.From).StayMove(ctx, &x, 0)
		if err != nil {
			return err
		}
		return meta.EndMove(ctx, x.ID, from, to)
	}
	return sqlerr.New(sqlerr.LogicalError, "Move %d is in state %q", x.ID, x.State)
}

// pause waits until nothing is under way any more that changes all rows of the table.
func (m *mover) pause(ctx context.Context, table catalog.TableID) error {
	top := m.n.cluster.Topology()
	q := pauseRequest{Table: table, Topology: top.Version}
	errs := make(chan error, len(top.Nodes))
	for _, node := range top.Nodes {
		go func() { errs <- m.pauseNode(ctx, node.Name, q) }()
	}
	var err error
	for range top.Nodes {
		err = errors.Join(err, <-errs)
	}
	return err
}

// pauseNode asks a node until it has paused; one that cannot be reached is given up after a while.
func (m *mover) pauseNode(ctx context.Context, node string, q pauseRequest) error {
	clk := m.n.cfg.Clock
	for start := clk.Now(); ; {
		err := sqlerr.Guard(func() error { return m.n.pauseOn(ctx, node, q) })
		switch {
		case err == nil:
			return nil
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case clk.Since(start) >= pausePatience:
			if errors.Is(err, rpc.ErrUnreachable) || sqlerr.Is(err, sqlerr.NetworkError) {
				m.n.log.Warn("moving rows without waiting for what a node does that cannot be reached", "node", node, "error", err)
				return nil
			}
			return err
		}
		if err := clk.Sleep(ctx, moveRetry); err != nil {
			return err
		}
	}
}

// copy freezes the segments at the source, brings them to the target, and lets them be read there.
func (m *mover) copy(ctx context.Context, x *cluster.Move) error {
	meta, version := m.n.cluster.Meta(), m.n.cluster.Topology().Version
	if meta.Catalog().ByID(x.Table) == nil {
		return sqlerr.New(sqlerr.UnknownTable, "Table %d does not exist any more", x.Table)
	}
	m.before(x, "freeze")
	a, err := m.n.do(ctx, &shardRequest{Shard: x.From, Op: opFreeze, Table: x.Table, Move: x, Topology: version})
	if err != nil {
		return err
	}
	f := a.Frozen
	if f == nil || len(f.Segments) == 0 {
		return meta.EndMove(ctx, x.ID, 0, 0)
	}
	if x.Segments == 0 {
		if _, err := meta.StepMove(ctx, x.ID, x.State, x.State, func(x *cluster.Move) {
			x.Segments, x.Rows, x.Bytes = len(f.Segments), 0, 0
			for _, s := range f.Segments {
				x.Rows, x.Bytes = x.Rows+s.Rows, x.Bytes+s.Bytes
			}
		}); err != nil {
			return err
		}
	}
	m.before(x, "arrive")
	b, err := m.n.do(ctx, &shardRequest{Shard: x.To, Op: opArrive, Table: x.Table, Catalog: f.Schema, Move: x, Segments: f.Segments, Topology: version})
	if err != nil {
		return err
	}
	m.before(x, "switch")
	_, err = meta.SwitchMove(ctx, x.ID, f.Index, b.Index)
	return err
}
