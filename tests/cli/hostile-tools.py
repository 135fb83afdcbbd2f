#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Gives every volume of a file of cases (tests/vm/hostile.py) to every tool that reads one.

usage: hostile-tools.py IMAGE CASES WORK
Each tool must end by itself with a status that its manual has, say something when it is not 0, and
leave the image as it was. Prints what does not; the last line says how many runs there were.
"""
import os
import subprocess
import sys

IMAGE, CASES, WORK = sys.argv[1:4]
COPY = os.path.join(WORK, "copy")
SAVED = os.path.join(WORK, "saved")
BIN = "build/bin/"
# command, statuses it may end with
TOOLS = [
    ([BIN + "dump.simplefs", "--check", COPY], {0, 4, 8}),
    ([BIN + "dump.simplefs", "-t", "/dir", COPY], {0, 4, 8}),
    ([BIN + "dump.simplefs", "-j", "-d", "/", COPY], {0, 4, 8}),
    ([BIN + "dump.simplefs", "-i", "/pieces", COPY], {0, 4, 8}),
    ([BIN + "dump.simplefs", "--who", "700", COPY], {0, 4, 8}),
    ([BIN + "dump.simplefs", "--path", "0", COPY], {0, 4, 8}),
    (["sh", "-c", 'rm -rf "$2" && mkdir "$2" && exec "$0" --save "$2" "$1"', BIN + "dump.simplefs",
      COPY, SAVED], {0, 1, 4, 8}),
    ([BIN + "fsck.simplefs", "-n", COPY], {0, 1, 4, 8, 12}),
    ([BIN + "mkfs.simplefs", "-n", COPY], {0, 1}),
    ([BIN + "mkfs.simplefs", "-q", "-J", "none", COPY], {0, 1}),
    ([BIN + "simplefs_id", COPY], {0, 1, 2}),
    ([BIN + "resize.simplefs", COPY, "70000"], {0, 1}),
]


def cases(image):
    """Name, what is expected of a mount, the volume, and the blocks in which it is not the image."""
    with open(CASES, "rb") as f:
        while True:
            head = f.readline().split()
            if not head:
                return
            nbytes, count = int(head[2]), int(head[3])
            volume = bytearray(image[:nbytes].ljust(nbytes, b"\0"))
            blks = set()
            for _ in range(count):
                blk = int(f.readline())
                data = f.read(4096)
                if (blk + 1) * 4096 <= nbytes:
                    volume[blk * 4096:blk * 4096 + 4096] = data
                    blks.add(blk)
            yield head[0].decode(), head[1].decode(), bytes(volume), blks


class Copy:
    """The file that the tools are given. Of what is there already nothing is written again."""

    def __init__(self):
        self.nbytes = None
        self.blks = set()

    def hold(self, volume, blks):
        """Makes it @volume, dated 1970: whoever writes to it changes that."""
        if self.nbytes != len(volume):
            with open(COPY, "wb") as f:
                f.write(volume)
        else:
            with open(COPY, "r+b") as f:
                for blk in self.blks | blks:
                    f.seek(blk * 4096)
                    f.write(volume[blk * 4096:blk * 4096 + 4096])
        self.nbytes, self.blks = len(volume), blks
        os.utime(COPY, ns=(0, 0))

    def is_still(self, volume):
        st = os.stat(COPY)
        if not st.st_mtime_ns:
            return True
        self.nbytes = None
        if st.st_size != len(volume):
            return False
        with open(COPY, "rb") as f:
            return f.read() == volume


def main():
    wrong = runs = 0
    copy = Copy()
    with open(IMAGE, "rb") as f:
        image = f.read()
    for name, want, volume, blks in cases(image):
        for command, allowed in TOOLS:
            if not os.path.exists(command[0]):
                continue
            copy.hold(volume, blks)
            try:
                p = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=300)
                status, text = p.returncode, p.stdout
            except subprocess.TimeoutExpired:
                status, text = "none: it does not end", b"-"
            runs += 1
            same = copy.is_still(volume)
            changes = "-q" in command or command[0].endswith("resize.simplefs")
            why = None
            if status not in allowed:
                why = "exit %s" % status
            elif status and not text and not command[0].endswith("simplefs_id"):
                why = "exit %s without a word" % status
            elif not same and not (changes and status == 0):
                why = "the image was changed"
            if why:
                wrong += 1
                print("%s: %s: %s" % (name, " ".join(command[:-1]), why))
                print(text[-500:].decode(errors="replace"))
    print("%d runs" % runs)
    return 1 if wrong else 0


sys.exit(main())
