#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Extended attributes in a volume, put together from the records that dump.simplefs shows.

usage: attrs.py DUMP IMAGE PATH        its attributes, a line each: name, and value in hexadecimal, or
                                       of a long one its length and digest
       attrs.py DUMP IMAGE / DIR       compares all with those of the files in DIR; prints differences
"""
import hashlib
import json
import os
import subprocess
import sys

DUMP, IMAGE, PATH = sys.argv[1:4]
SPACES = {1: "user.", 2: "trusted.", 3: "security.", 4: "system."}


def fields(*args):
    return json.loads(subprocess.run([DUMP, "--json", *args, IMAGE], check=True,
                                     stdout=subprocess.PIPE).stdout)


def attributes(where):
    """Name and value of each; ends the program if pieces of one do not fit."""
    records = [r for n in fields("-t", where)["nodes"] for r in n.get("records", [])
               if r.get("kind") == "xattr"]
    found, last = {}, None
    for r in sorted(records, key=lambda r: int(r["pos"], 16)):
        pos = int(r["pos"], 16)
        if pos % 256:
            assert pos == last + 1, "a piece of %s is missing" % name
            found[name] += bytes.fromhex(r["data"])
        else:
            name = SPACES[r["space"]] + r["name"]
            assert len(r["name"]) == r["len"] and name not in found, name
            found[name] = bytes.fromhex(r["data"])
            want[name] = r["nbytes"]
        last = pos
    for name, value in found.items():
        assert len(value) == want[name], name
    return found


want = {}


def outside(path):
    return {name: os.getxattr(path, name, follow_symlinks=False)
            for name in os.listxattr(path, follow_symlinks=False)}


def compare(ino, path):
    """Returns the number of attributes there are."""
    have, should = attributes(str(ino)), outside(path)
    for name in set(have) | set(should):
        if have.get(name) != should.get(name):
            print(path, name, have.get(name), should.get(name))
    n = len(should)
    if os.path.isdir(path) and not os.path.islink(path):
        for entry in fields("-d", str(ino))["names"]:
            n += compare(entry["ino"], os.path.join(path, entry["name"]))
    return n


if len(sys.argv) > 4:
    print(compare(fields()["super"]["root"], sys.argv[4]))
    sys.exit()
for name, value in sorted(attributes(PATH).items()):
    text = value.hex() if len(value) < 100 else "%d %s" % (len(value), hashlib.md5(value).hexdigest())
    print(("%s %s" % (name, text)).rstrip())
