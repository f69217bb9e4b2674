package access

import (
	"slices"
	"time"

	"github.com/olapd/olapd/internal/sqlerr"
)

// Enabled is what holds for one user with some roles on. Immutable.
type Enabled struct {
	State *State
	User  *User
	// Roles are all that are on, those granted to roles too; Current are those set by SET ROLE or on by default.
	Roles, Current []string
	Rights         *Rights
	// Settings are the elements that apply, the weakest first.
	Settings []Element
	Quota    *Quota // the one that applies, or nil
}

// Enable computes what holds for a user. current is nil for the default roles. UnknownUser if the user has been dropped, SetNonGrantedRole
// for a role that is not theirs.
func (s *State) Enable(name string, current []string) (*Enabled, error) {
	u := s.users[name]
	if u == nil {
		return nil, Unknown(KindUser, name)
	}
	e := &Enabled{State: s, User: u}
	if current == nil {
		for _, g := range u.Roles {
			if u.DefaultRoles.Has(g.Role) {
				e.Current = append(e.Current, g.Role)
			}
		}
	}
	for _, r := range current {
		switch {
		case s.roles[r] == nil:
			continue // dropped since
		case !slices.ContainsFunc(u.Roles, func(g RoleGrant) bool { return g.Role == r }):
			return nil, sqlerr.New(sqlerr.SetNonGrantedRole, "Role %s should be granted to set current", r)
		}
		e.Current = append(e.Current, r)
	}
	for _, r := range e.Current {
		e.enable(r)
	}
	slices.Sort(e.Roles)
	e.Rights = RightsOf(u.Grants)
	for _, r := range e.Roles {
		e.Rights.Join(RightsOf(s.roles[r].Grants))
	}
	e.settings()
	for _, q := range s.Quotas() {
		if q.To.Has(e.names()...) {
			e.Quota = q
			break
		}
	}
	return e, nil
}

// enable turns a role on and those granted to it.
func (e *Enabled) enable(role string) {
	r := e.State.roles[role]
	if r == nil || slices.Contains(e.Roles, role) {
		return
	}
	e.Roles = append(e.Roles, role)
	for _, g := range r.Roles {
		e.enable(g.Role)
	}
}

// names are the user's and the roles', by which choices choose.
func (e *Enabled) names() []string { return append([]string{e.User.Name}, e.Roles...) }

// settings gathers profiles that apply to the names, then the roles' own, then the user's.
func (e *Enabled) settings() {
	for _, p := range e.State.Profiles() {
		if p.To.Has(e.names()...) {
			e.element(Element{Profile: p.Name}, nil)
		}
	}
	for _, r := range e.Roles {
		for _, x := range e.State.roles[r].Settings {
			e.element(x, nil)
		}
	}
	for _, x := range e.User.Settings {
		e.element(x, nil)
	}
}

// element appends an element, or those of the profile it inherits.
func (e *Enabled) element(x Element, seen []string) {
	if x.Profile == "" {
		e.Settings = append(e.Settings, x)
		return
	}
	p := e.State.profiles[x.Profile]
	if p == nil || slices.Contains(seen, x.Profile) {
		return
	}
	for _, y := range p.Settings {
		e.element(y, append(slices.Clone(seen), x.Profile))
	}
}

// Profiles are the names of the profiles that apply, in order.
func (e *Enabled) Profiles() []string {
	var out []string
	for _, p := range e.State.Profiles() {
		if p.To.Has(e.names()...) {
			out = append(out, p.Name)
		}
	}
	for _, list := range [][]Element{e.User.Settings} {
		for _, x := range list {
			if x.Profile != "" {
				out = append(out, x.Profile)
			}
		}
	}
	return out
}

// Filters are the conditions under which rows of a table show: all of all must hold, and one of any if restricted is set. restricted
// says that the table has permissive policies for somebody: who has none of them sees no row.
type Filters struct {
	All, Any   []string
	Restricted bool
}

// None reports whether all rows show.
func (f *Filters) None() bool { return len(f.All) == 0 && !f.Restricted }

// Policies returns what the row policies of a table say to the user.
func (e *Enabled) Policies(database, table string) Filters {
	var f Filters
	for _, p := range e.State.Policies() {
		if p.Database != database || p.Table != table && p.Table != AllTables {
			continue
		}
		f.Restricted = f.Restricted || !p.Restrictive && p.Filter != ""
		if p.Filter == "" || !p.To.Has(e.names()...) {
			continue
		}
		if p.Restrictive {
			f.All = append(f.All, p.Filter)
		} else {
			f.Any = append(f.Any, p.Filter)
		}
	}
	return f
}

// Login is what a client says of itself.
type Login struct {
	User     string
	Password string
	// Given says that a password was sent at all, if an empty one.
	Given bool
	// Address is the client's, host:port.
	Address string
}

// Authenticate checks a login and returns the user. The errors are RequiredPassword and AuthenticationFailed, which does not tell a
// wrong password from a user that is not there. right says that a password is known to be the right one of an Auth already.
func (s *State) Authenticate(l Login, now time.Time, dns Resolver, right func(*Auth) bool) (*User, error) {
	u := s.users[l.User]
	if u == nil {
		unknown := Auth{Type: SHA256} // as much work as for a user that is there
		unknown.Matches(l.Password)
		return nil, failed(l.User)
	}
	if !u.Hosts.Admit(l.Address, dns) {
		return nil, failed(l.User)
	}
	for i := range u.Auth {
		a := &u.Auth[i]
		if a.Type == NoPassword && !loopback(l.Address) && !u.Fixed {
			continue // who may listen for others without passwords is for the config to say
		}
		if !a.ended(now) && (right(a) || a.Matches(l.Password)) {
			return u, nil
		}
	}
	if !l.Given {
		return nil, sqlerr.New(sqlerr.RequiredPassword, "Password required for user %s", l.User)
	}
	return nil, failed(l.User)
}

func failed(user string) error {
	return sqlerr.New(sqlerr.AuthenticationFailed, "%s: Authentication failed: password is incorrect, or there is no user with such name.", user)
}
