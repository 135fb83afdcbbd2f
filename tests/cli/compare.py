#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Compares a directory with what dump.simplefs says is in a volume, without mounting it.

usage: compare.py DUMP IMAGE DIR
Every name, type, mode, owner, link count, size, time, device number, symlink and byte of data; which
names share an inode; and that no file takes more blocks than its data needs. Prints each difference.
"""
import datetime
import json
import os
import stat
import subprocess
import sys

DUMP, IMAGE, TOP = sys.argv[1:4]
differences = 0
inodes = {}


def differ(path, what, got, want):
    global differences
    differences += 1
    print("%r: %s is %r, not %r" % (path, what, got, want))


def dump(*args):
    return subprocess.run([DUMP, *args, IMAGE], check=True, stdout=subprocess.PIPE).stdout


def fields(*args):
    return json.loads(dump("--json", *args))


def text_of(name):
    """How JSON shows a name of bytes: what is no UTF-8 stands as the character of its number."""
    out, rest = "", name
    while rest:
        for n in (1, 2, 3, 4):
            try:
                out += rest[:n].decode()
                rest = rest[n:]
                break
            except UnicodeDecodeError:
                if n == 4 or n >= len(rest):
                    out += chr(rest[0])
                    rest = rest[1:]
                    break
    return out


def time_of(ns):
    """As dump prints it; what 64 bits of nanoseconds cannot hold is the last second they can."""
    limit = ((2 ** 63 - 1) // 10 ** 9 - 1) * 10 ** 9
    ns = max(-limit, min(limit, ns))
    when = datetime.datetime(1970, 1, 1) + datetime.timedelta(seconds=ns // 10 ** 9)
    return "%s.%09dZ" % (when.strftime("%Y-%m-%dT%H:%M:%S"), ns % 10 ** 9)


def blocks_needed(path, size):
    """Blocks of 4 KiB with data, by the file system that holds the source."""
    need, pos = set(), 0
    with open(path, "rb") as f:
        while pos < size:
            try:
                pos = os.lseek(f.fileno(), pos, os.SEEK_DATA)
            except OSError:
                break
            end = os.lseek(f.fileno(), pos, os.SEEK_HOLE)
            need.update(range(pos // 4096, (end + 4095) // 4096))
            pos = end
    return len(need)


def compare_inode(path, ino, st):
    i = fields("-i", str(ino))["inode"]
    want = {"mode": hex(st.st_mode), "uid": st.st_uid, "gid": st.st_gid, "nlink": st.st_nlink,
            "mtime": time_of(st.st_mtime_ns)}
    if stat.S_ISREG(st.st_mode) or stat.S_ISLNK(st.st_mode):
        want["size"] = st.st_size
    if stat.S_ISCHR(st.st_mode) or stat.S_ISBLK(st.st_mode):
        major, minor = os.major(st.st_rdev), os.minor(st.st_rdev)
        want["rdev"] = hex((minor & 0xFF) | major << 8 | (minor & ~0xFF) << 12)
    for key, value in want.items():
        if i[key] != value:
            differ(path, key, i[key], value)
    if stat.S_ISREG(st.st_mode):
        with open(path, "rb") as f:
            if dump("-o", str(ino)) != f.read():
                differ(path, "data", "something", "the same")
        need = blocks_needed(path, st.st_size)
        if i["blocks"] > need + need // 100 + 1:
            differ(path, "blocks", i["blocks"], need)
    if stat.S_ISLNK(st.st_mode):
        records = [r for n in fields("-t", str(ino))["nodes"] for r in n.get("records", [])]
        target = "".join(r["data"] for r in records if r["kind"] == "inline")
        if target != text_of(os.readlink(path)):
            differ(path, "target", target, text_of(os.readlink(path)))


def compare_dir(path, ino):
    have = {n["name"]: n["ino"] for n in fields("-d", str(ino))["names"]}
    want = {text_of(name): name for name in os.listdir(path)}
    if set(have) != set(want):
        differ(path, "list of names", sorted(set(have) - set(want)), sorted(set(want) - set(have)))
    for text, name in want.items():
        if text not in have:
            continue
        child = os.path.join(path, name)
        st = os.lstat(child)
        first = inodes.setdefault((st.st_dev, st.st_ino), have[text])
        if first != have[text]:
            differ(child, "inode", have[text], first)
        compare_inode(child, have[text], st)
        if stat.S_ISDIR(st.st_mode):
            compare_dir(child, have[text])


root = fields()["super"]["root"]
compare_inode(os.fsencode(TOP), root, os.lstat(TOP))
compare_dir(os.fsencode(TOP), root)
if len(set(inodes.values())) != len(inodes):
    differ(TOP, "number of inodes", len(set(inodes.values())), len(inodes))
sys.exit(1 if differences else 0)
