#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# mkfs.simplefs -d: a tree with one of everything goes in, and dump.simplefs reads the same out, from
# a directory and from archives of it; sources that are wrong are named.
# shellcheck source=tests/tap/tap.sh
. "$(dirname "$0")/../tap/tap.sh"
mkfs=build/bin/mkfs.simplefs
dump=build/bin/dump.simplefs
img=$tmp/img
tree=$tmp/tree
root=
[ "$(id -u)" != 0 ] || root=yes

mkdir -p "$tree/dir/deep/deeper" "$tree/empty" "$tree/many"
seq 100000 >"$tree/dir/file"
: >"$tree/dir/zero"
head -c 4096 /dev/urandom >"$tree/dir/block"
head -c 4097 /dev/urandom >"$tree/dir/block+1"
head -c 3000000 /dev/urandom >"$tree/dir/large"
truncate -s 100M "$tree/sparse"
printf 'in the middle' | dd of="$tree/sparse" bs=1 seek=12345678 conv=notrunc status=none
printf 'at the end' | dd of="$tree/sparse" bs=1 seek=$((100 * 1024 * 1024 - 10)) conv=notrunc status=none
truncate -s 1M "$tree/hole"
ln "$tree/dir/file" "$tree/dir/deep/other name"
ln "$tree/dir/file" "$tree/a third"
ln "$tree/dir/block" "$tree/dir/block again"	# next to it, all its names
ln -s file "$tree/dir/short"
ln -s "$(printf 'x%.0s' {1..4095})" "$tree/dir/long"
ln -s "$(printf 'y%.0s' {1..1024})" "$tree/dir/chunk"
ln -s /nowhere "$tree/dangling"
ln "$tree/dangling" "$tree/dir/dangling too" 2>/dev/null
mkfifo "$tree/fifo"
perl -MSocket -e 'socket(S, PF_UNIX, SOCK_STREAM, 0); chdir shift; bind(S, sockaddr_un("socket"))' "$tree"
odd=("$(printf 'new\nline')" ' space ' $'quote"\\back' $'\303\244\303\266' $'no\377utf8\200' '-dash' "$(printf 'n%.0s' {1..255})")
for name in "${odd[@]}"; do echo "$name" >"$tree/dir/deep/deeper/$name"; done
for i in $(seq 100); do echo "$i" >"$tree/many/a file with a name that takes the room of several shorter ones $i"; done
chmod 4711 "$tree/dir/file"
chmod 1777 "$tree/empty"
chmod 0 "$tree/dir/zero"
if [ "$root" ]; then
    mknod "$tree/char" c 4 64
    mknod "$tree/block" b 259 300000
    chown 4294967294:65536 "$tree/dir/block"
    chown -h 12:34 "$tree/dangling"
    mode=()
else
    mode=(--mode u+r)
    chmod 400 "$tree/dir/zero"
fi
find "$tree" -depth -exec touch -h -d '2001-02-03 04:05:06.123456789 UTC' {} +
touch -h -d '1969-12-31 23:59:58.5 UTC' "$tree/fifo"
touch -h -d '2500-01-01 UTC' "$tree/empty"
touch -h -d '2003-01-01 00:00:00.000000001 UTC' "$tree"

# holds SOURCE NAME: a volume filled from SOURCE is whole and is the tree
holds()
{
    run "$mkfs" -qf -d "$1" "$img" 64M
    exits 0 "$2: a volume"
    run "$dump" --check "$img"
    exits 0 "$2: is whole"
    run tests/cli/compare.py "$dump" "$img" "$tree"
    exits 0 "$2: every name, attribute and byte"
}
holds "$tree" 'a directory'
mkdir "$tmp/sparse" && truncate -s 8T "$tmp/sparse/file"
printf x | dd of="$tmp/sparse/file" bs=1 seek=$((1 << 42)) conv=notrunc status=none
run "$mkfs" -qf -d "$tmp/sparse" "$img" 16M
exits 0 'a file of 8 TiB with one byte in it'
run "$dump" -i /file "$img"
like '^  size: 8796093022208$' 'has its size'
like '^  blocks: 1$' 'and one block'
mkdir "$tmp/part" && echo x >"$tmp/outside"
for name in one two; do ln "$tmp/outside" "$tmp/part/$name"; done
run "$mkfs" -qf -d "$tmp/part" "$img" 16M
exits 0 'a file that has a name elsewhere, too'
run "$dump" -i /two "$img"
like '^  nlink: 2$' 'counts what came'
run "$dump" --check "$img"
exits 0 'and the volume is whole'
ln -s tree "$tmp/link"
holds "$tmp/link" 'a link to a directory'
rm -f "$tree/socket"	# tar knows none
touch -h -d '1969-12-31 23:59:58 UTC' "$tree/fifo"	# and libarchive reads -1.5 s as -0.5
touch -h -d '2003-01-01 00:00:00.000000001 UTC' "$tree"
tar --format=pax -S -cf "$tmp/pax.tar" -C "$tree" "${mode[@]}" . 2>/dev/null
holds "$tmp/pax.tar" 'a pax archive'
bsdtar --format=pax -czf "$tmp/bsd.tar.gz" -C "$tree" . 2>/dev/null
holds "$tmp/bsd.tar.gz" 'a compressed one, by libarchive'

# An image without a parent of its own entries, and one with entries in an odd order.
mkdir -p "$tmp/small/a/b/c" && echo x >"$tmp/small/a/b/c/x"
tar -cf "$tmp/orphan.tar" -C "$tmp/small" a/b/c/x
run "$mkfs" -qf -d "$tmp/orphan.tar" "$img" 16M
exits 0 'an archive that does not name its directories'
is "$("$dump" -o /a/b/c/x "$img")" x 'gets them'
tar -cf "$tmp/dot.tar" --transform 's,a/b,a/./b,' -C "$tmp/small" a/b/c/x
run "$mkfs" -qf -d "$tmp/dot.tar" "$img" 16M
exits 0 'a path with a dot in it'
is "$("$dump" -o /a/b/c/x "$img")" x 'is the same without it'
python3 -c 'import sys, tarfile
with tarfile.open(sys.argv[1], "w") as tar:
    for name in "a/.", "a/./b/./.", "./.":
        entry = tarfile.TarInfo(name)
        entry.type, entry.mode = tarfile.DIRTYPE, 0o710
        tar.addfile(entry)' "$tmp/last.tar"
run "$mkfs" -qf -d "$tmp/last.tar" "$img" 16M
exits 0 'a path that ends in one'
run "$dump" -i /a/b "$img"
like 'mode: 0x41c8$' 'is that of the directory'
mkdir "$tmp/linked" && echo same >"$tmp/linked/f" && ln "$tmp/linked/f" "$tmp/linked/g"
tar -cf "$tmp/linked.tar" -C "$tmp" linked/.
run "$mkfs" -qf -d "$tmp/linked.tar" "$img" 16M
exits 0 'a hard link to a path with a dot in it'
is "$("$dump" -o /linked/f "$img")$("$dump" -o /linked/./g/ "$img")" samesame 'is one'
run "$dump" -i /linked/g/. "$img"
unlike '^ *mode: ' 'and a file has no dot below it'
tar -cf "$tmp/late.tar" -C "$tmp/small" --no-recursion a/b/c/x a/b
run "$mkfs" -qf -d "$tmp/late.tar" "$img" 16M
exits 0 'or names them late'

# refused NAME REGEX: what the last `run` must have said, in one line, with no volume left
refused()
{
    exits 1 "$1"
    like "$2" 'and it says why'
    is "$(wc -l <<<"$out")" 1 'in one line'
    [ ! -e "$img" ]
    ok $? 'and makes nothing'
}
rm -f "$img"
run "$mkfs" -q -d "$tmp/none" "$img" 16M
refused 'no source' 'none: cannot be read: No such file'
: >"$tmp/nothing"
run "$mkfs" -q -d "$tmp/nothing" "$img" 16M
refused 'an empty file' 'neither directory nor archive|is damaged'
head -c 100000 /dev/urandom >"$tmp/noise"
run "$mkfs" -q -d "$tmp/noise" "$img" 16M
refused 'noise' 'neither directory nor archive|is damaged'
head -c 300000 "$tmp/pax.tar" >"$tmp/cut.tar"
run "$mkfs" -q -d "$tmp/cut.tar" "$img" 64M
refused 'an archive that was cut off' 'cut.tar: ends within a file|cut.tar: is damaged'
run "$mkfs" -q -d "$tree" "$img" 8M
refused 'a tree that is too large' 'large: does not fit, the volume is full'
mkdir "$tmp/self"
run "$mkfs" -q -d "$tmp/self" "$tmp/self/img" 16M
exits 1 'a source that holds the image'
like 'img: is the image itself' 'says so'
echo >"$tmp/a" && tar -cf "$tmp/dots.tar" -P -C "$tmp/self" ../a
run "$mkfs" -q -d "$tmp/dots.tar" "$img" 16M
refused 'an archive with names that lead out' '\.\./a: is nothing that can be'
mkdir "$tmp/d1" "$tmp/d2" && echo >"$tmp/d1/x" && mkdir "$tmp/d2/x" && echo >"$tmp/d2/x/y"
tar -cf "$tmp/twice.tar" -C "$tmp/d1" x -C "$tmp/d1" x
run "$mkfs" -q -d "$tmp/twice.tar" "$img" 16M
refused 'an archive that names a file twice' 'x: comes twice'
tar -cf "$tmp/through.tar" -C "$tmp/d1" x -C "$tmp/d2" x/y
run "$mkfs" -q -d "$tmp/through.tar" "$img" 16M
refused 'a file that others are in' 'x/y: lies in something that is no directory'

# header NAME TYPE LINK: a tar header without data, which no tar would write
header()
{
    perl -e 'my ($n, $t, $l) = @ARGV;
        my $h = pack("a100 a8 a8 a8 a12 a12 A8 a1 a100 a6 a2 a247", $n, "0000644", "0000000", "0000000",
            "0" x 11, "14000000000", "", $t, $l, "ustar", "00", "");
        substr($h, 148, 8) = sprintf("%06o\0 ", unpack("%32C*", $h));
        print $h' "$@"
}
# refused_headers NAME REGEX HEADERS...
refused_headers()
{
    local what=$1 why=$2
    { for h in "${@:3}"; do eval "header $h"; done; head -c 1024 /dev/zero; } >"$tmp/odd.tar"
    run "$mkfs" -q -d "$tmp/odd.tar" "$img" 16M
    refused "$what" "$why"
}
rm -f "$img"
refused_headers 'a second name of a directory' 'l: is another name of a directory' "d/ 5 ''" 'l 1 d'
refused_headers 'a second name of the root' 'l: is another name of a directory' 'l 1 /'
refused_headers 'a link to an empty name' 'l: is nothing that can be' "l 1 ''"
refused_headers 'a piece of a file of many volumes' 'a: is nothing that can be' 'a M b'

# A journal as long as the first zone: the tree needs a second one.
mkdir "$tmp/long" && head -c 60M /dev/zero | tr '\0' x >"$tmp/long/file"
run "$mkfs" -q -J size=3980M -d "$tmp/long" "$tmp/zones" 8G
exits 0 'a tree in two zones'
run build/bin/fsck.simplefs -fn "$tmp/zones"
exits 0 'is sound'
is "$(build/bin/dump.simplefs --json "$tmp/zones" | sed -n 's/.*"zones": *\([0-9]*\).*/\1/p')" 2 'and both have begun'
rm -f "$tmp/zones"

# Whoever runs this, nobody may read it all.
as=()
[ -z "$root" ] || as=(setpriv --reuid=65534 --regid=65534 --clear-groups)
chmod 755 "$tmp" && mkdir -m 777 "$tmp/nobody" && mkdir -p "$tmp/closed/sub" && echo >"$tmp/closed/file"
cp "$mkfs" "$tmp/mkfs"
chmod 0 "$tmp/closed/file"
run "${as[@]}" "$tmp/mkfs" -q -d "$tmp/closed" "$tmp/nobody/img" 16M
exits 1 'a file that may not be read'
like 'closed/file: cannot be opened: Permission denied' 'is named'
rm -f "$tmp/closed/file" && chmod 0 "$tmp/closed/sub"
run "${as[@]}" "$tmp/mkfs" -q -d "$tmp/closed" "$tmp/nobody/img" 16M
exits 1 'a directory that may not be read'
like 'closed/sub: cannot be read: Permission denied' 'is named'
chmod 700 "$tmp/closed/sub"
done_testing
