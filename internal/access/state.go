package access

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/olapd/olapd/internal/sqlerr"
)

// stateVersion is the form in which a State is stored.
const stateVersion = 1

// State is all entities at one version. Immutable.
type State struct {
	Version  uint64
	users    map[string]*User
	roles    map[string]*Role
	profiles map[string]*Profile
	policies map[string]*Policy // by FullName
	quotas   map[string]*Quota
}

// New returns a state without entities.
func New() *State {
	return &State{users: map[string]*User{}, roles: map[string]*Role{}, profiles: map[string]*Profile{}, policies: map[string]*Policy{}, quotas: map[string]*Quota{}}
}

// WithFixed returns the state with the users of the config file beside its own; they go before stored ones of the same name.
func (s *State) WithFixed(users []*User) *State {
	n := s.clone()
	n.Version = s.Version
	for _, u := range users {
		n.users[u.Name] = u
	}
	return n
}

// At returns the state as that of a version: several changes made at once count as one.
func (s *State) At(version uint64) *State {
	n := *s
	n.Version = version
	return &n
}

func (s *State) clone() *State {
	return &State{Version: s.Version + 1, users: maps.Clone(s.users), roles: maps.Clone(s.roles), profiles: maps.Clone(s.profiles),
		policies: maps.Clone(s.policies), quotas: maps.Clone(s.quotas)}
}

func sorted[T any](m map[string]*T) []*T {
	out := make([]*T, 0, len(m))
	for _, k := range slices.Sorted(maps.Keys(m)) {
		out = append(out, m[k])
	}
	return out
}

// Users lists the users by name.
func (s *State) Users() []*User { return sorted(s.users) }

// Roles lists the roles by name.
func (s *State) Roles() []*Role { return sorted(s.roles) }

// Profiles lists the settings profiles by name.
func (s *State) Profiles() []*Profile { return sorted(s.profiles) }

// Policies lists the row policies by full name.
func (s *State) Policies() []*Policy { return sorted(s.policies) }

// Quotas lists the quotas by name.
func (s *State) Quotas() []*Quota { return sorted(s.quotas) }

// User returns a user, or nil.
func (s *State) User(name string) *User { return s.users[name] }

// Role returns a role, or nil.
func (s *State) Role(name string) *Role { return s.roles[name] }

// Profile returns a settings profile, or nil.
func (s *State) Profile(name string) *Profile { return s.profiles[name] }

// Policy returns a row policy by its full name, or nil.
func (s *State) Policy(full string) *Policy { return s.policies[full] }

// Quota returns a quota, or nil.
func (s *State) Quota(name string) *Quota { return s.quotas[name] }

// FullName is what a policy is called: name ON database.table.
func (p *Policy) FullName() string { return PolicyName(p.Name, p.Database, p.Table) }

// PolicyName joins the parts of a policy's full name.
func PolicyName(name, database, table string) string { return name + " ON " + database + "." + table }

// Kind is a kind of entity, as messages name it.
type Kind string

// The kinds.
const (
	KindUser    Kind = "user"
	KindRole    Kind = "role"
	KindProfile Kind = "settings profile"
	KindPolicy  Kind = "row policy"
	KindQuota   Kind = "quota"
)

var unknownCodes = map[Kind]sqlerr.Code{KindUser: sqlerr.UnknownUser, KindRole: sqlerr.UnknownRole, KindProfile: sqlerr.ThereIsNoProfile,
	KindPolicy: sqlerr.UnknownRowPolicy, KindQuota: sqlerr.UnknownQuota}

// Unknown is the error that there is no such entity.
func Unknown(k Kind, name string) error {
	return sqlerr.New(unknownCodes[k], "There is no %s `%s` in `user directories`.", k, name)
}

// Has reports whether there is an entity.
func (s *State) Has(k Kind, name string) bool {
	switch k {
	case KindUser:
		return s.users[name] != nil
	case KindRole:
		return s.roles[name] != nil
	case KindProfile:
		return s.profiles[name] != nil
	case KindPolicy:
		return s.policies[name] != nil
	}
	return s.quotas[name] != nil
}

// taken returns why a name cannot be given to a new entity, or nil.
func (s *State) taken(k Kind, name string) error {
	for _, other := range []Kind{k, KindUser, KindRole} {
		if (other == k || k == KindUser || k == KindRole) && s.Has(other, name) {
			return sqlerr.New(sqlerr.AccessEntityAlreadyExists, "Cannot insert %s `%s` to replicated, because %s `%s` already exists in replicated.", k, name, other, name)
		}
	}
	return nil
}

// Entity is a *User, *Role, *Profile, *Policy or *Quota.
type Entity interface{ entity() (Kind, string) }

func (u *User) entity() (Kind, string)    { return KindUser, u.Name }
func (r *Role) entity() (Kind, string)    { return KindRole, r.Name }
func (p *Profile) entity() (Kind, string) { return KindProfile, p.Name }
func (p *Policy) entity() (Kind, string)  { return KindPolicy, p.FullName() }
func (q *Quota) entity() (Kind, string)   { return KindQuota, q.Name }

func (s *State) put(e Entity) {
	switch e := e.(type) {
	case *User:
		s.users[e.Name] = e
	case *Role:
		s.roles[e.Name] = e
	case *Profile:
		s.profiles[e.Name] = e
	case *Policy:
		s.policies[e.FullName()] = e
	case *Quota:
		s.quotas[e.Name] = e
	}
}

func (s *State) remove(k Kind, name string) {
	switch k {
	case KindUser:
		delete(s.users, name)
	case KindRole:
		delete(s.roles, name)
	case KindProfile:
		delete(s.profiles, name)
	case KindPolicy:
		delete(s.policies, name)
	case KindQuota:
		delete(s.quotas, name)
	}
}

// With returns the state with one more entity; AccessEntityAlreadyExists if its name is taken.
func (s *State) With(e Entity) (*State, error) {
	k, name := e.entity()
	if err := s.taken(k, name); err != nil {
		return nil, err
	}
	n := s.clone()
	n.put(e)
	return n, nil
}

// WithChanged returns the state with an entity, known by its old name, replaced; references to it follow a new name.
func (s *State) WithChanged(old string, e Entity) (*State, error) {
	k, name := e.entity()
	if !s.Has(k, old) {
		return nil, Unknown(k, old)
	}
	if name != old {
		if err := s.taken(k, name); err != nil {
			return nil, err
		}
	}
	n := s.clone()
	n.remove(k, old)
	n.put(e)
	if name != old {
		n.rename(k, old, name)
	}
	return n, nil
}

// Without returns the state without an entity; references to it go too.
func (s *State) Without(k Kind, name string) (*State, error) {
	if !s.Has(k, name) {
		return nil, Unknown(k, name)
	}
	n := s.clone()
	n.remove(k, name)
	n.rename(k, name, "")
	return n, nil
}

// rename changes references to an entity in all others, or drops them if its new name is empty. s is not published yet; the entities are
// copied.
func (s *State) rename(k Kind, old, now string) {
	names := func(list []string) []string { return renamed(list, old, now, k == KindUser || k == KindRole) }
	choice := func(n Names) Names { return Names{All: n.All, List: names(n.List), Except: names(n.Except)} }
	elements := func(list []Element) []Element {
		var out []Element
		for _, e := range list {
			if k == KindProfile && e.Profile == old {
				if now == "" {
					continue
				}
				e.Profile = now
			}
			out = append(out, e)
		}
		return out
	}
	roles := func(list []RoleGrant) []RoleGrant {
		var out []RoleGrant
		for _, g := range list {
			if k == KindRole && g.Role == old {
				if now == "" {
					continue
				}
				g.Role = now
			}
			out = append(out, g)
		}
		return out
	}
	for name, u := range s.users {
		c := *u
		c.Roles, c.DefaultRoles, c.Grantees, c.Settings = roles(u.Roles), choice(u.DefaultRoles), choice(u.Grantees), elements(u.Settings)
		s.users[name] = &c
	}
	for name, r := range s.roles {
		c := *r
		c.Roles, c.Settings = roles(r.Roles), elements(r.Settings)
		s.roles[name] = &c
	}
	for name, p := range s.profiles {
		c := *p
		c.Settings, c.To = elements(p.Settings), choice(p.To)
		s.profiles[name] = &c
	}
	for name, p := range s.policies {
		c := *p
		c.To = choice(p.To)
		s.policies[name] = &c
	}
	for name, q := range s.quotas {
		c := *q
		c.To = choice(q.To)
		s.quotas[name] = &c
	}
}

func renamed(list []string, old, now string, applies bool) []string {
	if !applies || !slices.Contains(list, old) {
		return list
	}
	var out []string
	for _, x := range list {
		switch {
		case x != old:
			out = append(out, x)
		case now != "":
			out = append(out, now)
		}
	}
	return out
}

// file is the stored form.
type file struct {
	Form     int        `json:"form"`
	Version  uint64     `json:"version"`
	Users    []*User    `json:"users,omitempty"`
	Roles    []*Role    `json:"roles,omitempty"`
	Profiles []*Profile `json:"profiles,omitempty"`
	Policies []*Policy  `json:"policies,omitempty"`
	Quotas   []*Quota   `json:"quotas,omitempty"`
}

// MarshalJSON writes the state in a stable order, without users of the config file.
func (s *State) MarshalJSON() ([]byte, error) {
	users := slices.DeleteFunc(s.Users(), func(u *User) bool { return u.Fixed })
	return json.Marshal(file{Form: stateVersion, Version: s.Version, Users: users, Roles: s.Roles(), Profiles: s.Profiles(), Policies: s.Policies(), Quotas: s.Quotas()})
}

// UnmarshalJSON reads what MarshalJSON wrote. CorruptedData for a form that this build does not know: a rule that is not understood
// must not be left out.
func (s *State) UnmarshalJSON(b []byte) error {
	var f file
	if err := json.Unmarshal(b, &f); err != nil {
		return err
	}
	if f.Form != stateVersion {
		return sqlerr.New(sqlerr.CorruptedData, "Users and roles are stored in form %d, this build reads %d", f.Form, stateVersion)
	}
	*s = *New()
	s.Version = f.Version
	for i, e := range entities(&f) {
		if e == nil {
			return sqlerr.New(sqlerr.CorruptedData, "Entity %d of the stored users and roles is missing", i)
		}
		s.put(e)
	}
	return nil
}

func entities(f *file) []Entity {
	var out []Entity
	for _, x := range f.Users {
		out = appendEntity(out, x)
	}
	for _, x := range f.Roles {
		out = appendEntity(out, x)
	}
	for _, x := range f.Profiles {
		out = appendEntity(out, x)
	}
	for _, x := range f.Policies {
		out = appendEntity(out, x)
	}
	for _, x := range f.Quotas {
		out = appendEntity(out, x)
	}
	return out
}

// appendEntity appends x, as an untyped nil if it is nil.
func appendEntity[T any, P interface {
	*T
	Entity
}](out []Entity, x P) []Entity {
	if x == nil {
		return append(out, nil)
	}
	return append(out, x)
}

// Fork copies an entity, so that the copy's fields can be replaced; what they refer to is shared and must not be written to.
func Fork[T any](x *T) *T {
	c := *x
	return &c
}

// String names an entity in messages.
func String(e Entity) string {
	k, name := e.entity()
	return fmt.Sprintf("%s `%s`", k, strings.ReplaceAll(name, "`", "\\`"))
}
