#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# mkfs.simplefs -d: what a directory or an archive holds and a volume cannot keep is told in a line
# for each kind, with the first file and the number of the others; numbers that cannot be are refused.
# shellcheck source=tests/tap/tap.sh
. "$(dirname "$0")/../tap/tap.sh"
. tests/cli/archive.sh
mkfs=build/bin/mkfs.simplefs
img=$tmp/img

# says NAME LINES: the last run made a volume and said these lines, no other
says()
{
    exits 0 "$1: the volume is made"
    is "$(sed 's/^mkfs.simplefs: warning: //' <<<"$out")" "$2" "$1: what is lost is told"
    run build/bin/dump.simplefs --check "$img"
    exits 0 "$1: and whole"
}

archive all.tar <<LINES
dict(name="plain")
dict(name="b", pax={"SCHILY.xattr.security.capability": "x", "SCHILY.acl.ace": "owner@:rwxpdDaARWcCos:-------:allow"})
dict(name="c", pax={"SCHILY.xattr.system.nfs4_acl": "x", "SCHILY.xattr.system.cifs_acl": "x"})
dict(name="xattr", pax={"SCHILY.xattr.com.apple.x": "1", "SCHILY.xattr.user.": "2", "SCHILY.xattr.nothing": "3", "SCHILY.xattr.user.kept": "4"})
dict(name="long", pax={"SCHILY.xattr.user.value": "v" * 65537})
dict(name="longer", pax={"SCHILY.xattr.user." + "n" * 251: "v", "SCHILY.xattr.user." + "n" * 250: "v"})
dict(name="soft", type=tarfile.SYMTYPE, linkname="x", pax={"SCHILY.xattr.user.x": "v", "SCHILY.xattr.trusted.x": "v"})
dict(name="pipe", type=tarfile.FIFOTYPE, pax={"SCHILY.xattr.user.x": "v"})
dict(name="file", pax={"SCHILY.acl.default": "user::rwx,group::r-x,other::r-x"})
dict(name="flags", pax={"SCHILY.fflags": "nodump"})
dict(name="late", mtime=1 << 35)
dict(name="later", mtime=1 << 36)
dict(name="link", type=tarfile.LNKTYPE, linkname="b", pax={"SCHILY.xattr.com.apple.x": "x"})
LINES
run "$mkfs" -qf -d "$tmp/all.tar" "$img" 16M
says 'an archive' 'b and 1 more: access control lists of NFSv4 are not kept
c and 1 more: extended attributes of other namespaces are not kept
long and 1 more: extended attributes with too long a name or value are not kept
soft and 2 more: extended attributes that no file of its type has are not kept
flags: flags of chattr are not kept
late and 1 more: a time before 1678 or after 2261 is not kept'
# has PATH NAMES: those attributes are kept
has()
{
    is "$(tests/cli/attrs.py build/bin/dump.simplefs "$img" "$1" | cut -d' ' -f1)" "$2" "$1: the others are kept"
}
has /b security.capability
has /c ''
has /xattr user.kept
has /long ''
has /longer "user.$(printf 'n%.0s' {1..250})"
has /soft trusted.x
has /file ''

archive none.tar <<'LINES'
dict(name="plain")
dict(name="dir", type=tarfile.DIRTYPE)
dict(name="soft", type=tarfile.SYMTYPE, linkname="x")
dict(name="owner", uid=4294967294, gid=4294967294)
dict(name="attribute", pax={"SCHILY.xattr.user.x": "v"})
dict(name="list", pax={"SCHILY.acl.access": "user::rw-,group::r--,other::r--"})
LINES
run "$mkfs" -qf -d "$tmp/none.tar" "$img" 16M
says 'one that holds nothing of that kind' ''

# refused NAME TEXT LINE: an archive with that entry makes no volume
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
whose='has an owner or a group that no file can have'
refused 'an owner past 32 bits' "a: $whose" 'dict(name="a", uid=1 << 32)'
refused 'a group past 32 bits' "a: $whose" 'dict(name="a", gid=1 << 32)'
refused 'an owner that is nobody' "a: $whose" 'dict(name="a", uid=(1 << 32) - 1)'
for number in 'devmajor=4096' 'devminor=1 << 20'; do
    refused "$number" 'a: has a number that no device can have' \
        "dict(name='a', type=tarfile.CHRTYPE, $number)"
done

# From a directory. What this file system or this user cannot set is not tried.
tree=$tmp/tree
mkdir -p "$tree/dir" && echo x >"$tree/a" && ln "$tree/a" "$tree/z" && echo y >"$tree/b"
set_attribute()
{
    python3 -c 'import os, sys
os.setxattr(sys.argv[1], sys.argv[2], bytes.fromhex(sys.argv[3]))' "$@" 2>/dev/null
}
want=
told()
{
    want+=${want:+$'\n'}$1
}
set_attribute "$tree/b" security.capability 0100000200200000000000000000000000000000
set_attribute "$tree" user.top 01
! chattr +d "$tree/b" "$tree/dir" 2>/dev/null || told "$tree/b and 1 more: flags of chattr are not kept"
touch -d '2500-01-01 UTC' "$tree/b"
[ "$(stat -c %Y "$tree/b")" -lt 9223372036 ] ||
    told "$tree/b: a time before 1678 or after 2261 is not kept"
[ -n "$want" ] || diag "nothing that is lost can be set in $tmp"
run "$mkfs" -qf -d "$tree" "$img" 16M
says 'a directory' "$want"
ln -s tree "$tmp/link"
run "$mkfs" -qf -d "$tmp/link" "$img" 16M
says 'a link to it' "${want//$tree/$tmp/link}"
done_testing
