package define

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/olapd/olapd/internal/access"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/query/ast"
	"github.com/olapd/olapd/query/settings"
)

// Access is what statements about users and their kin are carried out with.
type Access struct {
	User     string // who runs the statement, for CURRENT_USER
	Database string
	// Fixed is the users of the config file, which are not in the state that is changed.
	Fixed []string
	ID    func() string // a new UUID
	Text  func(ast.Expr) (string, error)
	Zone  *time.Location
}

func (o *Access) fixed(name string) bool { return slices.Contains(o.Fixed, name) }

// kinds are the entities by their keywords.
var kinds = map[ast.AccessKind]access.Kind{ast.AccessUser: access.KindUser, ast.AccessRole: access.KindRole, ast.AccessPolicy: access.KindPolicy,
	ast.AccessQuota: access.KindQuota, ast.AccessProfile: access.KindProfile}

// EntityName is the full name of an entity that a statement names.
func (o *Access) EntityName(kind ast.AccessKind, n ast.AccessName) string {
	switch {
	case kind == ast.AccessPolicy:
		db, table := o.PolicyTable(n.Table)
		return access.PolicyName(n.Name, db, table)
	case n.Host != "" && n.Host != "%":
		return n.Name + "@" + n.Host
	}
	return n.Name
}

// PolicyTable is the table a policy is on.
func (o *Access) PolicyTable(t ast.TableName) (database, table string) {
	if t.Database.IsZero() {
		return o.Database, t.Table.Text
	}
	return t.Database.Text, t.Table.Text
}

// Change carries out CREATE and ALTER.
func (o *Access) Change(st *access.State, s *ast.AccessChange) (*access.State, error) {
	kind := kinds[s.Kind]
	if s.NewName != "" && len(s.Names) > 1 {
		return nil, sqlerr.At(s.Start, sqlerr.BadArguments, "Only one %s can be renamed at once", kind)
	}
	for _, n := range s.Names {
		name := o.EntityName(s.Kind, n)
		if kind == access.KindUser && o.fixed(name) {
			if s.IfNotExists {
				continue
			}
			return nil, readOnly(map[bool]string{true: "update", false: "insert"}[s.Alter], name)
		}
		there := st.Has(kind, name)
		switch {
		case s.Alter && !there && s.IfExists, !s.Alter && there && s.IfNotExists:
			continue
		case s.Alter && !there:
			return nil, access.Unknown(kind, name)
		}
		e, err := o.entity(st, s, n, name)
		if err != nil {
			return nil, err
		}
		if s.Alter || there && s.OrReplace {
			st, err = st.WithChanged(name, e)
		} else {
			st, err = st.With(e)
		}
		if err != nil {
			return nil, err
		}
	}
	return st, nil
}

func readOnly(verb, user string) error {
	return sqlerr.New(sqlerr.AccessStorageReadonly, "Cannot %s user `%s` in users_xml because this storage is readonly: the user is of the config file", verb, user)
}

// entity makes the entity of a name: from the one there is for ALTER, else a new one.
func (o *Access) entity(st *access.State, s *ast.AccessChange, n ast.AccessName, name string) (access.Entity, error) {
	final := name
	if s.NewName != "" {
		final = s.NewName
	}
	switch s.Kind {
	case ast.AccessUser:
		u := &access.User{ID: o.ID(), Auth: []access.Auth{{Type: access.NoPassword}}, Hosts: access.Hosts{Any: true}, DefaultRoles: access.Names{All: true}, Grantees: access.Names{All: true}}
		if n.Host != "" && n.Host != "%" {
			u.Hosts = access.Hosts{Likes: []string{n.Host}}
		}
		if s.Alter {
			u = access.Fork(st.User(name))
		}
		u.Name = final
		return u, o.user(st, u, s)
	case ast.AccessRole:
		r := &access.Role{ID: o.ID()}
		if s.Alter {
			r = access.Fork(st.Role(name))
		}
		r.Name = final
		return r, o.elements(st, &r.Settings, s.Settings)
	case ast.AccessProfile:
		p := &access.Profile{ID: o.ID()}
		if s.Alter {
			p = access.Fork(st.Profile(name))
		}
		p.Name = final
		return p, firstError(o.elements(st, &p.Settings, s.Settings), o.names(st, &p.To, s.To))
	case ast.AccessPolicy:
		return o.policy(st, s, n, name)
	}
	q := &access.Quota{ID: o.ID()}
	if s.Alter {
		q = access.Fork(st.Quota(name))
	}
	q.Name = final
	return q, firstError(o.quota(q, s), o.names(st, &q.To, s.To))
}

func firstError(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

func (o *Access) user(st *access.State, u *access.User, s *ast.AccessChange) error {
	if err := o.auth(u, s); err != nil {
		return err
	}
	for _, h := range []struct {
		clause *ast.HostClause
		apply  func(*access.Hosts, access.Hosts)
	}{{s.Hosts, func(h *access.Hosts, c access.Hosts) { *h = c }}, {s.AddHosts, addHosts}, {s.DropHosts, dropHosts}} {
		if h.clause == nil {
			continue
		}
		c, err := hosts(h.clause)
		if err != nil {
			return err
		}
		h.apply(&u.Hosts, c)
	}
	if s.DefaultDatabase != nil {
		u.DefaultDatabase = *s.DefaultDatabase
	}
	if s.DefaultRoles != nil {
		for _, r := range append(slices.Clone(s.DefaultRoles.Names), s.DefaultRoles.Except...) {
			if st.Role(r) == nil {
				return access.Unknown(access.KindRole, r)
			}
			if !s.Alter { // CREATE USER … DEFAULT ROLE grants them too
				u.Roles = append(u.Roles, access.RoleGrant{Role: r})
			} else if !slices.ContainsFunc(u.Roles, func(g access.RoleGrant) bool { return g.Role == r }) {
				return sqlerr.New(sqlerr.SetNonGrantedRole, "Role %s should be granted to set default", r)
			}
		}
		u.DefaultRoles = access.Names{All: s.DefaultRoles.All, List: s.DefaultRoles.Names, Except: s.DefaultRoles.Except}
	}
	return firstError(o.elements(st, &u.Settings, s.Settings), o.names(st, &u.Grantees, s.Grantees))
}

// auth sets how a user logs in.
func (o *Access) auth(u *access.User, s *ast.AccessChange) error {
	until := int64(0)
	if s.ValidUntil != nil {
		var err error
		if until, err = o.until(*s.ValidUntil); err != nil {
			return err
		}
	}
	if c := s.Auth; c != nil {
		switch {
		case c.Reset:
			u.Auth = u.Auth[max(len(u.Auth)-1, 0):]
		case !c.Add:
			u.Auth = nil
		default:
			u.Auth = slices.DeleteFunc(slices.Clone(u.Auth), func(a access.Auth) bool { return a.Type == access.NoPassword })
		}
		for _, m := range c.Methods {
			a, err := o.method(m)
			if err != nil {
				return err
			}
			u.Auth = append(slices.Clone(u.Auth), a)
		}
		if len(u.Auth) == 0 { // NOT IDENTIFIED
			u.Auth = []access.Auth{{Type: access.NoPassword}}
		}
	}
	if s.ValidUntil != nil {
		u.Auth = slices.Clone(u.Auth)
		for i := range u.Auth {
			u.Auth[i].Until = until
		}
	}
	if len(u.Auth) > maxAuth {
		return sqlerr.New(sqlerr.BadArguments, "User can not be created/updated because it exceeds the allowed quantity of authentication methods per user. Max is: %d", maxAuth)
	}
	return nil
}

// maxAuth is how many ways a user may have to log in: each costs a hash when none is right.
const maxAuth = 100

func (o *Access) method(m ast.AuthMethod) (a access.Auth, err error) {
	switch typ, given := strings.CutSuffix(m.Type, "_hash"); {
	case given:
		a, err = access.GivenHash(access.AuthType(typ+"_password"), m.Secret, m.Salt)
	case m.Type == "":
		a, err = access.NewAuth(access.SHA256, m.Secret)
	case m.Type == string(access.NoPassword) || strings.HasSuffix(m.Type, "_password"):
		a, err = access.NewAuth(access.AuthType(m.Type), m.Secret)
	default:
		return a, sqlerr.New(sqlerr.NotImplemented, "Authentication by %s is not implemented", m.Type)
	}
	if err == nil && m.ValidUntil != "" {
		a.Until, err = o.until(m.ValidUntil)
	}
	return a, err
}

func (o *Access) until(text string) (int64, error) {
	if strings.EqualFold(text, "infinity") {
		return 0, nil
	}
	zone := o.Zone
	if zone == nil {
		zone = time.UTC
	}
	for _, layout := range []string{time.RFC3339, "2006-01-02 15:04:05 MST", "2006-01-02 15:04:05", "2006-01-02 15:04", "2006-01-02"} {
		if t, err := time.ParseInLocation(layout, text, zone); err == nil {
			return max(t.Unix(), 1), nil
		}
	}
	return 0, sqlerr.New(sqlerr.CannotParseDatetime, "Cannot read the time of VALID UNTIL: '%s'", text)
}

func hosts(c *ast.HostClause) (access.Hosts, error) {
	for _, ip := range c.IPs {
		if _, err := access.ParsePrefix(ip); err != nil {
			return access.Hosts{}, err
		}
	}
	return access.Hosts{Any: c.Any, Local: c.Local, IPs: c.IPs, Names: c.Names, Regexps: c.Regexps, Likes: c.Likes}, nil
}

func addHosts(h *access.Hosts, c access.Hosts) {
	*h = access.Hosts{Any: h.Any || c.Any, Local: h.Local || c.Local, IPs: slices.Concat(h.IPs, c.IPs), Names: slices.Concat(h.Names, c.Names),
		Regexps: slices.Concat(h.Regexps, c.Regexps), Likes: slices.Concat(h.Likes, c.Likes)}
}

func dropHosts(h *access.Hosts, c access.Hosts) {
	less := func(a, b []string) []string {
		return slices.DeleteFunc(slices.Clone(a), func(x string) bool { return slices.Contains(b, x) })
	}
	*h = access.Hosts{Any: h.Any && !c.Any, Local: h.Local && !c.Local, IPs: less(h.IPs, c.IPs), Names: less(h.Names, c.Names),
		Regexps: less(h.Regexps, c.Regexps), Likes: less(h.Likes, c.Likes)}
}

// names sets a choice of users and roles, if one is given.
func (o *Access) names(st *access.State, to *access.Names, c *ast.RoleSet) error {
	if c == nil {
		return nil
	}
	n, err := o.Chosen(st, c)
	if err == nil {
		*to = n
	}
	return err
}

// Chosen resolves a choice of users and roles, which must exist.
func (o *Access) Chosen(st *access.State, c *ast.RoleSet) (access.Names, error) {
	n := access.Names{All: c.All, List: slices.Clone(c.Names), Except: slices.Clone(c.Except)}
	if c.Current {
		n.List = append(n.List, o.User)
	}
	if c.ExceptCurrent {
		n.Except = append(n.Except, o.User)
	}
	for _, x := range slices.Concat(n.List, n.Except) {
		if st.User(x) == nil && st.Role(x) == nil && !o.fixed(x) {
			return n, access.Unknown(access.KindRole, x)
		}
	}
	return n, nil
}

// elements changes the settings of an entity.
func (o *Access) elements(st *access.State, list *[]access.Element, c *ast.ProfileClause) error {
	if c == nil {
		return nil
	}
	out := slices.DeleteFunc(slices.Clone(*list), func(e access.Element) bool {
		return c.Replace || c.DropAllSettings && e.Profile == "" || c.DropAllProfiles && e.Profile != "" ||
			e.Profile == "" && slices.Contains(c.Drop, e.Setting) || e.Profile != "" && slices.Contains(c.DropProfiles, e.Profile)
	})
	for _, x := range c.Elements {
		e, err := o.element(st, x)
		if err != nil {
			return err
		}
		out = slices.DeleteFunc(out, func(old access.Element) bool { return old.Profile == e.Profile && old.Setting == e.Setting })
		out = append(out, e)
	}
	*list = out
	return nil
}

func (o *Access) element(st *access.State, x ast.ProfileElement) (access.Element, error) {
	if x.Profile != "" {
		if st.Profile(x.Profile) == nil {
			return access.Element{}, access.Unknown(access.KindProfile, x.Profile)
		}
		return access.Element{Profile: x.Profile}, nil
	}
	e := access.Element{Setting: x.Setting, Writability: x.Writability}
	for _, v := range []struct {
		expr ast.Expr
		to   **string
	}{{x.Value, &e.Value}, {x.Min, &e.Min}, {x.Max, &e.Max}} {
		if v.expr == nil {
			continue
		}
		text, err := o.Text(v.expr)
		if err != nil {
			return e, err
		}
		*v.to = &text
	}
	return e, settings.CheckElement(e)
}

func (o *Access) policy(st *access.State, s *ast.AccessChange, n ast.AccessName, name string) (access.Entity, error) {
	p := &access.Policy{ID: o.ID(), Name: n.Name}
	p.Database, p.Table = o.PolicyTable(n.Table)
	if s.Alter {
		p = access.Fork(st.Policy(name))
	}
	if s.NewName != "" {
		p.Name = s.NewName
	}
	if s.Filter != nil {
		p.Filter = ""
		if s.Filter.Expr != nil {
			p.Filter = ast.Format(s.Filter.Expr)
		}
	}
	if s.Restrictive != nil {
		p.Restrictive = *s.Restrictive
	}
	return p, o.names(st, &p.To, s.To)
}

func (o *Access) quota(q *access.Quota, s *ast.AccessChange) error {
	if s.Keys != nil {
		q.Keys = *s.Keys
	}
	for _, x := range s.Intervals {
		q.Intervals = slices.DeleteFunc(slices.Clone(q.Intervals), func(i access.Interval) bool { return i.Seconds == x.Seconds })
		if x.NoLimits {
			continue
		}
		i := access.Interval{Seconds: x.Seconds, Randomized: x.Randomized, Max: map[string]uint64{}}
		for _, m := range x.Max {
			n, err := quotaValue(m)
			if err != nil {
				return err
			}
			i.Max[m.Resource] = n
		}
		q.Intervals = append(q.Intervals, i)
	}
	slices.SortFunc(q.Intervals, func(a, b access.Interval) int { return int(a.Seconds - b.Seconds) })
	return nil
}

// quotaValue reads a limit: a count, perhaps with a unit such as 10M or 1.5Gi, or seconds with a fraction of execution_time.
func quotaValue(m ast.QuotaMax) (uint64, error) {
	text, scale := m.Value, 1.0
	for _, u := range []struct {
		suffix string
		n      float64
	}{{"Ki", 1 << 10}, {"Mi", 1 << 20}, {"Gi", 1 << 30}, {"Ti", 1 << 40}, {"K", 1e3}, {"M", 1e6}, {"G", 1e9}, {"T", 1e12}} {
		if base, ok := strings.CutSuffix(text, u.suffix); ok {
			text, scale = base, u.n
			break
		}
	}
	if m.Resource == "execution_time" {
		scale *= float64(time.Second)
	}
	if n, err := strconv.ParseUint(text, 10, 64); err == nil && scale == 1 {
		return n, nil
	}
	f, err := strconv.ParseFloat(text, 64)
	if err != nil || f < 0 || f*scale >= 1<<63 {
		return 0, sqlerr.New(sqlerr.CannotParseNumber, "Cannot read the limit %s = %s", m.Resource, m.Value)
	}
	return uint64(f * scale), nil
}

// Drop carries out DROP.
func (o *Access) Drop(st *access.State, s *ast.AccessDrop) (*access.State, error) {
	kind := kinds[s.Kind]
	for _, n := range s.Names {
		name := o.EntityName(s.Kind, n)
		if kind == access.KindUser && o.fixed(name) {
			return nil, readOnly("remove", name)
		}
		if !st.Has(kind, name) && s.IfExists {
			continue
		}
		var err error
		if st, err = st.Without(kind, name); err != nil {
			return nil, err
		}
	}
	return st, nil
}

// SetDefault carries out SET DEFAULT ROLE.
func (o *Access) SetDefault(st *access.State, s *ast.SetRole) (*access.State, error) {
	to, err := o.Chosen(st, s.To)
	if err != nil {
		return nil, err
	}
	for _, name := range to.List {
		if o.fixed(name) {
			return nil, readOnly("update", name)
		}
		u := st.User(name)
		if u == nil {
			return nil, access.Unknown(access.KindUser, name)
		}
		u = access.Fork(u)
		if err := o.user(st, u, &ast.AccessChange{Alter: true, DefaultRoles: s.Roles}); err != nil {
			return nil, err
		}
		if st, err = st.WithChanged(name, u); err != nil {
			return nil, err
		}
	}
	return st, nil
}
