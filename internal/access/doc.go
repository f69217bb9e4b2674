// Package access holds who may do what: users, roles, row policies, quotas and settings profiles, as immutable values with a version,
// and the checks on them as pure functions.
//
// A *State is a snapshot: readers keep it as long as they like, and a change makes another one. Entities refer to each other by name;
// users and roles share one namespace, so that a name in TO or FROM means one thing. What a user may do at an instant is an *Enabled,
// made of a State, the user's name and the roles that are on.
//
// # Privileges
//
// Privileges are ClickHouse's, read from privileges.tsv: name, other spellings, the level at which they are granted and the group they
// belong to. A group is granted as all of its members. Rights (rights.go) are a tree of what is granted: all databases, a database, a
// table, a column, where a name may also stand for all names that begin with it. A node holds the privileges in force there; a
// child is made as a copy of what it inherits, so that REVOKE on a table under a GRANT on its database is a child with less.
//
// # Stored form
//
// State is stored as JSON with the version of its form first. Grants are stored as the list SHOW GRANTS prints, by the names of
// privileges. Passwords are stored as salted or plain hashes as their type says; plaintext_password alone is stored as given.
package access
