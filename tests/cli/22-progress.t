#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# How far a long work is: on a terminal after two seconds, on -C's file descriptor at once, nowhere
# else; and it never gets into what else is said, or onto the volume.
# shellcheck source=tests/tap/tap.sh
. "$(dirname "$0")/../tap/tap.sh"
mkfs=build/bin/mkfs.simplefs
fsck=build/bin/fsck.simplefs
img=$tmp/img
esc=$(printf '\033')

mkdir -p "$tmp/tree/dir"
for i in $(seq 40); do : >"$tmp/tree/dir/$i"; done
"$mkfs" -q -d "$tmp/tree" "$img" 64M

# terminal COMMAND: its output with a terminal of its own, into $out
terminal()
{
    out=$(script -qec "$1" /dev/null </dev/null 2>&1)
    status=$?
}

exec 7>"$tmp/seven"
run "$fsck" -fn -C 7 "$img"
exec 7>&-
exits 0 'fsck -C 7'
is "$(cut -d ' ' -f 1,4 "$tmp/seven" | sort -u)" "$(printf '%s\n' "1 $img" "2 $img" "3 $img")" \
    'tells three passes there, with the device'
[ "$(grep -c '^2 ' "$tmp/seven")" -gt 20 ]
ok $? 'and how far each is'
is "$(awk '$2 >= $3' "$tmp/seven")" '' 'which is less than all'
unlike "^[123] " 'and says nothing of it elsewhere'
for fd in 3 4 5 9; do
    run bash -c "exec $fd>&-; exec $fsck -fy -C $fd $img"
    exits 0 "fsck -C $fd, which is closed"
done
run "$fsck" -fn "$img"
exits 0 'and nothing got onto the volume'
{ "$fsck" -fn -C 7 "$img" >"$tmp/said" 2>&1; echo $? >"$tmp/status"; } 7> >(head -c 1 >/dev/null)
is "$(cat "$tmp/status")" 0 'one who stops listening stops nothing'

terminal "$fsck -fn -C 0 $img"
exits 0 'fsck -C 0'
like "$esc\\[K" 'shows it on the terminal'
like '^[^%]*fsck.simplefs: +0% inodes' 'with the pass'
terminal "$fsck -fn $img"
unlike '%' 'a quick check does not'
out=$("$fsck" -fn -C 0 "$img" 2>&1)
unlike '%' 'nor what has no terminal'

# A source that takes its time.
tar -cf "$tmp/tree.tar" -C "$tmp/tree" .
mkfifo "$tmp/slow"
slowly()
{
    { head -c 10240 "$tmp/tree.tar"; timeout 2.5 tail -f /dev/null; tail -c +10241 "$tmp/tree.tar"; } >"$tmp/slow" &
}
slowly
terminal "$mkfs -f -d $tmp/slow $img 64M"
wait
exits 0 'mkfs -d of a slow source'
like 'mkfs.simplefs: [0-9]+ \./dir/' 'counts files, and names one'
like "$esc\\[K.*: simplefs, 16384 blocks" 'and clears the line before the last word'
slowly
terminal "$mkfs -qf -d $tmp/slow $img 64M"
wait
unlike '\./dir/' '-q does not'
run build/bin/dump.simplefs --check "$img"
exits 0 'the volume is whole'

done_testing
