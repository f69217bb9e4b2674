package query

import (
	"context"
	"strconv"
	"time"

	"github.com/olapd/olapd/internal/catalog"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/query/ast"
	"github.com/olapd/olapd/query/insert"
	"github.com/olapd/olapd/query/virtual"
)

// refreshPoll is how often SYSTEM WAIT VIEW looks whether a refresh has ended.
const refreshPoll = 50 * time.Millisecond

// Refresh reads the SELECT of a refreshable view with the rights and settings of its definer, and writes the rows into a table: that of the attempt, or
// the view's target, whose rows are then added once, however often the attempt for the same refresh is repeated.
func (e *Engine) Refresh(ctx context.Context, view, into *catalog.Table) (catalog.RefreshOutcome, error) {
	r := view.Refresh
	s, err := e.NewSession(SessionOptions{User: r.Definer, Database: view.Database, Client: Client{Address: "127.0.0.1:0", Interface: "Refresh", Name: "refresh of " + view.FullName()}})
	if err != nil {
		return catalog.RefreshOutcome{}, err
	}
	x, err := s.begin(ctx, Query{Text: view.Select, ID: virtual.RefreshID(view)})
	if err != nil {
		return catalog.RefreshOutcome{}, placeless(err)
	}
	var o InsertOptions
	if r.Append {
		o.Token = "refresh " + view.UUID + " " + strconv.FormatUint(r.Done+1, 10)
	}
	err = x.cause(sqlerr.Guard(func() error { return x.refreshInto(view, into, o) }))
	if e, ok := placeless(err).(*sqlerr.Error); ok { // it is shown to all who may see the view
		n := *e
		n.Msg = scrub(x.ast, e.Msg)
		err = &n
	}
	p := x.q.progress()
	x.close(err, true)
	return catalog.RefreshOutcome{ReadRows: p.ReadRows, ReadBytes: p.ReadBytes, WrittenRows: p.WrittenRows, WrittenBytes: p.WrittenBytes}, placeless(err)
}

func (x *statement) refreshInto(view, into *catalog.Table, opts InsertOptions) error {
	q, ok := x.ast.(*ast.SelectUnion)
	if !ok {
		return sqlerr.New(sqlerr.IncorrectQuery, "View %s is not a SELECT", view.FullName())
	}
	x.logStart()
	o, err := x.analyzeOptions()
	if err != nil {
		return err
	}
	n, err := x.analyzed(q)
	if err != nil {
		return err
	}
	var names []string
	for _, f := range n.Schema() {
		names = append(names, f.Name)
	}
	target, err := insert.New(x.ctx, into, names, o)
	if err != nil {
		return err
	}
	return x.insertSelect(&Result{Settings: x.set, x: x, q: x.q}, target, q, opts)
}

// refreshCommands are the SYSTEM commands about refreshable views, with what they do to the state of one; nil: it is waited for.
var refreshCommands = map[string]func(*catalog.RefreshState){
	"REFRESH VIEW":         func(s *catalog.RefreshState) { s.Asked = true },
	"WAIT VIEW":            nil,
	"CANCEL VIEW":          cancelRefresh,
	"PAUSE VIEW":           func(s *catalog.RefreshState) { s.Stopped = true },
	"STOP VIEW":            stopRefresh,
	"START VIEW":           startRefresh,
	"STOP REPLICATED VIEW": stopRefresh, "START REPLICATED VIEW": startRefresh,
	"PAUSE VIEWS": func(s *catalog.RefreshState) { s.Stopped = true }, "STOP VIEWS": stopRefresh, "START VIEWS": startRefresh,
}

func startRefresh(s *catalog.RefreshState) { s.Stopped = false }

func stopRefresh(s *catalog.RefreshState) {
	s.Stopped = true
	cancelRefresh(s)
}

// cancelRefresh ends the attempt that runs and those that would follow it before the next time of the schedule.
func cancelRefresh(s *catalog.RefreshState) {
	s.Retry, s.Asked = 0, false
	if s.Run != nil {
		run := *s.Run
		run.Cancelled = true
		s.Run = &run
	}
}

// systemView runs a SYSTEM command about refreshable views.
func (x *statement) systemView(s *ast.System, f func(*catalog.RefreshState)) error {
	if s.Table.Table.IsZero() {
		if s.Command[len(s.Command)-1] != 'S' {
			return sqlerr.At(s.Start, sqlerr.SyntaxError, "Syntax error: SYSTEM %s needs the name of a view", s.Command)
		}
		return x.change(func(c *catalog.Catalog) (*catalog.Catalog, error) {
			next := c
			for _, t := range c.Tables("") {
				if t.Refresh == nil {
					continue
				}
				var err error
				if next, err = next.WithRefreshState(t.ID, f); err != nil {
					return nil, err
				}
			}
			return next, nil
		})
	}
	db, name, err := x.table(s.Table)
	if err != nil {
		return err
	}
	find := func(c *catalog.Catalog) (*catalog.Table, error) {
		if t := c.Table(db, name); t != nil && t.Refresh != nil {
			return t, nil
		}
		return nil, sqlerr.At(s.Table.Start, sqlerr.BadArguments, "Refreshable view %s.%s doesn't exist", db, name)
	}
	if f == nil {
		return x.awaitRefresh(find)
	}
	return x.change(func(c *catalog.Catalog) (*catalog.Catalog, error) {
		t, err := find(c)
		if err != nil {
			return nil, err
		}
		return c.WithRefreshState(t.ID, f)
	})
}

// awaitRefresh waits until no refresh of a view runs or is due at once, and fails if the last one has.
func (x *statement) awaitRefresh(find func(*catalog.Catalog) (*catalog.Table, error)) error {
	for {
		c := x.e.deps.Catalog.Catalog()
		t, err := find(c)
		if err != nil {
			return err
		}
		r := t.Refresh
		first := r.Attempts == 0 && !r.Empty && !r.Stopped && t.RefreshBlocked(c) == catalog.Name{}
		if r.Run == nil && !r.Asked && !first && (r.Retry == 0 || r.Stopped) {
			if r.Error != "" {
				return sqlerr.New(sqlerr.RefreshFailed, "Refresh failed: %s", r.Error)
			}
			return nil
		}
		if err := x.q.clk.Sleep(x.ctx, refreshPoll); err != nil {
			return context.Cause(x.ctx)
		}
	}
}
