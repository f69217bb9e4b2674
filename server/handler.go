package server

import (
	"errors"
	"fmt"
	"net/http"
	"runtime/debug"
	"strings"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/format"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/query"
)

func ok(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/html; charset=UTF-8")
	_, _ = w.Write([]byte("Ok.\n")) // a client that has gone does not want the answer
}

// root tells queries from everything else.
func (s *Server) root(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodOptions {
		s.preflight(w, r)
		return
	}
	isPost := r.Method == http.MethodPost
	switch path := r.URL.Path; {
	case (path == "/" || path == "" || path == "/query") && (isPost || r.URL.RawQuery != ""):
		s.query(w, r)
	case path == "/" && (r.Method == http.MethodGet || r.Method == http.MethodHead):
		ok(w, r)
	default:
		w.Header().Set("Content-Type", "text/plain; charset=UTF-8")
		w.WriteHeader(http.StatusNotFound)
		fmt.Fprintf(w, "There is no handle %s\n\nUse / or /ping for health checks.\nOr /replicas_status for more sophisticated health checks.\n"+
			"Send queries from your program with POST method or GET /?query=...\n\nTry the page /play in a browser.\n", path)
	}
}

func (s *Server) preflight(w http.ResponseWriter, _ *http.Request) {
	h := w.Header()
	h.Set("Access-Control-Allow-Origin", "*")
	h.Set("Access-Control-Allow-Headers", "origin, x-requested-with, x-clickhouse-format, x-clickhouse-user, x-clickhouse-key, Authorization")
	h.Set("Access-Control-Allow-Methods", "POST, GET, OPTIONS")
	h.Set("Access-Control-Max-Age", "86400")
	w.WriteHeader(http.StatusNoContent)
}

// query runs the statement of a request.
func (s *Server) query(w http.ResponseWriter, r *http.Request) {
	tag := exceptionTag()
	s.headers(w.Header(), tag)
	if r.Method == http.MethodPost && r.ContentLength < 0 && len(r.TransferEncoding) == 0 {
		s.fail(w, r, sqlerr.New(sqlerr.HTTPLengthRequired, "The Transfer-Encoding is not chunked and there is no Content-Length header for POST request"))
		return
	}
	q, err := parseRequest(r)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	name, err := s.login(r, q.params)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	sess, release, err := s.session(q, name)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	defer release()
	s.run(w, r, q, sess, tag)
}

// session returns the session of a request: its own for this once, or the named one.
func (s *Server) session(q *request, name string) (*query.Session, func(), error) {
	open := query.SessionOptions{User: name, Database: q.Database, Roles: q.params["role"], Client: *q.Client}
	if !q.params.Has("session_id") {
		one, err := s.cfg.Engine.NewSession(open)
		return one, func() {}, err
	}
	id := first(q.params, "session_id")
	if id == "" {
		return nil, nil, sqlerr.New(sqlerr.InvalidSessionTimeout, "Session id query parameter was provided, but it was empty")
	}
	timeout, err := sessionTimeout(first(q.params, "session_timeout"))
	if err != nil {
		return nil, nil, err
	}
	key := sessionKey{user: name, id: id}
	e, err := s.sessions.acquire(key, timeout, isTrue(first(q.params, "session_check")), open)
	if err != nil {
		return nil, nil, err
	}
	end := isTrue(first(q.params, "close_session"))
	return e.Session, func() { s.sessions.release(key, e, end) }, nil
}

// run executes and answers. A panic anywhere below is a bug of ours: the client gets an error, the log the stack.
func (s *Server) run(w http.ResponseWriter, r *http.Request, q *request, sess *query.Session, tag string) {
	out := &response{s: s, w: w, r: r, q: q, tag: tag}
	defer out.discard()
	defer func() {
		if p := recover(); p != nil {
			if p == http.ErrAbortHandler {
				panic(p)
			}
			s.cfg.Logger.Error("panic while answering a query", "query_id", q.ID, "panic", p, "stack", string(debug.Stack()))
			out.fail(sqlerr.New(sqlerr.LogicalError, "Internal error: %v", p))
		}
	}()
	if every := progressEvery(sess.Settings(), q.Settings); every > 0 {
		q.Watch = func(now func() query.Progress) { out.quiet = s.progressHeaders(r, every, now) }
	}
	res, err := sess.Execute(r.Context(), q.Query)
	if err != nil {
		out.fail(err)
		return
	}
	defer res.Close()
	if err := out.answer(res); err != nil {
		out.fail(err)
	}
}

// answer streams a result; the error is to be told to the client.
func (out *response) answer(res *query.Result) error {
	out.res = res
	out.w.Header().Set("X-ClickHouse-Query-Id", res.QueryID)
	if res.Schema == nil {
		return out.finish()
	}
	name := res.Format
	if name == "" {
		name = out.q.defaultFormat
	}
	if name == "" {
		name = "TabSeparated"
	}
	f, err := format.Lookup(name)
	if err != nil {
		return err
	}
	if err := out.open(f); err != nil {
		return err
	}
	fw, err := f.NewWriter(out, res.Schema, res.FormatOptions())
	if err != nil {
		return err
	}
	write := fw.Write
	if out.eager {
		write = func(b *column.Block) error { return errors.Join(fw.Write(b), fw.Flush()) }
	}
	stop := func() {}
	if live, ok := fw.(format.ProgressWriter); ok && !out.wait {
		write = func(b *column.Block) error {
			out.mu.Lock()
			defer out.mu.Unlock()
			return live.Write(b)
		}
		stop = out.live(live)
		defer stop()
	}
	err = res.Run(write)
	stop()
	if err != nil {
		return err
	}
	if t := res.Totals(); t != nil {
		if err := fw.Totals(t); err != nil {
			return err
		}
	}
	if x := res.Extremes(); x != nil {
		if err := fw.Extremes(x); err != nil {
			return err
		}
	}
	if err := fw.Close(res.Stats()); err != nil {
		return err
	}
	return out.finish()
}

func (s *Server) headers(h http.Header, tag string) {
	h.Set("X-ClickHouse-Server-Display-Name", s.cfg.DisplayName)
	h.Set("X-ClickHouse-Timezone", s.cfg.Zone.String())
	h.Set("X-ClickHouse-Exception-Tag", tag)
	h.Set("Access-Control-Expose-Headers", strings.Join([]string{"X-ClickHouse-Query-Id", "X-ClickHouse-Summary", "X-ClickHouse-Server-Display-Name",
		"X-ClickHouse-Format", "X-ClickHouse-Timezone", "X-ClickHouse-Exception-Code", "X-ClickHouse-Exception-Tag"}, ","))
}
