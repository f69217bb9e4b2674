package query

import (
	"slices"
	"strings"

	"github.com/olapd/olapd/internal/access"
	"github.com/olapd/olapd/internal/catalog"
	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/internal/types"
	"github.com/olapd/olapd/query/ast"
	"github.com/olapd/olapd/query/define"
)

// accessStatement runs the statements about users and their kin; false if x is another one.
func (x *statement) accessStatement(r *Result) (bool, error) {
	switch s := x.ast.(type) {
	case *ast.AccessChange:
		return true, x.changeAccess(s)
	case *ast.AccessDrop:
		return true, x.dropAccess(s)
	case *ast.Grant:
		return true, x.grant(s)
	case *ast.SetRole:
		return true, x.setRole(s)
	case *ast.ShowAccess:
		return true, x.showAccess(r, s)
	}
	return false, nil
}

func (x *statement) defineAccess() *define.Access {
	o := &define.Access{User: x.q.user, Database: x.db, ID: newID, Zone: x.env.Zone,
		Text: func(e ast.Expr) (string, error) { return settingText(e, x.in.Params) }}
	for _, u := range x.e.gate.fixed {
		o.Fixed = append(o.Fixed, u.Name)
	}
	return o
}

// commitAccess commits what f makes of the newest state.
func (x *statement) commitAccess(f func(*access.State) (*access.State, error)) error {
	_, err := x.e.gate.stored.Change(x.ctx, f)
	return err
}

// entityNeed is the privilege to CREATE, ALTER or DROP an entity.
func (x *statement) entityNeed(verb string, kind ast.AccessKind, n ast.AccessName, o *define.Access) access.Need {
	p := verb + " " + string(kind)
	switch kind {
	case ast.AccessUser, ast.AccessRole:
		return access.OnParam(p, o.EntityName(kind, n))
	case ast.AccessPolicy:
		db, table := o.PolicyTable(n.Table)
		if table == access.AllTables {
			table = ""
		}
		return access.On(p, db, table)
	}
	return access.On(p, "", "")
}

func (x *statement) changeAccess(s *ast.AccessChange) error {
	o := x.defineAccess()
	verbs := []string{"CREATE"}
	if s.Alter {
		verbs = []string{"ALTER"}
	} else if s.OrReplace {
		verbs = []string{"CREATE", "DROP"}
	}
	for _, n := range s.Names {
		for _, v := range verbs {
			if err := x.access.Check(x.entityNeed(v, s.Kind, n, o), false); err != nil {
				return err
			}
		}
	}
	if err := x.mayGiveRoles(s); err != nil {
		return err
	}
	return x.commitAccess(func(st *access.State) (*access.State, error) { return o.Change(st, s) })
}

// mayGiveRoles checks that the default roles of a new user, which are granted with it, are the present user's to grant.
func (x *statement) mayGiveRoles(s *ast.AccessChange) error {
	if s.Alter || s.DefaultRoles == nil || s.Kind != ast.AccessUser {
		return nil
	}
	return x.mayGrantRoles(append(slices.Clone(s.DefaultRoles.Names), s.DefaultRoles.Except...))
}

func (x *statement) dropAccess(s *ast.AccessDrop) error {
	o := x.defineAccess()
	for _, n := range s.Names {
		if err := x.access.Check(x.entityNeed("DROP", s.Kind, n, o), false); err != nil {
			return err
		}
	}
	return x.commitAccess(func(st *access.State) (*access.State, error) { return o.Drop(st, s) })
}

// mayGrantRoles checks that the user administers all roles, or each of these.
func (x *statement) mayGrantRoles(roles []string) error {
	if x.access.Rights.Has(access.Of("ROLE ADMIN"), access.Object{}, false) {
		return nil
	}
	for _, role := range roles {
		if !x.administers(role) {
			return sqlerr.New(sqlerr.AccessDenied, "%s: Not enough privileges. To execute this query, it's necessary to have the role %s granted with ADMIN option, or the grant ROLE ADMIN ON *.*.", x.q.user, role)
		}
	}
	return nil
}

func (x *statement) administers(role string) bool {
	has := func(list []access.RoleGrant) bool {
		return slices.ContainsFunc(list, func(g access.RoleGrant) bool { return g.Role == role && g.Admin })
	}
	if has(x.access.User.Roles) {
		return true
	}
	return slices.ContainsFunc(x.access.Roles, func(r string) bool { return has(x.access.State.Role(r).Roles) })
}

// grant runs GRANT and REVOKE.
func (x *statement) grant(s *ast.Grant) error {
	o := x.defineAccess()
	to, err := o.Chosen(x.access.State, &s.To)
	if err != nil {
		return err
	}
	var grants []access.Grant
	if s.Roles != nil {
		for _, r := range s.Roles.Names {
			if x.access.State.Role(r) == nil {
				return access.Unknown(access.KindRole, r)
			}
		}
		names := s.Roles.Names
		if s.Roles.All {
			names = nil
			for _, r := range x.access.State.Roles() {
				names = append(names, r.Name)
			}
		}
		err = x.mayGrantRoles(names)
	} else if grants, err = o.Grants(s); err == nil {
		grants, err = x.mayGrant(s, grants)
	}
	if err != nil {
		return err
	}
	for _, name := range to.List {
		if !s.Revoke && !x.access.User.Grantees.Has(name) {
			return sqlerr.New(sqlerr.AccessDenied, "%s: %s is not allowed as grantee", x.q.user, name)
		}
	}
	return x.commitAccess(func(st *access.State) (*access.State, error) { return o.Grant(st, s, grants) })
}

// mayGrant checks that the user has, with grant option, what a GRANT or REVOKE speaks of. Of CURRENT GRANTS it returns what they have of it.
func (x *statement) mayGrant(s *ast.Grant, grants []access.Grant) ([]access.Grant, error) {
	if s.Current {
		return x.currentGrants(grants), nil
	}
	for i := range grants {
		g := &grants[i]
		if err := x.access.Check(access.Need{Privileges: grantable(g), On: object(g)}, true); err != nil {
			return nil, err
		}
	}
	return grants, nil
}

// grantable are the privileges of g that can be granted on its object.
func grantable(g *access.Grant) []string {
	level := "database"
	switch {
	case g.OnParam || g.Database == "":
		return g.Privileges
	case g.Columns != nil:
		level = "column"
	case g.Table != "":
		level = "table"
	}
	var out []string
	for _, name := range g.Privileges {
		for _, p := range access.LookupPrivilege(name).Leaves() {
			if p.GrantableOn(level) {
				out = append(out, p.Name)
			}
		}
	}
	return out
}

func object(g *access.Grant) access.Object {
	if g.OnParam {
		return access.Object{OnParam: true, Param: g.Database}
	}
	return access.Object{Database: g.Database, Table: g.Table, Columns: g.Columns}
}

// currentGrants is what the user has of grants with grant option.
func (x *statement) currentGrants(grants []access.Grant) []access.Grant {
	var out []access.Grant
	for i := range grants {
		g := &grants[i]
		if g.Database == "" && !g.OnParam {
			wanted := grantable(g)
			for _, own := range x.access.Rights.List() {
				own.Privileges = slices.DeleteFunc(leaves(own.Privileges), func(p string) bool { return !slices.Contains(leaves(wanted), p) })
				if own.Option && len(own.Privileges) > 0 {
					own.Option = g.Option || own.Revoke
					out = append(out, own)
				}
			}
			continue
		}
		for _, p := range leaves(grantable(g)) {
			part := *g
			part.Privileges = []string{p}
			if x.access.Rights.Has(access.Of(p), object(&part), true) {
				out = append(out, part)
			}
		}
	}
	return out
}

func leaves(names []string) []string {
	var out []string
	for _, n := range names {
		for _, p := range access.LookupPrivilege(n).Leaves() {
			out = append(out, p.Name)
		}
	}
	return out
}

// setRole runs SET ROLE and SET DEFAULT ROLE.
func (x *statement) setRole(s *ast.SetRole) error {
	o := x.defineAccess()
	if s.To != nil {
		to, err := o.Chosen(x.access.State, s.To)
		if err != nil {
			return err
		}
		for _, name := range to.List {
			if name == x.q.user {
				continue // one's own
			}
			if err := x.access.Check(access.OnParam("ALTER USER", name), false); err != nil {
				return err
			}
		}
		return x.commitAccess(func(st *access.State) (*access.State, error) { return o.SetDefault(st, s) })
	}
	var roles []string
	if !s.Default {
		roles = slices.Clone(s.Roles.Names)
		for _, r := range append(slices.Clone(roles), s.Roles.Except...) {
			if x.access.State.Role(r) == nil {
				return access.Unknown(access.KindRole, r)
			}
		}
		for _, g := range x.access.User.Roles {
			if s.Roles.All && !slices.Contains(s.Roles.Except, g.Role) {
				roles = append(roles, g.Role)
			}
		}
		if roles == nil {
			roles = []string{}
		}
	}
	if _, err := x.access.State.Enable(x.q.user, roles); err != nil {
		return err
	}
	x.s.mu.Lock()
	x.s.mu.roles, x.s.mu.access = roles, nil
	x.s.mu.Unlock()
	return nil
}

// policies are the conditions under which rows of a table show: its own and, of a rollup, also those of the table it is made from, whose
// columns it must have kept.
func (x *statement) policies(t *catalog.Table) ([]string, error) {
	conds := x.policyConds(t)
	for source, depth := t, 0; source.Kind == catalog.KindRollup && depth < maxRollupDepth; depth++ {
		if source = x.cat.ByID(source.Source); source == nil {
			break
		}
		more := x.policyConds(source)
		for _, c := range more {
			if column := lost(c, t); column != "" {
				return nil, sqlerr.New(sqlerr.AccessDenied, "%s: Not enough privileges. A row policy on %s reads the column %s, which %s does not have: read the table itself", x.q.user, source.FullName(), column, t.FullName())
			}
		}
		conds = append(conds, more...)
	}
	if t.Inner { // the hidden table of a rollup, read by its own name
		for _, r := range x.cat.Tables("") {
			switch {
			case r.Kind == catalog.KindRollup && r.Target == t.ID:
				return x.policies(r)
			case r.Refresh != nil && r.Refresh.Run != nil && r.Refresh.Run.Table == t.ID: // rows that will be those of the view and of its target
				more, err := x.policies(r)
				if target := x.cat.ByID(r.Target); target != nil {
					more = append(more, x.policyConds(target)...)
				}
				return append(conds, more...), err
			}
		}
	}
	return conds, nil
}

// maxRollupDepth bounds rollups of rollups.
const maxRollupDepth = 32

func (x *statement) policyConds(t *catalog.Table) []string {
	f := x.access.Policies(t.Database, t.Name)
	conds := slices.Clone(f.All)
	switch {
	case len(f.Any) > 0:
		conds = append(conds, "("+strings.Join(f.Any, ") OR (")+")")
	case f.Restricted:
		conds = append(conds, "0")
	}
	return conds
}

// showAccess runs SHOW of users and their kin.
func (x *statement) showAccess(r *Result, s *ast.ShowAccess) error {
	switch s.What {
	case "USERS", "ROLES", "QUOTAS", "SETTINGS PROFILES", "ROW POLICIES":
		return x.listAccess(r, s)
	case "CURRENT ROLES":
		return x.rewritten(r, "SELECT role_name, with_admin_option, is_default FROM system.current_roles ORDER BY role_name", s.Output)
	case "ENABLED ROLES":
		return x.rewritten(r, "SELECT role_name, with_admin_option, is_current, is_default FROM system.enabled_roles ORDER BY role_name", s.Output)
	case "PRIVILEGES":
		return x.rewritten(r, "SELECT * FROM system.privileges", s.Output)
	case "QUOTA":
		return x.rewritten(r, "SELECT * FROM system.quota_usage", s.Output)
	}
	lines, title, err := x.accessLines(s)
	if err != nil {
		return err
	}
	v := column.NewStrings()
	for _, l := range lines {
		v.AppendString(l)
	}
	r.rows(column.Schema{{Name: title, Type: types.TString}}, column.NewBlock(v), s.Output)
	return nil
}

func (x *statement) listAccess(r *Result, s *ast.ShowAccess) error {
	table := map[string]string{"USERS": "users", "ROLES": "roles", "QUOTAS": "quotas", "SETTINGS PROFILES": "settings_profiles", "ROW POLICIES": "row_policies"}[s.What]
	sql := "SELECT name FROM system." + table
	if !s.Table.Table.IsZero() {
		db, t := x.defineAccess().PolicyTable(s.Table)
		sql = "SELECT short_name AS name FROM system." + table + " WHERE database = " + types.QuoteString(db) + " AND table = " + types.QuoteString(t)
	}
	return x.rewritten(r, sql+" ORDER BY name", s.Output)
}

// accessLines are the lines of SHOW GRANTS, SHOW ACCESS and SHOW CREATE, and the name of their column.
func (x *statement) accessLines(s *ast.ShowAccess) ([]string, string, error) {
	switch s.What {
	case "GRANTS":
		lines, err := x.grantLines(s)
		return lines, "GRANTS", err
	case "ACCESS":
		if err := x.access.Check(access.On("SHOW ACCESS", "", ""), false); err != nil {
			return nil, "", err
		}
		return x.allAccess(), "ACCESS", nil
	}
	lines, err := x.createLines(s)
	return lines, "statement", err
}

func (x *statement) grantLines(s *ast.ShowAccess) ([]string, error) {
	names := []string{x.q.user}
	if len(s.Names) > 0 {
		names = nil
		for _, n := range s.Names {
			names = append(names, n.Name)
		}
	}
	st := x.access.State
	var out []string
	for _, n := range names {
		u, role := st.User(n), st.Role(n)
		switch {
		case u == nil && role == nil:
			return nil, access.Unknown(access.KindRole, n)
		case n == x.q.user || slices.Contains(x.access.Roles, n):
		case u != nil:
			if err := x.access.Check(access.On("SHOW USERS", "", ""), false); err != nil {
				return nil, err
			}
		default:
			if err := x.access.Check(access.On("SHOW ROLES", "", ""), false); err != nil {
				return nil, err
			}
		}
		switch {
		case u != nil && s.Final:
			en, err := st.Enable(n, nil)
			if err != nil {
				return nil, err
			}
			out = append(out, define.GrantLines(n, en.Rights.List(), nil)...)
		case u != nil:
			out = append(out, define.GrantLines(n, access.RightsOf(u.Grants).List(), u.Roles)...)
		default:
			out = append(out, define.GrantLines(n, access.RightsOf(role.Grants).List(), role.Roles)...)
		}
	}
	return out, nil
}

func (x *statement) allAccess() []string {
	st := x.access.State
	var create, grants []string
	for _, u := range st.Users() {
		create = append(create, define.ShowUser(u))
		grants = append(grants, define.GrantLines(u.Name, access.RightsOf(u.Grants).List(), u.Roles)...)
	}
	for _, r := range st.Roles() {
		create = append(create, define.ShowRole(r))
		grants = append(grants, define.GrantLines(r.Name, access.RightsOf(r.Grants).List(), r.Roles)...)
	}
	for _, p := range st.Profiles() {
		create = append(create, define.ShowProfile(p))
	}
	for _, p := range st.Policies() {
		create = append(create, define.ShowPolicy(p))
	}
	for _, q := range st.Quotas() {
		create = append(create, define.ShowQuota(q))
	}
	return append(create, grants...)
}

// createLines are the statements of SHOW CREATE.
func (x *statement) createLines(s *ast.ShowAccess) ([]string, error) {
	kind := ast.AccessKind(strings.TrimPrefix(s.What, "CREATE "))
	o := x.defineAccess()
	if kind == ast.AccessUser && len(s.Names) == 0 && !s.All {
		return []string{define.ShowUser(x.access.User)}, nil
	}
	shown := map[ast.AccessKind]string{ast.AccessUser: "SHOW USERS", ast.AccessRole: "SHOW ROLES", ast.AccessQuota: "SHOW QUOTAS",
		ast.AccessProfile: "SHOW SETTINGS PROFILES", ast.AccessPolicy: "SHOW ROW POLICIES"}[kind]
	names, err := x.createNames(s, kind, o, shown)
	if err != nil {
		return nil, err
	}
	st := x.access.State
	var out []string
	for _, n := range names {
		var line string
		switch {
		case kind == ast.AccessUser && st.User(n) != nil:
			line = define.ShowUser(st.User(n))
		case kind == ast.AccessRole && st.Role(n) != nil:
			line = define.ShowRole(st.Role(n))
		case kind == ast.AccessQuota && st.Quota(n) != nil:
			line = define.ShowQuota(st.Quota(n))
		case kind == ast.AccessProfile && st.Profile(n) != nil:
			line = define.ShowProfile(st.Profile(n))
		case kind == ast.AccessPolicy && st.Policy(n) != nil:
			line = define.ShowPolicy(st.Policy(n))
		default:
			return nil, access.Unknown(define.EntityKind(kind), n)
		}
		out = append(out, line)
	}
	return out, nil
}

// createNames are the full names SHOW CREATE speaks of, once it is known that the user may see them.
func (x *statement) createNames(s *ast.ShowAccess, kind ast.AccessKind, o *define.Access, shown string) ([]string, error) {
	var names []string
	for _, n := range s.Names {
		need := access.On(shown, "", "")
		if kind == ast.AccessPolicy {
			db, table := o.PolicyTable(n.Table)
			need = access.On(shown, db, table)
		}
		if own := kind == ast.AccessUser && n.Name == x.q.user; !own {
			if err := x.access.Check(need, false); err != nil {
				return nil, err
			}
		}
		names = append(names, o.EntityName(kind, n))
	}
	if len(s.Names) > 0 {
		return names, nil
	}
	if err := x.access.Check(access.On(shown, "", ""), false); err != nil {
		return nil, err
	}
	st := x.access.State
	switch kind {
	case ast.AccessUser:
		for _, u := range st.Users() {
			names = append(names, u.Name)
		}
	case ast.AccessRole:
		for _, r := range st.Roles() {
			names = append(names, r.Name)
		}
	case ast.AccessQuota:
		for _, q := range st.Quotas() {
			names = append(names, q.Name)
		}
	case ast.AccessProfile:
		for _, p := range st.Profiles() {
			names = append(names, p.Name)
		}
	case ast.AccessPolicy:
		for _, p := range st.Policies() {
			names = append(names, p.FullName())
		}
	}
	return names, nil
}
