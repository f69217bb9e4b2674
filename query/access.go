package query

import (
	"context"
	"crypto/rand"
	"sync"
	"sync/atomic"

	"github.com/olapd/olapd/internal/access"
	"github.com/olapd/olapd/internal/sqlerr"
)

// Access reads and changes users, roles and their kin. Safe for concurrent use.
type Access interface {
	State() *access.State
	// Change replaces the newest state by what f makes of it, in one commit, and returns the one that was committed. f is pure and is
	// called again when another change came first; an error of f is returned as it is, with nothing changed. If f returns its argument
	// nothing is committed.
	Change(ctx context.Context, f func(*access.State) (*access.State, error)) (*access.State, error)
}

// memoryAccess keeps the state in memory, for engines that have nowhere else to keep it.
type memoryAccess struct {
	mu    sync.Mutex // held by changes
	state atomic.Pointer[access.State]
}

func newMemoryAccess() *memoryAccess {
	m := &memoryAccess{}
	m.state.Store(access.New())
	return m
}

// State implements Access.
func (m *memoryAccess) State() *access.State { return m.state.Load() }

// Change implements Access.
func (m *memoryAccess) Change(_ context.Context, f func(*access.State) (*access.State, error)) (*access.State, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	next, err := f(m.state.Load())
	if err != nil {
		return nil, err
	}
	m.state.Store(next)
	return next, nil
}

// gate is what an engine knows of access: the stored state under the users of the config, and what it remembers of them.
type gate struct {
	stored Access
	fixed  []*access.User
	dns    access.Resolver
	key    []byte // of fingerprints
	merged atomic.Pointer[mergedState]
	mu     struct {
		sync.Mutex
		// right are the fingerprints of passwords that were right, by user: hashes that take time on purpose are not worth it twice.
		right map[string]rightPassword
	}
}

type mergedState struct{ stored, all *access.State }

type rightPassword struct {
	auth        access.Auth
	fingerprint string
}

func (g *gate) init(d *Deps) {
	g.stored, g.fixed, g.dns = d.Access, d.Users, d.Resolver
	if g.stored == nil {
		g.stored = newMemoryAccess()
	}
	if len(g.fixed) == 0 {
		g.fixed = []*access.User{access.Administrator("default")}
	}
	g.key = make([]byte, 32)
	rand.Read(g.key) // never fails
	g.mu.right = map[string]rightPassword{}
}

// state is the newest state with the users of the config.
func (g *gate) state() *access.State {
	stored := g.stored.State()
	if m := g.merged.Load(); m != nil && m.stored == stored {
		return m.all
	}
	m := &mergedState{stored, stored.WithFixed(g.fixed)}
	g.merged.Store(m)
	return m.all
}

// failedLogins is the resource of quotas that counts wrong passwords in a row.
const failedLogins = "failed_sequential_authentications"

// Authenticate checks who a client says it is and returns the user to open sessions for. RequiredPassword and AuthenticationFailed are
// the errors; QuotaExceeded after too many failures of a user with such a quota.
func (e *Engine) Authenticate(ctx context.Context, l access.Login) (string, error) {
	if l.User == "" {
		l.User = "default"
	}
	if err := ctx.Err(); err != nil {
		return "", err
	}
	g := &e.gate
	state := g.state()
	print := access.Fingerprint(g.key, l.Password)
	g.mu.Lock()
	known, ok := g.mu.right[l.User]
	g.mu.Unlock()
	var matched access.Auth
	u, err := state.Authenticate(l, e.deps.Clock.Now(), g.dns, func(a *access.Auth) bool {
		matched = *a
		return ok && known.auth == *a && known.fingerprint == print
	})
	var failures *account
	if en, eerr := state.Enable(l.User, nil); eerr == nil {
		failures = e.quotas.account(en, l.Address, e.deps.Clock.Now)
	}
	if qerr := failures.over(failedLogins); qerr != nil { // whatever the password: it is not told whether it was right
		return "", qerr
	}
	if err != nil {
		e.log.countError(sqlerr.CodeOf(err), err.Error(), e.deps.Clock.Now())
		_ = failures.add(map[string]uint64{failedLogins: 1}) // the next one hears of it
		return "", err
	}
	failures.reset(failedLogins)
	if matched.Type == access.Bcrypt || matched.Type == access.ScramSHA256 {
		g.mu.Lock()
		g.mu.right[u.Name] = rightPassword{matched, print}
		g.mu.Unlock()
	}
	return u.Name, nil
}

// enabled is what holds for the session's user now; AccessEntityNotFound if the user was dropped since.
func (s *Session) enabled() (*access.Enabled, error) {
	if s.own != nil {
		return s.own, nil
	}
	state := s.e.gate.state()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.mu.access != nil && s.mu.access.State == state {
		return s.mu.access, nil
	}
	en, err := state.Enable(s.o.User, s.mu.roles)
	if err != nil {
		if sqlerr.Is(err, sqlerr.UnknownUser) {
			err = sqlerr.New(sqlerr.AccessEntityNotFound, "User has been dropped")
		}
		return nil, err
	}
	s.mu.access = en
	return en, nil
}
