package query

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/olapd/olapd/internal/sqlerr"
)

// harmless are statements that a user without any rights may run: they show and change nothing that is not the user's own.
var harmless = map[string][]string{
	"SelectUnion": {"SELECT 1", "SELECT count() FROM system.one"},
	"Set":         {"SET max_threads = 1"},
	"SetRole":     {"SET ROLE NONE"},
	"ShowAccess":  {"SHOW GRANTS", "SHOW CREATE USER"},
	"Explain":     {"EXPLAIN SYNTAX SELECT * FROM t"},
	"Kill":        {"KILL QUERY WHERE 1"}, // one's own
	"Show":        {"SHOW TABLES"},
	"Other":       nil,
}

// denied are statements of every kind that a user without rights must not run, by the type of the syntax tree.
var denied = map[string][]string{
	"SelectUnion": {"SELECT * FROM t", "SELECT 1 FROM t", "SELECT count() FROM t", "SELECT (SELECT max(a) FROM t)", "SELECT 1 WHERE 1 IN t", "SELECT * FROM v",
		"SELECT * FROM m", "SELECT * FROM view(SELECT * FROM t)", "SELECT * FROM (SELECT * FROM t)", "WITH x AS (SELECT * FROM t) SELECT * FROM x",
		"SELECT 1 UNION ALL SELECT a FROM t", "SELECT 1 FROM system.one JOIN t ON 1 = t.a", "SELECT exists(SELECT 1 FROM t)", "SELECT * FROM system.query_log",
		"SELECT * FROM system.users", "SELECT * FROM system.grants", "SELECT * FROM p(x = 1)", "SELECT dictGet('d', 'b', 1)", "SELECT * FROM d", "SELECT * FROM dictionary('d')", "SELECT dictHas(d, 1)", "SELECT * FROM url('http://127.0.0.1/x', CSV, 'a Int8')", "SELECT 1 SETTINGS additional_result_filter = '(SELECT max(a) FROM t) = 1'"},
	"Insert":           {"INSERT INTO t VALUES (1)", "INSERT INTO t SELECT 1", "INSERT INTO FUNCTION null('a Int32') SELECT a FROM t"},
	"CreateTable":      {"CREATE TABLE n (a Int32) ENGINE = Memory", "CREATE TABLE n AS t", "CREATE VIEW n AS SELECT 1", "CREATE MATERIALIZED VIEW n TO t AS SELECT 1 AS a", "CREATE TEMPORARY TABLE n (a Int32)", "CREATE OR REPLACE TABLE t (a Int32) ENGINE = Memory"},
	"CreateDatabase":   {"CREATE DATABASE n"},
	"CreateFunction":   {"CREATE FUNCTION n AS x -> x"},
	"CreateDictionary": {"CREATE DICTIONARY n (a UInt64, b String) PRIMARY KEY a SOURCE(NULL()) LAYOUT(FLAT()) LIFETIME(0)"},
	"Attach":           {"ATTACH TABLE n"},
	"Drop":             {"DROP TABLE t", "DROP TABLE IF EXISTS t", "DROP VIEW v", "DROP DATABASE default", "TRUNCATE TABLE t", "TRUNCATE ALL TABLES FROM default", "DETACH TABLE t", "DROP FUNCTION f", "DROP DICTIONARY d", "DETACH DICTIONARY d"},
	"Undrop":           {"UNDROP TABLE n"},
	"Rename":           {"RENAME TABLE t TO n", "EXCHANGE TABLES t AND v", "RENAME DATABASE default TO n"},
	"Alter":            {"ALTER TABLE t ADD COLUMN n Int32", "ALTER TABLE t DROP COLUMN a", "ALTER TABLE t DELETE WHERE 1", "ALTER TABLE t DROP PARTITION 1", "ALTER TABLE t MODIFY SETTING index_granularity = 1"},
	"Parallel":         {"TRUNCATE TABLE t PARALLEL WITH TRUNCATE TABLE t"},
	"Delete":           {"DELETE FROM t WHERE 1"},
	"Update":           {"UPDATE t SET a = 1 WHERE 1"},
	"Optimize":         {"OPTIMIZE TABLE t FINAL"},
	"Describe":         {"DESCRIBE t", "DESCRIBE (SELECT * FROM t)", "DESCRIBE v"},
	"Show":             {"SHOW CREATE TABLE t", "SHOW CREATE DATABASE default", "SHOW CREATE VIEW v", "SHOW CREATE DICTIONARY d"},
	"Exists":           {"EXISTS TABLE t", "EXISTS DATABASE default", "EXISTS VIEW v"},
	"Explain":          {"EXPLAIN SELECT * FROM t", "EXPLAIN ANALYZE SELECT * FROM t", "EXPLAIN ESTIMATE SELECT * FROM t", "EXPLAIN PIPELINE SELECT * FROM t", "EXPLAIN QUERY TREE SELECT * FROM t", "EXPLAIN indexes = 1 SELECT * FROM t", "EXPLAIN INSERT INTO t SELECT 1"},
	"Use":              {"USE default"},
	"Kill":             {"KILL MUTATION WHERE 1"},
	"System":           {"SYSTEM FLUSH LOGS", "SYSTEM STOP MERGES", "SYSTEM START MERGES t", "SYSTEM DROP MARK CACHE", "SYSTEM FLUSH TABLE t", "SYSTEM RELOAD CONFIG", "SYSTEM RELOAD DICTIONARY d", "SYSTEM RELOAD DICTIONARIES", "SYSTEM SHUTDOWN"},
	"Check":            {"CHECK TABLE t"},
	"AccessChange":     {"CREATE USER n", "ALTER USER default IDENTIFIED BY 'x'", "CREATE ROLE n", "CREATE ROW POLICY n ON t USING 1", "CREATE QUOTA n", "CREATE SETTINGS PROFILE n", "ALTER USER nothing IDENTIFIED BY 'x'"},
	"AccessDrop":       {"DROP USER nothing", "DROP ROLE r", "DROP ROW POLICY n ON t", "DROP QUOTA n", "DROP SETTINGS PROFILE n"},
	"Grant":            {"GRANT SELECT ON t TO nothing", "GRANT ALL ON *.* TO nothing", "REVOKE SELECT ON t FROM nothing", "GRANT r TO nothing", "REVOKE r FROM nothing"},
	"SetRole":          {"SET DEFAULT ROLE r TO default", "SET ROLE r"},
	"ShowAccess":       {"SHOW GRANTS FOR default", "SHOW CREATE USER default", "SHOW USERS", "SHOW ROLES", "SHOW ACCESS", "SHOW QUOTAS", "SHOW ROW POLICIES", "SHOW SETTINGS PROFILES", "SHOW CREATE ROLE r", "SHOW CREATE ROW POLICIES"},
	"Backup":           {"BACKUP TABLE t TO File('x')", "BACKUP DATABASE default TO File('x')", "BACKUP ALL TO File('x')"},
	"Other":            {"BEGIN TRANSACTION", "CREATE NAMED COLLECTION n AS a = 1"},
}

// statements are the types of statements that there are.
func statements(t *testing.T) []string {
	files, err := filepath.Glob("ast/*.go")
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, name := range files {
		src, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		f, err := parser.ParseFile(token.NewFileSet(), name, src, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range f.Decls {
			if fn, ok := d.(*ast.FuncDecl); ok && fn.Name.Name == "statement" && fn.Recv != nil && len(fn.Recv.List[0].Names) == 0 {
				out = append(out, fn.Recv.List[0].Type.(*ast.StarExpr).X.(*ast.Ident).Name)
			}
		}
	}
	return out
}

// refusals are the codes by which a statement may be refused: for want of rights, or because it is not implemented for anyone.
var refusals = []sqlerr.Code{sqlerr.AccessDenied, sqlerr.NotImplemented, sqlerr.SetNonGrantedRole}

// TestEveryStatementIsChecked runs statements of every kind as a user without rights.
func TestEveryStatementIsChecked(t *testing.T) {
	h := newHarness(t)
	for _, q := range []string{"CREATE TABLE t (a Int32) ENGINE = MergeTree ORDER BY a", "INSERT INTO t VALUES (42)", "CREATE VIEW v AS SELECT a FROM t",
		"CREATE VIEW p AS SELECT a FROM t WHERE a > {x:Int32}", "CREATE MATERIALIZED VIEW m ENGINE = MergeTree ORDER BY a POPULATE AS SELECT a FROM t",
		"CREATE DICTIONARY d (a UInt64, b String) PRIMARY KEY a SOURCE(NULL()) LAYOUT(FLAT()) LIFETIME(0)", "CREATE ROLE r", "CREATE USER nothing"} {
		if out := h.run(Query{Text: q}); out != "" {
			t.Fatalf("%s: %s", q, out)
		}
	}
	inner := strings.TrimSpace(h.run(Query{Text: "SELECT name FROM system.tables WHERE name LIKE '.inner%'"}))
	denied["SelectUnion"] = append(denied["SelectUnion"], "SELECT * FROM `"+inner+"`")
	user := h.as(t, "nothing")
	for _, kind := range statements(t) {
		if denied[kind] == nil && harmless[kind] == nil {
			t.Errorf("there is no test that a user without rights cannot run an ast.%s", kind)
		}
		for _, q := range denied[kind] {
			out := user.run(Query{Text: q})
			refused := false
			for _, c := range refusals {
				refused = refused || strings.HasPrefix(out, "Code: "+strconv.Itoa(int(c))+".")
			}
			if !refused || strings.Contains(out, "42\n") {
				t.Errorf("%s: %s", q, out)
			}
		}
		for _, q := range harmless[kind] {
			if out := user.run(Query{Text: q}); strings.HasPrefix(out, "Code:") {
				t.Errorf("%s: %s", q, out)
			}
		}
	}
	if out := h.run(Query{Text: "SELECT count(), sum(a) FROM t"}); out != "1\t42\n" {
		t.Errorf("the table has changed: %s", out)
	}
}

// TestSystemTablesShowWhatOneMayKnow reads every system table that anyone may read as a user without rights, and looks for the table's name.
func TestSystemTablesShowWhatOneMayKnow(t *testing.T) {
	h := newHarness(t)
	for _, q := range []string{"CREATE DATABASE hidden_db", "CREATE TABLE hidden_db.hidden_table (hidden_column Int32, INDEX hidden_index hidden_column TYPE minmax) ENGINE = MergeTree ORDER BY hidden_column",
		"CREATE VIEW hidden_db.hidden_view AS SELECT 1", "CREATE FUNCTION hidden_function AS x -> x", "CREATE USER nothing"} {
		if out := h.run(Query{Text: q}); out != "" {
			t.Fatalf("%s: %s", q, out)
		}
	}
	user := h.as(t, "nothing")
	for _, name := range readable {
		if strings.HasPrefix(name, "numbers") || strings.HasPrefix(name, "zeros") {
			continue
		}
		out := user.run(Query{Text: "SELECT * FROM system." + name})
		if strings.Contains(strings.ReplaceAll(out, "hidden_function", ""), "hidden") || // functions are no secret
			strings.HasPrefix(out, "Code: 497") {
			t.Errorf("system.%s: %.300s", name, out)
		}
	}
	for _, name := range []string{"tables", "columns", "schemata", "views", "key_column_usage"} {
		if out := user.run(Query{Text: "SELECT * FROM information_schema." + name}); strings.Contains(out, "hidden") || strings.HasPrefix(out, "Code") {
			t.Errorf("information_schema.%s: %.300s", name, out)
		}
	}
}
