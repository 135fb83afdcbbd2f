# SPDX-License-Identifier: GPL-2.0-only
# stress-ng's filesystem class, one stressor after the other, each so many seconds, with --verify.
# usage: stress.sh SECONDS [STRESSOR]...
. /run/guest/lib.sh
use
seconds=$1
shift
[ $# -gt 0 ] || read -r -a names <<<"$(stress-ng --class 'filesystem?' | tail -n 1 | sed 's/.*: //')"
[ $# = 0 ] || names=("$@")
[ "${#names[@]}" -gt 0 ]
ok $? "${#names[@]} stressors"
free=$(stat -f -c %f /vol)
for name in "${names[@]}"; do
    mkdir "/vol/$name"
    out=$(timeout $((seconds * 10 + 120)) stress-ng --temp-path "/vol/$name" --verify --timeout "$seconds" --oomable \
        --no-rand-seed "--$name" 2 2>&1)
    s=$?
    # 3 and 4: not on this system
    [ $s = 0 ] || [ $s = 3 ] || [ $s = 4 ]
    ok $? "$name: $s" || printf '%s\n' "$out" | tail -n 20 | sed 's/^/# /'
    rm -rf "/vol/${name:?}" || ls -laR "/vol/$name"
    ! dmesg | grep 'simplefs (' || { dmesg | grep 'simplefs (' | sed "s/^/# $name: /"; dmesg -C; ok 1 "$name: the log"; }
done
sync
fresh
is "$(stat -f -c %f /vol)" "$free" "all space has come back"
over
