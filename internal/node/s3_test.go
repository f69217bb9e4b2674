package node

import (
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"
)

// TestS3 reads and writes objects of a store in this process.
func TestS3(t *testing.T) {
	backend := s3mem.New()
	if err := backend.CreateBucket("bucket"); err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(gofakes3.New(backend).Server())
	defer srv.Close()
	n := listeningNode(t, func(c *Config) {
		c.RemoteHosts = []string{"127.0.0.1"}
		c.Users = map[string]UserConfig{"default": {}, "ann": {Password: "x", Grants: []string{"SELECT ON *.*"}}}
	})
	fill := strings.NewReplacer("@@", srv.URL+"/bucket", "KEYS", "'key', 'pa55word'")
	for _, c := range []struct{ sql, want string }{
		{"INSERT INTO FUNCTION s3('@@/a/year=2025/x.parquet', KEYS) SELECT number AS n, toString(number) AS s FROM numbers(100000)", ""},
		{"INSERT INTO FUNCTION s3('@@/a/year=2026/x.csv.gz', KEYS, CSVWithNames) SELECT number AS n, 'é' AS s FROM numbers(3)", ""},
		{"INSERT INTO FUNCTION s3('@@/a/year=2026/y.jsonl', KEYS, 'auto', 'n UInt64, s String') FORMAT JSONEachRow {\"n\": 7} {\"n\": 8, \"s\": \"x\"}", ""},
		{"SELECT sum(n) FROM s3('@@/a/year=2025/x.parquet', KEYS)", "4999950000\n"},
		{"SELECT n, s, year, _file, _path, _size > 0, _time > now() - 3600 FROM s3('@@/a/year=2025/*', NOSIGN) WHERE n = 99999", "99999\t99999\t2025\tx.parquet\tbucket/a/year=2025/x.parquet\t1\t1\n"},
		{"SELECT year, count(), sum(n) FROM s3('@@/a/**', KEYS, 'auto', 'n UInt64, s String') GROUP BY year ORDER BY year", "2025\t100000\t4999950000\n2026\t5\t18\n"},
		{"SELECT count() FROM s3('@@/a/**', KEYS, auto, 'n UInt64') WHERE year = 2026 AND _file = 'y.jsonl'", "2\n"},
		{"SELECT sum(n), any(s) FROM s3('@@/a/year={2024..2026}/{x.csv.gz,y.csv}', format = 'CSVWithNames', access_key_id = 'key', secret_access_key = 'pa55word', structure = 'n UInt8, s String')", "3\té\n"},
		{"DESCRIBE TABLE s3('@@/a/year=2026/x.csv.gz', KEYS, 'CSVWithNames') SETTINGS describe_compact_output = 1", "n\tNullable(Int64)\ns\tNullable(String)\nyear\tInt64\n"},
		{"INSERT INTO FUNCTION s3('@@/p/k={_partition_id}/x.tsv', KEYS, TSV, 'k UInt8, s String') PARTITION BY k SELECT number % 3, toString(number) FROM numbers(10)", ""},
		{"SELECT _path, count() FROM s3('@@/p/*/*', KEYS, TSV, 'k UInt8, s String') GROUP BY _path ORDER BY _path", "bucket/p/k=0/x.tsv\t4\nbucket/p/k=1/x.tsv\t3\nbucket/p/k=2/x.tsv\t3\n"},
		{"SELECT count() FROM gcs('@@/none*', KEYS, TSV, 'k UInt8')", "0\n"},
		{"CREATE TABLE t ENGINE = MergeTree ORDER BY n AS SELECT * FROM s3('@@/a/year=2025/x.parquet', KEYS) LIMIT 10", ""},
		{"SELECT count() FROM t", "10\n"},
		{"CREATE TABLE st (a Int64, `b c` String) ENGINE = S3('@@/t/x.csv', KEYS, CSV)", ""},
		{"INSERT INTO st VALUES (1, 'x'), (2, 'y')", ""},
		{"INSERT INTO st (a) SELECT number FROM numbers(3) SETTINGS s3_truncate_on_insert = 1", ""},
		{"SELECT sum(a), any(`b c`) FROM st", "3\t\n"},
		{"SELECT engine, position(create_table_query, 'ENGINE = S3(') > 0, create_table_query LIKE '%pa55word%', as_select FROM system.tables WHERE name = 'st'", "S3\t1\t0\t\n"},
		{"CREATE TABLE si ENGINE = S3('@@/a/year=2025/x.parquet', KEYS)", ""},
		{"SELECT n, s, year FROM si WHERE n = 5", "5\t5\t2025\n"},
		{"CREATE TABLE sp (a Int64) ENGINE = S3('@@/t/{_partition_id}.tsv.gz', NOSIGN, TSV, 'gzip')", ""},
		{"INSERT INTO sp PARTITION BY a % 2 SELECT number FROM numbers(5)", ""},
		{"SELECT count() FROM s3('@@/t/{0,1}.tsv.gz', NOSIGN, TSV, 'a Int64')", "5\n"},
		{"CREATE TABLE su (a Int64, b String) ENGINE = URL('@@/t/x.csv', CSV, headers('X-A' = 'b'))", ""},
		{"SELECT count() FROM su WHERE a > 0", "2\n"},
		{"RENAME TABLE su TO sv", ""},
		{"DROP TABLE sv", ""},
		{"INSERT INTO FUNCTION url('@@/plain.csv', CSV, 'x UInt8, y String', headers('X-A' = 'b')) VALUES (1, 'a')", "error"},
	} {
		sql := fill.Replace(c.sql)
		if got, err := run(t, n, sql); c.want != "error" && err != nil || got != c.want && c.want != "error" || c.want == "error" && err == nil {
			t.Errorf("%s: got %q, %v; want %q", sql, got, err, c.want)
		}
	}
	for _, c := range []struct{ sql, want string }{
		{"INSERT INTO FUNCTION s3('@@/a/year=2025/x.parquet', KEYS) SELECT 1 AS n", "already exists"},
		{"INSERT INTO FUNCTION s3('@@/a/*.csv', KEYS) SELECT 1 AS n", "cannot write to them"},
		{"INSERT INTO FUNCTION s3('@@/p.csv', KEYS, CSV, 'x UInt8') PARTITION BY x SELECT 1", "_partition_id"},
		{"INSERT INTO FUNCTION s3('@@/{_partition_id}.csv', KEYS, CSV, 'x UInt8') PARTITION BY y SELECT 1", "Unknown"},
		{"INSERT INTO FUNCTION null('x UInt8') PARTITION BY x SELECT 1", "PARTITION BY is not implemented"},
		{"INSERT INTO FUNCTION s3('@@/broken.csv', KEYS) SELECT throwIf(number = 90000) FROM numbers(100000)", "throwIf"},
		{"SELECT * FROM s3('@@/broken.csv', KEYS, CSV, 'x UInt8')", "S3 bucket bucket, key broken.csv"},
		{"SELECT * FROM s3('http://10.0.0.1/bucket/x.csv', KEYS)", "not allowed"},
		{"SELECT * FROM s3('s3://bucket/x.csv', KEYS)", "not allowed"},
		{"SELECT * FROM s3('http://127.0.0.1:1/bucket/x.csv', NOSIGN)", "S3 bucket bucket"},
		{"SELECT * FROM s3('@@/x.csv', 'key', 'pa55word', 'token', CSV, 'x UInt8', 'none', 'more')", "signature"},
		{"SELECT * FROM s3('@@/x.csv', path = 'x')", "Unknown argument path"},
		{"SELECT * FROM s3('@@/x.csv', format = 'CSV', 'x UInt8')", "without a name"},
		{"SELECT * FROM s3('@@/x.csv', CSV, format = 'CSV')", "twice"},
		{"SELECT * FROM s3('@@/x.csv', access_key_id = 'a')", "both"},
		{"SELECT * FROM s3('@@/x.csv', CSV, headers('a' = 'b'))", "headers"},
		{"SELECT * FROM s3()", "signature"},
		{"INSERT INTO st VALUES (1, 'x')", "already exists"},
		{"CREATE TABLE bad (a Int64) ENGINE = S3('http://10.1.1.1/b/x.csv', CSV)", "not allowed"},
		{"CREATE TABLE bad (a Int64) ENGINE = S3()", "address"},
		{"CREATE TABLE bad (a Int64 DEFAULT 1) ENGINE = S3('@@/x.csv', CSV)", "more than a type"},
		{"CREATE TABLE bad (a Int64) ENGINE = S3('@@/x.csv', CSV) ORDER BY a", "keys"},
		{"CREATE TABLE bad ENGINE = S3('@@/x.csv', CSV) AS SELECT 1 AS a", "AS with engine"},
		{"CREATE MATERIALIZED VIEW bad ENGINE = S3('@@/x.csv', CSV) AS SELECT n FROM t", "for the rows of a view"},
		{"CREATE TEMPORARY TABLE bad (a Int64) ENGINE = S3('@@/x.csv', CSV)", "temporary"},
		{"ALTER TABLE st ADD COLUMN z Int8", "ALTER"},
		{"TRUNCATE TABLE st", "Truncate"},
		{"SELECT * FROM file('x.csv', headers('a' = 'b'))", "constant string"},
		{"SELECT * FROM url('@@/x.csv', CSV, 'x UInt8', headers('a'))", "'name' = 'value'"},
	} {
		sql := fill.Replace(c.sql)
		if _, err := run(t, n, sql); err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "pa55word") {
			t.Errorf("%s: got %v, want an error with %q", sql, err, c.want)
		}
	}
}
