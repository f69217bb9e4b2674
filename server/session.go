package server

import (
	"strconv"
	"sync"
	"time"

	"github.com/olapd/olapd/internal/clock"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/query"
)

// Bounds of the time a session outlives its last request.
const (
	defaultSessionTimeout = 60 * time.Second
	maxSessionTimeout     = time.Hour
	// maxSessions bounds the sessions held; the ids are the clients' to choose.
	maxSessions = 100_000
)

// sessions holds the named sessions between requests. Each serves one request at a time.
type sessions struct {
	engine *query.Engine
	clock  clock.Clock
	mu     struct {
		sync.Mutex
		m map[sessionKey]*session
	}
}

// sessionKey keeps the ids of different users apart.
type sessionKey struct{ user, id string }

type session struct {
	*query.Session
	busy    bool
	expires time.Time
	timeout time.Duration
}

func newSessions(e *query.Engine, c clock.Clock) *sessions {
	s := &sessions{engine: e, clock: c}
	s.mu.m = map[sessionKey]*session{}
	return s
}

// sessionTimeout reads the parameter session_timeout, in seconds.
func sessionTimeout(text string) (time.Duration, error) {
	if text == "" {
		return defaultSessionTimeout, nil
	}
	n, err := strconv.ParseUint(text, 10, 32)
	if err != nil {
		return 0, sqlerr.New(sqlerr.InvalidSessionTimeout, "Invalid session timeout: '%s'", text)
	}
	d := time.Duration(n) * time.Second
	if d > maxSessionTimeout {
		return 0, sqlerr.New(sqlerr.InvalidSessionTimeout, "Session timeout '%s' is larger than max_session_timeout: %d", text, int(maxSessionTimeout.Seconds()))
	}
	return d, nil
}

// acquire returns the named session, made if it is not there and mustExist is false, and locks it for one request.
func (s *sessions) acquire(key sessionKey, timeout time.Duration, mustExist bool, open query.SessionOptions) (*session, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.expireLocked()
	e := s.mu.m[key]
	switch {
	case e == nil && mustExist:
		return nil, sqlerr.New(sqlerr.SessionNotFound, "Session %s not found", key.id)
	case e != nil && e.busy:
		return nil, sqlerr.New(sqlerr.SessionIsLocked, "Session %s is locked by a concurrent client", key.id)
	case e == nil && len(s.mu.m) >= maxSessions:
		return nil, sqlerr.New(sqlerr.TooManySimultaneousQueries, "Too many sessions: %d", maxSessions)
	case e == nil:
		one, err := s.engine.NewSession(open)
		if err != nil {
			return nil, err
		}
		e = &session{Session: one}
		s.mu.m[key] = e
	}
	e.busy, e.timeout = true, timeout
	return e, nil
}

// release unlocks a session and starts its timeout, or ends it.
func (s *sessions) release(key sessionKey, e *session, end bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	e.busy = false
	e.expires = s.clock.Now().Add(e.timeout)
	if end {
		delete(s.mu.m, key)
	}
}

// expireLocked ends the sessions whose time has run out. REQUIRES: s.mu.
func (s *sessions) expireLocked() {
	now := s.clock.Now()
	for k, e := range s.mu.m {
		if !e.busy && now.After(e.expires) {
			delete(s.mu.m, k)
		}
	}
}
