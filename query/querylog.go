package query

import (
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

func (l *queryLog) countError(err error, now time.Time) {
	code := sqlerr.CodeOf(err)
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
	c.Last, c.LastMessage = now, err.Error()
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
