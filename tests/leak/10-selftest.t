#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# simplefs-selftest in a Debian kernel: each verdict, its file, its exit status, and what it says of
# the one leak it is shown. SFS_KERNEL= chooses the kernel.
. "$(dirname "$0")/../vm/lib.sh"
mutant=$(tests/leak/build-mutants "$kernel" symlink-target 2>"$tmp/mutants.log" | awk '{print $2}')
[ -s "$mutant" ]
ok $? "a leaking module is built" || diag "$(cat "$tmp/mutants.log")"
cp "${mutant:-/dev/null}" "$tmp/mutant.ko"
mkdir -p "build/leak/$kernel/hung"
cp tests/leak/hung/* "build/leak/$kernel/hung/"
hung=$(tests/vm/build-module "$kernel" "build/leak/$kernel/hung" 2>"$tmp/hung.log")
ok $? "and one that does not unload" || diag "$(tail -n 20 "$tmp/hung.log")"
cp "${hung:-/dev/null}" "$tmp/hung.ko"

# section NAME: what /try printed between its marks, without the kernel's lines
section()
{
    out=$(tr -d '\r' <"$tmp/console" | sed -n "/^<$1>\$/,/^<\\/$1>\$/p" | grep -v '^\[ *[0-9.]*\] ')
    status=$(sed -n 's/^exit //p' <<<"$out" | head -n 1)
}

cat >"$tmp/broken-mkfs" <<'EOF'
#!/bin/sh
echo "the disk is on strike" >&2
exit 7
EOF
chmod +x "$tmp/broken-mkfs"
cat >"$tmp/stuck-mkfs" <<'EOF'
#!/bin/sh
echo $$ >/tmp/stuck
read -r forever </tmp/fifo
EOF
cat >"$tmp/slow-mkfs" <<'EOF'
#!/bin/sh
echo $$ >/tmp/begun
read -r forever </tmp/fifo
EOF
cat >"$tmp/waiting-mkfs" <<'EOF'
#!/bin/sh
[ -e /tmp/waited ] || { touch /tmp/waited; echo "at it" >/tmp/begun; read -r go </tmp/fifo; }
exec /bin/good-mkfs "$@"
EOF
chmod +x "$tmp/stuck-mkfs" "$tmp/slow-mkfs" "$tmp/waiting-mkfs"
# What udev does with a loop device: one that nobody has locked is looked into, and ours loads the module.
cat >"$tmp/udev" <<'EOF'
while :; do
    for disk in /sys/block/loop*; do
        dev=/dev/${disk##*/}
        if [ -e "$disk/loop/backing_file" ] && [ ! -e /tmp/cried ]; then
            echo "<7>WARNING: a process cries in the kernel's log" >/dev/kmsg
            touch /tmp/cried
        fi
        if [ -e "$disk/loop/backing_file" ] && flock -sn "$dev" simplefs_id --export "$dev" >/dev/null 2>&1; then
            echo "$dev" >>/tmp/probed
            [ -d /sys/module/simplefs ] || insmod /lib/simplefs.ko
        fi
    done
done
EOF
printf '#!/bin/sh\necho "asked to $1" >>/tmp/asked\n' >"$tmp/udevadm"
chmod +x "$tmp/udevadm"
cat >"$tmp/try" <<'EOF'
try()
{
    name=$1
    shift
    echo "<$name>"
    simplefs-selftest "$@" 2>&1
    echo "exit $?"
    ls -1 /tmp/state
    grep -q '^simplefs ' /proc/modules && echo loaded
    grep -q simplefs /proc/mounts && echo mounted
    losetup -a | grep -q . && echo attached
    echo "</$name>"
}
export STATE_DIRECTORY=/tmp/state
try none --show
sh /udev &
udev=$!
try pass --run -m /lib/simplefs.ko
echo "<udev>"
cat /tmp/probed /tmp/asked
[ -e /tmp/cried ] && echo "cried"
try show --show
try json --show --json
insmod /lib/simplefs.ko
mkfs.simplefs -q /tmp/volume 16M
mkdir /tmp/mnt
mount -t simplefs -o loop /tmp/volume /tmp/mnt
until [ -s /tmp/probed ]; do :; done
echo "then: $(head -n 1 /tmp/probed)"
echo "</udev>"
kill "$udev"
try in-use --run -m /lib/simplefs.ko
umount /tmp/mnt
rmmod simplefs
mkfifo /tmp/fifo /tmp/begun
mv /bin/mkfs.simplefs /bin/good-mkfs
cp /waiting-mkfs /bin/mkfs.simplefs
echo "<meanwhile>"
simplefs-selftest --run -d /tmp/state.1 -m /lib/simplefs.ko 2>&1 &
test=$!
read -r begun </tmp/begun
mkfifo /tmp/over /tmp/there
unshare -m sh -c 'mount -t simplefs -o loop /tmp/volume /tmp/mnt; echo there >/tmp/there; read -r over </tmp/over' &
elsewhere=$!
read -r there </tmp/there
echo go >/tmp/fifo
wait "$test"
echo "exit $?"
ls -1 /tmp/state.1
grep -q '/tmp/mnt simplefs' /proc/mounts && echo "mounted here"
grep -q '/tmp/mnt simplefs' /proc/$elsewhere/mounts && echo "mounted elsewhere"
echo "</meanwhile>"
echo over >/tmp/over
wait "$elsewhere"
until rmmod simplefs; do :; done 2>/dev/null
mv /bin/good-mkfs /bin/mkfs.simplefs
insmod /lib/simplefs.ko
try leak --run -m /mutant.ko
rmmod simplefs
try leak-json --show --json
mv /bin/mkfs.simplefs /bin/good-mkfs
cp /broken-mkfs /bin/mkfs.simplefs
try mkfs --run -m /lib/simplefs.ko
try no-module --run -m /lib/nothing.ko
echo "not a module" >/tmp/bad.ko
try bad-module --run -m /tmp/bad.ko
cp /stuck-mkfs /bin/mkfs.simplefs
try stuck --run -t 30 -m /lib/simplefs.ko
[ -d "/proc/$(cat /tmp/stuck)" ] && echo "stuck: left alone"
cp /slow-mkfs /bin/mkfs.simplefs
echo "<stopped>"
simplefs-selftest --run -d /tmp/state.2 -m /lib/simplefs.ko 2>&1 &
test=$!
read -r begun </tmp/begun
kill -TERM "$test"
wait "$test"
echo "exit $?"
simplefs-selftest --show -d /tmp/state.2
ls -1 /tmp/state.2
echo "</stopped>"
echo "<interrupted>"
setsid simplefs-selftest --run -d /tmp/state.2 -m /lib/simplefs.ko 2>&1 &
read -r begun </tmp/begun
kill -INT "-$!"
wait $!
echo "exit $?"
[ -d "/proc/$begun" ] && echo "the worker goes on"
echo "</interrupted>"
rmmod simplefs
insmod /hung.ko
try hung --run -t 5 -m /lib/simplefs.ko
try going --run -m /lib/simplefs.ko
echo 1 >/sys/module/simplefs/parameters/go
while [ -d /sys/module/simplefs ]; do :; done
mkdir /tmp/small
mount -t tmpfs -o size=8M none /tmp/small
try room --run -d /tmp/small -m /lib/simplefs.ko
echo 2 >/proc/sys/kernel/kptr_restrict
try hidden --run -m /lib/simplefs.ko
echo 0 >/proc/sys/kernel/kptr_restrict
mv /bin/good-mkfs /bin/mkfs.simplefs
until echo 8 >/proc/sys/kernel/perf_event_max_stack; do :; done 2>/dev/null
try cut --run -d /tmp/state.3 -m /lib/simplefs.ko
[ ! -e /tmp/state.3/*.verdict ] && echo "no verdict on cut stacks"
until echo 127 >/proc/sys/kernel/perf_event_max_stack; do :; done 2>/dev/null
mv /dev/loop-control /dev/control
try loop --run -m /lib/simplefs.ko
mknod /dev/loop-control c 10 99
try no-driver --run -m /lib/simplefs.ko
mv /dev/control /dev/loop-control
mount -t securityfs none /sys/kernel/security
echo integrity >/sys/kernel/security/lockdown
try unsigned --run -m /lib/simplefs.ko
cat >/tmp/modprobe <<'END'
#!/bin/sh
echo "modprobe: FATAL: Module simplefs not found in directory /lib/modules" >&2
exit 1
END
chmod +x /tmp/modprobe
mkdir -p /tmp/bin
mv /tmp/modprobe /tmp/bin
PATH=/tmp/bin:$PATH
rm -f /bin/modprobe
try unbuilt --run
echo 1 >/proc/sys/kernel/modules_disabled
try disabled --run -m /lib/simplefs.ko
EOF
boot --timeout 2400 --mem 1G --no-load --module "$module" --add build/bin/simplefs-selftest \
    --add build/bin/mkfs.simplefs --add build/bin/dump.simplefs --add build/bin/fsck.simplefs --add build/bin/kmodleak \
    --add "$tmp/broken-mkfs:/broken-mkfs" --add "$tmp/stuck-mkfs:/stuck-mkfs" \
    --add build/bin/simplefs_id --add /usr/bin/flock --add "$tmp/udev:/udev" --add "$tmp/udevadm:/bin/udevadm" \
    --add "$tmp/waiting-mkfs:/waiting-mkfs" --add "$tmp/slow-mkfs:/slow-mkfs" \
    --add "$tmp/mutant.ko:/mutant.ko" --add "$tmp/hung.ko:/hung.ko" --add "$tmp/try:/try" -- sh /try
is "$status" 0 "the machine is content"

section none
is "$status" 2 "without a verdict --show fails"
like 'no verdict on .* yet' "and says so"

section pass
is "$status" 0 "the true module: exit 0" || diag "$out"
like '^verdict: PASS$' "PASS"
like '^[0-9].*\.verdict$' "it is in a file of the kernel's name"
unlike '^(loaded|mounted|attached)$' "the machine is as it was"
unlike '^work\.' "no images stay behind"
pass=$out
section udev
like '^asked to settle$' "udev is waited for: it may have others' volumes to look at"
unlike '^/dev/loop' "udev is kept away from its volumes"
like '^cried$' "and a process may cry in the kernel's log meanwhile"
like '^then: /dev/loop' "though not from those of others"
section show
is "$status" 0 "--show: the same exit"
for key in kernel: module: srcversion: tool: time:; do
    is "$(grep "^$key " <<<"$out")" "$(grep "^$key " <<<"$pass")" "--show: the same line $key"
done
like "^kernel: $(basename "$(dirname "$module")")\$" "the kernel's release"
like "^module: $(cat src/VERSION)\$" "the module's version"
like '^build: #' "and its build"
like "^kmodleak: $(cat src/VERSION)\$" "the tracer's version"
like "^srcversion: $(modinfo -F srcversion "$module")\$" "the module's srcversion"
section json
is "$(sed -n '/^{/,/^}/p' <<<"$out" | python3 -c 'import json, sys; v = json.load(sys.stdin); print(v["verdict"], v["tool"])')" \
    "PASS $(cat src/VERSION)" "--show --json is JSON"

section in-use
is "$status" 0 "in use: exit 0"
like '^verdict: SKIP\(in use\)$' "SKIP(in use)"
like '^[0-9].*\.skipped$' "kept, but not as a verdict"
like '^mounted$' "the volume stays mounted"

section meanwhile
is "$status" 0 "a volume mounted while the test runs: exit 0" || diag "$out"
like '^verdict: SKIP\(in use\)$' "SKIP(in use)"
like '^mounted elsewhere$' "the volume stays mounted, in a namespace of somebody else"
unlike '^mounted here$' "where the first process does not see it"
unlike '^[0-9].*\.verdict$|^work\.' "no verdict, no images"

section leak
is "$status" 1 "a leaking module, for one that was loaded and idle: exit 1"
like '^verdict: LEAK\(' "LEAK"
like '\<sfs_get_link\>' "the guilty function is named"
unlike '^(mounted|attached)$' "the machine is as it was"
like '^loaded$' "and a module is loaded again"
section leak-json
like '"report": ".*sfs_get_link' "JSON has the report"

section mkfs
is "$status" 2 "a broken mkfs: exit 2"
like '^verdict: ERROR\(mkfs\)$' "ERROR(mkfs)"
like '^detail: .*exit 7: the disk is on strike' "with its words"
unlike '^(loaded|mounted|attached)$' "the machine is as it was"
section no-module
like '^verdict: ERROR\(load\)$' "a module that is not there: ERROR(load)"
section bad-module
is "$status" 2 "a file that is no module: exit 2"
like '^verdict: ERROR\(load\)$' "ERROR(load)"
section stuck
is "$status" 2 "a step that does not end: exit 2"
like '^verdict: ERROR\(mkfs\)$' "ERROR(mkfs)"
like '^detail: still at it after 30 s' "and how long it was given"
grep -q 'stuck: left alone' "$tmp/console"
ok $? "the stuck process is left alone"
section stopped
is "$status" 0 "asked to stop: exit 0, for nothing is said against the module"
is "$(grep -c '^verdict: SKIP(stopped)$' <<<"$out")" 2 "SKIP(stopped) is told and written"
like '^detail: at mkfs; process' "and how far it came"
like '^[0-9].*\.skipped$' "so that the next boot tries again"
unlike '^[0-9].*\.verdict$' "not as a verdict"
section interrupted
is "$status" 0 "interrupted, with its process group: exit 0"
like '^verdict: SKIP\(stopped\)$' "SKIP(stopped)"
like '^detail: at mkfs; process' "and how far it came"
like '^the worker goes on$' "which is not killed in the midst"
section hung
is "$status" 2 "the module that is there does not go: exit 2"
like '^verdict: ERROR\(unload\)$' "ERROR(unload)"
like '^[0-9].*\.verdict$' "there is a verdict, though the unloading goes on"
section going
like '^verdict: SKIP\(in use\)$' "on its way out: SKIP(in use), and no lock is left"
# skips NAME REASON: the machine, not the module, is in the way
skips()
{
    section "$1"
    is "$status" 0 "$2: exit 0"
    like "^verdict: SKIP\\($2\\)\$" "SKIP($2)"
}
skips room 'no room'
skips hidden kptr_restrict
skips cut 'trace not complete'
like '^detail: .*stacks were cut short' "with the first of its reasons"
grep -q 'no verdict on cut stacks' "$tmp/console"
ok $? "and no verdict that would keep the next boot from trying"
skips loop 'no loop device'
skips no-driver 'no loop device'
skips unsigned 'module signature refused'
skips unbuilt 'no module'
skips disabled modules_disabled
done_testing
