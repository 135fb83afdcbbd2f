#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Two directories hold each other, and one of them 40,000 more: they are told, and mended. Where each of
# them is followed up by itself that takes a minute and a half, and the run is ended; it takes less than a
# second.
# shellcheck source=tests/tap/tap.sh
. "$(dirname "$0")/../tap/tap.sh"
make -s tools build/image/edit >"$tmp/make.log" 2>&1 || { cat "$tmp/make.log"; exit 1; }
fsck=build/bin/fsck.simplefs
img=$tmp/img

mkdir -p "$tmp/from/a/b"
(cd "$tmp/from/a/b" && seq 40000 | xargs mkdir)
run build/bin/mkfs.simplefs -q -J none -d "$tmp/from" "$img" 256M
is "$status" 0 'a volume'
build/image/edit "$img" name /a/b up /a 4 && build/image/edit "$img" unname / a
is $? 0 'a cycle'
run timeout 30 "$fsck" -fy "$img"
is "$status" 1 'is mended'
run "$fsck" -f "$img"
is "$status" 0 'and a second run is content'
like 'clean, 40004 inodes' 'with all that was there'
done_testing
