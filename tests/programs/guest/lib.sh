# SPDX-License-Identifier: GPL-2.0-only
# TAP for the scripts in the machine; $tmp/console becomes the test's own lines.
# shellcheck shell=bash
count=0
bad=0
ok()
{
    count=$((count + 1))
    if [ "$1" = 0 ]; then echo "ok $count - $2"; else bad=1; echo "not ok $count - $2"; return 1; fi
}
# is GOT WANT NAME
is()
{
    [ "$1" = "$2" ]
    ok $? "$3" || printf '%s\n' "got: $1" "want: $2" | head -n 60 | sed 's/^/# /'
}
# does NAME COMMAND...: it succeeds, or what it said is told
does()
{
    local name=$1 out
    shift
    out=$("$@" 2>&1 </dev/null)
    ok $? "$name" || printf '%s\n' "$out" | tail -n 40 | sed 's/^/# /'
}
# fails NAME COMMAND...
fails()
{
    local name=$1
    shift
    ! "$@" >/dev/null 2>&1 </dev/null
    ok $? "$name"
}
# use [OPTION]...: the volume on the second disk becomes /vol
use()
{
    mount -t simplefs "$@" /dev/ubdb /vol
    ok $? "mounted${1:+ $*}"
}
# fresh: nothing of it is in memory
fresh()
{
    cd / && umount /vol && mount -t simplefs /dev/ubdb /vol
    ok $? "unmounted, mounted again"
}
over()
{
    cd /
    if mountpoint -q /vol; then does "the volume is free again" umount /vol; fi
    is "$(dmesg | grep 'simplefs (' | grep -v 'recovered from an unclean stop')" '' "simplefs has said nothing else to the log"
    exit $bad
}
