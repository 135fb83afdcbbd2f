# SPDX-License-Identifier: GPL-2.0-only
# Runs a program on the second disk, of which all that it is told is recorded on the third.
# usage: record.sh PROGRAM [ARGUMENT]...
. /run/guest/lib.sh
dmsetup create --noudevsync record --table "0 $(blockdev --getsz /dev/ubdb) log-writes /dev/ubdb /dev/ubdc" &&
    mount -t simplefs /dev/dm-0 /vol
ok $? "the disk is recorded"
does "$* on it" env PYTHONDONTWRITEBYTECODE=1 "$@"
umount /vol && dmsetup remove --noudevsync record
ok $? "to the end"
over
