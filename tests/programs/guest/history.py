# SPDX-License-Identifier: GPL-2.0-only
"""A history for git fast-import, the same at each run: files in folders, changed, renamed, deleted."""
import random
import sys

rng = random.Random(7)
out = sys.stdout.buffer
names = []
for n in range(1, int(sys.argv[1]) + 1):
    out.write(b"commit refs/heads/main\nmark :%d\n" % n)
    out.write(b"committer A <a@example.org> %d +0000\ndata 6\nchange\n" % (1600000000 + n * 60))
    if n > 1:
        out.write(b"from :%d\n" % (n - 1))
    for _ in range(3):
        chance = rng.random()
        if chance < 0.4 or len(names) < 20:
            name = b"d%d/e%d/file-%d" % (rng.randrange(20), rng.randrange(20), n * 3 + _)
            names.append(name)
        elif chance < 0.5:
            out.write(b"D " + names.pop(rng.randrange(len(names))) + b"\n")
            continue
        else:
            name = rng.choice(names)
        data = b"".join(b"line %d of %d\n" % (i, rng.randrange(50)) for i in range(rng.randrange(5, 200)))
        out.write(b"M 100644 inline %s\ndata %d\n%s\n" % (name, len(data), data))
out.write(b"done\n")
