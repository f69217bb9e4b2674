package catalog

import (
	"testing"
	"time"

	"github.com/olapd/olapd/internal/sqlerr"
)

func at(text string) time.Time {
	t, err := time.Parse("2006-01-02 15:04:05", text)
	if err != nil {
		panic(err)
	}
	return t
}

// TestSchedule: when refreshes are due, of schedules that began at a time and after refreshes that began and ended then.
func TestSchedule(t *testing.T) {
	const hour, day = 3600, 86400
	for _, c := range []struct {
		r                    Refresh
		since, started, want string
	}{
		{Refresh{Period: Span{Seconds: hour}}, "2026-11-22 01:12:27", "", "2026-11-22 01:12:27"},
		{Refresh{Period: Span{Seconds: hour}}, "2026-11-22 01:12:27", "2026-11-22 01:12:27", "2026-11-22 02:00:00"},
		{Refresh{Period: Span{Seconds: hour}}, "2026-11-22 01:12:27", "2026-11-22 02:00:00", "2026-11-22 03:00:00"},
		{Refresh{Period: Span{Seconds: hour}, RefreshState: RefreshState{Empty: true}}, "2026-11-22 01:00:00", "", "2026-11-22 02:00:00"},
		{Refresh{Period: Span{Seconds: day}, Offset: Span{Seconds: 2 * hour}}, "2026-11-22 01:00:00", "2026-11-22 01:00:00", "2026-11-22 02:00:00"},
		{Refresh{Period: Span{Seconds: day}, Offset: Span{Seconds: 2 * hour}}, "2026-11-22 01:00:00", "2026-11-22 02:00:00", "2026-11-23 02:00:00"},
		{Refresh{Period: Span{Seconds: 7 * day}}, "2026-11-22 01:00:00", "2026-11-22 01:00:00", "2026-11-23 00:00:00"}, // a Monday
		{Refresh{Period: Span{Months: 1}, Offset: Span{Seconds: 5 * day}}, "2026-11-22 01:00:00", "2026-11-22 01:00:00", "2026-12-06 00:00:00"},
		{Refresh{Period: Span{Months: 12}, Offset: Span{Months: 2, Seconds: 3 * day}}, "2026-11-22 01:00:00", "2026-01-10 00:00:00", "2027-03-04 00:00:00"},
		{Refresh{Period: Span{Months: 12}, Offset: Span{Months: 2, Seconds: 3 * day}}, "2026-01-01 01:00:00", "2026-01-10 00:00:00", "2026-03-04 00:00:00"},
		{Refresh{Period: Span{Seconds: day}, After: true}, "2026-11-22 01:00:00", "2026-11-22 01:00:01", "2026-11-23 01:00:01"},
		{Refresh{Period: Span{Seconds: hour}, RefreshState: RefreshState{Stopped: true}}, "2026-11-22 01:00:00", "", ""},
		{Refresh{Period: Span{Seconds: hour}, RefreshState: RefreshState{Stopped: true, Asked: true}}, "2026-11-22 01:00:00", "", "2026-11-22 01:00:00"},
		{Refresh{Period: Span{Seconds: hour}, Backoff: time.Second, MaxBackoff: time.Minute, RefreshState: RefreshState{Retry: 3}}, "2026-11-22 01:00:00", "2026-11-22 01:30:00", "2026-11-22 01:30:04"},
		{Refresh{Period: Span{Seconds: hour}, RefreshState: RefreshState{Retry: 1}}, "2026-11-22 01:00:00", "2026-11-22 01:30:00", "2026-11-22 01:30:00.01"},
		{Refresh{Period: Span{Seconds: hour}, Backoff: time.Second, MaxBackoff: time.Minute, RefreshState: RefreshState{Retry: 90}}, "2026-11-22 01:00:00", "2026-11-22 01:30:00", "2026-11-22 01:31:00"},
	} {
		r := c.r
		r.Since = at(c.since).UnixNano()
		if c.started != "" {
			r.Attempts, r.Last.Started, r.Ended = 1, at(c.started).UnixNano(), at(c.started).UnixNano()
		}
		got, want := (&Table{Refresh: &r}).NextRefresh(), time.Time{}
		if c.want != "" {
			want = at(c.want)
		}
		if !got.Equal(want) {
			t.Errorf("%+v: next at %v, want %v", c.r, got.UTC(), want)
		}
	}
	r := Refresh{Period: Span{Seconds: hour}, Spread: Span{Seconds: 60}, RefreshState: RefreshState{Attempts: 1, Last: RefreshRun{Started: at("2026-11-22 01:00:00").UnixNano()}}}
	one, two := (&Table{UUID: "1", Refresh: &r}).NextRefresh(), (&Table{UUID: "2", Refresh: &r}).NextRefresh()
	if one.Equal(two) || one.Before(at("2026-11-22 02:00:00")) || !one.Before(at("2026-11-22 02:01:00")) {
		t.Errorf("with RANDOMIZE refreshes are at %v and %v", one, two)
	}
}

// refreshed is a catalog with a view that replaces the rows of a table, which another view reads.
func refreshed(t *testing.T, r Refresh) *Catalog {
	t.Helper()
	c, err := New().WithTables(&Table{UUID: "t", Database: "default", Name: "t", Kind: KindTable, Columns: []Column{{Name: "a", Type: "Int64"}}})
	if err == nil {
		c, err = c.WithTables(&Table{UUID: "v", Database: "default", Name: "v", Kind: KindRollup, Target: c.Table("default", "t").ID, Refresh: &r},
			&Table{UUID: "f", Database: "default", Name: "f", Kind: KindRollup, Source: c.Table("default", "t").ID, Target: c.Table("default", "t").ID})
	}
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// TestAttempts: of the attempts that begin only the newest one's rows are shown, once, whichever ends first.
func TestAttempts(t *testing.T) {
	now := at("2026-11-22 01:00:00")
	c := refreshed(t, Refresh{Period: Span{Seconds: 3600}, Retries: 1})
	id, old := c.Table("default", "v").ID, c.Table("default", "t").ID
	begin := func(c *Catalog, uuid string) *Catalog {
		t.Helper()
		next, err := c.WithRefreshBegun(id, "n", uuid, now)
		if err != nil {
			t.Fatal(err)
		}
		return next
	}
	first := begin(c, "s1")
	second := begin(first, "s2") // by another leader: the first attempt's node has gone, or so it seems
	run := second.ByID(id).Refresh.Run
	if run.Attempt != 2 || second.ByID(first.ByID(id).Refresh.Run.Table) != nil || second.ByID(run.Table) == nil {
		t.Fatalf("after a second beginning: %+v", run)
	}
	if _, err := second.WithRefreshEnded(id, 1, RefreshOutcome{}, now); !sqlerr.Is(err, sqlerr.Aborted) {
		t.Errorf("the rows of the first attempt are taken: %v", err)
	}
	done, err := second.WithRefreshEnded(id, 2, RefreshOutcome{WrittenRows: 5}, now.Add(time.Second))
	if err != nil {
		t.Fatal(err)
	}
	made := done.Table("default", "t")
	if v, f := done.ByID(id), done.Table("default", "f"); made.ID != run.Table || v.Target != made.ID || f.Source != made.ID || f.Target != made.ID || made.Inner || v.Refresh.Run != nil || v.Refresh.Last.WrittenRows != 5 {
		t.Errorf("after the refresh t is %+v, the views %+v and %+v", made, v, f)
	}
	if o := done.ByID(old); o == nil || !o.Detached {
		t.Errorf("the rows before the refresh are %+v: statements that have begun read them", o)
	}
	if _, err := done.WithRefreshEnded(id, 2, RefreshOutcome{}, now); !sqlerr.Is(err, sqlerr.Aborted) {
		t.Errorf("an attempt ends twice: %v", err)
	}
	if soon, err := done.WithoutOldRows(id, now.Add(2*time.Second)); err != nil || soon != done {
		t.Errorf("old rows go at once: %v", err)
	}
	later, err := done.WithoutOldRows(id, now.Add(time.Second+OldTableGrace))
	if err != nil || later.ByID(old) != nil || len(later.ByID(id).Refresh.Old) != 0 {
		t.Errorf("old rows stay: %v", err)
	}
}

// TestFailedAttempts: a failed attempt is repeated, so often as it may be, and leaves no table; so does one whose target was changed.
func TestFailedAttempts(t *testing.T) {
	now := at("2026-11-22 01:00:00")
	c := refreshed(t, Refresh{Period: Span{Seconds: 3600}, Retries: 1, Backoff: time.Second, MaxBackoff: time.Minute})
	id := c.Table("default", "v").ID
	for i, want := range []int64{1, 0} {
		var err error
		if c, err = c.WithRefreshBegun(id, "n", "s", now); err != nil {
			t.Fatal(err)
		}
		table := c.ByID(id).Refresh.Run.Table
		if c, err = c.WithRefreshEnded(id, uint64(i+1), RefreshOutcome{Error: "no"}, now); err != nil {
			t.Fatal(err)
		}
		if r := c.ByID(id).Refresh; r.Retry != want || r.Error != "no" || c.ByID(table) != nil {
			t.Errorf("after failure %d: %+v", i+1, r)
		}
	}
	if next := c.ByID(id).NextRefresh(); !next.Equal(at("2026-11-22 02:00:00")) {
		t.Errorf("after the last retry the next is at %v", next)
	}
	begun, err := c.WithRefreshBegun(id, "n", "s", now)
	if err != nil {
		t.Fatal(err)
	}
	changed := *begun.Table("default", "t")
	changed.Comment = "changed"
	if begun, err = begun.WithChanged(&changed); err != nil {
		t.Fatal(err)
	}
	if _, err := begun.WithRefreshEnded(id, 3, RefreshOutcome{}, now); !sqlerr.Is(err, sqlerr.Aborted) {
		t.Errorf("a target that was changed is replaced: %v", err)
	}
}

// TestDependencies: a view waits for those it depends on, unless it was asked for.
func TestDependencies(t *testing.T) {
	now := at("2026-11-22 01:30:00")
	c := refreshed(t, Refresh{Period: Span{Seconds: 3600}, DependsOn: []Name{{"default", "u"}}, RefreshState: RefreshState{Since: now.UnixNano()}})
	c, err := c.WithTables(&Table{UUID: "u", Database: "default", Name: "u", Kind: KindRollup, Target: c.Table("default", "t").ID, Refresh: &Refresh{Period: Span{Seconds: 3600}}})
	if err != nil {
		t.Fatal(err)
	}
	v, u := c.Table("default", "v"), c.Table("default", "u")
	for _, x := range []struct {
		succeeded string
		asked     bool
		blocked   bool
	}{{"", false, true}, {"2026-11-22 00:59:00", false, true}, {"2026-11-22 01:00:01", false, false}, {"", true, false}} {
		next, err := c.WithRefreshState(u.ID, func(s *RefreshState) {
			if x.succeeded != "" {
				s.Succeeded = at(x.succeeded).UnixNano()
			}
		})
		if err == nil {
			next, err = next.WithRefreshState(v.ID, func(s *RefreshState) { s.Asked = x.asked })
		}
		if err != nil {
			t.Fatal(err)
		}
		if got := next.ByID(v.ID).RefreshBlocked(next) != (Name{}); got != x.blocked {
			t.Errorf("%+v: blocked %v", x, got)
		}
	}
}
