# SPDX-License-Identifier: GPL-2.0-only
# Stages that mount volumes by all their names, and on top of everything that can lie below.
# shellcheck shell=bash disable=SC2154

# mounts NAME ARGS...: mount ARGS /mnt, and it is a simplefs volume that can be written
mounts()
{
    local name=$1
    shift
    run mount "$@" /mnt
    exits 0 "$name: mount $*" || return 1
    is "$(findmnt -no FSTYPE /mnt)" simplefs "$name: findmnt says simplefs"
    echo "$name" >/mnt/name && [ "$(cat /mnt/name)" = "$name" ]
    ok $? "$name: written and read"
    umount /mnt
}

# volume NAME DEVICE LABEL: made, and known to udev
volume()
{
    run mkfs.simplefs -q -f -L "$3" "$2"
    exits 0 "$1: mkfs"
    udevadm settle
}

plain_disk()
{
    local label='a "b"/c ü' uuid
    modprobe -r simplefs
    volume "odd label" /dev/vdd "$label"
    [ -d /sys/module/simplefs ]
    ok $? "no type given: udev has loaded the module"
    uuid=$(lsblk -dno UUID /dev/vdd)
    is "$(lsblk -dno FSTYPE /dev/vdd)" simplefs "lsblk -f: type"
    is "$(lsblk -dno LABEL /dev/vdd)" "$label" "lsblk -f: label"
    run lsblk -f /dev/vdd
    like "^vdd +simplefs .*a \"b\"/c ü +$uuid" "lsblk -f: the line a user sees"
    mounts "no type given" /dev/vdd
    mounts "LABEL=" "LABEL=$label"
    mounts "UUID=" "UUID=$uuid"
    mounts "path by UUID" "/dev/disk/by-uuid/$uuid"
    mounts "path by label" "$(find /dev/disk/by-label -lname '*/vdd')"
    mounts "type given" -t simplefs /dev/vdd
    wipefs -qa /dev/vdd
}

partition()
{
    echo 'start=2048, type=83' | sfdisk -q /dev/vde
    udevadm settle
    volume "partition" /dev/vde1 part
    mounts "partition" LABEL=part
    run lsblk -no FSTYPE,LABEL /dev/vde1
    like '^simplefs +part' "partition: lsblk"
}

lvm()
{
    pvcreate -qff -y /dev/vdd >/dev/null && vgcreate -q vg /dev/vdd >/dev/null && lvcreate -qy -L 128M -n lv vg >/dev/null
    ok $? "LVM: a logical volume"
    volume "LVM" /dev/vg/lv onlvm
    mounts "LVM" LABEL=onlvm
    vgremove -qfy vg >/dev/null
    pvremove -qffy /dev/vdd >/dev/null
}

raid()
{
    mdadm --create /dev/md0 --run --level=1 --raid-devices=2 --metadata=1.2 /dev/vdd missing --quiet
    ok $? "md: an array"
    udevadm settle
    volume "md" /dev/md0 onmd
    mounts "md" LABEL=onmd
    is "$(lsblk -dno FSTYPE /dev/vdd)" linux_raid_member "md: the member stays a member"
    mdadm --stop --quiet /dev/md0
    mdadm --zero-superblock --quiet /dev/vdd
}

luks()
{
    printf secret | cryptsetup -q luksFormat --pbkdf pbkdf2 --pbkdf-force-iterations 1000 /dev/vdd - &&
        printf secret | cryptsetup open /dev/vdd crypt --key-file -
    ok $? "LUKS: a container"
    volume "LUKS" /dev/mapper/crypt oncrypt
    mounts "LUKS" LABEL=oncrypt
    is "$(lsblk -dno FSTYPE /dev/vdd)" crypto_LUKS "LUKS: the container stays a container"
    cryptsetup close crypt
    wipefs -qa /dev/vdd
}

# Loop devices above and below: a volume in a file, and another file system in a file on a volume.
loop()
{
    truncate -s 64M /root/image
    volume "loop" /root/image inloop
    mounts "loop" -o loop /root/image
    truncate -s 64M /data/image
    mke2fs -q -t ext4 /data/image && mount -o loop /data/image /mnt
    ok $? "below a loop device: an ext4 in a file on the volume"
    cp -a /usr/share/doc /mnt/ && diff -r /usr/share/doc /mnt/doc
    ok $? "below a loop device: written and read"
    umount /mnt
    rm /data/image /root/image
    truncate -s 64M /data/image
    printf secret | cryptsetup -q luksFormat --pbkdf pbkdf2 --pbkdf-force-iterations 1000 /data/image - &&
        printf secret | cryptsetup open /data/image box --key-file - &&
        mke2fs -q -t ext4 /dev/mapper/box && mount /dev/mapper/box /mnt
    ok $? "below LUKS: an encrypted ext4 in a file on the volume"
    cp -a /usr/share/doc/simplefs-tools /mnt/ && umount /mnt && mount /dev/mapper/box /mnt &&
        diff -r /usr/share/doc/simplefs-tools /mnt/simplefs-tools
    ok $? "below LUKS: written and read"
    umount /mnt
    cryptsetup close box
    rm /data/image
}

stage_names()
{
    umount /data
    plain_disk
    mount /data
    partition
    lvm
    raid
    luks
    loop
    run findmnt --verify --verbose
    out=$(sed -n '/^\/data/,/^[^ ]/p' <<<"$out")
    like '^/data' "findmnt: --verify knows the fstab line"
    unlike '\[E\]' "findmnt: --verify finds no error in it"
}
