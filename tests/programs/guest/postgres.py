# SPDX-License-Identifier: GPL-2.0-only
"""PostgreSQL on the volume: rows that are told in the record, beside pgbench, and what must be there."""
import glob
import os
import subprocess
import sys

import psycopg2

BIN = glob.glob("/usr/lib/postgresql/*/bin")[0]
DATA = "/vol/pg"


def pg(program, *args, check=True):
    done = subprocess.run(["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups",
                           os.path.join(BIN, program)] + list(args), check=False, text=True, cwd="/tmp",
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if check and done.returncode:
        raise RuntimeError("%s: %s" % (program, done.stdout[-3000:]))
    return done


def start():
    pg("pg_ctl", "-D", DATA, "-l", "/tmp/pg.log", "-w", "-t", "120", "-o",
       "-k /tmp -c listen_addresses= -c shared_buffers=16MB -c min_wal_size=32MB -c max_wal_size=32MB "
       "-c checkpoint_timeout=30s -c wal_recycle=on", "start")
    return psycopg2.connect(host="/tmp", user="postgres", dbname="postgres")


def write(count):
    from mark import mark
    open("/tmp/pg.log", "w").close()
    os.chmod("/tmp/pg.log", 0o666)
    os.mkdir(DATA, 0o700)
    subprocess.run(["chown", "-R", "postgres:postgres", DATA], check=True)
    pg("initdb", "-D", DATA, "-k", "--wal-segsize=1", "-A", "trust", "-E", "UTF8", "--no-locale")
    db = start()
    pg("pgbench", "-h", "/tmp", "-i", "-q", "-s", "1", "postgres")
    cursor = db.cursor()
    cursor.execute("create table acks (n integer primary key, text text)")
    db.commit()
    mark("rows", 0)
    bench = subprocess.Popen([os.path.join(BIN, "pgbench"), "-h", "/tmp", "-U", "postgres", "-c", "3", "-T", "600",
                              "-n", "postgres"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    for n in range(1, count + 1):
        cursor.execute("insert into acks values (%s, repeat(md5(%s), 40))", (n, str(n)))
        db.commit()
        mark("rows", n)
        if n % 60 == 0:
            db.autocommit = True
            cursor.execute("vacuum pgbench_branches")
            cursor.execute("checkpoint")
            db.autocommit = False
    bench.kill()
    bench.wait()
    db.close()
    pg("pg_ctl", "-D", DATA, "-m", "fast", "-w", "stop")


def check(acks):
    if "rows" not in acks:
        return []
    faults = []
    open("/tmp/pg.log", "w").close()
    os.chmod("/tmp/pg.log", 0o666)
    if os.path.exists(DATA + "/postmaster.pid"):
        os.unlink(DATA + "/postmaster.pid")
    db = start()
    cursor = db.cursor()
    cursor.execute("select coalesce(max(n), 0), count(*), coalesce(bool_and(text = repeat(md5(n::text), 40)), true) from acks")
    last, number, same = cursor.fetchone()
    if not acks["rows"] <= last <= acks["rows"] + 1 or number != last or not same:
        faults.append("%d was promised; %d rows to %d, %s" % (acks["rows"], number, last, same))
    # What pgbench's transactions keep equal.
    cursor.execute("select (select sum(abalance) from pgbench_accounts), (select sum(tbalance) from pgbench_tellers), "
                   "(select sum(bbalance) from pgbench_branches), (select coalesce(sum(delta), 0) from pgbench_history)")
    sums = cursor.fetchone()
    if len(set(sums)) != 1:
        faults.append("sums of pgbench differ: %s" % (sums,))
    db.close()
    said = pg("pg_amcheck", "-h", "/tmp", "-a", "--install-missing", "--heapallindexed", check=False)
    if said.returncode:
        faults.append("pg_amcheck: " + said.stdout[-1000:])
    pg("pg_ctl", "-D", DATA, "-m", "fast", "-w", "stop")
    said = pg("pg_checksums", "-D", DATA, "--check", check=False)
    if said.returncode:
        faults.append("pg_checksums: " + said.stdout[-1000:])
    return faults


if __name__ == "__main__":
    if sys.argv[1] == "write":
        write(int(sys.argv[2]))
    else:
        try:
            found = check({w.split("=")[0]: int(w.split("=")[1]) for w in sys.argv[2:]})
        except Exception as e:
            with open("/tmp/pg.log") as log:
                found = [repr(e), log.read()[-2000:]]
            pg("pg_ctl", "-D", DATA, "-m", "immediate", "stop", check=False)
        print("\n".join(found))
        sys.exit(1 if found else 0)
