package virtual

import (
	"context"
	"slices"
	"time"

	"github.com/olapd/olapd/internal/access"
)

// QuotaUse is what one key of a quota has used in its present interval.
type QuotaUse struct {
	Quota, Key string
	Current    bool // it is the reader's
	// Interval is nil for a quota without one.
	Interval   *access.Interval
	Start, End time.Time
	Used       map[string]uint64 // by resource; times in nanoseconds
}

func init() {
	fill("users", func(_ context.Context, s *Source, add func(row)) error {
		for _, u := range s.state().Users() {
			add(userRow(u))
		}
		return nil
	})
	fill("roles", func(_ context.Context, s *Source, add func(row)) error {
		for _, r := range s.state().Roles() {
			add(row{"name": r.Name, "id": uuid(r.ID), "storage": storage(false)})
		}
		return nil
	})
	fill("grants", grantRows)
	fill("role_grants", roleGrantRows)
	fill("current_roles", func(_ context.Context, s *Source, add func(row)) error { return ownRoles(s, false, add) })
	fill("enabled_roles", func(_ context.Context, s *Source, add func(row)) error { return ownRoles(s, true, add) })
	fill("row_policies", func(_ context.Context, s *Source, add func(row)) error {
		for _, p := range s.state().Policies() {
			r := row{"name": p.FullName(), "short_name": p.Name, "database": p.Database, "table": p.Table, "id": uuid(p.ID), "storage": storage(false),
				"is_restrictive": p.Restrictive}
			if p.Filter != "" {
				r["select_filter"] = p.Filter
			}
			add(applied(r, p.To))
		}
		return nil
	})
	fill("settings_profiles", func(_ context.Context, s *Source, add func(row)) error {
		for _, p := range s.state().Profiles() {
			add(applied(row{"name": p.Name, "id": uuid(p.ID), "storage": storage(false), "num_elements": len(p.Settings)}, p.To))
		}
		return nil
	})
	fill("settings_profile_elements", profileElements)
	fill("quotas", func(_ context.Context, s *Source, add func(row)) error {
		for _, q := range s.state().Quotas() {
			durations := []uint32{}
			for _, i := range q.Intervals {
				durations = append(durations, uint32(i.Seconds))
			}
			add(applied(row{"name": q.Name, "id": uuid(q.ID), "storage": storage(false), "keys": append([]string{}, q.Keys...), "durations": durations}, q.To))
		}
		return nil
	})
	fill("quota_limits", func(_ context.Context, s *Source, add func(row)) error {
		for _, q := range s.state().Quotas() {
			for i := range q.Intervals {
				x := &q.Intervals[i]
				add(limits(row{"quota_name": q.Name, "duration": x.Seconds, "is_randomized_interval": x.Randomized}, x))
			}
		}
		return nil
	})
	fill("quota_usage", func(_ context.Context, s *Source, add func(row)) error { return quotaUses(s, true, add) })
	fill("quotas_usage", func(_ context.Context, s *Source, add func(row)) error { return quotaUses(s, false, add) })
	fill("user_directories", func(_ context.Context, _ *Source, add func(row)) error {
		add(row{"name": storage(true), "type": "users_xml", "params": "{}", "precedence": 1})
		add(row{"name": storage(false), "type": "replicated", "params": "{}", "precedence": 2})
		return nil
	})
	fill("privileges", func(_ context.Context, _ *Source, add func(row)) error {
		for _, p := range access.Privileges() {
			r := row{"privilege": p.Name, "aliases": append([]string{}, p.Aliases...)}
			if p.Level != access.Group {
				r["level"] = string(p.Level)
			}
			if p.Parent != "" {
				r["parent_group"] = p.Parent
			}
			add(r)
		}
		return nil
	})
}

// state is the users and their kin; none without access control.
func (s *Source) state() *access.State {
	if s.Access == nil {
		return access.New()
	}
	return s.Access.State
}

func (s *Source) showsDatabase(db string) bool { return s.Access == nil || s.Access.ShowsDatabase(db) }

func (s *Source) showsTable(db, table string) bool {
	return s.Access == nil || s.Access.ShowsTable(db, table)
}

func (s *Source) showsColumn(db, table, column string) bool {
	return s.Access == nil || s.Access.ShowsColumn(db, table, column)
}

// showsUser reports whether the reader may see what another user runs.
func (s *Source) showsUser(user string) bool {
	return s.Access == nil || user == s.User || s.Access.Rights.Has(access.Of("KILL QUERY"), access.Object{}, false)
}

// storage names where an entity is kept.
func storage(fixed bool) string {
	if fixed {
		return "users_xml"
	}
	return "replicated"
}

func userRow(u *access.User) row {
	auth, params, until := []string{}, []string{}, []time.Time{}
	for _, a := range u.Auth {
		auth, params = append(auth, string(a.Type)), append(params, "{}")
		t := time.Time{}
		if a.Until != 0 {
			t = time.Unix(a.Until, 0)
		}
		until = append(until, t)
	}
	ips, names := append([]string{}, u.Hosts.IPs...), append([]string{}, u.Hosts.Names...)
	if u.Hosts.Any {
		ips = []string{"::/0"}
	}
	if u.Hosts.Local {
		names = append(names, "localhost")
	}
	return row{"name": u.Name, "id": uuid(u.ID), "storage": storage(u.Fixed), "auth_type": auth, "auth_params": params, "valid_until": until,
		"host_ip": ips, "host_names": names, "host_names_regexp": append([]string{}, u.Hosts.Regexps...), "host_names_like": append([]string{}, u.Hosts.Likes...),
		"default_roles_all": u.DefaultRoles.All, "default_roles_list": append([]string{}, u.DefaultRoles.List...),
		"default_roles_except": append([]string{}, u.DefaultRoles.Except...), "grantees_any": u.Grantees.All,
		"grantees_list": append([]string{}, u.Grantees.List...), "grantees_except": append([]string{}, u.Grantees.Except...), "default_database": u.DefaultDatabase}
}

// applied adds who something applies to.
func applied(r row, to access.Names) row {
	r["apply_to_all"], r["apply_to_list"], r["apply_to_except"] = to.All, append([]string{}, to.List...), append([]string{}, to.Except...)
	return r
}

func grantRows(_ context.Context, s *Source, add func(row)) error {
	list := func(column, name string, grants []access.Grant) {
		for _, g := range access.RightsOf(grants).List() {
			columns := g.Columns
			if columns == nil {
				columns = []string{""}
			}
			for _, p := range g.Privileges {
				for _, c := range columns {
					r := row{column: name, "access_type": p, "is_partial_revoke": g.Revoke, "grant_option": g.Option, "is_wildcard": g.Prefix}
					for to, text := range map[string]string{"database": g.Database, "table": g.Table, "column": c} {
						if text != "" && !g.OnParam {
							r[to] = text
						}
					}
					if g.OnParam {
						r["access_object"] = g.Database
					}
					add(r)
				}
			}
		}
	}
	for _, u := range s.state().Users() {
		list("user_name", u.Name, u.Grants)
	}
	for _, r := range s.state().Roles() {
		list("role_name", r.Name, r.Grants)
	}
	return nil
}

func roleGrantRows(_ context.Context, s *Source, add func(row)) error {
	st := s.state()
	list := func(column, name string, grants []access.RoleGrant, isDefault func(string) bool) {
		for _, g := range grants {
			r := row{column: name, "granted_role_name": g.Role, "granted_role_is_default": isDefault(g.Role), "with_admin_option": g.Admin}
			if role := st.Role(g.Role); role != nil {
				r["granted_role_id"] = uuid(role.ID)
			}
			add(r)
		}
	}
	for _, u := range st.Users() {
		list("user_name", u.Name, u.Roles, func(r string) bool { return u.DefaultRoles.Has(r) })
	}
	for _, r := range st.Roles() {
		list("role_name", r.Name, r.Roles, func(string) bool { return true })
	}
	return nil
}

// ownRoles are the reader's roles that are set, or all that are on.
func ownRoles(s *Source, enabled bool, add func(row)) error {
	if s.Access == nil {
		return nil
	}
	names := s.Access.Current
	if enabled {
		names = s.Access.Roles
	}
	for _, n := range names {
		admin := slices.ContainsFunc(s.Access.User.Roles, func(g access.RoleGrant) bool { return g.Role == n && g.Admin })
		add(row{"role_name": n, "with_admin_option": admin, "is_current": slices.Contains(s.Access.Current, n), "is_default": s.Access.User.DefaultRoles.Has(n)})
	}
	return nil
}

func profileElements(_ context.Context, s *Source, add func(row)) error {
	list := func(column, name string, elements []access.Element) {
		for i, e := range elements {
			r := row{column: name, "index": i}
			if e.Profile != "" {
				r["inherit_profile"] = e.Profile
				add(r)
				continue
			}
			r["setting_name"] = e.Setting
			for to, v := range map[string]*string{"value": e.Value, "min": e.Min, "max": e.Max} {
				if v != nil {
					r[to] = *v
				}
			}
			if e.Writability != "" {
				r["writability"] = e.Writability
			}
			add(r)
		}
	}
	for _, p := range s.state().Profiles() {
		list("profile_name", p.Name, p.Settings)
	}
	for _, u := range s.state().Users() {
		list("user_name", u.Name, u.Settings)
	}
	for _, r := range s.state().Roles() {
		list("role_name", r.Name, r.Settings)
	}
	return nil
}

// quotaValue is a count, or the seconds of a time.
func quotaValue(resource string, n uint64) any {
	if resource == "execution_time" {
		return float64(n) / float64(time.Second)
	}
	return n
}

// limits adds the limits of an interval.
func limits(r row, x *access.Interval) row {
	for name, n := range x.Max {
		r["max_"+name] = quotaValue(name, n)
	}
	return r
}

func quotaUses(s *Source, own bool, add func(row)) error {
	if s.QuotaUses == nil {
		return nil
	}
	for _, u := range s.QuotaUses(s.User) {
		if own && !u.Current {
			continue
		}
		r := row{"quota_name": u.Quota, "quota_key": u.Key, "is_current": u.Current}
		if u.Interval != nil {
			r["start_time"], r["end_time"], r["duration"] = u.Start, u.End, u.Interval.Seconds
			for _, name := range access.Resources {
				r[name] = quotaValue(name, u.Used[name])
			}
			limits(r, u.Interval)
		}
		add(r)
	}
	return nil
}
