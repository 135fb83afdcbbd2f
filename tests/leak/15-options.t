#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# kmodleak itself: its ways to run, its formats, what it says when it cannot, each in one machine, on
# the twins, at random addresses. SFS_KERNEL= chooses the kernel.
. "$(dirname "$0")/../tap/tap.sh"
kernel=${SFS_KERNEL:-6.1}
make -s tools >"$tmp/make.log" 2>&1 || { cat "$tmp/make.log"; echo "Bail out! the build fails"; exit 1; }
mkdir -p "build/leak/$kernel/twins"
cp tests/leak/twins/* "build/leak/$kernel/twins/"
module=$(tests/vm/build-module "$kernel" "build/leak/$kernel/twins" 2>"$tmp/build.log")
ok $? "the twins are built" || diag "$(tail -n 20 "$tmp/build.log")"
for program in notified terminal; do
    gcc -std=gnu11 -D_GNU_SOURCE -O2 -Wall -Wextra -Werror -static -o "$tmp/$program" "tests/leak/options/$program.c"
done
echo nobody:x:65534:65534::/tmp:/bin/sh >"$tmp/passwd"

# The same in all but its build-id.
python3 - "$module" "$tmp/other.ko" <<'EOF'
import sys
data = bytearray(open(sys.argv[1], "rb").read())
at = data.index(b"\4\0\0\0\x14\0\0\0\3\0\0\0GNU\0") + 16
data[at] ^= 1
open(sys.argv[2], "wb").write(data)
EOF
cat >"$tmp/use" <<'EOF'
#!/bin/sh
insmod /lib/twin.ko "$@" && rmmod twin
EOF
chmod +x "$tmp/use"
cat >"$tmp/try" <<'EOF'
# try NAME COMMAND...: its words and its exit between marks
try()
{
    name=$1
    shift
    echo "<$name>"
    "$@" 2>&1
    echo "exit $?"
    echo "</$name>"
}
mkfifo /tmp/never /tmp/ready
try clean kmodleak twin -- use
try leak kmodleak twin -- use leak=1
try lines kmodleak --ko /debug/twin.ko twin -- use leak=1
try other kmodleak --ko /debug/other.ko twin -- use leak=1
try hidden sh -c 'echo 2 >/proc/sys/kernel/kptr_restrict; kmodleak twin; code=$?; echo 0 >/proc/sys/kernel/kptr_restrict; exit $code'
try parameters kmodleak --load '/lib/twin.ko leak=1 kind=large' --unload twin
try init kmodleak twin -- use leak=1 kind=here
try bulk kmodleak twin -- use leak=1 kind=bulk
try json kmodleak --json twin -- use leak=1
try folded kmodleak --folded twin -- use leak=1
try summary kmodleak --summary twin -- use leak=1
printf '# this one is known\ntake_km*	# and fine\n' >/tmp/known
try suppressed kmodleak --suppressions /tmp/known twin -- use leak=1
echo take_pages >/tmp/other
try unsuppressed kmodleak --suppressions /tmp/other twin -- use leak=1
try no-suppressions kmodleak --suppressions /tmp/none twin -- use leak=1
try trace kmodleak --trace twin -- use
try verbose kmodleak -v twin -- use leak=1

echo "<ready>"
kmodleak --ready-fd 3 twin 3>/tmp/ready 2>&1 &
read -r word </tmp/ready
echo "told: $word"
use leak=1
wait $!
echo "exit $?"
echo "</ready>"
echo "<again>"
kmodleak --cycles 2 --ready-fd 3 twin 3>/tmp/ready 2>&1 &
exec 4</tmp/ready
read -r word <&4
use leak=1
read -r again <&4
use leak=1
wait $!
echo "exit $?"
echo "</again>"
exec 4<&-
try notify notified kmodleak --notify twin -- use
try no-socket kmodleak --notify twin -- use

try load-unload kmodleak --load /lib/twin.ko --unload twin
try load-command kmodleak --load /lib/twin.ko twin -- rmmod twin
try load-other kmodleak --load /lib/twin.ko --unload sister
rmmod twin
try load-twice kmodleak --load /lib/loop.ko loop
insmod /lib/twin.ko
try partial kmodleak twin -- rmmod twin
try cycles kmodleak --cycles 2 twin -- use kind=probe
try growth kmodleak --cycles 2 twin -- use kind=probe leak=1
cat >/tmp/once <<'END'
[ ! -e /tmp/forgot ] || exec use
touch /tmp/forgot
exec use leak=1
END
try once kmodleak --cycles 2 twin -- sh /tmp/once
try time-up kmodleak --max-seconds 5 twin -- sh -c 'insmod /lib/twin.ko; read -r x </tmp/never'
rmmod twin
try never kmodleak twin -- true
try stopped kmodleak -m 5 twin -- sh -c 'use; read -r x </tmp/never'
try deaf kmodleak -m 5 twin -- sh -c 'trap "" TERM; use; while :; do read -r x </tmp/never; done'
try killed kmodleak --json twin -- sh -c 'use; kill -9 $$'
echo "<signal>"
mkfifo /tmp/begun
kmodleak twin -- sh -c 'use; echo begun >/tmp/begun; read -r x </tmp/never' 2>&1 &
read -r begun </tmp/begun
kill -INT $!
wait $!
echo "exit $?"
echo "</signal>"
# Both come while the tracer cannot look: the end of the command, and the signal.
try ended kmodleak twin -- sh -c 'use; kill -STOP $PPID; kill -INT $PPID
    { until grep -q ") Z " /proc/$$/stat; do :; done; kill -CONT $PPID; } & exit 0'
echo "<settling>"
mkfifo /tmp/told
kmodleak -v twin -- use leak=1 2>/tmp/told &
while read -r line; do
    case $line in *'settling, round 1'*) kill -TERM $! ;; esac
done </tmp/told
wait $!
echo "exit $?"
echo "</settling>"
mkfifo /tmp/asleep
exec 5<>/tmp/asleep
echo "<asleep>"
kmodleak --trace twin -- use kind=many 2>/tmp/asleep
echo "exit $?"
echo "</asleep>"
mkdir -p /dev/pts
mount -t devpts none /dev/pts
echo "<interrupted>"
terminal c kmodleak twin -- sh -c 'trap "exit 0" INT; use; echo begun; read -r x </tmp/never'
echo "</interrupted>"
echo "<suspended>"
terminal z kmodleak twin -- sh -c 'use; echo begun; read -r x; echo "read $x"'
echo "</suspended>"
try failed kmodleak twin -- sh -c 'use; exit 7'
try full kmodleak --objects 100 twin -- use kind=many
try stacks kmodleak --stacks 1 twin -- sh -c 'use; use kind=pages'
# The kernel refuses as long as it has a program that reads stacks.
until echo 8 >/proc/sys/kernel/perf_event_max_stack; do :; done 2>/dev/null
try cut kmodleak twin -- use
until echo 127 >/proc/sys/kernel/perf_event_max_stack; do :; done 2>/dev/null
mount -o bind /dev/full /proc/sys/vm/drop_caches
try undropped kmodleak twin -- use leak=1
umount /proc/sys/vm/drop_caches
grep -v entry_text_ /proc/kallsyms >/tmp/kallsyms
mount -o bind /tmp/kallsyms /proc/kallsyms
try entries kmodleak twin -- use leak=1
umount /proc/kallsyms
insmod /lib/twin.ko kind=stuck
try stuck kmodleak -u -m 5 twin

# Others come and go meanwhile.
while :; do ( : ); done &
busy=$!
try busy kmodleak -v twin -- use leak=1
kill $busy

try built-in kmodleak printk
truncate -s 1M /tmp/image
losetup /dev/loop0 /tmp/image
try refuses kmodleak --unload loop -- true
losetup -d /dev/loop0
try namespace unshare -pf kmodleak twin -- use
try nobody su -s /bin/kmodleak nobody twin
mount -t tmpfs none /sys/kernel/btf
try no-btf kmodleak twin
umount /sys/kernel/btf
mount -t securityfs none /sys/kernel/security
echo confidentiality >/sys/kernel/security/lockdown
try lockdown kmodleak twin
EOF
tests/vm/run-vm --packed --kernel "$kernel" --quiet --console "$tmp/console" --timeout 1800 --no-load --module "$module" \
    --add build/bin/kmodleak --add "$tmp/notified" --add "$tmp/terminal" --add "$tmp/use" --add "$module:/debug/twin.ko" --add "$tmp/other.ko:/debug/other.ko" \
    --add "$tmp/passwd:/etc/passwd" --add "$tmp/try:/try" -- sh /try >"$tmp/boot.log" 2>&1
is $? 0 "the machine is content" || diag "$(tail -n 5 "$tmp/boot.log")" "$(tail -n 30 "$tmp/console")"

# section NAME EXIT: what /try printed between its marks, without the kernel's lines
section()
{
    out=$(tr -d '\r' <"$tmp/console" | sed -n "/^<$1>\$/,/^<\\/$1>\$/p" | grep -v '^\[ *[0-9.]*\] ')
    is "$(sed -n 's/^exit //p' <<<"$out")" "$2" "$1: exit $2" || diag "$out"
}

section clean 0
like '^kmodleak: twin: clean, nothing is missing of [1-9]' "and says so"
section leak 1
like '^kmodleak: twin: LEAK, 700 bytes in 1 object' "how much"
like '^700 bytes in 1 object: kmalloc, .* by thread [1-9][0-9]* \(insmod\)$' "in which thread"
like '^  \* take_kmalloc\+0x[0-9a-f]+(/[0-9a-fx]+)? \[twin\]$' "and by whom"
section lines 1
line=$(sed -n 's/.* take_kmalloc+.*memory\.c:\([0-9]*\)$/\1/p' <<<"$out")
is "$(sed -n "${line:-1}p" tests/leak/twins/memory.c | cut -d'(' -f1)" "TAKE take_kmalloc" "the line of the source"
section other 1
like '/debug/other.ko is of another build' "a file of another build is told"
unlike 'memory\.c:' "and no line of it is shown"
section hidden 2
like 'sysctl kernel.kptr_restrict=1 shows them' "and what to do"
section parameters 1
like 'take_large' "parameters go with the file"
section init 1
like '^  \* twin_init\+0x[0-9a-f]+ \[twin\]$' "init has the name that the source gives it"
section bulk 1
is "$(grep '^  [ *] [^(]' <<<"$out" | grep -Evx '  [ *] [A-Za-z0-9_.]+\+0x[0-9a-f]{1,4}( \[twin\])?')" "" \
    "no frame has the name of something else"
section json 1
is "$(sed -n '/^{/,/^}/p' <<<"$out" | python3 -c 'import json, sys; v = json.load(sys.stdin)
print(v["verdict"], v["leaks"][0]["function"], v["leaks"][0]["bytes"])')" "leaks take_kmalloc 700" "JSON"
section folded 1
like '^[a-z_0-9;A-Z.]+;take_kmalloc;[a-z_0-9A-Z;.]+ 700$' "a stack in a line, the outermost first"
section summary 1
like '^leak +700 bytes +1 objects +kmalloc +take_kmalloc$' "a line for a kind"
section suppressed 0
unlike 'take_kmalloc' "what is known is not reported"
section unsuppressed 1
section no-suppressions 2
like 'suppressions in /tmp/none: No such file' "and why"
section trace 0
like '^[0-9.]+ [0-9]+ alloc 0xf+[0-9a-f]+ 700 bytes$' "an allocation"
address=$(sed -n 's/.* alloc \(0x[0-9a-f]*\) 700 bytes$/\1/p' <<<"$out")
like "^[0-9.]+ [0-9]+ free  ${address:-none}\$" "and its free"
section verbose 1
like 'settling, round 1: ' "the settling is shown"
section ready 1
like '^told: ready$' "ready is told before the module is loaded"
section again 1
like 'LEAK, 1400 bytes in 2 objects; in 2 cycles$' "ready is told for each loading, and what grows is reported"
section notify 0
like '^told: READY=1$' "systemd is told"
section no-socket 2
like 'no NOTIFY_SOCKET in the environment' "and why"
section load-unload 0
like 'twin: clean, nothing is missing of [1-9]' "it was loaded, and is gone"
section load-command 0
section load-other 2
like '/lib/twin.ko does not hold a module named sister' "and why"
section load-twice 2
like 'loop is loaded already' "and why"
section partial 0
like 'clean, .*\(partial: the module was loaded before\)' "it is marked"
section cycles 0
like 'clean, .* in 2 cycles$' "what the kernel took for itself does not grow"
section growth 1
like 'LEAK, 420 bytes in 2 objects; in 2 cycles$' "what the module forgot does"
section once 1
like 'LEAK, 700 bytes in 1 objects; in 2 cycles$' "though only once, if the module itself asked for it"
section time-up 3
like 'twin is still loaded' "and why"
section never 2
like 'twin was never loaded while being traced' "and why"
section stopped 3
like 'the command was stopped after 5 s' "not clean, though the module has gone"
section deaf 3
like 'the command was stopped after 5 s' "the same of one that heeds no TERM"
section killed 2
like '"command_status": 137' "the status as a shell has it"
like '"verdict": "incomplete"' "and no clean beside it"
section signal 3
like 'the command was stopped by a signal \(2\)' "and why"
section ended 3
like 'the command was stopped by a signal \(2\)' "though the command ended well before it was seen"
section settling 3
like 'a signal ended the wait for late frees' "and why"
section asleep 0
like 'clean, nothing is missing of [1-9]' "whoever does not read keeps nobody waiting"
section interrupted ''
like '^job: exit 3$' "the key for it is heeded, though the command ends well"
section suspended ''
like '^job: stopped$' "the key for it stops both"
like '^read on$' "and who sends them on finds the terminal theirs"
like '^job: exit 0$' "with a verdict"
section failed 2
like 'the command failed \(status 7\)' "and why"
section full 3
like '^[0-9]+ objects found no room \(--objects\)$' "and why"
section stacks 3
like '^[1-9][0-9]* stacks found no room \(--stacks\)$' "and why"
section cut 3
like '^[1-9][0-9]* stacks were cut short \(kernel.perf_event_max_stack\)' "and why"
section undropped 3
like "the kernel's caches could not be dropped" "what they may keep is called no leak"
section entries 3
like 'not known by which text interrupts enter' "and why"
section stuck 2
like 'the unloading of twin does not end' "and why"
section busy 1
unlike 'did not come round' "others who come and go are no hindrance"
section built-in 2
like 'printk is built into this kernel' "and why"
section refuses 2
like 'loop refuses to be unloaded: it is still in use' "and why"
section namespace 2
like 'in a PID namespace of its own' "and why"
section nobody 2
like 'tracing needs root' "and why"
section no-btf 2
like 'this kernel has no type information' "and why"
section lockdown 2
like 'the kernel is locked down for confidentiality' "and why"
done_testing
