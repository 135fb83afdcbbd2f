# SPDX-License-Identifier: GPL-2.0-only
# Each disk from the second on is what a crash has left; a program says whether it has what was promised.
# usage: judge.sh PROGRAM...: with "check" and the promises, which come in /run/share/promises, a line a disk
. /run/guest/lib.sh
while read -r disk name promises; do
    mount -t simplefs /dev/$disk /vol
    ok $? "$name: mounted" || continue
    # shellcheck disable=SC2086
    does "$name: has what was promised (${promises:-nothing})" env PYTHONDONTWRITEBYTECODE=1 "$@" check $promises
    umount /vol
    ok $? "$name: unmounted"
done </run/share/promises
over
