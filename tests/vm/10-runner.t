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
SFS_BOOT_LIMIT=5 boot --append rdinit=/bin/cat -- true
is "$status" 120 "a machine in which init never runs"
is "$(grep -c 'complaint while booting: no init after 5 s' "$tmp/boot.log")" 3 "is booted again, twice"
boot --append 'rdinit=/bin/poweroff -- -f' -- true
is "$status" 120 "a machine whose init is not heard"
is "$(grep -c 'complaint while booting: not a word from init' "$tmp/boot.log")" 3 "is booted again as well"
boot --kill-on pull-it -- sh -c 'echo pull-it; while :; do :; done'
is "$status" 123 "a pulled plug"
boot -- no-such-command
is "$status" 127 "a command that is not there"
truncate -s 1M "$tmp/disk"
boot --disk "$tmp/disk" -- sh -c 'echo "two  words" > /dev/vda && sync'
is "$status" 0 "a disk can be written"
is "$(head -n 1 "$tmp/disk")" "two  words" "and keeps what was written, arguments unharmed"

# What a kernel says when something is wrong in it, though the command itself succeeds.
cp -r tests/vm/complain "$tmp/"
complain=$(tests/vm/build-module "$kernel" "$tmp/complain" 2>"$tmp/make.log") || cat "$tmp/make.log"
boot --module "$complain,how=warn" -- true
is "$status" 120 "a WARNING in the kernel, from a module loaded with a parameter"
boot --module "$complain,how=block" --append sysctl.kernel.hung_task_timeout_secs=1 -- \
    grep -q "blocked for more than" /dev/kmsg
is "$status" 120 "a task that waits for ever"
boot --module "$complain,how=spin" --append watchdog_thresh=1 -- \
    grep -q "soft lockup" /dev/kmsg
is "$status" 120 "a CPU that never schedules"
# No Debian kernel has lockdep: only that its words are known can be tried.
boot -- sh -c 'echo "<4>WARNING: possible circular locking dependency detected" >/dev/kmsg'
is "$status" 120 "what lockdep says"
# The kernel repeats its command line before init runs: a complaint as good as any.
boot --append BUG:asked --disk "$tmp/disk" -- sh -c 'echo "written anew" > /dev/vda && sync'
is "$status" 120 "a kernel that complains before init has run"
is "$(grep -c 'complaint while booting' "$tmp/boot.log")" 3 "is booted again, three times at most"
is "$(head -n 1 "$tmp/disk")" "two  words" "and is not let near the disk"

# Modules in order, each with its own parameters or not loaded at all; files brought back.
boot --module "$complain,how=quietly" --module "$module" --disk "$tmp/disk" --get /tmp/a:"$tmp/a" \
    --get tmp/types:"$tmp/types" -- \
    sh -c 'cat /proc/filesystems >/tmp/types; head -c 300000 /dev/urandom >/tmp/a; md5sum </tmp/a
           grep -q "two  words" /dev/vda && exit 5'
is "$status" 5 "files are fetched whatever the command's status"
grep -q "how=quietly" "$tmp/console" && grep -q simplefs "$tmp/types"
ok $? "two modules were loaded, the first with its parameter"
is "$(md5sum <"$tmp/a")" "$(tr -d '\r' <"$tmp/console" | grep -o '^[0-9a-f]\{32\}  -')" "a file comes back as it was"
boot --no-load --module "$module" --get /tmp/nothing:"$tmp/b" -- \
    sh -c '! grep simplefs /proc/filesystems && test -f /lib/simplefs.ko'
is "$status" 125 "a file that is not there is the runner's failure"
! grep -q "vm-exit: [^0]" "$tmp/console"
ok $? "a module that is only brought along is not loaded"
# A kernel that cannot be unpacked is no fault: it boots as it is, and why is said.
cat >"$tmp/unpack.py" <<'PY'
import lzma, os, struct, sys
import bzimage

def image(packed, length):
    head = bytearray(2 * 512)
    head[0x1f1] = 1
    head[0x202:0x206] = b"HdrS"
    struct.pack_into("<H", head, 0x206, 0x208)
    struct.pack_into("<II", head, 0x248, 0, len(packed) + 4)
    return bytes(head) + packed + struct.pack("<I", length)

kernel = b"\x7fELF" + bytes(5000)
packed = lzma.compress(kernel)
assert bzimage.unpack(image(packed, len(kernel))) == kernel
os.environ["PATH"] = "/nowhere"
for wrong in (b"", image(packed, len(kernel))[:0x208], image(packed[:-40], len(kernel)),
              image(packed, 1), image(b"\xfd7zXZ\0" + bytes(99), 99), image(b"gz", 9),
              image(b"\x28\xb5\x2f\xfd" + bytes(99), 99)):
    try:
        bzimage.unpack(wrong)
    except bzimage.Packed as e:
        print(e)
    else:
        sys.exit("taken: %r" % wrong[-120:])
PY
PYTHONPATH=tests/vm run python3 "$tmp/unpack.py"
is "$status" 0 "kernels that cannot be unpacked are told, not met" || diag "$out"
is "$(wc -l <<<"$out")" 7 "each with a reason"
done_testing
