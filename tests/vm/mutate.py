#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Makes damaged copies of an image's metadata blocks, most of them under a right checksum.

usage: mutate.py IMAGE FOLDER COUNT SEED
Writes FOLDER/NNN, each a block of 4096 bytes, and FOLDER/list with lines "NNN BLOCK". A right checksum
takes the damage past the first guard, to the structural checks.
"""
import os
import random
import struct
import sys

TABLE = []
for i in range(256):
    c = i
    for _ in range(8):
        c = c >> 1 ^ (0x82F63B78 if c & 1 else 0)
    TABLE.append(c)


def crc32c(seed, data):
    for byte in data:
        seed = seed >> 8 ^ TABLE[(seed ^ byte) & 0xFF]
    return seed


def seal(block):
    (fsid,) = struct.unpack_from("<I", block, 32)    # h_fsid
    block[4:8] = bytes(4)
    struct.pack_into("<I", block, 4, crc32c(fsid, block))


def metadata(image):
    """Numbers of the blocks that carry our head."""
    found = []
    with open(image, "rb") as f:
        blk = 0
        while True:
            data = f.read(4096)
            if len(data) < 4096:
                return found
            if data[:3] == b"SFS" and struct.unpack_from("<Q", data, 8)[0] == blk and any(data[64:]):
                found.append(blk)
            blk += 1


def main():
    image, folder, count, seed = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
    rng = random.Random(seed)
    blocks = metadata(image)
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, "list"), "w") as listing, open(image, "rb") as f:
        for n in range(count):
            # The superblock more often than its share; the first has a wrong checksum for certain.
            blk = rng.choice(blocks) if n % 10 else 0
            f.seek(blk * 4096)
            block = bytearray(f.read(4096))
            last = 508 if blk == 0 else 600 if rng.random() < 0.6 else 4096
            for _ in range(rng.choice((1, 1, 2, 8))):
                where = rng.randrange(8, last)
                block[where] = rng.choice((0, 1, 0xFF, block[where] ^ 1 << rng.randrange(8)))
            if n and rng.random() < 0.9:
                seal(block)
            if not n:
                block[4] ^= 1
            with open(os.path.join(folder, "%03d" % n), "wb") as out:
                out.write(block)
            listing.write("%03d %d\n" % (n, blk))


if __name__ == "__main__":
    main()
