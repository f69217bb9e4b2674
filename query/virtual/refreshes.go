package virtual

import (
	"context"
	"strconv"
	"time"

	"github.com/olapd/olapd/internal/catalog"
)

func init() { fill("view_refreshes", viewRefreshes) }

// RefreshID is the identifier of the query that refreshes a view, of the attempt that runs.
func RefreshID(view *catalog.Table) string {
	return "refresh-" + view.UUID + "-" + strconv.FormatUint(view.Refresh.Attempts, 10)
}

// viewRefreshes are the refreshable views. What an attempt has read so far is known on the node where it runs.
func viewRefreshes(_ context.Context, s *Source, add func(row)) error {
	running := map[string]*Process{}
	for _, p := range list(s.Processes) {
		running[p.QueryID] = &p
	}
	for _, t := range s.Catalog.Tables("") {
		if t.Refresh != nil && s.showsTable(t.Database, t.Name) {
			add(refreshRow(t, s.Catalog, running[RefreshID(t)]))
		}
	}
	return nil
}

func refreshRow(t *catalog.Table, c *catalog.Catalog, p *Process) row {
	r := t.Refresh
	at := func(ns int64) any {
		if ns == 0 {
			return nil
		}
		return time.Unix(0, ns)
	}
	out := row{"database": t.Database, "view": t.Name, "uuid": uuid(t.UUID), "status": "Scheduled", "last_success_time": at(r.Succeeded),
		"last_refresh_time": at(r.Last.Started), "last_refresh_replica": r.Last.Node, "exception": r.Error, "retry": r.Retry, "progress": 1.0,
		"read_rows": r.Last.ReadRows, "read_bytes": r.Last.ReadBytes, "total_rows": r.Last.ReadRows, "written_rows": r.Last.WrittenRows, "written_bytes": r.Last.WrittenBytes}
	if r.Succeeded != 0 {
		out["last_success_duration_ms"] = r.Took.Milliseconds()
	}
	next := t.NextRefresh()
	if !next.IsZero() {
		out["next_refresh_time"] = next
	}
	switch {
	case r.Run != nil:
		out["status"], out["last_refresh_time"], out["last_refresh_replica"] = "Running", at(r.Run.Started), r.Run.Node
		out["progress"], out["read_rows"], out["read_bytes"], out["total_rows"], out["written_rows"], out["written_bytes"] = 0.0, 0, 0, 0, 0, 0
		if p != nil {
			out["read_rows"], out["read_bytes"], out["total_rows"], out["written_rows"], out["written_bytes"] = p.ReadRows, p.ReadBytes, p.TotalRows, p.WrittenRows, p.WrittenBytes
			if p.TotalRows > 0 {
				out["progress"] = min(float64(p.ReadRows)/float64(p.TotalRows), 1)
			}
		}
	case next.IsZero():
		out["status"] = "Disabled"
	case t.RefreshBlocked(c) != catalog.Name{}:
		out["status"] = "WaitingForDependencies"
		if on := t.RefreshBlocked(c); c.Table(on.Database, on.Table) == nil || c.Table(on.Database, on.Table).Refresh == nil {
			out["status"] = "MissingDependencies"
		}
	}
	if r.Attempts == 0 {
		out["progress"] = 0.0
	}
	return out
}
