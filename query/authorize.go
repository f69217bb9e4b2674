package query

import (
	"slices"
	"strings"

	"github.com/olapd/olapd/internal/access"
	"github.com/olapd/olapd/internal/catalog"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/query/analyze"
	"github.com/olapd/olapd/query/ast"
	"github.com/olapd/olapd/query/define"
	"github.com/olapd/olapd/query/virtual"
)

// authorize checks what the statement needs beside reading, which analysis checks (mayRead). A statement that is not listed here is for
// users who may do everything.
func (x *statement) authorize() error {
	needs, err := x.needs(x.ast)
	if err != nil {
		return err
	}
	for _, n := range needs {
		if n.On.Database == "" && n.On.Table != "" && x.cat.Table("", n.On.Table) != nil {
			continue // the session's own temporary table
		}
		if err := x.access.Check(n, false); err != nil {
			return err
		}
	}
	return nil
}

// needs lists the privileges of a statement.
func (x *statement) needs(s ast.Statement) ([]access.Need, error) {
	switch s := s.(type) {
	case *ast.SelectUnion, *ast.Set, *ast.SetRole, *ast.ShowAccess, *ast.Kill, *ast.Other:
		return nil, nil // reads, own things, checked where they run, or refused
	case *ast.Parallel:
		return nil, nil // each of its statements is asked for as it runs
	case *ast.Backup:
		return nil, nil // backup.go
	case *ast.AccessChange, *ast.AccessDrop, *ast.Grant:
		return nil, nil // accessrun.go
	case *ast.Insert:
		return x.insertNeeds(s)
	case *ast.CreateTable:
		return x.createNeeds(s)
	case *ast.CreateDatabase:
		db, err := x.name(s.Name)
		return one(access.On("CREATE DATABASE", db, "")), err
	case *ast.CreateFunction:
		if s.OrReplace {
			return []access.Need{access.On("CREATE FUNCTION", "", ""), access.On("DROP FUNCTION", "", "")}, nil
		}
		return one(access.On("CREATE FUNCTION", "", "")), nil
	case *ast.CreateDictionary:
		return x.dictionaryNeeds(s)
	case *ast.Attach:
		return x.tableNeed(map[ast.ObjectKind]string{ast.ObjectView: "CREATE VIEW", ast.ObjectRollup: "CREATE VIEW", ast.ObjectDictionary: "CREATE DICTIONARY",
			ast.ObjectDatabase: "CREATE DATABASE"}, "CREATE TABLE", s.Kind, s.Name)
	case *ast.Drop:
		return x.dropNeeds(s)
	case *ast.Undrop:
		return x.onTable("UNDROP TABLE", s.Name)
	case *ast.Rename:
		return x.renameNeeds(s)
	case *ast.Alter:
		return x.alterNeeds(s)
	case *ast.Delete:
		return x.onTable("ALTER DELETE", s.Table)
	case *ast.Update:
		return x.onTable("ALTER UPDATE", s.Table, assigned(s.Set)...)
	case *ast.Optimize:
		return x.onTable("OPTIMIZE", s.Table)
	case *ast.Describe:
		if ref, ok := s.Table.(*ast.TableRef); ok {
			return x.onTable("SHOW COLUMNS", ref.Name)
		}
		return nil, nil
	case *ast.Show:
		return x.showNeeds(s)
	case *ast.Exists:
		return nil, x.mayKnow(s)
	case *ast.Explain:
		if s.Statement == nil || s.Kind == ast.ExplainAST || s.Kind == ast.ExplainSyntax {
			return nil, nil
		}
		return x.needs(s.Statement)
	case *ast.Use:
		db, err := x.name(s.Database)
		if err == nil && !virtual.IsVirtual(db) && !x.access.ShowsDatabase(db) {
			return one(access.On("SHOW DATABASES", db, "")), nil
		}
		return nil, err
	case *ast.System:
		return x.systemNeeds(s)
	case *ast.Check:
		return x.onTable("CHECK", s.Table)
	}
	return one(access.Need{Privileges: []string{"ALL"}}), nil
}

func one(n access.Need) []access.Need { return []access.Need{n} }

func (x *statement) onTable(privilege string, n ast.TableName, columns ...string) ([]access.Need, error) {
	db, name, err := x.table(n)
	return one(access.On(privilege, db, name, columns...)), err
}

// tableNeed is the privilege of an object's kind, or that of tables.
func (x *statement) tableNeed(kinds map[ast.ObjectKind]string, table string, kind ast.ObjectKind, n ast.TableName) ([]access.Need, error) {
	if p := kinds[kind]; p != "" {
		table = p
	}
	if kind == ast.ObjectDatabase {
		db, err := x.name(n.Table)
		return one(access.On(table, db, "")), err
	}
	return x.onTable(table, n)
}

func (x *statement) insertNeeds(s *ast.Insert) ([]access.Need, error) {
	if s.Table == nil {
		return one(access.On("CREATE TEMPORARY TABLE", "", "")), nil
	}
	var columns []string
	for _, c := range s.Columns {
		id, ok := c.(*ast.Ident)
		if !ok { // an asterisk or COLUMNS
			columns = nil
			break
		}
		columns = append(columns, id.Last())
	}
	return x.onTable("INSERT", *s.Table, columns...)
}

func (x *statement) createNeeds(s *ast.CreateTable) ([]access.Need, error) {
	db, name, err := x.table(s.Name)
	if err != nil {
		return nil, err
	}
	if s.Temporary {
		return one(access.On("CREATE TEMPORARY TABLE", "", "")), nil
	}
	object := "TABLE"
	if s.Kind != ast.KindTable {
		object = "VIEW"
	}
	var needs []access.Need
	if s.OrReplace || s.Replace {
		needs = append(needs, access.On("DROP "+object, db, name))
	}
	needs = append(needs, access.On("CREATE "+object, db, name))
	if s.To != nil {
		to, table, err := x.table(*s.To)
		if err != nil {
			return nil, err
		}
		needs = append(needs, access.Need{Privileges: []string{"SELECT", "INSERT"}, On: access.Object{Database: to, Table: table}})
	}
	if s.AsTable != nil {
		from, table, err := x.table(*s.AsTable)
		if err != nil {
			return nil, err
		}
		needs = append(needs, access.On("SHOW COLUMNS", from, table))
	}
	if s.Refresh != nil {
		definer, err := define.Definer(s, x.q.user)
		if err != nil {
			return nil, err
		}
		if definer != x.q.user {
			needs = append(needs, access.OnParam("SET DEFINER", definer))
		}
	}
	if s.Engine != nil && s.Engine.Name == "Kafka" && !x.access.Rights.Has(access.Of("KAFKA"), access.Object{}, false) {
		needs = append(needs, access.OnParam("READ", "Kafka"))
	}
	return needs, nil
}

// dropped are the privileges of DROP and DETACH by kind.
var dropped = map[ast.ObjectKind]string{ast.ObjectView: "DROP VIEW", ast.ObjectRollup: "DROP VIEW", ast.ObjectDictionary: "DROP DICTIONARY",
	ast.ObjectDatabase: "DROP DATABASE"}

func (x *statement) dropNeeds(s *ast.Drop) ([]access.Need, error) {
	var needs []access.Need
	for _, n := range s.Names {
		switch {
		case s.Temporary:
		case s.Kind == ast.ObjectFunction:
			needs = append(needs, access.On("DROP FUNCTION", "", ""))
		case s.Action == ast.ActionTruncate && (s.AllTables || s.Kind == ast.ObjectDatabase):
			db, err := x.name(n.Table)
			if err != nil {
				return nil, err
			}
			needs = append(needs, access.On("TRUNCATE", db, ""))
		default:
			kinds, table := dropped, "DROP TABLE"
			if s.Action == ast.ActionTruncate {
				kinds, table = nil, "TRUNCATE"
			}
			kind := s.Kind
			if t, err := x.existing(n); err == nil && kind == ast.ObjectTable && s.Action != ast.ActionTruncate &&
				(t.Kind == catalog.KindView || t.Kind == catalog.KindRollup) {
				kind = ast.ObjectView // DROP TABLE of a view
			}
			one, err := x.tableNeed(kinds, table, kind, n)
			if err != nil {
				return nil, err
			}
			if _, err := x.existing(n); s.IfExists && sqlerr.Is(err, sqlerr.UnknownTable) && kind != ast.ObjectDatabase {
				continue // there is nothing to drop
			}
			needs = append(needs, one...)
		}
	}
	return needs, nil
}

func (x *statement) renameNeeds(s *ast.Rename) ([]access.Need, error) {
	var needs []access.Need
	pair := func(from, to ast.TableName) error {
		db, name, err := x.table(from)
		if err != nil {
			return err
		}
		toDB, toName, err := x.table(to)
		if err != nil {
			return err
		}
		if s.Kind == ast.ObjectDatabase {
			db, name, toDB, toName = from.Table.Text, "", to.Table.Text, ""
			needs = append(needs, access.Need{Privileges: []string{"SELECT", "DROP DATABASE"}, On: access.Object{Database: db}},
				access.Need{Privileges: []string{"CREATE DATABASE", "INSERT"}, On: access.Object{Database: toDB}})
			return nil
		}
		needs = append(needs, access.Need{Privileges: []string{"SELECT", "DROP TABLE"}, On: access.Object{Database: db, Table: name}},
			access.Need{Privileges: []string{"CREATE TABLE", "INSERT"}, On: access.Object{Database: toDB, Table: toName}})
		return nil
	}
	for _, p := range s.Pairs {
		if err := pair(p.From, p.To); err != nil {
			return nil, err
		}
		if s.Exchange {
			if err := pair(p.To, p.From); err != nil {
				return nil, err
			}
		}
	}
	return needs, nil
}

func (x *statement) showNeeds(s *ast.Show) ([]access.Need, error) {
	switch s.Kind {
	case ast.ShowCreate:
		if s.Object == ast.ObjectDatabase {
			db, err := x.name(s.Name.Table)
			if err == nil && !x.access.ShowsDatabase(db) {
				return one(access.On("SHOW DATABASES", db, "")), nil
			}
			return nil, err
		}
		return x.onTable("SHOW COLUMNS", s.Name)
	}
	return nil, nil // system tables show what the user may know
}

// mayKnow checks that the user may know whether an object exists.
func (x *statement) mayKnow(s *ast.Exists) error {
	if s.Temporary || s.Kind == ast.ObjectFunction {
		return nil
	}
	if s.Kind == ast.ObjectDatabase {
		db, err := x.name(s.Name.Table)
		if err != nil || virtual.IsVirtual(db) || x.access.ShowsDatabase(db) {
			return err
		}
		return x.access.Check(access.On("SHOW DATABASES", db, ""), false)
	}
	db, name, err := x.table(s.Name)
	if err != nil || virtual.IsVirtual(db) || x.access.ShowsTable(db, name) {
		return err
	}
	return x.access.Check(access.On("SHOW TABLES", db, name), false)
}

// systemPrivileges are those of SYSTEM commands that are not called after their command.
var systemPrivileges = map[string]string{"STOP MERGES": "SYSTEM MERGES", "START MERGES": "SYSTEM MERGES", "STOP TTL MERGES": "SYSTEM TTL MERGES",
	"START TTL MERGES": "SYSTEM TTL MERGES", "STOP FETCHES": "SYSTEM FETCHES", "START FETCHES": "SYSTEM FETCHES", "STOP MOVES": "SYSTEM MOVES",
	"START MOVES": "SYSTEM MOVES", "REFRESH VIEW": "SYSTEM VIEWS", "WAIT VIEW": "SYSTEM VIEWS", "CANCEL VIEW": "SYSTEM VIEWS", "PAUSE VIEW": "SYSTEM VIEWS",
	"STOP VIEW": "SYSTEM VIEWS", "START VIEW": "SYSTEM VIEWS", "STOP REPLICATED VIEW": "SYSTEM VIEWS", "START REPLICATED VIEW": "SYSTEM VIEWS", "PAUSE VIEWS": "SYSTEM VIEWS",
	"STOP VIEWS": "SYSTEM VIEWS", "START VIEWS": "SYSTEM VIEWS", "RESTART REPLICAS": "SYSTEM RESTART REPLICA", "FLUSH TABLE": "SYSTEM FLUSH"}

func (x *statement) systemNeeds(s *ast.System) ([]access.Need, error) {
	name := systemPrivileges[s.Command]
	if name == "" {
		name = "SYSTEM " + s.Command
	}
	if access.LookupPrivilege(name) == nil {
		name = "SYSTEM"
	}
	p := access.LookupPrivilege(name)
	if s.Table.Table.IsZero() || p.Level == access.Global {
		return one(access.On(p.Name, "", "")), nil
	}
	return x.onTable(p.Name, s.Table)
}

// readable are the system tables that anyone may read: they are the same for all, or show only what their reader may know.
var readable = []string{"aggregate_function_combinators", "asynchronous_metrics", "build_options", "clusters", "collations", "columns", "completions",
	"contributors", "current_roles", "data_skipping_indices", "data_type_families", "database_engines", "databases", "detached_parts", "dictionaries",
	"disks", "enabled_roles", "events", "formats", "functions", "keywords", "licenses", "macros", "merge_tree_settings", "merges", "metrics", "mutations",
	"numbers", "numbers_mt", "one", "parts", "parts_columns", "privileges", "processes", "projections", "quota_usage", "replicas", "settings",
	"settings_changes", "storage_policies", "table_engines", "table_functions", "tables", "time_zones", "view_refreshes", "zeros", "zeros_mt"}

// shownBy are the privileges by which one may read system tables of users and their kin.
var shownBy = map[string][]string{"users": {"SHOW USERS"}, "roles": {"SHOW ROLES"}, "grants": {"SHOW USERS", "SHOW ROLES"},
	"role_grants": {"SHOW USERS", "SHOW ROLES"}, "row_policies": {"SHOW ROW POLICIES"}, "quotas": {"SHOW QUOTAS"}, "quota_limits": {"SHOW QUOTAS"},
	"quotas_usage": {"SHOW QUOTAS"}, "settings_profiles": {"SHOW SETTINGS PROFILES"}, "settings_profile_elements": {"SHOW SETTINGS PROFILES"},
	"user_directories": {"SHOW ACCESS"}}

// mayRead checks a table that a query reads.
func (x *statement) mayRead(r analyze.Reads) error {
	if r.Database == "system" && virtual.Lookup(x.src, r.Database, r.Table) != nil {
		if slices.Contains(readable, r.Table) {
			return nil
		}
		if p := shownBy[r.Table]; p != nil {
			return x.access.Check(access.Need{Privileges: p}, false)
		}
	} else if virtual.IsVirtual(r.Database) && r.Database != "system" {
		return nil // information_schema shows what its reader may know
	}
	n := access.On("SELECT", r.Database, r.Table, r.Columns...)
	n.AnyColumn = len(r.Columns) == 0
	return x.access.Check(n, false)
}

// sourceFunctions are the sources that table functions read, which need to be granted.
var sourceFunctions = map[string]string{"file": "FILE", "url": "URL", "urlCluster": "URL", "s3": "S3", "s3Cluster": "S3", "gcs": "S3", "remote": "REMOTE",
	"remoteSecure": "REMOTE", "cluster": "REMOTE", "clusterAllReplicas": "REMOTE", "mysql": "MYSQL", "postgresql": "POSTGRES", "mongodb": "MONGO",
	"hdfs": "HDFS", "azureBlobStorage": "AZURE", "jdbc": "JDBC", "odbc": "ODBC", "sqlite": "SQLITE", "redis": "REDIS"}

// mayCall checks a table function.
func (x *statement) mayCall(name string) error { return x.mayReach(name, "READ") }

// mayWrite checks a table function that rows are inserted into.
func (x *statement) mayWrite(name string) error { return x.mayReach(name, "WRITE") }

func (x *statement) mayReach(name, how string) error {
	source := sourceFunctions[name]
	if source == "" || x.access.Rights.Has(access.Of(source), access.Object{}, false) || x.access.Rights.Has(access.Of("SOURCES"), access.Object{}, false) {
		return nil
	}
	if err := x.access.Check(access.On("CREATE TEMPORARY TABLE", "", ""), false); err != nil {
		return err
	}
	return x.access.Check(access.OnParam(how, source), false)
}

func assigned(list []*ast.Assignment) []string {
	var out []string
	for _, a := range list {
		out = append(out, a.Column)
	}
	return out
}

// dictionaryNeeds lists the privileges of CREATE DICTIONARY; of sources beyond this server's tables those too that table functions over them need.
func (x *statement) dictionaryNeeds(s *ast.CreateDictionary) ([]access.Need, error) {
	needs, err := x.onTable("CREATE DICTIONARY", s.Name)
	if err != nil {
		return nil, err
	}
	if s.OrReplace || s.Replace {
		drop, err := x.onTable("DROP DICTIONARY", s.Name)
		if err != nil {
			return nil, err
		}
		needs = append(needs, drop...)
	}
	source := ""
	if s.Source != nil {
		switch strings.ToLower(s.Source.Name) {
		case "file":
			source = "FILE"
		case "clickhouse":
			if slices.ContainsFunc(s.Source.Params, func(p *ast.DictionaryParam) bool { return strings.EqualFold(p.Name, "host") }) {
				source = "REMOTE"
			}
		}
	}
	if source != "" && !x.access.Rights.Has(access.Of(source), access.Object{}, false) && !x.access.Rights.Has(access.Of("SOURCES"), access.Object{}, false) {
		needs = append(needs, access.OnParam("READ", source))
	}
	return needs, nil
}
