"""Runs statements in ClickHouse (chDB) or DuckDB for the Go client beside this file.

Usage: oracle.py clickhouse|duckdb DIRECTORY THREADS

Reads one JSON object a line: {"sql": ..., "format": ...}; writes one a line:
{"data": base64 of the result, "seconds": ..., "peak": bytes} or {"code": n, "error": text}.
The first line written is {"version": ...}, or {"error": ...} if the engine is missing.
"""

import base64
import json
import os
import re
import resource
import sys
import time

OUT = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)  # what an engine prints must not end up between the answers


def answer(**fields):
    OUT.write(json.dumps(fields) + "\n")
    OUT.flush()


class ClickHouse:
    def __init__(self, directory, threads):
        from chdb import session

        self.session = session.Session(directory)
        self.session.query(f"SET max_threads = {threads}")
        self.version = self.data(self.run("SELECT version()", "TSVRaw")).decode().strip()

    def run(self, sql, fmt):
        try:
            return self.session.query(sql, fmt or "TSVWithNamesAndTypes")
        except Exception:
            # What a failed query had written already would stand in front of the next one's result.
            self.session.query("SELECT 1", "Null")
            raise

    @staticmethod
    def data(result):
        if result is None:
            return b""
        return result.bytes() or b""

    @staticmethod
    def code(error):
        found = re.search(r"Code: (\d+)", str(error))
        return int(found.group(1)) if found else -1


class DuckDB:
    def __init__(self, directory, threads):
        import duckdb

        path = os.path.join(directory, "duck.db")
        self.db = duckdb.connect(path, config={"threads": threads})
        self.db.execute("SET TimeZone = 'UTC'")
        self.db.execute("SET enable_progress_bar = false")
        self.version = duckdb.__version__

    def run(self, sql, fmt):
        cursor = self.db.execute(sql)
        if cursor.description is None:
            return None
        return cursor.description, cursor.fetchall()

    @staticmethod
    def data(result):
        if result is None:
            return b""
        description, rows = result
        names = [c[0] for c in description]
        types = [str(c[1]) for c in description]
        lines = [names, types] + [[text(v) for v in row] for row in rows]
        return "".join("\t".join(line) + "\n" for line in lines).encode()

    @staticmethod
    def code(error):
        return -1


def text(value):
    """A value as ClickHouse's TSV writes it, as far as Python's types allow."""
    if value is None:
        return "\\N"
    if value is True or value is False:
        return "true" if value else "false"
    if isinstance(value, float):
        if value != value:
            return "nan"
        if value in (float("inf"), float("-inf")):
            return "inf" if value > 0 else "-inf"
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    escapes = {"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r", "\0": "\\0", "\b": "\\b", "\f": "\\f", "'": "\\'"}
    return "".join(escapes.get(c, c) for c in str(value))


def main():
    engines = {"clickhouse": ClickHouse, "duckdb": DuckDB}
    try:
        engine = engines[sys.argv[1]](sys.argv[2], int(sys.argv[3]))
    except ImportError as error:
        answer(error=f"{sys.argv[1]} is not installed in this Python: {error}")
        return
    answer(version=engine.version)
    for line in sys.stdin:
        request = json.loads(line)
        start = time.perf_counter()
        try:
            result = engine.run(request["sql"], request.get("format"))
            seconds = time.perf_counter() - start  # without writing DuckDB's values as text, which is this program's doing
            data = engine.data(result)
        except Exception as error:  # whatever the engine raises is the answer
            answer(code=engine.code(error), error=str(error))
            continue
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
        answer(data=base64.b64encode(data).decode(), seconds=seconds, peak=peak)


main()
