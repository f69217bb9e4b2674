package node

import (
	"context"
	"crypto/rand"
	"fmt"
	"strings"
	"time"

	"github.com/olapd/olapd/internal/catalog"
	"github.com/olapd/olapd/internal/sqlerr"
)

const (
	// refreshSlots is how many views are refreshed at once: each takes what a query takes.
	refreshSlots = 4
	// refreshTick is how often views are looked at beside changes of the catalog: the leadership may change without one.
	refreshTick = 2 * time.Second
	// refreshErrorBytes bounds the errors that are kept in the catalog.
	refreshErrorBytes = 2000
)

// refresher refreshes views while this node leads the meta group. All that it knows is in the catalog: another leader begins anew what this one leaves, and what
// this one ends then is refused.
type refresher struct {
	n    *Node
	stop context.CancelFunc
	done chan struct{}
}

// start lets the refresher run until close.
func (f *refresher) start() {
	ctx, cancel := context.WithCancel(context.Background())
	f.stop, f.done = cancel, make(chan struct{})
	go func() {
		defer close(f.done)
		tick := f.n.cfg.Clock.NewTicker(refreshTick)
		defer tick.Stop()
		for ctx.Err() == nil {
			if term, leads := f.n.cluster.Meta().Leader(); leads {
				f.lead(ctx, term)
			}
			select {
			case <-tick.C():
			case <-ctx.Done():
			}
		}
	}()
}

func (f *refresher) close() {
	f.stop()
	<-f.done
}

// refreshing is an attempt of this leader. attempt is 0 until it has begun.
type refreshing struct {
	cancel  context.CancelCauseFunc
	attempt chan uint64
	begun   uint64
}

// lead refreshes views as long as this node leads the meta group in a term.
func (f *refresher) lead(ctx context.Context, term uint64) {
	ctx, cancel := context.WithCancel(ctx)
	running, ended := map[catalog.TableID]*refreshing{}, make(chan catalog.TableID)
	defer func() {
		cancel()
		for len(running) > 0 {
			delete(running, <-ended)
		}
	}()
	meta, clk := f.n.cluster.Meta(), f.n.cfg.Clock
	for {
		changed := meta.Changed()
		if now, leads := meta.Leader(); !leads || now != term {
			return
		}
		c, now := meta.Catalog(), clk.Now()
		for id, r := range running {
			r.watch(c.ByID(id))
		}
		wait := refreshTick
		for _, t := range c.Tables("") {
			if t.Refresh == nil || running[t.ID] != nil {
				continue
			}
			f.dropOld(ctx, t, now)
			at := t.NextRefresh()
			if at.IsZero() || len(running) >= refreshSlots || t.RefreshBlocked(c) != (catalog.Name{}) {
				continue
			}
			if at.After(now) {
				wait = min(wait, at.Sub(now))
				continue
			}
			attempt, cancel := context.WithCancelCause(ctx)
			r := &refreshing{cancel: cancel, attempt: make(chan uint64, 1)}
			running[t.ID] = r
			go func() {
				defer cancel(nil)
				f.refresh(ctx, attempt, t, r)
				ended <- t.ID
			}()
		}
		timer := clk.NewTimer(wait)
		select {
		case <-changed:
		case id := <-ended:
			delete(running, id)
		case <-timer.C():
		case <-ctx.Done():
			timer.Stop()
			return
		}
		timer.Stop()
	}
}

// watch ends an attempt that was cancelled, or whose view is gone, hidden, or refreshed by another.
func (r *refreshing) watch(t *catalog.Table) {
	select {
	case r.begun = <-r.attempt:
	default:
	}
	if r.begun == 0 { // it is about to begin
		return
	}
	if t == nil || t.Detached || t.Refresh == nil || t.Refresh.Run == nil || t.Refresh.Run.Attempt != r.begun || t.Refresh.Run.Cancelled {
		r.cancel(sqlerr.New(sqlerr.QueryWasCancelled, "The refresh was cancelled"))
	}
}

// dropOld drops the rows of earlier refreshes when their time is over.
func (f *refresher) dropOld(ctx context.Context, t *catalog.Table, now time.Time) {
	if old := t.Refresh.Old; len(old) == 0 || now.Sub(time.Unix(0, old[0].Since)) < catalog.OldTableGrace {
		return
	}
	_, err := f.n.cluster.Change(ctx, func(c *catalog.Catalog) (*catalog.Catalog, error) { return c.WithoutOldRows(t.ID, now) })
	if err != nil && ctx.Err() == nil {
		f.n.log.Warn("dropping the rows before a refresh", "view", t.FullName(), "error", err)
	}
}

// refresh makes one attempt. ctx ends when the attempt is cancelled, and when lead does: the leadership or the node.
func (f *refresher) refresh(lead, ctx context.Context, t *catalog.Table, r *refreshing) {
	clk, schema := f.n.cfg.Clock, catalogs{f.n}
	c, err := schema.Change(lead, func(c *catalog.Catalog) (*catalog.Catalog, error) {
		return c.WithRefreshBegun(t.ID, f.n.cluster.Name(), newUUID(), clk.Now())
	})
	if err != nil {
		f.refused(lead, t, err)
		return
	}
	view := c.ByID(t.ID)
	if view == nil || view.Refresh == nil || view.Refresh.Run == nil {
		return // it was dropped at once
	}
	run := *view.Refresh.Run
	r.attempt <- run.Attempt
	into := c.ByID(view.Target)
	if run.Table != 0 {
		into = c.ByID(run.Table)
	}
	out, err := catalog.RefreshOutcome{}, error(sqlerr.New(sqlerr.UnknownTable, "The target table of %s does not exist", view.FullName()))
	if into != nil {
		out, err = f.n.engine.Refresh(ctx, view, into)
	}
	if lead.Err() != nil { // the next leader begins anew
		return
	}
	f.end(lead, view, run, out, err)
}

// end commits what an attempt has come to.
func (f *refresher) end(ctx context.Context, view *catalog.Table, run catalog.RefreshRun, out catalog.RefreshOutcome, err error) {
	commit := func(err error) error {
		out.Error = shownError(err)
		_, cerr := catalogs{f.n}.Change(ctx, func(c *catalog.Catalog) (*catalog.Catalog, error) {
			return c.WithRefreshEnded(view.ID, run.Attempt, out, f.n.cfg.Clock.Now())
		})
		return cerr
	}
	cerr := commit(err)
	if cerr != nil && err == nil { // the target was changed meanwhile: the attempt has failed
		cerr = commit(cerr)
	}
	if cerr != nil && !sqlerr.Is(cerr, sqlerr.Aborted) { // else another attempt goes on, or the view is gone
		f.pause(ctx, view, cerr)
	}
}

// refused ends an attempt that could not begin.
func (f *refresher) refused(ctx context.Context, t *catalog.Table, err error) {
	if ctx.Err() != nil || sqlerr.Is(err, sqlerr.BadArguments) { // the view is gone
		return
	}
	now := f.n.cfg.Clock.Now().UnixNano()
	_, cerr := catalogs{f.n}.Change(ctx, func(c *catalog.Catalog) (*catalog.Catalog, error) {
		return c.WithRefreshState(t.ID, func(s *catalog.RefreshState) {
			s.Attempts++
			s.Asked, s.Retry, s.Ended, s.Error = false, 0, now, shownError(err)
			s.Last = catalog.RefreshRun{Attempt: s.Attempts, Node: f.n.cluster.Name(), Started: now}
		})
	})
	if cerr != nil && !sqlerr.Is(cerr, sqlerr.BadArguments) {
		f.pause(ctx, t, cerr)
	}
}

// pause waits before the next attempt, where it could not be committed how one has ended.
func (f *refresher) pause(ctx context.Context, t *catalog.Table, err error) {
	if ctx.Err() != nil {
		return
	}
	f.n.log.Warn("the end of a view's refresh could not be committed", "view", t.FullName(), "error", err)
	_ = f.n.cfg.Clock.Sleep(ctx, refreshTick) // its end is the context's
}

// shownError is an error as it is kept and shown; empty: nil.
func shownError(err error) string {
	if err == nil {
		return ""
	}
	code := sqlerr.CodeOf(err)
	text := fmt.Sprintf("Code: %d. DB::Exception: %s. (%s)", code, err, code.Name())
	return strings.ToValidUTF8(text[:min(len(text), refreshErrorBytes)], "?")
}

// newUUID is a random UUID.
func newUUID() string {
	var b [16]byte
	rand.Read(b[:]) // never fails
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}
