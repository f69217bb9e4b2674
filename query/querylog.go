package query

import (
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/query/virtual"
)

// Bounds of the query log: entries, and bytes of query text of one of them, so that it holds at most some 16 MB: two entries a query, of its start and
// its end.
const (
	maxLogEntries = 4000
	maxLogText    = 4096
)

// queryLog is the last queries and how often each error went to a client. It lives in memory.
type queryLog struct {
	mu struct {
		sync.Mutex
		ring   []virtual.QueryLogEntry
		next   int
		errors map[sqlerr.Code]*virtual.ErrorCount
		events map[string]uint64 // since the start
	}
}

func (l *queryLog) add(e virtual.QueryLogEntry) {
	if len(e.Query) > maxLogText {
		e.Query = e.Query[:maxLogText]
	}
	if len(e.Exception) > maxLogText {
		e.Exception = e.Exception[:maxLogText]
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.mu.ring) < maxLogEntries {
		l.mu.ring = append(l.mu.ring, e)
		return
	}
	l.mu.ring[l.mu.next] = e
	l.mu.next = (l.mu.next + 1) % maxLogEntries
}

// entries returns what is logged, oldest first.
func (l *queryLog) entries() []virtual.QueryLogEntry {
	l.mu.Lock()
	defer l.mu.Unlock()
	return append(append([]virtual.QueryLogEntry(nil), l.mu.ring[l.mu.next:]...), l.mu.ring[:l.mu.next]...)
}

func (l *queryLog) countError(code sqlerr.Code, message string, now time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.mu.errors == nil {
		l.mu.errors = map[sqlerr.Code]*virtual.ErrorCount{}
	}
	c := l.mu.errors[code]
	if c == nil {
		c = &virtual.ErrorCount{Name: code.Name(), Code: int32(code)}
		l.mu.errors[code] = c
	}
	c.Value++
	c.Last, c.LastMessage = now, message
}

func (l *queryLog) errors() []virtual.ErrorCount {
	l.mu.Lock()
	defer l.mu.Unlock()
	out := make([]virtual.ErrorCount, 0, len(l.mu.errors))
	for _, c := range l.mu.errors {
		out = append(out, *c)
	}
	return out
}

// eventDocs describe what queries count.
var eventDocs = map[string]string{"Query": "Queries that were started.", "SelectQuery": "SELECTs that were started.", "InsertQuery": "INSERTs that were started.",
	"FailedQuery": "Queries that failed.", "FailedSelectQuery": "SELECTs that failed.", "FailedInsertQuery": "INSERTs that failed.",
	"QueryTimeMicroseconds": "Time of all queries.", "SelectedRows": "Rows read from tables.", "SelectedBytes": "Bytes read from tables.",
	"InsertedRows": "Rows inserted.", "InsertedBytes": "Bytes inserted.", "ResultRows": "Rows of results.", "ResultBytes": "Bytes of results.",
	"NetworkSendBytes":    "Bytes sent to other nodes for queries, and from one of these to another.",
	"NetworkReceiveBytes": "Bytes received from other nodes for queries."}

// countEvents adds what a query did.
func (l *queryLog) countEvents(did map[string]uint64, kind string, failed bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.mu.events == nil {
		l.mu.events = map[string]uint64{}
	}
	for name, n := range did {
		if name == "RealTimeMicroseconds" {
			name = "QueryTimeMicroseconds"
		}
		l.mu.events[name] += n
	}
	if failed {
		l.mu.events["FailedQuery"]++
		if name := "Failed" + kind + "Query"; eventDocs[name] != "" {
			l.mu.events[name]++
		}
	}
}

// events returns what was counted, by name.
func (l *queryLog) events() []virtual.Metric {
	l.mu.Lock()
	defer l.mu.Unlock()
	var out []virtual.Metric
	for _, name := range slices.Sorted(maps.Keys(l.mu.events)) {
		out = append(out, virtual.Metric{Name: name, Description: eventDocs[name], Value: float64(l.mu.events[name])})
	}
	return out
}
