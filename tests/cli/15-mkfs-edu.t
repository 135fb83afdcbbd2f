#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# mkfs.simplefs -d OLD.IMG: a volume of the educational simplefs is copied name by name and byte by
# byte; one that is not true is refused with the place and the reason, whatever of it is false.
# In memory where that can be: thousands of volumes are made, each lasting.
[ ! -w /dev/shm ] || export TMPDIR=/dev/shm
# shellcheck source=tests/tap/tap.sh
. "$(dirname "$0")/../tap/tap.sh"
mkfs=build/bin/mkfs.simplefs
dump=build/bin/dump.simplefs
edu=tests/cli/edu.py
tree=$tmp/tree
old=$tmp/old.img
img=$tmp/img
long=$(printf 'n%.0s' {1..254})

# copied NAME SIZE: $old, made of $tree, becomes a volume that is whole and is the tree
copied()
{
    run "$mkfs" -qf -d "$old" "$img" "$2"
    exits 0 "$1: a volume"
    is "$out" '' "$1: without a word"
    run "$dump" --check "$img"
    exits 0 "$1: is whole"
    run tests/cli/compare.py "$dump" "$img" "$tree"
    exits 0 "$1: every name, attribute and byte"
}

mkdir "$tree" && touch -d '1970-01-01 UTC' "$tree"
"$edu" make "$tree" "$old" 100
copied 'an empty one' 8M

mkdir -p "$tree/dir/deep" "$tree/none" "$tree/many" "$tree/$long"
: >"$tree/empty"
printf x >"$tree/dir/one"
head -c 4096 /dev/urandom >"$tree/dir/block"
head -c 32768 /dev/urandom >"$tree/dir/run"
head -c 32769 /dev/urandom >"$tree/dir/run+1"
head -c 1000000 /dev/urandom >"$tree/runs"
head -c 8355840 /dev/urandom >"$tree/full"
ln "$tree/dir/run" "$tree/dir/deep/other name"
ln "$tree/dir/run" "$tree/a third"
ln -s dir/one "$tree/link"
ln -s "$(printf 'x%.0s' {1..31})" "$tree/dir/longest"
echo long >"$tree/$long/$(printf 'm%.0s' {1..254})"
for name in "$(printf 'new\nline')" ' space ' $'no\377utf8\200' $'\303\244' ...; do
    echo "$name" >"$tree/dir/deep/$name"
done
for i in $(seq 700); do ln "$tree/empty" "$tree/many/a name $i"; done
chmod 4711 "$tree/dir/one"
chmod 1777 "$tree/none"
[ "$(id -u)" != 0 ] || chown -h 4294967294:65536 "$tree/dir/block" "$tree/link"
find "$tree" -depth -exec touch -h -d '2001-02-03 04:05:06 UTC' {} +
touch -d '2106-02-07 06:28:15 UTC' "$tree/none"
"$edu" make "$tree" "$old" 20000
copied 'one of everything' 128M
sum=$(md5sum <"$old")
run "$mkfs" -qf -d "$old" "$tmp/again" 128M
is "$(md5sum <"$old")" "$sum" 'nothing is written to it'
export SOURCE_DATE_EPOCH=1
"$mkfs" -qf -d "$old" "$img" 128M
"$mkfs" -qf -d "$old" "$tmp/again" 128M
unset SOURCE_DATE_EPOCH
cmp "$img" "$tmp/again"
ok $? 'and the same source gives the same volume'

run "$mkfs" -q "$old"
exits 1 'mkfs spares such a volume'
like 'holds an educational simplefs; -f overwrites it' 'by name'
run "$mkfs" -qf -d "$old" "$old"
exits 1 'and makes none from itself'
ln -s old.img "$tmp/alias"
run "$mkfs" -qf -d "$tmp/alias" "$old"
exits 1 'by another name, too'
is "$(md5sum <"$old")" "$sum" 'which leaves it'
rm -f "$img"
run "$mkfs" -q -d "$old" "$img" 8M
exits 1 'one that is too large'
like "old.img:/.*: does not fit, the volume is full" 'names the file'
[ ! -e "$img" ]
ok $? 'and makes nothing'

# A smaller one for what is false: each of its bytes is tried below.
rm -r "$tree"
mkdir -p "$tree/a/b" && seq 9000 >"$tree/a/file" && ln "$tree/a/file" "$tree/a/twin"
ln -s file "$tree/a/link"
for i in 1 2 3; do : >"$tree/a/b/$i"; done
touch "$tree/c"
find "$tree" -exec touch -h -d '2001-02-03 04:05:06 UTC' {} +
"$edu" make "$tree" "$tmp/good.img" 300

# false_ NAME REGEX FIELD=VALUE...: the volume with these is refused in one line that matches
false_()
{
    cp "$tmp/good.img" "$old"
    "$edu" poke "$old" "${@:3}" || ok 1 "$1: cannot be made"
    run timeout 60 "$mkfs" -q -d "$old" "$img" 16M
    exits 1 "$1"
    like "$2" "$1: says why"
    is "$(wc -l <<<"$out")" 1 "$1: in one line"
    [ ! -e "$img" ]
    ok $? "$1: makes nothing"
}
false_ 'another magic' 'neither directory nor archive|is damaged' super.magic=0xDEADCF
false_ 'the magic in the other byte order' 'neither directory nor archive|is damaged' super.magic=0xCEADDE00
for n in 301 0xffffffff; do
    false_ "$n blocks" 'corrupt superblock: blk=0 .*larger than what it is on' super.blocks=$n
done
false_ 'no blocks' 'corrupt superblock' super.blocks=0
for n in 0 1; do
    false_ "$n inodes" 'no inodes' super.inodes=$n super.table=$n super.inode_map=$n
done
false_ 'a table that is too short' 'table of another size' super.table=1
false_ 'inodes that the table has not' 'table of another size' super.inodes=0xffffffff
false_ 'a map of inodes that is too long' 'map of inodes' super.inode_map=0x7fffffff
false_ 'a map of blocks that is too long' 'map of blocks' super.block_map=0xffffffff
false_ 'no room for data' 'no room behind the maps' super.blocks=9
false_ 'more inodes free than there are' 'more free than there is' super.free_inodes=337
false_ 'more blocks free than there are' 'more free than there is' super.free_blocks=301
false_ 'a root that is a file' 'old.img:/: ino=1, a root that is no directory' \
    inode/.mode=0o100644 inode/.size=0
false_ 'no root' 'old.img:/: corrupt inode: blk=1 ino=1, inode is not in use' inode/.mode=0
for mode in 0o20644 0o60644 0o10644 0o140644 0o644 0x481a4; do
    false_ "mode $mode" 'old.img:/c: corrupt inode: blk=1 .*type that there is not' inode/c.mode=$mode
done
false_ 'an owner of -1' 'owner or group that no file' inode/c.uid=-1
false_ 'a group of -1' 'owner or group that no file' inode/c.gid=-1
false_ 'a symlink without target' 'symlink of another length' "inode/a/link.target='\\0" inode/a/link.size=0
false_ 'one that is longer' 'symlink of another length' inode/a/link.size=5
false_ 'one without end' 'symlink of another length' inode/a/link.size=32 \
    "inode/a/link.target='$(printf 'x%.0s' {1..32})"
for n in 0 1 8 300 0xffffffff; do
    false_ "an index at $n" 'old.img:/c: .*index that is not in the volume' inode/c.index=$n
done
false_ 'a directory of two blocks' 'not one block long' inode/a/b.size=8192
false_ 'a file longer than its runs' '/a/file: corrupt index.*file longer than its runs' inode/a/file.size=65537
false_ 'a file of 4 GiB' 'file longer than its runs' inode/a/file.size=-1
false_ 'a file of one run that begins late' 'do not follow one another' run/a/file:0.lblk=8
false_ 'runs in another order' 'do not follow one another' run/a/file:0.lblk=8 run/a/file:1.lblk=0
false_ 'a run that is missing' 'do not follow one another' run/a/file:0.blk=0
for n in 0 7 9 0xffffffff; do
    false_ "a run of $n blocks" 'not 8 blocks long' run/a/file:0.nblks=$n
done
for n in 1 293 0xfffffff8 0xffffffff; do
    false_ "a run at $n" 'run that is not in the volume' run/a/file:1.blk=$n
    false_ "one of a directory at $n" 'run that is not in the volume' run/a/b:0.blk=$n
done
first=$(python3 - "$tmp/good.img" <<'END'
import struct, sys
data = open(sys.argv[1], "rb").read()
inode = lambda n: struct.unpack_from("<18I", data, 4096 * (1 + n // 56) + n % 56 * 72)
index = next(i[9] for i in map(inode, range(1, 50)) if i[0] >> 12 == 8 and i[3] > 40000)
print(struct.unpack_from("<I", data, index * 4096 + 4 + 8)[0], index)
END
)
false_ 'runs that overlap' 'block with two users' run/a/file:1.blk=$((${first% *} + 4))
false_ 'a run that holds an index' 'block with two users' run/a/file:1.blk=$((${first#* } - 7))
false_ 'two files of one index' 'block with two users' inode/c.index="${first#* }"
false_ 'more names in a directory than in its runs' 'count of names is not that of its runs' index/a.names=5
false_ 'more in a run than in its blocks' 'not as many in a run' run/a/b:0.names=9 \
    index/a/b.names="$(python3 - "$tmp/good.img" <<'END'
import importlib.util, sys
image, sys.argv = sys.argv[1], ["edu.py", "poke", "/dev/null"]
spec = importlib.util.spec_from_file_location("edu", "tests/cli/edu.py")
edu = importlib.util.module_from_spec(spec)
spec.loader.exec_module(edu)
old = edu.Image(image)
runs = old.runs(old.find("a/b"))
print(9 + sum(old.get(run + 12) for run in runs[1:]))
END
)"

# The blocks of a/b: where its names are follows from their hash, each in a run of its own or not.
where=$(python3 - <<'END'
import importlib.util, sys
sys.argv = ["edu.py", "poke", "/dev/null"]
spec = importlib.util.spec_from_file_location("edu", "tests/cli/edu.py")
edu = importlib.util.module_from_spec(spec)
spec.loader.exec_module(edu)
runs = sorted({edu.place(n)[0] for n in (b"1", b"2", b"3")})
for n in (b"1", b"2", b"3"):
    print(runs.index(edu.place(n)[0]), edu.place(n)[1])
END
)
one=$(sed -n '1s/ /:/p' <<<"$where")
two=$(sed -n '2s/ /:/p' <<<"$where")
block=block/a/b:$one slot=slot/a/b:$one
[ "$one" != "$two" ]
ok $? 'two names are in two blocks'
false_ 'a count of names that its block has not' 'not that of its slots' "$block.names=2"
false_ 'a slot in no chain' 'name outside the chain' "$block.names=2" "$slot:5.ino=2" "$slot:5.text='x"
for n in 0 16 0xffffffff; do
    false_ "a slot of $n" 'chain of slots that leads nowhere' "$slot:0.slots=$n"
done
for name in '\0' .. . a/b "/" "$(printf 'x%.0s' {1..255})"; do
    false_ "the name '${name:0:5}'" 'corrupt names: .*a name that cannot be' "$slot:0.text='$name\\0\\0"
done
false_ 'a name that comes twice' '/a/b: ino=.*, holds a name twice' "slot/a/b:$two:0.text='1\\0"
for n in 0xffffffff 337 336; do
    false_ "inode $n" 'no number of an inode|inode is not in use' "$slot:0.ino=$n"
done
false_ 'a directory in itself' 'old.img:/a/b/1: ino=1, another name of a directory' "$slot:0.ino=1"
false_ 'a file with too many links' '/c: ino=.*count of links' inode/c.nlink=2
false_ 'a file with more names than links' 'count of links' inode/a/file.nlink=1
false_ 'a directory with a wrong count' 'old.img:/a: ino=.*count of links' inode/a.nlink=2

# What is less than damage.
cp "$tmp/good.img" "$old"
"$edu" poke "$old" "bit/block:${first% *}=1" bit/inode:2=1
run "$mkfs" -qf -d "$old" "$img" 16M
exits 0 'a volume that was in use when the power went'
like 'warning: .*old.img: was not unmounted cleanly: 2 blocks and inodes in use are marked free' 'is told of'
run tests/cli/compare.py "$dump" "$img" "$tree"
exits 0 'and copied'
head -c $((299 * 4096)) "$tmp/good.img" >"$old"
run "$mkfs" -q -d "$old" "$tmp/none" 16M
exits 1 'a volume that was cut off'
like 'larger than what it is on' 'is refused'

# Deeper than can be.
python3 - "$old" <<'END'
import struct, sys
depth, nblks = 2100, 2100 * 9 + 200
inodes = (nblks + 55) // 56 * 56
table, imap, bmap = inodes // 56, (inodes + 32767) // 32768, (nblks + 32767) // 32768
first = 1 + table + imap + bmap
with open(sys.argv[1], "wb") as f:
    f.truncate(nblks * 4096)
    f.write(struct.pack("<8I", 0xDEADCE, nblks, inodes, table, imap, bmap, 0, 0))
    for ino in range(1, depth + 1):
        at = first + 9 * ino
        f.seek((1 + ino // 56) * 4096 + ino % 56 * 72)
        f.write(struct.pack("<10I", 0o40755, 0, 0, 4096, 0, 0, 0, 1, 2 + (ino < depth), at))
        if ino < depth:
            f.seek(at * 4096)
            f.write(struct.pack("<5I", 1, 0, 8, at + 1, 1))
            f.seek((at + 1) * 4096)
            f.write(struct.pack("<3I", 1, ino + 1, 15) + b"d" * 254)
END
run timeout 60 "$mkfs" -q -d "$old" "$tmp/none" 64M
exits 1 'directories in each other without end'
like 'd: ino=20[0-9]*, more than 2048 directories in each other' 'are too deep'

run "$edu" flip "$mkfs" "$dump" "$tmp/good.img" "$img" 0 3
exits 0 'whatever byte is wrong, there is a whole volume or a reason'
diag "$out"
like '^[0-9]{3,} tried, [0-9]{3,} refused, 0 wrong$' 'and hundreds were tried'
rm -f "$img"

done_testing
