#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Two directories hold each other, and one of them 40,000 more: they are told, and mended, in no more
# than a multiple of the time that a check of as many takes without.
# shellcheck source=tests/tap/tap.sh
. "$(dirname "$0")/../tap/tap.sh"
make -s tools build/image/edit >"$tmp/make.log" 2>&1 || { cat "$tmp/make.log"; exit 1; }
fsck=build/bin/fsck.simplefs
img=$tmp/img

# taken COMMAND...: milliseconds of processor time; the status is the command's
taken()
{
    python3 -c 'import resource, subprocess, sys
status = subprocess.run(sys.argv[1:], stdout=open("/dev/null", "w")).returncode
use = resource.getrusage(resource.RUSAGE_CHILDREN)
print(int((use.ru_utime + use.ru_stime) * 1000))
sys.exit(status)' "$@"
}

mkdir -p "$tmp/from/a/b"
(cd "$tmp/from/a/b" && seq 40000 | xargs mkdir)
run build/bin/mkfs.simplefs -q -J none -d "$tmp/from" "$img" 256M
is "$status" 0 'a volume'
before=$(taken "$fsck" -fn "$img")
is $? 0 "a check of it as it is takes $before ms"
build/image/edit "$img" name /a/b up /a 4 && build/image/edit "$img" unname / a
is $? 0 'a cycle'
cycle=$(taken "$fsck" -fy "$img")
is $? 1 "with a cycle, mended, $cycle ms"
[ "$cycle" -lt $((8 * before + 2000)) ]
ok $? 'which is not much more'
run "$fsck" -f "$img"
is "$status" 0 'and a second run is content'
like 'clean, 40004 inodes' 'with all that was there'
done_testing
