package catalog

import (
	"hash/fnv"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/olapd/olapd/internal/sqlerr"
)

// Refresh is when a rollup is computed anew, and how far that is. Immutable, as the table that has it; whoever leads the meta group refreshes, and
// what it has begun and ended it commits here, so that another goes on where it stopped, and no result is taken twice.
type Refresh struct {
	// After says that Period counts from the end of the last refresh; else refreshes begin at the multiples of Period in UTC, Offset later.
	After                  bool   `json:"after,omitempty"`
	Period, Offset, Spread Span   // see NextRefresh
	DependsOn              []Name `json:"depends_on,omitempty"`
	// Append says that rows are added to those that are there, instead of replacing them.
	Append bool `json:"append,omitempty"`
	// Text is the definition as SHOW CREATE prints it, Definer the user who made it, with whose rights the SELECT is read.
	Text    string `json:"text"`
	Definer string `json:"definer"`
	// Retries is how often a refresh that failed is tried again, Backoff after how long for the first time, twice as long each time after, at most MaxBackoff.
	Retries             int64 `json:"retries"`
	Backoff, MaxBackoff time.Duration
	RefreshState
}

// RefreshState is what has become of the refreshes of a rollup. Times are in Unix nanoseconds.
type RefreshState struct {
	// Since is when the schedule began; Empty says that no refresh was due then.
	Since int64 `json:"since"`
	Empty bool  `json:"empty,omitempty"`
	// Stopped is SYSTEM STOP VIEW. Asked is SYSTEM REFRESH VIEW: a refresh is due, whatever the schedule says.
	Stopped bool `json:"stopped,omitempty"`
	Asked   bool `json:"asked,omitempty"`
	// Attempts counts all that began, Done those that succeeded.
	Attempts uint64 `json:"attempts,omitempty"`
	Done     uint64 `json:"done,omitempty"`
	// Run is the attempt that runs, or that ended with its node; nil: none.
	Run *RefreshRun `json:"run,omitempty"`
	// Last is the last attempt that ended, by its result or by Error.
	Last RefreshRun `json:"last"`
	// Ended is when it did; Succeeded is when the last one that succeeded did, and Took how long that was.
	Ended     int64         `json:"ended,omitempty"`
	Succeeded int64         `json:"succeeded,omitempty"`
	Took      time.Duration `json:"took,omitempty"`
	Error     string        `json:"error,omitempty"`
	// Retry is how often in a row the refresh has failed, if it is to be tried again.
	Retry int64 `json:"retry,omitempty"`
	// Old are the tables with the rows before the last refreshes, which statements that began then may still read.
	Old []OldTable `json:"old,omitempty"`
}

// RefreshRun is one attempt: where and since when it runs, and the table its rows go into, which takes the target's place when all are there. Table
// is zero if the rows are appended.
type RefreshRun struct {
	Attempt uint64  `json:"attempt"`
	Node    string  `json:"node"`
	Started int64   `json:"started"`
	Table   TableID `json:"table,omitempty"`
	// Target is what is replaced, at version Version.
	Target    TableID `json:"target,omitempty"`
	Version   uint64  `json:"version,omitempty"`
	Cancelled bool    `json:"cancelled,omitempty"` // SYSTEM CANCEL VIEW
	// What it has read and written, once it has ended.
	ReadRows, ReadBytes, WrittenRows, WrittenBytes uint64 `json:",omitempty"`
}

// OldTable is a table that was replaced, and when.
type OldTable struct {
	ID    TableID `json:"id"`
	Since int64   `json:"since"`
}

// Name is the name of a table with its database.
type Name struct {
	Database string `json:"database"`
	Table    string `json:"table"`
}

// Span is a time of calendar months or of seconds.
type Span struct {
	Months  int64 `json:"months,omitempty"`
	Seconds int64 `json:"seconds,omitempty"`
}

const (
	// OldTableGrace is for how long the rows before a refresh stay for statements that began then: longer than these take to begin to read.
	OldTableGrace = 10 * time.Second
	// minRetry is the least time before a refresh that failed is tried again: each attempt takes commits.
	minRetry = 10 * time.Millisecond
	week     = 7 * 24 * 3600
	monday   = 4 * 24 * 3600 // 1970-01-05
)

// IsZero reports whether the span is none.
func (s Span) IsZero() bool { return s == Span{} }

// After is a time later by the span.
func (s Span) After(t time.Time) time.Time {
	return t.UTC().AddDate(0, int(s.Months), 0).Add(time.Duration(s.Seconds) * time.Second)
}

// floor is the last multiple of the span that is not after t: months from the year 0, seconds from 1970, weeks from a Monday.
func (s Span) floor(t time.Time) time.Time {
	t = t.UTC()
	if s.Months > 0 {
		m := int64(t.Year())*12 + int64(t.Month()) - 1
		m -= m % s.Months
		return time.Date(int(m/12), time.Month(m%12)+1, 1, 0, 0, 0, 0, time.UTC)
	}
	base := int64(0)
	if s.Seconds%week == 0 {
		base = monday
	}
	n := t.Unix() - base
	r := n % s.Seconds
	if r < 0 {
		r += s.Seconds
	}
	return time.Unix(n-r+base, 0).UTC()
}

// slotAfter is the first time of the schedule EVERY that is after t.
func (r *Refresh) slotAfter(t time.Time) time.Time {
	slot := r.Period.floor(t)
	for i := 0; i < 3; i++ { // the offset is less than a period
		if at := r.Offset.After(slot); at.After(t) {
			return at
		}
		slot = r.Period.After(slot)
	}
	return r.Offset.After(slot)
}

// slotBefore is the last time of the schedule EVERY that is not after t.
func (r *Refresh) slotBefore(t time.Time) time.Time {
	slot := r.Period.floor(t)
	if at := r.Offset.After(slot); !at.After(t) {
		return at
	}
	return r.Offset.After(r.Period.floor(slot.Add(-time.Second)))
}

// NextRefresh is when the next refresh of a rollup is due, whatever it depends on; zero: not before something changes.
func (t *Table) NextRefresh() time.Time {
	r := t.Refresh
	switch {
	case r.Asked || r.Run != nil:
		return time.Unix(0, max(r.Since, r.Ended))
	case r.Stopped:
		return time.Time{}
	case r.Retry > 0:
		wait := r.MaxBackoff
		if shift := r.Retry - 1; shift < 32 && r.Backoff<<shift>>shift == r.Backoff {
			wait = min(wait, r.Backoff<<shift)
		}
		return time.Unix(0, r.Ended).Add(max(wait, minRetry))
	case r.Attempts == 0 && !r.Empty:
		return time.Unix(0, r.Since)
	case r.After:
		return t.spread(r.Period.After(time.Unix(0, max(r.Ended, r.Since))))
	}
	return t.spread(r.slotAfter(time.Unix(0, max(r.Last.Started, r.Since))))
}

// spread makes a time later by a part of Spread that depends on the rollup and the time only.
func (t *Table) spread(at time.Time) time.Time {
	span := t.Refresh.Spread.After(at).Sub(at)
	if span <= 0 {
		return at
	}
	h := fnv.New64a()
	h.Write([]byte(t.UUID + strconv.FormatInt(at.UnixNano(), 10))) // never fails
	return at.Add(time.Duration(h.Sum64() % uint64(span)))
}

// RefreshBlocked returns the first rollup that another depends on and that has not been refreshed yet for the refresh that is due; empty if there is none.
// A refresh that was asked for waits for nothing.
func (t *Table) RefreshBlocked(c *Catalog) Name {
	r := t.Refresh
	if r.Asked || r.Run != nil || r.Retry > 0 {
		return Name{}
	}
	since := r.Last.Started // that which it depends on must be newer than what it was made of last
	if !r.After {
		since = max(since, r.slotBefore(t.NextRefresh()).UnixNano())
	}
	for _, n := range r.DependsOn {
		d := c.Table(n.Database, n.Table)
		if d == nil || d.Refresh == nil || d.Refresh.Succeeded == 0 || d.Refresh.Succeeded < since {
			return n
		}
	}
	return Name{}
}

// changedRefresh is a copy of the rollup with a state that may be changed.
func (t *Table) changedRefresh() *Table {
	n, r := *t, *t.Refresh
	r.Old = slices.Clone(r.Old)
	n.Refresh = &r
	return &n
}

// WithRefreshState returns the catalog with what f makes of the state of a rollup's refreshes; BadArguments if it is no such rollup.
func (c *Catalog) WithRefreshState(id TableID, f func(*RefreshState)) (*Catalog, error) {
	t := c.byID[id]
	if t == nil || t.Refresh == nil {
		return nil, noRefresh(id)
	}
	n := t.changedRefresh()
	f(&n.Refresh.RefreshState)
	return c.WithChanged(n)
}

func noRefresh(id TableID) error {
	return sqlerr.New(sqlerr.BadArguments, "Refreshable view %d doesn't exist", id)
}

// WithRefreshBegun begins an attempt on a node, in the place of one that may have been begun before and never ends. If rows are replaced, a table for them is
// added that is like the target, which has the UUID given.
func (c *Catalog) WithRefreshBegun(id TableID, node, uuid string, now time.Time) (*Catalog, error) {
	t := c.byID[id]
	if t == nil || t.Refresh == nil || t.Detached {
		return nil, noRefresh(id)
	}
	target := c.byID[t.Target]
	if target == nil {
		return nil, sqlerr.New(sqlerr.UnknownTable, "The target table of %s does not exist", t.FullName())
	}
	n := t.changedRefresh()
	r := n.Refresh
	gone := r.forget(now)
	r.Attempts++
	r.Run = &RefreshRun{Attempt: r.Attempts, Node: node, Started: now.UnixNano()}
	r.Asked = false
	next := c.WithoutTables(gone...)
	if !r.Append {
		copied := *target
		copied.ID, copied.UUID, copied.Inner = next.NextID, uuid, true
		copied.Name = ".tmp.inner_id." + t.UUID + "." + strconv.FormatUint(r.Attempts, 10)
		copied.Spread, copied.SpreadSince, copied.SpreadBefore, copied.Held = nil, 0, 0, false
		copied.Dropped, copied.Columns = nil, slices.Clone(target.Columns)
		for i := range copied.Columns {
			copied.Columns[i].Stored = "" // it has no rows yet
		}
		copied.Settings = maps.Clone(target.Settings)
		r.Run.Table, r.Run.Target, r.Run.Version = copied.ID, target.ID, target.Version
		var err error
		if next, err = next.WithTables(&copied); err != nil {
			return nil, err
		}
	}
	return next.WithChanged(n)
}

// forget takes out what is not needed any more: the table of an attempt that runs, and replaced tables whose time is over.
func (r *Refresh) forget(now time.Time) (gone []TableID) {
	if r.Run != nil && r.Run.Table != 0 {
		gone = append(gone, r.Run.Table)
	}
	r.Run = nil
	kept := r.Old[:0]
	for _, o := range r.Old {
		if now.Sub(time.Unix(0, o.Since)) < OldTableGrace {
			kept = append(kept, o)
		} else {
			gone = append(gone, o.ID)
		}
	}
	r.Old = kept
	return gone
}

// WithoutOldRows drops the tables that a rollup's refreshes have replaced, once their time is over.
func (c *Catalog) WithoutOldRows(id TableID, now time.Time) (*Catalog, error) {
	t := c.byID[id]
	if t == nil || t.Refresh == nil {
		return nil, noRefresh(id)
	}
	n := t.changedRefresh()
	run := n.Refresh.Run
	n.Refresh.Run = nil
	gone := n.Refresh.forget(now)
	n.Refresh.Run = run
	if gone == nil {
		return c, nil
	}
	return c.WithoutTables(gone...).WithChanged(n)
}

// RefreshOutcome is how an attempt ended.
type RefreshOutcome struct {
	Error                                          string // empty: it succeeded
	ReadRows, ReadBytes, WrittenRows, WrittenBytes uint64
}

// WithRefreshEnded ends an attempt: its table takes the place of the target, or is dropped if it failed. Aborted if the attempt is not the one that runs: another
// node has begun anew, or the rollup is gone; and if the target has been changed meanwhile.
func (c *Catalog) WithRefreshEnded(id TableID, attempt uint64, out RefreshOutcome, now time.Time) (*Catalog, error) {
	t := c.byID[id]
	if t == nil || t.Refresh == nil || t.Refresh.Run == nil || t.Refresh.Run.Attempt != attempt {
		return nil, sqlerr.New(sqlerr.Aborted, "Attempt %d to refresh view %d is not the one that runs", attempt, id)
	}
	n := t.changedRefresh()
	r := n.Refresh
	run := *r.Run
	run.ReadRows, run.ReadBytes, run.WrittenRows, run.WrittenBytes = out.ReadRows, out.ReadBytes, out.WrittenRows, out.WrittenBytes
	r.Last, r.Ended, r.Error = run, now.UnixNano(), out.Error
	if out.Error != "" {
		if r.Retry++; r.Retries >= 0 && r.Retry > r.Retries || run.Cancelled {
			r.Retry = 0
		}
		return c.WithoutTables(r.forget(now)...).WithChanged(n)
	}
	r.Retry, r.Succeeded, r.Took = 0, now.UnixNano(), now.Sub(time.Unix(0, run.Started))
	r.Done++
	if run.Table == 0 {
		r.Run = nil
		return c.WithoutTables(r.forget(now)...).WithChanged(n)
	}
	old, made := c.byID[run.Target], c.byID[run.Table]
	if old == nil || made == nil || old.Version != run.Version || t.Target != run.Target {
		return nil, sqlerr.New(sqlerr.Aborted, "The target table of %s was changed while it was refreshed", t.FullName())
	}
	r.Run = nil
	gone := r.forget(now)
	r.Old = append(r.Old, OldTable{ID: old.ID, Since: now.UnixNano()})
	changed := c.replaced(old, made)
	for i, o := range changed {
		if o.ID == id { // it names its own target
			n.Target = o.Target
			changed = slices.Delete(changed, i, i+1)
			break
		}
	}
	return c.WithoutTables(gone...).WithChanged(append(changed, n)...)
}

// replaced are the tables that change when one takes the place of another: both, and the rollups that name the old one. The old one keeps its rows, hidden.
func (c *Catalog) replaced(old, made *Table) []*Table {
	o, m := *old, *made
	m.Name, m.Inner, m.CreateSQL = old.Name, old.Inner, old.CreateSQL
	o.Name, o.Inner, o.Detached = made.Name, true, true
	out := []*Table{&o, &m}
	for _, t := range c.byID {
		if t.Kind != KindRollup || t.Source != old.ID && t.Target != old.ID {
			continue
		}
		n := *t
		if n.Source == old.ID {
			n.Source = made.ID
		}
		if n.Target == old.ID {
			n.Target = made.ID
		}
		out = append(out, &n)
	}
	return out
}

// RefreshTables are the tables that go with a rollup's refreshes when it is dropped.
func (t *Table) RefreshTables() []TableID {
	if t.Refresh == nil {
		return nil
	}
	var out []TableID
	if t.Refresh.Run != nil && t.Refresh.Run.Table != 0 {
		out = append(out, t.Refresh.Run.Table)
	}
	for _, o := range t.Refresh.Old {
		out = append(out, o.ID)
	}
	return out
}
