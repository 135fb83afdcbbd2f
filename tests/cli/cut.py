# SPDX-License-Identifier: GPL-2.0-only
"""What a power cut can leave of a change of superblock, copies and maps, and what fsck.simplefs makes of it.

usage: cut.py FSCK RECORD OLD NEW IMAGE SEED EXIT CONTENT

RECORD is fault.c's of a program that made NEW of OLD in place, at IMAGE. Each beginning of its writes is
tried, with the last one whole and with it torn between two sectors, and for each flush some parts drawn
by lot (torn.py). Each state is a volume with the label, UUID, size and answer to damage of OLD or all of
NEW, for which fsck -fn says 0, or EXIT. Three ways lead from it to a volume in order, with the files of
CONTENT (in the volume's root): -a, unless OLD is damaged and called clean, which -a believes, and block
0 is still that of OLD; -fy, after which all copies say what block 0 says; and, with block 0 gone, -fy by
a copy.
Prints a line for each state that failed, then "states N, old N, done N, bad N": old by block 0, done
also by the copies. LD_PRELOAD may be fault.c; with CUT_FIRST set the first failure is the end.
"""
import os
import random
import struct
import subprocess
import sys

import torn

BLOCK = 4096
SECTOR = 512
ZONE = 1032192
AT_ZONES = 176
AT_STATE = 200
CLEAN = 1


def named(block):
    """Label, UUID, size and errors= of a superblock or copy."""
    return block[72:136], block[56:72], block[168:176], block[204:208]


def states(ops, rng):
    """Lists of writes in the order they arrive, the last of which may be a part of one."""
    def torn_one(write):
        name, (pos, data) = write
        cut = rng.randrange(1, len(data) // SECTOR) * SECTOR
        return (name, (pos, data[:cut])) if rng.random() < 0.5 else (name, (pos + cut, data[cut:]))

    for durable, pending in torn.split(ops):
        for n in range(len(pending) + 1):
            yield durable + pending[:n]
            if n:
                yield durable + pending[:n - 1] + [torn_one(pending[n - 1])]
        for _ in range(min(2 * len(pending), 12)):
            part = [w if rng.random() < 0.8 else torn_one(w) for w in pending if rng.random() < 0.5]
            rng.shuffle(part)
            yield durable + part


class Image:
    """A file that is OLD but for the bytes in self.touched."""

    def __init__(self, path, old):
        self.path = path
        subprocess.run(['cp', '--sparse=always', old, path], check=True)
        self.fd = os.open(path, os.O_RDWR)
        self.old = os.open(old, os.O_RDONLY)
        self.touched = set()

    def write(self, pos, data):
        os.pwrite(self.fd, data, pos)
        self.touched.update(range(pos // BLOCK, (pos + len(data) - 1) // BLOCK + 1))

    def block(self, n):
        return os.pread(self.fd, BLOCK, n * BLOCK)

    def content(self):
        return hash(tuple((n, self.block(n)) for n in sorted(self.touched)))

    def restore(self):
        for n in self.touched:
            os.pwrite(self.fd, os.pread(self.old, BLOCK, n * BLOCK).ljust(BLOCK, b'\0'), n * BLOCK)
        self.touched = set()


class Judge:
    def __init__(self, fsck, record, old, new, image, seed, allowed, content):
        self.fsck, self.content = fsck, content
        self.allowed = {0, int(allowed)}
        self.rng = random.Random(int(seed))
        self.ops = torn.read_record(record)
        self.image = Image(image, old)
        self.made = image + '.made'
        self.super = self.image.block(0)
        self.old, self.new = named(self.super), named(open(new, 'rb').read(BLOCK))
        self.count = dict(states=0, old=0, done=0, bad=0)
        self.why = None
        self.damage = self.run('-fn')[0]

    def must(self, good, why):
        if not good and not self.why:
            self.why = why

    def run(self, *options):
        open(self.made, 'w').close()
        p = subprocess.run([self.fsck, *options, self.image.path], stdin=subprocess.DEVNULL, capture_output=True,
                           text=True, env=dict(os.environ, FAULT_RECORD=self.made))
        for _, write in torn.read_record(self.made):
            if write:
                self.image.touched.update(range(write[0] // BLOCK, (write[0] + len(write[1]) - 1) // BLOCK + 1))
        return p.returncode, p.stdout + p.stderr

    def others(self, block):
        """Zones whose copy does not say what the superblock does."""
        return [zone for zone in range(struct.unpack_from('<Q', block, AT_ZONES)[0])
                if named(self.image.block(zone * ZONE + 128 + (zone == 0))) != named(block)]

    def in_order(self, how, copies, believed):
        """The checker finds nothing, all has its name, the files are what they were."""
        status, out = self.run('-fn')
        self.must(status == 0 or (believed and status == self.damage), f'after {how}, -fn says {status}: {out}')
        block = self.image.block(0)
        self.must(named(block) in (self.old, self.new), f'after {how} it is another volume: {named(block)}')
        self.must(not copies or not self.others(block), f'after {how} copies are others: {self.others(block)}')
        for name in sorted(os.listdir(self.content)):
            p = subprocess.run(['build/bin/dump.simplefs', '-o', '/' + name, self.image.path], capture_output=True)
            with open(os.path.join(self.content, name), 'rb') as f:
                self.must(p.returncode == 0 and p.stdout == f.read(), f'after {how}: {name} is not what it was')

    def leads(self, how, writes, damage, statuses, copies):
        self.image.restore()
        for _, write in writes:
            self.image.write(*write)
        if damage:
            self.image.write(0, bytes(BLOCK))
        believed = how == '-a' and self.image.block(0) == self.super and self.super[AT_STATE] == CLEAN
        status, out = self.run(how)
        how += ', block 0 gone,' if damage else ''
        self.must(status in statuses, f'fsck {how} exits {status}: {out}')
        self.in_order(how, copies, believed)

    def judge(self, writes):
        self.why = None
        status, out = self.run('-fn')
        self.must(status in self.allowed, f'fsck -fn exits {status}: {out}')
        now = named(self.image.block(0))
        self.must(now in (self.old, self.new), f'neither the old volume nor the new one: {now}')
        self.count['old'] += now == self.old != self.new
        self.count['done'] += now == self.new and not self.others(self.image.block(0))
        self.leads('-a', writes, False, (0, 1), False)
        self.leads('-fy', writes, False, (0, 1), True)
        self.leads('-fy', writes, True, (1,), True)

    def main(self):
        seen = set()
        for writes in [w for w in states(self.ops, self.rng)] + [[w for w in self.ops if w[1]]]:
            self.image.restore()
            for _, write in writes:
                self.image.write(*write)
            if self.image.content() in seen:
                continue
            seen.add(self.image.content())
            self.count['states'] += 1
            self.judge(writes)
            if self.why:
                self.count['bad'] += 1
                print(f'state {self.count["states"]}, {len(writes)} writes: {self.why[:400]}')
                if 'CUT_FIRST' in os.environ:
                    break
        self.image.restore()
        print(', '.join(f'{k} {v}' for k, v in self.count.items()))


for variable in [n for n in os.environ if n.startswith('FAULT')]:
    del os.environ[variable]
os.environ['FAULT_LAZY'] = '1'
Judge(*sys.argv[1:]).main()
