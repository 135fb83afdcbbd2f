#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Flags of inodes and projects: by their ioctls, by chattr(1) and lsattr(1), after remounts, behind a plug.
. "$(dirname "$0")/lib.sh"
program flags
program projects

# The tools as Debian has them, with what they are linked to.
tools=()
for tool in chattr lsattr; do
    path=$(command -v "$tool") || skip_all "no $tool here"
    tools+=(--add "$path:/bin/$tool")
    for lib in $(ldd "$path" | grep -o '/[^ ]*'); do
        tools+=(--add "$lib:$lib")
    done
done

# flags COMMANDS [OPTION]...: in one boot
flags()
{
    boot --module "$module" --add "$tmp/flags" --add "$tmp/projects" --disk "$tmp/disk" "${@:2}" -- sh -c "$1"
}

# whole WHAT: the checker finds nothing
whole()
{
    run build/bin/fsck.simplefs -fn "$tmp/disk"
    is "$status" 0 "$1: the structure is whole" || diag "$out"
}

mount="mount -t simplefs /dev/vda /mnt"
run build/bin/mkfs.simplefs -q "$tmp/disk" 256M
is "$status" 0 "mkfs"
flags "$mount && flags /mnt && projects use /mnt && umount /mnt && $mount && projects verify /mnt && umount /mnt && rmmod simplefs"
is "$status" 0 "used, unmounted, mounted again, unloaded"
relay "use"
whole "use"
run build/bin/dump.simplefs -i /kept/projinherit "$tmp/disk"
like "$out" 'projid: 106' "dump shows a project"
like "$out" 'projinherit' "and flags in words"

flags "$mount -o ro && projects readonly /mnt && umount /mnt && $mount && mount -o remount,ro /mnt &&
    projects readonly /mnt && mount -o remount,rw /mnt && projects stopped /mnt && umount /mnt"
is "$status" 0 "read-only, and shut down"
relay "nothing changes"

cat >"$tmp/by-tools" <<'END'
set -e
mkdir -p /mnt/t/sub && cd /mnt/t
touch f sub/g
chattr +aAdS f
lsattr f
chattr -a f && chattr +i f
lsattr f
! rm -f f 2>/dev/null
chattr =d f
lsattr f
chattr -p 7 f
lsattr -p f
chattr +DP sub
lsattr -d sub
chattr -R +d .
lsattr -R . | grep . | sort
chattr -p 9 sub && touch sub/h
lsattr -p sub/h
lsattr -v f | grep -c '^[0-9]'
! chattr +c f 2>/dev/null && ! chattr +P f 2>/dev/null && lsattr f
END
flags "$mount && sh /by-tools 2>&1 | sed 's/^/tool: /'; umount /mnt" "${tools[@]}" --add "$tmp/by-tools:/by-tools"
is "$status" 0 "chattr and lsattr"
is "$(tr -d '\r' <"$tmp/console" | sed -n 's/^tool: //p' | grep -v '^+')" \
"--S--adA-------------- f
--S-i-dA-------------- f
------d--------------- f
    7 ------d--------------- f
---D---------------P-- sub
------d--------------- ./f
------d--------------- ./sub/g
---D--d------------P-- ./sub
./sub:
    9 ------d--------------- sub/h
1
------d--------------- f" "what they say"

run build/bin/mkfs.simplefs -f -q "$tmp/disk" 64M
flags "$mount && projects pull /mnt" --kill-on "round 7"
is "$status" 123 "pulled in the middle of changes"
flags "$mount && projects verify-pull /mnt && umount /mnt"
is "$status" 0 "recovered"
relay "the plug"
whole "the plug"
done_testing
