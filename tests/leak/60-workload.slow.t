#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The module as it is, under all that the other tests do with it, on each kernel and with each kind of
# journal: kmodleak has nothing to report. KERNELS= chooses.
module=- # each kernel has its own
. "$(dirname "$0")/../vm/lib.sh"
. "$(dirname "$0")/table.sh"
program smoke
program churn

cat >"$tmp/use" <<'EOF'
set -e
insmod /lib/simplefs.ko
# use DEVICE [OPTIONS]
use()
{
    mount -t simplefs $2 $1 /mnt
    smoke make /mnt
    mkdir /mnt/churn
    churn make /mnt/churn 1 | sed 30q >/dev/null || :
    umount /mnt
    mount -t simplefs $2 $1 /mnt
    smoke verify /mnt
    ls -lR /mnt >/dev/null
    rm -rf /mnt/many
    umount /mnt
}
use /dev/vda
use /dev/vdb
use /dev/vdc "-o journal_path=/dev/vdd"
! mount -t simplefs /dev/vdc /mnt
# Many at once: where the kernel preempts, one's tracing is cut short by another's.
mount -t simplefs /dev/vda /mnt
for i in 1 2 3 4 5 6; do
    mkdir /mnt/worker$i
    { churn make /mnt/worker$i 1 | sed 60q >/dev/null || :; } &
done
wait
umount /mnt
mount -t simplefs /dev/vda /mnt
smoke full /mnt
umount /mnt
mount -t simplefs -o ro /dev/vda /mnt
find /mnt -type f -exec cat {} + >/dev/null
umount /mnt
rmmod simplefs
EOF

boot_workload()
{
    rm -f "$tmp"/disk-?
    truncate -s 16M "$tmp/disk-d"
    for disk in a b c; do truncate -s 256M "$tmp/disk-$disk"; done
    build/bin/mkfs.simplefs -q "$tmp/disk-a" && build/bin/mkfs.simplefs -q -J none "$tmp/disk-b" &&
        build/bin/mkfs.simplefs -fq -J device="$tmp/disk-d" "$tmp/disk-c"
    ok $? "$kernel: three volumes"
    boot --timeout 2400 --mem 1536M --no-load --module "$module" --add build/bin/kmodleak \
        --add "$tmp/smoke" --add "$tmp/churn" --add "$tmp/use:/use" --disk "$tmp/disk-a" \
        --disk "$tmp/disk-b" --disk "$tmp/disk-c" --disk "$tmp/disk-d" -- kmodleak simplefs -- sh /use
}

for kernel in ${KERNELS:-6.1 6.12 7.2 7.3}; do
    module=$(tests/vm/build-module "$kernel" 2>"$tmp/make.log")
    ok $? "$kernel: the module is built" || { diag "$(tail -n 20 "$tmp/make.log")"; continue; }
    boot_workload
    relay "$kernel"
    got=$(tr -d '\r' <"$tmp/console" | sed -n 's/^kmodleak: simplefs: //p' | tail -n 1)
    [ "$status" = 0 ] && grep -q '^clean' <<<"$got"
    if ok $? "$kernel: the whole workload: ${got:-no verdict}"; then
        row workload clean clean right
    else
        diag "$(tail -n 60 "$tmp/console" | tr -d '\r')"
        row workload clean "${got:-nothing}" false
    fi
done
done_testing
