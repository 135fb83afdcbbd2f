#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# What the README claims against ext4 and XFS: the same program, kernel and machine, counted in
# instructions an operation. NAMES= is the size of the directory.
. "$(dirname "$0")/lib.sh"
program cost
names=${NAMES:-10000}

make_volume()
{
    truncate -s 0 "$tmp/disk"
    truncate -s 2G "$tmp/disk"
    case $1 in
    simplefs) run build/bin/mkfs.simplefs -fq "$tmp/disk" ;;
    # Not its lazy tables: what they put off would be counted with the first operations.
    ext4) run mkfs.ext4 -Fq -E lazy_itable_init=0,lazy_journal_init=0 "$tmp/disk" ;;
    xfs) run mkfs.xfs -fq "$tmp/disk" ;;
    esac
    is "$status" 0 "$1: mkfs" || diag "$out"
}

# cost_of FS WHAT SIZE
cost_of()
{
    awk -v what="$2" -v size="$3" '$1 " " $2 == "# cost" {
        n = $NF; at = $(NF - 1); sub(/^# cost /, ""); sub(/ +[0-9]+ +[0-9]+$/, "")
        if ($0 == what && at == size) print n
    }' "$tmp/$1.cost"
}

# below OTHER WHAT SIZE
below()
{
    local ours theirs
    ours=$(cost_of simplefs "$2" "$3")
    theirs=$(cost_of "$1" "$2" "$3")
    [ -n "$ours" ] && [ -n "$theirs" ] && [ "$ours" -lt "$theirs" ]
    ok $? "$2 at $3: simplefs ${ours:-?}, $1 ${theirs:-?} instructions"
}

for fs in simplefs ext4 xfs; do
    make_volume "$fs"
    [ "$fs" = simplefs ] && load=(--module "$module") || load=(--kmod "$fs")
    boot --timeout 3000 --icount --mem 2G "${load[@]}" --add "$tmp/cost" --disk "$tmp/disk" -- \
        sh -c "mount -t $fs /dev/vda /mnt && cost /mnt $names && umount /mnt"
    is "$status" 0 "$fs: used and unmounted"
    grep -a '^# cost' "$tmp/console" | tr -d '\r' >"$tmp/$fs.cost"
done
printf '# %-14s %7s %10s %10s %10s\n' operation size simplefs ext4 xfs
sed 's/^# cost //; s/ *[0-9]*$//; s/ \+\([0-9]*\)$/|\1/' "$tmp/simplefs.cost" |
    while IFS='|' read -r what size; do
        printf '# %-14s %7s %10s %10s %10s\n' "$what" "$size" "$(cost_of simplefs "$what" "$size")" \
            "$(cost_of ext4 "$what" "$size")" "$(cost_of xfs "$what" "$size")"
    done
for what in create lookup rename unlink; do
    below ext4 "$what" "$names"
    below xfs "$what" "$names"
done
below ext4 'append 64K' 100
done_testing
