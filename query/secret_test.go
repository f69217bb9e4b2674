package query

import (
	"bytes"
	"context"
	"strings"
	"testing"
)

// secretWord is what must be seen nowhere; as long as a key of aes-128.
const secretWord = "s3cr3tw0rd16byte"

// secretStatements have it where passwords and keys go. Some fail: errors and logs must not tell it either.
var secretStatements = []string{
	"CREATE VIEW v AS SELECT encrypt('aes-128-ecb', toString(number), 'KEY') AS e, HMAC('md5', 'm', 'KEY') AS h FROM numbers(3)",
	"CREATE TABLE t (a String, b String DEFAULT encrypt('aes-128-ecb', a, 'KEY'), INDEX x encrypt('aes-128-ecb', a, 'KEY') TYPE minmax) ENGINE = MergeTree ORDER BY encrypt('aes-128-ecb', a, 'KEY')",
	"CREATE TABLE k (a String) ENGINE = Kafka SETTINGS kafka_broker_list = 'b:1', kafka_topic_list = 't', kafka_group_name = 'g', kafka_format = 'CSV', kafka_sasl_mechanism = 'PLAIN', kafka_sasl_username = 'u', kafka_sasl_password = 'KEY'",
	"CREATE DICTIONARY d (id UInt64, v String) PRIMARY KEY id SOURCE(CLICKHOUSE(HOST 'localhost' USER 'u' PASSWORD 'KEY' TABLE 't')) LAYOUT(FLAT()) LIFETIME(1)",
	"CREATE MATERIALIZED VIEW m ENGINE = MergeTree ORDER BY tuple() AS SELECT encrypt('aes-128-ecb', a, 'KEY') AS e FROM t",
	"CREATE USER u IDENTIFIED WITH plaintext_password BY 'KEY'",
	"ALTER USER u IDENTIFIED BY 'KEY'",
	"EXPLAIN AST CREATE USER u IDENTIFIED BY 'KEY'",
	"CREATE USERS u IDENTIFIED BY 'KEY'",
	"INSERT INTO t (a) SELECT encrypt('aes-128-ecb', 'x', 'KEY')",
	"SELECT length(encrypt('aes-128-ecb', toString(number), 'KEY')), length(decrypt('aes-128-ecb', encrypt('aes-128-ecb', 'x', 'KEY'), 'KEY')) FROM numbers(2)",
	"SELECT sum(length(encrypt('aes-128-ecb', toString(number), 'KEY'))) AS n FROM numbers(2) GROUP BY encrypt('aes-128-ecb', toString(number), 'KEY')",
	"SELECT encrypt('aes-256-ecb', 'x', 'KEY')",
	"SELECT encrypt('aes-128-ecb', 5, 'KEY')",
	"SELECT nosuch(encrypt('aes-128-ecb', 'x', 'KEY'))",
	"SELECT encrypt('aes-128-ecb', nosuch, 'KEY')",
	"SELECT 1 LIMIT HMAC('md5', 'm', 'KEY')",
	"SELECT encrypt('aes-128-ecb', 'x', 'KEY') AS z, hex(HMAC('md5', 'm', 'KEY')) AS z",
	"SELECT count() FROM numbers(3) WHERE encrypt('aes-128-ecb', toString(number), 'KEY') = 'x' SETTINGS log_formatted_queries = 1",
	"SELECT * FROM remote('127.0.0.1:1', 'system', 'one', 'u', 'KEY')",
	"SELECT * FROM url('http://u:KEY@127.0.0.1:1/x', 'CSV', 'a String')",
	"SELECT * FROM url('http://127.0.0.1:1/x', 'CSV', 'a String', headers('A' = 'KEY'))",
	"SELECT * FROM s3('http://127.0.0.1:1/b/x', 'id', 'KEY', 'CSV', 'a String')",
	"CREATE TABLE s (a String) ENGINE = S3('http://127.0.0.1:1/b/x', 'id', 'KEY', 'CSV')",
	"BACKUP TABLE t TO S3('http://127.0.0.1:1/b', 'id', 'KEY')",
	"SET format_avro_schema_registry_url = 'http://u:KEY@h/'",
	"SELEC encrypt('aes-128-ecb', 'x', 'KEY')",
	"SHOW CREATE v", "SHOW CREATE TABLE t", "SHOW CREATE TABLE k", "SHOW CREATE DICTIONARY d", "SHOW CREATE m", "SHOW CREATE USER u", "DESCRIBE t", "SHOW COLUMNS FROM t", "SHOW INDEXES FROM t",
	"EXPLAIN AST SELECT encrypt('aes-128-ecb', 'x', 'KEY')",
	"EXPLAIN SYNTAX SELECT encrypt('aes-128-ecb', 'x', 'KEY')",
	"EXPLAIN SYNTAX oneline = 1 SELECT encrypt('aes-128-ecb', 'x', 'KEY')",
	"EXPLAIN QUERY TREE SELECT encrypt('aes-128-ecb', toString(number), 'KEY') FROM numbers(2)",
	"EXPLAIN PLAN SELECT encrypt('aes-128-ecb', toString(number), 'KEY') FROM numbers(2) WHERE HMAC('md5', toString(number), 'KEY') != ''",
	"EXPLAIN PIPELINE SELECT encrypt('aes-128-ecb', toString(number), 'KEY') FROM numbers(2)",
	"EXPLAIN indexes = 1 SELECT b FROM t WHERE encrypt('aes-128-ecb', a, 'KEY') = 'x'",
	"EXPLAIN ANALYZE SELECT encrypt('aes-128-ecb', toString(number), 'KEY') FROM numbers(2)",
}

// secretTables show what was defined, what has run and what failed.
var secretTables = []string{"SELECT * FROM system.query_log", "SELECT * FROM system.processes", "SELECT * FROM system.tables WHERE database = 'default'",
	"SELECT * FROM system.columns WHERE database = 'default'", "SELECT * FROM system.dictionaries", "SELECT * FROM system.errors", "SELECT * FROM system.users",
	"SELECT * FROM system.data_skipping_indices", "SELECT * FROM information_schema.columns", "SELECT * FROM information_schema.views"}

// TestSecretsAreHidden: keys and passwords are in no name of a column, error, listing or log.
func TestSecretsAreHidden(t *testing.T) {
	h := newHarness(t)
	for i, s := range append(append([]string(nil), secretStatements...), secretTables...) {
		var out bytes.Buffer
		text := strings.NewReplacer("'KEY'", "'"+secretWord+"'", ":KEY@", ":"+secretWord+"@").Replace(s)
		r, err := h.s.Execute(context.Background(), Query{Text: text})
		if err == nil {
			err = r.Render(&out, "TabSeparatedWithNames")
			r.Close()
		}
		if strings.Contains(out.String(), secretWord) {
			at := strings.Index(out.String(), secretWord)
			t.Errorf("%s answers …%s", s, out.String()[max(0, at-200):at+len(secretWord)])
		}
		if (i >= len(secretStatements) || strings.HasPrefix(s, "CREATE DICTIONARY")) && err != nil {
			t.Errorf("%s: %v", s, err)
		}
		if err != nil && strings.Contains(err.Error(), secretWord) && !strings.HasPrefix(s, "SELEC ") && !strings.HasPrefix(s, "CREATE USERS") { // these are quoted to who wrote them
			t.Errorf("%s fails with %v", s, err)
		}
	}
	for _, place := range []string{"SHOW CREATE v", "SHOW CREATE TABLE t", "SHOW CREATE TABLE k", "SHOW CREATE DICTIONARY d", "DESCRIBE t", "SHOW INDEXES FROM t",
		"SELECT create_table_query FROM system.tables WHERE name = 't'", "SELECT engine_full FROM system.tables WHERE name = 't'", "SELECT as_select FROM system.tables WHERE name = 'm'",
		"SELECT sorting_key FROM system.tables WHERE name = 't'", "SELECT default_expression FROM system.columns WHERE table = 't'",
		"SELECT expr FROM system.data_skipping_indices", "SELECT formatted_query FROM system.query_log", "SELECT query FROM system.query_log WHERE query LIKE 'BACKUP%'",
		"SELECT query FROM system.query_log WHERE query LIKE 'CREATE USER u%'", "SELECT query FROM system.query_log WHERE query LIKE '%remote%'",
		"SELECT exception FROM system.query_log"} {
		if got := h.run(Query{Text: place}); !strings.Contains(got, "[HIDDEN]") {
			t.Errorf("%s shows nothing hidden:\n%s", place, got)
		}
	}
	names := h.run(Query{Text: "SELECT decrypt('aes-128-ecb', encrypt('aes-128-ecb', 'abc', '" + secretWord + "'), '" + secretWord + "'), HMAC('md5', toString(number), 'k') != '' FROM numbers(1) FORMAT TabSeparatedWithNames"})
	if want := `decrypt(\'aes-128-ecb\', [HIDDEN id: 3], [HIDDEN id: 2])` + "\t" + `notEquals(HMAC(\'md5\', toString(number), [HIDDEN id: 4]), \'\')` + "\nabc\t1\n"; names != want {
		t.Errorf("columns are named %q, not %q", names, want)
	}
	same := h.run(Query{Text: "SELECT count() FROM (SELECT encrypt('aes-128-ecb', 'abc', '" + secretWord + "') AS a, encrypt('aes-128-ecb', 'abc', 'another key of16') AS b) WHERE a = b"})
	if same != "0\n" {
		t.Errorf("what is encrypted with two keys is the same: %q", same)
	}
	rows := h.run(Query{Text: "SELECT uniqExact(x) FROM (SELECT encrypt('aes-128-ecb', toString(number % 1), k) AS x FROM numbers(2) ARRAY JOIN ['" + secretWord + "', 'another key of16'] AS k) "})
	if rows != "2\n" {
		t.Errorf("two keys give %q", rows)
	}
}
