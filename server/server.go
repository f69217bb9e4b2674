// Package server serves a query engine over HTTP as ClickHouse's HTTP interface does, with health checks, metrics and
// the play page, and over ClickHouse's native protocol.
//
// One Server has any number of listeners. Over HTTP a request is one statement (handler.go); its parts are read in request.go and
// auth.go, its answer written in response.go. Sessions (session.go) live between requests. What a
// client sees on failure is decided in errors.go. The play page (play.go) is the files of play/, and a client like others.
//
// Over the native protocol a connection is a session (native.go, native_conn.go) that runs one statement at a time (native_query.go);
// the packets are those of package protocol.
package server

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/http/pprof"
	"sync"
	"time"

	"github.com/olapd/olapd/internal/access"
	"github.com/olapd/olapd/internal/clock"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/query"
)

// Limits of the HTTP interface.
const (
	maxURI        = 1 << 20 // bytes of a request line and headers (http_max_uri_size)
	maxMultipart  = 1 << 24 // bytes of form fields held in memory
	headerTimeout = 30 * time.Second
	idleTimeout   = 3 * time.Minute // of a kept-alive connection
	drainTimeout  = 10 * time.Second
)

// Config is what a Server is made of. Engine must be set.
type Config struct {
	Engine      *query.Engine
	DisplayName string
	Version     string // ClickHouse-shaped, as version() answers
	Zone        *time.Location
	Clock       clock.Clock
	Logger      *slog.Logger
	// Replicas reports how far tables lag, for /replicas_status; nil: they never do.
	Replicas func() []Lag
	// Healthy returns why the node cannot serve, or nil.
	Healthy func() error
	// Metrics are what /metrics shows beside the Go runtime's own.
	Metrics func() []Metric
}

// Lag is how far a table is behind what was committed or produced.
type Lag struct {
	Database, Table    string
	Absolute, Relative time.Duration
	// Late says that the table is too far behind to be read.
	Late bool
}

// Server answers requests. Its methods are safe for concurrent use.
type Server struct {
	cfg      Config
	sessions *sessions
	natives  *natives
	handler  http.Handler

	mu struct {
		sync.Mutex
		https     []*http.Server
		listeners []net.Listener
	}
	done sync.WaitGroup
}

// New returns a Server that does not listen yet.
func New(cfg Config) *Server {
	if cfg.Clock == nil {
		cfg.Clock = clock.Real()
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	if cfg.Zone == nil {
		cfg.Zone = time.UTC
	}
	s := &Server{cfg: cfg, sessions: newSessions(cfg.Engine, cfg.Clock), natives: newNatives()}
	s.handler = s.routes()
	return s
}

func (s *Server) routes() http.Handler {
	mux := http.NewServeMux()
	for pattern, h := range s.handlers() {
		mux.Handle(pattern, h)
	}
	return mux
}

// handlers are all routes. Those that tell of the server's data ask who wants to know it: root for every query, the others those from
// elsewhere (known).
func (s *Server) handlers() map[string]http.Handler {
	return map[string]http.Handler{
		"/ping":            http.HandlerFunc(ok),
		"/healthz":         http.HandlerFunc(s.health),
		"/replicas_status": http.HandlerFunc(s.replicas),
		"/metrics":         s.private(metricsHandler(s.cfg.Metrics)),
		"/play":            playPage,
		"/play/":           playPage,
		"/":                http.HandlerFunc(s.root),
	}
}

// ServeHTTP implements http.Handler, for tests and for embedding.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.handler.ServeHTTP(w, r) }

// CheckExposed refuses an address that others can reach while one of the users needs no password.
func CheckExposed(addr string, users []*access.User) error {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return sqlerr.Wrap(err, sqlerr.BadArguments, "Bad address %q", addr)
	}
	if ip := net.ParseIP(host); host == "localhost" || ip != nil && ip.IsLoopback() {
		return nil
	}
	for _, u := range users {
		if u.Open() {
			return sqlerr.New(sqlerr.BadArguments,
				"Refusing to listen on %s, which other machines can reach, while user %q has no password; set one in the config (users.%s.password) or listen on 127.0.0.1", addr, u.Name, u.Name)
		}
	}
	return nil
}

// Serve answers requests on l in the background until Close. It takes l over.
func (s *Server) Serve(l net.Listener) { s.serve(l, s.handler) }

// ServeAdmin answers profiling requests on l: it must not be reachable by users.
func (s *Server) ServeAdmin(l net.Listener) {
	mux := http.NewServeMux()
	mux.HandleFunc("/debug/pprof/", pprof.Index)
	mux.HandleFunc("/debug/pprof/cmdline", pprof.Cmdline)
	mux.HandleFunc("/debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("/debug/pprof/symbol", pprof.Symbol)
	mux.HandleFunc("/debug/pprof/trace", pprof.Trace)
	mux.Handle("/metrics", metricsHandler(s.cfg.Metrics))
	s.serve(l, mux)
}

func (s *Server) serve(l net.Listener, h http.Handler) {
	srv := &http.Server{
		Handler: h, ConnContext: withHead, MaxHeaderBytes: maxURI, ReadHeaderTimeout: headerTimeout, IdleTimeout: idleTimeout,
		ErrorLog: slog.NewLogLogger(s.cfg.Logger.Handler(), slog.LevelDebug),
	}
	s.mu.Lock()
	s.mu.https = append(s.mu.https, srv)
	s.mu.Unlock()
	s.done.Add(1)
	go func() {
		defer s.done.Done()
		if err := srv.Serve(headListener{l}); !errors.Is(err, http.ErrServerClosed) {
			s.cfg.Logger.Error("HTTP listener stopped", "address", l.Addr().String(), "error", err)
		}
	}()
}

// Close stops listening, lets running requests end for a while, then cuts them off, and waits for all of it.
func (s *Server) Close() error {
	s.mu.Lock()
	servers := s.mu.https
	s.mu.https = nil
	for _, l := range s.mu.listeners {
		_ = l.Close() // it ends Accept; there is nothing else to do about it
	}
	s.mu.listeners = nil
	s.mu.Unlock()
	s.natives.close()
	ctx, cancel := context.WithTimeout(context.Background(), drainTimeout)
	defer cancel()
	defer context.AfterFunc(ctx, s.natives.cut)()
	var errs []error
	for _, srv := range servers {
		if err := srv.Shutdown(ctx); err != nil {
			errs = append(errs, srv.Close())
		}
	}
	s.done.Wait()
	return errors.Join(errs...)
}
