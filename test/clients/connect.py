# clickhouse-connect over HTTP: its start-up, inserts, queries, streams, parameters, settings, errors, external data.
import datetime, os
import clickhouse_connect
from clickhouse_connect.driver.exceptions import DatabaseError
from clickhouse_connect.driver.external import ExternalData

port = int(os.environ["OLAPD_HTTP_PORT"])
for compress in (False, "lz4", "zstd", "gzip"):
    c = clickhouse_connect.get_client(host="127.0.0.1", port=port, compress=compress)
    c.command("DROP TABLE IF EXISTS connect")
    c.command("CREATE TABLE connect (k UInt32, v LowCardinality(String), n Nullable(Float64), t DateTime64(3), a Array(String), m Map(String, UInt64)) ENGINE = MergeTree ORDER BY k")
    t = datetime.datetime(2024, 1, 2, 3, 4, 5, 6000)
    rows = [[i, "v%d" % (i % 3), None if i % 2 else i / 2, t, ["x", str(i)], {"k": i}] for i in range(1000)]
    assert c.insert("connect", rows).written_rows == 1000
    r = c.query("SELECT * FROM connect ORDER BY k")
    assert [list(x) for x in r.result_rows] == rows and r.column_names == ("k", "v", "n", "t", "a", "m")
    assert c.query("SELECT count() FROM connect WHERE k >= {k:UInt32}", parameters={"k": 990}).first_row == (10,)
    assert c.command("SELECT getSetting('max_threads')", settings={"max_threads": 3}) == 3
    with c.query_row_block_stream("SELECT number FROM numbers(100000)") as blocks:
        assert sum(len(b) for b in blocks) == 100000
    ext = ExternalData(file_name="ids", data=b"1\n2\n3\n", fmt="TSV", structure=["k UInt32"])
    assert c.query("SELECT count() FROM connect WHERE k IN ids", external_data=ext).first_row == (3,)
    try:
        c.query("SELECT * FROM nowhere")
        raise AssertionError("no error")
    except DatabaseError as e:
        assert "UNKNOWN_TABLE" in str(e), e
    c.command("DROP TABLE connect")
    c.close()
