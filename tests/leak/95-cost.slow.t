#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# What tracing adds to an allocation and its free, in instructions: the module's own, and those of
# others while it is loaded. Told, not judged: only that tracing costs something, and is over after.
. "$(dirname "$0")/twins.sh"
kernel=${SFS_KERNEL:-6.1}
for folder in twins cost; do
    mkdir -p "build/leak/$kernel/$folder"
    cp "tests/leak/$folder"/* "build/leak/$kernel/$folder/"
    tests/vm/build-module "$kernel" "build/leak/$kernel/$folder" >"$tmp/build.log" 2>&1
    ok $? "$folder: built" || diag "$(tail -n 20 "$tmp/build.log")"
done
cat >"$tmp/measure" <<'EOF'
echo "phase $1"
insmod /lib/meter.ko && rmmod meter
EOF
cat >"$tmp/try" <<'EOF'
sh /measure before
kmodleak meter -- sh /measure traced 2>&1
insmod_twin='insmod /lib/twin.ko kind=kmalloc && sh /measure untraced && rmmod twin'
kmodleak twin -- sh -c "$insmod_twin" 2>&1
sh /measure after
EOF
tests/vm/run-vm --kernel "$kernel" --icount --quiet --console "$tmp/console" --timeout 1800 --no-load \
    --module "build/leak/$kernel/twins/twin.ko" --module "build/leak/$kernel/cost/meter.ko" \
    --add build/bin/kmodleak --add "$tmp/try:/try" --add "$tmp/measure:/measure" \
    --append loglevel=7 -- sh /try >"$tmp/boot.log" 2>&1
is $? 0 "the machine ran" || diag "$(tail -n 5 "$tmp/boot.log")"
tr -d '\r' <"$tmp/console" | awk '/^phase / { phase = $2 } /meter: / { print phase, $(NF - 1), $NF }' >"$tmp/costs"
diag "$(column -t "$tmp/costs")"

# cost PHASE WHAT
cost()
{
    awk -v p="$1" -v w="$2" '$1 == p && $2 == w { print $3 }' "$tmp/costs"
}

for what in kmalloc page; do
    [ "$(cost traced $what)" -gt "$(cost before $what)" ] &&
        [ "$(cost traced $what)" -gt "$(cost untraced $what)" ]
    ok $? "$what: the module's own cost more than others', which cost more than untraced ones"
    diag "$what: +$(($(cost traced $what) - $(cost before $what))) instructions traced," \
        "+$(($(cost untraced $what) - $(cost before $what))) not the module's"
    [ "$(cost after $what)" -lt $(($(cost before $what) * 11 / 10)) ]
    ok $? "$what: afterwards nothing is left of it"
done
done_testing
