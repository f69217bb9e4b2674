package define

import (
	"slices"

	"github.com/olapd/olapd/internal/access"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/query/ast"
	"github.com/olapd/olapd/query/parse"
)

// Grants returns what a GRANT or REVOKE of privileges gives or takes. InvalidGrant for a privilege that cannot be granted on its object.
func (o *Access) Grants(s *ast.Grant) ([]access.Grant, error) {
	var out []access.Grant
	for _, e := range s.Elements {
		for _, x := range e.Privileges {
			g, err := o.oneGrant(e, x)
			if err != nil {
				return nil, sqlerr.At(s.Start, sqlerr.CodeOf(err), "%s", err)
			}
			g.Revoke, g.Option = s.Revoke, s.Option
			out = append(out, g)
		}
	}
	return out, nil
}

func (o *Access) oneGrant(e *ast.GrantElement, x ast.GrantPrivilege) (access.Grant, error) {
	p := access.LookupPrivilege(x.Name)
	g := access.Grant{Privileges: []string{p.Name}, Columns: x.Columns}
	if p.Parametrized() {
		g.OnParam = true
		switch {
		case e.Database != "":
			return g, sqlerr.New(sqlerr.InvalidGrant, "%s cannot be granted on a database or a table", p.Name)
		case !e.AllDatabases && e.Table != "":
			g.Database, g.Prefix = e.Table, e.Prefix
		}
		if g.Prefix {
			return g, sqlerr.New(sqlerr.NotImplemented, "%s on all names that begin with %s is not implemented", p.Name, g.Database)
		}
		return g, nil
	}
	level := ""
	switch {
	case e.AllDatabases:
	case e.Table != "":
		g.Database, g.Table, g.Prefix, level = e.Database, e.Table, e.Prefix, "table"
	default:
		g.Database, g.Prefix, level = e.Database, e.Prefix, "database"
	}
	if e.CurrentDatabase {
		g.Database = o.Database
	}
	if len(x.Columns) > 0 {
		level = "column"
		if g.Table == "" || g.Prefix {
			return g, sqlerr.New(sqlerr.InvalidGrant, "%s of columns can be granted on a table only", p.Name)
		}
	}
	if level != "" && !p.GrantableOn(level) {
		return g, sqlerr.New(sqlerr.InvalidGrant, "%s cannot be granted on the %s level", p.Name, level)
	}
	return g, nil
}

// Grant carries out GRANT and REVOKE, once it is known that the user may: of grants, or of the roles that the statement names.
func (o *Access) Grant(st *access.State, s *ast.Grant, grants []access.Grant) (*access.State, error) {
	to, err := o.Chosen(st, &s.To)
	if err != nil {
		return nil, err
	}
	names := to.List
	if to.All {
		for _, u := range st.Users() {
			names = append(names, u.Name)
		}
		for _, r := range st.Roles() {
			names = append(names, r.Name)
		}
		names = slices.DeleteFunc(names, func(n string) bool { return slices.Contains(to.Except, n) })
	}
	for _, name := range names {
		if o.fixed(name) {
			return nil, readOnly("update", name)
		}
		if st, err = o.grantTo(st, s, grants, name); err != nil {
			return nil, err
		}
	}
	return st, nil
}

func (o *Access) grantTo(st *access.State, s *ast.Grant, grants []access.Grant, name string) (*access.State, error) {
	if u := st.User(name); u != nil {
		u = access.Fork(u)
		if err := apply(st, s, grants, &u.Grants, &u.Roles); err != nil {
			return nil, err
		}
		return st.WithChanged(name, u)
	}
	r := access.Fork(st.Role(name))
	if err := apply(st, s, grants, &r.Grants, &r.Roles); err != nil {
		return nil, err
	}
	return st.WithChanged(name, r)
}

// apply changes the rights or the roles of one user or role.
func apply(st *access.State, s *ast.Grant, grants []access.Grant, rights *[]access.Grant, roles *[]access.RoleGrant) error {
	if s.Roles == nil {
		r := access.RightsOf(*rights)
		if s.Replace {
			r = &access.Rights{}
		}
		for i := range grants {
			r.Grant(&grants[i])
		}
		*rights = r.List()
		return nil
	}
	list := slices.Clone(*roles)
	if s.Replace {
		list = nil
	}
	names := s.Roles.Names
	if s.Roles.All {
		names = nil
		for _, g := range list {
			if !slices.Contains(s.Roles.Except, g.Role) {
				names = append(names, g.Role)
			}
		}
	}
	for _, role := range names {
		if st.Role(role) == nil {
			return access.Unknown(access.KindRole, role)
		}
		i := slices.IndexFunc(list, func(g access.RoleGrant) bool { return g.Role == role })
		switch {
		case !s.Revoke && i < 0:
			list = append(list, access.RoleGrant{Role: role, Admin: s.Option})
		case !s.Revoke:
			list[i].Admin = list[i].Admin || s.Option
		case i >= 0 && s.Option:
			list[i].Admin = false
		case i >= 0:
			list = slices.Delete(list, i, i+1)
		}
	}
	*roles = list
	return nil
}

// ConfigGrant reads a grant of the config file, such as SELECT ON db.* or the name of a role.
func ConfigGrant(sql string) (grants []access.Grant, roles []access.RoleGrant, err error) {
	stmt, err := parse.One("GRANT "+sql+" TO CURRENT_USER", parse.Limits{})
	if err != nil {
		return nil, nil, err
	}
	s, ok := stmt.(*ast.Grant)
	if !ok || s.Current || s.Replace {
		return nil, nil, sqlerr.New(sqlerr.SyntaxError, "Not a grant")
	}
	if s.Roles != nil {
		for _, r := range s.Roles.Names {
			roles = append(roles, access.RoleGrant{Role: r})
		}
		return nil, roles, nil
	}
	grants, err = (&Access{Database: "default"}).Grants(s)
	return grants, nil, err
}
