package access

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/olapd/olapd/internal/sqlerr"
)

func grant(database, table, privileges string, columns ...string) Grant {
	g := Grant{Privileges: strings.Split(privileges, ", "), Database: database, Table: table, Columns: columns}
	return g
}

func revoke(g Grant) Grant { g.Revoke = true; return g }
func prefix(g Grant) Grant { g.Prefix = true; return g }
func option(g Grant) Grant { g.Option = true; return g }
func param(g Grant) Grant  { g.OnParam = true; return g }

func printed(list []Grant) []string {
	var out []string
	for _, g := range list {
		verb := "+"
		if g.Revoke {
			verb = "-"
		}
		star := ""
		if g.Prefix {
			star = "*"
		}
		opt := ""
		if g.Option {
			opt = " option"
		}
		if g.OnParam {
			opt += " param"
		}
		out = append(out, fmt.Sprintf("%s%s%v on %s.%s%s%s", verb, strings.Join(g.Privileges, ","), g.Columns, g.Database, g.Table, star, opt))
	}
	return out
}

func TestList(t *testing.T) {
	for _, c := range []struct {
		name   string
		grants []Grant
		want   []string
	}{
		{"one", []Grant{grant("db", "t", "SELECT")}, []string{"+SELECT[] on db.t"}},
		{"partial revoke", []Grant{grant("db", "", "SELECT, INSERT"), revoke(grant("db", "t", "SELECT"))},
			[]string{"+SELECT,INSERT[] on db.", "-SELECT[] on db.t"}},
		{"revoke undone", []Grant{grant("db", "", "SELECT"), revoke(grant("db", "t", "SELECT")), grant("db", "", "SELECT")}, []string{"+SELECT[] on db."}},
		{"columns", []Grant{grant("db", "t", "SELECT", "b", "a")}, []string{"+SELECT[a b] on db.t"}},
		{"column then table", []Grant{grant("db", "t", "SELECT", "a"), grant("db", "t", "SELECT")}, []string{"+SELECT[] on db.t"}},
		{"prefix", []Grant{prefix(grant("pre", "", "SELECT")), revoke(grant("prefix", "", "SELECT"))}, []string{"+SELECT[] on pre.*", "-SELECT[] on prefix."}},
		{"everything but", []Grant{grant("", "", "ALL"), revoke(grant("", "", "SHOW, SELECT, INSERT, ALTER, CREATE, DROP, SYSTEM, ACCESS MANAGEMENT, INTROSPECTION, CHECK, UNDROP TABLE, TRUNCATE, OPTIMIZE, BACKUP, KILL TRANSACTION, MOVE PARTITION BETWEEN SHARDS, dictGet, displaySecretsInShowAndSelect, CLUSTER, FILE, URL, REMOTE, MONGO, REDIS, MYSQL, POSTGRES, SQLITE, ODBC, JDBC, HDFS, S3, HIVE, AZURE, KAFKA, NATS, RABBITMQ, YTSAURUS, ARROW FLIGHT, SOURCES"))},
			[]string{"+KILL QUERY[] on .", "+NAMED COLLECTION ADMIN,SET DEFINER,TABLE ENGINE,READ,WRITE[] on . param"}},
		{"revoke at the top", []Grant{grant("db", "t", "SELECT"), grant("", "", "SELECT"), revoke(grant("", "", "SELECT"))}, nil},
		{"level", []Grant{grant("db", "", "SELECT, CREATE USER, KILL QUERY")}, []string{"+SELECT[] on db."}},
		{"option", []Grant{option(grant("db", "t", "SELECT")), grant("db", "t", "INSERT")}, []string{"+INSERT[] on db.t", "+SELECT[] on db.t option"}},
		{"option taken", []Grant{option(grant("db", "t", "SELECT")), {Privileges: []string{"SELECT"}, Database: "db", Table: "t", Revoke: true, Option: true}}, []string{"+SELECT[] on db.t"}},
		{"param", []Grant{param(grant("S3", "", "READ"))}, []string{"+READ[] on S3. param"}},
		{"group", []Grant{grant("db", "t", "ALTER COLUMN")}, []string{"+ALTER COLUMN[] on db.t"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := RightsOf(c.grants).List()
			if p := printed(got); !slices.Equal(p, c.want) {
				t.Errorf("got  %q\nwant %q", p, c.want)
			}
			if again := printed(RightsOf(got).List()); !slices.Equal(again, c.want) {
				t.Errorf("of its own list: %q", again)
			}
		})
	}
}

func TestHas(t *testing.T) {
	r := RightsOf([]Grant{grant("db", "", "SELECT"), revoke(grant("db", "x", "SELECT")), revoke(grant("db", "y", "SELECT", "secret")),
		grant("db", "x", "SELECT", "a"), prefix(grant("pre", "", "INSERT")), grant("q", "t", "CREATE TABLE, DROP TABLE"), param(grant("", "", "CREATE USER")),
		revoke(param(grant("root", "", "CREATE USER")))})
	for _, c := range []struct {
		privilege string
		on        Object
		want      bool
	}{
		{"SELECT", Object{Database: "db", Table: "t"}, true},
		{"SELECT", Object{Database: "db"}, false},
		{"SELECT", Object{Database: "db", Table: "x"}, false},
		{"SELECT", Object{Database: "db", Table: "x", Columns: []string{"a"}}, true},
		{"SELECT", Object{Database: "db", Table: "x", Columns: []string{"a", "b"}}, false},
		{"SELECT", Object{Database: "db", Table: "y"}, false},
		{"SELECT", Object{Database: "db", Table: "y", Columns: []string{"secret"}}, false},
		{"SELECT", Object{Database: "db", Table: "y", Columns: []string{"open"}}, true},
		{"SELECT", Object{Database: "dbx", Table: "y"}, false},
		{"SELECT", Object{}, false},
		{"INSERT", Object{Database: "prefix", Table: "y"}, true},
		{"INSERT", Object{Database: "pr", Table: "y"}, false},
		{"SHOW TABLES", Object{Database: "db", Table: "t"}, true},
		{"SHOW COLUMNS", Object{Database: "db", Table: "t"}, true},
		{"CREATE VIEW", Object{Database: "q", Table: "t"}, true},
		{"CREATE TEMPORARY TABLE", Object{}, false},
		{"CREATE USER", Object{OnParam: true, Param: "u"}, true},
		{"CREATE USER", Object{OnParam: true, Param: "root"}, false},
		{"CREATE USER", Object{OnParam: true}, false},
	} {
		if got := r.Has(Of(c.privilege), c.on, false); got != c.want {
			t.Errorf("%s on %s %v: %v", c.privilege, c.on, c.on.Columns, got)
		}
	}
}

// TestModel compares rights with a naive model: of every grant in turn, on a handful of names.
func TestModel(t *testing.T) {
	dbs, tables, cols := []string{"a", "ab", "b"}, []string{"t", "tx"}, []string{"c", "d"}
	type cell struct{ db, table, col string }
	state := uint64(1)
	random := func(n int) int {
		state = state*6364136223846793005 + 1442695040888963407
		return int(state>>33) % n
	}
	for range 300 {
		var list []Grant
		model := map[cell]bool{}
		for range 1 + random(7) {
			g := Grant{Privileges: []string{"SELECT"}, Revoke: random(3) == 0}
			match := func(cell) bool { return true }
			switch random(6) {
			case 0:
			case 1:
				g.Database = dbs[random(3)]
				match = func(c cell) bool { return c.db == g.Database }
			case 2:
				g.Database, g.Prefix = "a", true
				match = func(c cell) bool { return strings.HasPrefix(c.db, "a") }
			case 3:
				g.Database, g.Table = dbs[random(3)], tables[random(2)]
				match = func(c cell) bool { return c.db == g.Database && c.table == g.Table }
			case 4:
				g.Database, g.Table, g.Prefix = dbs[random(3)], "t", true
				match = func(c cell) bool { return c.db == g.Database && strings.HasPrefix(c.table, "t") }
			case 5:
				g.Database, g.Table, g.Columns = dbs[random(3)], tables[random(2)], []string{cols[random(2)]}
				match = func(c cell) bool { return c.db == g.Database && c.table == g.Table && c.col == g.Columns[0] }
			}
			list = append(list, g)
			for _, db := range dbs {
				for _, tb := range tables {
					for _, col := range cols {
						if c := (cell{db, tb, col}); match(c) {
							model[c] = !g.Revoke
						}
					}
				}
			}
		}
		for _, r := range []*Rights{RightsOf(list), RightsOf(RightsOf(list).List()), joined(list)} {
			for _, db := range dbs {
				for _, tb := range tables {
					for _, col := range cols {
						if got := r.Has(Of("SELECT"), Object{Database: db, Table: tb, Columns: []string{col}}, false); got != model[cell{db, tb, col}] {
							t.Fatalf("%q\nas %q\n%s.%s.%s: %v", printed(list), printed(r.List()), db, tb, col, got)
						}
					}
				}
			}
		}
	}
}

// joined is the rights of a list and of nothing, and of themselves.
func joined(list []Grant) *Rights {
	r := &Rights{}
	r.Join(RightsOf(list))
	r.Join(RightsOf(list))
	return r
}

func TestStored(t *testing.T) {
	s := New()
	auth, err := NewAuth(SHA256, "x")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range []Entity{
		&User{ID: "1", Name: "u", Auth: []Auth{auth}, Hosts: Hosts{Any: true}, Roles: []RoleGrant{{Role: "r"}}, DefaultRoles: Names{All: true}, Grants: []Grant{grant("db", "", "SELECT")}},
		&Role{ID: "2", Name: "r", Grants: []Grant{grant("db", "t", "INSERT")}},
		&Policy{ID: "3", Name: "p", Database: "db", Table: "t", Filter: "a = 1", To: Names{List: []string{"r"}}},
		&Quota{ID: "4", Name: "q", To: Names{All: true}, Intervals: []Interval{{Seconds: 60, Max: map[string]uint64{"queries": 1}}}},
		&Profile{ID: "5", Name: "sp", Settings: []Element{{Setting: "max_threads"}}},
	} {
		if s, err = s.With(e); err != nil {
			t.Fatal(err)
		}
	}
	b, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	again := New()
	if err := json.Unmarshal(b, again); err != nil {
		t.Fatal(err)
	}
	if b2, _ := json.Marshal(again); string(b2) != string(b) {
		t.Errorf("%s\nbecame %s", b, b2)
	}
	if err := json.Unmarshal([]byte(`{"form":2}`), New()); !sqlerr.Is(err, sqlerr.CorruptedData) {
		t.Error(err)
	}
	if err := json.Unmarshal([]byte(`{"form":1,"users":[null]}`), New()); !sqlerr.Is(err, sqlerr.CorruptedData) {
		t.Error(err)
	}
	renamed, err := again.WithChanged("r", &Role{ID: "2", Name: "r2"})
	if err != nil {
		t.Fatal(err)
	}
	if u := renamed.User("u"); u.Roles[0].Role != "r2" || again.User("u").Roles[0].Role != "r" {
		t.Error("a role's new name is not followed, or the old state was changed")
	}
	if p := renamed.Policy("p ON db.t"); p.To.List[0] != "r2" {
		t.Error("a policy does not follow a role's new name")
	}
	without, err := renamed.Without(KindRole, "r2")
	if err != nil || len(without.User("u").Roles) != 0 || len(without.Policy("p ON db.t").To.List) != 0 {
		t.Error("a role that is gone is still granted", err)
	}
	if _, err := again.With(&Role{Name: "u"}); !sqlerr.Is(err, sqlerr.AccessEntityAlreadyExists) {
		t.Error("a role has the name of a user:", err)
	}
}

func TestAuthenticate(t *testing.T) {
	s := New()
	never := func(*Auth) bool { return false }
	now := time.Unix(1000, 0)
	for _, typ := range []AuthType{Plaintext, SHA256, DoubleSHA1, Bcrypt, ScramSHA256} {
		a, err := NewAuth(typ, "secret")
		if err != nil {
			t.Fatal(err)
		}
		if typ != Plaintext && strings.Contains(a.Hash, "secret") {
			t.Errorf("%s is kept in plain text", typ)
		}
		s, err = s.With(&User{Name: string(typ), Auth: []Auth{a}, Hosts: Hosts{IPs: []string{"10.0.0.0/8", "::1"}}})
		if err != nil {
			t.Fatal(err)
		}
	}
	s, _ = s.With(&User{Name: "late", Auth: []Auth{{Type: Plaintext, Hash: "x", Until: 1000}, {Type: Plaintext, Hash: "y", Until: 1001}}, Hosts: Hosts{Any: true}})
	s, _ = s.With(&User{Name: "open", Auth: []Auth{{Type: NoPassword}}, Hosts: Hosts{Any: true}})
	s, _ = s.With(&User{Name: "new", Auth: []Auth{{Type: "of_another_version", Hash: "x"}}, Hosts: Hosts{Any: true}})
	for _, c := range []struct {
		l    Login
		code sqlerr.Code
	}{
		{Login{User: "plaintext_password", Password: "secret", Given: true, Address: "10.1.1.1:5"}, 0},
		{Login{User: "sha256_password", Password: "secret", Given: true, Address: "10.1.1.1:5"}, 0},
		{Login{User: "double_sha1_password", Password: "secret", Given: true, Address: "[::1]:5"}, 0},
		{Login{User: "bcrypt_password", Password: "secret", Given: true, Address: "10.1.1.1:5"}, 0},
		{Login{User: "scram_sha256_password", Password: "secret", Given: true, Address: "10.1.1.1:5"}, 0},
		{Login{User: "sha256_password", Password: "Secret", Given: true, Address: "10.1.1.1:5"}, sqlerr.AuthenticationFailed},
		{Login{User: "sha256_password", Address: "10.1.1.1:5"}, sqlerr.RequiredPassword},
		{Login{User: "sha256_password", Password: "secret", Given: true, Address: "11.1.1.1:5"}, sqlerr.AuthenticationFailed},
		{Login{User: "nobody", Password: "secret", Given: true, Address: "10.1.1.1:5"}, sqlerr.AuthenticationFailed},
		{Login{User: "late", Password: "x", Given: true, Address: "1.1.1.1:1"}, sqlerr.AuthenticationFailed},
		{Login{User: "late", Password: "y", Given: true, Address: "1.1.1.1:1"}, 0},
		{Login{User: "open", Address: "127.0.0.1:1"}, 0},
		{Login{User: "open", Address: "1.1.1.1:1"}, sqlerr.RequiredPassword},
		{Login{User: "new", Password: "x", Given: true, Address: "127.0.0.1:1"}, sqlerr.AuthenticationFailed},
	} {
		u, err := s.Authenticate(c.l, now, nil, never)
		if sqlerr.CodeOf(err) != c.code || err == nil && u.Name != c.l.User {
			t.Errorf("%+v: %v, want code %d", c.l, err, c.code)
		}
	}
	if _, err := NewAuth(Bcrypt, strings.Repeat("x", 73)); !sqlerr.Is(err, sqlerr.BadArguments) {
		t.Error("bcrypt takes a password that it would cut:", err)
	}
}

func TestPolicies(t *testing.T) {
	s := New()
	s, _ = s.With(&User{Name: "u", DefaultRoles: Names{All: true}, Roles: []RoleGrant{{Role: "r"}}})
	s, _ = s.With(&User{Name: "v"})
	s, _ = s.With(&Role{Name: "r"})
	s, _ = s.With(&Policy{Name: "p", Database: "db", Table: "t", Filter: "a = 1", To: Names{List: []string{"r"}}})
	s, _ = s.With(&Policy{Name: "q", Database: "db", Table: AllTables, Filter: "b = 1", Restrictive: true, To: Names{All: true}})
	for _, c := range []struct {
		user, table, want string
	}{
		{"u", "t", "{[b = 1] [a = 1] true}"}, {"v", "t", "{[b = 1] [] true}"}, {"u", "x", "{[b = 1] [] false}"},
	} {
		e, err := s.Enable(c.user, nil)
		if err != nil {
			t.Fatal(err)
		}
		if got := fmt.Sprint(e.Policies("db", c.table)); got != c.want {
			t.Errorf("%s on %s: %s, want %s", c.user, c.table, got, c.want)
		}
	}
	e, _ := s.Enable("u", []string{})
	if f := e.Policies("db", "t"); len(f.Any) != 0 || !f.Restricted {
		t.Error("a role that is off brings its policy along")
	}
	if _, err := s.Enable("v", []string{"r"}); !sqlerr.Is(err, sqlerr.SetNonGrantedRole) {
		t.Error(err)
	}
}
