#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# tune, resize and fsck on a volume of several zones, interrupted at each of their writes by a power cut
# that tears it, or lets any part of what was not flushed arrive: label, UUID and size are the old ones or
# the new ones, fsck.simplefs -a and -fy lead to a volume in order with all files, also by a copy when
# block 0 goes as well. CUT= picks some; FSCK=, TUNE= and RESIZE= are tried in place of those built.
# shellcheck source=tests/tap/tap.sh
. "$(dirname "$0")/../tap/tap.sh"
make -s tools build/image/edit >"$tmp/make.log" 2>&1 || { cat "$tmp/make.log"; exit 1; }
gcc -shared -fPIC -O1 -Wall -Wextra -Werror -D_GNU_SOURCE -o "$tmp/fault.so" tests/cli/fault.c || exit 1
fsck=${FSCK:-build/bin/fsck.simplefs}
tune=${TUNE:-build/bin/tune.simplefs}
resize=${RESIZE:-build/bin/resize.simplefs}
edit=build/image/edit
zone=1032192

mkdir "$tmp/from"
for i in 1 2 3; do seq "$i" $((i * 900)) >"$tmp/from/file$i"; done

# volume SIZE ZONES MKFS-OPTION...: $tmp/old, of which so many zones are begun
volume()
{
    rm -f "$tmp/old"
    build/bin/mkfs.simplefs -q -L before -d "$tmp/from" "${@:3}" "$tmp/old" "$1" &&
        { [ "$2" = 1 ] || "$edit" "$tmp/old" zones "$2" /file1; } || exit 1
}

# lose BLOCK...: of $tmp/old
lose()
{
    local blk
    for blk; do dd if=/dev/zero of="$tmp/old" bs=4096 seek="$blk" count=1 conv=notrunc status=none; done
}

# cut NAME EXITS CHECK COMMAND...: the command on $tmp/img, made of $tmp/old, interrupted; CHECK is what a
# look at what is left may say, besides 0
cut()
{
    local name=$1 want=$2 check=$3
    shift 3
    cp --sparse=always "$tmp/old" "$tmp/img"
    rm -f "$tmp/record"
    run env FAULT_RECORD="$tmp/record" LD_PRELOAD="$tmp/fault.so" "$@"
    exits "$want" "$name: done"
    mv "$tmp/img" "$tmp/new"
    run env LD_PRELOAD="$tmp/fault.so" python3 tests/cli/cut.py "$fsck" "$tmp/record" "$tmp/old" "$tmp/new" \
        "$tmp/img" 1 "$check" "$tmp/from"
    is "$status" 0 "$name: interrupted" || diag "$out"
    like '^states [1-9][0-9]*, old [0-9]+, done [1-9][0-9]*, bad 0$' "$name: the one or the other (${out##*$'\n'})"
}

wants()
{
    [[ " ${CUT:-$1} " = *" $1 "* ]]
}

for journal in size=4M none; do
    if wants tune; then
        volume 17G 3 -J "$journal"
        cut "tune, journal $journal" 0 0 "$tune" -L after -U 01234567-89ab-4def-8012-3456789abcde -e panic "$tmp/img"
    fi
    if wants lost; then
        volume 17G 3 -J "$journal"
        lose 129 $((zone + 128))
        cut "fsck, copies lost, journal $journal" 1 4 "$fsck" -fy "$tmp/img"
    fi
    if wants block0; then
        volume 17G 3 -J "$journal"
        lose 0 $((zone + 128))
        cut "fsck, block 0 and a copy lost, journal $journal" 1 4 "$fsck" -y "$tmp/img"
    fi
    if wants behind; then
        volume 17G 3 -J "$journal"
        FAULT=KILL FAULT_AT=4 LD_PRELOAD="$tmp/fault.so" "$tune" -L after "$tmp/old"
        cut "fsck, copies behind, journal $journal" 0 0 "$fsck" -fy "$tmp/img"
    fi
done
# The second zone has eight groups of its own, and gets all of the others; a third is there then.
if wants resize; then
    volume 1290240 2 -J size=4M
    truncate -s 9G "$tmp/old"
    cut "resize over a zone's end" 0 4 "$resize" "$tmp/img"
fi
done_testing
