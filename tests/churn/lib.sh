# SPDX-License-Identifier: GPL-2.0-only
# What the churn tests share: one run in a machine of its own, and all that must be true afterwards.
# shellcheck shell=bash
. "$(dirname "${BASH_SOURCE[0]}")/../vm/lib.sh"
program churn churn tests/churn/churn_*.c

# What make check tries, and for how long each; mutants have to be found by that.
# SIZE JOURNAL WORKERS [MODE]...
# shellcheck disable=SC2034
short_runs=('256M size=4M 2 remount quota' '256M size=4M 8 drop discard' '64M size=4M 2 links' '64M size=4M 2 full links'
    '64M size=4M 8 full drop discard quota' '64M size=4M 4 full drop discard grow')
# shellcheck disable=SC2034
short_seconds=${CHURN_SECONDS:-25}

# What the disk is like, in the words of run-vm --disk, and its name then
disk_words=
disk_name=vda

# churn_boot SEED SECONDS SIZE JOURNAL WORKERS [MODE]...: the disk stays in $tmp/disk. The mode discard is
# a mount option, with the mode quota usage is counted (fsck then counts it, too), the others are the
# program's.
churn_boot()
{
    local options= modes=" ${*:6} "
    case $modes in *' discard '*) options='-o discard' modes=${modes/ discard / } ;; esac
    local quotas=() format=()
    case $modes in *' quota '*) quotas=(-Q usr,grp,prj) format=(--kmod quota_v2) modes=${modes/ quota / } ;; esac
    rm -f "$tmp/disk"
    build/bin/mkfs.simplefs -q -J "$4" "${quotas[@]}" "$tmp/disk" "$3" || exit 1
    case $modes in *' grow '*) truncate -s 5G "$tmp/disk" ;; esac
    boot --timeout $((600 + 4 * $2)) --smp 2 --module "$module" --add "$tmp/churn" "${format[@]}" \
        --disk "$tmp/disk$disk_words" -- sh -c \
        "cd /sys/block/$disk_name/queue 2>/dev/null && echo disk: \$(cat logical_block_size write_cache fua)
        cd /
        mount -t simplefs $options /dev/$disk_name /mnt && churn $1 $5 $2 /mnt $modes; s=\$?
        umount /mnt && [ \$s = 0 ] && mount -t simplefs /dev/$disk_name /mnt &&
        churn verify /tmp/churn.state /mnt &&
        umount /mnt && rmmod simplefs && ! grep simplefs /proc/slabinfo"
}

# What the module said that it must not say, in $out
churn_words()
{
    run grep -aiE 'shut down|corrupt|abort|not everything reached' "$tmp/console"
}

# churn WHAT SEED SECONDS SIZE JOURNAL WORKERS [MODE]...
churn()
{
    churn_boot "${@:2}"
    relay "$1"
    is "$status" 0 "$1: unmounted, mounted, compared, unloaded, nothing left in slabinfo; no complaint" ||
        diag "$(tr -d '\r' <"$tmp/console" | grep -av '^# .*refused' | tail -n 40)"
    churn_words
    is "$out" '' "$1: no word of trouble from the module"
    run build/bin/fsck.simplefs -n -f "$tmp/disk"
    is "$status" 0 "$1: fsck finds nothing" || diag "$out"
}
