#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Volumes made by an enemy: cut, stretched, zeroed and foreign; each field of superblock, inode, node
# and maps hostile under a right checksum; trees in circles, blocks shared, names astray; journals
# that lie. The kernel refuses them with a reason or copes, and looking never writes. Then the tools.
# shellcheck source=tests/vm/lib.sh
. "$(dirname "$0")/lib.sh"
. tests/vm/hostile-image.sh
make_hostile

program hostile
boot --timeout 1200 --mem 512M --module "$module" --add "$tmp/hostile" --add "$tmp/image:/image" \
    --add "$tmp/cases:/cases" --append loglevel=1 -- /bin/hostile /image /cases
relay 'kernel'
is "$status" 0 'the kernel survives all of them'
[ "$status" = 0 ] || diag "$(grep -a '^# case' "$tmp/console" | tail -n 1)"

# What was refused was refused for the right reason.
refused()
{
    out=$(tr -d '\r' <"$tmp/console" | grep -a "^# $1 refused")
    like "$2" "$1: $2"
}
refused cut-to-40960 'larger than its device'
refused zeros 'no simplefs here$'
refused zeroed-super 'no simplefs here, but a copy of its superblock: fsck.simplefs'
refused flipped-super 'blk=0.*(checksum|reserved).*fsck.simplefs'
refused zeroed-root-inode 'blk='
refused replay-zeros-over-root 'blk='
refused log-uuid "another volume's"

# And what could be mounted complained in the same way.
met()
{
    out=$(tr -d '\r' <"$tmp/console" | grep -a "^# $1 mounted")
    like "$2" "$1: $2"
}
met flags-40-of-_link "a directory's flags"
met flags-80-of-_link "a directory's flags"
met flags-100-of-_link 'unknown flags'
met flags-80000000-of-_link 'unknown flags'
done_testing
