#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# A volume gets labels while it is mounted: in block 0 and in all copies, also of zones that are begun
# meanwhile; behind a plug that is pulled there is one of two labels and nothing to repair.
. "$(dirname "$0")/lib.sh"
program label vm -pthread

# label WHAT [OPTION]...: in one boot, on the volume
label()
{
    boot --module "$module" --add "$tmp/label" --disk "$tmp/disk" "${@:2}" -- sh -c \
        "mount -t simplefs /dev/vda /mnt && label $1 /mnt && umount /mnt && rmmod simplefs"
}

# labels: how many zones have which label in their copy of the superblock; and the superblock's own
labels()
{
    python3 - "$tmp/disk" <<'E'
import collections, struct, sys
ZONE = 1032192
def text(block):
    return block[72:136].rstrip(b"\0").decode()
with open(sys.argv[1], "rb") as disk:
    sup = disk.read(4096)
    have = collections.Counter()
    for zone in range(struct.unpack_from("<Q", sup, 176)[0]):
        disk.seek((zone * ZONE + 128 + (zone == 0)) * 4096)
        have[text(disk.read(4096))] += 1
print(text(sup), *(f"{n} {label}" for label, n in sorted(have.items())), sep=", ")
E
}

# whole WHAT: the checker finds nothing
whole()
{
    run build/bin/fsck.simplefs -fn "$tmp/disk"
    is "$status" 0 "$1: the structure is whole" || diag "$out"
}

for journal in size=4M none; do
    run build/bin/mkfs.simplefs -fq -L first -J "$journal" "$tmp/disk" 32M
    is "$status" 0 "mkfs, journal $journal"
    label use --smp 2
    is "$status" 0 "used, unmounted, unloaded"
    relay "use, journal $journal"
    is "$(labels)" "before, 1 before" "the copy of the superblock has the last label"
    whole "use"
done

# The tool asks the kernel, where the volume is mounted.
cat >"$tmp/try" <<'E'
mount -t simplefs /dev/vda /mnt && mkdir '/mnt/a b' && mount --bind /mnt '/mnt/a b' || exit 1
tune.simplefs -L tuned /dev/vda || exit 1
label is tuned /mnt || exit 1
tune.simplefs -L other -e panic /dev/vda && exit 1
tune.simplefs -U random /dev/vda && exit 1
mount -o remount,ro /mnt && tune.simplefs -L other /dev/vda && exit 1
umount '/mnt/a b' && umount /mnt && tune.simplefs -L 'not mounted' /dev/vda
E
boot --module "$module" --add "$tmp/label" --add build/bin/tune.simplefs --add "$tmp/try:/try" --disk "$tmp/disk" -- sh /try
is "$status" 0 "tune.simplefs, mounted and not"
relay "tune"
grep -q 'mounted, and its label cannot be changed: Read-only file system' "$tmp/console"
ok $? "who is refused is told why"
is "$(grep -c 'in use, and only an unmounted volume can be changed' "$tmp/console")" 2 "all else wants no mount"
is "$(labels)" "not mounted, 1 not mounted" "what it has called it"

# Many zones: not all of their copies change at once.
rm -f "$tmp/disk"
run build/bin/mkfs.simplefs -q -J size=4M -L first "$tmp/disk" 420G
is "$status" 0 "mkfs of 420 GiB"
label grow --smp 2
is "$status" 0 "zones are begun"
relay "growth"
is "$(labels)" "grown, 107 grown" "each copy has the last label"
whole "growth"
label many --kill-on "round 7"
is "$status" 123 "pulled in the middle"
boot --module "$module" --disk "$tmp/disk" -- sh -c "mount -t simplefs /dev/vda /mnt && umount /mnt"
is "$status" 0 "recovered"
diag "$(labels)"
now=$(labels | sed 's/,.*//')
grep -qE '^(grown|round [0-7])$' <<<"$now"
ok $? "it is called '$now'"
whole "the plug"
run build/bin/fsck.simplefs -fy "$tmp/disk"
is "$status" 0 "no damage"
is "$(labels)" "$now, 107 $now" "and all copies have that label then"
done_testing
