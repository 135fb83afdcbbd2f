# SPDX-License-Identifier: GPL-2.0-only
"""A tree of some 2,700 files whose content is told apart by its checksum; or what is left of one.

usage: tree.py make SEED DIRECTORY
       tree.py list DIRECTORY
       tree.py score BEFORE AFTER

A list is of a tree on the host. The score is of two lists, or two outputs of harvest.c: "P/E/L", files found at their path, found elsewhere, lost.
"""
import collections
import hashlib
import os
import random
import sys


def put(path, data):
    with open(path, 'wb') as f:
        f.write(data)


def make(seed, top):
    rng = random.Random(seed)
    n = 0

    def text():
        nonlocal n
        n += 1
        return b'%d of %d: ' % (n, seed) + rng.randbytes(rng.choice((7, 90, 900, 5000)))

    os.makedirs(f'{top}/many')
    for i in range(2000):
        put(f'{top}/many/a-name-of-some-length-{i}', text())
    for d in range(30):
        at = f'{top}/some/{d}/deep'
        os.makedirs(at)
        for i in range(11):
            put(f'{top}/some/{d}/file-{i}', text())
            put(f'{at}/file-{i}', text())
    for i in range(4):
        with open(f'{top}/sparse-{i}', 'wb') as f:
            for b in range(900):
                f.seek(2 * b * 4096)
                f.write(text())
    for i in range(20):
        put(f'{top}/top-{i}', text())
        os.symlink(f'{i}-' + 'x' * rng.randrange(1, 200), f'{top}/link-{i}')


def listed(top):
    for at, _, files in os.walk(os.fsencode(top)):
        for name in files:
            path = os.path.join(at, name)
            if os.path.islink(path):
                data = os.readlink(path)
            else:
                with open(path, 'rb') as f:
                    data = f.read()
            line = b'%d %s /%s\n' % (len(data), hashlib.sha1(data).hexdigest().encode(),
                                     os.path.relpath(path, os.fsencode(top)))
            sys.stdout.buffer.write(line)


def harvest(path):
    files = {}
    with open(path, 'rb') as f:
        for line in f.read().split(b'\n'):
            if line and not line.startswith(b'0 dir '):
                size, crc, name = line.split(b' ', 2)
                files[name] = size, crc
    return files


def score(before, after):
    was, now = harvest(before), harvest(after)
    there = {name for name in was if now.get(name) == was[name]}
    rest = collections.Counter(now[name] for name in now if name not in there)
    moved = 0
    for name in was:
        if name not in there and rest[was[name]]:
            rest[was[name]] -= 1
            moved += 1
    print(f'{len(there)}/{moved}/{len(was) - len(there) - moved}')


if sys.argv[1] == 'make':
    make(int(sys.argv[2]), sys.argv[3])
elif sys.argv[1] == 'list':
    listed(sys.argv[2])
else:
    score(*sys.argv[2:])
