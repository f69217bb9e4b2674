package define

import (
	"fmt"
	"sort"
	"strconv"
	"strings"
	"time"

	"github.com/olapd/olapd/internal/access"
	"github.com/olapd/olapd/query/ast"
)

// ShowUser is CREATE USER as SHOW CREATE USER prints it: without passwords.
func ShowUser(u *access.User) string {
	var b strings.Builder
	b.WriteString("CREATE USER " + ast.QuoteIdent(u.Name) + " IDENTIFIED WITH ")
	for i, a := range u.Auth {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(string(a.Type))
		if a.Until != 0 {
			b.WriteString(" VALID UNTIL " + ast.QuoteString(time.Unix(a.Until, 0).UTC().Format(time.DateTime)))
		}
	}
	if !u.Hosts.Any {
		b.WriteString(" HOST " + hostText(u.Hosts))
	}
	if d := u.DefaultRoles; !d.All || len(d.Except) > 0 {
		b.WriteString(" DEFAULT ROLE " + namesText(d))
	}
	if u.DefaultDatabase != "" {
		b.WriteString(" DEFAULT DATABASE " + ast.QuoteIdent(u.DefaultDatabase))
	}
	b.WriteString(settingsText(u.Settings))
	if g := u.Grantees; !g.All || len(g.Except) > 0 {
		b.WriteString(" GRANTEES " + namesText(g))
	}
	return b.String()
}

func hostText(h access.Hosts) string {
	var items []string
	if h.Local {
		items = append(items, "LOCAL")
	}
	for _, l := range []struct {
		word string
		list []string
	}{{"IP ", h.IPs}, {"NAME ", h.Names}, {"REGEXP ", h.Regexps}, {"LIKE ", h.Likes}} {
		if len(l.list) > 0 {
			items = append(items, l.word+quoted(l.list, ast.QuoteString))
		}
	}
	if len(items) == 0 {
		return "NONE"
	}
	return strings.Join(items, ", ")
}

func quoted(list []string, quote func(string) string) string {
	out := make([]string, len(list))
	for i, x := range list {
		out[i] = quote(x)
	}
	return strings.Join(out, ", ")
}

func namesText(n access.Names) string {
	return (&ast.RoleSet{All: n.All, Names: n.List, Except: n.Except}).String()
}

// backquoted is how ClickHouse prints names of profiles, always.
func backquoted(s string) string { return "`" + strings.ReplaceAll(s, "`", "\\`") + "`" }

func settingsText(list []access.Element) string {
	if len(list) == 0 {
		return ""
	}
	var items []string
	for _, e := range list {
		items = append(items, elementText(e))
	}
	return " SETTINGS " + strings.Join(items, ", ")
}

func elementText(e access.Element) string {
	if e.Profile != "" {
		return "PROFILE " + backquoted(e.Profile)
	}
	text := e.Setting
	for _, v := range []struct {
		word  string
		value *string
	}{{" = ", e.Value}, {" MIN ", e.Min}, {" MAX ", e.Max}} {
		if v.value != nil {
			text += v.word + valueText(*v.value)
		}
	}
	if e.Writability != "" {
		text += " " + e.Writability
	}
	return text
}

// valueText prints numbers as they are, anything else as a string.
func valueText(v string) string {
	if _, err := strconv.ParseFloat(v, 64); err == nil {
		return v
	}
	return ast.QuoteString(v)
}

func toText(n access.Names) string {
	if !n.All && len(n.List) == 0 {
		return ""
	}
	return " TO " + namesText(n)
}

// ShowRole is CREATE ROLE.
func ShowRole(r *access.Role) string {
	return "CREATE ROLE " + ast.QuoteIdent(r.Name) + settingsText(r.Settings)
}

// ShowProfile is CREATE SETTINGS PROFILE.
func ShowProfile(p *access.Profile) string {
	return "CREATE SETTINGS PROFILE " + backquoted(p.Name) + settingsText(p.Settings) + toText(p.To)
}

// PolicyObject is the table a policy is on, as it is printed.
func PolicyObject(p *access.Policy) string {
	if p.Table == access.AllTables {
		return ast.QuoteIdent(p.Database) + ".*"
	}
	return ast.QuoteIdent(p.Database) + "." + ast.QuoteIdent(p.Table)
}

// ShowPolicy is CREATE ROW POLICY.
func ShowPolicy(p *access.Policy) string {
	text := "CREATE ROW POLICY " + ast.QuoteIdent(p.Name) + " ON " + PolicyObject(p) + " FOR SELECT"
	if p.Filter != "" {
		text += " USING " + p.Filter
	}
	if p.Restrictive {
		text += " AS restrictive"
	}
	return text + toText(p.To)
}

// ShowQuota is CREATE QUOTA.
func ShowQuota(q *access.Quota) string {
	text := "CREATE QUOTA " + ast.QuoteIdent(q.Name)
	if len(q.Keys) > 0 {
		text += " KEYED BY " + strings.Join(q.Keys, ", ")
	}
	for i, x := range q.Intervals {
		if i > 0 {
			text += ","
		}
		text += " FOR"
		if x.Randomized {
			text += " RANDOMIZED"
		}
		text += " INTERVAL " + ast.IntervalText(x.Seconds)
		sep := " MAX "
		for _, r := range access.Resources {
			if n, ok := x.Max[r]; ok {
				text += sep + r + " = " + LimitText(r, n)
				sep = ", "
			}
		}
		if len(x.Max) == 0 {
			text += " TRACKING ONLY"
		}
	}
	return text + toText(q.To)
}

// LimitText prints a limit of a quota; times are kept in nanoseconds.
func LimitText(resource string, n uint64) string {
	if resource == "execution_time" {
		return strconv.FormatFloat(float64(n)/float64(time.Second), 'f', -1, 64)
	}
	return strconv.FormatUint(n, 10)
}

// GrantLines are the statements that give a user or role its rights and roles, as SHOW GRANTS prints them.
func GrantLines(name string, grants []access.Grant, roles []access.RoleGrant) []string {
	var out []string
	for _, g := range joinObjects(grants) {
		out = append(out, grantLine(name, g))
	}
	for _, admin := range []bool{false, true} {
		var names []string
		for _, r := range roles {
			if r.Admin == admin {
				names = append(names, ast.QuoteIdent(r.Role))
			}
		}
		if len(names) == 0 {
			continue
		}
		sort.Strings(names)
		line := "GRANT " + strings.Join(names, ", ") + " TO " + ast.QuoteIdent(name)
		if admin {
			line += " WITH ADMIN OPTION"
		}
		out = append(out, line)
	}
	return out
}

// grantText is a grant whose privileges are printed, with columns.
type grantText struct {
	access.Grant
	items []string
}

// joinObjects puts grants on the same object, of the same kind, on one line.
func joinObjects(list []access.Grant) []grantText {
	var out []grantText
	for _, g := range list {
		var items []string
		for _, p := range g.Privileges {
			if g.Columns != nil {
				p += "(" + quoted(g.Columns, ast.QuoteIdent) + ")"
			}
			items = append(items, p)
		}
		if n := len(out) - 1; n >= 0 && sameObject(&out[n].Grant, &g) {
			out[n].items = append(out[n].items, items...)
			continue
		}
		out = append(out, grantText{g, items})
	}
	return out
}

func sameObject(a, b *access.Grant) bool {
	return a.Database == b.Database && a.Table == b.Table && a.Prefix == b.Prefix && a.OnParam == b.OnParam && a.Option == b.Option && a.Revoke == b.Revoke
}

// GrantObject is what privileges are on, as it is printed.
func GrantObject(g access.Grant) string {
	if g.OnParam {
		if g.Database == "" {
			return "*"
		}
		return ast.QuoteIdent(g.Database)
	}
	return (&ast.GrantElement{AllDatabases: g.Database == "", Database: g.Database, Table: g.Table, Prefix: g.Prefix}).Object()
}

func grantLine(name string, g grantText) string {
	verb, to, before, after := "GRANT ", " TO ", "", ""
	switch {
	case g.Revoke && g.Option:
		verb, to, before = "REVOKE ", " FROM ", "GRANT OPTION FOR "
	case g.Revoke:
		verb, to = "REVOKE ", " FROM "
	case g.Option:
		after = " WITH GRANT OPTION"
	}
	return fmt.Sprint(verb, before, strings.Join(g.items, ", "), " ON ", GrantObject(g.Grant), to, ast.QuoteIdent(name), after)
}

// EntityKind is the kind of entity that keywords name.
func EntityKind(k ast.AccessKind) access.Kind { return kinds[k] }
