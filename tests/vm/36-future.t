#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Volumes with features that nobody knows yet, under the kernel: one that may be ignored is used,
# crashed and recovered, and nothing of it is lost; one that forbids writing is read; one that
# forbids all is refused; and the log says which features those are.
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/image/future.sh
. tests/image/future.sh
future_base "$tmp/from" "$tmp/base"
for disk in used reading refused crashed; do
    cp "$tmp/base" "$tmp/$disk"
done
future "$tmp/used" compat "features that may be ignored"
future "$tmp/crashed" compat "twice"
future "$tmp/reading" ro_compat "and one that forbids writing"
edit "$tmp/used" super compat 0x4000000000000003
edit "$tmp/used" attribute /file note 3000 99
edit "$tmp/used" attribute /gone large 60000 99
edit "$tmp/used" attribute /link small 5 99
edit "$tmp/used" recount
edit "$tmp/refused" super incompat 0x8
reading=$(sha256sum <"$tmp/reading")
refused=$(sha256sum <"$tmp/refused")

cat >"$tmp/try" <<'EOF'
set -e
said()
{
    dmesg | grep -c "features that this version does not know: $1" || :
}
mount -t simplefs /dev/vda /mnt
echo more >>/mnt/file
echo new >/mnt/brand-new
for i in $(seq 300); do echo $i >/mnt/dir/a-name-of-some-length-$i; done
chmod 600 /mnt/file /mnt/dir /mnt/fifo
mv /mnt/link /mnt/dir/link
mv /mnt/dir/link /mnt/link
rm /mnt/gone
rm -r /mnt/dir/a-name-of-some-length-2*
umount /mnt
mount -t simplefs /dev/vda /mnt
[ "$(tail -n 1 /mnt/file)" = more ] && [ "$(readlink /mnt/link)" = target ] && [ ! -e /mnt/gone ]
rm /mnt/fifo
umount /mnt
echo "ok - used"

# busybox goes on read-only where it may not write.
mount -t simplefs -o rw /dev/vdb /mnt
grep -q '^/dev/vdb /mnt simplefs ro,' /proc/mounts
[ "$(said 'ro_compat 0x4000000000000000; it can be mounted read-only (ro)')" = 1 ]
echo "ok - writing is refused, and ro named as the way"
[ "$(wc -l </mnt/file)" = 9000 ] && [ "$(tail -n 1 /mnt/dir/file)" = 99 ]
[ "$(readlink /mnt/link)" = target ] && [ -p /mnt/fifo ] && [ "$(ls /mnt | wc -l)" = 5 ]
mount -o remount,rw /mnt || :
! touch /mnt/x
[ "$(said ro_compat)" = 2 ]
umount /mnt
echo "ok - read, and a remount for writing is refused too"

! mount -t simplefs -o ro /dev/vdc /mnt
[ "$(said 'incompat 0x8$')" = 1 ]
echo "ok - refused"

mount -t simplefs /dev/vdd /mnt
exec 3</mnt/gone
rm /mnt/gone
echo more >>/mnt/file
for i in $(seq 100); do echo $i >/mnt/dir/a-name-of-some-length-$i; done
sync
echo "pull now"
read -r never </mnt/fifo		# which nobody writes to
EOF
boot --module "$module" --add "$tmp/try:/try" --kill-on 'pull now' \
    --disk "$tmp/used" --disk "$tmp/reading" --disk "$tmp/refused" --disk "$tmp/crashed" -- sh /try
is "$status" 123 'one boot'
out=$(tr -d '\r' <"$tmp/console")
like '^ok - used' 'what may be ignored is mounted and changed'
like '^ok - writing is refused' 'what must not be written is not'
like '^ok - read,' 'but is read'
like '^ok - refused' 'what must not be touched is not mounted'
is "$(sha256sum <"$tmp/reading")$(sha256sum <"$tmp/refused")" "$reading$refused" 'nor is a byte of these changed'

future "$tmp/used" left 'used: nothing unknown is lost'
run build/bin/dump.simplefs -t /file "$tmp/used"
like 'name: .*note' 'used: nor an attribute'
run build/bin/fsck.simplefs -fn "$tmp/used"
is "$status" 0 'used: it is whole' || diag "$out"
run build/bin/fsck.simplefs -y "$tmp/crashed"
is "$status" 0 'crashed: fsck -y replays' || diag "$out"
like 'replayed the journal' 'crashed: a log'
like 'finished 1 unlinked' 'crashed: and finishes a file that was open, with all it held'
future "$tmp/crashed" left 'crashed: nothing unknown is lost'
run build/bin/fsck.simplefs -fn "$tmp/crashed"
is "$status" 0 'crashed: it is whole' || diag "$out"
run build/bin/dump.simplefs -d /dir "$tmp/crashed"
like 'a-name-of-some-length-100' 'crashed: with what was synced'
done_testing
