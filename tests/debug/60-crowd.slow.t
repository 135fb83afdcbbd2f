#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The crowd of tests/crash in a kernel that watches its memory, while allocations or requests fail under
# it: once, or from some point on for good. Afterwards the volume, replayed and checked, must hold what
# had been promised to each worker until it stopped, and no bytes of another's.
# SEED= and OPS= (300 for each worker).
. "$(dirname "$0")/lib.sh"
make -s crash-bins >"$tmp/make.log" 2>&1 || { cat "$tmp/make.log"; echo "Bail out! the build fails"; exit 1; }
crowd=$PWD/build/crash
seed=${SEED:-1}
ops=${OPS:-300}
workers=3

# What may fail is what simplefs asks for, directly or not; the end of its code is not told, so generously.
cat >"$tmp/aim" <<'EOF'
start=$(cat /sys/module/simplefs/sections/.text)
first=$(sed -n 's/ . _proc_mkdir$//p' /proc/kallsyms)
last=$(sed -n 's/ . remove_proc_entry$//p' /proc/kallsyms)
for knobs in /sys/kernel/debug/failslab /sys/kernel/debug/fail_page_alloc; do
    cd $knobs
    echo 0 >verbose
    echo 32 >stacktrace-depth
    echo $start >require-start
    echo $((start + 0x100000)) >require-end
    echo 0x$first >reject-start
    echo 0x$last >reject-end
    echo 0 >ignore-gfp-wait
    echo -1 >times
    echo $1 >probability
done
cd /sys/kernel/debug/fail_page_alloc && echo 0 >min-order
EOF
cat >"$tmp/requests" <<'EOF'
cd /sys/kernel/debug/fail_make_request
echo 0 >verbose
echo $1 >space
echo $2 >times
echo 1 >/sys/block/ubda/make-it-fail
echo 100 >probability
EOF

# under WHAT KNOBS OFF [MKFS-ARGUMENT]...: the crowd runs after the shell command KNOBS; OFF ends it
under()
{
    volume 96 "${@:4}"
    truncate -s 64M "$tmp/marks"
    boot --timeout 3000 --mem 512M --module "$module" --add "$crowd/ops" --add "$programs/aim:/aim" \
        --add "$programs/requests:/requests" --disk "$tmp/disk" --disk "$tmp/marks" -- sh -c \
        "mount -t simplefs /dev/vda /mnt && $2 && ops /dev/vdb /mnt $seed $ops $workers faults; s=\$?
        $3; umount /mnt; [ \$s = 0 ] && rmmod simplefs"
    is "$status" 0 "$1: $(grep -ac 'stops after' "$tmp/console") of $workers were stopped; no complaint"
    run "$crowd/replay-log" -m -c "$workers" "$tmp/marks" "$seed" "$ops" "$tmp/disk"
    is "$status" 0 "$1: $(tail -n 1 <<<"$out")" || diag "$out"
}

allocation()
{
    under "$1" 'sh /aim 1' 'sh /aim 0' "${@:2}"
    is "$(grep -ac 'stops after' "$tmp/console")" 0 "$1: none was stopped"
}

# requests WHAT KIB TIMES: one request fails after so much, or so many
requests()
{
    under "$1" "sh /requests $(($2 * 1024)) $3" 'echo 0 >/sys/kernel/debug/fail_make_request/probability'
}

beside allocation "allocations"
beside allocation "allocations, no journal" -J none
for kib in 100 400 900 1600 3000 5000; do
    beside requests "a request after $kib KiB" "$kib" 1
    beside requests "all requests after $kib KiB" "$kib" 1000000
done
together
done_testing
