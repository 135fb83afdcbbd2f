#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Ranges taken out of files and room made in them: what may not be asked, what moves, against a model
# of the bytes, on a full volume, and with the plug pulled between transactions. SEED= changes what is done.
. "$(dirname "$0")/lib.sh"
program shifts
program moved
seed=${SEED:-1}

# boots COMMAND [OPTION]...: in one boot, on the volume
boots()
{
    boot --module "$module" --add "$tmp/shifts" --add "$tmp/moved" --disk "$tmp/disk" "${@:2}" -- sh -c \
        "mount -t simplefs /dev/vda /mnt && $1 && umount /mnt && rmmod simplefs"
}

# whole WHAT: the checker finds nothing
whole()
{
    run build/bin/fsck.simplefs -fn "$tmp/disk"
    is "$status" 0 "$1: the structure is whole" || diag "$out"
}

# The smallest journal: a file of thousands of records takes many transactions.
run build/bin/mkfs.simplefs -q -J size=4M "$tmp/disk" 256M
is "$status" 0 "mkfs"
boots "shifts use /mnt"
is "$status" 0 "used, unmounted, unloaded"
relay "use"
whole "use"
boots "shifts random /mnt $seed"
is "$status" 0 "changed in every way"
relay "random"
whole "random"
boots "shifts verify /mnt && moved make /mnt"
is "$status" 0 "mounted again"
relay "what is left"
for word in "room 3" "gone 6" "room 11"; do
    boots "moved pull /mnt" --kill-on "$word"
    is "$status" 123 "pulled after '$word'"
    boots "moved verify /mnt"
    is "$status" 0 "recovered"
    relay "pulled after '$word'"
    whole "pulled after '$word'"
done

run build/bin/mkfs.simplefs -f -q -J size=4M "$tmp/disk" 12M
is "$status" 0 "mkfs of a small one"
boots "shifts full /mnt"
is "$status" 0 "filled"
relay "full"
whole "full"
done_testing
