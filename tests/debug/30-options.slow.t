#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Freezing, recovery and its refusal, errors=, journals elsewhere or nowhere, under the watchers.
. "$(dirname "$0")/lib.sh"

part()
{
    volume 64
    debug "$1" options "$1"
}

for part in freeze freezefail thaw aborted errors recovery forgotten journals; do
    beside part "$part"
done
together
volume 64
boot --mem 512M --no-load --module "$module" --add "$tmp/options" --add build/bin/mkfs.simplefs \
    --disk "$tmp/disk" -- options panic
is "$status" 120 "errors=panic: the kernel stops"
grep -q 'Kernel panic - not syncing: simplefs (ubda): panic on error, as mounted' "$tmp/console"
ok $? "errors=panic: and says why"
done_testing
