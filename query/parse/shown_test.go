package parse_test

import (
	"strings"
	"testing"

	"github.com/olapd/olapd/query/ast"
	"github.com/olapd/olapd/query/parse"
)

// shown has statements, with what must not be seen in capitals, and what is shown of them.
var shown = []struct{ in, want string }{
	{"SELECT encrypt('aes-128-ecb', 'abc', 'KEY'), 1", "SELECT encrypt('aes-128-ecb', '[HIDDEN]'), 1"},
	{"SELECT  tryDecrypt('aes-128-ecb', concat('A', 'B'), c, 'IV', 'AAD')", "SELECT  tryDecrypt('aes-128-ecb', '[HIDDEN]')"},
	{"SELECT aes_decrypt_mysql(m, encrypt(m, 'A', 'K'), 'K') FROM t", "SELECT aes_decrypt_mysql(m, '[HIDDEN]') FROM t"},
	{"SELECT hex(hmac('md5', 'message', 'KEY'))", "SELECT hex(hmac('md5', 'message', '[HIDDEN]'))"},
	{"SELECT * FROM remote('h', db.t, 'user', 'PW')", "SELECT * FROM remote('h', db.t, 'user', '[HIDDEN]')"},
	{"SELECT * FROM remote('h', 'db', 't', 'user', 'PW', rand())", "SELECT * FROM remote('h', 'db', 't', 'user', '[HIDDEN]', rand())"},
	{"SELECT * FROM remote('h', 'db', 't', 'user')", "SELECT * FROM remote('h', 'db', 't', 'user')"},
	{"SELECT * FROM remoteSecure('h', numbers(3), 'user', 'PW')", "SELECT * FROM remoteSecure('h', numbers(3), 'user', '[HIDDEN]')"},
	{"SELECT * FROM remote(collection, password = 'PW', user = 'u')", "SELECT * FROM remote(collection, password = '[HIDDEN]', user = 'u')"},
	{"INSERT INTO FUNCTION remote('h', db.t, 'user', 'PW') SELECT 1", "INSERT INTO FUNCTION remote('h', db.t, 'user', '[HIDDEN]') SELECT 1"},
	{"SELECT * FROM mysql('h', 'd', 't', 'u', 'PW')", "SELECT * FROM mysql('h', 'd', 't', 'u', '[HIDDEN]')"},
	{"SELECT * FROM url('http://us:PW@h/x?a=1', 'CSV', headers('Authorization' = 'KEY', 'X' = 'Y'))",
		"SELECT * FROM url('http://us:[HIDDEN]@h/x?a=1', 'CSV', headers('Authorization' = '[HIDDEN]', 'X' = '[HIDDEN]'))"},
	{"SELECT * FROM s3('http://h/b/x', 'key id', 'SECRET', 'CSV', 'a String')", "SELECT * FROM s3('http://h/b/x', 'key id', '[HIDDEN]', 'CSV', 'a String')"},
	{"SELECT * FROM s3('http://h/b/x', 'key id', 'SECRET', 'TOKEN', 'CSV')", "SELECT * FROM s3('http://h/b/x', 'key id', '[HIDDEN]', '[HIDDEN]', 'CSV')"},
	{"SELECT * FROM s3('http://h/b/x', 'CSV', 'a String', 'gzip')", "SELECT * FROM s3('http://h/b/x', 'CSV', 'a String', 'gzip')"},
	{"SELECT * FROM s3('http://h/b/x', NOSIGN, 'CSV')", "SELECT * FROM s3('http://h/b/x', NOSIGN, 'CSV')"},
	{"SELECT * FROM s3(c, secret_access_key = 'SECRET', format = 'CSV')", "SELECT * FROM s3(c, secret_access_key = '[HIDDEN]', format = 'CSV')"},
	{"SELECT * FROM s3Cluster('c', 'http://h/b/x', 'id', 'SECRET')", "SELECT * FROM s3Cluster('c', 'http://h/b/x', 'id', '[HIDDEN]')"},
	{"SELECT * FROM gcs('http://h/b/x', 'id', 'SECRET', 'Parquet')", "SELECT * FROM gcs('http://h/b/x', 'id', '[HIDDEN]', 'Parquet')"},
	{"SELECT * FROM azureBlobStorage('P=https;AccountKey=KEY;x=1', 'c', 'b')", "SELECT * FROM azureBlobStorage('P=https;AccountKey=[HIDDEN];x=1', 'c', 'b')"},
	{"SELECT * FROM azureBlobStorage('http://h', 'c', 'b', 'account', 'KEY', 'CSV')", "SELECT * FROM azureBlobStorage('http://h', 'c', 'b', 'account', '[HIDDEN]', 'CSV')"},
	{"CREATE TABLE t (a String) ENGINE = S3('http://h/b/x', 'id', 'SECRET')", "CREATE TABLE t (a String) ENGINE = S3('http://h/b/x', 'id', '[HIDDEN]')"},
	{"CREATE TABLE t (a String) ENGINE = MySQL('h', 'd', 't', 'u', 'PW')", "CREATE TABLE t (a String) ENGINE = MySQL('h', 'd', 't', 'u', '[HIDDEN]')"},
	{"CREATE DATABASE d ENGINE = MySQL('h', 'd', 'u', 'PW')", "CREATE DATABASE d ENGINE = MySQL('h', 'd', 'u', '[HIDDEN]')"},
	{"CREATE TABLE k (a String) ENGINE = Kafka SETTINGS kafka_sasl_password = 'PW', kafka_format = 'CSV'",
		"CREATE TABLE k (a String) ENGINE = Kafka SETTINGS kafka_sasl_password = '[HIDDEN]', kafka_format = 'CSV'"},
	{"ALTER TABLE k MODIFY SETTING kafka_sasl_password = 'PW'", "ALTER TABLE k MODIFY SETTING kafka_sasl_password = '[HIDDEN]'"},
	{"SELECT 1 SETTINGS format_avro_schema_registry_url = 'http://us:PW@h/'", "SELECT 1 SETTINGS format_avro_schema_registry_url = 'http://us:[HIDDEN]@h/'"},
	{"SET format_avro_schema_registry_url = 'http://us:PW@h/'", "SET format_avro_schema_registry_url = 'http://us:[HIDDEN]@h/'"},
	{"CREATE DICTIONARY d (id UInt64) PRIMARY KEY id SOURCE(CLICKHOUSE(HOST 'h' PASSWORD 'PW' TABLE 't')) LAYOUT(FLAT()) LIFETIME(1)",
		"CREATE DICTIONARY d (id UInt64) PRIMARY KEY id SOURCE(CLICKHOUSE(HOST 'h' PASSWORD '[HIDDEN]' TABLE 't')) LAYOUT(FLAT()) LIFETIME(1)"},
	{"CREATE DICTIONARY d (id UInt64) PRIMARY KEY id SOURCE(HTTP(URL 'http://h' HEADERS(HEADER(NAME 'KEY-NAME' VALUE 'KEY')))) LAYOUT(FLAT()) LIFETIME(1)",
		"CREATE DICTIONARY d (id UInt64) PRIMARY KEY id SOURCE(HTTP(URL 'http://h' HEADERS(HEADER(NAME 'KEY-NAME' VALUE '[HIDDEN]')))) LAYOUT(FLAT()) LIFETIME(1)"},
	{"BACKUP TABLE t TO S3('http://h/b', 'id', 'SECRET')", "BACKUP TABLE t TO S3('http://h/b', 'id', '[HIDDEN]')"},
	{"RESTORE TABLE t FROM S3('http://h/b', 'id', 'SECRET') SETTINGS base_backup = S3('http://h/c', 'id', 'SECRET')",
		"RESTORE TABLE t FROM S3('http://h/b', 'id', '[HIDDEN]') SETTINGS base_backup = S3('http://h/c', 'id', '[HIDDEN]')"},
	{"CREATE USER u IDENTIFIED WITH sha256_hash BY 'HASH' SALT 'SALT' HOST ANY", "CREATE USER u IDENTIFIED WITH sha256_hash BY '[HIDDEN]' HOST ANY"},
	{"EXPLAIN AST ALTER USER u IDENTIFIED BY 'PW'", "EXPLAIN AST ALTER USER u IDENTIFIED BY '[HIDDEN]'"},
	{"SELECT encrypt, url('x'), s3 FROM remote", "SELECT encrypt, url('x'), s3 FROM remote"},
}

// TestShown: no secret is in what is shown, of the text and of the tree, and nothing else is hidden.
func TestShown(t *testing.T) {
	for _, c := range shown {
		stmt, err := parse.One(c.in, parse.Limits{})
		if err != nil {
			t.Errorf("%s: %v", c.in, err)
			continue
		}
		if got := ast.ShownText(stmt, c.in); got != c.want {
			t.Errorf("%s\nis shown as %s\nnot          %s", c.in, got, c.want)
		}
		if got := parse.Shown(c.in); got != c.want {
			t.Errorf("%s: without its tree it is shown as %s", c.in, got)
		}
		want, err := parse.One(c.want, parse.Limits{})
		if err != nil {
			t.Errorf("%s: %v", c.want, err)
			continue
		}
		if got := ast.Shown(stmt); got != ast.Format(want) {
			t.Errorf("%s\nis printed as %s\nnot           %s", c.in, got, ast.Format(want))
		}
		if got := parse.Shown(c.want); got != c.want {
			t.Errorf("%s, which has no secret, is shown as %s", c.want, got)
		}
	}
}

// TestShownBroken: of a text that cannot be parsed what follows the words that secrets follow is not shown.
func TestShownBroken(t *testing.T) {
	for in, want := range map[string]string{
		"CREATE USERS u IDENTIFIED BY 'PW'":                "CREATE USERS u IDENTIFIED [HIDDEN]",
		"SELEC encrypt ('m', 'A', 'K')":                    "SELEC encrypt ( [HIDDEN]",
		"SELECT * FROM s3('http://h', 'i', 'SECRET'":       "SELECT * FROM s3( [HIDDEN]",
		"SELEC 1 SETTINGS kafka_sasl_password='PW'":        "SELEC 1 SETTINGS kafka_sasl_password= [HIDDEN]",
		"SELEC 'http://us:PW@h'":                           "SELEC 'http [HIDDEN]",
		"SELEC encrypted FROM urls, mysql WHERE passwords": "SELEC encrypted FROM urls, mysql WHERE passwords",
	} {
		if got := parse.Shown(in); got != want {
			t.Errorf("%s is shown as %q, not %q", in, got, want)
		}
	}
	if got := parse.ShownExpr("concat(a, encrypt('m', a, 'K'))"); strings.Contains(got, "'K'") {
		t.Errorf("an expression is shown as %s", got)
	}
}
