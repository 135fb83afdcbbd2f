#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# tune.simplefs: each option changes what it says and nothing else; what must not be touched stays.
# shellcheck source=tests/tap/tap.sh
. "$(dirname "$0")/../tap/tap.sh"
make -s tools >"$tmp/make.log" 2>&1 || { cat "$tmp/make.log"; exit 1; }
tune=build/bin/tune.simplefs
run build/bin/mkfs.simplefs -q -L before "$tmp/disk" 32M
is "$status" 0 'a volume'

# shown: the superblock, without what every change changes
shown()
{
    build/bin/dump.simplefs "$1" | grep -Ev '^ *(crc|seq|sequence|errors|write.time): '
}

# changes REGEX OPTIONS...: exit 0, a volume in order, and the lines that match are all that differ
changes()
{
    local expect=$1
    shift
    shown "$tmp/disk" >"$tmp/before"
    run "$tune" "$@" "$tmp/disk"
    is "$status$out" 0 "tune $*"
    shown "$tmp/disk" >"$tmp/after"
    is "$(diff "$tmp/before" "$tmp/after" | grep -c '^>')" 1 "tune $*: one line is another"
    run diff "$tmp/before" "$tmp/after"
    like "^> *$expect" "tune $*: the one meant"
    run build/bin/fsck.simplefs -fn "$tmp/disk"
    is "$status" 0 "tune $*: a volume in order" || diag "$out"
}

# refuses STATUS REGEX ARGUMENTS...: and leaves the volume to the bit
refuses()
{
    leaves "$tmp/disk" "$1" "$2" "tune ${*:3}" "$tune" "${@:3}"
}

changes 'label: .*after' -L after
changes 'label: ' -L ''
changes "label: .*$(printf 'ä%.0s' {1..32})" -L "$(printf 'ä%.0s' {1..32})"
changes 'uuid: *0123456789ab4def80123456789abcde|uuid: .*01234567-89ab-4def-8012-3456789abcde' \
    -U 01234567-89ab-4def-8012-3456789abcde
changes 'uuid: ' -U random
changes 'uuid: ' --uuid=clear
changes 'errors_name: "panic"' --errors panic
changes 'errors_name: "continue"' -e continue

refuses 2 'nothing to change' "$tmp/disk"
refuses 2 'not a UUID' -U 0123 "$tmp/disk"
refuses 2 'is UTF-8, this is not' -L $'\xff' "$tmp/disk"
refuses 2 'longer than 64 bytes' -L "$(printf 'x%.0s' {1..65})" "$tmp/disk"
refuses 2 'continue.remount-ro.panic, not' -e never "$tmp/disk"
refuses 1 'No such file' -L x "$tmp/none"
exec 8<"$tmp/disk"
flock 8
refuses 1 'another program has locked it' -L x "$tmp/disk"
exec 8<&-

gcc -shared -fPIC -O1 -Wall -Wextra -Werror -D_GNU_SOURCE -o "$tmp/fault.so" tests/cli/fault.c || exit 1
run env LD_PRELOAD="$tmp/fault.so" FAULT=EIO FAULT_AT=2 "$tune" -L other "$tmp/disk"
is "$status" 3 'a superblock of which is not known whether it is lasting' || diag "$out"
like 'cannot be written: Input/output error' 'is told'
run build/bin/dump.simplefs "$tmp/disk"
like '^ *label: "other"$' 'for it may be there'

# The journal of another device knows the UUID, and is nobody's with another.
new=01234567-89ab-4def-8012-3456789abcdf
truncate -s 8M "$tmp/log"
run build/bin/mkfs.simplefs -qf -J device="$tmp/log" "$tmp/disk" 32M
is "$status" 0 'a volume with a journal elsewhere'
cp "$tmp/disk" "$tmp/copy"
cp "$tmp/log" "$tmp/log.was"
refuses 1 'name it with -j' -U $new "$tmp/disk"
run "$tune" -L name "$tmp/disk"
is "$status" 0 'for a label it need not be named'
head -c 8M /dev/zero >"$tmp/other"
refuses 1 'no empty journal of .*: no journal' -U $new -j "$tmp/other" "$tmp/disk"
run "$tune" -U $new -j "$tmp/log" "$tmp/disk"
is "$status$out" 0 'tune -U -j'
run build/bin/fsck.simplefs -f -j "$tmp/log" "$tmp/disk"
is "$status" 0 'is still its journal' || diag "$out"
leaves "$tmp/copy" 8 'a volume with another UUID' 'and not that of a copy' build/bin/fsck.simplefs -f -j "$tmp/log" "$tmp/copy"
run "$tune" -U $new -j "$tmp/log" "$tmp/copy"
is "$status" 0 'a run that was cut short is repeated'
run build/bin/fsck.simplefs -f -j "$tmp/log" "$tmp/copy"
is "$status" 0 'and the journal is taken along' || diag "$out"
cp "$tmp/log.was" "$tmp/log"
refuses 1 'a volume with another UUID' -U random -j "$tmp/log" "$tmp/disk"
run build/bin/mkfs.simplefs -qf "$tmp/disk" 32M
is "$status" 0 'a volume with its own'

# What is no volume, or one whose journal may have the last word.
make -s build/image/edit >"$tmp/make.log" 2>&1 || cat "$tmp/make.log"
cp "$tmp/disk" "$tmp/whole"
build/image/edit "$tmp/disk" super state 0
refuses 1 'not unmounted cleanly' -L x "$tmp/disk"
cp "$tmp/whole" "$tmp/disk"
build/image/edit "$tmp/disk" super ro_compat 0x100
refuses 1 'features that this version does not know' -L x "$tmp/disk"
cp "$tmp/whole" "$tmp/disk"
printf 'X' | dd of="$tmp/disk" bs=1 seek=100 conv=notrunc status=none
refuses 1 'its superblock is damaged' -L x "$tmp/disk"
truncate -s 0 "$tmp/disk" && truncate -s 32M "$tmp/disk"
refuses 1 'no simplefs is there' -L x "$tmp/disk"
done_testing
