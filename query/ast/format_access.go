package ast

import (
	"strconv"
	"strings"
)

// access prints the statements of access.go, and reports whether s is one.
func (p *printer) access(s Statement) bool {
	switch s := s.(type) {
	case *AccessChange:
		p.accessChange(s)
	case *AccessDrop:
		p.put("DROP ", string(s.Kind))
		p.when(s.IfExists, " IF EXISTS")
		p.put(" ")
		p.accessNames(s.Names)
		p.onCluster(s.OnCluster)
	case *Grant:
		p.grant(s)
	case *SetRole:
		p.setRole(s)
	case *ShowAccess:
		p.showAccess(s)
	default:
		return false
	}
	return true
}

func (p *printer) accessNames(list []AccessName) {
	for i, n := range list {
		p.when(i > 0, ", ")
		p.put(QuoteIdent(n.Name))
		p.when(n.Host != "", "@"+QuoteString(n.Host))
		switch {
		case n.Table.Table.Text == "*":
			p.put(" ON ", n.Table.Database.format(), ".*")
		case !n.Table.Table.IsZero():
			p.put(" ON ", n.Table.format())
		}
	}
}

func (p *printer) accessChange(s *AccessChange) {
	verb := "CREATE "
	if s.Alter {
		verb = "ALTER "
	}
	p.put(verb, string(s.Kind))
	p.when(s.IfExists, " IF EXISTS")
	p.when(s.IfNotExists, " IF NOT EXISTS")
	p.when(s.OrReplace, " OR REPLACE")
	p.put(" ")
	p.accessNames(s.Names)
	p.onCluster(s.OnCluster)
	p.when(s.NewName != "", " RENAME TO "+QuoteIdent(s.NewName))
	p.auth(s.Auth)
	p.hosts(" HOST ", s.Hosts)
	p.hosts(" ADD HOST ", s.AddHosts)
	p.hosts(" DROP HOST ", s.DropHosts)
	if s.ValidUntil != nil {
		p.put(" VALID UNTIL ", QuoteString(*s.ValidUntil))
	}
	p.when(s.Storage != "", " IN "+QuoteIdent(s.Storage))
	p.roles(" DEFAULT ROLE ", s.DefaultRoles)
	if s.DefaultDatabase != nil {
		p.put(" DEFAULT DATABASE ")
		if *s.DefaultDatabase == "" {
			p.put("NONE")
		} else {
			p.put(QuoteIdent(*s.DefaultDatabase))
		}
	}
	p.policy(s)
	p.quota(s)
	p.profile(s.Settings)
	p.roles(" GRANTEES ", s.Grantees)
	p.roles(" TO ", s.To)
}

func (p *printer) auth(a *AuthClause) {
	if a == nil {
		return
	}
	if a.Reset {
		p.put(" RESET AUTHENTICATION METHODS TO NEW")
		return
	}
	if len(a.Methods) == 0 {
		p.put(" NOT IDENTIFIED")
		return
	}
	p.when(a.Add, " ADD")
	p.put(" IDENTIFIED")
	for i, m := range a.Methods {
		p.when(i > 0, ",")
		if m.Type != "" {
			p.when(i == 0, " WITH")
			p.put(" ", m.Type)
		}
		secret, salt := m.Secret, m.Salt
		if p.hide {
			secret, salt = Hidden, ""
		}
		p.when(m.HasSecret, " BY "+QuoteString(secret))
		p.when(salt != "", " SALT "+QuoteString(salt))
		p.when(m.ValidUntil != "", " VALID UNTIL "+QuoteString(m.ValidUntil))
	}
}

func (p *printer) hosts(prefix string, h *HostClause) {
	if h == nil {
		return
	}
	var items []string
	for _, w := range []struct {
		on   bool
		text string
	}{{h.Any, "ANY"}, {h.None, "NONE"}, {h.Local, "LOCAL"}} {
		if w.on {
			items = append(items, w.text)
		}
	}
	for _, l := range []struct {
		word string
		list []string
	}{{"IP ", h.IPs}, {"NAME ", h.Names}, {"REGEXP ", h.Regexps}, {"LIKE ", h.Likes}} {
		if len(l.list) > 0 {
			items = append(items, l.word+quotedList(l.list, QuoteString))
		}
	}
	p.put(prefix, strings.Join(items, ", "))
}

func quotedList(list []string, quote func(string) string) string {
	out := make([]string, len(list))
	for i, x := range list {
		out[i] = quote(x)
	}
	return strings.Join(out, ", ")
}

func (p *printer) roles(prefix string, r *RoleSet) {
	if r != nil {
		p.put(prefix, r.String())
	}
}

// String prints a choice of users and roles.
func (r *RoleSet) String() string {
	names := func(list []string, current bool) string {
		text := quotedList(list, QuoteIdent)
		switch {
		case current && text != "":
			return text + ", CURRENT_USER"
		case current:
			return "CURRENT_USER"
		}
		return text
	}
	switch {
	case r.All && (len(r.Except) > 0 || r.ExceptCurrent):
		return "ALL EXCEPT " + names(r.Except, r.ExceptCurrent)
	case r.All:
		return "ALL"
	case len(r.Names) == 0 && !r.Current:
		return "NONE"
	}
	return names(r.Names, r.Current)
}

func (p *printer) policy(s *AccessChange) {
	if s.Kind != AccessPolicy {
		return
	}
	if s.Filter != nil {
		p.put(" FOR SELECT USING ")
		if s.Filter.Expr == nil {
			p.put("NONE")
		} else {
			p.node(s.Filter.Expr)
		}
	}
	if s.Restrictive != nil {
		p.put(map[bool]string{true: " AS restrictive", false: " AS permissive"}[*s.Restrictive])
	}
}

func (p *printer) quota(s *AccessChange) {
	if s.Keys != nil {
		if len(*s.Keys) == 0 {
			p.put(" NOT KEYED")
		} else {
			p.put(" KEYED BY ", strings.Join(*s.Keys, ", "))
		}
	}
	for i, q := range s.Intervals {
		p.when(i > 0, ",")
		p.put(" FOR")
		p.when(q.Randomized, " RANDOMIZED")
		p.put(" INTERVAL ", IntervalText(q.Seconds))
		switch {
		case q.NoLimits:
			p.put(" NO LIMITS")
		case q.Tracking:
			p.put(" TRACKING ONLY")
		}
		for j, m := range q.Max {
			p.put(map[bool]string{true: " MAX ", false: ", "}[j == 0], m.Resource, " = ", m.Value)
		}
	}
}

// IntervalText is a number of seconds in the largest unit that fits.
func IntervalText(seconds int64) string {
	for _, u := range []struct {
		name string
		n    int64
	}{{"year", 31556952}, {"quarter", 7889238}, {"month", 2629746}, {"week", 604800}, {"day", 86400}, {"hour", 3600}, {"minute", 60}} {
		if seconds != 0 && seconds%u.n == 0 {
			return strconv.FormatInt(seconds/u.n, 10) + " " + u.name
		}
	}
	return strconv.FormatInt(seconds, 10) + " second"
}

func (p *printer) profile(c *ProfileClause) {
	if c == nil {
		return
	}
	sep := " SETTINGS "
	if !c.Replace {
		sep = ""
	}
	for _, e := range c.Elements {
		switch {
		case c.Replace:
			p.put(sep)
			sep = ", "
		case e.Profile != "":
			p.put(sep, " ADD")
			sep = ","
		default:
			p.put(sep, " ADD SETTING ")
			sep = ","
		}
		p.element(e, !c.Replace)
	}
	p.when(c.Replace && len(c.Elements) == 0, " SETTINGS NONE")
	drop := func(text string) {
		p.put(sep, text)
		sep = ","
	}
	for _, n := range c.Drop {
		drop(" DROP SETTING " + n)
	}
	for _, n := range c.DropProfiles {
		drop(" DROP PROFILE " + QuoteString(n))
	}
	if c.DropAllSettings {
		drop(" DROP ALL SETTINGS")
	}
	if c.DropAllProfiles {
		drop(" DROP ALL PROFILES")
	}
}

func (p *printer) element(e ProfileElement, added bool) {
	if e.Profile != "" {
		p.when(added, " ")
		p.put("PROFILE ", QuoteString(e.Profile))
		return
	}
	p.put(e.Setting)
	p.clause(" = ", e.Value)
	p.clause(" MIN ", e.Min)
	p.clause(" MAX ", e.Max)
	p.when(e.Writability != "", " "+e.Writability)
}

func (p *printer) grant(s *Grant) {
	verb, to := "GRANT", " TO "
	if s.Revoke {
		verb, to = "REVOKE", " FROM "
	}
	p.put(verb)
	p.onCluster(s.OnCluster)
	kind := " GRANT OPTION"
	if s.Roles != nil {
		kind = " ADMIN OPTION"
	}
	p.when(s.Revoke && s.Option, kind+" FOR")
	switch {
	case s.Roles != nil:
		p.put(" ", s.Roles.String())
	case s.Current:
		p.put(" CURRENT GRANTS(")
		p.grantElements(s.Elements)
		p.put(")")
	default:
		p.put(" ")
		p.grantElements(s.Elements)
	}
	p.put(to, s.To.String())
	p.when(!s.Revoke && s.Option, " WITH"+kind)
	p.when(s.Replace, " WITH REPLACE OPTION")
}

func (p *printer) grantElements(list []*GrantElement) {
	for i, e := range list {
		p.when(i > 0, ", ")
		for j, x := range e.Privileges {
			p.when(j > 0, ", ")
			p.put(x.Name)
			p.when(x.Columns != nil, "("+quotedList(x.Columns, QuoteIdent)+")")
		}
		p.put(" ON ", e.Object())
	}
}

// Object prints what the privileges are on.
func (e *GrantElement) Object() string {
	star := ""
	if e.Prefix {
		star = "*"
	}
	switch {
	case e.AllDatabases && e.Database == "":
		return "*.*"
	case e.CurrentDatabase && e.Table == "" && !e.Prefix:
		return "*"
	case e.CurrentDatabase:
		return QuoteIdent(e.Table) + star
	case e.Table == "" && e.Prefix:
		return QuoteIdent(e.Database) + "*.*"
	case e.Table == "":
		return QuoteIdent(e.Database) + ".*"
	}
	return QuoteIdent(e.Database) + "." + QuoteIdent(e.Table) + star
}

func (p *printer) setRole(s *SetRole) {
	switch {
	case s.To != nil:
		p.put("SET DEFAULT ROLE ", s.Roles.String(), " TO ", s.To.String())
	case s.Default:
		p.put("SET ROLE DEFAULT")
	default:
		p.put("SET ROLE ", s.Roles.String())
	}
}

func (p *printer) showAccess(s *ShowAccess) {
	what := s.What
	if base, ok := strings.CutSuffix(what, "Y"); ok && s.All {
		what = base + "IES"
	} else if s.All && what != "GRANTS" {
		what += "S"
	}
	p.put("SHOW ", what)
	p.when(s.What == "GRANTS" && (s.All || len(s.Names) > 0), " FOR")
	p.when(s.What == "GRANTS" && s.All, " ALL")
	if len(s.Names) > 0 {
		p.put(" ")
		p.accessNames(s.Names)
	}
	p.when(!s.Table.Table.IsZero(), " ON "+s.Table.format())
	p.when(s.Implicit, " WITH IMPLICIT")
	p.when(s.Final, " FINAL")
	p.output(s.Output)
}
