#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# mkfs.simplefs -d keeps extended attributes and access control lists byte by byte, of every type of
# file, from archives and from directories; what should be a list and is none makes no volume.
# shellcheck source=tests/tap/tap.sh
. "$(dirname "$0")/../tap/tap.sh"
. tests/cli/archive.sh
mkfs=build/bin/mkfs.simplefs
dump=build/bin/dump.simplefs
img=$tmp/img

# made NAME SOURCE [SIZE]: a volume from SOURCE, silently, and sound
made()
{
    run "$mkfs" -qf -d "$2" "$img" "${3:-16M}"
    exits 0 "$1: the volume is made"
    is "$out" '' "$1: without a word"
    run "$dump" --check "$img"
    exits 0 "$1: and whole"
    run build/bin/fsck.simplefs -fn "$img"
    exits 0 "$1: fsck has nothing to say"
}

# has PATH LINES NAME: those attributes and no others
has()
{
    is "$(tests/cli/attrs.py "$dump" "$img" "$1" 2>&1)" "$2" "$3"
}

# mode PATH MODE NAME: with the type, in hexadecimal
mode()
{
    run "$dump" -i "$1" "$img"
    like "mode: 0x$2\$" "$3"
}

# acl TAG:PERM:ID...: the list's bytes, in hexadecimal; an ID that is left out is nobody
acl()
{
    python3 -c '
import struct, sys
out = struct.pack("<I", 2)
for entry in sys.argv[1:]:
    tag, perm, who = (entry + ":").split(":")[:3]
    out += struct.pack("<HHI", int(tag, 16), int(perm), int(who) if who else 0xffffffff)
print(out.hex())' "$@"
}
few=$(acl 1:6 2:4:1 4:4 10:6 20:4)
inherited=$(acl 1:7 2:0:1 2:5:70000 4:5 8:7:0 10:7 20:0)

# ---- from an archive ----

capability=0100000200200000000000000000000000000000
archive all.tar <<LINES
dict(name="./", type=tarfile.DIRTYPE, mode=0o755, pax={"SCHILY.xattr.user.top": b"root", "SCHILY.acl.default": "user::rwx,group::r-x,other::r-x"})
dict(name="plain")
dict(name="user", pax={"SCHILY.xattr.user.one": b"1", "SCHILY.xattr.user.empty": b"", "SCHILY.xattr.trusted.x": b"a\0b\xff"})
dict(name="caps", pax={"SCHILY.xattr.security.capability": bytes.fromhex("$capability")})
dict(name="twice", pax={"SCHILY.xattr.user.n": b"v", "LIBARCHIVE.xattr.user.n": "dg=="})
dict(name="label", pax={"RHT.security.selinux": "system_u:object_r:etc_t:s0"})
dict(name="soft", type=tarfile.SYMTYPE, linkname="x", pax={"SCHILY.xattr.security.selinux": b"l", "SCHILY.xattr.trusted.t": b"2"})
dict(name="char", type=tarfile.CHRTYPE, devmajor=1, devminor=3, mode=0o664, pax={"SCHILY.xattr.security.selinux": b"c", "SCHILY.acl.access": "user::rw-,user:x:r--:1,group::r--,mask::rw-,other::r--"})
dict(name="block", type=tarfile.BLKTYPE, devmajor=1, devminor=3, pax={"SCHILY.xattr.trusted.b": b"b"})
dict(name="fifo", type=tarfile.FIFOTYPE, pax={"SCHILY.xattr.trusted.p": b"p"})
dict(name="late/below", pax={"SCHILY.xattr.user.below": b"x"})
dict(name="late", type=tarfile.DIRTYPE, mode=0o751, pax={"SCHILY.xattr.user.late": b"y"})
dict(name="again", type=tarfile.DIRTYPE, mode=0o775, pax={"SCHILY.xattr.user.first": b"z" * 5000, "SCHILY.xattr.user.both": b"1", "SCHILY.acl.access": "user::rwx,group::rwx,user:x:rwx:1,mask::rwx,other::r-x"})
dict(name="again", type=tarfile.DIRTYPE, mode=0o700, pax={"SCHILY.xattr.user.both": b"2"})
dict(name="link", type=tarfile.LNKTYPE, linkname="user", pax={"SCHILY.xattr.user.other": b"1"})
dict(name="acl", mode=0o604, pax={"SCHILY.acl.access": "user::rw-,user:x:r--:1,group::r--,mask::rw-,other::r--"})
dict(name="dir", type=tarfile.DIRTYPE, mode=0o755, pax={"SCHILY.acl.default": "other::---,group:x:rwx:0,user:y:r-x:70000,group::r-x,mask::rwx,user:x:---:1,user::rwx"})
dict(name="numbers", pax={"SCHILY.acl.access": "user::rw-,user:1:r--,group::r--,mask::rw-,other::r--"})
dict(name="here", pax={"SCHILY.acl.access": "user::rw-,user:root:r--,group::r--,group:root:r--,mask::rw-,other::r--"})
dict(name="raw", pax={"SCHILY.xattr.system.posix_acl_access": bytes.fromhex("$few")})
dict(name="mode alone", mode=0o600, pax={"SCHILY.acl.access": "user::rw-,group::r--,other::r--"})
dict(name="raw mode", mode=0o600, pax={"SCHILY.xattr.system.posix_acl_access": bytes.fromhex("$(acl 1:6 4:4 20:0)")})
LINES
made 'an archive' "$tmp/all.tar"
has / "system.posix_acl_default $(acl 1:7 4:5 20:5)
user.top 726f6f74" 'the root'
has /plain '' 'nothing where there is nothing'
has /user 'trusted.x 610062ff
user.empty
user.one 31' 'a file: any bytes, and none'
is "$("$dump" -i /link "$img" | grep ino:)" "$("$dump" -i /user "$img" | grep ino:)" 'its other name has the same'
has /caps "security.capability $capability" 'a capability'
has /twice 'user.n 76' 'what comes in two forms'
has /label "security.selinux $(printf 'system_u:object_r:etc_t:s0' | od -An -v -tx1 | tr -d ' \n')" 'a label'
has /soft 'security.selinux 6c
trusted.t 32' 'a symlink'
has /char "security.selinux 63
system.posix_acl_access $few" 'a device'
has /block 'trusted.b 62' 'another'
has /fifo 'trusted.p 70' 'a pipe'
has /late 'user.late 79' 'a directory named after its files'
mode /late 41e9 'and its mode'
has /late/below 'user.below 78' 'and a file in it'
has /again 'user.both 32' 'a directory named twice is as it was named last'
mode /again 41c0 'and its mode, too'
has /acl "system.posix_acl_access $few" 'a list'
mode /acl 81b4 'whose mask is the mode of the group'
has /dir "system.posix_acl_default $inherited" 'a list to be inherited, in odd order'
mode /dir 41ed 'which is not the mode'
has /numbers "system.posix_acl_access $few" 'somebody who is a number'
has /here "system.posix_acl_access $(acl 1:6 2:4:0 4:4 8:4:0 10:6 20:4)" 'somebody who is a name'
has /raw "system.posix_acl_access $few" 'a list in the form of an attribute'
mode '/mode alone' 81a4 'a list that says no more than the mode is the mode'
has '/mode alone' '' 'and is not kept'
mode '/raw mode' 81a0 'as an attribute'
has '/raw mode' '' 'likewise'

# Many and large ones; leaves are split, and more blocks used than an inode has.
archive large.tar <<'LINES'
dict(name="one", pax={"SCHILY.xattr.user.large": b"l" * 61440})
dict(name="most", pax={"SCHILY.xattr.user." + "n" * 250: bytes(range(1, 128)) * 516 + b"1234"})
dict(name="lists", pax={"SCHILY.xattr.system.posix_acl_access": bytes.fromhex("0200000001000700ffffffff") + b"".join(b"\2\0\7\0" + n.to_bytes(4, "little") for n in range(1, 5000)) + bytes.fromhex("04000700ffffffff10000700ffffffff20000700ffffffff")})
dict(name="dir", type=tarfile.DIRTYPE, pax={"SCHILY.xattr.trusted.large": b"d" * 30000})
dict(name="soft", type=tarfile.SYMTYPE, linkname="x" * 3000, pax={"SCHILY.xattr.trusted.large": b"s" * 30000})
dict(name="many", pax={"SCHILY.xattr.user.%d" % i: b"%d" % i for i in range(3000)})
LINES
made 'large ones' "$tmp/large.tar"
has /one "user.large 61440 $(head -c 61440 /dev/zero | tr '\0' l | md5sum | cut -d' ' -f1)" '60 KiB'
has /dir "trusted.large 30000 $(head -c 30000 /dev/zero | tr '\0' d | md5sum | cut -d' ' -f1)" 'of a directory'
has /soft "trusted.large 30000 $(head -c 30000 /dev/zero | tr '\0' s | md5sum | cut -d' ' -f1)" 'of a symlink'
sum=$(python3 -c 'import hashlib; print(hashlib.md5(bytes(range(1, 128)) * 516 + b"1234").hexdigest())')
has /most "user.$(printf 'n%.0s' {1..250}) 65536 $sum" 'the longest there is'
is "$(tests/cli/attrs.py "$dump" "$img" /lists | cut -d' ' -f1,2)" 'system.posix_acl_access 40028' 'a long list'
is "$(tests/cli/attrs.py "$dump" "$img" /many)" \
    "$(for i in {0..2999}; do echo "user.$i $(printf %d "$i" | od -An -tx1 | tr -d ' \n')"; done | LC_ALL=C sort)" 'three thousand'
is "$("$dump" -d / "$img" | grep -c name:)" 6 'and all files'

# ---- from a directory: what this file system or this user cannot set is not tried ----

tree=$tmp/tree
mkdir -p "$tree/dir" && head -c 100000 /dev/urandom >"$tree/file" && ln "$tree/file" "$tree/dir/link"
ln -s file "$tree/soft" && mkfifo "$tree/fifo"
[ "$(id -u)" != 0 ] || mknod "$tree/null" c 1 3
total=0
set_attribute()
{
    python3 -c 'import os, sys
os.setxattr(sys.argv[1], sys.argv[2], bytes.fromhex(sys.argv[3]), follow_symlinks=False)' "$@" 2>/dev/null &&
        total=$((total + 1)) || diag "not tried: $2 of ${1##*/}"
}
set_attribute "$tree" user.top 01
set_attribute "$tree" system.posix_acl_default "$inherited"
set_attribute "$tree/dir" system.posix_acl_access "$few"
set_attribute "$tree/dir" trusted.dir 00
set_attribute "$tree/file" security.capability $capability
set_attribute "$tree/file" user.empty ''
for i in {20..1}; do set_attribute "$tree/file" "user.$i" "0$((i % 10))ff0a"; done
set_attribute "$tree/file" user.large "$(printf 'ab%.0s' {1..3000})"
set_attribute "$tree/soft" trusted.soft 7878
set_attribute "$tree/soft" security.soft 79
set_attribute "$tree/fifo" trusted.fifo 7a
set_attribute "$tree/fifo" system.posix_acl_access "$few"
[ -e "$tree/null" ] && set_attribute "$tree/null" security.null 7a
made 'a directory' "$tree"
# A hard link's are counted with each of its names.
found=$(tests/cli/attrs.py "$dump" "$img" / "$tree" 2>&1)
[[ $found =~ ^[0-9]+$ ]] && [ "$found" -ge "$total" ]
ok $? "all of $total are there, and no others" || diag "$found"
run tests/cli/compare.py "$dump" "$img" "$tree"
exits 0 'and every name, mode and byte'
ln -s tree "$tmp/link"
made 'a link to it' "$tmp/link"
is "$(tests/cli/attrs.py "$dump" "$img" / "$tree" 2>&1)" "$found" 'has the same'
if bsdtar --format=pax --xattrs --acls -cf "$tmp/tree.tar" -C "$tree" . 2>/dev/null; then
    made 'an archive of it' "$tmp/tree.tar"
    is "$(tests/cli/attrs.py "$dump" "$img" / "$tree" 2>&1)" "$found" 'has the same, too'
fi

# The same bytes each time, in whatever order a file system lists them.
cp -a "$tree" "$tmp/copy"
python3 -c 'import os, sys
for path in sys.argv[1:]:
    for name in sorted(os.listxattr(path)):
        value = os.getxattr(path, name)
        os.removexattr(path, name)
        os.setxattr(path, name, value)' "$tmp/copy/file"
touch -d @1600000000 "$tree" "$tree/dir" "$tmp/copy" "$tmp/copy/dir"
for from in tree copy; do
    SOURCE_DATE_EPOCH=1700000000 "$mkfs" -q -d "$tmp/$from" "$tmp/$from.img" 16M
    exits 0 "$from: made"
done
cmp "$tmp/tree.img" "$tmp/copy.img"
ok $? 'a copy of the tree makes the same volume'

# ---- what makes no volume ----

# refused NAME TEXT LINE: an archive with that entry
refused()
{
    archive refused.tar <<<"$3"
    rm -f "$img"
    run "$mkfs" -q -d "$tmp/refused.tar" "$img" 16M
    exits 1 "$1: refused"
    is "$out" "mkfs.simplefs: $2" "$1: in one line"
    [ ! -e "$img" ]
    ok $? "$1: and makes nothing"
}
# refused_acl NAME TEXT HEX: a file with that as its list
refused_acl()
{
    refused "$1" "a: system.posix_acl_access: access control list $2" \
        "dict(name='a', pax={'SCHILY.xattr.system.posix_acl_access': bytes.fromhex('$3')})"
}
refused_acl 'an empty list' 'of a wrong length' ''
refused_acl 'half a list' 'of a wrong length' "${few%??}"
refused_acl 'a list of no entries' 'that is incomplete' 02000000
refused_acl 'another version' 'of an unknown version' "01${few#02}"
refused_acl 'a tag unknown' 'with an unknown tag' "$(acl 1:6 3:6 4:4 20:4)"
refused_acl 'a permission unknown' 'with an unknown permission' "$(acl 1:8 4:4 20:4)"
refused_acl 'another order' 'out of order' "$(acl 1:6 4:4 2:6:1 10:6 20:4)"
refused_acl 'nobody' 'that names nobody' "$(acl 1:6 2:6 4:4 10:6 20:4)"
refused_acl 'no mask' 'that is incomplete' "$(acl 1:6 2:6:1 4:4 20:4)"
refused 'words without a mask' 'a: system.posix_acl_access: access control list that is incomplete' \
    'dict(name="a", pax={"SCHILY.acl.access": "user::rw-,user:x:r--:1,group::r--,other::r--"})'
refused 'words without an owner' 'a/: system.posix_acl_default: access control list that is incomplete' \
    'dict(name="a", type=tarfile.DIRTYPE, pax={"SCHILY.acl.default": "group::r--,other::r--"})'
refused 'a stranger' 'a: its access control list has a user who is not known here: no-such-user' \
    'dict(name="a", pax={"SCHILY.acl.access": "user::rw-,user:no-such-user:r--,group::r--,mask::r--,other::r--"})'
refused 'a strange group' 'a: its access control list has a group who is not known here: no-such-group' \
    'dict(name="a", pax={"SCHILY.acl.access": "user::rw-,group:no-such-group:r--,group::r--,mask::r--,other::r--"})'
archive words.tar <<<'dict(name="a", pax={"SCHILY.acl.access": "user::rw-,user:x:what:1,group::r--,mask::r--,other::r--"})'
rm -f "$img"
run "$mkfs" -q -d "$tmp/words.tar" "$img" 16M
exits 1 'words that are none: refused'
like '^mkfs.simplefs: a: its access control list cannot be read: ' 'and named'
[ ! -e "$img" ]
ok $? 'and make nothing'
archive words.tar <<<'dict(name="a", pax={"SCHILY.acl.access": "user::rw-,user:x:r--:4000000000,group::r--,mask::r--,other::r--"})'
run "$mkfs" -q -d "$tmp/words.tar" "$img" 16M
exits 1 'a number that libarchive cannot hold: refused'
like '^mkfs.simplefs: a: its access control list (has a number that is too large|cannot be read)' 'and named'
archive full.tar <<<'dict(name="a", pax={"SCHILY.xattr.user.%d" % i: b"x" * 60000 for i in range(15)})'
run "$mkfs" -q -J none -d "$tmp/full.tar" "$img" 1M
exits 1 'more than there is room for: refused'
is "$out" 'mkfs.simplefs: a: does not fit, the volume is full' 'and named'


# libarchive takes a MiB of them.
python3 -c 'import sys, tarfile
with tarfile.open(sys.argv[1], "w", format=tarfile.PAX_FORMAT) as tar:
    entry = tarfile.TarInfo("file")
    entry.pax_headers = {"SCHILY.xattr.user.%d" % n: "x" * 60000 for n in range(20)}
    tar.addfile(entry)' "$tmp/large.tar"
run build/bin/mkfs.simplefs -qf -d "$tmp/large.tar" "$tmp/large" 16M
exits 1 'an archive with more than a MiB of attributes'
like 'large.tar: cannot be read: .*too large' 'is not called damaged'
done_testing
