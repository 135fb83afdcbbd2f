#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# A volume grows while it is mounted: full, in use, trimmed and frozen, by steps that end beside the ends
# of groups and zones; behind a plug that is pulled it has one of two sizes and nothing to repair.
. "$(dirname "$0")/lib.sh"
make -s build/image/edit >"$tmp/make.log" 2>&1 || { cat "$tmp/make.log"; exit 1; }
program grow vm -pthread
edit=build/image/edit

# grow WHAT [OPTION]...: in one boot, on the volume, mounted with the options $options
grow()
{
    boot --module "$module" --add "$tmp/grow" --disk "$tmp/disk" "${@:2}" -- sh -c \
        "mount -t simplefs $options /dev/vda /mnt && grow $1 /dev/vda /mnt && umount /mnt && rmmod simplefs"
}

# made SIZE DISK [OPTION]...: a volume on a larger disk
made()
{
    rm -f "$tmp/disk"
    run build/bin/mkfs.simplefs -q "${@:3}" "$tmp/disk" "$1"
    is "$status" 0 "mkfs of $1: ${*:3}"
    truncate -s "$2" "$tmp/disk"
}

# whole WHAT [OPTION]...: the checker finds nothing
whole()
{
    run build/bin/fsck.simplefs -fn "${@:2}" "$tmp/disk"
    is "$status" 0 "$1: the structure is whole" || diag "$out"
}

# sizes: how many zones have which size in their copy of the superblock; and the superblock's own
sizes()
{
    python3 - "$tmp/disk" <<'P'
import collections, struct, sys
ZONE = 1032192
def size(block):
    return struct.unpack_from("<Q", block, 168)[0]
with open(sys.argv[1], "rb") as disk:
    sup = disk.read(4096)
    have = collections.Counter()
    for zone in range(struct.unpack_from("<Q", sup, 176)[0]):
        disk.seek((zone * ZONE + 128 + (zone == 0)) * 4096)
        have[size(disk.read(4096))] += 1
print(size(sup), *(f"{n} of {blocks}" for blocks, n in sorted(have.items())), sep=", ")
P
}

# used WHAT [OPTION]...: what "use" has left
used()
{
    is "$status" 0 "used, unmounted, unloaded"
    relay "$1"
    whole "$@"
    free=$(sed -n 's/^# free \([0-9]*\).*/\1/p' "$tmp/console")
    like "clean, .*, ${free:-none} of 2359296 blocks free" "$1: which has as many free as df said"
    is "$(sizes)" "2359296, 3 of 2359296" "$1: each copy of the superblock has the last size"
}

options=
made 60M 9G -J size=4M
grow use --smp 2
used "a journal"
made 60M 9G -J none
grow use --smp 2
used "no journal"
truncate -s 16M "$tmp/journal"
made 60M 9G -f -J device="$tmp/journal"
options='-o journal_path=/dev/vdb'
grow use --smp 2 --disk "$tmp/journal"
used "a journal elsewhere" -j "$tmp/journal"

options='-o discard'
made 60M 200M -J size=4M
grow refuse
is "$status" 0 "asked for what cannot be"
relay "refused"
whole "refused"

# The tool asks the kernel, where the volume is mounted.
cat >"$tmp/try" <<'T'
n=0
# says NAME STATUS WORDS COMMAND...
says()
{
    n=$((n + 1))
    name=$1 want=$2 words=$3
    shift 3
    out=$("$@" 2>&1)
    if [ $? = "$want" ] && echo "$out" | grep -q "$words"; then
        echo "ok $n - $name: $out"
    else
        echo "not ok $n - $name"
        echo "# $out"
    fi
}
mount -t simplefs /dev/vda /mnt && mkdir /mnt/dir '/mnt/a b' && mount --bind /mnt '/mnt/a b' || exit 1
says 'by its mount point' 0 '^/mnt: 20480 blocks, were 15360$' resize.simplefs /mnt 80M
says 'and again' 0 '^/mnt: has 20480 blocks already$' resize.simplefs /mnt 80M
says 'by its device' 0 '^/dev/vda: 20481 blocks, were 20480$' resize.simplefs /dev/vda 20481
says 'by another mount' 0 '20482 blocks, were 20481$' resize.simplefs '/mnt/a b' 20482
says 'smaller' 1 'cannot be made smaller' resize.simplefs /mnt 60M
says 'larger than the device' 1 'its device has not so many' resize.simplefs /dev/vda 1T
says 'by a directory of it' 1 . resize.simplefs /mnt/dir 90M
says 'by a wrong size' 2 . resize.simplefs /mnt 9x
mount -o remount,ro /mnt
says 'read-only' 1 'cannot be made larger: Read-only file system' resize.simplefs /mnt 90M
mount -o remount,rw /mnt
says 'all of it' 0 '51200 blocks, were 20482$' resize.simplefs /mnt
umount '/mnt/a b' && umount /mnt
says 'not mounted' 0 'has 51200 blocks already$' resize.simplefs /dev/vda
says 'where nothing is mounted' 1 . resize.simplefs /mnt
echo "1..$n"
T
made 60M 200M -J size=4M
boot --module "$module" --add build/bin/resize.simplefs --add "$tmp/try:/try" --disk "$tmp/disk" -- sh /try
is "$status" 0 "resize.simplefs, mounted and not"
relay "the tool"
whole "the tool"

# A map that is damaged is found before anything is changed; and what was seen has to be repaired first.
made 60M 200M -J size=4M
"$edit" "$tmp/disk" rot 1
boot --module "$module" --add build/bin/resize.simplefs --disk "$tmp/disk" -- sh -c \
    'mount -t simplefs -o errors=continue /dev/vda /mnt && ! resize.simplefs /mnt && ! resize.simplefs /mnt && umount /mnt'
is "$status" 0 "a damaged volume does not grow"
is "$(grep -ac 'cannot be made larger: damage was seen on it' "$tmp/console")" 2 "and says why"
is "$(sizes)" "15360, 1 of 15360" "it has its size"

options=
for round in 1 4 9; do
    made 60M 9G -J size=4M
    grow many --kill-on "round $round"
    is "$status" 123 "pulled in round $round"
    boot --module "$module" --disk "$tmp/disk" -- sh -c "mount -t simplefs /dev/vda /mnt && umount /mnt"
    is "$status" 0 "recovered"
    whole "the plug"
    diag "$(sizes)"
    grow verify
    is "$status" 0 "and grown again"
    relay "after the plug"
    whole "after the plug"
    run build/bin/fsck.simplefs -fy "$tmp/disk"
    is "$status" 0 "no damage"
done

# Many zones: not all of their copies change at once.
made 20G 420G -J size=4M
grow zones --smp 2
is "$status" 0 "zones are begun"
relay "many zones"
is "$(sizes)" "110100480, 107 of 110100480" "each copy has the last size"
whole "many zones"
done_testing
