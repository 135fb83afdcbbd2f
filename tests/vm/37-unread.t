#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# A disk that does not give a block when it is wanted, and gives it later: what was begun before is
# finished, and nothing old comes back.  One that never gives it: all the rest can be had.
. "$(dirname "$0")/lib.sh"
program unread
dump=build/bin/dump.simplefs

mkdir "$tmp/from"
for name in stretched appended direct reserved extended; do
    for ((i = 0; i < 400; i += 2)); do
        printf x | dd of="$tmp/from/$name" bs=4096 seek="$i" conv=notrunc status=none
    done
done
# fill: the volume, and in $words the node that the end of each file lies in: a cut reads it first
fill()
{
    run build/bin/mkfs.simplefs -fq -d "$tmp/from" "$tmp/disk" 64M
    is "$status" 0 "mkfs" || diag "$out"
    words=
    for name in stretched appended direct reserved extended; do
        blk=$("$dump" --json -t "/$name" "$tmp/disk" | sed -n 's/.*"blk": \([1-9][0-9]*\).*/\1/p' | tail -n 1)
        words+=,unread=$blk
    done
}

# machine STATUS WORDS COMMAND [OPTION]...
machine()
{
    boot --module "$module" --add "$tmp/unread" --disk "$tmp/disk$2" "${@:4}" -- sh -c \
        "mount -t simplefs /dev/vda /mnt && $3"
    is "$status" "$1" "used: $3"
}

fill
machine 0 "$words" 'unread /mnt && umount /mnt && rmmod simplefs'
relay "cut in half"
run build/bin/fsck.simplefs -n -f "$tmp/disk"
is "$status" 0 "fsck finds nothing" || diag "$out"

# Zeros that are in memory only do not help after a crash.
fill
machine 123 "$words" 'unread crash /mnt' --kill-on 'pull now'
machine 0 '' 'unread after /mnt && umount /mnt && rmmod simplefs'
relay "cut in half, grown, crashed"
run build/bin/fsck.simplefs -n -f "$tmp/disk"
is "$status" 0 "fsck finds nothing" || diag "$out"
# One that has no name when its cut fails, and gets one when it has grown.
run build/bin/mkfs.simplefs -fq "$tmp/disk" 64M
is "$status" 0 "mkfs" || diag "$out"
cp --sparse=always "$tmp/disk" "$tmp/fresh"
machine 0 '' 'unread make /mnt && umount /mnt'
blk=$("$dump" --json -t /nameless "$tmp/disk" | sed -n 's/.*"blk": \([1-9][0-9]*\).*/\1/p' | tail -n 1)
cp --sparse=always "$tmp/fresh" "$tmp/disk"
machine 123 ",unread=$blk" 'unread nameless /mnt' --kill-on 'pull now'
out=$(tr -d '\r' <"$tmp/console")
unlike 'not ok' "cut in half without a name, grown, named, crashed"
machine 0 '' 'unread named /mnt && umount /mnt && rmmod simplefs'
relay "named"
run build/bin/fsck.simplefs -n -f "$tmp/disk"
is "$status" 0 "fsck finds nothing" || diag "$out"

# A size that cannot be set, as the end of the file cannot be read: what was reserved goes back.
mkdir "$tmp/short"
head -c 5000 /dev/zero | tr '\0' x >"$tmp/short/tail"
cat >"$tmp/reserve" <<'EOF'
mount -t simplefs /dev/vda /mnt
cd /mnt
busybox fallocate -o 1M -l 8M tail && exit 1
echo "refused: $(stat -c %b:%s tail)"
busybox fallocate -o 1M -l 8M tail || exit 1
echo "had: $(stat -c %s tail)"
cd / && umount /mnt
EOF
run build/bin/mkfs.simplefs -fq -d "$tmp/short" "$tmp/disk" 64M
is "$status" 0 "mkfs" || diag "$out"
blk=$("$dump" --json -t /tail "$tmp/disk" | sed -n 's/.*"start": \([1-9][0-9]*\).*/\1/p')
boot --module "$module" --add "$tmp/reserve" --disk "$tmp/disk,unread=$((blk + 1))" -- sh /bin/reserve
is "$status" 0 "reserved at the second try"
out=$(tr -d '\r' <"$tmp/console")
like 'refused: 16:5000' "the first has kept no blocks"
like 'had: 9437184' "the second sets the size"
run build/bin/fsck.simplefs -n -f "$tmp/disk"
is "$status" 0 "fsck finds nothing" || diag "$out"

# ---- a mount after a crash, with blocks that are never read ----

# Open files without a name, one of them not in the root's block; nothing is left in the journal, so
# that all is read from the disk.
cat >"$tmp/crash" <<'EOF'
mount -t simplefs /dev/vda /mnt
cd /mnt
n=0
while [ $n -lt 40 ]; do echo $n >$n; n=$((n + 1)); done
exec 3<1 4<39
echo "inodes $(stat -c %i 1) $(stat -c %i 39)"
rm 1 39
busybox fsfreeze --freeze /mnt
busybox fsfreeze --unfreeze /mnt
echo pull now
cat
EOF
run build/bin/mkfs.simplefs -fq "$tmp/disk" 256M
is "$status" 0 "mkfs" || diag "$out"
boot --module "$module" --add "$tmp/crash" --disk "$tmp/disk" --kill-on 'pull now' -- sh /bin/crash
is "$status" 123 "a crash with two open files that have no name"
read -r first second < <(sed -n 's/.*inodes \([0-9]*\) \([0-9]*\).*/\1 \2/p' "$tmp/console")
ok $((first > 0 && second / 8 > first / 8 ? 0 : 1)) "in two blocks: $first, $second"
cp --sparse=always "$tmp/disk" "$tmp/crashed"

# again WORDS COMMAND [MOUNT-OPTION]: the volume mounted; what the machine says is in $out
again()
{
    boot --module "$module" --disk "$tmp/disk$1" -- sh -c "mount -t simplefs -o ${3:-rw} /dev/vda /mnt && $2"
    is "$status" 0 "mounted ${3:-rw} and used, disk$1"
    out=$(tr -d '\r' <"$tmp/console")
}
# after WORDS COMMAND [MOUNT-OPTION]: the same of the volume as the crash has left it
after()
{
    cp --sparse=always "$tmp/crashed" "$tmp/disk"
    again "$@"
}
look='dmesg | grep simplefs; cat /mnt/7 && df -i /mnt | tail -n 1 && umount /mnt'
use='dmesg | grep simplefs; cat /mnt/7 && echo new >/mnt/new && sync && cat /mnt/new && umount /mnt'

after ",dead=$((second / 8))" "$use"
like 'blocks that may hold such inodes, and cannot be read: 1' "an unreadable inode block is told"
like '1 unlinked or half-truncated inodes finished, 0 not' "the other's is finished"
run build/bin/dump.simplefs --json "$tmp/disk"
like '"state": "0x0"' "and the volume is not called clean"
again '' "$look"
like '1 unlinked or half-truncated inodes finished, 0 not' "it is finished when it can be read"
run build/bin/fsck.simplefs -n -f "$tmp/disk"
is "$status" 0 "fsck finds nothing" || diag "$out"

# The summary counts without the maps, and the maps without the summary, which is made anew.
after ",dead=130" "$use"
like '2 unlinked or half-truncated inodes finished, 0 not' "without a summary all is found"
run build/bin/fsck.simplefs -n -f "$tmp/disk"
is "$status" 0 "and there is one again" || diag "$out"
for map in 1 97; do
    after ",dead=130,dead=$map" "$use"
    like 'cannot be read' "no summary, map $map: told"
done
again '' "$look"
like '2 unlinked or half-truncated inodes finished, 0 not' "the orphan map is read later"
run build/bin/fsck.simplefs -n -f "$tmp/disk"
is "$status" 0 "fsck finds nothing" || diag "$out"
after ",dead=130,dead=1" "$look" ro
like 'maps that cannot be read, which count as full: 1' "read-only as well"
after ",dead=1" "$look" ro
unlike 'cannot be read' "with a summary nobody asks for the map"

# ---- a group whose used map is never read, on a volume stopped in order ----

# Who allocates finds out; from then on nobody is promised what is free there, so all that a write
# has accepted arrives, and what there is not is told by the write.
cat >"$tmp/full" <<'EOF'
mount -t simplefs /dev/vda /mnt
cd /mnt
free() { stat -f -c %a .; }
echo "before: $(free)"
busybox fallocate -l 140M all 2>/bin/words && exit 1
echo "after: $(free)"
i=0
while dd if=/dev/zero of=part$i bs=1M count=8 conv=fsync 2>/bin/words; do i=$((i + 1)); done
echo "full: $i parts, $(free) left, $(grep -c 'No space left' /bin/words), $(cat /bin/words)"
rm part0
dd if=/dev/zero of=again bs=1M count=7 conv=fsync || exit 1
cd / && umount /mnt
EOF
run build/bin/mkfs.simplefs -fq "$tmp/disk" 160M
is "$status" 0 "mkfs" || diag "$out"
boot --module "$module" --add "$tmp/full" --disk "$tmp/disk,dead=2" -- sh /bin/full
is "$status" 0 "a full volume with a map that is not read"
out=$(tr -d '\r' <"$tmp/console")
before=$(sed -n 's/^.*before: \([0-9]*\).*/\1/p' <<<"$out")
after=$(sed -n 's/^.*after: \([0-9]*\).*/\1/p' <<<"$out")
ok $((before - after > 8600 && before - after < 8800 ? 0 : 1)) "its group leaves the free space: $before, $after"
like 'full: 1[0-9] parts, [0-9]* left, 1,' "a write that is refused says that there is no space"
unlike 'nput/output' "no write that was accepted fails"
run build/bin/fsck.simplefs -n -f "$tmp/disk"
is "$status" 0 "fsck, which reads it, finds nothing" || diag "$out"

# What is read and is wrong: nothing changes any more, all is there.
for blk in 1 $((second / 8)); do
    printf x | dd of="$tmp/crashed" bs=1 seek=$((blk * 4096 + 3000)) conv=notrunc status=none
    after '' 'dmesg | grep simplefs; cat /mnt/7; if echo new >/mnt/new; then exit 1; fi; umount /mnt'
    like 'no more changes, as errors=remount-ro asks' "damage in block $blk is told, and no more changes"
done

# Block 0: no mount, and fsck does not believe its own writing.
run build/bin/mkfs.simplefs -fq "$tmp/disk" 64M
is "$status" 0 "mkfs" || diag "$out"
cat >"$tmp/try" <<'EOF'
mount -t simplefs /dev/vda /mnt && exit 1
dmesg | grep 'simplefs.*block 0'
fsck.simplefs -y /dev/vda
echo "fsck exits $?"
EOF
boot --module "$module" --add "$tmp/try:/try" --add build/bin/fsck.simplefs --disk "$tmp/disk,dead=0" -- sh /try
is "$status" 0 "block 0 is not given" || diag "$out"
out=$(tr -d '\r' <"$tmp/console")
like 'cannot read block 0; fsck.simplefs may mend that' "the mount says so"
like 'block 0 cannot be read: Input/output error' "and fsck"
like 'its superblock was written, and the device does not give it back' "which asks the disk, not the page cache"
like 'fsck exits 8' "and does not call it mended"
run build/bin/fsck.simplefs -p "$tmp/disk"
is "$status" 0 "what it has written is there when the disk gives it" || diag "$out"
run build/bin/fsck.simplefs -nf "$tmp/disk"
is "$status" 0 "and whole" || diag "$out"
done_testing
