package node

import (
	"context"
	"fmt"
	"maps"
	"net"
	"net/netip"
	"slices"
	"time"

	"github.com/olapd/olapd/cluster"
	"github.com/olapd/olapd/internal/access"
	"github.com/olapd/olapd/query/define"
	"github.com/olapd/olapd/query/settings"
)

// UserConfig is one user of the config file. SQL cannot change it.
type UserConfig struct {
	Password string `yaml:"password"`
	// Hashes of the password instead of itself: hex of SHA-256 or of SHA-1 done twice, or what bcrypt prints.
	SHA256     string `yaml:"password_sha256_hex"`
	DoubleSHA1 string `yaml:"password_double_sha1_hex"`
	Bcrypt     string `yaml:"password_bcrypt"`
	// Hosts are addresses, CIDR prefixes and names of hosts from which the user may come; none: all.
	Hosts []string `yaml:"hosts"`
	// Grants are as in SQL, such as SELECT ON db.*, or names of roles; none: the user may do everything.
	Grants   []string          `yaml:"grants"`
	Profile  string            `yaml:"profile"` // a settings profile made in SQL
	Database string            `yaml:"database"`
	ReadOnly bool              `yaml:"readonly"`
	Settings map[string]string `yaml:"settings"`
}

// users are the users of the config; default, who may do everything, if there are none.
func (c *Config) users() ([]*access.User, error) {
	if len(c.Users) == 0 {
		return []*access.User{access.Administrator("default")}, nil
	}
	var out []*access.User
	for _, name := range slices.Sorted(maps.Keys(c.Users)) {
		u, err := c.Users[name].user(name)
		if err != nil {
			return nil, fmt.Errorf("config: users.%s: %w", name, err)
		}
		out = append(out, u)
	}
	return out, nil
}

func (c UserConfig) user(name string) (*access.User, error) {
	u := access.Administrator(name)
	u.DefaultDatabase = c.Database
	var err error
	if u.Auth, err = c.auth(); err != nil {
		return nil, err
	}
	if len(c.Hosts) > 0 {
		u.Hosts = access.Hosts{}
	}
	for _, h := range c.Hosts {
		if _, err := access.ParsePrefix(h); err == nil {
			u.Hosts.IPs = append(u.Hosts.IPs, h)
		} else {
			u.Hosts.Names = append(u.Hosts.Names, h)
		}
	}
	if len(c.Grants) > 0 {
		u.Grants = nil
	}
	for _, sql := range c.Grants {
		grants, roles, err := define.ConfigGrant(sql)
		if err != nil {
			return nil, fmt.Errorf("grant %q: %w", sql, err)
		}
		u.Grants, u.Roles = append(u.Grants, grants...), append(u.Roles, roles...)
	}
	return u, c.elements(u)
}

func (c UserConfig) auth() ([]access.Auth, error) {
	var out []access.Auth
	for _, h := range []struct {
		t    access.AuthType
		hash string
	}{{access.SHA256, c.SHA256}, {access.DoubleSHA1, c.DoubleSHA1}, {access.Bcrypt, c.Bcrypt}} {
		if h.hash == "" {
			continue
		}
		a, err := access.GivenHash(h.t, h.hash, "")
		if err != nil {
			return nil, err
		}
		out = append(out, a)
	}
	if c.Password != "" {
		out = append(out, access.Auth{Type: access.Plaintext, Hash: c.Password})
	}
	if out == nil {
		out = []access.Auth{{Type: access.NoPassword}}
	}
	return out, nil
}

// elements gives u its settings.
func (c UserConfig) elements(u *access.User) error {
	if c.Profile != "" {
		u.Settings = append(u.Settings, access.Element{Profile: c.Profile})
	}
	for _, name := range slices.Sorted(maps.Keys(c.Settings)) {
		value := c.Settings[name]
		u.Settings = append(u.Settings, access.Element{Setting: name, Value: &value})
	}
	if c.ReadOnly {
		level := fmt.Sprint(settings.ReadOnly)
		u.Settings = append(u.Settings, access.Element{Setting: settings.Readonly.Name, Value: &level})
	}
	for _, e := range u.Settings {
		if e.Profile != "" {
			continue
		}
		if err := settings.CheckElement(e); err != nil {
			return err
		}
	}
	return nil
}

// resolveTimeout bounds looking up the hosts of a user who logs in.
const resolveTimeout = 2 * time.Second

// resolver implements access.Resolver by the system's.
type resolver struct{}

// Addresses implements access.Resolver; a name that is not found has none.
func (resolver) Addresses(name string) []netip.Addr {
	ctx, cancel := context.WithTimeout(context.Background(), resolveTimeout)
	defer cancel()
	out, err := net.DefaultResolver.LookupNetIP(ctx, "ip", name)
	if err != nil {
		return nil
	}
	return out
}

// Names implements access.Resolver; a name counts only if it leads back to the address.
func (r resolver) Names(addr netip.Addr) []string {
	ctx, cancel := context.WithTimeout(context.Background(), resolveTimeout)
	defer cancel()
	names, err := net.DefaultResolver.LookupAddr(ctx, addr.String())
	if err != nil {
		return nil
	}
	return slices.DeleteFunc(names, func(n string) bool {
		return !slices.ContainsFunc(r.Addresses(n), func(a netip.Addr) bool { return a.Unmap() == addr })
	})
}

// accesses implements query.Access.
type accesses struct{ meta *cluster.Meta }

// State implements query.Access.
func (a accesses) State() *access.State { return a.meta.Access() }

// Change implements query.Access.
func (a accesses) Change(ctx context.Context, f func(*access.State) (*access.State, error)) (*access.State, error) {
	return a.meta.ChangeAccess(ctx, f)
}
