#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# What the size of a volume costs, nearly full: a mount after a crash, the first writes and those after
# them, in instructions and requests. SIZES= (1T 8T; a file of ext4 ends below 16T,
# one of a tmpfs does not: with TMPDIR there 100T take 14 GB).
. "$(dirname "$0")/lib.sh"
program large vm
make -s build/image/filled >"$tmp/make.log" 2>&1 || { cat "$tmp/make.log"; echo "Bail out! the build fails"; exit 1; }
read -ra sizes <<<"${SIZES:-1T 8T}"

# figure N STEP [NTH]: of the last machine, the Nth time; 1: instructions, 2: reads
figure()
{
    awk -v what="$2" -v nth="${3:-1}" -v n="$1" '/^# large / {
        step = $3; for (i = 4; i <= NF - 4; i++) step = step " " $i
        if (step == what && !--nth) print $(NF - 4 + n) }' "$tmp/figures"
}

for size in "${sizes[@]}"; do
    rm -f "$tmp/disk"
    truncate -s "$size" "$tmp/disk" || { ok 0 "$size: no file of that size here # SKIP"; continue; }
    run build/bin/mkfs.simplefs -fq "$tmp/disk"
    is "$status" 0 "$size: mkfs"
    run build/image/filled "$tmp/disk" 3
    is "$status" 0 "$size: filled" || diag "$out"
    diag "$size: $out"
    zones=${out%% *}
    boot --timeout 6000 --icount --mem 2G --module "$module" --add "$tmp/large" --disk "$tmp/disk" -- \
        sh -c 'large /dev/vda /mnt && rmmod simplefs'
    relay "$size"
    is "$status" 0 "$size: unmounted and unloaded"
    tr -d '\r' <"$tmp/console" | grep -a '^# large' | tee "$tmp/figures"
    [ "$(figure 2 mount)" -le $((zones + 16)) ]
    ok $? "$size: a mount after a crash reads a block for each of $zones zones ($(figure 2 mount))"
    [ "$(figure 2 'mount clean')" -le 16 ]
    ok $? "$size: a clean one reads a few ($(figure 2 'mount clean'))"
    [ "$(figure 2 '1 MiB again')" -le 256 ]
    ok $? "$size: a MiB in single blocks reads no more than their maps ($(figure 2 '1 MiB again'))"
    now=$(figure 1 '1 MiB again')
    [ "$now" -lt $((2 * ${first:=$now})) ]
    ok $? "$size: and takes $now instructions, at ${sizes[0]} $first"
done
done_testing
