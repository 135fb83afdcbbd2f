# SPDX-License-Identifier: GPL-2.0-only
# The twins on one kernel: all that give back in one run of kmodleak, all that leak in another, each
# in three cycles, one more than the machine has processors, for some make the kernel keep
# something of its own on each.
# Each kind must be found by its allocator and the function that took it, and nothing else be named.
# shellcheck shell=bash
. "$(dirname "${BASH_SOURCE[0]}")/../tap/tap.sh"
. "$(dirname "${BASH_SOURCE[0]}")/table.sh"
make -s tools >"$tmp/make.log" 2>&1 || { cat "$tmp/make.log"; echo "Bail out! the build fails"; exit 1; }

# Kind, the allocator that must be named, and the function, if it is not take_KIND.
twins='kmalloc kmalloc
large kmalloc
kvmalloc kmalloc
string kmalloc
nolock kmalloc
many kmalloc
shared bio
cache cache
merged cache
merging cache
own slab (mempool_resize|mempool_alloc_slab)
bulk slab
bulk_free kmalloc
pages pages
folio pages
exact pages
split pages
order pages
exact_less pages
held_block pages
unmap_less vm_map_ram
page_bulk pages
page_ref pages
percpu percpu
counter percpu
tail percpu (take_tail|do_one_initcall)
vmalloc vmalloc
vmap vmalloc
vm_map_ram vm_map_ram
rcu kmalloc
kfree_rcu kmalloc
kvfree_rcu vmalloc
work kmalloc
timer kmalloc
thread kmalloc
xarray slab
kobject kmalloc
workqueue kmalloc
path slab
buffer buffer
probe kmalloc
event kmalloc
packet slab
connect kmalloc
file kmalloc take_file_opened
init kmalloc
failing kmalloc'

cat >"$tmp/use-twins" <<'EOF'
#!/bin/sh
# Loads and unloads each kind of twin. usage: use-twins 0|1 KIND...; one that fails by design says so.
leak=$1
shift
for kind; do
    if insmod /lib/twin.ko "kind=$kind" "leak=$leak" 2>/dev/null; then
        [ ! -e /proc/kmodleak_twin ] || cat /proc/kmodleak_twin >/dev/null
        rmmod twin || exit 1
    elif [ "$kind" != failing ]; then
        echo "$kind: not loaded"
        exit 1
    fi
done
EOF
chmod +x "$tmp/use-twins"

# report FIRST-LINE-REGEX: the JSON of the console that follows such a line
json_after()
{
    tr -d '\r' <"$tmp/console" | awk -v from="$1" '$0 ~ from { on = 1 } on && /^[{ }]/ { print }
        on && /^}$/ { exit }' | grep -v '^\['
}

# guilty NAME: "allocator function" of each leak in the JSON file, a line each
guilty()
{
    python3 - "$1" <<'EOF'
import json, sys
for leak in json.load(open(sys.argv[1]))["leaks"]:
    print(leak["allocator"], leak.get("function", "?"))
EOF
}

# boot_twins MODULE LEAK KIND...: exit of kmodleak in $code, its report in $tmp/report
boot_twins()
{
    local module=$1 leak=$2
    shift 2
    rm -f "$tmp/disk" && truncate -s 16M "$tmp/disk"
    gcc -std=gnu11 -D_GNU_SOURCE -O2 -Wall -Wextra -Werror -static -o "$tmp/listener" tests/leak/options/listener.c
    tests/vm/run-vm --kernel "$kernel" --quiet --console "$tmp/console" --timeout 1800 --no-load \
        --module "$module" --add build/bin/kmodleak --add "$tmp/use-twins" --add "$tmp/listener" --disk "$tmp/disk" -- \
        sh -c "listener >/dev/null & kmodleak --json --cycles 3 twin -- use-twins $leak $*; echo twins-exit \$?" >"$tmp/boot.log" 2>&1
    status=$?
    code=$(tr -d '\r' <"$tmp/console" | sed -n 's/^twins-exit //p')
    json_after '^vm-start' >"$tmp/report"
}

# try_twins: both verdicts of every kind on $kernel
try_twins()
{
    local module kind allocator function kinds clean
    mkdir -p "build/leak/$kernel/twins"
    cp tests/leak/twins/* "build/leak/$kernel/twins/"
    module=$(tests/vm/build-module "$kernel" "build/leak/$kernel/twins" 2>"$tmp/build.log")
    ok $? "$kernel: the twins are built" || { diag "$(tail -n 20 "$tmp/build.log")"; return; }
    kinds=$(awk '{print $1}' <<<"$twins")

    # shellcheck disable=SC2086
    boot_twins "$module" 0 $kinds
    is "$status" 0 "$kernel: the machine is content with those that give back"
    clean=$code
    is "$clean" 0 "$kernel: nothing is reported of those" || diag "$(cat "$tmp/report")"
    guilty "$tmp/report" >"$tmp/false"
    # shellcheck disable=SC2086
    boot_twins "$module" 1 $kinds
    is "$status" 0 "$kernel: the machine is content with those that leak"
    is "$code" 1 "$kernel: those are reported" || diag "$(tail -n 20 "$tmp/console")"
    guilty "$tmp/report" >"$tmp/found"

    while read -r kind allocator function; do
        if [ "$clean" != 0 ] && { [ "$clean" != 1 ] || grep -Eqw "(take|give)_$kind" "$tmp/false"; }; then
            row "twin $kind, gives back" clean "exit $clean" false
        else
            row "twin $kind, gives back" clean clean right
        fi
        if grep -Eqx "$allocator ${function:-take_$kind}" "$tmp/found"; then
            ok 0 "$kernel: $kind: found, by its function"
            row "twin $kind, leaks" leak leak right
        else
            ok 1 "$kernel: $kind: found, by its function"
            row "twin $kind, leaks" leak nothing missed
        fi
    done <<<"$twins"
    awk '{print $2}' "$tmp/found" | sort -u | sed 's/^take_//; s/_opened$//; s/^do_one_initcall$/tail/; s/^mempool_\(resize\|alloc_slab\)$/own/' |
        grep -vxF "$kinds" >"$tmp/others"
    is "$(cat "$tmp/others")" "" "$kernel: nobody else is named"
}

# The twins that make the kernel complain: a cache goes with an object in it.
try_destroyed()
{
    local module=build/leak/$kernel/twins/twin.ko kind
    for kind in destroyed succeeded; do
        boot_twins "$module" 1 $kind
        guilty "$tmp/report" | grep -qx "slab take_$kind"
        if ok $? "$kernel: $kind: an object of a cache that is gone is found"; then
            row $kind leak leak right
        else
            row $kind leak nothing missed
        fi
    done
}
