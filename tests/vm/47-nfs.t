#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# A volume is exported by nfsd and mounted by the same machine, with and without a check of subtrees (for which
# handles are connectable); what the server has answered survives a pulled plug.
. "$(dirname "$0")/lib.sh"

# What mountd and exportfs would tell the kernel; version 4 alone needs neither portmapper nor lockd.
cat >"$tmp/serve" <<'E'
n=0
is()
{
    n=$((n + 1))
    if [ "$1" = "$2" ]; then echo "ok $n - $3"; else echo "not ok $n - $3"; echo "# '$1', not '$2'"; fi
}
colder()
{
    sync
    echo 3 >/proc/sys/vm/drop_caches
}
mount -t simplefs /dev/vda /mnt && mount -t nfsd none /proc/fs/nfsd || exit 1
mkdir -p /nfs /var/lib/nfs/v4recovery
ifconfig lo 127.0.0.1 up
echo '-2 -3 +4 +4.1 +4.2' >/proc/fs/nfsd/versions
echo 10 >/proc/fs/nfsd/nfsv4leasetime
echo 10 >/proc/fs/nfsd/nfsv4gracetime
end=2147483647
echo "nfsd 127.0.0.1 $end client" >/proc/net/rpc/auth.unix.ip/channel
echo "client /mnt $end $1 65534 65534 0" >/proc/net/rpc/nfsd.export/channel
printf 'client 1 \\x00000000 %s /mnt\n' $end >/proc/net/rpc/nfsd.fh/channel
echo tcp 2049 >/proc/fs/nfsd/portlist
echo 2 >/proc/fs/nfsd/threads
mount -t nfs4 -o vers=4.2,addr=127.0.0.1,clientaddr=127.0.0.1,sec=sys,noac 127.0.0.1:/ /nfs || exit 1
E
cat >"$tmp/use" <<'E'
. /serve
mkdir -p /nfs/dir/sub/deep && echo data >/nfs/dir/sub/deep/file && ln -s target /nfs/dir/link
is "$(cat /mnt/dir/sub/deep/file)" data 'written by the client, read on the server'
is "$(readlink /mnt/dir/link)" target 'a symlink'
is "$(stat -c %i /nfs/dir/sub/deep/file)" "$(stat -c %i /mnt/dir/sub/deep/file)" 'numbers are the same'
exec 3</nfs/dir/sub/deep/file
cd /nfs/dir/sub/deep || exit 1
colder
is "$(cat <&3)" data 'an open file, when the server has forgotten it'
exec 3<&-
is "$(ls)" file 'a directory, too'
mv /nfs/dir/sub /nfs/moved && ln /nfs/moved/deep/file /nfs/second && rm /nfs/moved/deep/file
is "$(cat /mnt/second)" data 'renamed, linked, removed'
colder
is "$(ls -a | wc -l)" 2 'a directory that is elsewhere now'
cd / && rmdir /nfs/moved/deep
i=0
while [ $i -lt 40 ]; do echo $i >/nfs/dir/$i; i=$((i + 1)); done
is "$(ls /mnt/dir | wc -l)" 41 'many files'
mkdir /nfs/dir/away && cd /nfs/dir/away && rmdir /mnt/dir/away && colder
is "$(ls 2>&1)" 'ls: .: Stale file handle' 'a directory that the server has removed'
cd /
umount /nfs && echo 0 >/proc/fs/nfsd/threads
for cache in nfsd.fh nfsd.export auth.unix.ip; do date +%s >/proc/net/rpc/$cache/flush; done
umount /mnt
is $? 0 'the volume is free again'
is "$(dmesg | grep -c 'simplefs (')" 0 'and nobody has complained'
echo "1..$n"
E
cat >"$tmp/pull" <<'E'
. /serve
mkdir /nfs/kept && mv /nfs/second /nfs/kept/renamed && rm /nfs/dir/1 && mkdir /nfs/kept/last
echo pull now
mkfifo /wait && cat /wait
E
cat >"$tmp/look" <<'E'
mount -t simplefs /dev/vda /mnt && cat /mnt/kept/renamed && test -d /mnt/kept/last && ! test -e /mnt/dir/1
E

# nfs SCRIPT FLAGS [OPTION]...: of an export, besides the fsid that it has: 1024 is no_subtree_check
nfs()
{
    boot --module "$module" --kmod nfsd --kmod nfsv4 --add "$tmp/serve:/serve" --add "$tmp/$1:/$1" \
        --disk "$tmp/disk" "${@:3}" -- sh "/$1" $((0x2000 + $2))
}

for flags in 1024 0; do
    run build/bin/mkfs.simplefs -fq "$tmp/disk" 64M
    is "$status" 0 "mkfs"
    nfs use $flags
    is "$status" 0 "exported, mounted, used; flags $flags"
    relay "flags $flags"
    run build/bin/fsck.simplefs -fn "$tmp/disk"
    is "$status" 0 "the structure is whole" || diag "$out"
done
nfs pull 1024 --kill-on "pull now"
is "$status" 123 "pulled behind the server's answer"
nfs look 0
is "$status" 0 "all that it has answered is there"
run build/bin/fsck.simplefs -fn "$tmp/disk"
is "$status" 0 "the structure is whole" || diag "$out"
done_testing
