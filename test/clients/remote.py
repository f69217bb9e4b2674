# ClickHouse as the client: remote() reads from olapd and writes to it.
import os
import chdb

R = "remote('127.0.0.1:%s', default.remote)" % os.environ["OLAPD_NATIVE_PORT"]


def q(sql, table=R):
    return str(chdb.query(sql.replace("REMOTE", table), "TSV")).strip()


def expect(sql, want, table=R):
    got = q(sql, table)
    assert got == want, "%s\ngot  %r\nwant %r" % (sql, got, want)


import urllib.request

def http(sql):
    url = "http://127.0.0.1:%s/" % os.environ["OLAPD_HTTP_PORT"]
    return urllib.request.urlopen(url, sql.encode()).read().decode().strip()


http("DROP TABLE IF EXISTS remote")
http("CREATE TABLE remote (k UInt64, s LowCardinality(String), n Nullable(Float64), a Array(String), d DateTime64(3, 'UTC'), f DEFAULT k + 1) ENGINE = MergeTree ORDER BY k")
q("INSERT INTO FUNCTION REMOTE (k, s, n, a, d) SELECT number, concat('s', toString(number % 5)), if(number % 2, NULL, number / 2), [toString(number)], toDateTime64('2024-01-02 03:04:05.678', 3, 'UTC') FROM numbers(100000)")
assert http("SELECT count(), sum(k), sum(f), uniqExact(s), countIf(n IS NULL) FROM remote") == "100000\t4999950000\t5000050000\t5\t50000"
expect("SELECT count(), sum(k), sum(f), uniqExact(s), countIf(n IS NULL) FROM REMOTE", "100000\t4999950000\t5000050000\t5\t50000")
expect("SELECT * FROM REMOTE WHERE k = 42", "42\ts2\t21\t['42']\t2024-01-02 03:04:05.678\t43")
expect("SELECT s, count() FROM REMOTE GROUP BY s ORDER BY s LIMIT 2", "s0\t20000\ns1\t20000")
expect("SELECT k FROM REMOTE WHERE s IN (SELECT 's3') ORDER BY k LIMIT 2", "3\n8")
expect("SELECT r.k, l.number FROM numbers(3) AS l JOIN REMOTE AS r ON r.k = l.number ORDER BY 1", "0\t0\n1\t1\n2\t2")
expect("SELECT * FROM REMOTE", "0", "remote('127.0.0.1:%s', system.one)" % os.environ["OLAPD_NATIVE_PORT"])
expect("SELECT sum(number) FROM REMOTE", "499500", "remote('127.0.0.1:%s', numbers(1000))" % os.environ["OLAPD_NATIVE_PORT"])
try:
    q("SELECT * FROM REMOTE", "remote('127.0.0.1:%s', default.nowhere)" % os.environ["OLAPD_NATIVE_PORT"])
    raise AssertionError("no error")
except RuntimeError as e:
    assert "There is no table" in str(e), e
http("DROP TABLE remote")
