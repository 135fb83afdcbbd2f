#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Writeback asks again when the file changed under it: blocks freed meanwhile are not written to.
. "$(dirname "$0")/lib.sh"
program stale

run build/bin/mkfs.simplefs -q "$tmp/disk" 512M
is "$status" 0 "mkfs"
boot --timeout 600 --module "$module" --add "$tmp/stale" --disk "$tmp/disk" -- sh -c \
    "mount -t simplefs /dev/vda /mnt && stale /mnt ${ROUNDS:-8}; s=\$?; umount /mnt && exit \$s"
is "$status" 0 "written, punched, written again while writeback runs"
relay "race"
run build/bin/dump.simplefs --check "$tmp/disk"
is "$status" 0 "the structure is whole" || diag "$out"
done_testing
