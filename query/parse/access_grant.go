package parse

import (
	"strings"

	"github.com/olapd/olapd/internal/access"
	"github.com/olapd/olapd/query/ast"
)

// grant takes GRANT and REVOKE.
func (p *parser) grant() ast.Statement {
	start := p.at().start
	s := &ast.Grant{Revoke: p.words("REVOKE")}
	if !s.Revoke {
		p.needWords("GRANT")
	}
	s.OnCluster = p.onCluster()
	admin := false
	if s.Revoke {
		switch p.anyWords("GRANT OPTION FOR", "ADMIN OPTION FOR") {
		case "ADMIN OPTION FOR":
			admin = true
			fallthrough
		case "GRANT OPTION FOR":
			s.Option = true
		}
	}
	p.granted(s, admin)
	if s.OnCluster == "" {
		s.OnCluster = p.onCluster()
	}
	if s.Revoke {
		p.needWords("FROM")
	} else {
		p.needWords("TO")
	}
	s.To = *p.roleSet()
	for !s.Revoke {
		switch p.anyWords("WITH GRANT OPTION", "WITH ADMIN OPTION", "WITH REPLACE OPTION") {
		case "WITH REPLACE OPTION":
			s.Replace = true
			continue
		case "":
		default:
			s.Option = true
			continue
		}
		break
	}
	s.Range = p.from(start)
	return s
}

// granted takes privileges on objects, or roles.
func (p *parser) granted(s *ast.Grant, admin bool) {
	if p.words("CURRENT GRANTS") {
		s.Current = true
		if p.symbol("(") {
			s.Elements = p.grantElements()
			p.needSymbol(")")
			return
		}
		e := &ast.GrantElement{Privileges: []ast.GrantPrivilege{{Name: "ALL"}}}
		if p.words("ON") {
			p.grantObject(e)
		} else {
			e.AllDatabases = true
		}
		s.Elements = []*ast.GrantElement{e}
		return
	}
	if !admin && p.privilegeAhead() {
		s.Elements = p.grantElements()
		return
	}
	s.Roles = p.roleSet()
}

func (p *parser) grantElements() []*ast.GrantElement {
	var list []*ast.GrantElement
	for again := true; again; again = p.symbol(",") {
		e := &ast.GrantElement{}
		for more := true; more; more = p.symbol(",") {
			x := ast.GrantPrivilege{Name: p.privilege()}
			if p.symbolAt(0, "(") {
				x.Columns = p.identList()
			}
			e.Privileges = append(e.Privileges, x)
		}
		p.needWords("ON")
		p.grantObject(e)
		list = append(list, e)
	}
	return list
}

// maxPrivilegeWords is how many words the longest name of a privilege has.
const maxPrivilegeWords = 8

// privilegeWords finds the longest name of a privilege ahead: how many tokens it has, and its words.
func (p *parser) privilegeWords() (int, string) {
	var words []string
	best, name := 0, ""
	for n := 0; n < maxPrivilegeWords && p.peek(n).kind == tokWord; n++ {
		words = append(words, p.src(p.peek(n)))
		text := strings.Join(words, " ")
		if x := access.LookupPrivilege(text); x != nil {
			best, name = n+1, x.Name
		}
	}
	return best, name
}

// privilegeAhead reports whether privileges follow rather than roles: a name that could be both is a privilege if ON or columns follow.
func (p *parser) privilegeAhead() bool {
	n, _ := p.privilegeWords()
	if n == 0 {
		return false
	}
	for level := 0; ; n++ {
		t := p.peek(n)
		switch {
		case t.kind == tokEnd || t.kind == tokInvalid:
			return false
		case p.symbolAt(n, "("):
			level++
		case p.symbolAt(n, ")"):
			level--
		case level == 0 && p.wordAt(n, "ON") && !p.wordAt(n+1, "CLUSTER"):
			return true
		case level == 0 && (p.wordAt(n, "TO") || p.wordAt(n, "FROM")):
			return false
		}
	}
}

func (p *parser) privilege() string {
	n, name := p.privilegeWords()
	if n == 0 {
		p.failWant("privilege")
	}
	p.pos += n
	return name
}

// grantObject takes *.*, *, db.*, db.t, t, each name perhaps with a star behind it, and of sources S3('regexp').
func (p *parser) grantObject(e *ast.GrantElement) {
	if p.symbol("*") {
		if p.symbol(".") {
			p.needSymbol("*")
			e.AllDatabases = true
			return
		}
		e.CurrentDatabase = true
		return
	}
	name := p.identOrString()
	star := p.adjacentStar()
	if !p.symbol(".") {
		e.CurrentDatabase, e.Table, e.Prefix = true, name, star
		return
	}
	e.Database = name
	if p.symbol("*") {
		e.Prefix = star
		return
	}
	if star {
		p.failWant("*")
	}
	e.Table = p.ident()
	e.Prefix = p.adjacentStar()
}

// adjacentStar takes a star right behind the last token.
func (p *parser) adjacentStar() bool {
	if p.symbolAt(0, "*") && p.at().start == p.toks[p.pos-1].end {
		p.pos++
		return true
	}
	return false
}

// setRole takes what follows SET ROLE and SET DEFAULT ROLE.
func (p *parser) setRole(start int, defaults bool) ast.Statement {
	s := &ast.SetRole{}
	if !defaults && p.words("DEFAULT") {
		s.Default = true
		s.Range = p.from(start)
		return s
	}
	s.Roles = p.roleSet()
	if defaults {
		p.needWords("TO")
		s.To = p.roleSet()
	}
	s.Range = p.from(start)
	return s
}

// accessLists are what SHOW lists.
var accessLists = []string{"USERS", "CURRENT ROLES", "ENABLED ROLES", "ROLES", "ROW POLICIES", "POLICIES", "QUOTAS", "CURRENT QUOTA", "QUOTA",
	"SETTINGS PROFILES", "PROFILES", "ACCESS", "PRIVILEGES", "GRANTS"}

// canonical names of those that have two.
var accessSynonyms = map[string]string{"POLICIES": "ROW POLICIES", "PROFILES": "SETTINGS PROFILES", "CURRENT QUOTA": "QUOTA"}

// showAccess takes a SHOW of users and their kin; nil if another follows.
func (p *parser) showAccess() ast.Statement {
	start, at := p.at().start, p.pos
	p.needWords("SHOW")
	s := &ast.ShowAccess{}
	if p.words("CREATE") {
		if !p.showCreateAccess(s) {
			p.pos = at
			return nil
		}
	} else {
		if s.What = p.anyWords(accessLists...); s.What == "" {
			p.pos = at
			return nil
		}
		if c := accessSynonyms[s.What]; c != "" {
			s.What = c
		}
		p.showAccessTail(s)
	}
	p.output(&s.Output)
	s.Range = p.from(start)
	return s
}

func (p *parser) showAccessTail(s *ast.ShowAccess) {
	switch s.What {
	case "GRANTS":
		if p.words("FOR") {
			if p.words("ALL") {
				s.All = true
			} else {
				s.Names = p.currentOrNames()
			}
		}
		s.Implicit = p.words("WITH IMPLICIT")
		s.Final = p.words("FINAL")
	case "ROW POLICIES":
		if p.words("ON") {
			s.Table = p.policyTable()
		}
	}
}

// currentOrNames takes names of users and roles; CURRENT_USER is none.
func (p *parser) currentOrNames() []ast.AccessName {
	var out []ast.AccessName
	names, _ := p.roleNames()
	for _, n := range names {
		out = append(out, ast.AccessName{Name: n})
	}
	return out
}

// showCreateAccess takes what follows SHOW CREATE; false if it is nothing of access.
func (p *parser) showCreateAccess(s *ast.ShowAccess) bool {
	for _, plural := range [][2]string{{"USERS", "USER"}, {"ROLES", "ROLE"}, {"ROW POLICIES", "ROW POLICY"}, {"POLICIES", "ROW POLICY"},
		{"QUOTAS", "QUOTA"}, {"SETTINGS PROFILES", "SETTINGS PROFILE"}, {"PROFILES", "SETTINGS PROFILE"}} {
		if p.words(plural[0]) {
			s.What, s.All = "CREATE "+plural[1], true
			if plural[1] == string(ast.AccessPolicy) && p.words("ON") {
				s.Table = p.policyTable()
			}
			return true
		}
	}
	word := p.anyWords("USER", "ROLE", "ROW POLICY", "POLICY", "QUOTA", "SETTINGS PROFILE", "PROFILE")
	kind, ok := accessKinds[word]
	if !ok {
		return false
	}
	if p.symbolAt(0, ".") { // a table that is called so
		return false
	}
	s.What = "CREATE " + string(kind)
	switch {
	case p.anyWords("CURRENT_USER", "CURRENT") != "":
		if p.symbol("(") {
			p.needSymbol(")")
		}
	case p.at().kind == tokEnd || p.isWords("FORMAT") || p.isSymbol(";"):
	default:
		s.Names = p.accessNames(kind)
	}
	return true
}
