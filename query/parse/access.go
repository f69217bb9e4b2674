package parse

import (
	"strings"

	"github.com/olapd/olapd/query/ast"
)

// accessKinds are the keywords of CREATE, ALTER, DROP and SHOW CREATE.
var accessKinds = map[string]ast.AccessKind{"USER": ast.AccessUser, "ROLE": ast.AccessRole, "ROW POLICY": ast.AccessPolicy, "POLICY": ast.AccessPolicy,
	"QUOTA": ast.AccessQuota, "SETTINGS PROFILE": ast.AccessProfile, "PROFILE": ast.AccessProfile}

// accessStatement takes what follows CREATE, ALTER or DROP and the keyword of an entity; nil if entity is none of users and their kin.
func (p *parser) accessStatement(start int, verb, entity string, orReplace bool) ast.Statement {
	kind, ok := accessKinds[entity]
	switch {
	case !ok:
		return nil
	case verb == "DROP":
		return p.accessDrop(start, kind)
	case verb == "CREATE" || verb == "ATTACH" || verb == "ALTER":
		return p.accessChange(start, &ast.AccessChange{Kind: kind, Alter: verb == "ALTER", OrReplace: orReplace})
	}
	return nil
}

func (p *parser) accessDrop(start int, kind ast.AccessKind) ast.Statement {
	s := &ast.AccessDrop{Kind: kind, IfExists: p.words("IF EXISTS")}
	s.Names = p.accessNames(kind)
	s.OnCluster = p.onCluster()
	if p.words("FROM") {
		p.ident()
	}
	s.Range = p.from(start)
	return s
}

func (p *parser) accessChange(start int, s *ast.AccessChange) ast.Statement {
	if s.Alter {
		s.IfExists = p.words("IF EXISTS")
	} else {
		s.IfNotExists = p.words("IF NOT EXISTS")
		s.OrReplace = s.OrReplace || p.words("OR REPLACE")
	}
	s.Names = p.accessNames(s.Kind)
	clauses := 0
	for p.accessClause(s) {
		clauses++
	}
	if s.Alter && clauses == 0 && s.Kind != ast.AccessRole {
		p.fail()
	}
	s.Range = p.from(start)
	return s
}

// accessNames takes names, of policies with the tables they are on.
func (p *parser) accessNames(kind ast.AccessKind) []ast.AccessName {
	var list []ast.AccessName
	first := 0
	for again := true; again; again = p.symbol(",") {
		n := ast.AccessName{Name: p.nonEmptyName()}
		if kind == ast.AccessUser || kind == ast.AccessRole {
			n.Name, n.Host = p.userHost(n.Name)
		}
		list = append(list, n)
		if kind != ast.AccessPolicy {
			continue
		}
		if p.symbolAt(0, ",") { // p1, p2 ON t
			continue
		}
		cluster := p.onCluster()
		_ = cluster // names go before and behind it
		p.needWords("ON")
		tables := []ast.TableName{p.policyTable()}
		for p.symbolAt(0, ",") && p.tableAhead(1) {
			p.pos++
			tables = append(tables, p.policyTable())
		}
		list = onTables(list, first, tables)
		first = len(list)
	}
	return list
}

// onTables puts every name from first on upon every table.
func onTables(list []ast.AccessName, first int, tables []ast.TableName) []ast.AccessName {
	names := append([]ast.AccessName(nil), list[first:]...)
	list = list[:first]
	for _, n := range names {
		for _, t := range tables {
			list = append(list, ast.AccessName{Name: n.Name, Table: t})
		}
	}
	return list
}

// tableAhead reports whether another table of ON follows, rather than another name with an ON of its own.
func (p *parser) tableAhead(n int) bool {
	next := p.peek(n + 1)
	return !(next.kind == tokWord && strings.EqualFold(p.src(next), "ON"))
}

// policyTable takes a table, database.* or *.
func (p *parser) policyTable() ast.TableName {
	start := p.at().start
	t := ast.TableName{}
	if p.symbol("*") {
		t.Table.Text = "*"
		t.Range = p.from(start)
		return t
	}
	t.Table = p.name()
	if p.symbol(".") {
		t.Database = t.Table
		if p.symbol("*") {
			t.Table = ast.Name{Text: "*"}
		} else {
			t.Table = p.name()
		}
	}
	t.Range = p.from(start)
	return t
}

// userHost takes @'host' behind a user's name. A host other than % becomes part of the name, as in MySQL.
func (p *parser) userHost(name string) (string, string) {
	if !p.symbolAt(0, "@") {
		return name, ""
	}
	p.pos++
	return name, p.identOrString()
}

// accessClause takes one clause of CREATE or ALTER.
func (p *parser) accessClause(s *ast.AccessChange) bool {
	if p.isWords("ON CLUSTER") {
		s.OnCluster = p.onCluster()
		return true
	}
	if s.Alter && p.words("RENAME TO") {
		s.NewName = p.nonEmptyName()
		return true
	}
	if p.words("IN") {
		s.Storage = p.ident()
		return true
	}
	switch s.Kind {
	case ast.AccessUser:
		return p.userClause(s) || p.profileClause(s)
	case ast.AccessRole:
		return p.profileClause(s)
	case ast.AccessProfile:
		return p.profileClause(s) || p.toClause(s)
	case ast.AccessPolicy:
		return p.policyClause(s) || p.toClause(s)
	}
	return p.quotaClause(s) || p.toClause(s)
}

func (p *parser) toClause(s *ast.AccessChange) bool {
	if !p.words("TO") {
		return false
	}
	s.To = p.roleSet()
	return true
}

// roleSet takes names, ALL, ANY, ALL EXCEPT names, or NONE.
func (p *parser) roleSet() *ast.RoleSet {
	r := &ast.RoleSet{}
	if p.words("NONE") {
		return r
	}
	if p.anyWords("ALL", "ANY") != "" {
		r.All = true
	} else {
		r.Names, r.Current = p.roleNames()
	}
	if p.words("EXCEPT") {
		r.Except, r.ExceptCurrent = p.roleNames()
		r.All = true
	}
	return r
}

func (p *parser) roleNames() (names []string, current bool) {
	for again := true; again; again = p.symbol(",") {
		switch {
		case p.words("CURRENT_USER") || p.words("CURRENTUSER"):
			if p.symbol("(") {
				p.needSymbol(")")
			}
			current = true
		default:
			n := p.nonEmptyName()
			n, host := p.userHost(n)
			if host != "" && host != "%" {
				n += "@" + host
			}
			names = append(names, n)
		}
	}
	return names, current
}

func (p *parser) userClause(s *ast.AccessChange) bool {
	switch {
	case p.words("NOT IDENTIFIED"):
		s.Auth = &ast.AuthClause{}
	case p.words("ADD IDENTIFIED"):
		s.Auth = &ast.AuthClause{Add: true, Methods: p.authMethods()}
	case p.words("IDENTIFIED"):
		s.Auth = &ast.AuthClause{Methods: p.authMethods()}
	case p.words("RESET AUTHENTICATION METHODS TO NEW"):
		s.Auth = &ast.AuthClause{Reset: true}
	case p.words("ADD HOST"):
		s.AddHosts = p.hosts()
	case p.words("DROP HOST"):
		s.DropHosts = p.hosts()
	case p.words("HOST"):
		s.Hosts = p.hosts()
	case p.words("VALID UNTIL"):
		text := p.stringText()
		s.ValidUntil = &text
	case p.words("DEFAULT ROLE"):
		s.DefaultRoles = p.roleSet()
	case p.words("DEFAULT DATABASE"):
		name := ""
		if !p.words("NONE") {
			name = p.nonEmptyName()
		}
		s.DefaultDatabase = &name
	case p.words("GRANTEES"):
		s.Grantees = p.roleSet()
	default:
		return false
	}
	return true
}

var authTypes = []string{"NO_PASSWORD", "PLAINTEXT_PASSWORD", "SHA256_PASSWORD", "DOUBLE_SHA1_PASSWORD", "BCRYPT_PASSWORD", "SCRAM_SHA256_PASSWORD",
	"SHA256_HASH", "DOUBLE_SHA1_HASH", "BCRYPT_HASH", "SCRAM_SHA256_HASH", "LDAP", "KERBEROS", "SSL_CERTIFICATE", "SSH_KEY", "HTTP", "JWT", "NO_AUTHENTICATION"}

func (p *parser) authMethods() []ast.AuthMethod {
	with := p.words("WITH")
	list := []ast.AuthMethod{p.authMethod(with)}
	for p.symbolAt(0, ",") && p.authAhead(1) {
		p.pos++
		list = append(list, p.authMethod(true))
	}
	return list
}

func (p *parser) authAhead(n int) bool {
	for _, t := range authTypes {
		if p.wordAt(n, t) {
			return true
		}
	}
	return p.wordAt(n, "BY")
}

func (p *parser) authMethod(with bool) ast.AuthMethod {
	m := ast.AuthMethod{}
	if with && !p.wordAt(0, "BY") {
		t := p.anyWords(authTypes...)
		if t == "" {
			p.fail()
		}
		m.Type = strings.ToLower(t)
	}
	switch {
	case m.Type == "no_password":
	case p.words("BY"):
		m.Secret, m.HasSecret = p.stringText(), true
		if p.words("SALT") {
			m.Salt = p.stringText()
		}
	case m.Type == "" || strings.HasSuffix(m.Type, "password") || strings.HasSuffix(m.Type, "hash"):
		p.failWant("BY")
	default:
		for p.at().kind == tokWord || p.at().kind == tokString { // SERVER 'x', REALM 'x', CN 'x': their kinds are refused later
			if p.isWords("HOST") || p.isWords("SETTINGS") || p.isWords("DEFAULT") {
				break
			}
			p.pos++
		}
	}
	if p.words("VALID UNTIL") {
		m.ValidUntil = p.stringText()
	}
	return m
}

func (p *parser) hosts() *ast.HostClause {
	h := &ast.HostClause{}
	for again := true; again; again = p.symbol(",") {
		switch p.anyWords("ANY", "NONE", "LOCAL", "IP", "NAME REGEXP", "NAME", "REGEXP", "LIKE") {
		case "ANY":
			h.Any = true
		case "NONE":
			h.None = true
		case "LOCAL":
			h.Local = true
		case "IP":
			h.IPs = append(h.IPs, p.texts()...)
		case "NAME":
			h.Names = append(h.Names, p.texts()...)
		case "REGEXP", "NAME REGEXP":
			h.Regexps = append(h.Regexps, p.texts()...)
		case "LIKE":
			h.Likes = append(h.Likes, p.texts()...)
		default:
			p.fail()
		}
	}
	return h
}

// texts takes string literals separated by commas.
func (p *parser) texts() []string {
	list := []string{p.stringText()}
	for p.symbolAt(0, ",") && p.peek(1).kind == tokString {
		p.pos++
		list = append(list, p.stringText())
	}
	return list
}

func (p *parser) policyClause(s *ast.AccessChange) bool {
	switch {
	case p.words("FOR SELECT"):
	case p.words("AS PERMISSIVE") || p.words("AS RESTRICTIVE"):
		r := strings.EqualFold(p.src(p.toks[p.pos-1]), "RESTRICTIVE")
		s.Restrictive = &r
	case p.words("USING"):
		s.Filter = &ast.PolicyFilter{}
		if !p.words("NONE") {
			s.Filter.Expr = p.expr()
		}
	default:
		return false
	}
	return true
}
