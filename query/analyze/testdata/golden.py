"""Writes STEM.golden for each STEM.sql given: the result columns or the error code of every statement, by ClickHouse (chdb)."""
import json
import re
import sys
from os.path import dirname, join

from chdb import session

run = session.Session()


def statements(path):
    return [s.strip() for s in open(path).read().split(";\n") if s.strip()]


here = dirname(sys.argv[0])
for s in statements(join(here, "schema.sql")) + statements(join(here, "../../../bench/hits/create_clickhouse.sql")):
    run.query(s)
run.query("INSERT INTO t (a) VALUES (1)")
for path in sys.argv[1:]:
    out = []
    for s in statements(path):
        out.append("> " + s.replace("\n", "\n> "))
        try:
            if "totals" in s.lower():  # chdb mixes totals into the answer
                rows = str(run.query("DESCRIBE (" + s + ")", "JSONCompactEachRow")).strip().split("\n")
                out += ["\t".join(json.loads(r)[:2]) for r in rows]
            else:
                meta = json.JSONDecoder().raw_decode(str(run.query(s, "JSONCompact")))[0]["meta"]
                out += [c["name"] + "\t" + c["type"] for c in meta]
        except Exception as e:
            out.append("error " + re.search(r"Code: (\d+)", str(e)).group(1))
        out.append("")
    open(path.removesuffix(".sql") + ".golden", "w").write("\n".join(out))
