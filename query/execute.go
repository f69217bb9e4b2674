package query

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"maps"
	"strings"

	"github.com/olapd/olapd/internal/access"
	"github.com/olapd/olapd/internal/catalog"
	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/function"
	"github.com/olapd/olapd/internal/mem"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/internal/types"
	"github.com/olapd/olapd/query/ast"
	"github.com/olapd/olapd/query/exec/spill"
	"github.com/olapd/olapd/query/fragment"
	"github.com/olapd/olapd/query/parse"
	"github.com/olapd/olapd/query/settings"
	"github.com/olapd/olapd/query/virtual"
)

// statement is one statement on its way from text to result.
type statement struct {
	s    *Session
	e    *Engine
	in   Query
	ctx  context.Context
	q    *running
	set  *settings.Values
	text string
	ast  ast.Statement
	data *dataTail // of an INSERT
	// inserts are the columns that an INSERT into a table names; inputRead says that the function input was opened.
	inserts   column.Schema
	inputRead bool
	db        string
	cat       *catalog.Catalog
	env       *function.Env
	src       *virtual.Source
	// store is the snapshot its reads share; nil until the first.
	store *virtual.Storage
	// spread is its view of other nodes; nil until it is asked for, and on a node alone.
	spread *fragment.Query
	temp   *spill.Area
	// stops are called by Close, last first.
	stops []func()
	// closing makes close happen once.
	closed bool
	// access is what the user may do, at the instant the statement began.
	access *access.Enabled
}

// Execute parses a statement and makes it ready: see Result for what has run then. The context holds for all of the
// statement, until the Result is closed; its end cancels it. On error there is nothing to close.
func (s *Session) Execute(ctx context.Context, q Query) (*Result, error) {
	x, err := s.begin(ctx, q)
	if err != nil {
		return nil, err
	}
	r := &Result{QueryID: x.q.id, Kind: x.q.kind, Settings: x.set, x: x, q: x.q, opts: x.formatOptions(q.Revision)}
	if err := sqlerr.Guard(func() error {
		if err := x.holdTables(); err != nil {
			return err
		}
		return x.dispatch(r)
	}); err != nil {
		err = x.cause(err)
		x.close(err, false)
		return nil, err
	}
	x.logStart()
	return r, nil
}

// begin parses the text, joins the settings and enters the query in the list.
func (s *Session) begin(ctx context.Context, q Query) (*statement, error) {
	x := &statement{s: s, e: s.e, in: q}
	s.mu.Lock()
	x.set, x.db = s.mu.set.Clone(), s.mu.database
	s.mu.Unlock()
	if q.Database != "" {
		x.db = q.Database
	}
	en, err := s.enabled()
	if err == nil {
		x.access = en
		err = x.prepare()
	}
	if err == nil {
		err = x.enter(ctx)
	}
	if err != nil {
		x.logRefused(err)
		return nil, err
	}
	return x, nil
}

// prepare joins the settings and parses.
func (x *statement) prepare() error {
	if x.in.ReadOnly {
		x.set.ForceReadOnly()
	}
	if err := x.set.SetAll(x.in.Settings); err != nil {
		return err
	}
	if err := x.parse(); err != nil {
		return err
	}
	return x.ownSettings()
}

func (x *statement) limits() parse.Limits {
	return parse.Limits{
		QuerySize: int(settings.MaxQuerySize.Int(x.set)), Depth: int(settings.MaxParserDepth.Int(x.set)),
		Elements: int(settings.MaxASTElements.Int(x.set)),
	}
}

// enter puts the query into the list of running ones and makes its context.
func (x *statement) enter(ctx context.Context) error {
	id := x.in.ID
	if id == "" {
		id = newID()
	}
	client := x.s.o.Client
	if x.in.Client != nil {
		client = *x.in.Client
	}
	clk := x.e.deps.Clock
	q := &running{
		id: id, text: x.shownText(), kind: kindOf(x.ast), user: x.s.o.User, database: x.db, client: client, set: x.set,
		started: clk.Now(), clk: clk, done: make(chan struct{}), onProgress: x.in.Progress,
	}
	var ended func()
	q.budget, ended = x.e.deps.Budget.Limited("for query", settings.MaxMemoryUsage.Int(x.set))
	x.q = q
	x.ctx, q.cancel = context.WithCancelCause(ctx)
	q.quota = x.e.quotas.account(x.access, client.Address, clk.Now)
	err := q.quota.add(takes(q.kind))
	if err == nil {
		err = x.e.procs.add(ctx, q)
	}
	if err != nil {
		q.cancel(nil)
		ended()
		return err
	}
	x.stops = append(x.stops, ended)
	if x.in.Watch != nil {
		x.in.Watch(q.progress)
	}
	x.deadline()
	x.cat = x.s.temps.over(x.e.deps.Catalog.Catalog())
	x.env = x.newEnv()
	x.env.Dictionaries = x.dictionaries()
	x.src = &virtual.Source{
		Providers: x.e.deps.Providers, Catalog: x.cat, Settings: x.set, Database: x.db, User: q.user, Now: x.env.Now,
		Access: x.access, Zone: x.env.Zone, Server: x.e.deps.Server, Host: x.e.deps.Host,
		Files: x.e.deps.Files, Remote: x.e.deps.Remote, Schemas: x.e.deps.Schemas, Spool: x.e.deps.Scratch, Threads: threads(x.set),
	}
	return nil
}

// deadline ends the query after max_execution_time.
func (x *statement) deadline() {
	d := settings.MaxExecutionTime.Of(x.set)
	if d <= 0 {
		return
	}
	t, ended := x.q.clk.NewTimer(d), make(chan struct{})
	go func() {
		defer close(ended)
		select {
		case <-t.C():
			x.q.cancel(&sqlerr.Error{Code: sqlerr.TimeoutExceeded, Pos: -1, Cause: context.DeadlineExceeded,
				Msg: fmt.Sprintf("Timeout exceeded: the query ran longer than max_execution_time = %v", d)})
		case <-x.ctx.Done():
		}
	}()
	x.stops = append(x.stops, func() {
		t.Stop()
		<-ended
	})
}

func newID() string {
	var b [16]byte
	rand.Read(b[:]) // never fails
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// roles are those of the statement's user.
func (x *statement) roles() function.Roles {
	if x.access == nil {
		return function.Roles{}
	}
	r := function.Roles{Current: x.access.Current, Enabled: x.access.Roles}
	for _, g := range x.access.User.Roles {
		if x.access.User.DefaultRoles.Has(g.Role) {
			r.Default = append(r.Default, g.Role)
		}
	}
	return r
}

func (x *statement) newEnv() *function.Env {
	d := &x.e.deps
	zone := d.Zone
	if name := settings.SessionZone.Of(x.set); name != "" {
		if z, err := types.LoadZone(name); err == nil {
			zone = z
		}
	}
	return &function.Env{
		Ctx: x.ctx, Now: x.q.started, Zone: zone, Database: x.db, User: x.q.user, Roles: x.roles(), QueryID: x.q.id, Host: d.Host, Budget: x.q.budget,
		Setting: x.set.Get, TextSetting: x.set.IsText, Server: d.Server,
	}
}

// cause replaces the error of a cancelled context by what cancelled it.
func (x *statement) cause(err error) error {
	if err != nil && x.ctx.Err() != nil && (errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)) {
		err = context.Cause(x.ctx)
	}
	var e *sqlerr.Error
	if err == nil || errors.As(err, &e) {
		return err
	}
	return sqlerr.Wrap(err, sqlerr.CodeOf(err), "%s", "DB::Exception")
}

// close ends the statement. started says that rows were being made.
func (x *statement) close(err error, started bool) {
	if x.closed {
		return
	}
	x.closed = true
	if x.store != nil {
		x.store.Close()
	}
	if x.spread != nil {
		x.spread.Close()
		t := x.spread.Traffic()
		x.q.netSent.Store(uint64(t.Sent.Load()))
		x.q.netReceived.Store(uint64(t.Received.Load()))
	}
	if terr := x.temp.Close(); terr != nil {
		x.e.deps.Logger.Warn("temporary files of a query stay until the next start", "query_id", x.q.id, "error", terr)
	}
	x.q.cancel(nil)
	for i := len(x.stops) - 1; i >= 0; i-- {
		x.stops[i]()
	}
	x.q.settle(err)
	x.logEnd(err, started)
	x.e.procs.remove(x.q)
}

func (x *statement) logEnd(err error, started bool) {
	entry := virtual.QueryLogEntry{Process: x.q.info(), Type: virtual.QueryFinish, Time: x.q.clk.Now()}
	entry.ResultRows, entry.ResultBytes = x.q.resultRows.Load(), x.q.resultBytes.Load()
	entry.Tables, entry.Databases = tableNames(x.ast, x.db)
	entry.Events, entry.Used = x.q.profileEvents(), used(x.ast)
	x.e.log.countEvents(entry.Events, x.q.kind, err != nil)
	entry.NormalizedHash = normalizedHash(entry.Query)
	if settings.LogFormatted.Of(x.set) {
		entry.Formatted = formatted(x.ast)
	}
	if missing := x.missing(); len(missing) > 0 {
		entry.Settings["missing_shards"] = strings.Join(missing, ",")
	}
	x.record(entry, err, started)
}

// logStart records that a query was accepted: it runs from now on, or, without rows to return, has run.
func (x *statement) logStart() {
	entry := virtual.QueryLogEntry{Process: x.q.info(), Type: virtual.QueryStart, Time: x.q.started, NormalizedHash: normalizedHash(x.q.text)}
	entry.Tables, entry.Databases = tableNames(x.ast, x.db)
	entry.Elapsed = 0
	x.record(entry, nil, false)
}

// logRefused records a query that was not entered.
func (x *statement) logRefused(err error) {
	now := x.e.deps.Clock.Now()
	client := x.s.o.Client
	if x.in.Client != nil {
		client = *x.in.Client
	}
	text := x.shownText()
	x.record(virtual.QueryLogEntry{Type: virtual.ExceptionBeforeStart, Time: now, NormalizedHash: normalizedHash(text), Process: virtual.Process{
		QueryID: x.in.ID, Query: text, User: x.s.o.User, Database: x.db, Started: now, Settings: shownSettings(x.set), Kind: kindOf(x.ast),
		Address: client.Address, Interface: client.Interface, ClientName: client.Name, UserAgent: client.UserAgent, HTTPMethod: client.HTTPMethod, Secure: client.Secure,
	}}, err, false)
}

func (x *statement) record(e virtual.QueryLogEntry, err error, started bool) {
	if err != nil {
		e.Type = virtual.ExceptionBeforeStart
		if started {
			e.Type = virtual.ExceptionWhileProcessing
		}
		e.ExceptionCode, e.Exception = int32(sqlerr.CodeOf(err)), scrub(x.ast, err.Error())
		if x.ast == nil && ast.MayHide(x.in.Text+x.text) { // what it quotes may be a secret
			e.Exception = "Syntax error"
		}
		x.e.log.countError(sqlerr.CodeOf(err), e.Exception, e.Time)
	}
	if settings.LogQueries.Of(x.set) {
		e.LogComment = settings.LogComment.Of(x.set)
		x.e.log.add(e)
	}
}

// shownText is the statement without an INSERT's data, bounded for listings.
func (x *statement) shownText() string {
	t := x.text
	if x.text == "" {
		t = x.in.Text
	}
	if i, ok := x.ast.(*ast.Insert); ok && i.DataStart >= 0 && i.DataStart <= len(t) {
		t = t[:i.DataStart]
	}
	t = withoutSecrets(x.ast, t)
	return strings.Clone(strings.TrimSpace(t[:min(len(t), maxLogText)]))
}

// newBudget is a child of the query's memory, for a part of it.
func (x *statement) newBudget(name string) *mem.Budget { return x.q.budget.Child(name, 0) }

// params are the query's parameters.
func (x *statement) params() map[string]string { return maps.Clone(x.in.Params) }

// Run makes the rows and calls emit with each block, in order, from this goroutine; a LowCardinality column's vector may be a dictionary.
// It is called at most once, and does nothing for a statement without rows.
func (r *Result) Run(emit func(*column.Block) error) error {
	if r.produce == nil || r.x.closed {
		return nil
	}
	err := sqlerr.Guard(func() error {
		return r.produce(r.x.ctx, func(b *column.Block) error {
			r.q.resultRows.Add(uint64(b.N))
			r.q.resultBytes.Add(uint64(b.Bytes()))
			return emit(b)
		})
	})
	err = r.x.cause(err)
	if sqlerr.Is(err, sqlerr.TimeoutExceeded) && settings.TimeoutMode.Of(r.Settings) == "break" {
		err = nil
	}
	r.err, r.ran = err, true
	return err
}

// Close ends the statement: what it holds is released, and it is logged. It may be called before Run has been; calling it again does nothing.
func (r *Result) Close() { r.x.close(r.err, r.ran) }
