#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Usage by user, group and project is counted, kept to limits, and as true behind a pulled plug as before.
. "$(dirname "$0")/lib.sh"
program quota
program accounts
make -s build/image/edit >"$tmp/make.log" 2>&1 || cat "$tmp/make.log"

# quota COMMANDS [OPTION]...: in one boot
quota()
{
    boot --module "$module" --kmod quota_v2 --add "$tmp/quota" --add "$tmp/accounts" --disk "$tmp/disk" \
        "${@:2}" -- sh -c "$1"
}

# whole WHAT: the checker finds nothing
whole()
{
    run build/bin/fsck.simplefs -fn "$tmp/disk"
    is "$status" 0 "$1: structure and usage are whole" || diag "$out"
}

mount="mount -t simplefs /dev/vda /mnt"
limits="$mount -o usrquota,grpquota,prjquota"
limited="$mount -o usrquota"
for journal in size=8M none; do
    run build/bin/mkfs.simplefs -fq -J $journal -Q usr,grp,prj "$tmp/disk" 64M
    is "$status" 0 "mkfs, journal $journal"
    quota "$limits && quota limits /mnt /dev/vda && quota owners /mnt /dev/vda && accounts frozen /mnt /dev/vda &&
        accounts nameless /mnt /dev/vda && quota crowd /mnt /dev/vda &&
        cp \$(command -v accounts) /mnt/stay && { /mnt/stay stay / /dev/vda & until [ -e /ready ]; do :; done; } &&
        mount -o remount,ro /mnt && mount -o remount,rw /mnt && kill \$! && { wait \$!; rm /mnt/stay; } &&
        quota remounted /mnt /dev/vda &&
        mount -o remount,ro /mnt && mount -o remount,ro,noquota /mnt && mount -o remount,rw /mnt &&
        ! grep prjquota /proc/mounts && quota unlimited /mnt /dev/vda &&
        umount /mnt && $mount && quota again /mnt /dev/vda && umount /mnt && rmmod simplefs"
    is "$status" 0 "limits, owners, a crowd; journal $journal"
    relay "journal $journal"
    whole "journal $journal"
done
quota "$limits && quota full /mnt /dev/vda && umount /mnt"
is "$status" 0 "a full volume"
relay "full"
whole "full"

run build/bin/mkfs.simplefs -fq -Q usr,grp,prj "$tmp/disk" 64M
for round in 1 5; do
    quota "$limits && quota pull /mnt /dev/vda" --kill-on "round $round"
    is "$status" 123 "pulled, round $round"
    whole "the plug, round $round"
    quota "$mount && quota recovered /mnt /dev/vda && umount /mnt"
    is "$status" 0 "recovered"
    relay "the plug, round $round"
    whole "recovered, round $round"
done

# What could not be charged could not be removed.
mkdir "$tmp/from" && echo data >"$tmp/from/f"
run build/bin/mkfs.simplefs -fq -Q usr,grp,prj -d "$tmp/from" "$tmp/disk" 64M
build/image/edit "$tmp/disk" field /f projid 0xffffffff
quota "$limits && echo more >>/mnt/f && rm /mnt/f && quota strange /mnt /dev/vda && umount /mnt"
is "$status" 0 "a project that there cannot be"
relay "a project that there cannot be"
whole "a project that there cannot be"

# By a tool that knows nothing of simplefs: xfs_quota as Debian has it, with what it is linked to.
tools=()
if path=$(command -v xfs_quota); then
    tools+=(--add "$path:/bin/xfs_quota")
    for lib in $(ldd "$path" | grep -o '/[^ ]*'); do
        tools+=(--add "$lib:$lib")
    done
fi
cat >"$tmp/by-tool" <<'END'
mkdir /mnt/u && echo data >/mnt/u/f && chown -R 1000 /mnt/u && sync
xfs_quota -f -x -c 'limit -u bsoft=10m bhard=20m isoft=3 ihard=4 1000' -c 'report -u -n -N -b -i' /mnt
END
if [ ${#tools[@]} -gt 0 ]; then
    run build/bin/mkfs.simplefs -fq -Q usr "$tmp/disk" 64M
    quota "$limited && sh /by-tool | sed 's/^/tool: /'; umount /mnt" "${tools[@]}" --add "$tmp/by-tool:/by-tool"
    is "$(tr -d '\r' <"$tmp/console" | sed -n 's/^tool: #1000 *//p' | tr -s ' ')" \
"4 10240 20480 00 [--------] 2 3 4 00 [--------]" "limits and usage by xfs_quota"
fi

# What cannot be counted is not written to.
said()
{
    grep -q -- "$1" "$tmp/console"
    is $? 0 "$2"
}

# clean WHAT: who refuses to write has not written
clean()
{
    is "$(build/bin/dump.simplefs --raw -s "$tmp/disk" | sed -n 's/^ *state: //p')" 0x1 "$1: marked clean"
}

run build/bin/mkfs.simplefs -fq "$tmp/disk" 64M
quota "! $limited && $mount && umount /mnt"
is "$status" 0 "limits, and nothing is counted"
said 'usrquota: usage by user is not counted here' 'says what is missing'
run build/bin/mkfs.simplefs -fq -Q usr "$tmp/disk" 64M
boot --module "$module" --disk "$tmp/disk" -- sh -c "! $mount && $mount -o ro && umount /mnt"
is "$status" 0 "a kernel without the format: read-only"
clean "refused"
said 'no format for it (module quota_v2)' 'says why'
build/image/edit "$tmp/disk" quota 0 0 1
quota "! $mount && $mount -o ro && ! mount -o remount,rw /mnt && umount /mnt"
is "$status" 0 "a table that is none: read-only"
clean "refused, a remount as well"
said 'usage by user: the table cannot be used' 'says which'
run build/bin/fsck.simplefs -fy "$tmp/disk"
is "$status" 1 "repaired" || diag "$out"
quota "$limited && umount /mnt"
is "$status" 0 "and mounted"
done_testing
