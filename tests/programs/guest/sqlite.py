# SPDX-License-Identifier: GPL-2.0-only
"""SQLite on the volume: transactions that are told in the record, and what must be there after a crash.

Every transaction adds a row, changes others and the sum of them, in both databases by turns: one with
its journal, which is deleted, truncated or zeroed, one with a log of its own (WAL).
"""
import hashlib
import os
import random
import sqlite3
import sys

MODES = {"delete": "delete", "truncate": "truncate", "persist": "persist", "wal": "wal"}


def content(n):
    return hashlib.sha256(b"%d" % n).digest() * (1 + n * 7919 % 300)


def connect(mode):
    db = sqlite3.connect("/vol/%s.db" % mode, isolation_level=None)
    db.execute("pragma journal_mode=%s" % MODES[mode])
    db.execute("pragma synchronous=full" if mode == "wal" else "pragma synchronous=extra")
    db.execute("pragma wal_autocheckpoint=50")
    return db


def write(count):
    from mark import mark
    rng = random.Random(1)
    dbs = {}
    for mode in MODES:
        dbs[mode] = connect(mode)
        dbs[mode].execute("create table rows (n integer primary key, data blob)")
        dbs[mode].execute("create table state (last integer, version integer)")
        dbs[mode].execute("insert into state values (0, 0)")
        dbs[mode].execute("create index by_data on rows (data)")
        mark(mode, 0)
    for n in range(1, count + 1):
        for mode, db in dbs.items():
            db.execute("begin immediate")
            db.execute("insert into rows values (?, ?)", (n, content(n)))
            if n > 20:
                db.execute("delete from rows where n = ?", (n - 20,))
            db.execute("update state set last = ?, version = version + 1", (n,))
            db.execute("commit")
            mark(mode, n)
        if rng.random() < 0.05:
            dbs["delete"].execute("vacuum")
        if rng.random() < 0.05:
            dbs["wal"].execute("pragma wal_checkpoint(truncate)")
    for db in dbs.values():
        db.close()
    mark("end", 0)


def check(acks):
    """Every fault as a line; acks are the record's last words for each mode."""
    faults = []
    for mode in MODES:
        if mode not in acks:
            continue
        if not os.path.exists("/vol/%s.db" % mode):
            faults.append("%s: no database" % mode)
            continue
        try:
            db = connect(mode)
            said = db.execute("pragma integrity_check").fetchall()
            if said != [("ok",)]:
                faults.append("%s: %s" % (mode, said))
            last, version = db.execute("select last, version from state").fetchone()
            if not acks[mode] <= last <= acks[mode] + 1 or version != last:
                faults.append("%s: %d was promised, %d, %d is there" % (mode, acks[mode], last, version))
            rows = dict(db.execute("select n, data from rows"))
            want = {n: content(n) for n in range(max(1, last - 19), last + 1)}
            if rows != want:
                faults.append("%s: rows are not those of %d" % (mode, last))
            db.close()
        except sqlite3.Error as e:
            faults.append("%s: %s" % (mode, e))
    return faults


if __name__ == "__main__":
    if sys.argv[1] == "write":
        write(int(sys.argv[2]))
    else:
        words = [w.split("=") for w in sys.argv[2:]]
        found = check({mode: int(n) for mode, n in words})
        print("\n".join(found))
        sys.exit(1 if found else 0)
