package query

import (
	"context"
	"strconv"
	"strings"

	"github.com/olapd/olapd/internal/catalog"
	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/feature"
	"github.com/olapd/olapd/internal/function"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/internal/types"
	"github.com/olapd/olapd/query/build"
	"github.com/olapd/olapd/query/exec"
	"github.com/olapd/olapd/query/exec/spill"
	"github.com/olapd/olapd/query/fragment"
	"github.com/olapd/olapd/query/plan"
	"github.com/olapd/olapd/query/settings"
)

// remote is the statement's view of the other nodes; nil on a node alone.
func (x *statement) remote() (*fragment.Query, error) {
	c := x.e.remote
	if c == nil || x.spread != nil {
		return x.spread, nil
	}
	v := x.set
	after, err := readAfter(settings.ReadAfter.Of(v))
	if err != nil {
		return nil, err
	}
	t := fragment.Template{
		Query: x.q.id, User: x.q.user, Database: x.db, Now: x.env.Now, Zone: x.env.Zone.String(), Settings: v.Declared(), Catalog: x.cat.Version,
		After: after, Strong: settings.SequentialConsistency.Of(v) != 0, SkipUnavailable: settings.SkipUnavailable.Of(v),
	}
	if settings.UseHedged.Of(v) {
		t.Hedge = settings.HedgedAfter.Of(v)
	}
	x.spread = c.Open(x.ctx, t)
	return x.spread, nil
}

// readAfter reads the setting read_after_index: shard:index, …
func readAfter(text string) (map[uint64]uint64, error) {
	out := map[uint64]uint64{}
	for part := range strings.SplitSeq(text, ",") {
		if part = strings.TrimSpace(part); part == "" {
			continue
		}
		shard, index, _ := strings.Cut(part, ":")
		s, err := strconv.ParseUint(strings.TrimSpace(shard), 10, 64)
		if err == nil {
			out[s], err = strconv.ParseUint(strings.TrimSpace(index), 10, 64)
		}
		if err != nil {
			return nil, sqlerr.New(sqlerr.BadArguments, "Setting read_after_index is not a list of shard:index: %s", text)
		}
	}
	return out, nil
}

// cut is a plan as it runs here, and what runs its fragments elsewhere: nil where all rows are here.
func (x *statement) cut(n plan.Node) (plan.Node, exec.Remotes, error) {
	q, err := x.remote()
	if err != nil || q == nil || q.Alone() {
		return n, nil, err
	}
	at := fragment.Placement{Key: x.shardingKey, Shards: func(n *plan.Scan) []uint64 { return x.shardsOf(n, q.SpreadOf(n.Table.Catalog())) }, Spread: q.SpreadOf, Bytes: x.bytesOf,
		Joins: fragment.Joins{Large: settings.MaxBroadcast.Int(x.set)}, Groups: fragment.Groups{Many: settings.ManyGroups.Int(x.set), Estimate: x.groupsOf}}
	switch settings.DistributedJoin.Of(x.set) {
	case "broadcast":
		at.Joins.Never = true
	case "shuffle":
		at.Joins.Always = true
	}
	switch distributed := settings.DistributedGroups.Of(x.set); {
	case distributed == "merge", settings.MaxRowsToGroupBy.Of(x.set) > 0, !q.Has(feature.ShuffledGroups): // the limit is one of all groups
		at.Groups.Never = true
	case distributed == "shuffle":
		at.Groups.Always = true
	}
	return fragment.Cut(n, at), q, nil
}

// snapshot pins the stored tables' rows that this node reads.
func (x *statement) snapshot(ctx context.Context) (exec.Storage, error) {
	q, err := x.remote()
	if err != nil {
		return nil, err
	}
	if q == nil {
		return x.e.deps.Store.Snapshot(ctx)
	}
	return q.Storage(ctx)
}

// pin pins the stored tables' rows now, here and elsewhere, so that what is read later is of this instant.
func (x *statement) pin() error {
	q, err := x.remote()
	if err == nil && q != nil {
		err = q.Pin(x.ctx)
	}
	if err != nil {
		return err
	}
	return x.storage().Pin(x.ctx)
}

// MissingShards are the shards that are not in the answer, complete after Run: see the setting skip_unavailable_shards.
func (r *Result) MissingShards() []string { return r.x.missing() }

func (x *statement) missing() []string {
	if x.spread == nil {
		return nil
	}
	return x.spread.Missing()
}

// RunFragment implements fragment.Runner: it runs a part of another node's query, with that query's settings and this node's memory.
func (e *Engine) RunFragment(ctx context.Context, t *fragment.Task) error {
	set := e.base.Clone()
	if err := set.SetAll(t.Settings); err != nil {
		return err
	}
	ctx, cancel := context.WithCancelCause(ctx)
	q := &running{
		id: newID(), text: "Fragment of query " + t.Query + " of " + t.From, kind: "Select", user: t.User, database: t.Database, set: set,
		started: e.deps.Clock.Now(), clk: e.deps.Clock, cancel: cancel, done: make(chan struct{}),
	}
	var ended func()
	q.budget, ended = e.deps.Budget.Limited("for query", settings.MaxMemoryUsage.Int(set))
	defer ended()
	e.procs.enter(q)
	defer e.procs.remove(q)
	defer cancel(nil)
	f := &fragmentRun{e: e, t: t, q: q}
	defer f.close()
	err := f.run(ctx)
	if err != nil && ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}

// Shuffles implements fragment.Runner.
func (e *Engine) Shuffles() *fragment.Shuffles { return e.shuffles }

// fragmentRun is one task being run.
type fragmentRun struct {
	e    *Engine
	t    *fragment.Task
	q    *running
	env  *function.Env
	temp *spill.Area
	held int64
}

func (f *fragmentRun) close() {
	f.q.budget.Release(f.held)
	if err := f.temp.Close(); err != nil {
		f.e.deps.Logger.Warn("temporary files of a fragment stay until the next start", "query_id", f.t.Query, "error", err)
	}
}

func (f *fragmentRun) run(ctx context.Context) error {
	zone, err := types.LoadZone(f.t.Zone)
	if err != nil {
		return err
	}
	d := &f.e.deps
	f.env = &function.Env{Ctx: ctx, Now: f.t.Now, Zone: zone, Database: f.t.Database, User: f.t.User, QueryID: f.t.Query, Host: d.Host, Budget: f.q.budget, Setting: f.q.set.Get, TextSetting: f.q.set.IsText, Server: d.Server,
		Dictionaries: &dictionaries{e: f.e, ctx: ctx, catalog: d.Catalog.Catalog, db: f.t.Database, budget: f.q.budget}}
	given, err := f.broadcasts()
	if err != nil {
		return err
	}
	n, err := fragment.Decode(f.t.Plan, fragment.Source{Env: f.env, Table: f.table, Broadcasts: given})
	if err != nil {
		return err
	}
	o := f.e.execOptions(f.q)
	if d.Temp != nil {
		f.temp = d.Temp.Area(settings.MaxTempQuery.Int(f.q.set))
		o.Temp = f.temp
	}
	o.Limits.ResultRows, o.Limits.ResultBytes = 0, 0 // of the whole query
	o.Progress = func(rows, bytes int64) {
		f.q.countRead(rows, bytes)
		f.t.Read(rows, bytes)
	}
	o.Planned = f.t.Planned
	p, err := build.Build(ctx, n, build.Options{Storage: f.t.Storage, Env: f.env, Columns: f.t.Columns, Peers: f.t.Peers, Choice: f.t.Choice, Options: o})
	if err != nil {
		return err
	}
	if err := p.Run(ctx, f.t.Emit); err != nil {
		return err
	}
	return f.t.Report(exec.RemoteReport{Lines: p.Explain(), Sorted: p.Sorted()})
}

// table finds a table for the fragment.
func (f *fragmentRun) table(id catalog.TableID) (plan.Table, error) {
	t := f.e.deps.Catalog.Catalog().ByID(id)
	if t == nil {
		return nil, sqlerr.New(sqlerr.UnknownTable, "Table %d does not exist any more", id)
	}
	return plan.NewTable(t)
}

// broadcasts receives the rows that travel with the fragment, into the query's memory.
func (f *fragmentRun) broadcasts() ([]*column.Block, error) {
	out := make([]*column.Block, f.t.Broadcasts)
	for {
		i, b, err := f.t.Rows()
		if err != nil || b == nil {
			return out, err
		}
		n := b.Bytes()
		if err := f.q.budget.Reserve(n); err != nil {
			return nil, err
		}
		f.held += n
		if out[i], err = joined(out[i], b); err != nil {
			return nil, err
		}
	}
}

// joined adds rows to others of the same columns, which may be none yet.
func joined(to, b *column.Block) (*column.Block, error) {
	if to == nil {
		to = &column.Block{}
		for _, c := range b.Cols {
			to.Cols = append(to.Cols, column.New(c.Type(), b.N))
		}
	}
	if len(to.Cols) != len(b.Cols) {
		return nil, sqlerr.New(sqlerr.CorruptedData, "Rows of %d and of %d columns for one Broadcast", len(to.Cols), len(b.Cols))
	}
	for i, c := range b.Cols {
		if !c.Type().Equal(to.Cols[i].Type()) {
			return nil, sqlerr.New(sqlerr.CorruptedData, "Rows of %s and of %s for one Broadcast", to.Cols[i].Type(), c.Type())
		}
		to.Cols[i].(column.Builder).AppendRange(c, 0, b.N)
	}
	to.N += b.N
	return to, nil
}
