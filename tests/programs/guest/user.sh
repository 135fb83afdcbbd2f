# SPDX-License-Identifier: GPL-2.0-only
# What one does with a new volume: trees, archives, images in it, a swap file, flags, trimming, freezing,
# remounting, filling; space is counted to the block.
. /run/guest/lib.sh
use
empty=$(stat -f -c %f /vol)
free()
{
    sync -f /vol
    stat -f -c %f /vol
}
mkdir /vol/one && cp -a /usr/bin /usr/share/perl /usr/lib/x86_64-linux-gnu /vol/one/
does "cp -a" diff -r --no-dereference /usr/bin /vol/one/bin
tar -C /vol/one -cf /vol/a.tar . && mkdir /vol/two && tar -C /vol/two -xf /vol/a.tar
does "tar there and back" diff -r --no-dereference /vol/one /vol/two
tar -C /vol/two -czf - . | tar -C /vol -xzf - ./bin && mv /vol/bin /vol/three
does "tar in a pipe" diff -r --no-dereference /vol/one/bin /vol/three
# Used by du is used by df, but for inodes and their maps, of which there is one block for seven inodes or so.
was=$(free)
used=$((empty - was)) listed=$(($(du -s --block-size=4096 /vol | cut -f 1)))
inodes=$(find /vol | wc -l)
[ $used -ge "$listed" ] && [ $used -le $((listed + inodes / 4 + 200)) ]
ok $? "df: $used blocks used, du: $listed, by $inodes inodes"
rm -rf /vol/two /vol/three
cp /vol/a.tar /vol/b.tar && cmp /vol/a.tar /vol/b.tar
ok $? "cp"
was=$(free)
dd if=/dev/urandom of=/vol/direct bs=1M count=64 oflag=direct status=none
is $((was - $(free))) 16384 "dd with oflag=direct: as many blocks as it wrote"
is "$(dd if=/vol/direct bs=1M iflag=direct status=none | md5sum)" "$(md5sum </vol/direct)" "read directly and not"
was=$(free)
fallocate -l 100M /vol/reserved
is $((was - $(free))) 25600 "fallocate takes what it says"
is "$(stat -c '%s %b' /vol/reserved)" "104857600 204800" "stat says so"
fallocate -p -o 10M -l 20M /vol/reserved
is "$(stat -c '%s %b' /vol/reserved)" "104857600 163840" "a hole is punched"
fallocate -c -o 1M -l 1M /vol/reserved && fallocate -i -o 1M -l 2M /vol/reserved && fallocate -z -o 0 -l 4M /vol/reserved
is "$(stat -c %s /vol/reserved)" 105906176 "collapsed, inserted, zeroed"
fallocate -d /vol/reserved
is "$(tr -d '\0' </vol/reserved | wc -c)" 0 "nothing but zeros"
rm /vol/reserved

# Images on it.
for type in ext4 simplefs; do
    truncate -s 300M /vol/$type.img
    case $type in
    ext4) does "mkfs.ext4" mkfs.ext4 -qF /vol/ext4.img ;;
    simplefs) cp /run/share/blank /vol/simplefs.img ;;
    esac
    mkdir -p /tmp/img && mount -t $type -o loop /vol/$type.img /tmp/img
    ok $? "$type in a file, mounted" || continue
    cp -a /usr/share/perl /tmp/img/ && sync -f /tmp/img
    does "$type: a tree in it" diff -r /usr/share/perl /tmp/img/perl
    rm -rf /tmp/img/perl && sync -f /tmp/img
    before=$(stat -c %b /vol/$type.img)
    does "$type: trimmed" fstrim /tmp/img
    sync -f /vol
    [ "$(stat -c %b /vol/$type.img)" -lt "$before" ]
    ok $? "$type: the file has got holes: $before to $(stat -c %b /vol/$type.img)"
    umount /tmp/img
done
does "ext4 is whole" e2fsck -fn /vol/ext4.img
rm /vol/*.img

dd if=/dev/zero of=/vol/swap bs=1M count=64 status=none && chmod 600 /vol/swap && mkswap -q /vol/swap
does "swapon" swapon /vol/swap
fails "a swap file is not cut" truncate -s 1M /vol/swap
does "swapoff" swapoff /vol/swap
rm /vol/swap

echo x >/vol/f && chattr +i /vol/f
fails "immutable: not written" sh -c 'echo y >/vol/f'
fails "immutable: not removed" rm -f /vol/f
chattr -i /vol/f && chattr +a /vol/f
fails "append only: not written over" sh -c 'echo y >/vol/f'
does "append only: appended to" sh -c 'echo y >>/vol/f'
is "$(lsattr /vol/f | cut -d ' ' -f 1)" '-----a----------------' "lsattr"
chattr -a /vol/f && chattr +d +A +S /vol/f && rm /vol/f

does "fstrim" fstrim -v /vol
does "frozen" fsfreeze -f /vol
(echo late >/vol/late) &
writer=$!
is "$(timeout 2 cat /vol/late 2>/dev/null)" '' "who writes, waits"
does "thawed" fsfreeze -u /vol
wait $writer
is "$(cat /vol/late)" late "and goes on"
does "read-only" mount -o remount,ro /vol
fails "nothing is written" touch /vol/x
does "read-write" mount -o remount,rw /vol
does "noatime, discard" mount -o remount,noatime,discard /vol
does "written" touch /vol/x

# Full, and empty again.


fails "filled with one file" dd if=/dev/zero of=/vol/fill bs=1M status=none
sync -f /vol
fails "and not a block more" dd if=/dev/zero of=/vol/more bs=1M count=1 conv=fsync status=none
rm -f /vol/more
does "what is there can be written over" dd if=/dev/zero of=/vol/fill bs=1M count=8 conv=notrunc,fsync status=none
does "and removed" rm /vol/fill
mkdir /vol/many
python3 - <<'P'
import errno, os
n = 0
try:
    while True:
        with open("/vol/many/%d" % n, "wb") as f:
            f.write(os.urandom(1000) * (n * 37 % 600))
        n += 1
except OSError as e:
    assert e.errno == errno.ENOSPC, e
print("#", n, "files until it is full")
P
ok $? "filled with many"
sync
fails "really" dd if=/dev/zero of=/vol/more bs=1M count=4 conv=fsync status=none
does "all can be read" sh -c 'find /vol/many -type f -exec cat {} + >/dev/null'
rm -rf /vol/many /vol/more
fresh
does "room again" dd if=/dev/urandom of=/vol/again bs=1M count=500 conv=fsync status=none
rm -rf /vol/*
rmdir /vol/lost+found 2>/dev/null
sync
fresh
left=$(stat -f -c %f /vol)
is "$left" "$empty" "empty, and as free as at first"
over
