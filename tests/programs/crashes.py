#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""What a crash may have left of a disk, by the record that dm-log-writes has made of it.

usage: crashes.py RECORD DISK FOLDER COUNT SEED
DISK is the image before the record. In FOLDER COUNT images appear, 0 and on, of moments that are
chosen by SEED; each with all that flushes had covered, and of what was written since nothing, all, or
some, of which one may be torn between two sectors. In FOLDER/promises a line for each: its number, the
moment, and the last mark of each kind before (KIND=NUMBER).
"""
import os
import random
import struct
import subprocess
import sys

MAGIC = 0x6A736677736872
FLUSH, FUA, DISCARD, MARK = 1, 2, 4, 8


class Entry:
    __slots__ = ("sector", "count", "flags", "at", "text")


def entries(record):
    magic, version, count, size = struct.unpack("<QQQI", record.read(28))
    if magic != MAGIC or version != 1:
        sys.exit("crashes: not a record")
    at, found = size, []
    for _ in range(count):
        record.seek(at)
        e = Entry()
        e.sector, nr, e.flags, nbytes = struct.unpack("<4Q", record.read(32))
        e.text = record.read(nbytes).decode() if e.flags & MARK else None
        at += size
        e.at, e.count, e.sector = at, nr * size, e.sector * size
        if not e.flags & (DISCARD | MARK):
            at += e.count
        found.append(e)
    return found


def apply(disk, record, e, most=None):
    """The entry's data, or the first @most bytes of it, into the disk."""
    if e.flags & MARK or not e.count:
        return
    disk.seek(e.sector)
    if e.flags & DISCARD:       # what is read then is any; zeros are as good as others
        step = 1 << 20
        for done in range(0, e.count, step):
            disk.write(b"\0" * min(step, e.count - done))
        return
    record.seek(e.at)
    disk.write(record.read(e.count if most is None else most))


def crash(path, safe, record, window, rng):
    """An image of what is safe, and of the @window's writes which chance leaves."""
    subprocess.run(["cp", "--sparse=always", safe, path], check=True)
    writes = [e for e in window if e.count and not e.flags & (MARK | FUA)]
    how = rng.choice(("none", "all", "some", "torn"))
    kept = {"none": [], "all": writes}.get(how, [e for e in writes if rng.random() < 0.5])
    with open(path, "r+b") as disk:
        for e in window:
            if e.flags & FUA:
                apply(disk, record, e)
            elif e in kept:
                apply(disk, record, e)
        if how == "torn" and writes:
            e = rng.choice(writes)
            if not e.flags & DISCARD:
                apply(disk, record, e, rng.randrange(0, e.count, 512))
    return "%s of %d" % (how, len(writes))


def main(record_path, disk_path, folder, count, seed):
    rng = random.Random(seed)
    safe = os.path.join(folder, "safe")
    subprocess.run(["cp", "--sparse=always", disk_path, safe], check=True)
    with open(record_path, "rb") as record, open(os.path.join(folder, "promises"), "w") as told:
        log = entries(record)
        first = next(n for n, e in enumerate(log) if e.flags & MARK)
        moments = sorted(rng.sample(range(first, len(log)), count))
        flushed, promises, seen = 0, {}, 0
        for n, moment in enumerate(moments):
            for e in log[seen:moment]:
                if e.flags & MARK:
                    kind, _, number = e.text.rstrip("\0").partition("=")
                    promises[kind] = number
            seen = moment
            last = next((i for i in range(moment - 1, -1, -1) if log[i].flags & FLUSH), -1) + 1
            with open(safe, "r+b") as disk:
                for e in log[flushed:last]:
                    apply(disk, record, e)
            flushed = last
            end = next((i for i in range(moment, len(log)) if log[i].flags & FLUSH), len(log))
            # What is forced comes in its turn: not if it is later than the crash.
            window = log[last:moment] + [e for e in log[moment:end] if not e.flags & (FUA | MARK)]
            how = crash(os.path.join(folder, str(n)), safe, record, window, rng)
            told.write("%d crash-%d-of-%d,%s %s\n" % (n, moment, len(log), how.replace(" ", "-"), " ".join(
                "%s=%s" % p for p in promises.items())))
    os.unlink(safe)


if __name__ == "__main__":
    if len(sys.argv) != 6:
        sys.exit(__doc__)
    main(sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4]), int(sys.argv[5]))
