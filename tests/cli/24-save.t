#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# dump.simplefs --save: a tree comes out as it went in, and nothing of it gets out of its directory.
# (What comes out of damaged volumes is tests/image/41-save.t.)
# shellcheck source=tests/tap/tap.sh
. "$(dirname "$0")/../tap/tap.sh"
make -s tools build/image/damage build/image/edit >"$tmp/make.log" 2>&1 || { cat "$tmp/make.log"; exit 1; }
dump=build/bin/dump.simplefs
img=$tmp/img

# listed DIRECTORY: all that can be told of a tree
listed()
{
    python3 - "$1" <<'EOF'
import hashlib
import os
import stat
import sys

top = os.fsencode(sys.argv[1])
first = {}


def show(path):
    st = os.lstat(path)
    what = [oct(st.st_mode), st.st_uid, st.st_gid, st.st_mtime_ns]
    name = os.path.relpath(path, top)
    if not stat.S_ISDIR(st.st_mode):
        what += [st.st_nlink, first.setdefault(st.st_ino, name), st.st_size]
    if stat.S_ISREG(st.st_mode):
        with open(path, 'rb') as f:
            what.append(hashlib.sha1(f.read()).hexdigest())
    if stat.S_ISLNK(st.st_mode):
        what.append(os.readlink(path))
    if stat.S_ISBLK(st.st_mode) or stat.S_ISCHR(st.st_mode):
        what.append(st.st_rdev)
    for attr in sorted(os.listxattr(path, follow_symlinks=False)):
        what.append((attr, os.getxattr(path, attr, follow_symlinks=False)))
    print(name, what)


show(top)
for at, dirs, files in sorted(os.walk(top)):
    for name in sorted(dirs + files):
        show(os.path.join(at, name))
EOF
}

# attributes FILE NAME=VALUE: one, of what is perhaps a symlink
attributes()
{
    python3 -c 'import os, sys
name, value = sys.argv[2].split("=", 1)
os.setxattr(sys.argv[1], name, value.encode(), follow_symlinks=False)' "$@"
}

# list FILE NAME TAG:PERMISSIONS:ID...: an access control list
list()
{
    python3 -c 'import os, struct, sys
value = struct.pack("<I", 2)
for entry in sys.argv[3:]:
    tag, perm, who = entry.split(":")
    value += struct.pack("<HHI", int(tag), int(perm), int(who or 0xffffffff))
os.setxattr(sys.argv[1], "system." + sys.argv[2], value)' "$@"
}

from=$tmp/from
mkdir -p "$from/dir/deep/deeper" "$from/empty"
seq 100000 >"$from/dir/file"
: >"$from/nothing"
truncate -s 40M "$from/holes"
for i in 0 5 6 9999; do echo "$i" | dd of="$from/holes" bs=4096 seek="$i" conv=notrunc status=none; done
truncate -s 5000001 "$from/end"
ln "$from/dir/file" "$from/dir/deep/deeper/again"
ln "$from/dir/file" "$from/zz"
ln -s /etc/passwd "$from/out"
ln -s ../../.. "$from/dir/up"
ln "$from/out" "$from/out too"
mkfifo "$from/fifo"
touch "$from/$(printf 'bad\033[2J\tname')" "$from/$(printf '\377')"
attributes "$from/dir/file" user.small=value
attributes "$from/dir/deep" "user.large=$(seq -s, 700)"
list "$from/nothing" posix_acl_access 1:6: 2:6:1234 4:4: 16:6: 32:4:
list "$from/dir/deep" posix_acl_default 1:7: 4:5: 8:5:77 16:5: 32:0:
chmod 4711 "$from/end"
chmod 1777 "$from/empty"
touch -d '1969-12-31 12:00:00.123456789 UTC' "$from/dir/deep/deeper"
at=$from/tower
for _ in $(seq 200); do at=$at/d; done
mkdir -p "$at"
echo top >"$at/file"
if [ "$(id -u)" = 0 ]; then
    mknod "$from/null" c 1 3
    mknod "$from/disk" b 300 70000
    chown -h 12:34 "$from/dir/up"
    chown 1000:1001 "$from/zz" "$from/dir/deep"
    chmod 4711 "$from/end"
    attributes "$from/fifo" trusted.t=x && attributes "$from/dir/up" trusted.link=x
fi
touch -d '2001-02-03 04:05:06.789' "$from"
build/bin/mkfs.simplefs -q -J size=4M -d "$from" "$img" 64M
is $? 0 'a volume with one of everything'
before=$(sha256sum <"$img")
listed "$from" >"$tmp/was"
grep -q 'posix_acl_default.*user.large\|user.large.*posix_acl_default' "$tmp/was"
ok $? 'attributes and lists among it'
mkdir "$tmp/to"
run "$dump" --save "$tmp/to" "$img"
exits 0 'all of it is saved'
is "$out" '' 'and nothing is said'
listed "$tmp/to" | diff "$tmp/was" - >"$tmp/diff"
ok $? 'as it went in: content, types, owners, modes, times, attributes, lists, links' || diag "$(head -n 5 "$tmp/diff")"
[ "$(stat -c %b "$tmp/to/holes")" -lt 200 ]
ok $? 'holes are holes'
is "$(sha256sum <"$img")" "$before" 'nothing was written to the volume'

run "$dump" -S "$tmp/to" "$img"
exits 8 'a directory that is not empty'
run "$dump" -S "$tmp/none" "$img"
exits 8 'one that is not there'
mkdir "$tmp/to2" && ln -s to2 "$tmp/to3"
run "$dump" -S "$tmp/to2" -c "$img"
exits 16 'with another thing to do'
if [ "$(id -u)" = 0 ]; then
    mkdir -m 777 "$tmp/user" && chmod 755 "$tmp"
    run setpriv --reuid 65534 --regid 65534 --clear-groups "$dump" -S "$tmp/user" "$img"
    exits 1 'by who may not make devices nor give files away: it says so'
    like '^/null: a device is not to be made here' 'each device'
    like 'owners that it did not take: [0-9]+' 'and how many owners'
    cmp "$from/dir/file" "$tmp/user/dir/file"
    ok $? 'the files are there'
    is "$(stat -c %a "$tmp/user/end")" 711 "and nobody's rights are those of another"
fi
mkdir "$tmp/full"
gcc -shared -fPIC -O1 -Wall -Wextra -Werror -D_GNU_SOURCE -o "$tmp/fault.so" tests/cli/fault.c || exit 1
run env FAULT_AT=3 FAULT=ENOSPC LD_PRELOAD="$tmp/fault.so" "$dump" -S "$tmp/full" "$img"
exits 8 'the host is full'
like 'not saved to its end: No space left' 'and that is said'

# Names that are nobody's: two that are the same, a symlink and a directory or file.
rm -rf "$tmp/evil" "$tmp/away" && mkdir -p "$tmp/evil/aa/x" "$tmp/evil/cc" "$tmp/away"
ln -s "$tmp/away" "$tmp/evil/ab"
echo data >"$tmp/evil/aa/x/file"
echo data >"$tmp/evil/cc/ca"
ln -s "$tmp/away/made" "$tmp/evil/cc/cb"
build/bin/mkfs.simplefs -q -f -J none -d "$tmp/evil" "$img" 16M
leaf=$("$dump" -j -i / "$img" | python3 -c 'import json, sys; print(json.load(sys.stdin)["inode"]["ino"] // 8)')
python3 - "$img" <<'EOF'
import sys

with open(sys.argv[1], 'r+b') as f:
    data = f.read()
    for old in b'\x04\x02aa', b'\x08\x02ca':
        at = data.index(old)
        assert data.find(old, at + 1) < 0
        f.seek(at + 3)
        f.write(b'b')
EOF
build/image/damage "$img" field "$leaf" h_seq 1
mkdir "$tmp/to4"
run "$dump" -S "$tmp/to4" "$img"
exits 4 'a symlink and others of the same name'
like '^/ab: it cannot be made here: File exists' 'one of them is told'
is "$(find "$tmp/away" -mindepth 1)" '' 'and nothing went through the symlink'
like '^/cc/cb: it cannot be made here: File exists' 'nor over it'

# In circles, by a name of a directory in itself; and what a terminal would obey.
mkdir -p "$tmp/loop/dir/sub"
printf x >"$tmp/loop/dir/$(printf 'e\033[2J')"
build/bin/mkfs.simplefs -q -f -J none -d "$tmp/loop" "$img" 16M
build/image/edit "$img" name /dir/sub up /dir 4
build/image/edit "$img" unname /dir "$(printf 'e\033[2J')"
mkdir "$tmp/to5"
run timeout 20 "$dump" -S "$tmp/to5" "$img"
exits 4 'a directory in itself'
like '^/dir/sub/up: inode [0-9]+ is a directory with another name: left out' 'is gone into once'
like '^/lost\+found/#[0-9]+: its name was lost' 'a file without a name is saved, too'
is "$(cat "$tmp/to5"/lost+found/*)" x 'with what it holds'
done_testing
