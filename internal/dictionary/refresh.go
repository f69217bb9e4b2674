package dictionary

import (
	"context"
	"math/rand/v2"
	"time"

	"github.com/olapd/olapd/internal/catalog"
)

// firstRetry and lastRetry are the times after which a reload that failed is tried again, doubled from failure to failure: ClickHouse's.
const firstRetry, lastRetry = 5 * time.Second, 10 * time.Minute

// lifetime is the time until the next reload, at random between the bounds, so that the nodes of a cluster do not all ask at once; 0: never.
func lifetime(d *catalog.Dictionary) time.Duration {
	lo, hi := time.Duration(d.MinLifetime)*time.Second, time.Duration(d.MaxLifetime)*time.Second
	if hi <= lo {
		return hi
	}
	return lo + rand.N(hi-lo) + 1
}

// schedule sets when a dictionary is loaded again. Dictionaries without rows are loaded when they are asked for. REQUIRES: r.mu.
func (r *Registry) schedule(e *entry, after time.Duration) {
	e.due = time.Time{}
	if after > 0 && e.data != nil && e.table.Dictionary.MaxLifetime > 0 {
		e.due = r.o.Clock.Now().Add(after)
	}
	select {
	case r.wake <- struct{}{}:
	default: // Run has yet to look
	}
}

// Run reloads dictionaries when their lifetimes end, one after the other, until ctx ends. catalogs returns the newest catalog and what is
// closed when there is a newer one: dictionaries that are in none are forgotten.
func (r *Registry) Run(ctx context.Context, catalogs func() (*catalog.Catalog, <-chan struct{})) {
	for ctx.Err() == nil {
		c, changed := catalogs()
		r.Sweep(c)
		next, at := r.next()
		var timer <-chan time.Time
		stop := func() bool { return false }
		if next != nil {
			wait := at.Sub(r.o.Clock.Now())
			if wait <= 0 {
				_, _ = r.open(ctx, next, refresh) // the error is in Info, and it is tried again
				continue
			}
			t := r.o.Clock.NewTimer(wait)
			timer, stop = t.C(), t.Stop
		}
		select {
		case <-timer:
		case <-r.wake:
		case <-changed:
		case <-ctx.Done():
		}
		stop()
	}
}

// next is the dictionary that is due first, and when; nil if none is.
func (r *Registry) next() (*catalog.Table, time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	var first *entry
	for _, e := range r.mu.entries {
		if !e.due.IsZero() && e.loading == nil && (first == nil || e.due.Before(first.due)) {
			first = e
		}
	}
	if first == nil {
		return nil, time.Time{}
	}
	return first.table, first.due
}
