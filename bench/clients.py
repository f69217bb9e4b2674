"""Runs one workload in ClickHouse (chDB) from many threads, for the Go program beside this file.

Usage: clients.py DIRECTORY

Reads one JSON object: {"setup": [...], "session": [...], "prefix": text, "bodies": [...], "clients": n, "seconds": s, "check": sql}.
Each client is a thread with a session of its own, in which it first runs the statements of "session": the statements of one
session wait for each other.
Each client takes the next body, puts the prefix before it and runs that, until all bodies have run once, or, if seconds
is not 0, over and over until so much time has passed. Writes {"version": ..., "seconds": ..., "latencies_ms": [...],
"check": result of the check, "error": text}.
"""

import json
import os
import sys
import threading
import time

OUT = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)  # what the engine prints must not end up in the answer

from chdb import session


def main():
    job = json.load(sys.stdin)
    db = session.Session(sys.argv[1])
    for sql in job["setup"] or []:
        db.query(sql)
    sessions = [session.Session(sys.argv[1]) for _ in range(job["clients"])]
    for one in sessions:
        for sql in job["session"] or []:
            one.query(sql)
    lock = threading.Lock()
    state = {"next": 0, "error": ""}
    latencies = []
    statements = [job["prefix"] + body for body in job["bodies"]]
    started = time.perf_counter()
    deadline = started + job["seconds"]

    def take():
        with lock:
            n = state["next"]
            state["next"] = n + 1
        if state["error"]:
            return None
        if job["seconds"]:
            return statements[n % len(statements)] if time.perf_counter() < deadline else None
        return statements[n] if n < len(statements) else None

    def client(own):
        mine = []
        while (sql := take()) is not None:
            begin = time.perf_counter()
            try:
                own.query(sql, "TSV").bytes()
            except Exception as error:  # whatever the engine raises ends the run
                state["error"] = str(error)
                break
            mine.append((time.perf_counter() - begin) * 1000)
        with lock:
            latencies.extend(mine)

    threads = [threading.Thread(target=client, args=(own,)) for own in sessions]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    seconds = time.perf_counter() - started
    check = db.query(job["check"], "TSV").bytes().decode().strip() if job["check"] else ""
    version = db.query("SELECT version()", "TSV").bytes().decode().strip()
    json.dump({"version": version, "seconds": seconds, "latencies_ms": latencies, "check": check, "error": state["error"]}, OUT)
    OUT.flush()


main()
