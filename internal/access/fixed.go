package access

import (
	"crypto/sha256"
	"fmt"
)

// Administrator is a user of the config file who may do everything, from anywhere, without a password.
func Administrator(name string) *User {
	return &User{ID: fixedID(name), Name: name, Auth: []Auth{{Type: NoPassword}}, Hosts: Hosts{Any: true}, DefaultRoles: Names{All: true},
		Grantees: Names{All: true}, Grants: []Grant{{Privileges: []string{"ALL"}, Option: true}}, Fixed: true}
}

// loopback reports whether an address is of this machine, or of within the process.
func loopback(addr string) bool {
	ip, ok := hostAddr(addr)
	return !ok || ip.IsLoopback()
}

// fixedID is the ID of an entity that is not stored: the same at every start.
func fixedID(name string) string {
	h := sha256.Sum256([]byte("user " + name))
	return fmt.Sprintf("%x-%x-%x-%x-%x", h[:4], h[4:6], h[6:8], h[8:10], h[10:16])
}

// Open reports whether anyone may be the user without a password.
func (u *User) Open() bool {
	for _, a := range u.Auth {
		if a.Type == NoPassword || a.Type == Plaintext && a.Hash == "" {
			return true
		}
	}
	return false
}
