# clickhouse-driver over the native protocol: types, blocks of INSERT, external tables, errors, totals, progress.
import datetime, decimal, os, uuid
from clickhouse_driver import Client, errors

port = int(os.environ["OLAPD_NATIVE_PORT"])
TYPES = """a UInt32, b String, c Nullable(Float64), d LowCardinality(String), e Array(UInt8), f DateTime, g DateTime64(3), m Map(String, UInt8),
    u UUID, dec Decimal(10, 2), t Tuple(UInt8, String), en Enum8('x' = 1, 'y' = 2), day Date, fs FixedString(3), ln LowCardinality(Nullable(String)), x DEFAULT a * 2"""


def rows(n):
    return [(i, "s%d" % i, None if i % 2 else i / 2, "v%d" % (i % 3), [1, i], datetime.datetime(2024, 1, 2, 3, 4, 5),
             datetime.datetime(2024, 1, 2, 3, 4, 5, 6000), {"k": i}, uuid.UUID(int=i), decimal.Decimal("1.25"), (i, "t"), "y",
             datetime.date(2024, 1, 2), "abc", None if i % 2 else "z") for i in range(n)]


for compression in (False, "lz4", "zstd"):
    c = Client("127.0.0.1", port=port, compression=compression)
    c.execute("DROP TABLE IF EXISTS driver")
    c.execute("CREATE TABLE driver (%s) ENGINE = MergeTree ORDER BY a" % TYPES)
    names = "a, b, c, d, e, f, g, m, u, dec, t, en, day, fs, ln"
    assert c.execute("INSERT INTO driver (%s) VALUES" % names, rows(100), settings={"insert_block_size": 30}) == 100
    assert c.execute("SELECT %s FROM driver ORDER BY a" % names) == rows(100)
    assert c.execute("SELECT sum(x), count() FROM driver") == [(9900, 100)]
    total = c.execute("SELECT sum(number) FROM numbers(3000000)")
    assert total == [(4499998500000,)] and c.last_query.progress.rows == 3000000, c.last_query.progress.rows
    assert c.execute("SELECT a % 2 AS k, count() FROM driver GROUP BY k WITH TOTALS ORDER BY k") == [(0, 50), (1, 50), (0, 100)]
    tables = [{"name": "ext", "structure": [("k", "UInt32"), ("s", "String")], "data": [{"k": 1, "s": "one"}, {"k": 5, "s": "five"}]}]
    assert c.execute("SELECT s, b FROM ext JOIN driver ON driver.a = ext.k ORDER BY k", external_tables=tables) == [("one", "s1"), ("five", "s5")]
    assert c.execute("SELECT %(x)s", {"x": "it's"}) == [("it's",)]
    assert sum(len(b) for b in [list(c.execute_iter("SELECT number FROM numbers(200000)", {"max_block_size": 5000}))]) == 200000
    try:
        c.execute("SELECT * FROM nowhere")
        raise AssertionError("no error")
    except errors.ServerException as e:
        assert e.code == 60, e.code
    assert c.execute("SELECT 1") == [(1,)]
    c.execute("DROP TABLE driver")
    c.disconnect()
