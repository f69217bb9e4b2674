package query

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/olapd/olapd/internal/clock"
	"github.com/olapd/olapd/internal/mem"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/query/ast"
	"github.com/olapd/olapd/query/settings"
	"github.com/olapd/olapd/query/virtual"
)

// defaultMaxQueries is how many queries run at once: more only wait for each other on any machine of today.
const defaultMaxQueries = 1000

// running is one query from Execute to Close: its context, memory and counters.
type running struct {
	id, text, kind string
	user, database string
	client         Client
	set            *settings.Values
	started        time.Time
	clk            clock.Clock
	budget         *mem.Budget
	cancel         context.CancelCauseFunc
	done           chan struct{} // closed when it has ended
	onProgress     func(Progress)

	readRows, readBytes, totalRows atomic.Uint64
	writtenRows, writtenBytes      atomic.Uint64
	resultRows, resultBytes        atomic.Uint64
	netSent, netReceived           atomic.Uint64 // between nodes, when the query has ended
	cancelled                      atomic.Bool
	lastReport                     atomic.Int64
	tables                         []string
	quota                          *account
}

// reportEvery is the least time between two reports of progress.
const reportEvery = 20 * time.Millisecond

func (q *running) progress() Progress {
	return Progress{
		ReadRows: q.readRows.Load(), ReadBytes: q.readBytes.Load(), TotalRows: q.totalRows.Load(),
		WrittenRows: q.writtenRows.Load(), WrittenBytes: q.writtenBytes.Load(),
		ResultRows: q.resultRows.Load(), ResultBytes: q.resultBytes.Load(),
		ElapsedNanos: uint64(max(q.clk.Since(q.started), 0)), PeakMemory: q.budget.Peak(),
	}
}

// report tells the client of progress, now and then.
func (q *running) report() {
	if q.onProgress == nil {
		return
	}
	now, last := int64(q.clk.Since(q.started)), q.lastReport.Load()
	if now-last < int64(reportEvery) || !q.lastReport.CompareAndSwap(last, now) {
		return
	}
	q.onProgress(q.progress())
}

func (q *running) countRead(rows, bytes int64) {
	q.readRows.Add(uint64(rows))
	q.readBytes.Add(uint64(bytes))
	if q.quota != nil {
		if err := q.quota.add(map[string]uint64{"read_rows": uint64(rows), "read_bytes": uint64(bytes)}); err != nil {
			q.stop(err)
		}
	}
	q.report()
}

// countPlanned hears of rows that a scan is about to read.
func (q *running) countPlanned(rows int64) { q.totalRows.Add(uint64(rows)) }

// takes is what a query takes of its quota as it begins.
func takes(kind string) map[string]uint64 {
	t := map[string]uint64{"queries": 1}
	switch kind {
	case "Select":
		t["query_selects"] = 1
	case "Insert":
		t["query_inserts"] = 1
	}
	return t
}

// settle counts what the query took; that it was too much ends the user's next one.
func (q *running) settle(err error) {
	if q.quota == nil {
		return
	}
	t := map[string]uint64{"result_rows": q.resultRows.Load(), "result_bytes": q.resultBytes.Load(), "written_bytes": q.writtenBytes.Load(),
		"execution_time": uint64(max(q.clk.Since(q.started), 0))}
	if err != nil {
		t["errors"] = 1
	}
	_ = q.quota.add(t) // the query is over
}

// stop cancels the query.
func (q *running) stop(why error) {
	q.cancelled.Store(true)
	q.cancel(why)
}

func (q *running) info() virtual.Process {
	p := q.progress()
	return virtual.Process{
		QueryID: q.id, Query: q.text, User: q.user, Database: q.database, Kind: q.kind,
		Address: q.client.Address, Interface: q.client.Interface, ClientName: q.client.Name,
		UserAgent: q.client.UserAgent, HTTPMethod: q.client.HTTPMethod, Secure: q.client.Secure,
		Started: q.started, Elapsed: time.Duration(p.ElapsedNanos), Cancelled: q.cancelled.Load(),
		ReadRows: p.ReadRows, ReadBytes: p.ReadBytes, TotalRows: p.TotalRows,
		WrittenRows: p.WrittenRows, WrittenBytes: p.WrittenBytes,
		MemoryUsage: q.budget.Used(), PeakMemory: p.PeakMemory,
		Threads: threads(q.set), Settings: shownSettings(q.set),
	}
}

// shownSettings are the settings that were changed, without the passwords in them.
func shownSettings(set *settings.Values) map[string]string {
	out := set.Changed()
	for name, v := range out {
		out[name] = ast.ShownSetting(name, v)
	}
	return out
}

// processes is the list of running queries.
type processes struct {
	max int
	mu  struct {
		sync.Mutex
		byID map[string]*running
	}
}

func killed() error { return sqlerr.New(sqlerr.QueryWasCancelled, "Query was cancelled") }

// add enters a query: TooManySimultaneousQueries, QueryWithSameIDIsAlreadyRunning. With replace_running_query the
// running one of the same id is cancelled and waited for.
func (p *processes) add(ctx context.Context, q *running) error {
	for {
		old, err := p.tryAdd(q)
		if err != nil || old == nil {
			return err
		}
		old.stop(killed())
		select {
		case <-old.done:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

func (p *processes) tryAdd(q *running) (*running, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if old := p.mu.byID[q.id]; old != nil {
		if settings.ReplaceRunning.Of(q.set) && old.user == q.user {
			return old, nil
		}
		return nil, sqlerr.New(sqlerr.QueryWithSameIDIsAlreadyRunning, "Query with id = %s is already running", q.id)
	}
	if len(p.mu.byID) >= p.max {
		return nil, tooMany(len(p.mu.byID), p.max)
	}
	if n := settings.MaxConcurrentAll.Of(q.set); n > 0 && uint64(len(p.mu.byID)) >= n {
		return nil, tooMany(len(p.mu.byID), int(n))
	}
	if n := settings.MaxConcurrentUser.Of(q.set); n > 0 {
		own := uint64(0)
		for _, o := range p.mu.byID {
			if o.user == q.user {
				own++
			}
		}
		if own >= n {
			return nil, sqlerr.New(sqlerr.TooManySimultaneousQueries, "Too many simultaneous queries for user %s. Current: %d, maximum: %d", q.user, own, n)
		}
	}
	p.mu.byID[q.id] = q
	return nil, nil
}

// enter adds a part of another node's query, which was counted there.
func (p *processes) enter(q *running) {
	p.mu.Lock()
	p.mu.byID[q.id] = q
	p.mu.Unlock()
}

func tooMany(now, limit int) error {
	return sqlerr.New(sqlerr.TooManySimultaneousQueries, "Too many simultaneous queries. Current: %d, maximum: %d", now, limit)
}

func (p *processes) remove(q *running) {
	p.mu.Lock()
	delete(p.mu.byID, q.id)
	p.mu.Unlock()
	close(q.done)
}

func (p *processes) find(id string) *running {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.mu.byID[id]
}

func (p *processes) list() []virtual.Process {
	p.mu.Lock()
	all := make([]*running, 0, len(p.mu.byID))
	for _, q := range p.mu.byID {
		all = append(all, q)
	}
	p.mu.Unlock()
	out := make([]virtual.Process, len(all))
	for i, q := range all {
		out[i] = q.info()
	}
	return out
}
