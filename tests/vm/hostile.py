#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Makes cases for hostile.c: an image that is wrong in one chosen way each, mostly under right checksums.

usage: hostile.py DUMP IMAGE CASES
The image is that of hostile-image.sh. Fields come from format.h itself: each field of superblock,
inode, node and maps is set to 0, all ones and one more.
"""
import itertools
import json
import os
import re
import struct
import subprocess
import sys

from mutate import crc32c, seal

DUMP, IMAGE, CASES = sys.argv[1:4]
FORMAT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../src/core/format.h")
SIZES = {"__le16": 2, "__le32": 4, "__le64": 8, "u8": 1}
HEAD = 48
SUMMARY = 130				# of zone 0
LOG_MAGIC = 0xC03B3998
out = open(CASES, "wb")
image = open(IMAGE, "rb").read()
BYTES = len(image)


def dump(*args):
    text = subprocess.run([DUMP, "--json", *args, IMAGE], check=True, stdout=subprocess.PIPE).stdout
    return json.loads(text)


def block(blk):
    return bytearray(image[blk * 4096:(blk + 1) * 4096])


def case(name, want, patches=(), nbytes=BYTES):
    """One case; a patch is (block, bytes)."""
    out.write(b"%s %s %d %d\n" % (name.encode(), want.encode(), nbytes, len(patches)))
    for blk, data in patches:
        assert len(data) == 4096
        out.write(b"%d\n" % blk + bytes(data))


def sealed(name, want, blk, *edits):
    """A case of one block with (offset, bytes) edits, its checksum right again."""
    data = block(blk)
    for off, new in edits:
        data[off:off + len(new)] = new
    seal(data)
    case(name, want, [(blk, data)])


def fields(name):
    """Name, offset and size of each field of a struct of format.h, arrays as one."""
    body = re.search(r"struct %s \{\n(.*?)\n\}" % name, open(FORMAT).read(), re.S).group(1)
    consts = dict(re.findall(r"#define (\w+)\s+(\d+)", open(FORMAT).read()))
    off = 0
    for line in body.split("\n"):
        m = re.match(r"\s*(?:(__le\d+|u8)|struct (\w+)) (\w+)(?:\[(\w+)\])?;", line)
        if not m:
            continue
        count = int(consts.get(m.group(4), m.group(4) or 1))
        size = HEAD if m.group(2) == "sfs_head" else SIZES.get(m.group(1), 0) * count
        if m.group(1):
            yield m.group(3), off, size
        off += size


def hostile_fields(struct_name, blk, base, want="any", skip=()):
    for name, off, size in fields(struct_name):
        if name in skip:
            continue
        old = int.from_bytes(block(blk)[base + off:base + off + min(size, 8)], "little")
        size = min(size, 8)
        values = {0, (1 << 8 * size) - 1, (old + 1) % (1 << 8 * size)}
        for value in sorted(values - {old}):
            sealed("%s@%d.%s=%x" % (struct_name, blk, name, value), want, blk,
                   (base + off, value.to_bytes(size, "little")))


class Tree:
    """What is where in the image."""

    def __init__(self):
        self.sup = dump()["super"]
        self.root = self.sup["root"]
        self.ino = {p: dump("-i", p)["inode"]["ino"] for p in
                    ("/a", "/b", "/dir", "/dir/sub", "/link", "/pieces", "/dir/sub/deep",
                     "/attrs")}
        self.ino["/"] = self.root

    def place(self, path):
        """Block and offset of a path's inode record."""
        ino = self.ino[path]
        return ino // 8, HEAD + ino % 8 * 504

    def nodes(self, path):
        return dump("-t", path)["nodes"]


def sizes():
    for n in (0, 512, 4095, 4096, 8192, 40960, BYTES // 2, BYTES - 4096, BYTES - 1):
        case("cut-to-%d" % n, "refuse", nbytes=n)
    case("one-block-more", "mount", nbytes=BYTES + 4096)
    case("twice-as-long", "mount", nbytes=2 * BYTES)
    case("sound", "mount")


def foreign():
    def at(off, data):
        first = bytearray(4096)
        first[off:off + len(data)] = data
        return first
    case("zeros", "refuse", [(i, bytes(4096)) for i in range(134)])
    case("ext-magic", "refuse", [(0, at(1080, b"\x53\xef"))])
    case("xfs-magic", "refuse", [(0, at(0, b"XFSB"))])
    case("swap", "refuse", [(0, at(4086, b"SWAPSPACE2"))])
    case("ident-alone", "refuse", [(0, at(HEAD, b"SIMPLEFS"))])
    case("noise", "refuse", [(0, bytes((i * 7 + i * i // 3) % 256 for i in range(4096)))])


def zeroed(t):
    places = {"super": 0, "root-inode": t.root // 8, "dir-inode": t.place("/dir")[0],
              "dir-node": t.nodes("/dir")[1]["blk"], "file-node": t.nodes("/pieces")[1]["blk"],
              "log-super": t.sup["journal_start"], "summary": SUMMARY}
    for i, name in enumerate(("used", "inode", "room", "orphan")):
        places[name] = 1 + 32 * i
    for name, blk in places.items():
        want = "rwonly" if name == "log-super" else "refuse" if name in ("super", "root-inode") else "any"
        case("zeroed-" + name, want, [(blk, bytes(4096))])
        data = block(blk)
        data[1000] ^= 4
        case("flipped-" + name, "any" if name == "log-super" else want, [(blk, data)])


def trees(t):
    """Nodes that lead in circles or into what is not theirs, extents over metadata and twice."""
    le = struct.Struct("<Q").pack
    dir_nodes, file_nodes = t.nodes("/dir"), t.nodes("/pieces")
    blk, at = t.place("/dir")
    root = at + 504 - 364
    entry = root + 8
    leaf = dir_nodes[1]["blk"]
    for name, target in (("itself", blk), ("another-leaf", dir_nodes[2]["blk"]), ("a-file-node", file_nodes[1]["blk"]),
                         ("the-super", 0), ("a-map", 1), ("the-log", 142), ("the-end", BYTES // 4096),
                         ("nowhere", 1 << 47)):
        sealed("dir-child-is-" + name, "any", blk, (entry + 8, le(target)))
    for level in (0, 2, 7, 8, 255):
        sealed("dir-root-level-%d" % level, "any", blk, (root + 6, bytes([level])))
        sealed("dir-leaf-level-%d" % level, "any", leaf, (HEAD + 6, bytes([level])))
    blk, at = t.place("/pieces")
    inner = file_nodes[1]["blk"]
    for lvl in (1, 2):
        data = block(inner)		# a node that is its own child
        data[HEAD:HEAD + 8] = struct.pack("<HHHBB", 1, 0, 0, lvl, 0)
        data[HEAD + 8:HEAD + 24] = struct.pack("<QQ", 0, inner)
        seal(data)
        case("file-node-in-a-circle-%d" % lvl, "any", [(inner, data)])

    # Extents: in a small file's root the only record.
    blk, at = t.place("/b")
    root = at + 504 - 364
    rec = root + struct.unpack_from("<H", block(blk), root + 8 + 8)[0]
    a_blk, a_at = t.place("/a")
    a_root = a_at + 504 - 364
    a_rec = a_root + struct.unpack_from("<H", block(a_blk), a_root + 8 + 8)[0]
    a_start = struct.unpack_from("<Q", block(a_blk), a_rec)[0]
    for name, start, n in (("a-s-blocks", a_start, 3), ("the-root-inode", t.root // 8, 1), ("a-node", leaf, 1),
                           ("free-blocks", BYTES // 4096 - 200, 3), ("the-tail", BYTES // 4096 - 3, 3),
                           ("the-super", 0, 1), ("the-log", 200, 3), ("the-end", BYTES // 4096 - 1, 2),
                           ("nothing", a_start, 0), ("everything", 140, 0xFFFFFFFF)):
        sealed("b-lies-on-" + name, "any", blk, (rec, struct.pack("<QI", start, n)))
    sealed("b-at-the-last-block", "any", blk, (root + 8, le(3 << 60 | (1 << 51) - 1)))


def attributes(t):
    """Lengths, names and keys of an attribute that is in leaves, and pieces that are missing."""
    for n, node in enumerate(t.nodes("/attrs")[1:]):
        blk = node["blk"]
        hostile_fields("sfs_node_disk", blk, HEAD)
        data = block(blk)
        for i in range(struct.unpack_from("<H", data, HEAD)[0]):
            slot = HEAD + 8 + 12 * i
            key, off, nbytes = struct.unpack_from("<QHH", data, slot)
            if key >> 60 == 1 and not key & 255:
                hostile_fields("sfs_xattr_disk", blk, HEAD + off)
                sealed("attribute-name-with-nul-%d-%d" % (n, i), "any", blk, (HEAD + off + 6, b"\0"))
                sealed("attribute-other-name-%d-%d" % (n, i), "any", blk, (HEAD + off + 6, b"~"))
            for name, to in (("next", key + 1), ("far", key ^ 1 << 30), ("collision", key + 256), ("last", key | 255)):
                sealed("attribute-key-%s-%d-%d" % (name, n, i), "any", blk, (slot, struct.pack("<Q", to)))
            sealed("attribute-short-%d-%d" % (n, i), "any", blk, (slot + 10, struct.pack("<H", nbytes - 1)))
    blk, at = t.place("/attrs")
    blocks = at + dict((f[0], f[1]) for f in fields("sfs_inode_disk"))["i_blocks"]
    sealed("attributes-in-no-blocks", "any", blk, (blocks, bytes(8)))


def flags(t):
    """Those that each type may have, those that forbid, of directories on others, reserved, unknown."""
    off = dict((f[0], f[1]) for f in fields("sfs_inode_disk"))["i_flags"]
    for path, good, bad in (("/", (0xFE, 0x4), (1 << 31,)), ("/dir", (0xFE,), ()), ("/b", (0x3E,), (0x40,)),
                            ("/link", (0x3E,), (0x40, 0x80, 0x100, 1 << 31))):
        blk, at = t.place(path)
        for bits in good + bad:
            sealed("flags-%x-of-%s" % (bits, path.replace("/", "_")), "mount" if bits in good else "any", blk,
                   (at + off, struct.pack("<I", bits)))


def names(t):
    """Names that are twice there, lead to the wrong place, or to directories above."""
    node = t.nodes("/dir")[1]["blk"]
    data = block(node)
    count = struct.unpack_from("<H", data, HEAD)[0]
    slots = [struct.unpack_from("<QHH", data, HEAD + 8 + 12 * i) for i in range(count)]
    first = HEAD + slots[0][1]
    le = struct.Struct("<Q").pack
    # Two of one length: where they stand depends on the volume's hash.
    a, b, nbytes = next((HEAD + x[1], HEAD + y[1], x[2]) for x, y in itertools.combinations(slots, 2) if x[2] == y[2])
    sealed("name-twice", "any", node, (b + 10, data[a + 10:a + nbytes]))
    for name, ino, kind in (("nowhere", 1 << 40, 8), ("a-map", 8, 8), ("dead", t.root | 7, 8), ("root", t.root, 4),
                            ("own-dir", t.ino["/dir"], 4), ("wrong-type", t.ino["/dir/sub"], 8),
                            ("file-as-dir", t.ino["/a"], 4), ("second-parent", t.ino["/dir/sub/deep"], 4),
                            ("b", t.ino["/b"], 8), ("zero", 0, 8)):
        sealed("name-leads-to-" + name, "any", node, (first, le(ino) + bytes([kind])))
    for n, text in (("slash", b"/"), ("dot", b"."), ("nul", b"\0")):
        sealed("name-with-" + n, "any", node, (first + 10, text))
    sealed("name-length-0", "any", node, (first + 9, b"\0"))
    sealed("name-length-255", "any", node, (first + 9, b"\xff"))
    for path, parent in (("/dir/sub", t.ino["/dir/sub/deep"]), ("/dir/sub", t.ino["/dir/sub"]), ("/dir", 8),
                         ("/", t.ino["/dir"])):
        blk, at = t.place(path)
        off = dict((f[0], f[1]) for f in fields("sfs_inode_disk"))["i_parent"]
        sealed("parent-of-%s-is-%d" % (path.replace("/", "_"), parent), "any", blk, (at + off, le(parent)))


# ---- the journal: big-endian, jbd2's ----

def log_super(t, want, name, seal_it=True, **words):
    offsets = dict(magic=0, type=4, blocksize=12, maxlen=16, first=20, sequence=24, start=28, errno=32, compat=36,
                   incompat=40, ro_compat=44, users=64, fc_blks=84)
    start = t.sup["journal_start"]
    data = block(start)
    for key, value in words.items():
        struct.pack_into(">I", data, offsets[key], value & 0xFFFFFFFF)
    if seal_it:
        data[252:256] = bytes(4)
        struct.pack_into(">I", data, 252, crc32c(0xFFFFFFFF, data[:1024]))
    case("log-" + name, want, [(start, data)])
    return data


def log_with(t, name, want, target, payload):
    """A log of one transaction, all checksums right, that writes @payload to block @target."""
    start = t.sup["journal_start"]
    uuid = bytes.fromhex(t.sup["journal_uuid"].replace("-", ""))
    seed = crc32c(0xFFFFFFFF, uuid)
    sup = block(start)
    sequence = struct.unpack_from(">I", sup, 24)[0]
    struct.pack_into(">I", sup, 28, start + 1)
    sup[252:256] = bytes(4)
    struct.pack_into(">I", sup, 252, crc32c(0xFFFFFFFF, sup[:1024]))
    tag = crc32c(crc32c(seed, struct.pack(">I", sequence)), payload)
    desc = bytearray(4096)
    struct.pack_into(">IIIIIII", desc, 0, LOG_MAGIC, 1, sequence, target & 0xFFFFFFFF, 8, target >> 32, tag)
    desc[28:44] = uuid
    struct.pack_into(">I", desc, 4092, crc32c(seed, desc))
    commit = bytearray(4096)
    struct.pack_into(">III", commit, 0, LOG_MAGIC, 2, sequence)
    struct.pack_into(">I", commit, 16, crc32c(seed, commit))
    state = block(0)
    off = dict((f[0], f[1]) for f in fields("sfs_super_disk"))["s_state"]
    struct.pack_into("<I", state, off, 0)
    seal(state)
    case(name, want, [(0, state), (start, sup), (start + 1, desc), (start + 2, payload), (start + 3, commit)])


def journal(t):
    start, n = t.sup["journal_start"], t.sup["journal_blocks"]
    for key, values in dict(magic=[0, LOG_MAGIC + 1], type=[0, 1, 3, 99], blocksize=[0, 1024, 8192], maxlen=[0, 1, n, 1 << 31, -1],
                            first=[0, 1, start, start + n, -1], incompat=[0, 3, 0x80, -1], users=[0, 2, 49, -1],
                            compat=[1, -1], fc_blks=[1, n, -1], ro_compat=[1]).items():
        for value in values:
            log_super(t, "anyJ", "%s=%x" % (key, value & 0xFFFFFFFF), **{key: value})
    for value in (1, start, start + 1, start + 5, start + n - 1, start + n, BYTES // 4096, 1 << 30, -1):
        log_super(t, "anyJ", "start=%x" % (value & 0xFFFFFFFF), start=value)
    log_super(t, "anyJ", "unsealed", seal_it=False, sequence=77)
    data = block(start)
    data[48:64] = b"another journal!"
    data[252:256] = bytes(4)
    struct.pack_into(">I", data, 252, crc32c(0xFFFFFFFF, data[:1024]))
    case("log-uuid", "rwonlyJ", [(start, data)])

    root = t.root // 8
    zeros, good = bytes(4096), bytes(block(root))
    log_with(t, "replay-good-root", "mountJ", root, good)
    log_with(t, "replay-zeros-over-root", "refuseJ", root, zeros)
    log_with(t, "replay-zeros-over-super", "refuseJ", 0, zeros)
    log_with(t, "replay-zeros-over-used", "anyJ", 1, zeros)
    log_with(t, "replay-zeros-over-summary", "anyJ", SUMMARY, zeros)
    log_with(t, "replay-zeros-over-the-log", "anyJ", start, zeros)
    log_with(t, "replay-past-the-end", "anyJ", BYTES // 4096, zeros)
    log_with(t, "replay-far-out", "anyJ", 1 << 60, zeros)
    small = bytearray(block(0))
    struct.pack_into("<Q", small, dict((f[0], f[1]) for f in fields("sfs_super_disk"))["s_blocks"], 1 << 40)
    seal(small)
    log_with(t, "replay-a-larger-super", "refuseJ", 0, bytes(small))


def main():
    t = Tree()
    sizes()
    foreign()
    zeroed(t)
    hostile_fields("sfs_super_disk", 0, 0)
    trees(t)
    names(t)
    attributes(t)
    flags(t)
    for path in ("/", "/dir", "/b", "/link"):
        blk, at = t.place(path)
        hostile_fields("sfs_inode_disk", blk, at, skip=("i_root", "i_zero", "i_uid", "i_gid", "i_btime", "i_ctime"))
    hostile_fields("sfs_node_disk", t.nodes("/dir")[1]["blk"], HEAD)
    hostile_fields("sfs_node_disk", t.nodes("/pieces")[1]["blk"], HEAD)
    for i in range(4):
        hostile_fields("sfs_bitmap_disk", 1 + 32 * i, 0)
    hostile_fields("sfs_count_disk", SUMMARY, HEAD)
    for blk in (t.root // 8, t.nodes("/dir")[1]["blk"], 1, SUMMARY):
        hostile_fields("sfs_head", blk, 0, skip=("h_crc",))
    journal(t)
    out.close()


if __name__ == "__main__":
    main()
