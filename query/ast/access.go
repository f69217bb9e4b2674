package ast

// AccessKind is what CREATE USER and its kin speak of.
type AccessKind string

// The kinds, by their keywords.
const (
	AccessUser    AccessKind = "USER"
	AccessRole    AccessKind = "ROLE"
	AccessPolicy  AccessKind = "ROW POLICY"
	AccessQuota   AccessKind = "QUOTA"
	AccessProfile AccessKind = "SETTINGS PROFILE"
)

// AccessName is the name of a user, role, quota or profile, or of a policy on a table.
type AccessName struct {
	Name string
	// Host is what stands behind @ in a user's name.
	Host string
	// Table is a policy's; its Table is empty for all of a database.
	Table TableName
}

// AccessChange is CREATE or ALTER of a user, role, row policy, quota or settings profile. Clauses that were not given are nil, and
// ALTER leaves those alone.
type AccessChange struct {
	Range
	Kind                             AccessKind
	Alter                            bool
	IfExists, IfNotExists, OrReplace bool
	Names                            []AccessName
	NewName                          string // RENAME TO
	OnCluster                        string
	Auth                             *AuthClause
	Hosts, AddHosts, DropHosts       *HostClause
	ValidUntil                       *string
	DefaultRoles, Grantees, To       *RoleSet
	DefaultDatabase                  *string // "" is NONE
	Settings                         *ProfileClause
	Filter                           *PolicyFilter
	Restrictive                      *bool
	Keys                             *[]string // KEYED BY; empty is NOT KEYED
	Intervals                        []*QuotaInterval
	Storage                          string // IN storage
}

// AuthClause is IDENTIFIED or NOT IDENTIFIED.
type AuthClause struct {
	Add   bool // ADD IDENTIFIED
	Reset bool // RESET AUTHENTICATION METHODS TO NEW
	// Methods are empty for NOT IDENTIFIED.
	Methods []AuthMethod
}

// AuthMethod is one way to log in.
type AuthMethod struct {
	// Type is the name in lower case, such as sha256_password or sha256_hash; empty for plain IDENTIFIED BY.
	Type       string
	Secret     string
	HasSecret  bool
	Salt       string
	ValidUntil string // "" without
}

// HostClause is HOST.
type HostClause struct {
	Any, None, Local           bool
	Names, Regexps, IPs, Likes []string
}

// RoleSet is a list of users and roles, ALL, ALL EXCEPT a list, ANY or NONE.
type RoleSet struct {
	All     bool // ALL, ANY
	Current bool // CURRENT_USER is among the names
	Names   []string
	Except  []string
	// ExceptCurrent says that CURRENT_USER is among Except.
	ExceptCurrent bool
}

// ProfileClause is SETTINGS, or ADD, DROP and MODIFY of them.
type ProfileClause struct {
	// Replace says that the elements are all there are: SETTINGS without ADD, DROP, MODIFY.
	Replace  bool
	Elements []ProfileElement
	// Drop are names of settings, DropProfiles those of profiles, DropAll all of the kind.
	Drop, DropProfiles               []string
	DropAllSettings, DropAllProfiles bool
}

// ProfileElement is one element of SETTINGS.
type ProfileElement struct {
	Profile         string // PROFILE 'name' or INHERIT 'name'
	Setting         string
	Value, Min, Max Expr // nil where not given
	Writability     string
}

// PolicyFilter is USING; a nil Expr is NONE.
type PolicyFilter struct{ Expr Expr }

// QuotaInterval is one FOR INTERVAL.
type QuotaInterval struct {
	Randomized bool
	Seconds    int64
	NoLimits   bool
	Tracking   bool
	Max        []QuotaMax
}

// QuotaMax is one limit.
type QuotaMax struct {
	Resource string // in lower case
	Value    string // the number as written
}

// AccessDrop is DROP of users, roles, policies, quotas or profiles.
type AccessDrop struct {
	Range
	Kind      AccessKind
	IfExists  bool
	Names     []AccessName
	OnCluster string
}

// Grant is GRANT or REVOKE, of privileges or of roles.
type Grant struct {
	Range
	Revoke bool
	// Option is WITH GRANT OPTION, GRANT OPTION FOR and their ADMIN forms.
	Option bool
	// Replace is WITH REPLACE OPTION.
	Replace   bool
	Current   bool // GRANT CURRENT GRANTS
	OnCluster string
	Elements  []*GrantElement
	Roles     *RoleSet // instead of Elements
	To        RoleSet
}

// GrantElement is privileges on one object. An empty Database is the current one if Table is given or DatabaseCurrent is set, else all.
type GrantElement struct {
	Privileges []GrantPrivilege
	// AllDatabases is *.* and, of parametrized privileges, *.
	AllDatabases    bool
	Database, Table string // "" Table with a Database is all of its tables
	Prefix          bool   // the last name stands for all that begin with it
	CurrentDatabase bool   // the Database is the current one
}

// GrantPrivilege is a privilege with its columns.
type GrantPrivilege struct {
	Name    string // upper case, single spaces; functions as written
	Columns []string
}

// SetRole is SET ROLE, or SET DEFAULT ROLE with To.
type SetRole struct {
	Range
	Default bool // SET ROLE DEFAULT
	Roles   *RoleSet
	To      *RoleSet // of SET DEFAULT ROLE
}

// ShowAccess is SHOW of anything that has to do with access. What is upper case, such as "CREATE USER", "USERS" or "GRANTS".
type ShowAccess struct {
	Range
	What  string
	Names []AccessName // of SHOW CREATE and of SHOW GRANTS FOR; none: the current user, or all
	// Implicit and Final are of SHOW GRANTS.
	Implicit, Final bool
	// All is SHOW CREATE of all of a kind.
	All bool
	// Table is of SHOW ROW POLICIES ON.
	Table TableName
	Output
}

func (*AccessChange) statement() {}
func (*AccessDrop) statement()   {}
func (*Grant) statement()        {}
func (*SetRole) statement()      {}
func (*ShowAccess) statement()   {}
