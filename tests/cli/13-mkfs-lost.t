#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# mkfs.simplefs -d: what a directory or an archive holds and a volume cannot keep is told in a line
# for each kind, with the first file and the number of the others; numbers that cannot be are refused.
# shellcheck source=tests/tap/tap.sh
. "$(dirname "$0")/../tap/tap.sh"
mkfs=build/bin/mkfs.simplefs
img=$tmp/img

# archive NAME: a tar of entries, each a line of Python: dict(name=..., pax={...}, FIELD=...)
archive()
{
    python3 -c '
import sys, tarfile
with tarfile.open(sys.argv[1], "w", format=tarfile.PAX_FORMAT) as tar:
    for line in sys.stdin:
        fields = eval(line)
        entry = tarfile.TarInfo(fields.pop("name"))
        entry.pax_headers = fields.pop("pax", {})
        for key, value in fields.items():
            setattr(entry, key, value)
        tar.addfile(entry)' "$tmp/$1"
}

# says NAME LINES: the last run made a volume and said these lines, no other
says()
{
    exits 0 "$1: the volume is made"
    is "$(sed 's/^mkfs.simplefs: warning: //' <<<"$out")" "$2" "$1: what is lost is told"
    run build/bin/dump.simplefs --check "$img"
    exits 0 "$1: and whole"
}

archive all.tar <<'LINES'
dict(name="plain")
dict(name="b", pax={"SCHILY.xattr.security.capability": "x", "SCHILY.xattr.security.selinux": "l"})
dict(name="c", pax={"SCHILY.xattr.security.capability": "x", "RHT.security.selinux": "l"})
dict(name="d", pax={"SCHILY.xattr.security.capability": "x", "SCHILY.xattr.security.SMACK64": "l"})
dict(name="acl", pax={"SCHILY.acl.access": "user::rw-,user:daemon:r--:1,group::r--,mask::r--,other::r--"})
dict(name="no acl", pax={"SCHILY.acl.access": "user::rw-,group::r--,other::r--"})
dict(name="dir", type=tarfile.DIRTYPE, pax={"SCHILY.acl.default": "user::rwx,user:daemon:r-x:1,group::r-x,mask::r-x,other::r-x"})
dict(name="xattr", pax={"SCHILY.xattr.user.one": "1", "SCHILY.xattr.user.two": "2", "SCHILY.xattr.trusted.x": "3"})
dict(name="flags", pax={"SCHILY.fflags": "nodump"})
dict(name="late", mtime=1 << 35)
dict(name="later", mtime=1 << 36)
dict(name="link", type=tarfile.LNKTYPE, linkname="b", pax={"SCHILY.xattr.security.capability": "x"})
LINES
run "$mkfs" -qf -d "$tmp/all.tar" "$img" 16M
says 'an archive' 'b and 2 more: file capabilities are not kept
acl and 1 more: access control lists are not kept
b and 2 more: labels of a security module are not kept
xattr: extended attributes are not kept
flags: flags of chattr are not kept
late and 1 more: a time before 1678 or after 2261 is not kept'

archive none.tar <<'LINES'
dict(name="plain")
dict(name="dir", type=tarfile.DIRTYPE)
dict(name="soft", type=tarfile.SYMTYPE, linkname="x")
dict(name="owner", uid=4294967294, gid=4294967294)
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
acl=02000000$(printf '%s' 01000600ffffffff 0200040001000000 {04,10,20}000400ffffffff)
! set_attribute "$tree/a" security.capability 0100000200200000000000000000000000000000 ||
    ! set_attribute "$tree/b" security.capability 0100000200200000000000000000000000000000 ||
    told "$tree/a and 1 more: file capabilities are not kept"
! set_attribute "$tree/b" system.posix_acl_access "$acl" ||
    told "$tree/b: access control lists are not kept"
! set_attribute "$tree/dir" security.SMACK64 6162 ||
    told "$tree/dir: labels of a security module are not kept"
! set_attribute "$tree" user.top 01 || ! set_attribute "$tree/dir" user.two 01 ||
    told "$tree and 1 more: extended attributes are not kept"
! chattr +d "$tree/b" 2>/dev/null || told "$tree/b: flags of chattr are not kept"
[ -n "$want" ] || diag "no attribute can be set in $tmp"
run "$mkfs" -qf -d "$tree" "$img" 16M
says 'a directory' "$want"
ln -s tree "$tmp/link"
run "$mkfs" -qf -d "$tmp/link" "$img" 16M
says 'a link to it' "${want//$tree/$tmp/link}"
done_testing
