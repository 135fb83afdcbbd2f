# SPDX-License-Identifier: GPL-2.0-only
"""What a power cut can leave of a recorded repair, and what fsck.simplefs makes of it.

usage: torn.py FSCK RECORD OLD NEW IMAGE SEED [LOG-OLD LOG-NEW LOG]

RECORD is fault.c's of a program that made NEW of OLD (LOG-NEW of LOG-OLD: an external journal).
What was written before a flush of its file is there; of what came after it, any part may be, in
any order: each beginning of it is tried, and for each flush some parts drawn by lot. From each,
made in IMAGE (and LOG), a replay has to give OLD or NEW, to the byte, but for the log itself and
the superblock, which says what was done; then -y has to give a volume in order. With -J none there
is nothing to replay, and nothing is compared. Prints a line for each state that failed, then
"states N, old N, new N, mixed N, refused N, unrepaired N". LD_PRELOAD may be fault.c, which then does not wait
for the disk.
"""
import json
import os
import random
import shutil
import subprocess
import sys

BLOCK = 4096


def read_record(path):
    """[(file, None)] for a flush, [(file, (pos, bytes))] for a write."""
    with open(path, 'rb') as f:
        data = f.read()
    ops, at = [], 0
    while at < len(data):
        end = data.index(b'\n', at)
        word = data[at:end].decode().split(' ')
        at = end + 1
        if word[0] == 'fsync':
            ops.append((word[1], None))
            continue
        size = int(word[3])
        ops.append((word[1], (int(word[2]), data[at:at + size])))
        at += size
    return ops


def split(ops):
    """[(what is durable, [what may be])]: one for each flush, and one for the end."""
    durable, pending, epochs = [], [], []
    for name, write in ops:
        if write:
            pending.append((name, write))
            continue
        epochs.append((list(durable), list(pending)))
        durable += [w for w in pending if w[0] == name]
        pending = [w for w in pending if w[0] != name]
    epochs.append((durable, pending))
    return epochs


def states(ops, rng):
    """Lists of writes in the order they arrive."""
    for durable, pending in split(ops):
        for n in range(len(pending) + 1):
            yield durable + pending[:n]
        for _ in range(min(2 * len(pending), 12)):
            part = [w for w in pending if rng.random() < 0.5]
            rng.shuffle(part)
            yield durable + part


class Volume:
    """A file that is OLD but for the blocks in self.touched."""

    def __init__(self, path, old, new):
        self.path = path
        shutil.copyfile(old, path)
        self.file = open(path, 'r+b', buffering=0)
        self.old_file, self.new_file = open(old, 'rb'), open(new, 'rb')
        self.touched = set()
        self.differs = {n for n in range(os.path.getsize(old) // BLOCK)
                        if self.block(self.old_file, n) != self.block(self.new_file, n)}

    @staticmethod
    def block(file, n):
        return os.pread(file.fileno(), BLOCK, n * BLOCK)

    def write(self, pos, data):
        assert pos % BLOCK == 0 and len(data) == BLOCK
        os.pwrite(self.file.fileno(), data, pos)
        self.touched.add(pos // BLOCK)

    def now(self, skip):
        """The blocks that may differ, and what is in them."""
        return {n: self.block(self.file, n) for n in sorted(self.touched | self.differs) if not skip(n)}

    def is_like(self, now, file):
        return all(data == self.block(file, n) for n, data in now.items())

    def restore(self):
        for n in self.touched:
            os.pwrite(self.file.fileno(), self.block(self.old_file, n), n * BLOCK)
        self.touched = set()


def journal_of(path):
    out = subprocess.run(['build/bin/dump.simplefs', '--json', '--raw', path], capture_output=True, text=True,
                         check=True).stdout
    sup = json.loads(out)['super']
    return int(sup['compat'], 0) & 1, sup['journal_start'], sup['journal_blocks']


class Judge:
    def __init__(self, argv):
        self.fsck, record, old, new, image, seed = argv[:6]
        self.rng = random.Random(int(seed))
        self.ops = read_record(record)
        self.has_log, self.start, self.nblks = journal_of(old)
        self.files = [Volume(image, old, new)]
        if len(argv) > 6:
            self.files.append(Volume(argv[8], argv[6], argv[7]))
        self.made = image + '.made'
        self.count = dict(states=0, old=0, new=0, mixed=0, refused=0, unrepaired=0)
        self.seen = set()

    def skip(self, n):
        """Block 0 and the log."""
        return not n or (self.start and self.start <= n < self.start + self.nblks)

    def apply(self, ops):
        for name, write in ops:
            for volume in self.files:
                if write and name == volume.path:
                    volume.write(*write)

    def run(self, *options):
        more = ['-j', self.files[1].path] if len(self.files) > 1 else []
        open(self.made, 'w').close()
        p = subprocess.run([self.fsck, *options, *more, self.files[0].path], stdin=subprocess.DEVNULL,
                           capture_output=True, text=True, env=dict(os.environ, FAULT_RECORD=self.made))
        for name, write in read_record(self.made):
            for volume in self.files:
                if write and name == volume.path:
                    volume.touched.add(write[0] // BLOCK)
        return p.returncode, p.stdout + p.stderr

    def replays(self, n, writes):
        image = self.files[0]
        status, out = self.run('--journal-only')
        now = image.now(self.skip)
        which = 'old' if image.is_like(now, image.old_file) else 'new' if image.is_like(now, image.new_file) else 'mixed'
        if status:
            which = 'refused'
        self.count[which] += 1
        if which not in ('old', 'new'):
            print(f'state {n}: {which} after {len(writes)} writes, replay {status}: {out}')

    def judge(self, n, writes):
        self.apply(writes)
        self.count['states'] += 1
        if self.has_log:
            self.replays(n, writes)
        key = str(self.files[0].now(lambda n: n and self.skip(n)))
        if key in self.seen:
            return
        self.seen.add(key)
        repair, said = self.run('-fy')
        again, out = self.run('-fn')
        if repair not in (0, 1) or again:
            self.count['unrepaired'] += 1
            print(f'state {n}: {len(writes)} writes, -y {repair}, -n {again}: {said[-300:]}{out[-300:]}')

    def main(self):
        for n, writes in enumerate(states(self.ops, self.rng)):
            self.judge(n, writes)
            for volume in self.files:
                volume.restore()
        print(', '.join(f'{k} {v}' for k, v in self.count.items()))


if __name__ == '__main__':
    for name in [n for n in os.environ if n.startswith('FAULT')]:
        del os.environ[name]
    os.environ['FAULT_LAZY'] = '1'
    Judge(sys.argv[1:]).main()
