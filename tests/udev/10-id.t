#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# simplefs_id: what it says of a volume, that it says nothing of anything else, and never crashes.
# shellcheck source=tests/tap/tap.sh
. "$(dirname "$0")/../tap/tap.sh"
make -s tools build/san/simplefs_id >"$tmp/make.log" 2>&1 || { cat "$tmp/make.log"; exit 1; }
id=build/san/simplefs_id
uuid=3d5c9a0e-8f2b-4c77-9a43-0f6f2a1b7c9d
img=$tmp/img

# volume ARGS...: a fresh $img
volume()
{
    build/bin/mkfs.simplefs -q -f -U "$uuid" "$@" "$img" 64M || ok 1 "mkfs $*"
}

# labelled TEXT SAFE ENCODED: what a label becomes
labelled()
{
    volume -L "$1"
    run "$id" --export "$img"
    is "$(grep '^ID_FS_LABEL=' <<<"$out")" "ID_FS_LABEL=$2" "label <$1>, made safe"
    is "$(grep '^ID_FS_LABEL_ENC=' <<<"$out")" "ID_FS_LABEL_ENC=$3" "label <$1>, encoded"
}

# reseal FILE OFFSET HEX: bytes into block 0, under a right checksum
reseal()
{
    python3 - "$@" <<'PY'
import sys
sys.path.insert(0, "tests/vm")
import mutate
with open(sys.argv[1], "r+b") as f:
    block = bytearray(f.read(4096))
    data = bytes.fromhex(sys.argv[3])
    block[int(sys.argv[2]):int(sys.argv[2]) + len(data)] = data
    mutate.seal(block)
    f.seek(0)
    f.write(block)
PY
}

volume
run "$id" --export "$img"
exits 0 'a volume'
free=$((16384 - 1 - 130 - 1024 - 32))
is "$out" "ID_FS_TYPE=simplefs
ID_FS_USAGE=filesystem
ID_FS_VERSION=1
ID_FS_UUID=$uuid
ID_FS_UUID_ENC=$uuid
ID_FS_BLOCKSIZE=4096
ID_FS_LASTBLOCK=16384
ID_FS_SIZE=$((free * 4096))" 'its properties, none for the label it has not'
run "$id" "$img"
exits 0 'without --export only the status'
is "$out" '' 'and no word'

labelled plain plain plain
labelled 'a b' a_b 'a\x20b'
labelled '../etc' ../etc '..\x2fetc'
labelled '"quoted"' '""quoted""' '\x22quoted\x22'
labelled "'tis" "\"'tis\"" '\x27tis'
labelled 'żółw' 'żółw' 'żółw'
long=$(printf 'y%.0s' {1..64})
labelled "$long" "$long" "$long"

# What no mkfs would write: a label made to smuggle a property in, and one that is no UTF-8.
volume
reseal "$img" 72 "$(printf 'a\nSYSTEMD_READY=0' | od -An -tx1 | tr -d ' \n')"
run "$id" --export "$img"
exits 0 'a label with a newline'
unlike '^SYSTEMD_READY' 'adds no property'
reseal "$img" 72 "$(printf '\xff\xfe\x80' | od -An -tx1 | tr -d ' \n')00000000000000000000000000000000"
run "$id" --export "$img"
like '^ID_FS_LABEL_ENC=\\xff\\xfe\\x80$' 'a label that is no UTF-8 is encoded byte by byte'
volume
reseal "$img" 56 00000000000000000000000000000000
run "$id" --export "$img"
unlike '^ID_FS_UUID' 'a UUID of zeros is none'

volume
reseal "$img" 152 80
run "$id" --export "$img"
exits 0 'a volume with a feature not known here has a name'
unlike '^ID_FS_(SIZE|LASTBLOCK)=' 'but no sizes'
volume
printf '\1' | dd of="$img" bs=1 seek=60 conv=notrunc status=none
run "$id" --export "$img"
exits 1 'a wrong checksum is no match'
is "$out" '' 'and not a word is said'
volume
truncate -s 63M "$img"
run "$id" "$img"
exits 1 'a volume larger than its device is somebody else'"'"'s first half'

truncate -s 64M "$tmp/log"
volume -J device="$tmp/log"
run "$id" --export "$tmp/log"
exits 0 'a journal device'
like '^ID_FS_TYPE=simplefs_journal$' 'has a type'
like '^ID_FS_USAGE=other$' 'and is no filesystem'
journal=$(sed -n 's/^ID_FS_UUID=//p' <<<"$out")
run build/bin/dump.simplefs --json "$img"
like "\"journal_uuid\": *\"$journal\"" 'and the UUID that the volume asks for'

head -c 1M /dev/zero >"$tmp/zero"
head -c 4095 "$img" >"$tmp/short"
: >"$tmp/empty"
for file in "$tmp/zero" "$tmp/short" "$tmp/empty" "$tmp/absent" "$tmp" /dev/zero /dev/full Makefile; do
    run "$id" --export "$file"
    [ "$status" = 1 ] && [ -z "$out" ]
    ok $? "silent on ${file/#$tmp/a test file:}" || diag "exit $status: $out"
done
for args in '' '--export' '--import x' '--export a b' '-x'; do
    # shellcheck disable=SC2086
    run "$id" $args
    exits 2 "usage: <$args>"
done

# Damaged superblocks and journal heads, nine of ten under a right checksum. The sanitizers watch.
volume -L damaged
head -c 65536 "$img" >"$tmp/head"
bad=0
n=0
for image in "$tmp/head" "$tmp/log"; do
    rm -rf "$tmp/damaged"
    python3 tests/vm/mutate.py "$image" "$tmp/damaged" 200 7
    for file in "$tmp"/damaged/[0-9]*; do
        truncate -s 64M "$file"
        run "$id" --export "$file"
        n=$((n + 1))
        case $status in
        0) grep -qv '^ID_FS_[A-Z_]*=..*$' <<<"$out" && bad=$((bad + 1)) && diag "$file: $out" ;;
        1) [ -z "$out" ] || { bad=$((bad + 1)); diag "$file: $out"; } ;;
        *) bad=$((bad + 1)); diag "$file: exit $status: $out" ;;
        esac
    done
done
is "$bad of $n" '0 of 400' 'damaged heads: properties or silence, nothing else'
done_testing
