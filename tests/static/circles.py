#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Finds files that need each other in a circle: objects by their symbols, sources by #include.

usage: circles.py OBJECT...
       circles.py --include [-I DIR]... SOURCE...

An object needs another when it uses a symbol that the other defines; a source another when it has
a line #include "..." that finds it, beside itself or in a DIR. Each circle (the largest set of files
of which each needs each other one, by whatever ways) is one line, with its shortest way round below
it; the exit is 1 if there is one. A name is the path without what all have in common, and without
".o".
"""
import argparse
import os
import re
import subprocess
import sys


def read_symbols(objects):
    """Who defines each global symbol, and which each object uses."""
    out = subprocess.run(["nm", "-A", "-P", "-g", *objects], check=True, stdout=subprocess.PIPE,
                         text=True).stdout
    defined, used = {}, {o: set() for o in objects}
    for line in out.splitlines():
        path, rest = line.split(": ", 1)
        symbol, kind = rest.split()[:2]
        if kind in "Uvw":
            used[path].add(symbol)
        else:
            defined.setdefault(symbol, path)
    return defined, used


def needs_of_objects(objects):
    """For each object the others it needs, each with one symbol that says so."""
    defined, used = read_symbols(objects)
    return {o: {defined[s]: s for s in sorted(used[o]) if defined.get(s, o) != o}
            for o in objects}


def needs_of_sources(sources, dirs):
    """The same by #include; a file that includes itself needs itself."""
    known = {os.path.normpath(s) for s in sources}
    needs = {}
    for source in known:
        needs[source] = {}
        with open(source, encoding="utf-8") as lines:
            names = re.findall(r'^\s*#\s*include\s+"([^"]+)"', lines.read(), re.M)
        for name in names:
            paths = [os.path.normpath(os.path.join(d, name))
                     for d in [os.path.dirname(source), *dirs]]
            found = next((p for p in paths if p in known), None)
            if found:
                needs[source][found] = "#include"
    return needs


def way(needs, start, end, inside):
    """The shortest way from start to end within a set, as a list of steps, or None."""
    before = {}
    queue = [start]
    for at in queue:
        for to in sorted(needs[at]):
            if to in inside and to not in before:
                before[to] = at
                queue.append(to)
    if end not in before:
        return None
    steps = [end]
    while len(steps) == 1 or steps[-1] != start:
        steps.append(before[steps[-1]])
    return steps[::-1]


def circles_of(needs):
    """Sets of files each of which needs each other one; a file that needs itself is one, too."""
    reach = {}
    for start in needs:
        seen, queue = set(), list(needs[start])
        while queue:
            at = queue.pop()
            if at not in seen:
                seen.add(at)
                queue.extend(needs[at])
        reach[start] = seen
    circles = {frozenset(b for b in reach[a] if a in reach[b]) for a in needs if a in reach[a]}
    return sorted(circles, key=sorted)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--include", action="store_true")
    parser.add_argument("-I", dest="dirs", action="append", default=[])
    parser.add_argument("files", nargs="+")
    args = parser.parse_args()
    if args.include:
        needs = needs_of_sources(args.files, args.dirs)
    else:
        needs = needs_of_objects(args.files)
    root = os.path.commonpath([os.path.dirname(f) for f in needs])

    def name(path):
        return re.sub(r"\.o$", "", os.path.relpath(path, root))

    found = 0
    for circle in circles_of(needs):
        found += 1
        print("circle: " + " ".join(sorted(name(f) for f in circle)))
        start = min(circle)
        steps = way(needs, start, start, circle)
        for a, b in zip(steps, steps[1:]):
            print("    %s needs %s: %s" % (name(a), name(b), needs[a][b]))
    return 1 if found else 0


sys.exit(main())
