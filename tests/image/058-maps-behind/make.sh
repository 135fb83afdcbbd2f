# SPDX-License-Identifier: GPL-2.0-only
# The used and the inode map are those of the volume when it was empty, as if two writes had been
# lost: sound, and no newer than the blocks of inodes that both of them lack.
build/bin/mkfs.simplefs -q -U 11111111-2222-3333-4444-555555555555 "$tmp/empty" 64M
for blk in 1 33; do
    dd if="$tmp/empty" of="$img" bs=4096 skip=$blk seek=$blk count=1 conv=notrunc status=none
done
