#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Every kernel of tests/kernels/list: fetched, built for in its own userland without a warning, booted,
# used, crashed, unloaded. What one kernel leaves after a crash, the next in the list recovers (the
# last leaves it to the first); what the oldest wrote the newest reads, and back. KERNELS= chooses
# some. The table goes to TABLE= (build/check/kernels.txt). A kernel that left the mirror is only
# reported, as long as another is there.
# shellcheck disable=SC2034
module=each-its-own
. "$(dirname "$0")/../vm/lib.sh"
program smoke
program stale
program churn
declare -A modules
table=${TABLE:-build/check/kernels.txt}
mkdir -p build/check
read -ra names <<<"${KERNELS:-$(tests/kernels/archive.py names)}"

printf "" >"$table"

row()
{
    printf '%-12s %-22s %-9s %-6s %-5s %-16s %8s %8s\n' "$@" >>"$table"
}

# build KERNEL: the module from a folder of its own, so that every warning is seen; 1 if there is none
build()
{
    local src=$tmp/src-$1 kdir
    mkdir "$src"
    cp -r src/Kbuild src/VERSION src/core src/kernel "$src"
    modules[$1]=$(tests/vm/build-module "$1" "$src" 2>"$tmp/make.log")
    case $? in
    0) ;;
    3)
        ok 0 "$1: $(tail -n 1 "$tmp/make.log") # SKIP"
        row "$1" - - gone - - - -
        unset "modules[$1]"
        return 1
        ;;
    *)
        ok 1 "$1: the module builds"
        diag "$(grep -E 'error|warning' "$tmp/make.log" || tail -n 5 "$tmp/make.log")"
        row "$1" - - FAILED - - - -
        unset "modules[$1]"
        return 1
        ;;
    esac
    kdir=$(tests/kernels/archive.py headers "$1")
    compiler=$(sed -n 's/^CC = .*)\(gcc-[0-9]*\)$/\1/p' "$kdir/.kernelvariables")
    warnings=$(grep -ci 'warning:' "$tmp/make.log")
    is "$warnings" 0 "$1: builds without a warning" || diag "$(grep -i -A 3 'warning:' "$tmp/make.log")"
}

# use KERNEL: one of everything on a new volume, which stays as $tmp/disk-KERNEL
use()
{
    run build/bin/mkfs.simplefs -q -J size=8M "$tmp/disk-$1" 256M
    is "$status" 0 "$1: mkfs"
    boot --append slub_debug=FZP --append kfence.sample_interval=20 --module "${modules[$1]}" \
        --add "$tmp/smoke" --add "$tmp/stale" --disk "$tmp/disk-$1" -- sh -c \
        'mount -t simplefs /dev/vda /mnt && smoke make /mnt && umount /mnt &&
        mount -t simplefs /dev/vda /mnt && smoke verify /mnt && smoke full /mnt &&
        mkdir /mnt/stale && stale /mnt/stale 2 && rm -r /mnt/stale && mkdir /mnt/churn && umount /mnt &&
        mount -t simplefs -o ro /dev/vda /mnt && smoke verify /mnt && umount /mnt &&
        rmmod simplefs && ! grep simplefs /proc/slabinfo'
    is "$status" 0 "$1: used, unmounted, unloaded; no complaint from the kernel"
    booted=$(grep -aq '^vm-start' "$tmp/console" && echo yes || echo NO)
    relay "$1"
    whole "$1" "$1: the structure is whole"
}

whole()
{
    run build/bin/dump.simplefs --check "$tmp/disk-$1"
    is "$status" 0 "$2" || diag "$out"
}

row kernel release compiler builds boots tests warnings seconds
for kernel in "${names[@]}"; do
    start=$SECONDS count=$tap_count failures=$tap_failures
    build "$kernel" || continue
    use "$kernel"
    failed=$((tap_failures - failures))
    row "$kernel" "$(tests/kernels/archive.py release "$kernel")" "$compiler" yes "$booted" \
        "$((tap_count - count - failed)) ok, $failed not" "$warnings" $((SECONDS - start))
done

# What is there to go on with, in the order of the list.
have=()
for kernel in "${names[@]}"; do
    [ -z "${modules[$kernel]-}" ] || have+=("$kernel")
done
[ ${#have[@]} -gt 0 ]
ok $? "kernels to go on with: ${have[*]-}"

# recover LEFT BY: the plug is pulled under LEFT, BY mounts what is there
recover()
{
    local synced
    cp --sparse=always "$tmp/disk-$1" "$tmp/disk-crash"
    kernel=$1
    boot --module "${modules[$1]}" --add "$tmp/churn" --disk "$tmp/disk-crash" --kill-on churning,900 -- \
        sh -c 'mount -t simplefs /dev/vda /mnt && churn make /mnt/churn 1'
    is "$status" 123 "$1: pulled in mid-write"
    synced=$(tr -d '\r' <"$tmp/console" | sed -n 's/^synced //p' | tail -n 1)
    kernel=$2
    boot --module "${modules[$2]}" --add "$tmp/smoke" --add "$tmp/churn" --disk "$tmp/disk-crash" -- \
        sh -c "mount -t simplefs /dev/vda /mnt && smoke verify /mnt &&
        churn verify /mnt/churn 1 ${synced:-0} && umount /mnt && rmmod simplefs"
    is "$status" 0 "left by $1, recovered by $2: ${synced:-0} synced files and all older ones"
    whole crash "left by $1, recovered by $2: the structure is whole"
}

# reads WRITER READER
reads()
{
    kernel=$2
    boot --module "${modules[$2]}" --add "$tmp/smoke" --disk "$tmp/disk-$1" -- sh -c \
        'mount -t simplefs /dev/vda /mnt && smoke verify /mnt && umount /mnt && rmmod simplefs'
    is "$status" 0 "written by $1, read by $2"
    relay "written by $1, read by $2"
    whole "$1" "written by $1, mounted by $2: the structure is whole"
}

for i in "${!have[@]}"; do
    recover "${have[i]}" "${have[(i + 1) % ${#have[@]}]}"
done
if [ ${#have[@]} -gt 1 ]; then
    reads "${have[0]}" "${have[-1]}"
    reads "${have[-1]}" "${have[0]}"
fi
done_testing
