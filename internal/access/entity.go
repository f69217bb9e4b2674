package access

import "slices"

// Names is a choice of users and roles: all, all but some, or some.
type Names struct {
	All    bool     `json:"all,omitempty"`
	List   []string `json:"list,omitempty"`
	Except []string `json:"except,omitempty"`
}

// Has reports whether one of the names is chosen, and with All none is excepted.
func (n *Names) Has(names ...string) bool {
	chosen := n.All
	for _, x := range names {
		if slices.Contains(n.Except, x) {
			return false
		}
		chosen = chosen || slices.Contains(n.List, x)
	}
	return chosen
}

// RoleGrant is a role given to a user or role.
type RoleGrant struct {
	Role  string `json:"role"`
	Admin bool   `json:"admin,omitempty"`
}

// Element is one line of a settings profile: a setting with its value and constraints, or a profile to inherit.
type Element struct {
	Profile string `json:"profile,omitempty"` // inherited; then there is nothing else
	Setting string `json:"setting,omitempty"`
	// Value, Min and Max are nil where not given.
	Value *string `json:"value,omitempty"`
	Min   *string `json:"min,omitempty"`
	Max   *string `json:"max,omitempty"`
	// Writability is empty, WRITABLE, CONST or CHANGEABLE_IN_READONLY.
	Writability string `json:"writability,omitempty"`
}

// User may log in.
type User struct {
	ID              string      `json:"id"`
	Name            string      `json:"name"`
	Auth            []Auth      `json:"auth,omitempty"`
	Hosts           Hosts       `json:"hosts"`
	Roles           []RoleGrant `json:"roles,omitempty"`
	DefaultRoles    Names       `json:"default_roles"`
	Grantees        Names       `json:"grantees"`
	Grants          []Grant     `json:"grants,omitempty"`
	DefaultDatabase string      `json:"default_database,omitempty"`
	Settings        []Element   `json:"settings,omitempty"`
	// Fixed says that the user is of the config file: SQL cannot change it.
	Fixed bool `json:"-"`
}

// Role is rights with a name.
type Role struct {
	ID       string      `json:"id"`
	Name     string      `json:"name"`
	Roles    []RoleGrant `json:"roles,omitempty"`
	Grants   []Grant     `json:"grants,omitempty"`
	Settings []Element   `json:"settings,omitempty"`
}

// Profile is settings with a name.
type Profile struct {
	ID       string    `json:"id"`
	Name     string    `json:"name"`
	Settings []Element `json:"settings,omitempty"`
	To       Names     `json:"to"`
}

// Policy shows the rows of a table, or of all tables of a database (Table "*"), that pass a condition to those it applies to.
type Policy struct {
	ID          string `json:"id"`
	Name        string `json:"name"` // short
	Database    string `json:"database"`
	Table       string `json:"table"`
	Filter      string `json:"filter,omitempty"` // SQL; empty: none given, which shows all rows
	Restrictive bool   `json:"restrictive,omitempty"`
	To          Names  `json:"to"`
}

// AllTables is the table of a policy on all tables of a database.
const AllTables = "*"

// Quota limits what is used in an interval.
type Quota struct {
	ID   string `json:"id"`
	Name string `json:"name"`
	// Keys say what is counted apart: user_name, ip_address, forwarded_ip_address, client_key, client_key,user_name,
	// client_key,ip_address, normalized_query_hash; none: all users together.
	Keys      []string   `json:"keys,omitempty"`
	Intervals []Interval `json:"intervals,omitempty"`
	To        Names      `json:"to"`
}

// Interval is one limit period of a quota.
type Interval struct {
	Seconds    int64 `json:"seconds"`
	Randomized bool  `json:"randomized,omitempty"`
	// Max is by the name of the resource; one that is not there is not limited. execution_time is in nanoseconds.
	Max map[string]uint64 `json:"max,omitempty"`
}

// Resources are what quotas limit, in the order of system.quota_limits.
var Resources = []string{"queries", "query_selects", "query_inserts", "errors", "result_rows", "result_bytes", "read_rows", "read_bytes",
	"execution_time", "written_bytes", "failed_sequential_authentications", "queries_per_normalized_hash"}
