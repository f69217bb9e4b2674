package server

import (
	"bytes"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/olapd/olapd/query"
	"github.com/olapd/olapd/query/settings"
)

// Progress in headers: with send_progress_in_http_headers the head of an answer begins while the query runs, by one line
// X-ClickHouse-Progress after the other, and ends when the first rows do. net/http writes a head as a whole; so the connection sends the
// status line and the lines of progress itself, and leaves out the status line that net/http writes later. All else stays with
// net/http: bodies, chunks, kept-alive connections, TLS, timeouts, clients that go. As in ClickHouse the status is then 200 whatever comes,
// and an error is told by X-ClickHouse-Exception-Code and the body.

// minProgress is the least time between two headers, whatever http_headers_progress_interval_ms says.
const minProgress = 10 * time.Millisecond

// headConn is a connection of the HTTP interface whose answers can begin before net/http writes them. Its methods are safe for
// concurrent use, as those of a net.Conn are.
type headConn struct {
	net.Conn

	mu    sync.Mutex
	begun bool // the status line of the answer has gone, and net/http's is to be left out
}

// begin writes lines of the head of an answer, each ended by CRLF, the status line before the first of them.
func (c *headConn) begin(status string, lines []byte) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.begun {
		lines = append([]byte(status+"\r\n"), lines...)
		c.begun = true
	}
	_, err := c.Conn.Write(lines)
	return err
}

// Write implements net.Conn. The status line is whole in the first write of an answer: net/http gathers kilobytes, and begins with it.
func (c *headConn) Write(b []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	skip := 0
	if c.begun {
		if skip = bytes.Index(b, []byte("\r\n")) + 2; skip < 2 {
			return 0, io.ErrShortWrite
		}
		c.begun = false
	}
	n, err := c.Conn.Write(b[skip:])
	return n + skip, err
}

// CloseWrite ends one direction, as net/http does before it gives up a connection with bytes unread: the client sees the answer first.
func (c *headConn) CloseWrite() error {
	if half, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return nil
}

// headListener accepts connections as headConns.
type headListener struct{ net.Listener }

// Accept implements net.Listener.
func (l headListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &headConn{Conn: c}, nil
}

type headKey struct{}

// withHead is http.Server.ConnContext: requests find their connection.
func withHead(ctx context.Context, c net.Conn) context.Context {
	return context.WithValue(ctx, headKey{}, c)
}

// headOf returns the connection of a request; nil if net/http has it from elsewhere.
func headOf(r *http.Request) *headConn {
	c, _ := r.Context().Value(headKey{}).(*headConn)
	return c
}

// isSecure reports whether a request came over TLS.
func isSecure(r *http.Request) bool {
	if c := headOf(r); c != nil {
		_, ok := c.Conn.(*tls.Conn)
		return ok
	}
	return r.TLS != nil
}

// progressEvery is how often a request wants headers of progress; 0: not at all. The SETTINGS clause of a statement has no say, as in
// ClickHouse: it is read later.
func progressEvery(set *settings.Values, own map[string]string) time.Duration {
	set = set.Clone()
	for _, name := range []string{settings.SendProgressHeaders.Name, settings.ProgressInterval.Name} {
		if v, ok := own[name]; ok && set.Set(name, v) != nil {
			return 0 // the query fails by it
		}
	}
	if !settings.SendProgressHeaders.Of(set) {
		return 0
	}
	return max(settings.ProgressInterval.Of(set), minProgress)
}

// progressHeaders sends the progress of a request's query as headers every so often until stop returns, which must be before the answer's
// own head. A client that says Expect gets none: its answer begins with "100 Continue".
func (s *Server) progressHeaders(r *http.Request, every time.Duration, now func() query.Progress) (stop func()) {
	c := headOf(r)
	if c == nil || every == 0 || r.Header.Get("Expect") != "" {
		return func() {}
	}
	status := "HTTP/1.0 200 OK"
	if r.ProtoAtLeast(1, 1) {
		status = "HTTP/1.1 200 OK"
	}
	var last query.Progress
	return s.every(every, func() error {
		p := now()
		if is := worked(p); is != last {
			last = is
			return c.begin(status, fmt.Appendf(nil, "X-ClickHouse-Progress: %s\r\n", counts(p)))
		}
		return nil
	})
}

// every calls f in a goroutine of its own every so often until it fails or the returned function is called, which waits for its end
// and may be called again.
func (s *Server) every(d time.Duration, f func() error) (stop func()) {
	quit, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		t := s.cfg.Clock.NewTicker(d)
		defer t.Stop()
		for {
			select {
			case <-quit:
				return
			case <-t.C():
			}
			if f() != nil {
				return // the client has gone, which the request's context says too
			}
		}
	}()
	return sync.OnceFunc(func() {
		close(quit)
		<-done
	})
}

// worked is progress without what changes by itself: who has nothing new says nothing, as clients take so many headers only.
func worked(p query.Progress) query.Progress {
	p.ElapsedNanos, p.PeakMemory = 0, 0
	return p
}

// counts are a query's counts as ClickHouse has them in headers: all values are strings.
func counts(p query.Progress) string {
	return fmt.Sprintf(
		`{"read_rows":"%d","read_bytes":"%d","written_rows":"%d","written_bytes":"%d","total_rows_to_read":"%d","result_rows":"%d","result_bytes":"%d","elapsed_ns":"%d","memory_usage":"%d"}`,
		p.ReadRows, p.ReadBytes, p.WrittenRows, p.WrittenBytes, p.TotalRows, p.ResultRows, p.ResultBytes, p.ElapsedNanos, p.PeakMemory)
}
