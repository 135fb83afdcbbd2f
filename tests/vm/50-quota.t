#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Usage by user, group and project is counted, kept to limits, and as true behind a pulled plug as before.
. "$(dirname "$0")/lib.sh"
program quota

# quota COMMANDS [OPTION]...: in one boot
quota()
{
    boot --module "$module" --kmod quota_v2 --add "$tmp/quota" --disk "$tmp/disk" "${@:2}" -- sh -c "$1"
}

# whole WHAT: the checker finds nothing
whole()
{
    run build/bin/fsck.simplefs -fn "$tmp/disk"
    is "$status" 0 "$1: structure and usage are whole" || diag "$out"
}

mount="mount -t simplefs /dev/vda /mnt"
limits="$mount -o usrquota,grpquota,prjquota"
for journal in size=8M none; do
    run build/bin/mkfs.simplefs -fq -J $journal -Q usr,grp,prj "$tmp/disk" 64M
    is "$status" 0 "mkfs, journal $journal"
    quota "$limits && quota limits /mnt /dev/vda && quota owners /mnt /dev/vda && quota crowd /mnt /dev/vda &&
        mount -o remount,ro /mnt && mount -o remount,rw /mnt && quota remounted /mnt /dev/vda &&
        umount /mnt && $mount && quota again /mnt /dev/vda && umount /mnt && rmmod simplefs"
    is "$status" 0 "limits, owners, a crowd; journal $journal"
    relay "journal $journal"
    whole "journal $journal"
done
quota "$limits && quota full /mnt /dev/vda && umount /mnt"
is "$status" 0 "a full volume"
relay "full"
whole "full"

run build/bin/mkfs.simplefs -fq -Q usr,grp,prj "$tmp/disk" 64M
for round in 1 5; do
    quota "$limits && quota pull /mnt /dev/vda" --kill-on "round $round"
    is "$status" 123 "pulled, round $round"
    whole "the plug, round $round"
    quota "$mount && quota recovered /mnt /dev/vda && umount /mnt"
    is "$status" 0 "recovered"
    relay "the plug, round $round"
    whole "recovered, round $round"
done
done_testing
