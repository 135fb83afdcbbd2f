# SPDX-License-Identifier: GPL-2.0-only
# What the churn tests share: one run in a machine of its own, and all that must be true afterwards.
# shellcheck shell=bash
. "$(dirname "${BASH_SOURCE[0]}")/../vm/lib.sh"
program churn churn tests/churn/churn_*.c

# churn_boot SIZE JOURNAL SEED WORKERS SECONDS [MODE]...: the disk stays in $tmp/disk
churn_boot()
{
    rm -f "$tmp/disk"
    run build/bin/mkfs.simplefs -q -J "$2" "$tmp/disk" "$1"
    is "$status" 0 "mkfs -J $2, $1" || diag "$out"
    boot --timeout $((600 + 4 * $5)) --smp 2 --module "$module" --add "$tmp/churn" --disk "$tmp/disk" -- sh -c \
        "mount -t simplefs /dev/vda /mnt && churn $3 $4 $5 /mnt ${*:6}; s=\$?
        umount /mnt && [ \$s = 0 ] && mount -t simplefs /dev/vda /mnt && churn verify /tmp/churn.state /mnt &&
        umount /mnt && rmmod simplefs && ! grep simplefs /proc/slabinfo"
}

# churn WHAT SIZE JOURNAL SEED WORKERS SECONDS [MODE]...
churn()
{
    churn_boot "${@:2}"
    relay "$1"
    is "$status" 0 "$1: unmounted, mounted, compared, unloaded, nothing left in slabinfo; no complaint"
    run grep -aiE 'shut down|corrupt|abort|not everything reached' "$tmp/console"
    is "$out" '' "$1: no word of trouble from the module"
    run build/bin/fsck.simplefs -n -f "$tmp/disk"
    is "$status" 0 "$1: fsck finds nothing" || diag "$out"
}
