#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Images of the educational simplefs, written from what src/mkfs/edu.h says of that format.

usage: edu.py make TREE IMAGE BLOCKS     what is in a directory
       edu.py poke IMAGE FIELD=VALUE...  numbers in it, or bytes as 'text'; FIELD is one of
           super.NAME  inode/PATH.NAME  index/PATH.names  run/PATH:N.NAME (the N-th that there is)
           block/PATH:RUN:BLOCK.names  slot/PATH:RUN:BLOCK:N.NAME  bit/inode|block:N
       edu.py flip MKFS DUMP IMAGE TARGET [FROM STEP]
           each byte of superblock, inodes, indexes and names in use is flipped, one at a time:
           mkfs -d makes a whole volume or says in one line why not
"""
import os
import stat
import struct
import subprocess
import sys

BLOCK, INODES, RUNS, RUN, NAMES = 4096, 56, 255, 8, 15
INODE, SLOT = 72, 264
SUPER = ["magic", "blocks", "inodes", "table", "inode_map", "block_map", "free_inodes", "free_blocks"]
FIELDS = ["mode", "uid", "gid", "size", "ctime", "atime", "mtime", "blocks", "nlink", "index"]
RUN_FIELDS = ["lblk", "nblks", "blk", "names"]


def up(n, by):
    return (n + by - 1) // by


def place(name):
    """Run and block that a name is looked for in first."""
    h = 0xCBF29CE484222325
    for c in name:
        h = (h ^ c) * 0x100000001B3 % 2 ** 64
    h = (h ^ h >> 32) % 2 ** 32 % (RUNS * RUN)
    return h // RUN, h % RUN


class Image:
    def __init__(self, path):
        self.file = open(path, "r+b")
        self.table = self.get(3 * 4)

    def get(self, pos):
        self.file.seek(pos)
        return struct.unpack("<I", self.file.read(4))[0]

    def put(self, pos, *numbers):
        self.file.seek(pos)
        self.file.write(struct.pack("<%dI" % len(numbers), *numbers))

    def write(self, pos, data):
        self.file.seek(pos)
        self.file.write(data)

    def bytes(self, pos, n):
        self.file.seek(pos)
        return self.file.read(n)

    @staticmethod
    def inode(ino):
        return (1 + ino // INODES) * BLOCK + ino % INODES * INODE

    def index(self, ino):
        return self.get(self.inode(ino) + 4 * FIELDS.index("index")) * BLOCK

    def runs(self, ino):
        """Where the runs that there are are told of."""
        index = self.index(ino) + 4
        return [index + 16 * i for i in range(RUNS) if self.get(index + 16 * i + 8)]

    def blocks(self, ino):
        return [(self.get(run + 8) + b) * BLOCK for run in self.runs(ino) for b in range(RUN)]

    def slots(self, ino):
        for block in self.blocks(ino):
            for n in range(NAMES):
                slot = block + 4 + n * SLOT
                if self.get(slot):
                    yield self.bytes(slot + 8, 255).split(b"\0")[0], self.get(slot), slot

    def find(self, path):
        ino = 1
        for name in filter(None, os.fsencode(path).split(b"/")):
            ino = next(i for n, i, _ in self.slots(ino) if n == name)
        return ino

    def is_type(self, ino, kind):
        return stat.S_IFMT(self.get(self.inode(ino))) == kind

    def used(self, ino=1, seen=None):
        seen = {} if seen is None else seen
        if ino not in seen:
            seen[ino] = True
            if self.is_type(ino, stat.S_IFDIR):
                for _, child, _ in list(self.slots(ino)):
                    self.used(child, seen)
        return sorted(seen)


class Maker(Image):
    def __init__(self, path, nblks):
        inodes = up(nblks, INODES) * INODES
        sizes = [up(inodes, INODES), up(inodes, 8 * BLOCK), up(nblks, 8 * BLOCK)]
        self.maps = [1 + sizes[0], 1 + sizes[0] + sizes[1]]
        self.next_blk, self.nblks = 1 + sum(sizes), nblks
        self.next_ino = 1
        self.seen = {}
        with open(path, "wb") as f:
            f.truncate(nblks * BLOCK)
        super().__init__(path)
        self.put(0, 0xDEADCE, nblks, inodes, *sizes, 0, 0)
        for blk in range(self.maps[0], self.next_blk):
            self.write(blk * BLOCK, b"\xff" * BLOCK)
        for n in (0, 1):
            self.mark(0, n)
        for blk in range(self.next_blk):
            self.mark(1, blk)

    def mark(self, which, n):
        pos = self.maps[which] * BLOCK + n // 8
        self.write(pos, bytes([self.bytes(pos, 1)[0] & ~(1 << n % 8)]))

    def take(self, n):
        first = self.next_blk
        self.next_blk += n
        if self.next_blk > self.nblks:
            sys.exit("edu.py: the image is too small")
        for blk in range(first, self.next_blk):
            self.mark(1, blk)
        return first

    def add_inode(self, st, size, index, target=b"\0junk of memory"):
        ino = self.next_ino
        self.next_ino += 1
        self.mark(0, ino)
        when = int(st.st_mtime)
        blocks = 1 + (up(size, BLOCK) if stat.S_ISREG(st.st_mode) else 0)
        self.put(self.inode(ino), st.st_mode, st.st_uid, st.st_gid, size, when, when, when, blocks,
                 st.st_nlink, index)
        self.write(self.inode(ino) + 40, target.ljust(32, b"\0"))
        return ino

    def add_name(self, index, name, ino):
        """After the last name of the block, as the last link of its chain."""
        run, block = place(name)
        while self.get(index + 4 + 16 * run + 12) == NAMES * RUN:
            run = (run + 1) % RUNS
        at = index + 4 + 16 * run
        if not self.get(at + 8):
            self.put(at, 0, RUN, self.take(RUN), 0)
            for b in range(RUN):
                self.put((self.get(at + 8) + b) * BLOCK + 8, NAMES)
        while self.get((self.get(at + 8) + block) * BLOCK) == NAMES:
            block = (block + 1) % RUN
        pos = (self.get(at + 8) + block) * BLOCK
        count = self.get(pos)
        if count:
            before = pos + 4 + (count - 1) * SLOT
            self.put(before + 4, 1)
        self.put(pos, count + 1)
        self.put(pos + 4 + count * SLOT, ino, NAMES - count)
        self.write(pos + 4 + count * SLOT + 8, name.ljust(255, b"\0"))
        self.put(at + 12, self.get(at + 12) + 1)
        self.put(index, self.get(index) + 1)

    def drop_name(self, index, name):
        """Its slot goes to the chain's link before it; the first slot just becomes free."""
        for at in range(index + 4, index + 4 + 16 * RUNS, 16):
            for b in range(RUN if self.get(at + 8) else 0):
                pos = (self.get(at + 8) + b) * BLOCK
                names = [self.bytes(pos + 4 + n * SLOT + 8, 255).rstrip(b"\0") for n in range(NAMES)]
                if name not in names:
                    continue
                n = names.index(name)
                slot = pos + 4 + n * SLOT
                self.put(slot, 0)
                while n > 0:
                    n -= 1
                    if not n or self.get(pos + 4 + n * SLOT):
                        before = pos + 4 + n * SLOT + 4
                        self.put(before, self.get(before) + self.get(slot + 4))
                        break
                for count in (pos, at + 12, index):
                    self.put(count, self.get(count) - 1)
                if not self.get(at + 12):
                    self.put(at, 0, 0, 0, 0)
                return

    def add_dir(self, path, st):
        index = self.take(1)
        ino = self.add_inode(st, BLOCK, index)
        gone = [b"gone %d" % i for i in range(3)]
        for name in gone:
            self.add_name(index * BLOCK, name, 1)
        for name in os.listdir(path):
            child = self.add(os.path.join(path, name))
            self.add_name(index * BLOCK, name, child)
        for name in gone:
            self.drop_name(index * BLOCK, name)
        return ino

    def add_file(self, path, st):
        index = self.take(1)
        with open(path, "rb") as f:
            for i in range(up(st.st_size, RUN * BLOCK)):
                blk = self.take(RUN)
                self.put(index * BLOCK + 4 + 16 * i, i * RUN, RUN, blk, 0)
                self.write(blk * BLOCK, f.read(RUN * BLOCK))
        return self.add_inode(st, st.st_size, index)

    def add(self, path):
        st = os.lstat(path)
        if st.st_ino in self.seen:
            return self.seen[st.st_ino]
        if stat.S_ISDIR(st.st_mode):
            return self.add_dir(path, st)
        if stat.S_ISLNK(st.st_mode):
            target = os.readlink(path)
            ino = self.add_inode(st, len(target), 0xDEADBEEF, target)
        else:
            ino = self.add_file(path, st)
        self.seen[st.st_ino] = ino
        return ino

    def finish(self):
        self.put(24, self.get(8) - self.next_ino, self.nblks - self.next_blk)
        self.file.close()


def poke(image, field, value):
    what, _, rest = field.partition("/")
    if field.startswith("super."):
        pos = 4 * SUPER.index(field[6:])
    elif field.startswith("bit/"):
        which, _, n = rest.partition(":")
        blk = 1 + image.table + (image.get(16) if which == "block" else 0)
        pos, n = blk * BLOCK + int(n) // 8, int(n) % 8
        old = image.bytes(pos, 1)[0]
        image.write(pos, bytes([old | 1 << n if int(value) else old & ~(1 << n)]))
        return
    else:
        rest, _, name = rest.rpartition(".")
        path, *numbers = rest.split(":")
        ino = image.find(path)
        numbers = [int(n) for n in numbers]
        if what == "inode":
            pos = image.inode(ino) + (40 if name == "target" else 4 * FIELDS.index(name))
        elif what == "index":
            pos = image.index(ino)
        elif what == "run":
            pos = image.runs(ino)[numbers[0]] + 4 * RUN_FIELDS.index(name)
        else:
            pos = image.get(image.runs(ino)[numbers[0]] + 8) * BLOCK + numbers[1] * BLOCK
            if what == "slot":
                pos += 4 + numbers[2] * SLOT + {"ino": 0, "slots": 4, "text": 8}[name]
    if value.startswith("'"):
        image.write(pos, value[1:].encode().decode("unicode_escape").encode("latin-1"))
    else:
        image.put(pos, int(value, 0) % 2 ** 32)


def places(image):
    """Every byte that says something."""
    yield from range(4 * len(SUPER))
    for ino in image.used():
        yield from range(image.inode(ino), image.inode(ino) + INODE)
        if image.is_type(ino, stat.S_IFLNK):
            continue
        yield from range(image.index(ino), image.index(ino) + 4)
        for run in image.runs(ino):
            yield from range(run, run + 16)
        yield from range(image.index(ino) + 4 + 16 * RUNS - 16, image.index(ino) + 4 + 16 * RUNS)
        if image.is_type(ino, stat.S_IFDIR):
            for _, _, slot in list(image.slots(ino)):
                yield from range(slot, slot + 12)
            for block in image.blocks(ino):
                yield from range(block, block + 12)


def flip(mkfs, dump, path, target, first="0", step="1"):
    image = Image(path)
    tried = refused = bad = 0
    for n, pos in enumerate(sorted(set(places(image)))):
        if n % int(step) != int(first):
            continue
        tried += 1
        old = image.bytes(pos, 1)
        image.write(pos, bytes([old[0] ^ (0x01, 0x80, 0xFF)[n % 3]]))
        image.file.flush()
        made = subprocess.run([mkfs, "-qf", "-d", path, target, "16M"], stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60)
        whole = 1
        if made.returncode == 0:
            whole = subprocess.run([dump, "--check", target], stdout=subprocess.DEVNULL).returncode
        refused += made.returncode == 1
        if not (made.returncode == 1 and made.stdout.count(b"\n") == 1 or whole == 0):
            bad += 1
            print("byte %d: exit %d, %r" % (pos, made.returncode, made.stdout))
        image.write(pos, old)
        image.file.flush()
    print("%d tried, %d refused, %d wrong" % (tried, refused, bad))
    sys.exit(1 if bad or not refused else 0)


if sys.argv[1] == "make":
    maker = Maker(sys.argv[3], int(sys.argv[4]))
    maker.add(os.fsencode(sys.argv[2]))
    maker.finish()
elif sys.argv[1] == "poke":
    for pair in sys.argv[3:]:
        poke(Image(sys.argv[2]), *pair.split("=", 1))
else:
    flip(*sys.argv[2:])
