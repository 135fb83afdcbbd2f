#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The machine runner can say no: each way to end has its own exit status.
. "$(dirname "$0")/lib.sh"

boot -- true
is "$status" 0 "success is 0"
boot -- sh -c 'exit 7'
is "$status" 7 "the command's own status"
boot -- sh -c 'echo c > /proc/sysrq-trigger'
is "$status" 120 "a kernel crash is told from a failing command"
boot --timeout 12 -- sh -c 'while :; do :; done'
is "$status" 121 "no end in time"
boot -- sh -c 'poweroff -f'
is "$status" 122 "a machine that stops without a word"
boot --kill-on pull-it -- sh -c 'echo pull-it; while :; do :; done'
is "$status" 123 "a pulled plug"
boot -- no-such-command
is "$status" 127 "a command that is not there"
truncate -s 1M "$tmp/disk"
boot --disk "$tmp/disk" -- sh -c 'echo "two  words" > /dev/vda && sync'
is "$status" 0 "a disk can be written"
is "$(head -n 1 "$tmp/disk")" "two  words" "and keeps what was written, arguments unharmed"
done_testing
